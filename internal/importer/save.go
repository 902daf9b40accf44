package importer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// StateFile is where Save remembers what it wrote, in the assistant's folder. It belongs
// to the assistant's files.
const StateFile = ".import.json"

// state is the content of StateFile.
type state struct {
	Version int               `json:"version"`
	Sources map[string]source `json:"sources"` // by where they are imported from
}

// source is what was imported from one place.
type source struct {
	Frame    map[string]string  `json:"frame,omitempty"`
	Articles map[string]written `json:"articles"` // by key
}

// written is an article as it was written.
type written struct {
	File     string `json:"file"`
	Hash     string `json:"hash"` // of the file
	Address  string `json:"address,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
}

const stateVersion = 1

// SourceName is what an import from a place is remembered by: the address, or the path
// as seen from dir, so that it holds in other checkouts.
func SourceName(dir, from string) (string, error) {
	if IsAddress(from) {
		return from, nil
	}
	absolute, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if base, err := filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(base, absolute); err == nil {
			return filepath.ToSlash(rel), nil
		}
	}
	return filepath.ToSlash(absolute), nil
}

func readState(root *os.Root) (state, error) {
	data, err := root.ReadFile(StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return state{Version: stateVersion, Sources: map[string]source{}}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read what was imported before: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil || s.Version != stateVersion || s.Sources == nil {
		return state{}, fmt.Errorf("%s in %s is not readable: remove it, and the next import takes all articles for new", StateFile, root.Name())
	}
	return s, nil
}

// Before returns what the last import from a source into dir knows, for Options.
func Before(dir, name string) (Earlier, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Earlier{}, nil
	}
	if err != nil {
		return Earlier{}, fmt.Errorf("import: %w", err)
	}
	defer root.Close()
	s, err := readState(root)
	if err != nil {
		return Earlier{}, err
	}
	e := Earlier{pages: map[string]known{}, frame: s.Sources[name].Frame}
	for key, w := range s.Sources[name].Articles {
		// Where the file is gone the page is wanted again.
		if _, err := root.Stat(w.File); err == nil && w.Address != "" && (w.ETag != "" || w.Modified != "") {
			e.pages[w.Address] = known{key, w.ETag, w.Modified}
		}
	}
	return e, nil
}

// Saving is how a batch is saved.
type Saving struct {
	Folder string // in dir, with slashes; "." is dir itself
	Prune  bool   // whether files of articles that are gone are removed
	Dry    bool   // whether nothing is written
}

// Saved says what became of a batch. Files are named by their path in dir.
type Saved struct {
	New       []string  `json:"new"`
	Changed   []string  `json:"changed"`
	Unchanged int       `json:"unchanged"`
	Kept      []string  `json:"kept"`    // edited here and changed or gone there: left as they are
	Gone      []string  `json:"gone"`    // no more there, and still here
	Removed   []string  `json:"removed"` // likewise, and removed here
	Hidden    int       `json:"hidden"`  // not for customers, says the source
	Problems  []Problem `json:"problems"`
}

// Articles is how many articles there are now.
func (s Saved) Articles() int { return len(s.New) + len(s.Changed) + s.Unchanged + len(s.Kept) }

// Save writes the articles of a batch, from the source of this name, into a folder of dir.
// A file that was edited since it was written, and every other file, stays as it is. An
// address that was imported from another source before, such as from the site and now from
// its sitemap, is that article: its file goes over to this source.
func Save(dir, name string, b Batch, o Saving) (Saved, error) {
	out := Saved{New: []string{}, Changed: []string{}, Kept: []string{}, Gone: []string{}, Removed: []string{}, Hidden: b.Hidden, Problems: b.Problems}
	if out.Problems == nil {
		out.Problems = []Problem{}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return out, fmt.Errorf("save the articles: %w", err)
	}
	defer root.Close()
	st, err := readState(root)
	if err != nil {
		return out, err
	}
	if !o.Dry {
		if err := root.MkdirAll(filepath.FromSlash(o.Folder), 0o755); err != nil {
			return out, fmt.Errorf("save the articles: %w", err)
		}
	}
	s := saver{root: root, o: o, out: &out, before: st.Sources[name].Articles, others: map[string]written{}, now: map[string]written{}, taken: map[string]bool{}}
	for other, src := range st.Sources {
		for key, w := range src.Articles {
			s.taken[w.File] = true
			if other != name && IsAddress(key) {
				s.others[key] = w
			}
		}
	}
	slices.SortFunc(b.Articles, func(a, c Article) int { return strings.Compare(a.Key, c.Key) })
	for _, a := range b.Articles {
		if err := s.article(a); err != nil {
			return out, fmt.Errorf("save %s: %w", a.Where, err)
		}
	}
	for _, key := range b.same {
		if w, ok := s.before[key]; ok && s.now[key] == (written{}) {
			s.now[key] = w
			out.Unchanged++
		}
	}
	if err := s.rest(b); err != nil {
		return out, err
	}
	if o.Dry {
		return out, nil
	}
	for other, src := range st.Sources {
		for key := range src.Articles {
			if _, ok := s.now[key]; ok && other != name && IsAddress(key) {
				delete(src.Articles, key)
			}
		}
	}
	st.Sources[name] = source{Frame: b.frame, Articles: s.now}
	data, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return out, err
	}
	if err := replace(root, StateFile, append(data, '\n')); err != nil {
		return out, fmt.Errorf("remember what was imported: %w", err)
	}
	return out, nil
}

type saver struct {
	root   *os.Root
	o      Saving
	out    *Saved
	before map[string]written
	others map[string]written // addresses that were imported from other sources
	now    map[string]written
	taken  map[string]bool // file names that are in use
}

func (s *saver) article(a Article) error {
	data := a.file()
	w := written{Hash: hash(data), ETag: a.etag, Modified: a.modified}
	if IsAddress(a.Where) {
		w.Address = a.Where
	}
	old, ok := s.before[a.Key]
	if !ok {
		old, ok = s.others[a.Key]
	}
	if !ok {
		file, there, err := s.name(a, data)
		if err != nil {
			return err
		}
		w.File = file
		s.now[a.Key] = w
		if there {
			s.out.Unchanged++
			return nil
		}
		s.out.New = append(s.out.New, file)
		return s.write(file, data)
	}
	w.File = old.File
	current, err := s.root.ReadFile(old.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.out.New = append(s.out.New, w.File)
	case err != nil:
		return err
	case bytes.Equal(current, data):
		s.out.Unchanged++
		s.now[a.Key] = w
		return nil
	case hash(current) == old.Hash:
		s.out.Changed = append(s.out.Changed, w.File)
	default: // edited here
		s.now[a.Key] = old
		if w.Hash == old.Hash {
			s.out.Unchanged++
		} else {
			s.out.Kept = append(s.out.Kept, w.File)
		}
		return nil
	}
	s.now[a.Key] = w
	return s.write(w.File, data)
}

func (s *saver) write(file string, data []byte) error {
	if s.o.Dry {
		return nil
	}
	return replace(s.root, file, data)
}

// rest looks at the articles that were there before and were not found now.
func (s *saver) rest(b Batch) error {
	found := len(s.now)
	for _, key := range slices.Sorted(maps.Keys(s.before)) {
		w := s.before[key]
		if _, ok := s.now[key]; ok {
			continue
		}
		if b.partial || slices.Contains(b.failed, key) || w.Address != "" && slices.Contains(b.failed, w.Address) {
			s.now[key] = w // nobody knows
			continue
		}
		current, err := s.root.ReadFile(w.File)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case hash(current) != w.Hash:
			s.out.Kept = append(s.out.Kept, w.File)
			s.now[key] = w
		case !s.o.Prune || found == 0: // an empty source is more likely broken than right
			s.out.Gone = append(s.out.Gone, w.File)
			s.now[key] = w
		default:
			s.out.Removed = append(s.out.Removed, w.File)
			if s.o.Dry {
				continue
			}
			if err := s.root.Remove(w.File); err != nil {
				return fmt.Errorf("remove %s: %w", w.File, err)
			}
		}
	}
	return nil
}

// name returns a name for the file of a new article, and whether the file is there
// already as it should be.
func (s *saver) name(a Article, data []byte) (file string, there bool, err error) {
	candidates := fileNames(a)
	for n := 1; ; n++ {
		base := candidates[min(n, len(candidates))-1]
		if n > len(candidates) {
			base = candidates[0] + "-" + strconv.Itoa(n-len(candidates)+1)
		}
		file = path.Join(s.o.Folder, base+".md")
		if s.taken[file] {
			continue
		}
		current, err := s.root.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.taken[file] = true
			return file, false, nil
		case err == nil && bytes.Equal(current, data):
			s.taken[file] = true
			return file, true, nil
		case err != nil && !isDir(s.root, file):
			return "", false, err
		}
	}
}

func isDir(root *os.Root, name string) bool {
	info, err := root.Stat(name)
	return err == nil && info.IsDir()
}

// fileNames returns names for an article's file, the best first: the last part of its
// address or path, that with the part before, and so on.
func fileNames(a Article) []string {
	place := a.Where
	if u, err := url.Parse(cmp.Or(a.URL, a.Key)); err == nil && u.Host != "" {
		place = u.Path
	} else if a.Key != a.Where { // a row of a table
		place = a.Title
	} else {
		place = strings.TrimSuffix(place, path.Ext(place))
		place = exportID.ReplaceAllString(place, "")
	}
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(place, "/"), "/") {
		ext := strings.ToLower(path.Ext(part))
		if slices.Contains([]string{".html", ".htm", ".php", ".aspx", ".md", ".txt"}, ext) {
			part = part[:len(part)-len(ext)]
		}
		if part = slug(part); part != "" && part != "index" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		parts = []string{cmp.Or(slug(a.Title), "article")}
	}
	var out []string
	for i := len(parts) - 1; i >= 0 && len(out) < 4; i-- {
		out = append(out, safe(strings.Join(parts[i:], "-")))
	}
	return out
}

// slug keeps the letters and digits of a text, in lower case and without accents, with
// hyphens between them.
func slug(s string) string {
	var b strings.Builder
	hyphen := false
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'ß':
			b.WriteString("ss")
		case unicode.Is(unicode.Mn, r) && b.Len() > 0:
			if last := b.String()[b.Len()-1]; last < unicode.MaxASCII {
				continue // an accent; in other scripts a mark is a part of the word
			}
			b.WriteRune(r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if hyphen && b.Len() > 0 {
				b.WriteByte('-')
			}
			hyphen = false
			b.WriteRune(r)
		default:
			hyphen = true
		}
	}
	return norm.NFC.String(b.String())
}

// reserved are names that Windows keeps for devices.
var reserved = []string{"con", "prn", "aux", "nul", "readme", "license", "changelog"}

// safe bounds a name and avoids those that mean something else.
func safe(name string) string {
	const most = 80
	if len(name) > most {
		name = strings.TrimRight(strings.ToValidUTF8(name[:most], ""), "-")
	}
	if slices.Contains(reserved, name) || len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")) {
		name += "-page"
	}
	return name
}

// file returns the article as it is written.
func (a Article) file() []byte {
	var b bytes.Buffer
	b.WriteString("---\n")
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	quoted := func(s string) string {
		if s == "" {
			return ""
		}
		return strconv.Quote(s)
	}
	line("title", quoted(a.Title))
	line("url", quoted(a.URL))
	line("updated", a.Updated)
	line("language", quoted(a.Language))
	b.WriteString(a.Extra)
	b.WriteString("---\n\n")
	if !titled(a.Body) {
		b.WriteString("# " + escape(a.Title) + "\n\n")
	}
	b.WriteString(a.Body)
	b.WriteString("\n")
	return b.Bytes()
}

// titled reports whether a text has a heading of the first level.
func titled(md string) bool {
	fence := ""
	for l := range strings.Lines(md) {
		mark := strings.TrimLeft(l, " ")
		mark = mark[:len(mark)-len(strings.TrimLeft(mark, "`~"))]
		switch {
		case fence != "":
			if len(mark) >= len(fence) && mark[0] == fence[0] {
				fence = ""
			}
		case len(mark) >= 3:
			fence = mark
		case strings.HasPrefix(l, "# "):
			return true
		}
	}
	return false
}

func hash(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:16])
}

// replace writes a file in one step.
func replace(root *os.Root, name string, data []byte) error {
	name = filepath.FromSlash(name)
	dir, base := filepath.Split(name)
	next := filepath.Join(dir, "."+base+".new")
	if err := root.WriteFile(next, data, 0o644); err != nil {
		return err
	}
	return root.Rename(next, name)
}
