package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// Library holds what is served: a snapshot for each assistant, which is swapped as a
// whole. The files come from folders, which it watches (watch.go), until a release is
// promoted: from then on they come from the store (releases.go). It is safe for
// concurrent use.
type Library struct {
	store *store.Store
	dir   string // of the generations' files
	log   *slog.Logger
	// runner makes what answers for an assistant. It is nil where nobody is answered.
	runner func(*assistant.Assistant, *knowledge.Generation) (*turn.Runner, error)
	dry    bool          // nothing is published: a command only looks
	every  time.Duration // between two looks at the folders, at least
	news   chan struct{} // has room for one: the store has another promotion

	changing sync.Mutex // what is served changes one step at a time
	root     string     // the folder of the assistants' folders; "" where there is one assistant
	stored   bool       // the assistants are those that were promoted
	behind   string     // why a promotion is not served yet, as it was logged
	arriving map[string]look

	mu      sync.RWMutex
	served  []*snapshot // by name
	folders []*folder
	opened  map[string]*knowledge.Generation // by id; also earlier ones that were asked for
}

// snapshot is all that an assistant answers with: its own files, its documents, and what
// runs on them. It does not change, and a turn takes it once: no answer mixes two.
type snapshot struct {
	*assistant.Assistant
	generation *knowledge.Generation
	runner     *turn.Runner
	promotion  store.Promotion // in force
	since      chat.Time
}

// pinned reports whether a promoted release is served, and not the folder.
func (s *snapshot) pinned() bool { return s != nil && s.promotion.Release != "" }

// generationsKept bounds the earlier generations that stay open for the sake of links.
const generationsKept = 8

func newLibrary(s *store.Store, data string, log *slog.Logger) *Library {
	return &Library{store: s, dir: filepath.Join(data, "generations"), log: log, every: time.Second, news: make(chan struct{}, 1),
		arriving: map[string]look{}, opened: map[string]*knowledge.Generation{}}
}

// snapshot returns what an assistant answers with now, or nil when there is none of this
// name.
func (l *Library) snapshot(name string) *snapshot {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i, ok := l.findLocked(name); ok {
		return l.served[i]
	}
	return nil
}

func (l *Library) findLocked(name string) (int, bool) {
	return slices.BinarySearchFunc(l.served, name, func(s *snapshot, name string) int { return cmp.Compare(s.Name, name) })
}

// snapshots returns all, the default assistant's first.
func (l *Library) snapshots() []*snapshot {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.served)
}

// equip makes what answers with a snapshot.
func (l *Library) equip(s *snapshot) (err error) {
	if l.runner != nil {
		s.runner, err = l.runner(s.Assistant, s.generation)
	}
	return err
}

// serve makes s, which is equipped, what its assistant answers with. Turns that run keep
// what they have.
func (l *Library) serve(s *snapshot) {
	l.mu.Lock()
	i, ok := l.findLocked(s.Name)
	if ok {
		l.served[i] = s
	} else {
		l.served = slices.Insert(l.served, i, s)
	}
	l.keepLocked(s.generation)
	l.mu.Unlock()
	if ok {
		l.log.Info("assistant swapped", "assistant", s.Name, "release", s.Release, "generation", s.generation.ID(), "promotion", s.promotion.N)
	}
}

// withdraw serves an assistant no longer.
func (l *Library) withdraw(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = slices.DeleteFunc(l.served, func(s *snapshot) bool { return s.Name == name })
}

// keepLocked notes an open generation.
func (l *Library) keepLocked(g *knowledge.Generation) {
	if len(l.opened) >= generationsKept+len(l.served) {
		for id, old := range l.opened {
			if !slices.ContainsFunc(l.served, func(s *snapshot) bool { return s.generation == old }) {
				delete(l.opened, id)
				break
			}
		}
	}
	l.opened[g.ID()] = g
}

// file opens a generation by its id.
func (l *Library) file(id string) (*knowledge.Generation, error) {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		return nil, &chat.Error{Kind: chat.NotFound, Message: "there is no such generation"}
	}
	l.mu.RLock()
	g := l.opened[id]
	l.mu.RUnlock()
	if g != nil {
		return g, nil
	}
	g, err := knowledge.OpenGeneration(filepath.Join(l.dir, knowledge.FileName(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &chat.Error{Kind: chat.NotFound, Message: "there is no such generation: its file is gone from the data directory; ingest the documents again", Err: err}
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keepLocked(g)
	return g, nil
}

// Names returns the names of the assistants, the default one's first.
func (l *Library) Names() []string {
	var out []string
	for _, s := range l.snapshots() {
		out = append(out, s.Name)
	}
	return out
}

// Has reports whether there is an assistant of this name.
func (l *Library) Has(name string) bool { return l.snapshot(name) != nil }

// Origins returns the origins that an assistant's files allow.
func (l *Library) Origins(name string) []string {
	if s := l.snapshot(name); s != nil {
		return s.AllowedOrigins
	}
	return nil
}

// Widget returns how an assistant looks to customers.
func (l *Library) Widget(name string) assistant.Widget {
	if s := l.snapshot(name); s != nil {
		return s.Assistant.Widget
	}
	return assistant.Widget{}
}

// Hours returns when people are there for an assistant's customers.
func (l *Library) Hours(name string) assistant.Hours {
	if s := l.snapshot(name); s != nil {
		return s.Assistant.Hours
	}
	return assistant.Hours{}
}

// Document returns a document of a generation that is still in the data directory.
func (l *Library) Document(generation, id string) (knowledge.Document, bool) {
	g, err := l.file(generation)
	if err != nil {
		return knowledge.Document{}, false
	}
	return g.Document(id)
}

// readDocuments reads an assistant's knowledge folders. Documents are named by their
// path in the assistant's folder.
func readDocuments(ctx context.Context, a *assistant.Assistant, progress func(what string, done, total int64)) ([]knowledge.Document, knowledge.Report, error) {
	var all []knowledge.Document
	var sum knowledge.Report
	for _, folder := range a.Knowledge {
		tell := func(p knowledge.Progress) {
			if progress != nil && p.Total > 0 {
				progress("reading "+a.Name, int64(p.Done), int64(p.Total))
			}
		}
		docs, report, err := readFolder(ctx, a, folder, tell)
		if err != nil {
			return nil, sum, err
		}
		prefix := folder
		if prefix == "." {
			prefix = ""
		}
		for _, d := range docs {
			d.ID = path.Join(prefix, d.ID)
			all = append(all, d)
		}
		for _, s := range report.Skipped {
			s.Path = path.Join(prefix, s.Path)
			sum.Skipped = append(sum.Skipped, s)
		}
		sum.Files, sum.Documents, sum.Bytes = sum.Files+report.Files, sum.Documents+report.Documents, sum.Bytes+report.Bytes
		sum.Internal += report.Internal
	}
	all = slices.DeleteFunc(all, func(d knowledge.Document) bool { return a.IsOwn(d.ID) })
	return all, sum, nil
}

func readFolder(ctx context.Context, a *assistant.Assistant, folder string, tell func(knowledge.Progress)) ([]knowledge.Document, knowledge.Report, error) {
	onDisk := filepath.Join(a.Dir, filepath.FromSlash(folder))
	if info, err := os.Stat(onDisk); err == nil && info.IsDir() && a.Dir != "demo" {
		return knowledge.ReadDir(ctx, onDisk, knowledge.Limits{}, tell)
	}
	sub, err := fs.Sub(a.FS, folder)
	if err != nil {
		return nil, knowledge.Report{}, err
	}
	return knowledge.ReadFS(ctx, sub, knowledge.Limits{}, tell)
}
