package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html/charset"
)

// entry is what a sitemap names: a page, or another sitemap.
type entry struct {
	address string
	updated string
	sitemap bool
}

// sitemaps reads sitemaps and those that they name, and queues the pages that want
// lets through; nil lets all.
func (s *site) sitemaps(ctx context.Context, addresses []string, want func(*url.URL) bool) error {
	read := map[string]bool{}
	pages := 0
	for len(addresses) > 0 {
		address := addresses[0]
		addresses = addresses[1:]
		if read[address] {
			continue // names itself, or twice
		}
		if len(read) == maxSitemaps {
			s.batch.partial = true
			s.batch.problem(address, "more than %d sitemaps", maxSitemaps)
			break
		}
		read[address] = true
		entries, err := s.sitemap(ctx, address)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.batch.partial = true
			s.batch.problem(address, "%s", err)
			continue
		}
		for _, e := range entries {
			u, err := url.Parse(e.address)
			switch {
			case err != nil || u.Host == "":
				s.batch.problem(address, "%.100q is no address", e.address)
			case e.sitemap:
				addresses = append(addresses, u.String())
			case want == nil || want(u):
				pages++
				s.push(page{url: u, updated: e.updated})
			}
		}
	}
	if pages == 0 && want == nil {
		if len(s.batch.Problems) > 0 {
			return errors.New(s.batch.Problems[0].Reason)
		}
		return errors.New("the sitemap names no pages")
	}
	return nil
}

func (s *site) sitemap(ctx context.Context, address string) ([]entry, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if err := s.fetch.host(u); err != nil {
		return nil, err
	}
	r, err := s.fetch.get(ctx, u, maxSitemap, known{})
	if err != nil {
		return nil, err
	}
	data := r.body
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		if data, err = io.ReadAll(io.LimitReader(z, maxSitemap+1)); err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		if len(data) > maxSitemap {
			return nil, fmt.Errorf("larger than %d MiB, unpacked", maxSitemap>>20)
		}
	}
	return parseSitemap(data)
}

// parseSitemap reads a sitemap or an index of sitemaps (sitemaps.org), or a text with an
// address on each line.
func parseSitemap(data []byte) ([]entry, error) {
	trimmed := bytes.TrimLeft(data, "\xef\xbb\xbf \t\r\n")
	if bytes.HasPrefix(trimmed, []byte("http")) {
		var out []entry
		for l := range strings.Lines(string(trimmed)) {
			if l = strings.TrimSpace(l); l != "" {
				out = append(out, entry{address: l})
			}
		}
		return out, nil
	}
	d := xml.NewDecoder(bytes.NewReader(trimmed))
	d.CharsetReader = charset.NewReaderLabel
	var out []entry
	rootName := ""
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("no sitemap: %w", err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		name := start.Name.Local
		if rootName == "" {
			if rootName = name; name != "urlset" && name != "sitemapindex" {
				return nil, fmt.Errorf("no sitemap: its first element is %.40q", name)
			}
			continue
		}
		if name != "url" && name != "sitemap" {
			if err := d.Skip(); err != nil {
				return nil, fmt.Errorf("no sitemap: %w", err)
			}
			continue
		}
		var e struct {
			Loc     string `xml:"loc"`
			Lastmod string `xml:"lastmod"`
		}
		if err := d.DecodeElement(&e, &start); err != nil {
			return nil, fmt.Errorf("no sitemap: %w", err)
		}
		if len(out) == maxRecords {
			return nil, fmt.Errorf("more than %d addresses", maxRecords)
		}
		if loc := strings.TrimSpace(e.Loc); loc != "" {
			out = append(out, entry{loc, day(e.Lastmod), name == "sitemap"})
		}
	}
	if rootName == "" {
		return nil, errors.New("no sitemap: it is empty")
	}
	return out, nil
}
