// Package assistant reads an assistant's files.
//
// An assistant is a folder. Its assistant.yaml has the settings, beside it are what its
// models are told (prompts), what its company lays down (policies) and by which cases it is
// judged (golden); its knowledge folders have the documents that it answers from. A folder
// without assistant.yaml is documents, and an assistant is made of it with settings that
// suit most. docs/assistant.md explains every key. Start with LoadDir.
package assistant

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
)

// File is the file that makes a folder an assistant.
const File = "assistant.yaml"

// Assistant is what an assistant's files say. It does not change.
type Assistant struct {
	// What the assistant is called in addresses and records: lower-case letters, digits and
	// single hyphens. Default: that of the folder.
	Name string `yaml:"name"`
	// Whose customers are answered. Default: not said.
	Company string `yaml:"company" most:"200"`
	// The languages that it answers in, as in de or pt-BR: the first where the customer's is
	// not listed. Default: any.
	Languages []string `yaml:"languages"`
	// What the assistant calls itself, and how it speaks.
	Persona Persona `yaml:"persona"`
	// How much text is checked before it is shown: whole sentences, or words, which appear
	// sooner and may have to be taken back.
	Unit chat.Unit `yaml:"gate" oneof:"sentence,word"`
	// Phrases that must never be shown, however they are written. Default: none.
	Forbidden []string `yaml:"forbidden" most:"5000"`
	// Sites whose pages may talk to this assistant, as in https://shop.example. Default:
	// those of the server.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// The folders that hold the documents, none inside another; [] for no documents.
	// Default: knowledge, or the whole folder where there is no assistant.yaml.
	Knowledge []string `yaml:"knowledge"`
	// Names of the server's models, in the order in which they are asked; [extractive] for
	// no language model. Default: all the server's.
	Models []string `yaml:"models"`
	// What is said where no model writes, by language. Default: our texts.
	Lines []Lines `yaml:"lines"`
	// When people are there. Default: not said.
	Hours Hours `yaml:"hours"`
	// What one answer may take.
	Limits Limits `yaml:"limits"`
	// How the assistant looks to customers, in the widget and on its page.
	Widget Widget `yaml:"widget"`

	Instructions string         // what else the company tells its model, of prompts/instructions.md
	Policies     []guard.Policy // of the folder policies, by the names of the files

	FS      fs.FS  // the assistant's folder
	Dir     string // what the folder is called in messages
	Release string // a hash of the assistant's own files, without its documents

	own      []OwnFile
	lines    map[string]config.Lines // of assistant.yaml and the policies
	released bool                    // the folder has the own files alone
}

// Persona is what an assistant calls itself, and how it speaks.
type Persona struct {
	// What the assistant calls itself. Default: it has no name.
	Name string `yaml:"name" most:"80"`
	// How it speaks; or in prompts/persona.md, not both. Default: short, plain and friendly.
	Style string `yaml:"style" most:"4000"`
}

// Lines are what is said where no model writes, in one language. Ours stand where a text is
// missing.
type Lines struct {
	// The language, as in de or pt-BR.
	Locale string `yaml:"locale" need:"name a language such as de or pt-BR"`
	// The documents do not have it.
	Nothing string `yaml:"nothing" most:"500"`
	// A person takes over.
	Handover string `yaml:"handover" most:"200"`
	// The answer broke off.
	Interrupted string `yaml:"interrupted" most:"500"`
	// No model answered.
	Failed string `yaml:"failed" most:"500"`
	// The assistant is switched off, and nobody takes over.
	Off string `yaml:"off" most:"500"`
}

// Limits bound one answer.
type Limits struct {
	// The whole time of an answer; 0s for the server's limit.
	Turn time.Duration `yaml:"turn" between:"0s,1h"`
	// How many passages of the documents a model is given.
	Passages int `yaml:"passages" between:"1,50"`
	// The tokens of all passages together.
	PassageTokens int `yaml:"passage_tokens" between:"100,100000"`
	// The tokens of a model's reply.
	ReplyTokens int `yaml:"reply_tokens" between:"16,100000"`
}

// Default is what holds where an assistant's file says nothing, but for its name.
func Default() Assistant {
	return Assistant{
		Unit:      chat.Sentence,
		Knowledge: []string{"knowledge"},
		Limits:    Limits{Passages: 5, PassageTokens: 1500, ReplyTokens: 1024},
		Widget:    DefaultWidget(),
	}
}

// Load reads the assistant in fsys, a folder that messages call dir. It is named after
// the last element of dir unless its file gives it a name. The mistakes of all its files
// are told together, as [config.Errors].
func Load(fsys fs.FS, dir string) (*Assistant, error) {
	a, err := load(fsys, nameLike(folderName(dir)), dir, false)
	if err != nil {
		return nil, below(dir, err)
	}
	return a, nil
}

// Check is [Load] that reads the golden cases too, which no server needs.
func Check(fsys fs.FS, dir string) (*Assistant, error) {
	a, err := load(fsys, nameLike(folderName(dir)), dir, false)
	_, golden := a.CasesIn(a.goldenFiles())
	if err := config.Join(err, golden); err != nil {
		return nil, below(dir, err)
	}
	return a, nil
}

// LoadRelease reads an assistant's own files alone, as a release has them: their
// knowledge folders need not be there. The assistant has that name, and messages call the
// folder so, unless its file gives it another.
func LoadRelease(fsys fs.FS, name string) (*Assistant, error) {
	a, err := load(fsys, name, name, true)
	if err != nil {
		return nil, below(name, err)
	}
	return a, nil
}

// load returns what could be read, and all mistakes.
func load(fsys fs.FS, name, dir string, released bool) (*Assistant, error) {
	usual := Default()
	a := &usual
	a.Name, a.FS, a.Dir, a.released, a.lines = name, fsys, dir, released, map[string]config.Lines{}
	own, err := OwnFiles(fsys)
	a.own, a.Release = own, releaseOf(own)
	if len(own) == 0 && err == nil {
		a.Knowledge = []string{"."}
		return a, nil
	}
	errs := []error{err}
	for _, f := range own {
		errs = append(errs, a.read(f))
	}
	errs = append(errs, a.checkPolicies())
	for i, folder := range a.Knowledge {
		a.Knowledge[i] = path.Clean(folder)
	}
	a.Widget.Title = cmp.Or(a.Widget.Title, a.Company)
	if !released {
		errs = append(errs, a.checkLayout(mentions(errs, "knowledge")))
	}
	return a, config.Join(errs...)
}

// LoadDir reads the assistants of a directory: the one whose file is in it, or those
// whose files are in its subfolders, by name, or the one that is made of a folder of
// documents.
func LoadDir(dir string) ([]*Assistant, error) {
	dirs, err := Folders(dir)
	if err != nil {
		return nil, err
	}
	return loadAll(dirs, Load)
}

// CheckDir is [LoadDir] that reads the golden cases too, which no server needs.
func CheckDir(dir string) ([]*Assistant, error) {
	dirs, err := Folders(dir)
	if err != nil {
		return nil, err
	}
	return loadAll(dirs, Check)
}

// Folders returns the folders of the assistants in a directory that [LoadDir] reads: the
// directory itself, or some of those in it.
func Folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the assistant's folder: %w; name a folder that is there and may be read", err)
	}
	own, err := has(dir)
	if err != nil {
		return nil, err
	}
	dirs := []string{dir}
	if !own {
		var below []string
		for _, e := range entries {
			sub := filepath.Join(dir, e.Name())
			if info, err := os.Stat(sub); err != nil || !info.IsDir() {
				continue // a document, or a link that leads nowhere
			}
			ok, err := has(sub)
			if err != nil && !errors.Is(err, fs.ErrPermission) { // such as lost+found
				return nil, err
			}
			if ok {
				below = append(below, sub)
			}
		}
		if len(below) > 0 {
			dirs = below
		}
	}
	return dirs, nil
}

// loadAll reads the assistants in dirs, whose names must differ.
func loadAll(dirs []string, load func(fs.FS, string) (*Assistant, error)) ([]*Assistant, error) {
	var all []*Assistant
	var errs []error
	byName := map[string]*Assistant{}
	for _, dir := range dirs {
		a, err := load(os.DirFS(dir), dir)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other := byName[a.Name]; other != nil {
			errs = append(errs, fmt.Errorf("%s and %s are both named %q; rename one of them",
				filepath.Join(other.Dir, File), filepath.Join(dir, File), a.Name))
			continue
		}
		byName[a.Name] = a
		all = append(all, a)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *Assistant) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// has reports whether there is an assistant's file in dir. A file with the other usual
// ending is a mistake that would otherwise go unnoticed.
func has(dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, File)); err == nil {
		return true, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("look for an assistant: %w", err)
	}
	other := filepath.Join(dir, "assistant.yml")
	if _, err := os.Stat(other); err == nil {
		return false, fmt.Errorf("%s is not read; rename it to %s", other, File)
	}
	return false, nil
}

const maxName = 64

var (
	goodName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	notName  = regexp.MustCompile(`[^a-z0-9]+`)
)

// folderName returns the last element of a path; "." has a name too.
func folderName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}

// nameLike makes a name of any text.
func nameLike(text string) string {
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if len(name) > maxName {
		name = strings.Trim(name[:maxName], "-")
	}
	if name == "" {
		return "assistant"
	}
	return name
}

// Validate checks what a type alone does not say.
func (a *Assistant) Validate() error {
	var errs []error
	if len(a.Name) > maxName || !goodName.MatchString(a.Name) {
		errs = append(errs, config.At("name", "want at most %d lower-case letters, digits and single hyphens, such as %q", maxName, nameLike(a.Name)))
	}
	errs = append(errs, config.Origins("allowed_origins", a.AllowedOrigins), guard.CheckPhrases("forbidden", a.Forbidden))
	for i, folder := range a.Knowledge {
		if err := a.checkFolder(folder, a.Knowledge[:i]); err != nil {
			errs = append(errs, config.At(fmt.Sprintf("knowledge[%d]", i), "%w", err))
		}
	}
	return errors.Join(append(errs, a.checkLanguages(), a.checkModels())...)
}

// checkFolder checks a folder of documents, which stands in the list behind others.
func (a *Assistant) checkFolder(folder string, before []string) error {
	clean := path.Clean(folder)
	if folder == "" || !fs.ValidPath(clean) {
		return fmt.Errorf("%q is not a folder inside the assistant's folder; name it relative to that, as in docs/faq", folder)
	}
	for _, own := range slices.Concat(ownFolders, laterFolders) {
		if within(clean, own) {
			return fmt.Errorf("the folder %q is not for documents; put them into another", own)
		}
	}
	for _, b := range before {
		if b = path.Clean(b); within(clean, b) || within(b, clean) {
			return fmt.Errorf("%q overlaps with %q; the same documents would be read twice", folder, b)
		}
	}
	if a.released {
		return nil
	}
	switch info, err := fs.Stat(a.FS, clean); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %q; make it, or name the folders that hold the documents", folder)
	case err != nil:
		return fmt.Errorf("folder %q cannot be read: %w", folder, err)
	case !info.IsDir():
		return fmt.Errorf("%q is a file; name the folder that it is in", folder)
	}
	return nil
}

// within reports whether folder is outer or lies in it.
func within(folder, outer string) bool {
	return outer == "." || folder == outer || strings.HasPrefix(folder, outer+"/")
}
