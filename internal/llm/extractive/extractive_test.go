package extractive

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata")

// TestAnswers asks the questions of testdata; its README says how a file is written.
func TestAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var req llm.Request
			for i, f := range archive.Files {
				name, rest, _ := strings.Cut(f.Name, " ")
				text := chat.Text(strings.TrimSuffix(string(f.Data), "\n"))
				switch name {
				case "passage":
					rest, updated, _ := strings.Cut(rest, " (updated ")
					title, heading, _ := strings.Cut(rest, " > ")
					req.Passages = append(req.Passages, chat.Passage{Title: title, Heading: heading, Text: text, Updated: strings.TrimSuffix(updated, ")")})
				case "customer":
					req.History = append(req.History, chat.Message{Role: chat.Customer, Text: text})
				case "assistant":
					req.History = append(req.History, chat.Message{Role: chat.Assistant, Text: text})
				case "handover":
					req.Handover = string(text)
				case "said":
					req.Said = text
				case "ask":
					req.Question, req.Language = text, rest
				case "want":
					got := stream(t, req)
					checkQuotes(t, req, got)
					if got == linesOf(req.Language).nothing && req.Language == "en" {
						got = "(nothing)"
					}
					if *update {
						archive.Files[i].Data = []byte(got + "\n")
					} else if got != string(text) {
						t.Errorf("%s\ngot\n%s\nwant\n%s", req.Question, got, text)
					}
				default:
					t.Fatalf("%s has no use for a section %q", file, f.Name)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// stream returns the whole reply and checks that it keeps the contract of a provider.
func stream(t *testing.T, req llm.Request) string {
	t.Helper()
	var b strings.Builder
	var finish llm.Finish
	for c, err := range New().Stream(t.Context(), req) {
		if err != nil {
			t.Fatalf("Stream = %v", err)
		}
		if finish != "" {
			t.Fatalf("%+v after the finish", c)
		}
		if !utf8.ValidString(c.Text) {
			t.Errorf("chunk %q is cut inside a code point", c.Text)
		}
		b.WriteString(c.Text)
		finish = c.Finish
	}
	text := b.String()
	want := llm.Stop
	for _, l := range allLines {
		if text == l.nothing {
			want = llm.Refusal
		}
	}
	if finish != want {
		t.Errorf("%q finished with %q, want %q", text, finish, want)
	}
	return text
}

// ourMark matches a mark as this package writes it.
var ourMark = regexp.MustCompile(` \[(\d+)\]`)

// codeBlock matches a fenced block as this package writes it.
var codeBlock = regexp.MustCompile("(?ms)^(```|~~~).*?^(```|~~~)[`~]*$\n?")

// checkQuotes checks the promise of this package: everything that is shown stands, but
// for white space, in the passage that its mark names; headings, the headers of tables
// and code, which have no mark, in one of the passages.
func checkQuotes(t *testing.T, req llm.Request, text string) {
	t.Helper()
	for _, l := range allLines {
		if text == l.nothing || text == l.greeting || text == l.thanks || text == req.Handover {
			return
		}
	}
	for _, block := range codeBlock.FindAllString(text, -1) {
		if !inSome(req.Passages, block) {
			t.Errorf("the code %q is in no passage", block)
		}
	}
	for line := range strings.Lines(codeBlock.ReplaceAllString(text, "")) {
		line = strings.TrimRight(line, "\n")
		from := 0
		for _, m := range ourMark.FindAllStringSubmatchIndex(line, -1) {
			words := strings.TrimPrefix(strings.TrimSpace(line[from:m[0]]), "| ")
			from = m[1]
			n, err := strconv.Atoi(line[m[2]:m[3]])
			if err != nil || n < 1 || n > len(req.Passages) {
				t.Errorf("mark %s of %d passages in %q", line[m[2]:m[3]], len(req.Passages), line)
			} else if words == "" || !strings.Contains(normal(string(req.Passages[n-1].Text)), words) {
				t.Errorf("%q is not in passage %d", words, n)
			}
		}
		rest := strings.Trim(line[from:], " |")
		if rest == "" || isRule(rest) {
			continue
		}
		bare := strings.HasPrefix(line, "|") || strings.HasPrefix(line, "**") && strings.HasSuffix(line, "**")
		if k, _ := kindOf(rest, true); from > 0 || !bare && k != heading || !inSome(req.Passages, rest) {
			t.Errorf("%q has no mark, and is no heading in a passage", line)
		}
	}
}

// inSome reports whether text is in one of the passages, bold or not.
func inSome(passages []chat.Passage, text string) bool {
	text = normal(text)
	plain := strings.TrimSuffix(strings.TrimPrefix(text, "**"), "**")
	for _, p := range passages {
		if t := normal(string(p.Text)); strings.Contains(t, text) || strings.Contains(t, plain) {
			return true
		}
	}
	return false
}

// FuzzQuotes checks the promise for any question and passages.
func FuzzQuotes(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var passages []string
		for _, a := range archive.Files {
			if strings.HasPrefix(a.Name, "passage") {
				passages = append(passages, string(a.Data))
			}
			if strings.HasPrefix(a.Name, "ask") {
				f.Add(string(a.Data), passages[0], passages[len(passages)-1], "")
			}
		}
	}
	f.Add("order 1?", "order 1 [1][2]. | order | 1 |\n# order [9]\n- order [1] 1\x00", "<script>order 1</script> order 1 \u202e.", "order")
	f.Fuzz(func(t *testing.T, question, one, two, said string) {
		req := llm.Request{
			Question: chat.Text(question), Language: "en", Said: chat.Text(said),
			Passages: []chat.Passage{{Text: chat.Text(one)}, {Title: "t", Heading: question, Text: chat.Text(two)}},
		}
		checkQuotes(t, req, stream(t, req))
	})
}

// TestLongPassage checks that a large passage costs little and is quoted as promised.
func TestLongPassage(t *testing.T) {
	for name, filler := range map[string]string{
		"sentences": "Nothing of interest stands here, as everyone knows. ",
		"words":     "word ",
		"rows":      "| warranty | years |\n",
		"items":     "- the warranty of one more thing\n",
		"headings":  "# Warranty\n",
		"brackets":  "[[[[",
		"one word":  "w",
	} {
		t.Run(name, func(t *testing.T) {
			req := llm.Request{
				Question: "How long is the warranty for boots?", Language: "en",
				Passages: []chat.Passage{{Text: chat.Text(strings.Repeat(filler, (1<<20)/len(filler)) + "\n\nThe warranty for boots is two years.")}},
			}
			start := time.Now()
			checkQuotes(t, req, stream(t, req))
			if took := time.Since(start); took > time.Minute { // what is not linear takes hours
				t.Errorf("1 MB took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func TestEndOfContext(t *testing.T) {
	req := llm.Request{Question: "What is the warranty?", Passages: []chat.Passage{{Text: "The warranty is two years."}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	for c, err := range New().Stream(ctx, req) {
		got = append(got, fmt.Sprint(c.Text, err))
		cancel()
	}
	if len(got) != 2 || !strings.HasSuffix(got[1], context.Canceled.Error()) {
		t.Errorf("after the end of the context: %q", got)
	}
}

// TestNoPassages checks that nothing is said without grounds.
func TestNoPassages(t *testing.T) {
	for _, question := range []string{"", "?", "Why?", "What is the warranty?"} {
		if got := stream(t, llm.Request{Question: chat.Text(question), Language: "en"}); got != allLines["en"].nothing {
			t.Errorf("%q without passages: %q", question, got)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	text, err := os.ReadFile("../../../assistants/demo/knowledge/returns.md")
	if err != nil {
		b.Fatal(err)
	}
	req := llm.Request{Question: "How long do I have to return an item?", Language: "en"}
	for range 5 {
		req.Passages = append(req.Passages, chat.Passage{Title: "Returns and refunds", Text: chat.Text(text)})
	}
	b.ReportAllocs()
	for b.Loop() {
		for range New().Stream(b.Context(), req) {
		}
	}
}

// Who has a line of their own for it is not told that nothing was found.
func TestQuiet(t *testing.T) {
	req := llm.Request{Question: "Where can I park my spaceship?", Quiet: true}
	for c, err := range New().Stream(t.Context(), req) {
		if err != nil || c.Text != "" || c.Finish != llm.Refusal {
			t.Errorf("chunk %+v, %v; want a refusal without text", c, err)
		}
	}
}
