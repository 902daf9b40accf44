package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm/llmtest"
)

// The answer of every model: six sentences of ten words, a chunk each.
var sentences = []string{
	"You can send a pair of boots back within thirty days. ",
	"Please put them into the box in which they came. ",
	"The label for the parcel lies under the folded paper. ",
	"Bring the parcel to any post office in your town. ",
	"We pay your money back when the parcel has arrived. ",
	"It takes three working days until your bank shows it. ",
}

const chunks = 60

// deaths are the ways in which a provider dies in the middle of a stream.
var deaths = []string{"reset", "cut", "half", "nonsense", "late-error", "stall", "giant"}

// before are the ways in which it dies before anything of the answer.
var before = []string{"status 429", "status 429 quota", "status 500", "status 529", "status 401", "status 404", "html"}

// dying is a script whose answer to a question "k17 reset" dies so before chunk 17.
func dying(t testing.TB) *llmtest.Script {
	t.Helper()
	words := strings.SplitAfter(strings.Join(sentences, ""), " ")[:chunks]
	var b strings.Builder
	for _, d := range deaths {
		for k := range chunks + 1 {
			fmt.Fprintf(&b, "when k%d %s\\b\n", k, d)
			for _, w := range words[:k] {
				fmt.Fprintf(&b, "chunk %q\n", w)
			}
			if d == "late-error" {
				d += ` "overloaded"`
			}
			fmt.Fprintf(&b, "%s\n---\n", d)
			d, _, _ = strings.Cut(d, " ")
		}
	}
	for _, d := range before {
		fmt.Fprintf(&b, "when k0 %s\\b\n%s\n---\n", d, d)
	}
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(strings.Join(sentences, "")))
	s, err := llmtest.Parse("dying", b.String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFailoverAtEveryChunk has each provider die in every way before every chunk of an
// answer, and another take over. The customer gets one whole answer, on the feed after a
// retract where something was shown, and on faces that cannot take anything back without
// a repetition. The short form takes some of the chunks.
func TestFailoverAtEveryChunk(t *testing.T) {
	long := os.Getenv("ANSWERABLE_PROOF") == "long"
	ks := []int{0, 1, 10, 35, 60}
	if long {
		ks = nil
		for k := range chunks + 1 {
			ks = append(ks, k)
		}
	}
	firsts := []string{"openai", "anthropic", "gemini"}
	var table sync.Map // "provider death face" → *atomic.Int64
	for i, first := range firsts {
		t.Run(first, func(t *testing.T) {
			bad := vendorServer(t, dying(t))
			good := vendorServer(t, wholeAnswer(t))
			var g errgroup.Group
			g.SetLimit(4)
			for _, face := range faces {
				ask := func(k int, death string) {
					g.Go(func() error {
						s, stop, err := failoverServer(t, entry(first, "dying", bad), entry(firsts[(i+1)%3], "healthy", good))
						if err != nil {
							return err
						}
						defer stop()
						if err := face.ask(s, fmt.Sprintf("k%d %s", k, death), k); err != nil {
							t.Errorf("%s dies (%s) before chunk %d, on %s: %v", first, death, k, face.name, err)
						}
						n, _ := table.LoadOrStore(first+" "+death+" "+face.name, new(atomic.Int64))
						n.(*atomic.Int64).Add(1)
						return nil
					})
				}
				for _, death := range deaths {
					for _, k := range ks {
						ask(k, death)
					}
				}
				for _, death := range before {
					ask(0, death)
				}
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	if long {
		report(t, &table)
	}
}

func report(t *testing.T, table *sync.Map) {
	var lines []string
	table.Range(func(k, v any) bool {
		lines = append(lines, fmt.Sprintf("%-40s %d", k, v.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(lines)
	t.Logf("whole answers:\n%s", strings.Join(lines, "\n"))
}

func wholeAnswer(t testing.TB) *llmtest.Script {
	t.Helper()
	s, err := llmtest.Parse("whole", strings.TrimSpace(strings.Join(sentences, ""))+"\n")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func vendorServer(t testing.TB, s *llmtest.Script) *httptest.Server {
	t.Helper()
	v := httptest.NewServer(s.Handler())
	t.Cleanup(v.Close)
	return v
}

func entry(provider, name string, v *httptest.Server) ModelConfig {
	return ModelConfig{Provider: provider, Name: name, Model: "m", BaseURL: v.URL}
}

// failoverServer is a whole server that asks these models. Each case has one of its own:
// else the breakers would spare it most deaths.
func failoverServer(t testing.TB, models ...ModelConfig) (s *httptest.Server, stop func(), err error) {
	dir := t.TempDir()
	writeFile(t, dir+"/"+assistant.File, "name: shop\ngate: word\nknowledge: []\n")
	return serverFor(t, dir, models...)
}

// serverFor is a whole server for the assistant in dir.
func serverFor(t testing.TB, dir string, models ...ModelConfig) (s *httptest.Server, stop func(), err error) {
	c := DefaultConfig()
	c.Data, c.Models = t.TempDir(), models
	c.Limits.Anonymous = AnonymousLimits{}
	c.Limits.Provider.FirstToken, c.Limits.Provider.Between = 500*time.Millisecond, 500*time.Millisecond
	a, err := New(t.Context(), Options{Config: c, Dir: dir, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	ready := new(atomic.Bool)
	ready.Store(true)
	s = httptest.NewServer(a.api(true, nil, ready).Handler())
	return s, func() {
		s.Close()
		cancel()
		if err := errors.Join(<-done, a.Close()); err != nil {
			t.Error(err)
		}
	}, nil
}

// face is a way to ask and to read one whole answer. shown is how many chunks came before
// the death.
type face struct {
	name string
	ask  func(s *httptest.Server, question string, shown int) error
}

var faces = []face{
	{"feed", askFeed},
	{"chat", func(s *httptest.Server, question string, _ int) error {
		text, err := read(s, "/chat", map[string]any{"message": question}, func(data []byte) (string, error) {
			var line struct{ Chunk, Error string }
			err := json.Unmarshal(data, &line)
			if line.Error != "" {
				err = fmt.Errorf("error %q", line.Error)
			}
			return line.Chunk, err
		})
		return whole(text, err)
	}},
	{"completions", func(s *httptest.Server, question string, _ int) error {
		body := map[string]any{"model": "shop", "stream": true, "messages": []map[string]string{{"role": "user", "content": question}}}
		text, err := read(s, "/v1/chat/completions", body, func(data []byte) (string, error) {
			var line struct {
				Choices []struct{ Delta struct{ Content string } }
				Error   struct{ Message string }
			}
			err := json.Unmarshal(data, &line)
			if line.Error.Message != "" {
				err = fmt.Errorf("error %q", line.Error.Message)
			}
			if len(line.Choices) == 0 {
				return "", err
			}
			return line.Choices[0].Delta.Content, err
		})
		return whole(text, err)
	}},
}

// whole checks that a text is the answer, each sentence once.
func whole(text string, err error) error {
	if err != nil {
		return err
	}
	if want := strings.TrimSpace(strings.Join(sentences, "")); text != want {
		return fmt.Errorf("the answer is %q", text)
	}
	return nil
}

// read posts a question and joins the texts of what is streamed back.
func read(s *httptest.Server, path string, body any, textOf func(data []byte) (string, error)) (string, error) {
	resp, err := post(s, path, body)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var text strings.Builder
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok || string(data) == "[DONE]" {
			continue
		}
		piece, err := textOf(data)
		if err != nil {
			return "", err
		}
		text.WriteString(piece)
	}
	return text.String(), lines.Err()
}

func post(s *httptest.Server, path string, body any) (*http.Response, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, s.URL+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		resp.Body.Close()
		return nil, fmt.Errorf("POST %s: %s", path, resp.Status)
	}
	return resp, nil
}

// askFeed reads the events of one turn. Text that was shown before the death must be taken
// back, and nothing else may be.
func askFeed(s *httptest.Server, question string, shown int) error {
	resp, err := post(s, "/v1/conversations", map[string]any{})
	if err != nil {
		return err
	}
	var c struct{ ID string }
	err = json.NewDecoder(resp.Body).Decode(&c)
	resp.Body.Close()
	if err != nil {
		return err
	}
	text, ended, retracts, texts, last := "", "", 0, 0, int64(0)
	_, err = read(s, "/v1/conversations/"+c.ID+"/messages", map[string]string{"text": question}, func(data []byte) (string, error) {
		var e struct {
			Seq           int64
			Kind          chat.Kind
			Text, Outcome string
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return "", err
		}
		if last != 0 && e.Seq != last+1 {
			return "", fmt.Errorf("event %d follows %d", e.Seq, last)
		}
		last = e.Seq
		switch e.Kind {
		case chat.KindText:
			text += e.Text
			texts++
		case chat.KindRetract:
			if text == "" {
				return "", fmt.Errorf("nothing was shown, and it is taken back")
			}
			text = ""
			retracts++
		case chat.KindTurnEnded:
			ended = e.Text
			if e.Outcome != string(chat.Answered) {
				return "", fmt.Errorf("the outcome is %s", e.Outcome)
			}
		}
		return "", nil
	})
	switch {
	case err != nil:
		return err
	case ended != text:
		return fmt.Errorf("the turn ended with %q, its texts make %q", ended, text)
	case retracts > 1 || shown == 0 && retracts > 0:
		return fmt.Errorf("%d retracts after %d chunks", retracts, shown)
	}
	return whole(text, nil)
}
