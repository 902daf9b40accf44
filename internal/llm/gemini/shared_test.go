package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// exchange is one request and response of a recording.
type exchange struct {
	Request  struct{ Path string }
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

// wanted says how the recordings end: the calls, and the last line.
var wanted = map[string]struct {
	calls []string
	last  string
}{
	"empty-response-retry": {last: "finish stop usage 2(0,0)+222"},
	"error-404-model": {last: "error broken 404 0s: gemini: HTTP 404: NOT_FOUND: models/gemini-3.6-flahs is not found for API version v1beta, or is not supported for generateContent. " +
		"Call ModelService.ListModels to see the list of available models and their supported methods.; this project has no model \"gemini-recorded\": look at its name"},
	"error-429-retryinfo":                  {last: "error later 429 34.4s: gemini: HTTP 429: RESOURCE_EXHAUSTED: You exceeded your current quota, please check your plan."},
	"error-503-overloaded":                 {last: "error later 503 0s: gemini: HTTP 503: UNAVAILABLE: The model is overloaded. Please try again later."},
	"file-search-stream/4":                 {last: "finish stop usage 785(0,0)+779"},
	"max-tokens":                           {last: "finish length usage 15(0,0)+5"},
	"max-tokens-empty":                     {last: "finish length usage 15(0,0)+2"},
	"model-armor-block":                    {last: "finish filtered declined \"MODEL_ARMOR: The prompt violated Prompt Injection and Jailbreak filters.\""},
	"safety-finish":                        {last: "finish filtered declined \"SAFETY\" usage 14(0,0)+0"},
	"stream":                               {last: "finish stop usage 13(0,0)+8"},
	"stream-iter-tools":                    {calls: []string{`get_capital {"country":"France"}`}, last: "finish calls usage 52(0,0)+5"},
	"stream-iter-tools/2":                  {calls: []string{`get_temperature {"city":"Paris"}`}, last: "finish calls usage 64(0,0)+5"},
	"stream-iter-tools/3":                  {last: "finish stop usage 79(0,0)+12"},
	"stream-prohibited-content":            {last: "finish filtered declined \"PROHIBITED_CONTENT\""},
	"stream-prompt-blocked":                {last: "finish filtered declined \"SAFETY\" usage 9(0,0)+0"},
	"stream-reasoning-gemini3":             {last: "finish stop usage 9(0,0)+325"},
	"stream-recitation":                    {last: "finish filtered declined \"RECITATION\" usage 5(0,0)+0"},
	"stream-text":                          {last: "finish stop usage 9(0,0)+208"},
	"stream-tool-args-partial":             {calls: []string{`getWeather {"location":"Boston"} signed`, `getWeather {"location":"San Francisco"}`}, last: "finish calls usage 26(0,0)+155"},
	"stream-tool-call-gemini3":             {calls: []string{`weather {"location":"San Francisco"} signed`}, last: "finish calls usage 29(0,0)+819"},
	"stream-tool-call-thought-signature":   {calls: []string{`get_country {} signed`}, last: "finish calls usage 29(0,0)+212"},
	"stream-tool-call-thought-signature/2": {last: "finish stop usage 257(0,0)+8"},
	"stream-tool-missing-terminal": {calls: []string{`writeItems {"operations":[{"action":"add","description":"Fresh red apple","itemid":"apple_001","price":0.5},` +
		`{"action":"add","description":"Ripe yellow banana","itemid":"banana_001","price":0.3}]} signed`}, last: "finish calls usage 54(0,0)+195"},
	"stream-tool-no-args":    {calls: []string{`read_theme {} signed`, `read_screen {"id":"A"}`, `read_screen {"id":"B"}`, `read_screen {"id":"C"}`}, last: "finish calls usage 249(0,0)+241"},
	"stream-usage-midstream": {last: "finish stop usage 18(0,0)+115"},
	"structured-output":      {last: "finish stop usage 8(0,0)+20"},
	"tool-no-args":           {calls: []string{`bar {}`}, last: "finish calls usage 21(0,0)+1"},
	"tool-no-args/2":         {calls: []string{`final_result {"bar":"hello"}`}, last: "finish calls usage 27(0,0)+5"},
	"tool-round-trip":        {calls: []string{`get_user_country {}`}, last: "finish calls usage 33(0,0)+5"},
	"tool-round-trip/2":      {calls: []string{`final_result {"city":"Mexico City","country":"Mexico"}`}, last: "finish calls usage 47(0,0)+8"},
}

// TestRecordings plays what the vendor and gateways have sent.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(wiretest.Shared(t, "wire/gemini"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema := requestSchema(t)
	req := requests[2].req // with everything in it
	req.Model = "gemini-recorded"
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
		if recording.API != "generateContent" {
			continue
		}
		for i, e := range recording.Exchanges {
			if !strings.Contains(strings.ToLower(e.Request.Path), "generatecontent") {
				continue // of the vendor's files, or counting tokens
			}
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
					for i := range got.Calls {
						got.Calls[i] = signature.ReplaceAllString(got.Calls[i], " signed")
					}
					if strings.Join(got.Calls, "\n") != strings.Join(want.calls, "\n") {
						t.Errorf("calls = %q, want %q", got.Calls, want.calls)
					}
					text, thinking := textOf(t, e)
					if got.Text != text || got.Thinking != thinking {
						t.Errorf("text = %q and thinking %q,\nwant %q and %q", got.Text, got.Thinking, text, thinking)
					}
				}
			})
		}
	}
}

// signature is that of a call, behind its arguments.
var signature = regexp.MustCompile(` [A-Za-z0-9+/=_-]{80,}$`)

// textOf reads a recording with encoding/json, as a second opinion.
func textOf(t *testing.T, e exchange) (text, thinking string) {
	t.Helper()
	pieces := []string{string(e.Response.Body)}
	if e.Response.SSE != "" {
		pieces = nil
		for line := range strings.Lines(e.Response.SSE) {
			if data, ok := strings.CutPrefix(line, "data:"); ok {
				pieces = append(pieces, data)
			}
		}
	}
	for _, piece := range pieces {
		var r struct {
			Candidates []struct {
				Content struct {
					Parts []struct {
						Text    string
						Thought bool
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(piece), &r); err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Candidates {
			for _, p := range c.Content.Parts {
				if p.Thought {
					thinking += p.Text
				} else {
					text += p.Text
				}
			}
		}
	}
	return text, thinking
}

// TestSignaturesGoBack sends a recorded call back as its vendor's own library did.
func TestSignaturesGoBack(t *testing.T) {
	data, err := os.ReadFile(wiretest.Shared(t, "wire/gemini/stream-tool-call-thought-signature.json"))
	if err != nil {
		t.Fatal(err)
	}
	type part struct{ ThoughtSignature string }
	var recording struct {
		Exchanges []struct {
			Request struct {
				Body struct{ Contents []struct{ Parts []part } }
			}
			Response struct{ SSE string }
		}
	}
	if err := json.Unmarshal(data, &recording); err != nil {
		t.Fatal(err)
	}
	p := configured(t, wire.Config{Client: wiretest.Fixed("text/event-stream", []byte(recording.Exchanges[0].Response.SSE))})
	r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
	if err != nil {
		t.Fatal(err)
	}
	body, err := encode(llm.Request{Model: "gemini-3-pro-preview", Messages: []llm.Message{
		{Role: llm.User, Text: "What is the capital of the user country?"},
		{Role: llm.Assistant, Provider: "gemini", Calls: r.Calls},
	}}, "gemini", nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Contents []struct{ Parts []part } }
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	want := recording.Exchanges[1].Request.Body.Contents[1]
	want.Parts[0].ThoughtSignature = strings.NewReplacer("-", "+", "_", "/").Replace(want.Parts[0].ThoughtSignature) // two ways to write base64
	if diff := cmp.Diff(want, sent.Contents[1]); diff != "" {
		t.Errorf("sent back (-want +got):\n%s", diff)
	}
}
