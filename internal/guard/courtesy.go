package guard

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// courtesy reports whether a sentence says nothing that needs a source:
//
//   - it has no letters or digits (a rule, the line between the rows of a table);
//   - it is a heading, a question back, or leads to a list (it ends with ":");
//   - all its parts, between commas and the like, are turns of phrase (see phrases).
//
// A number that is in no passage and not in the customer's message never passes, but
// for the small ones of "there are 3 ways:".
func courtesy(sentence string, cl claim, t *chat.Turn) bool {
	if len(cl.words) == 0 {
		return true
	}
	end := strings.TrimRight(sentence, closers)
	switch {
	case strings.HasSuffix(end, ":"), strings.HasSuffix(end, "："), heading(sentence):
		return !negatedOrLong(cl) && knownFacts(cl, t, true)
	case strings.HasSuffix(end, "?"), strings.HasSuffix(end, "？"), strings.HasSuffix(end, "؟"):
		return knownFacts(cl, t, false)
	}
	return polite(sentence) && knownFacts(cl, t, false)
}

// heading reports whether a sentence is a Markdown heading, or a line that is bold as a
// whole and no sentence.
func heading(s string) bool {
	if strings.HasPrefix(s, "#") {
		return true
	}
	inner, ok := strings.CutPrefix(s, "**")
	if !ok {
		return false
	}
	inner, ok = strings.CutSuffix(inner, "**")
	return ok && !strings.Contains(inner, "**") && !strings.ContainsAny(inner, ".!")
}

// longHeading is the number of content words from which a heading is a statement.
const longHeading = 12

func negatedOrLong(cl claim) bool { return cl.negated || len(cl.content) > longHeading }

// knownFacts reports whether all numbers of cl were said by the passages or the
// customer. Those below ten need not be where small says so.
func knownFacts(cl claim, t *chat.Turn, small bool) bool {
	for _, f := range cl.facts {
		if small && len(f) == 1 || strings.Contains(string(t.Input), f) {
			continue
		}
		known := false
		for _, p := range t.Passages {
			known = known || strings.Contains(string(p.Text), f)
		}
		if !known {
			return false
		}
	}
	return true
}

// polite reports whether every part of a sentence is a turn of phrase, or behind one
// somebody's name.
func polite(sentence string) bool {
	first := true
	for _, part := range strings.FieldsFunc(sentence, partsClause) {
		folded := " " + strings.Join(strings.FieldsFunc(lang.Fold(part), notWord), " ") + " "
		if folded = withoutConjunction(folded); strings.TrimSpace(folded) == "" {
			continue
		}
		if !turnOfPhrase(folded) && (first || !name(part)) {
			return false
		}
		first = false
	}
	return !first
}

func partsClause(r rune) bool { return strings.ContainsRune(",;:!.–—。，、！،", r) }

func notWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\''
}

// turnOfPhrase reports whether part begins with a turn of phrase, and says not much more.
func turnOfPhrase(part string) bool {
	for _, p := range phrases {
		i := strings.Index(part, p.words)
		if i < 0 || i > 0 && !p.anywhere {
			continue
		}
		rest := part[:i] + " " + part[i+len(p.words):]
		if n := len(strings.Fields(rest)); n <= p.more {
			return true
		}
	}
	return false
}

// name reports whether part may be what somebody is called: a capitalised word or two.
func name(part string) bool {
	words := strings.FieldsFunc(part, notWord)
	return len(words) <= 2 && !slices.ContainsFunc(words, func(w string) bool {
		r, _ := utf8.DecodeRuneInString(w)
		return !unicode.IsUpper(r) || negating[lang.Fold(w)]
	})
}

func withoutConjunction(part string) string {
	for _, c := range conjunctions {
		if rest, ok := strings.CutPrefix(part, c); ok {
			return " " + rest
		}
	}
	return part
}

var conjunctions = []string{" but ", " and ", " so ", " aber ", " und ", " mais ", " et ", " pero ", " y ", " ma ", " e ", " mas ", " maar ", " en "}
