package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error is one mistake in a file. Line is 0 where the whole file is meant, and File is ""
// where nobody knows whose it is.
type Error struct {
	File    string
	Line    int
	Message string
}

func (e Error) Error() string {
	if e.File == "" {
		return e.Message
	}
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return e.File + ":" + strconv.Itoa(e.Line) + ": " + e.Message
}

// Errors are all mistakes of a file, or of several, by file and line, one on each line of
// the text.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns e by file and line, and nil for none, without a mistake said twice.
func (e Errors) sorted() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(e)
}

// Join returns the mistakes of several files as one error of type [Errors], or nil where
// there are none. Any other error among them is returned instead, joined with the rest.
func Join(errs ...error) error {
	var all Errors
	var others []error
	for _, err := range errs {
		switch e := err.(type) {
		case nil:
		case Errors:
			all = append(all, e...)
		default:
			others = append(others, err)
		}
	}
	if len(others) > 0 {
		return errors.Join(append(others, all.sorted())...)
	}
	return all.sorted()
}

// keyError is a mistake in the value of a key, as Validate reports it.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// At returns an error about the value of a key, for use in Validate. The key is
// relative to the struct: "turn", "provider.between", "knowledge[2]".
func At(key, format string, args ...any) error {
	return &keyError{key, fmt.Errorf(format, args...)}
}

// Between returns an error unless low ≤ v ≤ high.
func Between[T int | int64 | float64 | time.Duration](key string, v, low, high T) error {
	if low <= v && v <= high {
		return nil
	}
	return At(key, "%s is not between %s and %s", plain(v), plain(low), plain(high))
}

// plain writes a duration as people do: 1h, not 1h0m0s.
func plain(v any) string {
	d, ok := v.(time.Duration)
	if !ok {
		return fmt.Sprint(v)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// OneOf returns an error unless v is one of the words.
func OneOf[T ~string](key string, v T, words ...T) error {
	if slices.Contains(words, v) {
		return nil
	}
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	if v == "" {
		return At(key, "is missing; it is one of %s", strings.Join(all, ", "))
	}
	return At(key, "%s is not one of %s%s", quote(string(v)), strings.Join(all, ", "), Meant(string(v), all))
}

// Origins returns an error unless each of the list is written as browsers send it in
// the header Origin: scheme and host, and the port unless it is the usual one.
func Origins(key string, list []string) error {
	var errs []error
	for i, written := range list {
		if err := checkOrigin(written); err != nil {
			errs = append(errs, At(fmt.Sprintf("%s[%d]", key, i), "%w", err))
		}
	}
	return errors.Join(errs...)
}

func checkOrigin(written string) error {
	u, err := url.Parse(written)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s is not an origin such as https://shop.example", quote(written))
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._:[]", r))
	}) {
		return fmt.Errorf("%s has a character that is not of a host; write the name as browsers send it, such as xn--bcher-kva.example", quote(written))
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	if want := u.Scheme + "://" + host; written != want {
		return fmt.Errorf("%s is not an origin; did you mean %q?", quote(written), want)
	}
	return nil
}

// flatten returns the errors that err joins, err alone, or nothing for nil.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// quote shows what was written, but not all of a long text.
func quote(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return strconv.Quote(s)
}

// Meant proposes the word that is nearest to what was written, for the end of a message,
// or nothing.
func Meant(written string, words []string) string {
	if best := nearest(written, words); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// nearest returns the word that is nearest to what was written, or "".
func nearest(written string, words []string) string {
	if len(written) > 60 {
		return ""
	}
	best, least := "", 1+len(written)/3
	for _, w := range words {
		if d := distance(strings.ToLower(written), strings.ToLower(w)); d <= least && (best == "" || d < least) {
			best, least = w, d
		}
	}
	return best
}

// distance is the least number of bytes to insert, delete, replace or swap with their
// neighbour that makes b of a ("optimal string alignment").
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
