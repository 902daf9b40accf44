package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// AddKey stores a new API key under the hash of what its holder shows. No other key that
// was not revoked may have its name.
func (s *Store) AddKey(ctx context.Context, k chat.APIKey, hash []byte) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return fmt.Errorf("encode the scopes: %w", err)
	}
	assistants, err := json.Marshal(append([]string{}, k.Assistants...))
	if err != nil {
		return fmt.Errorf("encode the assistants: %w", err)
	}
	return s.update(ctx, false, func(t *tx) error {
		n, err := t.exec(`INSERT INTO api_keys (id, name, hash, scopes, assistants, created_at, created_by, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			k.ID, k.Name, hash, string(scopes), string(assistants), k.CreatedAt.UnixMicro(), k.CreatedBy, micros(k.ExpiresAt))
		if err != nil {
			return fmt.Errorf("store the key: %w", err)
		}
		if n == 0 {
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("there is a key named %q already: revoke it, or choose another name", k.Name)}
		}
		return nil
	})
}

// micros returns what is stored of a time that may be missing.
func micros(at *chat.Time) any {
	if at == nil {
		return nil
	}
	return at.UnixMicro()
}

// Key returns the API key with this hash, whatever its state, and remembers that it was
// used. What was remembered is written by NoteKeys.
func (s *Store) Key(ctx context.Context, hash []byte) (chat.APIKey, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, hash).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return k, errNoKey
	}
	if err != nil {
		return k, fmt.Errorf("look for the key: %w", storageError(err))
	}
	if now := chat.Now(); k.State(now.Time) == chat.KeyActive && (k.LastUsedAt == nil || now.Sub(k.LastUsedAt.Time) >= noteKeysAfter) {
		s.used.note(k.ID, now)
	}
	return k, nil
}

var errNoKey = &chat.Error{Kind: chat.NotFound, Message: "there is no such key: answerable keys list shows those that there are"}

// Keys returns all API keys, also those that open nothing any more, by name.
func (s *Store) Keys(ctx context.Context) ([]chat.APIKey, error) {
	rows, err := s.read.QueryContext(ctx, listKeys)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", storageError(err))
	}
	return scanKeys(rows)
}

const listKeys = `SELECT ` + keyColumns + ` FROM api_keys ORDER BY name, created_at, id`

// Closed reports whether an API key was ever made, revoked or not.
func (s *Store) Closed(ctx context.Context) (bool, error) {
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM api_keys LIMIT 1) k`).Scan(&n); err != nil {
		return false, fmt.Errorf("look for keys: %w", storageError(err))
	}
	return n > 0, nil
}

// RevokeKey has an API key open nothing from now on, and returns it. One that was revoked
// before stays as it is. The last one with the scope admin goes only with force.
func (s *Store) RevokeKey(ctx context.Context, id, by string, force bool) (chat.APIKey, error) {
	var out chat.APIKey
	err := s.update(ctx, false, func(t *tx) error {
		// All rows are locked: of two who revoke the last two admin keys, one waits and sees.
		if _, err := t.exec(`UPDATE api_keys SET revoked_by = revoked_by WHERE revoked_at IS NULL`); err != nil {
			return fmt.Errorf("lock the keys: %w", err)
		}
		rows, err := t.rows(listKeys)
		if err != nil {
			return fmt.Errorf("list the keys: %w", err)
		}
		all, err := scanKeys(rows)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(k chat.APIKey) bool { return k.ID == id })
		if at < 0 {
			return errNoKey
		}
		now := chat.Now()
		out = all[at]
		if out.RevokedAt != nil {
			return nil
		}
		admin := func(k chat.APIKey) bool { return k.State(now.Time) == chat.KeyActive && k.May(chat.ScopeAdmin) }
		if admin(out) && !force && !slices.ContainsFunc(all, func(k chat.APIKey) bool { return k.ID != id && admin(k) }) {
			return &chat.Error{Kind: chat.Conflict, Message: "this is the last key with the scope admin: make another first, or revoke it by force; " +
				"after that only commands on the server's machine can make keys"}
		}
		out.RevokedAt, out.RevokedBy = &now, by
		if _, err := t.exec(`UPDATE api_keys SET revoked_at = $1, revoked_by = $2 WHERE id = $3`, now.UnixMicro(), by, id); err != nil {
			return fmt.Errorf("revoke the key: %w", err)
		}
		return nil
	})
	return out, err
}

const keyColumns = `id, name, scopes, assistants, created_at, created_by, expires_at, last_used_at, revoked_at, revoked_by`

func scanKey(scan func(...any) error) (k chat.APIKey, err error) {
	var scopes, assistants string
	var created int64
	var expires, used, revoked sql.NullInt64
	if err := scan(&k.ID, &k.Name, &scopes, &assistants, &created, &k.CreatedBy, &expires, &used, &revoked, &k.RevokedBy); err != nil {
		return k, err
	}
	k.CreatedAt = chat.Micro(created)
	for into, at := range map[**chat.Time]sql.NullInt64{&k.ExpiresAt: expires, &k.LastUsedAt: used, &k.RevokedAt: revoked} {
		if at.Valid {
			t := chat.Micro(at.Int64)
			*into = &t
		}
	}
	return k, errors.Join(json.Unmarshal([]byte(scopes), &k.Scopes), json.Unmarshal([]byte(assistants), &k.Assistants))
}

func scanKeys(rows *sql.Rows) ([]chat.APIKey, error) {
	defer rows.Close()
	all := []chat.APIKey{}
	for rows.Next() {
		k, err := scanKey(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read the keys: %w", err)
		}
		all = append(all, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the keys: %w", storageError(err))
	}
	return all, nil
}

// noteKeysAfter is how old the note of a key's last use is before there is a new one.
const noteKeysAfter = time.Hour

// usedKeys remembers which keys were used, so that no request waits for a write.
type usedKeys struct {
	mu sync.Mutex
	at map[string]chat.Time // by id; those whose note is old
}

func (u *usedKeys) note(id string, at chat.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = map[string]chat.Time{}
	}
	u.at[id] = at
}

func (u *usedKeys) take() map[string]chat.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.at
	u.at = nil
	return at
}

// NoteKeys writes when keys were last used, for those whose note is an hour old. Of what
// it cannot write, the next use is written.
func (s *Store) NoteKeys(ctx context.Context) error {
	used := s.used.take()
	if len(used) == 0 {
		return nil
	}
	return s.update(ctx, false, func(t *tx) error {
		for _, id := range slices.Sorted(maps.Keys(used)) { // in one order everywhere, lest nodes wait for each other
			if _, err := t.exec(`UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)`,
				used[id].UnixMicro(), id, used[id].Add(-noteKeysAfter).UnixMicro()); err != nil {
				return fmt.Errorf("note the use of a key: %w", err)
			}
		}
		return nil
	})
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

// Published returns what was published last for each assistant from each source, the newest
// first. The table grows with every change of a document.
func (s *Store) Published(ctx context.Context) ([]Published, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT g.assistant, g.generation, g.source, g.published_at
		FROM (SELECT assistant, MAX(published_at) AS at FROM generations GROUP BY assistant, source) l
		JOIN generations g ON g.assistant = l.assistant AND g.published_at = l.at
		ORDER BY g.published_at DESC, g.assistant`)
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
