//go:build unix

package knowledge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestReadDirSkips(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "secret.md", "the secret")
	dir := t.TempDir()
	write(t, dir, "a.md", "# A\n\ntext")
	write(t, dir, "README", "plain words")
	write(t, dir, "empty.md", " \n")
	write(t, dir, "image.txt", "\x89PNG\x00\x00")
	write(t, dir, "big.txt", strings.Repeat("x", 2<<20))
	write(t, dir, "table.csv", "a,b")
	write(t, dir, ".hidden.md", "x")
	write(t, dir, ".git/config", "x")
	write(t, dir, "sub/b.html", "<p>B</p>")
	for link, to := range map[string]string{
		"inside.md": "a.md", "nowhere.md": "gone.md", "out.md": filepath.Join(outside, "secret.md"),
		"up.md": "../" + filepath.Base(outside) + "/secret.md", "folder": "sub", "loop.md": "loop.md",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.md"), 0o644); err != nil {
		t.Fatal(err)
	}
	closed := os.Geteuid() != 0 // nothing is closed to root
	if closed {
		write(t, dir, "closed.md", "x")
		os.Chmod(filepath.Join(dir, "closed.md"), 0)
	}

	var steps []Progress
	docs, report, err := ReadDir(t.Context(), dir, Limits{FileBytes: 1 << 20}, func(p Progress) { steps = append(steps, p) })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, d.ID+": "+d.Text)
		checkDocument(t, d)
	}
	if diff := cmp.Diff([]string{"README: plain words", "a.md: A\n\ntext", "inside.md: A\n\ntext", "sub/b.html: B"}, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
	reasons := map[string]string{}
	for _, s := range report.Skipped {
		reasons[s.Path] = s.Reason
	}
	want := map[string]string{
		".git": "hidden", ".hidden.md": "hidden", "big.txt": "larger than 1 MiB", "empty.md": "no text", "folder": "link to a folder",
		"image.txt": "binary", "loop.md": "too many levels", "nowhere.md": "link to nowhere", "out.md": "out of the folder",
		"pipe.md": "not a regular file", "table.csv": ".csv files are not read", "up.md": "out of the folder",
	}
	if closed {
		want["closed.md"] = "no permission"
	}
	for path, w := range want {
		if !strings.Contains(reasons[path], w) {
			t.Errorf("%s: reason %q, want one with %q", path, reasons[path], w)
		}
		delete(reasons, path)
	}
	if len(reasons) > 0 {
		t.Errorf("skipped besides: %v", reasons)
	}
	if report.Documents != 4 || report.Empty() {
		t.Errorf("report of %d documents, empty %v", report.Documents, report.Empty())
	}
	if last := steps[len(steps)-1]; last.Done != last.Total || last.Path != "" {
		t.Errorf("the last progress is %+v", last)
	}
}

func TestReadDirEmpty(t *testing.T) {
	docs, report, err := ReadDir(t.Context(), t.TempDir(), Limits{}, nil)
	if err != nil || len(docs) != 0 || !report.Empty() {
		t.Errorf("%d documents, empty %v, %v; want none and no error", len(docs), report.Empty(), err)
	}
	if _, _, err := ReadDir(t.Context(), filepath.Join(t.TempDir(), "gone"), Limits{}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestReadFSStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	files := fstest.MapFS{"a.md": {Data: []byte("a")}, "b.md": {Data: []byte("b")}}
	_, _, err := ReadFS(ctx, files, Limits{}, func(Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

func TestReadFSLimits(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 5 {
		files[fmt.Sprintf("%d.txt", i)] = &fstest.MapFile{Data: []byte("12345678")}
	}
	for _, tt := range []struct {
		limits Limits
		want   int
	}{{Limits{}, 5}, {Limits{Files: 3}, 3}, {Limits{TotalBytes: 20}, 2}, {Limits{FileBytes: 4}, 0}} {
		docs, report, err := ReadFS(t.Context(), files, tt.limits, nil)
		if err != nil || len(docs) != tt.want || len(report.Skipped) != 5-tt.want {
			t.Errorf("%+v: %d documents, %d skipped, %v; want %d documents", tt.limits, len(docs), len(report.Skipped), err, tt.want)
		}
	}
}

func TestRepeatedBlocksAreDropped(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 6 {
		files[fmt.Sprintf("%d.html", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "<p>We use cookies.</p><h2>Overview</h2><p>Page %d</p>", i)}
	}
	files["x.md"] = &fstest.MapFile{Data: []byte("We use cookies.")}
	docs, _, err := ReadFS(t.Context(), files, Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"We use cookies.\n\nOverview\n\nPage 0", "Overview\n\nPage 1"} {
		if docs[i].Text != want {
			t.Errorf("page %d is %q, want %q", i, docs[i].Text, want)
		}
	}
	if got := docs[6].Text; got != "We use cookies." {
		t.Errorf("the Markdown file is %q", got)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
