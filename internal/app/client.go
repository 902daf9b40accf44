package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// Client talks with an assistant as a customer's program does, over the HTTP API: of the
// server that runs on the data directory, or of one inside this process that nobody else
// reaches. Close it. It is safe for concurrent use.
type Client struct {
	options Options
	here    *App // the server inside this process, or nil
	end     func() error

	mu     sync.Mutex
	server remote
}

// at returns where the server is now.
func (c *Client) at() *remote {
	c.mu.Lock()
	defer c.mu.Unlock()
	server := c.server
	return &server
}

// Connect finds the server, or makes one. Options that say what to answer from want one
// of their own.
func Connect(ctx context.Context, o Options) (*Client, error) {
	c := &Client{options: o, end: func() error { return nil }}
	if o.Dir == "" && o.FakeProvider == "" && o.Config.Postgres.Reveal() == "" {
		s, err := ServingAt(o.Config.Data)
		if err != nil {
			return nil, err
		}
		if s != nil {
			c.server = remote{Serving: *s, http: http.DefaultClient}
			return c, nil
		}
	}
	a, err := New(ctx, o)
	if err != nil {
		return nil, err
	}
	c.here = a
	c.server, c.end = a.serveHere(ctx)
	return c, nil
}

// Close ends the connection, and the server inside this process.
func (c *Client) Close() error {
	err := c.end()
	if c.here != nil {
		err = errors.Join(err, c.here.Close())
	}
	return err
}

// Reconnect looks again for the server on the data directory, which may have another
// address and key since it was started again. One inside this process does not go away.
func (c *Client) Reconnect() error {
	if c.here != nil {
		return nil
	}
	s, err := ServingAt(c.options.Config.Data)
	if err == nil && s == nil {
		err = &chat.Error{Kind: chat.Unavailable, Message: "no server runs on " + c.options.Config.Data + ": start it with answerable serve"}
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server.Serving = *s
	return nil
}

// Start begins a conversation with an assistant, or with the first.
func (c *Client) Start(ctx context.Context, assistant string, test bool) (chat.ConversationID, error) {
	body := map[string]any{}
	if assistant != "" {
		body["assistant"] = assistant
	}
	if test {
		body["test"] = true
	}
	var made struct {
		ID chat.ConversationID `json:"id"`
	}
	return made.ID, c.at().call(ctx, http.MethodPost, "/v1/conversations", body, &made)
}

// Standing is how a conversation stands.
type Standing struct {
	chat.Conversation
	Queue *struct {
		Place int `json:"place"` // 1 is next
	} `json:"queue"`
}

// Conversation says how a conversation stands.
func (c *Client) Conversation(ctx context.Context, id chat.ConversationID) (Standing, error) {
	var s Standing
	if !access.IsID(string(id)) {
		return s, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("%q is not the id of a conversation: ask prints it with --json", id)}
	}
	if err := c.at().call(ctx, http.MethodGet, conversationPath(id), nil, &s); err != nil {
		return s, err
	}
	if c.here != nil && !c.here.Library.Has(s.Assistant) {
		return s, &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf(
			"the conversation is with %q, and here is: %s", s.Assistant, strings.Join(c.here.Library.Names(), ", "))}
	}
	return s, nil
}

// Sent is what became of a message or a wish.
type Sent struct {
	Turn chat.TurnID `json:"turn"` // that answers; "": a person does
	Seq  int64       `json:"seq"`  // of the event that says so
}

// Send sends a message.
func (c *Client) Send(ctx context.Context, id chat.ConversationID, text chat.Text) (Sent, error) {
	return c.Act(ctx, id, "messages", map[string]any{"text": text})
}

// Act does one of the things that a customer may do, by the last word of its route: stop,
// handoff, retry, feedback.
func (c *Client) Act(ctx context.Context, id chat.ConversationID, what string, body any) (Sent, error) {
	var s Sent
	return s, c.at().call(ctx, http.MethodPost, conversationPath(id)+"/"+what, body, &s)
}

// Events yields what happens in a conversation from the event behind after on, and signals,
// until ctx ends or the connection is lost. The first is of no kind: it says that the
// connection stands.
func (c *Client) Events(ctx context.Context, id chat.ConversationID, after int64) iter.Seq2[chat.Event, error] {
	return func(yield func(chat.Event, error) bool) {
		resp, err := c.at().send(ctx, http.MethodGet, conversationPath(id)+"/events?after="+strconv.FormatInt(after, 10), "text/event-stream", nil)
		if err != nil {
			yield(chat.Event{}, err)
			return
		}
		defer resp.Body.Close()
		if !yield(chat.Event{}, nil) {
			return
		}
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var e chat.Event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				yield(e, fmt.Errorf("read the server's answer: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		yield(chat.Event{}, fmt.Errorf("the server's answer broke off: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF)))
	}
}

// Record reads what is known of a turn that has ended.
func (c *Client) Record(ctx context.Context, id chat.TurnID) (chat.Turn, error) {
	if c.here != nil {
		past, err := c.here.Store.Turn(ctx, id)
		return past.Record, err
	}
	s, err := OpenReading(ctx, c.options.Config)
	if err != nil {
		return chat.Turn{}, err
	}
	past, err := s.Turn(ctx, id)
	return past.Record, errors.Join(err, s.Close())
}

func conversationPath(id chat.ConversationID) string { return "/v1/conversations/" + string(id) }

// serveHere runs the server for this process alone, until end is called.
func (a *App) serveHere(ctx context.Context) (_ remote, end func() error) {
	key, hash := access.NewKey()
	var ready atomic.Bool
	server := a.api(true, hash, &ready).HTTP()
	in := &inside{conns: make(chan net.Conn), closed: make(chan struct{})}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	server.BaseContext = func(net.Listener) context.Context { return running }
	g, ended := errgroup.WithContext(running)
	g.Go(func() error { return a.Run(ended) })
	g.Go(func() error {
		<-ended.Done() // also where Run failed: nobody waits for an answer then
		return server.Close()
	})
	g.Go(func() error {
		if err := server.Serve(in); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	client := &http.Client{Transport: &http.Transport{DialContext: in.dial}}
	return remote{Serving: Serving{URL: "http://127.0.0.1", Token: key}, http: client}, func() error {
		stop()
		defer client.CloseIdleConnections()
		return g.Wait()
	}
}

// inside is a listener that only this process reaches.
type inside struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *inside) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *inside) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server.
func (l *inside) Close() error {
	close(l.closed)
	return nil
}

func (l *inside) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// lastFile holds the id of the conversation that ask or chat had last.
const lastFile = "last-conversation"

// Remember notes the conversation that LastConversation returns from now on.
func (c *Client) Remember(id chat.ConversationID) error {
	data := c.options.Config.Data
	if err := os.WriteFile(filepath.Join(data, lastFile), []byte(id), 0o600); err != nil {
		return cannotWrite(data, err)
	}
	return nil
}

// LastConversation returns the one that was remembered last.
func LastConversation(data string) (chat.ConversationID, error) {
	b, err := os.ReadFile(filepath.Join(data, lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no last conversation in %s: leave --conversation out to start one", data)}
	}
	if err != nil {
		return "", cannotRead(data, err)
	}
	id := strings.TrimSpace(string(b))
	if !access.IsID(id) {
		return "", &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("%s holds no conversation's id: remove it", filepath.Join(data, lastFile))}
	}
	return chat.ConversationID(id), nil
}
