package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// person is somebody at a terminal who runs the program.
type person struct {
	t        *testing.T
	keyboard *os.File
	cmd      *exec.Cmd
	lines    chan []byte
	shown    string // and not yet expected
}

func sit(t *testing.T, dir string, args ...string) *person {
	t.Helper()
	cmd := exec.Command(executable(), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(program, "TERM=xterm", "NO_COLOR=1")...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, keyboard: master, cmd: cmd, lines: make(chan []byte)}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait(); master.Close() })
	go func() {
		defer close(p.lines)
		for {
			b := make([]byte, 4096)
			n, err := master.Read(b)
			if n > 0 {
				select {
				case p.lines <- b[:n]:
				case <-t.Context().Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *person) types(keys string) {
	p.t.Helper()
	if _, err := io.WriteString(p.keyboard, keys); err != nil {
		p.t.Fatal(err)
	}
}

// sees waits until the terminal shows text, behind what was seen before.
func (p *person) sees(text string) {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		if _, rest, ok := strings.Cut(p.shown, text); ok {
			p.shown = rest
			return
		}
		select {
		case b, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the program ended before it showed %q; since then: %q", text, p.shown)
			}
			p.shown += string(b)
		case <-limit:
			p.t.Fatalf("no %q on the terminal; since then: %q", text, p.shown)
		}
	}
}

// leaves waits for the end, and returns what was shown last.
func (p *person) leaves() string {
	p.t.Helper()
	for b := range p.lines {
		p.shown += string(b)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v: %q", err, p.shown)
	}
	return p.shown
}

func TestChatOnATerminal(t *testing.T) {
	dir := t.TempDir()
	script := "when wool\nWash it cold.\n---\nwhen slow\nThe first sentence comes. And then\ndelay 15s\nthe second.\n"
	if err := os.WriteFile(filepath.Join(dir, "script.txt"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	p := sit(t, dir, "chat", "--fake-provider", "script.txt")
	p.sees("(You talk with demo. /help lists what you can do; ^C twice or ^D leaves.)")
	p.sees("you> ")
	p.types("How do I wash wool?\r")
	p.sees("Wash it cold.")
	p.sees("you> ")
	p.types("be slow\r")
	p.sees("first sentence comes.")
	p.types("\x03") // while it answers: a signal
	p.sees("(stopped)")
	p.sees("you> ")
	p.types("\x1b[A") // the line before
	p.sees("be slow")
	p.types("\x03") // at the prompt: a key
	p.sees("(^C once more leaves.)")
	p.sees("you> ")
	p.types("\x1b[200~wool,\rpasted\x1b[201~\r") // several lines are one message
	p.sees("Wash it cold.")
	p.sees("you> ")
	p.types("\x03")
	p.sees("you> ")
	p.types("\x03")
	p.leaves()
	out, err := exec.Command("stty", "-F", p.keyboard.Name(), "-a").CombinedOutput()
	if err == nil && bytes.Contains(out, []byte("-icanon")) {
		t.Errorf("the terminal is left raw:\n%s", out)
	}
}

// A person's words come above the line that is being typed, and the conversation outlives
// its server.
func TestChatWithAServer(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, nil, "--data", filepath.Join(dir, "data"))
	p := sit(t, dir, "chat", "--conversation", "last")
	if p.leavesBadly(); !strings.Contains(p.shown, "there is no last conversation") {
		t.Errorf("the program said %q", p.shown)
	}

	p = sit(t, dir, "chat")
	p.sees("you> ")
	p.types("/person\r")
	p.sees("(You wait for a person.)")
	p.sees("you> ")
	p.types("half a line")
	p.sees("half a line")
	b, err := os.ReadFile(filepath.Join(dir, "data", "last-conversation"))
	if err != nil {
		t.Fatal(err)
	}
	agent(t, s, string(b), "take", `{}`)
	p.sees("answers from now on.)")
	agent(t, s, string(b), "messages", `{"text": "Good day\u001b[2J."}`)
	p.sees(": Good day[2J.")
	p.sees("half a line")

	s.kill()
	p.sees("(the connection to the server is lost: trying again)")
	s.start()
	p.sees("(connected again)")
	agent(t, s, string(b), "messages", `{"text": "Still here."}`)
	p.sees(": Still here.")
	agent(t, s, string(b), "release", `{"to": "bot"}`)
	p.sees("(The assistant answers again.)")
	p.types("\x15How much is delivery to Ireland?\r")
	p.sees("4.90")
	p.sees("you> ")
	p.types("\x04")
	p.leaves()
}

// leavesBadly waits for an end with an error.
func (p *person) leavesBadly() {
	for b := range p.lines {
		p.shown += string(b)
	}
	if err := p.cmd.Wait(); err == nil {
		p.t.Errorf("the program ended well: %q", p.shown)
	}
}

// agent does what a person of the company does with a conversation.
func agent(t *testing.T, s *server, id, what, body string) {
	t.Helper()
	resp, err := client().Post(s.url+"/api/conversations/"+id+"/"+what, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s: %s", what, resp.Status, b)
	}
}
