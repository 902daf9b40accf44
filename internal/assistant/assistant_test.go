package assistant_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// folder is an assistant's folder around an assistant.yaml.
func folder(file string) fstest.MapFS {
	return fstest.MapFS{
		"assistant.yaml": {Data: []byte(file)},
		"knowledge/a.md": {Data: []byte("# A")},
	}
}

func defaults() assistant.Assistant {
	return assistant.Assistant{
		Name:      "corner-shop",
		Unit:      chat.Sentence,
		Knowledge: []string{"knowledge"},
		Limits:    assistant.Limits{Passages: 5, PassageTokens: 1500, ReplyTokens: 1024},
		Widget:    assistant.DefaultWidget(),
		Dir:       "sites/Corner Shop",
	}
}

var settings = cmp.Options{cmpopts.IgnoreFields(assistant.Assistant{}, "FS", "Release"), cmpopts.IgnoreUnexported(assistant.Assistant{})}

// Every testdata/good/*.txtar loads. Before the files stands, as JSON, what they change.
func TestGoodFolders(t *testing.T) {
	each(t, "good", func(t *testing.T, archive *txtar.Archive, fsys fs.FS) string {
		got, err := assistant.Load(fsys, "sites/Corner Shop")
		if err != nil {
			t.Fatal(err)
		}
		want := defaults()
		if err := yaml.Unmarshal(archive.Comment, &want); err != nil {
			t.Fatalf("before the files: %v", err)
		}
		if diff := cmp.Diff(&want, got, settings); diff != "" {
			t.Errorf("loaded (-want +got):\n%s", diff)
		}
		return string(archive.Comment)
	})
}

// Every testdata/bad/*.txtar fails with the message before its files, in which the folder
// is left out.
func TestBadFolders(t *testing.T) {
	each(t, "bad", func(t *testing.T, _ *txtar.Archive, fsys fs.FS) string {
		_, err := assistant.Check(fsys, "sites/Corner Shop")
		if err == nil {
			t.Fatal("loaded without an error")
		}
		return strings.ReplaceAll(err.Error(), "sites/Corner Shop/", "") + "\n"
	})
}

// each plays the archives of a folder of testdata: test returns what must stand before
// the files. In file names and contents, what cannot stand in a text is written ${NAME}.
func each(t *testing.T, kind string, test func(t *testing.T, archive *txtar.Archive, fsys fs.FS) string) {
	archives, err := filepath.Glob("testdata/" + kind + "/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := test(t, archive, files(archive))
			switch {
			case got == string(archive.Comment):
			case *update:
				archive.Comment = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("got\n%swant\n%s", got, archive.Comment)
			}
		})
	}
}

// special is what a text file of ours should not hold.
var special = strings.NewReplacer("${TAB}", "\t", "${NUL}", "\x00", "${BOM}", "\ufeff", "${CR}", "\r", "${NOT-UTF-8}", "\xff",
	"${500}", strings.Repeat("long ", 100), "${5000}", strings.Repeat("long ", 1000), "${MEBIBYTE}", strings.Repeat("# long\n", 1<<20/7+1), "${NOTHING}", "")

// files are an archive's files; a name that ends in a slash is an empty folder.
func files(archive *txtar.Archive) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range archive.Files {
		if dir, ok := strings.CutSuffix(f.Name, "/"); ok {
			fsys[dir] = &fstest.MapFile{Mode: fs.ModeDir}
			continue
		}
		if name, ok := strings.CutPrefix(f.Name, "link "); ok {
			fsys[name] = &fstest.MapFile{Data: bytes.TrimSpace(f.Data), Mode: fs.ModeSymlink}
			continue
		}
		fsys[f.Name] = &fstest.MapFile{Data: []byte(special.Replace(string(f.Data)))}
	}
	return fsys
}

func TestTheUsualKnowledgeFolderMustExist(t *testing.T) {
	_, err := assistant.Load(fstest.MapFS{assistant.File: {}}, "shop")
	want := `shop/assistant.yaml: knowledge[0]: there is no folder "knowledge"; make it, or name the folders that hold the documents`
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
}

func TestReleaseIsAHashOfTheFile(t *testing.T) {
	release := func(file, document string) string {
		fsys := folder(file)
		fsys["knowledge/a.md"].Data = []byte(document)
		a, err := assistant.Load(fsys, "shop")
		if err != nil {
			t.Fatal(err)
		}
		return a.Release
	}
	first := release("gate: word", "# A")
	if len(first) != 64 {
		t.Errorf("Release = %q, want 64 hexadecimal digits", first)
	}
	if release("gate: word", "# B") != first {
		t.Error("a changed document changes the release; that is the generation's business")
	}
	if release("gate: word ", "# A") == first {
		t.Error("a changed file leaves the release as it was")
	}
}

// tree writes files, by path, below a new folder called name.
func tree(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for path, data := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadDir(t *testing.T) {
	for _, test := range []struct {
		name, dir string
		files     map[string]string
		want      string // names and knowledge
	}{
		{"documents", "Käufer_Hilfe 2", map[string]string{"a.md": "", "sub/b.md": ""}, "k-ufer-hilfe-2 [.]"},
		{"a name without letters", "???", map[string]string{"a.md": ""}, "assistant [.]"},
		{"one", "shop", map[string]string{"assistant.yaml": "", "knowledge/a.md": ""}, "shop [knowledge]"},
		{"one that has a name", "x", map[string]string{"assistant.yaml": "name: shop", "knowledge/a.md": ""}, "shop [knowledge]"},
		{"one goes before those in subfolders", "shop", map[string]string{"assistant.yaml": "knowledge: [.]", "b/assistant.yaml": "bad"}, "shop [.]"},
		{"several", "all", map[string]string{
			"b/assistant.yaml": "knowledge: []", "a/assistant.yaml": "name: z\nknowledge: [.]", "c/readme.md": "", "d.md": "",
		}, "b [] z [.]"},
		{"deeper files do not count", "docs", map[string]string{"a/b/assistant.yaml": ""}, "docs [.]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, err := assistant.LoadDir(tree(t, test.dir, test.files))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range all {
				got = append(got, a.Name, "["+strings.Join(a.Knowledge, " ")+"]")
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLoadDirHere(t *testing.T) {
	t.Chdir(tree(t, "Corner Shop", map[string]string{"a.md": ""}))
	all, err := assistant.LoadDir(".")
	if err != nil || len(all) != 1 || all[0].Name != "corner-shop" {
		t.Errorf("LoadDir(.) = %v, %v; want corner-shop", all, err)
	}
}

func TestLoadDirMistakes(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string // DIR is the directory
	}{
		{"same name twice", map[string]string{
			"a/assistant.yaml": "{name: shop, knowledge: []}", "b/assistant.yaml": "{name: shop, knowledge: []}",
		}, `DIR/a/assistant.yaml and DIR/b/assistant.yaml are both named "shop"; rename one of them`},
		{"mistakes in two", map[string]string{
			"a/assistant.yaml": "{gate: x, knowledge: []}", "b/assistant.yaml": "knowledge: []\ngate: y",
		}, "DIR/a/assistant.yaml:1: gate: \"x\" is not one of sentence, word\nDIR/b/assistant.yaml:2: gate: \"y\" is not one of sentence, word"},
		{"the other ending", map[string]string{"a/assistant.yml": ""}, "DIR/a/assistant.yml is not read; rename it to assistant.yaml"},
		{"a folder in place of the file", map[string]string{"assistant.yaml/a.md": ""}, "DIR/assistant.yaml: this is a folder; want a file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := tree(t, "site", test.files)
			_, err := assistant.LoadDir(dir)
			if err == nil {
				t.Fatal("loaded without an error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != test.want {
				t.Errorf("error\n got %s\nwant %s", got, test.want)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "nowhere")
	if _, err := assistant.LoadDir(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing directory: %v", err)
	}
	file := filepath.Join(tree(t, "x", map[string]string{"a.md": ""}), "a.md")
	if _, err := assistant.LoadDir(file); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file in place of a directory: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	archives, _ := filepath.Glob("testdata/*/*.txtar")
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		all := files(archive)
		text := func(name string) string {
			if f := all[name]; f != nil && len(f.Data) < 4<<10 {
				return string(f.Data)
			}
			return ""
		}
		f.Add(text(assistant.File), text("policies/law.yaml"), text("golden/cases.yaml"), text("prompts/persona.md"))
	}
	f.Fuzz(func(t *testing.T, file, policy, golden, persona string) {
		fsys := folder(file)
		for name, data := range map[string]string{"policies/law.yaml": policy, "golden/cases.yaml": golden, "prompts/persona.md": persona} {
			if data != "" {
				fsys[name] = &fstest.MapFile{Data: []byte(data)}
			}
		}
		a, err := assistant.Load(fsys, "shop")
		if err != nil {
			if _, ok := errors.AsType[config.Errors](err); !ok {
				t.Errorf("the error %v does not say where it is", err)
			}
			return
		}
		if a.Unit != chat.Sentence && a.Unit != chat.Word {
			t.Errorf("gate = %q", a.Unit)
		}
		if _, err := a.Golden(); err != nil {
			if _, ok := errors.AsType[config.Errors](err); !ok {
				t.Errorf("the error %v does not say where it is", err)
			}
		}
		if _, err := guard.NewPolicies(a.Policies); err != nil {
			t.Errorf("policies that loaded cannot be made ready: %v", err)
		}
		if _, err := guard.NewForbidden(a.Never()); err != nil {
			t.Errorf("phrases that loaded cannot be looked for: %v", err)
		}
		a.Hours.At(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
		for _, k := range a.Knowledge {
			if info, err := fsys.Stat(k); err != nil || !info.IsDir() {
				t.Errorf("knowledge %q is no folder: %v", k, err)
			}
		}
	})
}
