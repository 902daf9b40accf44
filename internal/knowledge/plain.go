package knowledge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain reads a text without markup. Paragraphs are parted by empty lines; line
// breaks inside them stay, for they may be a list or an address.
func plain(text string) draft {
	var d draft
	var lines []string
	end := func() {
		d.add(code, 0, strings.Join(lines, "\n"))
		lines = lines[:0]
	}
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimRightFunc(l, unicode.IsSpace); l == "" {
			end()
			continue
		}
		lines = append(lines, l)
	}
	end()
	if len(d.blocks) > 0 {
		d.title = plainTitle(d.blocks[0].text)
	}
	return d
}

// plainTitle returns the first paragraph when it looks like a title: one short line
// without the end of a sentence.
func plainTitle(first string) string {
	first = strings.TrimSpace(first)
	last, _ := utf8.DecodeLastRuneInString(first)
	if strings.Contains(first, "\n") || utf8.RuneCountInString(first) > 80 || strings.ContainsRune(".,;:!", last) {
		return ""
	}
	return first
}
