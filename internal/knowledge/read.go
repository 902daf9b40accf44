package knowledge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Limits bound what reading a folder takes. Zero values are the usual ones.
type Limits struct {
	FileBytes  int64 // of one file; 0 is 20 MiB
	TotalBytes int64 // of all files that are read; 0 is 4 GiB
	Files      int   // documents; 0 is 1,000,000
}

func (l Limits) withDefaults() Limits {
	if l.FileBytes == 0 {
		l.FileBytes = 20 << 20
	}
	if l.TotalBytes == 0 {
		l.TotalBytes = 4 << 30
	}
	if l.Files == 0 {
		l.Files = 1_000_000
	}
	return l
}

// Progress says how far reading has come.
type Progress struct {
	Path        string // the file that comes next, or "" at the end
	Done, Total int    // files
}

// Report says what became of the files of a folder.
type Report struct {
	Files     int    // looked at, the skipped ones included
	Documents int    // read
	Bytes     int64  // of the files that were read
	Internal  int    // left out because their audience is not the customers
	Skipped   []Skip // in the order of their paths
}

// Skip is a file or folder that was left out, and why.
type Skip struct {
	Path   string
	Reason string
}

// Empty reports that there is nothing to search: the folder has no document.
func (r Report) Empty() bool { return r.Documents == 0 }

// ReadDir reads the documents of a folder and its subfolders: Markdown, plain text
// and HTML. Nothing outside the folder is read, whatever its links say. A file that
// cannot be read is skipped and stands in the report; the error is for the folder
// itself, or ctx's. Report, which may be nil, is called before each file.
func ReadDir(ctx context.Context, dir string, limits Limits, report func(Progress)) ([]Document, Report, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, Report{}, fmt.Errorf("read the documents: %w", err)
	}
	defer root.Close()
	return ReadFS(ctx, root.FS(), limits, report)
}

// ReadFS is ReadDir for a file system, such as an embedded one.
func ReadFS(ctx context.Context, fsys fs.FS, limits Limits, report func(Progress)) ([]Document, Report, error) {
	r := reader{fsys: fsys, limits: limits.withDefaults()}
	if err := r.list(ctx); err != nil {
		return nil, Report{}, fmt.Errorf("read the documents: %w", err)
	}
	for i, name := range r.files {
		if err := ctx.Err(); err != nil {
			return nil, Report{}, fmt.Errorf("read the documents: %w", err)
		}
		if report != nil {
			report(Progress{Path: name, Done: i, Total: len(r.files)})
		}
		switch err := r.read(name); err {
		case nil:
		case errInternal:
			r.report.Internal++
		default:
			r.skip(name, err)
		}
	}
	if report != nil {
		report(Progress{Done: len(r.files), Total: len(r.files)})
	}
	docs := r.documents()
	r.report.Documents = len(docs)
	return docs, r.report, nil
}

type reader struct {
	fsys   fs.FS
	limits Limits
	files  []string
	drafts []named
	report Report
}

// named is a draft and where it comes from.
type named struct {
	id   string
	html bool
	draft
}

func (r *reader) skip(name string, why error) {
	r.report.Skipped = append(r.report.Skipped, Skip{name, reason(why)})
}

// reason words an error for the person who put the file there.
func reason(err error) string {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.Is(err, fs.ErrNotExist):
		return "a link to nowhere, or removed meanwhile"
	case errors.As(err, &p):
		return p.Err.Error()
	}
	return err.Error()
}

var (
	errHidden     = errors.New("hidden: its name begins with a dot")
	errNotRegular = errors.New("not a regular file")
	errLinkToDir  = errors.New("a link to a folder; links to folders are not followed")
	errOutside    = errors.New("a link that leads out of the folder")
)

// list finds the files that may be documents.
func (r *reader) list(ctx context.Context) error {
	return fs.WalkDir(r.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if name == "." {
				return err
			}
			r.skip(name, err)
			return nil
		}
		if name == "." {
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") {
			r.skip(name, errHidden)
			if d.IsDir() {
				return fs.SkipDir
			}
			r.report.Files++
			return nil
		}
		if d.IsDir() {
			return nil
		}
		r.report.Files++
		if _, err := formatOf(name); err != nil {
			r.skip(name, err)
			return nil
		}
		if len(r.files) == r.limits.Files {
			r.skip(name, fmt.Errorf("the limit of %d documents is reached", r.limits.Files))
			return nil
		}
		r.files = append(r.files, name)
		return nil
	})
}

// format makes a draft of a text.
type format struct {
	html  bool
	front bool // a block between "---" lines at the top is never text
	read  func(string) (draft, error)
}

// formatOf chooses by a file's name how it is read. Names without a suffix, such as
// README, are plain text.
func formatOf(name string) (format, error) {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".md", ".markdown":
		return format{front: true, read: func(s string) (draft, error) { return markdown(s), nil }}, nil
	case ".html", ".htm":
		return format{html: true, read: page}, nil
	case ".txt", ".text", "":
		return format{read: func(s string) (draft, error) { return plain(s), nil }}, nil
	default:
		return format{}, fmt.Errorf("%s files are not read; Markdown, plain text and HTML are", ext)
	}
}

func (r *reader) read(name string) error {
	info, err := fs.Stat(r.fsys, name) // follows links, inside the folder only
	switch {
	case err != nil && strings.HasSuffix(err.Error(), "path escapes from parent"): // os has no error value for it
		return errOutside
	case err != nil:
		return err
	case info.IsDir():
		return errLinkToDir
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	b, err := r.bytes(name)
	if err != nil {
		return err
	}
	text, err := decode(b)
	if err != nil {
		return err
	}
	f, err := formatOf(name)
	if err != nil {
		return err
	}
	d, err := f.draft(text)
	if err != nil {
		return err
	}
	if len(d.blocks) == 0 {
		return errors.New("no text in it")
	}
	r.report.Bytes += int64(len(b))
	r.drafts = append(r.drafts, named{name, f.html, d})
	return nil
}

// draft reads a file's text.
func (f format) draft(text string) (draft, error) {
	front, body, err := cutFront(text)
	if err != nil {
		return draft{}, err
	}
	if front.own || f.front {
		text = body
	}
	d, err := f.read(text)
	d.take(front)
	return d, err
}

func (r *reader) bytes(name string) ([]byte, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, r.limits.FileBytes+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > r.limits.FileBytes:
		return nil, fmt.Errorf("larger than %d MiB", r.limits.FileBytes>>20)
	case r.report.Bytes+int64(len(b)) > r.limits.TotalBytes:
		return nil, fmt.Errorf("all documents together are larger than %d MiB", r.limits.TotalBytes>>20)
	}
	return b, nil
}

// documents joins the drafts, which are in the order of their paths.
func (r *reader) documents() []Document {
	dropRepeated(r.drafts)
	docs := make([]Document, 0, len(r.drafts))
	for _, d := range r.drafts {
		docs = append(docs, d.document(d.id))
	}
	return docs
}
