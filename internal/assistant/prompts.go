package assistant

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
)

// The files of the folder prompts.
const (
	personaFile      = "prompts/persona.md"
	instructionsFile = "prompts/instructions.md"
)

const (
	maxPrompt = 4000 // code points of such a file
	maxTold   = 4000 // of all sentences that policies add to the instructions
)

// read takes one of the assistant's own files.
func (a *Assistant) read(f OwnFile) (err error) {
	switch folder, name := path.Split(f.Path); {
	case f.Path == File:
		a.lines[f.Path], err = config.DecodeLines(f.Path, f.Data, a)
		return err
	case f.Path == personaFile && strings.TrimSpace(a.Persona.Style) != "":
		return wrong(f.Path, "persona.style in %s says how it speaks too; keep one of them", File)
	case f.Path == personaFile:
		a.Persona.Style, err = prose(f)
		return err
	case f.Path == instructionsFile:
		a.Instructions, err = prose(f)
		return err
	case folder == "prompts/":
		hint := config.Meant(name, []string{"persona.md", "instructions.md"})
		if hint == "" {
			hint = "; the files here are persona.md and instructions.md"
		}
		return wrong(f.Path, "this file is not read%s", hint)
	case path.Ext(name) != ".yaml":
		return wrong(f.Path, "this file is not read; the files here are named as in %s%s.yaml", folder, strings.TrimSuffix(name, path.Ext(name)))
	case folder == "policies/":
		var p guard.Policy
		a.lines[f.Path], err = config.DecodeLines(f.Path, f.Data, &p)
		a.Policies = append(a.Policies, p)
		return err
	}
	return nil // golden cases are read when they are asked for
}

// wrong is a mistake in a file as a whole.
func wrong(file, format string, args ...any) error {
	return config.Errors{{File: file, Message: fmt.Sprintf(format, args...)}}
}

// prose returns the text of a file for models.
func prose(f OwnFile) (string, error) {
	data := bytes.TrimPrefix(f.Data, []byte("\ufeff"))
	if err := config.CheckText(f.Path, data); err != nil {
		return "", err
	}
	text := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
	if text == "" {
		return "", wrong(f.Path, "the file is empty; write what the model is told, or remove it")
	}
	if n := utf8.RuneCountInString(text); n > maxPrompt {
		return "", wrong(f.Path, "the file has %d characters; %d are allowed, as every answer pays for them", n, maxPrompt)
	}
	return text, nil
}

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

// Wrong returns a mistake in assistant.yaml that its reader could not see, under a key.
func (a *Assistant) Wrong(key, format string, args ...any) error {
	return below(a.Dir, a.at(File, key, format, args...))
}

// at returns a mistake under a key of one of the assistant's own files.
func (a *Assistant) at(file, key, format string, args ...any) error {
	return config.Errors{{File: file, Line: a.lines[file].Of(key), Message: key + ": " + fmt.Sprintf(format, args...)}}
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
