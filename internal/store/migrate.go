package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/answerable/answerable/internal/chat"
)

//go:embed migrations
var migrations embed.FS

// OtherVersion is why a database is refused: its tables are of another version than this
// binary's.
type OtherVersion struct {
	Have int64 // 0: there are none
	Want int64
}

func (v OtherVersion) Error() string {
	return fmt.Sprintf("tables of version %d, not %d", v.Have, v.Want)
}

// migrate brings the tables up to date. A database that is newer than this binary is
// refused untouched; so is an older one when it may only be read.
func (s *Store) migrate(ctx context.Context, readOnly bool) error {
	dir, err := fs.Sub(migrations, "migrations/"+s.engine.name)
	if err != nil {
		return err
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption(nil)
	if s.engine.name == postgres {
		dialect = goose.DialectPostgres
		l, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("make the migration lock: %w", err)
		}
		options = append(options, goose.WithSessionLocker(l))
	}
	db := s.engine.write
	p, err := goose.NewProvider(dialect, db, dir, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	have, err := s.version(ctx, p, dialect)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", storageError(err))
	}
	switch {
	case have > newest:
		return &chat.Error{Kind: chat.Conflict, Err: OtherVersion{have, newest},
			Message: fmt.Sprintf("the database has version %d, this binary knows versions up to %d: use the newer binary, nothing was changed", have, newest)}
	case have == newest:
		return nil
	case readOnly:
		return &chat.Error{Kind: chat.Conflict, Err: OtherVersion{have, newest},
			Message: fmt.Sprintf("the database has version %d, this binary needs version %d: start the server once to bring it up to date", have, newest)}
	}
	if _, err := p.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = partial.Err
		}
		return fmt.Errorf("bring the database up to date: %w", storageError(err))
	}
	return nil
}

// version returns that of the tables, 0 where there are none. To ask leaves no trace in a
// shared database; asking goose alone would make a table there.
func (s *Store) version(ctx context.Context, p *goose.Provider, dialect goose.Dialect) (int64, error) {
	versions, err := database.NewStore(dialect, goose.DefaultTablename)
	if err != nil {
		return 0, err
	}
	if finder, ok := versions.(database.StoreExtender); ok { // it can tell on PostgreSQL only
		exists, err := finder.TableExists(ctx, s.engine.write)
		if !errors.Is(err, errors.ErrUnsupported) && (err != nil || !exists) {
			return 0, err
		}
	}
	return p.GetDBVersion(ctx)
}
