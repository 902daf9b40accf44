package extractive

import (
	"slices"
	"strings"
	"unicode"
)

// repairedWeight is what a word counts that was found only in another spelling.
const repairedWeight = 0.8

// repaired returns needs in which words that no passage has are replaced by the one
// that differs from them in a letter, if there is one with the same first letter. The
// search for passages has done the same. Numbers and short words are never touched.
func (l *library) repaired(needs []need) []need {
	out := slices.Clone(needs)
	var known map[string]int // how often a term stands in the passages
	for i, n := range out {
		if n.weak || len(n.term) < 5 || strings.ContainsFunc(n.term, func(r rune) bool { return !unicode.IsLetter(r) }) {
			continue
		}
		if known == nil {
			known = l.vocabulary()
		}
		if known[n.term] > 0 || slices.ContainsFunc(n.like, func(s string) bool { return known[s] > 0 }) {
			continue
		}
		best := ""
		for t, count := range known {
			if t[0] == n.term[0] && oneApart(t, n.term) && (count > known[best] || count == known[best] && t < best) {
				best = t
			}
		}
		if best != "" {
			out[i].term, out[i].weight, out[i].like = best, n.weight*repairedWeight, like(best, l.language)
		}
	}
	return out
}

func (l *library) vocabulary() map[string]int {
	known := map[string]int{}
	for _, u := range l.units {
		for _, t := range u.terms {
			known[t.Text]++
		}
	}
	return known
}

// oneApart reports whether one letter more, less or other, or two neighbours exchanged,
// make a into b.
func oneApart(a, b string) bool {
	x, y := []rune(a), []rune(b)
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	x, y = x[i:], y[i:]
	switch {
	case len(x) == len(y) && len(x) > 0:
		return slices.Equal(x[1:], y[1:]) || len(x) > 1 && x[0] == y[1] && x[1] == y[0] && slices.Equal(x[2:], y[2:])
	case len(x) == len(y)+1:
		return slices.Equal(x[1:], y)
	case len(y) == len(x)+1:
		return slices.Equal(x, y[1:])
	}
	return false
}
