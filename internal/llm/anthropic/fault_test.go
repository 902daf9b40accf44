package anthropic

import (
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// refusal is the body of an error of the API.
func refusal(kind, message string) string {
	return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_1"}`
}

func TestFaults(t *testing.T) {
	soon := time.Now().Add(90 * time.Second).UTC().Format(time.RFC3339)
	for _, tt := range []struct {
		name    string
		status  int
		headers map[string]string
		body    string
		fault   llm.Fault
		least   time.Duration // of After
		says    string        // part of the message
	}{
		{"rate limit, seconds", 429, map[string]string{"Retry-After": "12"}, refusal("rate_limit_error", "too fast"), llm.Later, 12 * time.Second, "too fast"},
		{"rate limit, resets", 429, map[string]string{
			"Anthropic-Ratelimit-Requests-Remaining": "3", "Anthropic-Ratelimit-Requests-Reset": "2099-01-01T00:00:00Z",
			"Anthropic-Ratelimit-Input-Tokens-Remaining": "0", "Anthropic-Ratelimit-Input-Tokens-Reset": soon,
		}, refusal("rate_limit_error", "too fast"), llm.Later, 80 * time.Second, ""},
		{"overloaded", 529, nil, refusal("overloaded_error", "Overloaded"), llm.Later, 0, "Overloaded"},
		{"no credit", 400, nil, refusal("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), llm.Broken, 0, "top it up"},
		{"no credit, newer", 402, nil, refusal("billing_error", "Payment is due."), llm.Broken, 0, "top it up"},
		{"own limit", 400, nil, refusal("invalid_request_error", "You have reached your specified API usage limits."), llm.Broken, 0, "raise it"},
		{"wrong key", 401, nil, refusal("authentication_error", "invalid x-api-key "+wiretest.Key), llm.Broken, 0, "set ANTHROPIC_API_KEY"},
		{"no right", 403, nil, refusal("permission_error", "Your key may not."), llm.Broken, 0, "ANTHROPIC_API_KEY"},
		{"no model", 404, nil, refusal("not_found_error", "model: claude-zero"), llm.Broken, 0, `no model "claude-test"`},
		{"too long", 400, nil, refusal("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), llm.TooLong, 0, ""},
		{"too long with the reply", 400, nil, refusal("invalid_request_error", "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000"), llm.TooLong, 0, ""},
		{"too long for the account", 429, nil, refusal("rate_limit_error", "Extra usage is required for long context requests."), llm.TooLong, 0, ""},
		{"too many bytes", 413, nil, refusal("request_too_large", "Request exceeds the maximum size"), llm.TooLong, 0, ""},
		{"bad request", 400, nil, refusal("invalid_request_error", "temperature: is not allowed"), llm.Elsewhere, 0, "temperature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := map[string]string{"Content-Type": "application/json"}
			for k, v := range tt.headers {
				headers[k] = v
			}
			p := provider(t, wiretest.Play(tt.status, headers, tt.body, 2))
			_, err := wiretest.Collect(t.Context(), t, p, llm.Request{Model: "claude-test"})
			e := wiretest.Failure(t, err)
			if e.Fault != tt.fault || e.After < tt.least || tt.least == 0 && e.After != 0 {
				t.Errorf("Stream = %s, want a fault of %s after at least %s", wiretest.FaultLine(e), tt.fault, tt.least)
			}
			if !strings.Contains(e.Error(), tt.says) {
				t.Errorf("the error is %q, want %q in it", e, tt.says)
			}
			if e.Status != tt.status {
				t.Errorf("Status = %d, want %d", e.Status, tt.status)
			}
		})
	}
}

// TestEndlessCall: the arguments of a call are kept until it is whole, but not for ever.
func TestEndlessCall(t *testing.T) {
	body := `data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"order","input":{}}}` + "\n\n" +
		strings.Repeat(`data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"`+strings.Repeat("x", 9000)+"\"}}\n\n", 500)
	p := configured(t, wire.Config{Client: wiretest.Fixed("text/event-stream", []byte(body))})
	_, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
	if e := wiretest.Failure(t, err); e.Fault != llm.Elsewhere || !strings.Contains(e.Error(), "bytes") {
		t.Errorf("Stream = %v, want a fault of elsewhere about its size", e)
	}
}
