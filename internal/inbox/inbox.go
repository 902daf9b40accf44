// Package inbox takes messages in and has them answered: one turn at a time in a
// conversation, none while a person owns it. Accepting is apart from answering: a
// message is durable before it is acknowledged, and its turn outlives the request.
//
// It merges bursts: a follow-up that comes while nothing was shown cancels the call,
// joins the turn, and the turn begins anew when the customer has been quiet and does not
// type. And it goes on with turns that a dead process left open. Start with Inbox.Accept and
// Inbox.answer.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/turn"
)

// Store is what the inbox needs of the store. Its methods are those of store.Store.
type Store interface {
	Accept(ctx context.Context, in chat.Incoming, begun func(chat.OpenTurn)) (chat.Accepted, error)
	Retry(ctx context.Context, id chat.ConversationID, of chat.TurnID, node chat.NodeID, begun func(chat.OpenTurn)) (chat.Accepted, error)
	OpenTurn(ctx context.Context, id chat.ConversationID, turn chat.TurnID, node chat.NodeID) (chat.OpenTurn, error)
	Stop(ctx context.Context, id chat.ConversationID) (chat.TurnID, chat.NodeID, int64, error)
	Turn(ctx context.Context, id chat.TurnID) (chat.PastTurn, error)
	SaveRecord(ctx context.Context, t chat.Turn) error
	// SwitchOff returns the conversations whose turns it ended.
	SwitchOff(ctx context.Context, off chat.Off, say func(assistant string, said []chat.Message) (chat.Text, chat.Entry)) ([]chat.Conversation, error)
	Ownership
	Nodes
}

// Ownership moves the right to speak.
type Ownership interface {
	HandOff(ctx context.Context, id chat.ConversationID, h chat.Handoff) (chat.Conversation, error)
	Take(ctx context.Context, id chat.ConversationID, name string) (chat.Conversation, error)
	Release(ctx context.Context, id chat.ConversationID, to chat.Owner) (chat.Conversation, error)
	End(ctx context.Context, id chat.ConversationID, reason string) (chat.Conversation, error)
}

// Nodes keeps track of which processes live.
type Nodes interface {
	Join(ctx context.Context, node chat.NodeID) error
	Renew(ctx context.Context, node chat.NodeID) error
	Leave(ctx context.Context, node chat.NodeID) error
	Adopt(ctx context.Context, node chat.NodeID, limit int) ([]chat.Orphan, error)
	Mine(ctx context.Context, node chat.NodeID) ([]chat.Orphan, error)
}

// Limits bound the inbox. Zero means the default.
type Limits struct {
	Message int           // bytes of a message; default 32 KiB
	Quiet   time.Duration // after the last follow-up of a burst; default 400ms
	Burst   time.Duration // after the first; default 3s
	Stop    time.Duration // for running turns when the server stops; default 10s
}

// Inbox is safe for concurrent use.
type Inbox struct {
	Store   Store
	Node    chat.NodeID
	Shared  bool // other processes may write to the store
	Resumes bool // a server: it goes on with turns that dead processes left open
	// Runner returns what answers for an assistant now, or nil when there is none. A turn
	// asks once, and keeps it to its end.
	Runner func(assistant string) *turn.Runner
	Ended  func(chat.Turn) // is told each record; nil is allowed
	Limits Limits
	Log    *slog.Logger

	accepting [64]sync.Mutex // by conversation: what makes a turn ours and starting it are one step

	mu      sync.Mutex
	running map[chat.ConversationID]*answering
	closed  bool
	turns   sync.WaitGroup
}

// answering is one conversation's running turn in this process.
type answering struct {
	id chat.ConversationID

	mu      sync.Mutex
	turn    chat.TurnID
	term    int64
	cancel  context.CancelCauseFunc // ends the attempt under way; nil before the first
	heard   int64                   // the highest term that was heard of
	stopped chat.TurnID             // the customer wants no more of this turn
	left    bool                    // the server stops
	first   time.Time               // of the follow-ups of a burst
	last    time.Time
	typing  time.Time     // until when the customer types, as far as is known
	changed chan struct{} // has room for one
}

var seed = maphash.MakeSeed()

// Accept makes a customer's message durable and has it answered. The caller need not
// wait for the answer: it is in the conversation's events.
func (in *Inbox) Accept(ctx context.Context, m chat.Incoming) (chat.Accepted, error) {
	if err := in.Check(m); err != nil {
		return chat.Accepted{}, err
	}
	m.Node = in.Node
	lock := in.lock(m.Conversation)
	lock.Lock()
	defer lock.Unlock()
	a, err := in.beginLocked(ctx, func(begun func(chat.OpenTurn)) (chat.Accepted, error) { return in.Store.Accept(ctx, m, begun) })
	if err != nil {
		return a, fmt.Errorf("accept a message: %w", err)
	}
	if a.Effect == chat.Merges {
		if r := in.current(m.Conversation); r != nil {
			r.follow(a.Open.Conversation.Term, time.Now())
		}
	}
	return a, nil
}

// Retry has the messages of a conversation's last turn answered again. Repeated, it says
// again which turn does.
func (in *Inbox) Retry(ctx context.Context, id chat.ConversationID, of chat.TurnID) (chat.Accepted, error) {
	lock := in.lock(id)
	lock.Lock()
	defer lock.Unlock()
	a, err := in.beginLocked(ctx, func(begun func(chat.OpenTurn)) (chat.Accepted, error) {
		return in.Store.Retry(ctx, id, of, in.Node, begun)
	})
	if err != nil {
		return a, fmt.Errorf("retry turn %s: %w", of, err)
	}
	return a, nil
}

// beginLocked has the turn answered that accept starts, if it starts one. The
// conversation's lock is held.
func (in *Inbox) beginLocked(ctx context.Context, accept func(begun func(chat.OpenTurn)) (chat.Accepted, error)) (chat.Accepted, error) {
	var early *answering // the turn, before its commit
	var begun chat.TurnID
	a, err := accept(func(o chat.OpenTurn) {
		if early != nil {
			early.leave() // the transaction is tried again
		}
		early, begun = in.start(ctx, turn.NewJob(o)), o.ID
	})
	if early != nil && (err != nil || a.Effect != chat.Starts || a.Open.ID != begun) {
		early.leave() // it did not begin, or nobody can say: then the sweep finds it
		early = nil
	}
	if err == nil && a.Effect == chat.Starts && early == nil {
		in.start(ctx, turn.NewJob(a.Open))
	}
	return a, err
}

// lock returns the lock of a conversation.
func (in *Inbox) lock(id chat.ConversationID) *sync.Mutex {
	return &in.accepting[maphash.String(seed, string(id))%uint64(len(in.accepting))]
}

// MessageBytes is how many bytes a message may have.
func (in *Inbox) MessageBytes() int {
	if in.Limits.Message > 0 {
		return in.Limits.Message
	}
	return 32 << 10
}

// MostClientID is how many bytes a client_id may have.
const MostClientID = 128

// Check refuses what is not a message, as Accept does.
func (in *Inbox) Check(m chat.Incoming) error {
	limit := in.MessageBytes()
	text := string(m.Text)
	switch {
	case len(text) > limit:
		return &chat.Error{Kind: chat.TooLarge, Message: fmt.Sprintf("the message has %d bytes, %d are allowed: send less, or several messages", len(text), limit)}
	case !utf8.ValidString(text):
		return &chat.Error{Kind: chat.Invalid, Message: "the message is not valid UTF-8: send it as UTF-8"}
	case strings.ContainsRune(text, 0):
		return &chat.Error{Kind: chat.Invalid, Message: "the message contains a NUL character: leave it out"}
	case strings.TrimSpace(text) == "" && len(m.Files) == 0:
		return &chat.Error{Kind: chat.Invalid, Message: "the message is empty: send some text"}
	case len(m.ClientID) > MostClientID || !utf8.ValidString(m.ClientID) || strings.ContainsRune(m.ClientID, 0):
		return &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("client_id must be UTF-8 of at most %d bytes", MostClientID)}
	}
	return nil
}

// start has a turn answered in the background. It outlives ctx. What it returns is nil
// when the server stops.
func (in *Inbox) start(ctx context.Context, job *turn.Job) *answering {
	c := job.Open.Conversation
	a := &answering{id: c.ID, turn: job.Open.ID, term: c.Term, changed: make(chan struct{}, 1)}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return nil // the next process finds it open
	}
	if in.running == nil {
		in.running = map[chat.ConversationID]*answering{}
	}
	in.running[a.id] = a
	ctx = context.WithoutCancel(ctx)
	in.turns.Go(func() {
		defer in.done(a)
		in.answer(ctx, a, job)
	})
	return a
}

func (in *Inbox) done(a *answering) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.running[a.id] == a {
		delete(in.running, a.id)
	}
}

// at returns what answers in a conversation, or nil.
func (in *Inbox) at(id chat.ConversationID) *answering {
	lock := in.lock(id)
	lock.Lock() // it may be about to start
	defer lock.Unlock()
	return in.current(id)
}

func (in *Inbox) current(id chat.ConversationID) *answering {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.running[id]
}

// Running counts the turns that are being answered here.
func (in *Inbox) Running() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.running)
}

// answer runs a turn to its end, and then those that waited behind it.
func (in *Inbox) answer(ctx context.Context, a *answering, job *turn.Job) {
	runner := in.Runner(job.Open.Conversation.Assistant)
	for failures := 0; ; {
		next, err := in.run(ctx, a, runner, job)
		switch {
		case err == nil:
			in.ended(job.Record)
			if next == "" {
				return
			}
			if job = in.open(ctx, a, next); job == nil {
				return
			}
			runner = in.Runner(job.Open.Conversation.Assistant)
			failures = 0
			continue
		case errors.Is(err, turn.ErrLeft):
			return
		case errors.Is(err, turn.ErrMerged):
			if in.merged(ctx, a, job) {
				continue
			}
			in.lost(ctx, job)
			return
		}
		in.Log.Error("a turn could not go on", "turn", job.Open.ID, "error", err)
		failures++
		if !a.sleep(min(5*time.Second, 100*time.Millisecond<<min(failures, 6))) {
			return
		}
		id, told := job.Open.ID, job.Open.History
		if job = in.open(ctx, a, id); job == nil {
			return
		}
		job.Open.History = told // the store has not got it
	}
}

// run is one attempt. A panic in it is an error of this turn alone.
func (in *Inbox) run(ctx context.Context, a *answering, r *turn.Runner, job *turn.Job) (next chat.TurnID, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, err = "", fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if r == nil {
		return "", fmt.Errorf("no assistant is called %q", job.Open.Conversation.Assistant)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a.attempt(job.Open, cancel)
	return r.Run(ctx, job)
}

// open takes up a turn of this node, as often as the store needs. It is nil when the
// turn is somebody else's or the server stops.
func (in *Inbox) open(ctx context.Context, a *answering, id chat.TurnID) *turn.Job {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		o, err := in.Store.OpenTurn(ctx, a.id, id, in.Node)
		if err == nil {
			return turn.NewJob(o)
		}
		if errors.Is(err, chat.Fenced) {
			return nil
		}
		in.Log.Error("a turn could not be opened", "turn", id, "error", err)
		if !a.sleep(wait) {
			return nil
		}
	}
}

// merged waits until the customer is quiet and renews the job. It is false when the
// turn is no longer ours.
func (in *Inbox) merged(ctx context.Context, a *answering, job *turn.Job) bool {
	for {
		o, err := in.Store.OpenTurn(ctx, a.id, job.Open.ID, in.Node)
		if errors.Is(err, chat.Fenced) || err == nil && in.current(a.id) != a {
			return false // another node's, or adopted by this one once more
		}
		if err != nil {
			in.Log.Error("a turn could not be opened", "turn", job.Open.ID, "error", err)
			if !a.sleep(time.Second) {
				return false
			}
			continue
		}
		if a.quiet(or(in.Limits.Quiet, 400*time.Millisecond), or(in.Limits.Burst, 3*time.Second)) {
			job.Merge(o)
			return true
		}
	}
}

// lost completes the record of a turn that somebody else ended.
func (in *Inbox) lost(ctx context.Context, job *turn.Job) {
	past, err := in.Store.Turn(ctx, job.Open.ID)
	if err != nil {
		if !errors.Is(err, chat.Conflict) { // another node goes on with it
			in.Log.Error("the end of a turn could not be read", "turn", job.Open.ID, "error", err)
		}
		return
	}
	r, end := job.Record, past.Record
	if end.Build != "" {
		return // another process answered it, and its record is whole
	}
	r.Outcome, r.Shown, r.Citations, r.Handoff, r.EndedAt = end.Outcome, end.Shown, end.Citations, end.Handoff, end.EndedAt
	if err := in.Store.SaveRecord(ctx, r); err != nil {
		in.Log.Error("the record of a turn could not be completed", "turn", r.ID, "error", err)
	}
	in.ended(r)
}

func (in *Inbox) ended(t chat.Turn) {
	if in.Ended != nil {
		in.Ended(t)
	}
}

// attempt notes how to end the attempt that begins.
func (a *answering) attempt(o chat.OpenTurn, cancel context.CancelCauseFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turn != o.ID {
		a.first, a.last = time.Time{}, time.Time{} // another turn, another burst
	}
	a.turn, a.term, a.cancel = o.ID, o.Conversation.Term, cancel
	switch {
	case a.left:
		cancel(turn.ErrLeft)
	case a.stopped == o.ID:
		cancel(turn.ErrStopped)
	case o.Conversation.Term < a.heard:
		cancel(turn.ErrMerged)
	}
}

// stop ends a turn that is under way, or about to be.
func (a *answering) stop(id chat.TurnID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = id
	if a.turn == id && a.cancel != nil {
		a.cancel(turn.ErrStopped)
	}
	a.wake()
}

// leave ends the attempt under way and those to come: the server stops.
func (a *answering) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = true
	if a.cancel != nil {
		a.cancel(turn.ErrLeft)
	}
	a.wake()
}

// outdated ends an attempt that began before term: it has lost the right to write. One
// that began later knows what happened, and may have shown text.
func (a *answering) outdated(term int64, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outdatedLocked(term, cause)
}

func (a *answering) outdatedLocked(term int64, cause error) {
	if a.term >= term {
		return
	}
	a.heard = max(a.heard, term)
	if a.cancel != nil {
		a.cancel(cause)
	}
	a.wake()
}

// follow notes a follow-up that took the conversation to term, and ends the attempt.
func (a *answering) follow(term int64, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.term >= term {
		return // the attempt began with it
	}
	if a.first.IsZero() {
		a.first = now
	}
	a.last = now
	a.typing = time.Time{} // that was the message
	a.outdatedLocked(term, turn.ErrMerged)
}

// types notes that the customer types, or no longer does.
func (a *answering) types(typing bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case typing:
		a.typing = now.Add(chat.TypingHolds)
	case a.typing.After(now):
		a.typing = now
		a.wake()
	}
}

// gone ends an attempt at a turn that is another's, or over.
func (a *answering) gone(id chat.TurnID, term int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.turn != id || a.term != term:
		return // it has moved on
	case a.cancel == nil:
		a.heard = max(a.heard, term+1)
	default:
		a.cancel(turn.ErrHandedOver)
	}
	a.wake()
}

func (a *answering) wake() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// quiet waits for the end of the burst and reports true when there was nothing to wait
// for; after a wait, the turn must be read again.
func (a *answering) quiet(quiet, burst time.Duration) bool {
	waited := false
	for {
		a.mu.Lock()
		until := latest(a.last, a.typing).Add(quiet)
		if end := a.first.Add(burst); until.After(end) {
			until = end
		}
		over := a.left || !time.Now().Before(until)
		a.mu.Unlock()
		if over {
			return !waited
		}
		waited = true
		t := time.NewTimer(time.Until(until))
		select {
		case <-t.C:
		case <-a.changed:
			t.Stop()
			return false // a stop, a new owner, one more follow-up, or no more typing
		}
	}
}

// sleep waits, and is false when the server stops.
func (a *answering) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-a.changed:
		}
		a.mu.Lock()
		left := a.left
		a.mu.Unlock()
		if left {
			return false
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func or(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}
