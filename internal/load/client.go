package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"syscall"
	"time"
)

// client asks a server as a customer's software does.
type client struct {
	Plan
	http *http.Client
	test bool // conversations are marked as tests
}

// conversation is one that was begun, for one question at a time.
type conversation struct {
	id, token string
	asked     int
}

// answer is what became of a question. Times are those of the clock; zero: it did not come
// to that.
type answer struct {
	accepted, first, whole time.Time
	outcome                string
	handedOver             bool
	lost, repeated         int // events
	err                    error
}

// failure is why a question has no whole answer, in words that are the same for all of its
// kind.
type failure string

func (f failure) Error() string { return string(f) }

const (
	brokeOff   failure = "the answer broke off"
	nobody     failure = "nobody answers: the conversation is a person's"
	differs    failure = "the pieces differ from the whole answer"
	impatient  failure = "no whole answer in time"
	refused    failure = "connection refused"
	reset      failure = "connection reset"
	noHandles  failure = "too many open files on this machine: raise ulimit -n"
	noServer   failure = "no connection"
	unreadable failure = "an answer that cannot be read"
)

// tryOut begins a conversation, to know before anything is measured that the server is
// there, and what it allows.
func (c *client) tryOut(ctx context.Context) error {
	_, err := c.begin(ctx)
	var status *refusal
	if errors.As(err, &status) && status.code == http.StatusForbidden {
		c.test = false // tests are for who has a key
		_, err = c.begin(ctx)
	}
	if err != nil {
		if errors.As(err, &status) {
			return fmt.Errorf("begin a conversation at %s: %s", c.URL, status.detail)
		}
		return fmt.Errorf("begin a conversation at %s: %w: is the server running there?", c.URL, err)
	}
	return nil
}

// Suggestions returns what the assistant proposes to ask.
func Suggestions(ctx context.Context, p Plan) ([]string, error) {
	c := &client{Plan: p, http: http.DefaultClient}
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	resp, err := c.do(ctx, http.MethodGet, "/v1/widget?assistant="+url.QueryEscape(p.Assistant), "", "application/json", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var told struct {
		Suggestions []string `json:"suggestions"`
	}
	return told.Suggestions, json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&told)
}

func (c *client) begin(ctx context.Context) (*conversation, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	body := map[string]any{}
	if c.test {
		body["test"] = true
	}
	if c.Assistant != "" {
		body["assistant"] = c.Assistant
	}
	resp, err := c.do(ctx, http.MethodPost, "/v1/conversations", c.Key, "application/json", body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var begun struct{ ID, Token string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&begun); err != nil || begun.ID == "" {
		return nil, unreadable
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil { // else the connection is not used again
		return nil, failureOf(ctx, err)
	}
	return &conversation{id: begun.ID, token: begun.Token}, nil
}

// refusal is an answer that is an error.
type refusal struct {
	code         int
	slug, detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.slug) }

func (c *client) do(ctx context.Context, method, at, key, accept string, body any) (*http.Response, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+at, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, failureOf(ctx, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16)) // what is missing is not told
	var problem struct{ Type, Detail string }
	if json.Unmarshal(b, &problem) != nil || problem.Type == "" {
		problem.Type = http.StatusText(resp.StatusCode)
	}
	return nil, &refusal{resp.StatusCode, path.Base(problem.Type), cmp.Or(problem.Detail, resp.Status)}
}

// failureOf tells the kinds of broken connections apart.
func failureOf(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return impatient
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return noHandles
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return brokeOff
	}
	return noServer
}

// ask asks a question and reads its answer to the end.
func (c *client) ask(ctx context.Context, in *conversation, question string) (a answer) {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	resp, err := c.do(ctx, http.MethodPost, "/v1/conversations/"+in.id+"/messages", cmp.Or(c.Key, in.token), "text/event-stream", map[string]any{"text": question})
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	var text strings.Builder
	var last int64 // event
	var turn string
	for e, err := range events(resp.Body) {
		if err != nil {
			a.err = failureOf(ctx, err)
			return a
		}
		switch {
		case e.Seq == 0: // a signal
			continue
		case last > 0 && e.Seq <= last:
			a.repeated++
			continue
		case last > 0:
			a.lost += int(e.Seq - last - 1)
		}
		last = e.Seq
		switch e.Kind {
		case "message.accepted":
			a.accepted, turn = time.Now(), e.Turn
		case "text":
			if a.first.IsZero() {
				a.first = time.Now()
			}
			text.WriteString(e.Text)
		case "retract":
			text.Reset()
		case "turn.ended":
			a.whole, a.outcome, a.handedOver = time.Now(), e.Outcome, e.Outcome == "handed_over"
			if text.String() != e.Text {
				a.err = differs
			}
		}
	}
	switch {
	case a.err != nil:
	case a.outcome == "failed", a.outcome == "interrupted":
		a.err = failure("the outcome is " + a.outcome)
	case a.whole.IsZero() && !a.accepted.IsZero() && turn == "":
		a.err = nobody
	case a.whole.IsZero():
		a.err = brokeOff
	}
	return a
}

// event is as much of an event as is looked at.
type event struct {
	Seq                       int64
	Kind, Turn, Text, Outcome string
}

// longestEvent is how many bytes an event may have.
const longestEvent = 16 << 20

// events reads a stream of events to its end.
func events(from io.Reader) func(yield func(event, error) bool) {
	return func(yield func(event, error) bool) {
		lines := bufio.NewScanner(from)
		lines.Buffer(make([]byte, 0, 4<<10), longestEvent)
		for lines.Scan() {
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok {
				continue
			}
			var e event
			if err := json.Unmarshal(data, &e); err != nil {
				yield(e, io.ErrUnexpectedEOF)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(event{}, err)
		}
	}
}
