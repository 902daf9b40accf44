package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// What comes of the failures of model a, where b could take over.
func TestAfterAFailure(t *testing.T) {
	later := func(after time.Duration) step {
		return step{err: &llm.Error{Provider: "a", Fault: llm.Later, After: after, Err: errors.New("busy")}}
	}
	for _, c := range []struct {
		name string
		a    [][]step
		want string
		took time.Duration // 0: at once; -1: the moment before asking again
	}{
		{"none", [][]step{says("Hello ", "you.")}, `[a]Hello you.= stop`, 0},
		{"busy once", [][]step{{busy}, says("Hello.")}, `[a][a, restart later "a: busy", a m is asked again]Hello.= stop`, -1},
		{"busy twice", [][]step{{busy}},
			`[a][a, restart later "a: busy", a m is asked again][b, restart later "a: busy", a m failed]From b.= stop`, -1},
		{"busy, and says for how long", [][]step{{later(2 * time.Second)}, says("Hello.")},
			`[a][a, restart later "a: busy", a m is asked again]Hello.= stop`, 2 * time.Second},
		{"busy for too long", [][]step{{later(2001 * time.Millisecond)}}, `[a][b, restart later "a: busy", a m failed]From b.= stop`, 0},
		{"busy after text", [][]step{{text("Hel"), busy}}, `[a]Hel[b, restart later "a: busy", a m failed]From b.= stop`, 0},
		{"busy after what nobody sees", [][]step{{step{chunk: &llm.Chunk{Thinking: "hm"}}, text("\n"), busy}, says("Hello.")},
			"[a]\n" + `[a, restart later "a: busy", a m is asked again]Hello.= stop`, -1},
		{"cut off", [][]step{{}, says("Hello.")},
			`[a][a, restart later "a: ask for a reply: the reply was cut off: the stream ended without a finish reason", a m is asked again]Hello.= stop`, -1},
		{"cut off after text", [][]step{{text("Hel")}},
			`[a]Hel[b, restart later "a: ask for a reply: the reply was cut off: the stream ended without a finish reason", a m failed]From b.= stop`, 0},
		{"cannot answer this", [][]step{{fails(llm.Elsewhere, "bad request")}},
			`[a][b, restart elsewhere "a: bad request", a m failed]From b.= stop`, 0},
		{"broken", [][]step{{fails(llm.Broken, "no key")}}, `[a][b, restart broken "a: no key", a m failed]From b.= stop`, 0},
		{"nobody can", [][]step{{fails(llm.Nobody, "no")}}, `[a]= a: no`, 0},
		{"unknown", [][]step{{step{err: errors.New("odd")}}},
			`[a][b, restart elsewhere "a: ask for a reply: odd", a m failed]From b.= stop`, 0},
		{"too long, and cannot be shortened", [][]step{{fails(llm.TooLong, "full")}},
			`[a][b, restart too_long "a: full", a m failed]From b.= stop`, 0},
		{"empty", [][]step{{stop}, says("Hello.")},
			`[a][a, restart later "a: ask for a reply: the reply was empty", a m is asked again]Hello.= stop`, -1},
		{"empty for want of tokens", [][]step{{finish(llm.Length)}},
			`[a][a, restart later "a: ask for a reply: the reply was empty", a m is asked again]` +
				`[b, restart later "a: ask for a reply: the reply was empty", a m failed]From b.= stop`, -1},
		{"refused", [][]step{{finish(llm.Refusal)}}, `[a]= refusal`, 0},
		{"filtered", [][]step{{finish(llm.Filtered)}}, `[a]= filtered`, 0},
		{"calls", [][]step{{step{chunk: &llm.Chunk{Call: &llm.Call{Name: "order"}}}, finish(llm.Calls)}}, `[a]= calls`, 0},
		{"silent from the start", [][]step{{stall}},
			`[a][b, restart later "a: ask for a reply: it took too long: nothing came for 20s (limit first_token)", a m failed]From b.= stop`, 20 * time.Second},
		{"silent in the middle", [][]step{{wait(19 * time.Second), text("Hel"), stall}},
			`[a]Hel[b, restart later "a: ask for a reply: it took too long: nothing came for 20s (limit between)", a m failed]From b.= stop`, 39 * time.Second},
		{"never done", [][]step{{step{deaf: true}}},
			`[a]` + strings.Repeat("la ", 109) +
				`[b, restart later "a: ask for a reply: it took too long: the reply was not whole after 2m0s (limit whole)", a m failed]From b.= stop`, 121 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				got := play(t.Context(), paid(c.a, [][]step{says("From b.")}), llm.Request{})
				check(t, "Stream", got, c.want)
				took := time.Since(begun)
				if c.took >= 0 && took != c.took || c.took < 0 && (took < 200*time.Millisecond || took > 600*time.Millisecond) {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
}

func TestNoModel(t *testing.T) {
	check(t, "Stream", play(t.Context(), client(), llm.Request{}), "= no model is configured")
}

// A client with one model that costs asks it twice more.
func TestOnlyOneModelCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := provider("a", []step{busy})
		got := play(t.Context(), client(model(a), free(provider("quote", says("From quote.")))), llm.Request{})
		again := `[a, restart later "a: busy", a m is asked again]`
		check(t, "Stream", got, "[a]"+again+again+`[quote, restart later "a: busy", a m failed]From quote.= stop`)
	})
}

func TestTheLastErrorIsTold(t *testing.T) {
	a, b := provider("a", []step{fails(llm.Elsewhere, "one")}), provider("b", []step{{err: fault("b", llm.Elsewhere, "two")}})
	got := play(t.Context(), client(model(a), model(b)), llm.Request{})
	check(t, "Stream", got, `[a][b, restart elsewhere "a: one", a m failed]= b: two`)
}

// Free models are asked once: no retry, and an empty answer is their answer.
func TestFreeModels(t *testing.T) {
	c := client(free(provider("a", []step{busy})), free(provider("b", []step{stop})))
	check(t, "Stream", play(t.Context(), c, llm.Request{}), `[a][b, restart later "a: busy", a failed]= stop`)
	check(t, "Health", len(c.Health()), 0)
	for range 10 {
		play(t.Context(), c, llm.Request{})
	}
	check(t, "asked", c.Models[0].Provider.(*fake).asked(), 11)
}

// The consumer may take its time: that is not the provider's.
func TestTheConsumersTimeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := paid([][]step{{text("a"), wait(15 * time.Second), text("b"), wait(15 * time.Second), text("c"), stop}})
		var end llm.Finish
		for k, err := range c.Stream(t.Context(), llm.Request{}, nil) {
			if err != nil {
				t.Fatal(err)
			}
			end = k.Finish
			time.Sleep(time.Hour)
		}
		check(t, "Finish", end, llm.Stop)
	})
}

func TestLimitsAreOfTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		limits llm.Limits
		steps  []step
		want   time.Duration
	}{
		{llm.Limits{FirstToken: time.Second}, []step{stall}, time.Second},
		{llm.Limits{Between: time.Second}, []step{wait(3 * time.Second), text("a"), stall}, 4 * time.Second},
		{llm.Limits{Whole: 5 * time.Second}, []step{wait(3 * time.Second), text("a"), wait(3 * time.Second)}, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := paid([][]step{c.steps})
			client.Limits = c.limits
			begun := time.Now()
			play(t.Context(), client, llm.Request{})
			check(t, "time", time.Since(begun), c.want)
		})
	}
}

// What only the Client may say, a provider cannot.
func TestProvidersDoNotSpeakForTheClient(t *testing.T) {
	lie := llm.Chunk{Text: "a", Provider: "x", Model: "x", Reason: "x", Restart: true, Error: "x", Fault: llm.Later,
		Prompt: []chat.Part{{Name: "x"}}, Lost: &chat.Attempt{}}
	chunks := 0
	for k, err := range paid([][]step{{step{chunk: &lie}, stop}}).Stream(t.Context(), llm.Request{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if chunks++; chunks == 2 {
			got, _ := json.Marshal(k)
			check(t, "chunk", string(got), `{"text":"a"}`)
		}
	}
	check(t, "chunks", chunks, 3)
}

// Each attempt is told what the customer has seen by then, also the free one.
func TestSaid(t *testing.T) {
	a, b, quote := provider("a", []step{text("One. Tw"), busy}), provider("b", []step{text("Two. Th"), busy}), provider("quote", says("Three."))
	c := client(model(a), model(b), free(quote))
	seen := chat.Text("")
	for k, err := range c.Stream(t.Context(), llm.Request{}, func() chat.Text { return seen }) {
		if err != nil {
			t.Fatal(err)
		}
		if k.Restart { // the gate lets out what was whole
			seen += map[string]chat.Text{"b": "One. ", "quote": "Two. "}[k.Provider]
		}
	}
	check(t, "a was told", a.reqs[0].Said, chat.Text(""))
	check(t, "b was told", b.reqs[0].Said, chat.Text("One. "))
	check(t, "quote was told", quote.reqs[0].Said, chat.Text("One. Two. "))
	check(t, "model", b.reqs[0].Model, "m")
	check(t, "model", quote.reqs[0].Model, "")
}

// Shortening: once for a model, to its window; the next model gets the whole request.
func TestTooLong(t *testing.T) {
	words := func(n int) []llm.Message {
		return []llm.Message{{Role: llm.User, Text: strings.TrimSpace(strings.Repeat("word ", n))}}
	}
	full := fails(llm.TooLong, "full")
	for _, c := range []struct {
		name   string
		window int
		words  int
		a      [][]step
		want   string
		room   int
	}{
		{"to the window", 1624, 1000, [][]step{{full}, says("Hello.")},
			`[a][a, restart too_long "a: full", a m is asked again, with less, passages 7]Hello.= stop`, 600},
		{"to a half", 0, 995, [][]step{{full}, says("Hello.")},
			`[a][a, restart too_long "a: full", a m is asked again, with less, passages 7]Hello.= stop`, 500},
		{"to a half of what should have fitted", 4000, 995, [][]step{{full}, says("Hello.")},
			`[a][a, restart too_long "a: full", a m is asked again, with less, passages 7]Hello.= stop`, 500},
		{"and again too long", 0, 995, [][]step{{full}},
			`[a][a, restart too_long "a: full", a m is asked again, with less, passages 7][b, restart too_long "a: full", a m failed]From b.= stop`, 500},
		{"and then busy", 0, 995, [][]step{{full}, {busy}, says("Hello.")},
			`[a][a, restart too_long "a: full", a m is asked again, with less, passages 7][a, restart later "a: busy", a m is asked again, passages 7]Hello.= stop`, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl := paid(c.a, [][]step{says("From b.")})
				cl.Models[0].Window = c.window
				l := &ledger{}
				room := 0
				req := llm.Request{Messages: words(c.words), Budget: l}
				req.Shorter = func(n int) (llm.Request, []chat.Part, bool) {
					room = n
					return llm.Request{Messages: words(3), Shorter: req.Shorter}, []chat.Part{{Name: "passages", Tokens: 7}}, true
				}
				check(t, "Stream", play(t.Context(), cl, req), c.want)
				check(t, "room", room, c.room)
				a, other := cl.Models[0].Provider.(*fake), cl.Models[1].Provider.(*fake)
				check(t, "reservations", len(l.spends), a.asked()+other.asked())
				check(t, "shorter request", len(a.reqs[1].Messages[0].Text), 14)
				for _, r := range other.reqs {
					check(t, "request of b", len(r.Messages[0].Text), 5*c.words-1)
				}
			})
		})
	}
	t.Run("nothing can be left out", func(t *testing.T) {
		req := llm.Request{Shorter: func(int) (llm.Request, []chat.Part, bool) { return llm.Request{}, nil, false }}
		got := play(t.Context(), paid([][]step{{full}}, [][]step{says("From b.")}), req)
		check(t, "Stream", got, `[a][b, restart too_long "a: full", a m failed]From b.= stop`)
	})
}

// When the context ends, so does the stream, with the cause.
func TestTheEndOfTheContext(t *testing.T) {
	stopped := errors.New("stopped")
	for name, steps := range map[string][]step{
		"in the silence":       {stall},
		"between two attempts": {busy},
		"in the middle":        {text("a"), stall},
		"a deaf provider":      {step{deaf: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(100*time.Millisecond, func() { cancel(stopped) })
				c := paid([][]step{steps}, [][]step{says("From b.")})
				var last error
				for _, err := range c.Stream(ctx, llm.Request{}, nil) {
					last = err
				}
				if !errors.Is(last, stopped) {
					t.Errorf("Stream ended with %v, want %v", last, stopped)
				}
				check(t, "calls of a", c.Models[0].Provider.(*fake).asked(), 1)
				check(t, "calls of b", c.Models[1].Provider.(*fake).asked(), 0)
			})
		})
	}
}

// A budget that gives up with the context is not the reason.
func TestTheEndOfTheContextInTheBudget(t *testing.T) {
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	check(t, "Stream", play(ctx, paid([][]step{says("Hello.")}), llm.Request{Budget: &ledger{deny: ctx.Err()}}), "= stopped")
}

func TestPlan(t *testing.T) {
	c := paid(nil, nil)
	c.Models = append(c.Models, llm.Only(provider("q"))...)
	c.Reason = "it is configured"
	got, _ := json.Marshal(c.Plan())
	check(t, "Plan", string(got), `{"provider":"a","model":"m","reason":"it is configured","others":["b","q"]}`)
}

// Whoever leaves the loop ends the call, wherever that is.
func TestLeaving(t *testing.T) {
	for leave, used := range []string{"a m 125+50: 0+0", "a m 125+50: 100+1", "b m 125+50: 0+0", "b m 125+50: 100+1", "b m 125+50: 100+2"} {
		b := &ledger{}
		c := paid([][]step{{text("a"), busy}}, [][]step{says("b", "c")})
		for range c.Stream(t.Context(), request(b), nil) {
			if leave--; leave < 0 {
				break
			}
		}
		b.check(t)
		check(t, "settled", b.lines[len(b.lines)-1], used)
		for _, m := range c.Models {
			check(t, "running calls", m.Provider.(*fake).running, 0)
		}
	}
}

// A panic of a provider is not ours, but what the call held is given back.
func TestPanic(t *testing.T) {
	b := &ledger{}
	c := paid([][]step{{text("a"), step{crash: "ouch"}}})
	func() {
		defer func() { check(t, "panic", recover(), any("ouch")) }()
		play(t.Context(), c, llm.Request{Budget: b})
	}()
	b.check(t)
}

// A client of some models asks these alone, and knows what the whole one has learned.
func TestOf(t *testing.T) {
	whole := client(model(provider("a", says("A."))), model(provider("b", append(steps("fff"), says("B."))...)), free(provider("q", says("Quote."))))
	some := whole.Of(whole.Models[1:], "named")
	if p := some.Plan(); p.Provider != "b" || p.Reason != "named" || strings.Join(p.Others, " ") != "q" {
		t.Errorf("the plan is %+v", p)
	}
	check(t, "asked", sequence(t, some, 4), "bq bq bq q")
	check(t, "what the whole one knows", whole.Health()[1].State, llm.BreakerOpen)
}
