package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// NewConversation is what a conversation begins with.
type NewConversation struct {
	ID        chat.ConversationID
	Assistant string
	TokenHash []byte          // SHA-256 of the token that opens it
	Metadata  json.RawMessage // the caller's own, or nil
	Test      bool
	Person    chat.Person // whose it is; without an ID, a new anonymous customer's
}

// Create makes a conversation, owned by the bot.
func (s *Store) Create(ctx context.Context, n NewConversation) (chat.Conversation, error) {
	now := chat.Now()
	c := chat.Conversation{
		ID: n.ID, Assistant: n.Assistant, Owner: chat.Bot, Term: 1,
		State: chat.Initial, Level: chat.Full, Status: chat.Open, Test: n.Test, CreatedAt: now, LastAt: now,
	}
	err := s.update(ctx, false, func(t *tx) error {
		var key cipher.AEAD
		var err error
		if n.Person.ID != "" {
			c.Customer, key, _, err = t.person(n.Person, now)
		} else {
			c.Customer, key, err = t.anonymous(now)
		}
		if err != nil {
			return err
		}
		var metadata []byte
		if n.Metadata != nil {
			metadata = seal(key, cell{table: "conversations", column: "metadata_sealed", row: string(c.ID)}, n.Metadata)
		}
		_, err = t.exec(`INSERT INTO conversations (id, customer, assistant, token_hash, owner, owner_name, term, seq, turn, waiting,
			shown, state, level, status, test, metadata_sealed, created_at, last_at)
			VALUES ($1, $2, $3, $4, 'bot', '', 1, 0, '', '', 0, $5, $6, $7, $8, $9, $10, $10)`,
			string(c.ID), string(c.Customer), c.Assistant, n.TokenHash, string(c.State), string(c.Level), string(c.Status),
			bit(c.Test), metadata, now.UnixMicro())
		if err != nil {
			return fmt.Errorf("insert the conversation: %w", err)
		}
		return nil
	})
	return c, err
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// conversationColumns are read by scanConversation.
const conversationColumns = `id, customer, assistant, owner, owner_name, term, seq, turn, waiting, shown, state, level, status, test, read_customer, read_agent, created_at, last_at, queued_at`

func scanConversation(scan func(...any) error) (c chat.Conversation, err error) {
	var created, last int64
	var queued sql.NullInt64
	var shown, test int
	err = scan(&c.ID, &c.Customer, &c.Assistant, &c.Owner, &c.OwnerName, &c.Term, &c.Seq, &c.Turn, &c.Waiting, &shown,
		&c.State, &c.Level, &c.Status, &test, &c.Read.Customer, &c.Read.Agent, &created, &last, &queued)
	if err != nil {
		return c, err
	}
	c.Shown, c.Test = shown == 1, test == 1
	c.CreatedAt, c.LastAt = chat.Micro(created), chat.Micro(last)
	if queued.Valid {
		at := chat.Micro(queued.Int64)
		c.QueuedAt = &at
	}
	return c, nil
}

var errNoConversation = &chat.Error{Kind: chat.NotFound, Message: "there is no such conversation: start one with POST /v1/conversations"}

// Conversation returns the conversation as it is now.
func (s *Store) Conversation(ctx context.Context, id chat.ConversationID) (chat.Conversation, error) {
	c, err := scanConversation(s.read.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE id = $1`, string(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return c, errNoConversation
	}
	if err != nil {
		return c, fmt.Errorf("read conversation %s: %w", id, storageError(err))
	}
	return c, nil
}

// TokenHash returns the hash of the token that opens a conversation.
func (s *Store) TokenHash(ctx context.Context, id chat.ConversationID) ([]byte, error) {
	var h []byte
	err := s.read.QueryRowContext(ctx, `SELECT token_hash FROM conversations WHERE id = $1`, string(id)).Scan(&h)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoConversation
	}
	if err != nil {
		return nil, fmt.Errorf("read the token of %s: %w", id, storageError(err))
	}
	return h, nil
}

// Conversations returns up to limit conversations of an owner, those that wait longest
// first. Assistants, unless it is nil, are those that are asked for; test asks for tests
// only, or for none, or with nil for both. After is the last one of the page before, or "".
func (s *Store) Conversations(ctx context.Context, owner chat.Owner, assistants []string, after chat.ConversationID, limit int, test *bool) ([]chat.Conversation, error) {
	tests := -1
	if test != nil {
		tests = bit(*test)
	}
	only, args := ofAssistants(assistants, []any{string(owner), string(after), limit, tests})
	rows, err := s.read.QueryContext(ctx, `SELECT `+conversationColumns+` FROM conversations
		WHERE owner = $1 AND status <> 'ended' AND ($2 = '' OR
			(last_at, id) > ((SELECT last_at FROM conversations WHERE id = $2), $2))
		AND ($4 = -1 OR test = $4)`+only+`
		ORDER BY last_at, id LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.Conversation
	for rows.Next() {
		c, err := scanConversation(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list conversations: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// ofAssistants returns what narrows a query of conversations to those of some assistants,
// and its arguments with their names. Nil narrows nothing.
func ofAssistants(assistants []string, args []any) (and string, with []any) {
	if assistants == nil {
		return "", args
	}
	marks := []string{"NULL"} // so that none is asked for when there is none
	for _, name := range assistants {
		args = append(args, name)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	return ` AND assistant IN (` + strings.Join(marks, ",") + `)`, args
}

// lock reads a conversation and keeps others from changing it until the transaction
// ends. where and args narrow it, as a fence does, from $2 on.
func (t *tx) lock(id chat.ConversationID, where string, args ...any) (chat.Conversation, error) {
	c, err := scanConversation(t.row(`UPDATE conversations SET last_at = last_at WHERE id = $1`+where+` RETURNING `+conversationColumns,
		append([]any{string(id)}, args...)...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		if where != "" {
			return c, errFenced
		}
		return c, errNoConversation
	}
	if err != nil {
		return c, fmt.Errorf("lock conversation %s: %w", id, err)
	}
	t.locked = append(t.locked, id)
	return c, nil
}

// first reports whether nobody before in this transaction has changed a conversation:
// then others can read all that came before.
func (t *tx) first(id chat.ConversationID) bool {
	n := 0
	for _, l := range t.locked {
		if l == id {
			n++
		}
	}
	return n <= 1
}

// lockFence locks the conversation of a fence, if the fence still holds.
func (t *tx) lockFence(f chat.Fence) (chat.Conversation, error) {
	return t.lock(f.Conversation, ` AND term = $2 AND turn = $3`, f.Term, string(f.Turn))
}

// save writes a locked conversation back, but for what never changes and the read marks.
func (t *tx) save(c chat.Conversation) error {
	var queued sql.NullInt64
	if c.QueuedAt != nil {
		queued = sql.NullInt64{Int64: c.QueuedAt.UnixMicro(), Valid: true}
	}
	_, err := t.exec(`UPDATE conversations SET owner = $1, owner_name = $2, term = $3, seq = $4, turn = $5, waiting = $6, shown = $7,
		state = $8, level = $9, status = $10, last_at = $11, queued_at = $12 WHERE id = $13`,
		string(c.Owner), c.OwnerName, c.Term, c.Seq, string(c.Turn), string(c.Waiting), bit(c.Shown), string(c.State),
		string(c.Level), string(c.Status), c.LastAt.UnixMicro(), queued, string(c.ID))
	if err != nil {
		return fmt.Errorf("save conversation %s: %w", c.ID, err)
	}
	return nil
}

// log collects the events that a transaction appends to one locked conversation.
type log struct {
	t    *tx
	c    *chat.Conversation
	key  cipher.AEAD
	at   chat.Time
	rows []any
}

func (t *tx) log(c *chat.Conversation, at chat.Time) (*log, error) {
	key, err := t.w.s.seal.key(t.ctx, t, c.Customer)
	if err != nil {
		return nil, err
	}
	c.LastAt = at
	return &log{t: t, c: c, key: key, at: at}, nil
}

// add numbers an event.
func (l *log) add(turn chat.TurnID, body chat.Body) int64 {
	seq, _ := l.addWith(turn, body, nil) // only entries can fail
	return seq
}

// addWith numbers an event that carries entries of the turn's journal.
func (l *log) addWith(turn chat.TurnID, body chat.Body, entries []chat.Entry) (int64, error) {
	l.c.Seq++
	var err error
	l.rows, err = l.t.event(l.rows, l.c.ID, l.key, chat.NewEvent(l.c.Seq, l.at, turn, body), entries)
	return l.c.Seq, err
}

// save writes the events and the conversation.
func (l *log) save() error {
	if err := l.t.insert("events", eventColumns, eventWidth, l.rows); err != nil {
		return err
	}
	return l.t.save(*l.c)
}

// sealedMessage is the part of a message that is people's words.
type sealedMessage struct {
	Text      chat.Text       `json:"text"`
	Name      string          `json:"name,omitempty"`
	Citations []chat.Citation `json:"citations,omitempty"`
	Files     []chat.File     `json:"files,omitempty"`
}

func messageCell(id chat.ConversationID, seq int64) cell {
	return cell{table: "messages", column: "body_sealed", row: string(id), n: seq}
}

// message inserts a message that event seq made known.
func (l *log) message(seq int64, m chat.Message) error {
	plain, err := json.Marshal(sealedMessage{m.Text, m.Name, m.Citations, m.Files})
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	sealed := seal(l.key, messageCell(l.c.ID, seq), plain)
	l.t.bytes += len(sealed)
	client := sql.NullString{String: m.ClientID, Valid: m.ClientID != ""}
	return l.t.insert("messages", "conversation, seq, id, role, turn, client_id, at, body_sealed", 8,
		[]any{string(l.c.ID), seq, string(m.ID), string(m.Role), string(m.Turn), client, m.At.UnixMicro(), sealed})
}

func openMessage(key cipher.AEAD, id chat.ConversationID, seq int64, sealed []byte) (body sealedMessage, err error) {
	plain, err := open(key, messageCell(id, seq), sealed)
	if err != nil {
		return body, err
	}
	if err := json.Unmarshal(plain, &body); err != nil {
		return body, fmt.Errorf("decode message %d of %s: %w", seq, id, err)
	}
	return body, nil
}

const messageColumns = `seq, id, role, turn, client_id, at, body_sealed`

// scanMessage opens a message of a conversation.
func scanMessage(id chat.ConversationID, key cipher.AEAD, scan func(...any) error) (m chat.Message, seq int64, err error) {
	var at int64
	var client sql.NullString
	var sealed []byte
	if err := scan(&seq, &m.ID, &m.Role, &m.Turn, &client, &at, &sealed); err != nil {
		return m, 0, err
	}
	body, err := openMessage(key, id, seq, sealed)
	if err != nil {
		return m, 0, err
	}
	m.ClientID, m.At = client.String, chat.Micro(at)
	m.Text, m.Name, m.Citations, m.Files = body.Text, body.Name, body.Citations, body.Files
	return m, seq, nil
}

var errEnded = &chat.Error{Kind: chat.Conflict, Message: "this conversation was closed: start a new one with POST /v1/conversations"}

// Accept makes a customer's message durable and says what it leads to. A message with
// a client_id that was accepted before is not stored again: Effect is Repeated, or the
// error chat.Conflict when the text or the files differ. A message of files alone starts
// no turn.
//
// When it starts a turn, begun, which must not wait and may be nil, is called before the
// commit: what the turn does until it writes need not wait for the disk, and what it writes
// comes behind this commit. When the transaction is tried again, begun is told of another
// turn. When Accept then fails, or says that the message does something else, no turn began.
func (s *Store) Accept(ctx context.Context, in chat.Incoming, begun func(chat.OpenTurn)) (chat.Accepted, error) {
	var out chat.Accepted
	now := chat.Now()
	id := chat.NewMessageID()
	err := s.update(ctx, false, func(t *tx) error {
		fresh := chat.NewTurnID() // of this attempt: what began with an earlier one has no right to write
		out = chat.Accepted{Message: chat.Message{ID: id, Role: chat.Customer, Text: in.Text, At: now, ClientID: in.ClientID}}
		c, err := t.lock(in.Conversation, "")
		if err != nil {
			return err
		}
		l, err := t.log(&c, now)
		if err != nil {
			return err
		}
		if in.ClientID != "" {
			if again, err := l.repeated(in, &out); again || err != nil {
				return err
			}
		}
		if c.Status == chat.Ended {
			return errEnded
		}
		l.reopen()
		m := &out.Message
		switch {
		case c.Owner != chat.Bot, strings.TrimSpace(string(in.Text)) == "":
			out.Effect = chat.Rests
		case c.Turn == "":
			out.Effect, m.Turn = chat.Starts, fresh
		case c.Shown:
			out.Effect = chat.Waits
			if c.Waiting == "" {
				c.Waiting = fresh
				if err := l.newTurn(in, fresh, "waiting", ""); err != nil {
					return err
				}
			}
			m.Turn = c.Waiting
		default:
			// The running attempt loses the right to write: what it meant to show is void.
			out.Effect, m.Turn = chat.Merges, c.Turn
			c.Term++
		}
		if m.Files, err = l.attach(in.Files); err != nil {
			return err
		}
		out.Seq = l.add(m.Turn, chat.MessageAccepted{Message: *m})
		if err := l.message(out.Seq, *m); err != nil {
			return err
		}
		if out.Effect == chat.Starts {
			c.Turn, c.Shown = fresh, false
			l.add(fresh, chat.TurnStarted{})
			if err := l.newTurn(in, fresh, "running", ""); err != nil {
				return err
			}
			out.Open = chat.OpenTurn{ID: fresh, Messages: []chat.Message{*m}, Lives: 1, Final: in.Final,
				Stateless: in.Stateless, History: in.History, AcceptedAt: now}
			if out.Open.Off, err = offOf(ctx, t, c.Assistant); err != nil {
				return err
			}
		}
		if err := l.save(); err != nil {
			return err
		}
		out.Open.Conversation = c
		if begun != nil && out.Effect == chat.Starts && t.first(c.ID) {
			begun(out.Open)
		}
		return nil
	})
	return out, err
}

// reopen begins a new session where the last one was closed.
func (l *log) reopen() {
	if l.c.Status == chat.Closed {
		l.c.Status, l.c.State = chat.Open, chat.Initial
	}
}

// repeated fills in what an earlier message with the same client_id led to.
func (l *log) repeated(in chat.Incoming, out *chat.Accepted) (bool, error) {
	m, seq, err := scanMessage(l.c.ID, l.key, l.t.row(`SELECT `+messageColumns+` FROM messages WHERE conversation = $1 AND client_id = $2`,
		string(in.Conversation), in.ClientID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the client_id: %w", err)
	}
	if m.Text != in.Text || !slices.EqualFunc(m.Files, in.Files, func(f chat.File, id chat.FileID) bool { return f.ID == id }) {
		return true, &chat.Error{Kind: chat.Conflict, Message: "this client_id was used for another text or other files in this conversation: choose a new one"}
	}
	*out = chat.Accepted{Message: m, Seq: seq, Effect: chat.Repeated}
	out.Open.Conversation = *l.c
	return true, nil
}

func (l *log) newTurn(in chat.Incoming, id chat.TurnID, status string, retryOf chat.TurnID) error {
	return l.t.insert("turns", "conversation, id, seq, status, node, lives, stop, final, stateless, retry_of, outcome, accepted_at", 12,
		[]any{string(l.c.ID), string(id), l.c.Seq, status, string(in.Node), 1, 0, bit(in.Final), bit(in.Stateless), string(retryOf), "", l.at.UnixMicro()})
}

// Messages returns up to limit messages after event number after, oldest first, and
// the number to go on from, or 0 after the last.
func (s *Store) Messages(ctx context.Context, c chat.Conversation, after int64, limit int) ([]chat.Message, int64, error) {
	key, err := s.seal.key(ctx, s.read, c.Customer)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
		string(c.ID), after, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("read messages: %w", storageError(err))
	}
	defer rows.Close()
	out := []chat.Message{}
	for rows.Next() {
		m, seq, err := scanMessage(c.ID, key, rows.Scan)
		if err != nil {
			return nil, 0, fmt.Errorf("read messages: %w", err)
		}
		if len(out) == limit {
			return out, after, nil
		}
		out, after = append(out, m), seq
	}
	return out, 0, rows.Err()
}

const history = `SELECT ` + messageColumns + ` FROM messages
	WHERE conversation = $1 AND turn NOT IN ` + retried + ` AND turn <> $3
	AND turn NOT IN (SELECT id FROM turns WHERE conversation = $1 AND status = 'waiting')
	AND NOT (role = 'assistant' AND turn IN (SELECT retry_of FROM turns WHERE conversation = $1 AND retry_of <> ''))
	ORDER BY seq DESC LIMIT $4`

// History returns the last limit messages that a turn follows on, oldest first: what was
// sent while it runs and waits for the next turn is not among them, nor is an answer that
// another one stands in the place of. The turn itself need not be committed.
func (s *Store) History(ctx context.Context, o chat.OpenTurn, limit int) ([]chat.Message, error) {
	key, err := s.seal.key(ctx, s.read, o.Conversation.Customer)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, history, string(o.Conversation.ID), string(o.RetryOf), string(o.ID), limit)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.Message
	for rows.Next() {
		m, _, err := scanMessage(o.Conversation.ID, key, rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		out = append([]chat.Message{m}, out...)
	}
	return out, rows.Err()
}

// After returns up to limit events numbered above after, in order.
func (s *Store) After(ctx context.Context, id chat.ConversationID, after int64, limit int) ([]chat.Event, error) {
	var customer chat.CustomerID
	err := s.read.QueryRowContext(ctx, `SELECT customer FROM conversations WHERE id = $1`, string(id)).Scan(&customer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoConversation
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", storageError(err))
	}
	key, err := s.seal.key(ctx, s.read, customer)
	if err != nil {
		return nil, err
	}
	return readEvents(ctx, s.read, key, id, `seq > $2 ORDER BY seq LIMIT $3`, after, limit)
}

type rowsQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readEvents(ctx context.Context, q rowsQuerier, key cipher.AEAD, id chat.ConversationID, where string, args ...any) ([]chat.Event, error) {
	rows, err := q.QueryContext(ctx, `SELECT seq, kind, turn, at, body_sealed FROM events WHERE conversation = $1 AND `+where, append([]any{string(id)}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.Event
	for rows.Next() {
		var e chat.Event
		var at int64
		var sealed []byte
		if err := rows.Scan(&e.Seq, &e.Kind, &e.Turn, &at, &sealed); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if e.Body, err = open(key, eventCell(id, e.Seq), sealed); err != nil {
			return nil, err
		}
		e.At = chat.Micro(at)
		out = append(out, e)
	}
	return out, rows.Err()
}
