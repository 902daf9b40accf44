package httpapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
	"github.com/answerable/answerable/internal/store"
)

// releases notes what it is asked for.
type releases struct{ asked []string }

var servedNow = httpapi.ServedRelease{Release: "r2", Generation: "g2", Documents: 3, Promoted: true, Promotion: 2, Since: chat.Now(), By: "desk"}

func (r *releases) note(words ...string) { r.asked = append(r.asked, strings.Join(words, " ")) }

func (r *releases) Status(context.Context) ([]httpapi.ReleaseStatus, error) {
	return []httpapi.ReleaseStatus{
		{Assistant: "demo", Served: &servedNow, Folder: &httpapi.ReleaseFolder{Dir: "./demo", Error: "broken"}, Refused: &httpapi.Refusal{At: chat.Now(), Reason: "broken"},
			History: []store.Promotion{{N: 2, What: store.Undo, Release: "r2", Generation: "g2", Back: 1, By: "desk", At: chat.Now()}}},
		{Assistant: "other", History: []store.Promotion{}},
	}, nil
}

func (r *releases) Promote(_ context.Context, name, release, by string) (httpapi.ReleaseMove, error) {
	r.note("promote", name, release, by)
	return httpapi.ReleaseMove{Assistant: name, From: servedNow, To: servedNow}, nil
}

func (r *releases) Undo(_ context.Context, name, by string) (httpapi.ReleaseMove, error) {
	r.note("undo", name, by)
	return httpapi.ReleaseMove{}, &chat.Error{Kind: chat.Conflict, Message: "nothing to undo"}
}

func (r *releases) Compare(_ context.Context, name, from, to string) (httpapi.ReleaseDiff, error) {
	r.note("compare", name, from, to)
	return httpapi.ReleaseDiff{Files: []assistant.FileChange{{Path: "assistant.yaml", Change: assistant.Changed, Diff: "--- a"}},
		Documents: []httpapi.DocumentChange{{ID: "knowledge/a.md", Change: assistant.Added}}}, nil
}

func (r *releases) Archive(_ context.Context, name, state string) ([]byte, error) {
	r.note("archive", name, state)
	return []byte("PK"), nil
}

func TestReleases(t *testing.T) {
	r := &releases{}
	s := newServer(t, "", func(s *httpapi.Server) { s.Releases = r })
	s.post("/api/releases/demo/promote", "{}").want(200) // on a server without keys
	bearer := "Authorization: Bearer " + s.closed()
	s.get("/api/releases").problem(401, "unauthorized", "")
	s.post("/api/releases/demo/promote", "{}").problem(401, "unauthorized", "")
	s.post("/api/releases/demo/undo", "{}").problem(401, "unauthorized", "")
	s.get("/api/releases/demo/diff").problem(401, "unauthorized", "")
	s.get("/api/releases/demo/files").problem(401, "unauthorized", "")

	s.get("/api/releases", bearer).want(200)
	s.post("/api/releases/demo/promote", "{}", bearer).want(200)
	s.post("/api/releases/demo/promote", `{"release":"abcd"}`, bearer).want(200)
	s.post("/api/releases/demo/promote", `{"relase":"abcd"}`, bearer).problem(400, "malformed-request", "relase")
	s.post("/api/releases/demo/undo", "{}", bearer).problem(409, "conflict", "nothing to undo")
	s.get("/api/releases/demo/diff", bearer).want(200)
	s.get("/api/releases/demo/diff?from=abcd&to=served", bearer).want(200)
	s.get("/api/releases/demo/files", bearer).want(200)
	s.get("/api/releases/demo/files?release=abcd", bearer).want(200)
	narrow := s.key(chat.APIKey{Name: "narrow", Assistants: []string{"other"}, Scopes: []chat.Scope{chat.ScopeEdit}})
	s.post("/api/releases/demo/undo", "{}", narrow).problem(403, "forbidden", "only for: other")
	if body := s.get("/api/releases", narrow).want(200); strings.Contains(body.body, `"demo"`) {
		t.Errorf("a key for another assistant is told of demo: %s", body.body)
	}
	want := []string{"promote demo  this machine", "promote demo  desk", "promote demo abcd desk", "undo demo desk", "compare demo served folder", "compare demo abcd served",
		"archive demo served", "archive demo abcd"}
	if got := strings.Join(r.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked:\n%s", got)
	}
}
