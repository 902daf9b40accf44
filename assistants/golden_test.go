package assistants

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// goldenCase is what these tests look at in a golden case.
type goldenCase struct {
	ID       string   `yaml:"id"`
	Tags     []string `yaml:"tags"`
	Sources  []string `yaml:"sources"`
	Contains []string `yaml:"contains"`
}

// goldenCases returns the cases of a folder of golden files.
func goldenCases(t *testing.T, fsys fs.FS) []goldenCase {
	t.Helper()
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []goldenCase
	for _, name := range files {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		var cases []goldenCase
		if err := yaml.Unmarshal(b, &cases); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, cases...)
	}
	return all
}

// TestGoldenCases checks that the demo's golden cases are many and of all kinds, and that the
// hard set beside them has none of their ids: a figure is kept by the id of its case.
func TestGoldenCases(t *testing.T) {
	demo, err := fs.Sub(Demo(), "golden")
	if err != nil {
		t.Fatal(err)
	}
	standard, hard := goldenCases(t, demo), goldenCases(t, os.DirFS("hard"))
	if n := len(standard); n < 200 {
		t.Errorf("%d cases, want at least 200", n)
	}
	if len(hard) == 0 {
		t.Error("no hard cases")
	}
	tags, ids := map[string]int{}, map[string]bool{}
	for _, c := range slices.Concat(standard, hard) {
		if c.ID == "" || ids[c.ID] {
			t.Errorf("the id %q is empty or another case's", c.ID)
		}
		ids[c.ID] = true
		checkSources(t, c)
	}
	for _, c := range standard {
		for _, tag := range c.Tags {
			tags[tag]++
		}
	}
	for _, tag := range []string{"common", "edge", "refusal", "sensitive", "citation", "unanswerable", "follow-up"} {
		if tags[tag] == 0 {
			t.Errorf("no case has the tag %s", tag)
		}
	}
}

// checkSources checks that what a case asks for still stands in the articles it names.
func checkSources(t *testing.T, c goldenCase) {
	t.Helper()
	var text strings.Builder
	for _, name := range c.Sources {
		b, err := fs.ReadFile(Demo(), name)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		text.WriteString(strings.ToLower(string(b)))
	}
	for _, phrase := range c.Contains {
		// The words of a case without a source are those of a policy.
		if len(c.Sources) > 0 && !strings.Contains(text.String(), strings.ToLower(phrase)) {
			t.Errorf("%s: none of its sources says %q", c.ID, phrase)
		}
	}
}
