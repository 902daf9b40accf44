package guard

import (
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// shown is the text that was let out, and the bodies that tell of it. The text up to
// settled has passed all checks; what lies ahead of that was shown word by word.
type shown struct {
	text    strings.Builder
	settled int
	told    int // the text up to here is in bodies
	bodies  []chat.Body
}

func (s *shown) empty() bool { return s.text.Len() == 0 }

// ahead returns how much text was shown that is not settled.
func (s *shown) ahead() int { return s.text.Len() - s.settled }

// let shows text and settles it, and whatever was shown before.
func (s *shown) let(text string) {
	s.text.WriteString(text)
	s.settled = s.text.Len()
}

// preview shows text, of which a part may have been shown, behind the settled text.
func (s *shown) preview(text string) {
	if rest, ok := strings.CutPrefix(text, s.text.String()[s.settled:]); ok {
		s.text.WriteString(rest)
	}
}

// settle shows text, of which a part may have been shown, and settles it. If something
// else was shown in its place, that is taken back.
func (s *shown) settle(t *chat.Turn, text string) {
	ahead := s.text.String()[s.settled:]
	if strings.HasPrefix(ahead, text) {
		s.settled += len(text)
		return
	}
	if !strings.HasPrefix(text, ahead) {
		s.retract(t)
		ahead = ""
	}
	s.let(text[len(ahead):])
}

// cite tells of c, unless it has been told since the text was last taken back.
func (s *shown) cite(t *chat.Turn, c chat.Citation) {
	if slices.ContainsFunc(t.Citations, func(d chat.Citation) bool { return d.Mark == c.Mark }) {
		return
	}
	t.Citations = append(t.Citations, c)
	s.tell()
	s.bodies = append(s.bodies, chat.Cited{Citation: c})
}

// retract takes back what was shown, and shows the settled text again with its
// citations.
func (s *shown) retract(t *chat.Turn) {
	good, cited := s.text.String()[:s.settled], t.Citations
	s.clear(t)
	for _, c := range cited {
		s.cite(t, c)
	}
	s.let(good)
}

// clear takes back what was shown.
func (s *shown) clear(t *chat.Turn) {
	s.tell()
	s.bodies = append(s.bodies, chat.Retracted{})
	s.text.Reset()
	s.settled, s.told = 0, 0
	t.Retracts++
	t.Citations = nil
}

// tell puts the text that no body tells of into one.
func (s *shown) tell() {
	if text := s.text.String(); len(text) > s.told {
		s.bodies = append(s.bodies, chat.TextShown{Text: text[s.told:]})
		s.told = len(text)
	}
}

func (s *shown) take() []chat.Body {
	s.tell()
	bodies := s.bodies
	s.bodies = nil
	return bodies
}
