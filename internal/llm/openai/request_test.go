package openai

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

var (
	orderTool = llm.Tool{Name: "order", Description: "Looks an order up.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`)}
	pairSchema = json.RawMessage(`{"type":"object","properties":{"ok":{"type":"boolean"},"why":{"type":"array","items":{"type":"string"}}},"required":["ok","why"],"additionalProperties":false}`)
)

var requests = []struct {
	name   string
	config wire.Config
	req    llm.Request
	want   string
}{
	{name: "a question", config: wire.Config{Base: "http://localhost:8000"},
		req:  llm.Request{Model: "m", Messages: []llm.Message{{Role: llm.User, Text: "Hi \"you\"\n\x00 \xff日本"}}},
		want: `{"model":"m","messages":[{"role":"user","content":"Hi \"you\"\n\u0000 ` + "\uFFFD" + `日本"}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":1024}`},
	{name: "instructions, and going on",
		req: llm.Request{Model: "m", System: []llm.Block{{Text: "Be brief.", Cache: true}, {}, {Text: "Be kind."}},
			Messages: []llm.Message{{Role: llm.User, Text: "a"}, {Role: llm.Assistant, Text: "b"}, {Role: llm.User, Text: "c"}},
			Said:     "It is", GoOn: "Go on.", MaxTokens: 300, Logprobs: true},
		want: `{"model":"m","messages":[{"role":"system","content":"Be brief.\n\nBe kind."},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"It is"},{"role":"user","content":"Go on."}],"stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":300,"logprobs":true}`},
	{name: "tools",
		req: llm.Request{Model: "m", Tools: []llm.Tool{orderTool, {Name: "clock"}}, Messages: []llm.Message{
			{Role: llm.User, Text: "Where is 7?"},
			{Role: llm.Assistant, Calls: []llm.Call{{ID: "c1", Name: "order", Arguments: json.RawMessage(`{"id":"7"}`)}, {ID: "c2", Name: "clock"}},
				Opaque: []json.RawMessage{json.RawMessage(`{"of":"another vendor"}`)}, Provider: "anthropic"},
			{Role: llm.User, Results: []llm.Result{{Call: "c1", Name: "order", Text: "shipped"}, {Call: "c2", Name: "clock", Text: "no clock", Failed: true}}},
			{Role: llm.Assistant, Text: "Let me see.", Calls: []llm.Call{{ID: "c3", Name: "clock", Arguments: json.RawMessage(`{}`)}}},
			{Role: llm.User, Text: "Well?", Results: []llm.Result{{Call: "c3", Name: "clock"}}},
		}},
		want: `{"model":"m","messages":[{"role":"user","content":"Where is 7?"},` +
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"order","arguments":"{\"id\":\"7\"}"}},{"id":"c2","type":"function","function":{"name":"clock","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"c1","content":"shipped"},{"role":"tool","tool_call_id":"c2","content":"no clock"},` +
			`{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"c3","type":"function","function":{"name":"clock","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"c3","content":""},{"role":"user","content":"Well?"}],` +
			`"stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":1024,` +
			`"tools":[{"type":"function","function":{"name":"order","description":"Looks an order up.","parameters":` + string(orderTool.Parameters) + `}},{"type":"function","function":{"name":"clock"}}]}`},
	{name: "a shape", req: llm.Request{Model: "m", Schema: &llm.Schema{Name: "verdict", Schema: pairSchema}, Messages: []llm.Message{{Role: llm.User, Text: "a"}}},
		want: `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":1024,"response_format":{"type":"json_schema","json_schema":{"name":"verdict","schema":` + string(pairSchema) + `,"strict":true}}}`},
	{name: "a shape that is not strict", req: llm.Request{Model: "m", Schema: &llm.Schema{Schema: orderTool.Parameters}, Messages: []llm.Message{{Role: llm.User, Text: "a"}}},
		want: `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":1024,"response_format":{"type":"json_schema","json_schema":{"name":"reply","schema":` + string(orderTool.Parameters) + `}}}`},
	{name: "fields of the operator", config: wire.Config{Extra: map[string]any{"temperature": 0.2, "stream_options": nil, "reasoning_effort": "low", "max_tokens": 99}},
		req:  llm.Request{Model: "m", MaxTokens: 7, Messages: []llm.Message{{Role: llm.User, Text: "a"}}},
		want: `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true,"max_tokens":99,"reasoning_effort":"low","temperature":0.2}`},
	{name: "an option beside ours", config: wire.Config{Extra: map[string]any{"stream_options": map[string]any{"include_obfuscation": false}}},
		req:  llm.Request{Model: "m", Messages: []llm.Message{{Role: llm.User, Text: "a"}}},
		want: `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true,"max_completion_tokens":1024,"stream_options":{"include_obfuscation":false,"include_usage":true}}`},
}

func TestRequests(t *testing.T) {
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := provider(t, tt.config).encode(tt.req)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !json.Valid(got) {
				t.Error("this is not JSON")
			}
		})
	}
}

func TestRequestWithoutModel(t *testing.T) {
	got, _ := provider(t, wire.Config{}).encode(llm.Request{})
	if strings.Contains(string(got), "model") || !json.Valid(got) {
		t.Errorf("got %s", got)
	}
}

// specification is OpenAI's own, where this machine has it.
const specification = "../../../../shared/specs/openai/openapi.json"

// TestRequestsAgainstSpecification holds what we send to the vendor's schema.
func TestRequestsAgainstSpecification(t *testing.T) {
	data, err := os.ReadFile(specification)
	if err != nil {
		t.Skipf("there is no specification on this machine: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("openapi.json#/components/schemas/CreateChatCompletionRequest")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := provider(t, tt.config).encode(tt.req)
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Error(err)
			}
		})
	}
	v, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"model":"m","messages":[{"role":"user"}]}`))
	if schema.Validate(v) == nil {
		t.Error("the schema accepts a message without content: it proves nothing")
	}
}

// BenchmarkEncode writes a request of a usual size.
func BenchmarkEncode(b *testing.B) {
	p := provider(b, wire.Config{})
	req := llm.Request{Model: "m", System: []llm.Block{{Text: strings.Repeat("Answer from the passages.\n", 200)}}, Tools: []llm.Tool{orderTool}}
	for range 10 {
		req.Messages = append(req.Messages, llm.Message{Role: llm.User, Text: strings.Repeat("Where is my parcel? ", 10)})
	}
	b.ReportAllocs()
	for b.Loop() {
		p.encode(req)
	}
}
