package assistant

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/config"
	"golang.org/x/text/language"
)

// Widget is how the assistant looks to customers, in the widget and on its page.
type Widget struct {
	Enabled    bool    `yaml:"enabled"`    // true; false: widgets on other sites remove themselves
	Title      string  `yaml:"title"`      // the company, or "Customer service" in the customer's language
	Accent     string  `yaml:"accent"`     // #0b6e63
	Privacy    string  `yaml:"privacy"`    // none; address of the privacy notice
	Disclosure string  `yaml:"disclosure"` // a hash of the texts; version of what visitors are told and agree to
	Consent    bool    `yaml:"consent"`    // false; whether a visitor must agree before anything is sent
	Texts      []Texts `yaml:"texts"`      // ours
	Files      Files   `yaml:"files"`
	// Images are the origins whose pictures are shown in answers. The default is none.
	Images []string `yaml:"images"`
}

// Files are what customers may send beside words.
type Files struct {
	Types []string `yaml:"types"` // none: no files
	Bytes int64    `yaml:"bytes"` // 10485760; of each
}

// Texts are what a customer reads before the first message, in one language.
type Texts struct {
	Locale      string   `yaml:"locale"` // as in de or pt-BR
	Title       string   `yaml:"-"`      // of the page, where the assistant has none
	Greeting    string   `yaml:"greeting"`
	Disclosure  string   `yaml:"disclosure"` // says that an AI answers
	Consent     string   `yaml:"consent"`    // what the visitor agrees to
	Suggestions []string `yaml:"suggestions"`
}

// DefaultWidget is what holds where the file says nothing.
func DefaultWidget() Widget {
	return Widget{Enabled: true, Accent: "#0b6e63", Files: Files{Bytes: 10 << 20}}
}

// usualLanguage is that of the texts when there are none in a language that was asked for.
const usualLanguage = "en"

// In returns the texts in the first of the wanted languages that the assistant or we have
// texts in. What the assistant does not say comes from ours, in English where we do not
// have the language either.
func (w Widget) In(wanted []language.Tag) Texts {
	for _, tag := range wanted {
		base, _ := tag.Base()
		for _, locale := range []string{tag.String(), base.String()} {
			own := slices.IndexFunc(w.Texts, func(t Texts) bool { return strings.EqualFold(t.Locale, locale) })
			if _, ours := builtIn[locale]; own >= 0 || ours {
				return w.in(locale, base.String())
			}
		}
	}
	return w.in(usualLanguage, usualLanguage)
}

// in puts the texts of a locale together, field by field.
func (w Widget) in(locale, base string) Texts {
	out := Texts{Locale: locale}
	add := func(t Texts) {
		out.Title = cmp.Or(out.Title, t.Title)
		out.Greeting = cmp.Or(out.Greeting, t.Greeting)
		out.Disclosure = cmp.Or(out.Disclosure, t.Disclosure)
		out.Consent = cmp.Or(out.Consent, t.Consent)
		if len(out.Suggestions) == 0 {
			out.Suggestions = t.Suggestions
		}
	}
	for _, want := range []string{locale, base} {
		for _, t := range w.Texts {
			if strings.EqualFold(t.Locale, want) {
				add(t)
			}
		}
	}
	add(builtIn[base])
	add(builtIn[usualLanguage])
	out.Title = cmp.Or(w.Title, out.Title)
	return out
}

// Version names what a visitor was told and agreed to: the version that the file gives,
// or else a hash of the very texts.
func (w Widget) Version(t Texts) string {
	if w.Disclosure != "" {
		return w.Disclosure
	}
	sum := sha256.Sum256([]byte(t.Disclosure + "\x00" + t.Consent))
	return hex.EncodeToString(sum[:6])
}

const (
	maxTitle   = 80 // code points
	maxText    = 1000
	maxVersion = 64
	maxFile    = 50 << 20 // bytes
)

// IsColour reports whether s is a colour as #rrggbb.
func IsColour(s string) bool { return goodColour.MatchString(s) }

var goodColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Validate checks what a type alone does not say.
func (w Widget) Validate() error {
	errs := []error{checkLength("title", w.Title, maxTitle), checkLength("disclosure", w.Disclosure, maxVersion)}
	if !IsColour(w.Accent) {
		errs = append(errs, config.At("accent", "want a colour such as %q, not %q", "#0b6e63", w.Accent))
	}
	if u, err := url.Parse(w.Privacy); w.Privacy != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		errs = append(errs, config.At("privacy", "want an address such as https://shop.example/privacy, not %q", w.Privacy))
	}
	for i, t := range w.Texts {
		if slices.ContainsFunc(w.Texts[:i], func(before Texts) bool { return strings.EqualFold(before.Locale, t.Locale) }) {
			errs = append(errs, config.At(fmt.Sprintf("texts[%d]", i), "%q has texts already; put them together", t.Locale))
		}
	}
	errs = append(errs, config.Origins("images", w.Images))
	return errors.Join(errs...)
}

func (t Texts) Validate() error {
	var errs []error
	if _, err := language.Parse(t.Locale); err != nil || strings.Contains(t.Locale, "_") {
		errs = append(errs, config.At("locale", "want a language such as de or pt-BR, not %q", t.Locale))
	}
	errs = append(errs, checkLength("greeting", t.Greeting, maxText), checkLength("disclosure", t.Disclosure, maxText),
		checkLength("consent", t.Consent, maxText))
	if len(t.Suggestions) > maxSuggestions {
		errs = append(errs, config.At("suggestions", "there are %d; %d are allowed", len(t.Suggestions), maxSuggestions))
	}
	for i, s := range t.Suggestions {
		key := fmt.Sprintf("suggestions[%d]", i)
		if strings.TrimSpace(s) == "" {
			errs = append(errs, config.At(key, "is empty; leave it out"))
		}
		errs = append(errs, checkLength(key, s, maxTitle))
	}
	return errors.Join(errs...)
}

// maxSuggestions is what people take in at a glance.
const maxSuggestions = 6

func (f Files) Validate() error {
	errs := []error{config.Between("bytes", f.Bytes, 1, maxFile)}
	for i, written := range f.Types {
		media, params, err := mime.ParseMediaType(written)
		if err != nil || len(params) > 0 || media != written || !strings.Contains(media, "/") || strings.Contains(media, "*") {
			errs = append(errs, config.At(fmt.Sprintf("types[%d]", i), "want a media type such as image/png, not %q", written))
		}
	}
	return errors.Join(errs...)
}

func checkLength(key, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return config.At(key, "has %d characters; %d are allowed", n, most)
	}
	return nil
}
