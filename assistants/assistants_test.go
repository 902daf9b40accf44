package assistants

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const site = "https://www.tidewhistle.example/help/"

// article is a help article of the demo, as its file says it.
type article struct {
	name string // below knowledge
	head map[string]string
	body string
}

// articles returns the demo's articles, and fails the test where one has no front matter.
func articles(t *testing.T) []article {
	t.Helper()
	var all []article
	err := fs.WalkDir(Demo(), "knowledge", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Demo(), name)
		if err != nil {
			return err
		}
		rest, opened := strings.CutPrefix(string(b), "---\n")
		head, body, closed := strings.Cut(rest, "\n---\n\n")
		if path.Ext(name) != ".md" || !opened || !closed {
			t.Fatalf("%s is not Markdown that begins with front matter", name)
		}
		a := article{name: strings.TrimPrefix(name, "knowledge/"), head: map[string]string{}, body: body}
		for line := range strings.SplitSeq(head, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			a.head[key] = value
		}
		all = append(all, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestArticles checks that each article has the size and form that make it a fair sample,
// and that its links lead to other articles.
func TestArticles(t *testing.T) {
	all := articles(t)
	var titles []string
	for _, a := range all {
		if title := a.head["title"]; title == "" || slices.Contains(titles, title) {
			t.Errorf("%s has the title %q, which is empty or another's", a.name, title)
		}
		titles = append(titles, a.head["title"])
		// An address made of the name is unique, and links can be checked by it.
		if want := site + strings.TrimSuffix(a.name, ".md"); a.head["url"] != want {
			t.Errorf("%s has the address %q, want %s", a.name, a.head["url"], want)
		}
		for _, key := range []string{"updated", "valid_from", "valid_until"} {
			value, ok := a.head[key]
			if _, err := time.Parse(time.DateOnly, value); err != nil && (ok || key == "updated") {
				t.Errorf("%s: %s is %q, want a date", a.name, key, value)
			}
		}
		if n := len(strings.Fields(a.body)); n < 150 || n > 450 {
			t.Errorf("%s has %d words, want 150 to 450", a.name, n)
		}
		if strings.HasPrefix(a.body, "# ") {
			t.Errorf("%s says its title twice", a.name)
		}
		for _, link := range links.FindAllStringSubmatch(a.body, -1) {
			leads := func(b article) bool { return b.head["url"] == link[1] && b.head["audience"] == "" }
			if !slices.ContainsFunc(all, leads) {
				t.Errorf("%s links to %s, which no customer can read", a.name, link[1])
			}
		}
	}
}

var links = regexp.MustCompile(`[^!]\[[^\]]*\]\(([^)]*)\)`)

// TestVariety checks that the articles have what makes help centres hard to read for a program.
func TestVariety(t *testing.T) {
	all := articles(t)
	if len(all) < 60 {
		t.Errorf("%d articles, want at least 60", len(all))
	}
	for _, want := range []struct {
		what    string
		pattern string
		atLeast int
	}{
		{"a table", `\n\|[-|]+\|\n`, 10},
		{"a list", `\n- .*\n- `, 15},
		{"a numbered procedure", `\n1\. .*\n2\. `, 15},
		{"an image with a text", `!\[[^\]]+\]\(https://www\.tidewhistle\.example/img/[^)]+\.png\)`, 6},
		{"nested headings", `\n### `, 3},
		{"a link", links.String(), 15},
		{"an amount", `€\d`, 20},
		{"an error code", `\bE-\d`, 4},
		{"an order number", `\bTW-\d{6}\b`, 3},
		{"a telephone number", `\+353 1 555 01\d\d`, 5},
	} {
		pattern, n := regexp.MustCompile(want.pattern), 0
		for _, a := range all {
			if pattern.MatchString(a.body) {
				n++
			}
		}
		if n < want.atLeast {
			t.Errorf("%d articles have %s, want at least %d", n, want.what, want.atLeast)
		}
	}
}

// TestTraps checks that the articles which a careless program quotes wrongly are there.
func TestTraps(t *testing.T) {
	by := map[string]article{}
	for _, a := range articles(t) {
		by[a.name] = a
	}
	older, newer := by["delivery/bulky-items-2025.md"], by["delivery/bulky-items.md"]
	if older.head["updated"] >= newer.head["updated"] ||
		!strings.Contains(older.body, "| Ireland, mainland | €29 |") || !strings.Contains(newer.body, "| Ireland, mainland | €39 |") {
		t.Error("want two articles on bulky items, of which the newer one has another price")
	}
	if sale := by["payment/summer-sale-2025.md"]; sale.head["valid_until"] != "2025-08-31" {
		t.Errorf("the sale is valid until %q, want a day that has passed", sale.head["valid_until"])
	}
	if rules := by["internal/goodwill.md"]; rules.head["audience"] != "internal" {
		t.Errorf("the rules of goodwill are for %q, want internal", rules.head["audience"])
	}
	if german := by["returns/rueckgabe-deutschland.md"]; !strings.Contains(german.body, "innerhalb von 30 Tagen") {
		t.Error("want an article in German")
	}
}
