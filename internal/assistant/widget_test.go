package assistant_test

import (
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/assistant"
	"golang.org/x/text/language"
)

// languages are those that we have texts in.
var languages = []string{"ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt", "tr", "zh"}

func TestTextsInEveryLanguage(t *testing.T) {
	w := assistant.DefaultWidget()
	english := w.In([]language.Tag{language.English})
	for _, l := range languages {
		got := w.In([]language.Tag{language.MustParse(l)})
		if got.Locale != l || got.Title == "" || got.Greeting == "" || got.Disclosure == "" || got.Consent == "" || len(got.Suggestions) > 0 {
			t.Errorf("%s: %+v", l, got)
		}
		if l != "en" && (got.Greeting == english.Greeting || got.Disclosure == english.Disclosure || got.Consent == english.Consent || got.Title == english.Title) {
			t.Errorf("%s has English texts: %+v", l, got)
		}
	}
}

func TestIn(t *testing.T) {
	w := assistant.DefaultWidget()
	w.Texts = []assistant.Texts{
		{Locale: "de", Greeting: "Guten Tag", Disclosure: "KI", Suggestions: []string{"Wo?"}},
		{Locale: "de-AT", Greeting: "Servus"},
		{Locale: "FI", Greeting: "Hei"},
	}
	for _, test := range []struct{ wanted, locale, greeting, disclosure, suggestions string }{
		{"de-AT", "de-AT", "Servus", "KI", "Wo?"},
		{"de-CH", "de", "Guten Tag", "KI", "Wo?"},
		{"fi", "fi", "Hei", "You are chatting with an AI assistant", ""},
		{"fi-FI", "fi", "Hei", "You are chatting with an AI assistant", ""},
		{"sw it", "it", "Come possiamo aiutarla?", "Sta parlando", ""},
		{"sw", "en", "How can we help?", "You are chatting", ""},
		{"", "en", "How can we help?", "You are chatting", ""},
	} {
		var wanted []language.Tag
		for tag := range strings.FieldsSeq(test.wanted) {
			wanted = append(wanted, language.MustParse(tag))
		}
		got := w.In(wanted)
		if got.Locale != test.locale || got.Greeting != test.greeting || !strings.HasPrefix(got.Disclosure, test.disclosure) || strings.Join(got.Suggestions, " ") != test.suggestions {
			t.Errorf("In(%s) = %+v", test.wanted, got)
		}
	}
}

// Without a version of its own, what visitors are told has another one when it changes.
func TestVersion(t *testing.T) {
	w := assistant.DefaultWidget()
	texts := w.In(nil)
	first := w.Version(texts)
	texts.Consent += "!"
	if second := w.Version(texts); first == "" || first == second {
		t.Errorf("the versions of two texts are %q and %q", first, second)
	}
	w.Disclosure = "2026-11"
	if got := w.Version(texts); got != "2026-11" {
		t.Errorf("Version = %q, want that of the file", got)
	}
}
