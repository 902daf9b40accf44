package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTutorial does what docs/tutorial.md says, in its order: its commands are run as they
// stand there, its files are written, and what it says that they print is compared.
//
//	```sh              commands; "answerable serve …" runs until the next one, or the end
//	```text            lines of what the commands before it print, in their order; "…" is anything
//	```yaml file=NAME  what is in a file from here on (any language)
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lesson := &lesson{T: t, dir: dir, address: freeAddress(t)}
	bin := filepath.Join(t.TempDir(), "answerable")
	program := fmt.Sprintf("#!/bin/sh\nexec env %s %s=1 %s \"$@\"\n", "GORACE=atexit_sleep_ms=0", asMain, executable())
	if err := os.WriteFile(bin, []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	lesson.env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"), "ANSWERABLE_LISTEN="+lesson.address, "NO_COLOR=1")
	t.Cleanup(func() { lesson.server.kill() })
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 10 {
		t.Fatalf("the tutorial has %d blocks: is it still written with fences?", len(blocks))
	}
	for _, b := range blocks {
		language, file, body := b[1], b[2], b[3]
		switch {
		case file != "":
			lesson.write(file, body)
		case language == "sh":
			lesson.run(body)
		case language == "text":
			lesson.compare(body)
		default:
			t.Errorf("a block of language %q is not checked: give it a file, or make it sh or text", language)
		}
	}
}

var fence = regexp.MustCompile("(?m)^```([a-z]*)(?: file=(\\S+))?\n((?s:.*?))^```$")

// lesson is the tutorial as far as it has come.
type lesson struct {
	*testing.T
	dir     string
	address string // in the place of 127.0.0.1:8080
	env     []string
	server  *process
	// The last commands, and what they printed.
	commands, output string
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (l *lesson) write(file, body string) {
	path := filepath.Join(l.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		l.Fatal(err)
	}
}

func (l *lesson) command(text string) *exec.Cmd {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", strings.ReplaceAll(text, "127.0.0.1:8080", l.address))
	cmd.Dir, cmd.Env = l.dir, l.env
	return cmd
}

func (l *lesson) run(commands string) {
	if strings.Contains(commands, "answerable serve") {
		if l.server != nil {
			l.server.terminate()
		}
		// exec: the server itself gets the signals, not a shell around it.
		p, err := startProcess(l.command(strings.Replace(commands, "answerable serve", "exec answerable serve", 1)))
		if err != nil {
			l.Fatalf("%s: %v", commands, err)
		}
		l.server, l.output = p, p.log()
		return
	}
	out, err := l.command(commands).CombinedOutput()
	if l.commands, l.output = commands, string(out); err != nil {
		l.Fatalf("%s: %v\n%s", commands, err, out)
	}
}

// compare looks for lines of the last commands' output. A question is asked again until
// the server has seen a file that was written before it.
func (l *lesson) compare(want string) {
	wrong := l.differs(want)
	for deadline := time.Now().Add(20 * time.Second); wrong != nil && strings.HasPrefix(l.commands, "answerable ask") && time.Now().Before(deadline); wrong = l.differs(want) {
		l.run(l.commands)
	}
	if wrong != nil {
		l.Fatal(wrong)
	}
}

func (l *lesson) differs(want string) error {
	rest := l.output
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		parts := strings.Split(strings.ReplaceAll(line, "127.0.0.1:8080", l.address), "…")
		for i := range parts {
			parts[i] = strings.Join(strings.Fields(parts[i]), " ")
			parts[i] = strings.ReplaceAll(regexp.QuoteMeta(parts[i]), " ", `\s+`)
		}
		at := regexp.MustCompile(`(?s)` + strings.Join(parts, `.*?`)).FindStringIndex(rest)
		if at == nil {
			return fmt.Errorf("the tutorial shows %q; printed was\n%s", line, l.output)
		}
		rest = rest[at[1]:]
	}
	return nil
}
