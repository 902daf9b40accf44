package knowledge

import (
	"cmp"
	"slices"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// Query is a question and what was said before it.
type Query struct {
	Text    chat.Text
	History []chat.Message // oldest first
	At      time.Time      // when it is asked; the zero time is now
	Limit   int            // passages at most; 0 is 5
	Tokens  int            // of all passages together at most; 0 is 1,500
}

// Hit is a chunk that a search found.
type Hit struct {
	Document   string
	Start, End int     // of the chunk in the document's text, in code points
	Score      float64 // Words + Pairs
	Words      float64 // BM25F of the words
	Pairs      float64 // of the pairs of neighbouring words, already weighted
	Worth      float64 // Words, counted in words that a single chunk has: the same in small and large bases

	chunk int32
}

// How much what was said earlier counts, beside 1 for the question itself: by who
// said it, by how many turns ago, and less for long turns, which a customer asks
// about only in part. Measured on two sets of conversations (docs/decisions.md).
const (
	customerTurn = 0.3
	otherTurn    = 0.4
	turnDecay    = 0.85
	fullWords    = 8 // a turn of so many words counts fully, a longer one so much less
)

// Bounds on the work of one search, for questions that are made to be slow.
const (
	maxTerms       = 512
	maxRepairs     = 12
	maxTurns       = 40
	maxLanguages   = 4
	repairedWeight = 0.7
)

// askingWeight is what words count that say that something is asked rather than what
// ("how long does it take to get …"). In a small base they are rare and would decide.
// At .25 nDCG@10 rose by .003 on both sets of conversations and stayed on scifact.
const askingWeight = 0.25

// What another word for one of the question's counts, and for one that no document has.
// At .6 for the first, nDCG@10 fell by .001 on doc2dial.
const (
	synonymWeight = 0.4
	insteadWeight = 0.6
)

// asking are such words, as terms. Only English ones were measured.
var asking = func() map[string]bool {
	m := map[string]bool{}
	for _, t := range lang.Terms(`take get long want need help tell know find use give say something anything someone anyone
		much many make way thing like look see possible able happen work come go put may might shall let ask question
		explain please hello hi thank`, "en") {
		m[t.Text] = true
	}
	return m
}()

// Search returns the k chunks that fit q best, best first, of the documents that are
// valid on its day. Limit and Tokens of q do not matter.
func (g *Generation) Search(q Query, k int) []Hit {
	return g.search(g.parse(q), k)
}

func (g *Generation) search(p parsed, k int) []Hit {
	t := tally{norms: g.norms, scores: make([]score, len(g.chunks))}
	for _, w := range p.words.list {
		t.add(g.words.find(w.key), w.weight, false)
	}
	for _, w := range p.pairs.list {
		t.add(g.pairs.find(w.key), w.weight*pairWeight, true)
	}
	if g.dated {
		t.seen = slices.DeleteFunc(t.seen, func(n int32) bool { return !g.docs[g.chunks[n].doc].validOn(p.day) })
	}
	top, one := t.top(k), rarity(1, float64(len(g.chunks)))*(k1+1)
	hits := make([]Hit, len(top))
	for i, n := range top {
		c, s := g.chunks[n], t.scores[n]
		hits[i] = Hit{
			Document: g.docs[c.doc].ID, Start: c.start, End: c.end, chunk: n,
			Score: float64(s.total()), Words: float64(s.words), Pairs: float64(s.pairs),
			Worth: float64(s.words) / one,
		}
	}
	return hits
}

// parsed is a query as the index understands it.
type parsed struct {
	words weights[string]
	pairs weights[uint64]
	day   Date
}

// weights is what a query asks for, each thing once, in the order of first mention:
// sums over it are the same every time.
type weights[K comparable] struct {
	at   map[K]int
	list []weighted[K]
}

type weighted[K comparable] struct {
	key     K
	weight  float64
	surface string // as it was first written
	said    int    // where: 0 is the question, 1 the turn before it
}

// asSynonym in weighted.said is for a word that nobody said.
const asSynonym = -1

func (w *weights[K]) add(x weighted[K]) {
	if i, ok := w.at[x.key]; ok {
		w.list[i].weight += x.weight
		return
	}
	if w.at == nil {
		w.at = map[K]int{}
	}
	w.at[x.key] = len(w.list)
	w.list = append(w.list, x)
}

// merge takes over what v has and w has not, or with less weight.
func (w *weights[K]) merge(v weights[K]) {
	for _, x := range v.list {
		if i, ok := w.at[x.key]; ok {
			w.list[i].weight = max(w.list[i].weight, x.weight)
			continue
		}
		w.add(x)
	}
}

// heaviest drops all but the n with the most weight.
func (w *weights[K]) heaviest(n int) {
	if len(w.list) > n {
		slices.SortStableFunc(w.list, func(x, y weighted[K]) int { return cmp.Compare(y.weight, x.weight) })
		w.list, w.at = w.list[:n], nil
	}
}

// saying is a text and how much it counts.
type saying struct {
	text   string
	weight float64
}

// sayings returns the question and what was said before it, latest first.
func sayings(q Query) []saying {
	out := []saying{{string(q.Text), 1}}
	far := 1.0
	for _, m := range slices.Backward(q.History) {
		if len(out) > maxTurns {
			break
		}
		w := otherTurn
		if m.Role == chat.Customer {
			w = customerTurn
		}
		out = append(out, saying{string(m.Text), w * far})
		far *= turnDecay
	}
	return out
}

// parse turns a query into weighted words and pairs. Where the documents have
// several languages, the query is read by the rules of each; what comes out the same
// counts once.
func (g *Generation) parse(q Query) parsed {
	out := parsed{day: dateOf(q.At)}
	if q.At.IsZero() {
		out.day = dateOf(time.Now())
	}
	says := sayings(q)
	fix := repairer{words: g.words, left: maxRepairs, done: map[string]string{}}
	for n, language := range g.languages {
		var p parsed
		var same []weighted[string]
		for said, s := range says {
			terms := g.content(s.text, language)
			weight := s.weight
			if said > 0 {
				weight *= min(1, fullWords/float64(max(1, len(terms))))
			}
			for i, t := range terms {
				w := weighted[string]{t.Text, weight, s.text[t.Start:t.End], said}
				if asking[t.Text] {
					w.weight *= askingWeight
				}
				if n == 0 { // repairs by the rules of the commonest language will do
					if known := fix.repair(t.Text); known != t.Text {
						w.key, w.weight = known, weight*repairedWeight
						terms[i].Text = known
					}
				}
				p.words.add(w)
				if said == 0 {
					same = append(same, g.synonyms(w, language)...)
				}
			}
			eachPair(terms, func(key uint64, t lang.Term) {
				p.pairs.add(weighted[uint64]{key, weight, s.text[t.Start:t.End], said})
			})
		}
		out.words.merge(p.words)
		for _, w := range same { // behind the question's own words, which they must not outweigh
			out.words.merge(weights[string]{list: []weighted[string]{w}})
		}
		out.pairs.merge(p.pairs)
	}
	out.words.heaviest(maxTerms)
	out.pairs.heaviest(maxTerms)
	return out
}

// synonyms returns other words for w, which count less.
func (g *Generation) synonyms(w weighted[string], language string) []weighted[string] {
	like, near := lang.Synonyms(w.key, language)
	weight := w.weight * synonymWeight
	if g.words.find(w.key) == "" {
		like, weight = slices.Concat(like, near), w.weight*insteadWeight
	}
	out := make([]weighted[string], len(like))
	for i, s := range like {
		out[i] = weighted[string]{s, weight, w.surface, asSynonym}
	}
	return out
}

// content returns the terms of text that can tell documents apart. Among documents
// of several languages, the stop words of the text's own language cannot either.
func (g *Generation) content(text, language string) []lang.Term {
	terms := words(text, language)
	if len(g.languages) < 2 {
		return terms
	}
	own := cmp.Or(lang.Language(text), g.languages[0])
	if own == language {
		return terms
	}
	stop := map[int]bool{}
	for _, t := range lang.Terms(text, own) {
		if t.Stop {
			stop[t.Start] = true
		}
	}
	return slices.DeleteFunc(terms, func(t lang.Term) bool { return stop[t.Start] })
}
