package store

import (
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// TestWhatADeadProcessLeftOfAnUploadIsDropped has parts of a file in the store that nobody
// finished, the first as long ago as an upload can be, and a whole file beside them.
func TestWhatADeadProcessLeftOfAnUploadIsDropped(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		c, err := s.Create(t.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := s.Upload(t.Context(), c.ID, "whole", "text/plain", strings.NewReader("whole"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Accept(t.Context(), chat.Incoming{Conversation: c.ID, Text: "see", Files: []chat.FileID{whole.ID}, Node: "n"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.uploadParts(t.Context(), c, chat.NewFileID(), strings.NewReader(strings.Repeat("x", 2*partBytes))); err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ dropped, left int }{{1, 1}, {0, 1}} {
			n, err := s.DropUnsent(t.Context(), time.Now().Add(time.Hour))
			if n != want.dropped || err != nil {
				t.Errorf("DropUnsent = %d, %v, want %d", n, err, want.dropped)
			}
			if err := s.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM file_parts`).Scan(&n); n != want.left || err != nil {
				t.Errorf("%d parts are left, %v, want %d", n, err, want.left)
			}
		}
	})
}
