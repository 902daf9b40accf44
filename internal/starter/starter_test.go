package starter

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/answerable/answerable/internal/assistant"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each testdata/*.txt has the documents that are there, and all files that come of them.
func TestWrite(t *testing.T) {
	for name, a := range map[string]Assistant{
		"nothing":  {Name: "acme", Company: `Acme "Boots" & Co: #1`, Language: "de"},
		"imported": {Name: "shop", Company: "Harbour Goods", Language: "en", Site: "https://shop.example", From: "https://help.shop.example/sitemap.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			script := filepath.Join("testdata", name+".txt")
			want, err := txtar.ParseFile(script)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "assistant")
			for _, f := range want.Files {
				if strings.HasPrefix(f.Name, "given/") {
					path := filepath.Join(dir, "knowledge", strings.TrimPrefix(f.Name, "given/"))
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := a.Write(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: want.Comment}
			for _, f := range want.Files {
				if strings.HasPrefix(f.Name, "given/") {
					got.Files = append(got.Files, f)
				}
			}
			err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := os.ReadFile(filepath.Join(dir, name))
				for _, f := range want.Files {
					if f.Name == "given/"+strings.TrimPrefix(name, "knowledge/") {
						return err
					}
				}
				got.Files = append(got.Files, txtar.File{Name: name, Data: data})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(script, txtar.Format(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(got))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			loads(t, dir, a)
			for _, file := range []string{"assistant.yaml", "policies/house.yaml"} { // the examples are right, too
				path := filepath.Join(dir, file)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, example.ReplaceAll(data, []byte("$1")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := loads(t, dir, a); got.Persona.Name != "Pip" || len(got.Lines) != 1 || got.Hours.Zone == "" || len(got.Policies) != 1 || len(got.Policies[0].Rules) != 2 {
				t.Errorf("with its examples the assistant is %+v", got)
			}
		})
	}
}

// example is the beginning of a line that is out of use.
var example = regexp.MustCompile(`(?m)^#([a-z]| {2,})`)

// loads reads an assistant and its golden cases.
func loads(t *testing.T, dir string, want Assistant) *assistant.Assistant {
	t.Helper()
	all, err := assistant.LoadDir(dir)
	if err != nil || len(all) != 1 || all[0].Name != want.Name || all[0].Company != want.Company {
		t.Fatalf("LoadDir = %+v, %v", all, err)
	}
	if cases, err := all[0].Golden(); err != nil || len(cases) < 2 {
		t.Errorf("Golden = %+v, %v", cases, err)
	}
	return all[0]
}
