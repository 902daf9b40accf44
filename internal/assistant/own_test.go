package assistant_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/config"
)

func paths(files []assistant.OwnFile) string {
	var all []string
	for _, f := range files {
		all = append(all, f.Path)
	}
	return strings.Join(all, " ")
}

func TestOwnFiles(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, name := range []string{"policies/law.yaml", "assistant.yaml", "prompts/persona.md", "golden/a.yaml", "knowledge/a.md",
		"README.md", "prompts/README", "prompts/.persona.md.swp", "prompts/persona.md~", "policies/#law.yaml#", "other/x.yaml"} {
		fsys[name] = &fstest.MapFile{Data: []byte("x")}
	}
	own, err := assistant.OwnFiles(fsys)
	want := "assistant.yaml golden/a.yaml policies/law.yaml prompts/persona.md"
	if err != nil || paths(own) != want {
		t.Errorf("OwnFiles = %s, %v; want %s", paths(own), err, want)
	}
	delete(fsys, assistant.File)
	if own, err := assistant.OwnFiles(fsys); len(own) > 0 || err != nil {
		t.Errorf("a folder of documents has the files %s, %v", paths(own), err)
	}
}

func TestOwnFilesAreBounded(t *testing.T) {
	many := fstest.MapFS{assistant.File: {}}
	for i := range 1000 {
		many["golden/"+strings.Repeat("a", i/50)+string(rune('A'+i%50))] = &fstest.MapFile{}
	}
	large := fstest.MapFS{assistant.File: {}}
	for i := range 9 {
		large["golden/"+string(rune('a'+i))] = &fstest.MapFile{Data: make([]byte, 1<<20)}
	}
	for want, fsys := range map[string]fstest.MapFS{
		"golden/x.yaml: the file has more than 1048576 bytes; make it smaller, or divide it":                   {assistant.File: {}, "golden/x.yaml": {Data: make([]byte, 1<<20+1)}},
		"there are more than 1000 files; put some together":                                                    many,
		"golden/i: with this file there are more than 8388608 bytes; documents belong in the folder knowledge": large,
	} {
		_, err := assistant.OwnFiles(fsys)
		all, _ := errors.AsType[config.Errors](err)
		if len(all) != 1 || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("OwnFiles: %v, want %s", err, want)
		}
	}
}

// Links that stay in the folder are followed, as Kubernetes makes them; others are told.
func TestLinks(t *testing.T) {
	dir := tree(t, "shop", map[string]string{
		"..2026/settings": "knowledge: []", "..2026/prompts/persona.md": "Warm.", "secret/key": "s", "policies/x": "",
	})
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..2026", "..data")
	link("..data/settings", "assistant.yaml")
	link("..data/prompts", "prompts")
	if err := os.RemoveAll(filepath.Join(dir, "policies")); err != nil {
		t.Fatal(err)
	}
	own, err := assistant.OwnFiles(os.DirFS(dir))
	if err != nil || paths(own) != "assistant.yaml prompts/persona.md" || string(own[0].Data) != "knowledge: []" {
		t.Fatalf("OwnFiles = %s, %v", paths(own), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "golden"), 0o700); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{"out": "../../outside", "absolute": filepath.Join(dir, "secret/key"), "nowhere": "none", "round": "round", "above": ".."}
	for name, target := range bad {
		link(target, "golden/"+name)
	}
	link("/", "policies")
	_, err = assistant.OwnFiles(os.DirFS(dir))
	all, _ := errors.AsType[config.Errors](err)
	for _, e := range all {
		if strings.HasPrefix(e.File, "golden/above") && e.Message == "this is a folder; want a file" {
			continue
		}
		if e.Message != "this link leads out of the folder or nowhere; put the file itself here" {
			t.Errorf("%v", e)
		}
	}
	if len(all) != len(bad)+1 {
		t.Errorf("%d mistakes, want %d: %v", len(all), len(bad)+1, err)
	}
}

// A release has the own files alone, in whatever file system, and is the same release.
func TestLoadRelease(t *testing.T) {
	from, err := assistant.Load(fstest.MapFS{
		assistant.File:    {Data: []byte("company: Acme\nknowledge: [docs, faq]")},
		"docs/a.md":       {Data: []byte("# A")},
		"faq/b.md":        {Data: []byte("# B")},
		"golden/README":   {},
		"prompts/.hidden": {},
	}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range from.Own() {
		part, err := w.Create(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	zipped, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := assistant.LoadRelease(zipped, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "shop" || a.Company != "Acme" || strings.Join(a.Knowledge, " ") != "docs faq" || a.Release != from.Release {
		t.Errorf("LoadRelease = %+v; want that of %+v", a, from)
	}
	if _, err := assistant.Load(zipped, "shop"); err == nil {
		t.Error("Load does not ask for the knowledge folders")
	}
}

func TestIsOwn(t *testing.T) {
	a, err := assistant.Load(fstest.MapFS{assistant.File: {Data: []byte("knowledge: [.]")}, "a.md": {}}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"assistant.yaml": true, "prompts/README.md": true, "policies/a.md": true,
		"a.md": false, "golden.md": false, "sub/prompts/a.md": false} {
		if a.IsOwn(name) != want {
			t.Errorf("IsOwn(%s) = %t", name, !want)
		}
	}
	documents, err := assistant.Load(fstest.MapFS{"policies/returns.md": {}}, "docs")
	if err != nil || documents.IsOwn("policies/returns.md") {
		t.Errorf("in a folder of documents, one of them is taken for a policy: %v", err)
	}
}
