package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/answerable/answerable/assistants"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// folder is where the files of an assistant are worked on.
type folder struct {
	name     string // of the assistant; "" while it has never been served
	dir      string // "": the files are in the binary
	ingested bool   // its documents are those that were ingested last; it is not watched
	source   string // what the list of published generations says

	taken  look // the state that was read last; guarded by Library.changing
	before look // the state of the look before, likewise
	lacks  lack // likewise

	candidate *candidate // what was read last; guarded by Library.mu
	refused   *refusal   // the last state that could not be served, likewise
}

// candidate is what a folder holds, or why it cannot be served.
type candidate struct {
	assistant  *assistant.Assistant
	generation *knowledge.Generation
	err        error
}

// refusal is why a change was not served.
type refusal struct {
	at     chat.Time
	reason string
}

// ingested marks in the store what the command ingest published.
const ingested = "ingest "

// demoName is the assistant in the binary.
const demoName = "demo"

// Load serves the assistants of a directory: what was promoted of them, or else what is in
// their folders. With "" it serves what was last ingested, or else what was promoted, or
// else the demo.
func (l *Library) Load(ctx context.Context, dir string, progress func(what string, done, total int64)) error {
	promotions, err := l.inForce(ctx)
	if err != nil {
		return err
	}
	folders, err := l.find(ctx, dir, promotions)
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := l.begin(ctx, f, promotions[f.name], progress); err != nil {
			return err
		}
		delete(promotions, f.name)
	}
	if !l.stored {
		return nil
	}
	for _, p := range promotions {
		if p.Release == "" {
			continue
		}
		if err := l.begin(ctx, nil, p, progress); err != nil {
			return err
		}
	}
	return nil
}

// find returns the folders of the assistants. Mistakes in them are told together, but
// for those that promoted releases stand in for.
func (l *Library) find(ctx context.Context, dir string, promotions map[string]store.Promotion) ([]*folder, error) {
	if dir == "" {
		f, err := l.findIngested(ctx)
		if f != nil || err != nil {
			return []*folder{f}, err
		}
		for _, p := range promotions {
			l.stored = l.stored || p.Release != ""
		}
		if l.stored && promotions[demoName].Release == "" {
			return nil, nil
		}
		return []*folder{{name: demoName, source: demoName}}, nil
	}
	dirs, err := assistant.Folders(dir)
	if err != nil {
		return nil, err
	}
	if len(dirs) != 1 || dirs[0] != dir {
		l.root = dir
	}
	var folders []*folder
	var errs []error
	for _, d := range dirs {
		f, err := newFolder(d)
		if err != nil && promotions[f.name].Release == "" {
			errs = append(errs, err)
			continue
		}
		if i := slices.IndexFunc(folders, func(g *folder) bool { return g.name == f.name }); i >= 0 {
			errs = append(errs, sameName(folders[i], f))
			continue
		}
		folders = append(folders, f)
	}
	return folders, errors.Join(errs...)
}

// newFolder reads what a folder is called. The error is that of its files.
func newFolder(dir string) (*folder, error) {
	f := &folder{dir: dir, source: "serve " + dir}
	as, err := f.load()
	if err != nil {
		f.name = assistant.NameIn(dir)
		return f, err
	}
	f.name = as.Name
	return f, nil
}

func sameName(a, b *folder) error {
	return fmt.Errorf("%s and %s are both named %q; rename one of them", filepath.Join(a.dir, assistant.File), filepath.Join(b.dir, assistant.File), b.name)
}

// findIngested returns what ingest published last, or nil.
func (l *Library) findIngested(ctx context.Context) (*folder, error) {
	published, err := l.store.Published(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range published {
		if dir, ok := strings.CutPrefix(p.Source, ingested); ok {
			return &folder{name: p.Assistant, dir: dir, ingested: true, source: p.Source}, nil
		}
	}
	return nil, nil
}

// load reads an assistant's own files.
func (f *folder) load() (*assistant.Assistant, error) {
	switch {
	case f.dir == "":
		return assistant.Load(assistants.Demo(), demoName)
	case !f.ingested:
		return assistant.Load(os.DirFS(f.dir), f.dir)
	}
	all, err := assistant.LoadDir(f.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(all) != 1: // the folder is gone, its index is not
		return assistant.LoadRelease(noFiles{}, f.name)
	case err != nil:
		return nil, err
	}
	a := all[0]
	a.Name = f.name
	return a, nil
}

// noFiles is an empty folder.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// begin serves the first snapshot of an assistant: what is promoted, or what its folder
// holds. Beside what is promoted, mistakes in the folder are only told.
func (l *Library) begin(ctx context.Context, f *folder, p store.Promotion, progress func(what string, done, total int64)) error {
	pinned := p.Release != ""
	if pinned {
		s, err := l.promoted(ctx, p, f)
		if err == nil {
			err = l.equip(s)
		}
		switch {
		case err == nil:
			l.serve(s)
		case l.dry && f != nil: // so that another can be promoted
			l.log.Warn("what was promoted cannot be served here", "assistant", p.Assistant, "reason", err.Error())
			pinned, p = false, store.Promotion{}
		default:
			return fmt.Errorf("serve what was promoted for %s: %w", p.Assistant, err)
		}
	}
	if f == nil {
		return nil
	}
	f.taken = lookAt(f.dir)
	f.before = f.taken
	c, report := l.read(ctx, f, progress)
	switch {
	case pinned && c.err != nil:
		l.refuse(f, c.err)
	case c.err != nil:
		return c.err
	case !pinned:
		for _, s := range report.Skipped {
			l.log.Warn("a file was skipped", "file", s.Path, "reason", s.Reason)
		}
		if report.Internal > 0 {
			l.log.Info("internal documents were left out", "dir", f.dir, "count", report.Internal)
		}
		if len(c.generation.Documents()) == 0 {
			l.log.Warn("there are no documents", "dir", c.assistant.Dir)
		}
		if err := l.take(ctx, f, c, p); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.candidate = c
	l.folders = append(l.folders, f)
	return nil
}

// read reads a folder as it is now.
func (l *Library) read(ctx context.Context, f *folder, progress func(what string, done, total int64)) (*candidate, knowledge.Report) {
	var report knowledge.Report
	as, err := f.load()
	if err != nil {
		return &candidate{err: err}, report
	}
	if f.ingested {
		g, err := l.newest(ctx, f.name)
		if err != nil {
			return &candidate{err: fmt.Errorf("open what was ingested from %s: %w", f.dir, err)}, report
		}
		return &candidate{assistant: as, generation: g}, report
	}
	s := l.snapshot(f.name)
	if err := f.check(as, s); err != nil {
		return &candidate{err: err}, report
	}
	var g *knowledge.Generation
	g, report, err = l.index(ctx, as, l.known(ctx, f, s), progress)
	if err == nil {
		err = f.checkDocuments(as, report, s)
	}
	if err == nil {
		err = l.equip(&snapshot{Assistant: as, generation: g}) // such as models that the server does not have
	}
	if err != nil {
		return &candidate{err: err}, report
	}
	return &candidate{assistant: as, generation: g}, report
}

// check looks for what is more likely an accident than a wish, beside what is served.
func (f *folder) check(as *assistant.Assistant, s *snapshot) error {
	switch {
	case f.name != "" && as.Name != f.name:
		return invalid("%s names the assistant %q, and %q is served: name it so again, or restart the server with the new name", filepath.Join(f.dir, assistant.File), as.Name, f.name)
	case s != nil && len(s.Own()) > 0 && len(as.Own()) == 0:
		return invalid("%s is gone: put it back", filepath.Join(f.dir, assistant.File))
	}
	return nil
}

// checkDocuments does the same for documents that are served: all at once they are gone,
// or one is there and cannot be read.
func (f *folder) checkDocuments(as *assistant.Assistant, report knowledge.Report, s *snapshot) error {
	if s == nil || len(s.generation.Documents()) == 0 || f.dir == "" {
		return nil
	}
	if report.Empty() && len(as.Knowledge) > 0 {
		return invalid("there is no document left in %s: put one there, or write knowledge: [] into %s", f.dir, assistant.File)
	}
	for _, skipped := range report.Skipped {
		if _, ok := s.generation.Document(skipped.Path); !ok {
			continue
		}
		file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(skipped.Path)))
		if err != nil {
			return invalid("%s was a document and cannot be read (%s): make it readable, or remove it", filepath.Join(f.dir, skipped.Path), skipped.Reason)
		}
		file.Close()
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf(format, args...)}
}

// take serves what a folder holds; p is the last promotion, before which that was.
func (l *Library) take(ctx context.Context, f *folder, c *candidate, p store.Promotion) error {
	next := &snapshot{Assistant: c.assistant, generation: c.generation, promotion: p, since: chat.Now()}
	if err := l.equip(next); err != nil {
		return err
	}
	if !l.dry && !f.ingested {
		if err := l.write(c.generation); err != nil {
			return err
		}
		if err := l.publish(ctx, f.name, c.generation, f.source); err != nil {
			return err
		}
	}
	l.serve(next)
	return nil
}

// refuse notes that a folder cannot be served as it is.
func (l *Library) refuse(f *folder, err error) {
	r := &refusal{at: chat.Now(), reason: err.Error()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.refused == nil || f.refused.reason != r.reason || f.candidate == nil || f.candidate.err == nil {
		l.log.Warn("assistant refused", "assistant", f.name, "dir", f.dir, "reason", r.reason)
	}
	f.refused = r
}

// Ingest reads an assistant's documents and makes their generation, or opens it if it
// was made before. It is on disk afterwards, not published.
func (l *Library) Ingest(ctx context.Context, a *assistant.Assistant, progress func(what string, done, total int64)) (*knowledge.Generation, knowledge.Report, error) {
	g, report, err := l.index(ctx, a, l.known(ctx, &folder{name: a.Name}, nil), progress)
	if err == nil {
		err = l.write(g)
	}
	return g, report, err
}

// known returns the generations that an assistant's documents may be in already.
func (l *Library) known(ctx context.Context, f *folder, s *snapshot) []*knowledge.Generation {
	var all []*knowledge.Generation
	if s != nil {
		all = append(all, s.generation)
	}
	l.mu.RLock()
	if c := f.candidate; c != nil && c.err == nil {
		all = append(all, c.generation)
	}
	l.mu.RUnlock()
	if len(all) == 0 {
		if g, err := l.newest(ctx, f.name); err == nil {
			all = append(all, g)
		} // else it is built anew
	}
	return all
}

// index returns the generation of an assistant's documents: one of known, or a new one
// that is in memory only.
func (l *Library) index(ctx context.Context, a *assistant.Assistant, known []*knowledge.Generation, progress func(what string, done, total int64)) (*knowledge.Generation, knowledge.Report, error) {
	docs, report, err := readDocuments(ctx, a, progress)
	if err != nil {
		return nil, report, fmt.Errorf("read the documents of %s: %w", a.Name, err)
	}
	for _, g := range known {
		if g.Holds(docs) {
			return g, report, nil
		}
	}
	if progress != nil {
		progress("indexing "+a.Name, 0, -1)
		defer progress("indexing "+a.Name, 1, 1)
	}
	g, err := knowledge.Build(docs)
	if err != nil {
		return nil, report, fmt.Errorf("index the documents of %s: %w", a.Name, err)
	}
	return g, report, nil
}

// write makes a generation durable.
func (l *Library) write(g *knowledge.Generation) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the index: %w", err)
	}
	_, err := g.WriteFile(l.dir)
	return err
}

// newest opens the generation that was published last for an assistant.
func (l *Library) newest(ctx context.Context, name string) (*knowledge.Generation, error) {
	published, err := l.store.Published(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range published {
		if p.Assistant == name {
			return l.file(p.Generation)
		}
	}
	return nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("nothing was published for an assistant %q", name)}
}

// publish notes in the store that an assistant serves a generation.
func (l *Library) publish(ctx context.Context, name string, g *knowledge.Generation, source string) error {
	published, err := l.store.Published(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(published, func(p store.Published) bool { return p.Assistant == name })
	if i >= 0 && published[i].Generation == g.ID() && published[i].Source == source {
		return nil
	}
	return l.store.Publish(ctx, name, g.ID(), source)
}

// PublishFile serves a generation that another process wrote into the data directory.
func (l *Library) PublishFile(ctx context.Context, name, id, dir, by string) error {
	g, err := l.file(id)
	if err != nil {
		return err
	}
	l.changing.Lock()
	defer l.changing.Unlock()
	s := l.snapshot(name)
	if s == nil {
		return &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("this server has no assistant %q: restart it without a folder to serve what was ingested", name)}
	}
	p, err := l.publishIngested(ctx, name, g, dir, by)
	if err != nil {
		return err
	}
	next := &snapshot{Assistant: s.Assistant, generation: g, promotion: s.promotion, since: chat.Now()}
	f := l.folder(name)
	switch {
	case p.Release != "":
		next, err = l.promoted(ctx, p, f)
	case f != nil && f.ingested:
		next.Assistant, err = f.load()
		f.taken = look{} // there is more than its files show
	}
	if err == nil {
		err = l.equip(next)
	}
	if err != nil {
		return invalid("the documents are published, but the server goes on with what it had: %v", err)
	}
	l.serve(next)
	return nil
}

// publishIngested notes in the store that an assistant serves the documents of a folder.
// Where a release is promoted it stays, and the documents are another promotion, which it
// returns: an undo takes them back.
func (l *Library) publishIngested(ctx context.Context, name string, g *knowledge.Generation, dir, by string) (store.Promotion, error) {
	if err := l.publish(ctx, name, g, ingested+dir); err != nil {
		return store.Promotion{}, err
	}
	promotions, err := l.inForce(ctx)
	p := promotions[name]
	if err != nil || p.Release == "" || p.Generation == g.ID() {
		return p, err
	}
	return l.store.Promote(ctx, store.Promotion{Assistant: name, N: p.N + 1, What: store.Ingest,
		Release: p.Release, Generation: g.ID(), Back: p.N, By: by}, nil)
}

// folder returns the folder of an assistant, or nil.
func (l *Library) folder(name string) *folder {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, f := range l.folders {
		if f.name == name {
			return f
		}
	}
	return nil
}
