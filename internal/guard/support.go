package guard

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// covered is the share of a claim's content words that the words which support it must
// have.
const covered = 0.6

// contributes is the share that each of several passages must add.
const contributes = 0.2

// span is words of a passage, in bytes of its text.
type span struct{ passage, start, end int }

// word is a word or a punctuation mark of a text, folded.
type word struct {
	text       string
	start, end int
	punct      bool
}

// claim is a sentence that needs support.
type claim struct {
	words   []word // as they are searched for: without punctuation at the ends
	content []string
	facts   []string // numbers and identifiers
	negated bool
}

func newClaim(sentence, language string) claim {
	body := sentence[listMarker(sentence):]
	cl := claim{words: words(body)}
	for len(cl.words) > 0 && cl.words[0].punct {
		cl.words = cl.words[1:]
	}
	for n := len(cl.words); n > 0 && cl.words[n-1].punct; n = len(cl.words) {
		cl.words = cl.words[:n-1]
	}
	cl.content, cl.facts = content(body, language)
	cl.negated = negations(words(body))%2 == 1
	return cl
}

// listMarker returns the length of the list or heading marker at the start of s.
func listMarker(s string) int {
	rest := strings.TrimLeft(s, "#>-*+•·| \t")
	if digits := strings.TrimLeft(rest, "0123456789"); len(digits) < len(rest) && len(rest)-len(digits) <= 3 {
		if tail := strings.TrimLeft(digits, ".)"); len(tail) == len(digits)-1 && strings.HasPrefix(tail, " ") {
			rest = tail
		}
	}
	return len(s) - len(rest)
}

// content returns the content words of text and its numbers and identifiers, each once.
func content(text, language string) (words, facts []string) {
	terms := lang.Terms(text, language)
	for i := 0; i < len(terms); i++ {
		t := terms[i]
		parts := 0 // of a compound, which stand behind it
		for i+1+parts < len(terms) && terms[i+1+parts].End <= t.End {
			parts++
		}
		if parts > 0 {
			if !decimal(t.Text) {
				continue // its parts are compared
			}
			i += parts
			t.Text = strings.ReplaceAll(t.Text, ",", ".")
		}
		if t.Stop {
			continue
		}
		if strings.ContainsFunc(t.Text, unicode.IsDigit) && !slices.Contains(facts, t.Text) {
			facts = append(facts, t.Text)
		}
		if !slices.Contains(words, t.Text) {
			words = append(words, t.Text)
		}
	}
	return words, facts
}

// decimal reports whether s is digits with points or commas between.
func decimal(s string) bool {
	return strings.Trim(s, "0123456789.,") == "" && strings.ContainsAny(s, ".,")
}

// sources are the passages of a turn, made ready for comparing.
type sources struct {
	language string
	passages []source
}

type source struct {
	text  string
	words []word
	units []evidence
}

// evidence is a sentence of a passage.
type evidence struct {
	start, end int // in bytes, without the white space around it
	content    map[string]bool
	negations  int
}

func (e evidence) negated() bool { return e.negations%2 == 1 }

func newSources(passages []chat.Passage, language string, known *Sources) *sources {
	s := &sources{language: language, passages: make([]source, len(passages))}
	for i, p := range passages {
		s.passages[i] = known.source(string(p.Text), language)
	}
	return s
}

func newSource(text, language string) source {
	src := source{text: text, words: words(text)}
	at := 0
	for _, sp := range unitsOf(text) {
		head, body, _ := trim(text[sp.Start:sp.End])
		if body == "" {
			continue
		}
		e := evidence{start: sp.Start + len(head), content: map[string]bool{}}
		e.end = e.start + len(body)
		terms, _ := content(body, language)
		for _, t := range terms {
			e.content[t] = true
		}
		first := at
		for at < len(src.words) && src.words[at].start < e.end {
			at++
		}
		e.negations = negations(src.words[first:at])
		src.units = append(src.units, e)
	}
	return src
}

// unitsOf cuts a passage into sentences, and a table that has no bars around its rows,
// as text from HTML has, into these.
func unitsOf(text string) []lang.Span {
	var out []lang.Span
	for _, sp := range lang.Sentences(text) {
		if piece := text[sp.Start:sp.End]; strings.Contains(piece, " | ") {
			for line := range strings.Lines(piece) {
				out = append(out, lang.Span{Start: sp.Start, End: sp.Start + len(line)})
				sp.Start += len(line)
			}
			continue
		}
		out = append(out, sp)
	}
	return out
}

// support returns the words of a passage that support cl: the very words of cl, or else
// the sentence, or two neighbouring ones, with
//
//   - at least the share covered of the content words of cl,
//   - all of its numbers and identifiers,
//   - as much negation: an odd number of negating words in cl and in the sentence that
//     has most of its words, or in neither,
//
// unless a sentence of any passage that is negated otherwise has more of cl's words.
// Words are compared as lang.Terms gives them. White space, Markdown and the kind of
// quotation marks do not count.
func (s *sources) support(cl claim, passage int) (span, bool) {
	sp, _, ok := s.passages[passage].support(cl, s.against(cl))
	sp.passage = passage
	return sp, ok
}

// best returns the words that support cl best in any passage.
func (s *sources) best(cl claim) (best span, ok bool) {
	most, against := 0.0, s.against(cl)
	for i, src := range s.passages {
		if sp, share, found := src.support(cl, against); found && share > most {
			most, ok = share, true
			best = span{i, sp.start, sp.end}
		}
	}
	return best, ok
}

// against returns the greatest share of the content words of cl in a sentence that is
// negated otherwise.
func (s *sources) against(cl claim) float64 {
	most := 0.0
	for _, src := range s.passages {
		for i, e := range src.units {
			if e.negated() != cl.negated {
				most = max(most, coverage(src.units[i:i+1], cl.content))
			}
		}
	}
	return most
}

// support returns the words of one passage that support cl, and the share of the
// content words of cl that they have, which must be at least as great as against.
func (src source) support(cl claim, against float64) (sp span, share float64, ok bool) {
	if sp, ok := src.verbatim(cl); ok {
		return sp, 2, true // better than all content words
	}
	if len(cl.content) == 0 {
		return span{}, 0, false
	}
	share = max(covered, against)
	for size := 1; size <= 2 && !ok; size++ {
		for i := 0; i+size <= len(src.units); i++ {
			units := src.units[i : i+size]
			c := coverage(units, cl.content)
			if c < share || ok && c == share || chief(units, cl).negated() != cl.negated || !has(units, cl.facts) {
				continue
			}
			sp, share, ok = span{start: units[0].start, end: units[size-1].end}, c, true
		}
	}
	return sp, share, ok
}

// chief returns the sentence that has most of the content words of cl.
func chief(units []evidence, cl claim) evidence {
	best := 0
	for i := range units {
		if coverage(units[i:i+1], cl.content) > coverage(units[best:best+1], cl.content) {
			best = i
		}
	}
	return units[best]
}

// verbatim finds the words of cl in the passage. A part of a sentence that is negated
// elsewhere does not count.
func (src source) verbatim(cl claim) (span, bool) {
	if len(cl.words) < 2 {
		return span{}, false
	}
	same := func(a, b word) bool { return a.text == b.text }
	for i := 0; i+len(cl.words) <= len(src.words); i++ {
		if src.words[i].text != cl.words[0].text || !slices.EqualFunc(src.words[i:i+len(cl.words)], cl.words, same) {
			continue
		}
		sp := span{start: src.words[i].start, end: src.words[i+len(cl.words)-1].end}
		n := 0
		for _, e := range src.units {
			if e.start < sp.end && sp.start < e.end {
				n += e.negations
				sp.end = stopBehind(src.text, sp.end, e.end)
			}
		}
		if n%2 == 1 == cl.negated {
			return sp, true
		}
	}
	return span{}, false
}

// stopBehind returns the end of the punctuation that closes a sentence directly behind i.
func stopBehind(text string, i, end int) int {
	if i > end || strings.ContainsFunc(text[i:end], func(r rune) bool { return !unicode.IsPunct(r) }) {
		return i
	}
	return end
}

// together returns the best sentence of each passage if these support cl in common.
func (s *sources) together(cl claim, passages []int) []span {
	var units []evidence
	var spans []span
	for _, i := range passages {
		best, most := -1, contributes
		for j, e := range s.passages[i].units {
			if c := coverage([]evidence{e}, cl.content); c >= most && (best < 0 || c > most) {
				best, most = j, c
			}
		}
		if best < 0 {
			continue
		}
		e := s.passages[i].units[best]
		units = append(units, e)
		spans = append(spans, span{i, e.start, e.end})
	}
	n := 0
	for _, e := range units {
		n += e.negations
	}
	if len(cl.content) == 0 || coverage(units, cl.content) < covered || !has(units, cl.facts) || n%2 == 1 != cl.negated {
		return nil
	}
	return spans
}

// coverage returns the share of terms that units have.
func coverage(units []evidence, terms []string) float64 {
	if len(terms) == 0 {
		return 0
	}
	n := 0
	for _, t := range terms {
		for i := range units {
			if units[i].content[t] {
				n++
				break
			}
		}
	}
	return float64(n) / float64(len(terms))
}

// has reports whether units have all of terms.
func has(units []evidence, terms []string) bool {
	for _, t := range terms {
		if !slices.ContainsFunc(units, func(e evidence) bool { return e.content[t] }) {
			return false
		}
	}
	return true
}

// words returns the words and punctuation of text. Markdown does not count, nor which
// of several quotation marks or dashes is used. Scripts without spaces between words
// give single characters.
func words(text string) []word {
	out := make([]word, 0, len(text)/5)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			if !unicode.IsSpace(r) && !strings.ContainsRune("*_~`#>|\\", r) && !unicode.Is(unicode.Cf, r) {
				out = append(out, word{plainPunct(r), i, i + n, true})
			}
			i += n
			continue
		}
		end := i + n
		for end < len(text) && !unspaced(r) {
			q, n := utf8.DecodeRuneInString(text[end:])
			if !unicode.IsLetter(q) && !unicode.IsNumber(q) && !unicode.IsMark(q) && q != '\u00ad' || unspaced(q) {
				break
			}
			end += n
		}
		out = append(out, word{lang.Fold(text[i:end]), i, end, false})
		i = end
	}
	return out
}

func plainPunct(r rune) string {
	switch {
	case strings.ContainsRune("“”„‟«»″「」『』", r):
		return "\""
	case strings.ContainsRune("‘’‚‹›′ʼ", r):
		return "'"
	case unicode.Is(unicode.Pd, r), r == '−':
		return "-"
	}
	return string(r)
}

// wordsOf returns the words of text alone, by which two sentences are the same.
func wordsOf(text string) string {
	var b strings.Builder
	for _, w := range words(without(text, findMarks(text))) {
		if !w.punct {
			b.WriteString(w.text)
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// negations counts the words that turn a sentence into its opposite.
func negations(words []word) int {
	n := 0
	for i, w := range words {
		switch {
		case negating[w.text], strings.HasPrefix(w.text, "kein"):
			n++
		case w.text == "t" && i > 1 && words[i-1].text == "'" && strings.HasSuffix(words[i-2].text, "n"):
			n++ // don't
		case w.text == "い" && i > 0 && words[i-1].text == "な":
			n++
		case w.text == "ん" && i > 1 && words[i-1].text == "せ" && words[i-2].text == "ま":
			n++
		}
	}
	return n
}

var negating = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`
		not no never none neither nor cannot without dont doesnt cant wont nobody nothing nowhere
		nicht nie niemals ohne nichts niemand nein
		pas jamais sans aucun aucune rien
		nunca jamas sin ningun ninguna ninguno nada
		non mai senza nessun nessuno nessuna
		nao sem nenhum nenhuma
		niet geen nooit zonder niets
		inte ej aldrig utan ingen inga inget ikke aldri intet uden uten
		nie nigdy bez brak
		не нет никогда без нельзя ни немає ніколи
		degil yok hayir
		لا ليس لم لن بدون
		नहीं मत
		δεν μη χωρις
		khong
		不 没 沒 无 無 未 非 别 別`) {
		m[lang.Fold(w)] = true
	}
	return m
}()
