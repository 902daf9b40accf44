package guard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/lang"
)

const (
	// longestSentence is the number of code points after which a sentence is cut at
	// the border of a clause.
	longestSentence = 400
	// longestPreview is the same where its words are shown as they come, so that only
	// the checks wait.
	longestPreview = 2000
	// lookAhead is how many code points behind the longest unit may be looked at to see
	// that it ends.
	lookAhead = 64
)

// cut returns the length in bytes of the first unit of text, with the white space
// behind it, or 0 if more text must come. A unit has most code points at most. The
// answer does not depend on how much of the text has come: beyond the same number of
// code points the text is cut, even if more of it would show another end.
func cut(s *lang.Splitter, text string, most int, last bool) int {
	window := text
	if len(text) > most {
		if end := runes(text, most+lookAhead); end < len(text) {
			window, last = text[:end], false
		}
	}
	n := s.Next(window, last)
	switch {
	case n > 0 && (n <= most || utf8.RuneCountInString(text[:n]) <= most):
		return n
	case n > 0 || len(window) < len(text):
		return clause(text[:runes(text, most)])
	}
	return 0
}

// runes returns the length in bytes of the first n code points of s, or of all.
func runes(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// lastRunes returns the last n code points of s, or all.
func lastRunes(s string, n int) string {
	i := len(s)
	for ; i > 0 && n > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

// clause returns where to cut s, the beginning of a long sentence: behind the last
// comma, semicolon, colon or dash in its last three quarters; else before the last
// space; else, in a script without spaces or a long word, at its end.
func clause(s string) int {
	for i := len(s); i > len(s)/4; {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		switch r {
		case ',', ';', ':', '–', '—':
			if after, _ := utf8.DecodeRuneInString(s[i:]); i < len(s) && unicode.IsSpace(after) {
				return i
			}
		case '，', '、', '；', '：', '،', '؛':
			return i
		}
		i -= n
	}
	if i := strings.LastIndexFunc(s, unicode.IsSpace); i > 0 && strings.TrimSpace(s[:i]) != "" {
		return i
	}
	if i := strings.LastIndexAny(s, "[【"); i > 0 && i > len(s)-16 {
		return i // it may be a mark
	}
	return len(s)
}

// trim cuts s into the white space at its start, the body, and the white space at its end.
func trim(s string) (head, body, tail string) {
	body = strings.TrimLeftFunc(s, unicode.IsSpace)
	head = s[:len(s)-len(body)]
	body = strings.TrimRightFunc(body, unicode.IsSpace)
	return head, body, s[len(head)+len(body):]
}

// itemMarker returns the marker of a list item at the start of s, with the blanks behind
// it, or "".
func itemMarker(s string) string {
	i := len(s) - len(strings.TrimLeft(s, "0123456789"))
	switch {
	case i > 3:
		return ""
	case i > 0 && (strings.HasPrefix(s[i:], ".") || strings.HasPrefix(s[i:], ")")):
		i++
	case i == 0 && strings.HasPrefix(s, "•"):
		i = len("•")
	case i == 0 && s != "" && strings.Contains("-*+", s[:1]):
		i = 1
	default:
		return ""
	}
	rest := strings.TrimLeft(s[i:], " \t")
	if len(rest) == len(s)-i {
		return ""
	}
	return s[:len(s)-len(rest)]
}

// joined returns the white space that stands for a and then b, between which a text was
// left out: as many line breaks as the one with more of them, and the indentation of
// the last line.
func joined(a, b string) string {
	switch na, nb := strings.Count(a, "\n"), strings.Count(b, "\n"); {
	case a == "" || nb > na:
		return b
	case b == "" || na > 0 && nb == 0:
		return a
	case na == 0:
		return b
	default:
		return a[:strings.LastIndexByte(a, '\n')+1] + b[strings.LastIndexByte(b, '\n')+1:]
	}
}

// border returns the last place before limit where s may be cut between words, or 0.
// What stands behind it must have been seen.
func border(s string, limit int) int {
	for i := min(limit, len(s)); i > 0; {
		before, n := utf8.DecodeLastRuneInString(s[:i])
		if i < len(s) && !unicode.IsSpace(before) {
			after, _ := utf8.DecodeRuneInString(s[i:])
			if unicode.IsSpace(after) || unspaced(before) && !unicode.IsMark(after) && !unicode.IsPunct(after) {
				return i
			}
		}
		i -= n
	}
	return 0
}
