package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asMain makes the test binary be the program.
const asMain = "TEST_AS_ANSWERABLE"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	for _, e := range os.Environ() { // nobody's key is used, and nobody's server asked
		for _, vendor := range []string{"OPENAI_", "ANTHROPIC_", "GEMINI_"} {
			if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, vendor) {
				os.Unsetenv(name)
			}
		}
	}
	testscript.Main(m, map[string]func(){"answerable": main})
}

func TestCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Skip("no command scripts yet")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(e *testscript.Env) error {
		e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command waits a second for late reports
		return nil
	}})
}

// server is the program, running as a process of its own.
type server struct {
	t    testing.TB
	args []string
	env  []string

	mu  sync.Mutex
	cmd *exec.Cmd
	log *bytes.Buffer
	url string
}

// startServer runs "serve" with more arguments and waits until it is ready.
func startServer(t testing.TB, env []string, args ...string) *server {
	t.Helper()
	s := &server{t: t, args: args, env: env}
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's last words:\n%s", s.log.String())
		}
	})
	return s
}

func (s *server) start() {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	listen := "127.0.0.1:0"
	if s.url != "" {
		listen = strings.TrimPrefix(s.url, "http://") // clients know it
	}
	cmd := exec.Command(self, append([]string{"serve", "--listen", listen}, s.args...)...)
	cmd.Env = append(append(os.Environ(), asMain+"=1"), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	log := &bytes.Buffer{}
	ready := make(chan string, 1)
	var once sync.Mutex
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			once.Lock()
			fmt.Fprintln(log, lines.Text())
			once.Unlock()
			if _, page, ok := strings.Cut(lines.Text(), "customer page  "); ok {
				ready <- strings.TrimSuffix(page, "/")
			}
		}
		close(ready)
	}()
	url, ok := <-ready
	if !ok {
		err := cmd.Wait()
		s.t.Fatalf("the server did not start: %v\n%s", err, log.String())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.log, s.url = cmd, log, url
}

// kill is kill -9.
func (s *server) kill() {
	s.mu.Lock()
	cmd := s.cmd
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	cmd.Process.Kill()
	cmd.Wait()
}

// client is an HTTP client without a shared pool, as a browser of its own.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
}
