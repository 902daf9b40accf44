package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"

	"github.com/answerable/answerable/internal/chat"
)

// Rate stores what a customer thinks of the answer of an ended turn, in the place of what
// they thought before, and returns the number of the event that says so. There is a new
// event only when the rating is another. The conversation may be closed.
func (s *Store) Rate(ctx context.Context, id chat.ConversationID, f chat.Feedback) (seq int64, err error) {
	_, err = s.change(ctx, id, func(l *log) error {
		if err := l.answered(f.Turn); err != nil {
			return err
		}
		var rating chat.Rating
		err := l.t.row(`SELECT rating, seq FROM feedback WHERE conversation = $1 AND turn = $2`, string(id), string(f.Turn)).Scan(&rating, &seq)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the feedback on turn %s: %w", f.Turn, err)
		}
		if rating != f.Rating {
			seq = l.add(f.Turn, chat.FeedbackGiven{Rating: f.Rating})
		}
		_, err = l.t.exec(`INSERT INTO feedback (conversation, turn, seq, rating, reason, text_sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (conversation, turn) DO UPDATE SET seq = excluded.seq, rating = excluded.rating, reason = excluded.reason,
			text_sealed = excluded.text_sealed, at = excluded.at`,
			string(id), string(f.Turn), seq, string(f.Rating), f.Reason, l.sealText(feedbackCell(f.Turn), f.Text), l.at.UnixMicro())
		if err != nil {
			return fmt.Errorf("store the feedback on turn %s: %w", f.Turn, err)
		}
		return nil
	})
	return seq, err
}

// answered reports why a turn has no answer that can be rated, or nil.
func (l *log) answered(turn chat.TurnID) error {
	var status string
	err := l.t.row(`SELECT status FROM turns WHERE conversation = $1 AND id = $2`, string(l.c.ID), string(turn)).Scan(&status)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errNoTurn(turn)
	case err != nil:
		return fmt.Errorf("read turn %s: %w", turn, err)
	case status != "ended":
		return &chat.Error{Kind: chat.Invalid, Message: "this answer has not ended: rate it when turn.ended has come"}
	}
	n := 0
	err = l.t.row(`SELECT COUNT(*) FROM messages WHERE conversation = $1 AND turn = $2 AND role = 'assistant'`, string(l.c.ID), string(turn)).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for the answer of turn %s: %w", turn, err)
	}
	if n == 0 {
		return &chat.Error{Kind: chat.Invalid, Message: "this turn has shown no answer: there is nothing to rate"}
	}
	return nil
}

func errNoTurn(turn chat.TurnID) error {
	return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no turn %.64q in this conversation", turn)}
}

// Score stores how satisfied a customer was, once, and returns the number of the event
// that says so. Another score is a chat.Conflict; the same one may bring the text that the
// first had not. The conversation may be closed.
func (s *Store) Score(ctx context.Context, id chat.ConversationID, v chat.CSAT) (seq int64, err error) {
	_, err = s.change(ctx, id, func(l *log) error {
		var score int
		err := l.t.row(`SELECT score, seq FROM csat WHERE conversation = $1`, string(id)).Scan(&score, &seq)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			seq = l.add("", chat.CSATGiven{Score: v.Score})
			return l.t.insert("csat", "conversation, seq, score, text_sealed, at", 5,
				[]any{string(id), seq, v.Score, l.sealText(csatCell(id), v.Text), l.at.UnixMicro()})
		case err != nil:
			return fmt.Errorf("read the score: %w", err)
		case score != v.Score:
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("the score of this conversation is %d already: it is given once", score)}
		case v.Text == "":
			return nil
		}
		_, err = l.t.exec(`UPDATE csat SET text_sealed = $1 WHERE conversation = $2 AND text_sealed IS NULL`, l.sealText(csatCell(id), v.Text), string(id))
		if err != nil {
			return fmt.Errorf("store the text of the score: %w", err)
		}
		return nil
	})
	return seq, err
}

// asksCSAT reports whether the customer is to be asked for a score: somebody answered, and
// they have not given it.
func (l *log) asksCSAT() (bool, error) {
	n := 0
	err := l.t.row(`SELECT COUNT(*) FROM messages WHERE conversation = $1 AND role IN ('assistant', 'agent')
		AND NOT EXISTS (SELECT 1 FROM csat WHERE conversation = $1)`, string(l.c.ID)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look whether to ask for a score: %w", err)
	}
	return n > 0, nil
}

// Opinions returns what the customer said of a conversation.
func (s *Store) Opinions(ctx context.Context, c chat.Conversation) (chat.Opinions, error) {
	var out chat.Opinions
	err := s.readTx(ctx, func(q *sql.Tx) error {
		key, err := s.seal.key(ctx, q, c.Customer)
		if err != nil {
			return err
		}
		if out.Feedback, err = readFeedback(ctx, q, key, c.ID); err != nil {
			return err
		}
		v, sealed := chat.CSAT{}, []byte(nil)
		err = q.QueryRowContext(ctx, `SELECT score, text_sealed FROM csat WHERE conversation = $1`, string(c.ID)).Scan(&v.Score, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the score: %w", storageError(err))
		}
		v.Text, err = openText(key, csatCell(c.ID), sealed)
		out.CSAT = &v
		return err
	})
	return out, err
}

func readFeedback(ctx context.Context, q rowsQuerier, key cipher.AEAD, id chat.ConversationID) ([]chat.Feedback, error) {
	rows, err := q.QueryContext(ctx, `SELECT turn, rating, reason, text_sealed FROM feedback WHERE conversation = $1 ORDER BY seq`, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the feedback: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.Feedback
	for rows.Next() {
		var f chat.Feedback
		var sealed []byte
		if err := rows.Scan(&f.Turn, &f.Rating, &f.Reason, &sealed); err != nil {
			return nil, fmt.Errorf("read the feedback: %w", err)
		}
		if f.Text, err = openText(key, feedbackCell(f.Turn), sealed); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func feedbackCell(turn chat.TurnID) cell {
	return cell{table: "feedback", column: "text_sealed", row: string(turn)}
}

func csatCell(id chat.ConversationID) cell {
	return cell{table: "csat", column: "text_sealed", row: string(id)}
}

// sealText seals a text that may be missing; openText opens it.
func (l *log) sealText(c cell, text chat.Text) []byte {
	if text == "" {
		return nil
	}
	sealed := seal(l.key, c, []byte(text))
	l.t.bytes += len(sealed)
	return sealed
}

func openText(key cipher.AEAD, c cell, sealed []byte) (chat.Text, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := open(key, c, sealed)
	return chat.Text(plain), err
}

// markRead moves a read mark forward, for each side; no further than the log goes.
var markRead = map[chat.Role]string{
	chat.Customer: `UPDATE conversations SET read_customer = CASE WHEN $1 < seq THEN $1 ELSE seq END
		WHERE id = $2 AND read_customer < $1 AND read_customer < seq RETURNING read_customer, read_agent`,
	chat.Agent: `UPDATE conversations SET read_agent = CASE WHEN $1 < seq THEN $1 ELSE seq END
		WHERE id = $2 AND read_agent < $1 AND read_agent < seq RETURNING read_customer, read_agent`,
}

// MarkRead notes that the customer, or an agent, has seen the events up to seq. It returns
// how far each side has read now, and whether that has changed: a mark never goes back.
// Nothing is added to the log.
func (s *Store) MarkRead(ctx context.Context, id chat.ConversationID, by chat.Role, seq int64) (now chat.ReadMarks, changed bool, err error) {
	err = s.update(ctx, true, func(t *tx) error {
		err := t.row(markRead[by], seq, string(id)).Scan(&now.Customer, &now.Agent)
		changed = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			err = t.row(`SELECT read_customer, read_agent FROM conversations WHERE id = $1`, string(id)).Scan(&now.Customer, &now.Agent)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return errNoConversation
		}
		if err != nil {
			return fmt.Errorf("mark events of %s as read: %w", id, err)
		}
		return nil
	})
	return now, changed, err
}

// waitLonger counts those that wait. A conversation that ended in the queue still has it as
// its owner, but no time.
const waitLonger = `SELECT COUNT(*) FROM conversations WHERE assistant = $1 AND queued_at IS NOT NULL AND (queued_at, id) < ($2, $3)`

// Place returns where a conversation of the queue stands among those of its assistant that
// wait for a person: 1 is next.
func (s *Store) Place(ctx context.Context, c chat.Conversation) (int, error) {
	if c.QueuedAt == nil {
		return 0, fmt.Errorf("conversation %s does not wait", c.ID)
	}
	n := 0
	err := s.read.QueryRowContext(ctx, waitLonger, c.Assistant, c.QueuedAt.UnixMicro(), string(c.ID)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count who waits longer than %s: %w", c.ID, storageError(err))
	}
	return n + 1, nil
}
