// Package chat is the vocabulary of the server: the nouns that every other
// package speaks of, as plain types without behaviour that waits or stores.
//
// Three ideas hold it together. A [Conversation] has one owner and a term, the
// fence that every bot write must name. What the customer may see is a numbered
// log of [Event]s. What happened while a message was answered is one [Turn], the
// record that logs, metrics, replay and evaluation read.
//
// It imports only the standard library and does no I/O. Start with turn.go.
package chat

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"log/slog"
	"time"
	"unicode/utf8"
)

// Identifiers are opaque on the wire. Each begins with a letter that says what it
// names, so that a wrong one is noticed by people, and sorts by time of creation,
// so that indexes grow at one end.
type (
	ConversationID string
	MessageID      string
	TurnID         string
	CustomerID     string
	NodeID         string
	FileID         string
)

// idEncoding is the lower-case "base32hex" alphabet of RFC 4648, which keeps the
// order of the bytes.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// newID returns prefix followed by 48 bits of milliseconds and 80 random bits.
func newID(prefix string) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMilli())<<16)
	rand.Read(b[6:])
	return prefix + idEncoding.EncodeToString(b[:])
}

func NewConversationID() ConversationID { return ConversationID(newID("c")) }
func NewMessageID() MessageID           { return MessageID(newID("m")) }
func NewTurnID() TurnID                 { return TurnID(newID("t")) }
func NewCustomerID() CustomerID         { return CustomerID(newID("u")) }
func NewNodeID() NodeID                 { return NodeID(newID("n")) }
func NewFileID() FileID                 { return FileID(newID("f")) }

// Text is what people or models said. Its log value is its length, so that
// nobody's words are logged by accident; this protects a value logged by itself,
// not one inside a struct.
type Text string

func (t Text) LogValue() slog.Value { return slog.IntValue(utf8.RuneCountInString(string(t))) }

// Money is an amount in micro-dollars (1 USD = 1,000,000).
type Money int64

// Usage counts the tokens of model calls.
type Usage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
	Cached int `json:"cached_tokens"` // part of Input that the provider had in its cache
	// Written is the part of Input that the provider put into its cache, where it says so.
	Written int `json:"cache_write_tokens,omitempty"`
}

// Add returns the sum of both.
func (u Usage) Add(v Usage) Usage {
	return Usage{u.Input + v.Input, u.Output + v.Output, u.Cached + v.Cached, u.Written + v.Written}
}

// Role says who wrote a message.
type Role string

const (
	Customer  Role = "customer"
	Assistant Role = "assistant"
	Agent     Role = "agent"
	System    Role = "system"
)

// Message is one entry of a transcript, as the wire shows it.
type Message struct {
	ID        MessageID  `json:"id"`
	Role      Role       `json:"role"`
	Text      Text       `json:"text"`
	At        Time       `json:"at"`
	Turn      TurnID     `json:"turn,omitempty"`
	ClientID  string     `json:"client_id,omitempty"`
	Name      string     `json:"name,omitempty"` // of the agent who wrote it
	Citations []Citation `json:"citations,omitempty"`
	Files     []File     `json:"files,omitempty"`
}

// File is what somebody sent beside words.
type File struct {
	ID    FileID `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"` // its media type
	Bytes int64  `json:"bytes"`
}

// Owner says who may speak for the company in a conversation.
type Owner string

const (
	Bot        Owner = "bot"
	Queue      Owner = "queue"
	AgentOwner Owner = "agent"
)

// Status of a conversation. A closed session is opened again by the next message;
// an ended conversation (POST …/close) takes no more messages.
type Status string

const (
	Open   Status = "open"
	Closed Status = "closed"
	Ended  Status = "ended"
)

// State is how far the customer's task has come.
type State string

const (
	Initial              State = "initial"
	IntentClarification  State = "intent_clarification"
	InformationGathering State = "information_gathering"
	Processing           State = "processing"
	ToolExecution        State = "tool_execution"
	ResponseGeneration   State = "response_generation"
	ErrorRecovery        State = "error_recovery"
	Completed            State = "completed"
)

// Level is how far answering is degraded.
type Level string

const (
	Full       Level = "full"       // as planned
	Fallback   Level = "fallback"   // another model than planned, or no passages because retrieval failed
	Extractive Level = "extractive" // quoted passages, no model
)

// Lower returns the more degraded of two levels.
func (l Level) Lower(m Level) Level {
	if rank[m] > rank[l] {
		return m
	}
	return l
}

var rank = map[Level]int{Full: 0, Fallback: 1, Extractive: 2}

// Conversation is the state that a conversation had when it was read.
type Conversation struct {
	ID        ConversationID `json:"id"`
	Customer  CustomerID     `json:"-"`
	Assistant string         `json:"assistant"`
	Owner     Owner          `json:"owner"`
	OwnerName string         `json:"owner_name,omitempty"` // of the agent who owns it
	Term      int64          `json:"term"`                 // the fence: goes up whenever the right to write moves
	Seq       int64          `json:"seq"`                  // number of the last event
	Turn      TurnID         `json:"turn,omitempty"`       // the running turn, or ""
	Waiting   TurnID         `json:"waiting,omitempty"`    // the turn that starts when the running one ends, or ""
	Shown     bool           `json:"-"`                    // whether the running turn has shown text
	State     State          `json:"state"`
	Level     Level          `json:"level"`
	Status    Status         `json:"status"`
	Read      ReadMarks      `json:"read"`
	Test      bool           `json:"test,omitempty"`
	CreatedAt Time           `json:"created_at"`
	LastAt    Time           `json:"last_at"`
	QueuedAt  *Time          `json:"queued_at,omitempty"`
}

// Fence names the right to write for a turn: a write goes through only while the
// conversation is in this term and this turn is its running one.
type Fence struct {
	Conversation ConversationID
	Customer     CustomerID // whose key seals what is written
	Term         int64
	Turn         TurnID
}

// Time is an instant that the wire shows as RFC 3339 in UTC with milliseconds.
// The store keeps microseconds.
type Time struct{ time.Time }

// Now returns the current time as it will come back from the store.
func Now() Time { return Time{time.Now().UTC().Truncate(time.Microsecond)} }

// Micro returns the instant of a number of microseconds since 1970.
func Micro(us int64) Time { return Time{time.UnixMicro(us).UTC()} }

const wireTime = "2006-01-02T15:04:05.000Z"

func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"`+wireTime+`"`), nil
}

func (t *Time) UnmarshalJSON(b []byte) error {
	v, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
	t.Time = v.UTC()
	return err
}
