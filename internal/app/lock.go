package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/answerable/answerable/internal/chat"
)

// Serving is what a server tells other commands on the same data directory.
type Serving struct {
	URL   string `json:"url"`
	Token string `json:"token"` // opens the server's /api for this run; the file is the owner's alone
	PID   int    `json:"pid"`
}

const (
	lockFile    = "lock"
	servingFile = "server.json"
)

// lock is the right to write to a data directory. The system takes it back when the
// process dies.
type lock struct {
	dir  string
	file *flock.Flock
}

func lockData(dir string) (*lock, error) {
	f := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if err != nil {
		return nil, cannotWrite(dir, err)
	}
	if !ok {
		where := ""
		if s, err := ServingAt(dir); err == nil && s != nil && s.URL != "" {
			where = fmt.Sprintf(" (%s, process %d)", s.URL, s.PID)
		}
		return nil, &chat.Error{Kind: chat.Conflict,
			Message: fmt.Sprintf("another answerable%s uses the data directory %s: stop it, or name another directory with --data", where, dir)}
	}
	// What a process that died left there leads nowhere.
	if err := os.Remove(filepath.Join(dir, servingFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(cannotWrite(dir, err), f.Unlock())
	}
	return &lock{dir, f}, nil
}

func (l *lock) release() error {
	err := os.Remove(filepath.Join(l.dir, servingFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Unlock())
}

// announce tells other commands where the server is.
func (l *lock) announce(s Serving) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp := filepath.Join(l.dir, servingFile+".new")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("write the server's address: %w", err)
	}
	return os.Rename(tmp, filepath.Join(l.dir, servingFile))
}

func cannotWrite(dir string, err error) error {
	return &chat.Error{Kind: chat.Unavailable, Err: err,
		Message: fmt.Sprintf("cannot write to %s: make the directory writable for this user, or name another with --data", dir)}
}

func cannotRead(dir string, err error) error {
	return &chat.Error{Kind: chat.Unavailable, Err: err,
		Message: fmt.Sprintf("cannot read the data directory %s: use the server's user, or name another directory with --data", dir)}
}

// ServingAt returns the server that uses a data directory, or nil when none does.
func ServingAt(dir string) (*Serving, error) {
	b, err := os.ReadFile(filepath.Join(dir, servingFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, cannotRead(dir, err)
	}
	var s Serving
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, servingFile), err)
	}
	f := flock.New(filepath.Join(dir, lockFile))
	free, err := f.TryRLock()
	if err == nil && free {
		return nil, f.Unlock() // it died
	}
	return &s, nil
}
