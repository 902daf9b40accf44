package extractive

import (
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// TestNotices: a notice stands first where it answers the question, and changes nothing
// where it does not.
func TestNotices(t *testing.T) {
	documents := []chat.Passage{
		{Document: "delivery.md", Title: "Delivery", Text: "# Delivery\n\nStandard delivery takes three working days.\n\nDelivery to Ireland costs €4.90."},
		{Document: "returns.md", Title: "Returns", Text: "# Returns\n\nYou can return shoes within 30 days.\n\n| Country | Price |\n|---|---|\n| Ireland | €3 |\n| France | €5 |"},
	}
	told := []chat.Passage{
		{Document: chat.NoticeDocument + "1", Title: "Notice", Text: "Parcels are late by up to two days because of snow."},
		{Document: chat.NoticeDocument + "2", Title: "Notice", Text: "Our phone line is closed on Friday."},
	}
	ask := func(question string, passages ...chat.Passage) string {
		return stream(t, llm.Request{Question: chat.Text(question), Language: "en", Passages: passages})
	}
	with := append(append([]chat.Passage{}, told...), documents...)
	for question, want := range map[string]string{
		"Is my parcel late?":                  "Parcels are late by up to two days because of snow. [1]",
		"Is the phone line closed on Friday?": "Our phone line is closed on Friday. [2]",
	} {
		if got := ask(question, with...); !strings.HasPrefix(got, want) {
			t.Errorf("%q is answered %q, want %q first", question, got, want)
		}
	}
	// Marks go up by the notices before the documents, and nothing else changes.
	renumber := strings.NewReplacer("[1]", "[3]", "[2]", "[4]")
	for _, question := range []string{"How long does standard delivery take?", "What does delivery to Ireland cost?", "Can I return shoes?",
		"What does a return from France cost?", "Do you sell tents?", "Hello!"} {
		if got, want := ask(question, with...), renumber.Replace(ask(question, documents...)); got != want {
			t.Errorf("%q is answered %q, want %q as without notices", question, got, want)
		}
	}
	if got, want := ask("Are parcels late? Can I return shoes?", with...),
		"Parcels are late by up to two days because of snow. [1]\n\nYou can return shoes within 30 days. [4]"; got != want {
		t.Errorf("two questions are answered %q, want %q", got, want)
	}
}
