package app_test

// The rules of the house, checked over the source. When one of these tests fails, the
// rule or the code is wrong: change either, and say why in docs/decisions.md.

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/answerable/answerable"
)

// The layers of docs/architecture.md, from below.
const (
	base   = "chat lang config classify privacy meter access llm"
	steps  = "intent guard knowledge memory prompt route cache tool handoff"
	engine = "turn inbox assistant"
	around = "store feed jobs observe"
	edges  = "httpapi console voice eval"
)

// arrows says which packages of ours each package may import. A package's own
// subpackages go with it, both ways.
var arrows = []struct{ packages, mayImport string }{
	{"assistants", ""}, // the embedded files
	{"load", ""},       // measures servers from outside, as strangers do
	{"chat", ""},
	{"lang", "chat"},
	{"config classify privacy", "chat lang"},
	{"meter access", "chat config"},
	{"llm", "chat lang config"},
	{steps, base},
	{"turn", base + " " + steps},
	{"inbox", "chat lang config privacy turn"},
	{"assistant", base + " " + steps},
	{"importer", "config knowledge"},             // whose reading it prepares for
	{"starter", "knowledge assistant"},           // its tests load what it writes
	{around, "chat config " + "turn inbox feed"}, // whose interfaces they fulfil
	{edges, base + " " + steps + " " + engine + " " + around},
	{"httpapi", base + " " + steps + " " + engine + " " + around + " console"}, // which serves the built files
	{"app", everything},
	{"cmd", everything},
}

const everything = "app assistants importer load starter " + base + " " + steps + " " + engine + " " + around + " " + edges

// testArrows are imports that only tests may have, each with its reason.
var testArrows = map[string]string{
	"inbox → store": "turns are answered end to end, with real stores",
	"inbox → feed":  "their events are followed as clients do",
	"inbox → llm":   "scripts and the extractive provider answer",
	"inbox → guard": "the gate's rules are part of a turn's",
	"turn → inbox":  "scripts are played by a whole server, which may die",
	"turn → store":  "likewise, on a real store",
	"feed → store":  "feedtest follows what real stores commit",
}

// testPackagesInUse are packages for tests that the binary uses too, each with its reason.
var testPackagesInUse = map[string]string{
	"internal/llm/llmtest": "serve --fake-provider answers from a script in the real binary",
}

// packagesWithGo may start goroutines with the go statement; others use an errgroup or
// sync.WaitGroup.Go in the function that waits.
var packagesWithGo = []string{"app", "inbox", "jobs"}

// A source is a Go file of the module.
type source struct {
	path   string // from the root, with slashes
	owner  string // the package in arrows that it belongs to
	test   bool   // _test.go, or in a package that helps tests, such as storetest
	syntax *ast.File
	lines  int
}

var fset = token.NewFileSet()

// sources parses the module once.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != root && (name[0] == '.' || name == "testdata" || name == "data" || name == "node_modules") {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); file != root && err == nil {
				return fs.SkipDir // a module of its own
			}
			return nil
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator)))
		syntax, err := parser.ParseFile(fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		test := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Base(path.Dir(name)), "test")
		all = append(all, source{name, owner(path.Dir(name)), test, syntax, 1 + bytes.Count(data, []byte("\n"))})
		return nil
	})
	return all, err
})

// owner returns the package that a directory belongs to: x for internal/x/y.
func owner(dir string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(dir, "internal/"), "/")
	return name
}

func parsed(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	may := map[string][]string{}
	for _, row := range arrows {
		for name := range strings.FieldsSeq(row.packages) {
			may[name] = strings.Fields(row.mayImport)
		}
	}
	used := map[string]bool{}
	for _, s := range parsed(t) {
		allowed, ok := may[s.owner]
		if !ok {
			t.Errorf("%s: package %s is not in the table of arrows; add it", s.path, s.owner)
			continue
		}
		for _, spec := range s.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			dir, ours := strings.CutPrefix(imported, module+"/")
			if !ours || owner(dir) == s.owner {
				continue
			}
			arrow := s.owner + " → " + owner(dir)
			if slices.Contains(allowed, owner(dir)) {
				continue
			}
			if testArrows[arrow] != "" && s.test {
				used[arrow] = true
				continue
			}
			t.Errorf("%s: %s is not allowed; %s may import only these: %s", fset.Position(spec.Pos()), arrow, s.owner, strings.Join(allowed, ", "))
		}
	}
	for arrow := range testArrows {
		if !used[arrow] {
			t.Errorf("the exception for %s is not needed; remove it", arrow)
		}
	}
}

// Code that helps tests stays out of the binary.
func TestOnlyTestsImportTestPackages(t *testing.T) {
	for _, s := range parsed(t) {
		for _, spec := range s.syntax.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
			if ours && !s.test && strings.HasSuffix(imported, "test") && testPackagesInUse[imported] == "" {
				t.Errorf("%s: imports %s, which is for tests", fset.Position(spec.Pos()), imported)
			}
		}
	}
}

func TestEachPackageHasOneComment(t *testing.T) {
	comments := map[string][]source{}
	for _, s := range parsed(t) {
		dir := path.Dir(s.path)
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		comments[dir] = append(comments[dir], s)
	}
	for dir, files := range comments {
		n := 0
		for _, s := range files {
			if s.syntax.Doc == nil {
				continue
			}
			n++
			want := "Package " + s.syntax.Name.Name + " "
			if s.syntax.Name.Name == "main" {
				want = "Command " + path.Base(dir) + " "
			}
			if text := s.syntax.Doc.Text(); !strings.HasPrefix(text, want) {
				t.Errorf("%s: the package comment begins %.30q, want %q", s.path, text, want)
			}
		}
		if n != 1 {
			t.Errorf("%s has %d package comments, want one", dir, n)
		}
	}
}

func TestGoroutinesHaveAHome(t *testing.T) {
	for _, s := range parsed(t) {
		if s.test || slices.Contains(packagesWithGo, s.owner) {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: a go statement outside %s", fset.Position(g.Pos()), strings.Join(packagesWithGo, ", "))
			}
			return true
		})
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range parsed(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function; call it where it is needed", fset.Position(f.Pos()))
			}
		}
	}
}

func TestPackagesAreNamedForWhatTheyGive(t *testing.T) {
	vague := []string{"util", "utils", "common", "types", "helper", "helpers", "misc", "shared"}
	for _, s := range parsed(t) {
		if name := s.syntax.Name.Name; slices.Contains(vague, name) || slices.Contains(vague, path.Base(path.Dir(s.path))) {
			t.Errorf("%s: a package called %s says nothing", s.path, name)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	const most = 800
	for _, s := range parsed(t) {
		if s.lines > most && !ast.IsGenerated(s.syntax) {
			t.Errorf("%s has %d lines, want at most %d", s.path, s.lines, most)
		}
	}
}

// Each module that go.mod asks for by itself, or for a tool, has an entry in
// docs/decisions.md: a heading that has its path in it.
func TestDependenciesAreDecisions(t *testing.T) {
	decisions := read(t, "docs/decisions.md")
	requires, tools := requirements(t)
	for _, line := range requires {
		dep := strings.Fields(line)[0]
		isTool := slices.ContainsFunc(tools, func(tool string) bool { return strings.HasPrefix(tool+"/", dep+"/") })
		if strings.HasSuffix(line, "// indirect") && !isTool {
			continue
		}
		entry := regexp.MustCompile("(?m)^### .*`" + regexp.QuoteMeta(dep) + "`")
		if !entry.MatchString(decisions) {
			t.Errorf("docs/decisions.md has no entry for %s", dep)
		}
	}
}

// requirements returns the lines of go.mod that require a module or name a tool,
// without the word before them.
func requirements(t *testing.T) (requires, tools []string) {
	t.Helper()
	block := ""
	for line := range strings.Lines(read(t, "go.mod")) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case rest == "(":
			block = word
			continue
		case line == ")":
			block = ""
		case block != "":
			word, rest = block, line
		}
		switch {
		case rest == "":
		case word == "require":
			requires = append(requires, rest)
		case word == "tool":
			tools = append(tools, rest)
		}
	}
	if len(requires) == 0 {
		t.Fatal("no require lines in go.mod")
	}
	return requires, tools
}

func TestReadmeCommandsExist(t *testing.T) {
	readme := read(t, "README.md")
	for _, command := range []string{"go run ./cmd/answerable serve", "make test"} {
		if !strings.Contains(readme, command) {
			t.Errorf("README.md does not name %q", command)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "cmd/answerable/main.go")); err != nil {
		t.Error(err)
	}
}

var (
	makeCommand = regexp.MustCompile("(?m)(?:`|^ {4})make ([a-z][a-z0-9-]*)")
	makeTarget  = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func TestDocumentsNameWhatExists(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range makeTarget.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, m := range makeCommand.FindAllStringSubmatch(text, -1) {
			if !targets[m[1]] {
				t.Errorf("%s: the Makefile has no target %s", doc, m[1])
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			file, _, _ := strings.Cut(m[1], "#")
			if file == "" || strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, path.Dir(doc), file)); err != nil {
				t.Errorf("%s: broken link: %v", doc, err)
			}
		}
	}
}

// documents returns the paths of the Markdown files that are about the project.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatal(errors.New("no documents"))
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(fmt.Errorf("read %s: %w", file, err))
	}
	return string(data)
}
