package llm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// fake is a provider that does in its n-th call what the n-th list of steps says, and then
// what the last one says.
type fake struct {
	name  string
	calls [][]step

	mu      sync.Mutex
	reqs    []llm.Request // what it was asked
	running int           // calls that have not ended
	most    int           // of them at once
}

// step is one thing that a call does.
type step struct {
	wait  time.Duration // before the rest
	chunk *llm.Chunk
	err   error
	stall bool // until the context ends
	deaf  bool // sends chunks for ever, whatever the context says
	crash any  // panics with it
}

func text(s string) step               { return step{chunk: &llm.Chunk{Text: s}} }
func wait(d time.Duration) step        { return step{wait: d} }
func finish(f llm.Finish) step         { return step{chunk: &llm.Chunk{Finish: f}} }
func fails(f llm.Fault, s string) step { return step{err: fault("a", f, s)} }
func usage(in, out int) step {
	return step{chunk: &llm.Chunk{Usage: &chat.Usage{Input: in, Output: out}}}
}

var (
	stop  = finish(llm.Stop)
	stall = step{stall: true}
	busy  = fails(llm.Later, "busy")
)

func fault(name string, f llm.Fault, s string) *llm.Error {
	return &llm.Error{Provider: name, Fault: f, Err: errors.New(s)}
}

// says returns the steps of a whole reply.
func says(words ...string) []step {
	var all []step
	for _, w := range words {
		all = append(all, text(w))
	}
	return append(all, stop)
}

func (f *fake) Name() string { return f.name }

func (f *fake) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		for _, s := range f.take(req) {
			if s.wait > 0 || s.stall {
				if err := hold(ctx, s); err != nil {
					yield(llm.Chunk{}, err)
					f.end()
					return
				}
			}
			ok := true
			switch {
			case s.crash != nil:
				f.end()
				panic(s.crash)
			case s.chunk != nil:
				ok = yield(*s.chunk, nil)
			case s.err != nil:
				yield(llm.Chunk{}, s.err)
				ok = false
			}
			for s.deaf && ok {
				time.Sleep(1100 * time.Millisecond)
				ok = yield(llm.Chunk{Text: "la "}, nil)
			}
			if !ok {
				break
			}
		}
		f.end()
	}
}

func hold(ctx context.Context, s step) error {
	var after <-chan time.Time
	if !s.stall {
		after = time.After(s.wait)
	}
	select {
	case <-after:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) take(req llm.Request) []step {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reqs = append(f.reqs, req)
	f.running++
	f.most = max(f.most, f.running)
	return f.calls[min(len(f.reqs), len(f.calls))-1]
}

func (f *fake) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
}

func (f *fake) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.reqs)
}

// provider returns a fake; model one that costs; free one that does not.
func provider(name string, calls ...[]step) *fake { return &fake{name: name, calls: calls} }
func model(f *fake) llm.Model                     { return llm.Model{Provider: f, Name: "m"} }
func free(f *fake) llm.Model                      { return llm.Model{Provider: f, Free: true} }

func client(models ...llm.Model) *llm.Client { return &llm.Client{Models: models} }

// models makes providers a, b … that cost, one for each list of calls.
func paid(calls ...[][]step) *llm.Client {
	c := &llm.Client{}
	for i, steps := range calls {
		c.Models = append(c.Models, model(provider(string(rune('a'+i)), steps...)))
	}
	return c
}

// play asks the client and writes down what it yields: attempts in brackets, text as it
// is, ends behind "=".
func play(ctx context.Context, c *llm.Client, req llm.Request) string {
	return playFrom(c.Stream(ctx, req, nil))
}

func playFrom(reply iter.Seq2[llm.Chunk, error]) string {
	var b strings.Builder
	for k, err := range reply {
		if err != nil {
			return b.String() + "= " + err.Error()
		}
		if k.Provider != "" {
			fmt.Fprintf(&b, "[%s]", head(k))
		}
		if k.Lost != nil {
			fmt.Fprintf(&b, "[lost: %s]", k.Lost.Discarded)
		}
		b.WriteString(k.Text)
		if k.Finish != "" {
			fmt.Fprintf(&b, "= %s", k.Finish)
		}
	}
	return b.String()
}

// head writes the first chunk of an attempt.
func head(k llm.Chunk) string {
	parts := []string{k.Provider}
	if k.Restart {
		parts = append(parts, fmt.Sprintf("restart %s %q", k.Fault, k.Error))
	}
	if k.Reason != "" {
		parts = append(parts, k.Reason)
	}
	for _, p := range k.Prompt {
		parts = append(parts, fmt.Sprintf("%s %d", p.Name, p.Tokens))
	}
	return strings.Join(parts, ", ")
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %v\nwant %v", what, got, want)
	}
}
