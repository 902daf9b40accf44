package lang

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Language returns the two-letter code of the language that text is written in, or
// "" when it cannot tell. It looks at the first few hundred words: at their
// script and, where languages share one, at their commonest words and letters of
// their own. It is meant to choose a stemmer and a stop list, not to tell close
// relatives apart.
func Language(text string) string {
	text = head(text, 3000)
	var scripts [len(scriptTable)]int
	letters := 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			if wordRune(r) && !unicode.IsDigit(r) {
				scripts[latin]++
				letters++
			}
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		for i, s := range scriptTable {
			if unicode.Is(s, r) {
				scripts[i]++
				break
			}
		}
	}
	best := latin
	for i, n := range scripts {
		if n > scripts[best] {
			best = i
		}
	}
	// A Chinese or Japanese text often holds Latin names; kana decides for Japanese.
	if cjk := scripts[han] + scripts[hiragana] + scripts[katakana]; cjk*3 > letters {
		if (scripts[hiragana]+scripts[katakana])*10 > cjk {
			return "ja"
		}
		return "zh"
	}
	if scripts[best] == 0 {
		return ""
	}
	if code, ok := scriptLanguage[best]; ok {
		return code
	}
	if best == cyrillic {
		if strings.ContainsAny(text, "іїєґІЇЄҐ") {
			return "uk"
		}
		return "ru" // the others have no rules here, and lose little by Russian ones
	}
	return byWords(text)
}

const (
	latin = iota
	han
	hiragana
	katakana
	hangul
	cyrillic
	greek
	arab
	hebrew
	devanagari
	thai
)

var scriptTable = [...]*unicode.RangeTable{
	unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Cyrillic,
	unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Thai,
}

// scriptLanguage has the scripts that one language, for our purposes, has to itself.
var scriptLanguage = map[int]string{
	hangul: "ko", greek: "el", arab: "ar", hebrew: "he", devanagari: "hi", thai: "th",
}

// counted are the languages in Latin script that are told apart by counting.
var counted = []string{"en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr", "pl", "vi"}

// ownLetters occur in few languages; each counts like half a stop word.
var ownLetters = map[rune][]string{
	'ß': {"de"}, 'ä': {"de", "sv", "fi"}, 'ö': {"de", "sv", "fi", "tr", "hu"}, 'ü': {"de", "tr", "hu"},
	'ñ': {"es"}, '¿': {"es"}, '¡': {"es"}, 'ã': {"pt", "vi"}, 'õ': {"pt", "vi"}, 'ç': {"fr", "pt", "tr"}, 'œ': {"fr"},
	'ê': {"fr", "pt", "vi"}, 'è': {"fr", "it"}, 'ù': {"fr", "it"}, 'ò': {"it"}, 'ì': {"it"}, 'å': {"sv", "da", "no"},
	'ø': {"da", "no"}, 'æ': {"da", "no"}, 'ő': {"hu"}, 'ű': {"hu"}, 'ă': {"ro", "vi"}, 'ț': {"ro"}, 'ţ': {"ro"}, 'ș': {"ro"},
	'î': {"ro", "fr"}, 'ı': {"tr"}, 'ğ': {"tr"}, 'ş': {"tr", "ro"}, 'ą': {"pl"}, 'ę': {"pl"}, 'ł': {"pl"}, 'ż': {"pl"},
	'ź': {"pl"}, 'ś': {"pl"}, 'ơ': {"vi"}, 'ư': {"vi"}, 'đ': {"vi"}, 'ế': {"vi"}, 'ạ': {"vi"}, 'ộ': {"vi"}, 'ị': {"vi"},
}

// commonWords maps a stop word, lower-case with its accents, to bits of the
// languages in counted that have it.
var commonWords = sync.OnceValue(func() map[string]uint32 {
	m := map[string]uint32{}
	for i, code := range counted {
		for w := range stopSet(code) {
			m[w] |= 1 << i
		}
	}
	return m
})

// byWords counts stop words and letters of each language. The best must have two
// stop words' worth of evidence, a tenth of the words in a longer text (foreign names
// are less), and a clear lead over the next.
func byWords(text string) string {
	words := commonWords()
	var score [32]float64
	add := func(bits uint32, n float64) {
		for i := range counted {
			if bits&(1<<i) != 0 {
				score[i] += n
			}
		}
	}
	start, total := -1, 0
	flush := func(end int) {
		if start >= 0 {
			total++
			if end-start <= maxCached {
				add(words[Fold(text[start:end])], 1)
			}
		}
		start = -1
	}
	for i, r := range text {
		if r >= utf8.RuneSelf {
			for _, code := range ownLetters[unicode.ToLower(r)] {
				add(1<<indexOf(code), 0.5)
			}
		}
		if wordRune(r) || apostrophe(r) && start >= 0 {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
	}
	flush(len(text))
	best, next := 0, 0.0
	for i := range counted {
		if score[i] > score[best] {
			best = i
		}
	}
	for i := range counted {
		if i != best {
			next = max(next, score[i])
		}
	}
	if score[best] < max(2, 0.1*float64(total)) || score[best] < 1.3*next {
		return ""
	}
	return counted[best]
}

func indexOf(code string) int {
	for i, c := range counted {
		if c == code {
			return i
		}
	}
	return len(counted)
}

// head returns at most n bytes of s, cut between characters.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
