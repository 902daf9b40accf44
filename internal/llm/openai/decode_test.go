package openai

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
	"github.com/answerable/answerable/internal/llm/wire/wiretest"
)

// TestReplies reads the bodies of testdata/replies.txtar.
func TestReplies(t *testing.T) {
	files := replies(t)
	for i := 0; i+1 < len(files); i += 2 {
		name, want := files[i].Name, string(files[i+1].Data)
		if files[i+1].Name != name+": want" {
			t.Fatalf("%q follows %q", files[i+1].Name, name)
		}
		t.Run(name, func(t *testing.T) {
			for range 2 { // the ids that are made up stay the same, too
				if got := show(t, stream(files[i])); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}

func replies(t testing.TB) []txtar.File {
	a, err := txtar.ParseFile("testdata/replies.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

// stream returns the body that a file stands for.
func stream(f txtar.File) string {
	if strings.HasSuffix(f.Name, ".json") {
		return string(f.Data)
	}
	var b strings.Builder
	for line := range strings.Lines(string(f.Data)) {
		line = strings.TrimSpace(line)
		if choice, ok := strings.CutPrefix(line, "+"); ok {
			line = `{"id":"r","object":"chat.completion.chunk","choices":[` + strings.Replace(choice, "{", `{"index":0,`, 1) + `]}`
		}
		b.WriteString("data: " + line + "\n\n")
	}
	return b.String()
}

// show returns what came of a body, as the files say it.
func show(t *testing.T, body string) string {
	p := provider(t, wire.Config{Base: wiretest.Serve(t, answers(200, "text/event-stream", body)), Key: wiretest.Key})
	r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.Thinking != "" {
		line("thinking %q", r.Thinking)
	}
	if r.Text != "" {
		line("text %q", r.Text)
	}
	if r.Logprobs != nil {
		line("logprobs %v", r.Logprobs)
	}
	ids := map[string]bool{}
	for _, c := range r.Calls {
		if ids[c.ID] {
			t.Errorf("two calls have the id %q", c.ID)
		}
		ids[c.ID] = true
		if len(c.ID) == 9 {
			c.ID = "9 signs"
		}
		line("call %s %s %s", c.ID, c.Name, c.Arguments)
	}
	if err != nil {
		f := wiretest.Failure(t, err)
		line("error %s: %s", f.Fault, strings.TrimPrefix(err.Error(), "openai: "))
		return b.String()
	}
	line("finish %s", r.Finish)
	if r.Declined != "" {
		line("declined %q", r.Declined)
	}
	if u := r.Usage; u != nil {
		line("usage %d in, %d out, %d cached, %d written", u.Input, u.Output, u.Cached, u.Written)
	}
	return b.String()
}

func TestMadeUpIDs(t *testing.T) {
	body := `{"id":"r","choices":[{"message":{"tool_calls":[{"function":{"name":"clock"}}]}}]}`
	id := func(body string, turn int) string {
		d := newDecoder(io.NopCloser(strings.NewReader(body)), turn)
		defer d.stop()
		c, err := d.next()
		if err != nil || c.Call == nil {
			t.Fatalf("%+v, %v, want a call", c, err)
		}
		return c.Call.ID
	}
	first := id(body, 1)
	if id(body, 1) != first {
		t.Error("the same reply has other ids when it is read again")
	}
	if id(body, 3) == first || id(strings.Replace(body, `"r"`, `"s"`, 1), 1) == first {
		t.Error("another reply has the same id")
	}
}

// TestHeld: a server cannot make us keep more than any reply needs.
func TestHeld(t *testing.T) {
	for name, event := range map[string]string{
		"arguments": `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"` + strings.Repeat("x", 1<<16) + `"}}]}}]}` + "\n\n",
		"calls":     `data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"x"}},{"function":{"name":"x"}}]}}]}` + "\n\n",
		"refusal":   `data: {"choices":[{"delta":{"refusal":"` + strings.Repeat("x", 1<<16) + `"}}]}` + "\n\n",
	} {
		d := newDecoder(io.NopCloser(&endless{text: event}), 0)
		if _, err := d.next(); !errors.Is(err, errHeld) {
			t.Errorf("%s: error = %v, want %v", name, err, errHeld)
		}
	}
}

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// FuzzDecode: whatever a server sends, the reply ends once, in UTF-8, with whole calls.
func FuzzDecode(f *testing.F) {
	for _, file := range replies(f) {
		f.Add(stream(file))
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := provider(t, wire.Config{Client: wiretest.Body("text/event-stream", func() io.Reader { return strings.NewReader(body) })})
		r, err := wiretest.Collect(t.Context(), t, p, wiretest.Ask)
		for _, c := range r.Calls {
			if c.ID == "" || c.Name == "" || !isObject(c.Arguments) {
				t.Errorf("the call %+v is not whole", c)
			}
		}
		if err == nil && (r.Finish == llm.Calls) != (len(r.Calls) > 0) {
			t.Errorf("%d calls, but the finish is %s", len(r.Calls), r.Finish)
		}
	})
}

// BenchmarkDecode reads a stream of 60 pieces of text, as OpenAI sends them.
func BenchmarkDecode(b *testing.B) {
	const pieces = 60
	head := `data: {"id":"chatcmpl-A1b2C3d4E5f6G7h8I9j0K1l2M3n4O","object":"chat.completion.chunk","created":1770000000,"model":"model-1-2026-01-01","service_tier":"default","system_fingerprint":"fp_0123456789",`
	var s strings.Builder
	for range pieces {
		s.WriteString(head + `"choices":[{"index":0,"delta":{"content":" parcel"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aB3dE6gH"}` + "\n\n")
	}
	s.WriteString(head + `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}` + "\n\n")
	s.WriteString(head + `"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":60,"total_tokens":960}}` + "\n\ndata: [DONE]\n\n")
	b.ReportAllocs()
	for b.Loop() {
		d := newDecoder(io.NopCloser(strings.NewReader(s.String())), 1)
		n := 0
		for {
			c, err := d.next()
			if err != nil {
				b.Fatal(err)
			}
			if c.Finish == llm.Stop {
				break
			}
			n++
		}
		d.stop()
		if n != pieces {
			b.Fatalf("%d chunks, want %d", n, pieces)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pieces, "ns/chunk")
}

func file(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
