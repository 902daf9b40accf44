package httpapi

import (
	"context"
	"net/http"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// What commands on the server's machine do through it while it runs: the data directory
// has one writer.

// Publish serves a generation of the data directory to an assistant; source says where
// its documents are.
type Publish func(ctx context.Context, assistant, generation, source, by string) error

// publish serves a generation that was written into the data directory.
func (s *Server) publish(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	var body struct {
		Assistant  string `json:"assistant"`
		Generation string `json:"generation"`
		Source     string `json:"source"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if s.Publish == nil {
		return errNoRoute
	}
	if !access.IsID(body.Generation) {
		return &chat.Error{Kind: chat.Invalid, Message: "generation must be the id of a generation, as ingest prints it"}
	}
	if err := c.reaches(body.Assistant); err != nil {
		return err
	}
	if err := s.Publish(r.Context(), body.Assistant, body.Generation, body.Source, c.operator()); err != nil {
		return err
	}
	return write(w, http.StatusOK, struct {
		Assistant  string `json:"assistant"`
		Generation string `json:"generation"`
	}{body.Assistant, body.Generation})
}
