package lang

import (
	"unicode"
	"unicode/utf8"
)

// Tokens estimates how many tokens a large model's tokeniser makes of text, here
// OpenAI's o200k_base. It follows the script of each character. On a paragraph it
// errs by up to 30 % either way, mostly by less than 15 %: who must not run over
// multiplies by 1.3. Older tokenisers take up to twice as many for Greek, Thai and Hindi.
func Tokens(text string) int {
	var milli, letters, digits, accents int // thousandths of a token; of the running word or number
	word := func() {
		if letters > 0 {
			// Common words are one token; longer ones are cut about every six letters.
			milli += 1000 + max(0, letters-5)*150 + accents
		}
		milli += (digits + 2) / 3 * 1000
		letters, digits, accents = 0, 0, 0
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
		case latinLetter(r):
			letters++
			accents = max(accents, accentCost(r))
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

// latinLetter is unicode.Is(unicode.Latin, r), quick for what is frequent.
func latinLetter(r rune) bool {
	if r < 0x2b9 {
		return r >= 0xc0 && r != '×' && r != '÷' || r == 'ª' || r == 'º'
	}
	return r >= 0x1d00 && unicode.Is(unicode.Latin, r)
}

// accentCost is what a Latin letter beyond ASCII adds to its word. Those of Polish,
// Turkish, Romanian and the like are in fewer of a vocabulary's words than the letters of
// Western Europe and of Vietnamese, whose words are short.
func accentCost(r rune) int {
	switch {
	case r < 0x100, r > 0x21b, r == 'đ', r == 'ĩ', r == 'ũ', r == 'ơ', r == 'ư':
		return 450
	}
	return 1100
}

// scriptCost is the usual cost of one character outside Latin, in thousandths of a
// token. Most texts keep to one block of Unicode, which is found at once.
func scriptCost(r rune) int {
	switch {
	case 0x370 <= r && r < 0x400: // Greek
		return 410
	case 0x400 <= r && r < 0x530: // Cyrillic
		return 300
	case 0x590 <= r && r < 0x600: // Hebrew
		return 400
	case 0x600 <= r && r < 0x700: // Arabic
		return 370
	case 0x900 <= r && r < 0x980: // Devanagari
		return 380
	case 0xe00 <= r && r < 0xe80: // Thai
		return 440
	case 0x3041 <= r && r < 0x3100: // kana
		return 700
	case 0x4e00 <= r && r < 0xa000: // Han
		return 900
	case 0xac00 <= r && r < 0xd7a4: // Hangul
		return 750
	case unicode.Is(unicode.Mn, r):
		return 300
	case unicode.IsPunct(r), unicode.IsSpace(r):
		return 900
	case unicode.IsLetter(r):
		return 700
	}
	return 2500 // pictures and rare symbols are spelt in bytes
}
