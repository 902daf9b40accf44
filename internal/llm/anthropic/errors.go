package anthropic

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// classify says what an error of the API means, in a refusal or in a stream. Where e has
// no error of the API, somebody in between has answered.
func classify(e *wire.Endpoint, model string, out *llm.Error, h http.Header, body []byte) {
	v, _ := wire.Parse(body)
	v = v.Get("error")
	kind, message := v.Get("type").Text(), v.Get("message").Text()
	if kind == "" {
		return
	}
	out.Err = errors.New(e.Quote(kind + ": " + message))
	if out.Status != 0 {
		out.Err = fmt.Errorf("HTTP %d: %w", out.Status, out.Err)
	}
	message = strings.ToLower(message)
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case kind == "request_too_large", says("prompt is too long"), says("exceed context limit"), says("long context"):
		out.Fault, out.Advice = llm.TooLong, ""
	case kind == "billing_error", says("credit balance is too low"):
		out.Fault, out.Advice = llm.Broken, "the account has no credit left: top it up in the vendor's console"
	case says("usage limits"):
		out.Fault, out.Advice = llm.Broken, "the account's own limit on spending is reached: raise it in the vendor's console"
	case kind == "authentication_error":
		out.Fault, out.Advice = llm.Broken, cmp.Or(out.Advice, "the key is wrong or was revoked: set "+e.KeyName+" to one that is valid")
	case kind == "permission_error":
		out.Fault, out.Advice = llm.Broken, "the key of "+e.KeyName+" may not do this: look at its workspace and its rights"
	case kind == "not_found_error" && says("model"):
		out.Fault, out.Advice = llm.Broken, fmt.Sprintf("this account has no model %q: look at its name", model)
	case kind == "rate_limit_error":
		out.Fault, out.Advice = llm.Later, ""
		if out.After == 0 {
			out.After = untilReset(h)
		}
	case kind == "overloaded_error", kind == "api_error", kind == "timeout_error":
		out.Fault, out.Advice = llm.Later, ""
	case kind == "invalid_request_error":
		out.Fault, out.Advice = llm.Elsewhere, ""
	}
}

// untilReset returns when the last of the limits that are used up is renewed, or 0.
func untilReset(h http.Header) (longest time.Duration) {
	for _, limit := range []string{"Requests", "Tokens", "Input-Tokens", "Output-Tokens"} {
		if h.Get("Anthropic-Ratelimit-"+limit+"-Remaining") != "0" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, h.Get("Anthropic-Ratelimit-"+limit+"-Reset")); err == nil {
			longest = max(longest, time.Until(at))
		}
	}
	return longest
}
