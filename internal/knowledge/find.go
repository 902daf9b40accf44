package knowledge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// Found is what Find returns.
type Found struct {
	Generation string
	Query      chat.Text      // what was searched for, readable
	Passages   []chat.Passage // best first
}

const (
	usualLimit  = 5
	usualTokens = 1500

	// Of one document so many passages at most, unless others do not fill the limit.
	perDocument = 2
	// Passages that share so much of their words say the same.
	sameText = 0.85
	// Hits of about the same score, which share so much of their words, may contradict each
	// other; so many are looked at.
	aboutSame    = 0.85
	muchSame     = 0.35
	mostCompared = 12
	// What a chunk gains, as a share of its score, by a heading that is the question.
	sameHeading = 0.3
)

// Find returns the passages that may answer a question: the best chunks, those under a
// heading that is the question before others of about the same score, without
// repetitions, from several documents where there are several, within the limits of
// q. Passages may be empty. The error is ctx's.
func (g *Generation) Find(ctx context.Context, q Query) (Found, error) {
	if err := ctx.Err(); err != nil {
		return Found{}, fmt.Errorf("search the documents: %w", err)
	}
	limit, tokens := cmp.Or(q.Limit, usualLimit), cmp.Or(q.Tokens, usualTokens)
	p := g.parse(q)
	hits := g.candidates(p, limit)
	if len(q.History) > 0 {
		// The question may follow on what was said, or change the subject: both readings
		// get their passages, in turn.
		alone := g.parse(Query{Text: q.Text, At: q.At})
		hits = interleave(hits, g.candidates(alone, limit))
	}
	if err := ctx.Err(); err != nil {
		return Found{}, fmt.Errorf("search the documents: %w", err)
	}
	return Found{Generation: g.id, Query: p.readable(q), Passages: g.assemble(hits, limit, tokens)}, nil
}

// candidates returns enough hits to fill limit, best first.
func (g *Generation) candidates(p parsed, limit int) []Hit {
	hits := g.search(p, 4*limit+8)
	for i := range hits {
		if g.headed(hits[i], p) {
			hits[i].Score *= 1 + sameHeading
		}
	}
	slices.SortStableFunc(hits, func(x, y Hit) int { return cmp.Compare(y.Score, x.Score) })
	g.newerFirst(hits)
	return hits
}

// newerFirst puts a hit in front of those of about the same score that say much the same
// in a document that was updated earlier: where two contradict each other, the newer one
// is right. Where a document says nothing of when that was, its hits stay where they are.
func (g *Generation) newerFirst(hits []Hit) {
	updated := func(h Hit) Date { return g.docs[g.chunks[h.chunk].doc].Updated }
	bags := make([]bag, min(len(hits), mostCompared))
	words := func(i int) bag {
		if bags[i] == nil {
			c := g.chunks[hits[i].chunk]
			bags[i] = newBag(g.docs[c.doc].Text[c.from:c.to])
		}
		return bags[i]
	}
	for i := 1; i < len(bags); i++ {
		for j := range i {
			if hits[i].Score < aboutSame*hits[j].Score || updated(hits[j]) == "" || updated(hits[i]) <= updated(hits[j]) || words(i).shared(words(j)) < muchSame {
				continue
			}
			hit, words := hits[i], bags[i]
			copy(hits[j+1:i+1], hits[j:i])
			copy(bags[j+1:i+1], bags[j:i])
			hits[j], bags[j] = hit, words
			break
		}
	}
}

// interleave takes hits from both lists in turn, each chunk once.
func interleave(x, y []Hit) []Hit {
	out := make([]Hit, 0, len(x)+len(y))
	seen := make(map[int32]bool, len(x)+len(y))
	for i := range max(len(x), len(y)) {
		for _, list := range [][]Hit{x, y} {
			if i < len(list) && !seen[list[i].chunk] {
				seen[list[i].chunk] = true
				out = append(out, list[i])
			}
		}
	}
	return out
}

// headed reports whether in the chunk of a hit a heading begins that asks for the same as
// the question, no more and no less. Where every passage has the words, as those about
// the product have its name, that tells the one which says what it is.
func (g *Generation) headed(h Hit, p parsed) bool {
	c := g.chunks[h.chunk]
	d := g.docs[c.doc]
	asked := 0
	for _, w := range p.words.list {
		if w.said == 0 {
			asked++
		}
	}
	first, _ := slices.BinarySearchFunc(d.Headings, c.start, func(h Heading, start int) int { return cmp.Compare(h.Start, start) })
	for _, heading := range d.Headings[first:] {
		if heading.Start >= c.end {
			break
		}
		found := map[string]bool{}
		for _, t := range words(heading.Text, d.Language) {
			if strings.Trim(t.Text, "0123456789.") == "" {
				continue // the number of a section
			}
			if i, ok := p.words.at[t.Text]; !ok || p.words.list[i].said > 0 {
				found = nil
				break
			}
			found[t.Text] = true
		}
		if asked > 0 && len(found) == asked {
			return true
		}
	}
	return false
}

// Passage returns what a hit found.
func (g *Generation) Passage(h Hit) chat.Passage {
	c := g.chunks[h.chunk]
	return g.passage(h, c.span, c.end)
}

func (g *Generation) passage(h Hit, s span, end int) chat.Passage {
	c := g.chunks[h.chunk]
	d := g.docs[c.doc]
	text := d.Text[s.from:s.to]
	return chat.Passage{
		Document: d.ID, Generation: g.id, Title: d.Title, Heading: outlineOf(d).path(c.start, end), URL: d.URL, Updated: string(d.Updated),
		Text: chat.Text(text), Start: c.start, End: end, Tokens: lang.Tokens(text),
		Score: h.Score, Scores: map[string]float64{"words": h.Words, "pairs": h.Pairs, "worth": h.Worth},
	}
}

// assemble picks passages: first those that do not crowd out other documents, then,
// while there is room, the rest.
func (g *Generation) assemble(hits []Hit, limit, tokens int) []chat.Passage {
	type ranked struct {
		rank int
		chat.Passage
	}
	var picked []ranked
	taken := make([]bool, len(hits))
	of := map[string]int{}
	var texts []bag
	for _, most := range []int{perDocument, len(hits)} {
		for i, h := range hits {
			if len(picked) >= limit || tokens <= 0 {
				break
			}
			if taken[i] || of[h.Document] >= most {
				continue
			}
			p, ok := g.fit(h, tokens, len(picked) == 0)
			if !ok {
				continue
			}
			taken[i] = true
			words := newBag(string(p.Text))
			if slices.ContainsFunc(texts, words.same) {
				continue
			}
			texts = append(texts, words)
			of[h.Document]++
			tokens -= p.Tokens
			picked = append(picked, ranked{i, p})
		}
	}
	slices.SortFunc(picked, func(x, y ranked) int { return cmp.Compare(x.rank, y.rank) })
	out := make([]chat.Passage, len(picked))
	for i, p := range picked {
		out[i] = p.Passage
	}
	return out
}

// fit returns the passage of a hit if it is within tokens. The first is shortened
// until it fits, because a part of the best passage is better than none.
func (g *Generation) fit(h Hit, tokens int, shorten bool) (chat.Passage, bool) {
	p := g.Passage(h)
	if p.Tokens <= tokens {
		return p, true
	}
	if !shorten {
		return p, false
	}
	c := g.chunks[h.chunk]
	text := g.docs[c.doc].Text
	s := span{c.from, c.from}
	for _, u := range appendUnits(nil, text, c.from, c.to) {
		if t, ok := trim(text, span{c.from, u.to}); ok && lang.Tokens(text[t.from:t.to]) <= tokens {
			s = t
			continue
		}
		break
	}
	if s.from == s.to {
		return p, false
	}
	at := offsets{text: text, bytes: c.from, code: c.start}
	return g.passage(h, s, at.codeOf(s.to)), true
}

// bag is the set of words of a text.
type bag map[string]bool

func newBag(text string) bag {
	b := bag{}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		b[w] = true
	}
	return b
}

// same reports whether nearly all words of either text are in both.
func (b bag) same(other bag) bool {
	if small, large := min(len(b), len(other)), max(len(b), len(other)); float64(small) < sameText*float64(large) {
		return false
	}
	return b.shared(other) >= sameText
}

// shared returns which part of the words of either text are in both.
func (b bag) shared(other bag) float64 {
	both := 0
	for w := range b {
		if other[w] {
			both++
		}
	}
	return float64(both) / float64(max(1, len(b)+len(other)-both))
}

// readable says what was searched for: the question, and the words from earlier
// turns that counted most.
func (p parsed) readable(q Query) chat.Text {
	const most = 8
	var earlier []weighted[string]
	for _, w := range p.words.list {
		if w.said > 0 {
			earlier = append(earlier, w)
		}
	}
	if len(earlier) == 0 {
		return q.Text
	}
	slices.SortStableFunc(earlier, func(x, y weighted[string]) int { return cmp.Compare(y.weight, x.weight) })
	words := make([]string, 0, most)
	for _, w := range earlier[:min(most, len(earlier))] {
		words = append(words, w.surface)
	}
	return q.Text + chat.Text(" ("+strings.Join(words, ", ")+")")
}
