package guard

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

// Claims says what a sentence must have to be shown. The zero value is the usual check.
//
// The model writes [n] behind a sentence, n being the number of a passage of the turn,
// from 1. A mark holds if that passage supports the sentence (see sources.support). It
// is then shown as a citation mark: numbered in order of first use in the turn, behind
// the sentence's closing punctuation, for the words that support it. Other marks are
// dropped. A sentence without a mark that holds passes if it says nothing that needs a
// source (see courtesy), gets a mark if some passage supports it, and is otherwise
// uncited.
//
// A heading and the header of a table get no mark unless the model wrote one: what stands
// under them has its own.
// A header that is withheld takes the line below it along, without which the rows are
// shown as lines.
type Claims struct {
	Off      bool    // the assistant has no knowledge: all sentences pass, without marks
	Uncited  Uncited // default: Drop, and Flag where words are shown before their sentence is whole
	Language string  // of the reply, as lang.Terms takes it
}

// Uncited is what becomes of a sentence that needs a source and has none.
type Uncited string

const (
	Drop  Uncited = "drop"  // it is withheld
	Flag  Uncited = "flag"  // it passes, and is on the record
	Allow Uncited = "allow" // it passes
)

const citationCheck = "citations"

// claims is the citation check of one turn.
type claims struct {
	Claims
	turn    *chat.Turn
	sources *sources // of turn.Passages, made when they are first needed
	known   *Sources
	cited   []chat.Citation // the marks that were given, in order: cited[i] is mark i+1
	table   table           // where in a table the sentence before stood
}

// table is a place in a table.
type table uint8

const (
	noTable  table = iota
	inTable        // behind a header or a row that was let through
	headless       // behind a header that was withheld
)

func newClaims(t *chat.Turn, c Claims, known *Sources, words bool) *claims {
	if c.Uncited == "" {
		c.Uncited = Drop
		if words {
			c.Uncited = Flag
		}
	}
	return &claims{Claims: c, turn: t, known: known}
}

// given returns how many marks were given.
func (c *claims) given() int { return len(c.cited) }

// forget takes back all marks but the first n, which nobody has seen.
func (c *claims) forget(n int) { c.cited = c.cited[:min(n, len(c.cited))] }

// citation returns what a mark stands for.
func (c *claims) citation(mark int) chat.Citation { return c.cited[mark-1] }

// check returns how a sentence is to be shown, with which marks, and the verdict.
func (c *claims) check(sentence string) (text string, marks []int, v chat.Verdict) {
	v = chat.Verdict{Check: citationCheck, Action: chat.Allow}
	found := findMarks(sentence)
	text = without(sentence, found)
	if text == "" {
		v.Action, v.Reason = chat.Block, "a mark without a sentence"
		return text, nil, v
	}
	if c.Off {
		return text, nil, v
	}
	if len(found) > 0 && found[0].start == 0 && strings.HasPrefix(sentence[found[0].end:], ":") {
		v.Action, v.Reason = chat.Block, "the model's own list of sources"
		return text, nil, v
	}
	before := c.table
	c.table = noTable
	row := tableRow(text)
	if row {
		c.table = before
		if before == noTable {
			c.table = inTable
		}
	}
	cl := newClaim(text, c.Language)
	if row && before == headless && len(cl.words) == 0 {
		v.Action, v.Reason = chat.Block, "the header above it was withheld"
		return text, nil, v
	}
	if c.sources == nil {
		c.sources = newSources(c.turn.Passages, c.Language, c.known)
	}
	header := row && before == noTable
	if len(found) == 0 && (header || heading(text)) {
		_, supported := c.sources.best(cl)
		if supported || !negatedOrLong(cl) && knownFacts(cl, c.turn, true) || c.Uncited == Allow {
			return text, nil, v
		}
		if header && c.Uncited == Drop {
			c.table = headless
		}
	}
	spans, wrong := c.marked(cl, found)
	if len(wrong) > 0 {
		v.Action, v.Reason = chat.Flag, fmt.Sprintf("no support for the sentence in passage %s", list(wrong))
	}
	if len(spans) == 0 && !courtesy(text, cl, c.turn) {
		s, ok := c.sources.best(cl)
		switch {
		case ok:
			spans = []span{s}
		case c.Uncited == Drop:
			v.Action, v.Reason = chat.Block, "no passage supports it"
			return text, nil, v
		case c.Uncited == Flag:
			v.Action, v.Reason = chat.Flag, "no passage supports it"
		}
	}
	for _, s := range spans {
		if n := c.number(s); !slices.Contains(marks, n) {
			marks = append(marks, n)
		}
	}
	return withMarks(text, written(marks)), marks, v
}

// tableRow reports whether a sentence is a line of a table.
func tableRow(s string) bool {
	return strings.HasPrefix(s, "|") && strings.HasSuffix(s, "|") && strings.Count(s, "|") > 1
}

// marked returns the words of the passages that the model named which support cl, and
// the numbers that do not hold. Where no passage does alone, all together may.
func (c *claims) marked(cl claim, found []mark) (spans []span, wrong []int) {
	var named []int
	for _, m := range found {
		for _, n := range m.numbers {
			if !slices.Contains(named, n) {
				named = append(named, n)
			}
		}
	}
	var known []int
	for _, n := range named {
		if n < 1 || n > len(c.turn.Passages) {
			wrong = append(wrong, n)
			continue
		}
		known = append(known, n-1)
		if s, ok := c.sources.support(cl, n-1); ok {
			spans = append(spans, s)
		} else {
			wrong = append(wrong, n)
		}
	}
	if len(spans) == 0 && len(known) > 1 {
		if spans = c.sources.together(cl, known); spans != nil {
			return spans, nil
		}
	}
	return spans, wrong
}

// number returns the mark of s, a new one if it has none.
func (c *claims) number(s span) int {
	p := c.turn.Passages[s.passage]
	text := string(p.Text)
	start := p.Start + utf8.RuneCountInString(text[:s.start])
	quote := text[s.start:s.end]
	end := start + utf8.RuneCountInString(quote)
	for _, d := range c.cited {
		if d.Document == p.Document && d.Generation == p.Generation && d.Start == start && d.End == end {
			return d.Mark
		}
	}
	c.cited = append(c.cited, chat.Citation{
		Mark: len(c.cited) + 1, Title: p.Title, URL: link(p, start, end), Quote: quote,
		Start: start, End: end, Document: p.Document, Generation: p.Generation,
	})
	return len(c.cited)
}

// link returns the address of the words from start to end in the document of p.
func link(p chat.Passage, start, end int) string {
	if p.URL != "" || p.Generation == "" { // what is in no generation has no page there
		return p.URL
	}
	parts := strings.Split(p.Document, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	return fmt.Sprintf("/sources/%s/%s?start=%d&end=%d", url.PathEscape(p.Generation), strings.Join(parts, "/"), start, end)
}

// written returns marks as they stand in a text.
func written(marks []int) string {
	var b []byte
	for _, m := range marks {
		b = append(strconv.AppendInt(append(b, '['), int64(m), 10), ']')
	}
	return string(b)
}

func list(numbers []int) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ", ")
}
