package app

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
)

// historyShown is how many promotions a status tells of.
const historyShown = 10

// inForce returns the promotions that are in force, by assistant.
func (l *Library) inForce(ctx context.Context) (map[string]store.Promotion, error) {
	all, err := l.store.Promoted(ctx)
	byName := map[string]store.Promotion{}
	for _, p := range all {
		byName[p.Assistant] = p
	}
	return byName, err
}

// promoted makes the snapshot of a promotion, of what the store has.
func (l *Library) promoted(ctx context.Context, p store.Promotion) (*snapshot, error) {
	fsys, err := l.releaseFiles(ctx, p.Release)
	if err != nil {
		return nil, err
	}
	as, err := assistant.LoadRelease(fsys, p.Assistant)
	if err != nil {
		return nil, invalid("release %.12s of %s cannot be read by this version of the program: %v. Run the version that promoted it, or promote the folder again: answerable release promote %s --dir DIR", p.Release, p.Assistant, err, p.Assistant)
	}
	as.Name = p.Assistant
	g, err := l.file(p.Generation)
	if err != nil {
		return nil, &chat.Error{Kind: chat.Unavailable, Err: err, Message: fmt.Sprintf(
			"the documents of promotion %d of %s are not on this machine: copy %s into %s from the one where it was promoted, or promote here", p.N, p.Assistant, knowledge.FileName(p.Generation), l.dir)}
	}
	return &snapshot{Assistant: as, generation: g, promotion: p, since: p.At}, nil
}

func (l *Library) releaseFiles(ctx context.Context, release string) (fs.FS, error) {
	data, err := l.store.ReleaseFiles(ctx, release)
	if err != nil {
		return nil, err
	}
	return assistant.OpenArchive(data, release)
}

// Told says that another process may have promoted something.
func (l *Library) Told() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// follow serves what other nodes have promoted. What cannot be served is tried again, and
// told once; what was served goes on. l.changing is held.
func (l *Library) follow(ctx context.Context) {
	all, err := l.store.Promoted(ctx)
	var why string
	if err != nil {
		why = err.Error()
	}
	for _, p := range all {
		if err := l.followOne(ctx, p); err != nil {
			why = err.Error()
		}
	}
	if ctx.Err() != nil {
		return
	}
	if why != "" && why != l.behind {
		l.log.Warn("a promotion cannot be served here; what was served goes on", "reason", why)
	}
	l.behind = why
}

func (l *Library) followOne(ctx context.Context, p store.Promotion) error {
	s := l.snapshot(p.Assistant)
	if s == nil && !l.stored || s != nil && s.promotion.N == p.N || p.Release == "" && !s.pinned() {
		return nil
	}
	next, err := l.ofPromotion(ctx, p)
	if err == nil {
		err = l.equip(next)
	}
	if err == nil {
		l.serve(next)
	}
	return err
}

// ofPromotion makes the snapshot of a promotion: of the store, or of the folder.
func (l *Library) ofPromotion(ctx context.Context, p store.Promotion) (*snapshot, error) {
	if p.Release == "" {
		return l.unpinned(ctx, p)
	}
	return l.promoted(ctx, p)
}

// unpinned makes the snapshot of an assistant's folder, which an undo went back to.
func (l *Library) unpinned(ctx context.Context, p store.Promotion) (*snapshot, error) {
	f := l.folder(p.Assistant)
	if f == nil {
		return nil, invalid("there is nothing before the first promotion here but the folder of %s, and this process serves none: name it with --dir DIR", p.Assistant)
	}
	c, err := l.fresh(ctx, f)
	if err != nil {
		return nil, invalid("there is nothing before the first promotion but the folder, and it cannot be served: %v", err)
	}
	if !l.dry && !f.ingested {
		if err := l.write(c.generation); err != nil {
			return nil, err
		}
	}
	return &snapshot{Assistant: c.assistant, generation: c.generation, promotion: p, since: p.At}, nil
}

// fresh reads a folder as it is now. The error is why it could not be served.
func (l *Library) fresh(ctx context.Context, f *folder) (*candidate, error) {
	for range 3 {
		seen := lookAt(f.dir)
		c, _ := l.read(ctx, f, nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if lookAt(f.dir) != seen {
			continue
		}
		if c.err != nil {
			l.refuse(f, c.err)
		}
		l.mu.Lock()
		f.candidate = c
		l.mu.Unlock()
		return c, c.err
	}
	return nil, &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("the files in %s change while they are read: try again when that is done", f.dir)}
}

// Status tells of each assistant what it serves and what could be promoted.
func (l *Library) Status(ctx context.Context) ([]httpapi.ReleaseStatus, error) {
	l.changing.Lock()
	for _, f := range l.watched() {
		l.peek(ctx, f)
	}
	l.changing.Unlock()
	all := []httpapi.ReleaseStatus{}
	for _, s := range l.snapshots() {
		served := served(s)
		status := httpapi.ReleaseStatus{Assistant: s.Name, Served: &served}
		var err error
		if status.History, err = l.store.Promotions(ctx, s.Name, historyShown); err != nil {
			return nil, err
		}
		if f := l.folder(s.Name); f != nil {
			l.describe(&status, f, s)
		}
		all = append(all, status)
	}
	for _, f := range l.watched() {
		if l.snapshot(f.name) == nil { // it never could be served
			status := httpapi.ReleaseStatus{Assistant: assistant.NameIn(f.dir), History: []store.Promotion{}}
			l.describe(&status, f, nil)
			all = append(all, status)
		}
	}
	return all, nil
}

// peek reads a folder that has changed, so that a status is up to date, and serves nothing:
// whoever asks often must not have a change served that has not settled.
func (l *Library) peek(ctx context.Context, f *folder) {
	seen := lookAt(f.dir)
	if f.dir == "" || seen == f.taken {
		return
	}
	c, _ := l.read(ctx, f, nil)
	if ctx.Err() != nil || lookAt(f.dir) != seen {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.candidate = c
}

// describe tells of a folder beside what is served.
func (l *Library) describe(status *httpapi.ReleaseStatus, f *folder, s *snapshot) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if r := f.refused; r != nil {
		status.Refused = &httpapi.Refusal{At: r.at, Reason: r.reason}
	}
	c := f.candidate
	if c == nil {
		return
	}
	out := httpapi.ReleaseFolder{Dir: f.dir}
	if c.err != nil {
		out.Error = c.err.Error()
	} else {
		out.Release, out.Generation, out.Documents = c.assistant.Release, c.generation.ID(), len(c.generation.Documents())
		out.Changed = !s.is(c)
	}
	status.Folder = &out
}

func served(s *snapshot) httpapi.ServedRelease {
	by := s.promotion.By
	return httpapi.ServedRelease{Release: s.Release, Generation: s.generation.ID(), Documents: len(s.generation.Documents()),
		Promoted: s.pinned(), Promotion: s.promotion.N, Since: s.since, By: by}
}

// Promote serves a release from now on, whatever happens to the folder: that of the folder
// as it is now, or one that was promoted before, with its documents.
func (l *Library) Promote(ctx context.Context, name, release, by string) (httpapi.ReleaseMove, error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	var move httpapi.ReleaseMove
	s, log, err := l.history(ctx, name)
	if err != nil {
		return move, err
	}
	p := store.Promotion{Assistant: name, N: 1, What: store.Promote, By: by}
	if len(log) > 0 {
		p.N = log[0].N + 1
		if log[0].Release != "" {
			p.Back = log[0].N
		}
	}
	var files []byte
	if release == "" {
		p.Release, p.Generation, files, err = l.pack(ctx, name)
	} else {
		var of store.Promotion
		of, err = among(log, name, release)
		p.Release, p.Generation = of.Release, of.Generation
	}
	if err != nil {
		return move, err
	}
	if s.pinned() && s.Release == p.Release && s.generation.ID() == p.Generation {
		return move, &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("%s serves release %.12s with these documents already: there is nothing to promote", name, p.Release)}
	}
	return l.move(ctx, s, p, files)
}

// pack makes durable what the folder of an assistant holds, but for its own files, which
// it returns.
func (l *Library) pack(ctx context.Context, name string) (release, generation string, files []byte, err error) {
	f := l.folder(name)
	if f == nil {
		return "", "", nil, invalid("this process has no folder of %s to promote: name it with --dir DIR, or promote an earlier release with --release RELEASE", name)
	}
	c, err := l.fresh(ctx, f)
	if err != nil {
		return "", "", nil, invalid("refused, and what is served stays: %v", err)
	}
	if err := l.write(c.generation); err != nil {
		return "", "", nil, err
	}
	files, err = assistant.Archive(c.assistant.Own())
	return c.assistant.Release, c.generation.ID(), files, err
}

// Undo serves what was served before the promotion that is in force. Undone again, it goes
// on back. Before the first promotion is the folder, if it still is what was promoted: an
// undo must not bring what nobody has released.
func (l *Library) Undo(ctx context.Context, name, by string) (httpapi.ReleaseMove, error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	var move httpapi.ReleaseMove
	s, log, err := l.history(ctx, name)
	if err != nil {
		return move, err
	}
	if len(log) == 0 || log[0].Release == "" {
		return move, &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("no release of %s is promoted, so there is nothing to undo: its folder is served as it is", name)}
	}
	p := store.Promotion{Assistant: name, N: log[0].N + 1, What: store.Undo, By: by}
	if log[0].Back > 0 {
		before, err := l.store.Promotion(ctx, name, log[0].Back)
		if err != nil {
			return move, err
		}
		p.Release, p.Generation, p.Back = before.Release, before.Generation, before.Back
	} else if err := l.unchanged(ctx, s); err != nil {
		return move, err
	}
	return l.move(ctx, s, p, nil)
}

// unchanged refuses to go back to a folder that has changed since it was promoted.
func (l *Library) unchanged(ctx context.Context, s *snapshot) error {
	f := l.folder(s.Name)
	if f == nil {
		return nil // it is said later
	}
	c, err := l.fresh(ctx, f)
	if err == nil && !s.is(c) {
		return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf(
			"nothing was promoted before this, and the folder has changed since: serving it would be new, and not take anything back. See it with answerable release diff, then promote it, or put %s back as it was", f.dir)}
	}
	return nil // mistakes are said later
}

// move appends p to the log and serves it. Nothing changes unless it can be served.
func (l *Library) move(ctx context.Context, s *snapshot, p store.Promotion, files []byte) (httpapi.ReleaseMove, error) {
	var next *snapshot
	var err error
	if files == nil {
		next, err = l.ofPromotion(ctx, p)
	} else {
		next, err = l.packed(p, files)
	}
	if err == nil {
		err = l.equip(next)
	}
	if err != nil {
		return httpapi.ReleaseMove{}, err
	}
	if p, err = l.store.Promote(ctx, p, files); err != nil {
		return httpapi.ReleaseMove{}, err
	}
	next.promotion, next.since = p, p.At
	l.serve(next)
	return httpapi.ReleaseMove{Assistant: p.Assistant, From: served(s), To: served(next)}, nil
}

// packed makes the snapshot of files that are about to be stored.
func (l *Library) packed(p store.Promotion, files []byte) (*snapshot, error) {
	fsys, err := assistant.OpenArchive(files, p.Release)
	if err != nil {
		return nil, err
	}
	as, err := assistant.LoadRelease(fsys, p.Assistant)
	if err != nil {
		return nil, err
	}
	as.Name = p.Assistant
	g, err := l.file(p.Generation)
	return &snapshot{Assistant: as, generation: g}, err
}

// history returns what an assistant serves, and its log.
func (l *Library) history(ctx context.Context, name string) (*snapshot, []store.Promotion, error) {
	s := l.snapshot(name)
	if s == nil {
		return nil, nil, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no assistant %q; there are: %s", name, strings.Join(l.Names(), ", "))}
	}
	log, err := l.store.Promotions(ctx, name, 1000)
	return s, log, err
}

// shortest is how many characters of a release's name are enough, if they are enough to
// tell it.
const shortest = 4

// among returns the last promotion of a release, of which the beginning of its name is
// given, or the promotion of a number, as in @7.
func among(log []store.Promotion, name, release string) (store.Promotion, error) {
	if number, ok := strings.CutPrefix(release, "@"); ok {
		for _, p := range log {
			if strconv.FormatInt(p.N, 10) == number && p.Release != "" {
				return p, nil
			}
		}
		return store.Promotion{}, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("%s has no promotion %s of a release: answerable release status lists them", name, release)}
	}
	var found []store.Promotion
	for _, p := range log {
		if strings.HasPrefix(p.Release, release) && !slices.ContainsFunc(found, func(f store.Promotion) bool { return f.Release == p.Release }) {
			found = append(found, p)
		}
	}
	switch {
	case len(release) < shortest:
		return store.Promotion{}, invalid("%q is too short for a release: give its first %d characters or more", release, shortest)
	case len(found) == 0:
		return store.Promotion{}, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("no release %q of %s was ever promoted: answerable release status lists those that were", release, name)}
	case len(found) > 1:
		return store.Promotion{}, invalid("%q is the beginning of several releases of %s: give more of it", release, name)
	}
	return found[0], nil
}

// Compare says how two states of an assistant differ: "served", "folder" or what among
// finds.
func (l *Library) Compare(ctx context.Context, name, from, to string) (httpapi.ReleaseDiff, error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	s, log, err := l.history(ctx, name)
	if err != nil {
		return httpapi.ReleaseDiff{}, err
	}
	a, err := l.state(ctx, s, log, from)
	if err != nil {
		return httpapi.ReleaseDiff{}, err
	}
	b, err := l.state(ctx, s, log, to)
	if err != nil {
		return httpapi.ReleaseDiff{}, err
	}
	return httpapi.ReleaseDiff{
		From:      httpapi.ReleaseState{Release: a.Release, Generation: a.generation.ID()},
		To:        httpapi.ReleaseState{Release: b.Release, Generation: b.generation.ID()},
		Files:     assistant.Diff(a.Own(), b.Own()),
		Documents: documentChanges(a.generation, b.generation),
	}, nil
}

// state returns what a name of a state stands for.
func (l *Library) state(ctx context.Context, s *snapshot, log []store.Promotion, name string) (*snapshot, error) {
	switch name {
	case httpapi.StateServed:
		return s, nil
	case httpapi.StateFolder:
		f := l.folder(s.Name)
		if f == nil {
			return nil, invalid("this process has no folder of %s: name it with --dir DIR", s.Name)
		}
		c, err := l.fresh(ctx, f)
		if err != nil {
			return nil, invalid("the folder could not be served: %v", err)
		}
		return &snapshot{Assistant: c.assistant, generation: c.generation}, nil
	}
	p, err := among(log, s.Name, name)
	if err != nil {
		return nil, err
	}
	return l.promoted(ctx, p)
}

// documentChanges says which documents differ, in the order of their ids.
func documentChanges(from, to *knowledge.Generation) []httpapi.DocumentChange {
	out := []httpapi.DocumentChange{}
	for _, d := range from.Documents() {
		if now, ok := to.Document(d.ID); !ok {
			out = append(out, httpapi.DocumentChange{ID: d.ID, Change: assistant.Removed})
		} else if now.Hash != d.Hash {
			out = append(out, httpapi.DocumentChange{ID: d.ID, Change: assistant.Changed})
		}
	}
	for _, d := range to.Documents() {
		if _, ok := from.Document(d.ID); !ok {
			out = append(out, httpapi.DocumentChange{ID: d.ID, Change: assistant.Added})
		}
	}
	slices.SortFunc(out, func(a, b httpapi.DocumentChange) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Archive returns an assistant's own files as one zip, as they are in a state.
func (l *Library) Archive(ctx context.Context, name, state string) ([]byte, error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	s, log, err := l.history(ctx, name)
	if err != nil {
		return nil, err
	}
	if s, err = l.state(ctx, s, log, state); err != nil {
		return nil, err
	}
	return assistant.Archive(s.Own())
}
