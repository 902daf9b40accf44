package httpapi

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
)

//go:embed page/source.html
var sourceHTML string

var sourcePage = template.Must(template.New("source").Parse(sourceHTML))

// piece is a part of a document that is shown in one way.
type piece struct {
	Text   string
	Quoted bool
	First  bool // of the quoted ones
}

// part is a heading, or what is between two.
type part struct {
	Level  int // of a heading, from 1; 0 is text
	Pieces []piece
}

// source shows a document as it was searched, with the quoted words marked. Who may
// retrieve a document may read it, and that is everybody.
func (s *Server) source(w http.ResponseWriter, r *http.Request) error {
	start, err := number(r, "start", 0)
	if err != nil {
		return err
	}
	end, err := number(r, "end", 0)
	if err != nil {
		return err
	}
	generation := r.PathValue("generation")
	d, ok := knowledge.Document{}, false
	if access.IsID(generation) {
		d, ok = s.Assistants.Document(generation, r.PathValue("document"))
	}
	h := w.Header()
	if ok || accepts(r, "text/html") { // people click on quotes: they get a page in either case
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Cache-Control", "no-cache")
	}
	if !ok && accepts(r, "text/html") {
		w.WriteHeader(http.StatusNotFound)
		return sourcePage.Execute(w, nil)
	}
	if !ok {
		return &chat.Error{Kind: chat.NotFound, Message: "this document is not here, or no longer: ask again for a newer source"}
	}
	headed := slices.ContainsFunc(d.Headings, func(h knowledge.Heading) bool { return h.Level <= 1 })
	return sourcePage.Execute(w, struct {
		Title, URL, Language string
		Headed               bool // its text begins with a title of its own
		Parts                []part
	}{d.Title, d.URL, d.Language, headed, spaced(parts(d, start, end))})
}

// parts cuts a document at its headings and at the quote, which goes from code point
// start to end.
func parts(d knowledge.Document, start, end int64) []part {
	var out []part
	rest, at, marked := d.Text, int64(0), false
	// take cuts the text off that goes up to a code point.
	take := func(to int64) string {
		n := 0
		for ; at < to && n < len(rest); at++ {
			_, size := utf8.DecodeRuneInString(rest[n:])
			n += size
		}
		text := rest[:n]
		rest = rest[n:]
		return text
	}
	add := func(level int, to int64) {
		p := part{Level: level}
		for _, border := range []struct {
			to     int64
			quoted bool
		}{{min(start, to), false}, {min(end, to), true}, {to, false}} {
			if text := take(border.to); text != "" {
				p.Pieces = append(p.Pieces, piece{text, border.quoted, border.quoted && !marked})
				marked = marked || border.quoted
			}
		}
		if len(p.Pieces) > 0 {
			out = append(out, p)
		}
	}
	for _, heading := range d.Headings {
		add(0, int64(heading.Start))
		add(min(max(heading.Level, 1), 5), int64(heading.End))
	}
	add(0, int64(len(d.Text)))
	return out
}

// spaced leaves the distance between parts to the page: line breaks at their ends go.
func spaced(all []part) []part {
	var out []part
	for _, p := range all {
		p.Pieces[0].Text = strings.TrimLeft(p.Pieces[0].Text, "\n")
		last := &p.Pieces[len(p.Pieces)-1]
		last.Text = strings.TrimRight(last.Text, "\n")
		if len(p.Pieces) > 1 || last.Text != "" {
			out = append(out, p)
		}
	}
	return out
}

// base returns how a client reaches this server, as in "https://help.example", or "".
func (s *Server) base(r *http.Request) string {
	peer := access.Address(r.RemoteAddr, nil, nil)
	proxied := slices.ContainsFunc(s.Access.Proxies, func(p netip.Prefix) bool { return p.Contains(peer) })
	switch {
	case r.Host == "":
		return ""
	case r.TLS != nil || proxied && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"):
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// absolute returns the address of a source for readers who are on another site.
func absolute(base, address string) string {
	if strings.HasPrefix(address, "/") {
		return base + address
	}
	return address
}
