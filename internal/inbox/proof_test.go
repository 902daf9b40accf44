package inbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm/extractive"
)

// long is how often a proof runs: in short with every test run, in long by make proof-….
func long(t *testing.T, short, long int) int {
	n := short
	if os.Getenv("ANSWERABLE_PROOF") == "long" {
		n = long
	}
	t.Logf("%d runs", n)
	return n
}

// TestReplayRandomTurns answers turns that are stopped, merged, taken over, failed over
// and left by dying processes at random, and replays each.
func TestReplayRandomTurns(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	turns := long(t, 150, 500)
	r := rand.New(rand.NewPCG(seed, 1))
	for turns > 0 {
		n := min(turns, 25)
		turns -= n
		t.Run(fmt.Sprint(turns), func(t *testing.T) { randomTurns(t, r, n) })
	}
}

func randomTurns(t *testing.T, r *rand.Rand, n int) {
	w := newWorld(t, script(t, randomScript(r, 40)), script(t, randomScript(r, 40)), extractive.New())
	if r.IntN(2) == 0 {
		w.runner.Rules.Unit = chat.Word
	}
	w.runner.Rules.Forbidden = []string{"sure thing", "perhaps"}
	p := w.start()
	var ids []chat.ConversationID
	for range n {
		id := w.create()
		ids = append(ids, id)
		if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "a question", Final: r.IntN(4) == 0}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 * n {
		wait(time.Duration(r.IntN(12)) * time.Millisecond)
		id := ids[r.IntN(n)]
		var err error
		switch k := r.IntN(20); {
		case k < 4:
			_, err = p.Stop(t.Context(), id)
		case k < 12:
			_, err = p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "one more"})
		case k < 13:
			_, err = p.HandOff(t.Context(), id, chat.Handoff{Reason: "asked", Trigger: "customer"})
		case k < 14:
			_, err = p.Release(t.Context(), id, chat.Bot)
		case k < 15:
			p.leave()
			p = w.start()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	outcomes := map[string]int{}
	for _, id := range ids {
		events := w.idle(id)
		for _, line := range strings.Split(lines(events), "\n") {
			if strings.HasPrefix(line, "turn.ended") || line == "retract" {
				outcomes[line]++
			}
		}
		w.checkTurns(id, events)
	}
	t.Log(outcomes)
}

// randomScript is answers of a few sentences with pauses, some of which break off.
func randomScript(r *rand.Rand, n int) string {
	words := strings.Fields("parcel return shoes days sure thing perhaps money 14 always the of is a receipt please e.g. Mr. 3.50 [1] \"yes\"")
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString("---\n")
		}
		fmt.Fprintf(&b, "ttft %dms\nitl %dms\n", r.IntN(30), r.IntN(8))
		for range 1 + r.IntN(4) {
			b.WriteString("text")
			for range 2 + r.IntN(12) {
				b.WriteString(" " + words[r.IntN(len(words))])
			}
			b.WriteString([]string{".", "!", "?", ":", ""}[r.IntN(5)] + "\n")
		}
		switch r.IntN(8) {
		case 0:
			b.WriteString("cut\n")
		case 1:
			b.WriteString("error elsewhere \"down\"\n")
		case 2:
			b.WriteString("finish refusal\n")
		}
	}
	return b.String()
}

// TestTakeoverRaces lets a bot whose answer is ready race an agent who takes over.
func TestTakeoverRaces(t *testing.T) {
	w := newWorld(t, script(t, "itl 8ms\nYour parcel has left. It comes tomorrow. \n---\nitl 4ms\nYour parcel has left. It comes tomorrow."))
	p := w.start()
	races := long(t, 1000, 10_000)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	outcomes := map[string]int{}
	for races > 0 {
		n := min(races, 20)
		races -= n
		ids := make([]chat.ConversationID, n)
		var wg sync.WaitGroup
		for i := range n {
			pause := time.Duration(r.IntN([]int{20_000, 60_000}[r.IntN(2)])) * time.Microsecond
			wg.Go(func() {
				ids[i] = w.create()
				w.accept(p, ids[i], "where is it?")
				wait(pause)
				if _, err := p.Take(t.Context(), ids[i], "Ann"); err != nil && !errors.Is(err, chat.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			events := w.idle(id)
			w.checkTurns(id, events)
			for _, line := range strings.Split(lines(events), "\n") {
				if strings.HasPrefix(line, "turn.ended") {
					outcomes[line]++
				}
			}
		}
	}
	t.Log(outcomes)
	if len(outcomes) < 2 {
		t.Error("all races went one way: they prove nothing")
	}
}
