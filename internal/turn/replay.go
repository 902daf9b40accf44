package turn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/llm"
)

// Replayed is what the customer saw of a turn: texts, retracts and citations in order
// (neighbouring texts joined), and its end. How text was cut into events, numbers and
// times are not part of it.
type Replayed struct {
	Shown   []chat.Body
	Outcome chat.Outcome
	Text    chat.Text
}

// Seen reads from a turn's events what Replay must reproduce.
func Seen(events []chat.Event) (Replayed, error) {
	var r Replayed
	for _, e := range events {
		switch e.Kind {
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			if err != nil {
				return r, err
			}
			r.show(b)
		case chat.KindRetract:
			r.show(chat.Retracted{})
		case chat.KindCitation:
			b, err := chat.Decode[chat.Cited](e)
			if err != nil {
				return r, err
			}
			r.show(b)
		case chat.KindTurnEnded:
			b, err := chat.Decode[chat.TurnEnded](e)
			if err != nil {
				return r, err
			}
			r.Outcome, r.Text = b.Outcome, b.Text
		}
	}
	return r, nil
}

func (r *Replayed) show(bodies ...chat.Body) {
	for _, b := range bodies {
		switch b := b.(type) {
		case chat.TextShown:
			if n := len(r.Shown); n > 0 {
				if before, ok := r.Shown[n-1].(chat.TextShown); ok {
					r.Shown[n-1] = chat.TextShown{Text: before.Text + b.Text}
					continue
				}
			}
			r.Shown = append(r.Shown, chat.TextShown{Text: b.Text})
		case chat.Retracted, chat.Cited:
			r.Shown = append(r.Shown, b)
		}
	}
}

// Replay answers a turn again from its journal alone: every effect comes from there, so
// neither network nor store nor index is asked.
func Replay(ctx context.Context, past chat.PastTurn) (Replayed, error) {
	var all Replayed
	lives, err := livesOf(past.Journal)
	if err != nil {
		return all, err
	}
	record := past.Record
	for i, entries := range lives {
		var b begin
		if err := json.Unmarshal(entries[0].Result, &b); err != nil {
			return all, fmt.Errorf("read the journal: %w", err)
		}
		if b.Nonce == "" {
			b.Nonce = "of an earlier build" // no model is asked
		}
		if !b.Void {
			all = Replayed{} // a life that another followed had shown nothing
		}
		j := &Journal{entries: entries, pos: 1, sealed: true, atEnd: ErrMerged}
		if i == len(lives)-1 {
			j.atEnd = ErrHandedOver // the only end that the turn does not write itself
		}
		r := &Runner{Model: &llm.Client{Models: llm.Only(nobody{})}, Store: nowhere{}, Build: b.Build,
			Knowledge: nowhere{}}
		o := chat.OpenTurn{ID: record.ID, Messages: b.Messages, Final: b.Final, Stateless: b.Stateless, Lives: 1,
			Conversation: chat.Conversation{ID: record.Conversation, Customer: record.Customer, Assistant: record.Assistant}}
		w, err := r.writing(r.record(o, b), j, b, o.Conversation, false)
		if err != nil {
			return all, err
		}
		w.add = func([]chat.Body, []chat.Entry) error { return nil }
		w.collect = all.show
		err = r.answer(ctx, o, w)
		if errors.Is(err, errDiffers) {
			return all, err
		}
		if errors.Is(err, ErrMerged) {
			continue
		}
		w.finish(err)
		w.rest()
		all.Outcome, all.Text = w.turn.Outcome, w.turn.Shown
	}
	if len(lives) == 0 {
		all.Outcome = chat.HandedOver // it never began
	}
	return all, ctx.Err()
}

// livesOf cuts a journal at its begins.
func livesOf(entries []chat.Entry) ([][]chat.Entry, error) {
	var out [][]chat.Entry
	for i, e := range entries {
		switch {
		case e.Step == stepBegin:
			out = append(out, nil)
		case e.Step == stepCut && len(out) == 0: // switched off before it had begun
			out = append(out, []chat.Entry{{Step: stepBegin, Result: json.RawMessage(`{}`)}})
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("%w: it begins with %q", errDiffers, entries[i].Step)
		}
		out[len(out)-1] = append(out[len(out)-1], e)
	}
	return out, nil
}

// nobody and nowhere are the world of a replay: whoever asks them has left the journal.
type nobody struct{}

func (nobody) Name() string { return "replay" }
func (nobody) Stream(context.Context, llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) { yield(llm.Chunk{}, errDiffers) }
}

type nowhere struct{}

func (nowhere) History(context.Context, chat.OpenTurn, int) ([]chat.Message, error) {
	return nil, errDiffers
}
func (nowhere) Settle(context.Context, chat.Fence, chat.Ending) (chat.TurnID, error) {
	return "", errDiffers
}
func (nowhere) Stream(chat.OpenTurn) Stream { return nil }
func (nowhere) Find(context.Context, knowledge.Query) (knowledge.Found, error) {
	return knowledge.Found{}, errDiffers
}

// Differs says how r differs from what was seen, or "".
func (r Replayed) Differs(seen Replayed) string {
	switch {
	case r.Outcome != seen.Outcome:
		return fmt.Sprintf("the outcome is %s, was %s", r.Outcome, seen.Outcome)
	case r.Text != seen.Text:
		return fmt.Sprintf("the text is %q, was %q", string(r.Text), string(seen.Text))
	}
	for i := range max(len(r.Shown), len(seen.Shown)) {
		if i >= len(r.Shown) || i >= len(seen.Shown) || r.Shown[i] != seen.Shown[i] {
			return fmt.Sprintf("what was shown differs from part %d on", i+1)
		}
	}
	return ""
}

// Differs reports whether an error of Replay means that the journal does not fit this
// binary.
func Differs(err error) bool { return errors.Is(err, errDiffers) }
