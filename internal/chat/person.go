package chat

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Person is a customer whom the company vouches for: signed in on its site, or named by
// its software.
type Person struct {
	ID    string `json:"id"` // the company's own
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// mostPersonID is in bytes.
const mostPersonID = 256

// CheckPersonID returns an error that says what is wrong with a company's id of a customer.
func CheckPersonID(id string) error {
	if id == "" || len(id) > mostPersonID || !utf8.ValidString(id) || strings.ContainsFunc(id, isUnfit) {
		return &Error{Kind: Invalid, Message: fmt.Sprintf("a customer's id must be 1 to %d bytes of UTF-8 on one line", mostPersonID)}
	}
	return nil
}

// isUnfit is about identifiers. U+FFFD is what decoders put where there was no character,
// so two ids may have become the same.
func isUnfit(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// Line returns text on one line, without what hides or turns round its neighbours: for
// lists and names, where a stranger's text stands beside others. The joiners stay, which
// Persian and emoji need.
func Line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}
