package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
	"github.com/answerable/answerable/internal/turn"
)

// node is one of several servers on a PostgreSQL database.
type node struct {
	*world
	*process
	silent *atomic.Bool // it renews no lease, adopts nothing and does not take its leave
	ended  *atomic.Int64
}

// newNode starts a server on a database. Its parts are put together as app.Run does.
func newNode(t *testing.T, url string, answers string) *node {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Postgres: url, Key: store.Key{7}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	n := &node{world: &world{TB: t, store: s, feed: &feed.Feed{Log: s}}, silent: &atomic.Bool{}, ended: &atomic.Int64{}}
	s.Announce = n.feed.Publish
	n.runner = turn.Runner{Build: "test", Store: turnStore{s}, Model: &llm.Client{Models: llm.Only(script(t, answers))},
		Rules: turn.Rules{Unit: chat.Sentence, Claims: guard.Claims{Off: true}}, Log: slog.New(slog.DiscardHandler)}
	in := &inbox.Inbox{Store: lease{s, n.silent}, Node: chat.NewNodeID(), Shared: true, Resumes: true,
		Runner: func(string) *turn.Runner { return &n.runner }, Ended: func(chat.Turn) { n.ended.Add(1) },
		Limits: inbox.Limits{Stop: time.Nanosecond, Quiet: 50 * time.Millisecond}, Log: slog.New(slog.DiscardHandler)}
	if err := in.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	n.process = &process{in, stop, make(chan error, 1)}
	joined := make(chan struct{}, 8)
	go func() {
		var listening sync.WaitGroup
		listen, deaf := context.WithCancel(context.WithoutCancel(ctx))
		listening.Go(func() {
			hint := func(id chat.ConversationID, seq int64) {
				n.feed.Hint(id, seq)
				if err := in.Look(listen, id); err != nil && listen.Err() == nil {
					t.Error(err)
				}
			}
			joins := func() { n.feed.HintAll(); joined <- struct{}{} }
			if err := s.Listen(listen, store.Heard{Hint: hint, Signal: in.Signal, Joined: joins}); err != nil {
				t.Error(err)
			}
		})
		err := in.Run(ctx)
		deaf()
		listening.Wait()
		n.done <- err
	}()
	<-joined
	t.Cleanup(n.leave)
	return n
}

// lease is a store that a silent node does not tell of its life.
type lease struct {
	*store.Store
	silent *atomic.Bool
}

var errSilent = errors.New("the node is silent")

func (l lease) Renew(ctx context.Context, id chat.NodeID) error {
	if l.silent.Load() {
		return errSilent
	}
	return l.Store.Renew(ctx, id)
}

func (l lease) Leave(ctx context.Context, id chat.NodeID) error {
	if l.silent.Load() {
		return nil
	}
	return l.Store.Leave(ctx, id)
}

// die ends the node as kill -9 would: others learn of it when its lease runs out.
func (n *node) die() {
	n.silent.Store(true)
	n.leave()
}

// soon fails when something takes longer than a second.
func soon(t *testing.T, what string, began time.Time) {
	t.Helper()
	d := time.Since(began)
	t.Logf("%s after %v", what, d.Round(time.Millisecond))
	if d > time.Second {
		t.Errorf("%s after %v, want a second at most", what, d)
	}
}

func (n *node) rest() {
	n.Helper()
	for range 2000 {
		if n.Running() == 0 {
			return
		}
		wait(5 * time.Millisecond)
	}
	n.Fatal("a turn is still answered")
}

// TestTypingThroughAnotherNode merges on one node while the customer types through the
// other: for twice as long as quiet lasts, nothing is asked.
func TestTypingThroughAnotherNode(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "when more\nYes.\n---\nttft 1h\nNever."), newNode(t, url, "B speaks.")
	const quiet = time.Second
	a.Limits.Quiet, a.Limits.Burst = quiet, time.Hour
	id := a.create()
	a.accept(a.process, id, "first")
	a.accept(a.process, id, "more")
	types := func(typing bool) {
		b.store.Signal(id, chat.NewSignal(chat.Typing{By: chat.Customer, Typing: typing}))
	}
	for began := time.Now(); time.Since(began) < 2*quiet; wait(20 * time.Millisecond) {
		types(true)
	}
	if c, err := a.store.Conversation(t.Context(), id); err != nil || c.Turn == "" {
		t.Fatalf("the turn has ended (%v) while the customer typed:\n%s", err, lines(a.idle(id)))
	}
	types(false)
	a.checkTurns(id, a.until(id, ended))
}

func TestAStopThroughAnotherNode(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "One. Two. Three\nstall"), newNode(t, url, "B speaks.")
	id := a.create()
	a.accept(a.process, id, "first")
	b.until(id, shows("Two.")) // of the other node
	began := time.Now()
	if _, err := b.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	events := b.until(id, ended)
	soon(t, "stopped", began)
	wantLines(t, events, "message.accepted first", "turn.started", "text One. Two.", "turn.ended stopped")
	b.checkTurns(id, b.idle(id))
}

func TestAStopBeforeAnythingThroughAnotherNode(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "stall"), newNode(t, url, "B speaks.")
	for range 10 {
		id := a.create()
		a.accept(a.process, id, "first")
		began := time.Now()
		if _, err := b.Stop(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		b.until(id, ended)
		soon(t, "stopped", began)
		b.checkTurns(id, b.idle(id))
	}
}

func TestAFollowUpThroughAnotherNodeMerges(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "when two\nYou asked {{question}}.\n---\nstall"), newNode(t, url, "B speaks.")
	id := a.create()
	first := a.accept(a.process, id, "one")
	began := time.Now()
	if got := b.accept(b.process, id, "two"); got.Effect != chat.Merges || got.Message.Turn != first.Message.Turn {
		t.Errorf("Accept = %+v", got)
	}
	events := b.until(id, ended)
	soon(t, "answered", began)
	wantLines(t, events, "message.accepted one", "turn.started", "message.accepted two", "text You asked one\ntwo.", "turn.ended answered")
	b.checkTurns(id, b.idle(id))
}

func TestAWaitingTurnOfAnotherNodeFollows(t *testing.T) {
	url := storetest.Database(t)
	a := newNode(t, url, "when two\nA answers both.\n---\nOne. Two\ndelay 500ms\nand three.")
	b := newNode(t, url, "B speaks.")
	id := a.create()
	a.accept(a.process, id, "one")
	b.until(id, hasText)
	if got := b.accept(b.process, id, "two"); got.Effect != chat.Waits {
		t.Errorf("Accept = %+v", got)
	}
	events := b.until(id, twice(ended))
	if got := lines(events); !strings.HasSuffix(got, "turn.started\ntext A answers both.\nturn.ended answered") {
		t.Errorf("events:\n%s", got)
	}
	b.checkTurns(id, b.idle(id))
}

func twice(fits func(chat.Event) bool) func(chat.Event) bool {
	n := 0
	return func(e chat.Event) bool {
		if fits(e) {
			n++
		}
		return n == 2
	}
}

func TestATakeOverThroughAnotherNode(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "One. Two. Three\nstall"), newNode(t, url, "B speaks.")
	id := a.create()
	a.accept(a.process, id, "first")
	b.until(id, shows("Two."))
	began := time.Now()
	if _, err := b.Take(t.Context(), id, "Ann"); err != nil {
		t.Fatal(err)
	}
	a.rest()
	soon(t, "at rest", began)
	events := b.idle(id)
	wantLines(t, events, "message.accepted first", "turn.started", "text One. Two.", "turn.ended handed_over", "owner agent")
	b.checkTurns(id, events)
}

func TestADeadNodesTurnIsResumedByAnother(t *testing.T) {
	url := storetest.Database(t)
	a, b := newNode(t, url, "One. Two. Three\nstall"), newNode(t, url, "Three. Four.")
	id := a.create()
	a.accept(a.process, id, "first")
	b.until(id, shows("Two."))
	began := time.Now()
	a.die()
	events := b.until(id, ended)
	d := time.Since(began)
	t.Logf("ended %v after the death", d)
	if d > store.Lease+2*time.Second {
		t.Errorf("ended %v after the death, want %v at most", d, store.Lease+2*time.Second)
	}
	wantLines(t, events, "message.accepted first", "turn.started", "text One. Two.", "retract", "text Three. Four.", "turn.ended answered")
	b.checkTurns(id, b.idle(id))
}

// A node that was only slow goes on writing after another has taken its turn.
func TestASlowNodeIsFenced(t *testing.T) {
	url := storetest.Database(t)
	a := newNode(t, url, "One. Two. Three\nitl 200ms\nrepeat 30 \"and so on. \"")
	b := newNode(t, url, "B speaks. \ndelay 1s\nB goes on.")
	id := a.create()
	a.accept(a.process, id, "first")
	b.until(id, hasText)
	a.silent.Store(true)
	events := b.until(id, ended)
	a.rest()
	if got := lines(events); !strings.HasSuffix(got, "retract\ntext B speaks. \nB goes on.\nturn.ended answered") && !strings.HasSuffix(got, "retract\ntext B speaks.\nB goes on.\nturn.ended answered") {
		t.Errorf("events:\n%s", got)
	}
	b.checkTurns(id, b.idle(id))
	past, err := b.store.Turn(t.Context(), events[0].Turn)
	if err != nil {
		t.Fatal(err)
	}
	if past.Record.Lives != 2 || a.ended.Load() != 0 {
		t.Errorf("the record is of life %d, want 2; the slow node ended %d turns, want none", past.Record.Lives, a.ended.Load())
	}
	a.silent.Store(false) // it is well again, and serves
	wait(renewed)
	next := a.create()
	a.accept(a.process, next, "again")
	a.until(next, hasText)
	if n := b.Running(); n != 0 {
		t.Errorf("%d turns of a living node were adopted", n)
	}
}

// renewed is long enough for a node to renew its lease.
const renewed = 700 * time.Millisecond

func TestTwoNodesAdoptEachTurnOnce(t *testing.T) {
	const n = 20
	url := storetest.Database(t)
	dead := newNode(t, url, "One. Two. Three\nstall")
	b, c := newNode(t, url, "ttft 100ms\nAnswered."), newNode(t, url, "ttft 100ms\nAnswered.")
	var ids []chat.ConversationID
	for range n {
		id := dead.create()
		dead.accept(dead.process, id, "first")
		ids = append(ids, id)
	}
	for _, id := range ids {
		dead.until(id, shows("Two."))
	}
	dead.die()
	for _, id := range ids {
		b.until(id, ended)
		b.checkTurns(id, b.idle(id))
		past, err := b.store.Turn(t.Context(), b.idle(id)[0].Turn)
		if err != nil {
			t.Fatal(err)
		}
		if past.Record.Lives != 2 {
			t.Errorf("a turn had %d lives, want 2", past.Record.Lives)
		}
	}
	b.rest()
	c.rest()
	t.Logf("adopted and ended: %d and %d", b.ended.Load(), c.ended.Load())
	if got := b.ended.Load() + c.ended.Load(); got != n {
		t.Errorf("%d turns ended, want %d", got, n)
	}
}

// TestTwoNodesWriteAtOnce lets both nodes write to the same few conversations, in any
// order: their transactions may block each other, and then one must be tried again.
func TestTwoNodesWriteAtOnce(t *testing.T) {
	url := storetest.Database(t)
	answers := "itl 5ms\nOne. Two. Three. Four. Five. Six."
	nodes := []*node{newNode(t, url, answers), newNode(t, url, answers)}
	var ids []chat.ConversationID
	for range 6 {
		ids = append(ids, nodes[0].create())
	}
	var wg sync.WaitGroup
	var slowest atomic.Int64
	for i := range 8 {
		n, r := nodes[i%2], rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for k := range 25 {
				began := time.Now()
				id := ids[r.IntN(len(ids))]
				var err error
				if r.IntN(5) == 0 {
					_, err = n.Stop(t.Context(), id)
				} else {
					_, err = n.Accept(t.Context(), chat.Incoming{Conversation: id, Text: chat.Text(fmt.Sprint("message ", i, ".", k))})
				}
				if err != nil {
					t.Error(err)
				}
				for d := int64(time.Since(began)); ; {
					old := slowest.Load()
					if old >= d || slowest.CompareAndSwap(old, d) {
						break
					}
				}
				wait(time.Duration(r.IntN(20)) * time.Millisecond)
			}
		})
	}
	wg.Wait()
	t.Logf("the slowest write took %v", time.Duration(slowest.Load()).Round(time.Millisecond))
	for _, id := range ids {
		nodes[0].checkTurns(id, nodes[1].idle(id))
	}
	for _, n := range nodes {
		n.rest()
	}
}

// A stop comes when a turn was read to be resumed, and before it is under way.
func TestAStopWhileATurnIsTakenUp(t *testing.T) {
	w := newWorld(t, script(t, "One. Two. Three\nstall"))
	p := w.start()
	id := w.create()
	w.accept(p, id, "first")
	w.until(id, shows("Two."))
	p.leave()

	var in *inbox.Inbox
	var stopping sync.WaitGroup
	late := &lateStop{Store: w.store}
	late.then = func(o chat.OpenTurn) {
		stopping.Go(func() {
			if _, err := in.Stop(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
		for !o.Stop {
			var err error
			if o, err = w.store.OpenTurn(t.Context(), id, o.ID, in.Node); err != nil {
				t.Error(err)
				return
			}
		}
	}
	in = &inbox.Inbox{Store: late, Node: chat.NewNodeID(), Resumes: true, Runner: func(string) *turn.Runner { return &w.runner },
		Limits: inbox.Limits{Stop: time.Nanosecond}, Log: w.runner.Log}
	if err := in.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	p = &process{in, stop, make(chan error, 1)}
	go func() { p.done <- in.Run(ctx) }()
	t.Cleanup(p.leave)
	began := time.Now()
	events := w.until(id, ended)
	stopping.Wait()
	soon(t, "stopped", began)
	if got := lines(events); !strings.HasSuffix(got, "turn.ended stopped") {
		t.Errorf("events:\n%s", got)
	}
	w.checkTurns(id, w.idle(id))
}

// lateStop does something behind the first reading of an open turn.
type lateStop struct {
	*store.Store
	once sync.Once
	then func(chat.OpenTurn)
}

func (s *lateStop) OpenTurn(ctx context.Context, id chat.ConversationID, turn chat.TurnID, node chat.NodeID) (chat.OpenTurn, error) {
	o, err := s.Store.OpenTurn(ctx, id, turn, node)
	if err == nil {
		s.once.Do(func() { s.then(o) })
	}
	return o, err
}
