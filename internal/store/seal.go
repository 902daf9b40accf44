package store

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/answerable/answerable/internal/chat"
)

// Key is the installation key: 32 random bytes that wrap every customer's key. Who has
// it and the database can read everything; without it nothing can be read.
type Key [32]byte

// ParseKey reads a key written as 64 hexadecimal digits or as base64 of 32 bytes.
func ParseKey(s string) (Key, error) {
	s = strings.TrimSpace(s)
	var k Key
	b, err := hex.DecodeString(s)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(b) != len(k) {
		return k, &chat.Error{Kind: chat.Invalid, Message: "the installation key must be 32 bytes, written as 64 hexadecimal digits or as base64 (make one with: openssl rand -hex 32)"}
	}
	return Key(b), nil
}

// Derive returns a secret of 128 bits for a purpose, as letters and digits. It tells
// nothing of the key, and is the same on every node that has the key.
func (k Key) Derive(purpose string) string {
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte("derived for " + purpose))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
}

// KeyFile is the development key's name in the data directory.
const KeyFile = "installation.key"

// DevelopmentKey reads the key file of a data directory. Where there is none, it makes
// one, but not beside a database: that was sealed with a key which is now missing.
func DevelopmentKey(dir string) (Key, error) {
	path := filepath.Join(dir, KeyFile)
	b, err := os.ReadFile(path)
	if err == nil {
		k, err := ParseKey(string(b))
		if err != nil {
			return k, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s is damaged: put back the file from a backup; what was stored cannot be read without it", path), Err: err}
		}
		return k, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Key{}, fmt.Errorf("read the installation key: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, File)); err == nil {
		return Key{}, &chat.Error{Kind: chat.NotFound,
			Message: fmt.Sprintf("%s is missing, but %s was sealed with it: put the file back, or set ANSWERABLE_KEY or ANSWERABLE_KEY_FILE", path, filepath.Join(dir, File))}
	}
	var k Key
	rand.Read(k[:])
	if err := writeFileSync(path, []byte(hex.EncodeToString(k[:])+"\n")); err != nil {
		return Key{}, &chat.Error{Kind: chat.Unavailable, Err: err,
			Message: fmt.Sprintf("cannot write the installation key to %s: make the directory writable for this user, or name another with --data", dir)}
	}
	return k, nil
}

// writeFileSync makes a file that is whole and durable or not there.
func writeFileSync(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// cell names the place of a sealed value. A value that was moved to another row or
// column cannot be opened there.
type cell struct {
	table, column string
	row           string // conversation or customer, and what tells rows apart in it
	n             int64
}

func (c cell) aad(b []byte) []byte {
	b = append(b, c.table...)
	b = append(append(b, 0), c.column...)
	b = append(append(b, 0), c.row...)
	b = append(b, 0)
	for i := 56; i >= 0; i -= 8 {
		b = append(b, byte(c.n>>i))
	}
	return b
}

// sealer is the one door for people's words: AES-256-GCM with a key for each
// customer, wrapped by the installation key. A sealed value is nonce and ciphertext.
// Destroying a customer's key destroys their words, also in backups.
type sealer struct {
	wrap cipher.AEAD
	mac  []byte

	mu    sync.Mutex
	cache map[chat.CustomerID]cipher.AEAD
}

// keysCached bounds the memory of a sealer, about 600 bytes a key.
const keysCached = 20_000

func newSealer(k Key) *sealer {
	return &sealer{wrap: aead(k[:]), mac: k[:], cache: map[chat.CustomerID]cipher.AEAD{}}
}

func aead(key []byte) cipher.AEAD {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		panic(err)
	}
	return a
}

func seal(a cipher.AEAD, c cell, plain []byte) []byte {
	var buf [160]byte
	out := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	rand.Read(out)
	return a.Seal(out, out, plain, c.aad(buf[:0]))
}

func open(a cipher.AEAD, c cell, sealed []byte) ([]byte, error) {
	var buf [160]byte
	n := a.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("open %s.%s of %s: the value is too short", c.table, c.column, c.row)
	}
	plain, err := a.Open(nil, sealed[:n], sealed[n:], c.aad(buf[:0]))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of %s: the value is damaged or was moved", c.table, c.column, c.row)
	}
	return plain, nil
}

// newKey returns a customer's key and its wrapped form.
func (s *sealer) newKey(id chat.CustomerID) (cipher.AEAD, []byte) {
	var k Key
	rand.Read(k[:])
	a := aead(k[:])
	s.keep(id, a)
	return a, seal(s.wrap, keyCell(id), k[:])
}

func keyCell(id chat.CustomerID) cell {
	return cell{table: "customers", column: "wrapped_key", row: string(id)}
}

func (s *sealer) keep(id chat.CustomerID, a cipher.AEAD) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= keysCached {
		clear(s.cache) // rare, and a key is one row away
	}
	s.cache[id] = a
}

// querier is a transaction or a pool of connections.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// key returns the key of a customer.
func (s *sealer) key(ctx context.Context, q querier, id chat.CustomerID) (cipher.AEAD, error) {
	s.mu.Lock()
	a, ok := s.cache[id]
	s.mu.Unlock()
	if ok {
		return a, nil
	}
	var wrapped []byte
	err := q.QueryRowContext(ctx, `SELECT wrapped_key FROM customers WHERE id = $1`, string(id)).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &chat.Error{Kind: chat.NotFound, Message: "the customer's data was erased"}
	}
	if err != nil {
		return nil, fmt.Errorf("read a customer's key: %w", err)
	}
	k, err := open(s.wrap, keyCell(id), wrapped)
	if err != nil {
		return nil, err
	}
	a = aead(k)
	s.keep(id, a)
	return a, nil
}

// checkKey compares the installation key with the one that the data was sealed with,
// by a value that tells nothing about it.
func (s *Store) checkKey(ctx context.Context, readOnly bool) error {
	h := hmac.New(sha256.New, s.seal.mac)
	h.Write([]byte("answerable installation key check"))
	want := h.Sum(nil)
	var have []byte
	err := s.read.QueryRowContext(ctx, `SELECT value FROM installation WHERE name = 'key_check'`).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) && !readOnly {
		// Two nodes may start at once: the first one's value stays, and both compare.
		if _, err := s.engine.write.ExecContext(ctx, `INSERT INTO installation (name, value) VALUES ('key_check', $1) ON CONFLICT (name) DO NOTHING`, want); err != nil {
			return fmt.Errorf("note the installation key: %w", storageError(err))
		}
		err = s.read.QueryRowContext(ctx, `SELECT value FROM installation WHERE name = 'key_check'`).Scan(&have)
	}
	if err != nil {
		return fmt.Errorf("check the installation key: %w", storageError(err))
	}
	if !bytes.Equal(have, want) {
		return &chat.Error{Kind: chat.Invalid, Message: "this is not the installation key that the data was sealed with: put back the right one (ANSWERABLE_KEY, ANSWERABLE_KEY_FILE, or " + KeyFile + " in the data directory)"}
	}
	return nil
}
