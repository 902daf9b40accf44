package store

import (
	"context"
	"fmt"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// Lease is how long a node may be silent on PostgreSQL before others take over its
// turns. It renews its lease every quarter of that.
const Lease = 2 * time.Second

// Join registers a node. The embedded database belongs to one process, so there every
// other node is known to be dead at once.
func (s *Store) Join(ctx context.Context, node chat.NodeID) error {
	return s.update(ctx, false, func(t *tx) error {
		if !s.Shared() {
			if _, err := t.exec(`UPDATE nodes SET lease_until = 0`); err != nil {
				return fmt.Errorf("end the leases of earlier processes: %w", err)
			}
		}
		_, err := t.exec(`INSERT INTO nodes (id, lease_until, started_at) VALUES ($1, `+s.engine.now+` + $2, `+s.engine.now+`)`,
			string(node), Lease.Microseconds())
		if err != nil {
			return fmt.Errorf("register the node: %w", err)
		}
		return nil
	})
}

// Renew keeps a node's turns its own. It is chat.Fenced when the node is not known. A
// lease that ran out is renewed too: what others have taken meanwhile is fenced.
func (s *Store) Renew(ctx context.Context, node chat.NodeID) error {
	return s.update(ctx, false, func(t *tx) error {
		n, err := t.exec(`UPDATE nodes SET lease_until = `+s.engine.now+` + $1 WHERE id = $2`, Lease.Microseconds(), string(node))
		if err != nil {
			return fmt.Errorf("renew the lease: %w", err)
		}
		if n == 0 {
			return errFenced
		}
		return nil
	})
}

// Leave gives up a node's lease at once, so that others need not wait for its end.
func (s *Store) Leave(ctx context.Context, node chat.NodeID) error {
	return s.update(ctx, false, func(t *tx) error {
		_, err := t.exec(`UPDATE nodes SET lease_until = 0 WHERE id = $1`, string(node))
		return err
	})
}

// Adopt takes over up to limit turns of dead nodes. Each moves in the statement that
// checks it, and the term of its conversation goes up, so that a process which is not
// dead after all can write no more.
func (s *Store) Adopt(ctx context.Context, node chat.NodeID, limit int) ([]chat.Orphan, error) {
	var out []chat.Orphan
	err := s.update(ctx, false, func(t *tx) error {
		out = nil
		rows, err := t.rows(`SELECT t.conversation, t.id, t.node FROM turns t LEFT JOIN nodes n ON n.id = t.node
			WHERE t.status = 'running' AND t.node <> $1 AND COALESCE(n.lease_until, 0) < `+s.engine.now+` ORDER BY t.id LIMIT $2`, string(node), limit)
		if err != nil {
			return fmt.Errorf("look for turns of dead nodes: %w", err)
		}
		defer rows.Close()
		type found struct {
			chat.Orphan
			node string
		}
		var all []found
		for rows.Next() {
			var f found
			if err := rows.Scan(&f.Conversation, &f.Turn, &f.node); err != nil {
				return fmt.Errorf("look for turns of dead nodes: %w", err)
			}
			all = append(all, f)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("look for turns of dead nodes: %w", err)
		}
		rows.Close()
		for _, f := range all {
			// First the conversation, as everybody does: two nodes cannot block each other.
			n, err := t.exec(`UPDATE conversations SET term = term + 1 WHERE id = $1 AND turn = $2
				AND EXISTS (SELECT 1 FROM turns WHERE conversation = $1 AND id = $2 AND node = $3 AND status = 'running')`,
				string(f.Conversation), string(f.Turn), f.node)
			if err != nil {
				return fmt.Errorf("adopt turn %s: %w", f.Turn, err)
			}
			if n == 0 {
				continue
			}
			n, err = t.exec(`UPDATE turns SET node = $1, lives = lives + 1 WHERE conversation = $2 AND id = $3 AND node = $4 AND status = 'running'`,
				string(node), string(f.Conversation), string(f.Turn), f.node)
			if err != nil {
				return fmt.Errorf("adopt turn %s: %w", f.Turn, err)
			}
			if n == 0 {
				return fmt.Errorf("adopt turn %s: %w", f.Turn, errFenced)
			}
			// A waiting turn follows its predecessor.
			if _, err := t.exec(`UPDATE turns SET node = $1 WHERE conversation = $2 AND status = 'waiting'`, string(node), string(f.Conversation)); err != nil {
				return fmt.Errorf("adopt turn %s: %w", f.Turn, err)
			}
			out = append(out, f.Orphan)
		}
		return nil
	})
	return out, err
}

// Mine returns the running turns of a node.
func (s *Store) Mine(ctx context.Context, node chat.NodeID) ([]chat.Orphan, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT conversation, id FROM turns WHERE node = $1 AND status = 'running'`, string(node))
	if err != nil {
		return nil, fmt.Errorf("list the node's turns: %w", storageError(err))
	}
	defer rows.Close()
	var out []chat.Orphan
	for rows.Next() {
		var o chat.Orphan
		if err := rows.Scan(&o.Conversation, &o.Turn); err != nil {
			return nil, fmt.Errorf("list the node's turns: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
