package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

func openDir(t *testing.T, dir string) *Store {
	t.Helper()
	key, err := DevelopmentKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWordsAreSealed(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	c, err := s.Create(t.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h"), Metadata: []byte(`{"page":"XYZZYPAGE"}`),
		Person: chat.Person{ID: "XYZZYID", Name: "XYZZYNAME", Email: "XYZZY@shop.example"}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Accept(t.Context(), chat.Incoming{Conversation: c.ID, Text: "my secret is XYZZYWORD", Node: "n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	st := s.Stream(a.Open)
	if err := errors.Join(st.Add([]chat.Body{chat.TextShown{Text: "XYZZYSHOWN"}}, []chat.Entry{{Step: "s", Result: []byte(`"XYZZYSTEP"`)}}), st.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Take(t.Context(), c.ID, "Ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rate(t.Context(), c.ID, chat.Feedback{Turn: a.Open.ID, Rating: chat.Down, Text: "XYZZYRATED"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Score(t.Context(), c.ID, chat.CSAT{Score: 1, Text: "XYZZYSCORED"}); err != nil {
		t.Fatal(err)
	}
	f, err := s.Upload(t.Context(), c.ID, "XYZZYNAME", "text/plain", strings.NewReader("XYZZYCONTENT"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Say(t.Context(), "Ann", chat.Incoming{Conversation: c.ID, Text: "XYZZYSAID", Files: []chat.FileID{f.ID}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("XYZZY")) {
			t.Errorf("%s holds people's words in the clear", f)
		}
	}
}

func TestAMovedValueDoesNotOpen(t *testing.T) {
	a := aead(make([]byte, 32))
	v := seal(a, cell{"events", "body_sealed", "c1", 1}, []byte("x"))
	for _, c := range []cell{{"events", "body_sealed", "c1", 2}, {"events", "body_sealed", "c2", 1}, {"messages", "body_sealed", "c1", 1}, {"events", "other", "c1", 1}} {
		if _, err := open(a, c, v); err == nil {
			t.Errorf("the value opens as %+v", c)
		}
	}
	if _, err := open(a, cell{"events", "body_sealed", "c1", 1}, v[:5]); err == nil {
		t.Error("a cut value opens")
	}
}

func TestInstallationKey(t *testing.T) {
	dir := t.TempDir()
	openDir(t, dir).Close()
	wrong := Key{1}
	_, err := Open(t.Context(), Options{Dir: dir, Key: wrong})
	wantMessage(t, err, "not the installation key")
	path := filepath.Join(dir, KeyFile)
	key, _ := os.ReadFile(path)
	os.WriteFile(path, key[:20], 0o600)
	_, err = DevelopmentKey(dir)
	wantMessage(t, err, "is damaged")
	os.Remove(path)
	_, err = DevelopmentKey(dir)
	wantMessage(t, err, "is missing")
	for _, bad := range []string{"", "abc", strings.Repeat("0", 63), strings.Repeat("g", 64)} {
		_, err := ParseKey(bad)
		wantMessage(t, err, "openssl rand -hex 32")
	}
	if k, err := ParseKey(" " + strings.Repeat("ab", 32) + "\n"); err != nil || k[0] != 0xab {
		t.Errorf("ParseKey = %v, %v", k, err)
	}
}

func wantMessage(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("error = %v, want one with %q", err, part)
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	if _, err := s.engine.read.Exec("PRAGMA query_only(0)"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	key, err := DevelopmentKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Dir: dir, Key: key})
	wantMessage(t, err, "use the newer binary")
	_, err = Open(t.Context(), Options{Dir: dir, Key: key, ReadOnly: true})
	wantMessage(t, err, "use the newer binary")
}

func TestReadingBesideAServer(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), Options{Dir: dir, ReadOnly: true})
	wantMessage(t, err, "no database")
	s := openDir(t, dir)
	defer s.Close()
	c, err := s.Create(t.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := DevelopmentKey(dir)
	r, err := Open(t.Context(), Options{Dir: dir, Key: key, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Conversation(t.Context(), c.ID); err != nil || got.ID != c.ID {
		t.Errorf("Conversation = %+v, %v", got, err)
	}
	if _, err := r.Take(t.Context(), c.ID, "Ann"); !errors.Is(err, chat.Conflict) {
		t.Errorf("Take = %v, want a conflict", err)
	}
}

func TestACommitAfterCloseIsRefused(t *testing.T) {
	s := openDir(t, t.TempDir())
	s.Close()
	if _, err := s.Create(context.Background(), NewConversation{ID: "c"}); !errors.Is(err, chat.Unavailable) {
		t.Errorf("Create = %v", err)
	}
}

// TestWhatADeadProcessUploadedIsDropped leaves parts without a file, as a process that
// dies in the middle of an upload does.
func TestWhatADeadProcessUploadedIsDropped(t *testing.T) {
	s := openDir(t, t.TempDir())
	defer s.Close()
	c, err := s.Create(t.Context(), NewConversation{ID: chat.NewConversationID(), Assistant: "demo", TokenHash: []byte("h")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.uploadParts(t.Context(), c, "f1", strings.NewReader(strings.Repeat("x", 2*partBytes+1))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.File(t.Context(), c, "f1"); !errors.Is(err, chat.NotFound) {
		t.Errorf("File = %v, want not found", err)
	}
	if n, err := s.DropUnsent(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("DropUnsent = %d, %v, want what is new to stay", n, err)
	}
	if n, err := s.DropUnsent(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("DropUnsent = %d, %v, want 1", n, err)
	}
	left := -1
	if err := s.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM file_parts`).Scan(&left); left != 0 || err != nil {
		t.Errorf("%d parts are left, %v", left, err)
	}
}
