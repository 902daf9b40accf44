package extractive

import (
	"math"

	"github.com/answerable/answerable/internal/lang"
)

// How much a word counts by where it stands, seen from a unit.
const (
	inUnit    = 1.0
	inSynonym = 0.85
	inAbove   = 0.7  // the heading or the introduction above it, a table's header
	inBlock   = 0.35 // the sentence before or after it
	inTitle   = 0.4  // the passage's title and headings
	inPassage = 0.2  // elsewhere in its passage
)

// absent is how often a word counts as found that stands nowhere: it tells more than one
// that stands once.
const absent = 0.3

// ratings compare the units of a library with one question.
type ratings struct {
	library *library
	asks    asks
	negated bool        // it asks what is not so
	weights []float64   // of each need, rarity included
	total   float64     // of weights
	own     [][]float64 // of each unit, how much it has of each need; nil: nothing
	title   [][]float64 // of each passage, the same for its title and headings
	around  [][]float64 // of each passage, the same for its title and text
	shares  []float64   // of each unit, the share of its words that are asked for
	worth   []float64   // of each passage, what it has of the question, counted in rare words
	phrases []float64   // of each unit, the share of neighbouring needs that are neighbours in it
}

func rate(l *library, q question) *ratings {
	r := &ratings{
		library: l, asks: q.asks, negated: negates(q.text),
		weights: make([]float64, len(q.needs)),
		own:     make([][]float64, len(l.units)),
		around:  make([][]float64, len(l.titles)),
		phrases: make([]float64, len(l.units)),
	}
	q.needs = l.repaired(q.needs)
	index := indexOf(q.needs)
	for i, terms := range l.titles {
		r.around[i] = make([]float64, len(q.needs))
		have, _ := index.match(terms, q.needs)
		r.title = append(r.title, have)
		raise(r.around[i], have, inTitle)
	}
	frequency := make([]float64, len(q.needs))
	for i, u := range l.units {
		r.shares = append(r.shares, index.share(u.terms))
		r.own[i], r.phrases[i] = index.match(u.terms, q.needs)
		if u.kind == row {
			r.own[i] = withRanges(l, i, q.needs, r.own[i])
		}
		if u.kind == skipped {
			continue
		}
		raise(r.around[u.passage], r.own[i], inPassage)
		for n, have := range r.own[i] {
			frequency[n] += have
		}
	}
	for n, need := range q.needs {
		f := max(frequency[n], absent)
		r.weights[n] = need.weight
		if !need.weak {
			r.weights[n] *= math.Log(1 + (float64(len(l.units))+1)/f)
		}
		r.total += r.weights[n]
	}
	for i, worth := range l.worth {
		if worth == 0 { // not the search's
			for n, need := range q.needs {
				worth += foundWorth * need.weight * min(1, r.around[i][n]/inPassage)
			}
		}
		r.worth = append(r.worth, worth)
	}
	return r
}

// foundWorth is about what the search counts for a word that it finds once.
const foundWorth = 0.5

// coverage returns the share of the question that the units cover, from 0 to 1: with their
// own words, and with those around the first.
func (r *ratings) coverage(units ...int) float64 {
	have := make([]float64, len(r.weights))
	first := r.library.units[units[0]]
	raise(have, r.around[first.passage], 1)
	for _, i := range units {
		u := r.library.units[i]
		raise(have, r.own[i], 1)
		for above, part := u.above, inAbove; above >= 0; above, part = r.library.units[above].above, part*0.85 {
			raise(have, r.own[above], part)
		}
		for _, near := range []int{i - 1, i + 1} {
			if near >= 0 && near < len(r.own) && r.library.units[near].top == u.top && u.kind == sentence {
				raise(have, r.own[near], inBlock)
			}
		}
	}
	return r.share(have)
}

// ownCoverage is coverage by the words of one unit alone.
func (r *ratings) ownCoverage(i int) float64 { return r.share(r.own[i]) }

// raise lifts each value of to where that of from, times part, is higher.
func raise(to, from []float64, part float64) {
	for i, v := range from {
		to[i] = max(to[i], v*part)
	}
}

// index finds the needs that a term fulfils.
type index map[string][]hit

type hit struct {
	need int
	part int // of a joined word: 1, 2, …; 0: the term itself, or a synonym
	like float64
}

func indexOf(needs []need) index {
	x := index{}
	for i, n := range needs {
		x[n.term] = append(x[n.term], hit{i, 0, inUnit})
		for _, s := range n.like {
			if s != n.term {
				x[s] = append(x[s], hit{i, 0, inSynonym})
			}
		}
		for p, part := range n.parts {
			x[part] = append(x[part], hit{i, p + 1, inSynonym})
		}
	}
	return x
}

// share returns which part of terms fulfils a need.
func (x index) share(terms []lang.Term) float64 {
	n, met := 0, 0
	for _, t := range terms {
		if t.Stop {
			continue
		}
		n++
		if len(x[t.Text]) > 0 {
			met++
		}
	}
	return float64(met) / float64(n+2)
}

// match returns how much of each need terms have, or nil, and the share of neighbouring
// needs that are neighbours in terms too.
func (x index) match(terms []lang.Term, needs []need) (have []float64, phrase float64) {
	last, lastAt := -1, 0 // the need met last, and at which term
	var parts []uint64    // of each need, the parts met
	pairs := 0
	for at, t := range terms {
		for _, h := range x[t.Text] {
			if have == nil {
				have, parts = make([]float64, len(needs)), make([]uint64, len(needs))
			}
			if h.part > 0 {
				parts[h.need] |= 1 << min(h.part-1, 63)
				if want := min(len(needs[h.need].parts), 64); parts[h.need] != 1<<want-1 {
					continue
				}
			}
			have[h.need] = max(have[h.need], h.like)
			if last >= 0 && h.need == last+1 && at-lastAt <= 3 {
				pairs++
			}
			last, lastAt = h.need, at
		}
	}
	if len(needs) > 1 {
		phrase = min(1, float64(pairs)/float64(len(needs)-1))
	}
	return have, phrase
}
