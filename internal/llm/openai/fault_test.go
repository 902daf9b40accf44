package openai

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		headers string // name=value, separated by blanks
		body    string
		fault   llm.Fault
		words   string
		after   time.Duration
	}{
		{name: "rate limit, delay in ms", status: 429, headers: "retry-after=2 retry-after-ms=1534 x-ratelimit-reset-tokens=1m",
			body: `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, fault: llm.Later, after: 1534 * time.Millisecond},
		{name: "rate limit, delay in s", status: 429, headers: "retry-after=2", fault: llm.Later, after: 2 * time.Second},
		{name: "rate limit, the one that is named", status: 429, headers: "x-ratelimit-reset-requests=120ms x-ratelimit-reset-tokens=1m2.5s",
			body: `{"error":{"message":"Rate limit reached","type":"requests"}}`, fault: llm.Later, after: 120 * time.Millisecond},
		{name: "rate limit, the one that is used up", status: 429, headers: "x-ratelimit-reset-requests=7 x-ratelimit-reset-tokens=1m2.5s x-ratelimit-remaining-tokens=0",
			fault: llm.Later, after: 62500 * time.Millisecond},
		{name: "rate limit, lies", status: 429, headers: "retry-after=-1 x-ratelimit-reset-requests=NaN x-ratelimit-reset-tokens=999999h", fault: llm.Later},
		{name: "rate limit behind a gateway", status: 429, body: `{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"the vendor is busy"}}}`,
			fault: llm.Later, words: "Provider returned error: the vendor is busy"},
		{name: "no credit", status: 429, headers: "retry-after=2", body: `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`,
			fault: llm.Broken, words: "top it up"},
		{name: "no credit, 402", status: 402, body: `{"error":{"message":"Insufficient Balance"}}`, fault: llm.Broken, words: "top it up"},
		{name: "a request above the limit of a minute", status: 429, body: `{"error":{"message":"Request too large for model-1 on tokens per min (TPM): Limit 30000, Requested 40000","type":"tokens","code":"rate_limit_exceeded"}}`, fault: llm.TooLong},
		{name: "wrong key", status: 401, body: `{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`, fault: llm.Broken, words: "THE_KEY"},
		{name: "no such model", status: 404, body: `{"error":{"message":"The model 'model-1' does not exist or you do not have access to it.","code":"model_not_found"}}`, fault: llm.Broken, words: `no model "model-1"`},
		{name: "no such model, Ollama", status: 404, body: `{"error":{"message":"model \"model-1\" not found, try pulling it first","type":"api_error"}}`, fault: llm.Broken, words: `no model "model-1"`},
		{name: "no such deployment", status: 404, body: `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`, fault: llm.Broken, words: `no model "model-1"`},
		{name: "a model of the past", status: 400, body: `{"error":{"message":"The model has been decommissioned.","code":"model_decommissioned"}}`, fault: llm.Broken, words: `no model "model-1"`},
		{name: "wrong address", status: 404, body: `{"detail":"Not Found"}`, fault: llm.Broken, words: "THE_BASE"},
		{name: "too long", status: 400, body: `{"error":{"message":"…","param":"messages","code":"context_length_exceeded"}}`, fault: llm.TooLong},
		{name: "too long, vLLM", status: 400, body: `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","code":400}`, fault: llm.TooLong},
		{name: "too long, llama.cpp", status: 400, body: `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`, fault: llm.TooLong},
		{name: "too long, xAI", status: 400, body: `{"code":"x","error":"This model's maximum prompt length is 131072 but the request contains 163840 tokens."}`, fault: llm.TooLong},
		{name: "bad request", status: 400, body: `{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","param":"messages[0].role","code":"unsupported_value"}}`, fault: llm.Elsewhere},
		{name: "bad value", status: 400, body: `{"error":{"message":"max_tokens is too large: 9. This model supports at most 4 completion tokens.","param":"max_tokens","code":"invalid_value"}}`, fault: llm.Elsewhere},
		{name: "details, without the customer's words", status: 422, body: `{"detail":[{"type":"string_type","loc":["body","messages",0,"content"],"msg":"Input should be a valid string","input":"my PIN is 1234"}]}`,
			fault: llm.Elsewhere, words: "HTTP 422: body.messages.0.content: Input should be a valid string"},
		{name: "bad shape", status: 400, body: `{"error":{"message":"Invalid schema for response_format 'x': 'allOf' is not permitted","param":"max_tokens"}}`, fault: llm.Elsewhere, words: "Invalid schema"},
		{name: "no tools", status: 400, body: `{"error":{"message":"model-1 does not support tools","type":"api_error","param":null,"code":null}}`, fault: llm.Elsewhere},
		{name: "a call that the server cannot read", status: 400, body: `{"error":{"code":"tool_use_failed","message":"Tool call validation failed","type":"invalid_request_error"}}`, fault: llm.Later},
		{name: "server error", status: 500, body: `{"error":{"message":"The server had an error","type":"server_error"}}`, fault: llm.Later},
		{name: "server error, do not retry", status: 500, headers: "x-should-retry=false", fault: llm.Elsewhere},
		{name: "bad request, do retry", status: 400, headers: "x-should-retry=true retry-after-ms=5", fault: llm.Later, after: 5 * time.Millisecond},
		{name: "no key is shown", status: 400, body: `{"error":{"message":"bad header 'Bearer ` + wiretest.Key + `' from sk-live-abcdefgh1234 and …` + wiretest.Key[9:20] + `"}}`, fault: llm.Elsewhere, words: "'Bearer ***' from *** and ***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := wiretest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
				for _, header := range strings.Fields(tt.headers) {
					name, value, _ := strings.Cut(header, "=")
					w.Header().Set(name, value)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			p := provider(t, wire.Config{Base: base, Key: wiretest.Key, KeyName: "THE_KEY", BaseName: "THE_BASE"})
			_, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
			f := wiretest.Failure(t, err)
			if f.Fault != tt.fault || f.Status != tt.status || f.After != tt.after || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%v (%s, status %d, after %v), want %s, after %v, and %q", err, f.Fault, f.Status, f.After, tt.fault, tt.after, tt.words)
			}
			if strings.Contains(err.Error(), "PIN") {
				t.Errorf("%v: this repeats what a customer wrote", err)
			}
		})
	}
}

// TestFiltered: what a filter stopped is not a fault, and no reason to ask another vendor.
func TestFiltered(t *testing.T) {
	for _, body := range []string{
		`{"error":{"message":"The response was filtered","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
		`{"error":{"message":"Your request was rejected","code":"content_policy_violation"}}`,
		`{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","code":"invalid_prompt"}}`,
	} {
		p := provider(t, wire.Config{Base: wiretest.Serve(t, answers(400, "application/json", body))})
		if r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask); err != nil || r.Finish != llm.Filtered {
			t.Errorf("%s: %+v, %v, want %s", body, r, err, llm.Filtered)
		}
	}
}
