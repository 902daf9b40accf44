package guard

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

// maxPhrase is the length of the longest forbidden phrase, in code points.
const maxPhrase = 200

// Forbidden withholds text that has one of a list of phrases. Phrases are found as
// whole words, however they are written (see folding). Korean endings do not make
// another word; scripts without spaces have no whole words. A Forbidden may be used by
// many goroutines. The zero value forbids nothing.
//
// The Gate does more for it than for other checks: it follows the text character by
// character, so that a phrase is also found across sentences and any amount of white
// space between its words.
type Forbidden struct{ *automaton }

// NewForbidden returns a check for these phrases.
func NewForbidden(phrases []string) (Forbidden, error) {
	return NewLists(List{Check: Forbidden{}.Name(), Phrases: phrases})
}

// List are phrases that are forbidden for one reason.
type List struct {
	Check   string // the name that verdicts on them bear
	Phrases []string
	// Ends: a sentence with one of them is withheld before any other check sees it, and
	// nothing that follows it is let out.
	Ends bool
}

// NewLists returns one check for the phrases of all lists.
func NewLists(lists ...List) (Forbidden, error) {
	var all, ending automaton
	for _, l := range lists {
		folded, err := foldAll(l.Phrases)
		if err != nil {
			return Forbidden{}, err
		}
		for i, p := range l.Phrases {
			all.add(l.Check, p, folded[i])
			if l.Ends {
				ending.add(l.Check, p, folded[i])
			}
		}
	}
	if len(all.phrases) == 0 {
		return Forbidden{}, nil
	}
	all.build()
	if len(ending.phrases) > 0 {
		ending.build()
		all.ending = &ending
	}
	return Forbidden{&all}, nil
}

func foldAll(phrases []string) ([][]byte, error) {
	folded := make([][]byte, 0, len(phrases))
	for i, p := range phrases {
		if strings.TrimSpace(p) == "" {
			return nil, fmt.Errorf("forbidden phrase %d is empty: remove it or write what may not be said", i+1)
		}
		if !utf8.ValidString(p) {
			return nil, fmt.Errorf("forbidden phrase %d is not valid UTF-8: save the file as UTF-8", i+1)
		}
		if n := utf8.RuneCountInString(p); n > maxPhrase {
			return nil, fmt.Errorf("forbidden phrase %d has %d characters, at most %d are allowed: forbid its telling part", i+1, n, maxPhrase)
		}
		f := foldPhrase(p)
		if f == nil {
			return nil, fmt.Errorf("forbidden phrase %d, %q, has no letter or digit: it would be found nearly everywhere", i+1, p)
		}
		folded = append(folded, f)
	}
	return folded, nil
}

// foldPhrase folds a phrase as it must stand in a folded text, or returns nil if
// nothing is left by which to know it.
func foldPhrase(p string) []byte {
	var f folding
	var b []byte
	var last rune
	for _, r := range p {
		b = f.fold(b, r)
	}
	if f.word {
		b = append(b, edge)
	}
	telling := false
	for _, r := range string(b) {
		telling = telling || unicode.IsLetter(r) || unicode.IsNumber(r)
		if r != edge && r != ' ' {
			last = r
		}
	}
	if !telling {
		return nil
	}
	b = []byte(strings.Trim(string(b), " "))
	if unicode.Is(unicode.Hangul, last) && b[len(b)-1] == edge {
		b = b[:len(b)-1]
	}
	return b
}

func (Forbidden) Name() string { return "forbidden" }

// Hold is the length of the longest phrase when it is written as in the list.
func (f Forbidden) Hold() Hold {
	if f.automaton == nil {
		return 0
	}
	n := 0
	for _, p := range f.phrases {
		n = max(n, utf8.RuneCountInString(p))
	}
	return Hold(n)
}

// Check finds the first phrase in a whole text.
func (f Forbidden) Check(_ context.Context, _ *chat.Turn, text chat.Text) (chat.Verdict, error) {
	v := chat.Verdict{Check: f.Name(), Action: chat.Allow}
	if f.automaton == nil {
		return v, nil
	}
	var p place
	offsets, h := f.follow(&p, string(text), nil)
	if h.phrase < 0 {
		h = f.finish(p, len(offsets))
	}
	if h.phrase < 0 {
		return v, nil
	}
	v = f.verdict(h.phrase)
	last := h.end - 1
	if f.edged(h.phrase) {
		last--
	}
	start := int(offsets[h.end-f.lengths[h.phrase]])
	end := int(offsets[last])
	for i, r := range string(text[end:]) {
		if i > 0 && !unicode.IsMark(r) {
			break
		}
		end = int(offsets[last]) + i + utf8.RuneLen(r)
	}
	v.Start = utf8.RuneCountInString(string(text[:start]))
	v.End = v.Start + utf8.RuneCountInString(string(text[start:min(end, len(text))]))
	return v, nil
}

// automaton finds phrases in folded text, as Aho and Corasick do ("Efficient string
// matching", 1975): its state is the longest end of the text that begins a phrase. The
// transitions of all states are spelled out, over the bytes that occur in phrases.
type automaton struct {
	phrases []string
	checks  []string // of the phrases: on whose behalf they are looked for
	folded  [][]byte
	lengths []int      // of the folded phrases
	class   [256]uint8 // of each byte; 0 for those in no phrase
	classes int
	next    []int32    // state*classes + class → state
	depth   []int32    // of a state: length of the beginning of a phrase that it stands for
	found   []int32    // of a state: 1 + the longest phrase that ends in it, or 0
	ending  *automaton // of the lists that end an answer, or nil
}

func (a *automaton) add(check, phrase string, folded []byte) {
	a.phrases, a.checks, a.folded = append(a.phrases, phrase), append(a.checks, check), append(a.folded, folded)
}

// build makes the automaton of the phrases.
func (a *automaton) build() {
	a.classes = 1
	for _, p := range a.folded {
		a.lengths = append(a.lengths, len(p))
		for _, b := range p {
			if a.class[b] == 0 {
				a.class[b] = uint8(a.classes) // at most 245 bytes occur in UTF-8
				a.classes++
			}
		}
	}
	a.state(0)
	for i, p := range a.folded {
		state := int32(0)
		for _, b := range p {
			at := int(state)*a.classes + int(a.class[b])
			if a.next[at] == 0 {
				a.next[at] = a.state(a.depth[state] + 1)
			}
			state = a.next[at]
		}
		if a.found[state] == 0 {
			a.found[state] = int32(i) + 1
		}
	}
	a.link()
}

func (a *automaton) state(depth int32) int32 {
	a.next = append(a.next, make([]int32, a.classes)...)
	a.depth = append(a.depth, depth)
	a.found = append(a.found, 0)
	return int32(len(a.depth) - 1)
}

// link turns the tree of phrases into the automaton, level by level.
func (a *automaton) link() {
	fail := make([]int32, len(a.depth))
	queue := []int32{0}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		if a.found[state] == 0 {
			a.found[state] = a.found[fail[state]]
		}
		row := a.next[int(state)*a.classes:][:a.classes]
		back := a.next[int(fail[state])*a.classes:][:a.classes]
		for c, child := range row {
			switch {
			case child == 0:
				row[c] = back[c]
			default:
				if state != 0 {
					fail[child] = back[c]
				}
				queue = append(queue, child)
			}
		}
	}
}

// place is where in a text an automaton is. The zero value stands at the start.
type place struct {
	folding
	state int32
}

// hit is a phrase that was found, or -1; it ends behind the end-th folded byte.
type hit struct{ phrase, end int }

// follow reads on from p, up to the first phrase. It appends to offsets the offset in
// text of each folded byte.
func (a *automaton) follow(p *place, text string, offsets []int32) ([]int32, hit) {
	var buf [64]byte
	state, classes := p.state, a.classes
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r < utf8.RuneSelf && p.word && asciiKind[r] == wordly { // nearly all of most texts
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			state = a.next[int(state)*classes+int(a.class[r])]
			offsets = append(offsets, int32(i))
			if f := a.found[state]; f != 0 {
				p.state = state
				return offsets, hit{int(f) - 1, len(offsets)}
			}
			i++
			continue
		}
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		for _, b := range p.fold(buf[:0], r) {
			state = a.next[int(state)*classes+int(a.class[b])]
			offsets = append(offsets, int32(i))
			if f := a.found[state]; f != 0 {
				p.state = state
				return offsets, hit{int(f) - 1, len(offsets)}
			}
		}
		i += n
	}
	p.state = state
	return offsets, hit{phrase: -1}
}

// finish finds the phrase that is whole if the text ends at p, after n folded bytes.
func (a *automaton) finish(p place, n int) hit {
	if p.word {
		if f := a.found[a.next[int(p.state)*a.classes+int(a.class[edge])]]; f != 0 {
			return hit{int(f) - 1, n + 1}
		}
	}
	return hit{phrase: -1}
}

// edged reports whether a phrase ends with the edge of a word, which belongs to the
// character behind it.
func (a *automaton) edged(phrase int) bool {
	f := a.folded[phrase]
	return f[len(f)-1] == edge
}

// behind returns the place behind text, which stands behind p and may have phrases.
func (a *automaton) behind(p place, text string) place {
	_, h := a.follow(&p, text, nil)
	if h.phrase >= 0 || a.finish(p, 0).phrase >= 0 {
		return place{}
	}
	return p
}

func (a *automaton) verdict(phrase int) chat.Verdict {
	return chat.Verdict{
		Check:  a.checks[phrase],
		Action: chat.Block,
		Reason: fmt.Sprintf("forbidden phrase %q", a.phrases[phrase]),
	}
}

// merge returns an automaton that finds the phrases of all, or nil.
func merge(all []*automaton) *automaton {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	var m automaton
	var ending []*automaton
	for _, a := range all {
		for i, p := range a.phrases {
			m.add(a.checks[i], p, a.folded[i])
		}
		if a.ending != nil {
			ending = append(ending, a.ending)
		}
	}
	m.build()
	m.ending = merge(ending)
	return &m
}
