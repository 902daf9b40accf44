package extractive

import (
	"regexp"
	"strings"

	"github.com/answerable/answerable/internal/lang"
)

// wish is how much a message asks for a person.
type wish int

const (
	noWish   wish = iota
	somebody      // it may: "Can I talk to somebody about the deposit?"
	person        // it does: "Can I talk to a human?"
)

// readWish reads from a message whether its writer wants a person in place of us.
func readWish(message string) wish {
	text := lang.Fold(message)
	if alone.MatchString(text) {
		return person
	}
	found := noWish
	for _, pattern := range wanted {
		for _, m := range pattern.FindAllStringIndex(text, -1) {
			before := text[strings.LastIndexAny(text[:m[0]], ".,;:!?\n")+1 : m[0]]
			if hasWord(before, declines) || strings.Contains(before, "n't") {
				continue // "I do not want to talk to a person"
			}
			if ends.MatchString(text[m[1]:]) {
				return person
			}
			found = somebody
		}
	}
	return found
}

// The patterns match folded text.
var (
	// alone is a message that names a person and nothing else.
	alone = regexp.MustCompile(`^\W*(a |an |einen? |un |una |een )?((real |live |actual )?(human( being| agent)?|person|agent|representative)|(echter? |echten )?(mensch(en)?|mitarbeiter(in)?)|conseiller|agente|operatore|atendente|medewerker)( please| now| bitte| s'il vous plait| por favor| per favore| alstublieft)*\W*$`)
	// wanted are the ways to ask for one in a sentence.
	wanted = []*regexp.Regexp{
		regexp.MustCompile(`\b((talk|speak|chat|write) (to|with)|(connect|put|transfer|pass|hand) me (on |over |through )?(to|with)|(get|give) me|i (want|need)|i would like|i'd like) ((an?|the|some|one of your) )?((real|live|actual|human|other) )*(human|human being|person|agent|representative|operator|someone|somebody|(someone|somebody) (real|human)|member of staff|employees?)\b`),
		regexp.MustCompile(`\b(mit )?(eine[mnr]? |'?nem )?(echten |richtigen |realen )?(menschen|mitarbeiter|mitarbeiterin|person|berater|beraterin|jemandem|jemanden) (zu )?(sprechen|reden|schreiben|chatten|verbunden|verbinden)\b`),
		regexp.MustCompile(`\b(verbinde mich|verbinden sie mich|sprechen|reden) (bitte )?mit (eine[mr] )?(echten |richtigen )?(menschen|mitarbeiter|mitarbeiterin|person|berater|beraterin|jemandem)\b`),
		regexp.MustCompile(`\b(parler|discuter|echanger) (a|avec) (un |une )?(vraie? )?(humain|etre humain|personne|conseiller|conseillere|agent|quelqu'un)( reelle?| humaine?)?\b`),
		regexp.MustCompile(`\bhablar con (una? )?(persona|humano|agente|alguien|operador|operadora|asesor|asesora)( real| humano| humana)?\b`),
		regexp.MustCompile(`\bparlare con (una? |un')?(persona|umano|essere umano|operatore|operatrice|qualcuno)( reale| vera)?\b`),
		regexp.MustCompile(`\bfalar com (uma? )?(pessoa|humano|atendente|alguem|operador|operadora)( real| de verdade)?\b`),
		regexp.MustCompile(`\b(met )?(een )?(echte? )?(mens|persoon|medewerker|iemand) (te )?(spreken|praten)\b|\b(spreken|praten) met (een )?(echte? )?(mens|persoon|medewerker|iemand)\b`),
	}
	// ends is what follows where the wish is all that its sentence says.
	ends = regexp.MustCompile(`^\W*(please|now|right now|instead|here|at once|asap|today|bitte|jetzt|sofort|s'il vous plait|maintenant|por favor|ahora|agora|per favore|adesso|ora|alstublieft|nu)?\W*($|[.,;:!?\n])`)
)

// declines are the words of those who do not want one.
var declines = set(`not never no without nicht kein keinen keine pas sans sin non senza nao sem niet geen zonder`)
