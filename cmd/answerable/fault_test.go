package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
	"github.com/answerable/answerable/internal/store/storetest"
)

// TestFaults has a real server meet what goes wrong around it. What was acknowledged is
// never lost, every turn ends once, and messages say what to do.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"the disk fills while turns stream", diskFull},
		{"the data directory may not be written", unwritable},
		{"the database cannot be used", unusableDatabase},
		{"more connections than files are allowed", fewFiles},
		{"a client reads nothing", slowClient},
		{"SIGTERM while a turn streams", terminatedWhileStreaming},
		{"SIGTERM while the provider is silent", terminatedWhileStalled},
		{"PostgreSQL drops all connections", droppedConnections},
		{"a second signal ends the server at once", secondSignal},
		{"the disk is full before the server starts", fullFromTheStart},
		{"what a server that died left does not mislead", staleAddress},
		{"the file system is read-only", readOnlyFileSystem},
	} {
		t.Run(c.name, c.test)
	}
}

const slowScript = `ttft 10ms
itl 10ms
repeat 150 "Word {{n}} follows word. "
`

func diskFull(t *testing.T) {
	disk := tmpfs(t, "6m")
	data := filepath.Join(disk, "data")
	p := start(t, data, slowScript)
	visitors := make([]*seen, 6)
	v := newVisitor(t, p.url)
	var following sync.WaitGroup
	for i := range visitors {
		c := v.conversation()
		visitors[i] = c
		must(t, v.send(t.Context(), c, "first", "question "+strconv.Itoa(i)))
		following.Go(func() {
			if !v.insist(t.Context(), func() error { return v.follow(t.Context(), c) }) {
				t.Errorf("%s was not followed to its end", c.id)
			}
		})
	}
	late := v.conversation() // it is there before the disk is full
	filler := filepath.Join(disk, "filler")
	var refusal error
	tries := 0
	for n := 0; n < 3; tries++ {
		fill(t, filler)
		err := v.send(t.Context(), late, fmt.Sprintf("late %d", tries), "one more")
		switch {
		case err == nil:
			n = 0 // there was room in the log after all
		default:
			n, refusal = n+1, err
		}
		if tries > 200 {
			t.Fatal("the disk does not fill")
		}
	}
	if !strings.Contains(refusal.Error(), "507") || !strings.Contains(refusal.Error(), "the disk is full: nothing was lost that had been confirmed; make room and try again") {
		t.Errorf("a message on a full disk: %v", refusal)
	}
	if !p.says(t.Context(), "a turn could not go on") {
		t.Error("the running turns did not notice")
	}
	if status := p.get(t, "/healthz"); status != 200 {
		t.Errorf("/healthz on a full disk = %d", status)
	}
	must(t, os.Remove(filler))
	// What was refused may be sent again, and is answered once.
	if !v.insist(t.Context(), func() error { return again507(v.send(t.Context(), late, fmt.Sprintf("late %d", tries-1), "one more")) }) {
		t.Error("there is room, but messages are refused")
	}
	if !v.insist(t.Context(), func() error { return v.follow(t.Context(), late) }) {
		t.Error("the message after the full disk was not answered")
	}
	following.Wait()
	v.check()
	if code := p.terminate(); code != exitOK {
		t.Errorf("the server ended with %d", code)
	}
	replays(t, "--data", data)
}

// again507 makes a full disk something to insist against.
func again507(err error) error {
	if err != nil && strings.Contains(err.Error(), "507") {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

func fullFromTheStart(t *testing.T) {
	disk := tmpfs(t, "256k")
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	data := filepath.Join(disk, "data")
	code, out := command(t, "serve", "--listen", "127.0.0.1:0", "--data", data)
	if code != exitFailed || !strings.Contains(out, disk) && !strings.Contains(out, "the disk is full") {
		t.Errorf("serve on a full disk = %d, %s", code, out)
	}
	must(t, os.Remove(filler))
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=8m"))
	begin(t, nil, "--data", data).terminate() // what was left behind does not matter
}

func unwritable(t *testing.T) {
	needRoot(t)
	file := forEverybody(t)
	open := filepath.Dir(file)
	for _, c := range []struct {
		name, dir string
		mode      os.FileMode
	}{
		{"read-only", "theirs", 0o755}, {"closed", "closed", 0o700},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(open, c.dir)
			must(t, os.Mkdir(dir, c.mode))
			code, out := command(t, "keys", "create", "shop", "--data", dir) // as root: there is a database
			if code != exitOK {
				t.Fatal(out)
			}
			for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"ask", "hello"}, {"keys", "create", "other"}, {"search", "boots"}, {"replay", "--all"}} {
				code, out := commandAs(t, file, 65534, append(args, "--data", dir)...)
				if code != exitFailed || !strings.Contains(out, dir) || !strings.Contains(out, "--data") {
					t.Errorf("%v as nobody = %d, want 1 and a message with the directory and what to do:\n%s", args, code, out)
				}
			}
		})
	}
	t.Run("not there, in a directory of others", func(t *testing.T) {
		dir := filepath.Join(open, "new")
		code, out := commandAs(t, file, 65534, "serve", "--listen", "127.0.0.1:0", "--data", dir)
		if code != exitFailed || !strings.Contains(out, "cannot make the data directory "+dir+": make its parent writable") {
			t.Errorf("serve as nobody = %d, %s", code, out)
		}
	})
	t.Run("one's own", func(t *testing.T) {
		dir := filepath.Join(open, "own")
		must(t, os.Mkdir(dir, 0o700))
		must(t, os.Chown(dir, 65534, 65534))
		if code, out := commandAs(t, file, 65534, "ask", "How much is delivery to Ireland?", "--data", dir); code != exitOK {
			t.Errorf("ask as nobody = %d, %s", code, out)
		}
	})
}

func readOnlyFileSystem(t *testing.T) {
	disk := tmpfs(t, "8m")
	data := filepath.Join(disk, "data")
	if code, out := command(t, "keys", "create", "shop", "--data", data); code != exitOK {
		t.Fatal(out)
	}
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"ask", "hello"}, {"ingest", "testdata/server"}, {"replay", "--all"}} {
		code, out := command(t, append(args, "--data", data)...)
		if code != exitFailed || !strings.Contains(out, data) || !strings.Contains(out, "--data") {
			t.Errorf("%v on a read-only file system = %d, want 1 and a message with the directory and what to do:\n%s", args, code, out)
		}
	}
}

func unusableDatabase(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"a newer version", func(dir string) error {
			db, err := sql.Open("sqlite", filepath.Join(dir, store.File))
			if err != nil {
				return err
			}
			_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
			return errors.Join(err, db.Close())
		}, "the database has version 9999, this binary knows versions up to "},
		{"no key", func(dir string) error { return os.Remove(filepath.Join(dir, store.KeyFile)) },
			store.KeyFile + " is missing, but "},
		{"half a key", func(dir string) error { return os.Truncate(filepath.Join(dir, store.KeyFile), 20) },
			store.KeyFile + " is damaged: put back the file from a backup"},
		{"garbage", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, store.File), []byte(strings.Repeat("This is not a database. ", 1000)), 0o600)
		}, store.File + " is not a readable database: restore it from a backup, or move it away to begin anew"},
		{"another's key", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, store.KeyFile), []byte(strings.Repeat("5a", 32)), 0o600)
		}, "not the installation key that the data was sealed with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := t.TempDir()
			if code, out := command(t, "ask", "How much is delivery to Ireland?", "--data", data); code != exitOK {
				t.Fatal(out)
			}
			must(t, c.damage(data))
			before, err := os.ReadFile(filepath.Join(data, store.File))
			must(t, err)
			for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"ask", "hello"}, {"replay", "--all"}, {"search", "boots"}, {"keys", "create", "shop"}} {
				code, out := command(t, append(args, "--data", data)...)
				if code != exitFailed || !strings.Contains(out, c.want) {
					t.Errorf("%v = %d, want 1 and %q:\n%s", args, code, c.want, out)
				}
			}
			if after, err := os.ReadFile(filepath.Join(data, store.File)); err != nil || string(after) != string(before) {
				t.Errorf("the database was changed: %v", err)
			}
		})
	}
}

func fewFiles(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script.txt")
	must(t, os.WriteFile(script, []byte(slowScript), 0o600))
	data := filepath.Join(dir, "data")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -n 64; exec "$0" "$@"`, executable(),
		"serve", "--listen", "127.0.0.1:0", "--data", data, "--fake-provider", script, "--no-anonymous-limits")
	p := begin(t, cmd)
	v := newVisitor(t, p.url)
	early := v.conversation()
	must(t, v.send(t.Context(), early, "early", "before the flood"))

	// Connections that say nothing, until the server has no files left.
	var flood []net.Conn
	address := strings.TrimPrefix(p.url, "http://")
	for range 150 {
		c, err := net.Dial("tcp", address)
		must(t, err)
		flood = append(flood, c)
	}
	p.waitFiles(t, 60)
	for _, c := range flood {
		c.Close()
	}
	if status := p.get(t, "/healthz"); status != 200 {
		t.Errorf("/healthz after the flood = %d", status)
	}
	late := v.conversation()
	must(t, v.send(t.Context(), late, "late", "after the flood"))
	for _, c := range []*seen{early, late} {
		if !v.insist(t.Context(), func() error { return v.follow(t.Context(), c) }) {
			t.Errorf("%s was not answered", c.id)
		}
	}
	v.check()
	if code := p.terminate(); code != exitOK {
		t.Errorf("the server ended with %d", code)
	}
	replays(t, "--data", data)
}

func slowClient(t *testing.T) {
	const long = "repeat 2000 \"" // 2 MB
	p := start(t, filepath.Join(t.TempDir(), "data"), "when long\n"+long+strings.Repeat("x", 990)+" y. \"\n---\nShort.\n")
	v := newVisitor(t, p.url)
	warm := v.conversation()
	must(t, v.send(t.Context(), warm, "k", "short"))
	must(t, v.follow(t.Context(), warm))
	before := p.memory(t)

	slow := v.conversation()
	var deaf []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		must(t, err)
		defer c.Close()
		must(t, c.(*net.TCPConn).SetReadBuffer(4096))
		_, err = fmt.Fprintf(c, "GET /v1/conversations/%s/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", slow.id, slow.token)
		must(t, err)
		deaf = append(deaf, c)
	}
	must(t, v.send(t.Context(), slow, "k", "a long answer"))
	// Others are served meanwhile.
	other := v.conversation()
	must(t, v.send(t.Context(), other, "k", "short"))
	must(t, v.follow(t.Context(), other))
	// The long turn does not wait for those who do not read.
	must(t, v.follow(t.Context(), slow))
	if grown := p.memory(t) - before; grown > 128<<20 {
		t.Errorf("20 clients that read nothing of 2 MB cost %d MB", grown>>20)
	}
	for _, c := range deaf {
		c.Close()
	}
	v.check() // reads all events again, from the first
	p.terminate()
}

func terminatedWhileStreaming(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, slowScript)
	v := newVisitor(t, p.url)
	c := v.conversation()
	must(t, v.send(t.Context(), c, "k", "a question"))
	shown := make(chan struct{})
	followed := make(chan error, 1)
	go func() { followed <- v.followUntil(t.Context(), c, shown) }()
	<-shown
	if code := p.terminate(); code != exitOK {
		t.Errorf("the server ended with %d:\n%s", code, p.log())
	}
	if err := <-followed; err != nil || !v.done(c) {
		t.Errorf("the stream did not end with its turn: %v", err)
	}
	next := start(t, data, slowScript)
	v.url = next.url
	if e := c.end(t); e.Outcome != chat.Answered || strings.Count(string(e.Text), "Word") != 150 {
		t.Errorf("the turn ended as %s with %d words", e.Outcome, strings.Count(string(e.Text), "Word"))
	}
	v.check()
	if next.terminate(); strings.Contains(next.log(), "a turn is resumed") {
		t.Errorf("there was nothing to resume:\n%s", next.log())
	}
	replays(t, "--data", data)
}

func terminatedWhileStalled(t *testing.T) {
	dir := t.TempDir()
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "answerable.yaml")
	must(t, os.WriteFile(config, []byte("limits:\n  stop: 200ms\n"), 0o600))
	p := start(t, data, "The first sentence is here. And then\nstall\n", "--config", config)
	v := newVisitor(t, p.url)
	c := v.conversation()
	must(t, v.send(t.Context(), c, "k", "a question"))
	shown := make(chan struct{})
	followed := make(chan error, 1)
	go func() { followed <- v.followUntil(t.Context(), c, shown) }()
	<-shown
	began := time.Now()
	if code := p.terminate(); code != exitOK {
		t.Errorf("the server ended with %d:\n%s", code, p.log())
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("with limits.stop 200ms the server took %s to end", took)
	}
	if err := <-followed; !errors.Is(err, errGone) {
		t.Errorf("the stream of an open turn ended with %v", err)
	}
	next := start(t, data, "It is whole now.\n", "--config", config)
	v.url = next.url
	must(t, v.follow(t.Context(), c))
	if e := c.end(t); e.Outcome != chat.Answered || e.Text != "It is whole now." {
		t.Errorf("the resumed turn ended as %s with %q", e.Outcome, e.Text)
	}
	v.check()
	if next.terminate(); !strings.Contains(next.log(), "a turn is resumed") {
		t.Errorf("the server does not say that it resumed a turn:\n%s", next.log())
	}
	replays(t, "--data", data)
}

func secondSignal(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "The first sentence is here. And then\nstall\n")
	v := newVisitor(t, p.url)
	c := v.conversation()
	must(t, v.send(t.Context(), c, "k", "a question"))
	shown := make(chan struct{})
	go v.followUntil(t.Context(), c, shown)
	<-shown
	for alive := true; alive; { // the first waits for the turn, 10 s
		must(t, errors.Join(p.cmd.Process.Signal(syscall.SIGTERM)))
		select {
		case <-p.ended:
			alive = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGTERM {
		t.Errorf("the server ended as %v", p.cmd.ProcessState)
	}
}

func droppedConnections(t *testing.T) {
	url := storetest.Database(t)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	dir := t.TempDir()
	t.Setenv("ANSWERABLE_KEY", strings.Repeat("5a", 32))
	p := start(t, filepath.Join(dir, "data"), slowScript, "--postgres", url)
	v := newVisitor(t, p.url)
	var clients sync.WaitGroup
	for range 6 {
		c := &seen{sent: map[string]string{}, turns: map[chat.TurnID]bool{}}
		v.conversations = append(v.conversations, c)
		clients.Go(func() {
			again := func(f func() error) bool {
				return v.insist(t.Context(), func() error { return again500(f()) })
			}
			_ = again(func() error { return v.create(t.Context(), c) }) &&
				again(func() error { return v.send(t.Context(), c, "one", "a question") }) &&
				again(func() error { return v.follow(t.Context(), c) }) &&
				again(func() error { return v.send(t.Context(), c, "two", "another question") }) &&
				again(func() error { return v.follow(t.Context(), c) })
		})
	}
	over := make(chan struct{})
	go func() { clients.Wait(); close(over) }()
	dropped := 0
	for every := time.NewTicker(400 * time.Millisecond); dropped < 6; {
		select {
		case <-every.C:
			_, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			must(t, err)
			dropped++
			continue
		case <-over:
		}
		break
	}
	<-over
	if dropped < 3 {
		t.Errorf("connections were dropped %d times only", dropped)
	}
	v.check()
	if code := p.terminate(); code != exitOK {
		t.Errorf("the server ended with %d:\n%s", code, p.log())
	}
	replays(t, "--data", filepath.Join(dir, "data"), "--postgres", url)
}

// again500: while its connections are dropped, a server may fail, but not lie.
func again500(err error) error {
	if err != nil && (strings.Contains(err.Error(), " 500 ") || strings.Contains(err.Error(), " 503 ")) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

func staleAddress(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "Hello.\n")
	p.kill()
	if _, err := os.Stat(filepath.Join(data, "server.json")); err != nil {
		t.Fatal(err)
	}
	if code, out := command(t, "ask", "How much is delivery to Ireland?", "--data", data); code != exitOK || !strings.Contains(out, "4.90") {
		t.Errorf("ask after a server died = %d, %s", code, out)
	}
}

// start starts a server with a script for its provider.
func start(t *testing.T, data, script string, args ...string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.txt")
	must(t, os.WriteFile(file, []byte(script), 0o600))
	return begin(t, nil, append([]string{"--data", data, "--fake-provider", file, "--no-anonymous-limits"}, args...)...)
}

// begin starts a server, by cmd if there is one.
func begin(t *testing.T, cmd *exec.Cmd, args ...string) *process {
	t.Helper()
	if cmd == nil {
		cmd = exec.Command(executable(), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	}
	p, err := startProcess(cmd)
	must(t, err)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the server's last words:\n%.5000s", p.log())
		}
	})
	return p
}

// get returns the status of an answer.
func (p *process) get(t *testing.T, path string) int {
	t.Helper()
	resp, err := client().Get(p.url + path)
	must(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// memory is what the server holds of it, in bytes.
func (p *process) memory(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	must(t, err)
	var size, resident int
	_, err = fmt.Sscan(string(b), &size, &resident)
	must(t, err)
	return resident * os.Getpagesize()
}

// waitFiles waits until the server has as many files open.
func (p *process) waitFiles(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		must(t, err)
		if len(files) >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the server has %d files open, want %d", len(files), n)
		}
	}
}

func newVisitor(t *testing.T, url string) *visitor {
	return &visitor{t: t, url: url, rand: rand.New(rand.NewPCG(1, 2)), over: &atomic.Bool{}}
}

// conversation begins one.
func (v *visitor) conversation() *seen {
	v.t.Helper()
	c := &seen{sent: map[string]string{}, turns: map[chat.TurnID]bool{}}
	must(v.t, v.create(v.t.Context(), c))
	v.conversations = append(v.conversations, c)
	return c
}

// followUntil follows a conversation and closes shown when its first text is there.
func (v *visitor) followUntil(ctx context.Context, c *seen, shown chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(shown)
		watcher := &seen{id: c.id, token: c.token}
		v.firstText(ctx, watcher)
	}()
	return v.follow(ctx, c)
}

// firstText reads events until there is text.
func (v *visitor) firstText(ctx context.Context, c *seen) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/v1/conversations/"+c.id+"/events", nil)
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := client().Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	var read []byte
	buf := make([]byte, 4096)
	for !strings.Contains(string(read), "event: "+string(chat.KindText)+"\n") {
		n, err := resp.Body.Read(buf)
		if read = append(read, buf[:n]...); err != nil {
			return
		}
	}
}

// end returns how the last turn ended.
func (c *seen) end(t *testing.T) chat.TurnEnded {
	t.Helper()
	for i := len(c.events) - 1; i >= 0; i-- {
		if c.events[i].Kind == chat.KindTurnEnded {
			b, err := chat.Decode[chat.TurnEnded](c.events[i])
			must(t, err)
			return b
		}
	}
	t.Fatal("no turn has ended")
	return chat.TurnEnded{}
}

// replays checks that every turn replays.
func replays(t *testing.T, args ...string) {
	t.Helper()
	code, out := command(t, append([]string{"replay", "--all", "--json"}, args...)...)
	var got struct{ Turns, Same int }
	if err := json.Unmarshal([]byte(out), &got); code != exitOK || err != nil || got.Turns == 0 || got.Same != got.Turns {
		t.Errorf("replay --all = %d, %s", code, out)
	}
}

// command runs the program to its end and returns its exit code and what it said.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	return commandAs(t, executable(), uint32(os.Getuid()), args...)
}

func commandAs(t *testing.T, file string, uid uint32, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(file, args...)
	cmd.Env = append(os.Environ(), program...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid != uint32(os.Getuid()) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
		cmd.Dir = "/"
	}
	limit := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer limit.Stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small disk and to become another user")
	}
}

// tmpfs mounts a small disk.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size="+size); err != nil {
		if errors.Is(err, syscall.EPERM) {
			t.Skip("root may not mount here: ", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill appends to a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	for block := make([]byte, 1<<16); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else {
			must(t, err)
		}
	}
}

// forEverybody returns the program in a directory that every user may read.
func forEverybody(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "answerable")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	file := filepath.Join(dir, "answerable")
	from, err := os.Open(executable())
	must(t, err)
	defer from.Close()
	to, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(to, from)
	must(t, errors.Join(err, to.Close(), os.Chmod(file, 0o755)))
	return file
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
