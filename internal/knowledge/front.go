package knowledge

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// front is what the block between "---" lines at the top of a file says of the document.
type front struct {
	own                  bool // it says something of what follows, or that the audience is public
	title, url           string
	updated, from, until Date
	internal             bool
}

// Date is a day such as "2026-05-01", or "". Dates compare as text.
type Date string

func parseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is not a date such as 2026-05-01", s)
	}
	return Date(s), nil
}

// dateOf returns the day of t, in UTC.
func dateOf(t time.Time) Date { return Date(t.UTC().Format(time.DateOnly)) }

// errInternal is why a document for staff is left out: what is not in a generation
// cannot be found, cited or linked to by anybody.
var errInternal = errors.New("internal")

// cutFront returns what the block at the top of a file says, and the text after it. Keys
// that are not ours belong to other programs. A value of ours that cannot be understood is
// an error: a document must not be shown by mistake to whom, or when, it was not meant.
func cutFront(s string) (front, string, error) {
	var f front
	first, rest, ok := strings.Cut(s, "\n")
	if !ok || strings.TrimRight(first, " \t") != "---" {
		return f, s, nil
	}
	seen := map[string]bool{}
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		switch strings.TrimRight(line, " \t") {
		case "---", "...":
			return f, rest, f.check()
		}
		written, value, _ := strings.Cut(line, ":")
		key := strings.ToLower(strings.TrimRight(written, " \t"))
		switch key {
		case "title":
			f.own, f.title = true, unquoted(value)
		case "url":
			f.own, f.url = true, unquoted(value)
		case "audience", "updated", "valid_from", "valid_until":
			if seen[key] {
				return f, s, fmt.Errorf("%s is set twice", key)
			}
			f.own, seen[key] = true, true
			if err := f.set(key, unquoted(withoutRemark(value))); err != nil {
				return f, s, fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	if len(seen) > 0 {
		return f, s, errors.New(`the block at the top does not end; put a line "---" behind it`)
	}
	return front{}, s, nil // a line that the text begins with
}

func (f *front) set(key, value string) (err error) {
	switch key {
	case "audience":
		switch value {
		case "internal":
			f.internal = true
		case "public":
		default:
			return fmt.Errorf("%q is not one of public, internal", value)
		}
	case "updated":
		f.updated, err = parseDate(value)
	case "valid_from":
		f.from, err = parseDate(value)
	case "valid_until":
		f.until, err = parseDate(value)
	}
	return err
}

func (f front) check() error {
	switch {
	case f.internal:
		return errInternal
	case f.from != "" && f.until != "" && f.until < f.from:
		return fmt.Errorf("valid_until: %s is before valid_from, %s", f.until, f.from)
	}
	return nil
}

// unquoted returns a YAML scalar as text.
func unquoted(value string) string {
	value = strings.TrimSpace(value)
	if q, err := strconv.Unquote(value); err == nil {
		return q
	}
	if n := len(value); n > 1 && value[0] == '\'' && value[n-1] == '\'' {
		return strings.ReplaceAll(value[1:n-1], "''", "'")
	}
	return value
}

// withoutRemark takes a remark off the end of a line: "# checked by legal".
func withoutRemark(value string) string {
	if i := strings.Index(value, " #"); i >= 0 {
		return value[:i]
	}
	return value
}
