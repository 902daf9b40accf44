package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store/storetest"
)

const killScript = `ttft 15ms
itl 4ms
Answer {{n}} begins here. It has several sentences, so that a kill lands in the middle.
The third sentence is a little longer than the others, and it holds a comma.
The fourth is short. The fifth ends answer {{n}}.
---
ttft 30ms
itl 3ms
Answer {{n}} is another. Its words come a little faster. It ends here.
`

// TestKill9 kills the server at random moments of streaming turns while clients write,
// follow, reconnect with the number of their last event, and stop. Every event comes
// exactly once, every turn ends once, no accepted message is lost, none is answered
// twice, the transcript is what was shown, and every turn replays.
func TestKill9(t *testing.T) {
	kills := map[string]int{"sqlite": 30, "postgres": 5}
	if os.Getenv("ANSWERABLE_PROOF") == "long" {
		kills = map[string]int{"sqlite": 300, "postgres": 100}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			script := filepath.Join(dir, "script.txt")
			if err := os.WriteFile(script, []byte(killScript), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--data", filepath.Join(dir, "data"), "--fake-provider", script, "--no-anonymous-limits"}
			env := []string{"ANSWERABLE_KEY=" + strings.Repeat("5a", 32)}
			if engine == "postgres" {
				args = append(args, "--postgres", storetest.Database(t))
			}
			pause := 400 * time.Millisecond
			if engine == "postgres" {
				pause = 4 * time.Second // a dead node's lease takes two
			}
			killing(t, kills[engine], pause, env, args)
		})
	}
}

func killing(t *testing.T, kills int, pause time.Duration, env, args []string) {
	s := startServer(t, env, args...)
	url := s.url
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	var over atomic.Bool
	visitors := make([]*visitor, 8)
	for i := range visitors {
		v := &visitor{t: t, url: url, rand: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(i))), over: &over}
		visitors[i] = v
		wg.Go(func() { v.run(ctx) })
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 99))
	for i := range kills {
		time.Sleep(20*time.Millisecond + time.Duration(r.Int64N(int64(pause))))
		s.kill()
		if t.Failed() {
			break
		}
		s.start()
		if i%50 == 49 {
			t.Logf("%d kills", i+1)
		}
	}
	over.Store(true)
	wg.Wait()
	turns, resumed := 0, 0
	for _, v := range visitors {
		n, r := v.check()
		turns, resumed = turns+n, resumed+r
	}
	s.kill()
	t.Logf("%d kills, %d turns, of which %d retracted or broke off", kills, turns, resumed)
	if t.Failed() {
		return
	}
	out, err := replayAll(env, args)
	if err != nil {
		t.Errorf("replay --all: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func replayAll(env, args []string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	a := []string{"replay", "--all"}
	for i, x := range args {
		if x == "--data" || x == "--postgres" {
			a = append(a, x, args[i+1])
		}
	}
	cmd := exec.Command(self, a...)
	cmd.Env = append(append(os.Environ(), asMain+"=1"), env...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// visitor is a client that does what a good client does.
type visitor struct {
	t    *testing.T
	url  string
	rand *rand.Rand
	over *atomic.Bool

	mu            sync.Mutex
	conversations []*seen
}

// seen is what a visitor saw of one conversation.
type seen struct {
	id, token string
	sent      map[string]string // text by client_id, of what was accepted
	turns     map[chat.TurnID]bool
	events    []chat.Event
	raw       []string
}

var errGone = errors.New("the server is gone")

func (v *visitor) run(ctx context.Context) {
	for n := 0; !v.over.Load() && !v.t.Failed(); n++ {
		c := &seen{sent: map[string]string{}, turns: map[chat.TurnID]bool{}}
		if !v.insist(ctx, func() error { return v.create(ctx, c) }) {
			return
		}
		v.mu.Lock()
		v.conversations = append(v.conversations, c)
		v.mu.Unlock()
		for m := range 1 + v.rand.IntN(4) {
			key := fmt.Sprintf("k%d", m)
			if !v.insist(ctx, func() error { return v.send(ctx, c, key, fmt.Sprintf("question %d of %d", m, n)) }) {
				return
			}
			if v.rand.IntN(4) == 0 {
				continue // a burst
			}
			if v.rand.IntN(10) == 0 {
				v.post(ctx, "/v1/conversations/"+c.id+"/stop", c.token, map[string]any{}, nil)
			}
			if !v.insist(ctx, func() error { return v.follow(ctx, c) }) {
				return
			}
			if v.over.Load() {
				break
			}
		}
		if !v.insist(ctx, func() error { return v.follow(ctx, c) }) {
			return
		}
	}
}

// insist repeats what failed because the server was gone.
func (v *visitor) insist(ctx context.Context, f func() error) bool {
	for end := time.Now().Add(90 * time.Second); ; {
		err := f()
		if err == nil {
			return true
		}
		if !errors.Is(err, errGone) || time.Now().After(end) || ctx.Err() != nil {
			v.t.Errorf("a visitor gives up: %v", err)
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (v *visitor) post(ctx context.Context, path, token string, body any, into any) error {
	b, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client().Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	defer resp.Body.Close()
	b, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusServiceUnavailable {
		return fmt.Errorf("%w: %v %s", errGone, err, b)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: %s %s", path, resp.Status, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

func (v *visitor) create(ctx context.Context, c *seen) error {
	var out struct{ ID, Token string }
	if err := v.post(ctx, "/v1/conversations", "", map[string]any{}, &out); err != nil {
		return err
	}
	c.id, c.token = out.ID, out.Token
	return nil
}

func (v *visitor) send(ctx context.Context, c *seen, key, text string) error {
	var out struct {
		Message string
		Turn    chat.TurnID
		Seq     int64
	}
	if err := v.post(ctx, "/v1/conversations/"+c.id+"/messages", c.token, map[string]any{"text": text, "client_id": key}, &out); err != nil {
		return err
	}
	if out.Turn == "" || out.Seq == 0 || out.Message == "" {
		return fmt.Errorf("accepted as %+v", out)
	}
	c.sent[key] = text
	c.turns[out.Turn] = true
	return nil
}

// follow reads events from the last one on until all turns have ended.
func (v *visitor) follow(ctx context.Context, c *seen) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/v1/conversations/"+c.id+"/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Last-Event-ID", strconv.Itoa(len(c.events)))
	if v.done(c) {
		return nil
	}
	resp, err := client().Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode == http.StatusServiceUnavailable {
			return fmt.Errorf("%w: %s", errGone, b)
		}
		return fmt.Errorf("events: %s %s", resp.Status, b)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	var id, kind string
	for lines.Scan() {
		line := lines.Text()
		if x, ok := strings.CutPrefix(line, "id: "); ok {
			id = x
		}
		if x, ok := strings.CutPrefix(line, "event: "); ok {
			kind = x
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e chat.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			if lines.Scan() { // not cut off: nonsense
				return fmt.Errorf("event %q: %w", data, err)
			}
			break
		}
		if e.Seq != int64(len(c.events)+1) || id != strconv.FormatInt(e.Seq, 10) || kind != string(e.Kind) {
			return fmt.Errorf("after %d events came %q %q %s", len(c.events), id, kind, data)
		}
		c.events, c.raw = append(c.events, e), append(c.raw, data)
		if v.done(c) {
			return nil
		}
	}
	return fmt.Errorf("%w: %v", errGone, lines.Err())
}

// done reports whether every turn that a 202 named has ended.
func (v *visitor) done(c *seen) bool {
	ended := map[chat.TurnID]bool{}
	for _, e := range c.events {
		if e.Kind == chat.KindTurnEnded {
			ended[e.Turn] = true
		}
	}
	for t := range c.turns {
		if !ended[t] {
			return false
		}
	}
	return true
}

// check compares what the visitor saw with what the server has.
func (v *visitor) check() (turns, resumed int) {
	for _, c := range v.conversations {
		t, r := c.check(v)
		turns, resumed = turns+t, resumed+r
	}
	return turns, resumed
}

func (c *seen) check(v *visitor) (turns, resumed int) {
	t := v.t
	began, ended, text := map[chat.TurnID]int{}, map[chat.TurnID]int{}, map[chat.TurnID]string{}
	accepted := map[string]int{}
	for _, e := range c.events {
		switch e.Kind {
		case chat.KindAccepted:
			b, err := chat.Decode[chat.MessageAccepted](e)
			if err != nil {
				t.Error(err)
			}
			accepted[b.Message.ClientID+"|"+string(b.Message.Text)]++
		case chat.KindTurnStarted:
			began[e.Turn]++
		case chat.KindText:
			b, err := chat.Decode[chat.TextShown](e)
			if err != nil {
				t.Error(err)
			}
			text[e.Turn] += b.Text
		case chat.KindRetract:
			text[e.Turn] = ""
			resumed++
		case chat.KindTurnEnded:
			b, err := chat.Decode[chat.TurnEnded](e)
			if err != nil {
				t.Error(err)
			}
			ended[e.Turn]++
			if string(b.Text) != text[e.Turn] {
				t.Errorf("%s %s: ended with %q, shown was %q", c.id, e.Turn, b.Text, text[e.Turn])
			}
			if b.Outcome == chat.Interrupted {
				resumed++
			}
		}
	}
	for id := range began {
		if began[id] != 1 || ended[id] != 1 {
			t.Errorf("%s: turn %s began %d times and ended %d times", c.id, id, began[id], ended[id])
		}
	}
	for key, words := range c.sent {
		if n := accepted[key+"|"+words]; n != 1 {
			t.Errorf("%s: message %s is %d times among the events", c.id, key, n)
		}
	}
	var out struct {
		Messages []chat.Message
	}
	if err := v.get("/v1/conversations/"+c.id+"/messages", c.token, &out); err != nil {
		t.Error(err)
		return
	}
	said, stored := map[string]int{}, map[chat.TurnID]string{}
	answers := map[chat.TurnID]int{}
	for _, m := range out.Messages {
		if m.Role == chat.Customer {
			said[m.ClientID+"|"+string(m.Text)]++
			continue
		}
		stored[m.Turn] = string(m.Text)
		answers[m.Turn]++
	}
	for key, words := range c.sent {
		if n := said[key+"|"+words]; n != 1 {
			t.Errorf("%s: message %s is %d times in the transcript", c.id, key, n)
		}
	}
	for id := range began {
		if stored[id] != text[id] || answers[id] > 1 {
			t.Errorf("%s %s: stored %d times, as %q, shown was %q", c.id, id, answers[id], stored[id], text[id])
		}
	}
	c.again(v)
	return len(began), resumed
}

// again reads the events once more from the start: they are the same, byte for byte.
func (c *seen) again(v *visitor) {
	twin := &seen{id: c.id, token: c.token, turns: c.turns}
	if err := v.follow(v.t.Context(), twin); err != nil {
		v.t.Error(err)
		return
	}
	for i := range min(len(c.raw), len(twin.raw)) {
		if c.raw[i] != twin.raw[i] {
			v.t.Errorf("%s: event %d was %s, is %s", c.id, i+1, c.raw[i], twin.raw[i])
			return
		}
	}
}

func (v *visitor) get(path, token string, into any) error {
	req, err := http.NewRequest(http.MethodGet, v.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
