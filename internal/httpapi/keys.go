package httpapi

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// listedKey is an API key as the list shows it.
type listedKey struct {
	chat.APIKey
	State chat.KeyState `json:"state"`
}

// listKeys shows all API keys, also those that open nothing any more.
func (s *Server) listKeys(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.program(r, chat.ScopeAdmin); err != nil {
		return err
	}
	all, err := s.Store.Keys(r.Context())
	if err != nil {
		return err
	}
	list := struct {
		Keys []listedKey `json:"keys"`
	}{[]listedKey{}}
	for _, k := range all {
		list.Keys = append(list.Keys, listedKey{k, k.State(time.Now())})
	}
	return write(w, http.StatusOK, list)
}

// addKey makes an API key, which is in the answer and nowhere else. A caller who sends a
// hash has made the key, and keeps it.
func (s *Server) addKey(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeAdmin)
	if err != nil {
		return err
	}
	var body struct {
		Name       string       `json:"name"`
		Scopes     []chat.Scope `json:"scopes"`
		Assistants []string     `json:"assistants"`
		ExpiresAt  *chat.Time   `json:"expires_at"`
		Hash       []byte       `json:"hash"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	var answer struct {
		listedKey
		Key string `json:"key,omitempty"`
	}
	answer.State = chat.KeyActive
	answer.APIKey = chat.APIKey{ID: access.NewKeyID(), Name: body.Name, Scopes: body.Scopes, Assistants: append([]string{}, body.Assistants...),
		CreatedAt: chat.Now(), CreatedBy: c.operator(), ExpiresAt: body.ExpiresAt}
	if body.Scopes == nil {
		answer.Scopes = []chat.Scope{chat.ScopeAdmin}
	}
	if err := answer.Check(time.Now()); err != nil {
		return err
	}
	for _, name := range answer.Assistants {
		if !s.Assistants.Has(name) {
			return errNoAssistant(name, s.Assistants.Names())
		}
	}
	switch {
	case body.Hash == nil:
		answer.Key, body.Hash = access.NewKey()
	case len(body.Hash) != sha256.Size:
		return &chat.Error{Kind: chat.Invalid, Message: "hash must be the SHA-256 of the key, in base64; leave it out to have a key made"}
	}
	if err := s.Store.AddKey(r.Context(), answer.APIKey, body.Hash); err != nil {
		return err
	}
	return write(w, http.StatusCreated, answer)
}

// revokeKey has an API key open nothing from now on.
func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeAdmin)
	if err != nil {
		return err
	}
	force := r.URL.Query().Get("force")
	if force != "" && force != "true" && force != "false" {
		return &chat.Error{Kind: malformed, Message: "force must be true or false"}
	}
	k, err := s.Store.RevokeKey(r.Context(), r.PathValue("id"), c.operator(), force == "true")
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, listedKey{k, k.State(time.Now())})
}
