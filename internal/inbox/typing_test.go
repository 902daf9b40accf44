package inbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/inbox"
)

func types(in *inbox.Inbox, id chat.ConversationID, by chat.Role, typing bool) {
	in.Signal(id, chat.NewSignal(chat.Typing{By: by, Typing: typing}))
}

// TestTypingIsNotQuiet says when a burst's answer is asked for: after 400 ms without a
// message and without typing, 3 s after the first follow-up at the latest. The model
// answers after a second, which tells when it was asked.
func TestTypingIsNotQuiet(t *testing.T) {
	type act struct {
		at time.Duration
		do string // "message", "types", "types no more", "agent types"
	}
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		acts []act // the first message is at 0
		want time.Duration
	}{
		{"a lone message starts at once", []act{{100 * ms, "types"}}, 0},
		{"a follow-up waits for quiet", []act{{500 * ms, "message"}}, 900 * ms},
		{"a message is the end of typing", []act{{200 * ms, "types"}, {500 * ms, "message"}}, 900 * ms},
		{"typing goes on to the limit", []act{{500 * ms, "message"}, {600 * ms, "types"}}, 3500 * ms},
		{"repeated typing too", []act{{500 * ms, "message"}, {600 * ms, "types"}, {1600 * ms, "types"}, {2600 * ms, "types"}}, 3500 * ms},
		{"typing that ends leaves 400 ms", []act{{500 * ms, "message"}, {600 * ms, "types"}, {1500 * ms, "types no more"}}, 1900 * ms},
		{"typing and a message", []act{{500 * ms, "message"}, {600 * ms, "types"}, {2000 * ms, "message"}}, 2400 * ms},
		{"the limit counts from the first follow-up", []act{{500 * ms, "message"}, {600 * ms, "types"}, {2000 * ms, "message"}, {2100 * ms, "types"}}, 3500 * ms},
		{"typing that had ended changes nothing", []act{{500 * ms, "message"}, {600 * ms, "types no more"}}, 900 * ms},
		{"an agent's typing changes nothing", []act{{500 * ms, "message"}, {600 * ms, "agent types"}}, 900 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, script(t, "ttft 1s\nYes."))
				p := w.start()
				id := w.create()
				began := time.Now()
				w.accept(p, id, "first")
				for _, a := range c.acts {
					wait(time.Until(began.Add(a.at)))
					switch a.do {
					case "message":
						if a := w.accept(p, id, "more"); a.Effect != chat.Merges {
							t.Errorf("Accept = %+v, want a merge", a)
						}
					case "agent types":
						types(p.Inbox, id, chat.Agent, true)
					default:
						types(p.Inbox, id, chat.Customer, a.do == "types")
					}
				}
				events := w.until(id, ended)
				if asked := time.Since(began) - time.Second; asked < c.want || asked >= c.want+100*ms {
					t.Errorf("the answer was asked for after %v, want %v\n%s", asked, c.want, lines(events))
				}
				w.checkTurns(id, w.idle(id))
			})
		})
	}
}

// TestTypingExpires has a customer type for 5 s, without a word more. The limit of a
// burst is raised so that it shows.
func TestTypingExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, script(t, "ttft 1s\nYes."))
		p := w.start()
		p.Limits.Burst = time.Minute
		id := w.create()
		w.accept(p, id, "first")
		wait(500 * time.Millisecond)
		w.accept(p, id, "more")
		began := time.Now()
		types(p.Inbox, id, chat.Customer, true)
		w.until(id, ended)
		want := 5400 * time.Millisecond
		if asked := time.Since(began) - time.Second; asked < want || asked >= want+100*time.Millisecond {
			t.Errorf("the answer was asked for after %v, want %v", asked, want)
		}
	})
}
