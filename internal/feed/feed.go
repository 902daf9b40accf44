// Package feed lets anyone follow a conversation's numbered events, from any number on,
// at their own pace. What this process committed is handed on from memory; to catch up,
// and for what other nodes committed, a follower reads the log. A hint that something
// happened is never the only copy of it. Signals, such as that somebody types, are in no
// log: who follows at the moment gets them between the events.
//
// Start with Feed.Follow.
package feed

import (
	"container/list"
	"context"
	"iter"
	"math"
	"sync"

	"github.com/answerable/answerable/internal/chat"
)

// Log is where events are read from that are not in memory.
type Log interface {
	// After returns up to limit events numbered above after, in order.
	After(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Event, error)
}

const (
	tailEvents  = 128   // kept in memory of a conversation
	lastSignals = 8     // the same, while somebody follows
	idleTopics  = 2_000 // conversations kept in memory that nobody follows
	readAtATime = 256   // events read from the log at once
)

// Feed is safe for concurrent use. Its zero value with a Log is ready.
type Feed struct {
	Log Log

	mu     sync.Mutex
	topics map[chat.ConversationID]*topic
	idle   list.List // of *topic without followers, oldest first
}

// topic is what the process knows of one conversation. Guarded by Feed.mu.
type topic struct {
	id        chat.ConversationID
	tail      []chat.Event  // the newest, without a gap
	last      int64         // the highest number heard of
	news      int64         // how often something was heard
	wake      chan struct{} // closed at the next news, or nil when nobody waits
	signals   *signals      // nil: none since the first of those who follow came
	followers int
	place     *list.Element // in idle, or nil
}

// signals are the newest of a conversation.
type signals struct {
	last [lastSignals]signal // number n, from 1 on, is at n % lastSignals
	n    int64               // how many there were
}

type signal struct {
	event chat.Event
	after int64 // the number of the event that it came after
}

// position is how far a follower is.
type position struct {
	event  int64 // the number of the last event seen
	signal int64 // and of the last signal
	read   bool  // whether the log was read to its end since
}

// Publish hands on events that were committed, in order.
func (f *Feed) Publish(id chat.ConversationID, events []chat.Event) {
	if len(events) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.topic(id)
	if n := len(t.tail); n > 0 && t.tail[n-1].Seq+1 != events[0].Seq {
		t.tail = t.tail[:0] // another node wrote in between: the log has it
	}
	t.tail = append(t.tail, events...)
	if over := len(t.tail) - tailEvents; over > 0 {
		t.tail = append(t.tail[:0], t.tail[over:]...)
	}
	t.heard(events[len(events)-1].Seq)
}

// Signal hands on what is not kept, to those who follow now.
func (f *Feed) Signal(id chat.ConversationID, e chat.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.topics[id]
	if t == nil || t.followers == 0 {
		return
	}
	if t.signals == nil {
		t.signals = &signals{}
	}
	t.signals.n++
	t.signals.last[t.signals.n%lastSignals] = signal{e, t.last}
	t.ring()
}

// Hint says that another node committed events up to seq.
func (f *Feed) Hint(id chat.ConversationID, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.topics[id]; t != nil {
		t.heard(seq)
	}
}

// HintAll wakes every follower to look into the log: hints may have been lost.
func (f *Feed) HintAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.topics {
		t.heard(math.MaxInt64) // until a follower has reached the end of the log
	}
}

func (t *topic) heard(seq int64) {
	t.last = max(t.last, seq)
	t.news++
	t.ring()
}

// ring wakes those who wait.
func (t *topic) ring() {
	if t.wake != nil {
		close(t.wake)
		t.wake = nil
	}
}

// topic returns the topic of a conversation, as the newest of the idle ones if nobody
// follows it. f.mu is held.
func (f *Feed) topic(id chat.ConversationID) *topic {
	t := f.topics[id]
	if t == nil {
		if f.topics == nil {
			f.topics = map[chat.ConversationID]*topic{}
		}
		t = &topic{id: id}
		f.topics[id] = t
		t.place = f.idle.PushBack(t)
		for f.idle.Len() > idleTopics {
			old := f.idle.Remove(f.idle.Front()).(*topic)
			delete(f.topics, old.id)
		}
	} else if t.place != nil {
		f.idle.MoveToBack(t.place)
	}
	return t
}

// Follow yields the events numbered above after, one by one and in order, and then those
// that come, until ctx ends (which is not an error) or reading fails. What was published
// before ctx ended still comes. Each event comes once, or covered by a folded one's First to its own number.
//
// The signals of the meantime come where they stood between the events. Whoever takes
// nothing for long misses the oldest of them.
func (f *Feed) Follow(ctx context.Context, id chat.ConversationID, after int64) iter.Seq2[chat.Event, error] {
	return func(yield func(chat.Event, error) bool) {
		t, at := f.join(id, after)
		defer f.leave(t)
		for over := false; !over; {
			over = ctx.Err() != nil // what was announced before the end is still passed on
			events, wake, news := f.next(t, &at)
			if over && events == nil {
				return
			}
			if events == nil && wake == nil {
				var err error
				events, err = f.Log.After(ctx, id, at.event, readAtATime)
				if err != nil {
					if ctx.Err() == nil {
						yield(chat.Event{}, err)
					}
					return
				}
				if len(events) == 0 {
					f.reached(t, at.event, news)
				}
				at.read = len(events) < readAtATime
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				at.event = max(at.event, e.Seq) // a signal has no number
			}
			if wake != nil {
				select {
				case <-wake:
				case <-ctx.Done():
				}
			}
		}
	}
}

// next returns events or signals from memory; or a channel to wait on, when the follower
// has seen everything; or neither, when the log must be read, which then knows of all
// news so far.
func (f *Feed) next(t *topic, at *position) (events []chat.Event, wake <-chan struct{}, news int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, upTo := at.event, int64(math.MaxInt64)
	if s := t.unseen(at); s != nil {
		if upTo = s.after; upTo <= after {
			return t.take(at, after), nil, t.news
		}
	}
	if n := len(t.tail); n > 0 && after >= t.tail[0].Seq-1 && after < t.tail[n-1].Seq {
		first := t.tail[0].Seq
		events = t.tail[after-first+1 : min(int64(n), upTo-first+1)]
		return append(make([]chat.Event, 0, len(events)), events...), nil, t.news
	}
	if at.read && after >= t.last || len(t.tail) > 0 && after == t.last && after == t.tail[len(t.tail)-1].Seq {
		if t.unseen(at) != nil { // they came after a hint at an event that there is not
			return t.take(at, math.MaxInt64), nil, t.news
		}
		if t.wake == nil {
			t.wake = make(chan struct{})
		}
		return nil, t.wake, t.news
	}
	return nil, nil, t.news
}

// unseen returns the first signal that a follower has not seen, or nil.
func (t *topic) unseen(at *position) *signal {
	if t.signals == nil || at.signal == t.signals.n {
		return nil
	}
	at.signal = max(at.signal, t.signals.n-lastSignals) // those before are gone
	return &t.signals.last[(at.signal+1)%lastSignals]
}

// take returns the signals that a follower has not seen and that came after event upTo at
// the latest.
func (t *topic) take(at *position, upTo int64) (events []chat.Event) {
	for s := t.unseen(at); s != nil && s.after <= upTo; s = t.unseen(at) {
		events = append(events, s.event)
		at.signal++
	}
	return events
}

// reached notes that the log ends at after or below: what was heard beyond that was a
// hint without an event. News that came while the log was read may have one.
func (f *Feed) reached(t *topic, after, news int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(t.tail); t.news == news && (n == 0 || t.tail[n-1].Seq <= after) {
		t.last = min(t.last, after)
	}
}

func (f *Feed) join(id chat.ConversationID, after int64) (*topic, position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.topic(id)
	at := position{event: after}
	if t.signals != nil {
		at.signal = t.signals.n
	}
	t.followers++
	if t.place != nil {
		f.idle.Remove(t.place)
		t.place = nil
	}
	return t, at
}

func (f *Feed) leave(t *topic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.followers--
	if t.followers == 0 {
		t.signals = nil
		t.place = f.idle.PushBack(t)
	}
}

// Followers counts those who follow now.
func (f *Feed) Followers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, t := range f.topics {
		n += t.followers
	}
	return n
}
