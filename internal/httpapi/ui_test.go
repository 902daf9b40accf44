package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

// uiBody is what useChat sends for one message. more goes before it, as in `"trigger":"…",`.
func uiBody(chatID, messageID, text string, more ...string) string {
	return fmt.Sprintf(`{%s"id":%q,"messages":[{"id":%q,"role":"user","parts":[{"type":"text","text":%q}]}]}`, strings.Join(more, ""), chatID, messageID, text)
}

// plain checks that the reply is an error as useChat shows it.
func (r reply) plain(status int, text string) {
	r.Helper()
	if r.StatusCode != status || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(r.body, text) || strings.HasPrefix(r.body, "{") {
		r.Fatalf("%s %s = %d %s %q, want %d and a text with %q", r.Request.Method, r.Request.URL, r.StatusCode, r.Header.Get("Content-Type"), r.body, status, text)
	}
}

// shownBy puts a message together as useChat does, and checks the rules that its versions
// enforce: texts are begun, written and ended in order.
func shownBy(t testing.TB, pieces []map[string]any) (text string, data []string) {
	t.Helper()
	open := map[string]bool{}
	for i, p := range pieces {
		id, _ := p["id"].(string)
		switch kind := p["type"].(string); kind {
		case "start":
			if i != 0 {
				t.Errorf("start is piece %d", i)
			}
		case "text-start":
			open[id] = true
		case "text-delta":
			if !open[id] {
				t.Errorf("a delta is for %q, which is not open", id)
			}
			text += p["delta"].(string)
		case "text-end":
			if !open[id] {
				t.Errorf("%q ends and is not open", id)
			}
			delete(open, id)
		case "reset-step":
			text, open = "", map[string]bool{}
		case "finish":
			if i != len(pieces)-1 || len(open) > 0 {
				t.Errorf("finish is piece %d of %d, with %d texts open", i, len(pieces), len(open))
			}
		case "start-step", "finish-step", "source-url":
		default:
			if !strings.HasPrefix(kind, "data-") {
				t.Errorf("%s is not known to all versions", kind)
			}
			data = append(data, fmt.Sprint(kind, p["data"]))
		}
	}
	return text, data
}

// pieceOf reports whether a piece of a stream is of a type.
func pieceOf(kind string) func(event) bool {
	return func(e event) bool { return strings.HasPrefix(e.Data, `{"type":"`+kind+`"`) }
}

func TestUIRequestsThatAreRefused(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Body = 64 << 10 })
	one := func(message string) string { return `{"id":"1","messages":[` + message + `]}` }
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{"", 400, "empty"},
		{"[", 400, "JSON"},
		{"\xff", 422, "UTF-8"},
		{`{"id":"1","id":"2"}`, 400, "twice"},
		{`{"id":"1"}`, 400, "role user"},
		{`{"id":7}`, 400, "id must be a string"},
		{`{"messages":[]}`, 400, "id of the chat"},
		{`{"id":"a\nb","messages":[]}`, 400, "id of the chat"},
		{`{"id":"` + strings.Repeat("x", 257) + `"}`, 400, "id of the chat"},
		{one(`"Hello"`), 400, "list of JSON objects"},
		{one(`{"id":"m","role":"assistant","parts":[]}`), 400, "messages[0].role must be user"},
		{one(`{"id":"m","role":"user"}`), 422, "empty"},
		{one(`{"id":"m","role":"user","parts":"Hello"}`), 400, "messages[0].parts"},
		{one(`{"id":"m","role":"user","parts":[{"type":"text","text":7}]}`), 400, "messages[0].parts[0].text"},
		{one(`{"id":"m","role":"user","parts":[{"type":"file","mediaType":"image/png","url":"data:,"}]}`), 400, "files are not read"},
		{one(`{"id":"` + strings.Repeat("x", 129) + `","role":"user","parts":[{"type":"text","text":"a"}]}`), 400, "128 bytes"},
		{uiBody("1", "m", "Hello?", `"trigger":"explode",`), 400, "trigger"},
		{uiBody("1", "m", "Hello?", `"assistant":"nobody",`), 422, "there is no assistant"},
		{uiBody("1", "m", strings.Repeat("x", 33<<10)), 413, "bytes"},
		{strings.Repeat(" ", 65<<10), 413, "last message alone"},
	} {
		s.post("/v1/ui", test.body).plain(test.status, test.text)
	}
	s.post("/v1/ui", uiBody("1", "m", "a"), "Origin: https://evil.example").plain(403, "allowed_origins")
	s.get("/v1/ui").plain(405, "POST")
	if list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 10, nil); err != nil || len(list) != 0 {
		t.Errorf("%d conversations were made for nothing, %v", len(list), err)
	}
}

// TestTheIDOfAChatOpensNothing: where there are keys, the token or a key does.
func TestTheIDOfAChatOpensNothing(t *testing.T) {
	s := newServer(t, "It begins. And so\nstall")
	key := "Authorization: Bearer " + s.closed()
	r := s.open(t.Context(), "POST", "/v1/ui", uiBody("chat", "1", "My secret?"))
	defer r.Body.Close()
	id, token := r.Header.Get("X-Conversation-Id"), r.Header.Get("X-Conversation-Token")
	if r.StatusCode != 200 || !strings.HasPrefix(token, "cv_"+id+"_") {
		t.Fatalf("%d, the token of %s is %q", r.StatusCode, id, token)
	}
	other, _ := s.start()
	for _, stranger := range []struct {
		header string
		status int
	}{{"X-Nobody: 1", 401}, {"Authorization: Bearer sk-dummy", 401}, {"Authorization: Bearer " + other.Token, 403}} {
		s.post("/v1/ui", uiBody("chat", "2", "What did they say?"), stranger.header).plain(stranger.status, "token")
		s.get("/v1/ui/chat/stream", stranger.header).plain(stranger.status, "token")
	}
	st := s.stream("GET", "/v1/ui/chat/stream", "", "Authorization: Bearer "+token)
	st.until(pieceOf("text-delta"))
	s.get("/v1/conversations/"+id, "Authorization: Bearer "+token).want(200)

	// A key has chats of its own: what a visitor began under a guessed id stays theirs.
	s.get("/v1/ui/chat/stream", key).want(204)
	theirs := s.open(t.Context(), "POST", "/v1/ui", uiBody("chat", "1", "Hello?"), key)
	defer theirs.Body.Close()
	if got := theirs.Header.Get("X-Conversation-Id"); got == "" || got == id {
		t.Errorf("the key's conversation is %q, and the visitor's %q", got, id)
	}
	passedOn := theirs.Header.Get("X-Conversation-Token")
	s.stream("GET", "/v1/ui/chat/stream", "", "Authorization: Bearer "+passedOn).until(pieceOf("text-delta"))

	// Whoever has a token may begin another chat with it.
	fresh := s.open(t.Context(), "POST", "/v1/ui", uiBody("new chat", "1", "Hello?"), "Authorization: Bearer "+token)
	defer fresh.Body.Close()
	if got := fresh.Header.Get("X-Conversation-Id"); fresh.StatusCode != 200 || got == id {
		t.Errorf("the new chat is %q", got)
	}
	s.get("/v1/ui/never/stream", "Authorization: Bearer sk-dummy").plain(401, "token")
	s.get("/v1/ui/never/stream").want(204)
}

// TestTheSameUIMessageAgain: a client that sends again joins the answer under way, from
// its start, and pays once.
func TestTheSameUIMessageAgain(t *testing.T) {
	s := newServer(t, "Call {{n}} begins. And\ndelay 200ms\nit ends.")
	first := s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?"))
	first.until(pieceOf("text-delta"))
	resumed := s.stream("GET", "/v1/ui/chat/stream", "")
	again := s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?"))
	const want = "Call 1 begins. And\nit ends."
	for name, st := range map[string]*stream{"again": again, "resumed": resumed} {
		if got, _ := shownBy(t, st.pieces()); got != want {
			t.Errorf("%s shows %q, want %q", name, got, want)
		}
	}
	first.rest()
	if got, _ := shownBy(t, s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?")).pieces()); got != want {
		t.Errorf("after its end it shows %q, want %q", got, want)
	}
	s.post("/v1/ui", uiBody("chat", "1", "Something else")).plain(409, "another text")
}

func TestUIMessagesThatAreNew(t *testing.T) {
	s := newServer(t, "Call {{n}}.")
	for i, body := range []string{
		uiBody("chat", "1", "Hello?"),
		uiBody("chat", "1", "Hello?", `"trigger":"regenerate-message","messageId":"a1",`),
		uiBody("chat", "1", "Goodbye?", `"trigger":"submit-message","messageId":"1",`), // edited
		`{"id":"chat","trigger":"regenerate-message","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"Hello?"}]},{"id":"a","role":"assistant","parts":[]}]}`,
	} {
		if got, _ := shownBy(t, s.stream("POST", "/v1/ui", body).pieces()); got != fmt.Sprintf("Call %d.", i+1) {
			t.Errorf("message %d is answered by %q", i+1, got)
		}
	}
	if got, _ := shownBy(t, s.stream("POST", "/v1/ui", uiBody("chat", "1", "Goodbye?", `"messageId":"1",`)).pieces()); got != "Call 3." {
		t.Errorf("the edit again is answered by %q", got)
	}
}

func TestAUIClientThatLeavesEndsNothing(t *testing.T) {
	s := newServer(t, "It begins.\ndelay 100ms\nIt ends.")
	ctx, leave := context.WithCancel(t.Context())
	r := s.open(ctx, "POST", "/v1/ui", uiBody("chat", "1", "Hello?"))
	id := chat.ConversationID(r.Header.Get("X-Conversation-Id"))
	leave()
	r.Body.Close()
	eventually(t, "the turn has not ended", func() bool { return s.api.Inbox.Running() == 0 })
	c, err := s.store.Conversation(t.Context(), id)
	must(t, err)
	all, _, err := s.store.Messages(t.Context(), c, 0, 10)
	if err != nil || len(all) != 2 || all[1].Text != "It begins.\nIt ends." {
		t.Errorf("the messages are %+v, %v", all, err)
	}
}

// TestUIClientsOfBothKinds: one began an answer that may be taken back; the other, which
// cannot take back, is shown it when it is whole.
func TestUIClientsOfBothKinds(t *testing.T) {
	s := newServer(t, "", answeredBy(t, "", "One is here. Two\ndelay 200ms\n.\nerror elsewhere \"overloaded\"", "The whole answer."))
	resetting := s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?"), "X-Answerable-Reset: 1")
	resetting.until(pieceOf("text-delta"))
	plain := s.stream("GET", "/v1/ui/chat/stream", "")
	joined := s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?"))
	replayed := s.stream("GET", "/v1/ui/chat/stream?reset=1", "")
	for name, st := range map[string]*stream{"resumed": plain, "joined": joined} {
		pieces := st.pieces()
		if got, _ := shownBy(t, pieces); got != "The whole answer." {
			t.Errorf("%s shows %q", name, got)
		}
		for _, p := range pieces {
			if p["type"] == "reset-step" {
				t.Errorf("%s is sent reset-step, which it cannot read", name)
			}
		}
	}
	if got, _ := shownBy(t, replayed.pieces()); got != "The whole answer." {
		t.Errorf("the resumed stream that can reset shows %q", got)
	}
}

func TestAPersonOwnsTheUIChat(t *testing.T) {
	s := newServer(t, "It begins. And so\nstall")
	st := s.stream("POST", "/v1/ui", uiBody("chat", "1", "Hello?"))
	st.until(pieceOf("text-delta"))
	list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 1, nil)
	must(t, err)
	s.post("/api/conversations/"+string(list[0].ID)+"/take", `{"name":"Ada"}`).want(200)
	rest := st.pieces()
	if got := fmt.Sprint(rest); !strings.Contains(got, "map[name:Ada owner:agent]") || rest[len(rest)-1]["type"] != "finish" {
		t.Errorf("the stream ends with %s", got)
	}
	_, data := shownBy(t, s.stream("POST", "/v1/ui", uiBody("chat", "2", "Hello Ada?")).pieces())
	if len(data) != 1 || data[0] != "data-ownermap[name:Ada owner:agent]" {
		t.Errorf("the next message is answered with %q", data)
	}
	s.get("/v1/ui/chat/stream").want(204)
}

// TestAChatIsBegunOnce: parallel first requests are of one conversation.
func TestAChatIsBegunOnce(t *testing.T) {
	s := newServer(t, "Yes.")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := s.open(t.Context(), "POST", "/v1/ui", uiBody("chat", fmt.Sprint(i), "Hello?"))
			defer r.Body.Close()
			if r.StatusCode != 200 {
				t.Errorf("request %d is answered with %d", i, r.StatusCode)
			}
		})
	}
	all.Wait()
	if list, err := s.store.Conversations(t.Context(), chat.Bot, nil, "", 10, nil); err != nil || len(list) != 1 {
		t.Errorf("there are %d conversations, %v", len(list), err)
	}
}

func TestABrokenUIStreamSaysSo(t *testing.T) {
	s := newServer(t, "It begins. And so\nstall")
	ctx, stop := context.WithCancel(t.Context())
	out := &collected{header: http.Header{}, first: stop}
	req, err := http.NewRequestWithContext(ctx, "POST", "http://localhost/v1/ui", strings.NewReader(uiBody("chat", "1", "Hello?")))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	s.api.Handler().ServeHTTP(out, req) // its context ends as a server's that stops
	if !strings.Contains(out.body, `{"type":"error","errorText":"the connection was lost: the answer goes on, reload to see it"}`) || !strings.HasSuffix(out.body, "data: [DONE]\n\n") {
		t.Errorf("the stream is %s", out.body)
	}
}

// collected is a response that calls first when text arrives.
type collected struct {
	header http.Header
	body   string
	first  func()
}

func (c *collected) Header() http.Header { return c.header }
func (c *collected) WriteHeader(int)     {}
func (c *collected) Flush()              {}
func (c *collected) Write(b []byte) (int, error) {
	c.body += string(b)
	if strings.Contains(c.body, "text-delta") {
		c.first()
	}
	return len(b), nil
}
