package inbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
	"github.com/answerable/answerable/internal/turn"
)

const (
	callUs   = "Please call us."
	handover = "A person from our team will answer you here."
)

// offs are the two ways of switching off, and what a customer may be told after it.
func offs() map[string]chat.Off {
	people := chat.Off{Assistant: "demo", To: chat.OffToPeople, By: "ops", At: chat.Now()}
	line := people
	line.To, line.Line = chat.OffToLine, callUs
	return map[string]chat.Off{handover: people, callUs: line}
}

// TestOffIsObeyedByATurnThatIsTakenUp: the process that switched off died before it had
// ended what ran. Who goes on with the turn says no more.
func TestOffIsObeyedByATurnThatIsTakenUp(t *testing.T) {
	for said, off := range offs() {
		t.Run(string(off.To), func(t *testing.T) {
			w := newWorld(t, script(t, "One. Two. Three\nstall"))
			p := w.start()
			id := w.create()
			w.accept(p, id, "first")
			w.until(id, shows("Two."))
			p.leave()

			in := &inbox.Inbox{Store: switchedOff{w.store, off}, Node: chat.NewNodeID(), Resumes: true,
				Runner: func(string) *turn.Runner { return &w.runner }, Limits: inbox.Limits{Stop: time.Nanosecond}, Log: slog.New(slog.DiscardHandler)}
			if err := in.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			p = &process{in, stop, make(chan error, 1)}
			go func() { p.done <- in.Run(ctx) }()
			t.Cleanup(p.leave)
			events := w.idle(id)
			want := []string{"message.accepted first", "turn.started", "text One. Two.\n\n" + said, "turn.ended refused"}
			if off.To == chat.OffToPeople {
				want = []string{"message.accepted first", "turn.started", "text One. Two.", "handoff", "text \n\n" + said, "turn.ended handed_over", "owner queue"}
			}
			wantLines(t, events, want...)
			w.checkTurns(id, events)
		})
	}
}

// switchedOff is a store in which a turn that is taken up is an assistant's that is off.
type switchedOff struct {
	*store.Store
	off chat.Off
}

func (s switchedOff) OpenTurn(ctx context.Context, id chat.ConversationID, turn chat.TurnID, node chat.NodeID) (chat.OpenTurn, error) {
	o, err := s.Store.OpenTurn(ctx, id, turn, node)
	o.Off = &s.off
	return o, err
}

// TestNothingIsSaidAfterOff: once SwitchOff has returned, no conversation shows anything
// of the assistant's but the line, whatever was under way.
func TestNothingIsSaidAfterOff(t *testing.T) {
	const answers = "itl 2ms\nOne. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten."
	for said, off := range offs() {
		t.Run(string(off.To), func(t *testing.T) {
			w := newWorld(t, script(t, answers))
			p := w.start()
			p.Limits.Quiet = 5 * time.Millisecond
			nothingAfter(t, w, []*process{p}, off, said)
		})
		t.Run(string(off.To)+", two nodes", func(t *testing.T) {
			url := storetest.Database(t)
			a, b := newNode(t, url, answers), newNode(t, url, answers)
			nothingAfter(t, a.world, []*process{a.process, b.process}, off, said)
			a.rest()
			b.rest()
		})
	}
}

func nothingAfter(t *testing.T, w *world, nodes []*process, off chat.Off, said string) {
	t.Helper()
	var ids []chat.ConversationID
	for range 24 {
		ids = append(ids, w.create())
	}
	var customers sync.WaitGroup
	begun, goOn := make(chan struct{}, 1000), make(chan struct{})
	for i := range 8 {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		customers.Go(func() {
			for k := range 30 {
				id := ids[r.IntN(len(ids))]
				if _, err := nodes[k%len(nodes)].Accept(t.Context(), chat.Incoming{Conversation: id, Text: chat.Text(fmt.Sprint("message ", i, ".", k))}); err != nil {
					t.Error(err)
				}
				begun <- struct{}{}
				if k == 20 {
					<-goOn // some come surely after it
				}
				wait(time.Duration(r.IntN(8)) * time.Millisecond)
			}
		})
	}
	for range 100 {
		<-begun
	}
	began := time.Now()
	if err := nodes[0].SwitchOff(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	t.Logf("switched off after %v", time.Since(began).Round(time.Millisecond))
	last := map[chat.ConversationID]int64{}
	for _, id := range ids {
		c, err := w.store.Conversation(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		last[id] = c.Seq
	}
	close(goOn)
	customers.Wait()
	cut, later := 0, 0
	for _, id := range ids {
		events := w.idle(id)
		w.checkTurns(id, events)
		for _, e := range events {
			if e.Kind == chat.KindHandoff || e.Kind == chat.KindText && strings.Contains(string(e.Body), said) {
				cut++
			}
			if e.Seq <= last[id] || e.Kind != chat.KindText {
				continue
			}
			later++
			if b, err := chat.Decode[chat.TextShown](e); err != nil || b.Text != said {
				t.Errorf("event %d, behind %d, shows %q (%v)", e.Seq, last[id], b.Text, err)
			}
		}
	}
	if cut == 0 || later == 0 && off.To == chat.OffToLine {
		t.Errorf("%d turns were cut, %d texts came later: the test shows nothing", cut, later)
	}
}

// TestOffOnAnotherNode cuts what another node answers at once, and the node stops asking
// its model.
func TestOffOnAnotherNode(t *testing.T) {
	for said, off := range offs() {
		t.Run(string(off.To), func(t *testing.T) {
			url := storetest.Database(t)
			a, b := newNode(t, url, "One. Two. Three\nstall"), newNode(t, url, "B speaks.")
			id := a.create()
			a.accept(a.process, id, "first")
			b.until(id, shows("Two."))
			began := time.Now()
			if err := b.SwitchOff(t.Context(), off); err != nil {
				t.Fatal(err)
			}
			b.until(id, ended)
			a.rest()
			soon(t, "cut", began)
			want := []string{"message.accepted first", "turn.started", "text One. Two.\n\n" + said, "turn.ended refused"}
			if off.To == chat.OffToPeople {
				want = []string{"message.accepted first", "turn.started", "text One. Two.", "handoff", "turn.ended handed_over", "owner queue"}
			}
			events := b.idle(id)
			wantLines(t, events, want...)
			b.checkTurns(id, events)
			past, err := b.store.Turn(t.Context(), events[0].Turn)
			if err != nil {
				t.Fatal(err)
			}
			if len(past.Record.Attempts) != 1 || past.Record.Input != "first" {
				t.Errorf("the record is not the whole: %+v", past.Record)
			}
		})
	}
}
