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
	"github.com/answerable/answerable/internal/guard"
	"golang.org/x/text/language"
)

// Widget is how the assistant looks to customers, in the widget and on its page.
type Widget struct {
	// Whether widgets on other sites show it; false: they remove themselves.
	Enabled bool `yaml:"enabled"`
	// What stands at the head. Default: the company, or "Customer service" in the customer's
	// language.
	Title string `yaml:"title" most:"80"`
	// The colour, as #rrggbb.
	Accent string `yaml:"accent"`
	// The address of the privacy notice. Default: none.
	Privacy string `yaml:"privacy"`
	// The version of what visitors are told and agree to. Default: a hash of the texts.
	Disclosure string `yaml:"disclosure" most:"64"`
	// Whether a visitor must agree before anything is sent.
	Consent bool `yaml:"consent"`
	// What a customer reads before the first message, by language. Default: our texts.
	Texts []Texts `yaml:"texts"`
	// What customers may send beside words.
	Files Files `yaml:"files"`
	// The origins whose pictures are shown in answers. Default: none.
	Images []string `yaml:"images"`
}

// Files are what customers may send beside words.
type Files struct {
	// Media types, as in image/png. Default: no files.
	Types []string `yaml:"types"`
	// The size of each file, in bytes.
	Bytes int64 `yaml:"bytes" between:"1,52428800"`
}

// Texts are what a customer reads before the first message, in one language.
type Texts struct {
	Title string `yaml:"-"` // of the page, where the assistant has none
	// The language, as in de or pt-BR.
	Locale string `yaml:"locale" need:"name a language such as de or pt-BR"`
	// What the customer is greeted with.
	Greeting string `yaml:"greeting" most:"1000"`
	// Says that an AI answers.
	Disclosure string `yaml:"disclosure" most:"1000"`
	// What the visitor agrees to.
	Consent string `yaml:"consent" most:"1000"`
	// Questions to begin with: as many as people take in at a glance.
	Suggestions []string `yaml:"suggestions" most:"6"`
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

// IsColour reports whether s is a colour as #rrggbb.
func IsColour(s string) bool { return goodColour.MatchString(s) }

var goodColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Validate checks what a type alone does not say.
func (w Widget) Validate() error {
	var errs []error
	if !IsColour(w.Accent) {
		errs = append(errs, config.At("accent", "want a colour such as %q, not %q", "#0b6e63", w.Accent))
	}
	if u, err := url.Parse(w.Privacy); w.Privacy != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		errs = append(errs, config.At("privacy", "want an address such as https://shop.example/privacy, not %q", w.Privacy))
	}
	if w.Consent && w.Privacy == "" {
		errs = append(errs, config.At("consent", "visitors cannot agree to what they cannot read; set privacy to the address of the privacy notice"))
	}
	for i, t := range w.Texts {
		if slices.ContainsFunc(w.Texts[:i], func(before Texts) bool { return strings.EqualFold(before.Locale, t.Locale) }) {
			errs = append(errs, config.At(fmt.Sprintf("texts[%d]", i), "%q has texts already; put them together", t.Locale))
		}
	}
	errs = append(errs, config.Origins("images", w.Images))
	return errors.Join(errs...)
}

// maxSuggestion is what fits on a button, in code points.
const maxSuggestion = 80

func (t Texts) Validate() error {
	var errs []error
	if err := guard.CheckLocale(t.Locale, nil); err != nil && t.Locale != "" { // a key that is needed
		errs = append(errs, config.At("locale", "%w", err))
	}
	for i, s := range t.Suggestions {
		key := fmt.Sprintf("suggestions[%d]", i)
		if n := utf8.RuneCountInString(s); n > maxSuggestion {
			errs = append(errs, config.At(key, "has %d characters; %d are allowed", n, maxSuggestion))
		}
		if strings.TrimSpace(s) == "" {
			errs = append(errs, config.At(key, "is empty; leave it out"))
		}
	}
	return errors.Join(errs...)
}

func (f Files) Validate() error {
	var errs []error
	for i, written := range f.Types {
		media, params, err := mime.ParseMediaType(written)
		if err != nil || len(params) > 0 || media != written || !strings.Contains(media, "/") || strings.Contains(media, "*") {
			errs = append(errs, config.At(fmt.Sprintf("types[%d]", i), "want a media type such as image/png, not %q", written))
		}
	}
	return errors.Join(errs...)
}
