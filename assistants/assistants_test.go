package assistants

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// article is a help article of the demo, as its file says it.
type article struct {
	name string // below knowledge
	head map[string]string
	body string
}

func articles(t *testing.T) []article {
	t.Helper()
	var all []article
	err := fs.WalkDir(Demo(), "knowledge", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path.Ext(name) != ".md" {
			t.Errorf("%s is no article", name)
			return nil
		}
		b, err := fs.ReadFile(Demo(), name)
		if err != nil {
			return err
		}
		a := article{name: strings.TrimPrefix(name, "knowledge/"), head: map[string]string{}}
		rest, ok := strings.CutPrefix(string(b), "---\n")
		head, body, end := strings.Cut(rest, "\n---\n\n")
		if !ok || !end {
			t.Errorf("%s does not begin with front matter", name)
		}
		a.body = body
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

// TestDemo checks that the demo's files are in the binary, and that each article has the
// size and form that make it a fair sample.
func TestDemo(t *testing.T) {
	if _, err := fs.ReadFile(Demo(), "assistant.yaml"); err != nil {
		t.Error(err)
	}
	var titles []string
	for _, a := range articles(t) {
		if a.head["title"] == "" || slices.Contains(titles, a.head["title"]) {
			t.Errorf("%s has the title %q, which is empty or another's", a.name, a.head["title"])
		}
		titles = append(titles, a.head["title"])
		if n := len(strings.Fields(a.body)); n < 150 || n > 450 {
			t.Errorf("%s has %d words, want 150 to 450", a.name, n)
		}
		if want := "https://www.tidewhistle.example/help/" + strings.TrimSuffix(a.name, ".md"); a.head["url"] != want {
			t.Errorf("%s has the address %q, want %s", a.name, a.head["url"], want)
		}
	}
}
