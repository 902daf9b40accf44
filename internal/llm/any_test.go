package llm_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// anyCall is a call that may do anything. Its text says who speaks.
func anyCall(r *rand.Rand, name string) []step {
	var all []step
	for range r.IntN(4) {
		switch r.IntN(6) {
		case 0:
			all = append(all, wait(time.Duration(r.IntN(3000))*time.Millisecond))
		case 1:
			all = append(all, usage(r.IntN(1000), r.IntN(100)))
		default:
			all = append(all, text(name+" "))
		}
	}
	faults := []llm.Fault{llm.Elsewhere, llm.Later, llm.Later, llm.Later, llm.Broken, llm.TooLong, llm.Nobody, ""}
	switch r.IntN(8) {
	case 0:
		return append(all, stall)
	case 1:
		return all // cut off
	case 2, 3, 4:
		return append(all, step{err: &llm.Error{Provider: name, Fault: faults[r.IntN(len(faults))],
			After: time.Duration(r.IntN(4)) * time.Second, Err: errors.New("no")}})
	}
	return append(all, text("whole "+name), stop)
}

// Whatever happens to whom and when: a stream has one end, every attempt but the first
// begins with a restart, the text since the last one is one whole answer, no model is asked
// more often than may be or again after text, and all that was reserved is settled.
func TestAnything(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		synctest.Test(t, func(t *testing.T) {
			c := &llm.Client{Hedge: r.IntN(2) == 0, Limits: llm.Limits{FirstToken: 2 * time.Second}}
			for _, name := range "abcde"[:1+r.IntN(5)] {
				f := provider(string(name))
				for range 20 * r.IntN(2) { // it did well at first, so that it may be hedged
					f.calls = append(f.calls, says("whole "+f.name))
				}
				for range 200 {
					f.calls = append(f.calls, anyCall(r, f.name))
				}
				m := model(f)
				m.Free = r.IntN(6) == 0
				c.Models = append(c.Models, m)
			}
			l := &ledger{}
			if r.IntN(4) == 0 {
				l.deny, l.after = errors.New("over"), r.IntN(80)
			}
			for range 40 {
				askForAnything(t, r, c, l)
				time.Sleep(time.Duration(r.IntN(4)) * time.Second)
			}
			l.check(t)
			for _, m := range c.Models {
				check(t, "running calls", m.Provider.(*fake).running, 0)
			}
		})
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// askForAnything asks once and checks what comes.
func askForAnything(t *testing.T, r *rand.Rand, c *llm.Client, l *ledger) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if r.IntN(5) == 0 {
		defer time.AfterFunc(time.Duration(r.IntN(5000))*time.Millisecond, cancel).Stop()
	}
	leave := -1 // never
	if r.IntN(5) == 0 {
		leave = r.IntN(10)
	}
	req := request(l)
	if r.IntN(2) == 0 {
		req.Shorter = func(int) (llm.Request, []chat.Part, bool) {
			return llm.Request{}, []chat.Part{{Name: "question"}}, r.IntN(2) == 0
		}
	}
	var end error
	var who, reply string
	chunks, ends, attempts := 0, 0, 0
	times, spoke := map[string]int{}, map[string]bool{}
	for k, err := range c.Stream(ctx, req, nil) {
		if ends > 0 {
			t.Error("something came after the end")
		}
		if err != nil || k.Finish != "" {
			ends++
			end = err
		}
		if k.Provider != "" {
			attempts++
			if k.Restart != (attempts > 1) || k.Restart && (k.Error == "" || k.Fault == "") {
				t.Errorf("attempt %d begins with %+v", attempts, k)
			}
			if who, reply = k.Provider, ""; spoke[who] {
				t.Errorf("%s is asked again after text", who)
			}
			if times[who]++; times[who] > 4 { // two retries, one shorter request
				t.Errorf("%s is asked for the %d. time", who, times[who])
			}
		}
		if reply += k.Text; k.Text != "" {
			spoke[who] = true
		}
		if chunks++; chunks == leave {
			return
		}
	}
	if ends != 1 {
		t.Errorf("the stream has %d ends", ends)
	}
	if words := strings.TrimLeft(reply, who+" "); end == nil && words != "whole "+who {
		t.Errorf("the reply of %s is %q", who, reply)
	}
}

// Many streams at once share what is known of the models.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		c := &llm.Client{Hedge: true, Limits: llm.Limits{FirstToken: 2 * time.Second}}
		for _, name := range "abc" {
			f := provider(string(name))
			for range 1000 {
				f.calls = append(f.calls, anyCall(r, f.name))
			}
			c.Models = append(c.Models, model(f))
		}
		c.Models = append(c.Models, free(provider("q", says("Quote."))))
		l := &ledger{}
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				play(t.Context(), c, request(l))
				c.Health()
			})
		}
		wg.Wait()
		l.check(t)
	})
}
