package store

import (
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

// Keys of before there were scopes could do everything, and go on to.
func TestOldKeysAreAdmin(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		err := s.update(t.Context(), false, func(t *tx) error {
			_, err := t.exec(`INSERT INTO api_keys (id, name, hash, created_at) VALUES ('k1', 'old', $1, 1)`, []byte("h1"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		k, err := s.Key(t.Context(), []byte("h1"))
		if err != nil || !k.May(chat.ScopeAdmin) || !k.Reaches("any") || k.ExpiresAt != nil || k.State(k.CreatedAt.Time) != chat.KeyActive {
			t.Errorf("Key = %+v, %v", k, err)
		}
	})
}
