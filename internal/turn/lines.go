package turn

// line is a sentence of our own, by language.
type line map[string]string

// in returns the line in a language, in English where there is none.
func (l line) in(language string) string {
	if s, ok := l[language]; ok {
		return s
	}
	return l["en"]
}

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
)
