package assistant_test

import (
	"testing"

	"github.com/answerable/answerable/internal/assistant"
)

func TestNameInABrokenFile(t *testing.T) {
	for file, want := range map[string]string{
		"gate: [\nname: shop # ours\n": "shop", "name: 'shop'\nbogus: 1": "shop", "gate: [": "corner-shop", "name: No Name": "corner-shop", "name: a--b": "corner-shop",
	} {
		if got := assistant.NameIn(tree(t, "Corner Shop", map[string]string{"assistant.yaml": file})); got != want {
			t.Errorf("NameIn %q = %q, want %q", file, got, want)
		}
	}
	if got := assistant.NameIn(tree(t, "docs", map[string]string{"a.md": "# A"})); got != "docs" {
		t.Errorf("NameIn = %q, want docs", got)
	}
}
