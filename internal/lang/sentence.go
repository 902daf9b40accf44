package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a piece of a text in byte offsets, End exclusive.
type Span struct{ Start, End int }

// Sentences cuts plain or Markdown text into units: sentences, list items, headings,
// table rows and the lines of fenced code. The spans cover the text without a gap;
// white space belongs to the unit before it, at the start of the text to the first one.
func Sentences(text string) []Span {
	var s Splitter
	spans := make([]Span, 0, len(text)/64+1)
	for start := 0; start < len(text); {
		n := s.Next(text[start:], true)
		spans = append(spans, Span{start, start + n})
		start += n
	}
	return spans
}

// Next returns the length in bytes of the first unit of text, with the citation marks
// and white space after it, or 0 when more text must come to be sure. What it returns
// does not depend on how much more follows. With final nothing follows.
// Next knows nothing of what came before text; a [Splitter] does.
func Next(text string, final bool) int {
	var s Splitter
	return s.Next(text, final)
}

// Splitter finds the units of a text that comes in pieces. The zero value stands at
// the start of a text.
type Splitter struct {
	fence string // what closes the code block around here, or ""
}

// Code reports whether the next unit is a line of fenced code, or the fence that ends it.
func (s *Splitter) Code() bool { return s.fence != "" }

// Next is as the function Next. When it returns n > 0, it has gone on: the next call
// takes the text that begins at n.
func (s *Splitter) Next(text string, final bool) int {
	c := cursor{text: text, final: final}
	start := c.skip(0)
	var end int
	fence := s.fence
	switch {
	case s.fence != "":
		end = c.endOfLine(start)
		if line := strings.TrimRight(text[start:end], " \t\r\n"); len(line) >= len(s.fence) && strings.Trim(line, s.fence[:1]) == "" {
			fence = ""
		}
	default:
		if mark := c.fence(start); mark != "" {
			fence = mark
			end = c.endOfLine(start)
		} else {
			end = c.unit(start)
		}
	}
	end = c.skip(end)
	if c.short {
		return 0
	}
	s.fence = fence
	return end
}

// eof is what a cursor sees behind the text.
const eof rune = -1

// cursor looks at a text of which more may come. Whoever looks behind its end sets
// short, which makes the answer "not yet": so no answer depends on text to come.
type cursor struct {
	text  string
	final bool
	short bool
}

// at returns the code point at i and its length, or eof and 0.
func (c *cursor) at(i int) (rune, int) {
	if i >= len(c.text) {
		c.short = c.short || !c.final
		return eof, 0
	}
	if b := c.text[i]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	if !c.final && !utf8.FullRuneInString(c.text[i:]) {
		c.short = true
		return eof, 0
	}
	return utf8.DecodeRuneInString(c.text[i:])
}

// skip returns where the white space at i ends.
func (c *cursor) skip(i int) int {
	for {
		r, n := c.at(i)
		if r == eof || !unicode.IsSpace(r) {
			return i
		}
		i += n
	}
}

// blanks returns where the spaces and tabs at i end.
func (c *cursor) blanks(i int) int {
	for {
		r, n := c.at(i)
		if r == eof || r == '\n' || r == '\r' || !unicode.IsSpace(r) {
			return i
		}
		i += n
	}
}

// endOfLine returns where the line at i ends, after its line break.
func (c *cursor) endOfLine(i int) int {
	if n := strings.IndexByte(c.text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	c.at(len(c.text))
	return len(c.text)
}

// fence returns what would close the code block that a fence at i opens, or "".
func (c *cursor) fence(i int) string {
	r, _ := c.at(i)
	if r != '`' && r != '~' {
		return ""
	}
	j := i
	for {
		if q, _ := c.at(j); q != r {
			break
		}
		j++
	}
	if j-i < 3 {
		return ""
	}
	mark := c.text[i:j]
	if end := c.endOfLine(j); r == '`' && strings.IndexByte(c.text[j:end], '`') >= 0 {
		return "" // a code span: an info string has no backtick
	}
	return mark
}

// plain are the bytes at which no unit ends.
var plain = func() (t [256]bool) {
	for b := range utf8.RuneSelf {
		t[b] = b != '.' && b != '!' && b != '?' && b != '\n'
	}
	return t
}()

// unit returns where the unit at i ends, without the white space after it.
func (c *cursor) unit(start int) int {
	i := c.marker(start)
	if r, _ := c.at(i); r == '#' || r == '|' {
		return c.endOfLine(i)
	}
	line := i // where the line, or what we know of it, begins
	for {
		for i < len(c.text) && plain[c.text[i]] {
			i++
		}
		r, n := c.at(i)
		switch {
		case r == eof:
			return len(c.text)
		case r == '\n':
			next, joined := c.join(line, i)
			if !joined {
				return i
			}
			i, line = next, next
		case isStop(r):
			next, ends := c.stop(start, i)
			if ends {
				return next
			}
			i = next
		default:
			i += n
		}
	}
}

// marker returns where the text of a list item or quotation begins whose marker is at
// i; without one, i.
func (c *cursor) marker(i int) int {
	for {
		r, n := c.at(i)
		j := i + n
		switch {
		case r == '>':
			i = c.blanks(j)
			continue
		case strings.ContainsRune("-*+•·◦▪‣–—", r):
		case '0' <= r && r <= '9':
			for range 3 {
				if r, _ = c.at(j); r < '0' || r > '9' {
					break
				}
				j++
			}
			if r, _ = c.at(j); r != '.' && r != ')' {
				return i
			}
			j++
		case unicode.IsLetter(r):
			if r, _ = c.at(j); r != ')' {
				return i
			}
			j++
		default:
			return i
		}
		if r, _ = c.at(j); r != ' ' && r != '\t' && r != '\u00a0' {
			return i
		}
		return c.blanks(j)
	}
}

// wrapped is the least length in bytes of a line that a program may have broken
// because it was full.
const wrapped = 45

// join reports whether the sentence in the line from start to the line break at i goes
// on in the next line, and where. It does after a full line, and before a small letter.
func (c *cursor) join(start, i int) (next int, joined bool) {
	next = c.blanks(i + 1)
	if m := c.marker(next); m != next {
		return 0, false
	}
	line := strings.TrimRight(c.text[start:i], "\r")
	if strings.HasSuffix(line, "  ") || strings.HasSuffix(line, "\\") || strings.HasSuffix(line, ":") {
		return 0, false
	}
	r, n := c.at(next)
	if r == '~' || r == '`' {
		return next, false
	}
	for j := next; isOpener(r); {
		j += n
		r, n = c.at(j)
	}
	switch {
	case unicode.IsLower(r):
		return next, true
	case unicode.IsLetter(r), unicode.IsDigit(r):
		return next, len(line) >= wrapped
	}
	return 0, false
}

// stop reports whether the sentence that begins at start ends with the stop at i, and
// where: behind closing quotes, brackets and citation marks. If it does not, i is where
// to look on.
func (c *cursor) stop(start, i int) (next int, ends bool) {
	first := i
	dots, strong := 0, false
	r, n := c.at(i)
	for isStop(r) {
		if r == '.' {
			dots++
		} else {
			dots += 2
			strong = strong || isStrong(r)
		}
		i += n
		r, n = c.at(i)
	}
	resume := i
	i = c.closers(i)
	end, cited := c.marks(i)
	r, _ = c.at(end)
	switch {
	case r == eof, strong, cited:
		return end, true
	case !unicode.IsSpace(r):
		return resume, false
	}
	gap := c.skip(end)
	if strings.Count(c.text[end:gap], "\n") > 1 {
		return end, true
	}
	newline := strings.IndexByte(c.text[end:gap], '\n') >= 0
	r, n = c.at(gap)
	if newline && (r == eof || c.marker(gap) != gap) {
		return end, true
	}
	word := gap
	for isOpener(r) {
		word += n
		r, n = c.at(word)
	}
	if unicode.IsLower(r) && !newline {
		return resume, false
	}
	if dots == 1 && end == resume && c.abbreviated(start, first, word) {
		return resume, false
	}
	return end, true
}

// closers returns where the closing quotes, brackets and emphasis at i end.
func (c *cursor) closers(i int) int {
	for {
		r, n := c.at(i)
		if !isCloser(r) {
			return i
		}
		i += n
	}
}

// marks returns where the citation marks at i end, and whether there are any.
func (c *cursor) marks(i int) (end int, any bool) {
	end = i
	for {
		j := c.blanks(end)
		n := c.mark(j)
		if n == 0 {
			return end, end > i
		}
		end = c.closers(j + n)
	}
}

// mark returns the length of the citation mark at i, as in "[1]",
// "[2, 3]", "[1](address)" or "【1】", or 0.
func (c *cursor) mark(i int) int {
	r, n := c.at(i)
	if r != '[' && r != '【' {
		return 0
	}
	digits := 0
	for j := i + n; j-i < 32; {
		r, n = c.at(j)
		j += n
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r == ' ' || r == ',' || r == ';' || r == '-' || r == '–' || r == '^':
		case r == '†' && digits > 0: // as in "【1†source】"
			for r != '】' && r != eof && r != '\n' && j-i < 64 {
				r, n = c.at(j)
				j += n
			}
			if r != '】' {
				return 0
			}
			return j - i
		case (r == ']' || r == '】') && digits > 0:
			return c.address(j) - i
		default:
			return 0
		}
	}
	return 0
}

// longestAddress bounds the address of a link behind a citation mark, in bytes.
const longestAddress = 2000

// address returns where the "(…)" of a Markdown link at i ends, or i.
func (c *cursor) address(i int) int {
	if r, _ := c.at(i); r != '(' {
		return i
	}
	for j := i + 1; ; {
		r, n := c.at(j)
		if r == eof || unicode.IsSpace(r) || j-i > longestAddress {
			return i
		}
		if j += n; r == ')' {
			return j
		}
	}
}

// abbreviated reports whether the full stop at i, before the word at next, belongs to
// the word before it.
func (c *cursor) abbreviated(start, i, next int) bool {
	from, free := i, true // free: the word stands by itself
	for from > start {
		r, n := utf8.DecodeLastRuneInString(c.text[start:from])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' {
			free = unicode.IsSpace(r) || isOpener(r)
			break
		}
		from -= n
	}
	word := strings.ToLower(c.text[from:i])
	r, _ := c.at(next)
	digit := unicode.IsDigit(r)
	switch {
	case word == "":
		return false
	case utf8.RuneCountInString(word) == 1 && unicode.IsLetter(firstRune(word)):
		return free && unicode.IsLower(firstRune(word)) // of a script with cases: an initial, "z. B."
	case word == "a.m" || word == "p.m":
		return digit
	case len(word) <= 2 && isNumber(word):
		return months[strings.ToLower(c.letters(next))] // "5. Mai"
	case abbreviations[word]:
		return true
	case beforeNumber[word]:
		return digit
	}
	return dotted(word)
}

// letters returns the letters at i.
func (c *cursor) letters(i int) string {
	j := i
	for {
		r, n := c.at(j)
		if r == eof || !unicode.IsLetter(r) {
			return c.text[i:j]
		}
		j += n
	}
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// dotted reports whether word is single letters with full stops between, as in "u.s".
func dotted(word string) bool {
	n := 0
	for part := range strings.SplitSeq(word, ".") {
		if r, size := utf8.DecodeRuneInString(part); size == 0 || size != len(part) || !unicode.IsLetter(r) {
			return false
		}
		n++
	}
	return n > 1
}

// isStop reports whether a sentence may end with r.
func isStop(r rune) bool {
	switch r {
	case '.', '!', '?', '…', '‥', '‼', '⁇', '⁈', '⁉':
		return true
	}
	return isStrong(r)
}

// isStrong reports whether a sentence ends with r whatever follows.
func isStrong(r rune) bool {
	switch r {
	case '。', '｡', '！', '？', // Chinese, Japanese
		'؟', '۔', // Arabic, Urdu
		'।', '॥', // Devanagari and its relatives
		'።', '፧', // Ethiopic
		'։',      // Armenian
		'။',      // Burmese
		'។', '៕', // Khmer
		'།': // Tibetan
		return true
	}
	return false
}

// isCloser reports whether r may stand between a stop and the end of its sentence.
func isCloser(r rune) bool {
	switch r {
	case '"', '\'', ')', ']', '}', '*', '_', '~', '`':
		return true
	}
	return r >= utf8.RuneSelf && r != '】' && unicode.In(r, unicode.Pe, unicode.Pf)
}

// isOpener reports whether r may stand before the first letter of a sentence.
func isOpener(r rune) bool {
	switch r {
	case '"', '\'', '(', '[', '{', '*', '_', '¿', '¡':
		return true
	}
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Ps, unicode.Pi)
}

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// abbreviations end with a full stop inside a sentence, also before a capital.
var abbreviations = wordSet(`
	mr mrs ms dr prof sr jr st rev hon gen capt sgt vs approx dept est inc ltd corp co bros
	jan feb apr jun jul aug sep sept oct nov dec tue thu
	ca bzw evtl ggf inkl exkl zzgl abzgl tel str hr fr frl dipl geb vgl sog lt mind allg bspw
	mme mlle av env p.ex
	sra srta dña ud uds
	sig dott
	dhr mevr bijv incl excl t.o.v
	e.g i.e z.b d.h u.a z.t m.f.g o.ä s.o s.u v.a
	г ул тел руб см т.е т.д`)

// beforeNumber end with a full stop inside a sentence when a number follows.
var beforeNumber = wordSet(`no nr nos num núm art abs abschn fig abb tab ch chap kap sec sect ziff rn vol bd ed pp pag
	eq ver v p s § nummer lfd стр рис`)

// months follow an ordinal number in dates.
var months = wordSet(`
	januar jänner februar märz april mai juni juli august september oktober november dezember
	januari februari maart mei augustus oktober
	ledna února března dubna května června července srpna září října listopadu prosince
	januára februára apríla mája júna júla augusta septembra októbra novembra decembra
	tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta
	marts maj januar februar desember mars`)
