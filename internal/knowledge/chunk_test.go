package knowledge

import (
	"strings"
	"testing"
	"unicode"

	"github.com/answerable/answerable/internal/lang"
)

// checkChunks holds for the chunks of every document: they are in order, within
// their bounds, and leave out only white space.
func checkChunks(t *testing.T, d Document) {
	t.Helper()
	at := 0
	for _, s := range chunks(d) {
		if s.from < at || s.to <= s.from || s.to > len(d.Text) {
			t.Fatalf("chunk %d to %d after %d of %d bytes", s.from, s.to, at, len(d.Text))
		}
		if gap := d.Text[at:s.from]; strings.TrimSpace(gap) != "" {
			t.Fatalf("%q is in no chunk", gap)
		}
		if text := d.Text[s.from:s.to]; strings.TrimSpace(text) != text {
			t.Fatalf("chunk %q has white space around it", text)
		}
		at = s.to
	}
	if rest := d.Text[at:]; strings.TrimSpace(rest) != "" {
		t.Fatalf("%q is in no chunk", rest)
	}
}

func TestChunks(t *testing.T) {
	sentence := "The lamp stands on a round base of oak. "
	for _, tt := range []struct {
		name string
		text string
		want int // chunks
	}{
		{"empty", "", 0},
		{"white space", " \n\n ", 0},
		{"short", sentence, 1},
		{"long paragraph", strings.Repeat(sentence, 100), 4},
		{"one long sentence", strings.Repeat("lamp ", 1000), 4},
		{"one endless word", strings.Repeat("x", 5000), 3},
		{"lines", strings.Repeat("- a lamp of oak\n", 200), 4},
		{"a rest too small for itself", strings.Repeat(sentence, 29) + "\n\nEnd.", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Document{ID: "x", Text: tt.text}
			checkChunks(t, d)
			got := chunks(d)
			if len(got) != tt.want {
				t.Errorf("%d chunks, want %d", len(got), tt.want)
			}
			for _, s := range got {
				if n := lang.Tokens(tt.text[s.from:s.to]); n > chunkTokens+chunkTail {
					t.Errorf("a chunk of %d tokens", n)
				}
			}
		})
	}
}

func TestChunksKeepWordsWhole(t *testing.T) {
	d := Document{ID: "x", Text: strings.Repeat("unbelievable lamplight ", 400)}
	for _, s := range chunks(d) {
		if s.from > 0 && !unicode.IsSpace(rune(d.Text[s.from-1])) || s.to < len(d.Text) && !unicode.IsSpace(rune(d.Text[s.to])) {
			t.Errorf("chunk %d to %d cuts a word", s.from, s.to)
		}
	}
}

// TestChunksKeepCodeWhole checks that no chunk begins or ends inside a code block, where
// a reader could not tell code from prose.
func TestChunksKeepCodeWhole(t *testing.T) {
	command := "```\n" + strings.Repeat("lamp --on --bright=full\n", 12) + "```\n\n"
	for _, before := range []int{0, 5, 20, 28, 40} {
		d := markdown(strings.Repeat("The lamp stands on a round base of oak. ", before) + "\n\n" + strings.Repeat(command+"And so on.\n\n", 4))
		doc := d.document("x.md")
		checkChunks(t, doc)
		for _, s := range chunks(doc) {
			if text := doc.Text[s.from:s.to]; strings.Count(text, "```")%2 != 0 {
				t.Errorf("after %d sentences, a chunk cuts a block:\n%s", before, text)
			}
		}
	}
	long := markdown("```\n" + strings.Repeat("lamp --on --bright=full\n", 80) + "```\n\nProse.")
	if doc := long.document("x.md"); strings.Contains(doc.Text, "```") {
		t.Errorf("a block that does not fit into a chunk has fences:\n%s", doc.Text)
	}
}

func TestChunksFollowSections(t *testing.T) {
	body := strings.Repeat("Some words about this part of the manual. ", 16)
	d := markdown("# Manual\n\n## First\n\n" + body + "\n\n## Second\n\n### Inner\n\n" + body + "\n\n## Third\n\nshort")
	doc := d.document("x.md")
	var starts, paths []string
	o, at := outlineOf(doc), offsets{text: doc.Text}
	for _, s := range chunks(doc) {
		first, _, _ := strings.Cut(doc.Text[s.from:s.to], "\n")
		starts = append(starts, first)
		start := at.codeOf(s.from)
		paths = append(paths, o.path(start, at.codeOf(s.to)))
	}
	if got, want := strings.Join(starts, "|"), "Manual|Second|Third"; got != want {
		t.Errorf("chunks begin with %q, want %q", got, want)
	}
	if got, want := strings.Join(paths, "|"), "First|Second > Inner|Third"; got != want {
		t.Errorf("chunks stand under %q, want %q", got, want)
	}
}

func TestOutline(t *testing.T) {
	d := markdown("# T\n\na\n\n## A\n\nb\n\n### B\n\nc\n\n## C\n\nd")
	doc := d.document("x.md")
	o := outlineOf(doc)
	at := func(s string) int { return strings.Index(doc.Text, s) } // ASCII only
	for _, tt := range []struct {
		from, to, want string
	}{
		{"a", "A", ""}, {"b", "B", "A"}, {"c", "C", "A > B"}, {"d", "", "C"}, {"b", "C", "A"}, {"b", "", ""}, {"A", "C", "A"}, {"B", "C", "A > B"},
	} {
		to := len(doc.Text)
		if tt.to != "" {
			to = at(tt.to)
		}
		if got := o.path(at(tt.from), to); got != tt.want {
			t.Errorf("path of %q to %q = %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}
