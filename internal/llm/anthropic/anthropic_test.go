package anthropic

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

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
			req := llm.Request{Model: "claude-test"}
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
				sent := body
				if seed%2 == 1 {
					sent = strings.ReplaceAll(body, "\n", "\r\n")
				}
				p := provider(t, wiretest.Play(http.StatusOK, map[string]string{"Content-Type": media}, sent, seed))
				got := strings.Join(wiretest.Transcribe(t, p.Stream(t.Context(), req)).Lines, "\n") + "\n"
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
		Media: "text/event-stream; charset=utf-8",
		Reply: `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","content":[],"usage":{"input_tokens":20,"output_tokens":1}}     }

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße,"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" \u2713 日本"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

`,
		Text: "Grüße, ✓ 日本",
	})
}

func TestBase(t *testing.T) {
	for _, tt := range []struct{ base, want string }{
		{"", "https://api.anthropic.com/v1/messages"},
		{"http://localhost:4000", "http://localhost:4000/v1/messages"},
		{"http://localhost:4000/v1/", "http://localhost:4000/v1/messages"},
		{"http://localhost:4000/v1/messages", "http://localhost:4000/v1/messages"},
		{"https://gateway.example/anthropic", "https://gateway.example/anthropic/v1/messages"},
		{"https://gateway.example/v1/acme/anthropic?region=eu", "https://gateway.example/v1/acme/anthropic/v1/messages?region=eu"},
	} {
		p := configured(t, wire.Config{Base: tt.base})
		if got := p.endpoint.URL("/messages"); got != tt.want {
			t.Errorf("the address of %q is %s, want %s", tt.base, got, tt.want)
		}
	}
	if _, err := New(wire.Config{Base: "localhost:4000"}); err == nil || !strings.Contains(err.Error(), "ANTHROPIC_BASE_URL") {
		t.Errorf("New = %v, want an error that names the setting", err)
	}
}

func TestModels(t *testing.T) {
	p := provider(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != "/v1/models" || r.Header.Get("X-Api-Key") != wiretest.Key {
			t.Errorf("asked %s %s with the key %q", r.Method, r.URL, r.Header.Get("X-Api-Key"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"data":[{"type":"model","id":"claude-b"},{"type":"model","id":"claude-a"}],"has_more":false}`))
	})
	got, err := p.Models(t.Context())
	if diff := cmp.Diff([]string{"claude-b", "claude-a"}, got); err != nil || diff != "" {
		t.Errorf("Models: %v (-want +got):\n%s", err, diff)
	}
}

func TestModelsRefused(t *testing.T) {
	p := provider(t, wiretest.Play(http.StatusUnauthorized, map[string]string{"Content-Type": "application/json"},
		`{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, 1))
	_, err := p.Models(t.Context())
	const want = "error broken 401 0s: anthropic: HTTP 401: authentication_error: invalid x-api-key; the key is wrong or was revoked: set ANTHROPIC_API_KEY to one that is valid"
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
	p = configured(t, wire.Config{Base: p.endpoint.Base.String(), Key: wiretest.Key,
		Headers: map[string]string{"anthropic-beta": "some-day", "anthropic-version": "2030-01-01"}})
	wiretest.Transcribe(t, p.Stream(t.Context(), llm.Request{}))
	for name, want := range map[string]string{"X-Api-Key": wiretest.Key, "Anthropic-Version": "2030-01-01", "Anthropic-Beta": "some-day"} {
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
