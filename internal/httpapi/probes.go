package httpapi

import (
	"net/http"

	"github.com/answerable/answerable/internal/chat"
)

// health says that the process lives.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return write(w, http.StatusOK, struct {
		Status    string    `json:"status"`
		Version   string    `json:"version"`
		StartedAt chat.Time `json:"started_at"`
	}{"ok", s.Version, chat.Time{Time: s.Started}})
}

// ready says whether requests are served.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	if s.Ready != nil && !s.Ready() {
		return &chat.Error{Kind: chat.Unavailable, Message: "the server is starting or stopping: try again in a moment"}
	}
	return write(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ready"})
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.Metrics == nil {
		return errNoRoute
	}
	s.Metrics.ServeHTTP(w, r)
	return nil
}
