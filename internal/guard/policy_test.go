package guard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

func policies(t testing.TB, rules ...Rule) Policies {
	t.Helper()
	p, err := NewPolicies([]Policy{{Rules: rules[:1]}, {Rules: rules[1:]}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMatch(t *testing.T) {
	p := policies(t,
		Rule{Name: "law", When: []string{"my lawyer", "sue you", "Anwalt", "弁護士", "변호사"}, HandOver: true},
		Rule{Name: "medicine", When: []string{"allergic", "Straße"}, Say: []Said{{"de", "Nein."}}},
	)
	for message, want := range map[string]string{
		"I will SUE  you!":               "law",
		"I'll call\nmy lawyer.":          "law",
		"Mein ANWALT meldet sich":        "law",
		"Rechtsanwalt":                   "", // another word
		"弁護士に相談します":                      "law",
		"변호사에게 말하겠습니다":                   "law",
		"I am allérgic":                  "medicine",
		"STRASSE":                        "medicine",
		"I am allergic and sue you":      "law", // the first rule, not the first phrase
		"my dear lawyer":                 "",
		"pursue yours":                   "",
		"":                               "",
		strings.Repeat("all good ", 999): "",
	} {
		rule, v := p.Match(chat.Text(message))
		switch {
		case want == "" && rule != nil:
			t.Errorf("Match(%.40q) = %s", message, rule.Name)
		case want != "" && (rule == nil || rule.Name != want || v.Check != "policy" || v.Action != chat.Block || v.Reason != want || v.End <= v.Start):
			t.Errorf("Match(%.40q) = %v, %+v; want %s", message, rule, v, want)
		}
	}
	if rule, _ := (Policies{}).Match("my lawyer"); rule != nil || !(Policies{}).Empty() || p.Empty() {
		t.Error("no policies have a rule")
	}
}

func TestSayIn(t *testing.T) {
	r := Rule{Say: []Said{{"en", "Hello"}, {"de-AT", "Servus"}, {"de", "Hallo"}, {"pt-BR", "Oi"}}}
	for language, want := range map[string]string{"en": "Hello", "de": "Hallo", "pt": "Oi", "fr": "Hello", "": "Hello"} {
		if got := r.In(language); got != want {
			t.Errorf("In(%q) = %q, want %q", language, got, want)
		}
	}
	if got := (&Rule{HandOver: true}).In("en"); got != "" {
		t.Errorf("a rule without texts says %q", got)
	}
}

// BenchmarkMatch is the price that every message pays.
func BenchmarkMatch(b *testing.B) {
	var rules []Rule
	for i := range 100 {
		rules = append(rules, Rule{Name: "r", When: []string{"phrase number " + strings.Repeat("x", i+1), "another one " + strings.Repeat("y", i+1)}})
	}
	p := policies(b, rules...)
	for b.Loop() {
		if rule, _ := p.Match("How long does delivery to Austria take, and what does it cost me for two tents?"); rule != nil {
			b.Fatal("a rule fits")
		}
	}
}

// A long list is checked in a time that grows with its length alone.
func BenchmarkCheckPhrases(b *testing.B) {
	var phrases []string
	for i := range 5000 {
		phrases = append(phrases, fmt.Sprint("phrase number ", i))
	}
	for b.Loop() {
		if err := CheckPhrases("never", phrases); err != nil {
			b.Fatal(err)
		}
	}
}
