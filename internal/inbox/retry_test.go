package inbox_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

func TestARetryIsAnsweredOnce(t *testing.T) {
	w := newWorld(t, script(t, "One.\n---\nTwo."))
	p := w.start()
	id := w.create()
	first := w.accept(p, id, "hi").Message.Turn
	w.until(id, ended)
	turns := make([]chat.TurnID, 16)
	var all sync.WaitGroup
	for i := range turns {
		all.Go(func() {
			a, err := p.Retry(t.Context(), id, first)
			if err != nil {
				t.Error(err)
			}
			turns[i] = a.Message.Turn
		})
	}
	all.Wait()
	if slices.ContainsFunc(turns, func(id chat.TurnID) bool { return id != turns[0] }) || turns[0] == first {
		t.Errorf("the retries are turns %s", turns)
	}
	events := w.idle(id)
	wantLines(t, events, "message.accepted hi", "turn.started", "text One.", "turn.ended answered", "turn.started", "text Two.", "turn.ended answered")
	w.checkTurns(id, events)
	past, err := w.store.Turn(t.Context(), turns[0])
	if err != nil {
		t.Fatal(err)
	}
	if past.Record.RetryOf != first || len(past.Record.Messages) != 1 {
		t.Errorf("the record is %+v", past.Record)
	}
}

func TestARetryOutlivesItsProcess(t *testing.T) {
	w := newWorld(t, script(t, "One.\n---\nTwo. Three. \nstall\n---\nFour."))
	p := w.start()
	id := w.create()
	first := w.accept(p, id, "hi").Message.Turn
	w.until(id, ended)
	again, err := p.Retry(t.Context(), id, first)
	if err != nil {
		t.Fatal(err)
	}
	w.until(id, func(e chat.Event) bool { return hasText(e) && e.Turn == again.Message.Turn })
	p.leave()
	w.start()
	events := w.idle(id)
	wantLines(t, events, "message.accepted hi", "turn.started", "text One.", "turn.ended answered",
		"turn.started", "text Two.", "retract", "text Four.", "turn.ended answered")
	w.checkTurns(id, events)
}
