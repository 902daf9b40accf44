package turn

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// Two things that operators set while the server runs reach a turn. That the assistant is
// switched off comes with the turn from the store, whose commits know of each other; it
// ends the turn where its journal does. Notices come with its begin, for a turn keeps what
// it began with.

// offError is the cut of a turn whose assistant is switched off, and how.
type offError struct{ chat.Off }

func (offError) Error() string        { return errOff.Error() }
func (offError) Is(target error) bool { return target == errOff }

// encode returns what the journal keeps.
func (e offError) encode() json.RawMessage {
	b, err := json.Marshal(e.Off)
	if err != nil {
		panic("turn: a switch cannot be encoded: " + err.Error()) // it is plain text
	}
	return b
}

// readOff reads what encode wrote.
func readOff(entry json.RawMessage) error {
	var e offError
	if err := json.Unmarshal(entry, &e.Off); err != nil {
		return fmt.Errorf("read how the assistant was switched off from the journal: %w", err)
	}
	return e
}

// resolved returns how off ends a turn: nobody can be handed over to where nobody comes
// back, and the line is that for what the customer said.
func (r *Runner) resolved(off chat.Off, stateless bool, messages []chat.Message) chat.Off {
	if off.To == chat.OffToPeople && !stateless {
		return off
	}
	off.To = chat.OffToLine
	if strings.TrimSpace(string(off.Line)) == "" {
		off.Line = chat.Text(r.Rules.say(lang.Language(string(said(messages))), ownOff, lineOff))
	}
	return off
}

// Silence returns the line with which off ends a turn that answers these messages from
// outside, and the entry that stands for it in the turn's journal.
func (r *Runner) Silence(off chat.Off, messages []chat.Message) (line chat.Text, entry chat.Entry) {
	off.To = chat.OffToLine
	e := offError{r.resolved(off, true, messages)}
	return e.Line, cutEntry(e, errOff)
}

// switchedOff ends the answer as off says.
func (w *writing) switchedOff(off chat.Off) {
	if off.To == chat.OffToPeople {
		h := off.Handoff()
		w.turn.Outcome, w.turn.Handoff = chat.HandedOver, &h
		w.say(ownHandover, lineHandover) // true with the commit that shows it
		return
	}
	w.turn.Outcome = chat.Refused
	w.gate.Let(string(off.Line))
}

// notices returns those in force for who asks: in their language, or for everybody. Where
// the language cannot be told, all are. The newest come first, as many as fit into half of
// the passages' tokens. They are chosen here and not again, so that a replay needs no limits.
func (r *Runner) notices(o chat.OpenTurn) []chat.Notice {
	if r.Notices == nil {
		return nil
	}
	var out []chat.Notice
	language := lang.Language(string(said(o.Messages)))
	room := r.passageTokens() / 2
	for _, n := range slices.Backward(r.Notices(time.Now())) {
		if base, _, _ := strings.Cut(n.Locale, "-"); base != "" && language != "" && !strings.EqualFold(base, language) {
			continue
		}
		if room -= lang.Tokens(string(n.Text)); room < 0 {
			break
		}
		out = append(out, n)
	}
	return out
}

// passageTokens is how many tokens all passages of a turn may have.
func (r *Runner) passageTokens() int { return or(r.Limits.Tokens, 1500) }

// grounds returns notices as passages, and how many tokens they have.
func grounds(notices []chat.Notice) (passages []chat.Passage, tokens int) {
	for _, n := range notices {
		p := n.Passage(lang.Tokens(string(n.Text)))
		passages, tokens = append(passages, p), tokens+p.Tokens
	}
	return passages, tokens
}

var (
	// lineHandover: a person answers from here on.
	lineHandover = line{
		"en": "A person from our team will answer you here.",
		"de": "Ein Mensch aus unserem Team antwortet Ihnen hier.",
		"fr": "Une personne de notre équipe va vous répondre ici.",
		"es": "Una persona de nuestro equipo le responderá aquí.",
		"it": "Una persona del nostro team le risponderà qui.",
		"pt": "Uma pessoa da nossa equipa vai responder-lhe aqui.",
		"nl": "Een medewerker van ons team antwoordt u hier.",
	}
	// lineOff: the assistant is switched off, and nobody takes over.
	lineOff = line{
		"en": "I am not available at the moment. Please try again later.",
		"de": "Ich bin im Augenblick nicht verfügbar. Bitte versuchen Sie es später noch einmal.",
		"fr": "Je ne suis pas disponible pour le moment. Veuillez réessayer plus tard.",
		"es": "No estoy disponible en este momento. Vuelva a intentarlo más tarde, por favor.",
		"it": "Al momento non sono disponibile. La prego di riprovare più tardi.",
		"pt": "Não estou disponível neste momento. Por favor, tente mais tarde.",
		"nl": "Ik ben op dit moment niet beschikbaar. Probeer het later opnieuw.",
	}
)
