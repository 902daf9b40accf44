package httpapi

import (
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
