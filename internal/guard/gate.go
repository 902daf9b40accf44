package guard

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// Rules are what a Gate goes by.
type Rules struct {
	Unit   chat.Unit // default: chat.Sentence
	Checks []Output
	Claims Claims // the citation check, which sees whole sentences
	// Sources, or nil, keeps passages that were read for the citation check.
	Sources *Sources
	// Final: what was shown cannot be taken back. The unit is chat.Sentence, and after
	// a restart the text goes on where it is.
	Final bool
}

// Gate is the writer between a model and a customer. The text of the model goes in by
// [Gate.Write], and what the customer may see comes out of [Gate.Take].
//
// In unit chat.Sentence a sentence, list item, heading, table row or line of code is
// shown when all checks have seen it. In unit chat.Word words are shown as soon as the
// checks with a Hold in code points have seen that much behind them (the first word of an
// answer even before its end), and the rest of
// the checks follow when the sentence is whole; if one then withholds it, everything is
// taken back and the good text shown again. A check with Hold Sentence has it wait for
// whole sentences in either unit.
//
// What is shown in the end depends only on the text, not on how it was cut into
// chunks; and the same chunks always yield the same bodies. A Gate is used by one
// goroutine.
type Gate struct {
	turn      *chat.Turn
	checks    []Output // in the order of the rules, but for the forbidden phrases
	forbidden *automaton
	claims    *claims
	final     bool
	words     bool // words are shown before their sentence is whole
	over      bool // a phrase that ends the answer was found

	reply   strings.Builder // of the model, since it began (anew)
	start   int             // what begins here waits for the end of its unit
	split   lang.Splitter   // stands at start
	gap     string          // the white space before the next unit
	item    string          // the marker of a list item whose first sentence was withheld
	waiting []unit          // passed, but their end may be the beginning of a forbidden phrase
	said    map[string]bool // what may not be repeated after a restart, or nil

	shown   shown
	place   place // of the forbidden phrases, at the end of the settled text
	offsets []int32
}

// unit is a text that has passed.
type unit struct {
	raw    string // as the model wrote it
	gap    string // what stands before it, see Gate.sep
	text   string // gap and text, as it will be shown
	marks  []int  // the citations in it
	known  int    // how many citations there were before it
	after  place  // of the forbidden phrases, behind it
	folded int    // its length in folded bytes
}

// NewGate returns the gate for turn t, on whose record it writes Verdicts, Withheld,
// Citations and Retracts. The passages of t are read when the first sentence is checked.
func NewGate(t *chat.Turn, r Rules) *Gate {
	g := &Gate{turn: t, final: r.Final, words: r.Unit == chat.Word && !r.Final}
	g.claims = newClaims(t, r.Claims, r.Sources, g.words)
	var lists []*automaton
	for _, c := range r.Checks {
		if f, ok := c.(Forbidden); ok {
			if f.automaton != nil {
				lists = append(lists, f.automaton)
			}
			continue
		}
		g.checks = append(g.checks, c)
		if c.Hold() == Sentence {
			g.words = false
		}
	}
	g.forbidden = merge(lists)
	return g
}

// Write takes the text of one chunk. It returns an error only when ctx has ended; what
// waits then stays unseen.
func (g *Gate) Write(ctx context.Context, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.reply.WriteString(text)
	return g.advance(ctx, false)
}

// Close says that the reply is whole: the rest of it is checked and let out.
func (g *Gate) Close(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := g.advance(ctx, true); err != nil {
		return err
	}
	g.finish()
	g.begin(joined(g.gap, " "))
	return nil
}

// Restart says that the model starts anew. What waits is dropped. What was let out is
// taken back; if the rules say that it cannot be, the new text goes on behind it, less
// the sentences that were shown before.
func (g *Gate) Restart(context.Context) error {
	g.forget()
	if !g.final {
		g.begin("")
		if g.shown.empty() {
			return nil
		}
		g.shown.clear(g.turn)
		g.place = place{}
		return nil
	}
	g.begin(joined(g.gap, " "))
	g.said = map[string]bool{}
	text := string(g.Shown())
	for _, s := range lang.Sentences(text) {
		if key := wordsOf(text[s.Start:s.End]); key != "" {
			g.said[key] = true
		}
	}
	return nil
}

// Let lets a line of our own out, unchecked, as a paragraph behind what was shown. What
// waits is dropped.
func (g *Gate) Let(text string) {
	g.forget()
	if !g.shown.empty() {
		text = "\n\n" + text
	}
	g.shown.let(text)
	if g.forbidden != nil {
		g.place = g.forbidden.behind(g.place, text)
	}
	g.begin("\n\n")
}

// Take returns what may be shown since the last Take, in order: a chat.Cited stands
// before the chat.TextShown with its mark, and a chat.Retracted voids all text before
// it. Neighbouring texts are one. The caller owns the slice.
func (g *Gate) Take() []chat.Body { return g.shown.take() }

// Shown returns all text let out since it was last taken back.
func (g *Gate) Shown() chat.Text { return chat.Text(g.shown.text.String()) }

// begin makes ready for a reply that stands behind gap.
func (g *Gate) begin(gap string) {
	g.reply.Reset()
	g.over = false
	g.start, g.split, g.gap, g.item = 0, lang.Splitter{}, gap, ""
}

// forget drops what waits, and the citations that only it has.
func (g *Gate) forget() {
	if len(g.waiting) > 0 {
		g.claims.forget(g.waiting[0].known)
		g.waiting = g.waiting[:0]
	}
}

// advance checks the units that are whole.
func (g *Gate) advance(ctx context.Context, last bool) error {
	for !g.over {
		text := g.reply.String()[g.start:]
		n, code := g.next(text, last)
		if n == 0 {
			break
		}
		g.start += n
		if err := g.unit(ctx, text[:n], code); err != nil {
			return err
		}
	}
	if g.words && !last && !g.over {
		return g.preview(ctx)
	}
	return nil
}

// next returns the length of the first unit of text, or 0, and whether it is code.
func (g *Gate) next(text string, last bool) (n int, code bool) {
	most := longestSentence
	if g.words {
		most = longestPreview
	}
	before := g.split
	n = cut(&g.split, text, most, last)
	return n, n > 0 && (before.Code() || g.split.Code())
}

// unit checks the next unit of the reply and lets it out, or withholds it.
func (g *Gate) unit(ctx context.Context, raw string, code bool) error {
	head, body, tail := trim(raw)
	g.gap = joined(g.gap, head)
	if body == "" {
		g.gap = joined(g.gap, tail)
		return nil
	}
	u := unit{raw: body, gap: g.sep(), known: g.claims.given()}
	why, err := g.judge(ctx, &u, code)
	if err != nil {
		return err
	}
	if why.Action == chat.Block {
		g.withhold(u, why)
	}
	if why.Action == chat.Block || !g.push(u) {
		g.item = g.item + itemMarker(body)
	} else {
		g.item = ""
	}
	if strings.Contains(tail, "\n") {
		g.item = ""
	}
	g.gap = joined(g.gap, tail)
	g.release()
	return nil
}

// sep returns what stands before the next unit: white space, but not at the start of
// the text, and the marker of its list item if the sentence behind that was withheld.
func (g *Gate) sep() string {
	if g.shown.settled == 0 && len(g.waiting) == 0 {
		return g.item
	}
	return g.gap + g.item
}

// judge asks the checks about u, whose text it sets. The verdict returned is Block if
// one of them withholds it.
func (g *Gate) judge(ctx context.Context, u *unit, code bool) (chat.Verdict, error) {
	if g.said != nil && !code && g.said[wordsOf(u.raw)] {
		return chat.Verdict{Check: "repeat", Action: chat.Block, Reason: "it was said before"}, nil
	}
	if v := g.ends(ctx, u.raw); v.Action == chat.Block {
		g.record(v)
		g.over = true
		return v, nil
	}
	text, v := u.raw, chat.Verdict{}
	if !code {
		text, u.marks, v = g.claims.check(u.raw)
		g.record(v)
		if v.Action == chat.Block {
			return v, nil
		}
	}
	for _, c := range g.checks {
		before := ""
		if hold := c.Hold(); hold > 0 {
			before = g.before(int(hold)) + u.gap
		}
		v, err := run(ctx, c, g.turn, before+text)
		if err != nil {
			return v, err
		}
		if v.Action == chat.Redact {
			rest, same := strings.CutPrefix(string(v.Text), before)
			_, rest, _ = trim(rest)
			if !same || rest == "" {
				v.Action = chat.Block
			}
			text = rest
		}
		g.record(v)
		if v.Action == chat.Block {
			return v, nil
		}
	}
	kept := u.marks[:0]
	for _, m := range u.marks {
		if strings.Contains(text, "["+strconv.Itoa(m)+"]") {
			kept = append(kept, m)
		}
	}
	u.marks = kept
	u.text = u.gap + text
	return chat.Verdict{Action: chat.Allow}, nil
}

// ends looks for a phrase that ends the answer.
func (g *Gate) ends(ctx context.Context, text string) chat.Verdict {
	if g.forbidden == nil || g.forbidden.ending == nil {
		return chat.Verdict{}
	}
	v, _ := Forbidden{g.forbidden.ending}.Check(ctx, g.turn, chat.Text(text)) // it cannot fail
	return v
}

// record puts a verdict that is more than "allow" on the record.
func (g *Gate) record(v chat.Verdict) {
	if v.Action != chat.Allow {
		g.turn.Verdicts = append(g.turn.Verdicts, v)
	}
}

// before returns at least the last n code points of what stands before the next unit.
func (g *Gate) before(n int) string {
	s := ""
	for i := len(g.waiting) - 1; i >= 0 && utf8.RuneCountInString(s) < n; i-- {
		s = g.waiting[i].text + s
	}
	if m := n - utf8.RuneCountInString(s); m > 0 {
		s = lastRunes(g.shown.text.String()[:g.shown.settled], m) + s
	}
	return s
}

// push puts u behind what waits, unless that makes a forbidden phrase: then all units
// that the phrase touches are withheld. It reports whether u was put there.
func (g *Gate) push(u unit) bool {
	for g.forbidden != nil {
		p := g.end()
		var h hit
		g.offsets, h = g.forbidden.follow(&p, u.text, g.offsets[:0])
		if h.phrase < 0 {
			u.after, u.folded = p, len(g.offsets)
			break
		}
		v := g.forbidden.verdict(h.phrase)
		g.record(v)
		length, end := g.forbidden.lengths[h.phrase], h.end
		if g.forbidden.edged(h.phrase) {
			length, end = length-1, end-1
		}
		g.dropBack(length-end, v)
		if end > 0 {
			g.withhold(u, v)
			return false
		}
		// The phrase ended with the unit before; u stands behind another now.
		u.text = g.sep() + u.text[len(u.gap):]
		u.gap = g.sep()
	}
	g.waiting = append(g.waiting, u)
	g.gap = ""
	return true
}

// end returns the place of the forbidden phrases behind all that has passed.
func (g *Gate) end() place {
	if n := len(g.waiting); n > 0 {
		return g.waiting[n-1].after
	}
	return g.place
}

// dropBack withholds the waiting units that the last n folded bytes touch.
func (g *Gate) dropBack(n int, v chat.Verdict) {
	i := len(g.waiting)
	for ; i > 0 && n > 0; i-- {
		n -= g.waiting[i-1].folded
	}
	dropped := g.waiting[i:]
	g.waiting = g.waiting[:i]
	gap := ""
	for _, u := range dropped {
		space, _, _ := trim(u.gap)
		gap = joined(gap, space)
	}
	g.gap = joined(gap, g.gap)
	for _, u := range dropped {
		g.withhold(u, v)
	}
}

// withhold drops u, which stands behind all that has passed. If a part of it has been
// shown, that is taken back.
func (g *Gate) withhold(u unit, v chat.Verdict) {
	g.turn.Withheld = append(g.turn.Withheld, chat.Withheld{Text: chat.Text(u.raw), Check: v.Check, Reason: v.Reason})
	g.claims.forget(u.known)
	if last, _ := utf8.DecodeLastRuneInString(u.raw); g.gap == "" && !unspaced(last) && !strings.ContainsRune("。！？｡", last) {
		g.gap = " " // a piece of a long word: what stood around it is not one word
	}
	passed := 0
	for _, w := range g.waiting {
		passed += len(w.text)
	}
	if g.shown.ahead() > passed {
		g.shown.retract(g.turn)
	}
}

// release lets out the waiting units behind which no forbidden phrase can be coming.
func (g *Gate) release() {
	n := len(g.waiting)
	if g.forbidden != nil {
		for live := int(g.forbidden.depth[g.end().state]); n > 0 && live > 0; n-- {
			live -= g.waiting[n-1].folded
		}
	}
	g.settle(n)
}

// settle lets out the first n waiting units.
func (g *Gate) settle(n int) {
	for _, u := range g.waiting[:n] {
		for _, m := range u.marks {
			g.shown.cite(g.turn, g.claims.citation(m))
		}
		g.shown.settle(g.turn, u.text)
		g.place = u.after
	}
	g.waiting = append(g.waiting[:0], g.waiting[n:]...)
}

// finish decides what waits when nothing more will come.
func (g *Gate) finish() {
	for g.forbidden != nil && len(g.waiting) > 0 {
		h := g.forbidden.finish(g.end(), 0)
		if h.phrase < 0 {
			break
		}
		v := g.forbidden.verdict(h.phrase)
		g.record(v)
		g.dropBack(g.forbidden.lengths[h.phrase]-1, v)
	}
	g.settle(len(g.waiting))
}
