package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/answerable/answerable/internal/chat"
)

// retried are the turn $2 of the conversation $1 and those in whose place it answers: the
// one that it is a retry of, the one that that is a retry of, and so on.
const retried = `(WITH RECURSIVE chain (id, before) AS (
	SELECT id, retry_of FROM turns WHERE conversation = $1 AND id = $2
	UNION ALL SELECT t.id, t.retry_of FROM turns t JOIN chain c ON t.id = c.before WHERE t.conversation = $1
	) SELECT id FROM chain)`

const retryOf = `SELECT id, seq FROM turns WHERE conversation = $1 AND retry_of = $2 AND retry_of <> ''`

// Retry starts a turn that answers the messages of the turn of again. That must be the
// last one, it must have ended, and the bot must own the conversation: otherwise it is a
// chat.Conflict. What was retried before is not again: Effect is Repeated. begun is as in
// Accept.
func (s *Store) Retry(ctx context.Context, id chat.ConversationID, of chat.TurnID, node chat.NodeID, begun func(chat.OpenTurn)) (chat.Accepted, error) {
	var out chat.Accepted
	now := chat.Now()
	err := s.update(ctx, false, func(t *tx) error {
		out = chat.Accepted{}
		fresh := chat.NewTurnID() // as in Accept
		c, err := t.lock(id, "")
		if err != nil {
			return err
		}
		l, err := t.log(&c, now)
		if err != nil {
			return err
		}
		if again, err := l.retriedBefore(of, &out); again || err != nil {
			return err
		}
		if err := l.mayRetry(of); err != nil {
			return err
		}
		l.reopen()
		c.Turn, c.Shown = fresh, false
		out = chat.Accepted{Message: chat.Message{Turn: fresh}, Effect: chat.Starts, Seq: l.add(fresh, chat.TurnStarted{RetryOf: of}),
			Open: chat.OpenTurn{ID: fresh, RetryOf: of, Lives: 1, AcceptedAt: now}}
		if err := l.newTurn(chat.Incoming{Node: node}, fresh, "running", of); err != nil {
			return err
		}
		if out.Open.Messages, err = s.turnMessages(ctx, t, c, fresh); err != nil {
			return err
		}
		if out.Open.Off, err = offOf(ctx, t, c.Assistant); err != nil {
			return err
		}
		if err := l.save(); err != nil {
			return err
		}
		out.Open.Conversation = c
		if begun != nil && t.first(c.ID) {
			begun(out.Open)
		}
		return nil
	})
	return out, err
}

// retriedBefore fills in what the same wish led to before.
func (l *log) retriedBefore(of chat.TurnID, out *chat.Accepted) (bool, error) {
	err := l.t.row(retryOf, string(l.c.ID), string(of)).Scan(&out.Message.Turn, &out.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a retry of turn %s: %w", of, err)
	}
	out.Effect, out.Open.Conversation = chat.Repeated, *l.c
	return true, nil
}

// mayRetry reports why a turn cannot be retried, or nil.
func (l *log) mayRetry(of chat.TurnID) error {
	var seq, last int64
	var stateless int
	err := l.t.row(`SELECT seq, stateless, (SELECT MAX(seq) FROM turns WHERE conversation = $1) FROM turns WHERE conversation = $1 AND id = $2`,
		string(l.c.ID), string(of)).Scan(&seq, &stateless, &last)
	conflict := ""
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errNoTurn(of)
	case err != nil:
		return fmt.Errorf("read turn %s: %w", of, err)
	case l.c.Status == chat.Ended:
		return errEnded
	case l.c.Owner != chat.Bot:
		conflict = "a person has this conversation: the bot gives no answers here"
	case l.c.Turn != "":
		conflict = "an answer is under way: wait for turn.ended, or stop it"
	case seq != last:
		conflict = "only the last answer can be given again: send the message again"
	case stateless == 1:
		conflict = "this turn's history was not kept: send the messages again"
	}
	if conflict != "" {
		return &chat.Error{Kind: chat.Conflict, Message: conflict}
	}
	return nil
}
