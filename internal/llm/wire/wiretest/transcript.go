package wiretest

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
)

// Fixed returns a client that gets the same bytes for every request, without a network.
func Fixed(media string, body []byte) *http.Client {
	return Body(media, func() io.Reader { return bytes.NewReader(body) })
}

// Play answers every request with body, in pieces.
func Play(status int, headers map[string]string, body string, seed uint64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range headers {
			if !strings.EqualFold(k, "Transfer-Encoding") { // which package http does itself
				w.Header().Set(k, v)
			}
		}
		w.WriteHeader(status)
		Pieces(w, seed, body)
	}
}

// Transcript is what a stream yielded, in a form to compare.
type Transcript struct {
	Lines          []string // a line for each chunk, and one for the error
	Text, Thinking string
	Calls          []string
	Opaque         []string
	Early, Usage   *chat.Usage // the first that came, and that of the last chunk
	Finish         llm.Finish
	Declined       string
	Err            error
}

// Transcribe reads a stream to its end and fails the test if it breaks a promise of
// llm.Provider.
func Transcribe(t testing.TB, stream iter.Seq2[llm.Chunk, error]) (r Transcript) {
	t.Helper()
	for c, err := range stream {
		if r.Finish != "" || r.Err != nil {
			t.Fatalf("the stream goes on behind its end:\n%s\nwith %+v, %v", strings.Join(r.Lines, "\n"), c, err)
		}
		if r.Err = err; err != nil {
			r.Lines = append(r.Lines, FaultLine(err))
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
	if r.Finish == "" && r.Err == nil {
		t.Fatalf("the stream has no end:\n%s", strings.Join(r.Lines, "\n"))
	}
	return r
}

func isObject(data []byte) bool {
	v, ok := wire.Parse(data)
	return ok && v.IsObject()
}

func (r *Transcript) add(c llm.Chunk) {
	r.Text += c.Text
	r.Thinking += c.Thinking
	r.Finish, r.Declined, r.Usage = c.Finish, c.Declined, c.Usage
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
		r.Calls = append(r.Calls, call)
		line = append(line, "call "+c.Call.ID+" "+call)
	}
	if c.Opaque != nil {
		r.Opaque = append(r.Opaque, string(c.Opaque))
		line = append(line, "opaque "+string(c.Opaque))
	}
	if c.Finish != "" {
		line = append(line, "finish "+string(c.Finish))
	}
	if c.Declined != "" {
		line = append(line, fmt.Sprintf("declined %q", c.Declined))
	}
	if c.Usage != nil {
		if r.Early == nil {
			r.Early = c.Usage
		}
		line = append(line, UsageLine(c.Usage))
	}
	r.Lines = append(r.Lines, strings.Join(line, " "))
}

// UsageLine writes input (of it cached, written) and output.
func UsageLine(u *chat.Usage) string {
	return fmt.Sprintf("usage %d(%d,%d)+%d", u.Input, u.Cached, u.Written, u.Output)
}

// FaultLine writes what an error of a provider says.
func FaultLine(err error) string {
	var e *llm.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("error %s %d %s: %v", e.Fault, e.Status, e.After, e)
	}
	return "error " + err.Error()
}

// Shared is a file or folder of the vendors' specifications. They are not part of this
// repository: they lie beside it on the machines that have them.
func Shared(t *testing.T, path string) string {
	t.Helper()
	path = "../../../../shared/specs/" + path
	if _, err := os.Stat(path); err != nil {
		t.Skipf("there is no shared data on this machine: %v", err)
	}
	return path
}
