package chat

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kind names what an event tells. Readers must ignore kinds they do not know.
type Kind string

const (
	KindAccepted    Kind = "message.accepted"
	KindTurnStarted Kind = "turn.started"
	KindState       Kind = "state"
	KindText        Kind = "text"
	KindRetract     Kind = "retract"
	KindCitation    Kind = "citation"
	KindHandoff     Kind = "handoff"
	KindOwner       Kind = "owner"
	KindAgent       Kind = "agent.message"
	KindLevel       Kind = "level"
	KindTurnEnded   Kind = "turn.ended"
	KindFeedback    Kind = "feedback"
	KindCSATAsked   Kind = "csat.requested"
	KindCSAT        Kind = "csat"
	KindClosed      Kind = "closed"

	// Of signals, which have no number, are not kept, and reach only who follows now.
	KindTyping Kind = "typing"
	KindRead   Kind = "read"
	KindQueue  Kind = "queue"
)

// Body is what one kind of event says beside its number, time and turn.
type Body interface{ Kind() Kind }

type (
	// MessageAccepted: a customer's message is durable.
	MessageAccepted struct {
		Message Message `json:"message"`
	}
	// TurnStarted comes once in a turn, also when it is resumed. With RetryOf it answers
	// the messages of that ended turn again, and its answer stands in that one's place.
	TurnStarted struct {
		RetryOf TurnID `json:"retry_of,omitempty"`
	}
	// StateChanged reports the state of the customer's task.
	StateChanged struct {
		From State `json:"from"`
		To   State `json:"to"`
	}
	// TextShown is what the gate let out since the last flush. First is set where
	// neighbouring text events were folded into one: it stands for First to its
	// own number.
	TextShown struct {
		First int64  `json:"first,omitempty"`
		Text  string `json:"text"`
	}
	// Retracted: all text of this turn so far is void.
	Retracted struct{}
	// Cited comes before the text that carries its mark.
	Cited struct {
		Citation
	}
	// HandedOff: a person was asked for, for this reason.
	HandedOff struct {
		Reason         string `json:"reason"`
		Trigger        string `json:"trigger"`
		ExpectedWaitMS *int64 `json:"expected_wait_ms,omitempty"`
	}
	// OwnerChanged: from here on Owner alone may speak for the company.
	OwnerChanged struct {
		Owner Owner  `json:"owner"`
		Term  int64  `json:"term"`
		Name  string `json:"name,omitempty"`
	}
	// AgentSpoke: a human agent wrote.
	AgentSpoke struct {
		Message Message `json:"message"`
	}
	// LevelChanged is sent when the level differs from what the conversation last saw.
	LevelChanged struct {
		Level  Level  `json:"level"`
		Reason string `json:"reason"`
	}
	// TurnEnded closes a turn. Text is the text events since the last retract,
	// concatenated. Confidence is nil until it is calibrated.
	TurnEnded struct {
		Outcome    Outcome  `json:"outcome"`
		Text       Text     `json:"text"`
		Usage      Usage    `json:"usage"`
		Cost       Money    `json:"cost_microusd"`
		Confidence *float64 `json:"confidence"`
	}
	// FeedbackGiven: the customer rated the answer of the event's turn. A newer one
	// replaces it.
	FeedbackGiven struct {
		Rating Rating `json:"rating"`
	}
	// CSATAsked: the customer is asked how the conversation went.
	CSATAsked struct{}
	// CSATGiven: they said it.
	CSATGiven struct {
		Score int `json:"score"`
	}
	// ConversationClosed: the conversation takes no more messages. Only what the customer
	// says of it may follow.
	ConversationClosed struct {
		Reason string `json:"reason,omitempty"`
	}

	// Typing: the customer or the agent types, which holds for TypingHolds unless it is
	// said again, or types no longer.
	Typing struct {
		By     Role   `json:"by"`
		Name   string `json:"name,omitempty"` // of the agent
		Typing bool   `json:"typing"`
	}
	// Read: the customer or the agent has seen the events up to Seq.
	Read struct {
		By  Role  `json:"by"`
		Seq int64 `json:"seq"`
	}
	// QueueMoved: how long the customer may have to wait for a person. Place is 1 for the
	// next; 0: not known.
	QueueMoved struct {
		Place          int    `json:"place,omitempty"`
		ExpectedWaitMS *int64 `json:"expected_wait_ms,omitempty"`
	}
)

// TypingHolds is for how long somebody is taken to type who said so once.
const TypingHolds = 5 * time.Second

func (MessageAccepted) Kind() Kind    { return KindAccepted }
func (TurnStarted) Kind() Kind        { return KindTurnStarted }
func (StateChanged) Kind() Kind       { return KindState }
func (TextShown) Kind() Kind          { return KindText }
func (Retracted) Kind() Kind          { return KindRetract }
func (Cited) Kind() Kind              { return KindCitation }
func (HandedOff) Kind() Kind          { return KindHandoff }
func (OwnerChanged) Kind() Kind       { return KindOwner }
func (AgentSpoke) Kind() Kind         { return KindAgent }
func (LevelChanged) Kind() Kind       { return KindLevel }
func (TurnEnded) Kind() Kind          { return KindTurnEnded }
func (FeedbackGiven) Kind() Kind      { return KindFeedback }
func (CSATAsked) Kind() Kind          { return KindCSATAsked }
func (CSATGiven) Kind() Kind          { return KindCSAT }
func (ConversationClosed) Kind() Kind { return KindClosed }
func (Typing) Kind() Kind             { return KindTyping }
func (Read) Kind() Kind               { return KindRead }
func (QueueMoved) Kind() Kind         { return KindQueue }

// Event is one entry of a conversation's log, or a signal. Numbers are 1, 2, 3 … in a
// conversation; a signal has none. Body is the kind's own fields as a JSON object.
type Event struct {
	Seq  int64
	Kind Kind
	At   Time
	Turn TurnID // or ""
	Body json.RawMessage
}

// NewEvent numbers a body.
func NewEvent(seq int64, at Time, turn TurnID, body Body) Event {
	return Event{Seq: seq, Kind: body.Kind(), At: at, Turn: turn, Body: EncodeBody(body)}
}

// NewSignal returns a body as a signal of this moment.
func NewSignal(body Body) Event { return NewEvent(0, Now(), "", body) }

// Signal reports whether the event has no number.
func (e Event) Signal() bool { return e.Seq == 0 }

// EncodeBody returns the body's own fields as a JSON object on one line.
func EncodeBody(body Body) json.RawMessage {
	if t, ok := body.(TextShown); ok && t.First == 0 { // nearly all events of a busy server
		b := make([]byte, 0, len(t.Text)+16)
		return append(AppendJSONString(append(b, `{"text":`...), t.Text), '}')
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("chat: a %s body cannot be encoded: %v", body.Kind(), err)) // plain structs always can
	}
	return b
}

// AppendJSON appends the event as the wire shows it: one line of JSON.
func (e Event) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if !e.Signal() {
		b = append(strconv.AppendInt(append(b, `"seq":`...), e.Seq, 10), ',')
	}
	b = append(append(append(b, `"kind":"`...), e.Kind...), `","at":"`...)
	b = e.At.UTC().AppendFormat(b, wireTime)
	b = append(b, '"')
	if e.Turn != "" {
		b = append(append(append(b, `,"turn":"`...), e.Turn...), '"')
	}
	if len(e.Body) > 2 {
		b = append(b, ',')
		return append(b, e.Body[1:]...)
	}
	return append(b, '}')
}

func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// Decode reads the body into the type of its kind, as in
//
//	t, err := chat.Decode[chat.TextShown](e)
func Decode[B Body](e Event) (B, error) {
	var b B
	if b.Kind() != e.Kind {
		return b, fmt.Errorf("event %d is a %s, not a %s", e.Seq, e.Kind, b.Kind())
	}
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return b, fmt.Errorf("decode event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return b, nil
}

// AppendJSONString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD; the
// line separators that JavaScript once refused are escaped.
func AppendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[start:i]...)
			if r == utf8.RuneError {
				b = utf8.AppendRune(b, r)
			} else {
				b = fmt.Appendf(b, `\u%04x`, r)
			}
			start = i + n
		}
		i += n
	}
	return append(append(b, s[start:]...), '"')
}

// UnmarshalJSON reads an event of the log as the wire shows it. Body keeps the whole
// object, of which Decode takes the kind's own fields.
func (e *Event) UnmarshalJSON(b []byte) error {
	var head struct {
		Seq  int64  `json:"seq"`
		Kind Kind   `json:"kind"`
		At   Time   `json:"at"`
		Turn TurnID `json:"turn"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	*e = Event{Seq: head.Seq, Kind: head.Kind, At: head.At, Turn: head.Turn, Body: append(json.RawMessage(nil), b...)}
	return nil
}
