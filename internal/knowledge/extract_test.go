package knowledge

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the golden files want")

// golden compares got with a file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

func TestExtract(t *testing.T) {
	for _, name := range []string{"page.html", "text.md"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata/extract", name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := formatOf(name)
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.draft(string(b))
			if err != nil {
				t.Fatal(err)
			}
			doc := d.document(name)
			out := fmt.Sprintf("title: %s\nurl: %s\n", doc.Title, doc.URL)
			for _, h := range doc.Headings {
				out += fmt.Sprintf("heading %d: %s (%d to %d)\n", h.Level, h.Text, h.Start, h.End)
			}
			golden(t, filepath.Join("testdata/extract", name+".want"), out+"\n"+doc.Text+"\n")
		})
	}
}

func TestMarkdownIsRead(t *testing.T) {
	for _, tt := range []struct{ name, in, title, text string }{
		{"nothing", "", "X", ""},
		{"first heading is the title", "# A\n\nb", "A", "A\n\nb"},
		{"two of the highest level are still led by the first", "# A\n\n# B", "A", "A\n\nB"},
		{"a lower heading first is no title", "## A\n\n# B", "X", "A\n\nB"},
		{"front matter alone", "---\ntitle: T\n---", "T", ""},
		{"a rule is no front matter", "---\n\na", "X", "a"},
		{"front matter of another program", "---\ntags: x\n...\na", "X", "a"},
		{"entities and escapes", `a &lt;b&gt; \*c\*`, "X", "a <b> *c*"},
		{"comments are not shown", "a\n\n<!-- b -->\n\nc", "X", "a\n\nc"},
		{"telephone numbers behind links", "[call us](tel:+49-30-1)", "X", "call us (+49-30-1)"},
		{"deep quotations are plain text", strings.Repeat("> ", 60) + "a", "X", strings.Repeat("> ", 60) + "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := formatOf("x.md")
			d, err := f.draft(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			got := d.document("x.md")
			if got.Title != tt.title || got.Text != tt.text {
				t.Errorf("title %q, text %q; want %q, %q", got.Title, got.Text, tt.title, tt.text)
			}
		})
	}
}

func TestPageContent(t *testing.T) {
	for _, tt := range []struct{ name, in, text string }{
		{"main wins", "<body>menu<main><p>a</main>foot", "a"},
		{"an empty main is no content", "<main></main><p>a", "a"},
		{"one article", "<div>x</div><article>a</article>", "a"},
		{"several articles are all content", "<article>a</article><article>b</article>", "a\n\nb"},
		{"page header out, article header in", "<header>x</header><section><header><h2>a</h2></header>b</section>", "a\n\nb"},
		{"layout table", "<table><tr><td><h2>a</h2>b</td><td>c</td></tr></table>", "a\n\nb\n\nc"},
		{"mail addresses behind links", `<p>write to <a href="mailto:a@b.example">us</a></p>`, "write to us (a@b.example)"},
		{"image texts", `<p><img alt="a lamp"> stands</p>`, "a lamp stands"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := page(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.document("x.html").Text; got != tt.text {
				t.Errorf("text = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		err            error
	}{
		{"UTF-8", "höher", "höher", nil},
		{"byte order mark", "\xef\xbb\xbfa", "a", nil},
		{"UTF-16 little-endian", "\xff\xfea\x00\xe4\x00", "aä", nil},
		{"UTF-16 big-endian", "\xfe\xff\x00a\x20\xac", "a€", nil},
		{"Windows-1252", "Gr\xf6\xdfe 5 \x80, sagt er", "Größe 5 €, sagt er", nil},
		{"line breaks", "a\r\nb\rc\x0bd", "a\nb\nc\nd", nil},
		{"zero bytes", "a\x00b", "", errBinary},
		{"control characters", strings.Repeat("a\x01\x02", 9), "", errBinary},
		{"a picture", "\x89PNG\r\n\x1a\n\x07\x08", "", errBinary},
		{"another encoding", "\xb0\xa1\xb0\xa2\xb0\xa3abc", "", errEncoding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decode([]byte(tt.in))
			if got != tt.want || err != tt.err {
				t.Errorf("decode = %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestWebURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/b?c=d": "https://a.example/b?c=d", " http://a ": "http://a", "HTTPS://a": "HTTPS://a",
		"javascript:alert(1)": "", "/help": "", "": "", "https://a b": "", "https://a\nb": "", "data:text/html,x": "",
	} {
		if got := webURL(in); got != want {
			t.Errorf("webURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// checkDocument holds for every document that was read.
func checkDocument(t *testing.T, d Document) {
	t.Helper()
	if !utf8.ValidString(d.Text) || strings.ContainsRune(d.Text, 0) {
		t.Errorf("the text is not plain: %q", d.Text)
	}
	runes := []rune(d.Text)
	last := 0
	for _, h := range d.Headings {
		if h.Start < last || h.End > len(runes) || string(runes[h.Start:h.End]) != h.Text {
			t.Fatalf("heading %q is not at %d to %d of %q", h.Text, h.Start, h.End, d.Text)
		}
		last = h.End
	}
	checkChunks(t, d)
}

func FuzzMarkdown(f *testing.F) {
	seedFrom(f, "testdata/extract/text.md", "testdata/shop/delivery/times.md")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := decode([]byte(in))
		if err != nil {
			return
		}
		d := markdown(s)
		checkDocument(t, d.document("x.md"))
	})
}

func FuzzPage(f *testing.F) {
	seedFrom(f, "testdata/extract/page.html", "testdata/shop/account.html")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := decode([]byte(in))
		if err != nil {
			return
		}
		d, err := page(s)
		if err != nil {
			return
		}
		checkDocument(t, d.document("x.html"))
	})
}

func seedFrom(f *testing.F, paths ...string) {
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
}
