package feed_test

import (
	"testing"

	"github.com/answerable/answerable/internal/feed/feedtest"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

func TestFeed(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		feedtest.Run(t, func(t *testing.T) func() *store.Store {
			dir := t.TempDir()
			key, err := store.DevelopmentKey(dir)
			if err != nil {
				t.Fatal(err)
			}
			return func() *store.Store { return opened(t, store.Options{Dir: dir, Key: key}) }
		})
	})
	t.Run("postgres", func(t *testing.T) {
		feedtest.Run(t, func(t *testing.T) func() *store.Store {
			url := storetest.Database(t)
			return func() *store.Store { return opened(t, store.Options{Postgres: url, Key: store.Key{7}}) }
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
