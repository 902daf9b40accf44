package llmtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sharedSpecs are the vendors' own descriptions of their APIs, which are not part of this
// repository: they lie beside it on the machines that have them.
const sharedSpecs = "../../../../shared/specs"

// TestSpecs checks everything that the scripts of testdata/wire put on the wire against
// the vendors' descriptions.
func TestSpecs(t *testing.T) {
	if _, err := os.Stat(sharedSpecs); err != nil {
		t.Skipf("there are no shared specs on this machine: %v", err)
	}
	const (
		openAI    = "openai/openapi.json#/components/schemas/"
		anthropic = "anthropic/messages.response.schema.json#/definitions/"
		gemini    = "gemini/generativelanguage-v1beta.schema.json#/$defs/"
	)
	c := jsonschema.NewCompiler()
	schema := func(at string) *jsonschema.Schema {
		s, err := c.Compile(filepath.Join(sharedSpecs, at))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	type schemas struct{ event, failure *jsonschema.Schema }
	contents := schema(gemini + "GenerateContentResponse")
	of := map[string]schemas{
		"openai stream":    {schema(openAI + "CreateChatCompletionStreamResponse"), schema(openAI + "ErrorResponse")},
		"openai whole":     {schema(openAI + "CreateChatCompletionResponse"), schema(openAI + "ErrorResponse")},
		"anthropic stream": {schema(anthropic + "AnthropicStreamEvent"), schema(anthropic + "AnthropicErrorResponse")},
		"anthropic whole":  {schema(anthropic + "Message"), schema(anthropic + "AnthropicErrorResponse")},
		"gemini stream":    {contents, nil}, // of errors it has no description
		"gemini array":     {contents, nil},
		"gemini whole":     {contents, nil},
	}
	checked := 0
	for name, archive := range wireFiles(t) {
		for _, f := range forms {
			resp, body := do(t, f.request(serve(t, string(archive.Files[0].Data)).URL, "q"))
			list := events(f, body)
			if resp.StatusCode != http.StatusOK {
				list = []json.RawMessage{body}
			}
			for _, e := range list {
				s := of[f.name].event
				if bytes.HasPrefix(e, []byte(`{"error"`)) || resp.StatusCode != http.StatusOK {
					s = of[f.name].failure
				}
				if s == nil {
					continue
				}
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(e))
				if err != nil {
					t.Fatalf("%s, %s: %v in %s", name, f.name, err, e)
				}
				if err := s.Validate(v); err != nil {
					t.Errorf("%s, %s: %s\n%v", name, f.name, e, err)
				}
				checked++
			}
		}
	}
	for format, at := range map[string]string{
		openAIFormat: openAI + "ListModelsResponse",
		geminiFormat: gemini + "ListModelsResponse",
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(models(format)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema(at).Validate(v); err != nil {
			t.Errorf("the models of %s: %v", format, err)
		}
	}
	t.Logf("%d values of %d scripts", checked, len(wireFiles(t)))
}
