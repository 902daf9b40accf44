package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"github.com/answerable/answerable/assistants"
	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/importer"
	"github.com/answerable/answerable/internal/starter"
)

// starting is what init is told, by flags or answers.
type starting struct {
	company, from, site, language string
	sample                        string
	yes, force                    bool
	imports                       importFlags
}

func (c *cli) init() *cobra.Command {
	var s starting
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a new assistant: asks three questions, writes its files",
		Long: `Make a new assistant in DIR, or in ./assistant: its settings, documents, rules and test
questions, as text files that work as they are.

On a terminal it asks three questions, unless flags answer them: the company's name, where
the documents are (a folder, a sitemap or site, a table; see answerable import), and the site
that will have the widget. Elsewhere it asks nothing and needs --company or --yes.

Nothing is overwritten, and a failure leaves nothing behind.`,
		Example: `  answerable init
  answerable init ./shop --company "Harbour Goods" --from https://help.harbour.example/sitemap.xml --site https://harbour.example
  answerable init ./shop --sample demo`,
		Args: atMost(1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "assistant"
			if len(args) == 1 {
				dir = args[0]
			}
			return c.start(cmd.Context(), dir, s, cmd.Flags().Changed)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.company, "company", "", "the company's `NAME`")
	f.StringVar(&s.from, "from", "", "take the documents of `FROM`, as import does (default: none yet)")
	f.StringVar(&s.site, "site", "", "the `SITE` that will have the widget, such as https://shop.example")
	f.StringVar(&s.language, "language", "en", "`LANGUAGE` of the widget's own texts, such as de")
	f.StringVar(&s.sample, "sample", "", "copy the sample `NAME` in place of asking: "+strings.Join(assistants.Samples(), ", "))
	f.BoolVar(&s.yes, "yes", false, "ask nothing: what no flag says has its default")
	f.BoolVar(&s.force, "force", false, "add the missing files to a folder that has others")
	s.imports.add(f)
	return cmd
}

// started is what init did.
type started struct {
	Dir       string          `json:"dir"`
	Assistant string          `json:"assistant"`
	Files     []string        `json:"files"`
	Import    *importer.Saved `json:"import,omitempty"`
}

// start makes an assistant. It is made beside its place and moved there when it is whole.
func (c *cli) start(ctx context.Context, dir string, s starting, given func(string) bool) error {
	if err := vacant(dir, s.force); err != nil {
		return err
	}
	o, err := s.imports.check()
	if err != nil {
		return err
	}
	if s.sample == "" {
		if err := c.questions(dir, &s, given, typed(c.stdin) && !s.yes); err != nil {
			return err
		}
	} else if s.from != "" || s.company != "" || s.site != "" {
		return usageError{errors.New("--sample is an assistant as it is: leave --company, --from and --site out")}
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(whole)
	for _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist); _, err = os.Stat(parent) {
		parent = filepath.Dir(parent)
	}
	making, err := os.MkdirTemp(parent, ".answerable-init-*")
	if err != nil {
		return fmt.Errorf("make the assistant: %w", err)
	}
	defer os.RemoveAll(making)
	out := started{Dir: dir}
	if s.sample != "" {
		err = copySample(making, s.sample)
	} else {
		if out.Import, err = c.fill(ctx, making, whole, s, o); err == nil {
			err = writeSchemas(making)
		}
	}
	if ctx.Err() != nil {
		return errors.New("stopped; nothing was written")
	}
	if err != nil {
		return err
	}
	all, err := assistant.LoadDir(making)
	if err != nil {
		return fmt.Errorf("what was made does not load: %w", err)
	}
	out.Assistant = all[0].Name
	if out.Files, err = moveIn(making, dir); err != nil {
		return err
	}
	if c.json {
		return c.print(out)
	}
	c.printStarted(out)
	return nil
}

// fill writes a new assistant with its documents.
func (c *cli) fill(ctx context.Context, making, whole string, s starting, o importer.Options) (*importer.Saved, error) {
	a := starter.Assistant{Name: assistant.NameLike(filepath.Base(whole)), Company: s.company, Language: s.language, Site: s.site}
	var saved *importer.Saved
	if s.from != "" {
		batch, err := c.readImport(ctx, s.from, o)
		if err != nil {
			return nil, err
		}
		if a.From, err = importer.SourceName(whole, s.from); err != nil {
			return nil, err
		}
		got, err := importer.Save(making, a.From, batch, importer.Saving{Folder: starter.Folder})
		if err != nil {
			return nil, err
		}
		if saved = &got; got.Articles() == 0 {
			var reasons []string
			for _, p := range got.Problems[:min(len(got.Problems), 5)] {
				reasons = append(reasons, "\n  "+p.String())
			}
			return nil, fmt.Errorf("no article was found in %s, and nothing was written%s", s.from, strings.Join(reasons, ""))
		}
	}
	return saved, a.Write(ctx, making)
}

// writeSchemas writes the schemas that the first lines of the files name, for editors.
func writeSchemas(dir string) error {
	for file, kind := range map[string]string{".assistant.schema.json": "assistant", "policies/.policy.schema.json": "policy", "golden/.golden.schema.json": "golden"} {
		schema, err := app.Schema(kind)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file)), schema, 0o644); err != nil {
			return fmt.Errorf("write a schema: %w", err)
		}
	}
	return nil
}

// addable are the entries of a folder beside which a new assistant is put without --force.
var addable = []string{".git", ".gitignore", ".gitattributes", ".editorconfig", ".github"}

// vacant returns why no assistant is made in dir, or nil.
func vacant(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the assistant: %w; name another folder", err)
	}
	for _, e := range entries {
		if !slices.Contains(addable, e.Name()) && !force {
			return fmt.Errorf("%s has files already, such as %s: name another folder, or add what is missing with --force", dir, e.Name())
		}
	}
	return nil
}

// moveIn moves what was made into dir, except for files that are there, and returns what
// is new. If that fails, what was moved is taken out again.
func moveIn(making, dir string) (files []string, err error) {
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o755); err != nil {
		return nil, fmt.Errorf("make the assistant: %w", err)
	}
	var done []string // paths that were made, folders before what is in them
	defer func() {
		if err != nil {
			for _, path := range slices.Backward(done) {
				os.Remove(path)
			}
		}
	}()
	err = filepath.WalkDir(making, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(making, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			switch err := os.Mkdir(to, 0o755); {
			case errors.Is(err, fs.ErrExist):
			case err != nil:
				return err
			default:
				done = append(done, to)
			}
			return nil
		}
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		if err := os.Link(path, to); err != nil { // unlike a rename, a link does not replace
			if errors.Is(err, fs.ErrExist) {
				return nil
			}
			if err := os.Rename(path, to); err != nil {
				return err
			}
		}
		done = append(done, to)
		files = append(files, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make the assistant: %w", err)
	}
	return files, nil
}

func copySample(dir, name string) error {
	fsys, ok := assistants.Sample(name)
	if !ok {
		return usageError{fmt.Errorf("there is no sample %q; there are: %s", name, strings.Join(assistants.Samples(), ", "))}
	}
	return os.CopyFS(dir, fsys)
}

// questions asks what no flag has said, if somebody is there to ask.
func (c *cli) questions(dir string, s *starting, given func(string) bool, asking bool) error {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if !given("company") && s.yes {
		s.company = titled(filepath.Base(absolute))
	}
	questions := []struct {
		flag, text, standard string
		value                *string
		check                func(string) (string, error)
	}{
		{"company", "What is the company called?", titled(filepath.Base(absolute)), &s.company, checkCompany},
		{"from", "Where are the documents? A folder, a file, or an address (Enter: none yet)", "", &s.from, checkFrom},
		{"site", "Which site will have the widget, as in https://shop.example (Enter: none yet)", "", &s.site, checkSite},
		{"language", "", "", &s.language, checkLanguage},
	}
	if !asking && !given("company") && !s.yes {
		return usageError{errors.New("there is no terminal to ask on: name the company with --company, and if need be --from and --site, or take all defaults with --yes")}
	}
	in := bufio.NewReader(c.stdin)
	for _, q := range questions {
		if asking && !given(q.flag) && q.text != "" {
			if err := c.askOne(in, q.text, q.standard, q.value, q.check); err != nil {
				return err
			}
			continue
		}
		if *q.value, err = q.check(*q.value); err != nil {
			return usageError{fmt.Errorf("--%s: %w", q.flag, err)}
		}
	}
	return nil
}

// askOne asks until the answer is of use.
func (c *cli) askOne(in *bufio.Reader, question, standard string, value *string, check func(string) (string, error)) error {
	for {
		if standard != "" {
			fmt.Fprintf(c.stderr, "%s [%s]\n> ", question, standard)
		} else {
			fmt.Fprintf(c.stderr, "%s\n> ", question)
		}
		line, err := in.ReadString('\n')
		if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
			fmt.Fprintln(c.stderr)
			return usageError{errors.New("there was no answer: give --company, --from and --site, or take all defaults with --yes")}
		}
		if line = strings.TrimSpace(line); line == "" {
			line = standard
		}
		if *value, err = check(line); err == nil {
			return nil
		}
		c.stderr.paragraphs("", "", err.Error()+".")
	}
}

// titled makes a name of a folder's.
func titled(folder string) string {
	words := strings.FieldsFunc(folder, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		r := []rune(w)
		words[i] = string(unicode.ToUpper(r[0])) + string(r[1:])
	}
	return strings.Join(words, " ")
}

func checkCompany(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || len(s) > 100 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("a company's name is one line of at most 100 bytes")
	}
	return s, nil
}

func checkFrom(s string) (string, error) {
	if s == "" || importer.IsAddress(s) {
		return s, nil
	}
	if _, err := os.Stat(s); err != nil {
		return "", fmt.Errorf("there is no folder or file %s, and an address begins with https://", s)
	}
	return s, nil
}

// checkSite makes an origin of what people take for one.
func checkSite(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	whole := s
	if !strings.Contains(s, "://") {
		whole = "https://" + s
	}
	u, err := url.Parse(whole)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is no site: want an address such as https://shop.example", s)
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host)
	if err := config.Origins("site", []string{origin}); err != nil {
		return "", fmt.Errorf("%q is no site: want an address such as https://shop.example", s)
	}
	return origin, nil
}

func checkLanguage(s string) (string, error) {
	tag, err := language.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%q is no language: want a tag such as en, de or pt-BR", s)
	}
	return tag.String(), nil
}

func (c *cli) printStarted(s started) {
	if s.Import != nil {
		c.printSaved(*s.Import, false)
		fmt.Fprintln(c.stdout)
	}
	fmt.Fprintf(c.stdout, "The assistant %s is in %s:\n", s.Assistant, s.Dir)
	other := 0
	for _, f := range s.Files {
		switch {
		case strings.HasPrefix(f, starter.Folder+"/"):
			other++
			continue
		case strings.HasPrefix(path.Base(f), "."): // for editors, git and the next import
			continue
		}
		fmt.Fprintf(c.stdout, "  %s\n", f)
	}
	documents := "documents"
	if other == 1 {
		documents = "document"
	}
	fmt.Fprintf(c.stdout, "  %s/ (%d %s)\n\n", starter.Folder, other, documents)
	dir := starter.Shell(s.Dir)
	fmt.Fprintf(c.stdout, "Next:\n  answerable serve %s\n  answerable config check %[1]s\n  answerable import FROM %[1]s   adds documents\n", dir)
}
