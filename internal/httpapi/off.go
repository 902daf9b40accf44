package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// switches is what is switched off now, and what could be.
type switches struct {
	Assistants []string   `json:"assistants"`
	Off        []chat.Off `json:"off"`
}

// switchedOff shows what is switched off.
func (s *Server) switchedOff(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeView)
	if err != nil {
		return err
	}
	return s.switches(w, r, c)
}

func (s *Server) switches(w http.ResponseWriter, r *http.Request, c caller) error {
	off, err := s.Store.SwitchedOff(r.Context())
	if err != nil {
		return err
	}
	off = slices.DeleteFunc(off, func(o chat.Off) bool { return !o.All && c.reaches(o.Assistant) != nil })
	return write(w, http.StatusOK, switches{append([]string{}, s.names(c)...), off})
}

// names are those of the assistants that a caller reaches.
func (s *Server) names(c caller) []string {
	return slices.DeleteFunc(slices.Clone(s.Assistants.Names()), func(name string) bool { return c.reaches(name) != nil })
}

// switchOff sends an assistant's customers, or everybody's, to people or to a line.
func (s *Server) switchOff(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	by := c.operator()
	var body struct {
		Assistant string     `json:"assistant"`
		All       bool       `json:"all"`
		To        chat.OffTo `json:"to"`
		Line      chat.Text  `json:"line"`
		Reason    string     `json:"reason"`
	}
	if err := s.readOptional(w, r, &body); err != nil {
		return err
	}
	off := chat.Off{Assistant: body.Assistant, All: body.All, To: body.To, Line: body.Line, Reason: body.Reason, By: by, At: chat.Now()}
	if off.To == "" {
		off.To = chat.OffToPeople
		if off.Line != "" {
			off.To = chat.OffToLine
		}
	}
	if err := off.Check(); err != nil {
		return err
	}
	if off.Assistant, err = s.meant(c, body.Assistant, body.All); err != nil {
		return err
	}
	if off.Assistant != "" && !s.Assistants.Has(off.Assistant) {
		return errNoAssistant(off.Assistant, s.Assistants.Names())
	}
	if err := s.Inbox.SwitchOff(r.Context(), off); err != nil {
		return err
	}
	s.Log.Warn("switched off", "assistant", off.Assistant, "all", off.All, "to", off.To, "reason", off.Reason, "by", by)
	return s.switches(w, r, c)
}

// switchOn has an assistant answer again, or all.
func (s *Server) switchOn(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeEdit)
	if err != nil {
		return err
	}
	by := c.operator()
	var body struct {
		Assistant string `json:"assistant"`
		All       bool   `json:"all"`
	}
	if err := s.readOptional(w, r, &body); err != nil {
		return err
	}
	name, err := s.meant(c, body.Assistant, body.All)
	if err != nil {
		return err
	}
	off, err := s.Store.SwitchedOff(r.Context())
	if err != nil {
		return err
	}
	if name != "" && len(off) > 0 && off[0].All {
		return &chat.Error{Kind: chat.Conflict, Message: `all assistants are switched off together: switch all on, with "all": true or answerable on --all`}
	}
	if err := s.Store.SwitchOn(r.Context(), name); err != nil {
		return err
	}
	s.Log.Warn("switched on", "assistant", name, "all", body.All, "by", by)
	return s.switches(w, r, c)
}

// meant returns the assistant that is named or the only one that the caller reaches, or ""
// where all are meant.
func (s *Server) meant(c caller, name string, all bool) (string, error) {
	names := s.names(c)
	switch {
	case all && c.assistants() != nil:
		return "", c.reaches("")
	case name != "" && c.reaches(name) != nil:
		return "", c.reaches(name)
	case all && name != "":
		return "", &chat.Error{Kind: chat.Invalid, Message: "assistant and all exclude each other: leave one out"}
	case all || name != "":
		return name, nil
	case len(names) == 1:
		return names[0], nil
	}
	return "", &chat.Error{Kind: chat.Invalid,
		Message: fmt.Sprintf(`say which assistant, or "all": true: there are %s`, strings.Join(names, ", "))}
}
