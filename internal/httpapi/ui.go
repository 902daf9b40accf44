package httpapi

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/store"
)

// ui takes the last message of a chat that useChat shows, and streams its answer. What
// the client says of earlier messages is not believed: the conversation is here.
func (s *Server) ui(w http.ResponseWriter, r *http.Request) error {
	c, refused := s.caller(r)
	if refused != nil && !errors.Is(refused, chat.Unknown) {
		return refused
	}
	body, err := s.body(w, r)
	if errors.Is(err, chat.TooLarge) {
		return &chat.Error{Kind: chat.TooLarge, Message: "this chat is too large to be sent whole: " +
			"send its last message alone, which is all that is read (prepareSendMessagesRequest)"}
	}
	if err != nil {
		return err
	}
	m, err := readUI(body)
	if err != nil {
		return err
	}
	in := chat.Incoming{Text: m.text, ClientID: m.clientID, Final: !resets(r)}
	if err := s.Inbox.Check(in); err != nil {
		return err // before a conversation is made for nothing
	}
	st, err := s.openStream(w)
	if err != nil {
		return err
	}
	defer s.closeStream()
	id, token, err := s.uiConversation(w, r, c, refused, m)
	if err != nil {
		return err
	}
	if err := s.admitMessage(w, c, id); err != nil {
		return err
	}
	in.Conversation = id
	a, err := s.Inbox.Accept(r.Context(), in)
	if err != nil {
		return err
	}
	held := false
	if turn := a.Message.Turn; turn != "" && a.Effect != chat.Starts && in.Final {
		// Whoever began the turn may have a client that takes text back.
		_, final, err := s.Store.Began(r.Context(), id, turn)
		if err != nil {
			return err
		}
		held = !final
	}
	if token != "" {
		w.Header().Set("X-Conversation-Token", token)
	}
	out := &uiStream{stream: st, conversation: id, turn: a.Message.Turn, base: s.base(r), held: held}
	return s.streamUI(r, out, a.Seq-1, a.Open.Conversation.Seq)
}

// uiResume streams the running answer of a chat from its start, or says that none runs.
func (s *Server) uiResume(w http.ResponseWriter, r *http.Request) error {
	c, refused := s.caller(r)
	if refused != nil && !errors.Is(refused, chat.Unknown) {
		return refused
	}
	now, err := s.uiFind(r, c, refused, r.PathValue("id"))
	if errors.Is(err, chat.NotFound) || err == nil && now.Turn == "" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	began, final, err := s.Store.Began(r.Context(), now.ID, now.Turn)
	if err != nil {
		return err
	}
	st, err := s.openStream(w)
	if err != nil {
		return err
	}
	defer s.closeStream()
	out := &uiStream{stream: st, conversation: now.ID, turn: now.Turn, base: s.base(r), held: !final && !resets(r)}
	return s.streamUI(r, out, began-1, now.Seq)
}

// streamUI follows a turn to its end. Without one, it says who owns the conversation.
func (s *Server) streamUI(r *http.Request, out *uiStream, after, known int64) error {
	h := out.w.Header()
	h.Set("X-Conversation-Id", string(out.conversation))
	h.Set("X-Vercel-Ai-Ui-Message-Stream", "v1")
	out.begin()
	if r.Method == http.MethodHead {
		return nil
	}
	out.start()
	var err error
	if out.turn != "" {
		err = s.follow(r.Context(), out.stream, out.conversation, after, known, func(e chat.Event) bool {
			if e.Turn == out.turn {
				out.take(e)
			}
			return out.ended || out.wrong != nil
		})
		if err == nil {
			err = out.wrong
		}
		if err == nil && !out.ended {
			err = errBroken
		}
	}
	if err == nil && (out.turn == "" || out.end.Outcome == chat.HandedOver) {
		var now chat.Conversation
		if now, err = s.Store.Conversation(r.Context(), out.conversation); err == nil {
			out.owner(now)
		}
	}
	if err != nil {
		p := s.failLate(out.w, r, resource{path: "/v1/ui"}, err)
		out.data(uiPart{Type: "error", ErrorText: p.Detail})
	} else {
		out.finish()
	}
	out.done()
	return out.flush()
}

// errBroken: the stream ends, the answer does not.
var errBroken = &chat.Error{Kind: chat.Unavailable, Message: "the connection was lost: the answer goes on, reload to see it"}

// resets reports whether the client understands that what it got is void: version 7 of
// the AI SDK does, and 6 breaks.
func resets(r *http.Request) bool {
	return r.Header.Get("X-Answerable-Reset") == "1" || r.URL.Query().Get("reset") == "1"
}

// uiID is the conversation of a chat whose id was made by a client. It is derived, so that
// every process finds it and nothing need be stored. It differs for software with an API
// key, lest a visitor begin, and then read, the conversation of a chat id that they guess.
func uiID(trusted bool, chatID string) chat.ConversationID {
	who := "visitor"
	if trusted {
		who = "key"
	}
	sum := sha256.Sum256([]byte("ui\x00" + who + "\x00" + chatID))
	return chat.ConversationID("c" + strings.ToLower(base32.HexEncoding.EncodeToString(sum[:20]))) // longer than those that we make up
}

// uiFind returns the conversation of a chat, if the caller may use it. It is
// chat.NotFound when there is none, and the caller may begin it. The id of a chat is no secret: on a server that has keys, the token is what opens it.
func (s *Server) uiFind(r *http.Request, c caller, refused error, chatID string) (chat.Conversation, error) {
	id := uiID(c.trusted(), chatID)
	if named, _, ok := access.ParseToken(c.token); ok && named == uiID(true, chatID) {
		id = named // begun with a key, which passed the token on
	}
	now, err := s.Store.Conversation(r.Context(), id)
	if err == nil {
		return now, s.opens(r, c, refused, id, chat.ScopeChat)
	}
	if stranger := s.newcomer(r, c, refused); errors.Is(err, chat.NotFound) && stranger != nil {
		return now, stranger
	}
	return now, err
}

// uiConversation finds the conversation of a chat, or makes it and returns its token.
func (s *Server) uiConversation(w http.ResponseWriter, r *http.Request, c caller, refused error, m uiMessage) (chat.ConversationID, string, error) {
	now, err := s.uiFind(r, c, refused, m.chat)
	if !errors.Is(err, chat.NotFound) {
		return now.ID, "", err
	}
	created, token, err := s.start(w, r, c, store.NewConversation{ID: uiID(c.trusted(), m.chat), Assistant: m.assistant, Person: c.person})
	if err == nil {
		return created.ID, token, nil
	}
	if now, cannot := s.uiFind(r, c, refused, m.chat); !errors.Is(cannot, chat.NotFound) {
		return now.ID, "", cannot // another request of the chat was faster
	}
	return "", "", err
}

// uiMessage is what useChat sends, as far as it is followed.
type uiMessage struct {
	chat      string
	assistant string
	text      chat.Text
	clientID  string
}

const mostChatID = 256 // bytes

// readUI reads a request. Applications add fields of their own to it.
func readUI(body []byte) (uiMessage, error) {
	var m uiMessage
	o, err := readObject(body)
	if err != nil {
		return m, err
	}
	var trigger, edited string
	var all []object
	err = errors.Join(
		o.field(&m.chat, "", "id"),
		o.field(&m.assistant, "", "assistant"),
		o.field(&trigger, "", "trigger"),
		o.field(&edited, "", "messageId"),
		o.field(&all, "", "messages"),
	)
	switch {
	case err != nil:
		return m, err
	case m.chat == "" || len(m.chat) > mostChatID || strings.ContainsFunc(m.chat, unicode.IsControl):
		return m, wrongField("id", fmt.Sprintf("must be the id of the chat, 1 to %d bytes on one line", mostChatID))
	case trigger != "" && trigger != "submit-message" && trigger != "regenerate-message":
		return m, wrongField("trigger", "must be submit-message or regenerate-message")
	}
	again := trigger == "regenerate-message"
	for i := len(all) - 1; i >= 0; i-- {
		within := fmt.Sprintf("messages[%d].", i)
		var role string
		if err := all[i].field(&role, within, "role"); err != nil {
			return m, err
		}
		if role == "user" {
			return m, m.read(all[i], within, again, edited != "")
		}
		if !again {
			return m, wrongField(within+"role", "must be user: a new message is the last one")
		}
	}
	return m, wrongField("messages", "must have a message of role user")
}

// read takes the text of a message. Its id is what makes it the same message when it is
// sent again: not one that is asked again on purpose, nor another text after an edit.
func (m *uiMessage) read(o object, within string, again, edited bool) error {
	var parts []object
	if err := errors.Join(o.field(&m.clientID, within, "id"), o.field(&parts, within, "parts")); err != nil {
		return err
	}
	var texts []string
	for i, part := range parts {
		at := fmt.Sprintf("%sparts[%d].", within, i)
		var kind, text string
		if err := errors.Join(part.field(&kind, at, "type"), part.field(&text, at, "text")); err != nil {
			return err
		}
		switch kind {
		case "text":
			texts = append(texts, text)
		case "file":
			return wrongField(at+"type", "must be text: files are not read here")
		}
	}
	m.text = chat.Text(strings.Join(texts, "\n"))
	if len(m.clientID) > inbox.MostClientID {
		return wrongField(within+"id", fmt.Sprintf("must be of at most %d bytes", inbox.MostClientID))
	}
	switch {
	case again:
		m.clientID = ""
	case edited:
		sum := sha256.Sum256([]byte(m.clientID + "\x00" + string(m.text)))
		m.clientID = "edit-" + hex.EncodeToString(sum[:16])
	}
	return nil
}
