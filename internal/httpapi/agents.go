package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// list shows the conversations of an owner, those that wait longest first.
func (s *Server) list(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeView)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	owner := chat.Owner(q.Get("owner"))
	switch owner {
	case "":
		owner = chat.Queue
	case chat.Bot, chat.Queue, chat.AgentOwner:
	default:
		return &chat.Error{Kind: malformed, Message: "owner must be queue, agent or bot"}
	}
	after := chat.ConversationID(q.Get("after"))
	if after != "" && !access.IsID(string(after)) {
		return &chat.Error{Kind: malformed, Message: "after must be the next of the page before"}
	}
	var test *bool
	switch q.Get("test") {
	case "":
	case "true", "false":
		only := q.Get("test") == "true"
		test = &only
	default:
		return &chat.Error{Kind: malformed, Message: "test must be true or false"}
	}
	limit, err := pageSize(r)
	if err != nil {
		return err
	}
	found, err := s.Store.Conversations(r.Context(), owner, c.assistants(), after, limit+1, test)
	if err != nil {
		return err
	}
	page := struct {
		Conversations []chat.Conversation `json:"conversations"`
		Next          chat.ConversationID `json:"next,omitempty"`
	}{Conversations: append([]chat.Conversation{}, found[:min(limit, len(found))]...)}
	if len(found) > limit {
		page.Next = found[limit-1].ID
	}
	return write(w, http.StatusOK, page)
}

// agentOf returns the conversation that an agent's request is about, and the agent's name.
func (s *Server) agentOf(r *http.Request) (id chat.ConversationID, name string, err error) {
	c, err := s.program(r, chat.ScopeAgent)
	if err != nil {
		return "", "", err
	}
	if id = chat.ConversationID(r.PathValue("id")); !access.IsID(string(id)) {
		return "", "", errNoID
	}
	return id, c.name(), s.within(r.Context(), c, id)
}

// take makes an agent the owner of a conversation.
func (s *Server) take(w http.ResponseWriter, r *http.Request) error {
	id, name, err := s.agentOf(r)
	if err != nil {
		return err
	}
	var body struct {
		Name string `json:"name"`
	}
	if err := s.readOptional(w, r, &body); err != nil {
		return err
	}
	if body.Name != "" {
		if name, err = agentName(body.Name); err != nil {
			return err
		}
	}
	c, err := s.Inbox.Take(r.Context(), id, name)
	if errors.Is(err, chat.Conflict) {
		if now, cannot := s.Store.Conversation(r.Context(), id); cannot == nil && now.Owner == chat.AgentOwner {
			return taken{err, now.OwnerName}
		}
	}
	if err != nil {
		return err
	}
	return owned(w, c)
}

const mostName = 100 // bytes

func agentName(s string) (string, error) {
	name := strings.TrimSpace(s)
	if name == "" || len(name) > mostName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("name must be 1 to %d bytes on one line", mostName)}
	}
	return name, nil
}

// say has the agent who owns a conversation speak. With a name, only if it is theirs.
func (s *Server) say(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.agentOf(r)
	if err != nil {
		return err
	}
	var body struct {
		Text     chat.Text     `json:"text"`
		Files    []chat.FileID `json:"files"`
		ClientID string        `json:"client_id"`
		Name     string        `json:"name"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	in := chat.Incoming{Conversation: id, Text: body.Text, Files: body.Files, ClientID: body.ClientID}
	if err := s.Inbox.Check(in); err != nil {
		return err
	}
	m, seq, err := s.Store.Say(r.Context(), strings.TrimSpace(body.Name), in)
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, accepted{Message: m.ID, Seq: seq})
}

// release gives a conversation back to the bot or the queue.
func (s *Server) release(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.agentOf(r)
	if err != nil {
		return err
	}
	var body struct {
		To chat.Owner `json:"to"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	c, err := s.Inbox.Release(r.Context(), id, body.To)
	if err != nil {
		return err
	}
	return owned(w, c)
}

// owned tells who has a conversation now.
func owned(w http.ResponseWriter, c chat.Conversation) error {
	return write(w, http.StatusOK, struct {
		Owner chat.Owner `json:"owner"`
		Term  int64      `json:"term"`
		Name  string     `json:"name,omitempty"`
		Seq   int64      `json:"seq"`
	}{c.Owner, c.Term, c.OwnerName, c.Seq})
}
