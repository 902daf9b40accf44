package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/assistant"
)

// Watch serves what changes in the folders and what other nodes promote, until ctx ends.
// It looks every second, more rarely where looking takes long, and at once when again
// says so.
func (l *Library) Watch(ctx context.Context, again <-chan os.Signal) error {
	timer := time.NewTimer(l.every)
	defer timer.Stop()
	for {
		now, told := false, false
		select {
		case <-ctx.Done():
			return nil
		case <-again:
			now = true
		case <-l.news:
			told = true
		case <-timer.C:
		}
		l.changing.Lock()
		if told || l.behind != "" {
			l.follow(ctx)
		}
		cost := l.lookAround(ctx, now)
		l.changing.Unlock()
		timer.Reset(max(l.every, min(50*cost, time.Minute)))
	}
}

// lookAround looks at all folders and returns how long that took, without the reading.
func (l *Library) lookAround(ctx context.Context, now bool) time.Duration {
	began := time.Now()
	if l.root != "" {
		l.lookForFolders(ctx, now)
	}
	cost := time.Since(began)
	for _, f := range l.watched() {
		cost += l.lookAgain(ctx, f, now)
	}
	return cost
}

func (l *Library) watched() []*folder {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.folders)
}

// lookAgain serves what has changed in a folder, once two looks have seen the same: who
// writes a file is done with it then. What is read must be the same before and after.
func (l *Library) lookAgain(ctx context.Context, f *folder, now bool) time.Duration {
	if f.dir == "" || f.ingested && !now {
		return 0
	}
	began := time.Now()
	seen := lookAt(f.dir)
	cost := time.Since(began)
	settled := seen == f.before
	f.before = seen
	if seen == f.taken || !now && !settled {
		return cost
	}
	c, report := l.read(ctx, f, nil)
	if ctx.Err() != nil {
		return cost
	}
	if after := lookAt(f.dir); after != seen {
		f.before = after // it is being changed; the next looks will tell
		return cost
	}
	f.taken = seen
	l.change(context.WithoutCancel(ctx), f, c) // what was read is served, whoever has gone meanwhile
	if c.err == nil && len(report.Skipped) > 0 {
		l.log.Debug("files were skipped", "assistant", f.name, "files", len(report.Skipped))
	}
	return cost
}

// change serves what was read of a folder, or notes it beside what is promoted.
func (l *Library) change(ctx context.Context, f *folder, c *candidate) {
	if c.err == nil && f.name == "" { // it has never been served
		if other := l.folder(c.assistant.Name); other != nil {
			c.err = sameName(other, &folder{name: other.name, dir: f.dir})
		} else {
			l.mu.Lock()
			f.name = c.assistant.Name
			l.mu.Unlock()
		}
	}
	if s := l.snapshot(f.name); c.err == nil && !f.ingested && !s.pinned() && !s.is(c) {
		if s == nil {
			c.err = l.first(ctx, f, c)
		} else {
			c.err = l.take(ctx, f, c, s.promotion)
		}
		if c.err != nil {
			f.taken = look{} // the store failed: the next look tries again
		}
	}
	if c.err != nil {
		l.refuse(f, c.err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.candidate = c
}

// is reports whether a snapshot has what a candidate has.
func (s *snapshot) is(c *candidate) bool {
	return s != nil && s.Release == c.assistant.Release && s.generation.ID() == c.generation.ID()
}

// lookForFolders finds assistants that came or went since the last look. Where none is
// left, or the folder cannot be read, what is served goes on.
func (l *Library) lookForFolders(ctx context.Context, now bool) {
	dirs, err := assistant.Folders(l.root)
	if err != nil || len(dirs) == 1 && dirs[0] == l.root {
		return
	}
	folders := l.watched()
	for _, dir := range dirs {
		if slices.ContainsFunc(folders, func(f *folder) bool { return f.dir == dir }) {
			continue
		}
		seen := lookAt(dir)
		if before, ok := l.arriving[dir]; !now && (!ok || before != seen) {
			l.arriving[dir] = seen
			continue
		}
		delete(l.arriving, dir)
		l.arrive(ctx, dir)
	}
	for _, f := range folders {
		if _, err := os.Lstat(f.dir); os.IsNotExist(err) && !l.snapshot(f.name).pinned() {
			seen := lookAt(f.dir)
			if now || seen == f.before {
				l.leave(f)
			}
		}
	}
}

// arrive serves an assistant whose folder is new. One with mistakes is looked at again
// when they are mended.
func (l *Library) arrive(ctx context.Context, dir string) {
	f := &folder{dir: dir, source: "serve " + dir}
	l.mu.Lock()
	l.folders = append(l.folders, f)
	l.mu.Unlock()
	l.lookAgain(ctx, f, true)
}

// first serves an assistant that is new here: what was promoted of it, or its folder.
func (l *Library) first(ctx context.Context, f *folder, c *candidate) error {
	l.log.Info("assistant found", "assistant", f.name, "dir", f.dir)
	promotions, err := l.inForce(ctx)
	if err != nil {
		return err
	}
	p := promotions[f.name]
	if p.Release == "" {
		return l.take(ctx, f, c, p)
	}
	s, err := l.promoted(ctx, p, f)
	if err == nil {
		err = l.equip(s)
	}
	if err == nil {
		l.serve(s)
	}
	return err
}

// leave withdraws an assistant whose folder is gone.
func (l *Library) leave(f *folder) {
	l.withdraw(f.name)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.folders = slices.DeleteFunc(l.folders, func(g *folder) bool { return g == f })
	l.log.Info("assistant gone", "assistant", f.name, "dir", f.dir)
}

// look is what can be seen of a folder without reading its files: a digest of their
// paths, sizes and times, and of which files they are.
type look [sha256.Size]byte

func lookAt(dir string) (out look) {
	h := sha256.New()
	lookInto(h, dir, "", false)
	copy(out[:], h.Sum(nil))
	return out
}

// lookInto looks at a folder in dir. Links are followed as far as an assistant's files are:
// to files, and to a folder, but not from there to another.
func lookInto(h hash.Hash, dir, name string, linked bool) {
	entries, err := os.ReadDir(filepath.Join(dir, name))
	if err != nil {
		fmt.Fprintf(h, "%q: %v\n", name, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := filepath.Join(name, e.Name())
		info, err := os.Stat(filepath.Join(dir, file))
		switch link := e.Type()&fs.ModeSymlink != 0; {
		case err != nil:
			fmt.Fprintf(h, "%q: %v\n", file, err)
		case !info.IsDir():
			fmt.Fprintf(h, "%q %v %d %d %d\n", file, info.Mode(), info.Size(), info.ModTime().UnixNano(), inode(info))
		case link && linked:
		default:
			fmt.Fprintf(h, "%q %v\n", file, info.Mode())
			lookInto(h, dir, file, linked || link)
		}
	}
}
