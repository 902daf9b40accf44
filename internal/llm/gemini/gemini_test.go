package gemini

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// madeID is an ID of ours, for a call that came without one.
var madeID = regexp.MustCompile(`\bcall_[0-9A-Z]{26}\b`)

var update = flag.Bool("update", false, "rewrite the want sections of testdata")

// TestStreams plays the section "stream" or "answer" of each file of testdata and compares
// what is yielded with the section "want". The section "tools" says that the request has some.
func TestStreams(t *testing.T) {
	files, err := filepath.Glob("testdata/stream_*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			req := llm.Request{Model: "gemini-3-test"}
			var media, body, want string
			for _, f := range archive.Files {
				switch f.Name {
				case "tools":
					req.Tools = []llm.Tool{{Name: "order"}}
				case "stream":
					media, body = "text/event-stream; charset=utf-8", string(f.Data)
				case "answer":
					media, body = "application/json", string(f.Data)
				case "want":
					want = string(f.Data)
				default:
					t.Fatalf("%s has no use for a section %q", file, f.Name)
				}
			}
			for seed := range uint64(4) {
				sent := strings.ReplaceAll(body, "\n", "\r\n")
				if seed%2 == 1 {
					sent = body
				}
				p := provider(t, wiretest.Play(http.StatusOK, map[string]string{"Content-Type": media}, sent, seed))
				got := madeID.ReplaceAllString(strings.Join(wiretest.Transcribe(t, p.Stream(t.Context(), req)).Lines, "\n")+"\n", "call_made")
				if *update {
					want = got
					archive.Files[len(archive.Files)-1].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("seed %d: Stream (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

// TestConform holds the provider to what all promise.
func TestConform(t *testing.T) {
	wiretest.Run(t, wiretest.Vendor{
		New:   func(c wire.Config) (llm.Provider, error) { return New(c) },
		Media: "text/event-stream",
		Reply: `data: {"candidates": [{"content": {"parts": [{"text": "Grüße,"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 20}}` + "\r\n\r\n" +
			`data: {"candidates": [{"content": {"parts": [{"text": " \u2713 日本"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 20}}` + "\r\n\r\n" +
			`data: {"candidates": [{"content": {"parts": [{"text": ""}]},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 20,"candidatesTokenCount": 9}}` + "\r\n\r\n",
		Text: "Grüße, ✓ 日本",
	})
}

func TestBase(t *testing.T) {
	const rest = "/models/gemini-a:streamGenerateContent?alt=sse"
	for _, tt := range []struct{ base, want string }{
		{"", "https://generativelanguage.googleapis.com/v1beta" + rest},
		{"http://localhost:4000", "http://localhost:4000/v1beta" + rest},
		{"http://localhost:4000/v1beta/", "http://localhost:4000/v1beta" + rest},
		{"http://localhost:4000/v1", "http://localhost:4000/v1" + rest},
		{"https://gateway.example/v1/acme/google", "https://gateway.example/v1/acme/google/v1beta" + rest},
		{"https://gateway.example?region=eu", "https://gateway.example/v1beta" + rest + "&region=eu"},
	} {
		var got string
		client := &http.Client{Transport: wiretest.Network(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return nil, errors.New("no network")
		})}
		for _, model := range []string{"gemini-a", "models/gemini-a"} {
			p := configured(t, wire.Config{Base: tt.base, Client: client})
			wiretest.Transcribe(t, p.Stream(t.Context(), llm.Request{Model: model}))
			if got != tt.want {
				t.Errorf("the address of %q is %s, want %s", tt.base, got, tt.want)
			}
		}
	}
	if _, err := New(wire.Config{Base: "localhost:4000"}); err == nil || !strings.Contains(err.Error(), "GEMINI_BASE_URL") {
		t.Errorf("New = %v, want an error that names the setting", err)
	}
}

func TestModels(t *testing.T) {
	p := provider(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != "/v1beta/models" || r.Header.Get("X-Goog-Api-Key") != wiretest.Key {
			t.Errorf("asked %s %s with the key %q", r.Method, r.URL, r.Header.Get("X-Goog-Api-Key"))
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Write([]byte(`{"models":[{"name":"models/gemini-b","supportedGenerationMethods":["countTokens","generateContent"]},
			{"name":"models/embedding-a","supportedGenerationMethods":["embedContent"]}]}`))
	})
	got, err := p.Models(t.Context())
	if diff := cmp.Diff([]string{"gemini-b"}, got); err != nil || diff != "" {
		t.Errorf("Models: %v (-want +got):\n%s", err, diff)
	}
}

func TestModelsRefused(t *testing.T) {
	p := provider(t, wiretest.Play(http.StatusBadRequest, map[string]string{"Content-Type": "application/json"},
		refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), 1))
	_, err := p.Models(t.Context())
	const want = "error broken 400 0s: gemini: HTTP 400: INVALID_ARGUMENT: API key not valid. Please pass a valid API key.; " +
		"the key is wrong or was revoked: set GEMINI_API_KEY to one that is valid"
	if got := wiretest.FaultLine(err); got != want {
		t.Errorf("Models = %s\nwant %s", got, want)
	}
}

func TestHeaders(t *testing.T) {
	var got http.Header
	p := provider(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		if strings.Contains(r.URL.String(), wiretest.Key) {
			t.Errorf("the key is in the address %s", r.URL)
		}
	})
	p = configured(t, wire.Config{Base: p.endpoint.Base.String(), Key: wiretest.Key, Headers: map[string]string{"x-gateway": "eu"}})
	wiretest.Transcribe(t, p.Stream(t.Context(), llm.Request{Model: "gemini-a"}))
	for name, want := range map[string]string{"X-Goog-Api-Key": wiretest.Key, "X-Gateway": "eu"} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestExtraIsChecked(t *testing.T) {
	if _, err := New(wire.Config{Extra: map[string]any{"x": func() {}}}); err == nil {
		t.Error("New takes an extra field that is not JSON")
	}
}

func TestRequestThatIsNotJSON(t *testing.T) {
	p := configured(t, wire.Config{Client: wiretest.Fixed("text/event-stream", nil)})
	req := llm.Request{Tools: []llm.Tool{{Name: "order", Parameters: json.RawMessage(`{"type":`)}}}
	got := wiretest.Transcribe(t, p.Stream(t.Context(), req))
	if line := got.Lines[0]; !strings.HasPrefix(line, "error elsewhere") {
		t.Errorf("Stream = %s, want a fault of elsewhere", line)
	}
}
