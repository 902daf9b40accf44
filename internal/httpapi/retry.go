package httpapi

import (
	"net/http"

	"github.com/answerable/answerable/internal/chat"
)

// retry has the last turn's messages answered again.
func (s *Server) retry(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct {
		Turn chat.TurnID `json:"turn"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if err := s.admitMessage(w, c, id); err != nil {
		return err
	}
	a, err := s.Inbox.Retry(r.Context(), id, body.Turn)
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, struct {
		Turn chat.TurnID `json:"turn"`
		Seq  int64       `json:"seq"`
	}{a.Message.Turn, a.Seq})
}
