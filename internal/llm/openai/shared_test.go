package openai

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// recordings are exchanges with vendors, as they were recorded, one to a file. They are
// not part of this repository: they lie beside it on the machines that have them.
const recordings = "../../../../shared/specs/wire"

type exchange struct {
	Request struct {
		Path string `json:"path"`
	} `json:"request"`
	Response response `json:"response"`
}

type response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	SSE     string            `json:"sse"`
}

func (r response) serve(seed uint64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range r.Headers {
			if !strings.EqualFold(name, "Transfer-Encoding") {
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(r.Status)
		wiretest.Pieces(w, seed, r.SSE+string(r.Body))
	}
}

// TestRecordings replays what vendors sent, in pieces of random size.
func TestRecordings(t *testing.T) {
	if _, err := os.Stat(recordings); err != nil {
		t.Skipf("there are no recordings on this machine: %v", err)
	}
	tests := []struct {
		file     string
		text     string // which begins so; "-": none
		thinking string // likewise
		calls    []string
		finish   llm.Finish
		fault    llm.Fault
		output   int // tokens
		declined string
		words    string // in the error
	}{
		{file: "openai/chat-stream-text-usage", text: "I'm unable to provide real-time weather", finish: llm.Stop, output: 30},
		{file: "openai/chat-stream-tool-calls-parallel", text: "-", finish: llm.Calls, output: 60,
			calls: []string{`call_JMW1whyEaYG438VE1OIflxA2 GetWeatherArgs`, `get_stock_price`}},
		{file: "openai/chat-stream-tool-call-single", text: "-", finish: llm.Calls, output: 24, calls: []string{`GetWeatherArgs {"city":"Edinburgh"`}},
		{file: "openai/chat-stream-real-model-pydantic", text: "-", finish: llm.Calls, output: 15, calls: []string{`get_capital {"country":"UK"}`}},
		{file: "openai/chat-stream-refusal", text: "-", finish: llm.Refusal, output: 11, declined: "I'm sorry"},
		{file: "openai/chat-stream-refusal-logprobs", text: "-", finish: llm.Refusal, output: 12, declined: "I'm very sorry, but I"},
		{file: "openai/chat-stream-length-cutoff", text: `{"`, finish: llm.Length, output: 1},
		{file: "openai/chat-stream-logprobs", text: "Foo!", finish: llm.Stop, output: 2},
		{file: "openai/chat-stream-json-schema", text: `{"city":"San Francisco","temperature":`, finish: llm.Stop, output: 14},
		{file: "openai/chat-stream-json-object-long", text: "\n  {", finish: llm.Stop},
		{file: "openai/chat-stream-n3-interleaved", text: `{"city":"San Francisco","temperature":`, finish: llm.Stop, output: 42},
		{file: "openai/chat-stream-error-midway", text: "Hel", fault: llm.Later, words: "The server had an error"},
		{file: "openai/chat-stream-content-filter", text: "Partial", finish: llm.Filtered},
		{file: "openai/azure-chat-stream-content-filter", finish: llm.Stop, output: 78},
		{file: "openai/sse-tricky-framing", text: "Hi 👋🏽 naïve", finish: llm.Stop},
		{file: "openai/chat-text", finish: llm.Stop},
		{file: "openai/error-429-rate-limit", text: "-", fault: llm.Later, words: "Rate limit"},
		{file: "openai/error-429-insufficient-quota", text: "-", fault: llm.Broken, words: "top it up"},
		{file: "openai/error-400-max-tokens-param", text: "-", fault: llm.Elsewhere, words: "max_tokens"},
		{file: "openai/error-400-unsupported-role", text: "-", fault: llm.Elsewhere, words: "messages[0].role"},
		{file: "openai/error-404-model", text: "-", fault: llm.Broken, words: "model-1"},
		{file: "openai-compatible/anthropic-compat-tool-index-1", text: "Reading it.", finish: llm.Calls, calls: []string{`toolu_sanitized read_file {"path": "a.txt"}`}},
		{file: "openai-compatible/deepseek-reasoning-stream", text: "Hello", thinking: "H", finish: llm.Stop, output: 212},
		{file: "openai-compatible/empty-and-null-choices", text: "ok", finish: llm.Stop, output: 1},
		{file: "openai-compatible/groq-tool-call", text: "-", finish: llm.Calls, output: 15, calls: []string{"tk85n1k4m weather {}"}},
		{file: "openai-compatible/groq-tool-use-failed-400", text: "-", fault: llm.Later, words: "Tool call validation failed"},
		{file: "openai-compatible/groq-tool-use-failed-stream", fault: llm.Later, thinking: "The user", words: "did not call a tool"},
		{file: "openai-compatible/mistral-reasoning", text: "2 + 2 = 4", thinking: "The user is asking for 2+2.", finish: llm.Stop, output: 46},
		{file: "openai-compatible/mistral-tool-call-incremental", text: "-", finish: llm.Calls, output: 14, calls: []string{`webSearchTool {"query": "current Berlin weather"}`}},
		{file: "openai-compatible/openrouter-429", text: "-", fault: llm.Later, words: "temporarily rate-limited upstream"},
		{file: "openai-compatible/tool-call-without-id", text: "-", finish: llm.Calls, calls: []string{"get_current_time {}"}},
		{file: "openai-compatible/tool-calls-missing-index", text: "-", finish: llm.Calls, calls: []string{`call_a get_weather {"city":"Oslo"}`, `call_b get_weather {"city":"Bergen"}`}},
		{file: "openai-compatible/xai-tool-call", text: "-", thinking: "First, the user is", finish: llm.Calls, output: 222, calls: []string{`call_55117580 weather {"location":"San Francisco"}`}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			for seed := range uint64(3) {
				p := provider(t, wire.Config{Base: wiretest.Serve(t, recorded(t, tt.file).serve(seed))})
				r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
				if tt.fault != "" {
					if f := wiretest.Failure(t, err); f.Fault != tt.fault || !strings.Contains(err.Error(), tt.words) {
						t.Errorf("%v (%s), want %s and %q", err, f.Fault, tt.fault, tt.words)
					}
				} else if err != nil {
					t.Fatal(err)
				}
				if r.Finish != tt.finish || tt.output != 0 && (r.Usage == nil || r.Usage.Output != tt.output) {
					t.Errorf("finish %q, usage %+v, want %q and %d", r.Finish, r.Usage, tt.finish, tt.output)
				}
				if tt.text == "-" && r.Text != "" || tt.text != "-" && !strings.HasPrefix(r.Text, tt.text) ||
					!strings.HasPrefix(r.Thinking, tt.thinking) || !strings.HasPrefix(r.Declined, tt.declined) {
					t.Errorf("text %q, thinking %q, declined %q", r.Text, r.Thinking, r.Declined)
				}
				if len(r.Calls) != len(tt.calls) {
					t.Fatalf("calls %+v, want %q", r.Calls, tt.calls)
				}
				for i, c := range r.Calls {
					if got := c.ID + " " + c.Name + " " + string(c.Arguments); !strings.Contains(got, tt.calls[i]) {
						t.Errorf("call %s, want %s", got, tt.calls[i])
					}
				}
			}
		})
	}
}

// recorded returns the first answer of a file that comes from this API.
func recorded(t *testing.T, name string) response {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordings, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Exchanges []exchange `json:"exchanges"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, x := range f.Exchanges {
		if !strings.Contains(x.Request.Path, "generateContent") && !strings.Contains(x.Request.Path, "/messages") {
			return x.Response
		}
	}
	t.Fatalf("%s has no exchange", name)
	return response{}
}
