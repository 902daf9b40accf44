package importer

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/html"

	"github.com/answerable/answerable/internal/knowledge"
)

var pageSuffixes = []string{".html", ".htm", ".md", ".markdown", ".txt"}

// assets are files that belong to pages and are no documents; nobody need be told.
var assets = []string{".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".woff", ".woff2", ".ttf", ".eot", ".map", ".mp4", ".webm"}

func readArchive(ctx context.Context, file string, m Mapping, o Options) (Batch, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return Batch{}, fmt.Errorf("import %s: %w; unpack it and import the folder", file, err)
	}
	defer z.Close()
	if len(z.File) > maxRecords {
		return Batch{}, fmt.Errorf("import %s: more than %d files in it", file, maxRecords)
	}
	return readFolder(ctx, z, m, o)
}

// file is a page of a folder on its way to an article.
type file struct {
	name                          string
	root                          *html.Node // nil: not HTML
	body                          string     // where root is nil
	title, url, updated, language string
	extra                         string // front matter that is not ours to read
}

// readFolder reads the pages of an exported folder.
func readFolder(ctx context.Context, fsys fs.FS, m Mapping, o Options) (Batch, error) {
	var b Batch
	names, tables, err := b.list(ctx, fsys, !m.guessed)
	if err != nil {
		return b, fmt.Errorf("import: %w", err)
	}
	// Where a link leads depends on all files.
	places := map[string]string{} // the address, or else "", of a file
	var all []file
	total := 0
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			b.partial = true
			return b, err
		}
		o.Progress(int64(i), int64(len(names)))
		data, err := readFile(fsys, name, maxPage)
		if total += len(data); err == nil && total > maxTotal {
			return b, fmt.Errorf("import: the files together are larger than %d MiB: import parts of the folder", maxTotal>>20)
		}
		var f file
		if err == nil {
			f, err = parseFile(name, data)
		}
		if err != nil {
			b.failed = append(b.failed, name)
			b.problem(name, "%s", reason(err))
			continue
		}
		places[name] = f.url
		all = append(all, f)
	}
	seen := map[string]string{}
	for _, f := range all {
		if err := ctx.Err(); err != nil {
			b.partial = true
			return b, err
		}
		b.add(seen, f.article(places))
	}
	b.dropFrame(o.Earlier.frame)
	for _, name := range tables {
		data, err := readFile(fsys, name, maxFile)
		if err == nil {
			err = b.table(ctx, seen, name, data, m, o)
		}
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
		if err != nil {
			b.partial = true // nobody knows which articles it has
			b.problem(name, "%s", reason(err))
		}
	}
	o.Progress(int64(len(names)), int64(len(names)))
	return b, nil
}

// list returns the pages of a folder, and its tables if they are wanted.
func (b *Batch) list(ctx context.Context, fsys fs.FS, wantTables bool) (pages, tables []string, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch base, ext := path.Base(name), strings.ToLower(path.Ext(name)); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == ".":
			return err
		case err != nil:
			b.problem(name, "%s", reason(err))
			b.partial = true
		case name == ".":
		case strings.HasPrefix(base, ".") || base == "__MACOSX":
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() || slices.Contains(assets, ext):
		case d.Type()&fs.ModeSymlink != 0:
			b.problem(name, "a link; links are not followed")
		case slices.Contains(pageSuffixes, ext):
			pages = append(pages, name)
		case isTable(ext) && wantTables:
			tables = append(tables, name)
		case isTable(ext):
			b.problem(name, "a table: import it by itself, or say with --map where its articles are")
		default:
			b.problem(name, "not HTML, Markdown or plain text")
		}
		if len(pages)+len(tables) > maxRecords {
			return fmt.Errorf("more than %d files", maxRecords)
		}
		return nil
	})
	return pages, tables, err
}

func readFile(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("larger than %d MiB", most>>20)
	}
	return data, err
}

// reason words an error without the path, which stands before it.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func parseFile(name string, data []byte) (file, error) {
	source, err := knowledge.Decode(data)
	if err != nil {
		return file{}, err
	}
	f, err := splitFront(source)
	f.name = name
	if err != nil {
		return f, err
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".html", ".htm":
		if f.root, err = parseHTML(f.body); err != nil {
			return f, err
		}
		h := readHead(f.root)
		f.title, f.url = cmp.Or(f.title, h.name()), cmp.Or(f.url, webAddress(h.canonical))
		f.updated, f.language = cmp.Or(f.updated, h.updated), cmp.Or(f.language, h.language)
	case ".txt":
		f.body = plainMarkdown(f.body)
	default:
		f.title = cmp.Or(f.title, firstHeading(f.body))
	}
	return f, nil
}

// cutFront returns the block between "---" lines at the top of a text, and what follows.
func cutFront(source string) (block, body string, ok bool) {
	first, rest, _ := strings.Cut(source, "\n")
	if strings.TrimRight(first, " \t") != "---" {
		return "", source, false
	}
	for at := 0; at < len(rest); {
		line, _, _ := strings.Cut(rest[at:], "\n")
		end := min(at+len(line)+1, len(rest))
		if l := strings.TrimRight(line, " \t"); l == "---" || l == "..." {
			return rest[:at], rest[end:], true
		}
		at = end
	}
	return "", source, false
}

// splitFront reads the block between "---" lines at the top of a text. What
// we do not write ourselves is kept as it is: it may say who must not read the text.
func splitFront(source string) (file, error) {
	block, body, ok := cutFront(source)
	if !ok {
		return file{body: source}, nil
	}
	f := file{body: body}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(block), &root); err != nil {
		return f, fmt.Errorf("what is between the --- lines at its top is not YAML: %w", err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return file{body: source}, nil // two rules with a text between them
	}
	pairs := root.Content[0]
	var others []*yaml.Node
	for i := 0; i+1 < len(pairs.Content); i += 2 {
		switch key, value := strings.ToLower(pairs.Content[i].Value), pairs.Content[i+1].Value; key {
		case "title":
			f.title = value
		case "url":
			f.url = webAddress(value)
		case "updated":
			f.updated = day(value)
		case "language":
			f.language = value
		default:
			others = append(others, pairs.Content[i], pairs.Content[i+1])
		}
	}
	if pairs.Content = others; len(others) == 0 {
		return f, nil
	}
	pairs.Style = 0 // a key on each line, however it was written
	extra, err := yaml.Marshal(pairs)
	if err != nil {
		return f, fmt.Errorf("what is between the --- lines at its top: %w", err)
	}
	f.extra = string(extra)
	return f, nil
}

// article makes the article of a file; places has the addresses of all files.
func (f file) article(places map[string]string) Article {
	title := cmp.Or(oneLine(f.title), titleOf(f.name))
	a := Article{Key: f.name, Where: f.name, Title: title, URL: f.url, Updated: f.updated, Language: f.language, Extra: f.extra, Body: strings.TrimSpace(f.body)}
	if f.root == nil {
		return a
	}
	var from *url.URL
	if f.url != "" {
		from, _ = url.Parse(f.url) // webAddress has parsed it
	}
	toWeb := absolute(from)
	a.Body = pageMarkdown(f.root, func(href string) string {
		if u, err := url.Parse(href); err == nil && u.Scheme == "" && u.Host == "" && u.Path != "" {
			if to, ok := places[path.Join(path.Dir(f.name), u.Path)]; ok {
				return to // in the export, so the address, if it has one, is what counts
			}
		}
		return toWeb(href)
	})
	return a
}

// exportID is what Notion adds to the names of files.
var exportID = regexp.MustCompile(`[ _-]+[0-9a-f]{32}$`)

// titleOf makes a title of a file's name.
func titleOf(name string) string {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	base = exportID.ReplaceAllString(base, "")
	return cmp.Or(oneLine(strings.NewReplacer("-", " ", "_", " ").Replace(base)), "Untitled")
}
