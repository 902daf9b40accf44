package extractive

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// kind says what a unit of text is.
type kind uint8

const (
	sentence kind = iota
	item          // of a list
	row           // of a table, below its header
	header        // of a table
	heading       // also: a question, or a line that introduces what follows
	code          // a fenced block, only quoted with what it is an example of
	skipped       // cannot be quoted: HTML, control characters, too long
)

// unit is a piece of a passage that is quoted as a whole or not at all.
type unit struct {
	passage int // its index
	kind    kind
	text    string // as in the passage, but for white space
	above   int    // index of the heading or introduction that it stands under, or -1
	top     int    // index of the first unit of its list, table or paragraph
	whole   bool   // ends like a sentence
	torn    bool   // begins in the middle of a sentence, as what follows a code block may
	terms   []lang.Term
}

// library is the passages of one request, cut into units.
type library struct {
	language string
	units    []unit
	titles   [][]lang.Term // of each passage: its title and headings
	updated  []string      // of each passage: when its document was, or ""
	worth    []float64     // of each passage: what the search found in it, counted in rare words, or 0
	before   int           // passages of the request that stand before these
}

// maxQuote bounds a unit in code points: with its mark it must fit into the 400 that the
// gate lets through in one
// piece.
const maxQuote = 380

func cutPassages(passages []chat.Passage, language string) *library {
	l := &library{language: language}
	for i, p := range passages {
		l.worth = append(l.worth, p.Scores["worth"])
		l.updated = append(l.updated, p.Updated)
		l.titles = append(l.titles, lang.Terms(p.Title+"\n"+p.Heading, language))
		l.cut(i, string(p.Text))
	}
	return l
}

// cut appends the units of one passage.
func (l *library) cut(passage int, text string) {
	headings := newOutline()
	before := unit{kind: skipped, top: -1}
	fresh := true // a blank line stands before the unit
	var splitter lang.Splitter
	for text != "" {
		open := splitter.Code()
		n := rowEnd(text)
		if n == 0 || open {
			n = max(splitter.Next(text, true), 1)
		}
		for !open && splitter.Code() && n < len(text) { // a code block is one unit
			n += max(splitter.Next(text[n:], true), 1)
		}
		raw := text[:n]
		text = text[n:]
		u := unit{passage: passage, text: trimMarks(normal(raw))}
		u.kind, u.whole = kindOf(u.text, endsLine(raw) || text == "")
		switch {
		case u.text == "" || isRule(u.text) && strings.Contains(u.text, "|"):
			continue // also the line between a table's header and its rows
		case splitter.Code():
			u.kind = skipped // it is not closed
		case isFence(raw):
			u.kind, u.text = code, strings.TrimSpace(raw)
			if !quotableCode(u.text) {
				u.kind = skipped
			}
		case isRule(u.text) || !quotable(u.text, raw):
			u.kind = skipped
		case u.kind == row && before.kind != row && before.kind != header:
			u.kind = header
		}
		if u.kind == sentence && (before.kind != item || fresh) {
			headings.close(introLevel)
		}
		if u.kind == heading {
			u.above = headings.open(levelOf(u.text), len(l.units))
		} else {
			u.above = headings.deepest(introLevel)
		}
		u.top = before.top
		if !u.continues(before, fresh) {
			u.top = len(l.units)
		}
		if u.kind < code {
			u.terms = append(lang.Terms(u.text, l.language), signs(u.text, l.language)...)
		}
		if u.kind == sentence && codeLike(u) {
			u.kind = skipped
		}
		u.torn = u.kind == sentence && torn(u)
		l.units = append(l.units, u)
		before, fresh = u, blankLine(raw)
	}
}

// signs returns, as terms at the end of text, what its signs are called in a question: who
// asks for a temperature is answered by "40 °C".
func signs(text, language string) []lang.Term {
	if !strings.ContainsAny(text, "°€") {
		return nil
	}
	var terms []lang.Term
	for _, s := range []struct{ sign, words string }{{"°", "temperature temperatur"}, {"€", "euro"}} {
		if strings.Contains(text, s.sign) {
			terms = append(terms, lang.Terms(s.words, language)...)
		}
	}
	for i := range terms {
		terms[i].Start, terms[i].End = len(text), len(text)
	}
	return terms
}

func isFence(raw string) bool {
	return strings.HasPrefix(raw, "```") || strings.HasPrefix(raw, "~~~")
}

// maxCode bounds a code block that is quoted, in code points.
const maxCode = 600

func quotableCode(text string) bool {
	return utf8.RuneCountInString(text) <= maxCode && !strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
	})
}

// rowEnd returns where the table row at the start of text and the white space after it
// end, or 0 if there is none. Rows need not begin with a bar.
func rowEnd(text string) int {
	end := strings.IndexByte(text, '\n') + 1
	if end == 0 {
		end = len(text)
	}
	if !strings.Contains(text[:end], " | ") {
		return 0
	}
	return len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
}

// continues reports whether u belongs to the same list, table or paragraph as the unit
// before it. The sentence after an item's first one belongs to the list.
func (u unit) continues(before unit, fresh bool) bool {
	switch u.kind {
	case item:
		return before.kind == item
	case row:
		return true // the first one is a header
	case sentence:
		return !fresh && (before.kind == sentence || before.kind == item)
	}
	return false
}

// outline holds the headings that the text at some place stands under, by level: 1 to 6
// as in Markdown, plain lines below them, and below these the line that introduces a list.
type outline [introLevel + 1]int

const (
	plainLevel = 7
	introLevel = 8
)

func newOutline() outline {
	var o outline
	o.close(0)
	return o
}

// deepest returns the heading of the deepest level down to level, or -1.
func (o *outline) deepest(level int) int {
	for ; level > 0; level-- {
		if o[level] >= 0 {
			return o[level]
		}
	}
	return -1
}

// open puts unit i at level and returns the heading above it, or -1.
func (o *outline) open(level, i int) int {
	o.close(level)
	o[level] = i
	return o.deepest(level - 1)
}

// close ends what stands under level and at it.
func (o *outline) close(level int) {
	for i := level; i < len(o); i++ {
		o[i] = -1
	}
}

func levelOf(text string) int {
	n := len(text) - len(strings.TrimLeft(text, "#"))
	switch {
	case n > 0:
		return min(n, plainLevel-1)
	case strings.HasSuffix(text, ":"):
		return introLevel
	}
	return plainLevel
}

// kindOf says what text is, and whether it ends like a sentence. line says that the
// line ends with it.
func kindOf(text string, line bool) (k kind, whole bool) {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(text, `"'”’»)*_`))
	whole = strings.ContainsRune(".!?…。！？।؟", last)
	switch {
	case strings.HasPrefix(text, "#"):
		return heading, whole
	case strings.HasPrefix(text, "|"), strings.Count(text, " | ") > 0 && line:
		return row, whole
	case strings.HasSuffix(text, ":"), strings.ContainsRune("?？؟", last):
		return heading, whole
	case marker.MatchString(text):
		return item, whole
	case !whole && line && utf8.RuneCountInString(text) < 80:
		return heading, whole
	}
	return sentence, whole
}

// marker matches the marker of a list item and what must follow it.
var marker = regexp.MustCompile(`^(?:[-*+•·◦▪‣–—]|[0-9]{1,3}[.)]|[a-zA-Z]\)) +\S`)

// numbered matches the marker of a step.
var numbered = regexp.MustCompile(`^[0-9]{1,3}[.)] `)

// isRule reports whether text only draws a line.
func isRule(text string) bool { return strings.Trim(text, "-=_*|: ") == "" }

func endsLine(raw string) bool {
	return strings.Contains(raw[len(strings.TrimRightFunc(raw, unicode.IsSpace)):], "\n")
}

func blankLine(raw string) bool {
	return strings.Count(raw[len(strings.TrimRightFunc(raw, unicode.IsSpace)):], "\n") > 1
}

// torn reports whether u begins with a small letter and a word that names nothing, as in
// "which replaces the old one" and not in "iPhone".
func torn(u unit) bool {
	r, _ := utf8.DecodeRuneInString(u.text)
	return unicode.IsLower(r) && len(u.terms) > 0 && u.terms[0].Stop
}

// codeLike reports whether u, in a text whose code blocks show no more, is a command or
// a setting: no end, no word that only joins others, and signs that prose has not.
func codeLike(u unit) bool {
	if u.whole || !strings.ContainsAny(u.text, "=/\\{}$_<") && !strings.Contains(u.text, "--") {
		return false
	}
	for _, t := range u.terms {
		if t.Stop {
			return false
		}
	}
	return true
}

// mark matches what a reader, or the gate, would take for a citation of ours.
var mark = regexp.MustCompile(`[\[【［][\d\p{Nd},\s]*[\d\p{Nd}][\d\p{Nd},\s]*[\]】］]`)

var lastMarks = regexp.MustCompile(`(\s*` + mark.String() + `)+$`)

// trimMarks takes citation marks of the document's own off the end of text. What is left
// still stands in the passage.
func trimMarks(text string) string {
	if !strings.HasSuffix(text, "]") && !strings.HasSuffix(text, "】") && !strings.HasSuffix(text, "］") {
		return text
	}
	return strings.TrimSpace(lastMarks.ReplaceAllString(text, ""))
}

// tag matches the beginning of HTML, and of an image.
var tag = regexp.MustCompile(`<[a-zA-Z/!?]|!\[|(?i:\]\(\s*(?:javascript|data|vbscript):)`)

// quotable reports whether text may be shown as it is.
func quotable(text, raw string) bool {
	if utf8.RuneCountInString(text) > maxQuote || strings.ContainsAny(text, "[【［<") && (mark.MatchString(text) || tag.MatchString(text)) {
		return false
	}
	if strings.HasPrefix(text, ">") && strings.Contains(strings.TrimSpace(raw), "\n") {
		return false // a quotation: its lines begin with a mark that is none of its words
	}
	for _, r := range text {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Co, r) {
			return false
		}
	}
	return true
}
