package llmtest_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/anthropic"
	"github.com/answerable/answerable/internal/llm/gemini"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/llm/openai"
	"github.com/answerable/answerable/internal/llm/wire"
)

// TestProviders checks that a script means the same in process and to the providers that
// read it off the wire.
func TestProviders(t *testing.T) {
	request := llm.Request{
		Model: "m", MaxTokens: 100, Question: "Why?",
		Messages: []llm.Message{{Role: llm.User, Text: "Why?"}},
		Tools:    []llm.Tool{{Name: "order", Parameters: []byte(`{"type":"object"}`)}, {Name: "shop", Parameters: []byte(`{"type":"object"}`)}},
	}
	for _, script := range []string{
		"You said: {{question}}",
		"think \"Hm, let me see.\"\nBecause.\nusage 120 40 100",
		"One moment.\ncall order {\"id\": \"7\", \"lines\": [1, 2]}\ncall shop",
		"Half a\nfinish length",
		"Half a\ncut",
		"cut",
		"Half a\nlate-error \"busy\"",
		"late-error \"busy\"",
		"Half a\nreset",
		"Half a\nhalf",
		"Half a\ngiant",
		"Half a\nnonsense",
		"slow 1ms\nttft 1ms\nhtml",
		"error later \"x\"", "error elsewhere \"x\"", "error broken \"x\"", "error too_long \"x\"",
		"Half a\nerror later \"x\"",
		"status 400", "status 400 long", "status 401", "status 403", "status 404", "status 413",
		"status 429 retry-after 3s", "status 429 quota", "status 500", "status 503", "status 529",
	} {
		s, err := llmtest.Parse("script", script)
		if err != nil {
			t.Fatal(err)
		}
		want := heard(t, s.Provider(), request)
		for _, p := range overHTTP(t, s) {
			if got := heard(t, p, request); got != want {
				t.Errorf("%q over %s:\n%s\nin process:\n%s", script, p.Name(), got, want)
			}
		}
	}
}

// overHTTP returns the providers of all vendors, which speak to a fake of their own.
func overHTTP(t *testing.T, s *llmtest.Script) []llm.Provider {
	t.Helper()
	config := func() wire.Config {
		srv := httptest.NewServer(s.Handler())
		t.Cleanup(srv.Close)
		return wire.Config{Base: srv.URL, Key: "k", Client: wire.NewClient(5 * time.Second)}
	}
	o, err1 := openai.New(config())
	a, err2 := anthropic.New(config())
	g, err3 := gemini.New(config())
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return []llm.Provider{o, a, g}
}

// heard tells what a provider yields: text, thinking, calls without their ids, and how it
// ended.
func heard(t *testing.T, p llm.Provider, req llm.Request) string {
	t.Helper()
	var text, thinking, calls strings.Builder
	end := "cut"
	for c, err := range p.Stream(t.Context(), req) {
		var e *llm.Error
		switch {
		case errors.Is(err, llm.ErrTruncated): // a provider may say so, or end
			continue
		case errors.As(err, &e):
			end = fmt.Sprintf("%s after %v", e.Fault, e.After)
			continue
		case err != nil:
			end = err.Error()
			continue
		}
		text.WriteString(c.Text)
		thinking.WriteString(c.Thinking)
		if c.Call != nil {
			fmt.Fprintf(&calls, " %s(%s)", c.Call.Name, c.Call.Arguments)
		}
		if c.Finish != "" {
			end = string(c.Finish)
		}
	}
	return fmt.Sprintf("%q (%q)%s %s", text.String(), thinking.String(), calls.String(), end)
}
