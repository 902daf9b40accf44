package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

func TestFilesThatAreNotSentAreDroppedAfterADay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), store.Options{Dir: dir, Key: store.Key{1}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		a := &App{Store: s, Options: Options{Log: slog.New(slog.DiscardHandler)}}
		go func() { done <- a.dropUnsent(ctx) }()
		defer func() {
			stop()
			if err := errors.Join(<-done, s.Close()); err != nil {
				t.Error(err)
			}
		}()
		c, err := s.Create(ctx, store.NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Upload(ctx, c.ID, "a", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if _, err := s.File(ctx, c, f.ID); err != nil {
			t.Errorf("after 23 hours: %v", err)
		}
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		if _, err := s.File(ctx, c, f.ID); !errors.Is(err, chat.NotFound) {
			t.Errorf("after 25 hours: %v, want not found", err)
		}
	})
}
