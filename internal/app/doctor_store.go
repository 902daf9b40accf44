package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// When the disk is worth a warning.
const (
	slowSync  = 10 * time.Millisecond // p50
	farStore  = 10 * time.Millisecond // p50
	little    = 1 << 30               // bytes free
	tooLittle = 100 << 20
)

// store looks at the database and the disk. It returns the server that runs on the data
// directory, and the store, open for reading, each nil when there is none.
func (c Checkup) store(ctx context.Context) (*Serving, *store.Store, []Finding) {
	serving, err := ServingAt(c.Config.Data)
	if err != nil {
		return nil, nil, []Finding{failed(storeArea, "data", err)}
	}
	dir, made, err := dataPlace(c.Config.Data)
	if err != nil {
		return serving, nil, []Finding{failed(storeArea, "data", err)}
	}
	found := []Finding{c.place(dir, made, serving)}
	s, database := c.database(ctx, made)
	found = append(found, database)
	switch {
	case s != nil && s.Shared():
		found = append(found, roundTrip(ctx, s))
	case serving == nil && c.Config.Postgres.Reveal() == "" && found[0].State == Fine:
		found = append(found, syncing(dir))
	}
	return serving, s, append(found, space(dir))
}

// place says whether the data directory can be written to. While a server uses it,
// nothing is.
func (c Checkup) place(dir string, made bool, serving *Serving) Finding {
	f := Finding{storeArea, "data", Fine, c.Config.Data, ""}
	if serving != nil {
		f.Detail += " is in use by the running server"
		return f
	}
	probe, err := os.CreateTemp(dir, probeFiles)
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return failed(f.Area, f.Name, cannotWrite(dir, err))
	}
	if !made {
		f.Detail += " is not there yet: the first start makes it"
	}
	return f
}

// dataPlace returns the directory that the data is or will be in: data itself, or what is
// there of the path to it.
func dataPlace(data string) (dir string, made bool, err error) {
	dir, err = filepath.Abs(data)
	if err != nil {
		return "", false, err
	}
	for made = true; ; made = false {
		info, err := os.Stat(dir)
		switch {
		case err == nil && info.IsDir():
			return dir, made, nil
		case err == nil:
			return "", false, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s is a file, not a folder: name another with --data", dir)}
		case !errors.Is(err, fs.ErrNotExist):
			return "", false, cannotRead(data, err)
		case dir == filepath.Dir(dir):
			return "", false, cannotRead(data, err)
		}
		dir = filepath.Dir(dir)
	}
}

// database opens the store for reading, where there is one.
func (c Checkup) database(ctx context.Context, made bool) (*store.Store, Finding) {
	f := Finding{storeArea, "database", Fine, "SQLite in " + c.Config.Data, ""}
	shared := c.Config.Postgres.Reveal() != ""
	if shared {
		f.Detail = "PostgreSQL"
		if c.Offline {
			f.Detail += " was not asked (--offline)"
			return nil, f
		}
	}
	if _, err := os.Stat(filepath.Join(c.Config.Data, store.File)); !shared && errors.Is(err, fs.ErrNotExist) {
		return nil, c.newDatabase(made)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	s, err := OpenReading(ctx, c.Config)
	if err == nil {
		f.Detail += "; its tables are up to date and the installation key fits"
		return s, f
	}
	var other store.OtherVersion
	older := errors.As(err, &other) && other.Have < other.Want
	switch {
	case older && other.Have == 0:
		f.Detail += " is empty: the first start makes the tables"
	case older:
		f.State, f.Detail = Warn, fmt.Sprintf("%s has tables of version %d, this binary wants %d", f.Detail, other.Have, other.Want)
		f.Advice = "make a backup, then start the server: it brings them up to date"
	default:
		f = failed(f.Area, f.Name, err)
	}
	return nil, f
}

// newDatabase says that the first start makes the database, if the key allows it.
func (c Checkup) newDatabase(made bool) Finding {
	f := Finding{storeArea, "database", Fine, "SQLite: none yet, the first start makes it", ""}
	_, err := os.Stat(filepath.Join(c.Config.Data, store.KeyFile))
	if own := made && err == nil; !own && os.Getenv("ANSWERABLE_KEY") == "" && os.Getenv("ANSWERABLE_KEY_FILE") == "" {
		f.Detail += ", and an installation key beside it"
		return f // to ask for the key would make one
	}
	if _, err := InstallationKey(c.Config); err != nil {
		return failed(f.Area, f.Name, err)
	}
	return f
}

// roundTrip measures a query of a database that may be on another machine.
func roundTrip(ctx context.Context, s *store.Store) Finding {
	f := Finding{storeArea, "round trip", Fine, "", ""}
	var took []time.Duration
	for range 5 {
		began := time.Now()
		if _, err := s.Keys(ctx); err != nil {
			return failed(f.Area, f.Name, err)
		}
		took = append(took, time.Since(began))
	}
	f.Detail = readable(middle(took)) + " for a small query"
	if middle(took) > farStore {
		f.State, f.Advice = Warn, "each piece of an answer is stored before it is shown: run PostgreSQL nearer to this server"
	}
	return f
}

// syncing measures how long the disk takes to make a small write durable.
func syncing(dir string) Finding {
	f := Finding{storeArea, "sync", Fine, "", ""}
	took, err := syncTimes(dir)
	if err != nil {
		return failed(f.Area, f.Name, cannotWrite(dir, err))
	}
	f.Detail = readable(middle(took)) + " for a small durable write"
	if middle(took) > slowSync {
		f.State, f.Advice = Warn, "each piece of an answer is stored before it is shown: put the data directory on a local SSD"
	}
	return f
}

// syncTimes writes and syncs a small file in dir several times and removes it.
func syncTimes(dir string) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, probeFiles)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	page := make([]byte, 4<<10)
	for range 9 {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// probeFiles are written to see whether and how fast a disk writes, and removed.
const probeFiles = ".answerable-doctor-*"

// space looks at how much room the disk has.
func space(dir string) Finding {
	f := Finding{storeArea, "disk", Fine, "", ""}
	free, err := freeBytes(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		f.Detail = "the free space is not known on this system"
		return f
	}
	if err != nil {
		return failed(f.Area, f.Name, fmt.Errorf("ask for the free space of %s: %w", dir, err))
	}
	f.Detail = fmt.Sprintf("%.1f GB free", float64(free)/1e9)
	switch {
	case free < tooLittle:
		f.State = Fails
	case free < little:
		f.State = Warn
	default:
		return f
	}
	f.Detail = fmt.Sprintf("%d MB free", free/1e6)
	f.Advice = "make room on the disk of the data directory, or name another with --data: when it is full, nothing is answered"
	return f
}
