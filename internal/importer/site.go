package importer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/answerable/answerable/internal/knowledge"
)

// Bounds on what is followed.
const (
	maxDepth    = 6        // links from the first page
	maxAddress  = 1000     // bytes
	maxSitemaps = 200      // files of one import
	maxSitemap  = 50 << 20 // bytes, unpacked: the format's own bound
	maxTime     = 4 * time.Hour
)

// A page is one on the way.
type page struct {
	url     *url.URL
	depth   int    // links from the first page
	updated string // what the sitemap says
}

// A site is an import of pages under way.
type site struct {
	o      Options
	fetch  *fetcher
	start  *url.URL
	batch  Batch
	seen   map[string]string // articles by key
	queued map[string]bool   // addresses that wait or were fetched
	queue  []page
	follow bool // links: there is no sitemap
	bytes  int
}

// readSite reads the pages that a sitemap names. For an address that is no sitemap it
// takes the site's, and of that what lies below the address; without one it follows
// links below the address.
func readSite(ctx context.Context, from string, o Options) (Batch, error) {
	start, err := url.Parse(from)
	if err != nil {
		return Batch{}, fmt.Errorf("import: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	s := &site{o: o, start: start, fetch: newFetcher(start, o), seen: map[string]string{}, queued: map[string]bool{}}
	if err := s.find(limited); err != nil {
		return s.batch, fmt.Errorf("import %s: %w", from, err)
	}
	for i := 0; i < len(s.queue); i++ {
		if limited.Err() != nil {
			break
		}
		s.o.Progress(int64(i), int64(len(s.queue)))
		p := s.queue[i]
		if err := s.read(limited, p); err != nil && limited.Err() == nil {
			s.batch.problem(p.url.String(), "%s", err)
			if !errors.Is(err, errGone) {
				s.batch.failed = append(s.batch.failed, p.url.String())
			}
		}
	}
	s.o.Progress(int64(len(s.queue)), int64(len(s.queue)))
	s.batch.partial = s.batch.partial || limited.Err() != nil
	s.batch.dropFrame(o.Earlier.frame)
	return s.batch, limited.Err()
}

// find fills the queue.
func (s *site) find(ctx context.Context) error {
	first := s.start.String()
	if isSitemapName(s.start.Path) {
		return s.sitemaps(ctx, []string{first}, nil)
	}
	rules, err := s.fetch.rules(ctx, s.start)
	if err != nil {
		return err
	}
	named := rules.sitemaps
	if len(named) == 0 {
		named = []string{s.start.Scheme + "://" + s.start.Host + "/sitemap.xml"}
	}
	err = s.sitemaps(ctx, named, s.below)
	if err == nil && len(s.queue) > 0 {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// What was wrong with the sitemap matters no more.
	s.batch, s.follow = Batch{}, true
	s.push(page{url: s.start})
	return nil
}

func isSitemapName(p string) bool {
	p = strings.TrimSuffix(strings.ToLower(p), ".gz")
	return strings.HasSuffix(p, ".xml")
}

// below reports whether an address is the first page or lies under its folder.
func (s *site) below(u *url.URL) bool {
	folder := s.start.Path
	if i := strings.LastIndexByte(folder, '/'); path.Ext(folder) != "" && i >= 0 {
		folder = folder[:i+1] // that of /help/index.html
	}
	return u.Path == s.start.Path || u.Path == folder || strings.HasPrefix(u.Path, strings.TrimSuffix(folder, "/")+"/")
}

// push queues a page once.
func (s *site) push(p page) {
	u := *p.url
	u.Fragment, u.RawFragment, u.User = "", "", nil
	if u.Path == "" {
		u.Path = "/"
	}
	p.url = &u
	address := u.String()
	if s.queued[address] || len(address) > maxAddress {
		return
	}
	if err := s.fetch.allowed(&u); err != nil {
		if !s.follow { // a sitemap should not name it; that a page links elsewhere is nothing to tell
			s.queued[address] = true
			s.batch.problem(address, "%s", err)
		}
		return
	}
	if len(s.queue) >= s.o.Pages {
		if !s.batch.partial {
			s.batch.partial = true
			s.batch.problem(s.start.String(), "the limit of %d pages is reached: raise it with --pages, or name a part of the site", s.o.Pages)
		}
		return
	}
	s.queued[address] = true
	s.queue = append(s.queue, p)
}

// read fetches one page.
func (s *site) read(ctx context.Context, p page) error {
	before := s.o.Earlier.pages[p.url.String()]
	r, err := s.fetch.get(ctx, p.url, maxPage, before)
	if err != nil {
		return err
	}
	if r.same {
		s.batch.same = append(s.batch.same, before.key)
		return nil
	}
	if s.bytes += len(r.body); s.bytes > maxTotal {
		s.batch.partial = true
		return fmt.Errorf("the pages together are larger than %d MiB", maxTotal>>20)
	}
	a, err := s.article(p, r)
	if err != nil {
		return err
	}
	a.etag, a.modified = r.header.Get("ETag"), r.header.Get("Last-Modified")
	if s.follow && strings.TrimSpace(a.Body) == "" {
		return nil // a page of links
	}
	s.batch.add(s.seen, a)
	return nil
}

// article reads what a server sent.
func (s *site) article(p page, r response) (Article, error) {
	a := Article{Key: r.url.String(), Where: p.url.String(), URL: r.url.String(), Updated: p.updated}
	kind := mediaType(r.header)
	switch kind {
	case "text/html", "application/xhtml+xml":
	case "text/plain", "text/markdown":
		name := "page.txt"
		if kind == "text/markdown" {
			name = "page.md"
		}
		f, err := parseFile(name, r.body)
		a.Title, a.Body, a.Extra = cmp.Or(oneLine(f.title), titleOf(r.url.Path)), f.body, f.extra
		return a, err
	default:
		return a, fmt.Errorf("%q is not read; HTML, Markdown and plain text are", kind)
	}
	source, err := decodePage(r)
	if err != nil {
		return a, err
	}
	root, err := parseHTML(source)
	if err != nil {
		return a, err
	}
	h := readHead(root)
	from := r.url
	if base, err := url.Parse(h.base); err == nil && h.base != "" {
		from = r.url.ResolveReference(base)
	}
	if s.follow && p.depth < maxDepth {
		s.links(h.links, from, p.depth+1)
	}
	if c, err := url.Parse(absolute(r.url)(h.canonical)); err == nil && c.Host != "" && s.fetch.host(c) == nil {
		a.URL, a.Key = c.String(), c.String()
	}
	a.Title = cmp.Or(oneLine(h.name()), titleOf(r.url.Path))
	a.Updated = cmp.Or(h.updated, p.updated)
	a.Language = oneLine(h.language)
	a.Body = pageMarkdown(root, absolute(from))
	return a, nil
}

// links queues the pages that a page links to. An address with a query is another view
// of a page, or a trap without end.
func (s *site) links(links []string, from *url.URL, depth int) {
	for _, href := range links {
		u, err := url.Parse(absolute(from)(href))
		if err != nil || u.Host == "" || u.RawQuery != "" || s.fetch.host(u) != nil || !s.below(u) || !slices.Contains([]string{"", ".html", ".htm", ".php", ".aspx", ".md", ".txt"}, strings.ToLower(path.Ext(u.Path))) {
			continue
		}
		s.push(page{url: u, depth: depth})
	}
}

// decodePage makes text of a page in the encoding that its server or it declares.
func decodePage(r response) (string, error) {
	e, _, _ := charset.DetermineEncoding(r.body[:min(len(r.body), 1024)], r.header.Get("Content-Type"))
	out, err := e.NewDecoder().Bytes(r.body)
	if err != nil {
		return "", fmt.Errorf("not readable in its encoding: %w", err)
	}
	return knowledge.Decode(bytes.ReplaceAll(out, []byte{0}, nil))
}

func mediaType(h http.Header) string {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
