package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// chat is the smallest face: a message in, the text of its answer out. It cannot retract,
// so the turns that it starts are final.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) error {
	c, refused := s.caller(r)
	if refused != nil && !errors.Is(refused, chat.Unknown) {
		return refused
	}
	var body struct {
		Message      chat.Text           `json:"message"`
		Conversation chat.ConversationID `json:"conversation"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	id := body.Conversation
	if id != "" {
		if err := s.opens(r, c, refused, id, chat.ScopeChat); err != nil {
			return err
		}
	} else if err := s.newcomer(r, c, refused); err != nil {
		return err
	}
	if err := s.Inbox.Check(chat.Incoming{Text: body.Message}); err != nil {
		return err // before a conversation is made for nothing
	}
	st, err := s.openStream(w)
	if err != nil {
		return err
	}
	defer s.closeStream()
	var token string
	if id == "" {
		var created chat.Conversation
		if created, token, err = s.start(w, r, c, store.NewConversation{Person: c.person}); err != nil {
			return err
		}
		id = created.ID
	}
	if err := s.admitMessage(w, c, id); err != nil {
		return err
	}
	a, err := s.Inbox.Accept(r.Context(), chat.Incoming{Conversation: id, Text: body.Message, Final: true})
	if err != nil {
		return err
	}
	w.Header().Set("X-Conversation-Id", string(id))
	if token != "" {
		w.Header().Set("X-Conversation-Token", token)
	}
	st.begin()
	err = s.follow(r.Context(), st, id, a.Seq-1, a.Open.Conversation.Seq, func(e chat.Event) bool {
		// Whoever began a turn that this message joined may have a face that retracts: of
		// such a turn only the end is final.
		if e.Turn == a.Message.Turn && (e.Kind == chat.KindText) == (a.Effect == chat.Starts) {
			st.chunk(e)
		}
		last := over(a, e)
		if last {
			st.done()
		}
		return last
	})
	if err != nil && !errors.Is(err, errGone) {
		// The answer goes on, but it cannot be read here.
		s.failLate(w, r, resource{path: "/chat"}, err)
		st.buf = append(st.buf, `data: {"error":"the answer could not be read: ask for the conversation's messages"}`+"\n\n"...)
		st.done()
		return st.flush()
	}
	return err
}

// chunk writes the text of an event, if it has one.
func (st *stream) chunk(e chat.Event) {
	const begins = `{"text":`
	if e.Kind == chat.KindText && bytes.HasPrefix(e.Body, []byte(begins)) { // nearly all
		st.buf = append(append(append(st.buf, `data: {"chunk":`...), e.Body[len(begins):]...), "\n\n"...)
		return
	}
	var body struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(e.Body, &body); err != nil || body.Text == "" {
		return
	}
	chunk, err := json.Marshal(body.Text)
	if err != nil {
		panic("httpapi: a string cannot be encoded: " + err.Error())
	}
	st.buf = append(append(append(st.buf, `data: {"chunk":`...), chunk...), "}\n\n"...)
}
