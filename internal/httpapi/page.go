package httpapi

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// assets are the files that are served as they are.
//
//go:embed page/plain.css page/source.css page/favicon.svg openapi.json
var assets embed.FS

// pagePolicy lets our pages load what is ours and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var types = map[string]string{
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
}

//go:embed page/page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// page is what the template shows. Its markup is that which the page's script draws, so
// that nothing moves when the script takes over.
type page struct {
	Settings  settings
	Direction string
	Style     string // paths of built files
	Script    string
	Accent    template.HTML
	Embedded  bool
	Action    string // where its form goes

	// Of a conversation that is led without script.
	Token, ClientID string
	Text            string // that was not sent
	Problem         string
	Begun, Cut      bool
	Entries         []entry
	Lines           []string
	State           string // "": the assistant answers

	words map[string]string
}

// Word returns one of the page's words.
func (p *page) Word(key string) string { return p.words[key] }

// page serves the page for customers, or what is in the frame of a widget. Without script
// it is a form: see post.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	name, err := s.named(r.URL.Query().Get("assistant"))
	if err != nil {
		return err
	}
	p := s.newPage(r, name)
	p.Script = s.Web.Path("page")
	s.pageHeaders(w, p)
	return p.write(w, http.StatusOK)
}

// newPage returns the page before the first message. It has the token of a conversation
// that begins when the form is sent for the first time: then a form that is sent twice
// begins one conversation.
func (s *Server) newPage(r *http.Request, name string) *page {
	p := &page{Settings: s.settings(r, name), Style: s.Web.Path("page.css"), Embedded: r.URL.Path == "/embed", ClientID: rand.Text()}
	p.Token, _ = access.NewToken(chat.NewConversationID())
	p.words = wordsFor(p.Settings.Locale)
	p.Direction = direction(p.Settings.Locale)
	p.Accent = p.Settings.Accents.style()
	p.Action = s.pageAddress(r) + "#newest"
	return p
}

// pageAddress is where a page is, with what was asked of it.
func (s *Server) pageAddress(r *http.Request) string {
	asked := url.Values{}
	for _, key := range []string{"assistant", "locale"} {
		if value := r.URL.Query().Get(key); value != "" {
			asked.Set(key, value)
		}
	}
	if len(asked) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + asked.Encode()
}

func (s *Server) pageHeaders(w http.ResponseWriter, p *page) {
	styles, ancestors := "'self'", "'none'"
	if css := strings.TrimSuffix(strings.TrimPrefix(string(p.Accent), "<style>"), "</style>"); css != "" {
		sum := sha256.Sum256([]byte(css))
		styles += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	if p.Embedded {
		origins := s.Assistants.Origins(p.Settings.Assistant)
		if len(origins) == 0 {
			origins = s.Access.Origins
		}
		ancestors = strings.Join(append([]string{"'self'"}, origins...), " ")
	}
	images := strings.Join(append([]string{"'self'", "blob:", "data:"}, p.Settings.Images...), " ")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+styles+"; img-src "+images+"; connect-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors "+ancestors+"; require-trusted-types-for 'script'")
	// With no-referrer a browser would send the form with the Origin null.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache") // the page has a token of its own
	h.Add("Vary", "Accept-Language")
}

// write sends the whole page.
func (p *page) write(w http.ResponseWriter, status int) error {
	top, err := p.part("top")
	if err != nil {
		return err
	}
	p.Entries = nil // the top has them
	bottom, err := p.part("bottom")
	if err != nil {
		return err
	}
	w.WriteHeader(status)
	if _, err := w.Write(append(top, bottom...)); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// part renders a template of the page.
func (p *page) part(name string) ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, name, p); err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	return b.Bytes(), nil
}

// asset serves the file that the route is named after.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Path == "/openapi.json" {
		return serveFile(w, r, "openapi.json")
	}
	return serveFile(w, r, "page"+r.URL.Path)
}

func serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	data, err := assets.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the embedded file %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-cache") // ask each time: the answer is usually 304
	sum := sha256.Sum256(data)
	return serveTagged(w, r, hex.EncodeToString(sum[:12]), data)
}
