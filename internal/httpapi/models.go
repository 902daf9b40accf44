package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// modelEntry is an assistant as OpenAI's clients list models.
type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (s *Server) modelEntry(name string) modelEntry {
	return modelEntry{ID: name, Object: "model", Created: s.Started.Unix(), OwnedBy: "answerable"}
}

// models lists the assistants, the default first.
func (s *Server) models(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeChat)
	if err != nil {
		return err
	}
	list := struct {
		Object string       `json:"object"`
		Data   []modelEntry `json:"data"`
	}{"list", []modelEntry{}}
	for _, name := range s.reached(c) {
		list.Data = append(list.Data, s.modelEntry(name))
	}
	return write(w, http.StatusOK, list)
}

// model shows one assistant.
func (s *Server) model(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeChat)
	if err != nil {
		return err
	}
	name, err := s.assistantOf(c, r.PathValue("id"))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, s.modelEntry(name))
}

// reached returns the assistants that the caller's key is for, the default first.
func (s *Server) reached(c caller) []string {
	return slices.DeleteFunc(slices.Clone(s.Assistants.Names()), func(name string) bool { return !c.key.Reaches(name) })
}

// errNoModel is found by writeOpenAIError, which gives it the code that clients know.
var errNoModel = errors.New("no such model")

// assistantOf returns the assistant that a client calls its model. "default" is the first
// one, for clients that must name something.
func (s *Server) assistantOf(c caller, model string) (string, error) {
	names := s.reached(c)
	switch {
	case slices.Contains(names, model):
		return model, nil
	case (model == "" || model == "default") && len(names) > 0:
		return names[0], nil
	}
	return "", misfit{&chat.Error{Kind: chat.NotFound, Err: errNoModel,
		Message: fmt.Sprintf("there is no assistant %.64q: use one of %s as the model", model, strings.Join(names, ", "))}, "model"}
}

// openAIError is an error as OpenAI's clients read it.
type openAIError struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

func newOpenAIError(p problem, err error) openAIError {
	var e openAIError
	e.Error.Message, e.Error.Type = p.Detail, "invalid_request_error"
	code := strings.ReplaceAll(strings.TrimPrefix(p.Type, problemBase), "-", "_")
	switch {
	case errors.Is(err, errNoModel):
		code = "model_not_found"
	case p.Status == http.StatusUnauthorized:
		code = "invalid_api_key"
	case p.Status == http.StatusTooManyRequests:
		e.Error.Type, code = "requests", "rate_limit_exceeded"
	case p.Status >= http.StatusInternalServerError:
		e.Error.Type = "server_error"
	}
	e.Error.Code = &code
	var m misfit
	if errors.As(err, &m) {
		e.Error.Param = &m.field
	}
	return e
}

// writeOpenAIError answers with an error whose status makes official clients raise the
// right one of their exceptions.
func writeOpenAIError(w http.ResponseWriter, p problem, err error) {
	e := newOpenAIError(p, err)
	if p.Status == http.StatusUnprocessableEntity {
		p.Status = http.StatusBadRequest
	}
	writeError(w, p.Status, "application/json", e)
}
