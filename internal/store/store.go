// Package store keeps what must survive: conversations and their events, messages,
// turns with their journals, keys. It runs on SQLite (embedded) and on PostgreSQL
// with one query text.
//
// Three ideas. Every bot write is fenced: the statement that numbers its events names
// the term of the conversation, so a write without the right to it changes nothing.
// All writes of a process go through one writer that commits what waits together
// (writer.go). People's words go through one door that seals them (seal.go).
//
// An exported method is one transaction; what it changed is announced after the
// commit. Start with conversations.go and stream.go.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Options say where the store is.
type Options struct {
	Dir      string // the data directory, for SQLite and the development key
	Postgres string // URL; "" for SQLite in Dir
	Key      Key    // the installation key
	ReadOnly bool   // open beside a running server: nothing is written, nothing migrated
	Log      *slog.Logger
}

// Store is safe for concurrent use.
type Store struct {
	engine engine
	read   *reading
	seal   *sealer
	writer *writer
	used   usedKeys
	log    *slog.Logger
	sender string // marks this process's own notifications

	// Announce is told the events of a conversation after their commit, in order and
	// by one goroutine. Set it before the first write; nil is allowed.
	Announce func(chat.ConversationID, []chat.Event)

	background sync.WaitGroup
	stop       chan struct{}
	counters   Counters
}

// Counters count what the store did since it was opened.
type Counters struct {
	Commits, Statements, Members, Events, Bytes atomic.Int64
}

// Counters returns the store's own.
func (s *Store) Counters() *Counters { return &s.counters }

// Open opens the store, brings its tables up to date and starts its writer. Close it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e, err := openEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, read: &reading{DB: e.read, keep: e.prepare}, log: o.Log, sender: rand.Text(), stop: make(chan struct{})}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if o.ReadOnly {
		return s, nil
	}
	s.writer = newWriter(s)
	s.background.Go(s.writer.run)
	if e.checkpoint != nil {
		s.background.Go(s.checkpoints)
	}
	return s, nil
}

// prepare migrates, and makes sure that the key is the one the data was sealed with.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if err := s.migrate(ctx, o.ReadOnly); err != nil {
		return err
	}
	s.seal = newSealer(o.Key)
	return s.checkKey(ctx, o.ReadOnly)
}

// Close commits what waits, ends the writer and closes the database.
func (s *Store) Close() error {
	if s.writer != nil {
		s.writer.close()
	}
	close(s.stop)
	s.background.Wait()
	return s.engine.close()
}

// Shared reports whether other processes may write to the same store.
func (s *Store) Shared() bool { return s.engine.name == postgres }

// checkpoints copies SQLite's log into its file, off the writer's path: every quarter
// of a second when there is something to copy. The log begins anew in quiet moments, and
// under load when it has grown to logLimit: then the writer waits for the last pages.
func (s *Store) checkpoints() {
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	var seen int64
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		n := s.counters.Commits.Load()
		if n == seen {
			continue
		}
		restart := n-seen < 10
		seen = n
		pages, err := s.engine.checkpoint(restart)
		if err == nil && !restart && pages > logLimit {
			_, err = s.engine.checkpoint(true)
		}
		if err != nil {
			s.log.Warn("checkpoint failed", "error", err)
		}
	}
}

// logLimit is how many pages SQLite's log may have before it is begun anew: 8 MB. Until
// then the file grows, and a sync of a file that grows takes half as long again as one
// that is written over.
const logLimit = 2_048

// readTx runs f on a snapshot of the database.
func (s *Store) readTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, s.engine.readOptions)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer tx.Rollback()
	return f(tx)
}
