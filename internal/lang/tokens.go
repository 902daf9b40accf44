package lang

import (
	"unicode"
	"unicode/utf8"
)

// Tokens estimates how many tokens a large model's tokeniser makes of text. It
// follows the script of each character. On English it errs by up to a fifth either
// way; who must not run over multiplies by 1.25 for European languages and by 1.7
// for Thai.
func Tokens(text string) int {
	var milli, letters, digits int // thousandths of a token; the length of the running word or number
	accents := false
	word := func() {
		if letters > 0 {
			// Common words are one token; longer ones are cut about every six letters.
			milli += 1000 + max(0, letters-5)*150
			if accents {
				milli += 450
			}
		}
		milli += (digits + 2) / 3 * 1000
		letters, digits, accents = 0, 0, false
	}
	var last rune
	for i, r := range text {
		switch {
		case r < utf8.RuneSelf:
			switch {
			case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
				if digits > 0 {
					word()
				}
				letters++
			case '0' <= r && r <= '9':
				if letters > 0 {
					word()
				}
				digits++
			default:
				word()
				switch {
				case r == '\n':
					if last != '\n' {
						milli += 600
					}
				case r == ' ' || r == '\t' || r == '\r':
					if last == ' ' || last == '\t' {
						milli += 80 // runs of spaces share a token
					}
				case r == '\'' && i > 0:
					milli += 500 // "'s" and its like
				case r == last:
					milli += 250 // "----"
				default:
					milli += 900
				}
			}
		case unicode.Is(unicode.Latin, r):
			letters, accents = letters+1, true
		default:
			word()
			milli += scriptCost(r)
		}
		last = r
	}
	word()
	if text == "" {
		return 0
	}
	return max(1, (milli+999)/1000)
}

// scriptCost is the usual cost of one character outside Latin, in thousandths of a
// token.
func scriptCost(r rune) int {
	switch {
	case unicode.Is(unicode.Cyrillic, r), unicode.Is(unicode.Greek, r):
		return 330
	case unicode.Is(unicode.Arabic, r), unicode.Is(unicode.Hebrew, r):
		return 400
	case unicode.Is(unicode.Han, r):
		return 900
	case unicode.In(r, unicode.Hiragana, unicode.Katakana):
		return 800
	case unicode.Is(unicode.Hangul, r):
		return 750
	case unicode.Is(unicode.Devanagari, r):
		return 330
	case unicode.Is(unicode.Thai, r):
		return 400
	case unicode.Is(unicode.Mn, r):
		return 300
	case unicode.IsPunct(r), unicode.IsSpace(r):
		return 900
	case unicode.IsLetter(r):
		return 700
	}
	return 2500 // pictures and rare symbols are spelt in bytes
}
