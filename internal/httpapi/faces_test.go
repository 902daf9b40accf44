package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/llmtest"
	"github.com/answerable/answerable/internal/turn"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata")

// answeredBy has a second provider take over from the one of newServer's script, and
// gives the assistant a document.
func answeredBy(t testing.TB, passage string, scripts ...string) func(*httpapi.Server) {
	return func(s *httpapi.Server) {
		runner := *s.Inbox.Runner("demo")
		var providers []llm.Provider
		for i, text := range scripts {
			script, err := llmtest.Parse(fmt.Sprintf("script%d", i+1), text)
			must(t, err)
			providers = append(providers, named{script.Provider(), fmt.Sprintf("model%d", i+1)})
		}
		runner.Model = &llm.Client{Models: llm.Only(providers...)}
		if passage != "" {
			runner.Rules.Claims.Off = false
			runner.Knowledge = document1(passage)
		}
		s.Inbox.Runner = func(string) *turn.Runner { return &runner }
	}
}

// named is a provider under another name.
type named struct {
	llm.Provider
	name string
}

func (n named) Name() string { return n.name }

// document1 is a document of one passage, which every search finds.
type document1 string

func (d document1) Find(_ context.Context, q knowledge.Query) (knowledge.Found, error) {
	return knowledge.Found{Generation: "g1", Query: q.Text, Passages: []chat.Passage{{
		Document: "delivery.md", Generation: "g1", Title: "Delivery", Text: chat.Text(d), End: len([]rune(string(d))), Score: 1,
	}}}, nil
}

// TestFaces plays the files of testdata/faces. Their sections:
//
//	passage   what the documents say; optional
//	model     the answers of the first provider, in llmtest's format
//	other     those of the provider that takes over; optional
//	request   a line of method and path, lines of headers, an empty line, the body
//	want      what came back, written by go test -update
//
// A file may have several requests, each followed by its want.
func TestFaces(t *testing.T) {
	files, err := filepath.Glob("testdata/faces/*.txt")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("there are no files in testdata/faces")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playFace(t, file) })
	}
}

func playFace(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	must(t, err)
	var passage string
	var scripts []string
	for _, f := range archive.Files {
		switch text := strings.TrimSpace(string(f.Data)); f.Name {
		case "passage":
			passage = text
		case "model", "other":
			scripts = append(scripts, text)
		}
	}
	s := newServer(t, "", answeredBy(t, passage, scripts...))
	var got string
	for i, f := range archive.Files {
		switch f.Name {
		case "request":
			got = s.exchange(string(f.Data))
		case "want":
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if want := string(f.Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		}
	}
	if *update {
		must(t, os.WriteFile(file, txtar.Format(archive), 0o644))
	}
}

// exchange sends a request as it is written in a file and writes what came back.
func (s *server) exchange(request string) string {
	head, body, _ := strings.Cut(request, "\n\n")
	line, headers, _ := strings.Cut(head, "\n")
	method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
	var all []string
	if headers != "" {
		all = strings.Split(strings.TrimSpace(headers), "\n")
	}
	r := s.request(method, path, strings.TrimSpace(body), all...)
	var b bytes.Buffer
	fmt.Fprintln(&b, r.StatusCode, r.Header.Get("Content-Type"))
	for _, name := range []string{"X-Vercel-Ai-Ui-Message-Stream", "X-Answerable-Ignored", "X-Conversation-Id"} {
		if v := r.Header.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n")
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream"):
		for _, piece := range joined(dataLines(s, path, r.body)) {
			b.WriteString(piece + "\n")
		}
	default:
		checkFace(s.TB, path, r.StatusCode, r.body)
		b.WriteString(strings.TrimSpace(r.body) + "\n")
	}
	out := b.String()
	for _, v := range []struct{ pattern, name string }{
		{regexp.QuoteMeta(strings.TrimPrefix(s.URL, "http://")), "HOST"},
		{`\bt[0-9a-v]{26}\b`, "TURN"},
		{`\bc[0-9a-v]{26}\b`, "CONVERSATION"},
		{`"created":\d+`, `"created":0`},
		{`"(prompt|total)_tokens":[1-9]\d*`, `"${1}_tokens":"some"`}, // the prompt is not ours
	} {
		out = regexp.MustCompile(v.pattern).ReplaceAllString(out, v.name)
	}
	return out
}

// dataLines returns the data of a stream's events, each checked against its schema.
func dataLines(t testing.TB, path, body string) (lines []string) {
	for event := range strings.SplitSeq(body, "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok {
			continue // a comment, or the end
		}
		if data != "[DONE]" {
			checkFace(t, path, http.StatusOK, data)
		}
		lines = append(lines, data)
	}
	return lines
}

var (
	uiDelta     = regexp.MustCompile(`^(\{"type":"text-delta","id":"[^"]*","delta":")(.*)("\})$`)
	openAIDelta = regexp.MustCompile(`^(.*"delta":\{"content":")((?:[^"\\]|\\.)*)("\}.*)$`)
)

// joined joins the texts that follow each other: how they were cut is a matter of time.
func joined(lines []string) (out []string) {
	for _, line := range lines {
		for _, delta := range []*regexp.Regexp{uiDelta, openAIDelta} {
			if len(out) == 0 {
				break
			}
			before, now := delta.FindStringSubmatch(out[len(out)-1]), delta.FindStringSubmatch(line)
			if before != nil && now != nil && before[1] == now[1] && before[3] == now[3] {
				out, line = out[:len(out)-1], before[1]+before[2]+now[2]+now[3]
			}
		}
		out = append(out, line)
	}
	return out
}

// The protocols of others, as they describe them: they lie beside this repository on the
// machines that have them. The goldens hold without them.
const (
	openAISpec = "../../../shared/specs/openai/openapi.json"
	uiSpec     = "../../../shared/specs/ai-sdk-ui/ui-message-chunk.schema.json"
)

// checkFace checks a body, or a piece of a stream, against the schema of its protocol.
func checkFace(t testing.TB, path string, status int, body string) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	file, at := openAISpec, "#/components/schemas/"
	switch {
	case strings.HasPrefix(path, "/v1/ui"):
		if status != http.StatusOK {
			return // plain text
		}
		file, at = uiSpec, ""
	case status != http.StatusOK:
		at += "ErrorResponse"
	case path == "/v1/models":
		at += "ListModelsResponse"
	case strings.HasPrefix(path, "/v1/models/"):
		at += "Model"
	case strings.Contains(body, `"object":"chat.completion.chunk"`):
		at += "CreateChatCompletionStreamResponse"
	case strings.HasPrefix(body, `{"error":`):
		at += "ErrorResponse"
	default:
		at += "CreateChatCompletionResponse"
	}
	if _, err := os.Stat(file); err != nil {
		return
	}
	schema := compiled(t, file+at)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	must(t, err)
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s does not fit %s%s: %v", body, filepath.Base(file), at, err)
	}
}

var schemas sync.Map // *jsonschema.Schema by location: compiling one takes longer than most tests

func compiled(t testing.TB, location string) *jsonschema.Schema {
	t.Helper()
	if schema, ok := schemas.Load(location); ok {
		return schema.(*jsonschema.Schema)
	}
	schema, err := jsonschema.NewCompiler().Compile(location)
	must(t, err)
	schemas.Store(location, schema)
	return schema
}

// TestTheSchemasCatch makes sure that the schemas above are no blank cheques.
func TestTheSchemasCatch(t *testing.T) {
	for file, bad := range map[string]string{openAISpec + "#/components/schemas/CreateChatCompletionResponse": `{"id":"x"}`, uiSpec: `{"type":"text-delta","id":"1"}`} {
		path, _, _ := strings.Cut(file, "#")
		if _, err := os.Stat(path); err != nil {
			t.Skipf("there are no protocols of others on this machine: %v", err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		must(t, err)
		if compiled(t, file).Validate(v) == nil {
			t.Errorf("%s passes %s", bad, file)
		}
	}
}

// pieces reads a stream to its end as objects of a face.
func (s *stream) pieces() (all []map[string]any) {
	s.Helper()
	for _, e := range s.rest() {
		if e.Data == "[DONE]" {
			continue
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(e.Data), &v); err != nil {
			s.Fatalf("%s: %v", e.Data, err)
		}
		all = append(all, v)
	}
	return all
}
