package httpapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// What commands on the server's machine do through it while it runs: the data directory
// has one writer.

// Publish serves a generation of the data directory to an assistant; source says where
// its documents are.
type Publish func(ctx context.Context, assistant, generation, source, by string) error

// addKey stores the hash of an API key that the caller made and keeps.
func (s *Server) addKey(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.agent(r); err != nil {
		return err
	}
	var body struct {
		Name string `json:"name"`
		Hash []byte `json:"hash"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	name, err := agentName(body.Name)
	if err != nil {
		return err
	}
	if len(body.Hash) != sha256.Size {
		return &chat.Error{Kind: chat.Invalid, Message: "hash must be the SHA-256 of the key, in base64"}
	}
	if err := s.Store.AddKey(r.Context(), "k"+strings.ToLower(rand.Text()), name, body.Hash); err != nil {
		return err
	}
	return write(w, http.StatusCreated, struct {
		Name string `json:"name"`
	}{name})
}

// publish serves a generation that was written into the data directory.
func (s *Server) publish(w http.ResponseWriter, r *http.Request) error {
	by, err := s.agent(r)
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
	if err := s.Publish(r.Context(), body.Assistant, body.Generation, body.Source, by); err != nil {
		return err
	}
	return write(w, http.StatusOK, struct {
		Assistant  string `json:"assistant"`
		Generation string `json:"generation"`
	}{body.Assistant, body.Generation})
}
