package gemini

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// classify says what an error of the API means, in a refusal or in a stream; its shape is
// google.rpc.Status. Where e has none, somebody in between has answered.
func classify(e *wire.Endpoint, model string, out *llm.Error, body []byte) {
	v, _ := wire.Parse(body)
	for first := range v.Elements() { // where no alt=sse was honoured
		v = first
		break
	}
	v = v.Get("error")
	status, message := v.Get("status").Text(), v.Get("message").Text()
	if status == "" {
		return
	}
	out.Err = errors.New(e.Quote(status + ": " + message))
	if out.Status != 0 {
		out.Err = fmt.Errorf("HTTP %d: %w", out.Status, out.Err)
	}
	d := readDetails(v.Get("details"))
	message = strings.ToLower(message)
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case d.reason == "API_KEY_INVALID", says("api key not valid"), says("api key expired"), status == "UNAUTHENTICATED":
		out.Fault, out.Advice = llm.Broken, cmp.Or(out.Advice, "the key is wrong or was revoked: set "+e.KeyName+" to one that is valid")
	case status == "PERMISSION_DENIED":
		out.Fault, out.Advice = llm.Broken, "the key of "+e.KeyName+" may not do this: look at its restrictions and its project"
	case status == "FAILED_PRECONDITION":
		out.Fault, out.Advice = llm.Broken, "the project may not use the API from here: look at its billing and the supported regions"
	case status == "NOT_FOUND" && model != "":
		out.Fault, out.Advice = llm.Broken, fmt.Sprintf("this project has no model %q: look at its name", model)
	case status == "RESOURCE_EXHAUSTED" && (d.daily || says("limit: 0") || says("credits are depleted")):
		out.Fault, out.After = llm.Broken, 0
		out.Advice = "the project's quota is used up, or is 0 for this model: raise it or turn on billing"
	case status == "RESOURCE_EXHAUSTED":
		out.Fault, out.Advice, out.After = llm.Later, "", max(out.After, d.delay)
	case status == "UNAVAILABLE", status == "INTERNAL", status == "DEADLINE_EXCEEDED", status == "ABORTED", status == "CANCELLED":
		out.Fault, out.Advice, out.After = llm.Later, "", max(out.After, d.delay)
	case says("token count") && says("exceed"):
		out.Fault, out.Advice = llm.TooLong, ""
	case status == "INVALID_ARGUMENT":
		out.Fault, out.Advice = llm.Elsewhere, ""
	}
}

// details are what the API adds to an error.
type details struct {
	reason string        // of an ErrorInfo
	delay  time.Duration // of a RetryInfo
	daily  bool          // a QuotaFailure that does not pass in a moment
}

func readDetails(v wire.Value) (d details) {
	for e := range v.Elements() {
		if r := e.Get("reason").Text(); r != "" {
			d.reason = r
		}
		if wait, err := time.ParseDuration(e.Get("retryDelay").Text()); err == nil {
			d.delay = min(max(wait, 0), time.Hour)
		}
		for q := range e.Get("violations").Elements() {
			d.daily = d.daily || strings.Contains(q.Get("quotaId").Text(), "PerDay") || q.Get("quotaValue").Is("0")
		}
	}
	return d
}
