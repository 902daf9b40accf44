package llm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Limits bound one attempt of a provider. The consumer's own time does not count, and how
// long a connection may take to be made is its transport's business. Zero means the
// default.
type Limits struct {
	FirstToken time.Duration // silence before the first chunk; default 20s
	Between    time.Duration // silence between two chunks; default 20s
	Whole      time.Duration // waiting for one attempt in all; default 2m
}

// Model is one model of a provider.
type Model struct {
	Provider Provider
	Name     string // the provider's own name of it; "" where it has but one
	Window   int    // tokens that it takes and gives together; 0: unknown
	Free     bool   // it costs nothing and does not fail, as extractive
}

func (m Model) String() string { return strings.TrimSpace(m.Provider.Name() + " " + m.Name) }

// Only returns a model for each provider that has but one and costs nothing.
func Only(providers ...Provider) []Model {
	all := make([]Model, len(providers))
	for i, p := range providers {
		all[i] = Model{Provider: p, Free: true}
	}
	return all
}

// Client asks models in order until one gives a whole reply. What it learns of them, such
// as who is failing, is shared by all calls. It is safe for concurrent use; its fields
// must not change once it is used.
type Client struct {
	Models []Model // the planned one first, then who takes over
	Reason string  // why the first is the planned one
	Limits Limits
	// Hedge sends a request a second time when its first chunk takes longer than nearly
	// all lately did, and goes on with whoever is first. Both are paid for.
	Hedge bool

	shared *Client // or nil: it knows for this one, see Of
	mu     sync.Mutex
	known  map[modelKey]*known // what earlier calls have shown; see knows
}

// Of returns a client that asks only these models of c, in this order. Both share what
// they learn.
func (c *Client) Of(models []Model, reason string) *Client {
	return &Client{Models: models, Reason: reason, Limits: c.Limits, Hedge: c.Hedge, shared: c}
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
//
// A model that was only busy is asked once more, if no text of it was seen. One that keeps
// failing is spared for a while. Models that are not Free are asked only as far as the
// request's Budget goes.
func (c *Client) Stream(ctx context.Context, req Request, said func() chat.Text) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		s := stream{client: c, prompt: newPrompt(req), said: said, yield: yield}
		for _, m := range c.Models {
			if s.ask(ctx, m, false) {
				return
			}
		}
		if !s.asked && len(c.Models) > 0 {
			// All are being spared and none is free: better to try than to give up.
			if s.ask(ctx, c.Models[0], true) {
				return
			}
		}
		yield(Chunk{}, s.failure(ctx))
	}
}

// stream is one reply in the making.
type stream struct {
	client *Client
	prompt prompt
	said   func() chat.Text
	yield  func(Chunk, error) bool

	asked  bool     // an attempt was made
	err    error    // of the last attempt
	passed []string // why models were passed by since then
	denied error    // the budget's: from now on only free models are asked
}

// ask asks one model, and again where that may help. Anyway is to ask it even while it is
// spared. Over says that the stream has ended or that its consumer has left; otherwise the
// next model is to be asked.
func (s *stream) ask(ctx context.Context, m Model, anyway bool) (over bool) {
	p := s.prompt
	for retries := s.client.retries(m); ; {
		k := s.client.call(m, p, s.said)
		if !s.admit(ctx, k, anyway) {
			return false
		}
		shown, left := s.attempt(ctx, k)
		if left || s.err == nil {
			return true
		}
		s.passed = []string{m.String() + " failed"}
		fault, wait := advice(s.err)
		switch {
		case ctx.Err() != nil || fault == Nobody:
			s.yield(Chunk{}, s.err)
			return true
		case m.Free || shown || errors.Is(s.err, errSlow): // the customer has waited enough
			return false
		case fault == Later && retries > 0 && wait <= longestWait:
			retries--
			if !pause(ctx, wait) {
				s.yield(Chunk{}, failed(m, context.Cause(ctx)))
				return true
			}
			s.passed = []string{m.String() + " is asked again"}
		case fault == TooLong && !p.short:
			var ok bool
			if p, ok = p.shorten(m); !ok {
				return false
			}
			s.passed = []string{m.String() + " is asked again, with less"}
		default:
			return false
		}
	}
}

// admit asks the breaker and the budget. A call that they let through must be closed.
func (s *stream) admit(ctx context.Context, k *call, anyway bool) bool {
	if k.model.Free {
		return true
	}
	if s.denied != nil {
		return false
	}
	if reason := k.enter(anyway); reason != "" {
		s.passed = append(s.passed, k.model.String()+" "+reason)
		return false
	}
	if err := k.reserve(ctx); err != nil {
		s.denied = fmt.Errorf("%s is not asked: %w", k.model, err)
		s.passed = append(s.passed, s.denied.Error())
		return false
	}
	return true
}

// attempt makes a call that was admitted and passes its chunks on. Shown says that text
// was among them, left that the consumer has left; s.err is how it ended otherwise.
func (s *stream) attempt(ctx context.Context, k *call) (shown, left bool) {
	defer k.close(ctx)
	first := Chunk{Provider: k.model.Provider.Name(), Model: k.model.Name, Reason: strings.Join(s.passed, "; "), Prompt: k.prompt.parts}
	if s.asked {
		first.Restart, first.Error = true, s.err.Error()
		first.Fault, _ = advice(s.err)
	}
	s.asked, s.err, s.passed = true, nil, nil
	if !s.yield(first, nil) {
		return false, true
	}
	if s.said != nil {
		k.req.Said = s.said() // again: the consumer has heard of the restart
	}
	for chunk, err := range k.reply(ctx) {
		if err != nil {
			s.err = err
			return shown, false
		}
		shown = shown || visible(chunk.Text)
		if !s.yield(chunk, nil) {
			return shown, true
		}
	}
	return shown, false
}

// failure is the error of a stream that nobody answered.
func (s *stream) failure(ctx context.Context) error {
	switch {
	case len(s.client.Models) == 0:
		return errors.New("no model is configured")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !s.asked:
		return s.denied
	case len(s.passed) > 1: // the first says that the last attempt failed
		return fmt.Errorf("%w; %s", s.err, strings.Join(s.passed[1:], "; "))
	}
	return s.err
}

// retries returns how often a model is asked again when it was only busy: once, and once
// more where no other takes over but one that is free.
func (c *Client) retries(m Model) int {
	paid := 0
	for _, m := range c.Models {
		if !m.Free {
			paid++
		}
	}
	if paid == 1 && !m.Free {
		return 2
	}
	return 1
}

// advice returns what an error says about the next attempt, and how long its provider asks
// to wait.
func advice(err error) (Fault, time.Duration) {
	var e *Error
	if errors.As(err, &e) && e.Fault != "" {
		return e.Fault, e.After
	}
	return Elsewhere, 0
}

// longestWait is how long a provider may ask us to wait before another is asked instead.
const longestWait = 2 * time.Second

// pause waits for d, or for a moment if the provider did not say how long: who was refused
// at once with others shall not come back at once with them. It is false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		d = 200*time.Millisecond + rand.N(400*time.Millisecond)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func or(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}
