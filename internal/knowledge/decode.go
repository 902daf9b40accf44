package knowledge

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	errBinary   = errors.New("a binary file, not text")
	errEncoding = errors.New("text in an unknown encoding; save it as UTF-8")
)

// decode returns the text of a file with "\n" as line break and without control
// characters. It knows UTF-8, UTF-16 with a byte order mark and, for text that is
// plainly Western, Windows-1252.
func decode(b []byte) (string, error) {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return decodeUTF16(b)
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "", errBinary
	}
	if !utf8.Valid(b) {
		return decodeWestern(b)
	}
	s := string(b)
	if control(s)*50 > len(s) {
		return "", errBinary
	}
	return lines(s), nil
}

func decodeUTF16(b []byte) (string, error) {
	big := b[0] == 0xfe
	b = b[2:]
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
		if big {
			units[i] = units[i]<<8 | units[i]>>8
		}
	}
	s := string(utf16.Decode(units))
	if len(b)%2 != 0 || control(s)*50 > len(s) || strings.Count(s, "\ufffd")*50 > len(s) {
		return "", errBinary
	}
	return lines(s), nil
}

// windows1252 has the characters of bytes 0x80 to 0x9f; 0 is undefined.
var windows1252 = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// decodeWestern reads Windows-1252, of which Latin-1 text is a part. Where more than
// a quarter of the bytes is outside ASCII, it is not a Western text.
func decodeWestern(b []byte) (string, error) {
	var s strings.Builder
	s.Grow(len(b) + len(b)/8)
	high := 0
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 {
			high++
		}
		if c >= 0x80 && c < 0xa0 {
			if r = windows1252[c-0x80]; r == 0 {
				return "", errEncoding
			}
		}
		s.WriteRune(r)
	}
	text := s.String()
	if control(text) > 0 {
		return "", errBinary
	}
	if high*4 > len(b) {
		return "", errEncoding
	}
	return lines(text), nil
}

// control counts control characters that are not white space.
func control(s string) (n int) {
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != '\v' || r == 0x7f {
			n++
		}
	}
	return n
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n", "\v", "\n", "\u2028", "\n", "\u2029", "\n", "\ufeff", "")

// lines makes every line break "\n" and drops other control characters.
func lines(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, lineBreaks.Replace(s))
}
