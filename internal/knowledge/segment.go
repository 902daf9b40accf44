package knowledge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unicode/utf8"
)

// A segment is a generation as one file. All numbers are little-endian or varints.
//
//	8 bytes   "ansgen" and the version of the format
//	4 bytes   CRC-32C of everything after it
//	8 × 8     the lengths of the sections, which follow in this order:
//
//	documents  number of them; each: id, title, url, language, hash, updated, from,
//	           until; length of the text; number of headings, each: level, gap from the last, length
//	text       the texts, one after another
//	chunks     for each document, their number; each: gap from the last, length,
//	           words in the title, words in the text
//	terms      the texts of the terms, sorted, one after another
//	term ends  for each term, where its text and where its postings end
//	words      the postings of the terms
//	pair keys  for each pair, its key, sorted, and where its postings end
//	pairs      the postings of the pairs
//
// Postings begin with the number of chunks. What cannot be derived from a section is
// not in it: offsets in code points are counted when a file is opened, which also
// proves that they fit the text.
const (
	magic   = "ansgen"
	version = 2 // also of tokens and chunks: another version means another build
)

const (
	secDocuments = iota
	secText
	secChunks
	secTerms
	secTermEnds
	secWords
	secPairKeys
	secPairs
	sections
)

const headerLen = 8 + 4 + 8*sections

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTooLarge = errors.New("an index of more than 4 GiB; split the documents over several assistants")

func encode(docs []Document, b *builder) (string, error) {
	var sec [sections][]byte

	d := binary.AppendUvarint(nil, uint64(len(docs)))
	for _, doc := range docs {
		for _, s := range []string{doc.ID, doc.Title, doc.URL, doc.Language, doc.Hash, string(doc.Updated), string(doc.From), string(doc.Until)} {
			d = binary.AppendUvarint(d, uint64(len(s)))
			d = append(d, s...)
		}
		d = binary.AppendUvarint(d, uint64(len(doc.Text)))
		d = binary.AppendUvarint(d, uint64(len(doc.Headings)))
		at, last := offsets{text: doc.Text}, 0
		for _, h := range doc.Headings {
			start := at.byteOf(h.Start)
			end := at.byteOf(h.End)
			d = binary.AppendUvarint(d, uint64(h.Level))
			d = binary.AppendUvarint(d, uint64(start-last))
			d = binary.AppendUvarint(d, uint64(end-start))
			last = end
		}
		sec[secText] = append(sec[secText], doc.Text...)
	}
	sec[secDocuments] = d

	var c []byte
	n := 0
	for _, spans := range b.perDoc {
		c = binary.AppendUvarint(c, uint64(len(spans)))
		last := 0
		for _, s := range spans {
			c = binary.AppendUvarint(c, uint64(s.from-last))
			c = binary.AppendUvarint(c, uint64(s.to-s.from))
			c = binary.AppendUvarint(c, uint64(b.sizes[n].title))
			c = binary.AppendUvarint(c, uint64(b.sizes[n].text))
			last = s.to
			n++
		}
	}
	sec[secChunks] = c

	for _, id := range b.sortedTerms() {
		l := b.lists[id]
		sec[secTerms] = append(sec[secTerms], b.terms[id]...)
		sec[secWords] = binary.AppendUvarint(sec[secWords], uint64(l.chunks))
		sec[secWords] = append(sec[secWords], l.bytes...)
		sec[secTermEnds] = binary.LittleEndian.AppendUint32(sec[secTermEnds], uint32(len(sec[secTerms])))
		sec[secTermEnds] = binary.LittleEndian.AppendUint32(sec[secTermEnds], uint32(len(sec[secWords])))
	}

	pairs := b.sortedPairs()
	for i := 0; i < len(pairs); {
		l := list{last: -1}
		j := i
		for ; j < len(pairs) && pairs[j].key == pairs[i].key; j++ {
			l.add(int(pairs[j].chunk), tf{uint32(pairs[j].title), uint32(pairs[j].text)})
		}
		sec[secPairs] = binary.AppendUvarint(sec[secPairs], uint64(l.chunks))
		sec[secPairs] = append(sec[secPairs], l.bytes...)
		sec[secPairKeys] = binary.LittleEndian.AppendUint64(sec[secPairKeys], pairs[i].key)
		sec[secPairKeys] = binary.LittleEndian.AppendUint32(sec[secPairKeys], uint32(len(sec[secPairs])))
		i = j
	}

	for _, s := range []int{secTerms, secWords, secPairs} {
		if len(sec[s]) > math.MaxUint32 {
			return "", errTooLarge
		}
	}
	return join(sec), nil
}

// join puts the header in front of the sections.
func join(sec [sections][]byte) string {
	total := headerLen
	for _, s := range sec {
		total += len(s)
	}
	out := make([]byte, 0, total)
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint16(out, version)
	out = append(out, 0, 0, 0, 0) // the checksum
	for _, s := range sec {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(s)))
	}
	for _, s := range sec {
		out = append(out, s...)
	}
	binary.LittleEndian.PutUint32(out[8:], crc32.Checksum(out[12:], castagnoli))
	return string(out)
}

// ErrDamaged is the error of a segment file that is not what was written. The
// generation must be built again.
var ErrDamaged = errors.New("the knowledge file is damaged; build it again with: answerable ingest")

// ErrVersion is the error of a segment file of another version of the program.
var ErrVersion = errors.New("the knowledge file is of another version; build it again with: answerable ingest")

func damaged(what string) error { return fmt.Errorf("%w (%s)", ErrDamaged, what) }

// split checks the header of a segment and returns its sections.
func split(data string) (sec [sections]string, err error) {
	if len(data) < headerLen || data[:len(magic)] != magic {
		return sec, damaged("it does not begin as one")
	}
	if v := uint16(data[6]) | uint16(data[7])<<8; v != version {
		return sec, fmt.Errorf("%w (%d, not %d)", ErrVersion, v, version)
	}
	if checksum(data[12:]) != le32(data, 8) {
		return sec, damaged("its checksum is wrong")
	}
	rest := data[headerLen:]
	for i := range sec {
		n := uint64(le32(data, 12+8*i)) | uint64(le32(data, 16+8*i))<<32
		if n > uint64(len(rest)) {
			return sec, damaged("it is cut off")
		}
		sec[i], rest = rest[:n], rest[n:]
	}
	if rest != "" {
		return sec, damaged("there is more after its end")
	}
	return sec, nil
}

// checksum returns the CRC-32C of s, which it does not copy as a whole.
func checksum(s string) uint32 {
	var buf [1 << 15]byte
	sum := uint32(0)
	for len(s) > 0 {
		n := copy(buf[:], s)
		sum = crc32.Update(sum, castagnoli, buf[:n])
		s = s[n:]
	}
	return sum
}

func le32(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func le64(s string, i int) uint64 {
	return uint64(le32(s, i)) | uint64(le32(s, i+4))<<32
}

// decodeGeneration opens a segment. The generation's strings are parts of data.
func decodeGeneration(data string) (*Generation, error) {
	sec, err := split(data)
	if err != nil {
		return nil, err
	}
	g := &Generation{data: data, id: digest(data), byID: map[string]int{}}
	if err := g.readDocuments(sec[secDocuments], sec[secText]); err != nil {
		return nil, err
	}
	if err := g.readChunks(sec[secChunks]); err != nil {
		return nil, err
	}
	if g.words, err = openWords(sec[secTerms], sec[secTermEnds], sec[secWords]); err != nil {
		return nil, err
	}
	if g.pairs, err = openPairs(sec[secPairKeys], sec[secPairs]); err != nil {
		return nil, err
	}
	return g, nil
}

// cursor reads a section. After a mistake ok is false, and everything is zero.
type cursor struct {
	s  string
	ok bool
}

func (c *cursor) number() uint64 {
	v, n := uvarint(c.s)
	if n <= 0 {
		c.s, c.ok = "", false
		return 0
	}
	c.s = c.s[n:]
	return v
}

// within reads a number that must not exceed limit.
func (c *cursor) within(limit int) int {
	v := c.number()
	if v > uint64(limit) {
		c.s, c.ok = "", false
		return 0
	}
	return int(v)
}

func (c *cursor) string() string {
	n := c.number()
	if n > uint64(len(c.s)) {
		c.s, c.ok = "", false
		return ""
	}
	s := c.s[:n]
	c.s = c.s[n:]
	return s
}

// uvarint is binary.Uvarint for strings; n is 0 when s holds no number.
func uvarint(s string) (v uint64, n int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		b := s[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

func (g *Generation) readDocuments(section, text string) error {
	c := cursor{section, true}
	n := c.within(len(section) / 10) // a document takes ten bytes at least
	g.docs = make([]Document, 0, n)
	for range n {
		d := Document{ID: c.string(), Title: c.string(), URL: c.string(), Language: c.string(), Hash: c.string(),
			Updated: Date(c.string()), From: Date(c.string()), Until: Date(c.string())}
		size := c.within(len(text))
		d.Text, text = text[:size], text[size:]
		headings := c.within(len(c.s) / 3)
		at, last := offsets{text: d.Text}, 0
		if headings > 0 {
			d.Headings = make([]Heading, 0, headings)
		}
		for range headings {
			level := c.within(math.MaxInt16)
			start := last + c.within(len(d.Text)-last)
			end := start + c.within(len(d.Text)-start)
			if !border(d.Text, start) || !border(d.Text, end) {
				return damaged("a heading is out of place")
			}
			h := Heading{Level: level, Text: d.Text[start:end], Start: at.codeOf(start)}
			h.End = at.codeOf(end)
			d.Headings = append(d.Headings, h)
			last = end
		}
		if !c.ok {
			return damaged("a document is cut off")
		}
		for _, s := range []string{d.ID, d.Title, d.URL, d.Text, string(d.Updated), string(d.From), string(d.Until)} {
			if !utf8.ValidString(s) {
				return damaged("a document is not text")
			}
		}
		g.dated = g.dated || d.From != "" || d.Until != ""
		g.byID[d.ID] = len(g.docs)
		g.docs = append(g.docs, d)
	}
	if !c.ok || c.s != "" || text != "" || len(g.byID) != len(g.docs) {
		return damaged("its documents")
	}
	return nil
}

// border reports whether a character begins at i, or the text ends there.
func border(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }

func (g *Generation) readChunks(section string) error {
	c := cursor{section, true}
	var title, text float64
	for i, d := range g.docs {
		n := c.within(len(c.s) / 4) // a chunk takes four bytes at least
		at, last := offsets{text: d.Text}, 0
		for range n {
			from := last + c.within(len(d.Text)-last)
			to := from + c.within(len(d.Text)-from)
			if !border(d.Text, from) || !border(d.Text, to) {
				return damaged("a chunk is out of place")
			}
			x := chunk{doc: int32(i), span: span{from, to}, start: at.codeOf(from)}
			x.end = at.codeOf(to)
			x.size = size{title: uint32(c.within(math.MaxInt32)), text: uint32(c.within(math.MaxInt32))}
			title, text = title+float64(x.size.title), text+float64(x.size.text)
			g.chunks = append(g.chunks, x)
			last = to
		}
	}
	if !c.ok || c.s != "" {
		return damaged("its chunks")
	}
	g.norms = norms(g.chunks, title, text)
	g.languages = languages(g.docs, g.chunks)
	return nil
}
