package feed

import (
	"fmt"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

// What nobody follows is kept in memory up to a bound, and each conversation to a bound.
func TestMemoryIsBounded(t *testing.T) {
	f := &Feed{}
	for i := range 3 * idleTopics {
		f.Publish(chat.ConversationID(fmt.Sprint(i)), []chat.Event{{Seq: 1}})
	}
	if len(f.topics) != idleTopics || f.idle.Len() != idleTopics {
		t.Errorf("%d topics, %d of them idle, want %d", len(f.topics), f.idle.Len(), idleTopics)
	}
	for seq := range int64(3 * tailEvents) {
		f.Publish("long", []chat.Event{{Seq: seq + 1}})
	}
	if n := len(f.topics["long"].tail); n != tailEvents {
		t.Errorf("%d events in memory, want %d", n, tailEvents)
	}
	followed, _ := f.join("followed", 0)
	for i := range 3 * idleTopics {
		f.Publish(chat.ConversationID(fmt.Sprint("more", i)), []chat.Event{{Seq: 1}})
	}
	if f.topics["followed"] != followed || len(f.topics) != idleTopics+1 {
		t.Errorf("a followed topic was forgotten, or %d topics are kept", len(f.topics))
	}
	f.leave(followed)
	f.Publish("last", []chat.Event{{Seq: 1}})
	if len(f.topics) != idleTopics {
		t.Errorf("%d topics, want %d", len(f.topics), idleTopics)
	}
}

// Signals are kept only for those who follow.
func TestSignalsTakeNoMemoryWithoutFollowers(t *testing.T) {
	f := &Feed{}
	e := chat.NewSignal(chat.Typing{By: chat.Customer, Typing: true})
	if n := testing.AllocsPerRun(100, func() { f.Signal("strange", e) }); n != 0 || len(f.topics) != 0 {
		t.Errorf("%v allocations and %d topics, want none", n, len(f.topics))
	}
	topic, _ := f.join("c", 0)
	f.Signal("c", e)
	if topic.signals == nil {
		t.Error("the signal is not kept")
	}
	f.leave(topic)
	f.Signal("c", e)
	if topic.signals != nil {
		t.Error("a signal is kept that nobody takes")
	}
}
