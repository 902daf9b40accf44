package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/answerable/answerable/assistants"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// Library holds the assistants and the generations of their knowledge. It is safe for
// concurrent use.
type Library struct {
	store *store.Store
	dir   string // of the generations' files
	log   *slog.Logger

	mu         sync.RWMutex
	assistants []*assistant.Assistant
	current    map[string]*knowledge.Generation
	opened     map[string]*knowledge.Generation // by id; also earlier ones that were asked for
}

// generationsKept bounds the earlier generations that stay open for the sake of links.
const generationsKept = 8

func newLibrary(s *store.Store, data string, log *slog.Logger) *Library {
	return &Library{store: s, dir: filepath.Join(data, "generations"), log: log,
		current: map[string]*knowledge.Generation{}, opened: map[string]*knowledge.Generation{}}
}

// ingested marks in the store what the command ingest published.
const ingested = "ingest "

// Load reads the assistants of a directory and brings their generations up to date. With
// "" it takes what was last ingested, or else the demo.
func (l *Library) Load(ctx context.Context, dir string, progress func(string)) error {
	if dir == "" {
		if done, err := l.loadIngested(ctx); done || err != nil {
			return err
		}
		demo, err := assistant.Load(assistants.Demo(), "demo")
		if err != nil {
			return fmt.Errorf("load the demo: %w", err)
		}
		return l.add(ctx, demo, "demo", progress)
	}
	all, err := assistant.LoadDir(dir)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := l.add(ctx, a, "serve "+a.Dir, progress); err != nil {
			return err
		}
	}
	return nil
}

// loadIngested serves what ingest published last, from its file.
func (l *Library) loadIngested(ctx context.Context) (bool, error) {
	published, err := l.store.Published(ctx, 1000)
	if err != nil {
		return false, err
	}
	for _, p := range published {
		dir, ok := strings.CutPrefix(p.Source, ingested)
		if !ok {
			continue
		}
		g, err := l.file(p.Generation)
		if err != nil {
			return false, fmt.Errorf("open what was ingested from %s: %w", dir, err)
		}
		a := &assistant.Assistant{Name: p.Assistant, Unit: chat.Sentence, Widget: assistant.DefaultWidget(), Dir: dir}
		switch all, err := assistant.LoadDir(dir); {
		case errors.Is(err, fs.ErrNotExist): // the folder is gone, its index is not
		case err != nil:
			return false, err
		case len(all) == 1:
			a = all[0]
			a.Name = p.Assistant
		}
		l.set(a, g)
		return true, nil
	}
	return false, nil
}

// add reads an assistant's documents and publishes them if they changed.
func (l *Library) add(ctx context.Context, a *assistant.Assistant, source string, progress func(string)) error {
	g, report, err := l.Ingest(ctx, a, progress)
	if err != nil {
		return err
	}
	for _, s := range report.Skipped {
		l.log.Warn("a file was skipped", "file", s.Path, "reason", s.Reason)
	}
	if report.Empty() {
		l.log.Warn("there are no documents", "dir", a.Dir)
	}
	if err := l.Publish(ctx, a, g, source); err != nil {
		return err
	}
	return nil
}

// Ingest reads an assistant's documents and makes their generation, or opens it if it
// was made before. It is on disk afterwards, not published.
func (l *Library) Ingest(ctx context.Context, a *assistant.Assistant, progress func(string)) (*knowledge.Generation, knowledge.Report, error) {
	docs, report, err := readDocuments(ctx, a, progress)
	if err != nil {
		return nil, report, fmt.Errorf("read the documents of %s: %w", a.Name, err)
	}
	if g := l.newest(ctx, a.Name); g != nil && g.Holds(docs) {
		return g, report, nil
	}
	g, err := knowledge.Build(docs)
	if err != nil {
		return nil, report, fmt.Errorf("index the documents of %s: %w", a.Name, err)
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, report, fmt.Errorf("make the folder of the index: %w", err)
	}
	if _, err := g.WriteFile(l.dir); err != nil {
		return nil, report, fmt.Errorf("write the index of %s: %w", a.Name, err)
	}
	return g, report, nil
}

// newest returns the generation that was published last for an assistant, if its file is
// there and of use.
func (l *Library) newest(ctx context.Context, name string) *knowledge.Generation {
	published, err := l.store.Published(ctx, 1000)
	if err != nil {
		return nil // it is built anew
	}
	for _, p := range published {
		if p.Assistant == name {
			g, err := l.file(p.Generation)
			if err != nil {
				return nil
			}
			return g
		}
	}
	return nil
}

// Publish makes a generation the one that an assistant serves.
func (l *Library) Publish(ctx context.Context, a *assistant.Assistant, g *knowledge.Generation, source string) error {
	published, err := l.store.Published(ctx, 1000)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(published, func(p store.Published) bool { return p.Assistant == a.Name })
	if i < 0 || published[i].Generation != g.ID() || published[i].Source != source {
		if err := l.store.Publish(ctx, a.Name, g.ID(), source); err != nil {
			return err
		}
	}
	l.set(a, g)
	return nil
}

// PublishFile publishes a generation that another process wrote into the data directory.
func (l *Library) PublishFile(ctx context.Context, name, id, dir string) error {
	g, err := l.file(id)
	if err != nil {
		return err
	}
	a := l.assistant(name)
	if a == nil {
		return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("this server has no assistant %q: restart it without a folder to serve what was ingested", name)}
	}
	return l.Publish(ctx, a, g, ingested+dir)
}

func (l *Library) set(a *assistant.Assistant, g *knowledge.Generation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(l.assistants, func(b *assistant.Assistant) bool { return b.Name == a.Name }) {
		l.assistants = append(l.assistants, a)
	}
	l.current[a.Name] = g
	l.keep(g)
}

// keep notes an open generation. l.mu is held.
func (l *Library) keep(g *knowledge.Generation) {
	if len(l.opened) >= generationsKept+len(l.current) {
		for id, old := range l.opened {
			if !l.serving(old) {
				delete(l.opened, id)
				break
			}
		}
	}
	l.opened[g.ID()] = g
}

func (l *Library) serving(g *knowledge.Generation) bool {
	for _, c := range l.current {
		if c == g {
			return true
		}
	}
	return false
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
	l.keep(g)
	return g, nil
}

// Current returns the generation that an assistant serves, or nil.
func (l *Library) Current(name string) *knowledge.Generation {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.current[name]
}

// Assistants returns all, the default one first.
func (l *Library) Assistants() []*assistant.Assistant {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.assistants)
}

func (l *Library) assistant(name string) *assistant.Assistant {
	for _, a := range l.Assistants() {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Names returns the names of the assistants, the default one's first.
func (l *Library) Names() []string {
	var out []string
	for _, a := range l.Assistants() {
		out = append(out, a.Name)
	}
	return out
}

// Has reports whether there is an assistant of this name.
func (l *Library) Has(name string) bool { return l.assistant(name) != nil }

// Origins returns the origins that an assistant's files allow.
func (l *Library) Origins(name string) []string {
	if a := l.assistant(name); a != nil {
		return a.AllowedOrigins
	}
	return nil
}

// Widget returns how an assistant looks to customers.
func (l *Library) Widget(name string) assistant.Widget {
	if a := l.assistant(name); a != nil {
		return a.Widget
	}
	return assistant.Widget{}
}

// Hours returns when people are there for an assistant's customers.
func (l *Library) Hours(name string) assistant.Hours {
	if a := l.assistant(name); a != nil {
		return a.Hours
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
func readDocuments(ctx context.Context, a *assistant.Assistant, progress func(string)) ([]knowledge.Document, knowledge.Report, error) {
	var all []knowledge.Document
	var sum knowledge.Report
	for _, folder := range a.Knowledge {
		tell := func(p knowledge.Progress) {
			if progress != nil && p.Done > 0 && p.Done%1000 == 0 {
				progress(fmt.Sprintf("read %d of %d files", p.Done, p.Total))
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
	}
	// The assistant's own file is settings, not a document.
	all = slices.DeleteFunc(all, func(d knowledge.Document) bool { return d.ID == assistant.File })
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
