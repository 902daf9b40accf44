package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// TestHelp asks every command for help: it is there, with an example.
func TestHelp(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		var out, errs bytes.Buffer
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if code := run(t.Context(), args, nil, &out, &errs); code != exitOK || errs.Len() > 0 {
			t.Errorf("%v = %d, %s", args, code, errs.String())
		}
		if !strings.Contains(out.String(), "Examples:\n  ") {
			t.Errorf("%v has no example:\n%s", args, out.String())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit((&cli{}).root())
}

// TestExitCodes: 0 is good, 1 failed, 2 is a mistake on the command line.
func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args string
		want int
	}{
		{"", exitOK}, {"version", exitOK}, {"keys", exitOK}, {"config check", exitOK}, {"keys create shop", exitOK},
		{"keys create shop", exitFailed}, {"replay t1", exitFailed}, {"ingest gone", exitFailed}, {"config check --config gone", exitFailed},
		{"bogus", exitUsage}, {"--bogus", exitUsage}, {"keys bogus", exitUsage}, {"eval bogus", exitUsage}, {"config bogus", exitUsage},
		{"version now", exitUsage}, {"ask", exitUsage}, {"ask two questions", exitUsage}, {"ingest", exitUsage}, {"search", exitUsage},
		{"search boots --limit 0", exitUsage}, {"search boots --limit many", exitUsage}, {"serve one two", exitUsage}, {"serve --listen nowhere", exitUsage},
		{"replay", exitUsage}, {"replay t1 --all", exitUsage}, {"keys create", exitUsage}, {"config check one two", exitUsage}, {"eval retrieval", exitUsage},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), strings.Fields(c.args), nil, &out, &errs); got != c.want {
			t.Errorf("answerable %s = %d, want %d\n%s", c.args, got, c.want, errs.String())
		}
	}
}

// TestServerCommands runs the scripts that have a server beside them. They know five
// more commands:
//
//	serve ARGS…               starts a server and waits until it is ready, at $URL, on $ADDRESS
//	says TEXT                 waits until the server has said it on stderr
//	quit                      ends it with SIGTERM; it must end well
//	http STATUS METHOD PATH [BODY]  sends a request, with $TOKEN if it is set; stdout is the answer
//	capture NAME REGEXP       sets an environment variable from stdout
func TestServerCommands(t *testing.T) {
	scripts, err := filepath.Glob("testdata/server/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range scripts {
		if text, err := os.ReadFile(file); err != nil || regexp.MustCompile(`(?m)^stop\b`).Match(text) {
			t.Fatalf("%s: stop is testscript's own and ends the script, as passed: the server ends with quit (%v)", file, err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/server", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"serve": scriptServe, "says": scriptSays, "quit": scriptQuit, "http": scriptHTTP, "capture": scriptCapture,
	}, Setup: func(e *testscript.Env) error {
		e.Values[processKey{}] = new(*process)
		e.Vars = append(e.Vars, program[1])
		return nil
	}})
}

type processKey struct{}

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(executable(), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	p, err := startProcess(cmd)
	if err != nil {
		ts.Fatalf("serve: %v", err)
	}
	ts.Defer(p.kill)
	*ts.Value(processKey{}).(**process) = p
	ts.Setenv("URL", p.url)
	ts.Setenv("ADDRESS", strings.TrimPrefix(p.url, "http://"))
}

func scriptSays(ts *testscript.TestScript, neg bool, args []string) {
	p := *ts.Value(processKey{}).(**process)
	if len(args) != 1 || !p.says(context.Background(), args[0]) {
		ts.Fatalf("the server did not say %q:\n%s", args, p.log())
	}
}

func scriptQuit(ts *testscript.TestScript, neg bool, args []string) {
	p := *ts.Value(processKey{}).(**process)
	if code := p.terminate(); code != exitOK {
		ts.Fatalf("the server ended with %d:\n%s", code, p.log())
	}
}

func scriptHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: http STATUS METHOD PATH [BODY]")
	}
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(args[3])
	}
	req, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], body)
	ts.Check(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client().Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Stdout().Write(b)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("%s %s: %s, want %s", args[1], args[2], resp.Status, args[0])
	}
}

func scriptCapture(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("stdout does not match %q with one group", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// program makes the test binary be the program. The race detector would wait a second at
// the end of each process.
var program = []string{asMain + "=1", "GORACE=atexit_sleep_ms=0"}

// executable is the test binary, which is the program too.
func executable() string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return self
}

// process is a server whose command a test makes itself.
type process struct {
	url   string // "" when it did not become ready
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone

	mu    sync.Mutex
	lines bytes.Buffer  // of stderr
	more  chan struct{} // closed with the next line
}

// startProcess starts a server and waits until it is ready or has ended, which is an
// error with what it said.
func startProcess(cmd *exec.Cmd) (*process, error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, program...)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{}), more: make(chan struct{})}
	ready := make(chan string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.line(lines.Text())
			if _, page, ok := strings.Cut(lines.Text(), "customer page  "); ok {
				ready <- strings.TrimSuffix(page, "/")
			}
		}
		cmd.Wait()
	}()
	select {
	case p.url = <-ready:
		return p, nil
	case <-p.ended:
		return p, fmt.Errorf("the server ended with %d:\n%s", cmd.ProcessState.ExitCode(), p.log())
	}
}

func (p *process) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(&p.lines, text)
	close(p.more)
	p.more = make(chan struct{})
}

// log is what the server has said so far.
func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines.String()
}

// says waits until the server has said something, and reports whether it did.
func (p *process) says(ctx context.Context, what string) bool {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		p.mu.Lock()
		said, more := strings.Contains(p.lines.String(), what), p.more
		p.mu.Unlock()
		if said {
			return true
		}
		select {
		case <-more:
		case <-p.ended:
			return strings.Contains(p.log(), what)
		case <-ctx.Done():
			return false
		}
	}
}

// terminate ends the server as an operator does, and returns its exit code.
func (p *process) terminate() int {
	p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) kill() {
	if p != nil && p.cmd != nil {
		p.cmd.Process.Kill()
		<-p.ended
	}
}
