package gemini

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// refusal is the body of an error of the API.
func refusal(code int, status, message string, details ...string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`, code, message, status, strings.Join(details, ","))
}

func TestFaults(t *testing.T) {
	const (
		wait  = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}`
		daily = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"50"}]}`
		quick = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]}`
		noKey = `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}`
	)
	for _, tt := range []struct {
		name    string
		status  int
		headers map[string]string
		body    string
		fault   llm.Fault
		least   time.Duration // of After
		says    string        // part of the message
	}{
		{"rate limit", 429, nil, refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", quick, wait), llm.Later, 34400 * time.Millisecond, "quota"},
		{"rate limit, seconds", 429, map[string]string{"Retry-After": "12"}, refusal(429, "RESOURCE_EXHAUSTED", "too fast"), llm.Later, 12 * time.Second, "too fast"},
		{"daily quota", 429, nil, refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", daily, wait), llm.Broken, 0, "billing"},
		{"no quota", 429, nil, refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: requests, limit: 0", wait), llm.Broken, 0, "billing"},
		{"no credit", 429, nil, refusal(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), llm.Broken, 0, "billing"},
		{"overloaded", 503, nil, refusal(503, "UNAVAILABLE", "The model is overloaded."), llm.Later, 0, "overloaded"},
		{"in an array", 503, nil, "[" + refusal(503, "UNAVAILABLE", "The model is overloaded.") + "]", llm.Later, 0, "overloaded"},
		{"internal", 500, nil, refusal(500, "INTERNAL", "An internal error."), llm.Later, 0, ""},
		{"wrong key", 400, nil, refusal(400, "INVALID_ARGUMENT", "API key not valid: "+wiretest.Key, noKey), llm.Broken, 0, "set GEMINI_API_KEY"},
		{"no key", 401, nil, refusal(401, "UNAUTHENTICATED", "Request is missing a credential."), llm.Broken, 0, "set GEMINI_API_KEY"},
		{"no right", 403, nil, refusal(403, "PERMISSION_DENIED", "Requests are blocked."), llm.Broken, 0, "GEMINI_API_KEY"},
		{"wrong place", 400, nil, refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), llm.Broken, 0, "regions"},
		{"no model", 404, nil, refusal(404, "NOT_FOUND", "models/gemini-x is not found"), llm.Broken, 0, `no model "gemini-3-test"`},
		{"too long", 400, nil, refusal(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), llm.TooLong, 0, ""},
		{"too many bytes", 413, nil, "", llm.TooLong, 0, ""},
		{"bad request", 400, nil, refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received."), llm.Elsewhere, 0, "payload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := map[string]string{"Content-Type": "application/json"}
			for k, v := range tt.headers {
				headers[k] = v
			}
			p := provider(t, wiretest.Play(tt.status, headers, tt.body, 2))
			_, err := wiretest.Collect(t.Context(), t, p, llm.Request{Model: "gemini-3-test"})
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
	body := `data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"order","willContinue":true}}]}}]}` + "\n\n" +
		strings.Repeat(`data: {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.id","stringValue":"`+
			strings.Repeat("x", 9000)+"\",\"willContinue\":true}],\"willContinue\":true}}]}}]}\n\n", 500)
	p := configured(t, wire.Config{Client: wiretest.Fixed("text/event-stream", []byte(body))})
	_, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
	if e := wiretest.Failure(t, err); e.Fault != llm.Elsewhere || !strings.Contains(e.Error(), "bytes") {
		t.Errorf("Stream = %v, want a fault of elsewhere about its size", e)
	}
}
