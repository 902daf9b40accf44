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
)

// Find returns the passages that may answer a question: the best chunks, without
// repetitions, from several documents where there are several, within the limits of
// q. Passages may be empty. The error is ctx's.
func (g *Generation) Find(ctx context.Context, q Query) (Found, error) {
	if err := ctx.Err(); err != nil {
		return Found{}, fmt.Errorf("search the documents: %w", err)
	}
	limit, tokens := cmp.Or(q.Limit, usualLimit), cmp.Or(q.Tokens, usualTokens)
	p := g.parse(q)
	hits := g.search(p, 4*limit+8)
	if err := ctx.Err(); err != nil {
		return Found{}, fmt.Errorf("search the documents: %w", err)
	}
	return Found{Generation: g.id, Query: p.readable(q), Passages: g.assemble(hits, limit, tokens)}, nil
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
		Document: d.ID, Generation: g.id, Title: d.Title, Heading: outlineOf(d).path(c.start, end), URL: d.URL,
		Text: chat.Text(text), Start: c.start, End: end, Tokens: lang.Tokens(text),
		Score: h.Score, Scores: map[string]float64{"words": h.Words, "pairs": h.Pairs},
	}
}

// assemble picks passages: first those that do not crowd out other documents, then,
// while there is room, the rest.
func (g *Generation) assemble(hits []Hit, limit, tokens int) []chat.Passage {
	var out []chat.Passage
	taken := make([]bool, len(hits))
	of := map[string]int{}
	var texts []bag
	for _, most := range []int{perDocument, len(hits)} {
		for i, h := range hits {
			if len(out) >= limit || tokens <= 0 {
				break
			}
			if taken[i] || of[h.Document] >= most {
				continue
			}
			p, ok := g.fit(h, tokens, len(out) == 0)
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
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(x, y chat.Passage) int { return cmp.Compare(y.Score, x.Score) })
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
	both := 0
	for w := range b {
		if other[w] {
			both++
		}
	}
	return float64(both) >= sameText*float64(len(b)+len(other)-both)
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
