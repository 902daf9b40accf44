package gemini

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
	{name: "smallest", req: llm.Request{Model: "gemini-2.5-flash", Messages: []llm.Message{{Role: llm.User, Text: "Hello"}}}},
	{name: "said", req: llm.Request{
		Model: "gemini-2.5-flash", MaxTokens: 300, Logprobs: true,
		System:   []llm.Block{{Text: "You answer customers <politely>.", Cache: true}, {Text: " \n"}, {Text: "Today is Friday."}},
		Messages: []llm.Message{{Role: llm.User, Text: "Can I send it back?"}},
		Said:     "You can,", GoOn: "Go on behind these words.",
	}},
	{name: "calls and results", req: llm.Request{
		Model: "gemini-3-pro",
		Tools: []llm.Tool{
			{Name: "order", Description: "Looks up an order.", Parameters: json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"}},"additionalProperties":false}`)},
			{Name: "clock"},
		},
		Messages: []llm.Message{
			{Role: llm.User, Text: "Where are my orders?"},
			{Role: llm.Assistant, Provider: "gemini", Text: "I will look.", Opaque: []json.RawMessage{json.RawMessage(`{"x":1}`)},
				Calls: []llm.Call{
					{ID: "call_1", Name: "order", Arguments: json.RawMessage(`{"id":"7"}`), Signature: "c2ln"},
					{ID: "call_2", Name: "clock"},
				}},
			{Role: llm.User, Results: []llm.Result{{Call: "call_1", Name: "order", Text: "shipped"}}},
			{Role: llm.User, Text: "And quickly."},
			{Role: llm.User, Results: []llm.Result{{Call: "call_2", Name: "clock", Text: "no clock", Failed: true}}},
		},
	}},
	{name: "another vendor's calls", req: llm.Request{Model: "gemini-3-pro", Messages: theirs}},
	{name: "another vendor's calls, before there were signatures", req: llm.Request{Model: "models/gemini-2.5-flash", Messages: theirs}},
	{name: "a shape and extra fields", req: llm.Request{
		Model: "gemini-2.5-flash", MaxTokens: 500,
		Messages: []llm.Message{{Role: llm.User, Text: "Sort this."}},
		Schema:   &llm.Schema{Name: "sorted", Schema: json.RawMessage(`{"type":"object","properties":{"topic":{"type":"string"}},"required":["topic"]}`)},
	}, extra: map[string]any{
		"generationConfig": map[string]any{"temperature": 0.2, "maxOutputTokens": nil, "thinkingConfig": map[string]any{"thinkingBudget": 0}},
		"safetySettings":   []any{map[string]any{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}},
	}},
}

// theirs is a conversation with calls that another vendor's model made.
var theirs = []llm.Message{
	{Role: llm.User, Text: "Where is it?"},
	{Role: llm.Assistant, Provider: "anthropic", Calls: []llm.Call{
		{ID: "toolu_1", Name: "order", Arguments: json.RawMessage(`{"id":"7"}`), Signature: "theirs"},
		{ID: "toolu_2", Name: "clock", Arguments: json.RawMessage(`{}`)},
	}},
	{Role: llm.User, Results: []llm.Result{{Call: "toolu_1", Name: "order", Text: ""}, {Call: "toolu_2", Name: "clock", Text: "noon"}}},
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

// requestSchema returns the vendor's schema, made strict: the API refuses fields that it
// does not know, and the file only marks what a request must have.
func requestSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(wiretest.Shared(t, "gemini/generativelanguage-v1beta.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	defs := doc.(map[string]any)["$defs"].(map[string]any)
	for _, def := range defs {
		def := def.(map[string]any)
		if _, ok := def["properties"]; ok {
			def["additionalProperties"] = false
		}
		if required, ok := def["x-required-in-requests"]; ok {
			def["required"] = required
		}
	}
	thinking := defs["ThinkingConfig"].(map[string]any)["properties"].(map[string]any)
	thinking["thinkingLevel"] = map[string]any{"type": "string"} // newer than the file
	c := jsonschema.NewCompiler()
	if err := c.AddResource("gemini.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("gemini.json#/$defs/GenerateContentRequest")
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
