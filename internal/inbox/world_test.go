package inbox_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// world is a store and what answers from it; processes come and go.
type world struct {
	testing.TB
	store  *store.Store
	feed   *feed.Feed
	runner turn.Runner
}

func newWorld(t testing.TB, providers ...llm.Provider) *world {
	t.Helper()
	dir := t.TempDir()
	key, err := store.DevelopmentKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{TB: t, store: s, feed: &feed.Feed{Log: s}}
	s.Announce = w.feed.Publish
	w.runner = turn.Runner{Build: "test", Store: turnStore{s}, Model: &llm.Client{Models: llm.Only(providers...)},
		Rules: turn.Rules{Unit: chat.Sentence, Claims: guard.Claims{Off: true}}, Log: slog.New(slog.DiscardHandler)}
	return w
}

type turnStore struct{ *store.Store }

func (s turnStore) Stream(o chat.OpenTurn) turn.Stream { return s.Store.Stream(o) }

// script returns a provider that says what text tells it to.
func script(t testing.TB, text string) llm.Provider {
	t.Helper()
	s, err := llmtest.Parse("script", text)
	if err != nil {
		t.Fatal(err)
	}
	return s.Provider()
}

// process is an inbox that runs until it is left.
type process struct {
	*inbox.Inbox
	stop context.CancelFunc
	done chan error
}

func (w *world) start() *process {
	w.Helper()
	in := &inbox.Inbox{Store: w.store, Node: chat.NewNodeID(), Resumes: true,
		Runner: func(string) *turn.Runner { return &w.runner },
		Limits: inbox.Limits{Stop: time.Nanosecond}, Log: w.runner.Log}
	if testing.Verbose() && os.Getenv("ANSWERABLE_TEST_LOG") != "" {
		in.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if err := in.Join(w.Context()); err != nil {
		w.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.Context())
	p := &process{in, stop, make(chan error, 1)}
	go func() { p.done <- in.Run(ctx) }()
	w.Cleanup(func() { p.leave() })
	return p
}

// leave ends the process and leaves its turns as they are, as a death would.
func (p *process) leave() {
	p.stop()
	err := <-p.done
	p.done <- err
}

func (w *world) create() chat.ConversationID {
	w.Helper()
	c, err := w.store.Create(w.Context(), store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		w.Fatal(err)
	}
	return c.ID
}

func (w *world) accept(p *process, id chat.ConversationID, text chat.Text) chat.Accepted {
	w.Helper()
	a, err := p.Accept(w.Context(), chat.Incoming{Conversation: id, Text: text})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// until follows a conversation until an event fits, and returns all events so far.
func (w *world) until(id chat.ConversationID, fits func(chat.Event) bool) []chat.Event {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	var all []chat.Event
	for e, err := range w.feed.Follow(ctx, id, 0) {
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, e)
		if e.Seq != int64(len(all)) {
			w.Fatalf("event %d has number %d", len(all), e.Seq)
		}
		if fits(e) {
			return all
		}
	}
	w.Fatalf("the event did not come; so far: %s", lines(all))
	return nil
}

// idle waits until the conversation has no turn and returns all its events.
func (w *world) idle(id chat.ConversationID) []chat.Event {
	w.Helper()
	for range 3000 {
		c, err := w.store.Conversation(w.Context(), id)
		if err != nil {
			w.Fatal(err)
		}
		if c.Turn == "" {
			events, err := w.store.After(w.Context(), id, 0, 10_000)
			if err != nil {
				w.Fatal(err)
			}
			return events
		}
		wait(10 * time.Millisecond)
	}
	w.Fatal("the turn does not end")
	return nil
}

func wait(d time.Duration) { <-time.After(d) }

func ended(e chat.Event) bool   { return e.Kind == chat.KindTurnEnded }
func hasText(e chat.Event) bool { return e.Kind == chat.KindText }

// shows fits the text event that has these words.
func shows(words string) func(chat.Event) bool {
	return func(e chat.Event) bool { return hasText(e) && strings.Contains(string(e.Body), words) }
}

// lines describes events, a line each; neighbouring texts are joined.
func lines(events []chat.Event) string {
	var out []string
	for _, e := range events {
		s := string(e.Kind)
		switch e.Kind {
		case chat.KindText:
			b, _ := chat.Decode[chat.TextShown](e)
			if n := len(out); n > 0 && strings.HasPrefix(out[n-1], "text ") {
				out[n-1] += b.Text
				continue
			}
			s += " " + b.Text
		case chat.KindTurnEnded:
			b, _ := chat.Decode[chat.TurnEnded](e)
			s += " " + string(b.Outcome)
		case chat.KindOwner:
			b, _ := chat.Decode[chat.OwnerChanged](e)
			s += " " + string(b.Owner)
		case chat.KindAccepted:
			b, _ := chat.Decode[chat.MessageAccepted](e)
			s += " " + string(b.Message.Text)
		case chat.KindLevel:
			b, _ := chat.Decode[chat.LevelChanged](e)
			s += " " + string(b.Level)
		case chat.KindState:
			continue
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

func wantLines(t testing.TB, events []chat.Event, want ...string) {
	t.Helper()
	if got := lines(events); got != strings.Join(want, "\n") {
		t.Errorf("events:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// checkTurns holds the rules that every finished conversation keeps: each turn begins
// and ends once, its text is what turn.ended and the stored message say, nothing of the
// bot follows an owner event, and a replay gives the same.
func (w *world) checkTurns(id chat.ConversationID, events []chat.Event) {
	w.Helper()
	began, over, text := map[chat.TurnID]int{}, map[chat.TurnID]int{}, map[chat.TurnID]string{}
	owner := chat.Bot
	for _, e := range events {
		switch e.Kind {
		case chat.KindTurnStarted:
			began[e.Turn]++
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			if err != nil {
				w.Fatal(err)
			}
			text[e.Turn] += b.Text
		case chat.KindRetract:
			text[e.Turn] = ""
		case chat.KindTurnEnded:
			b, err := chat.Decode[chat.TurnEnded](e)
			if err != nil {
				w.Fatal(err)
			}
			over[e.Turn]++
			if string(b.Text) != text[e.Turn] {
				w.Errorf("turn %s ended with %q, its text events make %q", e.Turn, b.Text, text[e.Turn])
			}
		case chat.KindOwner:
			b, err := chat.Decode[chat.OwnerChanged](e)
			if err != nil {
				w.Fatal(err)
			}
			owner = b.Owner
		}
		if owner != chat.Bot && e.Turn != "" && e.Kind != chat.KindOwner {
			w.Errorf("event %d (%s) of the bot after the owner event", e.Seq, e.Kind)
		}
	}
	c, err := w.store.Conversation(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	messages, _, err := w.store.Messages(w.Context(), c, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	stored := map[chat.TurnID]string{}
	for _, m := range messages {
		if m.Role == chat.Assistant {
			stored[m.Turn] += string(m.Text)
		}
	}
	for t := range began {
		if began[t] != 1 || over[t] != 1 {
			w.Errorf("turn %s began %d times and ended %d times:\n%s", t, began[t], over[t], lines(events))
		}
		if stored[t] != text[t] {
			w.Errorf("turn %s is stored as %q, shown was %q", t, stored[t], text[t])
		}
		w.checkReplay(t)
	}
}

func (w *world) checkReplay(t chat.TurnID) {
	w.Helper()
	past, err := w.store.Turn(w.Context(), t)
	if err != nil {
		w.Fatal(err)
	}
	want, err := turn.Seen(past.Events)
	if err != nil {
		w.Fatal(err)
	}
	got, err := turn.Replay(w.Context(), past)
	if err != nil {
		w.Fatalf("replay: %v\njournal: %s", err, steps(past.Journal))
	}
	if d := got.Differs(want); d != "" {
		w.Fatalf("the replay differs: %s\ngot  %+v\nwant %+v\njournal: %s\n%s", d, got, want, steps(past.Journal), lines(past.Events))
	}
}

func steps(entries []chat.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.Step + "(" + e.Error + string(e.Result[:min(len(e.Result), 60)]) + ") ")
	}
	return b.String()
}
