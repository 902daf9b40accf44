package llm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Limits bound one attempt of a provider. Zero means the default.
type Limits struct {
	FirstToken time.Duration // silence before the first chunk; default 20s
	Between    time.Duration // silence between two chunks; default 20s
}

// Model is one model of a provider.
type Model struct {
	Provider Provider
	Name     string // the provider's own name of it; "" where it has but one
	Window   int    // tokens that it takes and gives together; 0: unknown
	Free     bool   // it costs nothing and does not fail, as extractive
}

// Only returns a model for each provider that has but one and costs nothing.
func Only(providers ...Provider) []Model {
	all := make([]Model, len(providers))
	for i, p := range providers {
		all[i] = Model{Provider: p, Free: true}
	}
	return all
}

// Client asks models in order until one gives a whole reply. It is safe for concurrent
// use.
type Client struct {
	Models []Model // the planned one first, then who takes over
	Reason string  // why the first is the planned one
	Limits Limits
}

// Plan says who will be asked, and why.
func (c *Client) Plan() chat.Plan {
	p := chat.Plan{Reason: c.Reason}
	for i, m := range c.Models {
		if i == 0 {
			p.Provider, p.Model = m.Provider.Name(), m.Name
		} else {
			p.Others = append(p.Others, m.Provider.Name())
		}
	}
	return p
}

// Stream yields one reply. The first chunk of every attempt names its Provider. When a
// provider fails, the next in the plan takes over, and its first chunk has Restart set:
// the chunks before it are void. It ends with a chunk that has a Finish, or with the
// error of the last provider. Said, or nil where the face can retract, returns what the
// customer has seen by now: whoever takes over goes on after it.
func (c *Client) Stream(ctx context.Context, req Request, said func() chat.Text) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		err := errors.New("no model is configured")
		for i, m := range c.Models {
			p := m.Provider
			first := Chunk{Provider: p.Name(), Model: m.Name}
			if i > 0 {
				first.Restart, first.Error = true, err.Error()
			}
			req.Model = m.Name
			if !yield(first, nil) {
				return
			}
			if said != nil {
				req.Said = said()
			}
			var left bool
			if left, err = c.attempt(ctx, p, req, yield); left || err == nil {
				return
			}
			var e *Error
			if ctx.Err() != nil || errors.As(err, &e) && e.Fault == Nobody {
				break
			}
		}
		yield(Chunk{}, err)
	}
}

// errSilent: a provider said nothing for too long.
var errSilent = errors.New("the provider fell silent")

// attempt passes on one provider's chunks. left says that the consumer left the loop.
func (c *Client) attempt(ctx context.Context, p Provider, req Request, yield func(Chunk, error) bool) (left bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	between := or(c.Limits.Between, 20*time.Second)
	silence := time.AfterFunc(or(c.Limits.FirstToken, 20*time.Second), func() { cancel(errSilent) })
	defer silence.Stop()
	for chunk, err := range p.Stream(ctx, req) {
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return false, fault(p, err)
		}
		silence.Stop() // the consumer's time is not the provider's
		chunk.Provider, chunk.Restart = "", false
		if !yield(chunk, nil) {
			return true, nil
		}
		if chunk.Finish != "" {
			return false, nil
		}
		silence.Reset(between)
	}
	if cause := context.Cause(ctx); cause != nil {
		return false, fault(p, cause)
	}
	return false, fault(p, ErrTruncated)
}

// fault makes sure that an error names its provider and what to do.
func fault(p Provider, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Provider: p.Name(), Fault: Elsewhere, Err: fmt.Errorf("ask for a reply: %w", err)}
}

func or(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}
