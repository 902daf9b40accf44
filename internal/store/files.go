package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// What the files of a conversation may have together, and how much of one is written at
// once: a row of that size keeps the writer no longer than a busy commit does.
const (
	mostFiles     = 20
	mostFileBytes = 50 << 20
	partBytes     = 1 << 20
)

// Upload stores a file of a conversation while it reads content, which need not wait in
// memory as a whole. Until Upload returns there is no such file; when content fails,
// nothing stays of it, and the error is content's. The file is not part of any message.
func (s *Store) Upload(ctx context.Context, id chat.ConversationID, name, media string, content io.Reader) (_ chat.File, err error) {
	f := chat.File{ID: chat.NewFileID(), Name: name, Type: media}
	c, err := s.Conversation(ctx, id)
	if err != nil {
		return f, err
	}
	if c.Status == chat.Ended {
		return f, errEnded
	}
	if err := fileRoom(ctx, s.read, id, 1); err != nil {
		return f, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.dropParts(context.WithoutCancel(ctx), id, f.ID))
		}
	}()
	if f.Bytes, err = s.uploadParts(ctx, c, f.ID, content); err != nil {
		return f, err
	}
	key, err := s.seal.key(ctx, s.read, c.Customer)
	if err != nil {
		return f, err
	}
	sealed := seal(key, fileNameCell(f.ID), []byte(name))
	return f, s.update(ctx, false, func(t *tx) error {
		c, err := t.lock(id, "") // so that two uploads do not find the same room
		if err != nil {
			return err
		}
		if c.Status == chat.Ended {
			return errEnded
		}
		if err := fileRoom(ctx, t, id, f.Bytes); err != nil {
			return err
		}
		return t.insert("files", "conversation, id, sent, type, bytes, name_sealed, at", 7,
			[]any{string(id), string(f.ID), 0, f.Type, f.Bytes, sealed, chat.Now().UnixMicro()})
	})
}

// uploadParts writes what it reads, and returns how much that was.
func (s *Store) uploadParts(ctx context.Context, c chat.Conversation, file chat.FileID, content io.Reader) (total int64, err error) {
	key, err := s.seal.key(ctx, s.read, c.Customer)
	if err != nil {
		return 0, err
	}
	var part bytes.Buffer // grows with what has arrived
	for n := int64(0); ; n++ {
		part.Reset()
		size, err := io.CopyN(&part, content, partBytes)
		if err != nil && err != io.EOF { // itself: around it, as in other errors, it is not an end
			return 0, err
		}
		last := err != nil
		if total += size; total > mostFileBytes {
			return 0, errNoRoom
		}
		if size > 0 {
			sealed := seal(key, filePartCell(file, n), part.Bytes())
			err := s.update(ctx, true, func(t *tx) error {
				t.bytes += len(sealed)
				return t.insert("file_parts", "conversation, file, n, at, body_sealed", 5,
					[]any{string(c.ID), string(file), n, chat.Now().UnixMicro(), sealed})
			})
			if err != nil {
				return 0, err
			}
		}
		switch {
		case last && total == 0:
			return 0, &chat.Error{Kind: chat.Invalid, Message: "the file is empty: choose one with something in it"}
		case last:
			return total, nil
		}
	}
}

var errNoRoom = &chat.Error{Kind: chat.TooLarge,
	Message: fmt.Sprintf("the files of a conversation are limited to %d, of %d MiB together: send a smaller one, or start a new conversation", mostFiles, mostFileBytes>>20)}

// fileRoom reports why a conversation cannot have another file of so many bytes, or nil.
func fileRoom(ctx context.Context, q querier, id chat.ConversationID, more int64) error {
	var n, total int64
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM files WHERE conversation = $1`, string(id)).Scan(&n, &total)
	if err != nil {
		return fmt.Errorf("count the files of %s: %w", id, storageError(err))
	}
	if n >= mostFiles || total+more > mostFileBytes {
		return errNoRoom
	}
	return nil
}

// File returns a file of a conversation, sent or not.
func (s *Store) File(ctx context.Context, c chat.Conversation, id chat.FileID) (chat.File, error) {
	f := chat.File{ID: id}
	var sealed []byte
	err := s.read.QueryRowContext(ctx, `SELECT type, bytes, name_sealed FROM files WHERE conversation = $1 AND id = $2`, string(c.ID), string(id)).Scan(&f.Type, &f.Bytes, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return f, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no file %.64q in this conversation", id)}
	}
	if err != nil {
		return f, fmt.Errorf("read file %s: %w", id, storageError(err))
	}
	key, err := s.seal.key(ctx, s.read, c.Customer)
	if err != nil {
		return f, err
	}
	name, err := open(key, fileNameCell(id), sealed)
	f.Name = string(name)
	return f, err
}

// Content yields what is in a file, a part at a time.
func (s *Store) Content(ctx context.Context, c chat.Conversation, f chat.File) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		key, err := s.seal.key(ctx, s.read, c.Customer)
		left := f.Bytes
		for n := int64(0); err == nil && left > 0; n++ {
			var sealed, part []byte
			err = s.read.QueryRowContext(ctx, `SELECT body_sealed FROM file_parts WHERE conversation = $1 AND file = $2 AND n = $3`, string(c.ID), string(f.ID), n).Scan(&sealed)
			if err == nil {
				part, err = open(key, filePartCell(f.ID, n), sealed)
			}
			if err != nil {
				break
			}
			left -= int64(len(part))
			if !yield(part, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, fmt.Errorf("read the contents of file %s: %w", f.ID, storageError(err)))
		}
	}
}

// attach makes files part of the message that the next event makes known. They must be the
// conversation's own, and not be part of another message.
func (l *log) attach(ids []chat.FileID) ([]chat.File, error) {
	var out []chat.File
	for _, id := range ids {
		f := chat.File{ID: id}
		var sealed []byte
		err := l.t.row(`UPDATE files SET sent = $1 WHERE conversation = $2 AND id = $3 AND sent = 0 RETURNING type, bytes, name_sealed`,
			l.c.Seq+1, string(l.c.ID), string(id)).Scan(&f.Type, &f.Bytes, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("file %.64q is not here or was sent before: upload it again", id)}
		}
		if err != nil {
			return nil, fmt.Errorf("attach file %s: %w", id, err)
		}
		name, err := open(l.key, fileNameCell(id), sealed)
		if err != nil {
			return nil, err
		}
		f.Name = string(name)
		out = append(out, f)
	}
	return out, nil
}

func fileNameCell(id chat.FileID) cell {
	return cell{table: "files", column: "name_sealed", row: string(id)}
}

func filePartCell(id chat.FileID, n int64) cell {
	return cell{table: "file_parts", column: "body_sealed", row: string(id), n: n}
}

// DropUnsent removes the files that were stored before a time and have not become part of
// a message since, and what is left of uploads that broke off. It returns how many.
func (s *Store) DropUnsent(ctx context.Context, before time.Time) (int, error) {
	n := 0
	for {
		found, err := s.unsent(ctx, before)
		if err != nil || len(found) == 0 {
			return n, err
		}
		for _, f := range found {
			err := s.update(ctx, true, func(t *tx) error {
				_, err := t.exec(`DELETE FROM files WHERE conversation = $1 AND id = $2 AND sent = 0`, string(f.conversation), string(f.id))
				if err != nil {
					return fmt.Errorf("drop file %s: %w", f.id, err)
				}
				return t.dropParts(f.conversation, f.id)
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
}

// unsentBefore finds files that were not sent, and parts of which there is no file: what is
// left of an upload has its first part.
const unsentBefore = `SELECT conversation, id FROM files WHERE sent = 0 AND at < $1
	UNION ALL SELECT conversation, file FROM file_parts p WHERE n = 0 AND at < $1
		AND NOT EXISTS (SELECT 1 FROM files f WHERE f.conversation = p.conversation AND f.id = p.file)
	LIMIT 100`

type unsentFile struct {
	conversation chat.ConversationID
	id           chat.FileID
}

func (s *Store) unsent(ctx context.Context, before time.Time) ([]unsentFile, error) {
	rows, err := s.read.QueryContext(ctx, unsentBefore, before.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("look for files that were not sent: %w", storageError(err))
	}
	defer rows.Close()
	var out []unsentFile
	for rows.Next() {
		var f unsentFile
		if err := rows.Scan(&f.conversation, &f.id); err != nil {
			return nil, fmt.Errorf("look for files that were not sent: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// dropParts removes the parts of an upload that broke off.
func (s *Store) dropParts(ctx context.Context, id chat.ConversationID, file chat.FileID) error {
	return s.update(ctx, true, func(t *tx) error { return t.dropParts(id, file) })
}

// dropParts removes the parts of a file that is not there, or no longer.
func (t *tx) dropParts(id chat.ConversationID, file chat.FileID) error {
	_, err := t.exec(`DELETE FROM file_parts WHERE conversation = $1 AND file = $2
		AND NOT EXISTS (SELECT 1 FROM files f WHERE f.conversation = file_parts.conversation AND f.id = file_parts.file)`, string(id), string(file))
	if err != nil {
		return fmt.Errorf("drop the parts of file %s: %w", file, err)
	}
	return nil
}
