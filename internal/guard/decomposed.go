package guard

import (
	"strings"
	"unicode/utf8"
)

// decomposed has the letters that lang.Fold composes, with their parts (Unicode,
// canonical decomposition; the syllables of Hangul are computed).
var decomposed = func() map[rune]string {
	m := map[rune]string{'\u0439': "\u0438"} // its breve is a diacritic when it comes by itself
	for s := range strings.FieldsSeq(composed) {
		r, n := utf8.DecodeRuneInString(s)
		m[r] = s[n:]
	}
	return m
}()

// composed lists letters, each followed by its parts.
const composed = "" +
	"\u0929\u0928\u093c \u0931\u0930\u093c \u0934\u0933\u093c \u09cb\u09c7\u09be \u09cc\u09c7\u09d7 " +
	"\u0b48\u0b47\u0b56 \u0b4b\u0b47\u0b3e \u0b4c\u0b47\u0b57 \u0b94\u0b92\u0bd7 \u0bca\u0bc6\u0bbe " +
	"\u0bcb\u0bc7\u0bbe \u0bcc\u0bc6\u0bd7 \u0c48\u0c46\u0c56 \u0cc0\u0cbf\u0cd5 \u0cc7\u0cc6\u0cd5 " +
	"\u0cc8\u0cc6\u0cd6 \u0cca\u0cc6\u0cc2 \u0ccb\u0cc6\u0cc2\u0cd5 \u0d4a\u0d46\u0d3e " +
	"\u0d4b\u0d47\u0d3e \u0d4c\u0d46\u0d57 \u0dda\u0dd9\u0dca \u0ddc\u0dd9\u0dcf " +
	"\u0ddd\u0dd9\u0dcf\u0dca \u0dde\u0dd9\u0ddf \u1026\u1025\u102e \u1b06\u1b05\u1b35 " +
	"\u1b08\u1b07\u1b35 \u1b0a\u1b09\u1b35 \u1b0c\u1b0b\u1b35 \u1b0e\u1b0d\u1b35 \u1b12\u1b11\u1b35 " +
	"\u1b3b\u1b3a\u1b35 \u1b3d\u1b3c\u1b35 \u1b40\u1b3e\u1b35 \u1b41\u1b3f\u1b35 \u1b43\u1b42\u1b35 " +
	"\u304c\u304b\u3099 \u304e\u304d\u3099 \u3050\u304f\u3099 \u3052\u3051\u3099 \u3054\u3053\u3099 " +
	"\u3056\u3055\u3099 \u3058\u3057\u3099 \u305a\u3059\u3099 \u305c\u305b\u3099 \u305e\u305d\u3099 " +
	"\u3060\u305f\u3099 \u3062\u3061\u3099 \u3065\u3064\u3099 \u3067\u3066\u3099 \u3069\u3068\u3099 " +
	"\u3070\u306f\u3099 \u3071\u306f\u309a \u3073\u3072\u3099 \u3074\u3072\u309a \u3076\u3075\u3099 " +
	"\u3077\u3075\u309a \u3079\u3078\u3099 \u307a\u3078\u309a \u307c\u307b\u3099 \u307d\u307b\u309a " +
	"\u3094\u3046\u3099 \u309e\u309d\u3099 \u30ac\u30ab\u3099 \u30ae\u30ad\u3099 \u30b0\u30af\u3099 " +
	"\u30b2\u30b1\u3099 \u30b4\u30b3\u3099 \u30b6\u30b5\u3099 \u30b8\u30b7\u3099 \u30ba\u30b9\u3099 " +
	"\u30bc\u30bb\u3099 \u30be\u30bd\u3099 \u30c0\u30bf\u3099 \u30c2\u30c1\u3099 \u30c5\u30c4\u3099 " +
	"\u30c7\u30c6\u3099 \u30c9\u30c8\u3099 \u30d0\u30cf\u3099 \u30d1\u30cf\u309a \u30d3\u30d2\u3099 " +
	"\u30d4\u30d2\u309a \u30d6\u30d5\u3099 \u30d7\u30d5\u309a \u30d9\u30d8\u3099 \u30da\u30d8\u309a " +
	"\u30dc\u30db\u3099 \u30dd\u30db\u309a \u30f4\u30a6\u3099 \u30f7\u30ef\u3099 \u30f8\u30f0\u3099 " +
	"\u30f9\u30f1\u3099 \u30fa\u30f2\u3099 \u30fe\u30fd\u3099 \U0001109a\U00011099\U000110ba " +
	"\U0001109c\U0001109b\U000110ba \U000110ab\U000110a5\U000110ba \U0001112e\U00011131\U00011127 " +
	"\U0001112f\U00011132\U00011127 \U0001134b\U00011347\U0001133e \U0001134c\U00011347\U00011357 " +
	"\U000114bb\U000114b9\U000114ba \U000114bc\U000114b9\U000114b0 \U000114be\U000114b9\U000114bd " +
	"\U000115ba\U000115b8\U000115af \U000115bb\U000115b9\U000115af \U00011938\U00011935\U00011930 "
