package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// provider returns a provider that asks a server which answers with handle.
func provider(t testing.TB, handle http.HandlerFunc) *Provider {
	t.Helper()
	return configured(t, wire.Config{Base: wiretest.Serve(t, handle), Key: wiretest.Key})
}

func configured(t testing.TB, c wire.Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// play answers every request with body, in pieces.
func play(status int, headers map[string]string, body string, seed uint64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range headers {
			if !strings.EqualFold(k, "Transfer-Encoding") { // which package http does itself
				w.Header().Set(k, v)
			}
		}
		w.WriteHeader(status)
		wiretest.Pieces(w, seed, body)
	}
}

// transport answers without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// offline returns a client that gets body as the answer to everything.
func offline(media string, body []byte) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {media}},
			Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
	})}
}

// reply is what a stream yielded.
type reply struct {
	lines          []string // a line for each chunk, and one for the error
	text, thinking string
	calls          []string
	opaque         []string
	early, usage   *chat.Usage
	finish         llm.Finish
	declined       string
	err            error
}

// collect reads a stream to its end and fails the test if it breaks a promise of
// llm.Provider.
func collect(t testing.TB, stream iter.Seq2[llm.Chunk, error]) (r reply) {
	t.Helper()
	for c, err := range stream {
		if r.finish != "" || r.err != nil {
			t.Fatalf("the stream goes on behind its end:\n%s\nwith %+v, %v", strings.Join(r.lines, "\n"), c, err)
		}
		if r.err = err; err != nil {
			r.lines = append(r.lines, faultLine(err))
			continue
		}
		if !utf8.ValidString(c.Text) {
			t.Fatalf("the text %q ends inside a code point", c.Text)
		}
		if c.Call != nil && !isObject(c.Call.Arguments) {
			t.Fatalf("the arguments of a call are %q, want an object", c.Call.Arguments)
		}
		r.add(c)
	}
	if r.finish == "" && r.err == nil {
		t.Fatalf("the stream has no end:\n%s", strings.Join(r.lines, "\n"))
	}
	return r
}

func isObject(data []byte) bool {
	v, ok := wire.Parse(data)
	return ok && v.IsObject()
}

func (r *reply) add(c llm.Chunk) {
	r.text += c.Text
	r.thinking += c.Thinking
	r.finish, r.declined, r.usage = c.Finish, c.Declined, c.Usage
	var line []string
	if c.Text != "" {
		line = append(line, fmt.Sprintf("text %q", c.Text))
	}
	if c.Thinking != "" {
		line = append(line, fmt.Sprintf("thinking %q", c.Thinking))
	}
	if c.Logprobs != nil {
		line = append(line, fmt.Sprintf("logprobs %v", c.Logprobs))
	}
	if c.Call != nil {
		var args bytes.Buffer
		json.Compact(&args, c.Call.Arguments)
		call := strings.TrimSpace(c.Call.Name + " " + args.String() + " " + c.Call.Signature)
		r.calls = append(r.calls, call)
		line = append(line, "call "+c.Call.ID+" "+call)
	}
	if c.Opaque != nil {
		r.opaque = append(r.opaque, string(c.Opaque))
		line = append(line, "opaque "+string(c.Opaque))
	}
	if c.Finish != "" {
		line = append(line, "finish "+string(c.Finish))
	}
	if c.Declined != "" {
		line = append(line, fmt.Sprintf("declined %q", c.Declined))
	}
	if c.Usage != nil {
		if r.early == nil {
			r.early = c.Usage
		}
		line = append(line, usageLine(c.Usage))
	}
	r.lines = append(r.lines, strings.Join(line, " "))
}

// usageLine writes input (of it cached, written) and output.
func usageLine(u *chat.Usage) string {
	return fmt.Sprintf("usage %d(%d,%d)+%d", u.Input, u.Cached, u.Written, u.Output)
}

func faultLine(err error) string {
	var e *llm.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("error %s %d %s: %v", e.Fault, e.Status, e.After, e)
	}
	return "error " + err.Error()
}

// shared is a folder that is not part of this repository: it lies beside it on the
// machines that have it.
func shared(t *testing.T, path string) string {
	t.Helper()
	path = "../../../../shared/specs/" + path
	if _, err := os.Stat(path); err != nil {
		t.Skipf("there is no shared data on this machine: %v", err)
	}
	return path
}
