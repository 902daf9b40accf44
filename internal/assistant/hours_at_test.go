package assistant_test

import (
	"testing"
	"time"

	"github.com/answerable/answerable/internal/assistant"
)

// TestHoursWhereClocksChange asks when people are there, where clocks, calendars and weeks are unusual.
func TestHoursWhereClocksChange(t *testing.T) {
	clock := func(s string) (c assistant.Clock) {
		if err := c.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	every := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	work := []string{"mon", "tue", "wed", "thu", "fri"}
	hours := func(zone string, days []string, from, to string, closed ...string) assistant.Hours {
		return assistant.Hours{Zone: zone, Week: []assistant.Shift{{Days: days, From: clock(from), To: clock(to)}}, Closed: closed}
	}
	leap := make([]string, 0, 366)
	for d := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); len(leap) < cap(leap); d = d.AddDate(0, 0, 1) {
		leap = append(leap, d.Format(time.DateOnly))
	}
	for name, test := range map[string]struct {
		hours      assistant.Hours
		at, change string // the change in the zone's own time; "": none
		open       bool
	}{
		"in the middle of the day":             {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-11-23T11:00:00Z", "2026-11-23T17:30:00+01:00", true},
		"at the very beginning":                {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-11-23T08:00:00Z", "2026-11-23T17:30:00+01:00", true},
		"at the very end":                      {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-11-23T16:30:00Z", "2026-11-24T09:00:00+01:00", false},
		"on Friday evening":                    {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-11-27T20:00:00Z", "2026-11-30T09:00:00+01:00", false},
		"over the weekend when summer begins":  {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-03-28T12:00:00Z", "2026-03-30T09:00:00+02:00", false},
		"over the weekend when summer ends":    {hours("Europe/Berlin", work, "09:00", "17:30"), "2026-10-24T12:00:00Z", "2026-10-26T09:00:00+01:00", false},
		"through the hour that is skipped":     {hours("Europe/Berlin", every, "01:00", "04:00"), "2026-03-29T00:30:00Z", "2026-03-29T04:00:00+02:00", true},
		"in the second of the hours that are":  {hours("Europe/Berlin", every, "01:00", "04:00"), "2026-10-25T01:30:00Z", "2026-10-25T04:00:00+01:00", true},
		"that begin in the hour that is not":   {hours("Europe/Berlin", every, "02:30", "04:00"), "2026-03-28T23:00:00Z", "2026-03-29T03:30:00+02:00", false},
		"before a leap day":                    {hours("UTC", every, "09:00", "10:00"), "2028-02-28T12:00:00Z", "2028-02-29T09:00:00Z", false},
		"after a closed leap day":              {hours("UTC", every, "09:00", "10:00", "2028-02-29"), "2028-02-28T12:00:00Z", "2028-03-01T09:00:00Z", false},
		"through midnight, as two entries are": {assistant.Hours{Zone: "UTC", Week: []assistant.Shift{{Days: every, From: clock("22:00"), To: clock("24:00")}, {Days: every, From: clock("00:00"), To: clock("02:00")}}}, "2026-11-23T23:00:00Z", "2026-11-24T02:00:00Z", true},
		"over days that are closed":            {hours("Europe/Berlin", every, "09:00", "17:00", "2026-12-25", "2026-12-26"), "2026-12-24T20:00:00Z", "2026-12-27T09:00:00+01:00", false},
		"in a year in which all is closed":     {hours("UTC", every, "09:00", "17:00", leap...), "2026-01-01T00:00:00Z", "", false},
		"that never end":                       {hours("UTC", every, "00:00", "24:00"), "2026-01-01T12:00:00Z", "", true},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		open, change := test.hours.At(at)
		got := ""
		if !change.IsZero() {
			got = change.Format(time.RFC3339)
		}
		if open != test.open || got != test.change {
			t.Errorf("%s: open is %v until %q, want %v until %q", name, open, got, test.open, test.change)
		}
	}
}
