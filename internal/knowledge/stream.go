package knowledge

import "github.com/answerable/answerable/internal/lang"

// The two kinds of evidence are words and pairs of neighbouring words. Documents and
// queries must make them in the same way, so both do it here.

// words returns the terms of text that can tell texts apart.
func words(text, language string) []lang.Term {
	terms := lang.Terms(text, language)
	kept := terms[:0]
	for _, t := range terms {
		if !t.Stop {
			kept = append(kept, t)
		}
	}
	return kept
}

// eachPair calls f for each two neighbouring terms, stop words left out. An
// identifier's whole is no neighbour of its own parts.
func eachPair(terms []lang.Term, f func(key uint64, second lang.Term)) {
	before := ""
	for i, t := range terms {
		if i+1 < len(terms) && terms[i+1].Start < t.End && terms[i+1].End <= t.End {
			continue // the whole; its parts follow
		}
		if before != "" {
			f(pairKey(before, t.Text), t)
		}
		before = t.Text
	}
}

// pairKey is the 64-bit FNV-1a hash of a, a zero byte and b. Two pairs of the same
// key, one in 2^64, would count as one.
func pairKey(a, b string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range len(a) {
		h = (h ^ uint64(a[i])) * prime
	}
	h *= prime
	for i := range len(b) {
		h = (h ^ uint64(b[i])) * prime
	}
	return h
}
