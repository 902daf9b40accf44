package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/answerable/answerable/internal/chat"
)

// Kinds of errors that only HTTP has.
const (
	malformed   chat.ErrorKind = "malformed"              // the request cannot be read
	unsupported chat.ErrorKind = "unsupported media type" // the body is not JSON
	wrongMethod chat.ErrorKind = "method not allowed"
)

var (
	errNoRoute  = &chat.Error{Kind: chat.NotFound, Message: "nothing is here: /openapi.json lists what is"}
	errPanicked = &chat.Error{Kind: chat.Internal, Message: "panic"}
)

// problems says what each kind of error is on HTTP. The slug is the end of the problem's
// type, which clients may compare: it does not change.
var problems = map[chat.ErrorKind]struct {
	status      int
	slug, title string
}{
	malformed:        {400, "malformed-request", "The request cannot be read"},
	chat.Unknown:     {401, "unauthorized", "A valid token is needed"},
	chat.Forbidden:   {403, "forbidden", "This is not allowed"},
	chat.NotFound:    {404, "not-found", "There is no such thing"},
	wrongMethod:      {405, "method-not-allowed", "This method is not supported here"},
	chat.Conflict:    {409, "conflict", "The state does not allow this"},
	chat.Fenced:      {409, "conflict", "The state does not allow this"},
	chat.TooLarge:    {413, "too-large", "This is too large"},
	unsupported:      {415, "unsupported-media-type", "This media type is not supported"},
	chat.Invalid:     {422, "invalid", "The content is not acceptable"},
	chat.TooMany:     {429, "too-many-requests", "Too many requests"},
	chat.Internal:    {500, "internal", "The server failed"},
	chat.Unavailable: {503, "unavailable", "The server cannot do this at the moment"},
	chat.StorageFull: {507, "storage-full", "The server has no room left"},
}

// problemBase begins every type. It is relative to the server, which need not serve it.
const problemBase = "/problems/"

// problem is an error as the wire shows it (RFC 9457).
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	OwnerName string `json:"owner_name,omitempty"` // who has the conversation that one wanted to take
}

// taken is the error of someone who wanted a conversation that another agent has.
type taken struct {
	error
	by string
}

func (t taken) Unwrap() error { return t.error }

// newProblem tells a client about an error: the message of a chat.Error, which is for
// them, and of others only that the operator can look.
func newProblem(err error, requestID string) problem {
	known, ok := problems[chat.KindOf(err)]
	if !ok {
		known = problems[chat.Internal]
	}
	p := problem{Type: problemBase + known.slug, Title: known.title, Status: known.status, RequestID: requestID,
		Detail: "this is our fault, not yours: the server's log has the cause under this request_id"}
	var e *chat.Error
	if errors.As(err, &e) && known.status != http.StatusInternalServerError {
		p.Detail = e.Message
	}
	var t taken
	if errors.As(err, &t) {
		p.OwnerName = t.by
	}
	return p
}

// fail answers a request with an error. The client gets the message; the log gets the
// whole chain where an operator should act, and only the kind where the client should:
// what clients send is not for the log.
func (s *Server) fail(w *response, r *http.Request, p resource, err error) {
	id := w.Header().Get("X-Request-Id")
	if errors.Is(err, errGone) {
		s.Log.Debug("the client is gone", "route", p.path, "error", err, "request_id", id)
		return
	}
	if chat.KindOf(err) == chat.Internal && r.Context().Err() != nil { // the client left, or the server stops
		err = &chat.Error{Kind: chat.Unavailable, Message: "the request was cut short: try again in a moment", Err: err}
	}
	kind := chat.KindOf(err)
	switch kind {
	case chat.Internal, chat.StorageFull:
		s.Log.Error("request failed", "route", p.path, "error", err, "request_id", id)
	case chat.Unavailable:
		s.Log.Debug("request failed", "route", p.path, "error", err, "request_id", id)
	default:
		s.Log.Debug("request refused", "route", p.path, "kind", string(kind), "request_id", id)
	}
	if w.began {
		return
	}
	problem := newProblem(err, id)
	switch p.face() {
	case openAIFace:
		writeOpenAIError(w, problem, err)
	case uiFace:
		writePlainError(w, problem)
	default:
		writeError(w, problem.Status, "application/problem+json", problem)
	}
	w.problem = true
}

// failLate is fail for a stream that has begun, and returns what its reader may be told.
func (s *Server) failLate(w http.ResponseWriter, r *http.Request, p resource, err error) problem {
	s.fail(&response{ResponseWriter: w, began: true}, r, p, err)
	return newProblem(err, w.Header().Get("X-Request-Id"))
}

// writeError answers with an error as JSON.
func writeError(w http.ResponseWriter, status int, media string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("httpapi: an error cannot be encoded: " + err.Error()) // plain strings always can
	}
	errorHeaders(w, status, media)
	w.Write(append(body, '\n')) // the client may be gone
}

// errorHeaders begins an answer that is an error.
func errorHeaders(w http.ResponseWriter, status int, media string) {
	h := w.Header()
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="answerable"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", "2")
		}
	}
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}
