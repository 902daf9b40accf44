package llmtest

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// player gives the answers of a script. Which one a call gets depends on the calls before
// it. It may be used by many goroutines.
type player struct {
	script *Script
	calls  atomic.Int64 // made so far
	taken  atomic.Int64 // calls that took an answer without "when"
}

// next returns the answer for a call and the call's number, from 1. Where the script has
// none, the answer says so.
func (p *player) next(question string) (a answer, n int64) {
	n = p.calls.Add(1)
	for _, a := range p.script.matched {
		if a.when.MatchString(question) {
			return a, n
		}
	}
	answers := p.script.inOrder
	if len(answers) == 0 {
		return noMatch(p.script.name), n
	}
	return answers[min(p.taken.Add(1), int64(len(answers)))-1], n
}

func noMatch(script string) answer {
	return answer{refused: true, steps: []step{failure(failing, llm.Nobody,
		"no \"when\" of "+script+" matches the question; add an answer without \"when\"")}}
}

// reset begins the script anew.
func (p *player) reset() {
	p.calls.Store(0)
	p.taken.Store(0)
}

// asked is what an answer is made from.
type asked struct {
	question string
	passage  func(n int) (text string, ok bool) // the n-th, from 1
	tokens   int                                // of everything that was asked
}

// A piece is one thing that a call does, handed over when it is time for it.
type piece struct {
	kind  kind
	text  string     // said, thought
	call  toolCall   // called
	end   end        // ended
	fault *fault     // failed
	err   error      // left: the context's
	usage chat.Usage // so far; of ended, as reported
}

// kind says what a piece is.
type kind int

const (
	begun   kind = iota // the reply begins; not where the call is refused
	said                // a chunk of text
	thought             // a chunk of thinking
	called              // a whole tool call
	ended               // the end, with a reason
	failed              // the end, with a fault
	left                // the context ended
)

// toolCall is a call of a tool by the model.
type toolCall struct {
	index     int // among those of the answer, from 0
	id        string
	name      string
	arguments string // a JSON object, or "" where the script has none
}

// play carries out the answer of the n-th call and hands each piece to do, until do
// returns false. Times are counted from one to the next, whoever reads: what comes late
// does not make late what follows.
func (a answer) play(ctx context.Context, q asked, n int64, do func(piece) bool) {
	c := call{ctx: ctx, answer: a, asked: q, n: n, do: do, due: time.Now()}
	defer c.stop()
	if !c.wait(a.slow) || !a.refused && !c.hand(piece{kind: begun}) {
		return
	}
	for _, s := range a.steps {
		if !c.step(s) {
			return
		}
	}
}

// call is one answer while it is being given.
type call struct {
	ctx    context.Context
	answer answer
	asked  asked
	n      int64
	do     func(piece) bool
	timer  *time.Timer   // nil until something waits
	due    time.Time     // of what came last
	pace   time.Duration // between two chunks
	gap    time.Duration // before the next one
	sent   bool          // a chunk was
	points int           // code points sent
	tools  int           // calls of tools
}

// step carries out one step and reports whether the call goes on.
func (c *call) step(s step) bool {
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
	case ask:
		return c.ask(s)
	case wait:
		return c.wait(time.Duration(s))
	case pace:
		c.pace = time.Duration(s)
		if c.sent {
			c.gap = c.pace
		}
		return true
	case *fault:
		if s.kind == stall {
			<-c.ctx.Done()
		}
		return c.wait(0) && c.hand(piece{kind: failed, fault: s})
	case end:
		return c.wait(0) && c.hand(piece{kind: ended, end: s})
	}
	return false
}

func (c *call) say(s say) bool {
	chunks := s.chunks
	if s.fill {
		chunks = s.cut(fill(s.text, c.asked, c.n))
	}
	k := said
	if s.thinking {
		k = thought
	}
	for _, text := range chunks {
		if !c.chunk(piece{kind: k, text: text}, utf8.RuneCountInString(text)) {
			return false
		}
	}
	return true
}

func (c *call) ask(s ask) bool {
	id := "call_" + strconv.FormatInt(c.n, 10) + "_" + strconv.Itoa(c.tools+1)
	p := piece{kind: called, call: toolCall{index: c.tools, id: id, name: s.name, arguments: s.arguments}}
	c.tools++
	return c.chunk(p, utf8.RuneCountInString(s.name+s.arguments))
}

// chunk hands over a piece that has its place in the pace.
func (c *call) chunk(p piece, points int) bool {
	if !c.wait(c.gap) {
		return false
	}
	c.sent, c.gap = true, c.pace
	c.points += points
	return c.hand(p)
}

func (c *call) hand(p piece) bool {
	p.usage = chat.Usage{Input: c.asked.tokens, Output: tokens(c.points)}
	if u := c.answer.usage; u != nil {
		p.usage.Input, p.usage.Cached = u.Input, u.Cached
		if p.kind == ended {
			p.usage.Output = u.Output
		}
	}
	return c.do(p)
}

// wait waits until d after what came last. When the context ends, it hands that over and
// reports false.
func (c *call) wait(d time.Duration) bool {
	if d > 0 {
		c.due = c.due.Add(d)
		if d = time.Until(c.due); d > 0 {
			c.sleep(d)
		}
	}
	if err := c.ctx.Err(); err != nil {
		c.hand(piece{kind: left, err: err})
		return false
	}
	return true
}

func (c *call) sleep(d time.Duration) {
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

func (c *call) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

func points(t chat.Text) int { return utf8.RuneCountInString(string(t)) }

// tokens is the rule of thumb of four code points a token, rounded up.
func tokens(points int) int { return (points + 3) / 4 }
