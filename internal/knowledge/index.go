package knowledge

import (
	"math"
	"sort"
)

// The parameters of BM25F, measured on three sets of questions (docs/decisions.md).
const (
	k1          = 1.6
	b           = 0.75
	titleWeight = 2.5
	pairWeight  = 0.3
)

// norm divides the frequencies of a chunk's fields by how long they are.
type norm struct{ title, text float32 }

// norms returns 1/(1-b+b·length/average) for each chunk, the title's times its weight.
func norms(chunks []chunk, titleWords, textWords float64) []norm {
	n := float64(len(chunks))
	title, text := max(titleWords/n, 1e-9), max(textWords/n, 1e-9)
	out := make([]norm, len(chunks))
	for i, c := range chunks {
		out[i].title = float32(titleWeight / (1 - b + b*float64(c.size.title)/title))
		out[i].text = float32(1 / (1 - b + b*float64(c.size.text)/text))
	}
	return out
}

// wordIndex is a sorted vocabulary and its postings, read in place.
type wordIndex struct{ terms, ends, postings string }

// pairIndex is a sorted list of keys and their postings, read in place.
type pairIndex struct{ keys, postings string }

func openWords(terms, ends, postings string) (wordIndex, error) {
	x := wordIndex{terms, ends, postings}
	if len(ends)%8 != 0 || !ascending(ends, 8, 0, len(terms)) || !ascending(ends, 8, 4, len(postings)) {
		return x, damaged("its vocabulary")
	}
	return x, nil
}

func openPairs(keys, postings string) (pairIndex, error) {
	x := pairIndex{keys, postings}
	if len(keys)%12 != 0 || !ascending(keys, 12, 8, len(postings)) {
		return x, damaged("its pairs")
	}
	return x, nil
}

// ascending reports whether the 32-bit numbers at offset at of each step bytes never
// fall, and end with last.
func ascending(s string, step, at, last int) bool {
	before := uint32(0)
	for i := at; i < len(s); i += step {
		v := le32(s, i)
		if v < before {
			return false
		}
		before = v
	}
	return int64(before) == int64(last)
}

func (x wordIndex) len() int { return len(x.ends) / 8 }

// part returns the i-th of the pieces that end at the 32-bit numbers in ends.
func part(s, ends string, i, step, at int) string {
	start := uint32(0)
	if i > 0 {
		start = le32(ends, (i-1)*step+at)
	}
	return s[start:le32(ends, i*step+at)]
}

func (x wordIndex) term(i int) string { return part(x.terms, x.ends, i, 8, 0) }

func (x wordIndex) list(i int) string { return part(x.postings, x.ends, i, 8, 4) }

// find returns the postings of a term, or "".
func (x wordIndex) find(term string) string {
	i := sort.Search(x.len(), func(i int) bool { return x.term(i) >= term })
	if i == x.len() || x.term(i) != term {
		return ""
	}
	return x.list(i)
}

// chunks returns in how many chunks the i-th term is.
func (x wordIndex) chunks(i int) int {
	n, _ := uvarint(x.list(i))
	return int(min(n, math.MaxInt32))
}

// find returns the postings of a pair, or "".
func (x pairIndex) find(key uint64) string {
	n := len(x.keys) / 12
	i := sort.Search(n, func(i int) bool { return le64(x.keys, 12*i) >= key })
	if i == n || le64(x.keys, 12*i) != key {
		return ""
	}
	return part(x.postings, x.keys, i, 12, 8)
}

// tally adds up scores by chunk.
type tally struct {
	norms  []norm
	scores []score
	seen   []int32 // chunks with a score
}

type score struct{ words, pairs float32 }

func (s score) total() float32 { return s.words + s.pairs }

// rarity is what a term tells that n of so many chunks have: BM25's inverse frequency.
func rarity(n, chunks float64) float64 { return math.Log(1 + (chunks-n+0.5)/(n+0.5)) }

// add adds the BM25F score of one term or pair of the query, whose weight there is
// weight, to each chunk that has it. Postings that make no sense end the list.
func (t *tally) add(postings string, weight float64, pairs bool) {
	n, at := uvarint(postings)
	chunks := float64(len(t.norms))
	if at == 0 || float64(n) > chunks {
		return
	}
	w := float32(weight * rarity(float64(n), chunks) * (k1 + 1))
	for c := -1; at < len(postings); {
		gap, m := postingNumber(postings[at:])
		at += m
		head, m := postingNumber(postings[at:])
		at += m
		if m == 0 || gap == 0 || gap > uint64(len(t.norms)-1-c) {
			return
		}
		c += int(gap)
		f := float32(head>>1) * t.norms[c].text
		if head&1 == 1 {
			v, m := postingNumber(postings[at:])
			at += m
			f += float32(v) * t.norms[c].title
		}
		if !(f > 0) {
			continue
		}
		s := &t.scores[c]
		if *s == (score{}) {
			t.seen = append(t.seen, int32(c))
		}
		if add := w * f / (k1 + f); pairs {
			s.pairs += add
		} else {
			s.words += add
		}
	}
}

// postingNumber is uvarint with a short way for small numbers, which nearly all are.
func postingNumber(s string) (uint64, int) {
	if len(s) > 0 && s[0] < 0x80 {
		return uint64(s[0]), 1
	}
	return uvarint(s)
}

// top returns the k chunks with the highest scores, best first; of equals, the
// earlier in the order of documents.
func (t *tally) top(k int) []int32 {
	worse := func(x, y int32) bool {
		a, b := t.scores[x].total(), t.scores[y].total()
		return a < b || a == b && x > y
	}
	k = min(k, len(t.seen))
	if k <= 0 {
		return nil
	}
	h := t.seen[:k:k] // a heap with the worst on top
	down := func(i, n int) {
		for {
			c := 2*i + 1
			if c >= n {
				return
			}
			if c+1 < n && worse(h[c+1], h[c]) {
				c++
			}
			if !worse(h[c], h[i]) {
				return
			}
			h[c], h[i] = h[i], h[c]
			i = c
		}
	}
	for i := k/2 - 1; i >= 0; i-- {
		down(i, k)
	}
	for _, c := range t.seen[k:] {
		if worse(h[0], c) {
			h[0] = c
			down(0, k)
		}
	}
	for n := k - 1; n > 0; n-- {
		h[0], h[n] = h[n], h[0]
		down(0, n)
	}
	return h
}
