package main

import (
	"testing"
	"time"
)

func TestReadTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 24, 15, 30, 0, 0, berlin) // clocks go back in the night
	for _, test := range []struct {
		said string
		end  bool
		want string
	}{
		{"18:00", true, "2026-10-24T18:00:00+02:00"},
		{"15:30", true, "2026-10-25T15:30:00+01:00"},
		{"9:05", false, "2026-10-25T09:05:00+01:00"},
		{"today 14:00", true, "2026-10-24T14:00:00+02:00"},
		{"today", true, "2026-10-25T00:00:00+02:00"},
		{"tomorrow 09:00", true, "2026-10-25T09:00:00+01:00"},
		{"tomorrow", true, "2026-10-26T00:00:00+01:00"},
		{"tomorrow", false, "2026-10-25T00:00:00+02:00"},
		{"2026-12-01", true, "2026-12-02T00:00:00+01:00"},
		{"2026-12-01", false, "2026-12-01T00:00:00+01:00"},
		{"2026-12-01 18:00", true, "2026-12-01T18:00:00+01:00"},
		{" 2h ", true, "2026-10-24T17:30:00+02:00"},
		{"90m", true, "2026-10-24T17:00:00+02:00"},
		{"3d", true, "2026-10-27T15:30:00+01:00"},
		{"2026-12-01T18:00:00Z", true, "2026-12-01T18:00:00Z"},
		{"2026-12-01T18:00:00-05:00", false, "2026-12-01T18:00:00-05:00"},
	} {
		got, err := readTime(test.said, now, test.end)
		if err != nil || got.Format(time.RFC3339) != test.want {
			t.Errorf("%q is %s, %v, want %s", test.said, got.Format(time.RFC3339), err, test.want)
		}
	}
	for _, wrong := range []string{"soon", "25:00", "tomorrow noon", "2026-13-01", "-2h", "0d", "2026-12-01 18", "18:00 tomorrow"} {
		if got, err := readTime(wrong, now, true); err == nil {
			t.Errorf("%q is %s", wrong, got)
		}
	}
}
