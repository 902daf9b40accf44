package llmtest

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// Name is the provider's name in plans and records.
const Name = "scripted"

// Provider returns a provider that gives the script's answers, with a count of calls of
// its own. It may be used by many goroutines.
func (s *Script) Provider() llm.Provider { return &provider{script: s} }

type provider struct {
	script *Script
	calls  atomic.Int64 // made so far
	taken  atomic.Int64 // calls that took an answer without "when"
}

func (*provider) Name() string { return Name }

// Stream takes the next answer at once and carries it out in the loop. When ctx ends, it
// yields the context's error.
func (p *provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	n := p.calls.Add(1)
	a, ok := p.choose(string(req.Question))
	return func(yield func(llm.Chunk, error) bool) {
		if !ok {
			yield(llm.Chunk{}, &llm.Error{Provider: Name, Fault: llm.Nobody, Err: errors.New(
				"no \"when\" of " + p.script.name + " matches the question; add an answer without \"when\"")})
			return
		}
		c := call{ctx: ctx, req: req, n: n, yield: yield}
		defer c.stop()
		for _, s := range a.steps {
			if !c.do(s, a) {
				return
			}
		}
	}
}

// choose returns the answer for a call, or false if the script has none.
func (p *provider) choose(question string) (answer, bool) {
	for _, a := range p.script.matched {
		if a.when.MatchString(question) {
			return a, true
		}
	}
	answers := p.script.inOrder
	if len(answers) == 0 {
		return answer{}, false
	}
	return answers[min(p.taken.Add(1), int64(len(answers)))-1], true
}

// call is one answer while it is being given.
type call struct {
	ctx    context.Context
	req    llm.Request
	n      int64
	yield  func(llm.Chunk, error) bool
	timer  *time.Timer   // nil until something waits
	pace   time.Duration // between two chunks
	gap    time.Duration // before the next one
	sent   bool          // a chunk was
	points int           // code points sent
}

// do carries out one step and reports whether the call goes on.
func (c *call) do(s step, a answer) bool {
	switch s := s.(type) {
	case say:
		return c.say(s)
	case repeat:
		for range s.times {
			if !c.say(s.say) {
				return false
			}
		}
		return true
	case wait:
		return c.wait(time.Duration(s))
	case pace:
		c.pace = time.Duration(s)
		if c.sent {
			c.gap = c.pace
		}
		return true
	case stall:
		<-c.ctx.Done()
		c.yield(llm.Chunk{}, c.ctx.Err())
	case fail:
		c.yield(llm.Chunk{}, &s.err)
	case end:
		c.finish(s.finish, a.usage)
	case cut:
	}
	return false
}

func (c *call) say(s say) bool {
	chunks := s.chunks
	if s.fill {
		chunks = s.cut(fill(s.text, c.req, c.n))
	}
	for _, text := range chunks {
		if !c.wait(c.gap) {
			return false
		}
		c.sent, c.gap = true, c.pace
		c.points += utf8.RuneCountInString(text)
		if !c.yield(llm.Chunk{Text: text}, nil) {
			return false
		}
	}
	return true
}

func (c *call) finish(why llm.Finish, usage *chat.Usage) {
	if err := c.ctx.Err(); err != nil {
		c.yield(llm.Chunk{}, err)
		return
	}
	u := chat.Usage{Input: estimate(c.req), Output: tokens(c.points)}
	if usage != nil {
		u = *usage
	}
	c.yield(llm.Chunk{Finish: why, Usage: &u}, nil)
}

// wait waits for d. When the context ends it yields the error and reports false.
func (c *call) wait(d time.Duration) bool {
	if d > 0 {
		if c.timer == nil {
			c.timer = time.NewTimer(d)
		} else {
			c.timer.Reset(d)
		}
		select {
		case <-c.timer.C:
		case <-c.ctx.Done():
		}
	}
	if err := c.ctx.Err(); err != nil {
		c.yield(llm.Chunk{}, err)
		return false
	}
	return true
}

func (c *call) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// estimate returns about how many tokens a request has.
func estimate(req llm.Request) int {
	n := points(req.Question) + points(req.Said)
	for _, b := range req.System {
		n += utf8.RuneCountInString(b.Text)
	}
	for _, m := range req.History {
		n += points(m.Text)
	}
	for _, p := range req.Passages {
		n += points(p.Text)
	}
	return tokens(n)
}

func points(t chat.Text) int { return utf8.RuneCountInString(string(t)) }

// tokens is the rule of thumb of four code points a token, rounded up.
func tokens(points int) int { return (points + 3) / 4 }
