package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/console"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// server is the whole server over a real socket, with a scripted model.
type server struct {
	testing.TB
	URL   string
	api   *httpapi.Server
	store *store.Store
	http  *httptest.Server
	log   *logged

	stopStreams func() // as a server that stops does
}

type turnStore struct{ *store.Store }

func (s turnStore) Stream(o chat.OpenTurn) turn.Stream { return s.Store.Stream(o) }

// newServer serves answers from a script. configure changes the server before it starts.
func newServer(t testing.TB, script string, configure ...func(*httpapi.Server)) *server {
	t.Helper()
	dir := t.TempDir()
	key, err := store.DevelopmentKey(dir)
	must(t, err)
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	must(t, err)
	events := &feed.Feed{Log: db}
	db.Announce = events.Publish
	if script == "" {
		script = "Yes."
	}
	answers, err := llmtest.Parse("script", script)
	must(t, err)
	log := &logged{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	runner := &turn.Runner{Build: "test", Store: turnStore{db}, Model: &llm.Client{Models: llm.Only(answers.Provider())},
		Rules: turn.Rules{Unit: chat.Sentence, Claims: guard.Claims{Off: true}}, Log: logger}
	in := &inbox.Inbox{Store: db, Node: chat.NewNodeID(), Resumes: true, Runner: func(string) *turn.Runner { return runner },
		Limits: inbox.Limits{Stop: 10 * time.Millisecond}, Log: logger}
	must(t, in.Join(t.Context()))
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := in.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	s := &server{TB: t, store: db, log: log, api: &httpapi.Server{
		Inbox: in, Store: db, Feed: events, Assistants: library{}, Web: console.Built(), Access: httpapi.Access{Loopback: true},
		Version: "test", Started: time.Now(), Log: logger,
	}}
	for _, c := range configure {
		c(s.api)
	}
	s.http = httptest.NewUnstartedServer(nil)
	s.http.Config = s.api.HTTP()
	streams, stopStreams := context.WithCancel(context.Background())
	s.stopStreams = stopStreams
	s.http.Config.BaseContext = func(net.Listener) context.Context { return streams }
	s.http.Start()
	s.URL = s.http.URL
	t.Cleanup(func() {
		s.http.CloseClientConnections()
		s.http.Close()
		stopStreams()
		s.api.Wait()
		stop()
		parts.Wait()
		must(t, db.Close())
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// closed makes a first API key, from which on every token is checked, and returns it.
func (s *server) closed() string {
	s.Helper()
	key, hash := access.NewKey()
	must(s, s.store.AddKey(s.Context(), chat.APIKey{ID: "k1", Name: "desk", Scopes: []chat.Scope{chat.ScopeAdmin}}, hash))
	return key
}

// library has two assistants, and one document.
type library struct{}

func (library) Names() []string      { return []string{"demo", "other"} }
func (library) Has(name string) bool { return name == "demo" || name == "other" }
func (library) Origins(name string) []string {
	if name == "other" {
		return []string{"https://other.example"}
	}
	return nil
}

// Hours are those of "other": a moment each day.
func (library) Hours(name string) assistant.Hours {
	if name == "other" {
		return assistant.Hours{Zone: "Europe/Berlin", Week: []assistant.Shift{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: 0, To: 1}}}
	}
	return assistant.Hours{}
}

func (library) Widget(name string) assistant.Widget {
	w := assistant.DefaultWidget()
	if name == "other" {
		w = otherWidget
	}
	return w
}

// otherWidget has everything that can be set.
var otherWidget = assistant.Widget{
	Enabled: true, Title: `Other & <script>alert(1)</script>`, Accent: "#123456", Privacy: "https://other.example/privacy?a=1&b=2",
	Disclosure: "2026-11", Consent: true, Images: []string{"https://cdn.example"},
	Texts: []assistant.Texts{
		{Locale: "en", Greeting: "Ask </script> us", Suggestions: []string{"Where is it?", `"Quoted" <b>`}},
		{Locale: "de-AT", Greeting: "Servus", Disclosure: "Da red't a Maschin."},
	},
	Files: assistant.Files{Types: []string{"image/png"}, Bytes: 1000},
}

var document = knowledge.Document{
	ID: "help/Größe & <b>.md", Title: "Größen <&>", Language: "de", Text: "Größen\n\nWir haben <script>alert(1)</script> S bis XL.\n\nMehr\n\nEnde.",
	Headings: []knowledge.Heading{{Level: 1, Text: "Größen", Start: 0, End: 6}, {Level: 2, Text: "Mehr", Start: 55, End: 59}},
}

// bare is a document that has its title from elsewhere.
var bare = knowledge.Document{ID: "bare.md", Title: "Bare <b>", Language: "en", Text: "Words alone."}

func (library) Document(generation, id string) (knowledge.Document, bool) {
	if id == bare.ID {
		return bare, true
	}
	return document, generation == "abc123" && id == document.ID
}

// logged keeps what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// reply is a response that was read.
type reply struct {
	testing.TB
	*http.Response
	body string
}

// request sends one and reads the whole answer. Headers are given as "Name: value".
func (s *server) request(method, path, body string, headers ...string) reply {
	s.Helper()
	resp := s.open(s.Context(), method, path, body, headers...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s, err)
	checkAgainstOpenAPI(s.TB, method, path, body, resp, string(b))
	return reply{s.TB, resp, string(b)}
}

// open sends a request and leaves the answer to be read.
func (s *server) open(ctx context.Context, method, path, body string, headers ...string) *http.Response {
	s.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, rd)
	must(s, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case name == "Host":
			req.Host = value
		case value == "":
			req.Header.Del(name)
		case name == "Content-Type":
			req.Header.Set(name, value)
		default:
			req.Header.Add(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	must(s, err)
	return resp
}

func (s *server) post(path, body string, headers ...string) reply {
	s.Helper()
	return s.request("POST", path, body, headers...)
}

func (s *server) get(path string, headers ...string) reply {
	s.Helper()
	return s.request("GET", path, "", headers...)
}

// want checks the status and returns the reply.
func (r reply) want(status int) reply {
	r.Helper()
	if r.StatusCode != status {
		r.Fatalf("%s %s = %d %s, want %d", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status)
	}
	return r
}

// problem checks that the reply is a problem with this status, the end of its type, and a
// detail that says something.
func (r reply) problem(status int, slug, detail string) {
	r.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
		RequestID           string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		r.Fatalf("%s %s = %d %s %q, want a problem", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.Header.Get("Content-Type"), r.body)
	}
	if r.StatusCode != status || p.Status != status || p.Type != "/problems/"+slug || p.Title == "" || !strings.Contains(p.Detail, detail) ||
		p.RequestID == "" || p.RequestID != r.Header.Get("X-Request-Id") {
		r.Fatalf("%s %s = %d %s, want %d, type %s, detail with %q", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status, slug, detail)
	}
}

// decode reads the reply's JSON.
func decode[T any](r reply) (v T) {
	r.Helper()
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.Fatalf("%s is not JSON: %v", r.body, err)
	}
	return v
}

type started struct{ ID, Token string }

// start makes a conversation.
func (s *server) start(headers ...string) (c started, path string) {
	s.Helper()
	c = decode[started](s.post("/v1/conversations", "", headers...).want(201))
	return c, "/v1/conversations/" + c.ID
}

type acceptedMessage struct {
	Message, Turn string
	Seq           int64
}

// event is what a client reads from a stream.
type event struct {
	ID, Name, Data string `json:"-"`
	Seq            int64
	Kind           chat.Kind
	Turn           string
	Text, Outcome  string
	Owner          string
	First          int64
	Message        chat.Message
	By             chat.Role
	Typing         bool
}

// stream reads server-sent events.
type stream struct {
	testing.TB
	lines    *bufio.Scanner
	close    func()
	comments int
	retry    string
}

func (s *server) stream(method, path, body string, headers ...string) *stream {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	resp := s.open(ctx, method, path, body, append(headers, "Accept: text/event-stream")...)
	if resp.StatusCode != 200 {
		b, _ := io.ReadAll(resp.Body)
		s.Fatalf("%s %s = %d %s, want a stream", method, path, resp.StatusCode, b)
	}
	st := &stream{TB: s.TB, lines: bufio.NewScanner(resp.Body), close: func() { cancel(); resp.Body.Close() }}
	st.lines.Buffer(nil, 16<<20)
	s.Cleanup(st.close)
	return st
}

// next returns the next event, or false at the end.
func (s *stream) next() (e event, ok bool) {
	s.Helper()
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case s.lines.Text() == "" && e.Data != "":
			if e.Data[0] == '{' {
				if err := json.Unmarshal([]byte(e.Data), &e); err != nil {
					s.Fatalf("%s: %v", e.Data, err)
				}
			}
			return e, true
		case s.lines.Text() == "":
		case name == "":
			s.comments++
		case name == "retry":
			s.retry = value
		case name == "id":
			e.ID = value
		case name == "event":
			e.Name = value
		case name == "data":
			e.Data += value
		}
	}
	if err := s.lines.Err(); err != nil && !errors.Is(err, context.Canceled) {
		s.Fatalf("the stream broke: %v", err)
	}
	return event{}, false
}

// until reads up to the first event that fits.
func (s *stream) until(fits func(event) bool) (all []event) {
	s.Helper()
	for {
		e, ok := s.next()
		if !ok {
			s.Fatalf("the stream ended after %s", kinds(all))
		}
		all = append(all, e)
		if fits(e) {
			return all
		}
	}
}

func kind(k chat.Kind) func(event) bool { return func(e event) bool { return e.Kind == k } }

// rest reads to the end.
func (s *stream) rest() (all []event) {
	s.Helper()
	for {
		e, ok := s.next()
		if !ok {
			return all
		}
		all = append(all, e)
	}
}

func kinds(all []event) string {
	var out []string
	for _, e := range all {
		out = append(out, fmt.Sprintf("%d:%s", e.Seq, e.Kind))
	}
	return strings.Join(out, " ")
}

// consecutive checks that the events have the numbers from first on.
func consecutive(t testing.TB, all []event, first int64) {
	t.Helper()
	for i, e := range all {
		if e.Seq != first+int64(i) || e.ID != fmt.Sprint(e.Seq) || e.Name != string(e.Kind) {
			t.Fatalf("events are %s, want the numbers from %d on", kinds(all), first)
		}
	}
}

// answerOf joins the text of a turn as a client does.
func answerOf(all []event) string {
	var text string
	for _, e := range all {
		switch e.Kind {
		case chat.KindText:
			text += e.Text
		case chat.KindRetract:
			text = ""
		}
	}
	return text
}

// eventually waits until something is true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 10 s: %s", what)
		}
	}
}
