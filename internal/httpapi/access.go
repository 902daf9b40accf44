package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

func (s *Server) site() access.Site {
	return access.Site{Loopback: s.Access.Loopback, Origins: s.Access.Origins}
}

// admit refuses what strange pages make a browser send, on every route, and tells the
// browser which pages may read the answer.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, p resource) error {
	if !s.site().KnowsHost(r.Host) {
		return &chat.Error{Kind: chat.Forbidden, Message: "this server is not known by that Host: ask for 127.0.0.1 or localhost, or add the origin to allowed_origins"}
	}
	h := w.Header()
	if p.forEverybody() {
		h.Set("Access-Control-Allow-Origin", "*")
		return nil
	}
	h.Add("Vary", "Origin")
	origin, foreign := s.foreign(r)
	if !foreign {
		return nil
	}
	list := s.Access.Origins
	if p.forVisitors() {
		list = slices.Clone(list)
		for _, name := range s.Assistants.Names() {
			list = append(list, s.Assistants.Origins(name)...)
		}
	}
	if !access.Listed(origin, list) {
		return errForeignOrigin
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "X-Conversation-Id, X-Conversation-Token, X-Answerable-Ignored, X-Request-Id, Retry-After")
	return nil
}

var errForeignOrigin = &chat.Error{Kind: chat.Forbidden, Message: "pages of this origin may not call this server: add it to allowed_origins"}

// foreign returns the Origin of a request that a page of another site made a browser send.
func (s *Server) foreign(r *http.Request) (origin string, foreign bool) {
	origins := r.Header["Origin"]
	if len(origins) == 1 {
		return origins[0], !s.site().Ours(origins[0], r.Host)
	}
	return "", len(origins) > 1
}

// visits refuses pages of sites where this assistant is not at home. admit let through
// those of any assistant.
func (s *Server) visits(r *http.Request, assistant string) error {
	origin, foreign := s.foreign(r)
	if !foreign {
		return nil
	}
	list := s.Assistants.Origins(assistant)
	if len(list) == 0 {
		list = s.Access.Origins
	}
	if !access.Listed(origin, list) {
		return errForeignOrigin
	}
	return nil
}

// preflight answers a browser that asks what a page may send.
func preflight(w http.ResponseWriter, r *http.Request, p resource) error {
	h := w.Header()
	h.Set("Allow", p.allow())
	if r.Header.Get("Access-Control-Request-Method") != "" && h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", p.allow())
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID, *") // official clients tell much of themselves
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// caller is who asks.
type caller struct {
	open   bool        // nobody is asked who they are: there never was a key, and only this machine can call
	key    chat.APIKey // or without an ID
	person chat.Person // whom a signed identity names, or without an ID
	token  string      // of a conversation, unverified, or ""
}

// trusted reports whether the caller may act for others: limits and rules for visitors
// do not bind it.
func (c caller) trusted() bool { return c.key.May(chat.ScopeChat) }

// name is what the caller is called as an agent.
func (c caller) name() string {
	if c.key.ID == "" {
		return "agent"
	}
	return c.key.Name
}

// ThisMachine is the name of whoever works on the server's machine without a key.
const ThisMachine = "this machine"

// operator is what the caller is called where something was changed.
func (c caller) operator() string {
	if c.open {
		return ThisMachine // nobody else gets here
	}
	return c.key.Name
}

// caller finds out who asks. What is no key, no identity and no token at all is refused.
func (s *Server) caller(r *http.Request) (caller, error) {
	open, err := s.open(r.Context())
	if err != nil {
		return caller{}, err
	}
	bearer, err := bearer(r)
	if hash, ok := access.ParseKey(bearer); ok {
		key, err := s.key(r.Context(), hash)
		if err == nil || !open {
			return caller{key: key}, err
		}
	}
	if open {
		// Whoever says who they are is believed, and nobody is refused.
		person, _ := s.Access.Identities.Verify(bearer, time.Now())
		return caller{open: true, person: person}, nil
	}
	if err != nil || bearer == "" {
		return caller{}, err
	}
	if access.LooksSigned(bearer) {
		person, err := s.Access.Identities.Verify(bearer, time.Now())
		return caller{person: person}, err
	}
	return caller{token: bearer}, nil
}

// key returns the API key with this hash, if it opens anything.
func (s *Server) key(ctx context.Context, hash []byte) (chat.APIKey, error) {
	k, err := s.Store.Key(ctx, hash)
	switch {
	case errors.Is(err, chat.NotFound):
		return chat.APIKey{}, errWrongToken
	case err != nil:
		return chat.APIKey{}, err
	}
	switch k.State(time.Now()) {
	case chat.KeyExpired:
		return chat.APIKey{}, &chat.Error{Kind: chat.Unknown, Message: "this API key expired at " + k.ExpiresAt.Format(time.RFC3339) + ": have a new one made with: answerable keys create NAME"}
	case chat.KeyRevoked:
		return chat.APIKey{}, &chat.Error{Kind: chat.Unknown, Message: "this API key was revoked: have a new one made with: answerable keys create NAME"}
	}
	return k, nil
}

// still returns an error when a caller who stays with a conversation may no longer: their
// key opens nothing any more, or they came while the server was open, and it has keys now.
func (s *Server) still(r *http.Request, c caller) error {
	if c.key.ID == "" && !c.open {
		return nil
	}
	_, _, err := s.reading(r)
	return err
}

// needs returns an error unless one of the scopes is the caller's. On a server that is
// open, all are.
func (c caller) needs(one ...chat.Scope) error {
	if c.open || slices.ContainsFunc(one, c.key.May) {
		return nil
	}
	return &chat.Error{Kind: chat.Forbidden, Message: fmt.Sprintf("this needs an API key with the scope %s; that of %q is: %s", one[0], c.key.Name, c.key.ScopeList())}
}

// reaches returns an error when the caller's key is for other assistants alone.
func (c caller) reaches(assistant string) error {
	if c.key.Reaches(assistant) {
		return nil
	}
	return &chat.Error{Kind: chat.Forbidden, Message: fmt.Sprintf("this API key is only for: %s", strings.Join(c.key.Assistants, ", "))}
}

// assistants are those that the caller's key is for; nil: all.
func (c caller) assistants() []string {
	if len(c.key.Assistants) == 0 {
		return nil
	}
	return c.key.Assistants
}

// within returns an error when a conversation is not of the assistants that the caller's
// key is for: to its holder, it does not exist.
func (s *Server) within(ctx context.Context, c caller, id chat.ConversationID) error {
	if c.assistants() == nil {
		return nil
	}
	conversation, err := s.Store.Conversation(ctx, id)
	if err == nil && !c.key.Reaches(conversation.Assistant) {
		err = errNoID
	}
	return err
}

// signedIn returns the customer whose signed identity came with the request.
func (s *Server) signedIn(r *http.Request) (chat.Person, error) {
	c, err := s.caller(r)
	if err != nil || c.person.ID != "" {
		return c.person, err
	}
	if bearer, _ := bearer(r); c.open && access.LooksSigned(bearer) { // caller does not say what is wrong with it
		return s.Access.Identities.Verify(bearer, time.Now())
	}
	return c.person, errNotSigned
}

// open reports whether everybody may come in.
func (s *Server) open(ctx context.Context) (bool, error) {
	if !s.Access.Loopback || s.closed.Load() {
		return false, nil
	}
	closed, err := s.Store.Closed(ctx)
	if closed {
		s.closed.Store(true)
	}
	return err == nil && !closed, err
}

var (
	errNoToken    = &chat.Error{Kind: chat.Unknown, Message: "send the conversation's token or an API key as Authorization: Bearer TOKEN"}
	errNotSigned  = &chat.Error{Kind: chat.Unknown, Message: "send the signed identity of the customer as Authorization: Bearer IDENTITY"}
	errWrongToken = &chat.Error{Kind: chat.Unknown, Message: "this token is not valid: send the one that came with the conversation, or an API key"}
	errNoID       = &chat.Error{Kind: chat.NotFound, Message: "there is no such conversation: start one with POST /v1/conversations"}
)

// bearer returns the token of a request, or "".
func bearer(r *http.Request) (string, error) {
	switch values := r.Header["Authorization"]; len(values) {
	case 0:
		return "", nil
	case 1:
		scheme, token, _ := strings.Cut(values[0], " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			return token, nil
		}
	}
	return "", errNoToken
}

// conversation returns the conversation that the path names, if the caller may act in it.
// That it exists is certain only for callers who had to show its token.
func (s *Server) conversation(r *http.Request) (chat.ConversationID, caller, error) {
	return s.conversationFor(r, chat.ScopeChat)
}

// reading is conversation for whoever only reads.
func (s *Server) reading(r *http.Request) (chat.ConversationID, caller, error) {
	return s.conversationFor(r, chat.ScopeView, chat.ScopeChat)
}

func (s *Server) conversationFor(r *http.Request, one ...chat.Scope) (chat.ConversationID, caller, error) {
	id := chat.ConversationID(r.PathValue("id"))
	c, err := s.caller(r)
	if err != nil && !errors.Is(err, chat.Unknown) {
		return id, c, err
	}
	return id, c, s.opens(r, c, err, id, one...)
}

// opens reports whether the caller may use a conversation: as a customer, or with a key of
// one of the scopes. refused is why they are not known, or nil; that there is no such
// conversation goes before it.
func (s *Server) opens(r *http.Request, c caller, refused error, id chat.ConversationID, one ...chat.Scope) error {
	if !access.IsID(string(id)) {
		return errNoID
	}
	var err error
	switch {
	case c.open:
	case c.key.ID != "":
		if err = c.needs(one...); err == nil {
			err = s.within(r.Context(), c, id)
		}
	case c.person.ID != "":
		err = s.checkPerson(r.Context(), c.person, id)
	default:
		err = s.checkToken(r.Context(), c.token, refused, id)
	}
	if err != nil {
		return err
	}
	if _, foreign := s.foreign(r); !foreign {
		return nil
	}
	conversation, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	return s.visits(r, conversation.Assistant)
}

// checkPerson lets in the person whose conversation it is.
func (s *Server) checkPerson(ctx context.Context, p chat.Person, id chat.ConversationID) error {
	owns, err := s.Store.Owns(ctx, p, id)
	if owns || err != nil {
		return err
	}
	if _, err := s.Store.Conversation(ctx, id); err != nil {
		return err
	}
	return &chat.Error{Kind: chat.Forbidden, Message: "this conversation is not this customer's: send the token that came with it"}
}

func (s *Server) checkToken(ctx context.Context, token string, refused error, id chat.ConversationID) error {
	want, err := s.Store.TokenHash(ctx, id)
	switch {
	case err != nil:
		return err
	case refused != nil:
		return refused
	case token == "":
		return errNoToken
	}
	named, err := s.tokenOf(ctx, token)
	if err != nil {
		return err
	}
	if _, hash, _ := access.ParseToken(token); named == id && access.Same(hash, want) {
		return nil
	}
	return &chat.Error{Kind: chat.Forbidden, Message: "this token opens another conversation: send the one that came with this one"}
}

// tokenOf returns the conversation that a token opens.
func (s *Server) tokenOf(ctx context.Context, token string) (chat.ConversationID, error) {
	id, hash, ok := access.ParseToken(token)
	if !ok {
		return "", errWrongToken
	}
	want, err := s.Store.TokenHash(ctx, id)
	if errors.Is(err, chat.NotFound) || err == nil && !access.Same(hash, want) {
		return "", errWrongToken
	}
	return id, err
}

// newcomer lets in who starts a conversation. They need not say who they are, but if they
// do it must be true. refused is as in opens.
func (s *Server) newcomer(r *http.Request, c caller, refused error) error {
	switch {
	case refused != nil:
		return refused
	case c.key.ID != "":
		return c.needs(chat.ScopeChat)
	case c.token == "":
		return nil
	}
	_, err := s.tokenOf(r.Context(), c.token)
	return err
}

// program lets in who has an API key with a scope: the software of the company.
func (s *Server) program(r *http.Request, need chat.Scope) (caller, error) {
	c, err := s.caller(r)
	switch {
	case err != nil || c.open:
		return c, err
	case c.key.ID != "":
		return c, c.needs(need)
	case c.person.ID != "":
		return c, &chat.Error{Kind: chat.Forbidden, Message: "a customer's identity does not open this: send an API key"}
	case c.token == "":
		return c, &chat.Error{Kind: chat.Unknown, Message: "send an API key as Authorization: Bearer KEY; make one with: answerable keys create NAME"}
	}
	if _, err := s.tokenOf(r.Context(), c.token); err != nil {
		return c, err
	}
	return c, &chat.Error{Kind: chat.Forbidden, Message: "a conversation's token does not open this: send an API key"}
}

// admitMessage counts a visitor's message.
func (s *Server) admitMessage(w http.ResponseWriter, c caller, id chat.ConversationID) error {
	if c.trusted() {
		return nil
	}
	return admitted(w, s.messages.Allow(string(id), time.Now()), "too many messages in this conversation")
}

// admitSignal counts what a visitor signals.
func (s *Server) admitSignal(w http.ResponseWriter, c caller, id chat.ConversationID) error {
	if c.trusted() {
		return nil
	}
	return admitted(w, s.signals.Allow(string(id), time.Now()), "too many signals in this conversation")
}

// admitConversation counts a conversation that a visitor starts.
func (s *Server) admitConversation(w http.ResponseWriter, r *http.Request, c caller) error {
	if c.trusted() {
		return nil
	}
	return admitted(w, s.conversations.Allow(s.household(r), time.Now()), "too many new conversations from this address")
}

// household is what the address of a request is counted under.
func (s *Server) household(r *http.Request) string {
	return access.Household(access.Address(r.RemoteAddr, r.Header["X-Forwarded-For"], s.Access.Proxies))
}

func admitted(w http.ResponseWriter, wait time.Duration, what string) error {
	if wait <= 0 {
		return nil
	}
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", seconds)
	return &chat.Error{Kind: chat.TooMany, Message: what + ": wait " + seconds + " s"}
}
