package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
)

// settings are what widget and page need to know before the first message.
type settings struct {
	Version     int          `json:"version"` // of this contract
	Enabled     bool         `json:"enabled"`
	Assistant   string       `json:"assistant"`
	Title       string       `json:"title"`
	Open        string       `json:"open"` // on the button that opens the chat
	Locale      string       `json:"locale"`
	Accent      string       `json:"accent"`
	Accents     shades       `json:"accents"`
	Privacy     string       `json:"privacy,omitempty"`
	Greeting    string       `json:"greeting"`
	Disclosure  notice       `json:"disclosure"`
	Consent     *consent     `json:"consent,omitempty"`
	Suggestions []string     `json:"suggestions"`
	Files       *filesTaken  `json:"files,omitempty"`
	Images      []string     `json:"images"`
	Identity    bool         `json:"identity"`
	Limits      limitsTold   `json:"limits"`
	Notices     []noticeTold `json:"notices"`
	Hours       *hoursTold   `json:"hours,omitempty"`
}

// notice is what a visitor is told, and which version of it.
type notice struct {
	Version string `json:"version"`
	Text    string `json:"text"`
}

type consent struct {
	Text string `json:"text"`
}

type filesTaken struct {
	Types []string `json:"types"`
	Bytes int64    `json:"bytes"`
}

// hoursTold says whether people are there, and when that changes.
type hoursTold struct {
	Open      bool       `json:"open"`
	ChangesAt *chat.Time `json:"changes_at,omitempty"` // nil: not within a year
}

func (s *Server) hours(name string, now time.Time) *hoursTold {
	h := s.Assistants.Hours(name)
	if !h.Said() {
		return nil
	}
	open, change := h.At(now)
	told := &hoursTold{Open: open}
	if !change.IsZero() {
		told.ChangesAt = &chat.Time{Time: change}
	}
	return told
}

type limitsTold struct {
	MessageBytes int `json:"message_bytes"`
}

// contractVersion goes up when an older widget would misread the settings.
const contractVersion = 1

// settings puts them together for one assistant, in the language that the request asks for.
func (s *Server) settings(r *http.Request, name string) settings {
	w := s.Assistants.Widget(name)
	t := w.In(wantedLanguages(r))
	out := settings{
		Version: contractVersion, Enabled: w.Enabled, Assistant: name, Title: t.Title, Open: wordsFor(t.Locale)["shell.open"], Locale: t.Locale, Accent: w.Accent, Accents: shadesOf(w.Accent),
		Privacy: w.Privacy, Greeting: t.Greeting, Disclosure: notice{w.Version(t), t.Disclosure},
		Suggestions: append([]string{}, t.Suggestions...), Images: append([]string{}, w.Images...),
		Identity: s.Access.Identities.Configured(), Limits: limitsTold{s.Inbox.MessageBytes()},
		Notices: s.noticesIn(name, t.Locale), Hours: s.hours(name, time.Now()),
	}
	if w.Consent {
		out.Consent = &consent{t.Consent}
	}
	if len(w.Files.Types) > 0 {
		out.Files = &filesTaken{w.Files.Types, w.Files.Bytes}
	}
	return out
}

// wantedLanguages are those of the parameter locale, and then of the browser.
func wantedLanguages(r *http.Request) []language.Tag {
	var wanted []language.Tag
	if tag, err := language.Parse(r.URL.Query().Get("locale")); err == nil {
		wanted = append(wanted, tag)
	}
	tags, _, err := language.ParseAcceptLanguage(strings.Join(r.Header["Accept-Language"], ","))
	if err != nil {
		return wanted // what is no language is not wanted
	}
	return append(wanted, tags...)
}

// named returns the assistant that a request names, or the default.
func (s *Server) named(name string) (string, error) {
	names := s.Assistants.Names()
	if name == "" && len(names) > 0 {
		name = names[0]
	}
	if !s.Assistants.Has(name) {
		return "", errNoAssistant(name, names)
	}
	return name, nil
}

func errNoAssistant(name string, names []string) error {
	return &chat.Error{Kind: chat.Invalid,
		Message: fmt.Sprintf("there is no assistant %.64q: there are %s", name, strings.Join(names, ", "))}
}

// widget tells a widget how to look and what to say first.
func (s *Server) widget(w http.ResponseWriter, r *http.Request) error {
	name, err := s.named(r.URL.Query().Get("assistant"))
	if err != nil {
		return err
	}
	if err := s.visits(r, name); err != nil {
		return err
	}
	out := s.settings(r, name)
	if accent := r.URL.Query().Get("accent"); accent != "" { // the host page's choice
		if !assistant.IsColour(accent) {
			return &chat.Error{Kind: chat.Invalid, Message: "accent must be a colour such as #0b6e63"}
		}
		out.Accent, out.Accents = accent, shadesOf(accent)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode the widget's settings: %w", err)
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=60") // a new notice is seen after a minute
	return serveTagged(w, r, hex.EncodeToString(sum[:12]), body)
}

// built serves a file of the web part, as the route or its end names it. Every page on the
// web may load them: that is what they are for.
func (s *Server) built(w http.ResponseWriter, r *http.Request) error {
	path := strings.TrimPrefix(r.URL.Path, "/")
	file, ok := s.Web.Open(path)
	if !ok {
		return errNoRoute
	}
	h := w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Add("Vary", "Accept-Encoding")
	switch {
	case file.Path != path: // of another build: it must not be kept under this name
		h.Set("Cache-Control", "no-cache")
	case file.Lasts():
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	default:
		h.Set("Cache-Control", "public, max-age=300")
	}
	if accepted := r.Header["Accept-Encoding"]; file.Brotli != nil && names(accepted, "br") {
		h.Set("Content-Encoding", "br")
		return serveTagged(w, r, file.Tag+"-br", file.Brotli)
	} else if names(accepted, "gzip") {
		if zipped := file.Zipped(); zipped != nil {
			h.Set("Content-Encoding", "gzip")
			return serveTagged(w, r, file.Tag+"-gzip", zipped)
		}
	}
	return serveTagged(w, r, file.Tag, file.Data)
}

// serveTagged answers with a body, or, to a browser that has it, that it is still the
// same. tag names the very bytes.
func serveTagged(w http.ResponseWriter, r *http.Request, tag string, body []byte) error {
	h := w.Header()
	tag = `"` + tag + `"`
	h.Set("ETag", tag)
	for _, header := range r.Header["If-None-Match"] {
		for have := range strings.SplitSeq(header, ",") {
			if have = strings.TrimPrefix(strings.TrimSpace(have), "W/"); have == tag || have == "*" {
				h.Del("Content-Encoding")
				h.Del("Content-Type")
				w.WriteHeader(http.StatusNotModified)
				return nil
			}
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
