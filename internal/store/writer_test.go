package store

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/answerable/answerable/internal/chat"
)

// openBoth runs a test on both engines. The stores are empty.
func openBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("sqlite", func(t *testing.T) {
		s := openDir(t, t.TempDir())
		defer s.Close()
		test(t, s)
	})
	t.Run("postgres", func(t *testing.T) {
		s := openNew(t)
		defer s.Close()
		test(t, s)
	})
}

// openNew opens a store on a PostgreSQL database of its own. (storetest, which makes
// databases for others, imports this package.)
func openNew(t *testing.T) *Store {
	t.Helper()
	base := os.Getenv("ANSWERABLE_TEST_POSTGRES")
	if base == "" {
		t.Skip("no PostgreSQL: ANSWERABLE_TEST_POSTGRES is not set (make test starts one)")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	name := "w" + strings.ToLower(string(chat.NewNodeID()))
	admin(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	s, err := Open(t.Context(), Options{Postgres: u.String(), Key: Key{7}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// admin runs a statement beside the store.
func admin(t *testing.T, query string, args ...any) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, os.Getenv("ANSWERABLE_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, query, args...); err != nil {
		t.Fatal(err)
	}
}

// streaming makes a conversation with an open turn, and the stream of that.
func streaming(t *testing.T, s *Store) (chat.OpenTurn, *Stream) {
	t.Helper()
	c, err := s.Create(t.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Accept(t.Context(), chat.Incoming{Conversation: c.ID, Text: "hello", Node: "n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.Open, s.Stream(a.Open)
}

func said(text string) []chat.Body { return []chat.Body{chat.TextShown{Text: text}} }

func did(step string) []chat.Entry { return []chat.Entry{{Step: step}} }

// shownBy returns the text events of a conversation.
func shownBy(t *testing.T, s *Store, id chat.ConversationID) (texts []string) {
	t.Helper()
	events, err := s.After(context.WithoutCancel(t.Context()), id, 2, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		b, err := chat.Decode[chat.TextShown](e)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, b.Text)
	}
	return texts
}

// held has the writer do nothing until release is called, so that what comes meanwhile
// is one group.
func held(s *Store) (release func()) {
	begun, over := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var once sync.Once
	wg.Go(func() {
		s.update(context.Background(), false, func(*tx) error {
			once.Do(func() { close(begun) })
			<-over
			return nil
		})
	})
	<-begun
	return func() { close(over); wg.Wait() }
}

func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.members) + len(w.streams)
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 5000 {
		if so() {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("it does not happen that %s", what)
}

var errRefused = &chat.Error{Kind: chat.Conflict, Message: "no"}

// In a group, one member answers with an error of ours after it wrote: its writes are
// undone, those of the others and of the streams stay, and there is one commit.
func TestAMembersFailureIsItsOwn(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		o, st := streaming(t, s)
		release := held(s)
		before := s.counters.Commits.Load()
		errs := make([]error, 3)
		var wg sync.WaitGroup
		for i, name := range []string{"a", "bad", "c"} {
			wg.Go(func() {
				errs[i] = s.update(context.Background(), false, func(t *tx) error {
					if _, err := t.exec(`INSERT INTO installation (name, value) VALUES ($1, $2)`, name, []byte("v")); err != nil {
						return err
					}
					if name == "bad" {
						return errRefused
					}
					return nil
				})
			})
			waitFor(t, "the member waits", func() bool { return s.writer.waiting() == i+1 })
		}
		if err := st.Add(said("text"), did("one")); err != nil {
			t.Error(err)
		}
		release()
		wg.Wait()
		if errs[0] != nil || !errors.Is(errs[1], chat.Conflict) || errs[2] != nil {
			t.Errorf("errors = %v", errs)
		}
		if err := st.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		var n int
		if err := s.read.QueryRow(`SELECT COUNT(*) FROM installation WHERE name IN ('a', 'bad', 'c')`).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d members have written, want 2 (%v)", n, err)
		}
		if got := shownBy(t, s, o.Conversation.ID); len(got) != 1 || got[0] != "text" {
			t.Errorf("shown = %q", got)
		}
		if got := s.counters.Commits.Load() - before; got != 2 { // that which held, and the group
			t.Errorf("%d commits, want 2", got)
		}
	})
}

// A member that the database refuses takes nobody with it either, although the group's
// transaction is lost: each is tried alone.
func TestABrokenMemberIsTriedAlone(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		o, st := streaming(t, s)
		release := held(s)
		var bad error
		var wg sync.WaitGroup
		wg.Go(func() {
			bad = s.update(context.Background(), false, func(t *tx) error {
				_, err := t.exec(`INSERT INTO no_such_table (x) VALUES (1)`)
				return err
			})
		})
		waitFor(t, "the member waits", func() bool { return s.writer.waiting() == 1 })
		if err := st.Add(said("text"), did("one")); err != nil {
			t.Error(err)
		}
		release()
		wg.Wait()
		if bad == nil {
			t.Error("the bad member has no error")
		}
		if err := st.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := shownBy(t, s, o.Conversation.ID); len(got) != 1 || got[0] != "text" {
			t.Errorf("shown = %q", got)
		}
	})
}

// What a stream could not write is still the caller's: Rest gives it back in order,
// with the error.
func TestAFailedFlushKeepsItsText(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		o, st := streaming(t, s)
		if err := errors.Join(st.Add(said("one "), did("1")), st.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Accept(t.Context(), chat.Incoming{Conversation: o.Conversation.ID, Text: "more", Node: "n"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Take(t.Context(), o.Conversation.ID, "Ann"); err != nil { // the fence goes up
			t.Fatal(err)
		}
		if err := st.Add(said("two "), did("2")); err != nil {
			t.Error(err)
		}
		if err := st.Flush(t.Context()); !errors.Is(err, chat.Fenced) {
			t.Errorf("Flush = %v, want fenced", err)
		}
		if err := st.Add(said("three "), nil); !errors.Is(err, chat.Fenced) {
			t.Errorf("Add = %v, want fenced", err)
		}
		bodies, entries, err := st.Rest(t.Context())
		if len(bodies) != 1 || bodies[0] != said("two ")[0] || len(entries) != 1 || entries[0].Step != "2" || !errors.Is(err, chat.Fenced) {
			t.Errorf("Rest = %v, %v, %v", bodies, entries, err)
		}
	})
}

// An agent took a conversation and gave it back: the old turn's stream and that of the
// new one may be flushed together. Only the new one has the right.
func TestTwoTurnsOfAConversationFlushTogether(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		for _, oldFirst := range []bool{true, false} {
			o, old := streaming(t, s)
			id := o.Conversation.ID
			if _, err := s.Take(t.Context(), id, "Ann"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Release(t.Context(), id, chat.Bot); err != nil {
				t.Fatal(err)
			}
			a, err := s.Accept(t.Context(), chat.Incoming{Conversation: id, Text: "again", Node: "n"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			fresh := s.Stream(a.Open)
			release := held(s)
			for _, st := range []*Stream{old, fresh} {
				if oldFirst == (st == old) {
					err = errors.Join(err, st.Add(said("text"), did("first")))
				}
			}
			for _, st := range []*Stream{old, fresh} {
				if oldFirst != (st == old) {
					err = errors.Join(err, st.Add(said("text"), did("second")))
				}
			}
			release()
			if err != nil {
				t.Fatal(err)
			}
			if err := old.Flush(t.Context()); !errors.Is(err, chat.Fenced) {
				t.Errorf("the old turn's Flush = %v, want fenced", err)
			}
			if err := fresh.Flush(t.Context()); err != nil {
				t.Errorf("the new turn's Flush = %v", err)
			}
			events, err := s.After(t.Context(), id, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			if e := events[len(events)-1]; e.Kind != chat.KindText || e.Turn != a.Open.ID {
				t.Errorf("the last event is a %s of turn %s, want text of %s", e.Kind, e.Turn, a.Open.ID)
			}
		}
	})
}

// Fifty turns show something every 5 ms for a second. Commits are as many as the pace
// allows, not as many as the pieces; the first piece of each turn does not wait for it.
func TestCommitsArePaced(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		const turns, pieces = 50, 200
		streams := make([]*Stream, turns)
		open := make([]chat.OpenTurn, turns)
		for i := range streams {
			open[i], streams[i] = streaming(t, s)
		}
		before := s.counters.Commits.Load()
		began := time.Now()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range pieces {
			<-tick.C
			for _, st := range streams {
				if err := st.Add(said("w "), did("chunk")); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, st := range streams {
			if err := st.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(began)
		commits, most := s.counters.Commits.Load()-before, int64(took/commitGap)+turns
		t.Logf("%d adds in %v: %d commits", turns*pieces, took.Round(time.Millisecond), commits)
		if commits > most || commits > turns*pieces/20 {
			t.Errorf("%d commits for %d adds in %v, want at most %d", commits, turns*pieces, took, most)
		}
		for i, o := range open {
			texts := shownBy(t, s, o.Conversation.ID)
			if got := strings.Join(texts, ""); got != strings.Repeat("w ", pieces) {
				t.Errorf("turn %d has shown %d pieces, want %d", i, len(got)/2, pieces)
			}
			if most := int(took/pieceGap) + 2; len(texts) > most {
				t.Errorf("turn %d has %d text events, want at most %d", i, len(texts), most)
			}
			if streams[i].ShownAt().IsZero() {
				t.Errorf("turn %d does not know when it was first shown", i)
			}
		}
	})
}

// The first piece of a turn is due at once, also right behind another commit; the next
// one is not before pieceGap.
func TestTheFirstPieceDoesNotWait(t *testing.T) {
	now := time.Now()
	w := &writer{}
	first, second := &Stream{w: w}, &Stream{w: w, last: now}
	paced := now.Add(commitGap)
	if at := first.dueLocked(paced); at.After(now) {
		t.Errorf("the first piece is due in %v", at.Sub(now))
	}
	if at := second.dueLocked(paced); at.Sub(now) != pieceGap {
		t.Errorf("the second piece is due in %v, want %v", at.Sub(now), pieceGap)
	}
	if at := second.dueLocked(now.Add(time.Second)); at.Sub(now) != time.Second {
		t.Errorf("a piece is due in %v although commits are paced", at.Sub(now))
	}
	w.showing = 100 * calmStreams
	if at := second.dueLocked(paced); at.Sub(now) != longestGap {
		t.Errorf("with many turns the second piece is due in %v, want %v", at.Sub(now), longestGap)
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	o, st := streaming(t, s)
	if err := errors.Join(st.Add(said("one "), nil), st.Flush(t.Context()), st.Add(said("two"), did("2"))); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	patient := make(chan error, 1)
	wg.Go(func() {
		patient <- s.update(context.Background(), true, func(t *tx) error {
			_, err := t.exec(`INSERT INTO installation (name, value) VALUES ('patient', $1)`, []byte("v"))
			return err
		})
	})
	waitFor(t, "the member waits", func() bool {
		s.writer.mu.Lock()
		defer s.writer.mu.Unlock()
		return len(s.writer.members) > 0 || len(patient) > 0
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := <-patient; err != nil {
		t.Error(err)
	}
	s = openDir(t, dir)
	defer s.Close()
	if got := strings.Join(shownBy(t, s, o.Conversation.ID), ""); got != "one two" {
		t.Errorf("shown = %q", got)
	}
}

// terminate ends the writer's connection, as a restart of the database does.
func terminate(t *testing.T, s *Store) {
	t.Helper()
	var pid uint32
	err := s.update(t.Context(), false, func(x *tx) error { return x.row(`SELECT pg_backend_pid()`).Scan(&pid) })
	if err != nil {
		t.Fatal(err)
	}
	admin(t, "SELECT pg_terminate_backend($1)", pid)
}

// A connection that was lost between two commits is made anew, and nobody notices.
func TestALostConnectionIsMadeAnew(t *testing.T) {
	s := openNew(t)
	defer s.Close()
	o, st := streaming(t, s)
	for _, text := range []string{"one ", "two ", "three "} {
		terminate(t, s)
		if err := errors.Join(st.Add(said(text), did(text)), st.Flush(t.Context())); err != nil {
			t.Fatalf("after the connection was lost: %v", err)
		}
		terminate(t, s)
		if _, err := s.Accept(t.Context(), chat.Incoming{Conversation: o.Conversation.ID, Text: "x", ClientID: text, Node: "n"}, nil); err != nil {
			t.Fatalf("after the connection was lost: %v", err)
		}
	}
	events, err := s.After(t.Context(), o.Conversation.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
	}
	if len(events) != 8 {
		t.Errorf("%d events, want 8", len(events))
	}
}

// A connection that is lost within a transaction undid it: it is done again.
func TestALostTransactionIsDoneAgain(t *testing.T) {
	s := openNew(t)
	defer s.Close()
	tries := 0
	err := s.update(t.Context(), false, func(x *tx) error {
		if tries++; tries == 1 {
			var pid uint32
			if err := x.row(`SELECT pg_backend_pid()`).Scan(&pid); err != nil {
				return err
			}
			admin(t, "SELECT pg_terminate_backend($1)", pid)
		}
		_, err := x.exec(`INSERT INTO installation (name, value) VALUES ('again', $1)`, []byte("v"))
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("update = %v after %d tries, want 2", err, tries)
	}
}

// When the commit itself is not confirmed, nobody knows: it is not done again, and the
// caller is told.
func TestAnUnsureCommitIsNotRepeated(t *testing.T) {
	s := openNew(t)
	defer s.Close()
	// The backend ends itself at COMMIT, where a deferred trigger runs.
	s.engine.write.SetMaxOpenConns(2) // the writer has the one
	for _, query := range []string{
		`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`,
		`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON installation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.name = 'unsure') EXECUTE FUNCTION die()`,
	} {
		if _, err := s.engine.write.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	tries := 0
	err := s.update(t.Context(), false, func(x *tx) error {
		tries++
		_, err := x.exec(`INSERT INTO installation (name, value) VALUES ('unsure', $1)`, []byte("v"))
		return err
	})
	if !errors.Is(err, errUnsure) || tries != 1 {
		t.Errorf("update = %v after %d tries, want it to be unsure after 1", err, tries)
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code != "57P01" {
		t.Errorf("the database said %v", pe)
	}
	if err := s.update(t.Context(), false, func(x *tx) error {
		_, err := x.exec(`INSERT INTO installation (name, value) VALUES ('sure', $1)`, []byte("v"))
		return err
	}); err != nil {
		t.Errorf("the next update = %v", err)
	}
}
