package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// hedged returns a client whose first model has answered 20 times within 100 ms and does
// these calls next.
func hedged(t *testing.T, calls ...[]step) (*llm.Client, *fake) {
	a := provider("a", []step{wait(100 * time.Millisecond), text("Hello."), stop})
	c := withQuote(a)
	c.Hedge = true
	check(t, "the first calls", sequence(t, c, 20), strings.TrimSpace(strings.Repeat("a ", 20)))
	a.calls = append(make([][]step, 20), calls...)
	return c, a
}

func in(d time.Duration, words ...string) []step {
	return append([]step{wait(d * time.Millisecond)}, says(words...)...)
}

func TestHedge(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls [][]step
		want  string
		took  time.Duration
		used  string // what was settled, in that order
	}{
		{"not needed", [][]step{in(99, "One.")}, `[a]One.= stop`, 99, "100+2"},
		{"the first wins", [][]step{in(150, "One.", " Yes."), in(100, "Two.")},
			`[a][lost: another request was faster]One. Yes.= stop`, 150, "100+0, 100+4"},
		{"the second wins", [][]step{in(1000, "One."), in(100, "Two.", " Yes.")},
			`[a][lost: another request was faster]Two. Yes.= stop`, 200, "100+4, 100+0"},
		{"the second fails", [][]step{in(300, "One."), {busy}},
			`[a][lost: it failed while another request went on]One.= stop`, 300, "100+0, 100+2"},
		{"the first fails", [][]step{{wait(150 * time.Millisecond), busy}, in(100, "Two.")},
			`[a][lost: it failed while another request went on]Two.= stop`, 200, "100+2, 100+0"},
		{"the first fails early", [][]step{{wait(50 * time.Millisecond), fails(llm.Elsewhere, "no")}},
			`[a][q, restart elsewhere "a: no", a m failed]Quote.= stop`, 50, "100+0"},
		{"both fail", [][]step{{wait(150 * time.Millisecond), busy}, {wait(100 * time.Millisecond), fails(llm.Elsewhere, "no")}},
			`[a][lost: it failed while another request went on][q, restart elsewhere "a: no", a m failed]Quote.= stop`, 200, "100+0, 100+0"},
		{"the winner fails later", [][]step{in(1000, "One."), {wait(100 * time.Millisecond), text("Tw"), busy}},
			`[a][lost: another request was faster]Tw[q, restart later "a: busy", a m failed]Quote.= stop`, 200, "100+1, 100+0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl, a := hedged(t, c.calls...)
				l := &ledger{}
				begun := time.Now()
				check(t, "Stream", play(t.Context(), cl, request(l)), c.want)
				check(t, "time", time.Since(begun), c.took*time.Millisecond)
				check(t, "running calls", a.running, 0)
				var used []string
				for _, line := range l.lines {
					_, u, _ := strings.Cut(line, ": ")
					used = append(used, u)
				}
				check(t, "settled", strings.Join(used, ", "), c.used)
				l.check(t)
			})
		})
	}
}

// A request is sent again when it is slower than 95 of 100, but not before 50 ms, and not
// before 20 are known.
func TestWhenToHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a", in(1, "Hello."))
		c := withQuote(a)
		c.Hedge = true
		sequence(t, c, 19)
		a.calls = [][]step{in(5000, "One.")}
		sequence(t, c, 1)
		check(t, "calls when 19 are known", a.asked(), 20)

		a.calls = append(make([][]step, 20), in(5000, "One."), in(1, "Two."))
		begun := time.Now()
		check(t, "Stream", play(t.Context(), c, llm.Request{}), "[a][lost: another request was faster]Two.= stop")
		check(t, "time", time.Since(begun), 51*time.Millisecond)
		// What was outrun counts as slow: else its like would be sent again ever earlier.
		check(t, "P95 of 22", c.Health()[0].P95, 51*time.Millisecond)
	})
}

func TestHedgeIsOffByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := hedged(t, in(5000, "One."))
		c.Hedge = false
		check(t, "Stream", play(t.Context(), c, llm.Request{}), "[a]One.= stop")
		check(t, "calls", a.asked(), 21)
	})
}

// The attempt that lost is told as the record wants it.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := hedged(t, in(5000, "One."), in(200, "Two."))
		begun := chat.Now()
		var lost *chat.Attempt
		for k := range c.Stream(t.Context(), request(nil), nil) {
			if k.Lost != nil {
				lost = k.Lost
				a.mu.Lock()
				check(t, "calls that go on", a.running, 1)
				a.mu.Unlock()
			}
		}
		if lost == nil {
			t.Fatal("nothing was lost")
		}
		check(t, "Lost", fmt.Sprintf("%+v", *lost), fmt.Sprintf("%+v", chat.Attempt{Provider: "a", Model: "m", StartedAt: begun,
			TotalMS: 300, Usage: chat.Usage{Input: 100}, Discarded: "another request was faster"}))
	})
}

// Without room for a second request the first one goes on alone.
func TestHedgeWithoutBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := hedged(t, in(5000, "One."))
		l := &ledger{deny: errors.New("over"), after: 1}
		check(t, "Stream", play(t.Context(), c, request(l)), "[a]One.= stop")
		check(t, "calls", a.asked(), 21)
		l.check(t)
	})
}

// A probe has no rival.
func TestAProbeIsNotHedged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := hedged(t, append(steps("fff"), in(5000, "One."))...)
		sequence(t, c, 3)
		time.Sleep(5 * time.Second)
		check(t, "Stream", play(t.Context(), c, llm.Request{}), "[a]One.= stop")
		check(t, "calls", a.asked(), 24)
	})
}

// However the stream ends, both calls have ended with it, and both are settled.
func TestLeavingARace(t *testing.T) {
	ways := map[string]struct {
		calls [][]step
		leave func(k llm.Chunk) bool
	}{
		"before the second":       {[][]step{{stall}}, func(llm.Chunk) bool { return true }},
		"when one is lost":        {[][]step{{stall}, says("Two.")}, func(k llm.Chunk) bool { return k.Lost != nil }},
		"in the text":             {[][]step{{stall}, says("Two.")}, func(k llm.Chunk) bool { return k.Text != "" }},
		"by the context":          {[][]step{{stall}}, func(llm.Chunk) bool { return false }},
		"by the context, in text": {[][]step{{stall}, {text("Two."), stall}}, func(llm.Chunk) bool { return false }},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, a := hedged(t, way.calls...)
				stopped := errors.New("stopped")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(stopped) })
				l := &ledger{}
				var last error
				left := false
				for k, err := range c.Stream(ctx, request(l), nil) {
					last = err
					if left = way.leave(k); left {
						break
					}
				}
				if !left && !errors.Is(last, stopped) {
					t.Errorf("Stream ended with %v, want %v", last, stopped)
				}
				check(t, "running calls", a.running, 0)
				l.check(t)
			})
		})
	}
}

// A panic of either call arrives in the goroutine of the consumer.
func TestPanicInARace(t *testing.T) {
	for name, calls := range map[string][][]step{
		"of the first":  {{wait(200 * time.Millisecond), {crash: "ouch"}}, {stall}},
		"of the second": {{stall}, {{crash: "ouch"}}},
		"of the winner": {{stall}, {text("Two."), {crash: "ouch"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, a := hedged(t, calls...)
				l := &ledger{}
				defer func() {
					check(t, "panic", recover(), any("ouch"))
					check(t, "running calls", a.running, 0)
					l.check(t)
				}()
				play(t.Context(), c, request(l))
			})
		})
	}
}
