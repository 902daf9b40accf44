package lang

import (
	"slices"
	"testing"
)

func TestSynonyms(t *testing.T) {
	term := func(word, language string) string { return Terms(word, language)[0].Text }
	for _, tt := range []struct {
		word, other, language string
		same, near            bool
	}{
		{"shipping", "delivery", "en", true, false},
		{"delivery", "shipping", "", true, false},
		{"price", "free", "en", false, true},
		{"shipping", "refund", "en", false, false},
		{"versand", "lieferung", "de", true, false},
		{"shipping", "shipping", "en", false, false},
		{"lieferung", "versand", "xx", false, false},
		{"hamburg", "germany", "en", false, true},
		{"germany", "hamburg", "en", false, false}, // what is said of a part need not be so of the whole
		{"germany", "eu", "en", false, true},
		{"eu", "germany", "en", false, false},
		{"wien", "österreich", "de", false, true},
		{"hamburg", "france", "en", false, false},
	} {
		language := tt.language
		if language == "" {
			language = "en"
		}
		same, near := Synonyms(term(tt.word, language), tt.language)
		other := term(tt.other, language)
		if slices.Contains(same, other) != tt.same || slices.Contains(near, other) != tt.near {
			t.Errorf("Synonyms(%s, %q) = %v, %v; want %s there: %v, %v", tt.word, tt.language, same, near, tt.other, tt.same, tt.near)
		}
	}
}
