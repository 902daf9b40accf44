// Package httpapi is the server's face on HTTP: routes, JSON, event streams, and the
// customer's page. It finds out who is asking, checks what they sent, and hands it to the
// inbox; what comes of it, a client reads from the conversation's events.
//
// Two ideas. A handler returns its error, and one function turns it into a problem
// (RFC 9457), a log line and a request id. And a stream is a loop over feed.Follow: it
// keeps nothing that another process could not give, so a client may come back anywhere.
//
// Start with Server.routes, the table of contents. docs/api.md describes the same routes
// for those who call them, openapi.json for their programs.
package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/console"
	"github.com/answerable/answerable/internal/feed"
	"github.com/answerable/answerable/internal/inbox"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// Store is what the routes read and write beside the inbox. Its methods are those of
// store.Store.
type Store interface {
	Create(ctx context.Context, n store.NewConversation) (chat.Conversation, error)
	Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error)
	Conversations(ctx context.Context, owner chat.Owner, assistants []string, after chat.ConversationID, limit int, test *bool) ([]chat.Conversation, error)
	Messages(ctx context.Context, c chat.Conversation, after int64, limit int) ([]chat.Message, int64, error)
	// Began returns the number from which on the events of a turn are found, and whether
	// the face that began it cannot retract.
	Began(ctx context.Context, id chat.ConversationID, turn chat.TurnID) (seq int64, final bool, err error)
	// Owns reports whether a conversation is a person's.
	Owns(ctx context.Context, p chat.Person, id chat.ConversationID) (bool, error)
	// ConversationsOf returns a page of a person's conversations, the newest first.
	ConversationsOf(ctx context.Context, p chat.Person, assistants []string, after store.Place, limit int) ([]store.Listed, error)
	// Link makes an anonymous customer's conversation a person's too, and returns what is
	// known of the person.
	Link(ctx context.Context, id chat.ConversationID, p chat.Person) (chat.Person, error)
	Say(ctx context.Context, name string, in chat.Incoming) (chat.Message, int64, error)
	Signal(id chat.ConversationID, e chat.Event)
	// Place returns where a conversation of the queue stands; 1 is next.
	Place(ctx context.Context, c chat.Conversation) (int, error)
	// SwitchedOff returns what is switched off: first that all are, then by name.
	SwitchedOff(ctx context.Context) ([]chat.Off, error)
	// SwitchOn switches an assistant on, or with "" all.
	SwitchOn(ctx context.Context, assistant string) error
	Opinions
	Files
	Secrets
}

// Opinions are what customers say of the answers, and how far each side has read.
type Opinions interface {
	Rate(ctx context.Context, id chat.ConversationID, f chat.Feedback) (seq int64, err error)
	Score(ctx context.Context, id chat.ConversationID, v chat.CSAT) (seq int64, err error)
	MarkRead(ctx context.Context, id chat.ConversationID, by chat.Role, seq int64) (now chat.ReadMarks, changed bool, err error)
}

// Files are what people send beside words.
type Files interface {
	Upload(ctx context.Context, id chat.ConversationID, name, media string, content io.Reader) (chat.File, error)
	File(ctx context.Context, c chat.Conversation, id chat.FileID) (chat.File, error)
	Content(ctx context.Context, c chat.Conversation, f chat.File) iter.Seq2[[]byte, error]
}

// Secrets are the stored hashes of tokens and keys.
type Secrets interface {
	// TokenHash returns the hash of the token that opens a conversation.
	TokenHash(ctx context.Context, id chat.ConversationID) ([]byte, error)
	// Closed reports whether an API key was ever made.
	Closed(ctx context.Context) (bool, error)
	Keys
}

// Keys are the API keys.
type Keys interface {
	// Key returns the API key with this hash, whatever its state.
	Key(ctx context.Context, hash []byte) (chat.APIKey, error)
	Keys(ctx context.Context) ([]chat.APIKey, error)
	AddKey(ctx context.Context, k chat.APIKey, hash []byte) error
	RevokeKey(ctx context.Context, id, by string, force bool) (chat.APIKey, error)
}

// Assistants are those that the server serves. They may change while it runs.
type Assistants interface {
	// Names returns all of them; the first is the default.
	Names() []string
	Has(name string) bool
	// Origins returns the assistant's allowed_origins; none: those of the server.
	Origins(name string) []string
	// Widget returns how the assistant looks to customers, and which files it takes of them.
	Widget(name string) assistant.Widget
	// Hours returns when people are there for the assistant's customers.
	Hours(name string) assistant.Hours
	// Document finds a document of any generation that is still there.
	Document(generation, document string) (knowledge.Document, bool)
}

// Access says who may come in.
type Access struct {
	Loopback   bool              // the server listens on the loopback interface: open while there are no API keys
	Origins    []string          // allowed_origins of the server
	Proxies    []netip.Prefix    // whose X-Forwarded-For is believed
	Identities access.Identities // of customers who are signed in on the company's site
}

// Limits bound the server. Where nothing else is said, zero means the default.
type Limits struct {
	Body    int64 // bytes of a request's body; default 256 KiB
	Streams int   // open at once; default 10,000

	// For visitors without an API key; 0: no limit.
	MessagesPerMinute      int // in a conversation, and four times as many signals
	ConversationsPerMinute int // from an address

	Heartbeat time.Duration // between two comments on a stream; default 15s
	Transfer  time.Duration // for a body to arrive, or a piece of an answer to be taken; default 30s
}

// Server serves the routes. Its handler is safe for concurrent use; set the fields before.
type Server struct {
	Inbox      *inbox.Inbox
	Store      Store
	Feed       *feed.Feed
	Assistants Assistants
	Notices    Notices        // nil: there are none
	Web        *console.Files // page and widget as they were built
	Access     Access
	Limits     Limits
	Version    string
	Started    time.Time
	Ready      func() bool  // whether requests are served; nil: always
	Publish    Publish      // nil: documents are not published over HTTP
	Releases   Releases     // what the assistants serve
	Metrics    http.Handler // nil: none
	Log        *slog.Logger

	streams       atomic.Int64
	sockets       sync.WaitGroup
	uploads       access.Places // by address
	closed        atomic.Bool   // never goes back: a server that once had a key stays closed
	messages      access.Rate   // by conversation
	signals       access.Rate   // the same
	conversations access.Rate   // by address
}

// handler answers a request, or returns the error that is the answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one entry of the table of contents.
type route struct {
	method, path string
	handle       handler
}

func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/conversations", s.create},
		{"GET", "/v1/conversations", s.history},
		{"GET", "/v1/conversations/{id}", s.state},
		{"GET", "/v1/conversations/{id}/messages", s.transcript},
		{"POST", "/v1/conversations/{id}/messages", s.send},
		{"GET", "/v1/conversations/{id}/events", s.events},
		{"GET", socketPath, s.socket},
		{"POST", "/v1/conversations/{id}/typing", s.types},
		{"POST", "/v1/conversations/{id}/stop", s.stop},
		{"POST", "/v1/conversations/{id}/handoff", s.handOff},
		{"POST", "/v1/conversations/{id}/close", s.end},
		{"POST", "/v1/conversations/{id}/identify", s.identify},
		{"POST", "/v1/conversations/{id}/files", s.upload},
		{"GET", "/v1/conversations/{id}/files/{file}", s.download},
		{"POST", "/v1/conversations/{id}/retry", s.retry},
		{"POST", "/v1/conversations/{id}/read", s.customerRead},
		{"POST", "/v1/conversations/{id}/feedback", s.feedback},
		{"POST", "/v1/conversations/{id}/csat", s.csat},
		{"POST", "/chat", s.chat},
		{"POST", "/v1/chat/completions", s.complete},
		{"GET", "/v1/models", s.models},
		{"GET", "/v1/models/{id}", s.model},
		{"POST", "/v1/ui", s.ui},
		{"GET", "/v1/ui/{id}/stream", s.uiResume},
		{"GET", "/v1/widget", s.widget},

		{"GET", "/api/conversations", s.list},
		{"POST", "/api/conversations/{id}/take", s.take},
		{"POST", "/api/conversations/{id}/messages", s.say},
		{"POST", "/api/conversations/{id}/typing", s.agentTypes},
		{"POST", "/api/conversations/{id}/release", s.release},
		{"POST", "/api/conversations/{id}/read", s.agentRead},
		{"GET", "/api/keys", s.listKeys},
		{"GET", "/api/off", s.switchedOff},
		{"POST", "/api/off", s.switchOff},
		{"POST", "/api/on", s.switchOn},
		{"GET", "/api/notices", s.listNotices},
		{"POST", "/api/notices", s.addNotice},
		{"DELETE", "/api/notices/{id}", s.removeNotice},
		{"POST", "/api/keys", s.addKey},
		{"DELETE", "/api/keys/{id}", s.revokeKey},
		{"POST", "/api/knowledge", s.publish},
		{"GET", "/api/releases", s.listReleases},
		{"GET", "/api/releases/{assistant}/diff", s.compareReleases},
		{"GET", "/api/releases/{assistant}/files", s.releaseFiles},
		{"POST", "/api/releases/{assistant}/promote", s.promoteRelease},
		{"POST", "/api/releases/{assistant}/undo", s.undoRelease},

		{"GET", "/sources/{generation}/{document...}", s.source},
		{"GET", "/{$}", s.page},
		{"POST", "/{$}", s.post},
		{"GET", "/embed", s.page},
		{"POST", "/embed", s.post},
		{"GET", "/widget.js", s.built},
		{"GET", "/assets/{file}", s.built},
		{"GET", "/plain.css", s.asset},
		{"GET", "/source.css", s.asset},
		{"GET", "/favicon.svg", s.asset},
		{"GET", "/openapi.json", s.asset},
		{"GET", "/healthz", s.health},
		{"GET", "/readyz", s.ready},
		{"GET", "/metrics", s.metrics},
	}
}

// resource is everything at one path.
type resource struct {
	path    string             // as in the table
	methods map[string]handler // nil: nothing is there
}

// allow returns the methods for the Allow header.
func (p resource) allow() string {
	all := append(slices.Collect(maps.Keys(p.methods)), http.MethodOptions)
	if p.methods[http.MethodGet] != nil {
		all = append(all, http.MethodHead)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// forVisitors reports whether pages on the assistants' sites may call the resource.
func (p resource) forVisitors() bool {
	return strings.HasPrefix(p.path, "/v1/") || p.path == "/chat"
}

// forEverybody reports whether pages of any site may load what is here: it is the same for
// all, and says nothing about anybody.
func (p resource) forEverybody() bool {
	return p.path == "/widget.js" || p.path == "/assets/{file}"
}

// face is whose language an address speaks, where it is not our own.
type face int

const (
	ourFace face = iota
	openAIFace
	uiFace // of the AI SDK
)

func (p resource) face() face {
	switch p.path {
	case "/v1/chat/completions", "/v1/models", "/v1/models/{id}":
		return openAIFace
	case "/v1/ui", "/v1/ui/{id}/stream":
		return uiFace
	}
	return ourFace
}

// HTTP returns a server for the handler with limits on what a client may cost before it
// says anything. Streams end when the context of its BaseContext does.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      2 * or(s.Limits.Transfer, usualTransfer), // a stream moves it with each piece
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}

// Handler returns what serves all routes. Call it once.
func (s *Server) Handler() http.Handler {
	s.messages.PerMinute = s.Limits.MessagesPerMinute
	s.signals.PerMinute = 4 * s.Limits.MessagesPerMinute
	s.conversations.PerMinute = s.Limits.ConversationsPerMinute
	s.uploads.All, s.uploads.Each = mostUploads, mostUploads/8
	resources := map[string]resource{}
	for _, rt := range s.routes() {
		p, ok := resources[rt.path]
		if !ok {
			p = resource{rt.path, map[string]handler{}}
			resources[rt.path] = p
		}
		p.methods[rt.method] = rt.handle
	}
	nothing := resource{path: "/"}
	resources[nothing.path] = nothing
	mux := http.NewServeMux()
	for _, p := range resources {
		mux.HandleFunc(p.path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, p) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path { // the mux would redirect
			s.serve(w, r, nothing)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serve answers one request: the answer, or one problem, and one line in the log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, p resource) {
	began := time.Now()
	out := &response{ResponseWriter: w}
	h := out.Header()
	h.Set("X-Request-Id", rand.Text())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	err := s.recovered(out, r, p)
	if err != nil {
		s.fail(out, r, p, err)
	}
	s.Log.Debug("request", "method", r.Method, "route", p.path, "status", out.status, "bytes", out.bytes,
		"ms", time.Since(began).Milliseconds(), "request_id", h.Get("X-Request-Id"))
	if err != nil && out.began && !out.problem {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// recovered makes an error of a panic: one request's failure is not the others'.
func (s *Server) recovered(w *response, r *http.Request, p resource) (err error) {
	defer s.rescue(p.path, w.Header().Get("X-Request-Id"), &err)
	return s.answer(w, r, p)
}

// rescue is deferred, and makes *err of a panic.
func (s *Server) rescue(route, requestID string, err *error) {
	switch v := recover(); v {
	case nil:
	case http.ErrAbortHandler:
		panic(v)
	default:
		s.Log.Error("panic", "route", route, "value", v, "stack", string(debug.Stack()), "request_id", requestID)
		*err = errPanicked
	}
}

// answer is serve without the rest.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, p resource) error {
	if r.Body != nil && r.Body != http.NoBody {
		// A body that trickles in is given up; read takes the limit off again.
		setReadDeadline(w, time.Now().Add(or(s.Limits.Transfer, usualTransfer)))
	}
	if err := s.admit(w, r, p); err != nil {
		return err
	}
	if p.methods == nil {
		return errNoRoute
	}
	if r.Method == http.MethodOptions {
		return preflight(w, r, p)
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle := p.methods[method]
	if handle == nil {
		w.Header().Set("Allow", p.allow())
		return &chat.Error{Kind: wrongMethod, Message: "this address takes " + p.allow()}
	}
	return handle(w, r)
}

// response notes what was written.
type response struct {
	http.ResponseWriter
	status  int
	bytes   int
	began   bool
	problem bool // it is an error, and whole
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if !w.began {
		w.began, w.status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

const (
	usualHeartbeat = 15 * time.Second
	usualTransfer  = 30 * time.Second
	usualBody      = 256 << 10
	usualStreams   = 10_000
)

// or returns v, or what is usual if it is not set.
func or[N int | int64 | time.Duration](v, usual N) N {
	if v > 0 {
		return v
	}
	return usual
}

// setReadDeadline limits how long the rest of the request may take; the zero time is no
// limit. A connection that knows no deadlines has none.
func setReadDeadline(w http.ResponseWriter, at time.Time) {
	if err := http.NewResponseController(w).SetReadDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone: reading will say so
	}
}

// setWriteDeadline limits how long what is written next may take to be taken.
func setWriteDeadline(w http.ResponseWriter, at time.Time) {
	if err := http.NewResponseController(w).SetWriteDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone: writing will say so
	}
}
