// Package llm asks models for text. A [Provider] speaks one vendor's wire format; the
// [Client] in front of them holds, once, what all have in common: time limits, retries,
// breakers, and taking over from one that fails. Start with Client.Stream.
package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Request is what a model is told, in two forms: as a prompt, for models that write, and
// as what the prompt was made of, for those that quote (extractive) or play (llmtest). A
// Provider only reads it.
type Request struct {
	Model     string    // which of the provider's models; the Client sets it
	System    []Block   // instructions; what changes least comes first
	Messages  []Message // of user and assistant in turn, the user's last
	Tools     []Tool
	Schema    *Schema // the reply must be JSON of this shape; nil: text
	MaxTokens int     // of the reply; 0 is 1,024
	Logprobs  bool    // wanted, where the provider has them
	// GoOn is what a model is told behind Said: that it goes on there. See Conversation.
	GoOn string
	// Shorter, or nil, returns the request with less of what matters least, of about so
	// many tokens, and its parts for the record. It is false when nothing can be left out.
	Shorter func(tokens int) (Request, []chat.Part, bool)
	// Budget, or nil, is asked before every attempt that costs.
	Budget Budget

	History  []chat.Message // earlier messages, oldest first
	Question chat.Text      // what is to be answered
	Passages []chat.Passage // the grounds, best first; [n] in a reply refers to the n-th, from 1
	Language string         // of the question, "en", or "" if unknown
	// Handover is the line that asks for a person to take over, or "" where none can.
	Handover string
	// Quiet: where the grounds give no answer, say nothing: the asker has a line for that.
	Quiet bool
	// Said is text of this answer that the customer has already seen and that cannot
	// be taken back: the reply goes on after it. The Client sets it.
	Said chat.Text
}

// Conversation returns Messages, and behind them what was Said and that it goes on
// there. No model is asked to continue a message of its own: not every one can.
func (r Request) Conversation() []Message {
	if r.Said == "" {
		return r.Messages
	}
	return append(r.Messages[:len(r.Messages):len(r.Messages)],
		Message{Role: Assistant, Text: string(r.Said)}, Message{Role: User, Text: r.GoOn})
}

// Block is a piece of the instructions. Cache says that what ends here stays the same
// over many requests, so that the provider may keep it.
type Block struct {
	Text  string
	Cache bool
}

// Role says whose a Message is.
type Role string

const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one entry of a prompt. Those of the user have Text or Results, those of the
// assistant Text, Calls or both.
type Message struct {
	Role    Role
	Text    string
	Calls   []Call
	Results []Result
	// Opaque are blocks that Provider sent with this message of the assistant and wants
	// back unchanged. Other providers leave them out.
	Opaque   []json.RawMessage
	Provider string
	Cache    bool // as of a Block
}

// Tool is something that the model may ask to be called.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // a JSON Schema of an object
}

// Call is a model's wish to call a tool. Arguments is a whole JSON object.
type Call struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	// Signature is what the provider wants back with the call, or "".
	Signature string `json:"signature,omitempty"`
}

// Result is what came of a Call.
type Result struct {
	Call   string // its ID
	Name   string // of the tool
	Text   string
	Failed bool
}

// Schema is the shape of a reply.
type Schema struct {
	Name   string
	Schema json.RawMessage // a JSON Schema
}

// Finish says why a reply ended. A stream without one was cut off.
type Finish string

const (
	Stop     Finish = "stop"     // the reply is whole
	Length   Finish = "length"   // the limit of tokens was reached
	Refusal  Finish = "refusal"  // the model declined, or found no grounds
	Filtered Finish = "filtered" // the provider withheld text
	Calls    Finish = "calls"    // the model waits for the results of its calls
)

// Chunk is a piece of a reply. Text may end anywhere, also inside a word, but not
// inside a code point.
type Chunk struct {
	Text string `json:"text,omitempty"`
	// Thinking is what the model thinks before it answers; it is not part of the reply.
	Thinking string `json:"thinking,omitempty"`
	Call     *Call  `json:"call,omitempty"` // whole; several may come, in separate chunks
	// Opaque is a block that the provider wants back with the message, see Message.
	Opaque   json.RawMessage `json:"opaque,omitempty"`
	Logprobs []float32       `json:"logprobs,omitempty"` // natural logarithms, of the tokens of Text
	Finish   Finish          `json:"finish,omitempty"`   // set in the last chunk only
	Usage    *chat.Usage     `json:"usage,omitempty"`    // of the attempt so far
	Declined string          `json:"declined,omitempty"` // the model's words with a Refusal, or what was Filtered

	// What only the Client sets. The first chunk of every attempt names its Provider and
	// Model, and Reason says why it is asked where another was planned. Restart: the
	// chunks before this one are void; the attempt before ended with Error, which meant
	// Fault. Prompt are the parts of the request where it had to be made shorter.
	Provider string        `json:"provider,omitempty"`
	Model    string        `json:"model,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Restart  bool          `json:"restart,omitempty"`
	Error    string        `json:"error,omitempty"`
	Fault    Fault         `json:"fault,omitempty"`
	Prompt   []chat.Part   `json:"prompt,omitempty"`
	Lost     *chat.Attempt `json:"lost,omitempty"` // an attempt beside this one that came too late
}

// Plain reports whether the chunk is Text and nothing else, as nearly all are.
func (c *Chunk) Plain() bool {
	return c.Thinking == "" && c.Call == nil && c.Opaque == nil && c.Logprobs == nil && c.Finish == "" && c.Usage == nil && c.Declined == "" &&
		c.Provider == "" && c.Model == "" && c.Reason == "" && !c.Restart && c.Error == "" && c.Fault == "" && c.Prompt == nil && c.Lost == nil
}

// A Provider asks one vendor's models. Stream yields the reply as it comes and ends with
// a chunk that has a Finish, or with an error, after which it yields nothing more.
// Leaving the loop, or the end of ctx, ends the call at once. A Provider may be used by
// many goroutines.
type Provider interface {
	Name() string
	Stream(ctx context.Context, req Request) iter.Seq2[Chunk, error]
}

// Error is a failed call of a provider. Fault says what the next attempt should do.
type Error struct {
	Provider string
	Fault    Fault
	Status   int           // of the HTTP response, or 0
	After    time.Duration // with Later: how long the provider asks to wait; 0: it does not say
	Advice   string        // what the operator should do about it, or ""
	Err      error
}

// Fault is what to do after a failure, not what happened.
type Fault string

const (
	Elsewhere Fault = "elsewhere" // ask another provider: this one cannot answer this request
	Later     Fault = "later"     // the same one may answer in a moment
	Broken    Fault = "broken"    // the same one answers nobody until an operator has acted
	TooLong   Fault = "too_long"  // the model has no room for the request: send a shorter one
	Nobody    Fault = "nobody"    // no provider can answer this request
)

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %v", e.Provider, e.Err)
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ErrTruncated: a stream ended without saying why.
var ErrTruncated = errors.New("the reply was cut off: the stream ended without a finish reason")

// Budget says which attempts may be made. Both methods are called for every attempt that
// costs, also for retries, for those that fail and for those that lose. A Budget may be
// used by many goroutines.
type Budget interface {
	// Reserve sets the worst case aside. Its error says why there is no room; then a
	// provider that costs nothing is asked.
	Reserve(ctx context.Context, s Spend) error
	// Settle replaces a reserved worst case by what was used. It must not fail, and ctx
	// may have ended.
	Settle(ctx context.Context, s Spend, used chat.Usage)
}

// Spend is what one attempt may take at most.
type Spend struct {
	ID       string // unique
	Provider string
	Model    string
	Input    int // tokens
	Output   int // tokens
}
