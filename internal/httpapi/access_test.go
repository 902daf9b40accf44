package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/knowledge"
)

func TestOpenUntilKeysExist(t *testing.T) {
	s := newServer(t, "")
	c, path := s.start("Authorization: Bearer whatever")
	s.get(path).want(200)
	s.get(path, "Authorization: Basic eDp5").want(200)
	s.get("/api/conversations").want(200)
	s.post("/v1/conversations", `{"customer":"42"}`).problem(403, "forbidden", "customer")

	key := "Authorization: Bearer " + s.closed()
	s.get("/api/conversations").problem(401, "unauthorized", "API key")
	if got := s.get(path).want(401).Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate is %q", got)
	}
	s.get("/api/conversations", key).want(200)
	s.get(path, key).want(200)
	s.get(path, "Authorization: Bearer "+c.Token).want(200)
	s.start() // newcomers need no token
	s.post("/v1/conversations", `{"customer":"42","metadata":{"page":"/shoes"}}`, key).want(201)
}

func TestATokenOpensItsConversation(t *testing.T) {
	s := newServer(t, "")
	key := s.closed()
	mine, path := s.start()
	others, _ := s.start()
	wrongSecret := mine.Token[:len(mine.Token)-4] + "AAAA"
	stranger, _ := access.NewToken("cnobody")
	wrongKey, _ := access.NewKey()
	message := `{"text":"Hello?"}`
	routes := []struct{ method, path, body string }{
		{"GET", "", ""}, {"GET", "/messages", ""}, {"GET", "/events", ""}, {"POST", "/messages", message},
		{"POST", "/stop", "{}"}, {"POST", "/handoff", "{}"}, {"POST", "/close", "{}"},
	}
	for _, r := range routes {
		t.Run(r.method+r.path, func(t *testing.T) {
			for name, test := range map[string]struct {
				authorization string
				status        int
				slug          string
			}{
				"no token":            {"", 401, "unauthorized"},
				"not a bearer":        {"Basic eDp5", 401, "unauthorized"},
				"empty":               {"Bearer ", 401, "unauthorized"},
				"something":           {"Bearer something", 401, "unauthorized"},
				"wrong secret":        {"Bearer " + wrongSecret, 401, "unauthorized"},
				"of no conversation":  {"Bearer " + stranger, 401, "unauthorized"},
				"of another":          {"Bearer " + others.Token, 403, "forbidden"},
				"of another, wrong":   {"Bearer " + others.Token[:len(others.Token)-4] + "AAAA", 401, "unauthorized"},
				"not a key":           {"Bearer " + wrongKey, 401, "unauthorized"},
				"key with whitespace": {"Bearer ak_ x", 401, "unauthorized"},
			} {
				var headers []string
				if test.authorization != "" {
					headers = []string{"Authorization: " + test.authorization}
				}
				got := s.request(r.method, path+r.path, r.body, headers...)
				got.TB = t
				if got.StatusCode != test.status {
					t.Errorf("%s: %d %s, want %d", name, got.StatusCode, got.body, test.status)
					continue
				}
				got.problem(test.status, test.slug, "")
				// Of what does not exist there is nothing to be allowed.
				s.request(r.method, "/v1/conversations/cnobody"+r.path, r.body, headers...).problem(404, "not-found", "POST /v1/conversations")
			}
			s.request(r.method, "/v1/conversations/cnobody"+r.path, r.body, "Authorization: Bearer "+key).problem(404, "not-found", "POST /v1/conversations")
			s.request(r.method, "/v1/conversations/a%2F..%00%ff"+r.path, r.body).problem(404, "not-found", "")
		})
	}
	s.get("/api/conversations", "Authorization: Bearer "+mine.Token).problem(403, "forbidden", "API key")
	s.get("/api/conversations", "Authorization: Bearer "+wrongSecret).problem(401, "unauthorized", "")
	s.get("/api/conversations", "Authorization: Bearer "+key, "Authorization: Bearer "+key).problem(401, "unauthorized", "")
	s.post("/v1/conversations", "", "Authorization: Bearer "+wrongSecret).problem(401, "unauthorized", "")
	s.post("/v1/conversations", "", "Authorization: Bearer "+mine.Token).want(201)
	s.post(path+"/messages", message, "Authorization: Bearer "+mine.Token).want(202)
	s.get(path+"?token="+mine.Token).problem(401, "unauthorized", "") // a token in a URL is none

	// An agent is called after the key unless they give a name.
	s.post("/api/conversations/"+mine.ID+"/take", "", "Authorization: Bearer "+key).want(200)
	if now := decode[chat.Conversation](s.get(path, "Authorization: Bearer "+key)); now.OwnerName != "desk" {
		t.Errorf("the owner is %q, want desk", now.OwnerName)
	}
	for _, secret := range []string{mine.Token, others.Token, key, wrongSecret} {
		if strings.Contains(s.log.String(), secret[len(secret)-12:]) {
			t.Error("a token is in the log")
		}
	}
}

func TestStrangePagesAreKeptOut(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Access.Origins = []string{"https://shop.example"} })
	host := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := net.SplitHostPort(host)
	_, path := s.start()
	for _, p := range []string{"/", "/healthz", "/metrics", "/v1/conversations", path, "/api/conversations", "/nothing", "/openapi.json"} {
		s.get(p, "Host: evil.example").problem(403, "forbidden", "Host")
		s.get(p, "Origin: https://evil.example").problem(403, "forbidden", "allowed_origins")
	}
	for origin, status := range map[string]int{
		"http://" + host:              201,
		"http://localhost:" + port:    201,
		"HTTP://LOCALHOST:" + port:    201,
		"https://shop.example":        201,
		"https://SHOP.example:443":    201,
		"http://shop.example":         403,
		"https://shop.example:444":    403,
		"https://shop.example.evil":   403,
		"https://other.example":       403, // allowed for the other assistant alone
		"null":                        403,
		"http://localhost:1":          403,
		"http://evil.example:" + port: 403,
		"file://":                     403,
	} {
		if got := s.post("/v1/conversations", "", "Origin: "+origin); got.StatusCode != status {
			t.Errorf("from %s: %d %s, want %d", origin, got.StatusCode, got.body, status)
		}
	}
	s.post("/v1/conversations", "", "Origin: https://shop.example", "Origin: https://shop.example").problem(403, "forbidden", "")
	s.post("/v1/conversations", `{"assistant":"other"}`, "Origin: https://other.example").want(201)
	s.post("/v1/conversations", `{"assistant":"other"}`, "Origin: https://shop.example").problem(403, "forbidden", "allowed_origins")
	s.get(path, "Origin: https://other.example").problem(403, "forbidden", "allowed_origins")
	s.get("/api/conversations", "Origin: https://other.example").problem(403, "forbidden", "allowed_origins")
	for _, h := range []string{"localhost", "localhost:1", "[::1]:8080", "127.0.0.1", "LOCALHOST.", "shop.example"} {
		s.get("/healthz", "Host: "+h).want(200)
	}
}

func TestPagesOfAllowedOriginsMayRead(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Access.Origins = []string{"https://shop.example"} })
	_, path := s.start()
	r := s.request("OPTIONS", path+"/messages", "", "Origin: https://shop.example",
		"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, content-type").want(204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "https://shop.example",
		"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID, *",
		"Vary":                         "Origin",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	r = s.post("/chat", `{"message":"Hello?"}`, "Origin: https://shop.example").want(200)
	if got := r.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, "X-Conversation-Token") || r.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("exposed: %q", got)
	}
	// Problems can be read, too.
	if r := s.get(path+"x", "Origin: https://shop.example").want(404); r.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Error("the page cannot read the problem")
	}
	s.request("OPTIONS", path, "", "Origin: https://evil.example", "Access-Control-Request-Method: POST").problem(403, "forbidden", "")
	if r := s.request("OPTIONS", "/healthz", "").want(204); r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("Allow is %q", r.Header.Get("Allow"))
	}
}

func TestBadInput(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	m := path + "/messages"
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
		slug    string
		detail  string
	}{
		"empty text":         {`{"text":""}`, nil, 422, "invalid", "empty"},
		"blank text":         {`{"text":" \n\t"}`, nil, 422, "invalid", "empty"},
		"no text":            {`{}`, nil, 422, "invalid", "empty"},
		"null text":          {`{"text":null}`, nil, 422, "invalid", "empty"},
		"33 KiB":             {`{"text":"` + strings.Repeat("x", 33<<10) + `"}`, nil, 413, "too-large", "32768"},
		"1 MB":               {`{"text":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "too-large", "bytes"},
		"invalid UTF-8":      {"{\"text\":\"a\xffb\"}", nil, 422, "invalid", "UTF-8"},
		"invalid, elsewhere": {"{\"text\":\"a\",\"client_id\":\"\xc0\xaf\"}", nil, 422, "invalid", "UTF-8"},
		"half a surrogate":   {`{"text":"a\ud800b"}`, nil, 422, "invalid", "surrogate"},
		"other half":         {`{"text":"a\udc00b"}`, nil, 422, "invalid", "surrogate"},
		"two first halves":   {`{"text":"\ud83d\ud83d"}`, nil, 422, "invalid", "surrogate"},
		"NUL escaped":        {`{"text":"a\u0000b"}`, nil, 422, "invalid", "NUL"},
		"NUL":                {"{\"text\":\"a\x00b\"}", nil, 422, "invalid", "NUL"},
		"NUL in client_id":   {`{"text":"a","client_id":"\u0000"}`, nil, 422, "invalid", "NUL"},
		"long client_id":     {`{"text":"a","client_id":"` + strings.Repeat("x", 129) + `"}`, nil, 422, "invalid", "client_id"},
		"unknown field":      {`{"text":"a","txet":"b"}`, nil, 400, "malformed-request", `unknown field "txet": known are text`},
		"other case":         {`{"Text":"a"}`, nil, 400, "malformed-request", "unknown field"},
		"twice":              {`{"text":"a","text":"b"}`, nil, 400, "malformed-request", "twice"},
		"twice, escaped":     {`{"text":"a","te\u0078t":"b"}`, nil, 400, "malformed-request", "twice"},
		"wrong type":         {`{"text":1}`, nil, 400, "malformed-request", "text must be a string, not a number"},
		"list":               {`["text"]`, nil, 400, "malformed-request", "object"},
		"null":               {`null`, nil, 400, "malformed-request", "object"},
		"not JSON":           {`{"text":"a"`, nil, 400, "malformed-request", "JSON"},
		"text":               {`Hello?`, nil, 400, "malformed-request", "JSON"},
		"trailing":           {`{"text":"a"} {}`, nil, 400, "malformed-request", "JSON"},
		"control character":  {"{\"text\":\"a\nb\"}", nil, 400, "malformed-request", "JSON"},
		"nothing":            {"", nil, 400, "malformed-request", "empty"},
		"form":               {`text=a`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported-media-type", "application/json"},
		"no type":            {`{"text":"a"}`, []string{"Content-Type: "}, 415, "unsupported-media-type", "application/json"},
		"plain":              {`{"text":"a"}`, []string{"Content-Type: text/plain"}, 415, "unsupported-media-type", "application/json"},
		"latin-1":            {`{"text":"a"}`, []string{"Content-Type: application/json; charset=iso-8859-1"}, 415, "unsupported-media-type", "UTF-8"},
		"gzip":               {`{"text":"a"}`, []string{"Content-Encoding: gzip"}, 415, "unsupported-media-type", "Content-Encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range []string{m, "/chat"} {
				body := test.body
				if p == "/chat" {
					if strings.Contains(body, "client_id") {
						continue
					}
					body = strings.ReplaceAll(strings.ReplaceAll(body, `"text"`, `"message"`), `te\u0078t`, `messag\u0065`)
					test.detail = strings.ReplaceAll(test.detail, "text", "message")
				}
				got := s.post(p, body, test.headers...)
				got.TB = t
				got.problem(test.status, test.slug, test.detail)
			}
		})
	}
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	s.post("/v1/conversations", `{"metadata":`+deep+`}`).problem(400, "malformed-request", "deeper")
	s.post("/v1/conversations", `{"metadata":{"a":[1,{"b":"\u0000"}]}}`).problem(422, "invalid", "NUL")
	s.post("/v1/conversations", `{"metadata":[]}`).problem(400, "malformed-request", "metadata must be a JSON object, not a array")
	s.post("/v1/conversations", `{"metadata":{"a":[],"b":{},"c":[1,-2.5e3,true,null,"\ud83d\ude00"]},"test":true}`).want(201)
	s.post("/v1/conversations", `{"assistant":"nobody"}`).problem(422, "invalid", "demo, other")
	s.post(path+"/handoff", `{"reason":"`+strings.Repeat("x", 2001)+`"}`).problem(422, "invalid", "2000")
	s.post(m, `{"text":"Ä\ud83d\ude00\"\\"}`, "Content-Type: Application/JSON; charset=UTF-8").want(202)
	s.post(m, `{"text":"`+strings.Repeat("x", 32<<10)+`"}`).want(202)
	if n := len(decode[struct{ Messages []chat.Message }](s.get(m)).Messages); n < 2 || n > 4 {
		t.Errorf("%d messages: what was refused must not be stored", n)
	}
	for _, words := range []string{"Ä", "xxxxx"} {
		if strings.Contains(s.log.String(), words) {
			t.Error("people's words are in the log")
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	for _, p := range []string{"/nothing", "/v1", "/v1/conversations/", path + "/nothing", path + "/", "/v1//conversations", "/../healthz", "/console/"} {
		s.get(p).problem(404, "not-found", "/openapi.json")
	}
	for p, allow := range map[string]string{
		path: "GET, HEAD, OPTIONS", path + "/messages": "GET, HEAD, OPTIONS, POST", "/chat": "OPTIONS, POST", "/v1/conversations": "GET, HEAD, OPTIONS, POST",
	} {
		r := s.request("DELETE", p, "")
		r.problem(405, "method-not-allowed", allow)
		if r.Header.Get("Allow") != allow {
			t.Errorf("%s allows %q, want %q", p, r.Header.Get("Allow"), allow)
		}
	}
	s.get("/chat").problem(405, "method-not-allowed", "POST")
	s.get("/metrics").problem(404, "not-found", "") // there are none in this server
	if r := s.request("HEAD", path+"/events", "").want(200); r.body != "" {
		t.Errorf("HEAD has a body: %q", r.body)
	}
}

func TestAnonymousLimits(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) {
		s.Limits.MessagesPerMinute, s.Limits.ConversationsPerMinute = 2, 3
		s.Access.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(a string) string { return "X-Forwarded-For: " + a }
	_, path := s.start()
	s.post(path+"/messages", `{"text":"1"}`).want(202)
	s.post(path+"/messages", `{"text":"2"}`).want(202)
	r := s.post(path+"/messages", `{"text":"3"}`)
	r.problem(429, "too-many-requests", "wait")
	if after := r.Header.Get("Retry-After"); after == "" || after == "0" || len(after) > 2 {
		t.Errorf("Retry-After is %q", after)
	}
	s.start()
	s.post("/chat", `{"message":"Hello?"}`).want(200)
	s.post("/v1/conversations", "").problem(429, "too-many-requests", "address")
	s.post("/chat", `{"message":"Hello?"}`).problem(429, "too-many-requests", "address")
	s.post("/v1/conversations", "", from("203.0.113.1, 203.0.113.9")).want(201)
	s.post("/v1/conversations", "", from("1.1.1.1, 203.0.113.9")).want(201)
	s.post("/v1/conversations", "", from("2.2.2.2, 203.0.113.9")).want(201)
	s.post("/v1/conversations", "", from("3.3.3.3, 203.0.113.9")).problem(429, "too-many-requests", "address")

	key := "Authorization: Bearer " + s.closed() // a key is nobody anonymous
	for range 5 {
		s.post(path+"/messages", `{"text":"4"}`, key).want(202)
		s.post("/v1/conversations", "", key).want(201)
	}
}

func TestTooManyStreams(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Streams = 2 })
	_, path := s.start()
	one := s.stream("GET", path+"/events", "")
	s.stream("GET", path+"/events", "")
	for _, r := range []reply{s.get(path + "/events"), s.post(path+"/messages", `{"text":"Hello?"}`, "Accept: text/event-stream"), s.post("/chat", `{"message":"Hello?"}`)} {
		r.problem(503, "unavailable", "streams")
		if r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	s.post(path+"/messages", `{"text":"Hello?"}`).want(202) // accepting needs no stream
	one.close()
	eventually(t, "the stream is still counted", func() bool { return s.api.OpenStreams() == 1 })
	s.stream("POST", path+"/messages", `{"text":"Hello?"}`).rest()
}

func TestASlowClientIsDropped(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Transfer = 200 * time.Millisecond })
	c, path := s.start()
	slow, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	must(t, err)
	defer slow.Close()
	must(t, slow.(*net.TCPConn).SetReadBuffer(4<<10))
	_, err = fmt.Fprintf(slow, "GET %s/events HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	must(t, err)
	eventually(t, "no stream is open", func() bool { return s.api.OpenStreams() == 1 })
	// Nothing is read from slow. What kernels keep for it is bounded; what is said is not.
	id := chat.ConversationID(c.ID)
	_, err = s.store.Take(t.Context(), id, "Ada")
	must(t, err)
	words, last := chat.Text(strings.Repeat("words ", 1<<17)), int64(0)
	eventually(t, "the client is still there", func() bool {
		_, last, err = s.store.Say(t.Context(), "Ada", chat.Incoming{Conversation: id, Text: words})
		must(t, err)
		return s.api.OpenStreams() == 0
	})
	eventually(t, "the log does not say so", func() bool { return strings.Contains(s.log.String(), "the client is gone") })
	if e, ok := s.stream("GET", fmt.Sprintf("%s/events?after=%d", path, last-1), "").next(); !ok || e.Seq != last || e.Message.Text != words {
		t.Errorf("what it missed is not in the log: %d, want %d", e.Seq, last)
	}
}

func TestABodyThatTricklesIsGivenUp(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Transfer = 500 * time.Millisecond })
	_, path := s.start()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	must(t, err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "POST %s/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", path)
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, 12)
	if _, err := c.Read(b); err != nil || string(b) != "HTTP/1.1 400" {
		t.Errorf("read %q, %v, want 400", b, err)
	}
}

func TestChat(t *testing.T) {
	s := newServer(t, "The <first> answer.\nIt has two lines.\n---\nThe second answer.")
	s.closed()
	r := s.post("/chat", `{"message":"Hello?"}`).want(200)
	id, token := r.Header.Get("X-Conversation-Id"), r.Header.Get("X-Conversation-Token")
	if text := chunks(r); text != "The <first> answer.\nIt has two lines." {
		t.Errorf("the answer is %q in %s", text, r.body)
	}
	if got := r.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	again := `{"message":"And?","conversation":"` + id + `"}`
	s.post("/chat", again).problem(401, "unauthorized", "Bearer")
	r = s.post("/chat", again, "Authorization: Bearer "+token).want(200)
	if text := chunks(r); text != "The second answer." || r.Header.Get("X-Conversation-Id") != id || r.Header.Get("X-Conversation-Token") != "" {
		t.Errorf("the second answer is %q, headers %v", text, r.Header)
	}
	page := decode[struct{ Messages []chat.Message }](s.get("/v1/conversations/"+id+"/messages", "Authorization: Bearer "+token))
	if len(page.Messages) != 4 || page.Messages[3].Text != "The second answer." {
		t.Errorf("the transcript is %+v", page)
	}
	_, path := s.start("Authorization: Bearer " + token)
	s.post("/chat", `{"message":"And?","conversation":"`+strings.TrimPrefix(path, "/v1/conversations/")+`"}`, "Authorization: Bearer "+token).problem(403, "forbidden", "another")
	s.post("/chat", `{"message":"And?","conversation":"cnobody"}`).problem(404, "not-found", "POST /v1/conversations")
	s.post("/v1/conversations/"+id+"/close", "", "Authorization: Bearer "+token).want(202)
	s.post("/chat", again, "Authorization: Bearer "+token).problem(409, "conflict", "POST /v1/conversations")
}

// chunks joins what /chat sent and checks that it ended.
func chunks(r reply) (text string) {
	r.Helper()
	lines := strings.Split(strings.TrimSpace(r.body), "\n\n")
	if lines[len(lines)-1] != "data: [DONE]" {
		r.Errorf("%s does not end with [DONE]", r.body)
	}
	for _, l := range lines[:len(lines)-1] {
		var c struct{ Chunk string }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(l, "data: ")), &c); err != nil || c.Chunk == "" {
			r.Errorf("%s: %v", l, err)
		}
		text += c.Chunk
	}
	return text
}

func TestChatWhereAPersonAnswers(t *testing.T) {
	s := newServer(t, "")
	c, path := s.start()
	s.post(path+"/handoff", "").want(202)
	if r := s.post("/chat", `{"message":"Hello?","conversation":"`+c.ID+`"}`).want(200); r.body != "data: [DONE]\n\n" {
		t.Errorf("/chat = %q, want only [DONE]", r.body)
	}
}

// failing is a store that cannot do what it is asked.
type failing struct {
	httpapi.Store
	err error
}

func (f failing) Closed(context.Context) (bool, error) { return false, f.err }

func TestFailuresOfTheStore(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		slug   string
		detail string
	}{
		"unexpected":  {errors.New("select 1: secret of the database"), 500, "internal", "request_id"},
		"full":        {&chat.Error{Kind: chat.StorageFull, Message: "the disk is full: make room"}, 507, "storage-full", "make room"},
		"unavailable": {&chat.Error{Kind: chat.Unavailable, Message: "try again"}, 503, "unavailable", "try again"},
		"fenced":      {&chat.Error{Kind: chat.Fenced, Message: "somebody else writes"}, 409, "conflict", "somebody"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "", func(s *httpapi.Server) { s.Store = failing{s.Store, test.err} })
			r := s.post("/v1/conversations/c1/handoff", "")
			r.problem(test.status, test.slug, test.detail)
			if strings.Contains(r.body, "secret") {
				t.Errorf("the client is told %s", r.body)
			}
			id := r.Header.Get("X-Request-Id")
			if test.status >= 500 && !(strings.Contains(s.log.String(), id) && strings.Contains(s.log.String(), test.err.Error())) {
				t.Errorf("the log does not have the cause with %s: %s", id, s.log)
			}
		})
	}
}

func TestAPanicIsOneRequests(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Ready = func() bool { panic("oops") } })
	s.get("/readyz").problem(500, "internal", "request_id")
	if n := bytes.Count([]byte(s.log.String()), []byte("oops")); n != 1 {
		t.Errorf("the panic is in the log %d times, want once", n)
	}
	s.get("/healthz").want(200)
}

func TestProbes(t *testing.T) {
	ready := make(chan bool, 1)
	s := newServer(t, "", func(s *httpapi.Server) { s.Ready = func() bool { return <-ready } })
	ready <- false
	s.get("/readyz").problem(503, "unavailable", "moment")
	ready <- true
	s.get("/readyz").want(200)
	if got := decode[map[string]string](s.get("/healthz").want(200)); got["status"] != "ok" || got["version"] != "test" {
		t.Errorf("healthz = %v", got)
	}
}

func TestOperators(t *testing.T) {
	var published []string
	s := newServer(t, "", func(s *httpapi.Server) {
		s.Publish = func(_ context.Context, assistant, generation, source, by string) error {
			published = []string{assistant, generation, source, by}
			return nil
		}
	})
	key, hash := access.NewKey()
	body, err := json.Marshal(map[string]any{"name": "site", "hash": hash})
	must(t, err)
	s.post("/api/keys", `{"name":"site","hash":"c2hvcnQ="}`).problem(422, "invalid", "SHA-256")
	s.post("/api/keys", string(body)).want(201)
	s.get("/api/conversations").problem(401, "unauthorized", "") // at once
	bearer := "Authorization: Bearer " + key
	s.post("/api/keys", string(body), bearer).problem(409, "conflict", "site")
	s.post("/api/knowledge", `{"assistant":"demo","generation":"abc123","source":"/docs"}`, bearer).want(200)
	if strings.Join(published, " ") != "demo abc123 /docs site" {
		t.Errorf("published %q", published)
	}
	s.post("/api/knowledge", `{"assistant":"demo","generation":"../x","source":"/docs"}`, bearer).problem(422, "invalid", "ingest")
}

func TestSources(t *testing.T) {
	s := newServer(t, "")
	path := "/sources/abc123/help/Gr%C3%B6%C3%9Fe%20&%20%3Cb%3E.md"
	r := s.get(path + "?start=8&end=43").want(200)
	if got := r.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") {
		t.Errorf("the policy is %q", got)
	}
	quote := `id="quote" tabindex="-1" autofocus>Wir haben &lt;script&gt;alert(1)&lt;/script&gt;</mark>`
	if !strings.Contains(r.body, quote) || strings.Contains(r.body, "<script>") || !strings.Contains(r.body, "Größen &lt;&amp;&gt;") {
		t.Errorf("the page is %s, want %s in it", r.body, quote)
	}
	whole := s.get(path).want(200)
	for _, page := range []string{whole.body, s.get("/sources/abc123/bare.md").want(200).body} {
		if n := strings.Count(page, "<h1"); n != 1 {
			t.Errorf("the page has %d headings of the first level, want 1:\n%s", n, page)
		}
	}
	if strings.Contains(whole.body, "<mark") || !strings.Contains(whole.body, "Ende.") {
		t.Errorf("the page is %s", whole.body)
	}
	s.get(path + "?start=0&end=9999999").want(200)
	s.get(path + "?start=50&end=5").want(200)
	s.get(path+"?start=x").problem(400, "malformed-request", "start")
	s.get("/sources/abc123/other.md").problem(404, "not-found", "document")
	s.get("/sources/..%2F..%2Fetc/passwd").problem(404, "not-found", "")
	gone := s.get("/sources/abc124/help", "Accept: text/html,*/*;q=0.8").want(404)
	if !strings.Contains(gone.Header.Get("Content-Type"), "text/html") || !strings.Contains(gone.body, "<h1>") {
		t.Errorf("people are shown %s", gone.body)
	}
	// The pieces of a page are the document, whatever the quote is.
	text := []rune(document.Text)
	for start := range len(text) {
		for end := start; end <= len(text); end += 7 {
			checkParts(t, document, start, end)
		}
	}
}

func checkParts(t *testing.T, d knowledge.Document, start, end int) {
	t.Helper()
	var all, quoted string
	first := 0
	for _, p := range httpapi.Parts(d, int64(start), int64(end)) {
		for _, x := range p.Pieces {
			all += x.Text
			if x.Quoted {
				quoted += x.Text
			}
			if x.First {
				first++
			}
		}
	}
	if all != d.Text || quoted != string([]rune(d.Text)[start:end]) || first > 1 {
		t.Fatalf("from %d to %d: %q with the quote %q", start, end, all, quoted)
	}
}
