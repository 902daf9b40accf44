package assistant

import (
	"fmt"
	"path"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
)

// maxTold bounds all sentences that policies add to the instructions, in code points.
const maxTold = 4000

// Tell returns the sentences that the policies add to the instructions.
func (a *Assistant) Tell() []string {
	var all []string
	for _, p := range a.Policies {
		all = append(all, p.Tell...)
	}
	return all
}

// Never returns the phrases that must never be shown.
func (a *Assistant) Never() []string {
	all := a.Forbidden[:len(a.Forbidden):len(a.Forbidden)]
	for _, p := range a.Policies {
		all = append(all, p.Never...)
	}
	return all
}

// checkPolicies checks what policies say together, and beside the rest.
func (a *Assistant) checkPolicies() error {
	var errs []error
	var told int
	rules, phrases := map[string]string{}, map[string]string{} // where each stands
	n := 0
	for _, f := range a.own {
		if path.Dir(f.Path) != "policies" || path.Ext(f.Path) != ".yaml" {
			continue
		}
		p := a.Policies[n]
		n++
		for _, sentence := range p.Tell {
			told += utf8.RuneCountInString(sentence)
		}
		for i, r := range p.Rules {
			key := fmt.Sprintf("rules[%d].", i)
			if other := rules[r.Name]; r.Name != "" && other != "" && other != f.Path {
				errs = append(errs, a.at(f.Path, key+"name", "%q is the name of a rule in %s; each needs its own", r.Name, other))
			}
			rules[r.Name] = f.Path
			for k, phrase := range r.When {
				folded := guard.Folded(phrase)
				if other, ok := phrases[folded]; ok && other != r.Name && folded != "" {
					errs = append(errs, a.at(f.Path, fmt.Sprintf("%swhen[%d]", key, k), "%q stands in the rule %s already, which decides first", phrase, other))
					continue
				}
				phrases[folded] = r.Name
			}
			for k, s := range r.Say {
				if err := a.checkListed(s.Locale); err != nil {
					errs = append(errs, a.at(f.Path, fmt.Sprintf("%ssay[%d].locale", key, k), "%v", err))
				}
			}
		}
	}
	if told > maxTold {
		errs = append(errs, wrong("policies", "tell has %d characters in all files together; %d are allowed, as every answer pays for them", told, maxTold))
	}
	return config.Join(errs...)
}
