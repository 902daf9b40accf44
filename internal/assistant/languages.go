package assistant

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
	"golang.org/x/text/language"
)

// Extractive is the name by which an assistant's models mean that documents are quoted
// without a language model. It needs not be listed: it always takes over last.
const Extractive = "extractive"

// BaseOf returns the language of a locale, as package lang calls it: "pt" of pt-BR.
func BaseOf(locale string) string {
	tag, err := language.Parse(locale)
	if err != nil {
		return ""
	}
	base, _ := tag.Base()
	switch s := base.String(); s {
	case "nb", "nn":
		return "no"
	default:
		return s
	}
}

// LanguageCodes returns the languages that the assistant answers in, as package lang calls
// them.
func (a *Assistant) LanguageCodes() []string {
	var all []string
	for _, l := range a.Languages {
		if base := BaseOf(l); !slices.Contains(all, base) {
			all = append(all, base)
		}
	}
	return all
}

// checkLanguages checks the languages, and that nothing is said in another one.
func (a *Assistant) checkLanguages() error {
	var errs []error
	for i, l := range a.Languages {
		if err := guard.CheckLocale(l, a.Languages[:i]); err != nil {
			errs = append(errs, config.At(fmt.Sprintf("languages[%d]", i), "%w", err))
		}
	}
	var before []string
	for i, l := range a.Lines {
		key := fmt.Sprintf("lines[%d].locale", i)
		if l.Locale == "" {
			continue // a key that is needed
		}
		if err := guard.CheckLocale(l.Locale, before); err != nil {
			errs = append(errs, config.At(key, "%w", err))
		} else if err := a.checkListed(l.Locale); err != nil {
			errs = append(errs, config.At(key, "%w", err))
		}
		before = append(before, l.Locale)
	}
	return errors.Join(errs...)
}

// checkListed says that the assistant does not answer in the language of a locale.
func (a *Assistant) checkListed(locale string) error {
	codes := a.LanguageCodes()
	if len(codes) == 0 || slices.Contains(codes, BaseOf(locale)) {
		return nil
	}
	return fmt.Errorf("the assistant answers in %s, not in %s; add it to languages, or leave this out", strings.Join(a.Languages, ", "), locale)
}

func (a *Assistant) checkModels() error {
	var errs []error
	for i, name := range a.Models {
		key := fmt.Sprintf("models[%d]", i)
		switch {
		case strings.TrimSpace(name) == "":
			errs = append(errs, config.At(key, "is empty; name one of the server's models"))
		case slices.Contains(a.Models[:i], name):
			errs = append(errs, config.At(key, "%q is in the list already", name))
		case name == Extractive && len(a.Models) > 1:
			errs = append(errs, config.At(key, "%s always takes over last; leave it out, or list it alone for no language model", Extractive))
		}
	}
	return errors.Join(errs...)
}

// Validate checks what a type alone does not say.
func (l Lines) Validate() error {
	if l == (Lines{Locale: l.Locale}) {
		return errors.New("there is no text; add one, such as nothing, or leave this out")
	}
	if l.Handover != "" && guard.Folded(l.Handover) == "" { // it is looked for in what a model says
		return config.At("handover", "%q has no letter or digit", l.Handover)
	}
	return nil
}
