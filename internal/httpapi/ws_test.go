package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/httpapi"
)

const speaks = "answerable.v1"

// socket is a client's side of a WebSocket.
type socket struct {
	testing.TB
	*websocket.Conn
	ctx context.Context
}

// dial opens a socket, or fails with the answer to the handshake.
func (s *server) dial(path string, o *websocket.DialOptions) (*socket, reply) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	s.Cleanup(cancel)
	conn, resp, err := websocket.Dial(ctx, s.URL+path, o)
	if err != nil {
		if resp == nil {
			s.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		must(s, err)
		return nil, reply{s.TB, resp, string(b)}
	}
	conn.SetReadLimit(1 << 20)
	s.Cleanup(func() { conn.CloseNow() })
	return &socket{s.TB, conn, ctx}, reply{}
}

// socket opens a socket to a conversation.
func (s *server) socket(path string) *socket {
	s.Helper()
	k, refused := s.dial(path, &websocket.DialOptions{Subprotocols: []string{speaks}})
	if k == nil {
		s.Fatalf("GET %s = %d %s, want a socket", path, refused.StatusCode, refused.body)
	}
	if k.Subprotocol() != speaks {
		s.Errorf("the subprotocol is %q, want %q", k.Subprotocol(), speaks)
	}
	return k
}

func (k *socket) send(frame string) {
	k.Helper()
	must(k, k.Write(k.ctx, websocket.MessageText, []byte(frame)))
}

// refusal is a frame that says what is wrong with another.
type refusal struct {
	Kind, Type, Title, Detail string
	Status                    int
	RequestID                 string `json:"request_id"`
	ClientID                  string `json:"client_id"`
}

// next reads a frame.
func (k *socket) next() (e event, raw []byte) {
	k.Helper()
	typ, raw, err := k.Read(k.ctx)
	if err != nil || typ != websocket.MessageText {
		k.Fatalf("no frame comes: %v", err)
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		k.Fatalf("%s: %v", raw, err)
	}
	e.ID, e.Name, e.Data = fmt.Sprint(e.Seq), string(e.Kind), string(raw)
	return e, raw
}

func (k *socket) until(fits func(event) bool) (all []event) {
	k.Helper()
	for {
		e, _ := k.next()
		all = append(all, e)
		if fits(e) {
			return all
		}
	}
}

// refused reads the refusal of the frame before.
func (k *socket) refused(status int, slug, detail, clientID string) {
	k.Helper()
	_, raw := k.next()
	var r refusal
	must(k, json.Unmarshal(raw, &r))
	if r.Kind != "error" || r.Status != status || r.Type != "/problems/"+slug || r.Title == "" || !strings.Contains(r.Detail, detail) || r.RequestID == "" || r.ClientID != clientID {
		k.Errorf("the refusal is %s, want %d, type %s, detail with %q, client_id %q", raw, status, slug, detail, clientID)
	}
}

// closes reads on until the server closes the socket.
func (k *socket) closes(code websocket.StatusCode, reason string) {
	k.Helper()
	for {
		if _, _, err := k.Read(k.ctx); err != nil {
			var end websocket.CloseError
			if !errors.As(err, &end) || end.Code != code || !strings.Contains(end.Reason, reason) {
				k.Errorf("the socket ends with %v, want %v and %q", err, code, reason)
			}
			return
		}
	}
}

func TestASocketSendsAndFollows(t *testing.T) {
	s := newServer(t, "Of course. We do.")
	_, path := s.start()
	k := s.socket(path + "/ws")
	k.send(`{"kind":"message","text":"Do you deliver?","client_id":"one"}`)
	all := k.until(kind(chat.KindTurnEnded))
	consecutive(t, all, 1)
	if all[0].Kind != chat.KindAccepted || all[0].Message.Text != "Do you deliver?" || all[0].Message.ClientID != "one" || answerOf(all) != "Of course. We do." {
		t.Errorf("the events are %s with the answer %q", kinds(all), answerOf(all))
	}
	k.send(`{"kind":"message","text":"Do you deliver?","client_id":"one"}`) // sent again, without effect
	k.send(`{"kind":"message","text":"And today?","client_id":"two"}`)
	more := k.until(kind(chat.KindTurnEnded))
	consecutive(t, more, int64(len(all))+1)
	if more[0].Message.ClientID != "two" {
		t.Errorf("the next message is %+v, want the second", more[0].Message)
	}
	back := s.socket(fmt.Sprintf("%s/ws?after=%d", path, len(all)-2)).until(kind(chat.KindTurnEnded))
	consecutive(t, back, int64(len(all))-1)

	st := s.stream("GET", path+"/events", "").until(kind(chat.KindTurnEnded))
	for i, e := range st {
		if e.Data != all[i].Data {
			t.Errorf("the stream has %s, the socket %s", e.Data, all[i].Data)
		}
	}
}

func TestWhoMayOpenASocket(t *testing.T) {
	s := newServer(t, "")
	mine, path := s.start()
	other, _ := s.start()
	key := s.closed()
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for _, c := range []struct {
		name      string
		protocols []string
		header    http.Header
		path      string
		status    int // 0: it opens
		slug      string
	}{
		{"the conversation's token", []string{speaks, mine.Token}, nil, path, 0, ""},
		{"in any order", []string{mine.Token, speaks, "answerable.v2"}, nil, path, 0, ""},
		{"as a header", []string{speaks}, bearer(mine.Token), path, 0, ""},
		{"an API key", []string{speaks, key}, nil, path, 0, ""},
		{"no token", []string{speaks}, nil, path, 401, "unauthorized"},
		{"no token of ours", []string{speaks, "nonsense"}, nil, path, 401, "unauthorized"},
		{"two tokens", []string{speaks, mine.Token}, bearer(mine.Token), path, 401, "unauthorized"},
		{"another conversation's", []string{speaks, other.Token}, nil, path, 403, "forbidden"},
		{"no subprotocol", nil, bearer(mine.Token), path, 400, "malformed-request"},
		{"another subprotocol", []string{"chat"}, bearer(mine.Token), path, 400, "malformed-request"},
		{"no such conversation", []string{speaks, key}, nil, "/v1/conversations/" + string(chat.NewConversationID()), 404, "not-found"},
		{"a bad number", []string{speaks, key}, nil, path + "/ws?after=x#", 400, "malformed-request"},
		{"a strange page", []string{speaks, mine.Token}, http.Header{"Origin": {"https://evil.example"}}, path, 403, "forbidden"},
		{"a page of another assistant", []string{speaks, mine.Token}, http.Header{"Origin": {"https://other.example"}}, path, 403, "forbidden"},
		{"our own page", []string{speaks, mine.Token}, http.Header{"Origin": {s.URL}}, path, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := c.path
			if !strings.HasSuffix(at, "#") {
				at += "/ws"
			}
			k, refused := s.dial(strings.TrimSuffix(at, "#"), &websocket.DialOptions{Subprotocols: c.protocols, HTTPHeader: c.header})
			switch {
			case c.status != 0 && k != nil:
				t.Error("the socket opens")
			case c.status != 0:
				refused.TB = t
				refused.problem(c.status, c.slug, "")
			case k == nil:
				t.Errorf("%d %s, want a socket", refused.StatusCode, refused.body)
			default:
				k.CloseNow()
			}
		})
	}
	if strings.Contains(s.log.String(), mine.Token) {
		t.Error("the token is in the log")
	}
}

func TestAPageOfTheAssistantMayOpenASocket(t *testing.T) {
	s := newServer(t, "")
	c := decode[started](s.post("/v1/conversations", `{"assistant":"other"}`).want(201))
	k, refused := s.dial("/v1/conversations/"+c.ID+"/ws", &websocket.DialOptions{Subprotocols: []string{speaks}, HTTPHeader: http.Header{"Origin": {"https://other.example"}}})
	if k == nil {
		t.Errorf("%d %s, want a socket", refused.StatusCode, refused.body)
	}
}

// TestWhatIsNoWebSocket sends requests that are not whole handshakes.
func TestWhatIsNoWebSocket(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	offer := "Sec-WebSocket-Protocol: " + speaks
	up := []string{offer, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"}
	for _, headers := range [][]string{
		nil, {offer}, up, append(up[:3:3], "Sec-WebSocket-Version: 12"), append(up[:4:4], "Sec-WebSocket-Key: short"),
	} {
		s.get(path+"/ws", headers...).problem(400, "malformed-request", "WebSocket")
	}
	s.request("HEAD", path+"/ws", "", offer).want(400)
	s.post(path+"/ws", "{}").want(405)
}

func TestBadFrames(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Body = 40 << 10 })
	_, path := s.start()
	k := s.socket(path + "/ws")
	for _, c := range []struct {
		frame        string
		status       int
		slug, detail string
		clientID     string
	}{
		{``, 400, "malformed-request", "", ""},
		{`hello`, 400, "malformed-request", "JSON", ""},
		{`[]`, 400, "malformed-request", "object", ""},
		{`{}`, 400, "malformed-request", "message, typing, read and stop", ""},
		{`{"kind":"text","client_id":"1"}`, 400, "malformed-request", `unknown kind "text"`, "1"},
		{`{"kind":7,"client_id":"1"}`, 400, "malformed-request", "kind", "1"},
		{`{"Kind":"stop"}`, 400, "malformed-request", "unknown field", ""},
		{`{"kind":"stop","text":"x"}`, 400, "malformed-request", `unknown field "text"`, ""},
		{`{"kind":"message","text":"x","client_id":"2","when":1}`, 400, "malformed-request", `unknown field "when"`, "2"},
		{`{"kind":"message","text":7,"client_id":"3"}`, 400, "malformed-request", "text must be a string", "3"},
		{`{"kind":"message","text":"x","text":"y","client_id":"4"}`, 400, "malformed-request", "twice", "4"},
		{`{"kind":"message","text":"x","client_id":9}`, 400, "malformed-request", "client_id must be a string", ""},
		{`{"kind":"message","text":" ","client_id":"5"}`, 422, "invalid", "empty", "5"},
		{`{"kind":"message","client_id":"6"}`, 422, "invalid", "empty", "6"},
		{`{"kind":"message","text":"a\u0000b","client_id":"7"}`, 422, "invalid", "NUL", "7"},
		{"{\"kind\":\"message\",\"text\":\"\xff\",\"client_id\":\"8\"}", 422, "invalid", "UTF-8", "8"},
		{`{"kind":"message","text":"\ud800","client_id":"9"}`, 422, "invalid", "surrogate", "9"},
		{`{"kind":"message","text":"` + strings.Repeat("x", 33<<10) + `","client_id":"10"}`, 413, "too-large", "send less", "10"},
		{`{"kind":"message","text":"` + strings.Repeat("x", 41<<10) + `","client_id":"11"}`, 413, "too-large", "larger than", ""},
		{`{"kind":"message","text":"x","client_id":"` + strings.Repeat("1", 129) + `"}`, 422, "invalid", "client_id", ""},
		{`{"kind":"typing"}`, 400, "malformed-request", "typing is missing", ""},
		{`{"kind":"typing","typing":"yes"}`, 400, "malformed-request", "typing must be a boolean", ""},
		{`{"kind":"read","seq":-1}`, 400, "malformed-request", "seq must be", ""},
		{`{"kind":"read","seq":1.5}`, 400, "malformed-request", "seq", ""},
	} {
		k.send(c.frame)
		k.refused(c.status, c.slug, c.detail, c.clientID)
	}
	must(t, k.Write(k.ctx, websocket.MessageBinary, []byte(`{"kind":"stop"}`)))
	k.refused(415, "unsupported-media-type", "text", "")
	for _, words := range []string{"hello", "xxxxx"} {
		if strings.Contains(s.log.String(), words) {
			t.Error("people's words are in the log")
		}
	}
	k.send(`{"kind":"message","text":"Hello?","client_id":"one"}`)
	consecutive(t, k.until(kind(chat.KindTurnEnded)), 1) // it is as good as new
	// What is far too large is not read to its end: its sender may see the goodbye, or only
	// that the connection is gone.
	err := k.Write(k.ctx, websocket.MessageText, []byte(`{"kind":"message","text":"`+strings.Repeat("x", 200<<10)+`"}`))
	for err == nil {
		_, _, err = k.Read(k.ctx)
	}
	if code := websocket.CloseStatus(err); k.ctx.Err() != nil || code != -1 && code != websocket.StatusMessageTooBig {
		t.Errorf("the socket ends with %v", err)
	}
}

func TestASocketsMessagesAreLimited(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.MessagesPerMinute = 1 })
	_, path := s.start()
	s.post(path+"/close", "").want(202)
	k := s.socket(path + "/ws")
	k.until(kind(chat.KindClosed))
	k.send(`{"kind":"message","text":"Hello?","client_id":"1"}`)
	k.refused(409, "conflict", "start a new one", "1")
	k.send(`{"kind":"message","text":"Hello?","client_id":"2"}`)
	k.refused(429, "too-many-requests", "too many messages", "2")
	s.post(path+"/messages", `{"text":"Hello?"}`).problem(429, "too-many-requests", "") // counted with those of the route
	for range 4 {
		k.send(`{"kind":"typing","typing":true}`)
		k.until(kind(chat.KindTyping))
	}
	k.send(`{"kind":"read","seq":1}`)
	k.refused(429, "too-many-requests", "too many signals", "")
}

func TestASocketSignals(t *testing.T) {
	s := newServer(t, "Yes.")
	_, path := s.start()
	k := s.socket(path + "/ws")
	s.followed(1)
	k.send(`{"kind":"message","text":"Hello?"}`)
	last := int64(len(k.until(kind(chat.KindTurnEnded))))
	st := s.stream("GET", fmt.Sprintf("%s/events?after=%d", path, last), "")
	s.followed(2)
	k.send(`{"kind":"typing","typing":true}`)
	k.send(`{"kind":"read","seq":99}`)
	for _, e := range []event{firstOf(st.next()), firstOf(k.next())} {
		if e.Kind != chat.KindTyping || e.By != chat.Customer || !e.Typing || e.Seq != 0 {
			t.Errorf("the signal is %+v, want that the customer types", e)
		}
	}
	for _, e := range []event{firstOf(st.next()), firstOf(k.next())} {
		if e.Kind != chat.KindRead || e.By != chat.Customer || e.Seq != last {
			t.Errorf("the signal is %+v, want that the customer has seen all", e)
		}
	}
}

func firstOf[A, B any](a A, _ B) A { return a }

func TestASocketStopsTheAnswer(t *testing.T) {
	s := newServer(t, "One. Two. \nstall")
	_, path := s.start()
	k := s.socket(path + "/ws")
	k.send(`{"kind":"message","text":"Hello?"}`)
	k.until(kind(chat.KindText))
	k.send(`{"kind":"stop"}`)
	if all := k.until(kind(chat.KindTurnEnded)); all[len(all)-1].Outcome != "stopped" {
		t.Errorf("the turn ends %s, want stopped", all[len(all)-1].Outcome)
	}
}

func TestAnAnswerOutlivesItsSocket(t *testing.T) {
	s := newServer(t, "One. Two. \nitl 200ms\nThree. Four.")
	_, path := s.start()
	k := s.socket(path + "/ws")
	k.send(`{"kind":"message","text":"Hello?"}`)
	seen := k.until(kind(chat.KindText))
	k.CloseNow()
	eventually(t, "the socket is still counted", func() bool { return s.api.OpenStreams() == 0 && s.api.Feed.Followers() == 0 })
	s.api.Wait()
	all := append(seen, s.socket(fmt.Sprintf("%s/ws?after=%d", path, len(seen))).until(kind(chat.KindTurnEnded))...)
	consecutive(t, all, 1)
	if got := answerOf(all); got != "One. Two. \nThree. Four." {
		t.Errorf("the answer is %q", got)
	}
}

func TestSocketsAreStreams(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Streams = 1 })
	_, path := s.start()
	k := s.socket(path + "/ws")
	_, refused := s.dial(path+"/ws", &websocket.DialOptions{Subprotocols: []string{speaks}})
	refused.problem(503, "unavailable", "too many streams")
	must(t, k.Close(websocket.StatusNormalClosure, ""))
	eventually(t, "the socket is still counted", func() bool { return s.api.OpenStreams() == 0 })
	s.socket(path + "/ws")
}

func TestASocketClosesWhenTheServerStops(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	k := s.socket(path + "/ws")
	silent := s.socket(path + "/ws") // reads nothing: it does not take its leave
	s.followed(2)
	s.stopStreams()
	k.closes(websocket.StatusGoingAway, "the server stops")
	s.api.Wait()
	if n := s.api.OpenStreams(); n != 0 {
		t.Errorf("%d sockets are open after Wait", n)
	}
	silent.closes(websocket.StatusGoingAway, "the server stops")
}

// TestASocketOutlivesTheLimitsOfARequest keeps one open, without a word, for longer than
// a request may take.
func TestASocketOutlivesTheLimitsOfARequest(t *testing.T) {
	s := newServer(t, "Yes.", func(s *httpapi.Server) {
		s.Limits.Heartbeat, s.Limits.Transfer = 50*time.Millisecond, time.Second // a busy machine answers a ping within that
	})
	_, path := s.start()
	var pings atomic.Int64
	began := time.Now()
	k, _ := s.dial(path+"/ws", &websocket.DialOptions{Subprotocols: []string{speaks}, OnPingReceived: func(context.Context, []byte) bool {
		if pings.Add(1); time.Since(began) > 2200*time.Millisecond {
			s.post(path+"/messages", `{"text":"Hello?","client_id":"1"}`)
		}
		return true
	}})
	consecutive(t, k.until(kind(chat.KindTurnEnded)), 1)
	if pings.Load() < 10 {
		t.Errorf("%d pings in %v", pings.Load(), time.Since(began))
	}
}

func TestAClientThatIsNotThereIsDropped(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) {
		s.Limits.Heartbeat, s.Limits.Transfer = 10*time.Millisecond, 50*time.Millisecond
	})
	_, path := s.start()
	s.socket(path + "/ws") // reads nothing, and so does not answer pings
	eventually(t, "the client is still there", func() bool { return s.api.OpenStreams() == 0 })
}

func TestASlowSocketIsDropped(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Transfer = 200 * time.Millisecond })
	say := s.slowSocket()
	eventually(t, "the client is still there", func() bool {
		say()
		return s.api.OpenStreams() == 0
	})
}

// TestASlowSocketDoesNotHoldUpTheEnd has more to send than fits between the server and a
// client that takes nothing, when the server stops. With the usual limit for what is sent,
// the test does not end.
func TestASlowSocketDoesNotHoldUpTheEnd(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Transfer = time.Hour })
	say := s.slowSocket()
	for range 40 {
		say()
	}
	s.stopStreams()
	s.api.Wait()
}

// slowSocket opens a socket whose client takes nothing. What it returns gives it 750 KiB
// more to take.
func (s *server) slowSocket() (say func()) {
	s.Helper()
	c, path := s.start()
	s.dial(path+"/ws", &websocket.DialOptions{Subprotocols: []string{speaks}, HTTPClient: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			}
			return conn, err
		}}}})
	id := chat.ConversationID(c.ID)
	_, err := s.store.Take(s.Context(), id, "Ada")
	must(s, err)
	words := chat.Text(strings.Repeat("words ", 1<<17))
	return func() {
		_, _, err := s.store.Say(s.Context(), "Ada", chat.Incoming{Conversation: id, Text: words})
		must(s, err)
	}
}

func TestAFrameThatTricklesIsGivenUp(t *testing.T) {
	s := newServer(t, "", func(s *httpapi.Server) { s.Limits.Transfer = 50 * time.Millisecond })
	_, path := s.start()
	k := s.socket(path + "/ws")
	w, err := k.Writer(k.ctx, websocket.MessageText)
	must(t, err)
	_, err = w.Write([]byte(`{"kind":`))
	must(t, err)
	k.flushed(w)
	eventually(t, "the client is still there", func() bool { return s.api.OpenStreams() == 0 })
}

// flushed writes so much more that the client's buffer is sent.
func (k *socket) flushed(w io.Writer) {
	k.Helper()
	_, err := w.Write([]byte(strings.Repeat(" ", 8<<10)))
	must(k, err)
}

// broken is a log that cannot be read.
type broken struct{ err error }

func (b broken) After(context.Context, chat.ConversationID, int64, int) ([]chat.Event, error) {
	return nil, b.err
}

func TestASocketThatCannotGoOn(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   websocket.StatusCode
		reason string
	}{
		{errors.New("the disk is gone"), websocket.StatusInternalError, "our fault"},
		{&chat.Error{Kind: chat.NotFound, Message: "there is no such conversation " + strings.Repeat("ä", 100)}, websocket.StatusPolicyViolation, "there is no such conversation ää"},
	} {
		s := newServer(t, "", func(s *httpapi.Server) { s.Feed = &feed.Feed{Log: broken{c.err}} })
		_, path := s.start()
		s.socket(path+"/ws").closes(c.code, c.reason)
	}
}
