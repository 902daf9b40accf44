package anthropic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// exchange is one request and response of a recording.
type exchange struct {
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
		SSE     string
	}
}

// body returns what was sent.
func (e exchange) body() string {
	if e.Response.SSE != "" {
		return e.Response.SSE
	}
	return string(e.Response.Body)
}

// wanted says how the recordings end: the calls, how many blocks go back, and the last line.
var wanted = map[string]struct {
	calls  []string
	opaque int
	last   string
}{
	"empty-content-response": {last: "finish stop usage 26(0,0)+18"},
	"error-400": {last: "error elsewhere 400 0s: anthropic: HTTP 400: invalid_request_error: " +
		"This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium."},
	"error-404-model":      {last: `error broken 404 0s: anthropic: HTTP 404: not_found_error: model: claude-sonet-4-5; this account has no model "claude-recorded": look at its name`},
	"error-429-rate-limit": {last: "error later 429 12s: anthropic: HTTP 429: rate_limit_error: This request would exceed your organization's rate limit."},
	"error-529-overloaded": {last: "error later 529 0s: anthropic: HTTP 529: overloaded_error: Overloaded"},
	"parallel-tool-use": {calls: []string{
		`retrieve_entity_info {"name":"Alice"}`, `retrieve_entity_info {"name":"Bob"}`,
		`retrieve_entity_info {"name":"Charlie"}`, `retrieve_entity_info {"name":"Daisy"}`,
	}, last: "finish calls usage 423(0,0)+202"},
	"parallel-tool-use/2":               {last: "finish stop usage 771(0,0)+77"},
	"prompt-cache-usage":                {last: "finish stop usage 1114(1111,0)+406"},
	"prompt-cache-usage/2":              {last: "finish stop usage 1532(1111,418)+33"},
	"refusal":                           {last: `finish refusal declined "This request triggered restrictions on violative cyber content and was blocked under Anthropic's Usage Policy." usage 18(0,0)+5`},
	"refusal-no-details":                {last: "finish refusal usage 18(0,0)+5"},
	"stream-clear-thinking-context":     {opaque: 1, last: "finish stop usage 69(0,0)+53"},
	"stream-duplicate-message-start":    {last: "finish stop usage 17(0,0)+227"},
	"stream-error-first-event":          {last: "error later 0 0s: anthropic: overloaded_error: Overloaded"},
	"stream-error-midway":               {last: "error later 0 0s: anthropic: overloaded_error: Overloaded"},
	"stream-fallback-model":             {last: "finish stop usage 412(0,0)+264"},
	"stream-high-max-tokens":            {last: "finish stop usage 20(0,0)+5"},
	"stream-json-tool":                  {calls: []string{`json {"elements":[{"location":"San Francisco","temperature":58,"condition":"sunny"}]}`}, last: "finish calls usage 849(0,0)+47"},
	"stream-mcp-tool-use":               {opaque: 1, last: "finish stop usage 3042(0,0)+354"},
	"stream-message-delta-input-tokens": {last: "finish stop usage 61(0,0)+2"},
	"stream-redacted-thinking":          {opaque: 2, last: "finish stop usage 92(0,0)+189"},
	"stream-refusal":                    {last: `finish refusal declined "This request triggered restrictions on violative cyber content and was blocked under Anthropic's Usage Policy." usage 18(0,0)+5`},
	"stream-spliced-message-start":      {opaque: 1, last: "error later 0 0s: anthropic: a second reply began in the same stream: the first is void"},
	"stream-text":                       {last: "finish stop usage 12(0,0)+30"},
	"stream-thinking":                   {opaque: 1, last: "finish stop usage 43(0,0)+282"},
	"stream-tool-no-args":               {calls: []string{"updateIssueList {}"}, last: "finish calls usage 565(0,0)+48"},
	"stream-tool-use-server-code-exec":  {opaque: 1, last: "finish stop usage 4714(0,0)+304"},
	"text":                              {last: "finish stop usage 12(0,0)+29"},
	"tool-use-simple":                   {calls: []string{"get_user_country {}"}, last: "finish calls usage 445(0,0)+23"},
	"tool-use-simple/2":                 {calls: []string{`final_result {"city":"Mexico City","country":"Mexico"}`}, last: "finish calls usage 497(0,0)+56"},
	"tool-with-thinking":                {calls: []string{"get_user_country {}"}, opaque: 1, last: "finish calls usage 398(0,0)+155"},
	"tool-with-thinking/2":              {last: "finish stop usage 566(0,0)+126"},
}

// TestRecordings plays what the vendor and gateways have sent.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(wiretest.Shared(t, "wire/anthropic"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema := requestSchema(t)
	req := requests[3].req // with everything in it
	req.Model = "claude-recorded"
	for _, file := range files {
		var recording struct {
			API       string
			Exchanges []exchange
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &recording); err != nil {
			t.Fatal(err)
		}
		if recording.API != "messages" {
			continue
		}
		for i, e := range recording.Exchanges {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			if i > 0 {
				name += fmt.Sprintf("/%d", i+1)
			}
			t.Run(name, func(t *testing.T) {
				want, ok := wanted[name]
				if !ok {
					t.Fatalf("nothing says what is wanted of this recording")
				}
				for seed := range uint64(3) {
					answer := wiretest.Play(e.Response.Status, e.Response.Headers, e.body(), seed)
					p := provider(t, func(w http.ResponseWriter, r *http.Request) {
						body, _ := io.ReadAll(r.Body)
						validate(t, schema, body)
						r.Body = io.NopCloser(bytes.NewReader(nil))
						answer(w, r)
					})
					got := wiretest.Transcribe(t, p.Stream(t.Context(), req))
					if last := got.Lines[len(got.Lines)-1]; last != want.last {
						t.Errorf("the stream ends with\n%s\nwant\n%s", last, want.last)
					}
					if strings.Join(got.Calls, "\n") != strings.Join(want.calls, "\n") {
						t.Errorf("calls = %q, want %q", got.Calls, want.calls)
					}
					if len(got.Opaque) != want.opaque {
						t.Errorf("opaque blocks = %q, want %d", got.Opaque, want.opaque)
					}
					text, thinking := textOf(t, e)
					if name == "stream-spliced-message-start" {
						text, thinking = "", "I will call the tool."
					}
					if got.Text != text || got.Thinking != thinking {
						t.Errorf("text = %q and thinking %q,\nwant %q and %q", got.Text, got.Thinking, text, thinking)
					}
					if got.Finish != "" && (got.Early == nil || got.Early.Input == 0) {
						t.Errorf("no usage came early: %q", got.Lines)
					}
				}
			})
		}
	}
}

// textOf reads a recording with encoding/json, as a second opinion.
func textOf(t *testing.T, e exchange) (text, thinking string) {
	t.Helper()
	type block struct{ Type, Text, Thinking string }
	if e.Response.SSE == "" {
		var m struct{ Content []block }
		if err := json.Unmarshal(e.Response.Body, &m); err != nil {
			t.Fatal(err)
		}
		for _, b := range m.Content {
			text, thinking = text+b.Text, thinking+b.Thinking
		}
		return text, thinking
	}
	for line := range strings.Lines(e.Response.SSE) {
		data, ok := strings.CutPrefix(line, "data:")
		var event struct {
			ContentBlock block `json:"content_block"`
			Delta        block
		}
		if !ok || json.Unmarshal([]byte(data), &event) != nil {
			continue
		}
		if event.ContentBlock.Type == "text" || event.ContentBlock.Type == "thinking" {
			text, thinking = text+event.ContentBlock.Text, thinking+event.ContentBlock.Thinking
		}
		text, thinking = text+event.Delta.Text, thinking+event.Delta.Thinking
	}
	return text, thinking
}

// TestThoughtsGoBack sends a recorded thought back as it came.
func TestThoughtsGoBack(t *testing.T) {
	data, err := os.ReadFile(wiretest.Shared(t, "wire/anthropic/tool-with-thinking.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recording struct {
		Exchanges []struct {
			Request struct {
				Body struct {
					Messages []struct{ Content []json.RawMessage }
				}
			}
			Response struct{ Body json.RawMessage }
		}
	}
	if err := json.Unmarshal(data, &recording); err != nil {
		t.Fatal(err)
	}
	p := configured(t, wire.Config{Client: wiretest.Fixed("application/json", recording.Exchanges[0].Response.Body)})
	got := wiretest.Transcribe(t, p.Stream(t.Context(), llm.Request{Tools: []llm.Tool{{Name: "get_user_country"}}}))
	body, err := encode(llm.Request{Messages: []llm.Message{
		{Role: llm.User, Text: "What is the largest city in the user country?"},
		{Role: llm.Assistant, Provider: "anthropic", Text: got.Text, Opaque: []json.RawMessage{json.RawMessage(got.Opaque[0])}},
	}}, "anthropic", nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Messages []struct{ Content []json.RawMessage }
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	if got, want := canonical(t, sent.Messages[1].Content[0]), canonical(t, recording.Exchanges[1].Request.Body.Messages[1].Content[0]); got != want {
		t.Errorf("sent back\n%s\nwant\n%s", got, want)
	}
}

func canonical(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
