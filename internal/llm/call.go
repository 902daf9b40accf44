package llm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// call is one request to one model. If it enters, it must be closed: that tells the breaker
// how it went and settles what was reserved.
type call struct {
	client *Client
	model  Model
	prompt prompt
	req    Request // of prompt, with what the Client sets
	known  *known  // nil: the model is free
	pass   pass
	spend  Spend // what was reserved; without an ID nothing was

	begun    time.Time     // zero: the provider was not asked
	first    time.Duration // until its first chunk; 0: there was none
	replied  bool          // there was text, a call or a refusal
	finished bool          // a Finish was seen
	usage    *chat.Usage   // the provider's last count, or nil
	output   int           // tokens that were seen, as we count
	err      error         // the provider's failure; nil also when it was cancelled
}

func (c *Client) call(m Model, p prompt, said func() chat.Text) *call {
	k := &call{client: c, model: m, prompt: p, req: p.req}
	k.req.Model = m.Name
	if said != nil {
		k.req.Said = said()
	}
	return k
}

// enter asks the breaker whether the model may be called. It returns why not, or "".
func (k *call) enter(anyway bool) (reason string) {
	k.known = k.client.knows(k.model)
	k.pass, reason = k.known.breaker.enter(anyway)
	return reason
}

// reserve asks the budget for room for a call that has entered. If it has none, the call
// is closed.
func (k *call) reserve(ctx context.Context) error {
	if k.prompt.req.Budget == nil {
		return nil
	}
	reserved := false
	defer func() {
		if !reserved {
			k.pass.leave(nothing, nil)
		}
	}()
	spend := Spend{ID: rand.Text(), Provider: k.model.Provider.Name(), Model: k.model.Name,
		Input: worst(k.size(), k.req.Language), Output: replyTokens(k.req)}
	if err := k.prompt.req.Budget.Reserve(ctx, spend); err != nil {
		return err
	}
	k.spend, reserved = spend, true
	return nil
}

// close gives back what the call holds. It may be called in a panic.
func (k *call) close(ctx context.Context) {
	k.pass.leave(k.outcome(), k.err)
	if k.spend.ID != "" {
		k.prompt.req.Budget.Settle(ctx, k.spend, k.used())
	}
}

// outcome is what the breaker learns from the call. Only what says something about the next
// call counts: not that we gave up, nor that this one request was refused.
func (k *call) outcome() outcome {
	switch fault, _ := advice(k.err); {
	case k.err == nil && k.finished:
		return success
	case k.err == nil:
		return nothing
	case fault == Later:
		return failure
	case fault == Broken:
		return broken
	}
	return nothing
}

// size is how many tokens the model is told, as we count.
func (k *call) size() int {
	if k.req.Said == "" {
		return k.prompt.size()
	}
	return k.prompt.size() + lang.Tokens(string(k.req.Said)) + lang.Tokens(k.req.GoOn)
}

// used is what the call has used: as the provider counts, and where it has not counted, as
// we do. A request that was refused is not billed.
func (k *call) used() chat.Usage {
	var u chat.Usage
	var e *Error
	switch {
	case k.usage != nil:
		u = *k.usage
	case k.begun.IsZero(), k.first == 0 && errors.As(k.err, &e) && e.Status >= 300:
		return u
	default:
		u.Input = k.size()
	}
	if k.usage == nil || !k.finished {
		u.Output = max(u.Output, k.output) // some came after the last count
	}
	return chat.Usage{Input: sane(u.Input), Output: sane(u.Output), Cached: sane(u.Cached), Written: sane(u.Written)}
}

// sane keeps a provider's count from being a debt, and sums of counts from overflowing.
func sane(n int) int { return min(max(0, n), 1<<40) }

// chunks makes the call. It ends with a chunk that has a Finish, or with an error.
func (k *call) chunks(ctx context.Context) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		k.begun = time.Now()
		w := newWatch(k.client.Limits, cancel)
		defer w.timer.Stop()
		why := ErrTruncated
		for chunk, err := range k.model.Provider.Stream(ctx, k.req) {
			w.stop() // the consumer's time is not the provider's
			if err != nil {
				why = err
				break
			}
			if ctx.Err() != nil && chunk.Finish == "" {
				break // a provider that does not listen
			}
			k.take(&chunk)
			if chunk.Finish != "" && !k.replied && !k.model.Free {
				why, chunk.Finish = errEmpty, ""
				if chunk.Usage != nil && !yield(chunk, nil) {
					return
				}
				break
			}
			k.finished = chunk.Finish != ""
			if !yield(chunk, nil) || k.finished {
				return
			}
			w.start()
		}
		cause := context.Cause(ctx)
		switch {
		case cause == errSlow:
			k.err = failed(k.model, w.slow())
		case cause == nil:
			k.err = failed(k.model, why)
		default:
			yield(Chunk{}, failed(k.model, cause))
			return
		}
		yield(Chunk{}, k.err)
	}
}

// take notes what a chunk says, and takes out of it what only the Client sets.
func (k *call) take(c *Chunk) {
	if k.first == 0 {
		k.first = max(1, time.Since(k.begun))
		if k.known != nil {
			k.known.firsts.add(k.first)
		}
	}
	c.Provider, c.Model, c.Reason, c.Restart, c.Error, c.Fault, c.Prompt, c.Lost = "", "", "", false, "", "", nil, nil
	if c.Usage != nil {
		k.usage = c.Usage
	}
	if k.spend.ID != "" || k.client.Hedge {
		k.output += lang.Tokens(c.Text) + lang.Tokens(c.Thinking)
		if c.Call != nil {
			k.output += lang.Tokens(c.Call.Name) + lang.Tokens(string(c.Call.Arguments))
		}
	}
	if !k.replied {
		k.replied = visible(c.Text) || c.Call != nil || c.Declined != "" || c.Finish == Refusal || c.Finish == Filtered
	}
}

// visible reports whether a customer sees anything of a text.
func visible(text string) bool { return strings.TrimSpace(text) != "" }

var (
	// errSlow: a provider took longer than its Limits.
	errSlow = errors.New("it took too long")
	// errEmpty: a reply ended without saying anything.
	errEmpty = errors.New("the reply was empty")
)

// failed makes sure that an error names its provider and what to do.
func failed(m Model, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	fault := Elsewhere
	if errors.Is(err, ErrTruncated) || errors.Is(err, errSlow) || errors.Is(err, errEmpty) {
		fault = Later
	}
	return &Error{Provider: m.Provider.Name(), Fault: fault, Err: fmt.Errorf("ask for a reply: %w", err)}
}

// watch ends a call that takes too long. It runs while the provider is waited for.
type watch struct {
	limit   string        // the name of the one that is running
	silence time.Duration // that it allows
	between time.Duration
	whole   time.Duration
	left    time.Duration // of whole
	since   time.Time     // when the provider was last waited for
	timer   *time.Timer
}

// newWatch returns a running watch. When it runs out it cancels with errSlow.
func newWatch(l Limits, cancel context.CancelCauseFunc) *watch {
	w := &watch{limit: "first_token", silence: or(l.FirstToken, 20*time.Second),
		between: or(l.Between, 20*time.Second), whole: or(l.Whole, 2*time.Minute), since: time.Now()}
	w.left = w.whole
	w.timer = time.AfterFunc(min(w.silence, w.left), func() { cancel(errSlow) })
	return w
}

func (w *watch) stop() {
	w.timer.Stop()
	w.left -= time.Since(w.since)
}

func (w *watch) start() {
	w.limit, w.silence, w.since = "between", w.between, time.Now()
	w.timer.Reset(min(w.silence, w.left))
}

// slow says which limit was reached.
func (w *watch) slow() error {
	if time.Since(w.since) < w.silence {
		return fmt.Errorf("%w: the reply was not whole after %s (limit whole)", errSlow, w.whole)
	}
	return fmt.Errorf("%w: nothing came for %s (limit %s)", errSlow, w.silence, w.limit)
}
