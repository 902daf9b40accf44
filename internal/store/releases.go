package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Promotion is an entry of the log of what an assistant serves. The last one is in force;
// an assistant without any is served from its folder.
type Promotion struct {
	Assistant string    `json:"-"`
	N         int64     `json:"n"` // from 1, for each assistant
	What      Promoting `json:"what"`
	// Release and Generation are served from then on, together. Both are "" when the
	// folder is, as before the first promotion.
	Release    string    `json:"release"`
	Generation string    `json:"generation"`
	Back       int64     `json:"back"` // the entry that an undo returns to, or 0 for the folder
	By         string    `json:"by"`
	At         chat.Time `json:"at"`
}

// Promoting is how an assistant came to serve something.
type Promoting string

const (
	Promote Promoting = "promote"
	Undo    Promoting = "undo"
	Ingest  Promoting = "ingest" // other documents with the release that is served
)

// Promote appends p to the log, if p.N follows the last entry, and stores the files of its
// release; none: it was stored before. It is Conflict when somebody else was faster.
func (s *Store) Promote(ctx context.Context, p Promotion, files []byte) (Promotion, error) {
	p.At = chat.Now()
	err := s.update(ctx, false, func(t *tx) error {
		if len(files) > 0 {
			if _, err := t.exec(`INSERT INTO releases (id, files, stored_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
				p.Release, files, time.Now().UnixMicro()); err != nil {
				return fmt.Errorf("store release %s: %w", p.Release, err)
			}
		}
		n, err := t.exec(`INSERT INTO promotions (assistant, n, what, release, generation, back, promoted_by, promoted_at)
			SELECT $1, CAST($2 AS BIGINT), $3, $4, $5, $6, $7, $8
			WHERE (SELECT COALESCE(MAX(n), 0) FROM promotions WHERE assistant = $1) = CAST($2 AS BIGINT) - 1
			ON CONFLICT DO NOTHING`,
			p.Assistant, p.N, p.What, p.Release, p.Generation, p.Back, p.By, p.At.UnixMicro())
		if err != nil {
			return fmt.Errorf("promote release %s: %w", p.Release, err)
		}
		if n == 0 {
			return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("somebody else changed what %s serves at the same moment: look at it with answerable release status, and try again", p.Assistant)}
		}
		t.m.settings = true
		return nil
	})
	return p, err
}

const promotion = `SELECT assistant, n, what, release, generation, back, promoted_by, promoted_at FROM promotions p `

// Promoted returns what is in force, by assistant.
func (s *Store) Promoted(ctx context.Context) ([]Promotion, error) {
	return s.promotions(ctx, promotion+`WHERE n = (SELECT MAX(n) FROM promotions q WHERE q.assistant = p.assistant) ORDER BY assistant`)
}

// Promotions returns an assistant's log, the newest first, up to limit.
func (s *Store) Promotions(ctx context.Context, assistant string, limit int) ([]Promotion, error) {
	return s.promotions(ctx, promotion+`WHERE assistant = $1 ORDER BY n DESC LIMIT $2`, assistant, limit)
}

// Promotion returns one entry of an assistant's log.
func (s *Store) Promotion(ctx context.Context, assistant string, n int64) (Promotion, error) {
	all, err := s.promotions(ctx, promotion+`WHERE assistant = $1 AND n = $2`, assistant, n)
	if err == nil && len(all) == 0 {
		err = &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("%s has no promotion %d: answerable release status lists them", assistant, n)}
	}
	if err != nil {
		return Promotion{}, err
	}
	return all[0], nil
}

func (s *Store) promotions(ctx context.Context, query string, args ...any) ([]Promotion, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the promotions: %w", storageError(err))
	}
	defer rows.Close()
	var all []Promotion
	for rows.Next() {
		var p Promotion
		var at int64
		if err := rows.Scan(&p.Assistant, &p.N, &p.What, &p.Release, &p.Generation, &p.Back, &p.By, &at); err != nil {
			return nil, fmt.Errorf("read the promotions: %w", err)
		}
		p.At = chat.Micro(at)
		all = append(all, p)
	}
	return all, rows.Err()
}

// ReleaseFiles returns the files of a release, as they were given to Promote.
func (s *Store) ReleaseFiles(ctx context.Context, id string) ([]byte, error) {
	var files []byte
	err := s.read.QueryRowContext(ctx, `SELECT files FROM releases WHERE id = $1`, id).Scan(&files)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("release %.12s is not stored: answerable release status lists those that are", id)}
	}
	if err != nil {
		return nil, fmt.Errorf("read release %s: %w", id, storageError(err))
	}
	return files, nil
}
