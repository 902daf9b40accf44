package assistant

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without the zones of the world

	"github.com/answerable/answerable/internal/config"
)

// Hours are when people are there.
type Hours struct {
	// The time zone of the hours, as in Europe/Berlin.
	Zone string `yaml:"zone"`
	// The hours of a usual week.
	Week []Shift `yaml:"week" most:"50"`
	// Dates on which nobody is there, as in 2026-12-25. Default: none.
	Closed []string `yaml:"closed" most:"1000"`
}

// Shift are hours on some days of the week.
type Shift struct {
	// The days of the week.
	Days []string `yaml:"days" oneof:"mon,tue,wed,thu,fri,sat,sun" need:"list days such as [mon, tue, wed, thu, fri]"`
	// When the hours begin, as in 09:00.
	From Clock `yaml:"from"`
	// When the hours end, as in 17:30; 24:00 is midnight.
	To Clock `yaml:"to" need:"write when the hours end, as in 17:30"`
}

// Clock is a time of day in minutes, written 09:00. 24:00 is the end of the day.
type Clock int

const endOfDay Clock = 24 * 60

func (c *Clock) UnmarshalText(text []byte) error {
	hour, minute, _ := strings.Cut(string(text), ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	at := Clock(h*60 + m)
	if err1 != nil || err2 != nil || len(hour) != 2 || len(minute) != 2 || h < 0 || m < 0 || m > 59 || at > endOfDay {
		return fmt.Errorf("want a time of day such as 09:00 or 17:30, not %q", text)
	}
	*c = at
	return nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// weekdays are the names of days in files, in the order of time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Said reports whether there are hours at all.
func (h Hours) Said() bool { return len(h.Week) > 0 }

// At reports whether people are there at a time, and when that will change next: when they
// leave or come back. The change is the zero time where they do not within a year.
func (h Hours) At(now time.Time) (there bool, change time.Time) {
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		return false, time.Time{} // it was validated
	}
	now = now.In(zone)
	year, month, day := now.Date()
	var until time.Time // they are there until then, unless the next hours go on at once
	for i := range 366 {
		date := time.Date(year, month, day+i, 12, 0, 0, 0, zone) // midnight does not exist on each
		for _, s := range h.on(date) {
			from, to := s.From.on(date), s.To.on(date)
			switch {
			case !now.Before(to):
			case !until.IsZero() && !from.After(until):
				until = to
			case !until.IsZero():
				return true, until
			case now.Before(from):
				return false, from
			default:
				until = to
			}
		}
	}
	return !until.IsZero(), time.Time{}
}

// on returns the time of day on a date.
func (c Clock) on(date time.Time) time.Time {
	year, month, day := date.Date()
	return time.Date(year, month, day, int(c)/60, int(c)%60, 0, 0, date.Location())
}

// on returns the hours of a date, in order.
func (h Hours) on(date time.Time) []Shift {
	if slices.Contains(h.Closed, date.Format(time.DateOnly)) {
		return nil
	}
	var all []Shift
	for _, s := range h.Week {
		if slices.Contains(s.Days, weekdays[date.Weekday()]) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Shift) int { return int(a.From - b.From) })
	return all
}

// Validate checks what a type alone does not say.
func (h Hours) Validate() error {
	var errs []error
	_, err := time.LoadLocation(h.Zone)
	switch {
	case h.Zone == "" && len(h.Week)+len(h.Closed) == 0:
		return nil
	case h.Zone == "":
		errs = append(errs, config.At("zone", "is missing; name a time zone such as Europe/Berlin"))
	case err != nil || h.Zone == "Local":
		errs = append(errs, config.At("zone", "there is no time zone %q; want one such as Europe/Berlin or America/New_York", h.Zone))
	}
	if len(h.Week) == 0 {
		errs = append(errs, config.At("week", "is missing; say when people are there, as in {days: [mon, tue], from: \"09:00\", to: \"17:30\"}"))
	}
	for i, s := range h.Week {
		for _, before := range h.Week[:i] {
			if day := s.shared(before); day != "" {
				errs = append(errs, config.At(fmt.Sprintf("week[%d]", i), "overlaps on %s with the hours from %s to %s; put them together", day, before.From, before.To))
				break
			}
		}
	}
	for i, date := range h.Closed {
		key := fmt.Sprintf("closed[%d]", i)
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			errs = append(errs, config.At(key, "want a date such as 2026-12-25, not %q", date))
		} else if slices.Contains(h.Closed[:i], date) {
			errs = append(errs, config.At(key, "%q is in the list already", date))
		}
	}
	return errors.Join(errs...)
}

// shared returns a day on which two shifts overlap, or "".
func (s Shift) shared(o Shift) string {
	if s.From >= o.To || o.From >= s.To {
		return ""
	}
	for _, day := range s.Days {
		if slices.Contains(o.Days, day) {
			return day
		}
	}
	return ""
}

// Validate checks what a type alone does not say.
func (s Shift) Validate() error {
	var errs []error
	for i, day := range s.Days {
		if slices.Contains(s.Days[:i], day) {
			errs = append(errs, config.At(fmt.Sprintf("days[%d]", i), "%q is in the list already", day))
		}
	}
	if s.From >= s.To && s.To != 0 {
		errs = append(errs, config.At("to", "%s is not after %s; hours past midnight are two entries, to 24:00 and from 00:00", s.To, s.From))
	}
	return errors.Join(errs...)
}
