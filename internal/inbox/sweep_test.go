package inbox_test

import (
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

// TestAnUnconfirmedStartIsAnswered begins a turn in the store as a commit does whose
// confirmation was lost: the message is durable, its sender saw an error, and nobody
// answers.
func TestAnUnconfirmedStartIsAnswered(t *testing.T) {
	w := newWorld(t, script(t, "Here is the answer."))
	p := w.start()
	id := w.create()
	if _, err := w.store.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "hello", Node: p.Node}, nil); err != nil {
		t.Fatal(err)
	}
	events := w.until(id, ended)
	wantLines(t, events, "message.accepted hello", "turn.started", "text Here is the answer.", "turn.ended answered")
	w.checkTurns(id, w.idle(id))
}
