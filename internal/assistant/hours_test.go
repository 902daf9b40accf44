package assistant_test

import (
	"testing"
	"time"

	"github.com/answerable/answerable/internal/assistant"
)

func TestHoursAt(t *testing.T) {
	clock := func(s string) (c assistant.Clock) {
		t.Helper()
		if err := c.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	office := assistant.Hours{Zone: "Europe/Berlin", Closed: []string{"2026-12-25"}, Week: []assistant.Shift{
		{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: clock("13:00"), To: clock("17:30")},
		{Days: []string{"mon", "fri"}, From: clock("09:00"), To: clock("12:00")},
	}}
	night := assistant.Hours{Zone: "America/New_York", Week: []assistant.Shift{
		{Days: []string{"sat"}, From: clock("22:00"), To: clock("24:00")},
		{Days: []string{"sun"}, From: clock("00:00"), To: clock("06:00")},
	}}
	always := assistant.Hours{Zone: "UTC", Week: []assistant.Shift{
		{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: clock("00:00"), To: clock("24:00")},
	}}
	for _, test := range []struct {
		name   string
		hours  assistant.Hours
		now    string
		there  bool
		change string
	}{
		{"in the morning", office, "2026-11-23T08:30:00+01:00", false, "2026-11-23T09:00:00+01:00"},
		{"there", office, "2026-11-23T09:00:00+01:00", true, "2026-11-23T12:00:00+01:00"},
		{"at noon", office, "2026-11-23T12:00:00+01:00", false, "2026-11-23T13:00:00+01:00"},
		{"asked from elsewhere", office, "2026-11-23T23:59:00+09:00", true, "2026-11-23T17:30:00+01:00"},
		{"over the weekend", office, "2026-11-27T18:00:00+01:00", false, "2026-11-30T09:00:00+01:00"},
		{"over a date that is closed", office, "2026-12-25T10:00:00+01:00", false, "2026-12-28T09:00:00+01:00"},
		{"over the change of the clocks", office, "2026-03-27T18:00:00+01:00", false, "2026-03-30T09:00:00+02:00"},
		{"through midnight", night, "2026-11-21T23:00:00-05:00", true, "2026-11-22T06:00:00-05:00"},
		{"on the night of the change", night, "2026-03-07T23:00:00-05:00", true, "2026-03-08T06:00:00-04:00"},
		{"always", always, "2026-11-21T23:00:00Z", true, ""},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		there, change := test.hours.At(now)
		got := ""
		if !change.IsZero() {
			got = change.Format(time.RFC3339)
		}
		if there != test.there || got != test.change {
			t.Errorf("%s: %t until %s, want %t until %s", test.name, there, got, test.there, test.change)
		}
	}
}
