package store

import (
	"context"
	"crypto/cipher"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Stream appends what one running turn shows. What is added waits until the writer
// commits it together with what other turns show: the first text at once, then at most
// every pieceGap. One goroutine uses a stream.
type Stream struct {
	w     *writer
	fence chat.Fence

	// Guarded by w.mu.
	bodies   []chat.Body
	entries  []chat.Entry
	waiting  bool // in w.streams
	flushing bool // in a commit that has not ended
	taken    int  // bodies that the commit under way took
	takenE   int  // entries likewise
	last     time.Time
	err      error
	idle     chan struct{} // closed when the commit under way ends, or nil
	shownAt  time.Time     // of the first text, durable
	showing  bool          // counted in w.showing
}

// Stream returns a stream for an open turn.
func (s *Store) Stream(o chat.OpenTurn) *Stream {
	return &Stream{w: s.writer, fence: o.Fence()}
}

// Add hands over what is to be shown together with the journal entries behind it; both
// become durable in one commit. It does not wait. The error is that of an earlier
// commit: chat.Fenced when the turn has lost the right to write.
func (s *Stream) Add(bodies []chat.Body, entries []chat.Entry) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.bodies = append(s.bodies, bodies...)
	s.entries = append(s.entries, entries...)
	if len(s.bodies) > 0 && !s.showing {
		s.showing = true
		s.w.showing++
	}
	if len(s.bodies) > 0 && !s.waiting && !s.flushing {
		s.waiting = true
		s.w.streams = append(s.w.streams, s)
		s.w.nudge()
	}
	return nil
}

// Flush waits until all bodies that were added are durable, with the entries behind them.
func (s *Stream) Flush(ctx context.Context) error {
	for {
		s.w.mu.Lock()
		if s.err != nil || len(s.bodies) == 0 {
			err := s.err
			s.w.mu.Unlock()
			return err
		}
		s.last = time.Time{} // due now
		if !s.waiting && !s.flushing {
			s.waiting = true
			s.w.streams = append(s.w.streams, s)
		}
		if s.idle == nil {
			s.idle = make(chan struct{})
		}
		idle := s.idle
		s.w.mu.Unlock()
		s.w.nudge()
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Rest waits for the commit under way and takes what is not durable yet, for the
// transaction that ends the turn.
func (s *Stream) Rest(ctx context.Context) (bodies []chat.Body, entries []chat.Entry, err error) {
	for {
		s.w.mu.Lock()
		if !s.flushing {
			break
		}
		if s.idle == nil {
			s.idle = make(chan struct{})
		}
		idle := s.idle
		s.w.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	defer s.w.mu.Unlock()
	if s.showing {
		s.showing = false
		s.w.showing--
	}
	bodies, entries = s.bodies, s.entries
	s.bodies, s.entries = nil, nil
	if s.waiting {
		s.waiting = false
		s.w.streams = deleteStream(s.w.streams, s)
	}
	return bodies, entries, s.err
}

func deleteStream(list []*Stream, s *Stream) []*Stream {
	for i, x := range list {
		if x == s {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// ShownAt is when the first text was durable, or the zero time.
func (s *Stream) ShownAt() time.Time {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.shownAt
}

// dueLocked is when the stream wants a commit, not before paced unless its first piece waits.
func (s *Stream) dueLocked(paced time.Time) time.Time {
	if s.last.IsZero() {
		return time.Time{}
	}
	if at := s.last.Add(s.w.gapLocked()); at.After(paced) {
		return at
	}
	return paced
}

// piece is what one stream shows in one commit.
type piece struct {
	stream  *Stream
	bodies  []chat.Body
	entries []chat.Entry
	shown   int        // 1 when there is text among the bodies
	level   chat.Level // that the bodies announce, or ""
	seq     int64      // of the last body; 0: the fence did not hold
}

// flushStreams writes the pieces of all streams: their fenced numbering, then one INSERT
// for the events of those that still hold the right. The journal travels in the row of
// the last event of a piece: one row, one commit, and few pages to write.
func flushStreams(t *tx, streams []*Stream) error {
	pieces := make([]*piece, len(streams))
	t.w.mu.Lock()
	for i, s := range streams {
		pieces[i] = newPiece(s)
	}
	t.w.mu.Unlock()
	if err := t.number(pieces); err != nil {
		return fmt.Errorf("number the pieces of turns: %w", err)
	}
	at := chat.Now()
	var events []any
	for _, p := range pieces {
		if p.seq == 0 {
			p.stream.lose()
			continue
		}
		f := p.stream.fence
		key, err := t.w.s.seal.key(t.ctx, t, f.Customer)
		if err != nil {
			return err
		}
		for j, b := range p.bodies {
			left := len(p.bodies) - 1 - j
			var entries []chat.Entry
			if left == 0 {
				entries = p.entries
			}
			e := chat.NewEvent(p.seq-int64(left), at, f.Turn, b)
			if events, err = t.event(events, f.Conversation, key, e, entries); err != nil {
				return err
			}
		}
	}
	return t.insert("events", eventColumns, eventWidth, events)
}

// newPiece takes what a stream has to show. w.mu is held.
func newPiece(s *Stream) *piece {
	p := &piece{stream: s, bodies: mergeText(s.bodies), entries: s.entries}
	s.taken, s.takenE = len(s.bodies), len(s.entries)
	for _, b := range p.bodies {
		switch b := b.(type) {
		case chat.TextShown:
			p.shown = 1
		case chat.LevelChanged:
			p.level = b.Level
		}
	}
	return p
}

// number reserves the numbers of the pieces' events, where their fences hold: pieces
// that change a conversation in the same way share a statement, each under its own
// fence.
func (t *tx) number(pieces []*piece) error {
	alike := map[change][]*piece{}
	var order []change
	for _, p := range pieces {
		c := change{len(p.bodies), p.shown, p.level}
		if alike[c] == nil {
			order = append(order, c)
		}
		alike[c] = append(alike[c], p)
	}
	for _, c := range order {
		for rest := alike[c]; len(rest) > 0; {
			n := 32
			for n > len(rest) {
				n /= 2
			}
			if err := t.numberAlike(c, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

// change is what a piece does to its conversation.
type change struct {
	events int
	shown  int
	level  chat.Level
}

func (t *tx) numberAlike(c change, pieces []*piece) error {
	args := []any{c.events, c.shown, string(c.level)}
	for _, p := range pieces {
		args = append(args, string(p.stream.fence.Conversation))
	}
	// By fence: an earlier turn of the same conversation may have a piece here too.
	byFence := map[string]*piece{}
	for _, p := range pieces {
		f := p.stream.fence
		fence := string(f.Conversation) + " " + strconv.FormatInt(f.Term, 10) + " " + string(f.Turn)
		args, byFence[fence] = append(args, fence), p
	}
	rows, err := t.rows(numberTexts[len(pieces)], args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var fence string
		var seq int64
		if err := rows.Scan(&fence, &seq); err != nil {
			return err
		}
		byFence[fence].seq = seq
	}
	return rows.Err()
}

// numberTexts are the statements of numberAlike for 1, 2, 4 … 32 pieces.
var numberTexts = func() (texts [33]string) {
	for n := 1; n <= 32; n *= 2 {
		list := func(from int) string {
			marks := make([]string, n)
			for i := range marks {
				marks[i] = "$" + strconv.Itoa(from+i)
			}
			return strings.Join(marks, ",")
		}
		texts[n] = `UPDATE conversations SET seq = seq + $1, shown = shown | $2, level = COALESCE(NULLIF($3, ''), level)
			WHERE id IN (` + list(4) + `) AND id || ' ' || term || ' ' || turn IN (` + list(4+n) + `)
			RETURNING id || ' ' || term || ' ' || turn, seq`
	}
	return texts
}()

const (
	eventColumns = "conversation, seq, kind, turn, at, body_sealed, entries_sealed"
	eventWidth   = 7
)

// lose notes that the fence did not hold.
func (s *Stream) lose() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.err = errFenced
}

var errFenced = &chat.Error{Kind: chat.Fenced, Message: "the turn no longer has the right to write"}

// event seals an event, with the journal's entries behind it, into a row of arguments
// and notes it for the announcement.
func (t *tx) event(rows []any, id chat.ConversationID, key cipher.AEAD, e chat.Event, entries []chat.Entry) ([]any, error) {
	sealed := seal(key, eventCell(id, e.Seq), e.Body)
	t.bytes += len(sealed)
	var journal []byte
	if len(entries) > 0 {
		journal = seal(key, entriesCell(id, e.Seq), chat.AppendEntries(nil, entries))
		t.bytes += len(journal)
	}
	t.m.events = append(t.m.events, announced{id, e})
	return append(rows, string(id), e.Seq, string(e.Kind), string(e.Turn), e.At.UnixMicro(), sealed, journal), nil
}

func eventCell(id chat.ConversationID, seq int64) cell {
	return cell{table: "events", column: "body_sealed", row: string(id), n: seq}
}

func entriesCell(id chat.ConversationID, seq int64) cell {
	return cell{table: "events", column: "entries_sealed", row: string(id), n: seq}
}

// flushed ends the commit under way for the streams.
func flushed(w *writer, streams []*Stream, err error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range streams {
		s.flushing = false
		switch {
		case s.err != nil:
		case err != nil:
			s.err = err
		default:
			for _, b := range s.bodies[:s.taken] {
				if _, ok := b.(chat.TextShown); ok && s.shownAt.IsZero() {
					s.shownAt = now
				}
			}
			s.bodies, s.entries = s.bodies[s.taken:], s.entries[s.takenE:]
			s.last = now
		}
		s.taken, s.takenE = 0, 0
		if s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
		if s.err == nil && len(s.bodies) > 0 {
			s.waiting = true
			w.streams = append(w.streams, s)
		}
	}
}

// mergeText joins neighbouring texts: an event is what was let out since the last flush.
func mergeText(bodies []chat.Body) []chat.Body {
	out := make([]chat.Body, 0, len(bodies))
	for _, b := range bodies {
		if now, ok := b.(chat.TextShown); ok && len(out) > 0 {
			if before, ok := out[len(out)-1].(chat.TextShown); ok {
				out[len(out)-1] = chat.TextShown{Text: before.Text + now.Text}
				continue
			}
		}
		out = append(out, b)
	}
	return out
}
