// Package turn answers messages. Runner.answer is the product in one function: named
// steps in the order in which they happen. What the outside did comes in through the
// Journal, what the customer sees goes out through the gate, and everything that
// happened is on the record, chat.Turn.
package turn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/lang"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/extractive"
	"github.com/answerable/answerable/internal/prompt"
)

// Store is what a turn needs of the store.
type Store interface {
	// History returns the last limit messages that the turn follows on, oldest first.
	History(ctx context.Context, o chat.OpenTurn, limit int) ([]chat.Message, error)
	// Settle ends the turn in one transaction and returns the turn that comes next, or "".
	Settle(ctx context.Context, f chat.Fence, e chat.Ending) (chat.TurnID, error)
	// Stream appends what the turn shows.
	Stream(o chat.OpenTurn) Stream
}

// Stream appends what a turn shows and the journal behind it, in one commit each.
type Stream interface {
	// Add does not wait. Its error is that of an earlier commit.
	Add(bodies []chat.Body, entries []chat.Entry) error
	// Rest takes back what is not durable.
	Rest(ctx context.Context) (bodies []chat.Body, entries []chat.Entry, err error)
	// ShownAt is when the first text was durable, or the zero time.
	ShownAt() time.Time
}

// Knowledge finds passages.
type Knowledge interface {
	Find(ctx context.Context, q knowledge.Query) (knowledge.Found, error)
}

// Rules are what a turn goes by in what it shows. They are part of the journal, so that a
// replay needs nothing else.
type Rules struct {
	Unit      chat.Unit    `json:"unit"`
	Forbidden []string     `json:"forbidden,omitempty"`
	Claims    guard.Claims `json:"claims"`
	Reply     int          `json:"reply,omitempty"`  // tokens of a reply; 0 is 1,024
	Canary    string       `json:"canary,omitempty"` // stands in the instructions, and must never be shown
	// Languages are those that are answered in, as package lang calls them: the first where
	// the customer's is not among them. None: any.
	Languages []string `json:"languages,omitempty"`
	Lines     []Line   `json:"lines,omitempty"`  // the assistant's own
	Policy    bool     `json:"policy,omitempty"` // a policy decides which messages are answered
}

// Limits bound a turn. Zero means the default.
type Limits struct {
	Whole    time.Duration // from the first message's acceptance to the end; default 60s
	Settle   time.Duration // for the commit that ends it; default 10s
	History  int           // messages before the turn that are read; default 20, of at most historyTokens
	Passages int           // default 5
	Tokens   int           // of all passages together, notices included; default 1500
	Prompt   int           // tokens that a model is told; default 8,000
	Calls    int           // of models that cost; default 8
	Paid     int           // tokens of these calls, in and out; default 100,000
}

// Runner answers the messages of one assistant, by one release and one generation. It is
// safe for concurrent use.
type Runner struct {
	Assistant string
	Company   string // whose customers are answered, for the model; "" where it is not said
	Persona   Persona
	Policies  guard.Policies
	Release   string
	Build     string
	Store     Store
	Knowledge Knowledge // the generation to search; nil: none
	Model     *llm.Client
	Rules     Rules
	Limits    Limits
	Notices   func(at time.Time) []chat.Notice                      // those in force for the assistant; nil: none
	Price     func(provider, model string, u chat.Usage) chat.Money // nil: nothing has a price
	Log       *slog.Logger

	lists   lists
	sources guard.Sources
}

// Persona is what the model is told of itself and its company, beside our rules.
type Persona struct {
	Name         string
	Style        string
	Languages    []string // as written by the company; of Rules.Languages
	Tell         []string // sentences of policies
	Instructions string
}

// Job is a turn in the hands of this process, over all its lives here.
type Job struct {
	Open    chat.OpenTurn
	Record  chat.Turn // of the last life; complete when the turn has ended
	journal Journal
	void    []chat.Attempt // of lives before this one
}

// NewJob takes a turn up where the store has it.
func NewJob(o chat.OpenTurn) *Job {
	return &Job{Open: o, journal: Journal{entries: o.Journal}}
}

// Merge goes on with the turn as the store has it after messages were merged into it.
func (job *Job) Merge(o chat.OpenTurn) { job.Open = o }

// deaths is how many processes may die in a turn before it is given up.
const deaths = 2

// ErrLeft is the cause with which the context of a turn is cancelled when the process
// ends: the turn stays open, and the next process goes on with it.
var ErrLeft = errors.New("the server is shutting down")

// Run answers the messages of a job and settles it. It returns the turn that comes next
// in the conversation, or "". ErrMerged means that the turn has more messages now, or
// another owner: the store knows. Another error means that the store failed and that
// the turn is still open.
func (r *Runner) Run(ctx context.Context, job *Job) (next chat.TurnID, err error) {
	o, j := job.Open, &job.journal
	rules := r.Rules
	rules.Claims.Off = r.Knowledge == nil // what has no documents cannot cite them
	rules.Policy = !r.Policies.Empty()
	began, err := j.start(begin{Messages: o.Messages, Rules: rules, Build: r.Build, Release: r.Release, Nonce: rand.Text(), Final: o.Final,
		Stateless: o.Stateless, Void: o.Conversation.Shown, Notices: r.notices(o)})
	if err != nil {
		return "", err
	}
	deadline := o.AcceptedAt.Add(or(r.Limits.Whole, time.Minute))
	switch {
	case o.Stop:
		j.atEnd = ErrStopped
	case o.Off != nil:
		j.atEnd = offError{r.resolved(*o.Off, o.Stateless, o.Messages)}
	case o.Lives > deaths || o.Stateless && o.Lives > 1 || began.Release != r.Release || time.Now().After(deadline):
		j.atEnd = ErrInterrupted
	}
	limited, cancel := context.WithDeadlineCause(ctx, deadline, ErrInterrupted)
	defer cancel()
	out := r.Store.Stream(o)
	t := r.record(o, began)
	for _, a := range job.void {
		t.Attempts, t.Usage, t.Cost = append(t.Attempts, a), t.Usage.Add(a.Usage), t.Cost+a.Cost
	}
	w, err := r.writing(t, j, began, o.Conversation, o.Lives > 1)
	if err != nil {
		return "", err
	}
	w.add = out.Add
	err = r.answer(limited, o, w)
	return r.settle(ctx, job, out, w, err)
}

// settle ends the turn with what err makes of it, unless it goes on elsewhere.
func (r *Runner) settle(ctx context.Context, job *Job, out Stream, w *writing, err error) (chat.TurnID, error) {
	t, j := w.turn, w.journal
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), or(r.Limits.Settle, 10*time.Second))
	defer cancel()
	moved := errors.Is(err, ErrMerged) || errors.Is(err, ErrHandedOver) || errors.Is(err, ErrLeft) || errors.Is(err, chat.Fenced)
	if !moved {
		j.cut(err)
	}
	w.finish(err)
	bodies, entries, lost := out.Rest(ctx)
	if at := out.ShownAt(); !at.IsZero() {
		t.FirstShownAt = &chat.Time{Time: at.UTC()}
	}
	t.EndedAt = chat.Now()
	job.Record = *t
	entries = append(entries, j.Take()...)
	if !moved && lost == nil {
		e := chat.Ending{Record: *t, Bodies: append(bodies, w.rest()...), Entries: entries, State: chat.Completed}
		if t.Outcome == chat.AskedBack {
			e.State = chat.IntentClarification
		}
		if w.state != e.State {
			e.Bodies = append(e.Bodies, chat.StateChanged{From: w.state, To: e.State})
		}
		var next chat.TurnID
		if next, lost = r.Store.Settle(ctx, job.Open.Fence(), e); lost == nil {
			return next, nil
		}
	}
	if errors.Is(err, ErrLeft) {
		return "", ErrLeft
	}
	if moved || errors.Is(lost, chat.Fenced) {
		j.untake(entries)
		j.cut(ErrMerged)
		job.void = t.Attempts
		return "", ErrMerged
	}
	return "", lost
}

// record begins the record of a turn.
func (r *Runner) record(o chat.OpenTurn, b begin) *chat.Turn {
	t := &chat.Turn{
		ID: o.ID, Conversation: o.Conversation.ID, Customer: o.Conversation.Customer, Assistant: o.Conversation.Assistant,
		Test: o.Conversation.Test, Build: r.Build, Release: b.Release, RetryOf: o.RetryOf, Unit: b.Rules.Unit, Final: b.Final,
		Messages: b.Messages, Level: chat.Full, Lives: o.Lives, AcceptedAt: o.AcceptedAt, StartedAt: chat.Now(),
	}
	t.Input = said(b.Messages)
	return t
}

// said returns the words of messages.
func said(messages []chat.Message) chat.Text {
	var text []string
	for _, m := range messages {
		text = append(text, string(m.Text))
	}
	return chat.Text(strings.Join(text, "\n"))
}

// answer does the work of a turn, in the order in which it happens.
func (r *Runner) answer(ctx context.Context, o chat.OpenTurn, w *writing) error {
	t, j := w.turn, w.journal
	if w.began.Rules.Policy {
		found, err := do(ctx, j, "policy", r.policy, t.Input)
		if err != nil {
			return fmt.Errorf("look into the policies: %w", err)
		}
		if found.Verdict != nil {
			t.Verdicts, w.ruled = append(t.Verdicts, *found.Verdict), &found
			return nil // finish follows it
		}
	}
	past, err := do(ctx, j, "history", r.history, o)
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	notices, told := grounds(w.began.Notices)
	found, err := do(ctx, j, "find", r.find, knowledge.Query{Text: t.Input, History: past, At: t.AcceptedAt.Time, Limit: r.Limits.Passages,
		Tokens: r.passageTokens() - told})
	blind := err != nil
	switch {
	case isCut(err) || errors.Is(err, errDiffers):
		return err
	case blind:
		t.Degrade(chat.Fallback, "the documents could not be searched") // a poorer answer, not a failure
		w.note(err)
	}
	t.Query, t.Generation, t.Passages = found.Query, found.Generation, append(notices, found.Passages...)
	if t.Plan, err = do(ctx, j, "plan", r.plan, struct{}{}); err != nil {
		return fmt.Errorf("choose a model: %w", err)
	}
	req := r.prompt(w, past, blind)
	var said func() chat.Text
	if t.Final {
		said = w.gate.Shown
	}
	for chunk, err := range j.stream(ctx, r.Model.Stream(ctx, req, said)) {
		if err != nil {
			return fmt.Errorf("ask the model: %w", err)
		}
		if err := w.chunk(ctx, chunk); err != nil {
			return err
		}
		if w.unsure || w.long() {
			break
		}
	}
	// From here on the answer is whole. The entry becomes durable with the end of the
	// turn: without it, what Close lets out was never shown.
	if _, err := do(ctx, j, "whole", whole, struct{}{}); err != nil {
		return err
	}
	err = w.gate.Close(context.WithoutCancel(ctx))
	w.look()
	return err
}

// prompt returns what the model is told.
func (r *Runner) prompt(w *writing, past []chat.Message, blind bool) llm.Request {
	t := w.turn
	var files []chat.File
	for _, m := range t.Messages {
		files = append(files, m.Files...)
	}
	rules := w.began.Rules
	quiet := rules.say(w.language, ownNothing, lineNothing) != Rules{}.say(w.language, ownNothing, lineNothing)
	req, parts := prompt.Build(prompt.Input{
		Company: r.Company, Name: r.Persona.Name, Persona: r.Persona.Style, Languages: r.Persona.Languages, Tell: r.Persona.Tell,
		Instructions: r.Persona.Instructions, Canary: rules.Canary, Nonce: w.began.Nonce,
		Language: w.language, History: past, Question: t.Input, Files: files, Passages: t.Passages, Blind: blind,
		HandOff: !w.began.Stateless, Handover: rules.say(w.language, ownHandover, lineUnsure), Quiet: quiet, Budget: or(r.Limits.Prompt, 8000), Reply: w.limit,
		Counter: prompt.CounterOf(t.Plan.Model),
	})
	w.parts = parts
	for _, p := range parts {
		w.told += p.Tokens
	}
	paid := slices.DeleteFunc(slices.Clone(t.Attempts), func(a chat.Attempt) bool { return a.Provider == extractive.Name })
	req.Budget = llm.NewTurnLimit(or(r.Limits.Calls, 8), or(r.Limits.Paid, 100_000), paid...)
	return req
}

func whole(context.Context, struct{}) (bool, error) { return true, nil }

// historyTokens bounds what a turn takes along of what was said before.
const historyTokens = 4000

func (r *Runner) history(ctx context.Context, o chat.OpenTurn) ([]chat.Message, error) {
	limit := or(r.Limits.History, 20)
	past, err := o.History[max(0, len(o.History)-limit):], error(nil)
	if !o.Stateless {
		past, err = r.Store.History(ctx, o, limit)
	}
	tokens := 0
	for i := len(past) - 1; i >= 0; i-- {
		if tokens += lang.Tokens(string(past[i].Text)); tokens > historyTokens {
			return past[i+1:], err
		}
	}
	return past, err
}

func (r *Runner) find(ctx context.Context, q knowledge.Query) (knowledge.Found, error) {
	if r.Knowledge == nil {
		return knowledge.Found{}, nil
	}
	return r.Knowledge.Find(ctx, q)
}

func (r *Runner) plan(context.Context, struct{}) (chat.Plan, error) { return r.Model.Plan(), nil }

func isCut(err error) bool {
	for _, c := range cuts {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

func or[N int | time.Duration](n, usual N) N {
	if n > 0 {
		return n
	}
	return usual
}
