package extractive

import (
	"strings"

	"github.com/answerable/answerable/internal/lang"
)

// lines are the sentences that are not quoted, in one language. They claim nothing about
// the company and promise nothing.
type lines struct {
	nothing  string // nothing in the passages answers
	greeting string
	thanks   string
}

// linesOf returns the lines in a language, or the English ones.
func linesOf(language string) lines {
	if l, ok := allLines[language]; ok {
		return l
	}
	return allLines["en"]
}

var allLines = map[string]lines{
	"en": {
		"I could not find an answer to this in the documents. You can ask it in other words, or ask for a person.",
		"Hello! What would you like to know?",
		"You're welcome!",
	},
	"de": {
		"Dazu habe ich in den Dokumenten nichts gefunden. Sie können die Frage anders stellen oder nach einem Menschen fragen.",
		"Hallo! Was möchten Sie wissen?",
		"Gern geschehen!",
	},
	"fr": {
		"Je n'ai pas trouvé de réponse dans les documents. Vous pouvez reformuler la question ou demander à parler à une personne.",
		"Bonjour ! Que souhaitez-vous savoir ?",
		"Avec plaisir !",
	},
	"es": {
		"No he encontrado una respuesta en los documentos. Puede preguntarlo con otras palabras o pedir hablar con una persona.",
		"¡Hola! ¿Qué le gustaría saber?",
		"¡De nada!",
	},
	"it": {
		"Non ho trovato una risposta nei documenti. Può riformulare la domanda o chiedere di parlare con una persona.",
		"Buongiorno! Che cosa desidera sapere?",
		"Prego!",
	},
	"pt": {
		"Não encontrei uma resposta nos documentos. Pode perguntar de outra forma ou pedir para falar com uma pessoa.",
		"Olá! O que gostaria de saber?",
		"De nada!",
	},
	"nl": {
		"Ik heb hierover niets gevonden in de documenten. U kunt de vraag anders stellen of om een medewerker vragen.",
		"Hallo! Wat wilt u weten?",
		"Graag gedaan!",
	},
}

// pleasantry returns the line that answers a greeting or thanks, if the message is
// nothing else.
func pleasantry(message string, l lines) (string, bool) {
	greets, thanks := false, false
	words := strings.FieldsFunc(lang.Fold(message), func(r rune) bool { return strings.ContainsRune(" \t\n.,;:!?¡¿-'()😊🙂👋👍🙏❤️", r) })
	if len(words) == 0 || len(words) > 8 {
		return "", false
	}
	for _, w := range words {
		switch {
		case greetingWords[w]:
			greets = true
		case thanksWords[w]:
			thanks = true
		case !politeWords[w]:
			return "", false
		}
	}
	switch {
	case thanks:
		return l.thanks, true
	case greets:
		return l.greeting, true
	}
	return "", false
}

var (
	greetingWords = set("hi hello hey morning afternoon evening greetings hallo moin servus guten gruss salut bonjour bonsoir coucou hola buenos buenas ciao salve buongiorno buonasera ola bom boa goedemorgen goedemiddag goedenavond hoi dag")
	thanksWords   = set("thanks thank thx ty cheers danke dank vielen merci gracias grazie obrigado obrigada bedankt dankjewel bye goodbye tschuss")
	politeWords   = set("good there you so much very a lot for your the help ok okay great perfect and all everybody team tag abend morgen schon sehr fur die hilfe beaucoup bien tout le monde dias tardes noches muchas mucho mille tante molte muito dia tarde noite je wel u hartelijk super nice wonderful that was helpful is")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
