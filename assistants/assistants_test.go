package assistants

import (
	"io/fs"
	"strings"
	"testing"
)

// TestDemo checks that the demo's files are in the binary, and that each article has the
// size and form that make it a fair sample: a title, and 150 to 400 words.
func TestDemo(t *testing.T) {
	if _, err := fs.ReadFile(Demo(), "assistant.yaml"); err != nil {
		t.Error(err)
	}
	articles, err := fs.Glob(Demo(), "knowledge/*.md")
	if err != nil || len(articles) != 10 {
		t.Errorf("%d articles (%v), want 10", len(articles), err)
	}
	for _, name := range articles {
		text, err := fs.ReadFile(Demo(), name)
		if err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not begin with its title", name)
		}
		if n := len(strings.Fields(string(text))); n < 150 || n > 400 {
			t.Errorf("%s has %d words, want 150 to 400", name, n)
		}
	}
}
