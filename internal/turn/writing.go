package turn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/lang"
	"github.com/answerable/answerable/internal/llm"
)

// writing is the answer of one life in the making: it passes the model's chunks through
// the gate and what the gate lets out to the stream, with the journal entries behind it.
type writing struct {
	turn    *chat.Turn
	journal *Journal
	gate    *guard.Gate
	// add hands on what is shown. In a replay it only collects.
	add func([]chat.Body, []chat.Entry) error
	// collect, or nil, sees all that the gate lets out, also what the store has already.
	collect func(...chat.Body)

	language string
	level    chat.Level // that the conversation last saw
	state    chat.State // likewise
	resumed  bool       // an earlier process died in the turn
	refused  bool       // the model declined
	void     bool       // what earlier lives have shown must be taken back first
	clock    time.Time  // when the attempt began
	limit    int        // of a reply's tokens
	reply    []byte     // of the attempt, for want of a count by the provider
}

func newWriting(t *chat.Turn, j *Journal, b begin, c chat.Conversation, resumed bool) (*writing, error) {
	rules := guard.Rules{Unit: b.Rules.Unit, Claims: b.Rules.Claims, Final: b.Final}
	if len(b.Rules.Forbidden) > 0 {
		f, err := guard.NewForbidden(b.Rules.Forbidden)
		if err != nil {
			return nil, fmt.Errorf("read the forbidden phrases: %w", err)
		}
		rules.Checks = append(rules.Checks, f)
	}
	language := lang.Language(string(t.Input))
	rules.Claims.Language = language
	w := &writing{language: language, turn: t, journal: j, gate: guard.NewGate(t, rules), level: c.Level, state: c.State, resumed: resumed, void: b.Void}
	if w.limit = b.Rules.Reply; w.limit == 0 {
		w.limit = 1024
	}
	if c.Shown {
		w.state = chat.ResponseGeneration
	}
	return w, nil
}

// chunk takes one chunk of the reply.
func (w *writing) chunk(ctx context.Context, c llm.Chunk) error {
	t := w.turn
	if c.Restart {
		if n := len(t.Attempts); n > 0 {
			w.closeAttempt(&t.Attempts[n-1])
			t.Attempts[n-1].Discarded = c.Error
		}
		// Not under ctx: an entry that is in the journal has its whole effect.
		if err := w.gate.Restart(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("begin the answer anew: %w", err)
		}
	}
	if c.Provider != "" {
		w.clock, w.reply = time.Now(), nil
		t.Attempts = append(t.Attempts, chat.Attempt{Provider: c.Provider, StartedAt: chat.Now()})
		switch {
		case c.Provider == "extractive" && t.Plan.Provider == "extractive":
			t.Degrade(chat.Extractive, t.Plan.Reason)
		case c.Provider == "extractive":
			t.Degrade(chat.Extractive, "no model answers at the moment")
		case c.Provider != t.Plan.Provider:
			t.Degrade(chat.Fallback, "another model than planned answers")
		}
	}
	if n := len(t.Attempts); n > 0 {
		a := &t.Attempts[n-1]
		if c.Text != "" {
			a.Chunks++
			if a.FirstTokenMS == nil {
				ms := time.Since(w.clock).Milliseconds()
				a.FirstTokenMS = &ms
			}
		}
		if c.Usage != nil {
			a.Usage = *c.Usage
		}
		if c.Finish != "" {
			a.Finish = string(c.Finish)
			w.closeAttempt(a)
		}
	}
	w.refused = c.Finish == llm.Refusal
	if c.Text != "" {
		w.reply = append(w.reply, c.Text...)
		if err := w.gate.Write(context.WithoutCancel(ctx), c.Text); err != nil {
			return fmt.Errorf("check the answer: %w", err)
		}
	}
	bodies := w.take()
	if !w.journal.live {
		// The store has what this entry showed: both became durable together.
		return nil
	}
	return w.add(append(w.preface(len(bodies) > 0), bodies...), w.journal.Take())
}

// take returns what the gate let out.
func (w *writing) take() []chat.Body {
	bodies := w.gate.Take()
	if w.void && len(bodies) > 0 {
		w.void = false
		w.turn.Retracts++
		bodies = append([]chat.Body{chat.Retracted{}}, bodies...)
	}
	if w.collect != nil {
		w.collect(bodies...)
	}
	return bodies
}

// long reports whether the reply has reached its limit; what comes after is not read.
func (w *writing) long() bool {
	// A token has a byte at least: short replies need not be counted.
	if len(w.reply) <= w.limit || lang.Tokens(string(w.reply)) <= w.limit {
		return false
	}
	if n := len(w.turn.Attempts); n > 0 && w.turn.Attempts[n-1].Finish == "" {
		w.turn.Attempts[n-1].Finish = string(llm.Length)
		w.closeAttempt(&w.turn.Attempts[n-1])
	}
	return true
}

func (w *writing) closeAttempt(a *chat.Attempt) {
	a.TotalMS = time.Since(w.clock).Milliseconds()
	w.turn.Usage = w.turn.Usage.Add(a.Usage)
	w.turn.Cost += a.Cost
}

// preface is what the customer is told before text, when it is news.
func (w *writing) preface(text bool) []chat.Body {
	if !text {
		return nil
	}
	var out []chat.Body
	if w.resumed {
		out = append(out, chat.StateChanged{From: w.state, To: chat.ErrorRecovery})
		w.state, w.resumed = chat.ErrorRecovery, false
	}
	if w.turn.Level != w.level {
		reason := w.turn.LevelReason
		if reason == "" {
			reason = "answers are as planned again"
		}
		out = append(out, chat.LevelChanged{Level: w.turn.Level, Reason: reason})
		w.level = w.turn.Level
	}
	if w.state != chat.ResponseGeneration {
		out = append(out, chat.StateChanged{From: w.state, To: chat.ResponseGeneration})
		w.state = chat.ResponseGeneration
	}
	return out
}

// note puts an error on the record.
func (w *writing) note(err error) {
	if w.turn.Error == "" {
		w.turn.Error = err.Error()
	}
}

// finish turns the error of answer into an outcome, and says so where the customer
// would else be left with half an answer or none.
func (w *writing) finish(err error) {
	t := w.turn
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Finish == "" {
		w.closeAttempt(&t.Attempts[n-1])
		if err != nil {
			t.Attempts[n-1].Discarded = err.Error()
		}
	}
	switch {
	case errors.Is(err, ErrMerged), errors.Is(err, ErrLeft), errors.Is(err, chat.Fenced):
		return // it goes on elsewhere
	case err == nil && w.gate.Shown() == "":
		t.Outcome = chat.Refused
		w.say(lineNothing)
	case err == nil && w.refused:
		t.Outcome = chat.Refused
	case err == nil:
		t.Outcome = chat.Answered
	case errors.Is(err, ErrHandedOver):
		t.Outcome = chat.HandedOver
	case errors.Is(err, ErrStopped):
		t.Outcome = chat.Stopped
	case errors.Is(err, ErrInterrupted):
		t.Outcome = chat.Interrupted
		w.note(err)
		w.say(lineInterrupted)
	default:
		t.Outcome = chat.Failed
		w.note(err)
		w.say(lineFailed)
	}
	t.Shown = w.gate.Shown()
}

// say lets a line of our own out, behind what was shown.
func (w *writing) say(line line) { w.gate.Let(line.in(w.language)) }

// rest returns what is still to be shown.
func (w *writing) rest() []chat.Body {
	bodies := w.take()
	if w.void { // nothing took its place, but it is void all the same
		w.void = false
		w.turn.Retracts++
		bodies = []chat.Body{chat.Retracted{}}
		if w.collect != nil {
			w.collect(bodies...)
		}
	}
	return append(w.preface(len(bodies) > 0), bodies...)
}
