package importer

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/knowledge"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each page of testdata/pages becomes the Markdown beside it.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("testdata/pages/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, file := range pages {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := Read(t.Context(), file, Options{})
			if err != nil || len(b.Problems) > 0 || len(b.Articles) != 1 {
				t.Fatalf("Read = %+v, %v", b, err)
			}
			got := b.Articles[0].file()
			golden := strings.TrimSuffix(file, ".html") + ".md"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("%s (-want +got)\n%s", golden, d)
			}
		})
	}
}

// The words of a page are the same whether it is read as it is or after its conversion.
func TestConversionLosesNoWords(t *testing.T) {
	for _, body := range []string{
		"<p>One <em>two</em> three.</p><p>Four<br>five</p>",
		"<h2>Costs</h2><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol start=3><li>three</li><li>four</li></ol>",
		"<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2 and 3</td></tr></table>",
		"<table><tr><td>no</td><td>header</td></tr><tr><td>1</td><td>x*y*z</td></tr></table>",
		"<p>5 * 3 &lt; 20, a_b_c, [x], `tick`, #1, 1. no list, 50 % &amp; more, C:\\dir, ~~no~~, &amp;amp; &lt;b&gt;</p>",
		"<p>1. Not a list</p><p>- nor this</p><p># nor a heading</p><p>+ plus</p><p>&gt; quoted</p>",
		"<pre>if a &lt; b {\n  `c`\n}\n\n# d</pre>",
		"<pre>```\nfence\n```</pre>",
		"<blockquote><p>They said so.</p></blockquote>",
		"<p>Call <a href='tel:+49123'>us</a> or <a href='https://x.example/a(b)'>look (here)</a>.</p>",
		"<dl><dt>Term</dt><dd>Its meaning.</dd></dl>",
		"<div>plain <div>nested</div> after</div>",
		"<p>日本語の<b>文章</b>です。</p><p dir=rtl>שלום <b>עולם</b></p>",
		"<p>x<b>y</b>z and <b> spaced </b>out, <b>bold<i>both</i></b></p>",
		"<details><summary>May I?</summary><p>You may.</p></details>",
		"<p>10<sup>2</sup> and H<sub>2</sub>O</p>",
	} {
		t.Run(body, func(t *testing.T) {
			page := "<html><head><title>T</title></head><body><main><h1>T</h1>" + body + "</main></body></html>"
			root, err := parseHTML(page)
			if err != nil {
				t.Fatal(err)
			}
			md := pageMarkdown(root, absolute(nil))
			want, got := read(t, "a.html", page), read(t, "a.md", md)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("the Markdown is\n%s\n(-HTML +Markdown)\n%s", md, d)
			}
		})
	}
}

// What a page runs or hides is nowhere in its text, wherever it stands.
func TestScriptsAreNoText(t *testing.T) {
	for _, page := range []string{
		"<div class=article-body><p>One two three four five six.</p><script>bad()</script><article><p>Seven.</p></article><style>bad{}</style></div>",
		"<p>One two three four five six.</p><script>bad()</script><p>Seven.</p><noscript>bad</noscript><template>bad</template>",
		"<main><p>One two three four five six.</p><p>Seven.</p><textarea>bad</textarea><svg><text>bad</text></svg></main><script>bad()</script>",
	} {
		root, err := parseHTML(page)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := pageMarkdown(root, absolute(nil)), "One two three four five six.\n\nSeven."; got != want {
			t.Errorf("%s\n got %q\nwant %q", page, got, want)
		}
	}
}

// read returns the words that knowledge reads in a file.
func read(t *testing.T, name, content string) []string {
	t.Helper()
	docs, _, err := knowledge.ReadFS(t.Context(), fstest.MapFS{name: {Data: []byte(content)}}, knowledge.Limits{}, nil)
	if err != nil || len(docs) != 1 {
		t.Fatalf("ReadFS = %v, %v", docs, err)
	}
	return strings.Fields(docs[0].Text)
}
