package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"
)

// openTestPostgres opens a store in a database of its own on the server that make test
// starts. Without one the test is skipped, with that reason.
func openTestPostgres(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Postgres: NewTestDatabase(t), Key: Key{7}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// NewTestDatabase makes an empty PostgreSQL database and returns its URL.
func NewTestDatabase(t *testing.T) string {
	t.Helper()
	base := os.Getenv("ANSWERABLE_TEST_POSTGRES")
	if base == "" {
		t.Skip("no PostgreSQL: ANSWERABLE_TEST_POSTGRES is not set (make test starts one)")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	name := fmt.Sprintf("t%d", time.Now().UnixNano())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}
