package anthropic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// maxMarks is how many ends of what stays the same a request may mark.
const maxMarks = 4

// A request is the body of POST /v1/messages.
type request struct {
	Model     string     `json:"model"`
	MaxTokens int        `json:"max_tokens"`
	System    []*content `json:"system,omitempty"`
	Messages  []message  `json:"messages"`
	Tools     []tool     `json:"tools,omitempty"`
	Output    *output    `json:"output_config,omitempty"`
	Stream    bool       `json:"stream"`
}

type message struct {
	Role    llm.Role `json:"role"`
	Content []any    `json:"content"` // each a *content, or a json.RawMessage as it came
	results int      // how many of Content, its first, are results
}

// content is a block of text, a call or the result of one.
type content struct {
	Type   string          `json:"type"`
	Text   string          `json:"text,omitempty"`
	ID     string          `json:"id,omitempty"`
	Name   string          `json:"name,omitempty"`
	Input  json.RawMessage `json:"input,omitempty"`
	Call   string          `json:"tool_use_id,omitempty"`
	Result string          `json:"content,omitempty"`
	Failed bool            `json:"is_error,omitempty"`
	Cache  *kind           `json:"cache_control,omitempty"`
}

type kind struct {
	Type string `json:"type"`
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Input       json.RawMessage `json:"input_schema"`
}

type output struct {
	Format format `json:"format"`
}

type format struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

// encode returns the body that asks for a reply, with extra over its fields. provider is
// whose opaque blocks go along.
func encode(req llm.Request, provider string, extra map[string]json.RawMessage) ([]byte, error) {
	r := request{Model: req.Model, MaxTokens: cmp.Or(req.MaxTokens, 1024), Stream: true}
	var marks []*content
	for _, b := range req.System {
		if strings.TrimSpace(b.Text) == "" {
			continue // a 400 to the API
		}
		c := &content{Type: "text", Text: b.Text}
		r.System = append(r.System, c)
		if b.Cache {
			marks = append(marks, c)
		}
	}
	for _, m := range req.Conversation() {
		if c := r.add(m, provider); c != nil && m.Cache {
			marks = append(marks, c)
		}
	}
	for _, c := range marks[max(0, len(marks)-maxMarks):] {
		c.Cache = &kind{"ephemeral"}
	}
	for _, t := range req.Tools {
		r.Tools = append(r.Tools, tool{t.Name, t.Description, object(t.Parameters, `{"type":"object"}`)})
	}
	if req.Schema != nil {
		r.Output = &output{format{"json_schema", req.Schema.Schema}}
	}
	return wire.Over(r, extra)
}

// add appends a message to the request, to its last one if both are of the same role,
// and returns the last block that can be marked. Results come before everything else
// of their message: where they do not, the API refuses the request.
func (r *request) add(m llm.Message, provider string) *content {
	var results, rest []any
	var last *content
	for _, t := range m.Results {
		last = &content{Type: "tool_result", Call: callID(t.Call), Result: t.Text, Failed: t.Failed}
		results = append(results, last)
	}
	if m.Provider == provider {
		for _, o := range m.Opaque {
			rest = append(rest, o)
		}
	}
	if strings.TrimSpace(m.Text) != "" {
		last = &content{Type: "text", Text: m.Text}
		rest = append(rest, last)
	}
	for _, c := range m.Calls {
		last = &content{Type: "tool_use", ID: callID(c.ID), Name: c.Name, Input: object(c.Arguments, "{}")}
		rest = append(rest, last)
	}
	if len(results)+len(rest) == 0 {
		return nil
	}
	if n := len(r.Messages); n == 0 || r.Messages[n-1].Role != m.Role {
		r.Messages = append(r.Messages, message{Role: m.Role})
	}
	to := &r.Messages[len(r.Messages)-1]
	to.Content = append(slices.Insert(to.Content, to.results, results...), rest...)
	to.results += len(results)
	return last
}

// callID returns an ID with the characters that the API takes: other vendors' have more.
func callID(id string) string {
	return strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, cmp.Or(id, "call"))
}

func object(v json.RawMessage, empty string) json.RawMessage {
	if len(bytes.TrimSpace(v)) == 0 {
		return json.RawMessage(empty)
	}
	return v
}
