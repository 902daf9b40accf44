package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/answerable/answerable/internal/chat"
)

// Notices are what customers are told for a time.
type Notices interface {
	// InForce returns those of an assistant at a time, in any language, the newest last.
	InForce(assistant string, at time.Time) []chat.Notice
	// All returns those that are in force or will be.
	All(ctx context.Context) ([]chat.Notice, error)
	Add(ctx context.Context, n chat.Notice) error
	Remove(ctx context.Context, id string) error
}

// listedNotice is a notice as those who make them see it.
type listedNotice struct {
	chat.Notice
	InForce bool `json:"in_force"`
}

// listNotices shows the notices in force and to come.
func (s *Server) listNotices(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeView)
	if err != nil {
		return err
	}
	all, err := s.Notices.All(r.Context())
	if err != nil {
		return err
	}
	answer := struct {
		Zone    string         `json:"zone,omitempty"`
		Notices []listedNotice `json:"notices"`
	}{s.zone(r.URL.Query().Get("assistant")), []listedNotice{}}
	now := chat.Now()
	for _, n := range all {
		if n.Assistant != "" && c.reaches(n.Assistant) != nil {
			continue
		}
		answer.Notices = append(answer.Notices, listedNotice{n, n.InForce(now)})
	}
	return write(w, http.StatusOK, answer)
}

// zone returns the time zone in which an assistant's people think, or that of the first
// that says one, or "".
func (s *Server) zone(assistant string) string {
	for _, name := range s.Assistants.Names() {
		if zone := s.Assistants.Hours(name).Zone; zone != "" && (assistant == "" || assistant == name) {
			return zone
		}
	}
	return ""
}

// addNotice tells customers something from a time on, until another.
func (s *Server) addNotice(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	by := c.operator()
	var body struct {
		Assistant string     `json:"assistant"`
		Locale    string     `json:"locale"`
		Text      chat.Text  `json:"text"`
		URL       string     `json:"url"`
		From      *chat.Time `json:"from"`
		Until     *chat.Time `json:"until"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if err := c.reaches(body.Assistant); err != nil { // a key for some assistants is not for all
		return err
	}
	if body.Assistant != "" && !s.Assistants.Has(body.Assistant) {
		return errNoAssistant(body.Assistant, s.Assistants.Names())
	}
	if err := checkLocale("locale", body.Locale); err != nil {
		return err
	}
	now := chat.Now()
	n := chat.Notice{ID: chat.NewNoticeID(), Assistant: body.Assistant, Locale: body.Locale,
		Text: chat.Text(strings.TrimSpace(string(body.Text))), URL: body.URL, From: now, By: by, CreatedAt: now}
	if body.From != nil {
		n.From = *body.From
	}
	if body.Until != nil {
		n.Until = *body.Until
	}
	if err := n.Check(now.Time); err != nil {
		return err
	}
	if err := s.Notices.Add(r.Context(), n); err != nil {
		return err
	}
	s.Log.Info("notice added", "notice", n.ID, "assistant", n.Assistant, "by", by)
	return write(w, http.StatusCreated, listedNotice{n, n.InForce(now)})
}

// removeNotice takes a notice away before it is over.
func (s *Server) removeNotice(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	by := c.operator()
	id := r.PathValue("id")
	if c.assistants() != nil {
		if err := s.reachesNotice(r.Context(), c, id); err != nil {
			return err
		}
	}
	if err := s.Notices.Remove(r.Context(), id); err != nil {
		return err
	}
	s.Log.Info("notice removed", "notice", id, "by", by)
	return write(w, http.StatusOK, struct {
		ID string `json:"id"`
	}{id})
}

// reachesNotice refuses callers whose key is not for the assistants of a notice.
func (s *Server) reachesNotice(ctx context.Context, c caller, id string) error {
	all, err := s.Notices.All(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.ID == id {
			return c.reaches(n.Assistant)
		}
	}
	return nil // it is not there
}

// noticeTold is a notice as customers get it.
type noticeTold struct {
	ID    string    `json:"id"`
	Text  string    `json:"text"`
	URL   string    `json:"url,omitempty"`
	Until chat.Time `json:"until"`
}

// noticesIn returns what customers of an assistant who read a language are told now, the
// newest first.
func (s *Server) noticesIn(assistant, locale string) []noticeTold {
	told := []noticeTold{}
	if s.Notices == nil {
		return told
	}
	all := s.Notices.InForce(assistant, time.Now())
	for i := len(all) - 1; i >= 0; i-- {
		if n := all[i]; n.Locale == "" || sameLanguage(n.Locale, locale) {
			told = append(told, noticeTold{n.ID, withoutBidi(string(n.Text)), n.URL, n.Until})
		}
	}
	return told
}

func sameLanguage(a, b string) bool {
	x, err1 := language.Parse(a)
	y, err2 := language.Parse(b)
	if err1 != nil || err2 != nil {
		return false
	}
	base, _ := x.Base()
	other, _ := y.Base()
	return base == other
}
