package store_test

import (
	"database/sql"
	"testing"

	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) *store.Store {
			dir := t.TempDir()
			key, err := store.DevelopmentKey(dir)
			if err != nil {
				t.Fatal(err)
			}
			return opened(t, store.Options{Dir: dir, Key: key})
		})
	})
	t.Run("postgres", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) *store.Store {
			return opened(t, store.Options{Postgres: storetest.Database(t), Key: store.Key{7}})
		})
	})
}

func opened(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestEveryConnectionIsDurable(t *testing.T) {
	for _, c := range []struct {
		name    string
		options func(t *testing.T) store.Options
		ask     map[string]string // answers by question
	}{
		{"sqlite", func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
			map[string]string{"PRAGMA synchronous": "2", "PRAGMA journal_mode": "wal"}}, // 2 is FULL
		{"postgres", func(t *testing.T) store.Options { return store.Options{Postgres: storetest.Database(t)} },
			map[string]string{"SHOW synchronous_commit": "on"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := opened(t, c.options(t))
			n := 0
			err := s.EachConnection(t.Context(), func(conn *sql.Conn) error {
				n++
				for question, want := range c.ask {
					var got string
					if err := conn.QueryRowContext(t.Context(), question).Scan(&got); err != nil {
						return err
					}
					if got != want {
						t.Errorf("connection %d: %s = %s, want %s", n, question, got, want)
					}
				}
				return nil
			})
			if err != nil || n < 2 {
				t.Fatal(n, err)
			}
		})
	}
}
