package app

import (
	"context"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// TestNoticesOfSomebodyWhoHasLeft: what was stored is told, and what was removed is not, also
// when whoever asked for it was gone at the commit.
func TestNoticesOfSomebodyWhoHasLeft(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: store.Key{1}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, now := &notices{store: s}, chat.Now()
	n := chat.Notice{ID: "n", Text: "Later.", From: now, Until: chat.Time{Time: now.Add(time.Hour)}, By: "Ann", CreatedAt: now}
	if err := b.Add(&leaving{Context: t.Context()}, n); err != nil || len(b.InForce("demo", now.Time)) != 1 {
		t.Errorf("in force is %+v, %v", b.InForce("demo", now.Time), err)
	}
	if err := b.Remove(&leaving{Context: t.Context()}, "n"); err != nil || len(b.InForce("demo", now.Time)) != 0 {
		t.Errorf("in force is %+v, %v", b.InForce("demo", now.Time), err)
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
