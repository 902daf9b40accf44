package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// create starts a conversation.
func (s *Server) create(w http.ResponseWriter, r *http.Request) error {
	c, err := s.caller(r)
	if err := s.newcomer(r, c, err); err != nil {
		return err
	}
	var body struct {
		Assistant  string                     `json:"assistant"`
		Customer   string                     `json:"customer"`
		Metadata   map[string]json.RawMessage `json:"metadata"`
		Locale     string                     `json:"locale"`
		Disclosure json.RawMessage            `json:"disclosure"`
		Test       bool                       `json:"test"`
	}
	if err := s.readOptional(w, r, &body); err != nil {
		return err
	}
	n := store.NewConversation{Assistant: body.Assistant, Test: body.Test, Person: c.person}
	if body.Customer != "" {
		if !c.trusted() {
			return &chat.Error{Kind: chat.Forbidden, Message: "customer is believed only with an API key: send one, or leave it out"}
		}
		if err := chat.CheckPersonID(body.Customer); err != nil {
			return err
		}
		n.Person = chat.Person{ID: body.Customer}
	}
	if body.Test && !c.trusted() && !c.open {
		return &chat.Error{Kind: chat.Forbidden, Message: "test is for those who may act for customers: send an API key, or leave it out"}
	}
	if err := checkLocale("locale", body.Locale); err != nil {
		return err
	}
	kept := kept{Metadata: body.Metadata, Locale: body.Locale}
	if kept.Disclosure, err = readDisclosure(body.Disclosure); err != nil {
		return err
	}
	if n.Metadata, err = kept.encode(); err != nil {
		return err
	}
	created, token, err := s.start(w, r, c, n)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, struct {
		ID    chat.ConversationID `json:"id"`
		Token string              `json:"token"`
	}{created.ID, token})
}

// kept is what is kept with a conversation beside what was said. A visitor can have made up
// all of it but the times.
type kept struct {
	Metadata   map[string]json.RawMessage `json:"metadata,omitempty"`
	Locale     string                     `json:"locale,omitempty"`
	Disclosure *disclosure                `json:"disclosure,omitempty"`
}

// disclosure is what the visitor was told before the first message, and whether they
// agreed.
type disclosure struct {
	Version string    `json:"version"`
	Locale  string    `json:"locale"`
	Consent bool      `json:"consent"`
	At      chat.Time `json:"at"` // by the server's clock
}

// localeTag has the shape of a language tag (BCP 47). No registry is asked.
var localeTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

const (
	mostLocale  = 35 // bytes, as RFC 5646 advises
	mostVersion = 64 // bytes
)

func checkLocale(field, tag string) error {
	if tag != "" && (len(tag) > mostLocale || !localeTag.MatchString(tag)) {
		return &chat.Error{Kind: chat.Invalid, Message: field + " must be a language tag such as de or pt-BR"}
	}
	return nil
}

// readDisclosure reads the field of that name, as strictly as a whole body.
func readDisclosure(raw json.RawMessage) (*disclosure, error) {
	if raw == nil {
		return nil, nil
	}
	var body struct {
		Version string `json:"version"`
		Locale  string `json:"locale"`
		Consent bool   `json:"consent"`
	}
	if raw[0] != '{' {
		return nil, wrongField("disclosure", "must be a JSON object")
	}
	if err := decode(raw, &body); err != nil {
		return nil, err
	}
	if len(body.Version) > mostVersion || strings.ContainsFunc(body.Version, unicode.IsControl) {
		return nil, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("disclosure.version must be at most %d bytes on one line", mostVersion)}
	}
	return &disclosure{body.Version, body.Locale, body.Consent, chat.Now()}, checkLocale("disclosure.locale", body.Locale)
}

// encode returns nil when nothing is kept.
func (k kept) encode() (json.RawMessage, error) {
	if k.Metadata == nil && k.Locale == "" && k.Disclosure == nil {
		return nil, nil
	}
	b, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encode the metadata: %w", err)
	}
	return b, nil
}

// start makes a conversation for whoever may have one, with the default assistant unless
// n names another. It returns its token, unless n has the hash of one.
func (s *Server) start(w http.ResponseWriter, r *http.Request, c caller, n store.NewConversation) (chat.Conversation, string, error) {
	var err error
	if names := s.reached(c); n.Assistant == "" && len(names) > 0 {
		n.Assistant = names[0]
	}
	if n.Assistant, err = s.named(n.Assistant); err != nil {
		return chat.Conversation{}, "", err
	}
	if err := c.reaches(n.Assistant); err != nil {
		return chat.Conversation{}, "", err
	}
	if err := s.visits(r, n.Assistant); err != nil {
		return chat.Conversation{}, "", err
	}
	if err := s.admitConversation(w, r, c); err != nil {
		return chat.Conversation{}, "", err
	}
	if n.ID == "" {
		n.ID = chat.NewConversationID()
	}
	var token string
	if n.TokenHash == nil {
		token, n.TokenHash = access.NewToken(n.ID)
	}
	created, err := s.Store.Create(r.Context(), n)
	return created, token, err
}

// state shows a conversation as it is now.
func (s *Server) state(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.reading(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	answer := struct {
		chat.Conversation
		Queue *queue `json:"queue,omitempty"`
	}{Conversation: c}
	if c.Owner == chat.Queue && c.QueuedAt != nil {
		place, err := s.Store.Place(r.Context(), c)
		if err != nil {
			return err
		}
		answer.Queue = &queue{place}
	}
	return write(w, http.StatusOK, answer)
}

// queue tells who waits for a person how many wait before them.
type queue struct {
	Place int `json:"place"` // 1 is next
}

const (
	usualPage = 100
	mostPage  = 500
)

// transcript shows what was said, a page at a time.
func (s *Server) transcript(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.reading(r)
	if err != nil {
		return err
	}
	after, err := number(r, "after", 0)
	if err != nil {
		return err
	}
	limit, err := pageSize(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	var page struct {
		Messages []chat.Message `json:"messages"`
		Next     string         `json:"next,omitempty"`
	}
	var next int64
	if page.Messages, next, err = s.Store.Messages(r.Context(), c, after, limit); err != nil {
		return err
	}
	if next > 0 {
		page.Next = strconv.FormatInt(next, 10)
	}
	return write(w, http.StatusOK, page)
}

// stop ends the running answer with what it has shown.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct{}
	if err := s.readOptional(w, r, &body); err != nil {
		return err
	}
	seq, err := s.Inbox.Stop(r.Context(), id)
	if err != nil {
		return err
	}
	return done(w, seq)
}

// handOff asks for a person.
func (s *Server) handOff(w http.ResponseWriter, r *http.Request) error {
	id, reason, err := s.act(w, r)
	if err != nil {
		return err
	}
	if reason == "" {
		reason = "the customer asked for a person"
	}
	c, err := s.Inbox.HandOff(r.Context(), id, chat.Handoff{Reason: reason, Trigger: "asked"})
	if err != nil {
		return err
	}
	return done(w, c.Seq)
}

// end closes the conversation for good.
func (s *Server) end(w http.ResponseWriter, r *http.Request) error {
	id, reason, err := s.act(w, r)
	if err != nil {
		return err
	}
	c, err := s.Inbox.End(r.Context(), id, reason)
	if err != nil {
		return err
	}
	return done(w, c.Seq)
}

const mostReason = 2000 // bytes

// act reads an act on a conversation that may have a reason.
func (s *Server) act(w http.ResponseWriter, r *http.Request) (chat.ConversationID, string, error) {
	id, _, err := s.conversation(r)
	if err != nil {
		return id, "", err
	}
	var body struct {
		Reason string `json:"reason"`
	}
	if err := s.readOptional(w, r, &body); err != nil {
		return id, "", err
	}
	reason, err := remark("reason", body.Reason)
	return id, reason, err
}

// remark checks what people may write beside an act.
func remark(name, text string) (string, error) {
	if len(text) > mostReason {
		return "", &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s has %d bytes, %d are allowed", name, len(text), mostReason)}
	}
	return strings.TrimSpace(text), nil
}

// done answers an act with the number of the conversation's last event.
func done(w http.ResponseWriter, seq int64) error {
	return write(w, http.StatusAccepted, struct {
		Seq int64 `json:"seq,omitempty"`
	}{seq})
}

// number reads a parameter of the query that is a number from 0.
func number(r *http.Request, name string, usual int64) (int64, error) {
	values := r.URL.Query()[name]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return usual, nil
	}
	return wholeNumber(name, values[len(values)-1])
}

func wholeNumber(name, s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, &chat.Error{Kind: malformed, Message: fmt.Sprintf("%s must be a number from 0, not %.32q", name, s)}
	}
	return int64(n), nil
}

// pageSize reads how many entries a page should have.
func pageSize(r *http.Request) (int, error) {
	n, err := number(r, "limit", usualPage)
	if err == nil && n == 0 {
		err = &chat.Error{Kind: malformed, Message: "limit must be a number from 1"}
	}
	return int(min(n, mostPage)), err
}
