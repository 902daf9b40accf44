package turn

import (
	"context"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// ruled is what the policies say to a message.
type ruled struct {
	Verdict  *chat.Verdict `json:"verdict,omitempty"` // nil: it is answered
	Say      string        `json:"say,omitempty"`
	HandOver bool          `json:"hand_over,omitempty"`
}

// policy looks for a rule that decides what becomes of a message.
func (r *Runner) policy(_ context.Context, message chat.Text) (ruled, error) {
	rule, v := r.Policies.Match(message)
	if rule == nil {
		return ruled{}, nil
	}
	say := rule.In(r.Rules.saysIn(lang.Language(string(message))))
	return ruled{Verdict: &v, Say: say, HandOver: rule.HandOver}, nil
}

// follow does what the policies say, in place of an answer. What it says is true with the
// commit that shows it.
func (w *writing) follow() {
	t := w.turn
	t.Outcome = chat.Refused
	handOver := w.ruled.HandOver && !w.began.Stateless
	if handOver {
		t.Outcome = chat.HandedOver
		t.Handoff = &chat.Handoff{Reason: "the company's policy asks for a person", Trigger: "policy"}
	}
	switch {
	case w.ruled.Say != "":
		w.gate.Let(w.ruled.Say)
	case handOver:
		w.say(ownHandover, lineHandover)
	default:
		w.say(ownNothing, lineNothing)
	}
}
