package inbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// uncommitted begins turns whose messages it then fails to commit.
type uncommitted struct {
	*store.Store
	works atomic.Bool
}

var errUncommitted = errors.New("the disk is gone")

func (u *uncommitted) Accept(ctx context.Context, in chat.Incoming, begun func(chat.OpenTurn)) (chat.Accepted, error) {
	if u.works.Load() {
		return u.Store.Accept(ctx, in, begun)
	}
	c, err := u.Conversation(ctx, in.Conversation)
	if err != nil {
		return chat.Accepted{}, err
	}
	begun(chat.OpenTurn{ID: chat.NewTurnID(), Conversation: c, Lives: 1, AcceptedAt: chat.Now(),
		Messages: []chat.Message{{ID: chat.NewMessageID(), Role: chat.Customer, Text: in.Text, At: chat.Now()}}})
	return chat.Accepted{}, errUncommitted
}

// TestATurnBehindAFailedCommitEnds begins a turn before the commit of its message, which
// fails: the sender learns of it, the turn ends, and nothing of it is in the conversation.
func TestATurnBehindAFailedCommitEnds(t *testing.T) {
	w := newWorld(t, script(t, "when again\nHere is the answer.\n---\nThis must never be seen. And\nstall"))
	u := &uncommitted{Store: w.store}
	p := &inbox.Inbox{Store: u, Node: chat.NewNodeID(), Runner: func(string) *turn.Runner { return &w.runner }, Log: w.runner.Log}
	if err := p.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := w.create()
	if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "hello"}); !errors.Is(err, errUncommitted) {
		t.Fatalf("Accept = %v, want %v", err, errUncommitted)
	}
	for deadline := time.Now().Add(10 * time.Second); p.Running() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the turn still runs")
		}
		<-time.After(time.Millisecond)
	}
	c, err := w.store.Conversation(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if c.Seq != 0 || c.Turn != "" {
		t.Errorf("the conversation has %d events and turn %q, want none", c.Seq, c.Turn)
	}
	u.works.Store(true)
	if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "again"}); err != nil {
		t.Fatal(err)
	}
	events := w.until(id, ended)
	wantLines(t, events, "message.accepted again", "turn.started", "text Here is the answer.", "turn.ended answered")
}

// retried begins each turn in a transaction that is tried again, and finds another state then.
type retried struct{ *store.Store }

func (s retried) Accept(ctx context.Context, in chat.Incoming, begun func(chat.OpenTurn)) (chat.Accepted, error) {
	c, err := s.Conversation(ctx, in.Conversation)
	if err != nil {
		return chat.Accepted{}, err
	}
	begun(chat.OpenTurn{ID: chat.NewTurnID(), Conversation: c, Lives: 1, AcceptedAt: chat.Now(),
		Messages: []chat.Message{{ID: chat.NewMessageID(), Role: chat.Customer, Text: in.Text, At: chat.Now()}}})
	return s.Store.Accept(ctx, in, begun)
}

// TestATransactionThatIsTriedAgainBeginsAnew: the assistant was switched off between two
// tries. What began with the first knows nothing of it, and must not answer.
func TestATransactionThatIsTriedAgainBeginsAnew(t *testing.T) {
	w := newWorld(t, script(t, "This must never be seen."))
	for said, off := range offs() {
		if _, err := w.store.SwitchOff(t.Context(), off, nil); err != nil {
			t.Fatal(err)
		}
		p := &inbox.Inbox{Store: retried{w.store}, Node: chat.NewNodeID(), Runner: func(string) *turn.Runner { return &w.runner }, Log: w.runner.Log}
		if err := p.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := w.create()
		if _, err := p.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		w.until(id, shows(said))
		w.checkTurns(id, w.idle(id))
	}
}
