// Package e2e has clients that others wrote speak to the server as it is shipped: a
// process of its own, asked over HTTP. Each model is a scripted vendor, also over HTTP.
//
// Here are the clients in Go. Those in JavaScript are in *.test.mjs beside them; run has
// both of them run.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/llm/llmtest"
)

// program is the server's binary.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the server, unless E2E_PROGRAM names one.
func run(m *testing.M) int {
	if program = os.Getenv("E2E_PROGRAM"); program != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "answerable-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "answerable")
	if out, err := exec.Command("go", "build", "-C", "..", "-o", program, "./cmd/answerable").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the server cannot be built: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// timed returns a context that ends with the test, and long before go test would give up.
func timed(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is a running server for the folder assistants.
type server struct {
	t    testing.TB
	url  string
	data string
	kill func()
}

// serve starts a server that asks the vendors in order, and stops it after the test.
func serve(t testing.TB, vendors ...*vendor) *server {
	t.Helper()
	s := &server{t: t, data: t.TempDir()}
	config := filepath.Join(t.TempDir(), "answerable.yaml")
	settings := "models:\n"
	for i, v := range vendors {
		settings += fmt.Sprintf("  - {provider: openai, name: vendor%d, model: scripted, base_url: %q}\n", i+1, v.url)
	}
	must(t, os.WriteFile(config, []byte(settings), 0o600))
	cmd := exec.Command(program, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", s.data, "assistants")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	var said bytes.Buffer
	found, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(io.TeeReader(stderr, &said))
		for lines.Scan() {
			if _, page, ok := strings.Cut(lines.Text(), "customer page  "); ok {
				found <- strings.TrimSuffix(page, "/")
			}
		}
	}()
	s.kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		<-ended
		cmd.Wait()
	})
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", said.String())
		}
	})
	select {
	case s.url = <-found:
	case <-ended:
		t.Fatal("the server did not start")
	case <-timed(t).Done():
		t.Fatal("the server does not become ready")
	}
	return s
}

// events returns the kinds of a conversation's events up to the end of its turn, and what
// that says. They come as they happen, so that this waits for the end.
func (s *server) events(ctx context.Context, conversation string) (kinds []string, outcome string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/conversations/"+conversation+"/events", nil)
	must(s.t, err)
	resp, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct{ Kind, Outcome string }
		must(s.t, json.Unmarshal([]byte(data), &e))
		kinds = append(kinds, e.Kind)
		if e.Kind == "turn.ended" {
			return kinds, e.Outcome
		}
	}
	s.t.Fatalf("the events end after %q: %v", kinds, lines.Err())
	return nil, ""
}

// vendor is a scripted one. Its requests come in through asked; who did not wait for the
// end is in left.
type vendor struct {
	url   string
	asked chan string   // bodies
	left  chan struct{} // one for each
}

func scripted(t testing.TB, text string) *vendor {
	t.Helper()
	script, err := llmtest.Parse("script", text)
	must(t, err)
	v := &vendor{asked: make(chan string, 100), left: make(chan struct{}, 100)}
	fake := script.Handler()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v.asked <- string(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		fake.ServeHTTP(w, r)
		if r.Context().Err() != nil {
			v.left <- struct{}{}
		}
	}))
	t.Cleanup(h.Close)
	v.url = h.URL + "/v1"
	return v
}

// isLeft waits until a request was given up.
func (v *vendor) isLeft(t *testing.T) {
	t.Helper()
	select {
	case <-v.left:
	case <-timed(t).Done():
		t.Error("the model's call goes on")
	}
}
