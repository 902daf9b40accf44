package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

// TestSettingsAreTold: a node that changes what operators set tells the others, and not
// itself.
func TestSettingsAreTold(t *testing.T) {
	url := storetest.Database(t)
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Options{Postgres: url, Key: store.Key{7}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	one, two := open(), open()
	told := map[*store.Store]chan struct{}{one: make(chan struct{}, 8), two: make(chan struct{}, 8)}
	for s, c := range told {
		ctx, stop := context.WithCancel(t.Context())
		joined, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- s.Listen(ctx, store.Heard{Settings: func() { c <- struct{}{} }, Joined: func() { close(joined) }})
		}()
		<-joined
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	publish := func(s *store.Store, generation string) {
		if err := s.Publish(t.Context(), "demo", generation, "here"); err != nil {
			t.Fatal(err)
		}
	}
	publish(one, "a")
	<-told[two]
	publish(two, "b")
	<-told[one]
	publish(one, "c")
	<-told[two]
	if len(told[two]) > 0 {
		t.Error("a node was told of its own change")
	}
}

// TestOffDoesNotWaitForReaders: a backup reads all tables for hours. Neither the switch nor
// the messages behind it wait for its end.
func TestOffDoesNotWaitForReaders(t *testing.T) {
	url := storetest.Database(t)
	s := opened(t, store.Options{Postgres: url, Key: store.Key{7}})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	backup, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Rollback()
	if _, err := backup.Exec(`LOCK TABLE switched_off, notices IN ACCESS SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	off := chat.Off{Assistant: "demo", To: chat.OffToPeople, By: "Ann", At: chat.Now()}
	if _, err := s.SwitchOff(t.Context(), off, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.SwitchOn(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	now := chat.Now()
	if err := s.AddNotice(t.Context(), chat.Notice{ID: "n", Text: "Later.", From: now, Until: chat.Time{Time: now.Add(time.Hour)}, By: "Ann", CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
}

// TestABeginningTurnIsWaitedFor: whoever is about to commit a turn has read that nothing is
// off, and the switch waits for that commit, to end the turn.
func TestABeginningTurnIsWaitedFor(t *testing.T) {
	url := storetest.Database(t)
	one, two := opened(t, store.Options{Postgres: url, Key: store.Key{7}}), opened(t, store.Options{Postgres: url, Key: store.Key{7}})
	c, err := one.Create(t.Context(), store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	cut := make(chan []chat.Conversation, 1)
	off := chat.Off{Assistant: "demo", To: chat.OffToPeople, By: "Ann", At: chat.Now()}
	_, err = one.Accept(t.Context(), chat.Incoming{Conversation: c.ID, Text: "hello", Node: "n"}, func(chat.OpenTurn) { // before the commit
		go func() {
			ended, err := two.SwitchOff(t.Context(), off, nil)
			if err != nil {
				t.Error(err)
			}
			cut <- ended
		}()
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		for waits := false; !waits && t.Context().Err() == nil; {
			if err := db.QueryRow(`SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'switched_off'::regclass AND NOT granted)
				OR EXISTS (SELECT FROM switched_off)`).Scan(&waits); err != nil {
				t.Error(err)
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if ended := <-cut; len(ended) != 1 || ended[0].ID != c.ID {
		t.Errorf("SwitchOff ended %+v", ended)
	}
}

// TestOffIsFinishedWithoutWhoAsked: what is committed is followed by its second step.
func TestOffIsFinishedWithoutWhoAsked(t *testing.T) {
	s := opened(t, store.Options{Dir: t.TempDir(), Key: store.Key{7}})
	c, err := s.Create(t.Context(), store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), chat.Incoming{Conversation: c.ID, Text: "hello", Node: "n"}, nil); err != nil {
		t.Fatal(err)
	}
	off := chat.Off{Assistant: "demo", To: chat.OffToPeople, By: "Ann", At: chat.Now()}
	cut, err := s.SwitchOff(&leaving{Context: t.Context()}, off, nil)
	if err != nil || len(cut) != 1 {
		t.Errorf("SwitchOff = %+v, %v", cut, err)
	}
}

// leaving is a context that ends once it was looked at.
type leaving struct {
	context.Context
	seen bool
}

func (l *leaving) Err() error {
	if !l.seen {
		l.seen = true
		return nil
	}
	return context.Canceled
}

func (l *leaving) Done() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
