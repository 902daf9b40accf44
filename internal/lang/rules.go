package lang

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
)

// rules turn words of one language into terms.
type rules struct {
	stem  func(*snowballstem.Env) bool // nil: words stay as they are
	stop  map[string]bool              // folded
	elide bool                         // articles are tied on by an apostrophe: l'ordine
	tied  bool                         // endings are tied on by an apostrophe: İzmir'den
	cache []atomic.Pointer[cached]

	endings []ending
}

// ending is one that the stemmer knows only with the accent that Fold removed.
type ending struct{ folded, accented string }

// endings by language. The others lose next to nothing by folding before stemming,
// and gain that words typed without accents are found.
var endings = map[string][]ending{
	"es": {{"cion", "ción"}, {"sion", "sión"}},
	"pt": {{"cao", "ção"}, {"coes", "ções"}, {"sao", "são"}, {"soes", "sões"}},
}

// cached is a word that was met lately, and its term.
type cached struct {
	word, term string
	stop       bool
}

// Each language keeps at most cacheSize words of at most maxCached bytes each. A
// word lives in the one slot that its hash names, so hostile text can only evict.
const (
	cacheSize = 1 << 14
	maxCached = 48
)

var seed = maphash.MakeSeed()

// ruleBook makes the rules of a language when it is first met.
var ruleBook = map[string]func() *rules{
	"en": book("en", english.Stem),
	"de": book("de", german.Stem),
	"fr": book("fr", french.Stem),
	"es": book("es", spanish.Stem),
	"it": book("it", italian.Stem),
	"pt": book("pt", portuguese.Stem),
	"nl": book("nl", dutch.Stem),
	"ru": book("ru", russian.Stem),
	"sv": book("sv", swedish.Stem),
	"da": book("da", danish.Stem),
	"no": book("no", norwegian.Stem),
	"fi": book("fi", finnish.Stem),
	"hu": book("hu", hungarian.Stem),
	"ro": book("ro", romanian.Stem),
	"tr": book("tr", turkish.Stem),
	"ar": book("ar", arabic.Stem),
	"pl": book("pl", nil),
	"uk": book("uk", nil),
	"vi": book("vi", nil),
	"el": book("el", nil),
	"hi": book("hi", nil),
}

func book(language string, stem func(*snowballstem.Env) bool) func() *rules {
	return sync.OnceValue(func() *rules {
		return &rules{
			stem:  stem,
			stop:  stopSet(language),
			elide: language == "fr" || language == "it",
			tied:  language == "tr",
			cache: make([]atomic.Pointer[cached], cacheSize),

			endings: endings[language],
		}
	})
}

func rulesOf(language string) *rules {
	if r, ok := ruleBook[language]; ok {
		return r()
	}
	return ruleBook["en"]()
}

// term returns the term of one word, and whether it is a stop word.
func (r *rules) term(word string) (string, bool) {
	if len(word) > maxCached {
		return r.compute(word)
	}
	slot := &r.cache[maphash.String(seed, word)%cacheSize]
	if c := slot.Load(); c != nil && c.word == word {
		return c.term, c.stop
	}
	term, stop := r.compute(word)
	slot.Store(&cached{strings.Clone(word), strings.Clone(term), stop})
	return term, stop
}

func (r *rules) compute(word string) (term string, stop bool) {
	w := cut(Fold(word))
	if r.stop[w] {
		return w, true
	}
	if i := strings.IndexByte(w, '\''); i >= 0 {
		w = r.unelide(w, i)
		if r.stop[w] {
			return w, true
		}
	}
	if r.stem == nil {
		return w, false
	}
	env := snowballstem.NewEnv(r.accented(w))
	r.stem(env)
	if s := env.Current(); s != "" {
		return Fold(s), false
	}
	return w, false
}

// accented gives a folded word the accent back that its ending must have.
func (r *rules) accented(w string) string {
	for _, e := range r.endings {
		if rest, ok := strings.CutSuffix(w, e.folded); ok && len(rest) > 1 {
			return rest + e.accented
		}
	}
	return w
}

// unelide removes what an apostrophe at i ties to the word: the article before it
// or the ending after it.
func (r *rules) unelide(w string, i int) string {
	switch {
	case r.elide && i <= 5 && i+1 < len(w):
		return w[i+1:]
	case r.tied && i > 0:
		return w[:i]
	case strings.HasSuffix(w, "'s"):
		return w[:len(w)-2]
	}
	return w
}
