package prompt_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/prompt"
)

var update = flag.Bool("update", false, "rewrite want in testdata")

// TestPrompts compares whole prompts with testdata. The sections of a file are
//
//	rules        lines of a word and its value, see input; optional
//	history      lines of a role and what was said; "\n" is a line break; optional
//	doc TITLE    a passage; " > " parts the title from the headings; any number
//	question     what the customer asks
//	want         the prompt and its parts, written by go test -update
func TestPrompts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want := input(t, archive)
			got := shown(prompt.Build(in))
			if got == want {
				return
			}
			if !*update {
				t.Fatalf("the prompt differs (-update rewrites it):\n%s", cmp.Diff(want, got))
			}
			archive.Files = append(archive.Files[:len(archive.Files):len(archive.Files)], txtar.File{Name: "want", Data: []byte(got)})
			if n := len(archive.Files); archive.Files[n-2].Name == "want" {
				archive.Files = append(archive.Files[:n-2], archive.Files[n-1])
			}
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// key is unguessable elsewhere.
const key = "7QKX2MBRT4ZVN6PWJ3HYD5CGLS"

func input(t *testing.T, archive *txtar.Archive) (in prompt.Input, want string) {
	t.Helper()
	in = prompt.Input{Company: "Kiesel Outdoor", Canary: "q7x2m9kd04vb", Nonce: key, Language: "en", Reply: 800}
	for _, f := range archive.Files {
		text := strings.TrimSuffix(string(f.Data), "\n")
		kind, title, _ := strings.Cut(f.Name, " ")
		switch kind {
		case "rules":
			for rule := range strings.Lines(text) {
				set(t, &in, strings.TrimSpace(rule))
			}
		case "history":
			for l := range strings.Lines(text) {
				role, said, _ := strings.Cut(strings.TrimSpace(l), " ")
				role, name, _ := strings.Cut(role, "/")
				in.History = append(in.History, chat.Message{Role: chat.Role(role), Name: name, Text: chat.Text(strings.ReplaceAll(said, `\n`, "\n"))})
			}
		case "doc":
			title, heading, _ := strings.Cut(title, " > ")
			in.Passages = append(in.Passages, chat.Passage{Title: title, Heading: heading, Text: chat.Text(text)})
		case "question":
			in.Question = chat.Text(text)
		case "want":
			want = string(f.Data)
		default:
			t.Fatalf("there is no section %q", f.Name)
		}
	}
	return in, want
}

func set(t *testing.T, in *prompt.Input, rule string) {
	t.Helper()
	word, value, _ := strings.Cut(rule, " ")
	switch word {
	case "name":
		in.Name = value
	case "persona":
		in.Persona = value
	case "language":
		in.Language = value
	case "languages":
		in.Languages = strings.Fields(value)
	case "tell":
		in.Tell = append(in.Tell, value)
	case "instructions":
		in.Instructions = strings.ReplaceAll(value, `\n`, "\n")
	case "handover":
		in.Handover = value
	case "model":
		in.Counter = prompt.CounterOf(value)
	case "budget":
		if _, err := fmt.Sscan(value, &in.Budget); err != nil {
			t.Fatal(err)
		}
	case "handoff":
		in.HandOff = true
	case "blind":
		in.Blind = true
	default:
		t.Fatalf("there is no rule %q", rule)
	}
}

func shown(req llm.Request, parts []chat.Part) string {
	var b strings.Builder
	for _, s := range req.System {
		fmt.Fprintf(&b, "== system%s\n%s\n", cached(s.Cache), s.Text)
	}
	for _, m := range req.Messages {
		fmt.Fprintf(&b, "== %s%s\n%s\n", m.Role, cached(m.Cache), m.Text)
	}
	b.WriteString("== parts\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "%s %d", p.Name, p.Tokens)
		if p.Cut > 0 {
			fmt.Fprintf(&b, ", cut %d", p.Cut)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func cached(c bool) string {
	if c {
		return " (cached)"
	}
	return ""
}
