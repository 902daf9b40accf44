package assistant_test

import (
	"testing"
	"testing/fstest"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/google/go-cmp/cmp"
)

// golden reads cases of an assistant, as golden/cases.yaml unless files has others.
func golden(t *testing.T, cases string, files map[string]string) ([]assistant.Case, error) {
	t.Helper()
	fsys := folder("knowledge: [knowledge, docs]")
	fsys["docs/more/terms.md"] = &fstest.MapFile{Data: []byte("# Terms")}
	if cases != "" {
		fsys["golden/cases.yaml"] = &fstest.MapFile{Data: []byte(cases)}
	}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(data)}
	}
	a, err := assistant.Load(fsys, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return a.Golden()
}

func TestGolden(t *testing.T) {
	got, err := golden(t, "", map[string]string{
		"golden/b.yaml": `
- id: follow-up
  question: And for boots?
  history: [{customer: "Can I return shoes?"}, {assistant: "Yes."}]
  tags: [follow-up, boots]
  expect: answer
  sources: [docs/more/terms.md]
  contains: [30 days]
  never: [free]
`,
		"golden/a.yaml":    "- {id: mayor, question: 'Who is the mayor?', expect: refuse}",
		"golden/README.md": "How to write them.",
		"golden/.keep":     "",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []assistant.Case{
		{ID: "mayor", Question: "Who is the mayor?", Expect: assistant.ExpectRefuse, File: "golden/a.yaml"},
		{ID: "follow-up", Question: "And for boots?", Expect: assistant.ExpectAnswer, File: "golden/b.yaml",
			History: []assistant.Said{{Customer: "Can I return shoes?"}, {Assistant: "Yes."}},
			Tags:    []string{"follow-up", "boots"}, Sources: []string{"docs/more/terms.md"}, Contains: []string{"30 days"}, Never: []string{"free"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Golden (-want +got):\n%s", diff)
	}
	if none, err := golden(t, "", nil); err != nil || none != nil {
		t.Errorf("without the folder: %v, %v", none, err)
	}
}

// An id is that of one case in all files.
func TestGoldenIDs(t *testing.T) {
	_, err := golden(t, "- {id: a, question: 'Why?', expect: refuse}", map[string]string{
		"golden/z.yaml": "- {id: a, question: 'Why?', expect: refuse}",
	})
	want := `shop/golden/z.yaml:1: [0].id: "a" is the id of a case in golden/cases.yaml already; each needs its own`
	if err == nil || err.Error() != want {
		t.Errorf("Golden = %v, want\n%s", err, want)
	}
}
