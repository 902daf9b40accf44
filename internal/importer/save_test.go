package importer

import (
	"archive/zip"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/knowledge"
)

// write writes files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		put(t, filepath.Join(dir, name), data)
	}
	return dir
}

func put(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// again imports a folder into dir and returns what is said of it.
func again(t *testing.T, dir, from string, o Saving) Saved {
	t.Helper()
	before, err := Before(dir, from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(t.Context(), from, Options{Earlier: before, Private: true, Rate: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	o.Folder = "knowledge"
	s, err := Save(dir, from, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func same(t *testing.T, what string, got Saved, want Saved) {
	t.Helper()
	for _, list := range []*[]string{&want.New, &want.Changed, &want.Kept, &want.Gone, &want.Removed} {
		if *list == nil {
			*list = []string{}
		}
	}
	if want.Problems == nil {
		want.Problems = []Problem{}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got)\n%s", what, d)
	}
}

func TestSaveAgain(t *testing.T) {
	from := write(t, map[string]string{"a.md": "# A\n\nOne.", "b.md": "# B\n\nTwo.", "c.md": "# C\n\nThree.", "d.md": "# D\n\nFour.", "e.md": "# E\n\nFive."})
	dir := write(t, map[string]string{"knowledge/a.md": "ours, not imported"})
	in := func(name string) string { return filepath.Join(dir, "knowledge", name) }
	same(t, "first, dry", again(t, dir, from, Saving{Dry: true}), Saved{New: []string{"knowledge/a-2.md", "knowledge/b.md", "knowledge/c.md", "knowledge/d.md", "knowledge/e.md"}})
	if _, err := os.Stat(in("b.md")); err == nil {
		t.Error("a dry run wrote a file")
	}
	same(t, "first", again(t, dir, from, Saving{}), Saved{New: []string{"knowledge/a-2.md", "knowledge/b.md", "knowledge/c.md", "knowledge/d.md", "knowledge/e.md"}})
	same(t, "nothing new", again(t, dir, from, Saving{}), Saved{Unchanged: 5})

	put(t, filepath.Join(from, "b.md"), "# B\n\nTwo and a half.")
	put(t, in("c.md"), "edited here")
	put(t, filepath.Join(from, "c.md"), "# C\n\nThree there.")
	os.Remove(filepath.Join(from, "d.md"))
	os.Remove(filepath.Join(from, "e.md"))
	put(t, in("e.md"), "edited here, too")
	same(t, "changes", again(t, dir, from, Saving{}), Saved{Changed: []string{"knowledge/b.md"}, Kept: []string{"knowledge/c.md", "knowledge/e.md"}, Gone: []string{"knowledge/d.md"}, Unchanged: 1})
	same(t, "prune", again(t, dir, from, Saving{Prune: true}), Saved{Kept: []string{"knowledge/c.md", "knowledge/e.md"}, Removed: []string{"knowledge/d.md"}, Unchanged: 2})
	for name, want := range map[string]string{"a.md": "ours, not imported", "c.md": "edited here", "e.md": "edited here, too"} {
		if data, err := os.ReadFile(in(name)); err != nil || string(data) != want {
			t.Errorf("%s = %q, %v", name, data, err)
		}
	}
	os.Remove(in("c.md")) // give me theirs
	same(t, "deleted here", again(t, dir, from, Saving{}), Saved{New: []string{"knowledge/c.md"}, Kept: []string{"knowledge/e.md"}, Unchanged: 2})
}

func TestAnEmptySourceRemovesNothing(t *testing.T) {
	from := write(t, map[string]string{"a.md": "# A\n\nOne."})
	dir := t.TempDir()
	again(t, dir, from, Saving{})
	os.Remove(filepath.Join(from, "a.md"))
	same(t, "empty", again(t, dir, from, Saving{Prune: true}), Saved{Gone: []string{"knowledge/a.md"}})
}

// A page that could not be read this time is not gone, and one that has not changed is
// not sent again.
func TestPagesAgain(t *testing.T) {
	down, sent := false, 0
	w := serveSite(t, map[string]string{"/map.xml": sitemap("HOST/a", "HOST/b"), "/b": article("B", "Two.")}, map[string]http.HandlerFunc{
		"/a": func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case down:
				rw.WriteHeader(http.StatusServiceUnavailable)
			case r.Header.Get("If-None-Match") == `"1"`:
				rw.WriteHeader(http.StatusNotModified)
			default:
				sent++
				rw.Header().Set("ETag", `"1"`)
				rw.Header().Set("Content-Type", "text/html")
				rw.Write([]byte(article("A", "One.")))
			}
		},
	})
	dir, from := t.TempDir(), w.URL+"/map.xml"
	same(t, "first", again(t, dir, from, Saving{}), Saved{New: []string{"knowledge/a.md", "knowledge/b.md"}})
	same(t, "again", again(t, dir, from, Saving{}), Saved{Unchanged: 2})
	if sent != 1 {
		t.Errorf("the page was sent %d times, want once", sent)
	}
	down = true
	same(t, "down", again(t, dir, from, Saving{Prune: true}), Saved{Unchanged: 1, Problems: []Problem{{w.URL + "/a", "the server answered 503 Service Unavailable"}}})
	down = false
	os.Remove(filepath.Join(dir, "knowledge/a.md"))
	same(t, "deleted here", again(t, dir, from, Saving{}), Saved{New: []string{"knowledge/a.md"}, Unchanged: 1})
}

// An import that was stopped keeps what it has and takes nothing for gone.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := serveSite(t, map[string]string{"/map.xml": sitemap("HOST/a", "HOST/b"), "/b": article("B", "Two.")}, map[string]http.HandlerFunc{
		"/a": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			rw.Write([]byte(article("A", "One.")))
		},
	})
	dir, from := t.TempDir(), w.URL+"/map.xml"
	again(t, dir, from, Saving{})
	o := options()
	o.Progress = func(done, total int64) {
		if done == 1 {
			cancel()
		}
	}
	b, err := Read(ctx, from, o)
	if !errors.Is(err, context.Canceled) || len(b.Articles) != 1 {
		t.Fatalf("Read = %+v, %v", b, err)
	}
	s, err := Save(dir, from, b, Saving{Folder: "knowledge", Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stopped", s, Saved{Unchanged: 1})
}

func TestFileNames(t *testing.T) {
	for _, c := range []struct {
		a    Article
		want []string
	}{
		{Article{Key: "k", Where: "a.csv:2", URL: "https://h.example/hc/en-us/articles/36-How-Long%3F.html"}, []string{"36-how-long", "articles-36-how-long", "en-us-articles-36-how-long", "hc-en-us-articles-36-how-long"}},
		{Article{Key: "k", Where: "a.csv:2", Title: "Größe & Maß: Élan"}, []string{"grosse-mass-elan"}},
		{Article{Key: "k", Where: "a.csv:2", Title: "送料について"}, []string{"送料について"}},
		{Article{Key: "k", Where: "a.csv:2", Title: "???"}, []string{"article"}},
		{Article{Key: "k", Where: "a.csv:2", Title: "CON"}, []string{"con-page"}},
		{Article{Key: "Help/Delivery 0123456789abcdef0123456789abcdef.md", Where: "Help/Delivery 0123456789abcdef0123456789abcdef.md"}, []string{"delivery", "help-delivery"}},
		{Article{Key: "https://h.example/", Where: "https://h.example/", URL: "https://h.example/", Title: "Home"}, []string{"home"}},
		{Article{Key: "k", Where: "a.csv:2", Title: strings.Repeat("ж", 100)}, []string{strings.Repeat("ж", 40)}},
		{Article{Key: "k", Where: "a.csv:2", URL: "https://h.example/..%2f..%2fetc/%00passwd"}, []string{"passwd", "etc-passwd"}},
	} {
		if got := fileNames(c.a); !slices.Equal(got, c.want) {
			t.Errorf("fileNames(%+v) = %q, want %q", c.a, got, c.want)
		}
	}
}

// An exported folder: links between its files lead to their addresses, what is not ours
// in the front matter stays, and assets are nothing to tell.
func TestFolder(t *testing.T) {
	files := map[string]string{
		"index.html":      `<html><body><h1>Start</h1><p>See <a href="sub/two.html">two</a>, <a href="notes.md">notes</a> and <a href="#x">here</a>.</p><img src="a.png" alt="A boot"></body></html>`,
		"sub/two.html":    `<html><head><meta property="og:url" content="https://h.example/two"></head><body><h1>Two</h1><p>Text.</p></body></html>`,
		"notes.md":        "---\ntitle: \"Our: notes\"\nurl: https://h.example/notes\naudience: internal # staff\nupdated: 2026-01-02\ntags: [a, b]\n---\nText.",
		"broken.md":       "---\ntitle: [\n---\nText.",
		"rule.md":         "---\n\nText between rules.\n\n---\nMore.",
		"plain.txt":       "1. not a list\n*stars*",
		"a.png":           "png",
		"data.csv":        "title,body\nA,b\n",
		"paper.pdf":       "%PDF",
		"binary.html":     "a\x00b",
		".git/config":     "x",
		"__MACOSX/x.html": "x",
		"Notion 0123456789abcdef0123456789abcdef.md": "# Notion\n\nText.",
	}
	dir := write(t, files)
	want := `key Notion 0123456789abcdef0123456789abcdef.md
---
title: "Notion"
---

# Notion

Text.
key index.html
---
title: "Start"
---

# Start

See [two](https://h.example/two), [notes](https://h.example/notes) and here.

A boot
key notes.md
---
title: "Our: notes"
url: "https://h.example/notes"
updated: 2026-01-02
audience: internal # staff
tags: [a, b]
---

# Our: notes

Text.
key plain.txt
---
title: "plain"
---

# plain

1\. not a list\
\*stars\*
key rule.md
---
title: "rule"
---

# rule

---

Text between rules.

---
More.
key sub/two.html
---
title: "Two"
url: "https://h.example/two"
---

# Two

Text.
problem data.csv: a table: import it by itself, or say with --map where its articles are
problem paper.pdf: not HTML, Markdown or plain text
problem binary.html: a binary file, not text
problem broken.md: what is between the --- lines at its top is not YAML: yaml: line 1: did not find expected node content
`
	b, err := Read(t.Context(), dir, Options{})
	if d := cmp.Diff(want, told(b, err, dir)); d != "" {
		t.Errorf("folder (-want +got)\n%s", d)
	}

	archive := filepath.Join(t.TempDir(), "export.zip")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, data := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(data))
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	b, err = Read(t.Context(), archive, Options{})
	if d := cmp.Diff(want, told(b, err, dir)); d != "" {
		t.Errorf("zip (-want +got)\n%s", d)
	}
}

// However a file says who may read it, its copy says so, too.
func TestFrontMatterIsKept(t *testing.T) {
	for source, want := range map[string]string{
		"---\naudience: internal\n---\nText.":                            "audience: internal\n",
		"--- \r\nTitle: T\r\naudience: internal\r\n...\r\nText.":         "audience: internal\n",
		"---\n{audience: internal, valid_until: 2026-01-01}\n---\nText.": "audience: internal\nvalid_until: 2026-01-01\n",
		"---\ntitle: T\nvalid_from: \"2026-01-01\"\n---":                 "valid_from: \"2026-01-01\"\n",
		"---\nText that begins with a rule.":                             "",
	} {
		text, err := knowledge.Decode([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if f, err := splitFront(text); err != nil || f.extra != want {
			t.Errorf("splitFront(%q) = %+v, %v, want %q", source, f, err, want)
		}
	}
}

// HTML pages of site generators, and cells of a table, may have front matter, too.
func TestFrontMatterOfOtherFormats(t *testing.T) {
	dir := write(t, map[string]string{
		"a.html": "---\naudience: internal\n---\n<h1>A</h1><p>Text.</p>",
		"b.txt":  "---\naudience: internal\n---\nText.",
		"c.csv":  "title,body\nC,\"---\naudience: internal\n---\n- Text.\"\n",
	})
	for _, name := range []string{"a.html", "b.txt", "c.csv"} {
		b, err := Read(t.Context(), filepath.Join(dir, name), Options{})
		if err != nil || len(b.Articles) != 1 || b.Articles[0].Extra != "audience: internal\n" || strings.Contains(b.Articles[0].Body, "audience") {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestReadSaysWhatItWants(t *testing.T) {
	dir := write(t, map[string]string{"a.pdf": "x", "bad.zip": "x"})
	for from, want := range map[string]string{
		filepath.Join(dir, "none"):    "name a folder, a file, or an address that begins with https://",
		filepath.Join(dir, "a.pdf"):   `".pdf" files are not read; a folder, .zip, .csv, .tsv, .json, .jsonl, .html and .md are`,
		filepath.Join(dir, "bad.zip"): "unpack it and import the folder",
	} {
		if _, err := Read(t.Context(), from, Options{}); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Read(%s) = %v", from, err)
		}
	}
}

// A site that is imported by another of its addresses has no article twice.
func TestSaveFromElsewhere(t *testing.T) {
	dir := t.TempDir()
	batch := func(body string) Batch {
		return Batch{Articles: []Article{{Key: "https://h.example/a", Where: "https://h.example/a", URL: "https://h.example/a", Title: "A", Body: body}}}
	}
	save := func(name, body string, prune bool) Saved {
		t.Helper()
		out, err := Save(dir, name, batch(body), Saving{Folder: "knowledge", Prune: prune})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	save("https://h.example/", "One.", false)
	same(t, "from the sitemap", save("https://h.example/sitemap.xml", "Two.", false), Saved{Changed: []string{"knowledge/a.md"}})
	if out, err := Save(dir, "https://h.example/", Batch{Articles: []Article{{Key: "k", Where: "k", Title: "K", Body: "K."}}}, Saving{Folder: "knowledge", Prune: true}); err != nil || len(out.Removed) > 0 {
		t.Errorf("the source before removed %v, %v; want nothing: the article is the sitemap's now", out.Removed, err)
	}
	put(t, filepath.Join(dir, "knowledge/a.md"), "edited here")
	same(t, "back again, edited here", save("https://h.example/", "Three.", true), Saved{Kept: []string{"knowledge/a.md"}, Removed: []string{"knowledge/k.md"}})
}
