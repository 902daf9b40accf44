package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
	"golang.org/x/text/language"
)

// Policy is what a company lays down for its assistant: which messages no model is
// asked about, what models are told, and what is never shown. It is a file in the
// folder policies.
type Policy struct {
	// What this is for, for people.
	About string `yaml:"about"`
	// Messages that no model is asked about. The first rule whose phrases are found decides.
	Rules []Rule `yaml:"rules" most:"500"`
	// Sentences for the model's instructions.
	Tell []string `yaml:"tell" most:"50"`
	// Phrases that must never be shown.
	Never []string `yaml:"never" most:"5000"`
}

// Rule says what happens to a message that has one of its phrases.
type Rule struct {
	// What the rule is called in the record of a turn: lower-case letters, digits and
	// single hyphens.
	Name string `yaml:"name" most:"64" need:"the record of a turn names the rule that was followed"`
	// Phrases in the customer's message; any of them. They are found as whole words, whatever
	// their case and accents, and the spaces and hyphens between them.
	When []string `yaml:"when" most:"500" need:"list phrases of messages that the rule is for"`
	// Whether the conversation goes to a person, at once.
	HandOver bool `yaml:"hand_over"`
	// What the customer is told, in their language or else in the first one.
	Say []Said `yaml:"say"`
}

// Said is a text in one language.
type Said struct {
	// The language, as in de or pt-BR.
	Locale string `yaml:"locale" need:"name a language such as de or pt-BR"`
	// What is said.
	Text string `yaml:"text" most:"1000" need:"write what is said"`
}

// Folded returns a phrase as it is looked for: two with the same are found in the same
// places. It is "" for what has no letter or digit.
func Folded(phrase string) string { return string(foldPhrase(phrase)) }

// CheckPhrases says what is wrong with a list of phrases that are to be looked for; it
// stands under key.
func CheckPhrases(key string, phrases []string) error {
	var errs []error
	seen := map[string]bool{}
	for i, p := range phrases {
		at, folded := fmt.Sprintf("%s[%d]", key, i), Folded(p)
		switch n := utf8.RuneCountInString(p); {
		case n > maxPhrase:
			errs = append(errs, config.At(at, "the phrase has %d characters; %d are allowed", n, maxPhrase))
		case folded == "":
			errs = append(errs, config.At(at, "%q has no letter or digit", p))
		case seen[folded]:
			errs = append(errs, config.At(at, "%q is in the list already", p))
		}
		seen[folded] = true
	}
	return errors.Join(errs...)
}

// CheckLocale says what is wrong with the name of a language, which stands behind others.
func CheckLocale(written string, before []string) error {
	tag, err := language.Parse(written)
	if err != nil || strings.Contains(written, "_") {
		return fmt.Errorf("want a language such as de or pt-BR, not %q", written)
	}
	for _, b := range before {
		if other, err := language.Parse(b); err == nil && other == tag {
			return fmt.Errorf("%q is in the list already", written)
		}
	}
	return nil
}

// maxTold is the length of one sentence for the instructions, in code points.
const maxTold = 500

// Validate checks what a type alone does not say.
func (p Policy) Validate() error {
	errs := []error{CheckPhrases("never", p.Never)}
	for i, sentence := range p.Tell {
		key := fmt.Sprintf("tell[%d]", i)
		switch n := utf8.RuneCountInString(sentence); {
		case strings.TrimSpace(sentence) == "":
			errs = append(errs, config.At(key, "is empty; write what the model must do or leave it out"))
		case n > maxTold:
			errs = append(errs, config.At(key, "has %d characters; %d are allowed", n, maxTold))
		case strings.ContainsFunc(sentence, unicode.IsControl):
			errs = append(errs, config.At(key, "has more than one line; make each an item of its own"))
		}
	}
	for i, r := range p.Rules {
		for _, before := range p.Rules[:i] {
			if r.Name == before.Name && r.Name != "" {
				errs = append(errs, config.At(fmt.Sprintf("rules[%d].name", i), "%q is the name of a rule above; each needs its own", r.Name))
				break
			}
		}
	}
	if len(p.Rules)+len(p.Tell)+len(p.Never) == 0 {
		errs = append(errs, errors.New("the policy says nothing; add rules, tell or never, or remove the file"))
	}
	return errors.Join(errs...)
}

// Validate checks what a type alone does not say.
func (r Rule) Validate() error {
	errs := []error{CheckPhrases("when", r.When)}
	if strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		errs = append(errs, config.At("name", "want lower-case letters, digits and hyphens, as in legal-threats, not %q", r.Name))
	}
	if !r.HandOver && len(r.Say) == 0 {
		errs = append(errs, errors.New("the rule does nothing; add hand_over: true, or say"))
	}
	var locales []string
	for i, s := range r.Say {
		if err := CheckLocale(s.Locale, locales); err != nil && s.Locale != "" { // a key that is needed
			errs = append(errs, config.At(fmt.Sprintf("say[%d].locale", i), "%w", err))
		}
		locales = append(locales, s.Locale)
	}
	return errors.Join(errs...)
}

// Policies are rules of policies, made ready. The zero value has none. It may be used by many
// goroutines.
type Policies struct {
	any   Forbidden // the phrases of all rules
	rules []Rule
	each  []Forbidden
}

// NewPolicies makes the rules of policies ready, in order.
func NewPolicies(policies []Policy) (Policies, error) {
	var p Policies
	var all []string
	for _, policy := range policies {
		for _, r := range policy.Rules {
			phrases, err := NewLists(List{Check: policyCheck, Phrases: r.When})
			if err != nil {
				return p, fmt.Errorf("rule %s: %w", r.Name, err)
			}
			p.rules, p.each = append(p.rules, r), append(p.each, phrases)
			all = append(all, r.When...)
		}
	}
	any, err := NewForbidden(all)
	p.any = any
	return p, err
}

const policyCheck = "policy"

// Empty reports whether there are no rules.
func (p Policies) Empty() bool { return len(p.rules) == 0 }

// Match returns the first rule for a message and the verdict for the record, or nil.
func (p Policies) Match(message chat.Text) (*Rule, chat.Verdict) {
	ctx := context.Background()
	if v, _ := p.any.Check(ctx, nil, message); v.Action == chat.Allow { // it cannot fail
		return nil, v
	}
	for i := range p.rules {
		if v, _ := p.each[i].Check(ctx, nil, message); v.Action == chat.Block {
			v.Reason = p.rules[i].Name
			return &p.rules[i], v
		}
	}
	return nil, chat.Verdict{Action: chat.Allow}
}

// In returns the text of say in a language ("de"), or else the first, or "".
func (r *Rule) In(lang string) string {
	for _, exact := range []bool{true, false} {
		for _, s := range r.Say {
			if base, region, _ := strings.Cut(strings.ToLower(s.Locale), "-"); base == lang && (region == "") == exact {
				return s.Text
			}
		}
	}
	if len(r.Say) > 0 {
		return r.Say[0].Text
	}
	return ""
}
