package chat

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// OffTo says who or what answers in the place of an assistant that is switched off.
type OffTo string

const (
	OffToPeople OffTo = "people" // each new turn hands over to a person
	OffToLine   OffTo = "line"   // each new turn says a line and nothing else
)

// Off says that an assistant answers nobody for now.
type Off struct {
	Assistant string `json:"assistant,omitempty"`
	All       bool   `json:"all,omitempty"` // every assistant, those of later too; then Assistant is ""
	To        OffTo  `json:"to"`
	Line      Text   `json:"line,omitempty"`   // where To is a line; "": the assistant's own, by language
	Reason    string `json:"reason,omitempty"` // for colleagues; customers do not see it
	By        string `json:"by"`
	At        Time   `json:"at"`
}

// OffTrigger is the trigger of a handoff that comes of being switched off.
const OffTrigger = "off"

// Handoff is why the conversations of an assistant that is switched off go to people.
func (Off) Handoff() Handoff {
	return Handoff{Reason: "the assistant is switched off", Trigger: OffTrigger}
}

// Notice is what customers of an assistant are told for a time, such as that deliveries
// are delayed today.
type Notice struct {
	ID        string `json:"id"`
	Assistant string `json:"assistant,omitempty"` // "": every one
	Locale    string `json:"locale,omitempty"`    // of those who are told; "": everybody
	Text      Text   `json:"text"`
	URL       string `json:"url,omitempty"`
	From      Time   `json:"from"`
	Until     Time   `json:"until"`
	By        string `json:"by"`
	CreatedAt Time   `json:"created_at"`
}

// NewNoticeID returns a new notice's ID.
func NewNoticeID() string { return newID("b") } // on the board

// InForce reports whether the notice is told at a time.
func (n Notice) InForce(at Time) bool { return !at.Before(n.From.Time) && at.Before(n.Until.Time) }

// NoticeDocument begins the Document of a passage that is a notice: its ID follows.
const NoticeDocument = "notice:"

// Passage returns the notice as grounds of an answer.
func (n Notice) Passage(tokens int) Passage {
	return Passage{Document: NoticeDocument + n.ID, Title: "Notice", URL: n.URL, Text: n.Text,
		End: utf8.RuneCountInString(string(n.Text)), Tokens: tokens}
}

// Bounds of what operators write.
const (
	mostNotice  = 500                  // code points
	mostOffLine = 1000                 // code points
	mostReason  = 500                  // code points
	mostURL     = 2000                 // bytes
	longest     = 366 * 24 * time.Hour // that a notice is kept ahead: what is later is a slip
)

// Check reports what is wrong with a switch that somebody asks for, or nil.
func (o Off) Check() error {
	switch {
	case o.To != OffToPeople && o.To != OffToLine:
		return invalid(`to must be "people" or "line"`)
	case o.To == OffToPeople && o.Line != "":
		return invalid(`a line is said only with to: "line"`)
	}
	return errors.Join(plain("line", string(o.Line), mostOffLine), plain("reason", o.Reason, mostReason))
}

// Check reports what is wrong with a notice that somebody adds at a time, or nil.
func (n Notice) Check(now time.Time) error {
	u, err := url.Parse(n.URL)
	switch {
	case strings.TrimSpace(string(n.Text)) == "":
		return invalid("text is missing: say what customers are told")
	case n.Until.IsZero():
		return invalid("until is missing: say when the notice is over")
	case !n.Until.After(now):
		return invalid("until is over: give a time that is to come")
	case !n.Until.After(n.From.Time):
		return invalid("until must be after from")
	case n.Until.Sub(now) > longest:
		return invalid("until is more than a year ahead: give a time within a year")
	case n.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(n.URL) > mostURL):
		return invalid(fmt.Sprintf("url must be an address such as https://shop.example/news, of at most %d bytes", mostURL))
	}
	return plain("text", string(n.Text), mostNotice)
}

// plain checks a text of one line.
func plain(name, text string, most int) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return invalid(name + " is not valid UTF-8")
	case n > most:
		return invalid(fmt.Sprintf("%s has %d characters, %d are allowed", name, n, most))
	case strings.ContainsFunc(text, unicode.IsControl):
		return invalid(name + " must be one line of text")
	}
	return nil
}

func invalid(message string) error { return &Error{Kind: Invalid, Message: message} }
