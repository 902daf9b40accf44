package llmtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata")

// TestScripts asks each script of testdata the lines of its section "ask", one call a
// line, and compares what is yielded with the section "want".
func TestScripts(t *testing.T) {
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
			var script, ask, want string
			var passages []chat.Passage
			for _, f := range archive.Files {
				switch f.Name {
				case "script":
					script = string(f.Data)
				case "ask":
					ask = string(f.Data)
				case "want":
					want = string(f.Data)
				case "passage":
					passages = append(passages, chat.Passage{Text: chat.Text(f.Data)})
				default:
					t.Fatalf("%s has no use for a section %q", file, f.Name)
				}
			}
			got := run(t.Context(), script, ask, passages)
			if *update {
				archive.Files[len(archive.Files)-1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func run(ctx context.Context, script, ask string, passages []chat.Passage) string {
	s, err := Parse("script", script)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	p := s.Provider()
	for question := range strings.Lines(ask) {
		req := llm.Request{Question: chat.Text(strings.TrimSpace(question)), Passages: passages}
		var texts []string
		last := "cut"
		for c, err := range p.Stream(ctx, req) {
			var e *llm.Error
			switch {
			case errors.As(err, &e):
				last = fmt.Sprintf("error %s %q", e.Fault, e.Error())
			case c.Finish != "":
				last = fmt.Sprintf("finish %s, %d in, %d out", c.Finish, c.Usage.Input, c.Usage.Output)
			default:
				texts = append(texts, fmt.Sprintf("%q", c.Text))
			}
		}
		if len(texts) > 0 {
			fmt.Fprintln(&b, strings.Join(texts, " "))
		}
		fmt.Fprintln(&b, last)
	}
	return b.String()
}

// TestPace checks when each chunk comes.
func TestPace(t *testing.T) {
	parsed, err := Parse("script", "ttft 200ms\nitl 20ms\none two\ndelay 1s\nitl 5ms\nthree four")
	if err != nil {
		t.Fatal(err)
	}
	inline, err := ParseSpec("ttft=200ms, itl=20ms, tokens=3")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		script *Script
		want   []time.Duration // of each chunk since the call, in milliseconds; the finish comes last
	}{
		{parsed, []time.Duration{200, 220, 1225, 1230, 1230}},
		{inline, []time.Duration{200, 220, 240, 240}},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var got []time.Duration
			for _, err := range test.script.Provider().Stream(t.Context(), llm.Request{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, time.Since(start)/time.Millisecond)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: chunks after %d ms, want %d", test.script.name, got, test.want)
			}
		})
	}
}

// TestEndOfContext checks that whatever a call does, it ends when its context ends.
func TestEndOfContext(t *testing.T) {
	for _, script := range []string{"stall", "ttft 1h\nx", "x\ndelay 1h", "itl 1h\nx y", "repeat 1000000000 \"x\""} {
		s, err := Parse("script", script)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			var last error
			n := 0
			for _, err := range s.Provider().Stream(ctx, llm.Request{}) {
				last = err
				if n++; n == 1000 {
					cancel() // the chunks without a pause
				}
			}
			if !errors.Is(last, context.DeadlineExceeded) && !errors.Is(last, context.Canceled) {
				t.Errorf("%q ended with %v, want the context's error", script, last)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%q ended after %v, want 1s", script, took)
			}
		})
	}
}

// TestLeave checks that nothing is yielded after the loop was left.
func TestLeave(t *testing.T) {
	for _, script := range []string{"a b c", "repeat 3 \"a\"", "finish stop", "error later \"x\"", "a\nstall"} {
		s, err := Parse("script", script)
		if err != nil {
			t.Fatal(err)
		}
		for range s.Provider().Stream(t.Context(), llm.Request{}) {
			break // yielding again would panic
		}
	}
}

// TestConcurrentCalls checks that each answer is taken by exactly one of many calls.
func TestConcurrentCalls(t *testing.T) {
	const calls = 50
	var script strings.Builder
	for i := range calls {
		fmt.Fprintf(&script, "answer%d\n---\n", i)
	}
	s, err := Parse("script", script.String()+"over")
	if err != nil {
		t.Fatal(err)
	}
	p := s.Provider()
	var mu sync.Mutex
	got := map[string]int{}
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			for c := range p.Stream(t.Context(), llm.Request{}) {
				mu.Lock()
				got[c.Text]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range calls {
		if n := got[fmt.Sprint("answer", i)]; n != 1 {
			t.Errorf("answer %d was given %d times, want 1", i, n)
		}
	}
}

func TestParseSpec(t *testing.T) {
	s, err := ParseSpec("tokens=500")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	chunks := 0
	for c := range s.Provider().Stream(t.Context(), llm.Request{}) {
		text.WriteString(c.Text)
		if c.Text != "" {
			chunks++
		}
	}
	if chunks != 500 {
		t.Errorf("%d chunks, want 500", chunks)
	}
	if n := text.Len() / chunks; n < 4 || n > 6 {
		t.Errorf("a chunk has %d characters, want about 5", n)
	}
	if !regexp.MustCompile(`^([A-Z][a-z]*( [a-z]+)*\. )*[A-Z][a-z]*( [a-z]+)*\.$`).MatchString(text.String()) {
		t.Errorf("no whole sentences: %q", text.String())
	}
	for _, spec := range []string{"", "tokens=0", "tokens=100001", "ttft=fast", "itl=-1s", "over=http", "speed=9"} {
		if _, err := ParseSpec(spec); err == nil || !strings.Contains(err.Error(), "write ") {
			t.Errorf("ParseSpec(%q) = %v, want an error that says what to write", spec, err)
		}
	}
}

// TestDocumentation checks that the scripts in the documentation are scripts.
func TestDocumentation(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/scripted-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := regexp.MustCompile("(?s)```script\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(scripts) == 0 {
		t.Error("no block is marked ```script")
	}
	for _, m := range scripts {
		if _, err := Parse("docs", m[1]); err != nil {
			t.Errorf("%v in\n%s", err, m[1])
		}
	}
	for _, word := range append(slices.Collect(maps.Keys(directives)), "over") {
		if !strings.Contains(string(doc), "`"+word) {
			t.Errorf("%q is not documented", word)
		}
	}
}

func TestOver(t *testing.T) {
	for _, test := range []struct{ script, over, wrong string }{
		{"\nover openai\nwhen x\ny", "openai", ""},
		{"over gemini\n---\ny", "gemini", "the answer is empty"},
		{"y\nover the moon\nover", "", ""},
		{"over the moon", "", "write openai, anthropic or gemini; if this is text"},
		{"y\nover openai", "", "must be the first line"},
	} {
		s, err := Parse("script", test.script)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("Parse(%q) = %v, want %q", test.script, err, test.wrong)
			}
			continue
		}
		if err != nil || s.Over() != test.over {
			t.Errorf("Parse(%q) = %v, %v, want over %q", test.script, s, err, test.over)
		}
	}
	s, err := ParseSpec("ttft=1ms,over=anthropic")
	if err != nil || s.Over() != "anthropic" {
		t.Errorf("ParseSpec = %v, %v, want over anthropic", s, err)
	}
}

// FuzzParse checks that no script crashes the parser, and that what it accepts keeps the
// contract of a provider: at most one end, and nothing after it.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("script", text)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 3 {
			ended := false
			for c, err := range s.Provider().Stream(ctx, llm.Request{Question: "q"}) {
				if ended {
					t.Fatalf("%+v, %v after the end", c, err)
				}
				ended = err != nil || c.Finish != ""
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	s, err := ParseSpec("tokens=1000")
	if err != nil {
		b.Fatal(err)
	}
	p := s.Provider()
	b.ReportAllocs()
	for b.Loop() {
		for range p.Stream(b.Context(), llm.Request{}) {
		}
	}
}
