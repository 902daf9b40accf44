package guard

import (
	"context"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/chat"
)

// preview shows the words of the sentence that is being written, as far as no check
// could still object to them: up to a mark, to what may become a forbidden phrase, and
// to what a check has not seen its Hold behind. If something is found, nothing more is
// shown until the sentence is whole.
func (g *Gate) preview(ctx context.Context) error {
	if len(g.waiting) > 0 {
		return nil
	}
	head, body, _ := trim(g.reply.String()[g.start:])
	if body == "" {
		return nil
	}
	if g.said != nil {
		return nil // whether a sentence repeats another shows at its end
	}
	gap := g.item
	if g.shown.settled > 0 {
		gap = joined(g.gap, head) + g.item
	}
	text := gap + g.reply.String()[g.start+len(head):]
	text = text[:runes(text, longestPreview)]
	if i := strings.IndexAny(text, "[【"); i >= 0 {
		text = text[:i]
	}
	limit := len(text)
	if g.forbidden != nil {
		p := g.place
		var h hit
		g.offsets, h = g.forbidden.follow(&p, text, g.offsets[:0])
		live := int(g.forbidden.depth[p.state])
		if h.phrase >= 0 || live > len(g.offsets) {
			return nil
		}
		if live > 0 {
			limit = int(g.offsets[len(g.offsets)-live])
		}
	}
	for _, c := range g.checks {
		hold := int(c.Hold())
		if hold > 0 {
			limit = min(limit, len(text)-len(lastRunes(text, hold)))
		}
		v, err := run(ctx, c, g.turn, g.before(hold)+text)
		if err != nil {
			return err
		}
		if v.Action != chat.Allow && v.Action != chat.Flag {
			return nil
		}
	}
	end := border(text, limit)
	if end == 0 && limit == len(text) && g.shown.empty() {
		// The first word of an answer need not wait for the next to show that it is whole:
		// the customer waits for it, and what could become forbidden is held back anyhow.
		end = len(strings.TrimRightFunc(text, unicode.IsSpace))
	}
	if end > len(gap) {
		g.shown.preview(text[:end])
	}
	return nil
}
