package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/answerable/answerable/internal/store"
)

// server says whether a server runs or could listen.
func (c Checkup) server(ctx context.Context, s *store.Store, running *Serving) Finding {
	if running != nil {
		return running.answers(ctx)
	}
	f := Finding{serverArea, "listen", Fine, c.Config.Listen + " is free", ""}
	if s == nil && !loopback(c.Config.Listen) && !c.Config.Identity.set() {
		f.State, f.Detail = Warn, c.Config.Listen+" can be reached by others, so an API key is needed before the first start"
		f.Advice = "answerable keys create NAME"
		return f
	}
	if s != nil {
		a := &App{Options: Options{Config: c.Config}, Store: s}
		if _, err := a.mayListen(ctx); err != nil {
			return failed(f.Area, f.Name, err)
		}
	}
	l, err := net.Listen("tcp", c.Config.Listen)
	if err == nil {
		l.Close()
		return f
	}
	// On PostgreSQL a running server does not announce itself in the data directory.
	if errors.Is(err, syscall.EADDRINUSE) && c.Config.Postgres.Reveal() != "" {
		url := baseURL(c.Config.Listen)
		if ready, _ := readyAt(ctx, url); ready {
			return Finding{serverArea, "running", Fine, "at " + url, ""}
		}
	}
	return failed(f.Area, f.Name, listenError(c.Config.Listen, err))
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// answers says whether a server that has the data directory answers.
func (s *Serving) answers(ctx context.Context) Finding {
	f := Finding{serverArea, "running", Fine, fmt.Sprintf("at %s, process %d; the store was only read", s.URL, s.PID), ""}
	switch ready, err := readyAt(ctx, s.URL); {
	case err != nil:
		f.State, f.Detail = Fails, fmt.Sprintf("process %d has the data directory, but does not answer at %s: %v", s.PID, s.URL, err)
		f.Advice = "look at its log, and restart it"
	case !ready:
		f.State, f.Detail = Warn, fmt.Sprintf("at %s, process %d, is not ready: it starts or stops", s.URL, s.PID)
	}
	return f
}

// readyAt asks a server on this machine whether it is ready.
func readyAt(ctx context.Context, url string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var is struct {
		Status string `json:"status"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&is)
	return err == nil && is.Status == "ready", nil
}
