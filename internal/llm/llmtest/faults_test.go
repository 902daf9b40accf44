package llmtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/llm"
)

// connect sends a request over a connection of its own, which ends with the reply.
func connect(t *testing.T, srv *httptest.Server, f form) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	req := f.request(srv.URL, "q")
	req.Close = true
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// raw returns all bytes that come over a connection, and the error with which it ended;
// nil is an end in order.
func raw(t *testing.T, srv *httptest.Server, f form) ([]byte, error) {
	t.Helper()
	conn := connect(t, srv, f)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return io.ReadAll(conn)
}

// orderly checks that a reply came to its end.
func orderly(got []byte, err error) error {
	if err != nil || !whole(got) {
		return fmt.Errorf("ended with %v, want a reply that is whole", err)
	}
	return nil
}

// brokenOff checks that a reply ended before its end.
func brokenOff(got []byte, err error) error {
	if err != nil || whole(got) {
		return fmt.Errorf("ended with %v, want a reply that is broken off", err)
	}
	return nil
}

// whole reports whether a response has as many bytes as it says, or its last chunk.
func whole(b []byte) bool {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return false
	}
	_, err = io.ReadAll(resp.Body)
	return err == nil
}

// TestFaults has each fault happen after each number of chunks, in every form, and looks
// at the bytes and at how the connection ends.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault string
		first bool // only before the first chunk
		check func(got []byte, err error) error
	}{
		{"status 503", true, func(got []byte, err error) error {
			if !bytes.HasPrefix(got, []byte("HTTP/1.1 503 ")) {
				return errors.New("no status 503")
			}
			return orderly(got, err)
		}},
		{"html", true, func(got []byte, err error) error {
			if !bytes.HasPrefix(got, []byte("HTTP/1.1 200 ")) || !bytes.Contains(got, []byte("Content-Type: text/html")) {
				return errors.New("no page")
			}
			return orderly(got, err)
		}},
		{"cut", false, nil},
		{"late-error \"Too busy\"", false, func(got []byte, err error) error {
			if !bytes.Contains(got, []byte(`"Too busy"`)) {
				return errors.New("no error")
			}
			return orderly(got, err)
		}},
		{"error later \"Too busy\"", false, func(got []byte, err error) error {
			if !bytes.Contains(got, []byte(`"Too busy"`)) {
				return errors.New("no error")
			}
			return orderly(got, err)
		}},
		{"reset", false, func(_ []byte, err error) error {
			if !errors.Is(err, syscall.ECONNRESET) {
				return fmt.Errorf("ended with %w, want a reset", err)
			}
			return nil
		}},
		{"half", false, func(got []byte, err error) error {
			got = bytes.TrimSuffix(got, []byte("\r\n"))
			if r, _ := utf8.DecodeLastRune(got); r != utf8.RuneError || got[len(got)-1] != twoBytes[0] {
				return fmt.Errorf("ended with %q, want half a code point", got[max(0, len(got)-9):])
			}
			return brokenOff(got, err)
		}},
		{"nonsense", false, func(got []byte, err error) error {
			if !bytes.Contains(got, []byte(noJSON)) {
				return errors.New("no nonsense")
			}
			return orderly(got, err)
		}},
		{"giant", false, func(got []byte, err error) error {
			if !bytes.Contains(got, bytes.Repeat([]byte("x"), 1<<10)) || len(got) < tooMuch {
				return fmt.Errorf("%d bytes, want more than %d", len(got), tooMuch)
			}
			return orderly(got, err)
		}},
	} {
		for _, f := range forms {
			for k := range 3 {
				if k > 0 && test.first || test.fault == "giant" && k != 1 {
					continue
				}
				script := ""
				for i := range k {
					script += fmt.Sprintf("chunk \"chunk%d.\"\n", i)
				}
				got, err := raw(t, serve(t, script+test.fault), f)
				check := test.check
				if check == nil {
					check = orderly
					if !f.stream {
						check = brokenOff
					}
				}
				if err := check(got, err); err != nil {
					t.Errorf("%s after %d chunks, %s: %v in %.300q", test.fault, k, f.name, err, got)
				}
				if n := bytes.Count(got, []byte("chunk")) - bytes.Count(got, []byte("chat.completion.chunk")) - bytes.Count(got, []byte("chunked")); f.stream && n != k {
					t.Errorf("%s after %d chunks, %s: %d chunks came", test.fault, k, f.name, n)
				}
				if f.stream && finished(got) != (test.fault == "nonsense" || test.fault == "giant") {
					t.Errorf("%s after %d chunks, %s: a finish came, or none where one was wanted: %.300q", test.fault, k, f.name, got)
				}
			}
		}
	}
}

func finished(stream []byte) bool {
	for _, end := range []string{"[DONE]", "message_stop", "finishReason"} {
		if bytes.Contains(stream, []byte(end)) {
			return true
		}
	}
	return false
}

// TestFaultsInProcess checks what the faults are where there is no wire.
func TestFaultsInProcess(t *testing.T) {
	for _, test := range []struct {
		script string
		want   llm.Error
	}{
		{"status 400", llm.Error{Fault: llm.Elsewhere, Status: 400}},
		{"status 400 long", llm.Error{Fault: llm.TooLong, Status: 400}},
		{"status 401", llm.Error{Fault: llm.Broken, Status: 401}},
		{"status 403", llm.Error{Fault: llm.Broken, Status: 403}},
		{"status 404", llm.Error{Fault: llm.Broken, Status: 404}},
		{"status 413", llm.Error{Fault: llm.TooLong, Status: 413}},
		{"status 429 retry-after 2s", llm.Error{Fault: llm.Later, Status: 429, After: 2 * time.Second}},
		{"status 429 quota", llm.Error{Fault: llm.Broken, Status: 429}},
		{"status 500", llm.Error{Fault: llm.Later, Status: 500}},
		{"status 503 retry-after 1s \"Busy\"", llm.Error{Fault: llm.Later, Status: 503, After: time.Second}},
		{"status 529", llm.Error{Fault: llm.Later, Status: 529}},
		{"error broken \"x\"", llm.Error{Fault: llm.Broken}},
		{"error too_long \"x\"", llm.Error{Fault: llm.TooLong}},
		{"late-error \"x\"", llm.Error{Fault: llm.Later}},
		{"reset", llm.Error{Fault: llm.Later}},
		{"half", llm.Error{Fault: llm.Later}},
		{"nonsense", llm.Error{Fault: llm.Later}},
		{"giant", llm.Error{Fault: llm.Elsewhere}},
		{"html", llm.Error{Fault: llm.Elsewhere}},
	} {
		s, err := Parse("script", test.script)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range s.Provider().Stream(t.Context(), llm.Request{}) {
			n++
			var got *llm.Error
			if !errors.As(err, &got) || got.Fault != test.want.Fault || got.Status != test.want.Status || got.After != test.want.After || got.Provider != Name {
				t.Errorf("%s: %v, want %+v", test.script, err, test.want)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d chunks, want only an error", test.script, n)
		}
	}
}

// TestLeaving checks that a client that leaves is seen at once, whatever the call waits
// for.
func TestLeaving(t *testing.T) {
	for _, script := range []string{"x\nstall", "x\ndelay 1h\ny"} {
		for _, f := range forms {
			srv := serve(t, script)
			conn := connect(t, srv, f)
			var got []byte
			for buf := make([]byte, 4<<10); f.stream && !bytes.Contains(got, []byte(`"x`)); {
				n, err := conn.Read(buf)
				if err != nil {
					t.Fatalf("%q %s: %v before the first chunk", script, f.name, err)
				}
				got = append(got, buf[:n]...)
			}
			for statsOf(t, srv, "").InFlight != 1 {
			}
			conn.Close()
			start := time.Now()
			for statsOf(t, srv, "").Left != 1 {
				if time.Since(start) > 5*time.Second {
					t.Fatalf("%q %s: nobody left", script, f.name)
				}
			}
			if got := statsOf(t, srv, ""); got.counts != (counts{Requests: 1, Left: 1}) {
				t.Errorf("%q %s: stats = %+v, want one that left", script, f.name, got.counts)
			}
		}
	}
}

// pipes is a listener whose connections are in memory, so that time can be made up.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// TestPaceOverHTTP checks when the headers and each chunk come.
func TestPaceOverHTTP(t *testing.T) {
	for _, test := range []struct {
		script string
		want   []time.Duration // of the headers, each event with text, and the end, in milliseconds
	}{
		{"slow 1s\nttft 200ms\nitl 20ms\none two\ndelay 1s\nitl 5ms\nthree four", []time.Duration{1000, 1200, 1220, 2225, 2230, 2230}},
		{"ttft 300ms\nthink \"a b\"\nc", []time.Duration{0, 300, 300}},
		{"slow 1s\nttft 2s\nstatus 503", []time.Duration{3000, 3000}},
	} {
		s, err := Parse("script", test.script)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			p := pipes{make(chan net.Conn), make(chan struct{})}
			srv := http.Server{Handler: s.Handler()}
			go srv.Serve(p) // until it is closed
			defer srv.Close()
			client := http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
			start := time.Now()
			resp, err := client.Do(forms[0].request("http://pipe", "q"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			at := func() time.Duration { return time.Since(start) / time.Millisecond }
			got := []time.Duration{at()}
			lines := bufio.NewScanner(resp.Body)
			for lines.Scan() {
				if strings.Contains(lines.Text(), `"delta":{"content"`) {
					got = append(got, at())
				}
			}
			if got = append(got, at()); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%q: after %d ms, want %d", test.script, got, test.want)
			}
		})
	}
}

// TestLateChunkIsMadeUp checks that a reader who pauses does not slow down what follows.
func TestLateChunkIsMadeUp(t *testing.T) {
	s, err := Parse("script", "itl 20ms\na b c d")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for c, err := range s.Provider().Stream(t.Context(), llm.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Text == "a " {
				time.Sleep(30 * time.Millisecond)
			}
		}
		if took := time.Since(start); took != 60*time.Millisecond {
			t.Errorf("the last of four chunks came after %v, want 60ms", took)
		}
	})
}
