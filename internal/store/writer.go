package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// How the writer paces itself (measured in docs/decisions.md, "Paced commits").
const (
	// commitGap is the least time between two commits, except for what must not wait:
	// an accepted message, a change of owner, the first piece of a turn.
	commitGap = 8 * time.Millisecond
	// pieceGap is the least time between two text events of a turn, while at most
	// calmStreams turns show text. With more it grows with their number, up to
	// longestGap: each piece costs the same however long it is, and so many customers
	// are better served by a server that is not full.
	pieceGap    = 50 * time.Millisecond
	longestGap  = 80 * time.Millisecond
	calmStreams = 64
	// groupLimit bounds the members of one commit.
	groupLimit = 256
	// statementLimit bounds a transaction on a database that does not answer.
	statementLimit = 30 * time.Second
)

// writer is the one place that writes. What waits together is committed together: each
// member is a savepoint of its own, so that one's failure does not undo another's, and
// the pieces of all streams are one member.
type writer struct {
	s    *Store
	conn *sql.Conn
	stmt map[string]*sql.Stmt // SQLite: prepared on conn

	wake   chan struct{} // has room for one
	closed chan struct{}

	mu      sync.Mutex
	members []*member
	streams []*Stream // those with something to show
	signals []string  // for other nodes, a line each
	showing int       // turns that have begun to show text and not ended
	last    time.Time // of the last commit
	closing bool
}

// member is one transaction of a caller.
type member struct {
	patient bool   // may wait for commitGap
	table   string // that it alone may use until its commit, or ""; then it is in no group
	do      func(*tx) error
	err     error
	done    chan struct{}
	events  []announced
	hints   []chat.ConversationID // changed without an event
	// settings: what operators set was changed, see Heard.
	settings bool
}

// forget drops what an attempt has gathered; err is what became of it.
func (m *member) forget(err error) {
	m.err, m.events, m.hints, m.settings = err, nil, nil, false
}

// announced is what a follower is told after the commit.
type announced struct {
	conversation chat.ConversationID
	event        chat.Event
}

// gapLocked is the least time between two text events of a turn now.
func (w *writer) gapLocked() time.Duration {
	return min(longestGap, max(pieceGap, pieceGap*time.Duration(w.showing)/calmStreams))
}

func newWriter(s *Store) *writer {
	return &writer{s: s, wake: make(chan struct{}, 1), closed: make(chan struct{}), stmt: map[string]*sql.Stmt{}}
}

var errClosed = &chat.Error{Kind: chat.Unavailable, Message: "the server is shutting down: try again"}

// update runs do in a transaction of the writer and waits for its commit, also after
// ctx has ended: what was begun may be durable. do may run more than once.
func (s *Store) update(ctx context.Context, patient bool, do func(*tx) error) error {
	return s.submit(ctx, &member{patient: patient, do: do})
}

// updateAlone is update for what must know who else reads a table: it waits until no other
// transaction has read it, and keeps others from reading it. It holds no other lock while it
// waits, so that none of them waits for it.
func (s *Store) updateAlone(ctx context.Context, table string, do func(*tx) error) error {
	return s.submit(ctx, &member{table: table, do: do})
}

func (s *Store) submit(ctx context.Context, m *member) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.writer == nil {
		return &chat.Error{Kind: chat.Conflict, Message: "the data is open for reading only"}
	}
	m.done = make(chan struct{})
	w := s.writer
	w.mu.Lock()
	if w.closing {
		w.mu.Unlock()
		return errClosed
	}
	w.members = append(w.members, m)
	w.mu.Unlock()
	w.nudge()
	<-m.done
	return m.err
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close commits what waits and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.nudge()
	<-w.closed
}

func (w *writer) run() {
	defer close(w.closed)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		members, streams, wait, closing := w.take(time.Now())
		if len(members)+len(streams) > 0 {
			w.commit(members, streams)
			continue
		}
		if closing {
			w.disconnect()
			return
		}
		timer.Reset(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		}
	}
}

// take returns what is to be committed now, or how long nothing is.
func (w *writer) take(now time.Time) (members []*member, streams []*Stream, wait time.Duration, closing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = time.Hour
	paced := w.last.Add(commitGap)
	due := func(at time.Time) {
		wait = min(wait, max(0, at.Sub(now)))
	}
	if w.closing {
		due(now)
	}
	for _, m := range w.members {
		if m.patient {
			due(paced)
		} else {
			due(now)
		}
	}
	for _, s := range w.streams {
		due(s.dueLocked(paced))
	}
	if len(w.signals) > 0 {
		due(paced)
	}
	if wait > 0 {
		return nil, nil, wait, false
	}
	n := min(len(w.members), groupLimit)
	if i := slices.IndexFunc(w.members[:n], func(m *member) bool { return m.table != "" }); i >= 0 {
		n = max(i, 1)
	}
	members = slices.Clone(w.members[:n])
	w.members = slices.Delete(w.members, 0, n)
	if n > 0 && members[0].table != "" {
		return members, nil, 0, w.closing
	}
	if signals := w.signals; len(signals) > 0 {
		w.signals = nil
		members = append(members, &member{do: func(t *tx) error { return t.tell("\n", signals) }, done: make(chan struct{})})
	}
	w.streams = slices.DeleteFunc(w.streams, func(s *Stream) bool {
		// A commit that happens anyway takes along what is due within a moment.
		if !w.closing && s.dueLocked(time.Time{}).Sub(now) > commitGap/2 {
			return false
		}
		streams = append(streams, s)
		s.waiting = false
		s.flushing = true
		return true
	})
	return members, streams, 0, w.closing
}

// commit writes members and streams in one transaction and tells everyone.
func (w *writer) commit(members []*member, streams []*Stream) {
	if len(streams) > 0 {
		flush := &member{do: func(t *tx) error { return flushStreams(t, streams) }, done: make(chan struct{})}
		members = append(members, flush)
	}
	err := w.group(members)
	if err != nil && !errors.Is(err, errUnsure) && !errors.Is(err, chat.StorageFull) {
		// Nothing was committed. Another node held what the group needed, or the
		// connection was stale: one by one, each succeeds or learns of its own failure.
		for _, m := range members {
			if err := w.alone(m); err != nil {
				m.err = err
			}
		}
	} else if err != nil {
		for _, m := range members {
			m.err = err
		}
	}
	w.mu.Lock()
	w.last = time.Now()
	w.mu.Unlock()
	for _, m := range members {
		if m.err == nil {
			w.announce(m.events)
		}
	}
	if len(streams) > 0 {
		flushed(w, streams, members[len(members)-1].err)
	}
	for _, m := range members {
		close(m.done)
	}
}

// alone runs one member in a transaction of its own, a few times if need be.
func (w *writer) alone(m *member) error {
	for tries := 1; ; tries++ {
		err := w.group([]*member{m})
		if err == nil || tries == 5 || errors.Is(err, errUnsure) || !again(err) && tries > 1 {
			return err
		}
	}
}

// errUnsure: the database did not say whether it committed. The caller must look.
var errUnsure = errors.New("the database did not confirm the commit")

// announce tells followers of events, those of a conversation that stand side by side
// together.
func (w *writer) announce(events []announced) {
	w.s.counters.Events.Add(int64(len(events)))
	if w.s.Announce == nil || len(events) == 0 {
		return
	}
	all := make([]chat.Event, len(events))
	first := 0
	for i, a := range events {
		all[i] = a.event
		if i+1 == len(events) || events[i+1].conversation != a.conversation {
			w.s.Announce(a.conversation, all[first:i+1:i+1])
			first = i + 1
		}
	}
}

// group runs the members in one transaction. The error is the group's; a member's own
// is in the member.
func (w *writer) group(members []*member) (err error) {
	ctx := context.Background()
	if w.s.Shared() {
		// The embedded database always answers, and its driver starts a goroutine for
		// every statement whose context can end.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, statementLimit)
		defer cancel()
	}
	if err := w.connect(ctx); err != nil {
		return storageError(fmt.Errorf("connect to the database: %w", err))
	}
	t := &tx{ctx: ctx, w: w}
	if err := t.run(w.s.engine.begin); err != nil {
		w.check(err)
		return storageError(fmt.Errorf("begin: %w", err))
	}
	for _, m := range members {
		if err := t.member(m, len(members) > 1); err != nil {
			rollback := t.run("ROLLBACK")
			w.check(errors.Join(err, rollback))
			return storageError(err)
		}
	}
	if len(members) == 1 && members[0].err != nil {
		err := t.run("ROLLBACK")
		w.check(err)
		return nil
	}
	if w.s.Shared() {
		if err := t.notify(members); err != nil {
			rollback := t.run("ROLLBACK")
			w.check(errors.Join(err, rollback))
			return storageError(err)
		}
	}
	if err := t.run("COMMIT"); err != nil {
		rollback := t.run("ROLLBACK") // SQLite keeps the transaction open when the disk is full
		w.check(errors.Join(err, rollback))
		if err := storageError(err); errors.Is(err, chat.StorageFull) {
			return fmt.Errorf("commit: %w", err) // SQLite says so before it commits
		}
		return storageError(fmt.Errorf("%w: %w", errUnsure, err))
	}
	c := &w.s.counters
	c.Commits.Add(1)
	c.Members.Add(int64(len(members)))
	c.Statements.Add(int64(t.statements))
	c.Bytes.Add(int64(t.bytes))
	return nil
}

// connect makes sure that there is a connection.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	c, err := w.s.engine.write.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn = c
	return nil
}

// check gives up a connection whose state is not known after err.
func (w *writer) check(err error) {
	if err == nil {
		return
	}
	w.s.log.Warn("a commit failed", "error", err)
	w.disconnect()
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	for _, st := range w.stmt {
		st.Close()
	}
	clear(w.stmt)
	// A bad connection is not given back to the pool.
	w.conn.Raw(func(any) error { return driver.ErrBadConn })
	w.conn.Close()
	w.conn = nil
}

// tx is the writer's transaction.
type tx struct {
	ctx        context.Context
	w          *writer
	m          *member
	locked     []chat.ConversationID
	statements int
	bytes      int
}

// member runs one member. It returns an error when the transaction cannot go on.
func (t *tx) member(m *member, savepoint bool) error {
	m.forget(nil)
	t.m = m
	if savepoint {
		if err := t.run("SAVEPOINT member"); err != nil {
			return err
		}
	}
	err := t.lockTable(m.table)
	if err == nil {
		err = m.do(t)
	}
	if err == nil {
		if savepoint {
			return t.run("RELEASE SAVEPOINT member")
		}
		return nil
	}
	if again(err) || !ours(err) {
		m.forget(nil)
		return err
	}
	m.forget(err)
	if savepoint {
		if err := t.run("ROLLBACK TO SAVEPOINT member"); err != nil {
			return err
		}
		return t.run("RELEASE SAVEPOINT member")
	}
	return nil
}

// ours reports whether err is an answer of ours (not found, fenced …) rather than a
// failure of the database.
func ours(err error) bool { return chat.KindOf(err) != chat.Internal }

// lockTable waits until nobody else uses a table, and keeps it. SQLite has one writer, who
// is alone.
func (t *tx) lockTable(name string) error {
	if name == "" || !t.w.s.Shared() {
		return nil
	}
	if err := t.run("LOCK TABLE " + name + " IN ACCESS EXCLUSIVE MODE"); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	return nil
}

func (t *tx) run(query string) error {
	_, err := t.exec(query)
	return err
}

// QueryRowContext lets the sealer read with the transaction.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.statements++
	if st, err := t.prepared(query); err == nil && st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return t.w.conn.QueryRowContext(ctx, query, args...)
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.QueryRowContext(t.ctx, query, args...)
}

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(t.ctx, query, args...)
}

// QueryContext is for what reads with a transaction as well as without one.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.statements++
	st, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	if st != nil {
		return st.QueryContext(ctx, args...)
	}
	return t.w.conn.QueryContext(ctx, query, args...)
}

// exec returns the number of rows that changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	t.statements++
	st, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	var r sql.Result
	if st != nil {
		r, err = st.ExecContext(t.ctx, args...)
	} else {
		r, err = t.w.conn.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t *tx) prepared(query string) (*sql.Stmt, error) {
	if !t.w.s.engine.prepare {
		return nil, nil // pgx keeps its own
	}
	if st, ok := t.w.stmt[query]; ok {
		return st, nil
	}
	st, err := t.w.conn.PrepareContext(t.ctx, positional(query))
	if err != nil {
		return nil, err
	}
	t.w.stmt[query] = st
	return st, nil
}

// positional writes $1, $2 … as ? when each comes once and in order: SQLite's driver looks
// up the name of every other parameter at every execution.
func positional(query string) string {
	var b strings.Builder
	for i, part := range strings.Split(query, "$") {
		if i == 0 {
			b.WriteString(part)
			continue
		}
		rest, ok := strings.CutPrefix(part, strconv.Itoa(i))
		if !ok || rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			return query
		}
		b.WriteString("?" + rest)
	}
	return b.String()
}

// insert appends rows of equal width to a table, in statements of 64, 32, 16 … 1 rows,
// so that few texts are ever prepared.
func (t *tx) insert(table, columns string, width int, args []any) error {
	for len(args) > 0 {
		n := 64
		for n*width > len(args) {
			n /= 2
		}
		if _, err := t.exec(insertText(table, columns, width, n), args[:n*width]...); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		args = args[n*width:]
	}
	return nil
}

// insertTexts keeps the texts made by insertText, by table and number of rows.
var insertTexts sync.Map

func insertText(table, columns string, width, n int) string {
	key := table + strconv.Itoa(n)
	if q, ok := insertTexts.Load(key); ok {
		return q.(string)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, columns)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range width {
			b.WriteByte("(,"[min(j, 1)])
			fmt.Fprintf(&b, "$%d", i*width+j+1)
		}
		b.WriteByte(')')
	}
	insertTexts.Store(key, b.String())
	return b.String()
}
