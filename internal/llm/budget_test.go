package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// ledger is a Budget that writes down what it is told. The zero value has room for all.
type ledger struct {
	mu      sync.Mutex
	deny    error // from the call number after on
	after   int
	spends  map[string]llm.Spend
	settled map[string]chat.Usage
	lines   []string
	wrong   []string
}

func (l *ledger) Reserve(_ context.Context, s llm.Spend) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deny != nil && len(l.spends) >= l.after {
		return l.deny
	}
	if l.spends == nil {
		l.spends, l.settled = map[string]llm.Spend{}, map[string]chat.Usage{}
	}
	if _, ok := l.spends[s.ID]; ok || s.ID == "" {
		l.wrong = append(l.wrong, "the ID "+s.ID+" is not unique")
	}
	l.spends[s.ID] = s
	return nil
}

func (l *ledger) Settle(_ context.Context, s llm.Spend, used chat.Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.settled[s.ID]; ok || l.spends[s.ID] != s {
		l.wrong = append(l.wrong, fmt.Sprintf("%+v was settled twice, or not reserved", s))
	}
	l.settled[s.ID] = used
	l.lines = append(l.lines, fmt.Sprintf("%s %s %d+%d: %d+%d", s.Provider, s.Model, s.Input, s.Output, used.Input, used.Output))
}

// check reports what was not settled exactly once.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wrong {
		t.Error(w)
	}
	if len(l.settled) != len(l.spends) {
		t.Errorf("%d of %d reservations were settled", len(l.settled), len(l.spends))
	}
}

// 100 words make 100 tokens and what is around a message; a fourth more may become of them.
func request(b llm.Budget) llm.Request {
	return llm.Request{Budget: b, MaxTokens: 50, Messages: []llm.Message{{Role: llm.User, Text: strings.TrimSpace(strings.Repeat("word ", 95))}}}
}

func TestEachAttemptIsReservedAndSettled(t *testing.T) {
	refused := step{err: &llm.Error{Provider: "a", Fault: llm.Later, Status: 503, Err: errors.New("busy")}}
	for _, c := range []struct {
		name string
		a    [][]step
		want []string
	}{
		{"counted by the provider", [][]step{{text("Hello"), usage(90, 7), stop}}, []string{"a m 125+50: 90+7"}},
		{"not counted", [][]step{says("Hello ", "there")}, []string{"a m 125+50: 100+2"}},
		{"counted at the beginning, then cut off", [][]step{{usage(90, 1), text("Hello "), text("there ")}},
			[]string{"a m 125+50: 90+2", "b m 125+50: 100+1"}},
		{"refused by the vendor", [][]step{{refused}, says("Hello")}, []string{"a m 125+50: 0+0", "a m 125+50: 100+1"}},
		{"failed, who knows where", [][]step{{busy}, says("Hello")}, []string{"a m 125+50: 100+0", "a m 125+50: 100+1"}},
		{"empty", [][]step{{step{chunk: &llm.Chunk{Finish: llm.Stop, Usage: &chat.Usage{Input: 90, Output: 9}}}}, says("Hello")},
			[]string{"a m 125+50: 90+9", "a m 125+50: 100+1"}},
		{"a lie", [][]step{{text("Hello"), usage(-5, -5), stop}}, []string{"a m 125+50: 0+0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &ledger{}
				play(t.Context(), paid(c.a, [][]step{says("Hello")}), request(b))
				check(t, "settled", strings.Join(b.lines, "\n"), strings.Join(c.want, "\n"))
				b.check(t)
			})
		})
	}
}

// The record has the usage of an empty reply too.
func TestTheUsageOfAnEmptyReplyIsYielded(t *testing.T) {
	c := client(model(provider("a", []step{{chunk: &llm.Chunk{Finish: llm.Stop, Usage: &chat.Usage{Input: 90}}}})))
	synctest.Test(t, func(t *testing.T) {
		input := 0
		for k := range c.Stream(t.Context(), llm.Request{}, nil) {
			if k.Usage != nil {
				input += k.Usage.Input
			}
		}
		check(t, "input", input, 270)
	})
}

func TestABudgetIsOver(t *testing.T) {
	over := errors.New("nothing is left for today")
	quote := provider("quote", says("From quote."))
	a, b := provider("a", []step{busy}), provider("b", says("From b."))

	t.Run("from the start", func(t *testing.T) {
		l := &ledger{deny: over}
		got := play(t.Context(), client(model(a), model(b), free(quote)), request(l))
		check(t, "Stream", got, `[quote, a m is not asked: nothing is left for today]From quote.= stop`)
	})
	t.Run("after an attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{deny: over, after: 1}
			got := play(t.Context(), client(model(a), model(b), free(quote)), request(l))
			check(t, "Stream", got, `[a][quote, restart later "a: busy", a m is asked again; a m is not asked: nothing is left for today]From quote.= stop`)
			l.check(t)
		})
	})
	t.Run("and nobody is free", func(t *testing.T) {
		var err error
		for _, err = range client(model(a), model(b)).Stream(t.Context(), request(&ledger{deny: over}), nil) {
		}
		if !errors.Is(err, over) {
			t.Errorf("Stream ended with %v, want %v", err, over)
		}
		synctest.Test(t, func(t *testing.T) {
			got := play(t.Context(), client(model(a), model(b)), request(&ledger{deny: over, after: 1}))
			check(t, "Stream", got, `[a]= a: busy; a m is not asked: nothing is left for today`)
		})
	})
	check(t, "calls of b", b.asked(), 0)
}

// What is free is not reserved.
func TestFreeModelsHaveNoBudget(t *testing.T) {
	l := &ledger{deny: errors.New("no")}
	got := play(t.Context(), client(free(provider("a", says("Hello.")))), request(l))
	check(t, "Stream", got, "[a]Hello.= stop")
}

// All that a model is told counts.
func TestTheWholeRequestIsCounted(t *testing.T) {
	five := "one two six ten now"
	req := llm.Request{
		System:   []llm.Block{{Text: five}},
		Messages: []llm.Message{{Text: five, Calls: []llm.Call{{Name: "order", Arguments: []byte("id")}}}, {Results: []llm.Result{{Text: five}}}},
		Tools:    []llm.Tool{{Name: "order", Description: five, Parameters: []byte("id")}},
		Schema:   &llm.Schema{Schema: []byte(five)},
		GoOn:     five,
	}
	for said, want := range map[chat.Text]int{"": 74, "Hello you": 83} { // 59 and 66, and a fourth
		l := &ledger{}
		req.Budget = l
		c := client(model(provider("a", says("Hello."))))
		playFrom(c.Stream(t.Context(), req, func() chat.Text { return said }))
		for _, s := range l.spends {
			check(t, "input", s.Input, want)
			check(t, "output", s.Output, 1024)
		}
	}
}

// Our count is the least certain for Thai.
func TestMoreIsReservedForThai(t *testing.T) {
	l := &ledger{}
	req := request(l)
	req.Language = "th"
	play(t.Context(), paid([][]step{says("Hello")}), req)
	check(t, "settled", l.lines[0], "a m 170+50: 100+1")
}

func TestTurnLimit(t *testing.T) {
	ctx := t.Context()
	spend := func(id string) llm.Spend { return llm.Spend{ID: id, Input: 100, Output: 50} }
	t.Run("calls", func(t *testing.T) {
		l := llm.NewTurnLimit(2, 0, chat.Attempt{})
		check(t, "first", l.Reserve(ctx, spend("1")), nil)
		l.Settle(ctx, spend("1"), chat.Usage{})
		if err := l.Reserve(ctx, spend("2")); err == nil || err.Error() != "the turn has made the 2 calls that it may make" {
			t.Errorf("Reserve = %v", err)
		}
	})
	t.Run("tokens", func(t *testing.T) {
		l := llm.NewTurnLimit(0, 500, chat.Attempt{Usage: chat.Usage{Input: 90, Output: 10}})
		check(t, "first", l.Reserve(ctx, spend("1")), nil)
		check(t, "second", l.Reserve(ctx, spend("2")), nil)
		if err := l.Reserve(ctx, spend("3")); err == nil || err.Error() != "the turn may take 500 tokens and has 100 left, but the call may need 150" {
			t.Errorf("Reserve = %v", err)
		}
		for range 2 { // the second time it is settled already
			l.Settle(ctx, spend("2"), chat.Usage{Input: 60, Output: 40})
		}
		check(t, "third", l.Reserve(ctx, spend("3")), nil)
	})
	t.Run("none", func(t *testing.T) {
		l := llm.NewTurnLimit(0, 0)
		for i := range 100 {
			check(t, "Reserve", l.Reserve(ctx, spend(fmt.Sprint(i))), nil)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		l := llm.NewTurnLimit(0, 1500)
		var wg sync.WaitGroup
		var mu sync.Mutex
		admitted := 0
		for i := range 100 {
			wg.Go(func() {
				if l.Reserve(ctx, spend(fmt.Sprint(i))) == nil {
					mu.Lock()
					admitted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		check(t, "admitted", admitted, 10)
	})
}
