package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/answerable/answerable/internal/chat"
)

// Settle ends a turn in one transaction: the rest of its text, turn.ended, the
// assistant's message, journal and record. It returns the waiting turn, which is the
// running one from this commit on, or "". A record with a Handoff gives the conversation
// to the queue: the handoff comes before the text. The error is chat.Fenced when the turn has
// lost the right to write; nothing was changed then.
func (s *Store) Settle(ctx context.Context, f chat.Fence, e chat.Ending) (next chat.TurnID, err error) {
	record, err := json.Marshal(e.Record)
	if err != nil {
		return "", fmt.Errorf("encode the record: %w", err)
	}
	bodies := mergeText(e.Bodies)
	patient := e.Record.FirstShownAt != nil // else somebody waits for the first text
	err = s.update(ctx, patient, func(t *tx) error {
		c, err := t.lockFence(f)
		if err != nil {
			return err
		}
		l, err := t.log(&c, chat.Now())
		if err != nil {
			return err
		}
		r := &e.Record
		if r.Handoff != nil { // before the text that promises it
			if err := l.handoff(f.Turn, *r.Handoff); err != nil {
				return err
			}
		}
		for _, b := range bodies {
			if lc, ok := b.(chat.LevelChanged); ok {
				c.Level = lc.Level
			}
			l.add(f.Turn, b)
		}
		seq, err := l.addWith(f.Turn, chat.TurnEnded{Outcome: r.Outcome, Text: r.Shown, Usage: r.Usage, Cost: r.Cost, Confidence: r.Confidence}, e.Entries)
		if err != nil {
			return err
		}
		if r.Shown != "" {
			if err := l.message(seq, chat.Message{ID: chat.NewMessageID(), Role: chat.Assistant, Text: r.Shown, At: l.at, Turn: f.Turn, Citations: r.Citations}); err != nil {
				return err
			}
		}
		if err := l.closeTurn(f.Turn, r.Outcome, record); err != nil {
			return err
		}
		c.State = e.State
		if r.Handoff != nil {
			c.Turn = ""
			if err := l.queue(r.Handoff); err != nil {
				return err
			}
			return l.save()
		}
		c.Turn, c.Waiting, c.Shown = c.Waiting, "", false
		next = c.Turn
		if next != "" {
			l.add(next, chat.TurnStarted{})
			// It may have been accepted by another node; this one goes on with it.
			if _, err := t.exec(`UPDATE turns SET status = 'running', node = (SELECT node FROM turns WHERE conversation = $1 AND id = $2)
				WHERE conversation = $1 AND id = $3`, string(c.ID), string(f.Turn), string(next)); err != nil {
				return fmt.Errorf("start the waiting turn: %w", err)
			}
		}
		return l.save()
	})
	return next, err
}

// SaveRecord replaces the record of a turn that somebody else ended, where outcome says
// how: the process that ran it knows more.
func (s *Store) SaveRecord(ctx context.Context, r chat.Turn) error {
	return s.update(ctx, true, func(t *tx) error {
		key, err := s.seal.key(ctx, t, r.Customer)
		if err != nil {
			return err
		}
		record, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode the record: %w", err)
		}
		_, err = t.exec(`UPDATE turns SET record_sealed = $1 WHERE conversation = $2 AND id = $3 AND status = 'ended' AND outcome = $4`,
			seal(key, recordCell(r.ID), record), string(r.Conversation), string(r.ID), string(r.Outcome))
		if err != nil {
			return fmt.Errorf("save the record of %s: %w", r.ID, err)
		}
		return nil
	})
}

// Stop notes that the customer wants no more of the running turn, and returns it, or ""
// when none runs, with the node that answers it.
func (s *Store) Stop(ctx context.Context, id chat.ConversationID) (turn chat.TurnID, node chat.NodeID, seq int64, err error) {
	err = s.update(ctx, false, func(t *tx) error {
		c, err := t.lock(id, "")
		if err != nil {
			return err
		}
		turn, seq = c.Turn, c.Seq
		if turn == "" {
			return nil
		}
		err = t.row(`UPDATE turns SET stop = 1 WHERE conversation = $1 AND id = $2 RETURNING node`, string(id), string(turn)).Scan(&node)
		if err != nil {
			return fmt.Errorf("stop turn %s: %w", turn, err)
		}
		t.m.hints = append(t.m.hints, id)
		return nil
	})
	return turn, node, seq, err
}

// OpenTurn returns what is needed to go on with a running turn. It is chat.Fenced when
// the turn is over or another node's.
func (s *Store) OpenTurn(ctx context.Context, id chat.ConversationID, turn chat.TurnID, node chat.NodeID) (chat.OpenTurn, error) {
	var o chat.OpenTurn
	err := s.readTx(ctx, func(q *sql.Tx) error {
		c, err := scanConversation(q.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE id = $1 AND turn = $2`, string(id), string(turn)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return errFenced
		}
		if err != nil {
			return fmt.Errorf("read conversation %s: %w", id, storageError(err))
		}
		o = chat.OpenTurn{ID: turn, Conversation: c}
		var stop, final, stateless int
		var accepted int64
		var at chat.NodeID
		if err := q.QueryRowContext(ctx, `SELECT node, lives, stop, final, stateless, retry_of, accepted_at FROM turns WHERE conversation = $1 AND id = $2`,
			string(id), string(turn)).Scan(&at, &o.Lives, &stop, &final, &stateless, &o.RetryOf, &accepted); err != nil {
			return fmt.Errorf("read turn %s: %w", turn, storageError(err))
		}
		if at != node {
			return errFenced
		}
		o.Stop, o.Final, o.Stateless, o.AcceptedAt = stop == 1, final == 1, stateless == 1, chat.Micro(accepted)
		if o.Messages, err = s.turnMessages(ctx, q, c, turn); err != nil {
			return err
		}
		if o.Off, err = offOf(ctx, q, c.Assistant); err != nil {
			return err
		}
		o.Journal, err = s.readJournal(ctx, q, c, turn)
		return err
	})
	return o, err
}

// Began returns the number from which on the events of a turn are found, and whether the
// face that began it cannot retract. It is chat.NotFound when the conversation has no such
// turn.
func (s *Store) Began(ctx context.Context, id chat.ConversationID, turn chat.TurnID) (seq int64, final bool, err error) {
	var bit int
	err = s.read.QueryRowContext(ctx, `SELECT seq, final FROM turns WHERE conversation = $1 AND id = $2`, string(id), string(turn)).Scan(&seq, &bit)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, errNoTurn(turn)
	}
	if err != nil {
		return 0, false, fmt.Errorf("read turn %s: %w", turn, storageError(err))
	}
	return seq, bit == 1, nil
}

type reader interface {
	querier
	rowsQuerier
}

// turnMessages returns what a turn answers: the customer's messages of its own and, when
// it is a retry, those of the turn in whose place it answers.
func (s *Store) turnMessages(ctx context.Context, q reader, c chat.Conversation, turn chat.TurnID) ([]chat.Message, error) {
	key, err := s.seal.key(ctx, q, c.Customer)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages WHERE conversation = $1 AND turn IN `+retried+` AND role = 'customer' ORDER BY seq`, string(c.ID), string(turn))
	if err != nil {
		return nil, fmt.Errorf("read the messages of turn %s: %w", turn, storageError(err))
	}
	defer rows.Close()
	var out []chat.Message
	for rows.Next() {
		m, _, err := scanMessage(c.ID, key, rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read the messages of turn %s: %w", turn, err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// ofTurn are a turn's own events, from its first on.
const ofTurn = `turn = $2 AND seq >= (SELECT seq FROM turns WHERE conversation = $1 AND id = $2)`

func (s *Store) readJournal(ctx context.Context, q reader, c chat.Conversation, turn chat.TurnID) ([]chat.Entry, error) {
	key, err := s.seal.key(ctx, q, c.Customer)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `SELECT seq, entries_sealed FROM events WHERE conversation = $1 AND `+ofTurn+`
		AND entries_sealed IS NOT NULL ORDER BY seq`, string(c.ID), string(turn))
	if err != nil {
		return nil, fmt.Errorf("read the journal of turn %s: %w", turn, storageError(err))
	}
	defer rows.Close()
	var out []chat.Entry
	for rows.Next() {
		var seq int64
		var sealed []byte
		if err := rows.Scan(&seq, &sealed); err != nil {
			return nil, fmt.Errorf("read the journal of turn %s: %w", turn, err)
		}
		entries, err := openEntries(key, c.ID, seq, sealed)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, rows.Err()
}

func openEntries(key cipher.AEAD, id chat.ConversationID, seq int64, sealed []byte) ([]chat.Entry, error) {
	plain, err := open(key, entriesCell(id, seq), sealed)
	if err != nil {
		return nil, err
	}
	var entries []chat.Entry
	if err := json.Unmarshal(plain, &entries); err != nil {
		return nil, fmt.Errorf("decode the journal at event %d of %s: %w", seq, id, err)
	}
	return entries, nil
}

// Turn returns an ended turn. chat.Conflict when it still runs.
func (s *Store) Turn(ctx context.Context, id chat.TurnID) (chat.PastTurn, error) {
	var p chat.PastTurn
	err := s.readTx(ctx, func(q *sql.Tx) error {
		var conversation, status string
		var sealed []byte
		err := q.QueryRowContext(ctx, `SELECT conversation, status, record_sealed FROM turns WHERE id = $1`, string(id)).Scan(&conversation, &status, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no turn %q in this data directory", id)}
		}
		if err != nil {
			return fmt.Errorf("read turn %s: %w", id, storageError(err))
		}
		if status != "ended" {
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("turn %s is still %s: replay it when it has ended", id, status)}
		}
		c, err := scanConversation(q.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE id = $1`, conversation).Scan)
		if err != nil {
			return fmt.Errorf("read conversation %s: %w", conversation, storageError(err))
		}
		key, err := s.seal.key(ctx, q, c.Customer)
		if err != nil {
			return err
		}
		plain, err := open(key, recordCell(id), sealed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(plain, &p.Record); err != nil {
			return fmt.Errorf("decode the record of %s: %w", id, err)
		}
		if p.Journal, err = s.readJournal(ctx, q, c, id); err != nil {
			return err
		}
		p.Events, err = readEvents(ctx, q, key, c.ID, ofTurn+` ORDER BY seq`, string(id))
		return err
	})
	return p, err
}

// TurnIDs returns up to limit ended turns, the newest first.
func (s *Store) TurnIDs(ctx context.Context, limit int) ([]chat.TurnID, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM turns WHERE status = 'ended' ORDER BY id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list turns: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.TurnID
	for rows.Next() {
		var id chat.TurnID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list turns: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
