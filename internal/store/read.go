package store

import (
	"context"
	"database/sql"
	"sync"
)

// reading is the connections for SELECT. On SQLite it keeps each query prepared, which
// else takes longer than running it, and lets none be cancelled: they take less time than
// the goroutine that the driver starts to watch for the end of ctx. PostgreSQL's driver
// does both itself.
type reading struct {
	*sql.DB
	keep     bool
	prepared sync.Map // query → *sql.Stmt
}

func (r *reading) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, ctx, err := r.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return r.DB.QueryContext(ctx, query, args...)
	}
	return st.QueryContext(ctx, args...)
}

func (r *reading) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, ctx, err := r.statement(ctx, query)
	if err != nil || st == nil {
		return r.DB.QueryRowContext(ctx, query, args...) // which meets the same error
	}
	return st.QueryRowContext(ctx, args...)
}

// statement returns the prepared query and the context to run it in, or no statement
// where none are kept.
func (r *reading) statement(ctx context.Context, query string) (*sql.Stmt, context.Context, error) {
	if !r.keep {
		return nil, ctx, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, ctx, err
	}
	ctx = context.WithoutCancel(ctx)
	if st, ok := r.prepared.Load(query); ok {
		return st.(*sql.Stmt), ctx, nil
	}
	st, err := r.DB.PrepareContext(ctx, positional(query))
	if err != nil {
		return nil, ctx, err
	}
	if other, lost := r.prepared.LoadOrStore(query, st); lost {
		return other.(*sql.Stmt), ctx, st.Close()
	}
	return st, ctx, nil
}
