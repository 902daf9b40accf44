package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever interrupts the command stops the answer. What was shown is kept, with its record.
func TestAskInterrupted(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script.txt")
	if err := os.WriteFile(script, []byte("The first sentence comes. And then\ndelay 15s\nthe second.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &waiter{what: "first sentence", found: interrupt}
	var errs bytes.Buffer
	code := run(ctx, []string{"ask", "hello", "-v", "--data", filepath.Join(dir, "data"), "--fake-provider", script}, nil, out, &errs)
	if code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	for _, want := range []string{"(stopped)", "stopped after ", "answerable: the turn ended as stopped"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("stderr does not say %q:\n%s", want, errs.String())
		}
	}
	if strings.Contains(out.all.String(), "second") {
		t.Errorf("the answer went on: %s", out.all.String())
	}
}

// waiter calls found when what was written.
type waiter struct {
	all   bytes.Buffer
	what  string
	found func()
}

func (w *waiter) Write(b []byte) (int, error) {
	w.all.Write(b)
	if strings.Contains(w.all.String(), w.what) {
		w.found()
	}
	return len(b), nil
}

// A model that writes escape sequences writes text.
func TestAskOfAHostileModel(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	dir := t.TempDir()
	script := filepath.Join(dir, "script.txt")
	if err := os.WriteFile(script, []byte("chunk \"Hello \\x1b]52;c;ZXZpbA==\\a\\x1b[2Jthere\\u009b31m\\u202e.\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	master, tty := openPty(t, 80)
	shown := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(master)
		shown <- b
	}()
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"ask", "hello", "--data", filepath.Join(dir, "data"), "--fake-provider", script}, nil, tty, &errs); code != exitOK {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	tty.Close()
	if got := string(<-shown); strings.ContainsAny(got, "\x1b\a\u009b\u202e") || !strings.Contains(got, "there") {
		t.Errorf("the terminal got %q", got)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"ask", "hello", "--json", "--data", filepath.Join(dir, "data"), "--fake-provider", script}, nil, &out, &errs); code != exitOK {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	if got := out.String(); strings.ContainsAny(got, "\x1b\a\u009b\u202e") || !strings.Contains(got, `there`) {
		t.Errorf("the JSON is %q", got)
	}
}
