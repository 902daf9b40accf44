package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/answerable/answerable/internal/chat"
)

const (
	embedded = "sqlite"
	postgres = "postgres"
)

// engine is what differs between the two databases.
type engine struct {
	name  string
	read  *sql.DB // many connections, for SELECT
	write *sql.DB // one connection, the writer's

	begin       string // how the writer begins a transaction
	now         string // the database's clock in microseconds, as an expression
	prepare     bool   // whether the writer keeps prepared statements itself
	readOptions *sql.TxOptions
	config      *pgx.ConnConfig // of PostgreSQL, or nil

	// checkpoint copies the log into the file, begins it anew if it can when restart is
	// set, and returns how many pages the log has. It is nil where there is none.
	checkpoint func(restart bool) (pages int, err error)
	close      func() error
}

func openEngine(ctx context.Context, o Options) (engine, error) {
	if o.Postgres != "" {
		return openPostgres(ctx, o.Postgres)
	}
	return openSQLite(ctx, o)
}

// File is the name of the SQLite database in the data directory.
const File = "answerable.db"

func openSQLite(ctx context.Context, o Options) (engine, error) {
	path := filepath.Join(o.Dir, File)
	if o.ReadOnly {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return engine{}, &chat.Error{Kind: chat.NotFound, Err: err,
				Message: fmt.Sprintf("there is no database in %s yet: start the server once, or name its directory with --data", o.Dir)}
		}
	}
	// Every connection gets these; storetest asks each for them.
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(ON)",
		"wal_autocheckpoint(0)", "cache_size(-16384)", "temp_store(MEMORY)"}
	open := func(n int, more ...string) (*sql.DB, error) {
		q := url.Values{"_pragma": append(append([]string{}, pragmas...), more...)}
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		return db, nil
	}
	write, err := open(1)
	if err != nil {
		return engine{}, fmt.Errorf("open %s: %w", path, err)
	}
	read, err := open(4, "query_only(ON)")
	if err != nil {
		return engine{}, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	aside, err := open(1)
	if err != nil {
		return engine{}, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close(), read.Close())
	}
	e := engine{
		name: embedded, read: read, write: write, prepare: true,
		begin: "BEGIN IMMEDIATE",
		now:   "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		close: func() error { return errors.Join(read.Close(), aside.Close(), write.Close()) },
	}
	if !o.ReadOnly {
		e.checkpoint = func(restart bool) (pages int, err error) {
			mode := "PASSIVE"
			if restart {
				mode = "RESTART"
			}
			var busy, copied int
			err = aside.QueryRow("PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &copied)
			return pages, err
		}
	}
	var version string
	if err := write.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return engine{}, errors.Join(openError(path, err), e.close())
	}
	return e, nil
}

// openError explains why a database file could not be opened.
func openError(path string, err error) error {
	dir := filepath.Dir(path)
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
			return &chat.Error{Kind: chat.Unavailable, Err: err,
				Message: fmt.Sprintf("cannot write to %s: make the directory writable for this user, or name another with --data", dir)}
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return &chat.Error{Kind: chat.Unavailable, Err: err,
				Message: fmt.Sprintf("%s is not a readable database: restore it from a backup, or move it away to begin anew", path)}
		}
	}
	return storageError(fmt.Errorf("open %s: %w", path, err))
}

func openPostgres(ctx context.Context, dsn string) (engine, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return engine{}, &chat.Error{Kind: chat.Invalid, Message: "--postgres is not a PostgreSQL URL such as postgres://user:password@host:5432/database", Err: errors.New("parse the URL")} // pgx's error may show the password
	}
	// The server's default may be weaker; what was shown must be durable.
	cfg.RuntimeParams["synchronous_commit"] = "on"
	cfg.RuntimeParams["application_name"] = "answerable"
	open := func(n int) *sql.DB {
		db := stdlib.OpenDB(*cfg)
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		return db
	}
	read, write := open(8), open(1)
	e := engine{
		name: postgres, read: read, write: write, config: cfg,
		begin:       "BEGIN",
		now:         "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
		readOptions: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		close:       func() error { return errors.Join(read.Close(), write.Close()) },
	}
	if err := write.PingContext(ctx); err != nil {
		return engine{}, errors.Join(&chat.Error{Kind: chat.Unavailable, Err: err,
			Message: fmt.Sprintf("cannot reach PostgreSQL at %s:%d: start it, or check --postgres", cfg.Host, cfg.Port)}, e.close())
	}
	return e, nil
}

// storageError gives an error of the database the kind that a caller can act on.
func storageError(err error) error {
	if err == nil {
		return nil
	}
	const full = "the disk is full: nothing was lost that had been confirmed; make room and try again"
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return &chat.Error{Kind: chat.StorageFull, Message: full, Err: err}
		case sqlite3.SQLITE_READONLY:
			return &chat.Error{Kind: chat.Unavailable, Message: "the database cannot be written to: make the data directory writable again", Err: err}
		case sqlite3.SQLITE_IOERR:
			return &chat.Error{Kind: chat.Unavailable, Message: "the disk failed to read or write: see the log", Err: err}
		}
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch {
		case pe.Code == "53100":
			return &chat.Error{Kind: chat.StorageFull, Message: full, Err: err}
		case strings.HasPrefix(pe.Code, "57P"), strings.HasPrefix(pe.Code, "08"):
			return &chat.Error{Kind: chat.Unavailable, Message: "the database is restarting: try again", Err: err}
		}
	}
	var ce *pgconn.ConnectError
	if errors.As(err, &ce) {
		return &chat.Error{Kind: chat.Unavailable, Message: "the database cannot be reached: try again", Err: err}
	}
	return err
}

// again reports whether a transaction failed only because of another one.
func again(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "40P01" || pe.Code == "40001")
}
