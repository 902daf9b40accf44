package knowledge

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/lang"
)

// Sizes of a chunk in tokens, as lang.Tokens counts. A chunk is about 200 English
// words: enough to answer from, small enough that five fit into a prompt.
const (
	chunkTokens = 300
	chunkLeast  = 100 // a new section does not end a chunk that is smaller
	chunkTail   = 40  // a smaller rest at the end of a document joins the chunk before it
	wordBytes   = 2000
)

// span is a piece of a text in byte offsets.
type span struct{ from, to int }

// unit is a piece of a document that is not cut: a sentence, a list item, a table
// row, a line of code, a heading, or a part of what is too long for one chunk.
type unit struct {
	span
	tokens  int
	heading bool
	opens   bool // begins a paragraph
}

// chunks cuts a document's text. Chunks are in order, do not overlap, begin and end
// with a character that is not white space, and leave only white space out.
func chunks(d Document) []span {
	units := unitsOf(d)
	var out []span
	start, size := 0, 0
	end := func(at int) {
		for at-1 > start && units[at-1].heading {
			at-- // a heading goes with what it is above
		}
		if s, ok := trim(d.Text, span{units[start].from, units[at-1].to}); ok {
			out = append(out, s)
		}
		size = 0
		for _, u := range units[at:] {
			if !u.heading {
				break
			}
			size += u.tokens
		}
		start = at
	}
	for i, u := range units {
		if i > start {
			section := u.heading && size >= chunkLeast && !units[i-1].heading
			paragraph := u.opens && size >= chunkTokens/2 && size+paragraphTokens(units[i:]) > chunkTokens
			if section || paragraph || size+u.tokens > chunkTokens {
				end(i)
				// end counted the headings from start on; those before i stay counted.
				size = 0
				for _, v := range units[start:i] {
					size += v.tokens
				}
			}
		}
		size += u.tokens
	}
	if start == len(units) {
		return out
	}
	rest, ok := trim(d.Text, span{units[start].from, units[len(units)-1].to})
	switch {
	case !ok:
	case len(out) > 0 && size < chunkTail && !units[start].heading:
		out[len(out)-1].to = rest.to
	default:
		out = append(out, rest)
	}
	return out
}

// paragraphTokens sums up the paragraph that units[0] opens, as far as it matters.
func paragraphTokens(units []unit) (n int) {
	for i, u := range units {
		if i > 0 && (u.opens || u.heading) || n > chunkTokens {
			break
		}
		n += u.tokens
	}
	return n
}

// unitsOf cuts a document into units, without a gap.
func unitsOf(d Document) []unit {
	var units []unit
	at := offsets{text: d.Text}
	from := 0
	for _, h := range d.Headings {
		start, end := at.byteOf(h.Start), at.byteOf(h.End)
		units = appendUnits(units, d.Text, from, start)
		units = append(units, unit{span{start, end}, lang.Tokens(d.Text[start:end]), true, true})
		from = end
	}
	return appendUnits(units, d.Text, from, len(d.Text))
}

func appendUnits(units []unit, text string, from, to int) []unit {
	opens := true
	sentences := lang.Sentences(text[from:to])
	for i := 0; i < len(sentences); i++ {
		s := sentences[i]
		if fence(text[from+s.Start : from+s.End]) { // to the one that closes it, a whole block is one unit
			for j := i + 1; j < len(sentences); j++ {
				if end := sentences[j]; fence(text[from+end.Start : from+end.End]) {
					if lang.Tokens(text[from+s.Start:from+end.End]) <= chunkTokens {
						s.End, i = end.End, j
					}
					break
				}
			}
		}
		piece := text[from+s.Start : from+s.End]
		n := lang.Tokens(piece)
		if n <= chunkTokens {
			units = append(units, unit{span{from + s.Start, from + s.End}, n, false, opens})
		} else {
			units = appendWords(units, text, from+s.Start, from+s.End)
		}
		opens = strings.Contains(piece[len(strings.TrimRightFunc(piece, unicode.IsSpace)):], "\n\n")
	}
	return units
}

// fence reports whether a unit opens or closes a code block.
func fence(piece string) bool { return strings.TrimSpace(piece) == "```" }

// appendWords cuts what is too long for a chunk between words. Only a "word" of more
// than wordBytes is cut inside, and text of a script without spaces.
func appendWords(units []unit, text string, from, to int) []unit {
	opens := true
	start, size := from, 0
	for at := from; at < to; {
		end := nextWord(text, at, to)
		n := lang.Tokens(text[at:end])
		if size > 0 && size+n > chunkTokens {
			units = append(units, unit{span{start, at}, size, false, opens})
			start, size, opens = at, 0, false
		}
		size += n
		at = end
	}
	return append(units, unit{span{start, to}, size, false, opens})
}

// nextWord returns where the word at i and the white space after it end.
func nextWord(text string, i, to int) int {
	start, space := i, false
	for i < to {
		r, n := utf8.DecodeRuneInString(text[i:to])
		if unicode.IsSpace(r) {
			space = true
		} else if space || i-start > wordBytes || i > start && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) {
			break
		}
		i += n
	}
	return i
}

// trim takes white space off both ends of s; ok is false when nothing is left.
func trim(text string, s span) (span, bool) {
	t := text[s.from:s.to]
	s.to -= len(t) - len(strings.TrimRightFunc(t, unicode.IsSpace))
	t = text[s.from:s.to]
	s.from += len(t) - len(strings.TrimLeftFunc(t, unicode.IsSpace))
	return s, s.from < s.to
}

// offsets turns offsets in code points into offsets in bytes and back. They must be
// asked for in ascending order; what lies behind the end is the end.
type offsets struct {
	text        string
	bytes, code int // the same place
}

func (o *offsets) byteOf(code int) int {
	for o.code < code && o.bytes < len(o.text) {
		_, n := utf8.DecodeRuneInString(o.text[o.bytes:])
		o.bytes += n
		o.code++
	}
	return o.bytes
}

func (o *offsets) codeOf(at int) int {
	if at > o.bytes {
		o.code += utf8.RuneCountInString(o.text[o.bytes:at])
		o.bytes = at
	}
	return o.code
}
