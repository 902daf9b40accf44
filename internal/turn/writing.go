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
	"github.com/answerable/answerable/internal/llm/extractive"
)

// writing is the answer of one life in the making: it passes the model's chunks through
// the gate and what the gate lets out to the stream, with the journal entries behind it.
type writing struct {
	turn    *chat.Turn
	journal *Journal
	began   begin
	gate    *guard.Gate
	// add hands on what is shown. In a replay it only collects.
	add func([]chat.Body, []chat.Entry) error
	// collect, or nil, sees all that the gate lets out, also what the store has already.
	collect func(...chat.Body)

	language string      // of the answer
	ruled    *ruled      // what a policy says in place of an answer, or nil
	level    chat.Level  // that the conversation last saw
	state    chat.State  // likewise
	resumed  bool        // an earlier process died in the turn
	refused  bool        // the model declined, or its provider withheld text
	unsure   bool        // the model asks for a person to take over
	void     bool        // what earlier lives have shown must be taken back first
	clock    time.Time   // when the attempt began
	limit    int         // of a reply's tokens
	reply    []byte      // of the attempt, for want of a count by the provider
	parts    []chat.Part // of the whole request
	told     int         // tokens of the request, for want of a count
	withheld int         // how many of the turn's have been looked at
	price    func(provider, model string, u chat.Usage) chat.Money
}

// writing begins the answer of a life.
func (r *Runner) writing(t *chat.Turn, j *Journal, b begin, c chat.Conversation, resumed bool) (*writing, error) {
	phrases, err := r.lists.of(b.Rules)
	if err != nil {
		return nil, err
	}
	rules := guard.Rules{Unit: b.Rules.Unit, Checks: []guard.Output{phrases}, Claims: b.Rules.Claims, Final: b.Final, Sources: &r.sources}
	language := b.Rules.answersIn(lang.Language(string(t.Input)))
	rules.Claims.Language = language
	w := &writing{language: language, turn: t, journal: j, gate: guard.NewGate(t, rules), level: c.Level, state: c.State, resumed: resumed,
		began: b, void: b.Void, price: r.Price}
	w.limit = or(b.Rules.Reply, 1024)
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
			a := &t.Attempts[n-1]
			a.Discarded, a.Error, a.Fault = "failed", c.Error, string(c.Fault)
			w.closeAttempt(a)
		}
		// Not under ctx: an entry that is in the journal has its whole effect.
		if err := w.gate.Restart(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("begin the answer anew: %w", err)
		}
	}
	if c.Provider != "" {
		w.clock, w.reply = time.Now(), w.reply[:0]
		t.Attempts = append(t.Attempts, chat.Attempt{Provider: c.Provider, Model: c.Model, Reason: c.Reason, StartedAt: chat.Now()})
		switch {
		case c.Provider == extractive.Name && t.Plan.Provider == extractive.Name:
			t.Degrade(chat.Extractive, t.Plan.Reason)
		case c.Provider == extractive.Name:
			t.Degrade(chat.Extractive, "no model answers at the moment")
		case c.Provider != t.Plan.Provider || c.Model != t.Plan.Model:
			t.Degrade(chat.Fallback, "another model than planned answers")
		}
	}
	w.reply = append(w.reply, c.Text...)
	w.record(c)
	w.refused = c.Finish == llm.Refusal || c.Finish == llm.Filtered
	if c.Text != "" {
		if err := w.gate.Write(context.WithoutCancel(ctx), c.Text); err != nil {
			return fmt.Errorf("check the answer: %w", err)
		}
		w.look()
	}
	bodies := w.take()
	if !w.journal.live {
		// The store has what this entry showed: both became durable together.
		return nil
	}
	return w.add(append(w.preface(len(bodies) > 0), bodies...), w.journal.Take())
}

// record notes what a chunk tells of its attempt.
func (w *writing) record(c llm.Chunk) {
	t := w.turn
	if c.Provider != "" {
		t.Prompt = w.parts // each model gets the whole request first
	}
	if c.Prompt != nil {
		t.Prompt = c.Prompt
	}
	if c.Lost != nil {
		lost := *c.Lost
		w.cost(&lost)
		t.Attempts = append(t.Attempts, lost)
		if n := len(t.Attempts); n > 1 { // the one that goes on stays last
			t.Attempts[n-1], t.Attempts[n-2] = t.Attempts[n-2], t.Attempts[n-1]
		}
	}
	n := len(t.Attempts)
	if n == 0 {
		return
	}
	a := &t.Attempts[n-1]
	if c.Text != "" {
		a.Chunks++
		if a.FirstTokenMS == nil {
			ms := time.Since(w.clock).Milliseconds()
			a.FirstTokenMS = &ms
		}
	}
	a.Thinking += chat.Text(c.Thinking)
	a.Declined += chat.Text(c.Declined)
	if c.Usage != nil {
		a.Usage = *c.Usage
	}
	if c.Finish != "" {
		a.Finish = string(c.Finish)
		w.closeAttempt(a)
	}
}

// look finds out whether the gate withheld the line by which a model asks for a person.
func (w *writing) look() {
	for ; w.withheld < len(w.turn.Withheld); w.withheld++ {
		w.unsure = w.unsure || w.turn.Withheld[w.withheld].Check == checkUnsure
	}
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

// closeAttempt completes an attempt that is over. What its provider did not count is
// counted here.
func (w *writing) closeAttempt(a *chat.Attempt) {
	a.TotalMS = time.Since(w.clock).Milliseconds()
	if a.Usage.Input == 0 {
		a.Usage.Input = w.told
	}
	if a.Usage.Output == 0 {
		a.Usage.Output = lang.Tokens(string(w.reply)) + lang.Tokens(string(a.Thinking))
	}
	w.cost(a)
}

// cost gives an attempt its price and adds it to the turn's.
func (w *writing) cost(a *chat.Attempt) {
	if w.price != nil {
		a.Cost = w.price(a.Provider, a.Model, a.Usage)
	}
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
	var off offError
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Finish == "" {
		w.failed(&t.Attempts[n-1], err)
		w.closeAttempt(&t.Attempts[n-1])
	}
	switch {
	case errors.Is(err, ErrMerged), errors.Is(err, ErrLeft), errors.Is(err, chat.Fenced):
		return // it goes on elsewhere
	case err == nil && w.ruled != nil:
		w.follow()
	case err == nil && w.unsure && !w.began.Stateless:
		t.Outcome = chat.HandedOver
		t.Handoff = &chat.Handoff{Reason: "the documents do not give a sure answer", Trigger: checkUnsure}
		w.gate.Let(w.began.Rules.promise(w.language, w.gate.Shown())) // true with the commit that shows it
	case err == nil && w.gate.Shown() == "":
		t.Outcome = chat.Refused
		w.say(ownNothing, lineNothing)
	case err == nil && w.refused:
		t.Outcome = chat.Refused
	case err == nil:
		t.Outcome = chat.Answered
	case errors.Is(err, ErrHandedOver):
		t.Outcome = chat.HandedOver
	case errors.Is(err, ErrStopped):
		t.Outcome = chat.Stopped
	case errors.As(err, &off):
		w.switchedOff(off.Off)
	case errors.Is(err, ErrInterrupted):
		t.Outcome = chat.Interrupted
		w.note(err)
		w.say(ownInterrupted, lineInterrupted)
	default:
		t.Outcome = chat.Failed
		w.note(err)
		w.say(ownFailed, lineFailed)
	}
	t.Shown = w.gate.Shown()
}

// failed notes why an attempt did not finish.
func (w *writing) failed(a *chat.Attempt, err error) {
	switch {
	case err == nil && w.unsure:
		a.Discarded = "a person was asked for"
	case isCut(err), errors.Is(err, ErrLeft), errors.Is(err, chat.Fenced):
		a.Discarded = err.Error()
	case err != nil:
		a.Discarded, a.Error = "failed", err.Error()
		var e *llm.Error
		if errors.As(err, &e) {
			a.Fault = string(e.Fault)
		}
	}
}

// say lets a line out, behind what was shown: the assistant's own or ours.
func (w *writing) say(own func(Line) string, ours line) {
	w.gate.Let(w.began.Rules.say(w.language, own, ours))
}

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
