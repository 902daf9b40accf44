// Package llm asks models for text. A [Provider] speaks one vendor's wire format; the
// [Client] in front of them holds, once, what all have in common: time limits and
// taking over from one that fails. Start with Client.Stream.
package llm

import (
	"context"
	"errors"
	"iter"

	"github.com/answerable/answerable/internal/chat"
)

// Request is what a model is told.
type Request struct {
	System   string
	History  []chat.Message // earlier messages, oldest first
	Question chat.Text      // what is to be answered
	Passages []chat.Passage // the grounds, best first; [n] in a reply refers to the n-th, from 1
	Language string         // of the question, "en", or "" if unknown
	// Said is text of this answer that the customer has already seen and that cannot
	// be taken back: the reply goes on after it.
	Said chat.Text
}

// Finish says why a reply ended. A stream without one was cut off.
type Finish string

const (
	Stop     Finish = "stop"     // the reply is whole
	Length   Finish = "length"   // the limit of tokens was reached
	Refusal  Finish = "refusal"  // the model declined, or found no grounds
	Filtered Finish = "filtered" // the provider withheld text
)

// Chunk is a piece of a reply. Text may end anywhere, also inside a word, but not
// inside a code point.
type Chunk struct {
	Text   string      `json:"text,omitempty"`
	Finish Finish      `json:"finish,omitempty"` // set in the last chunk only
	Usage  *chat.Usage `json:"usage,omitempty"`
	// Restart: the chunks before this one are void, Provider answers anew, for Reason.
	Restart  bool   `json:"restart,omitempty"`
	Provider string `json:"provider,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// A Provider asks one kind of model. Stream yields the reply as it comes and ends with
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
	Err      error
}

// Fault is what to do after a failure, not what happened.
type Fault string

const (
	Elsewhere Fault = "elsewhere" // ask another provider
	Later     Fault = "later"     // the same one may answer later
	Nobody    Fault = "nobody"    // no provider can answer this request
)

func (e *Error) Error() string { return e.Provider + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ErrTruncated: a stream ended without saying why.
var ErrTruncated = errors.New("the reply was cut off: the stream ended without a finish reason")
