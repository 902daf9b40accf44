package httpapi

import (
	"context"
	"net/http"

	"github.com/answerable/answerable/internal/chat"
)

// signal tells everybody who follows a conversation what is worth nothing later.
func (s *Server) signal(id chat.ConversationID, body chat.Body) {
	e := chat.NewSignal(body)
	s.Feed.Signal(id, e)
	s.Inbox.Signal(id, e)
	s.Store.Signal(id, e)
}

// typed is what somebody says of their typing.
type typed struct {
	Typing *bool `json:"typing"`
}

func (t typed) check() error {
	if t.Typing == nil {
		return &chat.Error{Kind: malformed, Message: "typing is missing: send true or false"}
	}
	return nil
}

// types is told that the customer types, or no longer does.
func (s *Server) types(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body typed
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	seq, err := s.customerTypes(w, r, c, id, body)
	if err != nil {
		return err
	}
	return done(w, seq)
}

func (s *Server) customerTypes(w http.ResponseWriter, r *http.Request, c caller, id chat.ConversationID, body typed) (seq int64, err error) {
	if err := body.check(); err != nil {
		return 0, err
	}
	if err := s.admitSignal(w, c, id); err != nil {
		return 0, err
	}
	now, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return 0, err
	}
	s.signal(id, chat.Typing{By: chat.Customer, Typing: *body.Typing})
	return now.Seq, nil
}

// agentTypes is told that the agent who has a conversation types, or no longer does.
func (s *Server) agentTypes(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.agentOf(r)
	if err != nil {
		return err
	}
	var body typed
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	now, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	if now.Owner != chat.AgentOwner {
		return &chat.Error{Kind: chat.Conflict, Message: "no agent has this conversation: take it first"}
	}
	s.signal(id, chat.Typing{By: chat.Agent, Name: now.OwnerName, Typing: *body.Typing})
	return done(w, now.Seq)
}

// customerRead is told how far the customer has read.
func (s *Server) customerRead(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body seen
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	mark, err := s.customerReads(w, r, c, id, body)
	if err != nil {
		return err
	}
	return done(w, mark)
}

func (s *Server) customerReads(w http.ResponseWriter, r *http.Request, c caller, id chat.ConversationID, body seen) (mark int64, err error) {
	if err := body.check(); err != nil {
		return 0, err
	}
	if err := s.admitSignal(w, c, id); err != nil {
		return 0, err
	}
	return s.markRead(r.Context(), id, chat.Customer, *body.Seq)
}

// agentRead is told how far an agent has read.
func (s *Server) agentRead(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.agentOf(r)
	if err != nil {
		return err
	}
	var body seen
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	mark, err := s.markRead(r.Context(), id, chat.Agent, *body.Seq)
	if err != nil {
		return err
	}
	return done(w, mark)
}

// seen is what somebody says of their reading.
type seen struct {
	Seq *int64 `json:"seq"`
}

func (b seen) check() error {
	if b.Seq == nil || *b.Seq < 0 {
		return &chat.Error{Kind: malformed, Message: "seq must be the number of the last event seen"}
	}
	return nil
}

// markRead moves a side's read mark forward, tells those who follow if it moved, and
// returns the mark that holds.
func (s *Server) markRead(ctx context.Context, id chat.ConversationID, by chat.Role, seq int64) (int64, error) {
	marks, moved, err := s.Store.MarkRead(ctx, id, by, seq)
	if err != nil {
		return 0, err
	}
	mark := marks.Customer
	if by == chat.Agent {
		mark = marks.Agent
	}
	if moved {
		s.signal(id, chat.Read{By: by, Seq: mark})
	}
	return mark, nil
}
