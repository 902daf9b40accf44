// Package lang knows about text itself: words, sentences, languages and how many
// tokens a model will count.
//
// Its one idea is that a text and a question about it must come out the same.
// [Terms] folds case, accents and width, splits identifiers and reduces words to
// their stems by the rules of a language; whoever compares texts compares terms.
// The functions are pure and safe for concurrent use, and the memory they keep is
// bounded whatever they are given. Start with [Terms].
package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Term is one searchable unit of a text.
type Term struct {
	Text       string // folded and stemmed
	Start, End int    // byte offsets in the input
	Stop       bool   // too common in its language to tell texts apart
}

// maxTerm bounds the text of a term, in bytes; what is longer is cut.
const maxTerm = 96

// Terms returns the terms of text in order. The language is a two-letter code as
// [Language] gives it; "" and codes without rules of their own get the English ones.
//
// A word that holds a digit, "_", "@" or an inner dot and is joined by punctuation
// ("ORD-4521", "19.99", "help@example.com") comes as a whole, with its punctuation,
// and then as its parts, whose offsets lie inside the whole's. Chinese, Japanese,
// Korean, Thai and other scripts that put no space between words come as pairs of
// neighbouring characters.
func Terms(text, language string) []Term {
	rules := rulesOf(language)
	terms := make([]Term, 0, len(text)/5)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case unspaced(r):
			end := i + n
			for end < len(text) {
				r, n := utf8.DecodeRuneInString(text[end:])
				if !unspaced(r) && !unicode.Is(unicode.M, r) {
					break
				}
				end += n
			}
			terms = appendPairs(terms, text, i, end)
			i = end
		case wordRune(r):
			end := compoundEnd(text, i)
			terms = appendCompound(terms, text, i, end, rules)
			i = end
		default:
			i += n
		}
	}
	return terms
}

// Fold lower-cases s and removes what people leave out when they type: accents,
// width, typographic apostrophes. Letters that differ by more than an accent in
// their own alphabet (й, voiced kana) stay.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		if unicode.Is(unicode.Mn, r) && foldedMark(r) && !(r == '\u0306' && last == 'и') {
			continue
		}
		last = r
		if to, ok := foldedLetters[r]; ok {
			b.WriteString(to)
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

var foldedLetters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ς': "σ",
	'’': "'", '‘': "'", 'ʼ': "'", '＇': "'", '\u00ad': "", '\u200b': "", '\u200c': "", '\u200d': "", '\u2060': "", '\ufeff': "",
	'أ': "ا", 'إ': "ا", 'آ': "ا", 'ى': "ي", 'ـ': "",
}

// foldedMark reports whether a combining mark only decorates its letter. In Indic
// and South-East Asian scripts marks are vowels, in kana they voice a consonant.
func foldedMark(r rune) bool {
	if r == '\u3099' || r == '\u309a' {
		return false
	}
	return unicode.In(r, unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
}

// unspaced reports whether r belongs to a script that is written without spaces
// between words, or, for Hangul, with endings that no stemmer here removes.
func unspaced(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		!unicode.IsPunct(r) && !unicode.IsSymbol(r) || r == 'ー'
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == '\u00ad' || r == '\u200c' || r == '\u200d') && !unspaced(r)
}

func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == 'ʼ' }

// joiner reports whether r ties two parts of an identifier together when it stands
// between them without a space.
func joiner(r rune) bool {
	switch r {
	case '-', '_', '.', '/', ':', ',', '@', '+', '#', '‐', '‑':
		return true
	}
	return false
}

// compoundEnd returns the end of the run of words, apostrophes and single joiners
// that begins at i.
func compoundEnd(text string, i int) int {
	end := i // after the last word rune
	for j := i; j < len(text); {
		r, n := utf8.DecodeRuneInString(text[j:])
		switch {
		case wordRune(r):
			end = j + n
		case (joiner(r) || apostrophe(r)) && end == j:
		default:
			return end
		}
		j += n
	}
	return end
}

// appendCompound appends the terms of text[start:end], which compoundEnd found.
func appendCompound(terms []Term, text string, start, end int, rules *rules) []Term {
	s := strings.TrimSuffix(strings.TrimSuffix(text[start:end], "'s"), "’s")
	end = start + len(s)
	if !strings.ContainsFunc(s, joiner) {
		return appendWord(terms, text, start, end, rules)
	}
	if n, ok := plainNumber(s); ok {
		return append(terms, Term{Text: n, Start: start, End: end})
	}
	if identifier(s) {
		terms = append(terms, Term{Text: cut(Fold(s)), Start: start, End: end})
	}
	from := start
	for i, r := range s {
		if joiner(r) {
			terms = appendWord(terms, text, from, start+i, rules)
			from = start + i + utf8.RuneLen(r)
		}
	}
	return appendWord(terms, text, from, end, rules)
}

func appendWord(terms []Term, text string, start, end int, rules *rules) []Term {
	word := text[start:end]
	word = strings.TrimLeftFunc(word, apostrophe)
	start = end - len(word)
	word = strings.TrimRightFunc(word, apostrophe)
	if word == "" {
		return terms
	}
	t, stop := rules.term(word)
	if t == "" {
		return terms
	}
	return append(terms, Term{Text: t, Start: start, End: start + len(word), Stop: stop})
}

// appendPairs appends the pairs of neighbouring characters of text[start:end]; a
// single character stands for itself. Marks belong to the character before them.
func appendPairs(terms []Term, text string, start, end int) []Term {
	before, at := -1, start // where the character before this one, and this one, begin
	for i := start; i < end; {
		_, n := utf8.DecodeRuneInString(text[i:])
		next := i + n
		for next < end {
			r, n := utf8.DecodeRuneInString(text[next:])
			if !unicode.Is(unicode.M, r) {
				break
			}
			next += n
		}
		if before >= 0 {
			terms = append(terms, Term{Text: cut(Fold(text[before:next])), Start: before, End: next})
		}
		before, at, i = i, i, next
	}
	if at == start {
		terms = append(terms, Term{Text: cut(Fold(text[start:end])), Start: start, End: end})
	}
	return terms
}

// identifier reports whether a joined word names one thing: it holds a digit, or
// is tied by a character that prose does not use inside words.
func identifier(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsDigit(r) || r == '_' || r == '@' || r == '.'
	})
}

// plainNumber returns a number whose groups of three digits are parted by commas
// without the commas.
func plainNumber(s string) (string, bool) {
	groups := strings.Split(s, ",")
	if len(groups) < 2 || len(groups[0]) == 0 || len(groups[0]) > 3 {
		return "", false
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 || strings.Trim(g, "0123456789") != "" {
			return "", false
		}
	}
	return cut(strings.Join(groups, "")), true
}

// cut shortens s to maxTerm bytes at most, between characters.
func cut(s string) string {
	if len(s) <= maxTerm {
		return s
	}
	i := maxTerm
	for !utf8.RuneStart(s[i]) {
		i--
	}
	return s[:i]
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
