package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/answerable/answerable/internal/chat"
)

//go:embed migrations
var migrations embed.FS

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
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", storageError(err))
	}
	switch {
	case have > newest:
		return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("the database has version %d, this binary knows versions up to %d: use the newer binary, nothing was changed", have, newest)}
	case have == newest:
		return nil
	case readOnly:
		return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("the database has version %d, this binary needs version %d: start the server once to bring it up to date", have, newest)}
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
