package store

import (
	"database/sql"
	"strings"
	"testing"
)

// TestLookupsHaveAnIndex asks each engine how it would find rows in tables that grow for
// ever. On SQLite, rows of turns and file_parts have large values in them that would be
// read through.
func TestLookupsHaveAnIndex(t *testing.T) {
	openBoth(t, func(t *testing.T, s *Store) {
		explain := "EXPLAIN QUERY PLAN "
		if s.Shared() {
			explain = "EXPLAIN "
		}
		for index, query := range map[string]string{
			"conversations_queue": waitLonger, "turns_retry": retryOf, "file_parts_begun": unsentBefore, "turns_open": runningTurns,
		} {
			if plan := planOf(t, s, explain+query); !strings.Contains(plan, index) {
				t.Errorf("%s is not used by\n%s\n%s", index, query, plan)
			}
		}
		if plan := planOf(t, s, explain+history); !strings.Contains(plan, "turns_retry") {
			t.Errorf("the history reads the records of all turns:\n%s", plan)
		}
	})
}

// planOf returns the plan of a query, of whose parameters only the number matters.
func planOf(t *testing.T, s *Store, query string) string {
	t.Helper()
	tx, err := s.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if s.Shared() { // tables without rows are scanned whole
		if _, err := tx.ExecContext(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
			t.Fatal(err)
		}
	}
	var args []any
	for strings.Contains(query, "$"+string(rune('1'+len(args)))) {
		args = append(args, "1")
	}
	rows, err := tx.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		line := make([]sql.NullString, len(columns))
		into := make([]any, len(line))
		for i := range line {
			into[i] = &line[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line[len(line)-1].String + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
