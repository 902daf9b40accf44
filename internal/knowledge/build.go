package knowledge

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/lang"
)

// Build makes a generation of documents. Their order does not matter: the same
// documents always make the same generation, byte for byte. Without documents it is
// one in which nothing is found.
func Build(docs []Document) (*Generation, error) {
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b Document) int { return cmp.Compare(a.ID, b.ID) })
	b := builder{ids: map[string]int32{}, count: map[int32]tf{}}
	for i := range docs {
		d := &docs[i]
		if i > 0 && docs[i-1].ID == d.ID {
			return nil, fmt.Errorf("build the generation: two documents have the id %q", d.ID)
		}
		if err := check(*d); err != nil {
			return nil, fmt.Errorf("build the generation: document %q: %w", d.ID, err)
		}
		if d.Language == "" {
			d.Language = lang.Language(d.Text)
		}
		d.Hash = d.hash()
	}
	usual := usualLanguage(docs)
	for i := range docs {
		docs[i].Language = cmp.Or(docs[i].Language, usual)
		b.add(docs[i])
	}
	data, err := encode(docs, &b)
	if err != nil {
		return nil, fmt.Errorf("build the generation: %w", err)
	}
	return decodeGeneration(data)
}

// usualLanguage returns the language of most documents. Those too short to tell are
// read by its rules: under foreign ones, its stop words would look like rare words.
func usualLanguage(docs []Document) string {
	count := map[string]int{}
	for _, d := range docs {
		count[d.Language]++
	}
	delete(count, "")
	best := "en"
	for language, n := range count {
		if n > count[best] || n == count[best] && language < best {
			best = language
		}
	}
	return best
}

func check(d Document) error {
	if d.ID == "" {
		return errors.New("no id")
	}
	for _, s := range []string{d.ID, d.Title, d.URL, d.Text, string(d.Updated), string(d.From), string(d.Until)} {
		if !utf8.ValidString(s) {
			return errors.New("not valid UTF-8")
		}
	}
	end, runes := 0, utf8.RuneCountInString(d.Text)
	for _, h := range d.Headings {
		if h.Start < end || h.End < h.Start || h.End > runes || h.Level < 1 {
			return fmt.Errorf("the heading %q at %d to %d is out of place", h.Text, h.Start, h.End)
		}
		end = h.End
	}
	return nil
}

// builder gathers the chunks of all documents, and their postings.
type builder struct {
	perDoc [][]span
	sizes  []size // of each chunk

	ids   map[string]int32 // of terms, as they were met
	terms []string
	lists []list
	pairs []pair

	count map[int32]tf // of the chunk at hand
}

// size is the number of words in the fields of a chunk.
type size struct{ title, text uint32 }

// tf is how often a term stands in the fields of a chunk.
type tf struct{ title, text uint32 }

// pair is how often a pair of words stands in a chunk.
type pair struct {
	key         uint64
	chunk       uint32
	title, text uint16
}

// list is the postings of one term so far.
type list struct {
	chunks int
	last   int // chunk
	bytes  []byte
}

// add appends a posting: the distance from the chunk before, the frequency in the
// text with a flag for the title, and the frequency there.
func (l *list) add(chunk int, f tf) {
	head := uint64(f.text) << 1
	if f.title > 0 {
		head |= 1
	}
	l.bytes = binary.AppendUvarint(l.bytes, uint64(chunk-l.last))
	l.bytes = binary.AppendUvarint(l.bytes, head)
	if f.title > 0 {
		l.bytes = binary.AppendUvarint(l.bytes, uint64(f.title))
	}
	l.last = chunk
	l.chunks++
}

func (b *builder) add(d Document) {
	title := words(d.Title, d.Language)
	spans := chunks(d)
	outline := outlineOf(d)
	at := offsets{text: d.Text}
	for _, s := range spans {
		text := words(d.Text[s.from:s.to], d.Language)
		start := at.codeOf(s.from)
		above := [][]lang.Term{title}
		headings, _ := outline.sections(start, at.codeOf(s.to))
		for _, h := range headings {
			if h.Text != d.Title {
				above = append(above, words(h.Text, d.Language))
			}
		}
		b.index(above, text)
	}
	b.perDoc = append(b.perDoc, spans)
}

// index adds the next chunk.
func (b *builder) index(title [][]lang.Term, text []lang.Term) {
	chunk := len(b.sizes)
	sz := size{text: uint32(len(text))}
	for _, t := range text {
		id := b.id(t.Text)
		f := b.count[id]
		f.text++
		b.count[id] = f
	}
	first := len(b.pairs)
	eachPair(text, func(key uint64, _ lang.Term) { b.pairs = append(b.pairs, pair{key, uint32(chunk), 0, 1}) })
	for _, terms := range title {
		sz.title += uint32(len(terms))
		for _, t := range terms {
			id := b.id(t.Text)
			f := b.count[id]
			f.title++
			b.count[id] = f
		}
		eachPair(terms, func(key uint64, _ lang.Term) { b.pairs = append(b.pairs, pair{key, uint32(chunk), 1, 0}) })
	}
	for id, f := range b.count { // each term has its own list, so the order of the map does not show
		b.lists[id].add(chunk, f)
	}
	clear(b.count)
	b.pairs = mergePairs(b.pairs, first)
	b.sizes = append(b.sizes, sz)
}

func (b *builder) id(term string) int32 {
	id, ok := b.ids[term]
	if !ok {
		id = int32(len(b.terms))
		term = strings.Clone(term)
		b.ids[term] = id
		b.terms = append(b.terms, term)
		b.lists = append(b.lists, list{last: -1})
	}
	return id
}

// mergePairs sums up equal pairs among those of one chunk, which begin at first.
func mergePairs(pairs []pair, first int) []pair {
	own := pairs[first:]
	slices.SortFunc(own, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	out := pairs[:first]
	for _, p := range own {
		if n := len(out); n > first && out[n-1].key == p.key {
			out[n-1].title = uint16(min(int(out[n-1].title)+int(p.title), math.MaxUint16))
			out[n-1].text = uint16(min(int(out[n-1].text)+int(p.text), math.MaxUint16))
			continue
		}
		out = append(out, p)
	}
	return out
}

// sortedTerms returns the ids of the terms in the order of their texts.
func (b *builder) sortedTerms() []int32 {
	return slices.SortedFunc(maps.Values(b.ids), func(x, y int32) int { return cmp.Compare(b.terms[x], b.terms[y]) })
}

// sortedPairs orders the pairs by key, then chunk.
func (b *builder) sortedPairs() []pair {
	slices.SortFunc(b.pairs, func(x, y pair) int {
		if c := cmp.Compare(x.key, y.key); c != 0 {
			return c
		}
		return cmp.Compare(x.chunk, y.chunk)
	})
	return b.pairs
}
