package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// feedback takes what the customer thinks of an answer.
func (s *Server) feedback(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct {
		Turn   chat.TurnID `json:"turn"`
		Rating chat.Rating `json:"rating"`
		Reason string      `json:"reason"`
		Text   string      `json:"text"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Rating != chat.Up && body.Rating != chat.Down {
		return &chat.Error{Kind: chat.Invalid, Message: `rating must be "up" or "down"`}
	}
	if body.Reason != "" && !slices.Contains(chat.FeedbackReasons, body.Reason) {
		return &chat.Error{Kind: chat.Invalid, Message: "reason must be one of " + strings.Join(chat.FeedbackReasons, ", ") + ": write the rest into text"}
	}
	text, err := remark("text", body.Text)
	if err != nil {
		return err
	}
	if err := s.admitMessage(w, c, id); err != nil { // each change of mind is an event
		return err
	}
	seq, err := s.Store.Rate(r.Context(), id, chat.Feedback{Turn: body.Turn, Rating: body.Rating, Reason: body.Reason, Text: chat.Text(text)})
	if err != nil {
		return err
	}
	return done(w, seq)
}

// csat takes how satisfied the customer is with the conversation.
func (s *Server) csat(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct {
		Score int    `json:"score"`
		Text  string `json:"text"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Score < 1 || body.Score > 5 {
		return &chat.Error{Kind: chat.Invalid, Message: "score must be a whole number from 1 to 5, the best"}
	}
	text, err := remark("text", body.Text)
	if err != nil {
		return err
	}
	seq, err := s.Store.Score(r.Context(), id, chat.CSAT{Score: body.Score, Text: chat.Text(text)})
	if err != nil {
		return err
	}
	return done(w, seq)
}

// customerRead notes how far the customer has read.
func (s *Server) customerRead(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.conversation(r)
	if err != nil {
		return err
	}
	return s.readTo(w, r, id, chat.Customer)
}

// agentRead notes how far an agent has read.
func (s *Server) agentRead(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.agentOf(r)
	if err != nil {
		return err
	}
	return s.readTo(w, r, id, chat.Agent)
}

// readTo takes how far by has read, and answers with the mark that holds.
func (s *Server) readTo(w http.ResponseWriter, r *http.Request, id chat.ConversationID, by chat.Role) error {
	var body struct {
		Seq int64 `json:"seq"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Seq < 0 {
		return &chat.Error{Kind: chat.Invalid, Message: "seq must be the number of an event"}
	}
	mark, err := s.markRead(r.Context(), id, by, body.Seq)
	if err != nil {
		return err
	}
	return done(w, mark)
}

// markRead is the one place where a side's read mark moves. It returns the mark that holds.
func (s *Server) markRead(ctx context.Context, id chat.ConversationID, by chat.Role, seq int64) (int64, error) {
	now, _, err := s.Store.MarkRead(ctx, id, by, seq)
	if by == chat.Agent {
		return now.Agent, err
	}
	return now.Customer, err
}
