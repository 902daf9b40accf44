package llm

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// When a second request is sent.
const (
	hedgeCalls    = 20 // so many must be known
	hedgeEarliest = 50 * time.Millisecond
)

// firsts are the times from the last calls of a model to their first chunks.
type firsts struct {
	mu    sync.Mutex
	times [100]time.Duration
	count int // ever
}

func (f *firsts) add(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times[f.count%len(f.times)] = d
	f.count++
}

// quantile returns the time that so many of 100 calls did not exceed, or 0 if there were
// none.
func (f *firsts) quantile(percent int) time.Duration {
	f.mu.Lock()
	n := min(f.count, len(f.times))
	times := f.times // sorted outside the lock
	f.mu.Unlock()
	if n == 0 {
		return 0
	}
	slices.Sort(times[:n])
	return times[(n*percent+99)/100-1]
}

func (f *firsts) enough() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count >= hedgeCalls
}

// reply makes the call, and a second one beside it if it is slow and the client hedges.
func (k *call) reply(ctx context.Context) iter.Seq2[Chunk, error] {
	if !k.client.Hedge || k.known == nil || !k.known.firsts.enough() {
		return k.chunks(ctx)
	}
	return k.race(ctx, max(k.known.firsts.quantile(95), hedgeEarliest))
}

// race makes the call and, if no chunk of it has come after wait, the same call again. It
// goes on with the one whose first chunk comes first. The other one, if it was begun, is
// told in a chunk of its own, as Lost.
func (k *call) race(ctx context.Context, wait time.Duration) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		one := start(ctx, k, k.chunks)
		defer one.end()

		lead, p := one, piece{}
		select {
		case p = <-one.pieces:
		case <-timer.C:
			again := &call{client: k.client, model: k.model, prompt: k.prompt, req: k.req}
			two := start(ctx, again, again.whole)
			defer two.end()

			other := two
			select {
			case p = <-one.pieces:
			case p = <-two.pieces:
				lead, other = two, one
			}
			if !p.ok || p.err != nil { // it failed, or it was not admitted
				lead, other = other, lead
				p = <-lead.pieces
			}
			other.end()
			if other == one && k.first == 0 && k.err == nil && ctx.Err() == nil {
				k.known.firsts.add(time.Since(k.begun)) // or it would seem that no call is slow
			}
			if lost := other.call; !lost.begun.IsZero() && !yield(Chunk{Lost: lost.lost()}, nil) {
				return
			}
		}
		for p.ok && yield(p.chunk, p.err) {
			p = <-lead.pieces
		}
	}
}

// whole makes a call from its admission to its close. It yields nothing if it is not
// admitted.
func (k *call) whole(ctx context.Context) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		if reason := k.enter(false); reason != "" || k.reserve(ctx) != nil {
			return
		}
		defer k.close(ctx)
		k.chunks(ctx)(yield)
	}
}

// lost tells of a call whose reply nobody reads.
func (k *call) lost() *chat.Attempt {
	a := &chat.Attempt{Provider: k.model.Provider.Name(), Model: k.model.Name,
		StartedAt: chat.Micro(k.begun.UnixMicro()), TotalMS: time.Since(k.begun).Milliseconds(),
		Usage: k.used(), Discarded: "another request was faster"}
	if k.err != nil {
		fault, _ := advice(k.err)
		a.Error, a.Fault = k.err.Error(), string(fault)
		a.Discarded = "it failed while another request went on"
	}
	return a
}

// runner makes a call in a goroutine.
type runner struct {
	call    *call // not to be touched before the end
	pieces  chan piece
	stop    chan struct{} // closed: nobody receives any more
	cancel  context.CancelFunc
	running sync.WaitGroup
	ended   sync.Once
	crash   any // what the chunks panicked with
}

// piece is a chunk or an error on its way. The zero piece comes after the last one.
type piece struct {
	chunk Chunk
	err   error
	ok    bool
}

// start runs the chunks of a call until they are over or the runner is ended, which its
// caller must do.
func start(ctx context.Context, k *call, chunks func(context.Context) iter.Seq2[Chunk, error]) *runner {
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{call: k, pieces: make(chan piece), stop: make(chan struct{}), cancel: cancel}
	r.running.Go(func() {
		defer close(r.pieces)
		defer func() { r.crash = recover() }() // for end, in the goroutine of the turn
		for chunk, err := range chunks(ctx) {
			select {
			case r.pieces <- piece{chunk, err, true}:
			case <-r.stop:
				return
			}
		}
	})
	return r
}

// end cancels the call and waits for its goroutine. A panic goes on here.
func (r *runner) end() {
	r.ended.Do(func() {
		close(r.stop)
		r.cancel()
		r.running.Wait()
		if r.crash != nil {
			panic(r.crash)
		}
	})
}
