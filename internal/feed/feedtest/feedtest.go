// Package feedtest says in code what following a conversation must do: Run is the
// contract, the names of its subtests are the specification, and both engines run all
// of it.
package feedtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/store"
)

// Run tests feeds over the databases that open makes. Each call of open makes an empty
// one, and returns what opens a store on it: one for each process. Where a database
// belongs to one process, what concerns others is left out.
func Run(t *testing.T, open func(t *testing.T) (process func() *store.Store)) {
	for _, c := range []struct {
		name   string
		shared bool // needs two processes
		test   func(*fixture)
	}{
		{"each event comes once and in order, from any number", false, (*fixture).fromAnyNumber},
		{"a follower may come before the first event", false, (*fixture).early},
		{"a follower may be further behind than the memory reaches", false, (*fixture).farBehind},
		{"a slow follower holds up nobody and misses nothing", false, (*fixture).slow},
		{"many follow, while many write", false, (*fixture).many},
		{"a follower that leaves leaves nothing behind", false, (*fixture).leaves},
		{"a follower above the last number waits for what comes", false, (*fixture).above},
		{"an unknown conversation is an error", false, (*fixture).unknown},
		{"folded events cover what they were made of", false, (*fixture).folded},
		{"a hint without an event is harmless", false, (*fixture).emptyHints},
		{"signals come between the events, to those who follow", false, (*fixture).signals},
		{"a slow follower misses old signals and no event", false, (*fixture).slowSignals},
		{"a signal that follows a hint without an event comes", false, (*fixture).signalAfterHint},
		{"conversations that nobody follows are forgotten, not lost", false, (*fixture).forgotten},
		{"what another process commits is followed", true, (*fixture).elsewhere},
		{"two processes write and both are followed", true, (*fixture).both},
		{"a signal reaches who follows in another process", true, (*fixture).signalsElsewhere},
		{"lost hints are made up for", true, (*fixture).lostHints},
		{"a hint may come while the log is read", true, (*fixture).hintWhileReading},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fixture{T: t, process: open(t)}
			f.node = f.join()
			if c.shared && !f.store.Shared() {
				t.Skip("this database belongs to one process")
			}
			c.test(f)
			f.wantNobody(f.node)
		})
	}
}

type fixture struct {
	*testing.T
	process func() *store.Store
	*node
}

// node is a process: a store and the feed that it announces to.
type node struct {
	store *store.Store
	feed  *feed.Feed
}

func (f *fixture) join() *node {
	f.Helper()
	s := f.process()
	n := &node{s, &feed.Feed{Log: s}}
	s.Announce = n.feed.Publish
	return n
}

// listen hands the hints of other processes to n's feed, and returns when they come.
func (f *fixture) listen(n *node) {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	joined := make(chan struct{}, 8)
	var wg sync.WaitGroup
	wg.Go(func() {
		h := store.Heard{Hint: n.feed.Hint, Signal: n.feed.Signal, Joined: func() { n.feed.HintAll(); joined <- struct{}{} }}
		if err := n.store.Listen(ctx, h); err != nil {
			f.Error(err)
		}
	})
	f.Cleanup(func() { cancel(); wg.Wait() })
	<-joined
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) create() chat.ConversationID {
	f.Helper()
	c, err := f.store.Create(f.Context(), store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	f.check(err)
	return c.ID
}

// write commits n events on a node, one by one: an agent speaks.
func (f *fixture) write(to *node, id chat.ConversationID, n int) {
	f.Helper()
	for range n {
		_, _, err := to.store.Say(f.Context(), "Ann", chat.Incoming{Conversation: id, Text: "word"})
		f.check(err)
	}
}

// taken makes a conversation in which an agent has spoken, and has n events.
func (f *fixture) taken(n int) chat.ConversationID {
	f.Helper()
	id := f.create()
	_, err := f.store.Take(f.Context(), id, "Ann")
	f.check(err)
	f.write(f.node, id, n-1)
	return id
}

// follower is somebody who follows, and looks at each event once.
type follower struct {
	f    *fixture
	next func() (chat.Event, error, bool)
	stop func()
	last int64
}

const patience = 20 * time.Second

func (f *fixture) follow(n *node, id chat.ConversationID, after int64) *follower {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	next, stop := iter.Pull2(n.feed.Follow(ctx, id, after))
	fo := &follower{f: f, next: next, last: after}
	var once sync.Once
	fo.stop = func() { once.Do(func() { cancel(); stop() }) }
	f.Cleanup(fo.stop)
	return fo
}

// to reads on until event seq, and checks that each one follows the one before.
func (fo *follower) to(seq int64) {
	fo.f.Helper()
	for fo.last < seq {
		e, err, ok := fo.next()
		if err != nil || !ok {
			fo.f.Fatalf("event %d does not come: %v", fo.last+1, err)
		}
		if e.Seq != fo.last+1 {
			fo.f.Fatalf("event %d comes after %d", e.Seq, fo.last)
		}
		fo.last = e.Seq
	}
}

// collect reads until event last or the end of patience; for use in other goroutines.
func collect(ctx context.Context, n *node, id chat.ConversationID, after, last int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for e, err := range n.feed.Follow(ctx, id, after) {
		if err != nil {
			return err
		}
		if e.Seq != after+1 {
			return fmt.Errorf("event %d comes after %d", e.Seq, after)
		}
		if after = e.Seq; after == last {
			return nil
		}
	}
	return fmt.Errorf("event %d does not come", after+1)
}

func (f *fixture) wantNobody(n *node) {
	f.Helper()
	if got := n.feed.Followers(); got != 0 && !f.Failed() {
		f.Errorf("%d follow when all have left", got)
	}
}

func (f *fixture) fromAnyNumber() {
	id := f.taken(10)
	cold := &node{f.store, &feed.Feed{Log: f.store}} // has nothing in memory
	for _, n := range []*node{f.node, cold} {
		for after := range int64(10) {
			fo := f.follow(n, id, after)
			fo.to(10)
			fo.stop()
		}
	}
	f.wantNobody(cold)
}

func (f *fixture) early() {
	id := f.create()
	fo := f.follow(f.node, id, 0)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := f.store.Take(f.Context(), id, "Ann")
		if err != nil {
			f.Error(err)
		}
	})
	fo.to(1)
	wg.Wait()
	f.write(f.node, id, 3)
	fo.to(4)
	fo.stop()
}

func (f *fixture) farBehind() {
	id := f.taken(1)
	fo := f.follow(f.node, id, 0)
	fo.to(1)
	f.write(f.node, id, 299) // more than memory has, more than one reading of the log
	fo.to(300)
	fo.stop()
	late := f.follow(f.node, id, 0)
	late.to(300)
	late.stop()
}

func (f *fixture) slow() {
	id := f.taken(1)
	slow, quick := f.follow(f.node, id, 0), f.follow(f.node, id, 0)
	for n := int64(1); n < 150; n++ {
		quick.to(n)
		if n%40 == 1 {
			slow.to(slow.last + 1)
		}
		f.write(f.node, id, 1)
	}
	quick.to(150)
	slow.to(150)
	quick.stop()
	slow.stop()
}

func (f *fixture) many() {
	const writers, each, followers = 8, 25, 40
	ids := []chat.ConversationID{f.taken(1), f.taken(1), f.taken(1)}
	var wg sync.WaitGroup
	for i := range followers {
		wg.Go(func() {
			if err := collect(f.Context(), f.node, ids[i%3], int64(i%2), writers*each+1); err != nil {
				f.Errorf("follower %d: %v", i, err)
			}
		})
	}
	for range writers {
		for _, id := range ids {
			wg.Go(func() {
				for range each {
					if _, _, err := f.store.Say(f.Context(), "Ann", chat.Incoming{Conversation: id, Text: "word"}); err != nil {
						f.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
}

func (f *fixture) leaves() {
	id := f.taken(3)
	for range 50 {
		ctx, cancel := context.WithCancel(f.Context())
		var wg sync.WaitGroup
		wg.Go(func() { // waits for what does not come
			for _, err := range f.feed.Follow(ctx, id, 3) {
				f.Errorf("an event or an error came: %v", err)
			}
		})
		for f.feed.Followers() == 0 {
			<-time.After(time.Microsecond)
		}
		for e, err := range f.feed.Follow(f.Context(), id, 0) { // leaves in the middle
			f.check(err)
			if e.Seq == 2 {
				break
			}
		}
		cancel()
		wg.Wait()
		f.wantNobody(f.node)
	}
}

func (f *fixture) above() {
	id := f.taken(5)
	for _, n := range []*node{f.node, {f.store, &feed.Feed{Log: f.store}}} {
		f.store.Announce = n.feed.Publish
		c, err := f.store.Conversation(f.Context(), id)
		f.check(err)
		last := c.Seq + 3
		done := make(chan error, 1)
		var wg sync.WaitGroup
		wg.Go(func() { done <- collect(f.Context(), n, id, last, last+2) })
		for n.feed.Followers() == 0 {
			<-time.After(time.Microsecond)
		}
		f.write(n, id, 5)
		f.check(<-done)
		wg.Wait()
	}
}

func (f *fixture) unknown() {
	for _, err := range f.feed.Follow(f.Context(), "c-unknown", 0) {
		if !errors.Is(err, chat.NotFound) {
			f.Errorf("Follow = %v, want not found", err)
		}
		return
	}
	f.Error("nothing came")
}

func (f *fixture) folded() {
	id := f.create()
	a, err := f.store.Accept(f.Context(), chat.Incoming{Conversation: id, Text: "hello", Node: "n"}, nil)
	f.check(err)
	st := f.store.Stream(a.Open)
	for range 4 { // events 3 to 6
		f.check(st.Add([]chat.Body{chat.TextShown{Text: "word "}}, nil))
		f.check(st.Flush(f.Context()))
	}
	live := f.follow(f.node, id, 0)
	live.to(4)
	_, err = f.store.End(f.Context(), id, "done") // 7 turn.ended, 8 closed
	f.check(err)
	live.to(8) // from memory, where nothing was folded
	live.stop()
	cold := &node{f.store, &feed.Feed{Log: f.store}}
	for after := range int64(8) {
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		at := after
		for e, err := range cold.feed.Follow(ctx, id, after) {
			f.check(err)
			first := e.Seq
			if e.Kind == chat.KindText {
				b, err := chat.Decode[chat.TextShown](e)
				f.check(err)
				if first = b.First; b.First != 3 || e.Seq != 6 || b.Text != "word word word word " {
					f.Errorf("from %d: the folded event is %d to %d, %q", after, b.First, e.Seq, b.Text)
				}
			}
			if first > at+1 {
				f.Errorf("from %d: event %d to %d comes after %d", after, first, e.Seq, at)
			}
			if at = e.Seq; at == 8 {
				break
			}
		}
		cancel()
		if at != 8 {
			f.Errorf("from %d: the end is %d, want 8", after, at)
		}
	}
}

func (f *fixture) emptyHints() {
	id := f.taken(3)
	for _, n := range []*node{f.node, {f.store, &feed.Feed{Log: f.store}}} {
		f.store.Announce = n.feed.Publish
		c, err := f.store.Conversation(f.Context(), id)
		f.check(err)
		fo := f.follow(n, id, 0)
		fo.to(c.Seq)
		done := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { defer close(done); fo.to(c.Seq + 2) })
		for range 20 {
			n.feed.HintAll()
			n.feed.Hint(id, c.Seq+5)
			n.feed.Hint("c-unknown", 9)
		}
		f.write(n, id, 2)
		<-done
		wg.Wait()
		fo.stop()
	}
}

// forgotten writes to more conversations than memory keeps.
func (f *fixture) forgotten() {
	id := f.taken(3)
	fo := f.follow(f.node, id, 0)
	fo.to(3)
	for i := range 2500 {
		f.feed.Publish(chat.ConversationID(fmt.Sprint("c-other-", i)), []chat.Event{{Seq: 1, Kind: chat.KindClosed}})
	}
	f.write(f.node, id, 2)
	fo.to(5)
	fo.stop()
	for i := range 2500 {
		f.feed.Publish(chat.ConversationID(fmt.Sprint("c-more-", i)), []chat.Event{{Seq: 1, Kind: chat.KindClosed}})
	}
	again := f.follow(f.node, id, 0)
	again.to(5)
	again.stop()
}

func typing(name string) chat.Event {
	return chat.NewSignal(chat.Typing{By: chat.Agent, Name: name, Typing: true})
}

// saw reads the signals with these names.
func (fo *follower) saw(names ...string) {
	fo.f.Helper()
	for _, name := range names {
		e, err, ok := fo.next()
		if err != nil || !ok || !e.Signal() {
			fo.f.Fatalf("event %d %s comes (%t, %v), want the signal of %s", e.Seq, e.Kind, ok, err, name)
		}
		if b, err := chat.Decode[chat.Typing](e); err != nil || b.Name != name || b.By != chat.Agent || !b.Typing || e.At.IsZero() {
			fo.f.Fatalf("%+v comes (%v), want the signal of %s", b, err, name)
		}
	}
}

func (f *fixture) signals() {
	id := f.taken(3)
	f.feed.Signal(id, typing("nobody is there"))
	one, two := f.follow(f.node, id, 1), f.follow(f.node, id, 3)
	one.to(2)
	f.write(f.node, id, 1)
	two.to(4)
	f.feed.Signal(id, typing("Ann"))
	two.saw("Ann")
	f.feed.Signal(id, typing("Ben"))
	f.feed.Signal("c-other", typing("Eve"))
	f.write(f.node, id, 2)
	f.feed.Signal(id, typing("Cem"))
	late := f.follow(f.node, id, 0)
	late.to(6)
	one.to(4)
	one.saw("Ann", "Ben")
	one.to(6)
	one.saw("Cem")
	two.saw("Ben")
	two.to(6)
	two.saw("Cem")
	again := f.follow(f.node, id, 5)
	again.to(6)
	f.feed.Signal(id, typing("Dan"))
	for _, fo := range []*follower{one, two, late, again} {
		fo.saw("Dan")
		fo.stop()
	}
}

func (f *fixture) slowSignals() {
	id := f.taken(1)
	fo := f.follow(f.node, id, 0)
	fo.to(1)
	for i := range 100 {
		f.feed.Signal(id, typing(fmt.Sprint(i)))
	}
	f.write(f.node, id, 200) // more than memory has
	f.feed.Signal(id, typing("after them"))
	fo.saw("93", "94", "95", "96", "97", "98", "99")
	fo.to(201)
	fo.saw("after them")
	fo.stop()
}

func (f *fixture) signalAfterHint() {
	id := f.taken(3)
	fo := f.follow(f.node, id, 0)
	fo.to(3)
	f.feed.Hint(id, 9)
	f.feed.Signal(id, typing("Ann"))
	f.feed.HintAll()
	f.feed.Signal(id, typing("Ben"))
	fo.saw("Ann", "Ben")
	fo.stop()
}

// signalsElsewhere signals on one node, more than a notification holds.
func (f *fixture) signalsElsewhere() {
	other := f.join()
	f.listen(other)
	id := f.taken(3)
	fo := f.follow(other, id, 3)
	f.write(f.node, id, 1)
	fo.to(4) // it follows
	for i := range 100 {
		name := fmt.Sprintf("%d of %c\n%s", i, '"', strings.Repeat("a", 200))
		f.store.Signal(id, typing(name))
		fo.saw(name)
	}
	f.store.Signal(id, typing(strings.Repeat("too large", 1000)))
	for range 50 {
		f.store.Signal("c-other", typing(strings.Repeat("b", 200)))
	}
	f.store.Signal(id, typing("last"))
	f.write(f.node, id, 1)
	fo.saw("last")
	fo.to(5)
	fo.stop()
	f.wantNobody(other)
}

func (f *fixture) elsewhere() {
	other := f.join()
	f.listen(other)
	id := f.taken(3)
	fo := f.follow(other, id, 0)
	fo.to(3)
	for n := range int64(20) {
		f.write(f.node, id, 1)
		fo.to(4 + n)
	}
	fo.stop()
	f.write(f.node, id, 1) // while nobody follows there
	fo = f.follow(other, id, 23)
	fo.to(24)
	fo.stop()
	f.wantNobody(other)
}

func (f *fixture) both() {
	other := f.join()
	f.listen(f.node)
	f.listen(other)
	const writers, each = 4, 30
	id := f.taken(1)
	var wg sync.WaitGroup
	for _, n := range []*node{f.node, other} {
		for range 5 {
			wg.Go(func() {
				if err := collect(f.Context(), n, id, 0, 2*writers*each+1); err != nil {
					f.Error(err)
				}
			})
		}
		for range writers {
			wg.Go(func() {
				for range each {
					if _, _, err := n.store.Say(f.Context(), "Ann", chat.Incoming{Conversation: id, Text: "word"}); err != nil {
						f.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	f.wantNobody(other)
}

// lostHints has a process that hears nothing of the other until HintAll.
func (f *fixture) lostHints() {
	deaf := f.join()
	id := f.taken(3)
	fo := f.follow(deaf, id, 0)
	fo.to(3)
	f.write(f.node, id, 2)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { defer close(done); fo.to(5) })
	select {
	case <-done: // it had not begun to wait
	default:
		deaf.feed.HintAll()
		<-done
	}
	wg.Wait()
	fo.stop()
	f.wantNobody(deaf)
}

// hintWhileReading commits an event behind the back of a reading, and hints at it before
// the reader has looked at what was read.
func (f *fixture) hintWhileReading() {
	id := f.taken(3)
	n := &node{store: f.store, feed: &feed.Feed{}}
	f.store.Announce = nil // another process's
	between := slices.Repeat([]func(){func() { f.write(f.node, id, 1) }}, 3)
	n.feed.Log = logFunc(func(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Event, error) {
		events, err := f.store.After(ctx, id, after, limit)
		if len(between) > 0 && len(events) == 0 {
			between[0]()
			between = between[1:]
			n.feed.Hint(id, after+1)
		}
		return events, err
	})
	n.feed.Hint(id, 4) // as yet without an event
	fo := f.follow(n, id, 3)
	for seq := int64(4); seq <= 6; seq++ {
		n.feed.HintAll()
		fo.to(seq)
	}
	fo.stop()
	f.wantNobody(n)
}

type logFunc func(context.Context, chat.ConversationID, int64, int) ([]chat.Event, error)

func (l logFunc) After(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Event, error) {
	return l(ctx, id, after, limit)
}
