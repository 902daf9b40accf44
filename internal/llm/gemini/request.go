package gemini

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// A request is the body of POST /v1beta/models/{model}:streamGenerateContent.
type request struct {
	System   *content  `json:"systemInstruction,omitempty"`
	Contents []content `json:"contents"`
	Tools    []tools   `json:"tools,omitempty"`
	Config   config    `json:"generationConfig"`
}

type content struct {
	Role    string `json:"role,omitempty"`
	Parts   []part `json:"parts"`
	results int    // how many of Parts, its first, are results
}

// part is a text, a call or the result of one.
type part struct {
	Text      string  `json:"text,omitempty"`
	Call      *call   `json:"functionCall,omitempty"`
	Result    *result `json:"functionResponse,omitempty"`
	Signature string  `json:"thoughtSignature,omitempty"`
}

type call struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type result struct {
	ID       string   `json:"id,omitempty"`
	Name     string   `json:"name"`
	Response response `json:"response"`
}

type response struct {
	Output *string `json:"output,omitempty"`
	Error  *string `json:"error,omitempty"`
}

type tools struct {
	Functions []function `json:"functionDeclarations"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type config struct {
	MaxTokens int             `json:"maxOutputTokens"`
	MimeType  string          `json:"responseMimeType,omitempty"`
	Schema    json.RawMessage `json:"responseJsonSchema,omitempty"`
	Logprobs  bool            `json:"responseLogprobs,omitempty"`
}

// unsigned is what stands for the signature of a call that was not made by this model:
// from Gemini 3 on, a call without a signature is refused
// (https://ai.google.dev/gemini-api/docs/thought-signatures).
const unsigned = "skip_thought_signature_validator"

// encode returns the body that asks for a reply, with extra over its fields. provider is
// whose signatures go along.
func encode(req llm.Request, provider string, extra map[string]json.RawMessage) ([]byte, error) {
	r := request{Config: config{MaxTokens: cmp.Or(req.MaxTokens, 1024), Logprobs: req.Logprobs}}
	for _, b := range req.System {
		if strings.TrimSpace(b.Text) == "" {
			continue
		}
		if r.System == nil {
			r.System = &content{}
		}
		r.System.Parts = append(r.System.Parts, part{Text: b.Text})
	}
	for _, m := range req.Conversation() {
		r.add(m, provider, signs(req.Model))
	}
	for _, t := range req.Tools {
		if r.Tools == nil {
			r.Tools = make([]tools, 1)
		}
		r.Tools[0].Functions = append(r.Tools[0].Functions, function{t.Name, t.Description, t.Parameters})
	}
	if req.Schema != nil {
		r.Config.MimeType, r.Config.Schema = "application/json", req.Schema.Schema
	}
	return wire.Over(r, extra)
}

// signs reports whether a model wants signatures.
func signs(model string) bool {
	model = strings.TrimPrefix(model, "models/")
	return !strings.HasPrefix(model, "gemini-1") && !strings.HasPrefix(model, "gemini-2")
}

// add appends a message to the request, to its last one if both are of the same role.
// Results come before everything else of their message.
func (r *request) add(m llm.Message, provider string, sign bool) {
	var results, rest []part
	for _, t := range m.Results {
		out := &result{ID: t.Call, Name: t.Name}
		if t.Failed {
			out.Response.Error = &t.Text
		} else {
			out.Response.Output = &t.Text
		}
		results = append(results, part{Result: out})
	}
	if strings.TrimSpace(m.Text) != "" {
		rest = append(rest, part{Text: m.Text})
	}
	for i, c := range m.Calls {
		p := part{Call: &call{ID: c.ID, Name: c.Name, Args: c.Arguments}}
		if len(bytes.TrimSpace(c.Arguments)) == 0 {
			p.Call.Args = json.RawMessage("{}")
		}
		if m.Provider == provider {
			p.Signature = c.Signature
		}
		if p.Signature == "" && i == 0 && sign {
			p.Signature = unsigned // of calls made together only the first has one
		}
		rest = append(rest, p)
	}
	if len(results)+len(rest) == 0 {
		return
	}
	role := "user"
	if m.Role == llm.Assistant {
		role = "model"
	}
	if n := len(r.Contents); n == 0 || r.Contents[n-1].Role != role {
		r.Contents = append(r.Contents, content{Role: role})
	}
	to := &r.Contents[len(r.Contents)-1]
	to.Parts = append(slices.Insert(to.Parts, to.results, results...), rest...)
	to.results += len(results)
}
