package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

func (s *shelf) promote(release string) {
	s.Helper()
	if _, err := s.Promote(s.Context(), "shop", release, "desk"); err != nil {
		s.Fatal(err)
	}
}

func (s *shelf) undo() {
	s.Helper()
	if _, err := s.Undo(s.Context(), "shop", "desk"); err != nil {
		s.Fatal(err)
	}
}

// TestUndoGoesOnBack: through what was promoted, to the folder, which is followed again.
func TestUndoGoesOnBack(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.promote("")
	first := s.snapshot("shop").Release
	s.write(shop("Two", "Second."))
	s.look(2)
	s.serves("shop", "One", "First.") // what is promoted stays
	s.promote("")
	s.promote(first[:6])
	s.serves("shop", "One", "First.")
	s.undo()
	s.serves("shop", "Two", "Second.")
	s.undo()
	s.serves("shop", "One", "First.")
	if _, err := s.Undo(t.Context(), "shop", "desk"); !errors.Is(err, chat.Conflict) || !strings.Contains(err.Error(), "would be new") {
		t.Errorf("back to a folder with something new in it: %v", err)
	}
	s.serves("shop", "One", "First.")
	s.write(shop("One", "First."))
	s.undo()
	s.serves("shop", "One", "First.") // the folder
	s.write(shop("Three", "Third."))
	s.look(2)
	s.serves("shop", "Three", "Third.")
	for release, want := range map[string]string{"": "", first[:3]: "too short", "ffffffff": "ever promoted", "....": "ever promoted"} {
		_, err := s.Promote(t.Context(), "shop", release, "desk")
		if want == "" {
			_, err = s.Promote(t.Context(), "shop", release, "desk") // once more
			want = "nothing to promote"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Promote %q = %v, want %q", release, err, want)
		}
	}
	if _, err := s.Promote(t.Context(), "store", "", "desk"); !errors.Is(err, chat.NotFound) {
		t.Errorf("another assistant: %v", err)
	}
}

// TestARestartServesWhatWasPromoted, whatever has become of the folder.
func TestARestartServesWhatWasPromoted(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.promote("")
	s.write(map[string]string{"assistant.yaml": "bogus: 1\n", "knowledge": ""})
	for _, dir := range []string{s.dir, ""} {
		next, err := s.again(dir)
		if err != nil {
			t.Fatal(err)
		}
		next.serves("shop", "One", "First.")
		if dir != "" && !strings.Contains(next.log.since(), "bogus") {
			t.Error("nobody is told of the mistake in the folder")
		}
	}
	s.write(map[string]string{"assistant.yaml": "company: Two\nknowledge: []\n"})
	if err := os.RemoveAll(s.Library.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.again(s.dir); err == nil || !strings.Contains(err.Error(), "are not on this machine: copy ") {
		t.Errorf("without its documents: %v", err)
	}
	dry := &shelf{T: t, dir: s.dir, log: &logged{}, Library: newLibrary(s.store, t.TempDir(), slog.New(slog.DiscardHandler))}
	dry.dry = true
	if err := dry.Load(t.Context(), s.dir, nil); err != nil {
		t.Fatal(err)
	}
	dry.promote("") // the command can still promote what is there
	dry.serves("shop", "Two", "")
}

// TestANewNodeMakesTheDocumentsOfItsFolder: a node whose data directory is empty serves what
// was promoted where its folder still has the very documents.
func TestANewNodeMakesTheDocumentsOfItsFolder(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.promote("")
	s.write(map[string]string{"assistant.yaml": "company: Two\n"})
	empty := func() {
		if err := os.RemoveAll(s.Library.dir); err != nil {
			t.Fatal(err)
		}
	}
	empty()
	next, err := s.again(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	next.serves("shop", "One", "First.")
	if _, err := knowledge.OpenGeneration(filepath.Join(s.Library.dir, knowledge.FileName(next.snapshot("shop").generation.ID()))); err != nil {
		t.Error(err)
	}
	empty()
	s.write(shop("One", "Second."))
	if _, err := s.again(s.dir); err == nil || !strings.Contains(err.Error(), "are not on this machine: copy ") {
		t.Errorf("with other documents: %v", err)
	}
}

// TestAnArrivingAssistantServesWhatWasPromotedOfIt.
func TestAnArrivingAssistantServesWhatWasPromotedOfIt(t *testing.T) {
	s := newShelf(t, map[string]string{"a/assistant.yaml": "company: A\nknowledge: []\n", "shop/assistant.yaml": "company: One\nknowledge: []\n"})
	s.promote("")
	next, err := s.again(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.write(map[string]string{"shop": ""})
	next.look(3)
	next.serves("shop", "One", "") // promoted, it needs no folder
	other, err := s.again(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if other.Has("shop") {
		t.Error("the folder says which assistants there are, and this one is not in it")
	}
	s.write(map[string]string{"shop/assistant.yaml": "company: Two\nknowledge: []\n"})
	other.look(2)
	other.serves("shop", "One", "")
}

// TestNodesFollowAPromotion: another node serves what was promoted as soon as it has the
// documents, and until then what it served. It says so once.
func TestNodesFollowAPromotion(t *testing.T) {
	url := storetest.Database(t)
	node := func(name string) *shelf {
		db, err := store.Open(t.Context(), store.Options{Postgres: url, Key: store.Key{7}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s := &shelf{T: t, dir: filepath.Join(t.TempDir(), "shop"), log: &logged{}}
		s.write(shop(name, name))
		s.Library = newLibrary(db, t.TempDir(), slog.New(slog.NewTextHandler(s.log, nil)))
		if err := s.Load(t.Context(), s.dir, nil); err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, two := node("One"), node("Two")
	ctx, stop := context.WithCancel(t.Context())
	joined, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- two.store.Listen(ctx, store.Heard{Settings: two.Told, Joined: func() { close(joined) }})
	}()
	<-joined
	follow := func() {
		two.changing.Lock()
		defer two.changing.Unlock()
		two.follow(t.Context())
	}
	one.promote("")
	<-two.news
	two.log.since()
	follow()
	follow()
	two.serves("shop", "Two", "Two")
	if said := two.log.since(); strings.Count(said, "what was served goes on") != 1 {
		t.Errorf("the log says %s", said)
	}
	if err := os.CopyFS(two.Library.dir, os.DirFS(one.Library.dir)); err != nil {
		t.Fatal(err)
	}
	follow()
	two.serves("shop", "One", "One")
	// Who has not heard of it promotes in vain, and nothing changes.
	p := two.snapshot("shop").promotion
	if _, err := one.store.Promote(t.Context(), store.Promotion{Assistant: "shop", N: p.N, What: store.Promote, Release: p.Release, Generation: p.Generation, By: "x"}, nil); !errors.Is(err, chat.Conflict) {
		t.Errorf("Promote = %v, want a conflict", err)
	}
	// An undo on one node is an undo on all; each goes back to its own folder.
	one.undo()
	<-two.news
	follow()
	one.serves("shop", "One", "One")
	two.serves("shop", "Two", "Two")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestPromotingIngestedDocuments(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.promote("")
	s.write(shop("Two", "Second."))
	as, err := (&folder{dir: s.dir}).load()
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := s.Ingest(t.Context(), as, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PublishFile(t.Context(), "shop", g.ID(), s.dir, "desk"); err != nil {
		t.Fatal(err)
	}
	s.serves("shop", "One", "Second.")
	s.undo()
	s.serves("shop", "One", "First.")
	if now := s.snapshot("shop"); now.promotion.N != 3 || now.promotion.By != "desk" {
		t.Errorf("the promotion in force is %+v", now.promotion)
	}
}
