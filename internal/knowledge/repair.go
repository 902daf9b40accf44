package knowledge

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// repairer replaces words of a query that no document has by the likeliest word that
// differs in one letter: one more, one less, another, or two neighbours exchanged.
// Numbers and identifiers are never touched: another number is another thing.
type repairer struct {
	words wordIndex
	left  int // so many more words are tried
	done  map[string]string
}

// repair returns term itself when it is known, or when nothing is near.
func (r *repairer) repair(term string) string {
	if to, ok := r.done[term]; ok {
		return to
	}
	to := term
	if r.left > 0 && repairable(term) && r.words.find(term) == "" {
		r.left--
		if near := r.words.near(term); near != "" {
			to = near
		}
	}
	r.done[term] = to
	return to
}

func repairable(term string) bool {
	letters := 0
	for _, c := range term {
		if !unicode.IsLetter(c) || c >= 0x0e00 { // not an alphabet, or not one word
			return false
		}
		letters++
	}
	return letters >= 4
}

// near returns the term at edit distance one that is in the most chunks, or "". It
// walks the sorted vocabulary as a tree, so it only meets letters that exist.
func (x wordIndex) near(word string) string {
	best, most := "", 0
	try := func(lo, hi int, prefix, rest string) {
		if i := x.searchIn(lo, hi, prefix+rest); i >= 0 {
			if n := x.chunks(i); n > most || n == most && x.term(i) < best {
				best, most = x.term(i), n
			}
		}
	}
	lo, hi := 0, x.len()
	for at := 0; ; {
		prefix, rest := word[:at], word[at:]
		r, n := utf8.DecodeRuneInString(rest)
		if rest != "" {
			try(lo, hi, prefix, rest[n:]) // one letter too many
			if s, m := utf8.DecodeRuneInString(rest[n:]); m > 0 {
				try(lo, hi, prefix, string(s)+string(r)+rest[n+m:]) // two exchanged
			}
		}
		for i := lo; i < hi; { // each letter that follows prefix somewhere
			term := x.term(i)
			if len(term) == at {
				i++
				continue
			}
			_, m := utf8.DecodeRuneInString(term[at:])
			next := term[:at+m]
			end := x.afterPrefix(i, hi, next)
			try(i, end, next, rest) // one letter left out
			if rest != "" {
				try(i, end, next, rest[n:]) // another letter
			}
			i = end
		}
		if rest == "" {
			return best
		}
		at += n
		lo = lo + sort.Search(hi-lo, func(i int) bool { return x.term(lo+i) >= word[:at] })
		hi = x.afterPrefix(lo, hi, word[:at])
		if lo == hi {
			return best // later letters cannot help: the prefix is wrong already
		}
	}
}

// searchIn returns the place of term among lo to hi, or -1.
func (x wordIndex) searchIn(lo, hi int, term string) int {
	i := lo + sort.Search(hi-lo, func(i int) bool { return x.term(lo+i) >= term })
	if i < hi && x.term(i) == term {
		return i
	}
	return -1
}

// afterPrefix returns where the terms that begin with prefix end, among lo to hi, of
// which the first begins with it.
func (x wordIndex) afterPrefix(lo, hi int, prefix string) int {
	return lo + sort.Search(hi-lo, func(i int) bool {
		t := x.term(lo + i)
		return t > prefix && !strings.HasPrefix(t, prefix)
	})
}
