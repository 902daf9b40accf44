package llmtest

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxBody is how long a request may be.
const maxBody = 32 << 20

// Handler returns a vendor's API that gives the script's answers, with a count of calls
// of its own. The path of a request says in which format:
//
//	POST …/chat/completions                    OpenAI, streamed or not
//	POST …/messages                            Anthropic, streamed or not
//	POST …/models/{model}:streamGenerateContent  Gemini; with ?alt=sse server-sent events
//	POST …/models/{model}:generateContent
//	GET  …/models                              in the format that the headers ask for
//	GET  /stats?last=N                         what was asked, as JSON
//	POST /reset                                forget that, and begin the script anew
//
// No key is asked for. A request that no vendor would take is answered with its 400, and
// takes no answer of the script. It may be used by many goroutines.
func (s *Script) Handler() http.Handler { return &handler{player: player{script: s}} }

type handler struct {
	player player
	stats  stats
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	method, ok := geminiMethod(path)
	switch {
	case path == "/stats" && r.Method == http.MethodGet:
		h.stats.serve(w, r)
	case path == "/reset" && r.Method == http.MethodPost:
		h.stats.reset()
		h.player.reset()
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(path, "/models") && r.Method == http.MethodGet:
		header(w, "application/json")
		io.WriteString(w, models(formatOf(r))) // who asked may have gone
	case strings.HasSuffix(path, "/chat/completions") && r.Method == http.MethodPost:
		h.take(w, r, openAIFormat, func(body []byte) (request, error) { return readOpenAI(body) })
	case strings.HasSuffix(path, "/messages") && r.Method == http.MethodPost:
		h.take(w, r, anthropicFormat, func(body []byte) (request, error) { return readAnthropic(body, r.Header) })
	case ok && r.Method == http.MethodPost:
		h.take(w, r, geminiFormat, func(body []byte) (request, error) {
			return readGemini(body, method.model, method.name, r.URL.Query().Get("alt") == "sse")
		})
	default:
		f := newFormat(formatOf(r), request{}, 0)
		refuse(w, f, &fault{kind: refused, status: statusOf(http.StatusNotFound, ""), message: "There is nothing at this address."})
	}
}

// method is the end of one of Gemini's paths, {model}:{name}.
type method struct{ model, name string }

func geminiMethod(path string) (method, bool) {
	i := strings.LastIndex(path, "/models/")
	if i < 0 {
		return method{}, false
	}
	model, name, _ := strings.Cut(path[i+len("/models/"):], ":")
	return method{model, name}, model != "" && (name == "generateContent" || name == "streamGenerateContent")
}

// formatOf returns the format of a request whose path does not say it.
func formatOf(r *http.Request) string {
	switch {
	case r.Header.Get("Anthropic-Version") != "":
		return anthropicFormat
	case r.Header.Get("X-Goog-Api-Key") != "", strings.HasPrefix(r.URL.Path, "/v1beta/"):
		return geminiFormat
	}
	return openAIFormat
}

// models lists the one model, in a format.
func models(format string) string {
	switch format {
	case anthropicFormat:
		return `{"data":[{"type":"model","id":"scripted","display_name":"Scripted","created_at":"2026-01-01T00:00:00Z"}],"has_more":false,"first_id":"scripted","last_id":"scripted"}`
	case geminiFormat:
		return `{"models":[{"name":"models/scripted","version":"1","displayName":"Scripted","inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","streamGenerateContent"]}]}`
	}
	return `{"object":"list","data":[{"id":"scripted","object":"model","created":1767225600,"owned_by":"scripted"}]}`
}

func newFormat(name string, req request, n int64) format {
	switch name {
	case anthropicFormat:
		return newAnthropic(req, n)
	case geminiFormat:
		return newGemini(req, n)
	}
	return newOpenAI(req, n)
}

// take reads a request and answers it.
func (h *handler) take(w http.ResponseWriter, r *http.Request, format string, read func(body []byte) (request, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	end := h.stats.begin(format, r, body)
	gone := false
	defer func() { end(gone) }()
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		refuse(w, newFormat(format, request{}, 0), &fault{kind: refused, status: statusOf(http.StatusRequestEntityTooLarge, "")})
		return
	}
	if err != nil {
		gone = true
		return
	}
	req, err := read(body)
	if err != nil {
		refuse(w, newFormat(format, req, 0), &fault{kind: refused, status: statusOf(http.StatusBadRequest, ""), message: err.Error()})
		return
	}
	a, n := h.player.next(req.question)
	t := transmission{w: w, control: http.NewResponseController(w), format: newFormat(format, req, n)}
	do := t.whole
	if req.stream {
		do = t.stream
	}
	a.play(r.Context(), req.asked(), n, do)
	gone = t.gone
	if t.abort {
		panic(http.ErrAbortHandler) // which closes the connection where it is
	}
}

func header(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
}

// refuse answers a call with a status.
func refuse(w http.ResponseWriter, f format, why *fault) {
	for name, values := range f.header(false) {
		w.Header()[name] = values
	}
	code, body := f.refuse(why, w.Header())
	w.WriteHeader(code)
	w.Write(body) // the client may have gone
}
