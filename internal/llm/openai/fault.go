package openai

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// errFiltered: a filter withheld the question or the reply. That is not a fault.
var errFiltered = errors.New("the provider's filter withheld the reply")

// unsupported: a model does not take a field.
type unsupported struct {
	field string
	err   error
}

func (u *unsupported) Error() string { return u.err.Error() }
func (u *unsupported) Unwrap() error { return u.err }

// answer is what a server says about a request that it refused.
type answer struct {
	message string
	code    string
	kind    string // what it calls the type of the error
	param   string // the field that it does not like
}

// readAnswer reads the forms that are in use: {"error":{…}}, the same in an array, the
// fields without an envelope, and {"error":"…"} or {"detail":…} with a text or a list.
func readAnswer(body []byte) answer {
	v, _ := wire.Parse(body)
	for first := range v.Elements() {
		v = first
		break
	}
	inner := v
	if e := v.Get("error"); e.IsObject() {
		inner = e
	}
	a := answer{
		message: cmp.Or(words(inner.Get("message")), words(inner.Get("error")), words(inner.Get("detail"))),
		code:    cmp.Or(inner.Get("code").Text(), v.Get("code").Text()),
		kind:    inner.Get("type").Text(),
		param:   inner.Get("param").Text(),
	}
	if said := inner.Get("metadata", "raw").Text(); said != "" {
		a.message += ": " + said // of the vendor behind a gateway
	}
	if deeper := inner.Get("innererror", "code").Text(); deeper != "" {
		a.code = deeper // Azure's
	}
	return a
}

// words returns a text, or of a list of details where each is and what is wrong there,
// but not what stands there: that may be what a customer wrote.
func words(v wire.Value) string {
	if v.IsObject() {
		v = v.Get("detail")
	}
	if !v.IsArray() {
		return v.Text()
	}
	var all []string
	for detail := range v.Elements() {
		var place []string
		for p := range detail.Get("loc").Elements() {
			place = append(place, cmp.Or(p.Text(), string(p)))
		}
		all = append(all, strings.Join(place, ".")+": "+detail.Get("msg").Text())
	}
	return strings.Join(all, "; ")
}

// statusOf returns the HTTP status that an error inside a reply names, or 0.
func statusOf(v wire.Value) int {
	for _, path := range [...][]string{{"error", "status_code"}, {"error", "code"}, {"code"}} {
		if s := v.Get(path...).Int(); s >= 400 && s < 600 {
			return s
		}
	}
	return 0
}

// refusal is all there is to know about a refused request.
type refusal struct {
	answer
	model    string
	optional []string // names of fields that were sent and could be left out
	endpoint *wire.Endpoint
}

// What servers say, in lower case. Those that copy the API have few of its codes.
var (
	filtered = []string{"content_policy_violation", "content_filter", "responsibleaipolicyviolation", "data_inspection_failed",
		"usage policy", "usage policies", "usage guidelines", "content management policy", "input was flagged", "prompt was flagged"}
	tooLong = []string{"context_length_exceeded", "exceed_context_size", "context length", "context window", "context size",
		"prompt length", "prompt is too long", "input is too long", "request too large", "max_new_tokens` must be",
		"exceeds the maximum number of tokens", "reduce the length"}
	noCredit = []string{"insufficient_quota", "insufficient_balance", "billing_hard_limit_reached", "billing_not_active", "insufficient balance", "credit balance", "insufficient credits"}
	noModel  = []string{"model_not_found", "model_decommissioned", "deploymentnotfound", "invalid model", "not a valid model", "unknown model", "no such model"}
	gone     = []string{"not found", "not exist", "decommissioned", "deprecated"} // beside the word model
	cannot   = []string{"unsupported", "not support", "unrecognized", "unknown", "not permitted", "not allowed", "unavailable", "not available", "extra_forbidden", "unexpected"}
	overload = []string{"overloaded", "server_error", "rate_limit", "unavailable", "tool_use_failed", "timeout"}
	wrongKey = []string{"invalid_api_key", "authentication_error", "permission_error"}
	ourFault = []string{"invalid_request", "bad_request", "badrequest"}
)

// rateKinds are what is counted for a limit of a minute.
var rateKinds = [...]string{"requests", "tokens"}

// classify completes an error by what the server says beside its status.
func classify(out *llm.Error, h http.Header, r refusal) {
	if r.message != "" {
		out.Err = errors.New(r.endpoint.Quote(r.message))
		if out.Status != 0 {
			out.Err = fmt.Errorf("HTTP %d: %w", out.Status, out.Err)
		}
	}
	codes := strings.ToLower(r.code + " " + r.kind)
	all := codes + " " + strings.ToLower(r.message)
	key := cmp.Or(r.endpoint.KeyName, "its key")
	switch {
	case says(all, filtered) && !strings.Contains(all, "account"):
		out.Fault, out.Advice, out.Err = llm.Elsewhere, "", fmt.Errorf("%w: %w", errFiltered, out.Err)
	case says(all, noCredit):
		out.Fault, out.After = llm.Broken, 0
		out.Advice = "the account of " + key + " has no credit left or has reached its limit: top it up, or raise the limit"
	case says(all, tooLong):
		out.Fault, out.Advice = llm.TooLong, ""
	case r.noModel(all):
		out.Fault = llm.Broken
		out.Advice = fmt.Sprintf("it has no model %q for this key: choose another", r.model)
	case out.Status == 0 && says(codes, wrongKey):
		out.Fault, out.Advice = llm.Broken, "it does not accept the key: set "+key+" to one that is valid"
	case out.Status == http.StatusBadRequest, out.Status == http.StatusUnprocessableEntity, out.Status == 0:
		r.request(out, codes, all)
	}
	retry(out, h, r.kind)
}

// noModel reports whether the server does not have the model.
func (r refusal) noModel(all string) bool {
	if r.model == "" || r.param != "" && r.param != "model" {
		return false
	}
	return says(all, noModel) || strings.Contains(all, "model") && says(all, gone)
}

// request completes the error of a request that is not understood.
func (r refusal) request(out *llm.Error, codes, all string) {
	if f := r.unsupported(all); f != "" {
		out.Err = &unsupported{field: f, err: out.Err}
		out.Advice = "take the field " + strconv.Quote(f) + " out of the extra fields, if it is there"
		return
	}
	switch {
	case says(codes, overload):
		out.Fault = llm.Later // also a call of a tool that the server could not read: the next one may be right
	case says(codes, ourFault):
		out.Fault = llm.Elsewhere
	}
}

// unsupported returns the optional field that the model does not take, or "". Where the
// server does not name it in param, it does in its message, before others. A shape that
// is wrong in itself says nothing about the model.
func (r refusal) unsupported(all string) string {
	switch {
	case !says(all, cannot), strings.Contains(all, "invalid schema"):
		return ""
	case slices.Contains(r.optional, r.param):
		return r.param
	case r.param != "":
		return ""
	}
	first, at := "", len(r.message)
	for _, f := range r.optional {
		if i := regexp.MustCompile(`\b` + regexp.QuoteMeta(f) + `\b`).FindStringIndex(r.message); i != nil && i[0] < at {
			first, at = f, i[0]
		}
	}
	return first
}

// retry reads when to come back.
func retry(out *llm.Error, h http.Header, kind string) {
	switch h.Get("X-Should-Retry") {
	case "true":
		if out.Fault == llm.Elsewhere {
			out.Fault = llm.Later
		}
	case "false":
		if out.Fault == llm.Later {
			out.Fault = llm.Elsewhere
		}
	}
	if out.Fault == llm.Later && out.After == 0 && out.Status == http.StatusTooManyRequests {
		out.After = reset(h, kind)
	}
}

// reset returns when the limit that was reached is lifted, or 0: the one that the error
// names or of which nothing remains, else the later one.
func reset(h http.Header, kind string) time.Duration {
	var reached, any time.Duration
	for _, k := range rateKinds {
		d := duration(h.Get("X-Ratelimit-Reset-" + k))
		any = max(any, d)
		if kind == k || h.Get("X-Ratelimit-Remaining-"+k) == "0" {
			reached = max(reached, d)
		}
	}
	return cmp.Or(reached, any)
}

// duration reads "1m2.5s", "120ms" or seconds.
func duration(s string) time.Duration {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0
	}
	return d
}

// says reports whether text has one of the phrases.
func says(text string, phrases []string) bool {
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
}
