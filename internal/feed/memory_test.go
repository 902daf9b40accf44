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
	followed := f.join("followed")
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
