package extractive

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/lang"
)

// quote is what is chosen together: a sentence with the one before it, or a list or
// table with what stands above it.
type quote struct {
	units []int // in the order of the passage; all of one passage
	features
	score float64
	own   float64 // share of the question, by the words of the unit that answers alone
	fit   float64 // as asks.fit gives it
	block bool    // a list, a table or a section
	aside bool    // it only says where to read on
}

// What a further quotation must have.
const (
	further   = 0.3  // at most so much less than the best score, in the same passage
	elsewhere = 0.15 // … in another passage
	asGood    = 1.0  // … from which on the newer document goes first
	besides   = 0.90 // of what the best quotation has in its own words
	most      = 3    // quotations for one question
)

// pick returns what answers q, in the order in which it is shown, without what chosen
// already has. Nothing answers when it is empty.
func pick(l *library, q question, chosen []quote) []quote {
	r := rate(l, q)
	all := slices.DeleteFunc(r.quotes(), func(q quote) bool { return q.score < enough })
	slices.SortStableFunc(all, func(a, b quote) int { return cmp.Compare(b.score, a.score) })
	if len(all) == 0 {
		return nil
	}
	l.newestFirst(all)
	best := all[0]
	var picked []quote
	for _, c := range all {
		behind := further
		if l.passage(c) != l.passage(best) {
			behind = elsewhere
		}
		if len(picked) == most || c.score < best.score-further {
			break
		}
		if l.newer(best, c) {
			continue // it may be out of date
		}
		if c.score < best.score-behind || len(picked) > 0 && (c.block || best.block || c.aside || c.fit < best.fit || c.own < besides*best.own || l.step(c)) {
			continue
		}
		if !l.repeats(c, picked) && !l.repeats(c, chosen) {
			picked = append(picked, c)
		}
	}
	if len(picked) == 1 && !best.block && (!r.asks.exact() || hasWord(q.text, joining)) {
		picked[0].units = l.withRest(picked[0].units)
	}
	order := func(q quote) int { // the best paragraph first, then its passage, then as they were found
		switch {
		case l.units[q.units[0]].top == l.units[best.units[0]].top:
			return -2
		case l.passage(q) == l.passage(best):
			return -1
		}
		return l.passage(q)
	}
	slices.SortStableFunc(picked, func(a, b quote) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.units[0], b.units[0]))
	})
	return picked
}

// newestFirst puts the newest of the quotations in front that are about as good as the best
// and say about the same.
func (l *library) newestFirst(all []quote) {
	at := 0
	for i, c := range all {
		if c.score < all[0].score-asGood {
			break
		}
		if c.fit >= all[0].fit && l.newer(c, all[at]) {
			at = i
		}
	}
	best := all[at]
	copy(all[1:at+1], all[:at])
	all[0] = best
}

// newer reports whether a says about the same as b in a document that was updated later,
// so that b may be out of date.
func (l *library) newer(a, b quote) bool {
	x, y := l.updated[l.passage(a)], l.updated[l.passage(b)]
	if y == "" || x <= y || a.block != b.block {
		return false
	}
	i, j := a.units[len(a.units)-1], b.units[len(b.units)-1]
	if l.units[i].kind != l.units[j].kind {
		return false
	}
	both, all := l.shared(i, j)
	return all > 0 && both >= 0.4*all
}

// joining are words of questions that ask for two things, of which one sentence may say one.
var joining = set(`and und et`)

// A single sentence goes on to the end of its paragraph within these bounds.
const (
	restUnits = 3
	restWords = 50
)

// withRest returns units and what follows them in their paragraph, as far as it is
// short: whoever asks whether and how is helped by what comes with it.
func (l *library) withRest(units []int) []int {
	last := units[len(units)-1]
	words := 0
	for _, i := range units {
		words += len(strings.Fields(l.units[i].text))
	}
	for i := last + 1; i < len(l.units) && len(units) < restUnits; i++ {
		u := l.units[i]
		words += len(strings.Fields(u.text))
		if l.units[last].kind != sentence || u.kind != sentence || u.top != l.units[last].top || u.passage != l.units[last].passage || words > restWords || len(u.terms) < 3 {
			break
		}
		units = append(units, i)
	}
	return units
}

// step reports whether q is one step of several.
func (l *library) step(q quote) bool {
	last := l.units[q.units[len(q.units)-1]]
	return last.kind == item && numbered.MatchString(last.text)
}

func (l *library) passage(q quote) int { return l.units[q.units[0]].passage }

// quotes returns everything that could be quoted, rated.
func (r *ratings) quotes() []quote {
	var all []quote
	units := r.library.units
	for i, u := range units {
		switch {
		case u.kind == sentence && (u.whole || len(u.terms) > 5):
			if before := r.library.withBefore(i); !units[before[0]].torn {
				all = append(all, r.quote(i, r.withAfter(before)))
			}
		case u.kind == item && numbered.MatchString(u.text) && !r.asks.exact():
			// one step helps nobody; the block has all
		case u.kind == item && u.whole && len(u.terms) > 5:
			all = append(all, r.quote(i, []int{i}))
		case u.kind == item && r.library.introduces(u.above):
			all = append(all, r.quote(i, []int{u.above, i}))
		case u.kind == row:
			if h := r.library.headerOf(i); h >= 0 {
				all = append(all, r.quote(i, []int{h, i}))
			}
		}
		if (u.kind == item || u.kind == header) && u.top == i {
			if b, ok := r.block(i); ok {
				all = append(all, b)
			}
		}
		if u.kind == heading && !r.asks.exact() {
			if s, ok := r.section(i); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

// What a heading must have of the question for what stands under it to be quoted as it
// is, and how many words of that are quoted.
const (
	headed       = 0.75
	sectionWords = 90
)

// section rates the beginning of what stands under a heading that is as good as the
// question: whoever wrote it has answered in full, be it in several paragraphs.
func (r *ratings) section(h int) (quote, bool) {
	l := r.library
	level, own := levelOf(l.units[h].text), r.under(h)
	if level == introLevel || own < headed || h+1 == len(l.units) || l.units[h+1].kind != sentence || l.units[h+1].torn {
		return quote{}, false
	}
	var units []int
	words := 0
	for i := h + 1; i < len(l.units); {
		u := l.units[i]
		if u.kind == heading && levelOf(u.text) <= level || u.kind == header || u.kind == skipped || u.passage != l.units[h].passage {
			break
		}
		end := i + 1 // a list is quoted whole
		for u.kind == item && end < len(l.units) && l.units[end].top == u.top {
			end++
		}
		n := 0
		for j := i; j < end; j++ {
			n += len(strings.Fields(l.units[j].text))
		}
		if words+n > sectionWords || n < 3 && u.kind == sentence { // "Table 3.2."
			break
		}
		for ; i < end; i++ {
			units = append(units, i)
		}
		words += n
	}
	for n := len(units); n > 0 && l.units[units[n-1]].kind == heading; n-- {
		units = units[:n-1] // leads to what is not quoted
	}
	if len(units) < 2 {
		return quote{}, false
	}
	q := quote{features: r.describe(units[0], units), units: units, own: own, block: true}
	q.features[askedInUnit], q.features[unitAsked] = own, 0
	q.form(r.asks.fit(joined(l, units)), true)
	q.manner(0.15*r.phrases[h] + 6*r.polarity(l.units[units[0]].text, h))
	if r.asks.steps || r.asks.meaning {
		q.manner(0.5)
	}
	q.score = q.features.score()
	return q, true
}

// quote rates units that are shown together; main is the one that answers.
func (r *ratings) quote(main int, units []int) quote {
	u := r.library.units[main]
	q := quote{features: r.describe(main, units), units: units, own: r.ownCoverage(main)}
	q.fit = r.asks.fit(u.text)
	if h := r.library.headerOf(main); u.kind == row && h >= 0 && strings.ContainsAny(u.text, "0123456789") {
		q.fit = max(q.fit, r.asks.fit(r.library.units[h].text+"\n"+u.text)) // "Time in days | 6–7"
	}
	q.form(q.fit, false)
	q.manner(0.15*r.phrases[main] + 0.35*max(0, r.opens(main)-q.own) + 6*r.polarity(u.text, u.above))
	if r.announced(u.above) {
		q.manner(0.5)
	}
	if r.asks.meaning && r.defines(main) {
		q.manner(0.2)
	}
	if q.aside = elsewhereSaid.MatchString(u.text); q.aside {
		q.manner(-1)
	}
	switch n := len(u.terms); {
	case u.kind == item && numbered.MatchString(u.text):
		q.manner(-1) // one step, where a fact is asked for
	case u.kind != sentence:
	case n < 4:
		q.manner(-0.5)
	default:
		q.manner(-0.01 * float64(min(n, 40))) // what is shorter is more to the point
	}
	q.score = q.features.score()
	return q
}

// manner adds to how well a quotation is put, whatever it has of the question.
func (q *quote) manner(more float64) { q.features[manner] += more }

// The largest list and table that are quoted as a whole.
const (
	maxItems = 10
	maxRows  = 8
)

// block rates the list or table that begins at unit first as a whole.
func (r *ratings) block(first int) (quote, bool) {
	l := r.library
	end := first
	for end < len(l.units) && l.units[end].top == first {
		end++
	}
	var units []int
	top := l.units[first].above
	if l.units[first].kind == item && l.introduces(top) {
		units = append(units, top)
	}
	table := l.units[first].kind == header
	best := first
	if table {
		best++
	}
	for i := first; i < end; i++ {
		if l.units[i].kind == skipped {
			return quote{}, false
		}
		units = append(units, i)
		if i >= best && r.ownCoverage(i) > r.ownCoverage(best) {
			best = i
		}
	}
	n := end - first
	steps := numbered.MatchString(l.units[first].text) && (r.asks.steps || !r.asks.exact() && !r.asks.allowed)
	if n < 2 || !table && n > maxItems || table && n > maxRows+1 {
		return quote{}, false
	}
	above := 0.0
	for t := top; t >= 0; t = l.units[t].above {
		above = max(above, r.under(t))
	}
	q := quote{features: r.describe(best, units), units: units, own: r.ownCoverage(best), fit: r.asks.fit(joined(l, units)), block: true}
	q.features[tableRow] = 0
	if table && above < headed && r.oneMeant(first+1, end) && r.describe(best, []int{first, best})[askedInQuote] > q.features[askedInQuote]-0.01 {
		return quote{}, false // one row has all that the table has of the question
	}
	if table {
		q.features[unitAsked] = max(r.shares[first], r.shares[best])
	}
	q.form(q.fit, true)
	q.manner(0.15*r.phrase(top) + 0.35*max(0, above-q.own) + 6*r.polarity("", top))
	announced := r.announced(top) || above >= headed && (r.asks.exact() || r.asks.list)
	if announced {
		q.manner(0.5)
	}
	switch {
	case table: // its form says all
	case steps && above > 0.3:
		q.manner(2.5)
	case r.asks.list && !r.asks.exact(), r.asks.steps && !steps:
		q.manner(0.1)
	default:
		q.manner(-1)
	}
	q.score = q.features.score()
	return q, true
}

// opens returns how much of the question the heading has under which unit i is the first:
// what directly follows a question, or a title, is what it leads to.
func (r *ratings) opens(i int) float64 {
	u := r.library.units[i]
	if u.kind != sentence || u.above < 0 || i != u.above+1 && u.top != u.above+1 {
		return 0
	}
	part := 0.9
	if i != u.above+1 {
		part = 0.6 // a later sentence of the first paragraph
	}
	return part * r.under(u.above)
}

// under returns how much of the question stands in a heading, those above it and the
// title: "Cleaning" in "Caring for a tent" leads to how a tent is cleaned. A heading that
// has nothing of the question leads nowhere.
func (r *ratings) under(h int) float64 {
	if r.own[h] == nil {
		return 0
	}
	u := r.library.units[h]
	have := make([]float64, len(r.weights))
	raise(have, r.own[h], 1)
	for above := u.above; above >= 0; above = r.library.units[above].above {
		raise(have, r.own[above], 0.9)
	}
	raise(have, r.title[u.passage], 0.9)
	sum := 0.0
	for n, w := range r.weights {
		sum += w * have[n]
	}
	return sum / max(r.total, 1e-9)
}

// defines reports whether a sentence begins with all that is asked for, and goes on as
// one does that says what it is.
func (r *ratings) defines(i int) bool {
	u := r.library.units[i]
	left := 0
	for n, w := range r.weights {
		if r.own[i] == nil || w > 0 && r.own[i][n] == 0 {
			return false
		}
		left++
	}
	for at, t := range u.terms {
		if t.Stop && at == 0 {
			continue // an article
		}
		if left--; left > 0 {
			continue
		}
		return at < 6 && defining.MatchString(lang.Fold(u.text[t.End:]))
	}
	return false
}

var defining = regexp.MustCompile(`^[^ ]{0,2}( \([^)]*\))? ?(–|—|-|:|(is|are|means?|refers|stands|was|were|lets?|allows?|helps|provides?|manages?|ist|sind|bedeutet|heisst|est|sont|signifie|es|son|significa|e|sono|sao|is|zijn|betekent)\b)`)

// polarity prefers, where a question asks what is not so, what says that.
func (r *ratings) polarity(text string, above int) float64 {
	if !r.negated {
		if r.asks.steps && (negates(text) || above >= 0 && negates(r.library.units[above].text)) {
			return -0.3 // how something is done, where it says what is not
		}
		return 0
	}
	if above >= 0 {
		text += "\n" + r.library.units[above].text
	}
	if negates(text) {
		return 0.2
	}
	return -0.4
}

// oneMeant reports whether some rows, at most half, have what is asked for.
func (r *ratings) oneMeant(from, to int) bool {
	best, n := 0.0, 0
	for i := from; i < to; i++ {
		best = max(best, r.ownCoverage(i))
	}
	for i := from; i < to; i++ {
		if r.ownCoverage(i) > 0.8*best {
			n++
		}
	}
	return best > 0.1 && 2*n <= to-from
}

// announced reports whether the heading above, or the one above that, announces the form
// that is asked for.
func (r *ratings) announced(above int) bool {
	for ; above >= 0; above = r.library.units[above].above {
		if r.asks.announced(r.library.units[above].text) {
			return true
		}
	}
	return false
}

// phrase returns the best of the phrases of a heading and those above it.
func (r *ratings) phrase(above int) float64 {
	best := 0.0
	for ; above >= 0; above = r.library.units[above].above {
		best = max(best, r.phrases[above])
	}
	return best
}

// elsewhereSaid matches sentences that only say where to read on.
var elsewhereSaid = regexp.MustCompile(`(?i)^\W*(see|read|for (more|further|details)|(more|further) (information|details)|(please )?refer to|siehe|weitere informationen|voir|véase|vedi|ver|zie)\b`)

// negates reports whether text says that something is not so.
func negates(text string) bool { return hasWord(text, negations) || strings.Contains(text, "n't") }

var negations = set(`not no never cannot without nicht kein keine keinen nie ohne pas jamais sans nunca sin non mai senza nao sem niet geen nooit zonder`)

func joined(l *library, units []int) string {
	var b strings.Builder
	for _, i := range units {
		b.WriteString(l.units[i].text)
		b.WriteByte('\n')
	}
	return b.String()
}

// introduces reports whether unit i can be quoted above a list.
func (l *library) introduces(i int) bool { return i >= 0 && l.units[i].kind == heading }

// headerOf returns the header of the table that row i belongs to, or -1.
func (l *library) headerOf(i int) int {
	if h := l.units[i].top; l.units[h].kind == header {
		return h
	}
	return -1
}

// withBefore returns unit i after those that it leans on: a sentence that begins with
// "This" is not understood alone.
func (l *library) withBefore(i int) []int {
	units := []int{i}
	for len(units) < 3 && leans(l.units[i].text) && i > 0 &&
		l.units[i-1].top == l.units[i].top && l.units[i-1].kind == l.units[i].kind {
		i--
		units = append([]int{i}, units...)
	}
	return units
}

// withAfter returns units and the sentence after them, if it leans on them and is about
// the question too: it may say what the first one leaves open.
func (r *ratings) withAfter(units []int) []int {
	last := units[len(units)-1]
	next := last + 1
	if all := r.library.units; len(units) < 3 && next < len(all) && all[next].top == all[last].top && all[next].kind == all[last].kind &&
		leans(all[next].text) && r.ownCoverage(next) > 0.25 {
		return append(units, next)
	}
	return units
}

// leans reports whether a sentence begins in the middle of a thought.
func leans(text string) bool {
	first, rest, _ := strings.Cut(lang.Fold(strings.TrimLeft(text, `"'“„«(*_`)), " ")
	if leaning[strings.Trim(first, ",.;:!?")] {
		return true
	}
	second, _, _ := strings.Cut(rest, " ")
	return leaning[first+" "+strings.Trim(second, ",.;:!?")]
}

var leaning = func() map[string]bool {
	m := set(`this that these those it its they them their he she his her however therefore thus otherwise then but so also
		moreover furthermore instead afterwards later until consequently
		dies diese dieser dieses das er sie es jedoch danach sonst dann aber daher deshalb trotzdem ausserdem
		cela ceci ils elles cependant ensuite sinon alors
		esto eso ellos ellas entonces luego pero
		questo questa questi queste essi tuttavia quindi altrimenti poi
		isto isso eles elas entao depois mas
		dit dat deze daarna anders toch`)
	for _, two := range []string{"after that", "before that", "in addition", "in this", "in that", "for this", "for that", "if so", "if not",
		"the same", "the second", "the latter", "until then", "because of", "by then", "each of", "both are", "or you", "and you", "you then", "we then"} {
		m[two] = true
	}
	return m
}()

// repeats reports whether c says nearly the same as something in chosen.
func (l *library) repeats(c quote, chosen []quote) bool {
	for _, d := range chosen {
		for _, i := range c.units {
			for _, j := range d.units {
				if i == j || l.similar(i, j) {
					return true
				}
			}
		}
	}
	return false
}

// similar reports whether two units share seven tenths of their terms.
func (l *library) similar(i, j int) bool {
	both, all := l.shared(i, j)
	return all > 0 && both >= 0.7*all
}

// shared counts the terms that stand in both of two units, and all that stand in either.
func (l *library) shared(i, j int) (both, all float64) {
	a, b := termSet(l.units[i].terms), termSet(l.units[j].terms)
	if len(a) == 0 || len(b) == 0 {
		return 0, 0
	}
	for t := range a {
		if b[t] {
			both++
		}
	}
	return both, float64(len(a)+len(b)) - both
}

func termSet(terms []lang.Term) map[string]bool {
	m := map[string]bool{}
	for _, t := range terms {
		if !t.Stop {
			m[t.Text] = true
		}
	}
	return m
}
