package turn

import (
	"slices"

	"github.com/answerable/answerable/internal/prompt"
)

// Line is what an assistant says in one language where no model writes; ours stands where a
// text is missing.
type Line struct {
	Language    string `json:"language"` // as package lang calls it
	Nothing     string `json:"nothing,omitempty"`
	Handover    string `json:"handover,omitempty"`
	Interrupted string `json:"interrupted,omitempty"`
	Failed      string `json:"failed,omitempty"`
	Off         string `json:"off,omitempty"`
}

// answersIn returns the language of the answer to a question in a language. Either is ""
// where it is unknown: a model still knows which it is.
func (r Rules) answersIn(language string) string {
	if language == "" || len(r.Languages) == 0 || slices.Contains(r.Languages, language) {
		return language
	}
	return r.Languages[0]
}

// saysIn returns the language of what is said without a model, where a question is in a
// language, "" if unknown.
func (r Rules) saysIn(language string) string {
	if language == "" && len(r.Languages) > 0 {
		return r.Languages[0]
	}
	return r.answersIn(language)
}

// say returns a line: the assistant's own or ours, in English where neither has the
// language of the question.
func (r Rules) say(language string, own func(Line) string, ours line) string {
	for _, wanted := range []string{r.saysIn(language), "en"} {
		for _, l := range r.Lines {
			if text := own(l); text != "" && l.Language == wanted {
				return text
			}
		}
		if text, ok := ours[wanted]; ok {
			return text
		}
	}
	return ""
}

func ownNothing(l Line) string     { return l.Nothing }
func ownHandover(l Line) string    { return l.Handover }
func ownInterrupted(l Line) string { return l.Interrupted }
func ownFailed(l Line) string      { return l.Failed }
func ownOff(l Line) string         { return l.Off }

// line is a sentence of our own, by language.
type line map[string]string

var (
	// lineNothing: nothing that the model said could be shown.
	lineNothing = line{
		"en": "I could not find an answer to that in our documents that I can stand behind. You can ask for a person at any time.",
		"de": "Dazu habe ich in unseren Unterlagen keine Antwort gefunden, für die ich einstehen kann. Sie können jederzeit nach einem Menschen fragen.",
		"fr": "Je n’ai pas trouvé dans nos documents de réponse dont je puisse répondre. Vous pouvez demander à parler à une personne à tout moment.",
		"es": "No he encontrado en nuestros documentos una respuesta de la que pueda responder. Puede pedir hablar con una persona en cualquier momento.",
		"it": "Nei nostri documenti non ho trovato una risposta di cui posso rispondere. Può chiedere di parlare con una persona in qualsiasi momento.",
		"pt": "Não encontrei nos nossos documentos uma resposta que eu possa garantir. Pode pedir para falar com uma pessoa a qualquer momento.",
		"nl": "Ik heb in onze documenten geen antwoord gevonden waar ik achter kan staan. U kunt altijd om een medewerker vragen.",
	}
	// lineInterrupted: the answer broke off.
	lineInterrupted = line{
		"en": "Sorry, this answer was interrupted and is not complete. Please ask again.",
		"de": "Entschuldigung, diese Antwort wurde unterbrochen und ist nicht vollständig. Bitte fragen Sie noch einmal.",
		"fr": "Désolé, cette réponse a été interrompue et n’est pas complète. Veuillez reposer votre question.",
		"es": "Lo siento, esta respuesta se ha interrumpido y no está completa. Vuelva a preguntar, por favor.",
		"it": "Mi dispiace, questa risposta è stata interrotta e non è completa. La prego di ripetere la domanda.",
		"pt": "Desculpe, esta resposta foi interrompida e não está completa. Por favor, pergunte novamente.",
		"nl": "Sorry, dit antwoord werd onderbroken en is niet volledig. Stel uw vraag alstublieft opnieuw.",
	}
	// lineFailed: no model answered.
	lineFailed = line{
		"en": "Sorry, I cannot answer at the moment. Please try again, or ask for a person.",
		"de": "Entschuldigung, ich kann gerade nicht antworten. Bitte versuchen Sie es noch einmal oder fragen Sie nach einem Menschen.",
		"fr": "Désolé, je ne peux pas répondre pour le moment. Réessayez, ou demandez à parler à une personne.",
		"es": "Lo siento, en este momento no puedo responder. Inténtelo de nuevo o pida hablar con una persona.",
		"it": "Mi dispiace, al momento non posso rispondere. Riprovi, oppure chieda di parlare con una persona.",
		"pt": "Desculpe, não posso responder neste momento. Tente novamente ou peça para falar com uma pessoa.",
		"nl": "Sorry, ik kan nu geen antwoord geven. Probeer het opnieuw, of vraag om een medewerker.",
	}
	// lineUnsure: a person takes over. It is the line that models are told to ask with.
	lineUnsure = func() line {
		all := line{}
		for language := range lineNothing {
			all[language] = prompt.Unsure(language)
		}
		return all
	}()
)
