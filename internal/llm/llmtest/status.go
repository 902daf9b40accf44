package llmtest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// status is a way in which vendors refuse a call: an HTTP status and what each of them
// writes into the body.
type status struct {
	code  int
	about string // "quota" or "long", where a code has two meanings
	fault llm.Fault
	// What the body says. OpenAI has a type and a code, the others have a type.
	message    string
	openAIType string
	openAICode string // "": null
	anthropic  string
	gemini     string
}

var statuses = []status{
	{400, "", llm.Elsewhere, "The request is not valid.", "invalid_request_error", "", "invalid_request_error", "INVALID_ARGUMENT"},
	{400, "long", llm.TooLong, "", "invalid_request_error", "context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT"},
	{401, "", llm.Broken, "The key is not valid.", "invalid_request_error", "invalid_api_key", "authentication_error", "UNAUTHENTICATED"},
	{403, "", llm.Broken, "The key may not do this.", "invalid_request_error", "", "permission_error", "PERMISSION_DENIED"},
	{404, "", llm.Broken, "There is no such model.", "invalid_request_error", "model_not_found", "not_found_error", "NOT_FOUND"},
	{413, "", llm.TooLong, "", "invalid_request_error", "context_length_exceeded", "request_too_large", "INVALID_ARGUMENT"},
	{429, "", llm.Later, "Too many requests in this minute.", "requests", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"},
	{429, "quota", llm.Broken, "The quota is used up.", "insufficient_quota", "insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED"},
	{500, "", llm.Later, "Something went wrong on our side.", "server_error", "", "api_error", "INTERNAL"},
	{503, "", llm.Later, "The model is overloaded.", "server_error", "", "overloaded_error", "UNAVAILABLE"},
	{529, "", llm.Later, "Overloaded", "server_error", "", "overloaded_error", "UNAVAILABLE"},
}

// failure returns a fault with a message.
func failure(k faultKind, f llm.Fault, message string) *fault {
	return &fault{kind: k, message: message, err: llm.Error{Provider: Name, Fault: f, Err: errors.New(message)}}
}

// statusOf returns the refusal of a code that is in the table.
func statusOf(code int, about string) *status {
	i := slices.IndexFunc(statuses, func(s status) bool { return s.code == code && s.about == about })
	if i < 0 {
		return nil
	}
	return &statuses[i]
}

// refusal returns how a fault looks as an answer to the call. Where it is none, the vendor
// is overloaded.
func (f *fault) refusal() *status {
	switch {
	case f.status != nil:
		return f.status
	case f.kind != failing:
		return statusOf(http.StatusServiceUnavailable, "")
	}
	switch f.err.Fault {
	case llm.Later:
		return statusOf(http.StatusServiceUnavailable, "")
	case llm.Broken:
		return statusOf(http.StatusUnauthorized, "")
	case llm.TooLong:
		return statusOf(http.StatusBadRequest, "long")
	}
	return statusOf(http.StatusBadRequest, "")
}

// say returns the message of a fault, or the usual one. Where the request is too long there
// is none: long is how the vendor says it, which its clients look for.
func (f *fault) say(usual, long string) string {
	switch {
	case usual == "" && f.message != "":
		return long + " (" + f.message + ")"
	case usual == "":
		return long
	case f.message != "":
		return f.message
	}
	return usual
}

// readStatus reads what follows "status": CODE, "quota" or "long", "retry-after
// DURATION", and a quoted message, of which all but the code may be missing.
func readStatus(rest string) (*fault, error) {
	f := &fault{kind: refused}
	word, rest := cutWord(rest)
	code, err := strconv.Atoi(word)
	if err != nil || statusOf(code, "") == nil {
		return nil, fmt.Errorf("%q is no status; write one of %s", word, codes())
	}
	about := ""
	for rest != "" && f.message == "" {
		word, next := cutWord(rest)
		switch {
		case word == "retry-after":
			word, next = cutWord(next)
			if f.after, err = duration("status 429 retry-after", word); err != nil {
				return nil, err
			}
		case statusOf(code, word) != nil && about == "":
			about = word
		default:
			if f.message, err = strconv.Unquote(rest); err != nil || f.message == "" {
				return nil, fmt.Errorf("%q is not understood; write \"status 429 retry-after 2s\", \"status 429 quota\", \"status 400 long\" or \"status %d \\\"message\\\"\"", rest, code)
			}
		}
		rest = next
	}
	f.status = statusOf(code, about)
	why := f.say(f.status.message, "The request is too long.")
	f.err = llm.Error{Provider: Name, Fault: f.status.fault, Status: code, After: f.after,
		Err: errors.New("HTTP " + strconv.Itoa(code) + ": " + why)}
	return f, nil
}

// codes lists the statuses that a script may use.
func codes() string {
	var all []string
	for _, s := range statuses {
		if s.about == "" {
			all = append(all, strconv.Itoa(s.code))
		}
	}
	return strings.Join(all, ", ")
}

func cutWord(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, " ")
	return word, strings.TrimSpace(rest)
}

// seconds writes a duration as retry-after wants it: whole seconds, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
