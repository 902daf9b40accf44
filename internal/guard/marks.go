package guard

import (
	"strings"
	"unicode/utf8"
)

// mark is a place in a sentence where the model names passages, as in "[1]", "[1, 2]",
// "[1-3]", "[^1]", "[1](address)" or "【1†source】". It begins with the blanks before it.
type mark struct {
	start, end int
	numbers    []int
}

// maxMarked is the number of passages that one mark may name.
const maxMarked = 9

// findMarks returns the marks in s that are not in code spans.
func findMarks(s string) []mark {
	var found []mark
	for i := 0; i < len(s); {
		next := strings.IndexAny(s[i:], "`[【")
		if next < 0 {
			break
		}
		i += next
		if s[i] == '`' {
			i = codeSpan(s, i)
			continue
		}
		numbers, end := parseMark(s, i)
		if end == 0 {
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
			continue
		}
		found = append(found, mark{len(strings.TrimRight(s[:i], " \t\u00a0")), end, numbers})
		i = end
	}
	return found
}

// codeSpan returns where the code span at i ends, or, if none begins there, where its
// backticks end.
func codeSpan(s string, i int) int {
	ticks := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
	for j := i + ticks; j < len(s); {
		at := strings.IndexByte(s[j:], '`')
		if at < 0 {
			break
		}
		j += at
		n := len(s[j:]) - len(strings.TrimLeft(s[j:], "`"))
		if j += n; n == ticks {
			return j
		}
	}
	return i + ticks
}

// parseMark returns the numbers of the mark at i, and its end, or 0 if there is none.
func parseMark(s string, i int) (numbers []int, end int) {
	_, n := utf8.DecodeRuneInString(s[i:])
	wide := n > 1
	value, digits, from := 0, 0, 0 // from: of a range
	flush := func() {
		if digits == 0 {
			return
		}
		first := value
		if from > 0 && from < value {
			first = from
		}
		for v := first; v <= value && len(numbers) < maxMarked; v++ {
			numbers = append(numbers, v)
		}
		value, digits, from = 0, 0, 0
	}
	for j := i + n; j < len(s); j += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[j:])
		switch {
		case '0' <= r && r <= '9':
			value = min(value*10+int(r-'0'), 9999)
			digits++
		case (r == '-' || r == '–') && digits > 0:
			from, value, digits = value, 0, 0
		case r == ',' || r == ';' || r == ' ':
			flush()
		case r == '^' && j == i+1:
		case r == '†' && wide && digits > 0:
			if at := strings.Index(s[j:], "】"); at >= 0 {
				n = at // the next is the bracket
				continue
			}
			return nil, 0
		case r == ']' && !wide, r == '】' && wide:
			if flush(); len(numbers) == 0 {
				return nil, 0
			}
			return numbers, j + n + len(address(s[j+n:]))
		default:
			return nil, 0
		}
	}
	return nil, 0
}

// address returns the "(…)" of a Markdown link at the start of s, or "".
func address(s string) string {
	if strings.HasPrefix(s, "(") {
		if i := strings.IndexAny(s, ")\n"); i > 0 && s[i] == ')' {
			return s[:i+1]
		}
	}
	return ""
}

// without returns s less the marks.
func without(s string, marks []mark) string {
	if len(marks) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, m := range marks {
		b.WriteString(s[at:m.start])
		at = m.end
	}
	b.WriteString(s[at:])
	return strings.TrimSpace(b.String())
}

// closers may stand between the stop of a sentence and its end.
const closers = "\"')]}*_~`”’»›」』）"

// withMarks returns the sentence s with marks behind its closing punctuation; in the
// row of a table they stand in the last cell.
func withMarks(s, marks string) string {
	if marks == "" {
		return s
	}
	if row, ok := strings.CutSuffix(s, "|"); ok && strings.HasPrefix(s, "|") && strings.TrimSpace(row) != "|" {
		return strings.TrimRight(row, " \t") + " " + marks + " |"
	}
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, closers))
	if strings.ContainsRune(".!?…。！？｡؟۔।॥።։။:：", last) {
		return s + marks
	}
	return s + " " + marks
}
