package lang

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tiktoken-go/tokenizer"
)

// exact counts as OpenAI's models since GPT-4o do.
func exact(t *testing.T) func(text string) int {
	t.Helper()
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) int {
		n, err := codec.Count(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// TestTokensByKind holds the estimate to what a tokeniser counts, in texts of many kinds.
func TestTokensByKind(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/tokens.txtar")
	if err != nil {
		t.Fatal(err)
	}
	count := exact(t)
	for _, group := range archive.Files {
		var ratios []float64
		for text := range strings.SplitSeq(strings.TrimSpace(string(group.Data)), "\n\n") {
			ratios = append(ratios, float64(Tokens(text))/float64(count(text)))
		}
		low, high := slices.Min(ratios), slices.Max(ratios)
		t.Logf("%-8s %.2f to %.2f", group.Name, low, high)
		if low < 0.80 || high > 1.28 {
			t.Errorf("%s: the estimate is %.2f to %.2f of the truth, want 0.80 to 1.28", group.Name, low, high)
		}
	}
}

// TestTokensOfNothing: what is not empty has a token.
func TestTokensOfNothing(t *testing.T) {
	for text, want := range map[string]int{"": 0, " ": 1, "\n": 1, "a": 1, "\xff": 3, "12": 1, "1234": 2, "----": 2} {
		if got := Tokens(text); got != want {
			t.Errorf("Tokens(%q) = %d, want %d", text, got, want)
		}
	}
}

// sharedTexts lie beside this repository on the machines that have them.
const sharedTexts = "../../../shared/data/conversation"

// TestTokensOfSharedTexts holds the estimate over many paragraphs.
func TestTokensOfSharedTexts(t *testing.T) {
	if _, err := os.Stat(sharedTexts); err != nil {
		t.Skipf("there is no shared data on this machine: %v", err)
	}
	count := exact(t)
	ratios := map[string][]float64{}
	for _, set := range []string{"xquad", "mtrag-un", "doc2dial", "dstc11-sktod"} {
		for text := range texts(t, set) {
			group := set
			if set == "xquad" { // the same paragraphs in many languages
				group = Language(text)
			}
			if len(ratios[group]) < 150 && text != "" {
				ratios[group] = append(ratios[group], float64(Tokens(text))/float64(count(text)))
			}
		}
	}
	if len(ratios) < 10 {
		t.Fatalf("there are only %d groups of texts", len(ratios))
	}
	for group, r := range ratios {
		slices.Sort(r)
		p5, p50, p95 := r[len(r)*5/100], r[len(r)/2], r[len(r)*95/100]
		t.Logf("%-13s n=%-3d p5 %.2f p50 %.2f p95 %.2f", group, len(r), p5, p50, p95)
		if p5 < 0.77 || p50 < 0.85 || p50 > 1.17 || p95 > 1.30 {
			t.Errorf("%s: the estimate is %.2f, %.2f and %.2f of the truth (p5, p50, p95); want at least 0.77, 0.85 to 1.17, at most 1.30", group, p5, p50, p95)
		}
	}
}

// texts yields the texts of a set of documents.
func texts(t *testing.T, set string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		f, err := os.Open(filepath.Join(sharedTexts, set, "docs.jsonl.gz"))
		if err != nil {
			t.Skipf("the shared data lacks a set: %v", err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var doc struct{ Text string }
			if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			if !yield(doc.Text) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkTokens(b *testing.B) {
	for name, text := range map[string]string{
		"english": "Tents must be dry and clean when they come back to us. A parcel costs 4.90 EUR, and takes 3 days.\n",
		"german":  "Rücksendungen müssen vollständig trocken sein, sonst berechnen wir eine Reinigungsgebühr von 9,90 €.\n",
		"russian": "Палатки должны быть чистыми и совершенно сухими, иначе мы берём плату за чистку.\n",
		"chinese": "帐篷必须干净并且完全干燥。如果有潮气或发霉，我们会按工作量收取清洁费。\n",
	} {
		text = strings.Repeat(text, 20)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Tokens(text)
			}
		})
	}
}
