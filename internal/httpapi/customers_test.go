package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/store"
)

const identitySecret = "a secret of at least thirty-two bytes"

func knowsCustomers(s *httpapi.Server) {
	s.Access.Identities = access.Identities{Secrets: [][]byte{[]byte(identitySecret)}}
}

// identity signs that a customer is signed in.
func (s *server) identity(id string, lasts time.Duration) string {
	s.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": id, "name": "Name of " + id, "exp": time.Now().Add(lasts).Unix()}).
		SignedString([]byte(identitySecret))
	must(s, err)
	return token
}

// as is the header of a customer who is signed in.
func (s *server) as(id string) string {
	s.Helper()
	return "Authorization: Bearer " + s.identity(id, time.Hour)
}

type ownList struct {
	Conversations []struct {
		ID, Title, Last string
		At              chat.Time
		Unread          int
		Ended           bool
	}
	Next string
}

func (s *server) list(query string, headers ...string) ownList {
	s.Helper()
	return decode[ownList](s.get("/v1/conversations"+query, headers...).want(200))
}

func (l ownList) ids() string {
	var ids []string
	for _, c := range l.Conversations {
		ids = append(ids, c.ID)
	}
	return strings.Join(ids, " ")
}

func TestAnIdentityOpensItsPersonsConversations(t *testing.T) {
	s := newServer(t, "", knowsCustomers)
	key := "Authorization: Bearer " + s.closed()
	mine, path := s.start(s.as("ada"))
	theirs, _ := s.start(s.as("bob"))
	nobodys, _ := s.start()
	expired := "Authorization: Bearer " + s.identity("ada", -time.Hour)
	forged := "Authorization: Bearer " + mine.Token[:20] + "." + "e30" + "." + "x"
	message := `{"text":"Hello?"}`
	for _, r := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"GET", "/messages", ""}, {"POST", "/messages", message},
		{"POST", "/stop", "{}"}, {"POST", "/handoff", "{}"}, {"POST", "/close", "{}"},
	} {
		t.Run(r.method+r.path, func(t *testing.T) {
			for _, other := range []started{theirs, nobodys} {
				s.request(r.method, "/v1/conversations/"+other.ID+r.path, r.body, s.as("ada")).problem(403, "forbidden", "not this customer's")
			}
			s.request(r.method, path+r.path, r.body, s.as("ADA")).problem(403, "forbidden", "not this customer's")
			s.request(r.method, path+r.path, r.body, expired).problem(401, "unauthorized", "fetch a new one")
			s.request(r.method, path+r.path, r.body, forged).problem(401, "unauthorized", "not valid")
			s.request(r.method, "/v1/conversations/cnobody"+r.path, r.body, s.as("ada")).problem(404, "not-found", "")
			s.request(r.method, "/v1/conversations/cnobody"+r.path, r.body, expired).problem(404, "not-found", "")
			if got := s.request(r.method, path+r.path, r.body, s.as("ada")); got.StatusCode >= 300 {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
		})
	}
	s.stream("GET", path+"/events", "", s.as("ada")).until(kind(chat.KindClosed))
	s.get(path+"/events", s.as("bob")).problem(403, "forbidden", "")
	s.get(path, "Authorization: Bearer "+mine.Token).want(200) // the token goes on opening it

	// The other faces know a customer too.
	chatted := s.post("/chat", `{"message":"Hello?"}`, s.as("cleo")).want(200).Header.Get("X-Conversation-Id")
	s.post("/chat", `{"message":"Hello?","conversation":"`+chatted+`"}`, s.as("ada")).problem(403, "forbidden", "")
	s.post("/chat", `{"message":"Hello?"}`, expired).problem(401, "unauthorized", "fetch a new one")
	ui := s.post("/v1/ui", `{"id":"chat-1","messages":[{"id":"u1","role":"user","parts":[{"type":"text","text":"Hello?"}]}]}`, s.as("cleo")).want(200).Header.Get("X-Conversation-Id")
	if got := s.list("", s.as("cleo")).ids(); got != ui+" "+chatted {
		t.Errorf("the list is %s, want %s and %s", got, ui, chatted)
	}

	// A customer is no employee.
	s.get("/api/conversations", s.as("ada")).problem(403, "forbidden", "API key")
	s.post("/v1/chat/completions", `{"messages":[{"role":"user","content":"Hello?"}]}`, s.as("ada")).want(403)
	s.post("/v1/conversations", `{"customer":"bob"}`, s.as("ada")).problem(403, "forbidden", "API key")

	// A program may say whose a conversation is.
	told := decode[started](s.post("/v1/conversations", `{"customer":"dora"}`, key).want(201))
	s.get("/v1/conversations/"+told.ID, s.as("dora")).want(200)
	for _, bad := range []string{`a\nb`, strings.Repeat("x", 257)} {
		s.post("/v1/conversations", `{"customer":"`+bad+`"}`, key).problem(422, "invalid", "customer's id")
	}
	for _, words := range []string{"ada", "dora", s.identity("ada", time.Hour)[:40]} {
		if strings.Contains(s.log.String(), words) {
			t.Errorf("%s is in the log", words)
		}
	}
}

func TestAnIdentityIsUnknownWithoutAKey(t *testing.T) {
	s := newServer(t, "")
	s.closed()
	s.post("/v1/conversations", "", s.as("ada")).problem(401, "unauthorized", "identity.secret")
	s.get("/v1/conversations", s.as("ada")).problem(401, "unauthorized", "identity.secret")
}

func TestACustomersList(t *testing.T) {
	s := newServer(t, "*Yes*, we do. "+strings.Repeat("More of it. ", 20), knowsCustomers)
	key := "Authorization: Bearer " + s.closed()
	_, path := s.start(s.as("ada"))
	s.stream("POST", path+"/messages", `{"text":"Do you\n\ndeliver \u202eto\u202c Austria?"}`, s.as("ada")).rest()
	silent, _ := s.start(s.as("ada"))
	decode[started](s.post("/v1/conversations", `{"test":true,"customer":"ada"}`, key).want(201))
	bobs, _ := s.start(s.as("bob"))
	s.start()

	all := s.list("", s.as("ada"))
	if len(all.Conversations) != 2 || all.Next != "" {
		t.Fatalf("the list is %+v", all)
	}
	if c := all.Conversations[0]; c.ID != silent.ID || c.Title != "" || c.Last != "" || c.Unread != 0 || c.Ended {
		t.Errorf("where nothing was said: %+v", c)
	}
	now := decode[chat.Conversation](s.get(path, s.as("ada")))
	c := all.Conversations[1]
	if c.Title != "Do you deliver to Austria?" || !strings.HasPrefix(c.Last, "Yes, we do. More of") || !strings.HasSuffix(c.Last, "…") ||
		len([]rune(c.Last)) > 120 || c.Unread != 1 || c.Ended || !c.At.Equal(now.LastAt.Time) {
		t.Errorf("the conversation is listed as %+v", c)
	}
	s.post(path+"/close", "", s.as("ada")).want(202)
	first := s.list("?limit=1", s.as("ada"))
	if len(first.Conversations) != 1 || !first.Conversations[0].Ended || first.Next == "" {
		t.Fatalf("the first page is %+v", first)
	}
	if second := s.list("?limit=1&after="+first.Next, s.as("ada")); second.ids() != silent.ID || second.Next != "" {
		t.Errorf("the second page is %+v", second)
	}
	if other := s.list("?after="+first.Next, s.as("bob")); other.ids() != bobs.ID {
		t.Errorf("with another's place: %+v", other)
	}
	if none := s.get("/v1/conversations", s.as("nobody")).want(200).body; none != `{"conversations":[]}`+"\n" {
		t.Errorf("of nobody: %s", none)
	}

	for _, after := range []string{"x", "1", "1-", "-", "1-C1", "1-c1%00", "99999999999999999999-c1", "1-c1%27"} {
		s.get("/v1/conversations?after="+after, s.as("ada")).problem(400, "malformed-request", "after")
	}
	s.get("/v1/conversations?limit=0", s.as("ada")).problem(400, "malformed-request", "limit")
	s.list("?limit=100000", s.as("ada"))
	s.get("/v1/conversations").problem(401, "unauthorized", "identity")
	s.get("/v1/conversations", "Authorization: Bearer "+silent.Token).problem(401, "unauthorized", "identity")
	s.get("/v1/conversations", key).problem(401, "unauthorized", "identity")
	s.get("/v1/conversations", "Authorization: Bearer "+s.identity("ada", -time.Hour)).problem(401, "unauthorized", "fetch a new one")
}

// A page sees what it may open.
func TestAListIsOfTheAssistantsOfThePage(t *testing.T) {
	s := newServer(t, "", knowsCustomers, func(s *httpapi.Server) { s.Access.Origins = []string{"https://shop.example"} })
	s.closed()
	demo, _ := s.start(s.as("ada"))
	other := decode[started](s.post("/v1/conversations", `{"assistant":"other"}`, s.as("ada")).want(201))
	for origin, want := range map[string]string{"https://shop.example": demo.ID, "https://other.example": other.ID} {
		if got := s.list("", s.as("ada"), "Origin: "+origin).ids(); got != want {
			t.Errorf("at %s the list is %s, want %s", origin, got, want)
		}
	}
	if got := s.list("", s.as("ada")).ids(); got != other.ID+" "+demo.ID {
		t.Errorf("the whole list is %s", got)
	}
}

func TestIdentify(t *testing.T) {
	s := newServer(t, "", knowsCustomers)
	key := "Authorization: Bearer " + s.closed()
	c, path := s.start()
	token := "Authorization: Bearer " + c.Token
	identify := func(id string) string {
		return fmt.Sprintf(`{"identity":%q}`, s.identity(id, time.Hour))
	}
	s.post(path+"/messages", `{"text":"Hello?"}`, token).want(202)
	for range 2 { // again is without effect
		if got := s.post(path+"/identify", identify("ada"), token).want(200).body; got != `{"customer":{"id":"ada","name":"Name of ada"}}`+"\n" {
			t.Errorf("identify answers %s", got)
		}
	}
	s.post(path+"/messages", `{"text":"Still me"}`, token).want(202)
	s.post(path+"/messages", `{"text":"From elsewhere"}`, s.as("ada")).want(202)
	if got := s.list("", s.as("ada")); got.ids() != c.ID || got.Conversations[0].Title != "Hello?" {
		t.Errorf("the list is %+v", got)
	}
	s.post(path+"/identify", identify("ada"), s.as("ada")).want(200)

	s.post(path+"/identify", identify("bob"), token).problem(409, "conflict", "another customer")
	s.post(path+"/identify", identify("bob"), s.as("ada")).problem(409, "conflict", "another customer")
	s.post(path+"/identify", identify("bob"), s.as("bob")).problem(403, "forbidden", "")
	s.get(path, s.as("bob")).problem(403, "forbidden", "")
	if got := s.list("", s.as("bob")); len(got.Conversations) != 0 {
		t.Errorf("the other's list is %+v", got)
	}

	// What one cannot open one cannot claim.
	nobodys, free := s.start()
	s.post(free+"/identify", identify("ada"), s.as("ada")).problem(403, "forbidden", "")
	s.post(free+"/identify", identify("ada"), token).problem(403, "forbidden", "")
	s.post(free+"/identify", identify("ada")).problem(401, "unauthorized", "")
	s.post("/v1/conversations/cnobody/identify", identify("ada"), key).problem(404, "not-found", "")
	own := "Authorization: Bearer " + nobodys.Token
	for body, detail := range map[string]string{
		`{"identity":""}`:    "not a JWT",
		`{"identity":"x"}`:   "not a JWT",
		`{}`:                 "not a JWT",
		`{"identity":"\n."}`: "characters",
		fmt.Sprintf(`{"identity":%q}`, s.identity("ada", -time.Hour)):         "fetch a new one",
		fmt.Sprintf(`{"identity":%q}`, s.identity("ada", time.Hour)+"x"):      "",
		fmt.Sprintf(`{"identity":%q}`, nobodys.Token):                         "not a JWT",
		fmt.Sprintf(`{"identity":%q}`, "hmac."+strings.Repeat("x", 10_000)):   "8192",
		fmt.Sprintf(`{"identity":%q}`, "hmac.YWRh."+strings.Repeat("00", 32)): "signature",
	} {
		s.post(free+"/identify", body, own).problem(401, "unauthorized", detail)
	}
	s.post(free+"/identify", `{"identity":1}`, own).problem(400, "malformed-request", "identity")
	s.post(free+"/identify", `{"identity":"x","name":"Ada"}`, own).problem(400, "malformed-request", "unknown field")
	s.post(free+"/identify", "", own).problem(400, "malformed-request", "empty")
	s.post(free+"/identify", identify("bob"), own).want(200)
}

func TestOnAnOpenServerAnIdentityIsKnown(t *testing.T) {
	s := newServer(t, "", knowsCustomers)
	c, path := s.start(s.as("ada"))
	s.start("Authorization: Bearer " + s.identity("ada", -time.Hour)) // nobody is refused, nor believed
	s.start("Authorization: Bearer a.b.c")
	s.post("/v1/chat/completions", `{"messages":[{"role":"user","content":"Hello?"}]}`, s.as("ada")).want(200)
	if got := s.list("", s.as("ada")).ids(); got != c.ID {
		t.Errorf("the list is %s, want %s", got, c.ID)
	}
	s.get("/v1/conversations").problem(401, "unauthorized", "signed identity")
	s.get("/v1/conversations", "Authorization: Bearer whatever").problem(401, "unauthorized", "signed identity")
	s.get("/v1/conversations", "Authorization: Bearer "+s.identity("ada", -time.Hour)).problem(401, "unauthorized", "fetch a new one")
	s.get(path, s.as("bob")).want(200) // the server is open
}

func TestSignedCustomersAreLimitedAsVisitors(t *testing.T) {
	s := newServer(t, "", knowsCustomers, func(s *httpapi.Server) {
		s.Limits.MessagesPerMinute, s.Limits.ConversationsPerMinute = 2, 2
	})
	s.closed()
	_, path := s.start(s.as("ada"))
	s.start()
	s.post("/v1/conversations", "", s.as("bob")).problem(429, "too-many-requests", "address")
	s.post(path+"/messages", `{"text":"one"}`, s.as("ada")).want(202)
	s.post(path+"/identify", fmt.Sprintf(`{"identity":%q}`, s.identity("ada", time.Hour)), s.as("ada")).want(200)
	s.post(path+"/messages", `{"text":"two"}`, s.as("ada")).problem(429, "too-many-requests", "conversation")
	s.post(path+"/identify", fmt.Sprintf(`{"identity":%q}`, s.identity("ada", time.Hour)), s.as("ada")).problem(429, "too-many-requests", "")
}

// keeper notes what conversations begin with.
type keeper struct {
	*store.Store
	begun *[]store.NewConversation
}

func (k keeper) Create(ctx context.Context, n store.NewConversation) (chat.Conversation, error) {
	*k.begun = append(*k.begun, n)
	return k.Store.Create(ctx, n)
}

func TestWhatAVisitorWasToldIsKept(t *testing.T) {
	var begun []store.NewConversation
	s := newServer(t, "", func(s *httpapi.Server) { s.Store = keeper{s.Store.(*store.Store), &begun} })
	before := chat.Now()
	s.post("/v1/conversations", `{"locale":"pt-BR","disclosure":{"version":"2026-11","locale":"pt","consent":true},"metadata":{"page":"/"}}`).want(201)
	var kept struct {
		Metadata   struct{ Page string }
		Locale     string
		Disclosure struct {
			Version, Locale string
			Consent         bool
			At              chat.Time
		}
	}
	must(t, json.Unmarshal(begun[0].Metadata, &kept))
	if d := kept.Disclosure; kept.Metadata.Page != "/" || kept.Locale != "pt-BR" || d.Version != "2026-11" || d.Locale != "pt" || !d.Consent ||
		d.At.Before(before.Truncate(time.Millisecond)) || d.At.After(time.Now()) {
		t.Errorf("kept is %s", begun[0].Metadata)
	}
	s.post("/v1/conversations", `{"disclosure":{}}`).want(201)
	s.start()
	if begun[2].Metadata != nil || !strings.Contains(string(begun[1].Metadata), `"consent":false`) {
		t.Errorf("kept are %s and %s", begun[1].Metadata, begun[2].Metadata)
	}
	for body, want := range map[string]struct {
		status       int
		slug, detail string
	}{
		`{"locale":"de_DE"}`: {422, "invalid", "locale must be"},
		`{"locale":"d"}`:     {422, "invalid", "locale must be"},
		`{"locale":"de\n"}`:  {422, "invalid", "locale must be"},
		`{"locale":"de` + strings.Repeat("-abcdefgh", 4) + `"}`: {422, "invalid", "locale must be"},
		`{"locale":1}`:                                                 {400, "malformed-request", "locale must be a string"},
		`{"disclosure":"2026"}`:                                        {400, "malformed-request", "disclosure must be a JSON object"},
		`{"disclosure":null}`:                                          {400, "malformed-request", "disclosure must be a JSON object"},
		`{"disclosure":[]}`:                                            {400, "malformed-request", "disclosure must be a JSON object"},
		`{"disclosure":{"versoin":"1"}}`:                               {400, "malformed-request", "unknown field"},
		`{"disclosure":{"consent":"yes"}}`:                             {400, "malformed-request", "consent must be a boolean"},
		`{"disclosure":{"consent":true,"consent":false}}`:              {400, "malformed-request", "twice"},
		`{"disclosure":{"at":"2020-01-01T00:00:00Z"}}`:                 {400, "malformed-request", "unknown field"},
		`{"disclosure":{"locale":"x"}}`:                                {422, "invalid", "disclosure.locale must be"},
		`{"disclosure":{"version":"a\nb"}}`:                            {422, "invalid", "disclosure.version"},
		`{"disclosure":{"version":"` + strings.Repeat("x", 65) + `"}}`: {422, "invalid", "disclosure.version"},
	} {
		s.post("/v1/conversations", body).problem(want.status, want.slug, want.detail)
	}
	if len(begun) != 3 {
		t.Errorf("%d conversations were begun, want 3", len(begun))
	}
}

func TestExcerpt(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		" \n\t ":                  "",
		"Hello":                   "Hello",
		"Hello to all":            "Hello to all",
		"Hello to all!":           "Hello to…",
		"Hello  to\n\nall of you": "Hello to…",
		"Hello you, and all":      "Hello you,…",
		"0123456789abcdef":        "0123456789a…",
		"a 0123456789abcdef":      "a 012345678…",
		"日本語日本語日本語日本語日本語":                 "日本語日本語日本語日本…",
		"ab\u202edc\u0000e\u2066f\ufeffg": "abdc efg",
		"a\u200bb\u00adc":                 "abc",
		"می\u200cخواهم":                   "می\u200cخواهم",
		"0123456789e\u0301\u0301":         "0123456789…", // not the letter without its accents
		"01234567👩\u200d👩\u200d👧 ab":      "01234567…",
		"\xff":                            "\uFFFD",
	} {
		got := httpapi.Excerpt(chat.Text(text), 12)
		if got != want {
			t.Errorf("Excerpt(%q) = %q, want %q", text, got, want)
		}
	}
}
