// Package assistant reads an assistant's files.
//
// An assistant is a folder. Its assistant.yaml has the settings, its knowledge folders
// have the documents that it answers from. A folder without assistant.yaml is documents,
// and an assistant is made of it with settings that suit most. Start with LoadDir.
package assistant

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
)

// File is the file that makes a folder an assistant.
const File = "assistant.yaml"

// Assistant is what an assistant's files say. It does not change.
type Assistant struct {
	Name           string    `yaml:"name"`            // that of the folder
	Company        string    `yaml:"company"`         // not said; whose customers are answered
	Unit           chat.Unit `yaml:"gate"`            // sentence
	Forbidden      []string  `yaml:"forbidden"`       // none; phrases that must never be shown
	AllowedOrigins []string  `yaml:"allowed_origins"` // none: those of the server
	// Knowledge are the folders of FS that hold the documents, none inside another.
	// The default is "knowledge", or "." where there is no assistant.yaml.
	Knowledge []string `yaml:"knowledge"`
	Hours     Hours    `yaml:"hours"`
	Limits    Limits   `yaml:"limits"`
	Widget    Widget   `yaml:"widget"`

	FS      fs.FS  // the assistant's folder
	Dir     string // what the folder is called in messages
	Release string // a hash of the assistant's own files, without its documents
}

// Limits bound one answer.
type Limits struct {
	Turn          time.Duration `yaml:"turn"`           // 0: the server's limit
	Passages      int           `yaml:"passages"`       // 5; given to the model
	PassageTokens int           `yaml:"passage_tokens"` // 1500; in all passages together
	ReplyTokens   int           `yaml:"reply_tokens"`   // 1024
}

// Load reads the assistant in fsys, a folder that messages call dir. It is named after
// the last element of dir unless its file gives it a name. Mistakes in the file are told
// together, as [config.Errors].
func Load(fsys fs.FS, dir string) (*Assistant, error) {
	a := &Assistant{
		Name:      nameLike(folderName(dir)),
		Unit:      chat.Sentence,
		Knowledge: []string{"knowledge"},
		Limits:    Limits{Passages: 5, PassageTokens: 1500, ReplyTokens: 1024},
		Widget:    DefaultWidget(),
		FS:        fsys,
		Dir:       dir,
	}
	data, err := fs.ReadFile(fsys, File)
	if errors.Is(err, fs.ErrNotExist) {
		a.Knowledge = []string{"."}
		a.Release = release(nil)
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the assistant in %s: %w", dir, err)
	}
	if err := config.Decode(filepath.Join(dir, File), data, a); err != nil {
		return nil, err
	}
	for i, folder := range a.Knowledge {
		a.Knowledge[i] = path.Clean(folder)
	}
	a.Widget.Title = cmp.Or(a.Widget.Title, a.Company)
	a.Release = release(map[string][]byte{File: data})
	return a, nil
}

// LoadDir reads the assistants of a directory: the one whose file is in it, or those
// whose files are in its subfolders, by name, or the one that is made of a folder of
// documents.
func LoadDir(dir string) ([]*Assistant, error) {
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
	return loadAll(dirs)
}

// loadAll reads the assistants in dirs, whose names must differ.
func loadAll(dirs []string) ([]*Assistant, error) {
	var all []*Assistant
	var errs []error
	byName := map[string]*Assistant{}
	for _, dir := range dirs {
		a, err := Load(os.DirFS(dir), dir)
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
	errs = append(errs, config.OneOf("gate", a.Unit, chat.Sentence, chat.Word))
	errs = append(errs, config.Origins("allowed_origins", a.AllowedOrigins))
	for i, phrase := range a.Forbidden {
		if err := checkPhrase(phrase, a.Forbidden[:i]); err != nil {
			errs = append(errs, config.At(fmt.Sprintf("forbidden[%d]", i), "%w", err))
		}
	}
	for i, folder := range a.Knowledge {
		if err := checkFolder(a.FS, folder, a.Knowledge[:i]); err != nil {
			errs = append(errs, config.At(fmt.Sprintf("knowledge[%d]", i), "%w", err))
		}
	}
	return errors.Join(errs...)
}

func (l Limits) Validate() error {
	return errors.Join(
		config.Between("turn", l.Turn, 0, time.Hour),
		config.Between("passages", l.Passages, 1, 50),
		config.Between("passage_tokens", l.PassageTokens, 100, 100_000),
		config.Between("reply_tokens", l.ReplyTokens, 16, 100_000),
	)
}

const maxPhrase = 200 // code points: the gate holds back as much as the longest phrase

func checkPhrase(phrase string, before []string) error {
	switch n := utf8.RuneCountInString(phrase); {
	case n > maxPhrase:
		return fmt.Errorf("the phrase has %d characters; %d are allowed", n, maxPhrase)
	case !strings.ContainsFunc(phrase, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return fmt.Errorf("%q has no letter or digit", phrase)
	case slices.ContainsFunc(before, func(b string) bool { return strings.EqualFold(b, phrase) }):
		return fmt.Errorf("%q is in the list already", phrase)
	}
	return nil
}

func checkFolder(fsys fs.FS, folder string, before []string) error {
	clean := path.Clean(folder)
	if folder == "" || !fs.ValidPath(clean) {
		return fmt.Errorf("%q is not a folder inside the assistant's folder; name it relative to that, as in docs/faq", folder)
	}
	info, err := fs.Stat(fsys, clean)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %q; make it, or name the folders that hold the documents", folder)
	case err != nil:
		return fmt.Errorf("folder %q cannot be read: %w", folder, err)
	case !info.IsDir():
		return fmt.Errorf("%q is a file; name the folder that it is in", folder)
	}
	for _, b := range before {
		if b = path.Clean(b); within(clean, b) || within(b, clean) {
			return fmt.Errorf("%q overlaps with %q; the same documents would be read twice", folder, b)
		}
	}
	return nil
}

// within reports whether folder is outer or lies in it.
func within(folder, outer string) bool {
	return outer == "." || folder == outer || strings.HasPrefix(folder, outer+"/")
}

// release hashes files by name: each name and each content after its length.
func release(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		for _, part := range [][]byte{[]byte(name), files[name]} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
