package assistant_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/answerable/answerable/internal/assistant"
)

// TestAReleaseIsReadBack: the archive of an assistant's own files makes the same
// assistant, without its documents, and the same files make the same bytes.
func TestAReleaseIsReadBack(t *testing.T) {
	for name, folder := range map[string]fstest.MapFS{
		"with files": {
			"assistant.yaml":     {Data: []byte("name: shop\ncompany: Corner\n")},
			"prompts/persona.md": {Data: []byte("Brief.\n")},
			"knowledge/a.md":     {Data: []byte("# A")},
		},
		"documents alone": {"a.md": {Data: []byte("# A")}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := assistant.Load(folder, "shop")
			if err != nil {
				t.Fatal(err)
			}
			data, err := assistant.Archive(a.Own())
			if err != nil {
				t.Fatal(err)
			}
			again, err := assistant.Archive(a.Own())
			if err != nil || !bytes.Equal(data, again) {
				t.Errorf("the same files made other bytes (%v)", err)
			}
			fsys, err := assistant.OpenArchive(data, a.Release)
			if err != nil {
				t.Fatal(err)
			}
			b, err := assistant.LoadRelease(fsys, "shop")
			if err != nil {
				t.Fatal(err)
			}
			if b.Name != "shop" || b.Release != a.Release || b.Company != a.Company || !cmp.Equal(a.Own(), b.Own()) {
				t.Errorf("read back: %+v, stored: %+v", b, a)
			}
		})
	}
}

func TestADamagedReleaseIsRefused(t *testing.T) {
	data, err := assistant.Archive([]assistant.OwnFile{{Path: "assistant.yaml", Data: []byte("name: shop\n")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{"cut": data[:len(data)/2], "empty": nil, "other bytes": bytes.Replace(data, []byte("shop"), []byte("shoq"), 1)} {
		if _, err := assistant.OpenArchive(damaged, strings.Repeat("0", 64)); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := assistant.OpenArchive(data, strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "not those that were stored") {
		t.Errorf("another release's files: %v", err)
	}
}

func TestDiff(t *testing.T) {
	files := func(pairs ...string) (out []assistant.OwnFile) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, assistant.OwnFile{Path: pairs[i], Data: []byte(pairs[i+1])})
		}
		return out
	}
	from := files("assistant.yaml", "name: shop\ngate: word\n", "golden/a.yaml", "[]\n", "prompts/persona.md", "Brief.\n")
	to := files("assistant.yaml", "name: shop\ngate: sentence\n", "policies/x.yaml", "\xff", "prompts/persona.md", "Brief.\n")
	want := []assistant.FileChange{
		{Path: "assistant.yaml", Change: assistant.Changed, Diff: "--- a/assistant.yaml\n+++ b/assistant.yaml\n@@ -1,2 +1,2 @@\n name: shop\n-gate: word\n+gate: sentence\n"},
		{Path: "golden/a.yaml", Change: assistant.Removed, Diff: "--- a/golden/a.yaml\n+++ b/golden/a.yaml\n@@ -1,1 +0,0 @@\n-[]\n"},
		{Path: "policies/x.yaml", Change: assistant.Added},
	}
	if d := cmp.Diff(want, assistant.Diff(from, to)); d != "" {
		t.Errorf("Diff (-want +got):\n%s", d)
	}
	if same := assistant.Diff(from, from); len(same) != 0 {
		t.Errorf("the same files differ: %+v", same)
	}
}
