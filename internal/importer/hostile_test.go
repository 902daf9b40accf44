package importer

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/knowledge"
)

// What was made to grow on conversion does not: the Markdown is in proportion to the page.
func TestHostilePages(t *testing.T) {
	for name, page := range map[string]string{
		"marks":       "<p>" + strings.Repeat("*_[", 50_000),
		"backticks":   "<code>" + strings.Repeat("`", 100_000) + "</code>",
		"lists":       strings.Repeat("<ul><li>", 200) + strings.Repeat("<li>x", 5_000),
		"quotations":  strings.Repeat("<blockquote>", 200) + strings.Repeat("<p>x", 5_000),
		"spans":       "<table>" + strings.Repeat("<tr><td rowspan=65534 colspan=1000>x", 100),
		"one span":    "<table><tr><td rowspan=65534 colspan=1000>x<tr><td>y</table>",
		"bold":        strings.Repeat("<b>", 400) + strings.Repeat("x ", 20_000),
		"tables":      strings.Repeat("<table><tr><td>", 150) + strings.Repeat("<tr><td>x", 2_000),
		"blocks":      strings.Repeat("<div>", 400) + strings.Repeat("<p>x", 10_000),
		"line breaks": strings.Repeat("<br>", 50_000),
		"images":      strings.Repeat("<img alt='*' src=/x>", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			root, err := parseHTML(page)
			if err != nil {
				return // refused, which is as good
			}
			if md := pageMarkdown(root, absolute(nil)); len(md) > 20*len(page)+4096 {
				t.Errorf("%d bytes of HTML became %d bytes of Markdown", len(page), len(md))
			}
		})
	}
	if _, err := parseHTML(strings.Repeat("<div>", 10_000)); err == nil {
		t.Error("a page nested ten thousand deep was read")
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("<p>One <b>two</b></p><ul><li>a<table><tr><td>x|y</td></tr></table></li></ul>")
	f.Add("<ol start=7><li><pre>```</pre><blockquote>q</blockquote></ol>&amp;lt; *x* _y_ 1. # - +")
	f.Fuzz(func(t *testing.T, page string) {
		root, err := parseHTML(page)
		if err != nil {
			return
		}
		md := pageMarkdown(root, absolute(nil))
		if utf8.ValidString(page) && !utf8.ValidString(md) {
			t.Errorf("not UTF-8: %q", md)
		}
		a := Article{Key: "k", Where: "w", Title: "T", Body: md}
		docs, _, err := knowledge.ReadFS(t.Context(), fstest.MapFS{"a.md": {Data: a.file()}}, knowledge.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(docs) == 1 && docs[0].Title != "T" {
			t.Errorf("title = %q", docs[0].Title)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add("a.csv", "title,body,url\nA,\"x\ny\",https://a.example/\n")
	f.Add("a.csv", "title;body\n=\"1\";<p>x</p>\n=SUM(A1);y")
	f.Add("a.json", `{"articles":[{"title":"A","body":"b","id":1}]}`)
	f.Add("a.jsonl", "{\"title\":\"A\",\"body\":\"b\"}\n[]\n")
	f.Fuzz(func(t *testing.T, name, data string) {
		var b Batch
		if err := b.table(t.Context(), map[string]string{}, name, []byte(data), Mapping{guessed: true, Skip: drafts}, Options{}.withDefaults()); err != nil {
			return
		}
		keys := map[string]bool{}
		for _, a := range b.Articles {
			if a.Key == "" || a.Title == "" || a.Body == "" || keys[a.Key] {
				t.Errorf("article = %+v", a)
			}
			keys[a.Key] = true
			for _, n := range fileNames(a) {
				if n == "" || strings.ContainsAny(n, `/\.:*?"<>|`) || len(n) > 90 {
					t.Errorf("file name %q", n)
				}
			}
		}
	})
}

func FuzzMapping(f *testing.F) {
	f.Add("articles.items", "pages.0.html", "/t/{slug}/{id}", `{"articles":{"items":[{"slug":"a","id":7,"pages":[{"html":"x"}]}]}}`)
	f.Fuzz(func(t *testing.T, records, body, address, data string) {
		var b Batch
		m := Mapping{Records: records, Title: body, Body: body, URL: address}
		if err := b.table(t.Context(), map[string]string{}, "a.json", []byte(data), m, Options{}.withDefaults()); err == nil && len(b.Articles) == 0 && len(b.Problems) == 0 {
			t.Error("nothing was read, and nothing said")
		}
	})
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte(`<urlset><url><loc>https://a.example/</loc><lastmod>2026-01-02</lastmod></url></urlset>`))
	f.Add([]byte(`<?xml version="1.0" encoding="latin1"?><sitemapindex><sitemap><loc>x</loc></sitemap></sitemapindex>`))
	f.Add([]byte("https://a.example/\nhttps://b.example/"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseSitemap(data)
		for _, e := range entries {
			if err != nil || e.address == "" {
				t.Errorf("entry = %+v, %v", e, err)
			}
		}
	})
}
