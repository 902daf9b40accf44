package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// Releases shows what the assistants serve, and changes it. States are StateServed,
// StateFolder, a release, of which the first characters are enough, or a promotion, as in @7.
type Releases interface {
	Status(ctx context.Context) ([]ReleaseStatus, error)
	// Promote serves a release or a promotion from now on; "": what the folder holds.
	Promote(ctx context.Context, assistant, release, by string) (ReleaseMove, error)
	// Undo serves what was served before the promotion that is in force.
	Undo(ctx context.Context, assistant, by string) (ReleaseMove, error)
	Compare(ctx context.Context, assistant, from, to string) (ReleaseDiff, error)
	// Archive returns the assistant's own files as a zip.
	Archive(ctx context.Context, assistant, state string) ([]byte, error)
}

// States of an assistant that have no release's name.
const (
	StateServed = "served"
	StateFolder = "folder"
)

// ReleaseStatus is what an assistant serves, and what could be promoted.
type ReleaseStatus struct {
	Assistant string            `json:"assistant"`
	Served    *ServedRelease    `json:"served"`            // null: it never could be
	Folder    *ReleaseFolder    `json:"folder"`            // null: there is none
	Refused   *Refusal          `json:"refused,omitempty"` // the last state of the folder that could not be served
	History   []store.Promotion `json:"history"`           // the newest first
}

// ServedRelease is what an assistant answers with.
type ServedRelease struct {
	Release    string    `json:"release"`
	Generation string    `json:"generation"`
	Documents  int       `json:"documents"`
	Promoted   bool      `json:"promoted"`  // false: the folder is served as it is
	Promotion  int64     `json:"promotion"` // its number; 0: there was none yet
	Since      chat.Time `json:"since"`
	By         string    `json:"by,omitempty"`
}

// ReleaseFolder is what the folder holds, which could be promoted.
type ReleaseFolder struct {
	Dir        string `json:"dir"` // "": the files are in the binary
	Release    string `json:"release"`
	Generation string `json:"generation"`
	Documents  int    `json:"documents"`
	Changed    bool   `json:"changed"`         // it differs from what is served
	Error      string `json:"error,omitempty"` // why it could not be served
}

// Refusal is a state of the folder that could not be served.
type Refusal struct {
	At     chat.Time `json:"at"`
	Reason string    `json:"reason"`
}

// ReleaseMove is what a promotion or an undo changed.
type ReleaseMove struct {
	Assistant string        `json:"assistant"`
	From      ServedRelease `json:"from"`
	To        ServedRelease `json:"to"`
}

// ReleaseDiff says how two states of an assistant differ.
type ReleaseDiff struct {
	From      ReleaseState           `json:"from"`
	To        ReleaseState           `json:"to"`
	Files     []assistant.FileChange `json:"files"`
	Documents []DocumentChange       `json:"documents"`
}

// ReleaseState is a release with the generation of its documents.
type ReleaseState struct {
	Release    string `json:"release"`
	Generation string `json:"generation"`
}

// DocumentChange says that a document differs.
type DocumentChange struct {
	ID     string           `json:"id"`
	Change assistant.Change `json:"change"`
}

// listReleases tells of the assistants that the caller may know of.
func (s *Server) listReleases(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeView)
	if err != nil {
		return err
	}
	all, err := s.Releases.Status(r.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a ReleaseStatus) bool { return !c.key.Reaches(a.Assistant) })
	return write(w, http.StatusOK, struct {
		Assistants []ReleaseStatus `json:"assistants"`
	}{all})
}

// released lets in who may do something with the assistant that the path names.
func (s *Server) released(r *http.Request, need chat.Scope) (name string, c caller, err error) {
	name = r.PathValue("assistant")
	if c, err = s.program(r, need); err == nil {
		err = c.reaches(name)
	}
	return name, c, err
}

// promoteRelease serves the folder, or a release that was promoted before.
func (s *Server) promoteRelease(w http.ResponseWriter, r *http.Request) error {
	name, c, err := s.released(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	var body struct {
		Release string `json:"release"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	move, err := s.Releases.Promote(r.Context(), name, body.Release, c.operator())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, move)
}

// undoRelease goes one promotion back.
func (s *Server) undoRelease(w http.ResponseWriter, r *http.Request) error {
	name, c, err := s.released(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	if err := s.readOptional(w, r, &struct{}{}); err != nil {
		return err
	}
	move, err := s.Releases.Undo(r.Context(), name, c.operator())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, move)
}

// compareReleases says how what is served differs from the folder, or what else is asked.
func (s *Server) compareReleases(w http.ResponseWriter, r *http.Request) error {
	name, _, err := s.released(r, chat.ScopeView)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	diff, err := s.Releases.Compare(r.Context(), name, cmp.Or(q.Get("from"), StateServed), cmp.Or(q.Get("to"), StateFolder))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, diff)
}

// releaseFiles sends an assistant's own files as a zip.
func (s *Server) releaseFiles(w http.ResponseWriter, r *http.Request) error {
	name, _, err := s.released(r, chat.ScopeView)
	if err != nil {
		return err
	}
	data, err := s.Releases.Archive(r.Context(), name, cmp.Or(r.URL.Query().Get("release"), StateServed))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", "attachment; filename=release.zip")
	h.Set("Cache-Control", "no-store")
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
