package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/answerable/answerable/internal/chat"
)

// HandOff gives a conversation of the bot to the queue. The running turn ends with what
// it has shown, in the same commit. When a person or the queue owns it already, nothing
// changes. It returns the conversation and the number of the last event.
func (s *Store) HandOff(ctx context.Context, id chat.ConversationID, h chat.Handoff) (chat.Conversation, error) {
	return s.change(ctx, id, func(l *log) error {
		if l.c.Status == chat.Ended {
			return errEnded
		}
		if l.c.Owner != chat.Bot {
			return nil
		}
		if err := l.handoff(l.c.Turn, h); err != nil {
			return err
		}
		return l.queue(&h)
	})
}

// handoff notes that a person was asked for.
func (l *log) handoff(turn chat.TurnID, h chat.Handoff) error {
	seq := l.add(turn, chat.HandedOff{Reason: h.Reason, Trigger: h.Trigger})
	return l.t.insert("handoffs", "conversation, seq, reason_trigger, at", 4,
		[]any{string(l.c.ID), seq, h.Trigger, l.at.UnixMicro()})
}

// queue ends the turns that are open and makes the queue the owner.
func (l *log) queue(h *chat.Handoff) error {
	if err := l.endTurns(taken(h)); err != nil {
		return err
	}
	l.c.QueuedAt = &l.at
	l.own(chat.Queue, "")
	return nil
}

// Take makes an agent the owner. Another agent's conversation is a chat.Conflict that
// names them; one's own stays as it is.
func (s *Store) Take(ctx context.Context, id chat.ConversationID, name string) (chat.Conversation, error) {
	return s.change(ctx, id, func(l *log) error {
		switch {
		case l.c.Status == chat.Ended:
			return errEnded
		case l.c.Owner == chat.AgentOwner && l.c.OwnerName == name:
			return nil
		case l.c.Owner == chat.AgentOwner:
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("%s has this conversation: ask them to release it", l.c.OwnerName)}
		}
		if err := l.endTurns(taken(nil)); err != nil {
			return err
		}
		l.c.QueuedAt = nil
		l.own(chat.AgentOwner, name)
		return nil
	})
}

// Release gives an agent's or the queue's conversation to the bot or the queue.
func (s *Store) Release(ctx context.Context, id chat.ConversationID, to chat.Owner) (chat.Conversation, error) {
	if to != chat.Bot && to != chat.Queue {
		return chat.Conversation{}, &chat.Error{Kind: chat.Invalid, Message: `"to" must be "bot" or "queue"`}
	}
	return s.change(ctx, id, func(l *log) error {
		if l.c.Status == chat.Ended {
			return errEnded
		}
		if l.c.Owner == to {
			return nil
		}
		if err := l.endTurns(taken(nil)); err != nil {
			return err
		}
		l.c.QueuedAt = nil
		if to == chat.Queue {
			l.c.QueuedAt = &l.at
		}
		l.own(to, "")
		return nil
	})
}

// Say stores what the agent called name writes, who must own the conversation; with no
// name, whoever owns it. Text, files and client_id of in are as in Accept.
func (s *Store) Say(ctx context.Context, name string, in chat.Incoming) (chat.Message, int64, error) {
	m := chat.Message{ID: chat.NewMessageID(), Role: chat.Agent, Text: in.Text, At: chat.Now(), Name: name, ClientID: in.ClientID}
	var out chat.Accepted
	_, err := s.change(ctx, in.Conversation, func(l *log) error {
		out = chat.Accepted{}
		if in.ClientID != "" {
			if again, err := l.repeated(in, &out); again || err != nil {
				return err
			}
		}
		if l.c.Status == chat.Ended {
			return errEnded
		}
		if l.c.Owner != chat.AgentOwner || name != "" && l.c.OwnerName != name {
			return &chat.Error{Kind: chat.Conflict, Message: "you do not have this conversation: take it first with POST /api/conversations/{id}/take"}
		}
		m.At, m.Name = l.at, l.c.OwnerName
		var err error
		if m.Files, err = l.attach(in.Files); err != nil {
			return err
		}
		out.Message = m
		out.Seq = l.add("", chat.AgentSpoke{Message: m})
		return l.message(out.Seq, m)
	})
	return out.Message, out.Seq, err
}

// End closes a conversation for good: it takes no more messages. Text events of a turn
// that stand side by side are folded into one.
func (s *Store) End(ctx context.Context, id chat.ConversationID, reason string) (chat.Conversation, error) {
	return s.change(ctx, id, func(l *log) error {
		if l.c.Status == chat.Ended {
			return nil
		}
		if err := l.endTurns(taken(nil)); err != nil {
			return err
		}
		ask, err := l.asksCSAT()
		if err != nil {
			return err
		}
		if ask {
			l.add("", chat.CSATAsked{})
		}
		l.add("", chat.ConversationClosed{Reason: reason})
		l.c.Status, l.c.QueuedAt = chat.Ended, nil
		l.c.Term++
		return l.fold()
	})
}

// change runs f on a locked conversation and saves it if f added an event.
func (s *Store) change(ctx context.Context, id chat.ConversationID, f func(*log) error) (chat.Conversation, error) {
	var out chat.Conversation
	err := s.update(ctx, false, func(t *tx) error {
		c, err := t.lock(id, "")
		if err != nil {
			return err
		}
		before := c.Seq
		last := c.LastAt
		l, err := t.log(&c, chat.Now())
		if err != nil {
			return err
		}
		if err := f(l); err != nil {
			return err
		}
		if c.Seq == before {
			c.LastAt = last
			out = c
			return nil
		}
		if err := l.save(); err != nil {
			return err
		}
		out = c
		return nil
	})
	return out, err
}

// own moves the right to write.
func (l *log) own(to chat.Owner, name string) {
	l.c.Owner, l.c.OwnerName = to, name
	l.c.Term++
	l.add("", chat.OwnerChanged{Owner: to, Term: l.c.Term, Name: name})
}

// ending is how a turn ends that somebody else ends.
type ending struct {
	outcome chat.Outcome
	handoff *chat.Handoff
	line    chat.Text  // said at the end, or ""
	entry   chat.Entry // stands for the line in the journal
}

// taken is how turns end of which somebody else takes the conversation.
func taken(h *chat.Handoff) func(chat.TurnID) (ending, error) {
	return func(chat.TurnID) (ending, error) { return ending{outcome: chat.HandedOver, handoff: h}, nil }
}

// endTurns ends the running turn with what it has shown, and the waiting one with
// nothing, as how says: from here on they have no right to write.
func (l *log) endTurns(how func(chat.TurnID) (ending, error)) error {
	running, waiting := l.c.Turn, l.c.Waiting
	l.c.Turn, l.c.Waiting, l.c.Shown = "", "", false
	if running != "" {
		if err := l.endTurn(running, how); err != nil {
			return err
		}
	}
	if waiting != "" {
		l.add(waiting, chat.TurnStarted{})
		return l.endTurn(waiting, how)
	}
	return nil
}

func (l *log) endTurn(id chat.TurnID, how func(chat.TurnID) (ending, error)) error {
	end, err := how(id)
	if err != nil {
		return err
	}
	text, cites, err := l.shown(id)
	if err != nil {
		return err
	}
	var entries []chat.Entry
	if line := end.line; line != "" {
		if text != "" {
			line = "\n\n" + line
		}
		l.add(id, chat.TextShown{Text: string(line)})
		text += line
		entries = []chat.Entry{end.entry}
	}
	seq, err := l.addWith(id, chat.TurnEnded{Outcome: end.outcome, Text: text}, entries)
	if err != nil {
		return err
	}
	if text != "" {
		if err := l.message(seq, chat.Message{ID: chat.NewMessageID(), Role: chat.Assistant, Text: text, At: l.at, Turn: id, Citations: cites}); err != nil {
			return err
		}
	}
	// What is known here. The process that ran the turn adds the rest, if it lives.
	record, err := json.Marshal(chat.Turn{ID: id, Conversation: l.c.ID, Customer: l.c.Customer, Assistant: l.c.Assistant, Test: l.c.Test,
		Shown: text, Citations: cites, Level: l.c.Level, Handoff: end.handoff, Outcome: end.outcome, EndedAt: l.at})
	if err != nil {
		return fmt.Errorf("encode the record: %w", err)
	}
	return l.closeTurn(id, end.outcome, record)
}

// closeTurn marks a turn as ended and stores its record.
func (l *log) closeTurn(id chat.TurnID, outcome chat.Outcome, record []byte) error {
	sealed := seal(l.key, recordCell(id), record)
	l.t.bytes += len(sealed)
	n, err := l.t.exec(`UPDATE turns SET status = 'ended', outcome = $1, ended_at = $2, record_sealed = $3
		WHERE conversation = $4 AND id = $5 AND status <> 'ended'`,
		string(outcome), l.at.UnixMicro(), sealed, string(l.c.ID), string(id))
	if err != nil {
		return fmt.Errorf("end turn %s: %w", id, err)
	}
	if n != 1 {
		return errFenced
	}
	return nil
}

func recordCell(id chat.TurnID) cell {
	return cell{table: "turns", column: "record_sealed", row: string(id)}
}

// shown returns the text of a turn since its last retract, and what it cites.
func (l *log) shown(id chat.TurnID) (chat.Text, []chat.Citation, error) {
	rows, err := l.t.rows(`SELECT seq, kind, body_sealed FROM events WHERE conversation = $1 AND `+ofTurn+` ORDER BY seq`, string(l.c.ID), string(id))
	if err != nil {
		return "", nil, fmt.Errorf("read what turn %s has shown: %w", id, err)
	}
	defer rows.Close()
	var text chat.Text
	var cites []chat.Citation
	for rows.Next() {
		e := chat.Event{}
		var sealed []byte
		if err := rows.Scan(&e.Seq, &e.Kind, &sealed); err != nil {
			return "", nil, fmt.Errorf("read what turn %s has shown: %w", id, err)
		}
		switch e.Kind {
		case chat.KindText, chat.KindCitation:
			if e.Body, err = open(l.key, eventCell(l.c.ID, e.Seq), sealed); err != nil {
				return "", nil, err
			}
		case chat.KindRetract:
			text, cites = "", nil
		}
		switch e.Kind {
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			if err != nil {
				return "", nil, err
			}
			text += chat.Text(b.Text)
		case chat.KindCitation:
			b, err := chat.Decode[chat.Cited](e)
			if err != nil {
				return "", nil, err
			}
			cites = append(cites, b.Citation)
		}
	}
	return text, cites, rows.Err()
}

// fold joins text events of a turn that stand side by side, never across another kind,
// into one that has the last one's number and names the first's.
func (l *log) fold() error {
	rows, err := l.t.rows(`SELECT seq, kind, turn, body_sealed, entries_sealed FROM events WHERE conversation = $1 ORDER BY seq`, string(l.c.ID))
	if err != nil {
		return fmt.Errorf("read the events to fold: %w", err)
	}
	defer rows.Close()
	type run struct {
		first, last int64
		turn        string
		text        string
		entries     []chat.Entry
	}
	var runs []run
	joined := false
	for rows.Next() {
		var seq int64
		var kind chat.Kind
		var turn string
		var sealed, journal []byte
		if err := rows.Scan(&seq, &kind, &turn, &sealed, &journal); err != nil {
			return fmt.Errorf("read the events to fold: %w", err)
		}
		if kind != chat.KindText {
			joined = false
			continue
		}
		plain, err := open(l.key, eventCell(l.c.ID, seq), sealed)
		if err != nil {
			return err
		}
		b, err := chat.Decode[chat.TextShown](chat.Event{Seq: seq, Kind: kind, Body: plain})
		if err != nil {
			return err
		}
		if b.First != 0 {
			joined = false
			continue // folded before
		}
		if !joined || runs[len(runs)-1].turn != turn {
			runs, joined = append(runs, run{first: seq, turn: turn}), true
		}
		r := &runs[len(runs)-1]
		r.last, r.text = seq, r.text+b.Text
		if journal != nil {
			entries, err := openEntries(l.key, l.c.ID, seq, journal)
			if err != nil {
				return err
			}
			r.entries = append(r.entries, entries...)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("read the events to fold: %w", err)
	}
	for _, r := range runs {
		if r.first == r.last {
			continue
		}
		if err := l.foldRun(r.first, r.last, r.text, r.entries); err != nil {
			return fmt.Errorf("fold events: %w", err)
		}
	}
	return nil
}

// foldRun replaces the events from first to last by one that stands for them.
func (l *log) foldRun(first, last int64, text string, entries []chat.Entry) error {
	id := string(l.c.ID)
	if _, err := l.t.exec(`DELETE FROM events WHERE conversation = $1 AND seq >= $2 AND seq < $3`, id, first, last); err != nil {
		return err
	}
	var journal []byte
	if len(entries) > 0 {
		journal = seal(l.key, entriesCell(l.c.ID, last), chat.AppendEntries(nil, entries))
	}
	body := seal(l.key, eventCell(l.c.ID, last), chat.EncodeBody(chat.TextShown{First: first, Text: text}))
	_, err := l.t.exec(`UPDATE events SET body_sealed = $1, entries_sealed = $2 WHERE conversation = $3 AND seq = $4`, body, journal, id, last)
	return err
}
