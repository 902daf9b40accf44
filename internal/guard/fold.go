package guard

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/lang"
)

// edge stands in folded text where a word begins or ends.
const edge = 0x01

// folding is how far a text has been folded, so that it can go on with the next piece.
// The zero value stands at the start of a text.
type folding struct {
	word  bool // the last character belongs to a word
	space bool // the last character is a space
}

// fold appends r to folded text:
//
//   - case, width, compatibility forms and diacritics go (lang.Fold);
//   - invisible characters (zero-width, soft hyphen, variation selectors, controls) and
//     the characters of Markdown that do not show (* ~ ` \) go, so that "mon**ey**" is
//     "money";
//   - a run of white space, line breaks, dashes and underscores is one space, so that
//     "money-back" is "money  back";
//   - a word is put between edges. Scripts that put no space between words have none.
func (f *folding) fold(dst []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		return f.symbol(dst, asciiKind[r], unicode.ToLower(r))
	}
	for _, q := range foldRune(r) {
		dst = f.symbol(dst, kindOfFolded(q), q)
	}
	return dst
}

// symbol appends one folded character.
func (f *folding) symbol(dst []byte, k kind, r rune) []byte {
	switch k {
	case skipped:
		return dst
	case blank:
		if f.word {
			f.word = false
			dst = append(dst, edge)
		}
		if !f.space {
			f.space = true
			dst = append(dst, ' ')
		}
		return dst
	case wordly, other:
		if f.word != (k == wordly) {
			f.word = !f.word
			dst = append(dst, edge)
		}
	case vowel: // belongs to what it stands on
	}
	f.space = false
	return utf8.AppendRune(dst, r)
}

// kind is what a folded character does to the words around it.
type kind uint8

const (
	other   kind = iota // punctuation, symbols, characters of scripts without spaces
	wordly              // letters and digits
	vowel               // a vowel sign and the like
	blank               // parts words
	skipped             // nothing
)

var asciiKind = func() (t [utf8.RuneSelf]kind) {
	for r := range rune(utf8.RuneSelf) {
		t[r] = kindOf(r)
	}
	return t
}()

func kindOf(r rune) kind {
	switch {
	case unicode.IsSpace(r), r == '-', r == '_', r == '\u2212', r >= utf8.RuneSelf && unicode.Is(unicode.Pd, r):
		return blank
	case r == '*', r == '~', r == '`', r == '\\', unicode.IsControl(r), unicode.Is(unicode.Cf, r),
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return skipped
	case unicode.Is(unicode.M, r):
		return vowel
	case (unicode.IsLetter(r) || unicode.IsNumber(r)) && !unspaced(r):
		return wordly
	}
	return other
}

// unspaced reports whether r belongs to a script that puts no space between words.
func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai,
		unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}

// foldRune folds one code point, decomposed, so that it does not matter whether a text
// has a letter with its mark or the letter and then its mark.
func foldRune(r rune) string {
	switch {
	case r < tabled:
		return folds().text[r]
	case isHan(r):
		return string(r)
	case 0xac00 <= r && r <= 0xd7a3:
		return hangul(r)
	}
	return foldSlow(r)
}

func kindOfFolded(r rune) kind {
	switch {
	case r < tabled:
		return folds().kind[r]
	case isHan(r):
		return other
	}
	return kindOf(r)
}

func isHan(r rune) bool { return 0x4e00 <= r && r <= 0x9fff }

// tabled is the end of the code points that are folded once: all alphabets and kana.
const tabled = 0x3100

var folds = sync.OnceValue(func() *struct {
	text [tabled]string
	kind [tabled]kind
} {
	var t struct {
		text [tabled]string
		kind [tabled]kind
	}
	for r := range rune(tabled) {
		t.text[r], t.kind[r] = foldSlow(r), kindOf(r)
	}
	return &t
})

func foldSlow(r rune) string {
	var b strings.Builder
	for _, q := range lang.Fold(string(r)) {
		if 0xac00 <= q && q <= 0xd7a3 {
			b.WriteString(hangul(q))
			continue
		}
		if parts, ok := decomposed[q]; ok {
			b.WriteString(parts)
			continue
		}
		b.WriteRune(q)
	}
	return b.String()
}

// hangul decomposes a syllable into its letters (Unicode, section 3.12).
func hangul(r rune) string {
	s := r - 0xac00
	parts := []rune{0x1100 + s/588, 0x1161 + s%588/28, 0x11a7 + s%28}
	if s%28 == 0 {
		parts = parts[:2]
	}
	return string(parts)
}
