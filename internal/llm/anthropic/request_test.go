package anthropic

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// requests are what is asked in testdata/requests.txt.
var requests = []struct {
	name  string
	req   llm.Request
	extra map[string]any
}{
	{name: "smallest", req: llm.Request{Model: "claude-a", Messages: []llm.Message{{Role: llm.User, Text: "Hello"}}}},
	{name: "said", req: llm.Request{
		Model: "claude-a", MaxTokens: 300,
		Messages: []llm.Message{{Role: llm.User, Text: "Can I send it back?"}},
		Said:     "You can,", GoOn: "Go on behind these words.",
	}},
	{name: "the last four marks win", req: llm.Request{
		Model: "claude-a",
		System: []llm.Block{
			{Text: "You answer customers <politely>.", Cache: true}, {Text: " \n", Cache: true},
			{Text: "The shop sells shoes.", Cache: true}, {Text: "Today is Friday."},
		},
		Messages: []llm.Message{
			{Role: llm.User, Text: "Hello", Cache: true}, {Role: llm.Assistant, Text: "Hello!", Cache: true},
			{Role: llm.User, Text: "Boots?", Cache: true},
		},
	}},
	{name: "calls and results", req: llm.Request{
		Model: "claude-a",
		Tools: []llm.Tool{
			{Name: "order", Description: "Looks up an order.", Parameters: json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"}}}`)},
			{Name: "clock"},
		},
		Messages: []llm.Message{
			{Role: llm.User, Text: "Where are my orders?"},
			{Role: llm.Assistant, Provider: "anthropic", Text: "I will look.",
				Opaque: []json.RawMessage{json.RawMessage(`{"type":"thinking","thinking":"<two>","signature":"c2ln"}`), json.RawMessage(`{"type":"redacted_thinking","data":"aGlk"}`)},
				Calls: []llm.Call{
					{ID: "toolu_1", Name: "order", Arguments: json.RawMessage(`{"id":"7"}`)},
					{ID: "functions.clock:1", Name: "clock"},
				}},
			{Role: llm.User, Results: []llm.Result{{Call: "toolu_1", Name: "order", Text: "shipped"}}},
			{Role: llm.User, Text: "And quickly."},
			{Role: llm.User, Results: []llm.Result{{Call: "functions.clock:1", Name: "clock", Text: "no clock", Failed: true}}, Cache: true},
		},
	}},
	{name: "another vendor's message", req: llm.Request{
		Model: "claude-a",
		Messages: []llm.Message{
			{Role: llm.User, Text: "Where is it?"},
			{Role: llm.Assistant, Provider: "openai", Opaque: []json.RawMessage{json.RawMessage(`{"id":"rs_1"}`)}},
			{Role: llm.Assistant, Provider: "gemini", Opaque: []json.RawMessage{json.RawMessage(`{"x":1}`)}, Text: "On its way."},
			{Role: llm.User, Text: "When?"},
		},
	}},
	{name: "a shape and extra fields", req: llm.Request{
		Model: "claude-a", MaxTokens: 500,
		Messages: []llm.Message{{Role: llm.User, Text: "Sort this."}},
		Schema:   &llm.Schema{Name: "sorted", Schema: json.RawMessage(`{"type":"object","properties":{"topic":{"type":"string"}},"required":["topic"],"additionalProperties":false}`)},
	}, extra: map[string]any{
		"max_tokens":     8000,
		"thinking":       map[string]any{"type": "enabled", "budget_tokens": 2000},
		"output_config":  map[string]any{"effort": "low"},
		"stop_sequences": nil,
	}},
}

// TestRequests compares the bodies that are sent with testdata/requests.txt, and holds
// them to the vendor's schema where there is one on this machine.
func TestRequests(t *testing.T) {
	const file = "testdata/requests.txt"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	archive.Files = nil
	for _, tt := range requests {
		p := configured(t, wire.Config{Extra: tt.extra})
		body, err := encode(tt.req, p.Name(), p.extra)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, append(body, '\n'), "", "  "); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		archive.Files = append(archive.Files, txtar.File{Name: tt.name, Data: got.Bytes()})
		if diff := cmp.Diff(want[tt.name], got.String()); diff != "" && !*update {
			t.Errorf("%s: (-want +got):\n%s", tt.name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRequestsFitTheSchema(t *testing.T) {
	schema := requestSchema(t)
	for _, tt := range requests {
		p := configured(t, wire.Config{Extra: tt.extra})
		body, err := encode(tt.req, p.Name(), p.extra)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, body)
	}
}

func requestSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(wiretest.Shared(t, "anthropic/messages.request.schema.json") + "#/definitions/MessageCreateParamsStreaming")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, body []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("the request\n%s\ndoes not fit: %v", body, err)
	}
}
