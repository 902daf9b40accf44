package httpapi

import (
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

// customerReads is told that the customer has seen the events up to seq.
func (s *Server) customerReads(w http.ResponseWriter, r *http.Request, c caller, id chat.ConversationID, seq *int64) (last int64, err error) {
	if seq == nil || *seq < 0 {
		return 0, &chat.Error{Kind: malformed, Message: "seq must be the number of the last event seen"}
	}
	if err := s.admitSignal(w, c, id); err != nil {
		return 0, err
	}
	now, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return 0, err
	}
	s.signal(id, chat.Read{By: chat.Customer, Seq: min(*seq, now.Seq)})
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
