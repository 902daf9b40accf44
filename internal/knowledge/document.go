package knowledge

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/lang"
)

// Document is one source as it is searched and quoted. Offsets into Text are
// Unicode code points, the end exclusive.
type Document struct {
	ID       string // for a folder, the slash-separated path in it
	Title    string
	URL      string // its own address, http or https, or ""
	Language string // as lang.Language gives it; Build fills it in
	Text     string // the plain readable text
	Headings []Heading
	Updated  Date   // when it was last brought up to date, or ""
	From     Date   // the first day on which it is valid, or ""
	Until    Date   // the last one, or ""
	Hash     string // of all of the above, hexadecimal; Build fills it in
}

// Heading is a heading in the text of a document.
type Heading struct {
	Level      int    // 1 is the highest
	Text       string // the document's Text from Start to End
	Start, End int
}

// hash returns the digest of what of d decides how it is found and shown.
func (d Document) hash() string {
	h := sha256.New()
	var b []byte
	for _, s := range []string{d.ID, d.Title, d.URL, d.Text, string(d.Updated), string(d.From), string(d.Until)} {
		b = binary.AppendUvarint(b[:0], uint64(len(s)))
		h.Write(b)
		h.Write([]byte(s))
	}
	b = b[:0]
	for _, x := range d.Headings {
		b = binary.AppendUvarint(b, uint64(x.Level))
		b = binary.AppendUvarint(b, uint64(x.Start))
		b = binary.AppendUvarint(b, uint64(x.End))
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// validOn reports whether the document is valid on a day.
func (d Document) validOn(day Date) bool {
	return (d.From == "" || d.From <= day) && (d.Until == "" || day <= d.Until)
}

// kind says what a block of a document is.
type kind uint8

const (
	paragraph kind = iota
	heading
	item // of a list; its text has the marker
	row  // of a table
	code
)

// block is a piece of a document between line breaks.
type block struct {
	kind  kind
	level int // of a heading
	text  string
}

// draft is a document whose text is not joined yet.
type draft struct {
	title, url           string
	updated, from, until Date
	blocks               []block
}

// take has the block at the top of the file say what it is; it knows better.
func (d *draft) take(f front) {
	d.title, d.url = cmp.Or(f.title, d.title), cmp.Or(f.url, d.url)
	d.updated, d.from, d.until = f.updated, f.from, f.until
}

func (d *draft) add(k kind, level int, text string) {
	if k != code {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	d.blocks = append(d.blocks, block{k, level, text})
}

// maxCode bounds a code block in tokens, so that with its fences it fits into a chunk.
const maxCode = chunkTokens - 10

// fenced puts fences around a code block, by which everyone behind here, the model among
// them, tells it from prose. One that does not fit into a chunk stays as it is: of a cut
// block, nobody could say on which side of the fence prose is.
func fenced(text string) string {
	if strings.TrimSpace(text) == "" || strings.Contains(text, "```") || lang.Tokens(text) > maxCode {
		return text
	}
	return "```\n" + text + "\n```"
}

// document joins the blocks: an empty line between them, but only a line break
// between items of a list and rows of a table.
func (d *draft) document(id string) Document {
	doc := Document{ID: id, Title: clean(d.title), URL: webURL(d.url), Updated: d.updated, From: d.from, Until: d.until}
	var b strings.Builder
	runes := 0
	write := func(s string) {
		b.WriteString(s)
		runes += utf8.RuneCountInString(s)
	}
	for i, x := range d.blocks {
		if i > 0 {
			if before := d.blocks[i-1].kind; before == x.kind && (x.kind == item || x.kind == row) {
				write("\n")
			} else {
				write("\n\n")
			}
		}
		start := runes
		write(x.text)
		if x.kind == heading {
			doc.Headings = append(doc.Headings, Heading{Level: x.level, Text: x.text, Start: start, End: runes})
		}
	}
	doc.Text = b.String()
	if doc.Title == "" {
		doc.Title = d.firstHeading()
	}
	if doc.Title == "" {
		doc.Title = nameTitle(id)
	}
	doc.Language = lang.Language(doc.Text)
	doc.Hash = doc.hash()
	return doc
}

// firstHeading returns the first heading if nothing of the same or a higher level
// shows that it is not the title.
func (d *draft) firstHeading() string {
	title, level := "", 0
	for _, x := range d.blocks {
		switch {
		case x.kind != heading:
		case title == "":
			title, level = x.text, x.level
		case x.level < level:
			return ""
		}
	}
	return title
}

// nameTitle makes a title of a file's name.
func nameTitle(id string) string {
	name := id[strings.LastIndexByte(id, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == ' ' }), " ")
	if name == "" {
		return id
	}
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[n:]
}

// webURL returns u if it is a plain web address. Others, "javascript:" above all,
// must never become a link.
func webURL(u string) string {
	u = strings.TrimSpace(u)
	lower := strings.ToLower(u)
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") ||
		strings.ContainsFunc(u, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return ""
	}
	return u
}

// clean puts text on one line: runs of white space become one space, control
// characters are dropped.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cleanLines is clean for each line.
func cleanLines(s string) string {
	if !strings.Contains(s, "\n") {
		return clean(s)
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
