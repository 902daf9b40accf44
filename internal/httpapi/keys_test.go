package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

// key stores an API key and returns it as a header.
func (s *server) key(k chat.APIKey) (header string) {
	s.Helper()
	key, hash := access.NewKey()
	k.ID = access.NewKeyID()
	if k.Name == "" {
		k.Name = k.ID
	}
	k.CreatedAt = chat.Now()
	must(s, s.store.AddKey(s.Context(), k, hash))
	return "Authorization: Bearer " + key
}

// needed says for each route which keys open it: those with one of the scopes, of which a
// refusal names the first. Routes without one are open to everybody.
var needed = map[string]struct {
	scopes []chat.Scope
	body   string
}{
	"POST /v1/conversations":               {acts, ""},
	"GET /v1/conversations":                {}, // for customers' identities alone
	"GET /v1/conversations/{id}":           {reads, ""},
	"GET /v1/conversations/{id}/messages":  {reads, ""},
	"POST /v1/conversations/{id}/messages": {acts, ""},
	"GET /v1/conversations/{id}/events":    {reads, ""},
	"GET /v1/conversations/{id}/ws":        {acts, ""},
	"POST /v1/conversations/{id}/typing":   {acts, ""},
	"POST /v1/conversations/{id}/stop":     {acts, ""},
	"POST /v1/conversations/{id}/handoff":  {acts, ""},
	"POST /v1/conversations/{id}/close":    {acts, ""},
	"POST /v1/conversations/{id}/identify": {acts, ""},
	"POST /v1/conversations/{id}/files":    {acts, ""},
	"GET /v1/conversations/{id}/files/{f}": {reads, ""},
	"POST /v1/conversations/{id}/retry":    {acts, ""},
	"POST /v1/conversations/{id}/read":     {acts, ""},
	"POST /v1/conversations/{id}/feedback": {acts, ""},
	"POST /v1/conversations/{id}/csat":     {acts, ""},
	"POST /chat":                           {acts, `{"message":"Hello?","conversation":"{id}"}`},
	"POST /v1/chat/completions":            {acts, ""},
	"GET /v1/models":                       {acts, ""},
	"GET /v1/models/{id}":                  {acts, ""},
	"POST /v1/ui":                          {acts, `{"id":"x","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"Hello?"}]}]}`},
	"GET /v1/ui/{id}/stream":               {acts, ""},
	"GET /v1/widget":                       {},

	"GET /api/conversations":                 {views, ""},
	"POST /api/conversations/{id}/take":      {agents, ""},
	"POST /api/conversations/{id}/messages":  {agents, ""},
	"POST /api/conversations/{id}/typing":    {agents, ""},
	"POST /api/conversations/{id}/release":   {agents, ""},
	"POST /api/conversations/{id}/read":      {agents, ""},
	"GET /api/keys":                          {admins, ""},
	"POST /api/keys":                         {admins, ""},
	"DELETE /api/keys/{id}":                  {admins, ""},
	"POST /api/knowledge":                    {edits, ""},
	"GET /api/off":                           {views, ""},
	"POST /api/off":                          {edits, `{"all":true}`},
	"POST /api/on":                           {edits, `{"all":true}`},
	"GET /api/notices":                       {views, ""},
	"POST /api/notices":                      {edits, ""},
	"DELETE /api/notices/{id}":               {edits, ""},
	"GET /api/releases":                      {views, ""},
	"GET /api/releases/{assistant}/diff":     {views, ""},
	"GET /api/releases/{assistant}/files":    {views, ""},
	"POST /api/releases/{assistant}/promote": {edits, ""},
	"POST /api/releases/{assistant}/undo":    {edits, ""},

	"GET /sources/{generation}/{document...}": {}, "GET /{$}": {}, "POST /{$}": {}, "GET /embed": {}, "POST /embed": {}, "GET /widget.js": {},
	"GET /assets/{f}": {}, "GET /plain.css": {}, "GET /source.css": {}, "GET /favicon.svg": {}, "GET /openapi.json": {}, "GET /healthz": {},
	"GET /readyz": {}, "GET /metrics": {},
}

var (
	acts   = []chat.Scope{chat.ScopeChat, chat.ScopeAdmin}
	reads  = []chat.Scope{chat.ScopeView, chat.ScopeChat, chat.ScopeAgent, chat.ScopeEdit, chat.ScopeAdmin}
	views  = []chat.Scope{chat.ScopeView, chat.ScopeAgent, chat.ScopeEdit, chat.ScopeAdmin}
	agents = []chat.Scope{chat.ScopeAgent, chat.ScopeAdmin}
	edits  = []chat.Scope{chat.ScopeEdit, chat.ScopeAdmin}
	admins = []chat.Scope{chat.ScopeAdmin}
)

// TestScopes asks for every route with a key of every scope.
func TestScopes(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) {
		s.Publish = func(context.Context, string, string, string, string) error { return nil }
		s.Releases = &releases{}
		s.Metrics = http.NotFoundHandler()
	})
	keys := map[chat.Scope]string{}
	for _, scope := range chat.Scopes {
		keys[scope] = s.key(chat.APIKey{Scopes: []chat.Scope{scope}})
	}
	for _, r := range httpapi.Routes(s.api) {
		route := r[0] + " " + strings.Replace(r[1], "{file}", "{f}", 1)
		want, ok := needed[route]
		if !ok {
			t.Errorf("%s is not in the table: which scope does it need?", route)
			continue
		}
		for scope, key := range keys {
			c, _ := s.start() // one that nobody has touched
			path := strings.NewReplacer("{id}", c.ID, "{f}", "x", "{$}", "", "{assistant}", "demo", "{generation}", "abc123", "{document...}", "x").Replace(r[1])
			ctx, cancel := context.WithCancel(t.Context())
			headers := []string{key, "Sec-WebSocket-Protocol: " + speaks}
			if r[0] == "POST" {
				headers = append(headers, "Content-Type: application/json")
			}
			resp := s.open(ctx, r[0], path, strings.Replace(want.body, "{id}", c.ID, 1), headers...)
			detail := ""
			if resp.StatusCode >= 400 {
				b, err := io.ReadAll(resp.Body)
				must(t, err)
				detail = string(b)
			}
			cancel()
			resp.Body.Close()
			refused := strings.Contains(detail, "needs an API key with the scope ")
			switch {
			case want.scopes == nil || slices.Contains(want.scopes, scope):
				if refused {
					t.Errorf("%s refuses the scope %s: %d %s", route, scope, resp.StatusCode, detail)
				}
			case !refused || resp.StatusCode != 403 || !strings.Contains(detail, "the scope "+string(want.scopes[0])+";"):
				t.Errorf("%s with the scope %s = %d %s, want 403 that names the scope %s", route, scope, resp.StatusCode, detail, want.scopes[0])
			}
		}
	}
}

func TestAKeyForOneAssistant(t *testing.T) {
	var published string
	s := newServer(t, "", func(s *httpapi.Server) {
		s.Publish = func(_ context.Context, assistant, _, _, _ string) error { published = assistant; return nil }
	})
	key := s.key(chat.APIKey{Name: "other", Assistants: []string{"other"}, Scopes: []chat.Scope{chat.ScopeChat, chat.ScopeAgent, chat.ScopeEdit}})
	foreign, _ := s.start()
	for _, r := range httpapi.Routes(s.api) {
		if !strings.Contains(r[1], "/conversations/{id}") {
			continue
		}
		path := strings.NewReplacer("{id}", foreign.ID, "{file}", "x").Replace(r[1])
		headers := []string{key, "Sec-WebSocket-Protocol: " + speaks}
		got := s.request(r[0], path, "", headers...)
		got.problem(404, "not-found", "there is no such conversation")
		if unknown := s.request(r[0], strings.Replace(path, foreign.ID, "cnobody", 1), "", headers...); problemDetail(unknown) != problemDetail(got) {
			t.Errorf("%s tells a foreign conversation from none: %s, %s", path, got.body, unknown.body)
		}
	}
	s.post("/chat", `{"message":"Hello?","conversation":"`+foreign.ID+`"}`, key).problem(404, "not-found", "")
	for _, path := range []string{"/v1/conversations", "/v1/ui", "/v1/chat/completions"} {
		body := map[string]string{"/v1/conversations": `{"assistant":"demo"}`,
			"/v1/ui":               `{"id":"x","assistant":"demo","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"Hello?"}]}]}`,
			"/v1/chat/completions": `{"model":"demo","messages":[{"role":"user","content":"Hello?"}]}`}[path]
		if got := s.post(path, body, key); got.StatusCode != 403 && got.StatusCode != 404 {
			t.Errorf("%s begins a conversation with the other assistant: %d %s", path, got.StatusCode, got.body)
		}
	}

	own := decode[started](s.post("/v1/conversations", "", key).want(201)) // its assistant is the default
	c, err := s.store.Conversation(t.Context(), chat.ConversationID(own.ID))
	must(t, err)
	if c.Assistant != "other" {
		t.Errorf("the assistant is %s, want other", c.Assistant)
	}
	s.get("/v1/conversations/"+own.ID, key).want(200)
	s.post("/api/conversations/"+own.ID+"/take", "", key).want(200)
	if all := s.get("/api/conversations?owner=bot", s.key(chat.APIKey{Scopes: []chat.Scope{chat.ScopeView}})).want(200); !strings.Contains(all.body, foreign.ID) {
		t.Errorf("a key for all sees %s", all.body)
	}
	for _, owner := range []string{"bot", "agent"} {
		for _, c := range decode[struct{ Conversations []chat.Conversation }](s.get("/api/conversations?owner="+owner, key).want(200)).Conversations {
			if c.Assistant != "other" {
				t.Errorf("the list has a conversation of %s", c.Assistant)
			}
		}
	}
	if mine := s.get("/api/conversations?owner=agent", key).want(200); !strings.Contains(mine.body, own.ID) {
		t.Errorf("its own conversation is not in %s", mine.body)
	}
	if r := s.get("/v1/models", key).want(200); strings.Contains(r.body, "demo") || !strings.Contains(r.body, "other") {
		t.Errorf("the models are %s", r.body)
	}
	s.post("/api/knowledge", `{"assistant":"demo","generation":"abc123","source":"/docs"}`, key).problem(403, "forbidden", "only for: other")
	s.post("/api/knowledge", `{"assistant":"other","generation":"abc123","source":"/docs"}`, key).want(200)
	if published != "other" {
		t.Errorf("published for %q", published)
	}
}

func problemDetail(r reply) string {
	return decode[struct{ Detail string }](r).Detail
}

func TestKeysOverHTTP(t *testing.T) {
	s := newServer(t, "")
	type made struct {
		ID, Name, Key, State string
		Scopes               []chat.Scope
		CreatedBy            string `json:"created_by"`
	}
	first := decode[made](s.post("/api/keys", `{"name":"boss"}`).want(201))
	if first.State != "active" || !slices.Equal(first.Scopes, []chat.Scope{chat.ScopeAdmin}) || first.CreatedBy != "this machine" {
		t.Errorf("made %+v, want an admin", first)
	}
	boss := "Authorization: Bearer " + first.Key
	s.post("/api/keys", `{"name":"x"}`).problem(401, "unauthorized", "API key")
	for body, detail := range map[string]string{
		`{"name":""}`:        "1 to 64 bytes",
		`{"name":" x"}`:      "1 to 64 bytes",
		`{"name":"a\u0007"}`: "one line",
		`{"name":"` + strings.Repeat("x", 65) + `"}`:           "1 to 64 bytes",
		`{"name":"x","scopes":[]}`:                             "needs a scope",
		`{"name":"x","scopes":["root"]}`:                       "choose of chat, view, agent, edit, admin",
		`{"name":"x","assistants":["nope"]}`:                   "cannot be admin",
		`{"name":"x","scopes":["chat"],"assistants":["nope"]}`: "there are: demo, other",
		`{"name":"x","scopes":["chat"],"assistants":[""]}`:     "an assistant's name",
		`{"name":"x","expires_at":"2020-01-01T00:00:00.000Z"}`: "expired already",
		`{"name":"x","hash":"c2hvcnQ="}`:                       "SHA-256",
	} {
		s.post("/api/keys", body, boss).problem(422, "invalid", detail)
	}
	s.post("/api/keys", `{"name":"x","expires_at":"tomorrow"}`, boss).want(400)
	expires := chat.Now().Add(time.Hour).Format("2006-01-02T15:04:05.000Z")
	shop := decode[made](s.post("/api/keys", `{"name":"shop","scopes":["chat"],"assistants":["demo"],"expires_at":"`+expires+`"}`, boss).want(201))
	s.post("/api/keys", `{"name":"shop"}`, boss).problem(409, "conflict", "revoke it")
	if shop.CreatedBy != "boss" {
		t.Errorf("created by %q, want boss", shop.CreatedBy)
	}
	list := s.get("/api/keys", boss).want(200)
	if n := strings.Count(list.body, `"state":"active"`); n != 2 || strings.Contains(list.body, "ak_") {
		t.Errorf("the list is %s", list.body)
	}
	s.get("/v1/models", "Authorization: Bearer "+shop.Key).want(200)
	s.request("DELETE", "/api/keys/"+shop.ID, "", boss).want(200)
	s.request("DELETE", "/api/keys/"+shop.ID, "", boss).want(200)
	s.get("/v1/models", "Authorization: Bearer "+shop.Key).openAIProblem(401, "invalid_api_key", "", "was revoked")
	s.request("DELETE", "/api/keys/nothing", "", boss).problem(404, "not-found", "keys list")
	s.request("DELETE", "/api/keys/"+first.ID+"?force=1", "", boss).problem(400, "malformed-request", "force")
	s.request("DELETE", "/api/keys/"+first.ID, "", boss).problem(409, "conflict", "the last key with the scope admin")
	s.request("DELETE", "/api/keys/"+first.ID+"?force=true", "", boss).want(200)

	// What was closed once stays closed.
	s.get("/api/conversations").problem(401, "unauthorized", "API key")
	s.get("/api/conversations", boss).problem(401, "unauthorized", "was revoked")
	over := chat.Micro(chat.Now().Add(-time.Minute).UnixMicro())
	s.get("/api/conversations", s.key(chat.APIKey{Scopes: admins, ExpiresAt: &over})).problem(401, "unauthorized", "expired at "+over.Format(time.RFC3339))
}

// A server that starts again and finds only revoked keys is closed.
func TestRevokedKeysKeepTheServerClosed(t *testing.T) {
	s := newServer(t, "")
	s.key(chat.APIKey{Scopes: admins})
	all, err := s.store.Keys(t.Context())
	must(t, err)
	_, err = s.store.RevokeKey(t.Context(), all[0].ID, "test", true)
	must(t, err)
	s.get("/api/conversations").problem(401, "unauthorized", "API key")
}

// Who follows a conversation with a key does so until the key is revoked.
func TestARevokedKeyEndsItsStreams(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Heartbeat = 5 * time.Millisecond })
	key := s.key(chat.APIKey{Name: "viewer", Scopes: []chat.Scope{chat.ScopeView}})
	_, path := s.start()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	resp := s.open(ctx, "GET", path+"/events", "", key)
	defer resp.Body.Close()
	all, err := s.store.Keys(t.Context())
	must(t, err)
	_, err = s.store.RevokeKey(t.Context(), all[0].ID, "test", true)
	must(t, err)
	if _, err := io.ReadAll(resp.Body); ctx.Err() != nil {
		t.Errorf("the stream goes on: %v", err)
	}
}

func TestARevokedKeySaysNothingMoreOnItsSocket(t *testing.T) {
	s := newServer(t, "")
	key := s.key(chat.APIKey{Name: "shop", Scopes: []chat.Scope{chat.ScopeChat}})
	_, path := s.start(key)
	k, refused := s.dial(path+"/ws", &websocket.DialOptions{Subprotocols: []string{speaks}, HTTPHeader: http.Header{"Authorization": {strings.TrimPrefix(key, "Authorization: ")}}})
	if k == nil {
		t.Fatalf("%d %s", refused.StatusCode, refused.body)
	}
	all, err := s.store.Keys(t.Context())
	must(t, err)
	_, err = s.store.RevokeKey(t.Context(), all[0].ID, "test", true)
	must(t, err)
	k.send(`{"kind":"message","text":"Hello?"}`)
	k.refused(401, "unauthorized", "was revoked", "")
	if page := s.get(path+"/messages", s.key(chat.APIKey{Scopes: admins})).want(200); strings.Contains(page.body, "Hello?") {
		t.Errorf("the message was accepted: %s", page.body)
	}
}
