package chat

import "unicode/utf8"

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
