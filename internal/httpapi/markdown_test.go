package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

var cited = []chat.Citation{
	{Mark: 1, Title: "Delivery <i>\"", URL: "/sources/g1/delivery.md?start=1&end=2"},
	{Mark: 2, Title: "Ev\u202eil", URL: "javascript:alert(1)"},
	{Mark: 3, Title: "Own", URL: "https://shop.example/own"},
	{Mark: 4, Title: "Elsewhere", URL: "//evil.example/x"},
}

func TestMarkdown(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"One.\nStill one.\n\nTwo.", `<p dir="auto">One.\nStill one.</p><p dir="auto">Two.</p>`},
		{"- a\n- b\n\n- c\n  more", `<ul><li dir="auto">a</li><li dir="auto">b</li><li dir="auto">c\nmore</li></ul>`},
		{"Do:\n3. a\n4) b\nThen.", `<p dir="auto">Do:</p><ol start="3"><li dir="auto">a</li><li dir="auto">b</li></ol><p dir="auto">Then.</p>`},
		{"## Title ##\nText", `<p class="heading" dir="auto"><strong>Title</strong></p><p dir="auto">Text</p>`},
		{"> a\n> b\n\nc", `<blockquote><p dir="auto">a\nb</p></blockquote><p dir="auto">c</p>`},
		{"```js\nlet a = `**b**`\n\n- c\n```\nd", "<pre tabindex=\"0\"><code>let a = `**b**`\n\n- c</code></pre><p dir=\"auto\">d</p>"},
		{"```\nnever closed", `<pre tabindex="0"><code>never closed</code></pre>`},
		{"| a | *b* |\n|:--|---|\n| c \\| d | e [1] |\nx", `<div class="table"><table><thead><tr><th scope="col" dir="auto">a</th><th scope="col" dir="auto"><em>b</em></th></tr></thead>` +
			`<tbody><tr><td dir="auto">c | d</td><td dir="auto">e <a class="cite" href="/sources/g1/delivery.md?start=1&amp;end=2" target="_blank" rel="noopener nofollow" title="Delivery &lt;i&gt;&#34;">1</a></td></tr></tbody></table></div><p dir="auto">x</p>`},
		{"| a | b |\n| c |", "<pre tabindex=\"0\"><code>| a | b |\n| c |</code></pre>"},
		{"**a *b* c** *d* `e`", `<p dir="auto"><strong>a </strong><em>b</em><strong> c</strong> <em>d</em> <code>e</code></p>`},
		{"**a [b](https://x.example) c**", `<p dir="auto"><strong>a </strong><a href="https://x.example" target="_blank" rel="noopener noreferrer nofollow">b</a><strong> c</strong></p>`},
		{"2 * 3 * 4 and **half", `<p dir="auto">2 * 3 * 4 and **half</p>`},
		{"(https://x.example/a).", `<p dir="auto">(<a href="https://x.example/a" target="_blank" rel="noopener noreferrer nofollow">https://x.example/a</a>).</p>`},
		{"[x](javascript:alert(1)) [y](//evil.example) [z](data:text/html,x)", `<p dir="auto">[x](javascript:alert(1)) [y](//evil.example) [z](data:text/html,x)</p>`},
		{"[m](mailto:a@x.example)", `<p dir="auto"><a href="mailto:a@x.example" target="_blank" rel="noopener noreferrer nofollow">m</a></p>`},
		{"[t](tel:0800-123)", `<p dir="auto"><a href="tel:0800-123" target="_blank" rel="noopener noreferrer nofollow">t</a></p>`},
		{"<script>alert(1)</script>&amp;", `<p dir="auto">&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</p>`},
		{"a\u202eb\u2066c", `<p dir="auto">abc</p>`},
		{"Yes.[1] No.[9]", `<p dir="auto">Yes.<a class="cite" href="/sources/g1/delivery.md?start=1&amp;end=2" target="_blank" rel="noopener nofollow" title="Delivery &lt;i&gt;&#34;">1</a> No.[9]</p>`},
		{"[2][4]", `<p dir="auto"><span class="cite">2</span><span class="cite">4</span></p>`},
		{"**Own.[3]**", `<p dir="auto"><strong>Own.</strong><a class="cite" href="https://shop.example/own" target="_blank" rel="noopener nofollow" title="Own">3</a></p>`},
	} {
		want := strings.ReplaceAll(test.want, `\n`, "\n")
		if got, _ := httpapi.Markdown(test.text, cited); got != want {
			t.Errorf("%q\n got %s\nwant %s", test.text, got, want)
		}
	}
}

// Whatever is written, links lead where people may be led, and no element is ours to close.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{"**a** [b](c) [1] `d`", "- a\n1. b\n> c\n# d\n```\ne", "[x](javascript:alert(1))", "<img src=x onerror=alert(1)>", "https://a.example/\"><script>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		html, links := httpapi.Markdown(text, cited)
		for _, link := range links {
			u, err := url.Parse(link)
			if err != nil || u.Scheme == "" && !strings.HasPrefix(link, "/sources/") || !slices.Contains([]string{"", "http", "https", "mailto", "tel"}, u.Scheme) {
				t.Errorf("%q leads to %q", text, link)
			}
		}
		for _, element := range []string{"<script", "<img", "<style", "<iframe", "<svg"} {
			if strings.Contains(html, element) {
				t.Errorf("%q gives %s", text, html)
			}
		}
	})
}

func TestPassagesOfOneDocumentAreOneSource(t *testing.T) {
	of := func(mark int, document string) chat.Citation {
		return chat.Citation{Mark: mark, Title: document, Document: document, Generation: "g"}
	}
	got := httpapi.Sources([]chat.Citation{of(1, "delivery"), of(2, "returns"), of(3, "delivery")})
	if want := []string{"delivery: 1 3", "returns: 2"}; !slices.Equal(got, want) {
		t.Errorf("sources = %q, want %q", got, want)
	}
}

func TestPlainText(t *testing.T) {
	for text, want := range map[string]string{
		"**Yes**, see [here](https://x.example).[1]\n\n- a\n- `b` [2]": "Yes, see here. a b",
		"| To | Cost |\n|---|---|\n| Cork | free [1] |":                "To Cost Cork free",
		"```\nx = 1\n```": "x = 1",
		"":                "",
	} {
		if got := strings.Join(strings.Fields(httpapi.PlainText(text)), " "); got != want {
			t.Errorf("PlainText(%q) = %q, want %q", text, got, want)
		}
	}
}
