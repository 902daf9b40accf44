package knowledge

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/chat"
)

// shop returns the documents of testdata/shop.
func shop(t testing.TB) []Document {
	t.Helper()
	docs, report, err := ReadDir(t.Context(), "testdata/shop", Limits{}, nil)
	if err != nil || len(report.Skipped) > 0 {
		t.Fatal(err, report.Skipped)
	}
	return docs
}

func build(t testing.TB, docs []Document) *Generation {
	t.Helper()
	g, err := Build(docs)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestBuildIsDeterministic(t *testing.T) {
	docs := shop(t)
	want := build(t, docs).ID()
	slices.Reverse(docs)
	if got := build(t, docs).ID(); got != want {
		t.Errorf("the same documents in another order make %s, want %s", got, want)
	}
	docs[0].Text += " "
	if got := build(t, docs).ID(); got == want {
		t.Error("another text makes the same generation")
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, docs := range map[string][]Document{
		"two documents":      {{ID: "a"}, {ID: "a"}},
		"no id":              {{}},
		"not valid UTF-8":    {{ID: "a", Text: "\xff"}},
		"is out of place":    {{ID: "a", Text: "a", Headings: []Heading{{Level: 1, Start: 0, End: 2}}}},
		"\"x\" at 0 to 0 is": {{ID: "a", Text: "a", Headings: []Heading{{Level: 0, Text: "x"}}}},
	} {
		if _, err := Build(docs); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error = %v, want one with %q", err, name)
		}
	}
}

func TestGenerationIsItsFile(t *testing.T) {
	dir := t.TempDir()
	docs := shop(t)
	g := build(t, docs)
	path, err := g.WriteFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := g.WriteFile(dir); again != path || err != nil {
		t.Errorf("written again: %s, %v; want %s", again, err, path)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files after writing, want 1", len(entries))
	}
	h, err := OpenGeneration(path)
	if err != nil {
		t.Fatal(err)
	}
	if h.ID() != g.ID() || !strings.Contains(path, g.ID()) {
		t.Errorf("the file %s holds %s, want %s", path, h.ID(), g.ID())
	}
	if diff := cmp.Diff(g.Documents(), h.Documents()); diff != "" {
		t.Errorf("documents (-built +opened):\n%s", diff)
	}
	q := Query{Text: "when do I get my money back"}
	if diff := cmp.Diff(g.Search(q, 10), h.Search(q, 10), cmp.AllowUnexported(Hit{})); diff != "" {
		t.Errorf("hits (-built +opened):\n%s", diff)
	}
	for i, d := range h.Documents() {
		want := docs[i]
		if d.Text != want.Text || d.Hash != want.Hash || d.Title != want.Title || d.URL != want.URL || !slices.Equal(d.Headings, want.Headings) {
			t.Errorf("document %d came back as %+v, want %+v", i, d, want)
		}
		if one, ok := h.Document(d.ID); !ok || one.Hash != d.Hash {
			t.Errorf("Document(%q) = %v, %v", d.ID, one.Hash, ok)
		}
	}
}

func TestHolds(t *testing.T) {
	docs := shop(t)
	g := build(t, docs)
	if !g.Holds(docs) {
		t.Error("a generation does not hold its own documents")
	}
	changed := slices.Clone(docs)
	changed[1].Title = "Another"
	for name, other := range map[string][]Document{
		"one less": docs[1:], "another title": changed, "one twice": append([]Document{docs[1]}, docs[1:]...),
	} {
		if g.Holds(other) {
			t.Errorf("%s: held", name)
		}
	}
}

func TestOpenGenerationRefuses(t *testing.T) {
	dir := t.TempDir()
	g := build(t, shop(t))
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"empty":           {"", ErrDamaged},
		"cut off":         {g.data[:len(g.data)/2], ErrDamaged},
		"one byte more":   {g.data + "x", ErrDamaged},
		"one bit changed": {flip(g.data, len(g.data)/3), ErrDamaged},
		"not one":         {"once upon a time there was a lamp that was not a generation, but a text of a hundred bytes or so", ErrDamaged},
		"another version": {g.data[:6] + "\xff\xff" + g.data[8:], ErrVersion},
	} {
		path := filepath.Join(dir, "x"+segmentSuffix)
		if err := os.WriteFile(path, []byte(tt.data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenGeneration(path); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, err := OpenGeneration(filepath.Join(dir, "gone")); !errors.Is(err, chat.NotFound) {
		t.Errorf("no file: %v, want %v", err, chat.NotFound)
	}
	path, err := build(t, nil).WriteFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(g.data), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenGeneration(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("another generation under the name of one: %v, want %v", err, ErrDamaged)
	}
}

func flip(s string, i int) string { return s[:i] + string(s[i]^1) + s[i+1:] }

// FuzzSegment gives the reader segments whose checksum is right, as an attacker's
// would be. Whatever is accepted can be searched, and quotes what is in its texts.
func FuzzSegment(f *testing.F) {
	small, err := Build([]Document{
		{ID: "a", Title: "Lamps", Text: "Lamps\n\nA lamp of oak.", Headings: []Heading{{Level: 1, Text: "Lamps", Start: 0, End: 5}}},
		{ID: "b", Title: "Bulbs", Text: "A bulb fits a lamp."},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(small.data[12:]))
	for i := range 40 {
		f.Add([]byte(flip(small.data, headerLen+i*7%(len(small.data)-headerLen))[12:]))
	}
	f.Fuzz(func(t *testing.T, rest []byte) {
		data := binary.LittleEndian.AppendUint16([]byte(magic), version)
		data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(rest, castagnoli))
		g, err := decodeGeneration(string(append(data, rest...)))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("error = %v, want %v", err, ErrDamaged)
			}
			return
		}
		found, err := g.Find(t.Context(), Query{Text: "an oak lmp, which bulb?"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found.Passages {
			checkPassage(t, g, p)
		}
	})
}

// checkPassage holds for every passage: it is what stands in the document there.
func checkPassage(t *testing.T, g *Generation, p chat.Passage) {
	t.Helper()
	d, ok := g.Document(p.Document)
	if !ok {
		t.Fatalf("there is no document %q", p.Document)
	}
	if runes := []rune(d.Text); p.Start < 0 || p.End > len(runes) || p.Start >= p.End || string(runes[p.Start:p.End]) != string(p.Text) {
		t.Errorf("passage %q is not at %d to %d of %q", p.Text, p.Start, p.End, d.ID)
	}
}
