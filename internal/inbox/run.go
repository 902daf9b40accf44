package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/turn"
)

const (
	renewEvery = 500 * time.Millisecond // a quarter of the store's lease
	sweepEvery = 10                     // renewals between two looks for our own lost turns
	adoptLimit = 64                     // turns taken over at once
)

// Join registers the node. Call it before the first message.
func (in *Inbox) Join(ctx context.Context) error { return in.Store.Join(ctx, in.Node) }

// Run goes on with turns that dead processes left open: all of them at once, and on a
// shared store again and again, while it keeps this node's own lease. When ctx ends it
// lets running turns finish, up to a limit, and leaves the rest to the next process.
func (in *Inbox) Run(ctx context.Context) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	work := context.WithoutCancel(ctx)
	adopted := false
	for n := 1; ctx.Err() == nil; n++ {
		if in.Shared || !adopted {
			err := in.keep(work)
			adopted = err == nil
			if err != nil {
				in.Log.Error("turns of dead processes could not be looked for", "error", err)
			}
		}
		if n%sweepEvery == 0 && in.Resumes {
			if err := in.sweep(work); err != nil {
				in.Log.Error("turns of this process could not be looked for", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return in.stop(work)
}

// keep renews the lease and adopts what is open.
func (in *Inbox) keep(ctx context.Context) error {
	for {
		if err := in.renew(ctx); err != nil {
			return err
		}
		if !in.Resumes {
			return nil
		}
		orphans, err := in.Store.Adopt(ctx, in.Node, adoptLimit)
		if err != nil {
			return err
		}
		for _, o := range orphans {
			if err := in.resume(ctx, o); err != nil {
				return err
			}
		}
		if len(orphans) < adoptLimit {
			return nil
		}
	}
}

// renew keeps this node's lease, if there are others.
func (in *Inbox) renew(ctx context.Context) error {
	if !in.Shared {
		return nil
	}
	err := in.Store.Renew(ctx, in.Node)
	if errors.Is(err, chat.Fenced) {
		err = in.Store.Join(ctx, in.Node)
	}
	return err
}

// sweep goes on with turns that the store says are ours and that nobody answers: their
// beginning was committed, but the database could not confirm it.
func (in *Inbox) sweep(ctx context.Context) error {
	mine, err := in.Store.Mine(ctx, in.Node)
	if err != nil {
		return err
	}
	for _, o := range mine {
		if err := in.sweepOne(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (in *Inbox) sweepOne(ctx context.Context, o chat.Orphan) error {
	if in.current(o.Conversation) != nil {
		return nil
	}
	lock := in.lock(o.Conversation)
	lock.Lock() // it may be about to start
	defer lock.Unlock()
	if in.current(o.Conversation) != nil {
		return nil
	}
	return in.resumeLocked(ctx, o)
}

// resume goes on with an adopted turn.
func (in *Inbox) resume(ctx context.Context, o chat.Orphan) error {
	lock := in.lock(o.Conversation)
	lock.Lock()
	defer lock.Unlock()
	return in.resumeLocked(ctx, o)
}

func (in *Inbox) resumeLocked(ctx context.Context, o chat.Orphan) error {
	open, err := in.Store.OpenTurn(ctx, o.Conversation, o.Turn, in.Node)
	if errors.Is(err, chat.Fenced) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open an adopted turn: %w", err)
	}
	in.Log.Info("a turn is resumed", "turn", o.Turn, "lives", open.Lives)
	in.start(ctx, turn.NewJob(open))
	return nil
}

// stop waits for the running turns.
func (in *Inbox) stop(ctx context.Context) error {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	t := time.AfterFunc(or(in.Limits.Stop, 10*time.Second), func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, a := range in.running {
			a.leave()
		}
	})
	defer t.Stop()
	in.turns.Wait()
	if !in.Shared {
		return nil
	}
	return in.Store.Leave(ctx, in.Node)
}

// look compares the turn that runs here with what the store has.
func (a *answering) look(ctx context.Context, in *Inbox) error {
	a.mu.Lock()
	id, term := a.turn, a.term
	a.mu.Unlock()
	o, err := in.Store.OpenTurn(ctx, a.id, id, in.Node)
	switch {
	case errors.Is(err, chat.Fenced):
		a.gone(id, term)
	case err != nil:
		return fmt.Errorf("look at turn %s: %w", id, err)
	case o.Stop:
		a.stop(id)
	case o.Conversation.Term != term:
		a.follow(o.Conversation.Term, time.Now())
	}
	return nil
}
