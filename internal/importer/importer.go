// Package importer makes Markdown documents of what a company has already: the pages of
// a help centre, an exported folder, a table.
//
// [Read] finds out what it was given and returns the articles as values; what could not
// be read is a [Problem] that says where it stands, and the rest goes on. [Save] writes
// articles into a folder, remembers what it wrote, and so can say the next time what is
// new, changed or gone. It never touches what it did not write, or what was edited since.
//
// Everything that is read is hostile: sizes, times, numbers, addresses and names are
// bounded.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Article is a document as it was found elsewhere.
type Article struct {
	Key      string // names it from one import to the next: its address, id, path or title
	Where    string // where a person finds it: an address, a file, or file:line
	Title    string
	URL      string // its own address, or ""
	Updated  string // the day, as in 2026-05-01, or ""
	Language string // as the source names it, or ""
	Body     string // Markdown
	Extra    string // lines of front matter that the source has beside these

	etag, modified string // what the server said, for the next time
}

// Problem is something that was left out, and why.
type Problem struct {
	Where  string `json:"where"`
	Reason string `json:"reason"`
}

func (p Problem) String() string { return p.Where + ": " + p.Reason }

// Batch is what an import found.
type Batch struct {
	Articles []Article
	Problems []Problem
	Hidden   int // articles that their source says are not for customers
	// same are the keys whose pages the server says have not changed.
	same []string
	// failed are the keys that could not be read this time: they are not gone.
	failed []string
	// frame are the blocks that were dropped because pages share them, by their hash, with
	// the key of the article that has the only copy.
	frame map[string]string
	// partial says that not everything was looked at.
	partial bool
}

func (b *Batch) problem(where, format string, args ...any) {
	b.Problems = append(b.Problems, Problem{where, fmt.Sprintf(format, args...)})
}

// add adds an article unless it is a copy of another.
func (b *Batch) add(seen map[string]string, a Article) {
	if before, ok := seen[a.Key]; ok {
		b.problem(a.Where, "%q is in %s already", a.Key, before)
		return
	}
	if strings.TrimSpace(a.Body) == "" {
		b.failed = append(b.failed, a.Key)
		b.problem(a.Where, "no text in it")
		return
	}
	seen[a.Key] = a.Where
	b.Articles = append(b.Articles, a)
}

// Options are how an import is done. Zero values are the usual ones.
type Options struct {
	Map      string        // a ready mapping's name, or a file; for tables and JSON
	Base     *url.URL      // of addresses in a table that begin with /; none
	Hosts    []string      // that pages may be fetched from beside the given one
	Rate     float64       // pages a second from one host; 0 is 4
	Pages    int           // at most so many; 0 is 2,000
	Timeout  time.Duration // of one page; 0 is 30 s
	Private  bool          // whether private and loopback addresses may be fetched from
	Version  string        // of this program, for the name that it gives itself
	Earlier  Earlier       // what an import of the same before this one knows
	Progress func(done, total int64)
}

func (o Options) withDefaults() Options {
	o.Rate = cmp.Or(o.Rate, 4)
	o.Pages = cmp.Or(o.Pages, 2000)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Version = cmp.Or(o.Version, "dev")
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	return o
}

// Earlier is what is known from the import before this one.
type Earlier struct {
	pages map[string]known  // by address
	frame map[string]string // as in Batch
}

// known is what a server said of a page, so that it need not send it again.
type known struct{ key, etag, modified string }

// Bounds on what is taken in.
const (
	maxPage    = 5 << 20   // bytes of a page, unpacked
	maxFile    = 256 << 20 // bytes of a table
	maxTotal   = 1 << 30   // bytes of all pages or files together
	maxArticle = 2 << 20   // bytes of an article's body
	maxRecords = 200_000   // rows of a table, files of a folder
	maxTitle   = 300       // code points
)

// IsAddress reports whether from is an address on the web, as Read takes it.
func IsAddress(from string) bool {
	u, err := url.Parse(from)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// ParseAddress reads an address on the web.
func ParseAddress(s string) (*url.URL, error) {
	if !IsAddress(s) {
		return nil, fmt.Errorf("%q is no address: it must begin with https:// or http://", s)
	}
	return url.Parse(s)
}

// Read reads the articles of a site or sitemap (an address), of a folder or a .zip of
// HTML and Markdown, or of a table (.csv, .tsv, .json, .jsonl). When ctx ends, what was
// read so far is returned with its error.
func Read(ctx context.Context, from string, o Options) (Batch, error) {
	o = o.withDefaults()
	if IsAddress(from) {
		return readSite(ctx, from, o)
	}
	info, err := os.Stat(from)
	if err != nil {
		return Batch{}, fmt.Errorf("import: %w; name a folder, a file, or an address that begins with https://", err)
	}
	m, err := mapping(o.Map)
	if err != nil {
		return Batch{}, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(from)
		if err != nil {
			return Batch{}, fmt.Errorf("import: %w", err)
		}
		defer root.Close()
		return readFolder(ctx, root.FS(), m, o)
	}
	switch ext := strings.ToLower(filepath.Ext(from)); {
	case ext == ".zip":
		return readArchive(ctx, from, m, o)
	case isTable(ext):
		return readTableFile(ctx, from, m, o)
	case slices.Contains(pageSuffixes, ext):
		dir, name := filepath.Split(filepath.Clean(from))
		return readFolder(ctx, only{os.DirFS(cmp.Or(dir, ".")), name}, m, o)
	default:
		return Batch{}, fmt.Errorf("import %s: %q files are not read; a folder, .zip, .csv, .tsv, .json, .jsonl, .html and .md are", from, ext)
	}
}

// only is a folder of which one file can be seen.
type only struct {
	fs.FS
	name string
}

func (o only) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, errors.ErrUnsupported
	}
	info, err := fs.Stat(o.FS, o.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}
