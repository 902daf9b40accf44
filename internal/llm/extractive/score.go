package extractive

// features are what is known of a quotation beside a question, as numbers.
type features [weighed]float64

const (
	always         = iota
	passageWorth   // what the search found in the passage, counted in rare words
	passageFirst   // the search found nothing better
	askedNear      // the share of the question that is covered, by where its words stand
	askedInUnit    // … by the words of the unit that answers
	askedInQuote   // … by all that is quoted, and the headings and the title above
	unitAsked      // the share of the unit's words that are asked for
	headingAsked   // … of the heading's above it
	formFits       // how well the unit has the form that is asked for
	formMissing    // how much it lacks that form
	blockFormFits  // the same for a list, a table or a section
	blockFormLacks // … and for what it lacks
	tableRow       // one row of a table
	manner         // how it is put, as quote, block and section judge it
	weighed
)

// weights are learned, but for that of manner, which is not often told by examples, and
// enough is chosen by them: docs/decisions.md says from what, and how good they are.
var weights = features{
	always:         -7.35,
	passageWorth:   2.31,
	passageFirst:   0.44,
	askedNear:      2.84,
	askedInUnit:    1.30,
	askedInQuote:   2.31,
	unitAsked:      4.00,
	headingAsked:   1.43,
	formFits:       0.63,
	formMissing:    -1.06,
	blockFormFits:  1.29,
	blockFormLacks: -1.33,
	tableRow:       0.17,
	manner:         1.00,
}

// enough is the score from which a quotation answers. A wrong one is worse than none.
const enough = -1.5

// score returns how likely a quotation answers, as the logarithm of its odds against
// saying nothing.
func (f features) score() float64 {
	sum := 0.0
	for i, x := range f {
		sum += weights[i] * x
	}
	return sum
}

// describe returns what is known of units that are quoted together, but for their form and
// manner. main is the unit that answers.
func (r *ratings) describe(main int, units []int) features {
	u := r.library.units[main]
	f := features{always: 1, passageWorth: r.worth[u.passage], askedInUnit: r.ownCoverage(main), unitAsked: r.shares[main]}
	if u.passage == 0 {
		f[passageFirst] = 1
	}
	if u.kind == row {
		f[tableRow] = 1
	}
	f[askedNear] = r.coverage(append([]int{main}, units...)...)
	have := make([]float64, len(r.weights))
	raise(have, r.title[u.passage], 1)
	for _, i := range units {
		raise(have, r.own[i], 1)
	}
	for above := u.above; above >= 0; above = r.library.units[above].above {
		raise(have, r.own[above], 1)
	}
	f[askedInQuote] = r.share(have)
	if u.above >= 0 {
		f[headingAsked] = r.shares[u.above]
	}
	return f
}

// share returns which part of the question is had, weighted.
func (r *ratings) share(have []float64) float64 {
	sum := 0.0
	for n, h := range have {
		sum += r.weights[n] * h
	}
	return sum / max(r.total, 1e-9)
}

// form sets how well a quotation has the form that is asked for, from -2 to 1.
func (f *features) form(fit float64, block bool) {
	fits, lacks := formFits, formMissing
	if block {
		fits, lacks = blockFormFits, blockFormLacks
	}
	f[fits], f[lacks] = max(0, fit), max(0, -fit)
}
