package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// steps turns "f" into a call that fails after some text, so that it is not repeated, "s"
// into one that succeeds and "e" into one whose request is refused.
func steps(calls string) [][]step {
	var all [][]step
	for _, c := range calls {
		all = append(all, map[rune][]step{'f': {text("Hel"), busy}, 's': says("Hello."), 'e': {fails(llm.Elsewhere, "bad request")}}[c])
	}
	return all
}

// sequence asks n times and says for each who was asked.
func sequence(t *testing.T, c *llm.Client, n int) string {
	var all []string
	for range n {
		var asked strings.Builder
		for k := range c.Stream(t.Context(), llm.Request{}, nil) {
			asked.WriteString(k.Provider)
		}
		all = append(all, asked.String())
	}
	return strings.Join(all, " ")
}

func withQuote(a *fake) *llm.Client {
	return client(model(a), free(provider("q", says("Quote."))))
}

func TestTheBreakerOpens(t *testing.T) {
	for _, c := range []struct{ name, calls, want, why string }{
		{"after three failures in a row", "fff", "aq aq aq q", "its last 3 calls failed"},
		{"not after two", "ffsffs", "aq aq a aq aq a", ""},
		{"when half of its last 20 calls failed", strings.Repeat("fs", 9) + "sf", strings.Repeat("aq a ", 9) + "a aq q", "10 of its last 20 calls failed"},
		{"not for what happened before those", "f" + strings.Repeat("s", 19) + strings.Repeat("fs", 9),
			"aq " + strings.TrimSpace(strings.Repeat("a ", 19)+strings.Repeat("aq a ", 9)), ""},
		{"not because requests are refused", "eeeee", "aq aq aq aq aq", ""},
		{"also when requests are refused in between", "fefef", "aq aq aq aq aq q", "its last 3 calls failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := withQuote(provider("a", append(steps(c.calls), says("Hello."))...))
			check(t, "asked", sequence(t, cl, strings.Count(c.want, " ")+1), c.want)
			check(t, "why", cl.Health()[0].Why, c.why)
		})
	}
}

func TestEachKindOfFailureCounts(t *testing.T) {
	for name, s := range map[string][]step{
		"silent": {stall}, "cut off": {text("a")}, "empty": {stop}, "later": {busy}, "truncated, says the provider": {{err: &llm.Error{
			Provider: "a", Fault: llm.Later, Err: llm.ErrTruncated}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := withQuote(provider("a", s))
				for range 3 {
					play(t.Context(), c, llm.Request{})
				}
				check(t, "state", c.Health()[0].State, llm.BreakerOpen)
			})
		})
	}
}

// A model that nobody answers for is left alone for five minutes, each time.
func TestABrokenModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a", []step{fails(llm.Broken, "no key")}, []step{fails(llm.Broken, "no key")}, says("Hello."))
		c := withQuote(a)
		check(t, "asked", sequence(t, c, 3), "aq q q")
		time.Sleep(5*time.Minute - time.Nanosecond)
		check(t, "asked", sequence(t, c, 1), "q")
		time.Sleep(time.Nanosecond)
		check(t, "asked", sequence(t, c, 2), "aq q")
		time.Sleep(5 * time.Minute)
		check(t, "asked", sequence(t, c, 2), "a a")
	})
}

// It opens for 5 s, and for twice as long whenever the probe fails, but never for more than
// a minute. A success makes it forget.
func TestTheBreakerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a", steps("fff"+"fffff"+"s"+"fff"+"s")...)
		c := withQuote(a)
		check(t, "asked", sequence(t, c, 4), "aq aq aq q")
		for _, d := range []time.Duration{5, 10, 20, 40, 60} {
			time.Sleep(d*time.Second - time.Nanosecond)
			check(t, "asked while open", sequence(t, c, 1), "q")
			time.Sleep(time.Nanosecond)
			check(t, "the probe and after", sequence(t, c, 2), "aq q")
		}
		time.Sleep(time.Minute)
		check(t, "a good probe, and anew", sequence(t, c, 5), "a aq aq aq q")
		time.Sleep(5 * time.Second)
		check(t, "asked", sequence(t, c, 2), "a a")
	})
}

// A failed probe is not retried: the breaker is open again.
func TestAProbeIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := withQuote(provider("a", append(steps("fff"), []step{busy})...))
		sequence(t, c, 3)
		time.Sleep(5 * time.Second)
		check(t, "Stream", play(t.Context(), c, llm.Request{}),
			`[a][q, restart later "a: busy", a m is asked again; a m is not asked until 00:00:15 UTC: it failed again when it was tried]Quote.= stop`)
	})
}

// The reason is told, and the free model answers at once.
func TestWhoIsSparedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := provider("a", steps("fff")...), provider("b", []step{fails(llm.Broken, "no key")})
		c := client(model(a), model(b), free(provider("q", says("Quote."))))
		for range 3 {
			play(t.Context(), c, llm.Request{})
		}
		begun := time.Now()
		check(t, "Stream", play(t.Context(), c, llm.Request{}), `[q, a m is not asked until 00:00:05 UTC: its last 3 calls failed; `+
			`b m is not asked until 00:05:00 UTC: it needs an operator: a: no key]Quote.= stop`)
		check(t, "time", time.Since(begun), time.Duration(0))
	})
}

// Where nobody is free, the first one is asked although it is spared; when that succeeds,
// it is spared no longer.
func TestAllAreSpared(t *testing.T) {
	a, b := provider("a", steps("fffffs")...), provider("b", steps("fffs")...)
	c := client(model(a), model(b))
	check(t, "asked", sequence(t, c, 7), "ab ab ab a a a a")
	check(t, "state of a", c.Health()[0].State, llm.BreakerClosed)
	check(t, "state of b", c.Health()[1].State, llm.BreakerOpen)
}

// Calls that are made although a model is spared do not make it be spared for longer.
func TestDespairIsNotAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(model(provider("a", steps("f")...)))
		begun := time.Now()
		sequence(t, c, 3)
		time.Sleep(3 * time.Second)
		check(t, "asked", sequence(t, c, 1), "a")
		check(t, "Until", c.Health()[0].Until, begun.Add(5*time.Second))
	})
}

// Where a budget forbids it, nobody is asked.
func TestABudgetIsStrongerThanDespair(t *testing.T) {
	a := provider("a", steps("fff")...)
	c := client(model(a))
	sequence(t, c, 3)
	over := errors.New("over")
	check(t, "Stream", play(t.Context(), c, llm.Request{Budget: &ledger{deny: over}}), "= a m is not asked: over")
	check(t, "calls", a.asked(), 3)
}

// What is cancelled says nothing, and gives back the probe's place. So does a panic, and a
// budget that is over.
func TestWhatSaysNothing(t *testing.T) {
	ways := map[string]func(t *testing.T, c *llm.Client){
		"the context ends": func(t *testing.T, c *llm.Client) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			play(ctx, c, llm.Request{})
		},
		"the consumer leaves at once": func(t *testing.T, c *llm.Client) {
			for range c.Stream(t.Context(), llm.Request{}, nil) {
				break
			}
		},
		"the consumer leaves later": func(t *testing.T, c *llm.Client) {
			for k := range c.Stream(t.Context(), llm.Request{}, nil) {
				if k.Text != "" {
					break
				}
			}
		},
		"the consumer panics": func(t *testing.T, c *llm.Client) {
			defer func() { check(t, "panic", recover(), any("ouch")) }()
			for range c.Stream(t.Context(), llm.Request{}, nil) {
				panic("ouch")
			}
		},
		"the budget is over": func(t *testing.T, c *llm.Client) {
			play(t.Context(), c, llm.Request{Budget: &ledger{deny: errors.New("over")}})
		},
		"the budget panics": func(t *testing.T, c *llm.Client) {
			defer func() { check(t, "panic", recover(), any("ouch")) }()
			play(t.Context(), c, llm.Request{Budget: crashing{}})
		},
	}
	for name, way := range ways {
		for _, state := range []llm.BreakerState{llm.BreakerClosed, llm.BreakerHalfOpen} {
			t.Run(fmt.Sprint(name, ", ", state), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := provider("a", append(steps("fff"), []step{text("a"), stall})...)
					if state == llm.BreakerClosed {
						a.calls = a.calls[3:]
					}
					c := withQuote(a)
					if state == llm.BreakerHalfOpen {
						sequence(t, c, 3)
						time.Sleep(5 * time.Second)
					}
					for range 4 {
						way(t, c)
					}
					check(t, "state", c.Health()[0].State, state)
					check(t, "running calls", a.running, 0)
					a.calls = [][]step{says("Hello.")}
					check(t, "asked", sequence(t, c, 1), "a")
				})
			})
		}
	}
}

type crashing struct{ llm.Budget }

func (crashing) Reserve(context.Context, llm.Spend) error { panic("ouch") }

// Many at once, and one of them probes.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a", append(steps("fff"), []step{wait(time.Second), text("Hello."), stop})...)
		c := withQuote(a)
		sequence(t, c, 3)
		time.Sleep(5 * time.Second)
		a.most = 0
		var wg sync.WaitGroup
		answers := make([]string, 100)
		for i := range answers {
			wg.Go(func() { answers[i] = play(t.Context(), c, llm.Request{}) })
		}
		wg.Wait()
		check(t, "probes", a.most, 1)
		check(t, "calls", a.asked(), 4)
		quoted := 0
		for _, s := range answers {
			if s == "[q, a m is being tried again by another call: its last 3 calls failed]Quote.= stop" {
				quoted++
			}
		}
		check(t, "others", quoted, 99)
		check(t, "state", c.Health()[0].State, llm.BreakerClosed)
	})
}

// Calls that began before the breaker opened tell nothing about the time after.
func TestStragglers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := []step{text("a"), wait(10 * time.Second), busy}
		a := provider("a", append([][]step{slow, slow, slow}, append(steps("fff"), says("Hello."))...)...)
		c := withQuote(a)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { play(t.Context(), c, llm.Request{}) })
		}
		synctest.Wait()
		check(t, "opens", sequence(t, c, 4), "aq aq aq q")
		time.Sleep(5 * time.Second)
		check(t, "closes", sequence(t, c, 1), "a")
		wg.Wait()
		check(t, "state", c.Health()[0].State, llm.BreakerClosed)
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a")
		for i := range 100 {
			a.calls = append(a.calls, []step{wait(time.Duration(i+1) * time.Millisecond), text("a"), stop})
		}
		a.calls = append(a.calls, steps("fff")...)
		c := withQuote(a)
		check(t, "at first", fmt.Sprintf("%+v", c.Health()[0]), fmt.Sprintf("%+v", llm.Health{Provider: "a", Model: "m", State: llm.BreakerClosed}))
		sequence(t, c, 100)
		check(t, "P50", c.Health()[0].P50, 50*time.Millisecond)
		check(t, "P95", c.Health()[0].P95, 95*time.Millisecond)
		sequence(t, c, 1)
		check(t, "LastError", c.Health()[0].LastError, "a: busy")
		sequence(t, c, 2)
		check(t, "State", c.Health()[0].State, llm.BreakerOpen)
		check(t, "Until", c.Health()[0].Until, time.Now().Add(5*time.Second))
		time.Sleep(5 * time.Second)
		check(t, "State", c.Health()[0].State, llm.BreakerHalfOpen)
		check(t, "Until", c.Health()[0].Until, time.Time{})
		a.calls = [][]step{says("Hello.")}
		sequence(t, c, 1)
		check(t, "State", c.Health()[0].State, llm.BreakerClosed)
		check(t, "LastError", c.Health()[0].LastError, "")
	})
}
