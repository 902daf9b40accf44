package store

import (
	"context"
	"database/sql"
)

// EachConnection calls f with connections of every pool, the writer's included.
func (s *Store) EachConnection(ctx context.Context, f func(*sql.Conn) error) error {
	for range s.read.Stats().MaxOpenConnections {
		c, err := s.read.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := f(c); err != nil {
			return err
		}
	}
	return s.update(ctx, false, func(t *tx) error { return f(t.w.conn) })
}

// FirstConnection calls f with one connection for reading.
func (s *Store) FirstConnection(ctx context.Context, f func(*sql.Conn) error) error {
	c, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}
