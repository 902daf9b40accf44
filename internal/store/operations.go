package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/answerable/answerable/internal/chat"
)

// Say returns the line with which a turn ends that is cut off, for an assistant and what
// the customer said, and the entry that stands for it in the turn's journal.
type Say = func(assistant string, said []chat.Message) (chat.Text, chat.Entry)

// SwitchOff switches an assistant off, or all, and ends their running turns: with the
// conversation in the queue, or with the line that say returns for what the customer said.
// It returns the conversations whose turns it ended. When it has returned, no assistant's
// text is committed in any of them but that line, on any node. Switched off before, the
// assistant is so in the new way.
//
// Two steps make that true. The state is committed while nobody who has read it is about to
// commit a turn, so each turn either knows of it or is running when the second step looks;
// the second step ends all that are running.
func (s *Store) SwitchOff(ctx context.Context, off chat.Off, say Say) ([]chat.Conversation, error) {
	err := s.updateAlone(ctx, "switched_off", func(t *tx) error {
		t.m.settings = true
		_, err := t.exec(`INSERT INTO switched_off (assistant, answers, line, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (assistant) DO UPDATE SET answers = excluded.answers, line = excluded.line, reason = excluded.reason,
			set_by = excluded.set_by, set_at = excluded.set_at`,
			off.Assistant, string(off.To), string(off.Line), off.Reason, off.By, off.At.UnixMicro())
		if err != nil {
			return fmt.Errorf("switch off: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	running, err := s.runningOf(ctx, off)
	if err != nil {
		return nil, err
	}
	var out []chat.Conversation
	for ids := range slices.Chunk(running, 32) {
		cut, err := s.cutOff(ctx, ids, off, say)
		if err != nil {
			return out, err
		}
		out = append(out, cut...)
	}
	return out, nil
}

// runningOf returns the conversations with a running turn of what is switched off.
func (s *Store) runningOf(ctx context.Context, off chat.Off) ([]chat.ConversationID, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT c.id FROM turns t JOIN conversations c ON c.id = t.conversation
		WHERE t.status = 'running' AND ($1 = '' OR c.assistant = $1) ORDER BY c.id`, off.Assistant)
	if err != nil {
		return nil, fmt.Errorf("look for running turns: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.ConversationID
	for rows.Next() {
		var id chat.ConversationID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for running turns: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// cutOff ends what runs in the conversations, in one transaction.
func (s *Store) cutOff(ctx context.Context, ids []chat.ConversationID, off chat.Off, say Say) (out []chat.Conversation, err error) {
	err = s.update(ctx, false, func(t *tx) error {
		out = nil
		for _, id := range ids {
			c, err := t.lock(id, "")
			if err != nil {
				return err
			}
			if c.Turn == "" {
				continue // it has ended meanwhile
			}
			l, err := t.log(&c, chat.Now())
			if err != nil {
				return err
			}
			if err := l.cutOff(off, say); err != nil {
				return fmt.Errorf("end the turn of %s: %w", id, err)
			}
			if err := l.save(); err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// cutOff ends the running turn and the waiting one.
func (l *log) cutOff(off chat.Off, say Say) error {
	var stateless int
	if err := l.t.row(`SELECT stateless FROM turns WHERE conversation = $1 AND id = $2`, string(l.c.ID), string(l.c.Turn)).Scan(&stateless); err != nil {
		return fmt.Errorf("read turn %s: %w", l.c.Turn, err)
	}
	if off.To == chat.OffToPeople && stateless == 0 {
		h := off.Handoff()
		if err := l.handoff(l.c.Turn, h); err != nil {
			return err
		}
		return l.queue(&h)
	}
	l.c.Term++ // the right to write moves: to nobody
	return l.endTurns(func(id chat.TurnID) (ending, error) {
		said, err := l.t.w.s.turnMessages(l.t.ctx, l.t, *l.c, id)
		if err != nil {
			return ending{}, err
		}
		line, entry := say(l.c.Assistant, said)
		return ending{outcome: chat.Refused, line: line, entry: entry}, nil
	})
}

// SwitchOn undoes SwitchOff for an assistant, or with "" for every one. Where it was on,
// nothing changes.
func (s *Store) SwitchOn(ctx context.Context, assistant string) error {
	return s.update(ctx, false, func(t *tx) error {
		t.m.settings = true
		if _, err := t.exec(`DELETE FROM switched_off WHERE $1 = '' OR assistant = $1`, assistant); err != nil {
			return fmt.Errorf("switch on: %w", err)
		}
		return nil
	})
}

const offColumns = `assistant, answers, line, reason, set_by, set_at`

func scanOff(scan func(...any) error) (off chat.Off, err error) {
	var at int64
	err = scan(&off.Assistant, &off.To, &off.Line, &off.Reason, &off.By, &at)
	off.All, off.At = off.Assistant == "", chat.Micro(at)
	return off, err
}

// SwitchedOff returns what is switched off: first that all are, then by name.
func (s *Store) SwitchedOff(ctx context.Context) ([]chat.Off, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+offColumns+` FROM switched_off ORDER BY assistant`)
	if err != nil {
		return nil, fmt.Errorf("read what is switched off: %w", storageError(err))
	}
	defer rows.Close()
	out := []chat.Off{}
	for rows.Next() {
		off, err := scanOff(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read what is switched off: %w", err)
		}
		out = append(out, off)
	}
	return out, rows.Err()
}

// offOf returns whether an assistant is switched off, by itself or with all, or nil.
func offOf(ctx context.Context, q querier, assistant string) (*chat.Off, error) {
	off, err := scanOff(q.QueryRowContext(ctx, `SELECT `+offColumns+` FROM switched_off WHERE assistant IN ($1, '') ORDER BY assistant DESC LIMIT 1`, assistant).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read whether %s is switched off: %w", assistant, storageError(err))
	}
	return &off, nil
}

// NoticesInForce is how many notices may be in force at a time for an assistant.
const NoticesInForce = 20

// AddNotice stores a notice. It is chat.Conflict when there would be too many at a time.
func (s *Store) AddNotice(ctx context.Context, n chat.Notice) error {
	return s.updateAlone(ctx, "notices", func(t *tx) error { // nobody else counts now
		var beside int
		if err := t.row(`SELECT COUNT(*) FROM notices WHERE ($1 = '' OR assistant IN ($1, '')) AND until_at > $2 AND from_at < $3`,
			n.Assistant, n.From.UnixMicro(), n.Until.UnixMicro()).Scan(&beside); err != nil {
			return fmt.Errorf("count the notices: %w", err)
		}
		if beside >= NoticesInForce {
			return &chat.Error{Kind: chat.Conflict,
				Message: fmt.Sprintf("there are %d notices for that time already: remove one, or put several into one", beside)}
		}
		t.m.settings = true
		return t.insert("notices", noticeColumns, 9, []any{n.ID, n.Assistant, n.Locale, string(n.Text), n.URL,
			n.From.UnixMicro(), n.Until.UnixMicro(), n.By, n.CreatedAt.UnixMicro()})
	})
}

// RemoveNotice takes a notice away.
func (s *Store) RemoveNotice(ctx context.Context, id string) error {
	return s.update(ctx, false, func(t *tx) error {
		t.m.settings = true
		n, err := t.exec(`DELETE FROM notices WHERE id = $1`, id)
		if err != nil {
			return fmt.Errorf("remove notice %s: %w", id, err)
		}
		if n == 0 {
			return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no notice %.64q: answerable notice list shows all", id)}
		}
		return nil
	})
}

const noticeColumns = `id, assistant, locale, body, url, from_at, until_at, created_by, created_at`

// Notices returns the notices that are in force at a time or will be, those in force
// longest first.
func (s *Store) Notices(ctx context.Context, at chat.Time) ([]chat.Notice, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notices WHERE until_at > $1 ORDER BY from_at, id`, at.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read the notices: %w", storageError(err))
	}
	defer rows.Close()
	out := []chat.Notice{}
	for rows.Next() {
		var n chat.Notice
		var from, until, created int64
		if err := rows.Scan(&n.ID, &n.Assistant, &n.Locale, &n.Text, &n.URL, &from, &until, &n.By, &created); err != nil {
			return nil, fmt.Errorf("read the notices: %w", err)
		}
		n.From, n.Until, n.CreatedAt = chat.Micro(from), chat.Micro(until), chat.Micro(created)
		out = append(out, n)
	}
	return out, rows.Err()
}
