package inbox

import (
	"context"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/turn"
)

// Stop ends the running turn with what it has shown. Without one nothing happens. It
// returns the number of the last event.
func (in *Inbox) Stop(ctx context.Context, id chat.ConversationID) (int64, error) {
	running, node, seq, err := in.Store.Stop(ctx, id)
	if err == nil && running != "" && node == in.Node {
		if a := in.at(id); a != nil {
			a.stop(running)
		}
	}
	return seq, err
}

// HandOff asks for a person: the conversation goes to the queue.
func (in *Inbox) HandOff(ctx context.Context, id chat.ConversationID, h chat.Handoff) (chat.Conversation, error) {
	return in.moved(in.Store.HandOff(ctx, id, h))
}

// Take makes an agent the owner.
func (in *Inbox) Take(ctx context.Context, id chat.ConversationID, name string) (chat.Conversation, error) {
	return in.moved(in.Store.Take(ctx, id, name))
}

// Release gives the conversation to the bot or the queue.
func (in *Inbox) Release(ctx context.Context, id chat.ConversationID, to chat.Owner) (chat.Conversation, error) {
	return in.moved(in.Store.Release(ctx, id, to))
}

// End closes the conversation for good.
func (in *Inbox) End(ctx context.Context, id chat.ConversationID, reason string) (chat.Conversation, error) {
	return in.moved(in.Store.End(ctx, id, reason))
}

// moved ends the work for a turn that the store has ended.
func (in *Inbox) moved(c chat.Conversation, err error) (chat.Conversation, error) {
	if err == nil && c.Turn == "" {
		if a := in.at(c.ID); a != nil {
			a.outdated(c.Term, turn.ErrHandedOver)
		}
	}
	return c, err
}

// Look is told that another node wrote to a conversation: a stop, a follow-up or a new
// owner may concern a turn that runs here.
func (in *Inbox) Look(ctx context.Context, id chat.ConversationID) error {
	a := in.at(id)
	if a == nil {
		return nil
	}
	return a.look(ctx, in)
}

// Signal is told what was signalled in a conversation, here or on another node: a burst
// is not over while the customer types.
func (in *Inbox) Signal(id chat.ConversationID, e chat.Event) {
	a := in.current(id)
	if a == nil || e.Kind != chat.KindTyping {
		return
	}
	b, err := chat.Decode[chat.Typing](e)
	if err != nil || b.By != chat.Customer {
		return // of a later version, or an agent's
	}
	a.types(b.Typing, time.Now())
}
