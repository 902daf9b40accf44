package openai

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// TestConform holds the provider to what all promise.
func TestConform(t *testing.T) {
	wiretest.Run(t, wiretest.Vendor{
		New:   func(c wire.Config) (llm.Provider, error) { return New(c) },
		Media: "text/event-stream; charset=utf-8",
		Reply: file(t, "testdata/hello.sse"),
		Text:  "Grüezi 👋🏽 \"à bientôt\" 🚀\n日本",
	})
}

func provider(t testing.TB, c wire.Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func answers(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if media != "" {
			w.Header().Set("Content-Type", media)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestAddress(t *testing.T) {
	tests := []struct{ base, want, limit string }{
		{"", "https://api.openai.com/v1/chat/completions", "max_completion_tokens"},
		{" https://api.openai.com/ ", "https://api.openai.com/v1/chat/completions", "max_completion_tokens"},
		{"http://localhost:11434", "http://localhost:11434/v1/chat/completions", "max_tokens"},
		{"http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions", "max_tokens"},
		{"https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1/chat/completions", "max_tokens"},
		{"https://gateway.example/v1/chat/completions", "https://gateway.example/v1/chat/completions", "max_tokens"},
		{"https://x.openai.azure.com", "https://x.openai.azure.com/openai/v1/chat/completions", "max_completion_tokens"},
		{"https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
			"https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21", "max_completion_tokens"},
	}
	for _, tt := range tests {
		p := provider(t, wire.Config{Base: tt.base})
		if got := p.endpoint.URL("/chat/completions"); got != tt.want || p.limit != tt.limit {
			t.Errorf("base %q: %s, %s, want %s, %s", tt.base, got, p.limit, tt.want, tt.limit)
		}
	}
	for _, base := range []string{"localhost:11434", "ftp://x", "http://", wiretest.Key, "https://me:" + wiretest.Key + "@[x"} {
		_, err := New(wire.Config{Base: base, BaseName: "THE_BASE"})
		if err == nil || !strings.Contains(err.Error(), "THE_BASE") || strings.Contains(err.Error(), wiretest.Key) {
			t.Errorf("New(%q) = %v, want an error that names THE_BASE and shows no key", base, err)
		}
	}
	if _, err := New(wire.Config{Extra: map[string]any{"f": func() {}}}); err == nil || !strings.Contains(err.Error(), `"f"`) {
		t.Errorf("error = %v, want one that names the field", err)
	}
}

func TestHeaders(t *testing.T) {
	p := provider(t, wire.Config{Key: wiretest.Key, Base: "https://x.openai.azure.com", Headers: map[string]string{"x-team": "support"}})
	h := http.Header{}
	p.endpoint.Headers(h)
	if h.Get("Authorization") != "Bearer "+wiretest.Key || h.Get("api-key") != wiretest.Key || h.Get("X-Team") != "support" {
		t.Errorf("headers of Azure: %v", h)
	}
	p, h = provider(t, wire.Config{Base: "http://localhost:11434"}), http.Header{}
	if p.endpoint.Headers(h); len(h) != 0 {
		t.Errorf("headers without a key: %v", h)
	}
}

func TestModels(t *testing.T) {
	base := wiretest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1/models" && r.Method == http.MethodGet {
			io.WriteString(w, `{"object":"list","data":[{"id":"large","object":"model"},{"id":"small"},{}]}`)
			return
		}
		http.NotFound(w, r)
	})
	names, err := provider(t, wire.Config{Base: base}).Models(t.Context())
	if err != nil || !slices.Equal(names, []string{"large", "small"}) {
		t.Errorf("Models = %q, %v", names, err)
	}
	for _, body := range []string{"<html>", "{"} {
		_, err = provider(t, wire.Config{Base: wiretest.Serve(t, answers(200, "application/json", body))}).Models(t.Context())
		wiretest.Failure(t, err)
	}
}

// TestMedia: some servers do not say that they stream, and some do not stream.
func TestMedia(t *testing.T) {
	bodies := []string{
		" {\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}",
		"\uFEFFdata: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\r\n\r\n",
		"\n\ndata:{\"choices\":[{\"delta\":{\"content\":\"Hi\"},\ndata:\"finish_reason\":\"stop\"}]}",
	}
	for _, media := range []string{"application/json", "text/event-stream", "text/plain; charset=utf-8"} {
		for _, body := range bodies {
			p := provider(t, wire.Config{Base: wiretest.Serve(t, answers(200, media, body))})
			if r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask); err != nil || r.Text != "Hi" {
				t.Errorf("%s %q: %+v, %v", media, body, r, err)
			}
		}
	}
}

// TestLate: once the model is done, the reply is whole, also when the server then falls
// silent, breaks off, reports an error or sends nonsense.
func TestLate(t *testing.T) {
	done := "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\n"
	tests := []struct {
		name string
		end  func(w *io.PipeWriter)
		took time.Duration
	}{
		{"silence", func(*io.PipeWriter) {}, maxLate},
		{"break", func(w *io.PipeWriter) { w.CloseWithError(io.ErrUnexpectedEOF) }, 0},
		{"error", func(w *io.PipeWriter) { io.WriteString(w, "data: {\"error\":{\"message\":\"no\"}}\n\n"); w.Close() }, 0},
		{"nonsense", func(w *io.PipeWriter) { io.WriteString(w, "data: {{\n\ndata: {{\n\n"); w.Close() }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, w := io.Pipe()
				go func() {
					io.WriteString(w, done)
					tt.end(w)
				}()
				client := &http.Client{Transport: wiretest.Network(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Body: body, Request: r}, nil
				})}
				start := time.Now()
				r, err := wiretest.Collect(t.Context(), t, provider(t, wire.Config{Client: client}), wiretest.Ask)
				if took := time.Since(start); err != nil || r.Text != "Hi" || r.Finish != llm.Stop || took != tt.took {
					t.Errorf("%+v, %v after %v, want it after %v", r, err, took, tt.took)
				}
			})
		})
	}
}

// picky refuses fields, each in the words of a vendor.
type picky struct {
	mu      sync.Mutex
	refuses map[string]string // by field, the answer
	asked   []string          // the names of the fields of each request
}

func (p *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	var names []string
	for name := range body {
		names = append(names, name)
	}
	slices.Sort(names)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, strings.Join(names, " "))
	for _, name := range names {
		if answer := p.refuses[name]; answer != "" {
			answers(http.StatusBadRequest, "application/json", answer)(w, r)
			return
		}
	}
	answers(200, "text/event-stream", `data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}`)(w, r)
}

func TestUnsupported(t *testing.T) {
	tests := []struct {
		name    string
		refuses map[string]string
		extra   map[string]any
		asked   []string
	}{
		{"another name", map[string]string{"max_tokens": `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`},
			nil, []string{"max_tokens messages model stream stream_options", "max_completion_tokens messages model stream stream_options"}},
		{"another name than the operator's", map[string]string{"max_tokens": `{"error":{"message":"Unsupported parameter: 'max_tokens'","param":"max_tokens"}}`},
			map[string]any{"max_tokens": 9}, []string{"max_tokens messages model stream stream_options", "max_completion_tokens messages model stream stream_options"}},
		{"a field of the operator's", map[string]string{"temperature": `{"error":{"message":"Unsupported value: 'temperature' does not support 0.2 with this model.","param":"temperature","code":"unsupported_value"}}`},
			map[string]any{"temperature": 0.2}, []string{"max_tokens messages model stream stream_options temperature", "max_tokens messages model stream stream_options"}},
		{"named in the message", map[string]string{"stream_options": `{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null,"code":null}}`},
			nil, []string{"max_tokens messages model stream stream_options", "max_tokens messages model stream"}},
		{"the first one in the message", map[string]string{"seed": `{"error":"unknown field seed_x; seed is not supported, neither is stream_options"}`},
			map[string]any{"seed": 7}, []string{"max_tokens messages model seed stream stream_options", "max_tokens messages model stream stream_options"}},
		{"a list of details", map[string]string{"stream_options": `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error"}`},
			nil, []string{"max_tokens messages model stream stream_options", "max_tokens messages model stream"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &picky{refuses: tt.refuses}
			p := provider(t, wire.Config{Base: wiretest.Serve(t, s.ServeHTTP), Extra: tt.extra})
			for range 2 { // the second time it is known
				if r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask); err != nil || r.Text != "Hi" {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			if want := append(slices.Clip(tt.asked), tt.asked[1]); !slices.Equal(s.asked, want) {
				t.Errorf("asked with %q, want %q", s.asked, want)
			}
		})
	}
}

// TestUnsupportedOnce: one field is left out a call, what the request is about never is,
// and no request goes without a limit of tokens.
func TestUnsupportedOnce(t *testing.T) {
	refuse := func(name string) string {
		return `{"error":{"message":"` + name + ` is not supported","param":"` + name + `","code":"unsupported_parameter"}}`
	}
	s := &picky{refuses: map[string]string{}}
	for _, name := range []string{"max_tokens", "max_completion_tokens", "messages"} {
		s.refuses[name] = refuse(name)
	}
	p := provider(t, wire.Config{Base: wiretest.Serve(t, s.ServeHTTP)})
	for range 3 {
		_, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
		if f := wiretest.Failure(t, err); f.Fault != llm.Elsewhere {
			t.Errorf("fault = %s (%v), want elsewhere", f.Fault, err)
		}
	}
	for _, fields := range s.asked {
		if !strings.Contains(fields, "max_") || !strings.Contains(fields, "messages") {
			t.Errorf("asked with %q", fields)
		}
	}
	if len(s.asked) > 5 {
		t.Errorf("asked %d times for three calls, want 2, 2 and 1: %q", len(s.asked), s.asked)
	}
}

func TestRefusedFieldsAreBounded(t *testing.T) {
	var r refusedFields
	for i := range 3 * maxModels {
		r.add(strings.Repeat("m", i), "logprobs")
		r.add(strings.Repeat("m", i), "logprobs")
	}
	if len(r.byModel) > maxModels {
		t.Errorf("%d models are remembered, want at most %d", len(r.byModel), maxModels)
	}
	if got := r.of(strings.Repeat("m", 3*maxModels-1)); !slices.Equal(got, []string{"logprobs"}) {
		t.Errorf("of the last model: %q", got)
	}
}
