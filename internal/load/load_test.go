package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// world is a server that is none: it answers a request when the script says so.
type world struct {
	answer func(n int) []piece // of the nth question
	begin  func(body string) (status int, problem string)

	mu                sync.Mutex
	begun, asked      int
	questions, tokens []string
}

// piece is what comes next, after a while; nothing more when it is an error.
type piece struct {
	after time.Duration
	text  string
	err   error
}

const (
	ms = time.Millisecond

	accepted = `data: {"seq":1,"kind":"message.accepted","turn":"t1"}` + "\n\n"
	started  = `data: {"seq":2,"kind":"turn.started","turn":"t1"}` + "\n\n"
	shown    = `data: {"seq":3,"kind":"text","turn":"t1","text":"Yes."}` + "\n\n"
	ended    = `data: {"seq":4,"kind":"turn.ended","turn":"t1","outcome":"answered","text":"Yes."}` + "\n\n"
)

// yes is an answer that takes so long.
func yes(d time.Duration) []piece {
	return []piece{{text: "retry: 1000\n\n" + accepted + started}, {after: d / 2, text: shown}, {after: d / 2, text: ended}}
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	respond := func(status int, body io.ReadCloser) (*http.Response, error) {
		return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: body, Request: r, Header: http.Header{}}, nil
	}
	if strings.HasSuffix(r.URL.Path, "/conversations") {
		if w.begin != nil {
			if status, problem := w.begin(string(b)); status != 201 {
				return respond(status, io.NopCloser(strings.NewReader(problem)))
			}
		}
		w.begun++
		return respond(201, io.NopCloser(strings.NewReader(fmt.Sprintf(`{"id":"c%d","token":"cv_%d"}`, w.begun, w.begun))))
	}
	var body struct{ Text string }
	if err := json.Unmarshal(b, &body); err != nil {
		return nil, err
	}
	w.questions, w.tokens = append(w.questions, body.Text), append(w.tokens, r.Header.Get("Authorization"))
	w.asked++
	pieces := w.answer(w.asked - 1)
	if len(pieces) > 0 && pieces[0].text == "" {
		return nil, pieces[0].err
	}
	return respond(200, &script{r.Context(), pieces})
}

// script is a body that comes in pieces.
type script struct {
	ctx    context.Context
	pieces []piece
}

func (s *script) Read(b []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	p := &s.pieces[0]
	if !sleep(s.ctx, p.after) {
		return 0, s.ctx.Err()
	}
	p.after = 0
	if p.err != nil {
		return 0, p.err
	}
	n := copy(b, p.text)
	if p.text = p.text[n:]; p.text == "" {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (*script) Close() error { return nil }

func (w *world) plan() Plan {
	return Plan{URL: "http://shop.example", Questions: []string{"a", "b", "c"}, Rate: 10, Constant: true, Conversations: 1, Turns: 1000,
		Duration: 10 * time.Second, Patience: time.Minute, transport: w}
}

func (w *world) run(t *testing.T, p Plan) *Report {
	t.Helper()
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// near reports whether a time is what is wanted, to the three digits that are kept.
func near(got float64, want time.Duration) bool {
	w := float64(want) / float64(ms)
	return got >= w*0.999 && got <= w*1.002+0.001
}

// A server that stalls once for two seconds makes every question late that was due
// meanwhile, although nobody could ask it.
func TestAStallCountsForAllWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := func(n int) time.Duration {
			if n == 19 {
				return 2 * time.Second
			}
			return 50 * ms
		}
		w := &world{answer: func(n int) []piece { return yes(takes(n)) }}
		r := w.run(t, w.plan())
		var want []time.Duration
		var free time.Duration
		waited := 0
		for n := range 99 { // due at 0.1 s … 9.9 s
			due := time.Duration(n+1) * 100 * ms
			if free > due {
				waited++
			}
			free = max(due, free) + takes(n)
			want = append(want, free-due)
		}
		slices.Sort(want)
		if r.Asked != 99 || r.Answered != 99 || r.Whole.Count != 99 || !near(r.Whole.P50, want[49]) || !near(r.Whole.P95, want[93]) || !near(r.Whole.Max, want[98]) {
			t.Errorf("whole answers: %+v, want p50 %s, p95 %s, max %s", r.Whole, want[49], want[93], want[98])
		}
		if want[93] < time.Second {
			t.Fatal("the stall does not show in what is wanted")
		}
		if int(r.Generator.Waited.Count) != waited || len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], fmt.Sprintf("%d of 99 questions were due while all 1 conversations were busy", waited)) {
			t.Errorf("%d waited, want %d: %q", r.Generator.Waited.Count, waited, r.Warnings)
		}
		if !r.Well() || r.Generator.Late.Max > 1 {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(n int) []piece {
			if n < 19 {
				return yes(3 * time.Second) // in the warm-up
			}
			return yes(200 * ms)
		}}
		p := w.plan()
		p.Conversations, p.Turns, p.Warmup, p.Duration = 100, 2, 2*time.Second, 4*time.Second
		p.Key = "ak_key"
		var told []int64
		p.Progress = func(done, total int64) { told = append(told, done, total) }
		r := w.run(t, p)
		if r.Asked != 40 || r.Answered != 40 || r.Seconds != 4 || !near(r.First.P50, 100*ms) || !near(r.Whole.Max, 200*ms) || r.Outcomes["answered"] != 40 {
			t.Errorf("%+v", r)
		}
		// Those due in the last 200 ms end later, and those of the warm-up in its place.
		if r.Rate != (38+19)/4.0 {
			t.Errorf("%.2f answers a second", r.Rate)
		}
		if w.questions[0] != "a" || w.questions[1] != "b" || w.questions[3] != "a" || w.tokens[0] != "Bearer ak_key" {
			t.Errorf("asked %q with %q", w.questions[:4], w.tokens[0])
		}
		if w.begun < 30 || w.begun > 60 { // 59 questions, two in a conversation, some at the same time, and one to try
			t.Errorf("%d conversations", w.begun)
		}
		if n := len(told); n < 4 || told[n-1] != 60 || told[n-2] != 59 {
			t.Errorf("progress was told as %v", told)
		}
		if !r.Test || r.Server != nil || len(r.Warnings) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestArrivalsByChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(int) []piece { return yes(ms) }}
		p := w.plan()
		p.Constant, p.Rate, p.Conversations = false, 100, 50
		if r := w.run(t, p); r.Asked < 900 || r.Asked > 1100 {
			t.Errorf("%d questions in 10 s at 100 a second", r.Asked)
		}
	})
}

func TestWhatGoesWrongIsTold(t *testing.T) {
	event := func(seq int, rest string) string {
		return fmt.Sprintf(`data: {"seq":%d,"turn":"t1",%s}`+"\n\n", seq, rest)
	}
	end := event(5, `"kind":"turn.ended","outcome":"answered","text":"Yes."`)
	for name, test := range map[string]struct {
		answer         []piece
		failure        string // of which there is one, or ""
		lost, repeated int
	}{
		"all is well":         {answer: yes(ms)},
		"one is lost":         {answer: []piece{{text: accepted + started + shown + end}}, lost: 1},
		"one comes twice":     {answer: []piece{{text: accepted + started + started + shown + ended}}, repeated: 1},
		"text comes twice":    {answer: []piece{{text: accepted + shown + shown + ended}}, lost: 1, repeated: 1},
		"out of order":        {answer: []piece{{text: accepted + shown + started + ended}}, lost: 1, repeated: 1},
		"text is missing":     {answer: []piece{{text: accepted + started + ended}}, lost: 1, failure: "the pieces differ from the whole answer"},
		"retracted":           {answer: []piece{{text: accepted + event(2, `"kind":"text","text":"No"`) + event(3, `"kind":"retract"`) + event(4, `"kind":"text","text":"Yes."`) + end}}},
		"a signal":            {answer: []piece{{text: accepted + `data: {"kind":"typing"}` + "\n\n" + started + shown + ended}}},
		"broken off":          {answer: []piece{{text: accepted + started + shown}}, failure: "the answer broke off"},
		"cut in an event":     {answer: []piece{{text: accepted + started + shown[:20] + "\n\n"}}, failure: "the answer broke off"},
		"nothing at all":      {answer: []piece{{text: "\n"}}, failure: "the answer broke off"},
		"a person has it":     {answer: []piece{{text: `data: {"seq":1,"kind":"message.accepted"}` + "\n\n"}}, failure: "nobody answers: the conversation is a person's"},
		"failed":              {answer: []piece{{text: accepted + `data: {"seq":2,"kind":"turn.ended","outcome":"failed","text":""}` + "\n\n"}}, failure: "the outcome is failed"},
		"too late":            {answer: []piece{{text: accepted + started}, {after: time.Hour}}, failure: "no whole answer in time"},
		"connection refused":  {answer: []piece{{err: syscall.ECONNREFUSED}}, failure: "connection refused"},
		"connection reset":    {answer: []piece{{text: accepted}, {err: syscall.ECONNRESET}}, failure: "connection reset"},
		"no more connections": {answer: []piece{{err: syscall.EMFILE}}, failure: "too many open files on this machine: raise ulimit -n"},
		"something else":      {answer: []piece{{err: errors.New("no route to 10.1.2.3:4711")}}, failure: "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{answer: func(int) []piece { return slices.Clone(test.answer) }}
				p := w.plan()
				p.Duration = 150 * ms // one question
				r := w.run(t, p)
				want := map[string]int{}
				if test.failure != "" {
					want[test.failure] = 1
				}
				if !reflect.DeepEqual(r.Errors, want) || r.Lost != test.lost || r.Repeated != test.repeated {
					t.Errorf("errors %v, %d lost, %d twice; want %v, %d, %d", r.Errors, r.Lost, r.Repeated, want, test.lost, test.repeated)
				}
				if well := test.failure == "" && test.lost+test.repeated == 0; r.Well() != well {
					t.Errorf("Well = %t", r.Well())
				}
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	const limited = `{"type":"/problems/too-many-requests","detail":"too many new conversations from this address: wait 3 s"}`
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(int) []piece { return yes(ms) }}
		n := 0
		w.begin = func(string) (int, string) {
			if n++; n > 3 {
				return 429, limited
			}
			return 201, ""
		}
		p := w.plan()
		p.Turns, p.Duration = 1, time.Second // nine questions
		r := w.run(t, p)
		if want := (map[string]int{"429 too-many-requests": 7}); !reflect.DeepEqual(r.Errors, want) || r.Answered != 2 || r.Asked != 9 {
			t.Errorf("errors %v, %d of %d", r.Errors, r.Answered, r.Asked)
		}
		if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "ANSWERABLE_API_KEY") {
			t.Errorf("warnings %q", r.Warnings)
		}
	})
	// A server that lets nobody mark tests is loaded all the same, and it is said.
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(int) []piece { return yes(ms) }}
		w.begin = func(body string) (int, string) {
			if strings.Contains(body, "test") {
				return 403, `{"type":"/problems/forbidden","detail":"test needs an API key"}`
			}
			return 201, ""
		}
		p := w.plan()
		p.Duration = time.Second
		r := w.run(t, p)
		if r.Test || !r.Well() || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "count as customers'") {
			t.Errorf("%+v", r)
		}
	})
	// One that begins no conversation at all is not measured.
	for status, body := range map[int]string{429: limited, 500: "<html>"} {
		w := &world{begin: func(string) (int, string) { return status, body }}
		if _, err := Run(t.Context(), w.plan()); err == nil || !strings.Contains(err.Error(), "begin a conversation at http://shop.example: ") {
			t.Errorf("%d: %v", status, err)
		}
	}
	p := (&world{}).plan()
	p.URL, p.transport = "http://127.0.0.1:1", nil
	if _, err := Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "connection refused: is the server running there?") {
		t.Errorf("no server: %v", err)
	}
}

func TestAnInterruptedRunReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(int) []piece { return yes(40 * ms) }}
		p := w.plan()
		p.Warmup = time.Second
		ctx, stop := context.WithTimeout(t.Context(), 3020*ms) // in the middle of an answer
		defer stop()
		r, err := Run(ctx, p)
		if err != nil || !r.Interrupted || r.Seconds < 2.01 || r.Seconds > 2.03 || r.Answered != 20 || r.Asked != 20 || !r.Well() {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestHistograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	synctest.Test(t, func(t *testing.T) {
		w := &world{answer: func(int) []piece { return yes(50 * ms) }}
		r := w.run(t, w.plan())
		if err := r.WriteHistograms(dir); err != nil {
			t.Fatal(err)
		}
		if last := r.Whole.Histogram[len(r.Whole.Histogram)-1]; last.Percent != 100 || last.Count != 99 || !near(last.MS, 50*ms) {
			t.Errorf("the histogram ends with %+v", last)
		}
	})
	b, err := os.ReadFile(filepath.Join(dir, "whole_answer.hgrm"))
	if err != nil || !strings.Contains(string(b), "Value") || !strings.Contains(string(b), "#[Mean") || !strings.Contains(string(b), "50.0") {
		t.Errorf("%s %v", b, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 4 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestUsage(t *testing.T) {
	u, err := parseStat("77 (a) b (c)) S 1 77 77 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 9 0 100 1000000 512 18446744073709551615 1", 4096)
	if err != nil || u.cpu != 3*time.Second || u.rss != 512*4096 {
		t.Errorf("parseStat = %+v, %v", u, err)
	}
	for line, want := range map[string]usage{
		"  0:01.50  2048\n": {1500 * ms, 2 << 20}, "01:02:03 10": {time.Hour + 2*time.Minute + 3*time.Second, 10 << 10}, "2-00:00:01 1": {48*time.Hour + time.Second, 1 << 10},
	} {
		if got, err := parsePS(line); err != nil || got != want {
			t.Errorf("parsePS(%q) = %+v, %v, want %+v", line, got, err, want)
		}
	}
	for _, bad := range []string{"", "x", "1:x 3", "1:00 x", "x-1:00 3"} {
		if got, err := parsePS(bad); err == nil {
			t.Errorf("parsePS(%q) = %+v", bad, got)
		}
		if got, err := parseStat(bad, 4096); err == nil {
			t.Errorf("parseStat(%q) = %+v", bad, got)
		}
	}
	if u, err := usageOf(os.Getpid()); err != nil || u.rss < 1<<20 {
		t.Errorf("usageOf this process = %+v, %v", u, err)
	}
	if _, err := usageOf(1 << 30); err == nil {
		t.Error("a process that is not there uses something")
	}
}

func TestReadQuestions(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		content string
		want    []string
		wrong   string
	}{
		"a.txt":  {"# some\n\n  How long? \r\nWhy?", []string{"How long?", "Why?"}, ""},
		"a.yaml": {"- id: a\n  question: How long?\n  expect: answer\n- id: b\n  question: And then?\n  history: [{customer: x}]\n", []string{"How long?"}, ""},
		"b.yml":  {"question: x", nil, "want a list of cases"},
		"b.txt":  {"\n# none\n", nil, "no question in"},
		"c.txt":  {"\xff", nil, "UTF-8"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadQuestions(file)
		if !slices.Equal(got, test.want) || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := ReadQuestions(filepath.Join(dir, "gone")); err == nil {
		t.Error("a missing file has questions")
	}
}

func TestOwnMachine(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "192.0.2.1": false, "2001:db8::1": false} {
		if got, err := OwnMachine(t.Context(), host); err != nil || got != want {
			t.Errorf("OwnMachine(%s) = %t, %v", host, got, err)
		}
	}
}
