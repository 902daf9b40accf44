package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// AddKey stores the hash of a new API key under a name that must be free.
func (s *Store) AddKey(ctx context.Context, id, name string, hash []byte) error {
	return s.update(ctx, false, func(t *tx) error {
		n, err := t.exec(`INSERT INTO api_keys (id, name, hash, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			id, name, hash, time.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("store the key: %w", err)
		}
		if n == 0 {
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("there is a key named %q already: choose another name", name)}
		}
		return nil
	})
}

// KeyName returns the name of the API key with this hash, or "" when there is none.
func (s *Store) KeyName(ctx context.Context, hash []byte) (string, error) {
	var name string
	err := s.read.QueryRowContext(ctx, `SELECT name FROM api_keys WHERE hash = $1`, hash).Scan(&name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for the key: %w", storageError(err))
	}
	return name, nil
}

// Keys counts the API keys.
func (s *Store) Keys(ctx context.Context) (int, error) {
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM api_keys`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the keys: %w", storageError(err))
	}
	return n, nil
}

// Publish makes a generation the one that an assistant serves.
func (s *Store) Publish(ctx context.Context, assistant, generation, source string) error {
	return s.update(ctx, false, func(t *tx) error {
		_, err := t.exec(`INSERT INTO generations (assistant, generation, source, published_at)
			SELECT $1, $2, $3, CASE WHEN MAX(published_at) >= $4 THEN MAX(published_at) + 1 ELSE $4 END FROM generations WHERE assistant = $1`,
			assistant, generation, source, time.Now().UnixMicro())
		t.m.settings = true
		if err != nil {
			return fmt.Errorf("publish generation %s: %w", generation, err)
		}
		return nil
	})
}

// Published is a generation that an assistant served from a time on.
type Published struct {
	Assistant, Generation, Source string
	At                            chat.Time
}

// Published returns what was published for any assistant, the newest first, up to limit.
func (s *Store) Published(ctx context.Context, limit int) ([]Published, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT assistant, generation, source, published_at FROM generations
		ORDER BY published_at DESC, assistant LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read the published generations: %w", storageError(err))
	}
	defer rows.Close()
	var out []Published
	for rows.Next() {
		var p Published
		var at int64
		if err := rows.Scan(&p.Assistant, &p.Generation, &p.Source, &at); err != nil {
			return nil, fmt.Errorf("read the published generations: %w", err)
		}
		p.At = chat.Micro(at)
		out = append(out, p)
	}
	return out, rows.Err()
}
