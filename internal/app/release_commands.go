package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

// Releases is what the release commands work on: a running server, or the data itself.
type Releases struct {
	httpapi.Releases
	close func() error
}

// OpenReleases opens what runs on the data directory, or the data. Without a server the
// folder is o.Dir, or else what serve without a folder would serve.
func OpenReleases(ctx context.Context, o Options) (*Releases, error) {
	w, err := openWriting(ctx, o)
	if err != nil {
		return nil, err
	}
	if w.server != nil {
		if o.Dir != "" {
			return nil, &chat.Error{Kind: chat.Invalid, Message: fmt.Sprintf("a server runs on %s and has its own folder: leave --dir out, or stop the server", o.Config.Data)}
		}
		return &Releases{w.server, w.close}, nil
	}
	l := newLibrary(w.app.Store, o.Config.Data, o.Log)
	l.dry = true
	if err := l.Load(ctx, o.Dir, o.Progress); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return &Releases{l, w.close}, nil
}

// Close gives the data back.
func (r *Releases) Close() error { return r.close() }

// Promote serves a release from now on; "": that of the folder.
func (r *Releases) Promote(ctx context.Context, name, release string) (httpapi.ReleaseMove, error) {
	return r.Releases.Promote(ctx, name, release, thisMachine)
}

// Undo serves what was served before the promotion that is in force.
func (r *Releases) Undo(ctx context.Context, name string) (httpapi.ReleaseMove, error) {
	return r.Releases.Undo(ctx, name, thisMachine)
}

// Named returns the status of the assistant of a name; with "" of the only one.
func (r *Releases) Named(ctx context.Context, name string) (httpapi.ReleaseStatus, error) {
	all, err := r.Status(ctx)
	if err != nil {
		return httpapi.ReleaseStatus{}, err
	}
	var names []string
	for _, s := range all {
		if s.Assistant == name || name == "" && len(all) == 1 {
			return s, nil
		}
		names = append(names, s.Assistant)
	}
	if name == "" {
		return httpapi.ReleaseStatus{}, &chat.Error{Kind: chat.Invalid, Message: "say which assistant; there are: " + strings.Join(names, ", ")}
	}
	return httpapi.ReleaseStatus{}, errNoAssistant(name, names)
}

// Status, Promote, Undo, Compare and Archive are what a server does; it knows who asks.

func (r *remote) Status(ctx context.Context) ([]httpapi.ReleaseStatus, error) {
	var answer struct {
		Assistants []httpapi.ReleaseStatus `json:"assistants"`
	}
	err := r.call(ctx, http.MethodGet, "/api/releases", nil, &answer)
	return answer.Assistants, err
}

func (r *remote) Promote(ctx context.Context, name, release, _ string) (move httpapi.ReleaseMove, err error) {
	body := map[string]string{}
	if release != "" {
		body["release"] = release
	}
	err = r.call(ctx, http.MethodPost, releasePath(name, "promote"), body, &move)
	return move, err
}

func (r *remote) Undo(ctx context.Context, name, _ string) (move httpapi.ReleaseMove, err error) {
	err = r.call(ctx, http.MethodPost, releasePath(name, "undo"), map[string]string{}, &move)
	return move, err
}

func (r *remote) Compare(ctx context.Context, name, from, to string) (diff httpapi.ReleaseDiff, err error) {
	err = r.call(ctx, http.MethodGet, releasePath(name, "diff")+"?"+url.Values{"from": {from}, "to": {to}}.Encode(), nil, &diff)
	return diff, err
}

func (r *remote) Archive(ctx context.Context, name, state string) ([]byte, error) {
	resp, err := r.send(ctx, http.MethodGet, releasePath(name, "files")+"?"+url.Values{"release": {state}}.Encode(), "application/zip", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func releasePath(name, what string) string {
	return "/api/releases/" + url.PathEscape(name) + "/" + what
}
