package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/console"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/observe"
	"github.com/answerable/answerable/internal/store"
)

// Serve runs the server until ctx ends. What a person should know at the start goes to
// out.
func Serve(ctx context.Context, o Options, out io.Writer) error {
	began := time.Now()
	a, err := New(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(a.serve(ctx, began, out), a.Close())
}

func (a *App) serve(ctx context.Context, began time.Time, out io.Writer) error {
	loopback, err := a.mayListen(ctx)
	if err != nil {
		return err
	}
	identities, err := a.Config.Identity.open()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return listenError(a.Config.Listen, err)
	}
	url := baseURL(listener.Addr().String())
	key, hash := access.NewKey()
	var ready atomic.Bool
	api := a.api(loopback, hash, &ready)
	api.Access.Identities = identities
	server := api.HTTP()
	// Streams end when this context does, and not before the turns have.
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	server.BaseContext = func(net.Listener) context.Context { return streams }

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := server.Serve(listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve %s: %w", url, err)
	})
	g.Go(func() error {
		err := a.Run(ctx) // returns when the running turns have ended
		ready.Store(false)
		endStreams()
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if down := server.Shutdown(limit); down != nil {
			err = errors.Join(err, server.Close())
		}
		api.Wait()
		return err
	})
	if a.lock != nil {
		if err := a.lock.announce(Serving{URL: url, Token: key, PID: os.Getpid()}); err != nil {
			return errors.Join(err, server.Close(), g.Wait())
		}
	}
	ready.Store(true)
	a.greet(ctx, out, url, loopback, time.Since(began))
	return g.Wait()
}

// mayListen refuses an address that others can reach while it is not said who may come in:
// by a key or, for customers, by what their identities are verified with.
func (a *App) mayListen(ctx context.Context) (loopback bool, err error) {
	host, _, err := net.SplitHostPort(a.Config.Listen)
	if err != nil {
		return false, err
	}
	ip := net.ParseIP(host)
	if loopback = host == "localhost" || ip != nil && ip.IsLoopback(); loopback {
		return true, nil
	}
	if a.Config.Identity.set() {
		return false, nil
	}
	closed, err := a.Store.Closed(ctx)
	if err != nil {
		return false, err
	}
	if !closed {
		return false, &chat.Error{Kind: chat.Forbidden, Message: fmt.Sprintf(
			"refusing to listen on %s, which others can reach, while there is no API key: make one with answerable keys create NAME, set identity.secret, or listen on 127.0.0.1", a.Config.Listen)}
	}
	return false, nil
}

func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return &chat.Error{Kind: chat.Conflict, Message: fmt.Sprintf("%s is in use by another program: stop it, or choose another port with --listen", address), Err: err}
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// baseURL is where a listener is reached from this machine.
func baseURL(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// greet prints the links that exist.
func (a *App) greet(ctx context.Context, out io.Writer, url string, loopback bool, took time.Duration) {
	fmt.Fprintf(out, "Answerable %s is ready after %s.\n", a.Version, took.Round(time.Millisecond))
	for _, s := range a.Library.snapshots() {
		from := "from " + s.Dir
		if s.pinned() {
			from = fmt.Sprintf("of release %.12s, promoted %s", s.Release, s.since.Local().Format("2006-01-02 15:04"))
		}
		fmt.Fprintf(out, "  assistant      %s (%d documents %s)\n", s.Name, len(s.generation.Documents()), from)
	}
	fmt.Fprintf(out, "  customer page  %s/\n  metrics        %s/metrics\n  API            %s/openapi.json\n", url, url, url)
	if a.FakeProvider != "" {
		fmt.Fprintf(out, "  ANSWERS ARE SCRIPTED: %s\n", a.FakeProvider)
	}
	if off, err := a.Store.SwitchedOff(ctx); err == nil {
		for _, o := range off {
			fmt.Fprintf(out, "  SWITCHED OFF   %s (to undo: answerable on %s)\n", describe(o), again(o))
		}
	}
	if closed, err := a.Store.Closed(ctx); loopback && err == nil && !closed {
		fmt.Fprintln(out, "  There is no API key yet: on this machine any token is accepted, or none.")
	}
}

// api puts the HTTP side together.
func (a *App) api(loopback bool, local []byte, ready *atomic.Bool) *httpapi.Server {
	c, l := a.Config, a.Config.Limits
	var proxies []netip.Prefix
	for _, p := range c.TrustedProxies {
		proxies = append(proxies, p.Prefix)
	}
	api := &httpapi.Server{
		Inbox: a.Inbox, Store: localKey{a.Store, local}, Feed: a.Feed, Assistants: a.Library, Notices: a.notices, Web: console.Built(),
		Publish: a.Library.PublishFile, Releases: a.Library,
		Access: httpapi.Access{Loopback: loopback, Origins: c.AllowedOrigins, Proxies: proxies},
		Limits: httpapi.Limits{Body: l.BodyBytes, Streams: l.Streams,
			MessagesPerMinute: l.Anonymous.MessagesPerMinute, ConversationsPerMinute: l.Anonymous.ConversationsPerMinute},
		Version: a.Version, Started: time.Now(), Ready: ready.Load, Log: a.Log,
	}
	n := a.Store.Counters()
	metrics := observe.New(observe.Sources{
		Turns: a.Inbox.Running, Followers: a.Feed.Followers, Streams: api.OpenStreams,
		Commits: n.Commits.Load, Events: n.Events.Load, Bytes: n.Bytes.Load,
		Models: a.breakers, Releases: a.releases,
	})
	api.Metrics = metrics.Handler()
	a.Inbox.Ended = func(t chat.Turn) {
		metrics.Turn(t)
		observe.Log(a.Log, t)
	}
	return api
}

// breakers tells which models are not asked at the moment.
func (a *App) breakers() []observe.Model {
	var all []observe.Model
	for _, h := range a.Models.Health() {
		all = append(all, observe.Model{Provider: h.Provider, Name: h.Model, Open: h.State == llm.BreakerOpen})
	}
	return all
}

// releases tells what the assistants serve.
func (a *App) releases() []observe.Release {
	var all []observe.Release
	for _, s := range a.Library.snapshots() {
		all = append(all, observe.Release{Assistant: s.Name, Release: s.Release, Generation: s.generation.ID()})
	}
	return all
}

// thisMachine is the name of whoever works on the server's machine.
const thisMachine = "this machine"

// localKey is the store with one more API key: that of the commands on this machine,
// which read it from the data directory.
type localKey struct {
	*store.Store
	hash []byte
}

func (s localKey) Key(ctx context.Context, hash []byte) (chat.APIKey, error) {
	if access.Same(hash, s.hash) {
		return chat.APIKey{ID: "local", Name: thisMachine, Scopes: []chat.Scope{chat.ScopeAdmin}}, nil
	}
	return s.Store.Key(ctx, hash)
}
