package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Each testdata/tables/*.txt is an export, perhaps with a mapping (map.yaml or a line
// "map NAME" in the comment), and what comes of it.
func TestTables(t *testing.T) {
	scripts, err := filepath.Glob("testdata/tables/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			a, err := txtar.ParseFile(script)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			from, o := "", Options{}
			for l := range strings.Lines(string(a.Comment)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(l), "map "); ok {
					o.Map = name
				}
				if base, ok := strings.CutPrefix(strings.TrimSpace(l), "base "); ok {
					if o.Base, err = ParseAddress(base); err != nil {
						t.Fatal(err)
					}
				}
			}
			var want *txtar.File
			for i, f := range a.Files {
				if f.Name == "want" {
					want = &a.Files[i]
					continue
				}
				path := filepath.Join(dir, f.Name)
				if err := os.WriteFile(path, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
				if f.Name == "map.yaml" {
					o.Map = path
				} else {
					from = path
				}
			}
			b, err := Read(t.Context(), from, o)
			got := told(b, err, dir)
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(script, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want.Data), got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// told writes down what an import found.
func told(b Batch, err error, dir string) string {
	var s strings.Builder
	for _, a := range b.Articles {
		s.WriteString("key " + a.Key + "\n" + string(a.file()))
	}
	for _, p := range b.Problems {
		s.WriteString("problem " + p.String() + "\n")
	}
	if b.Hidden > 0 {
		s.WriteString("hidden " + strings.Repeat("x", b.Hidden) + "\n")
	}
	if err != nil {
		s.WriteString("error " + strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "") + "\n")
	}
	return s.String()
}

// What a text file cannot hold: byte order marks and other encodings.
func TestEncodings(t *testing.T) {
	for name, data := range map[string]string{
		"UTF-8":           "title,body\nCafé,Öffnet um 9.\n",
		"UTF-8 with mark": "\xef\xbb\xbftitle,body\nCafé,Öffnet um 9.\n",
		"Windows-1252":    "title,body\r\nCaf\xe9,\xd6ffnet um 9.\r\n",
		"UTF-16":          utf16("\ufefftitle,body\nCafé,Öffnet um 9.\n"),
	} {
		var b Batch
		if err := b.table(t.Context(), map[string]string{}, "a.csv", []byte(data), Mapping{guessed: true}, Options{}.withDefaults()); err != nil || len(b.Articles) != 1 {
			t.Errorf("%s: %+v, %v", name, b, err)
			continue
		}
		if a := b.Articles[0]; a.Title != "Café" || a.Body != "Öffnet um 9." {
			t.Errorf("%s: %q, %q", name, a.Title, a.Body)
		}
	}
}

func utf16(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return string(b)
}

func TestARowThatIsTooLarge(t *testing.T) {
	var b Batch
	data := "title,body\nBig," + strings.Repeat("x", maxArticle+1) + "\nSmall,x\n"
	if err := b.table(t.Context(), map[string]string{}, "a.csv", []byte(data), Mapping{guessed: true}, Options{}.withDefaults()); err != nil {
		t.Fatal(err)
	}
	if len(b.Articles) != 1 || len(b.Problems) != 1 || b.Problems[0].String() != "a.csv:2: the body is larger than 2 MiB" {
		t.Errorf("batch = %d articles, %v", len(b.Articles), b.Problems)
	}
}

func TestReadyMappingsLoad(t *testing.T) {
	for _, name := range Mappings() {
		if m, err := mapping(name); err != nil || m.Title == "" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := mapping("zendex"); err == nil || !strings.Contains(err.Error(), "one of discourse, freshdesk, helpscout, intercom, zendesk") {
		t.Errorf("an unknown mapping: %v", err)
	}
}

// The mapping that docs/importing.md shows is one.
func TestMappingOfTheDocument(t *testing.T) {
	data, err := os.ReadFile("../../docs/importing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(data), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	file := filepath.Join(t.TempDir(), "map.yaml")
	if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := mapping(file); err != nil || m.Records != "sections.articles" || len(m.Skip) != 2 {
		t.Errorf("mapping = %+v, %v", m, err)
	}
	for _, name := range Mappings() {
		if !strings.Contains(string(data), "| `"+name+"` |") {
			t.Errorf("docs/importing.md does not name the mapping %s", name)
		}
	}
}
