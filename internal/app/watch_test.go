package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/knowledge"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/turn"
)

// shelf is a library over a folder of files that a test changes.
type shelf struct {
	*testing.T
	*Library
	dir string
	log *logged
}

type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

// since returns what was logged since the last call.
func (l *logged) since() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.String()
	l.Reset()
	return s
}

// newShelf serves files, by path.
func newShelf(t *testing.T, files map[string]string) *shelf {
	t.Helper()
	s := &shelf{T: t, dir: filepath.Join(t.TempDir(), "shop"), log: &logged{}}
	s.write(files)
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: store.Key{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Library = newLibrary(db, t.TempDir(), slog.New(slog.NewTextHandler(s.log, nil)))
	if err := s.Load(t.Context(), s.dir, nil); err != nil {
		t.Fatal(err)
	}
	s.log.since()
	return s
}

// again is a new process on the same data.
func (s *shelf) again(dir string) (*shelf, error) {
	next := &shelf{T: s.T, dir: s.dir, log: &logged{}}
	next.Library = newLibrary(s.store, "", slog.New(slog.NewTextHandler(next.log, nil)))
	next.Library.dir = s.Library.dir
	return next, next.Load(s.Context(), dir, nil)
}

// write writes files; "" removes one.
func (s *shelf) write(files map[string]string) {
	s.Helper()
	for name, text := range files {
		file := filepath.Join(s.dir, name)
		err := os.RemoveAll(file)
		if text != "" {
			err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600))
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

// look looks at the folder n times, as the watch does.
func (s *shelf) look(n int) {
	s.changing.Lock()
	defer s.changing.Unlock()
	for range n {
		s.lookAround(s.Context(), false)
	}
}

// serves checks the company and the document that are served.
func (s *shelf) serves(name, company, document string) {
	s.Helper()
	now := s.snapshot(name)
	if now == nil {
		s.Fatalf("%s is not served", name)
	}
	text := ""
	for _, d := range now.generation.Documents() {
		text += d.Text
	}
	if now.Company != company || !strings.Contains(text, document) {
		s.Errorf("served are company %q and %q, want %q and %q", now.Company, text, company, document)
	}
}

func shop(company, document string) map[string]string {
	return map[string]string{"assistant.yaml": "company: " + company + "\n", "knowledge/a.md": "# A\n\n" + document + "\n"}
}

func TestAChangeIsServedWhenItHasSettled(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.write(map[string]string{"assistant.yaml": "company: Tw"})
	s.look(1)
	status, err := s.Status(t.Context()) // who asks sees it, and has nothing served
	if err != nil || !status[0].Folder.Changed {
		t.Errorf("Status = %+v, %v", status, err)
	}
	s.write(shop("Two", "Second."))
	s.look(1)
	s.serves("shop", "One", "First.")
	if said := s.log.since(); said != "" {
		t.Errorf("half a change was read: %s", said)
	}
	if d, err := s.Compare(t.Context(), "shop", "served", "folder"); err != nil || len(d.Files) != 1 || len(d.Documents) != 1 {
		t.Errorf("Compare = %+v, %v", d, err)
	}
	s.look(1)
	s.serves("shop", "Two", "Second.")
	if said := s.log.since(); strings.Count(said, "assistant swapped") != 1 {
		t.Errorf("the log says %s", said)
	}
	s.look(3)
	if said := s.log.since(); said != "" {
		t.Errorf("without a change the log says %s", said)
	}
}

// TestAFolderThatChangesWhileItIsRead is read again, and no mixture is served.
func TestAFolderThatChangesWhileItIsRead(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.write(shop("Two", "Second."))
	read := 0
	s.runner = func(*assistant.Assistant, *knowledge.Generation) (*turn.Runner, error) { // the last step of reading
		if read++; read == 1 {
			s.write(map[string]string{"knowledge/a.md": "# A\n\nThird.\n"})
		}
		return nil, nil
	}
	s.look(2)
	s.serves("shop", "One", "First.")
	s.look(2)
	s.serves("shop", "Two", "Third.")
	if said := s.log.since(); read < 2 || strings.Count(said, "assistant swapped") != 1 {
		t.Errorf("it was read %d times, and the log says %s", read, said)
	}
}

// TestWhatTheServerCannotRunIsRefused, such as a model that it does not have.
func TestWhatTheServerCannotRunIsRefused(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.runner = func(a *assistant.Assistant, _ *knowledge.Generation) (*turn.Runner, error) {
		if a.Company == "Two" {
			return nil, errors.New("there is no model called so")
		}
		return nil, nil
	}
	s.write(shop("Two", "Second."))
	s.look(4)
	s.serves("shop", "One", "First.")
	if said := s.log.since(); strings.Count(said, "there is no model called so") != 1 {
		t.Errorf("the log says %s", said)
	}
	if _, err := s.Promote(t.Context(), "shop", "", "desk"); err == nil || !strings.Contains(err.Error(), "there is no model called so") {
		t.Errorf("Promote = %v", err)
	}
	if log, err := s.store.Promotions(t.Context(), "shop", 10); err != nil || len(log) > 0 {
		t.Errorf("it was promoted all the same: %+v, %v", log, err)
	}
}

// TestOtherFilesOfTheSameSizeAndTime: an editor that renames over, and a link to a folder
// that is turned to another, are seen.
func TestOtherFilesOfTheSameSizeAndTime(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	at := time.Now().Add(-time.Hour)
	stamp := func(dir string) {
		for name := range shop("", "") {
			if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	stamp(s.dir)
	s.look(3)
	file := filepath.Join(s.dir, "knowledge", "a.md")
	if err := errors.Join(os.WriteFile(file+"~", []byte("# A\n\nOther.\n"), 0o600), os.Rename(file+"~", file)); err != nil {
		t.Fatal(err)
	}
	stamp(s.dir)
	s.look(2)
	s.serves("shop", "One", "Other.")

	two := &shelf{T: t, dir: s.dir + "-2"}
	two.write(shop("Two", "Third."))
	stamp(two.dir)
	if err := errors.Join(os.Rename(s.dir, s.dir+"-1"), os.Symlink(two.dir, s.dir)); err != nil {
		t.Fatal(err)
	}
	s.look(2)
	s.serves("shop", "Two", "Third.")
	if err := errors.Join(os.Symlink(s.dir+"-1", s.dir+"-new"), os.Rename(s.dir+"-new", s.dir)); err != nil {
		t.Fatal(err)
	}
	s.look(2)
	s.serves("shop", "One", "Other.")
}

func TestWhatCannotBeServedIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *shelf)
		reason string
	}{
		{"a mistake", func(s *shelf) { s.write(map[string]string{"assistant.yaml": "gatee: word\n"}) }, "gatee"},
		{"half a file", func(s *shelf) { s.write(map[string]string{"assistant.yaml": "company: [Two"}) }, "assistant.yaml"},
		{"the file is gone", func(s *shelf) { s.write(map[string]string{"assistant.yaml": ""}) }, "put it back"},
		{"the folder is gone", func(s *shelf) { s.move(s.dir, s.dir+"-away") }, "put it back"},
		{"the documents' folder is gone", func(s *shelf) { s.write(map[string]string{"knowledge": ""}) }, "knowledge"},
		{"all documents are gone", func(s *shelf) { s.write(map[string]string{"knowledge/a.md": ""}) }, "there is no document left"},
		{"another name", func(s *shelf) { s.write(map[string]string{"assistant.yaml": "name: store\n"}) }, "name it so again"},
		{"a document cannot be read", func(s *shelf) {
			s.write(map[string]string{"knowledge/a.md": "", "knowledge/b.md": "# B\n\nMore.\n"})
			s.link("nowhere", "knowledge/a.md")
		}, "was a document and cannot be read"},
		{"a file that is a folder", func(s *shelf) {
			s.write(map[string]string{"assistant.yaml": ""})
			s.write(map[string]string{"assistant.yaml/x": "x"})
		}, "assistant.yaml"},
		{"a link out of the folder", func(s *shelf) {
			s.write(map[string]string{"assistant.yaml": ""})
			s.link("/etc/hostname", "assistant.yaml")
		}, "link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf(t, shop("One", "First."))
			c.change(s)
			s.look(4)
			s.serves("shop", "One", "First.")
			if said := s.log.since(); strings.Count(said, "assistant refused") != 1 || !strings.Contains(said, c.reason) {
				t.Errorf("the log says %s, want the reason %q once", said, c.reason)
			}
			status, err := s.Status(t.Context())
			if err != nil || status[0].Refused == nil || !strings.Contains(status[0].Folder.Error, c.reason) {
				t.Errorf("Status = %+v, %v", status, err)
			}
			// Mended, it is served again.
			if err := os.RemoveAll(s.dir); err != nil {
				t.Fatal(err)
			}
			s.write(shop("Two", "Second."))
			s.look(2)
			s.serves("shop", "Two", "Second.")
		})
	}
}

func (s *shelf) move(from, to string) {
	s.Helper()
	if err := os.Rename(from, to); err != nil {
		s.Fatal(err)
	}
}

func (s *shelf) link(to, name string) {
	s.Helper()
	if err := os.Symlink(to, filepath.Join(s.dir, name)); err != nil {
		s.Fatal(err)
	}
}

func TestKnowledgeMayBeGivenUp(t *testing.T) {
	s := newShelf(t, shop("One", "First."))
	s.write(map[string]string{"assistant.yaml": "company: Two\nknowledge: []\n", "knowledge": ""})
	s.look(2)
	s.serves("shop", "Two", "")
	if n := len(s.snapshot("shop").generation.Documents()); n != 0 {
		t.Errorf("%d documents are left", n)
	}
}

func TestAFolderOfDocumentsIsFollowed(t *testing.T) {
	s := newShelf(t, map[string]string{"a.md": "# A\n\nFirst.\n"})
	s.write(map[string]string{"b.md": "# B\n\nSecond.\n"})
	s.look(2)
	s.serves("shop", "", "Second.")
}

// TestAssistantsComeAndGo, and a broken one holds up no other.
func TestAssistantsComeAndGo(t *testing.T) {
	s := newShelf(t, map[string]string{"a/assistant.yaml": "company: A\nknowledge: []\n", "b/assistant.yaml": "company: B\nknowledge: []\n"})
	names := func(want string) {
		t.Helper()
		if got := strings.Join(s.Names(), " "); got != want {
			t.Errorf("served are %q, want %q\n%s", got, want, s.log.since())
		}
	}
	s.write(map[string]string{"c/assistant.yaml": "company: C\nknowledge: []\n", "d/assistant.yaml": "bogus: D\n", "e/assistant.yaml": "name: a\nknowledge: []\n"})
	s.look(2)
	names("a b c")
	if said := s.log.since(); !strings.Contains(said, "bogus") || !strings.Contains(said, "are both named") {
		t.Errorf("the log says %s", said)
	}
	s.write(map[string]string{"a/assistant.yaml": "bogus: A\n", "b/assistant.yaml": "company: B2\nknowledge: []\n", "d/assistant.yaml": "company: D\nknowledge: []\n"})
	s.look(2)
	names("a b c d")
	s.serves("a", "A", "")
	s.serves("b", "B2", "")
	s.write(map[string]string{"a": "", "b": ""})
	s.look(1)
	names("a b c d")
	s.look(1)
	names("c d")
	s.look(2)
	s.write(map[string]string{"e/assistant.yaml": "name: a\ncompany: E\nknowledge: []\n"}) // the name is free now
	s.look(2)
	names("a c d")
	s.serves("a", "E", "")
	// Where all are gone at once, it is more likely the folder that is.
	s.move(s.dir, s.dir+"-away")
	s.look(3)
	names("a c d")
}

// TestWatch has the watch itself see a change, and be told to look.
func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration
	}{{"by itself", time.Millisecond}, {"at once", time.Hour}} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf(t, shop("One", "First."))
			s.every = c.every
			ctx, stop := context.WithCancel(t.Context())
			again, done := make(chan os.Signal), make(chan error, 1)
			go func() { done <- s.Watch(ctx, again) }()
			s.write(shop("Two", "Second."))
			for s.snapshot("shop").Company != "Two" {
				select {
				case again <- os.Interrupt:
				case <-time.After(time.Millisecond):
				}
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
