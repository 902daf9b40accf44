package store_test

import (
	"context"
	"testing"

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
