package guard

import (
	"strings"

	"github.com/answerable/answerable/internal/lang"
)

// phrase is a turn of phrase that makes a part of a sentence polite.
type phrase struct {
	words    string // folded, between spaces
	more     int    // how many words may stand beside it
	anywhere bool   // it need not be at the start
}

// phrases are what people say without claiming anything: greetings, thanks, apologies,
// offers of help, and that something was not found. Greetings may have a few words
// beside them ("Thanks for contacting Acme"), assents none ("Of course refunds are free"
// is a claim), sentences about oneself more.
var phrases = func() []phrase {
	var all []phrase
	for _, g := range []struct {
		more     int
		anywhere bool
		lines    string
	}{
		{4, false, greetings},
		{0, false, assents},
		{16, false, aboutMe},
		{16, true, notFound},
	} {
		for line := range strings.Lines(g.lines) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, phrase{" " + strings.Join(strings.FieldsFunc(lang.Fold(line), notWord), " ") + " ", g.more, g.anywhere})
			}
		}
	}
	return all
}()

const greetings = `
	hello
	hi
	hey
	dear
	welcome
	good morning
	good afternoon
	good evening
	goodbye
	bye
	thanks
	thank you
	many thanks
	you're welcome
	you are welcome
	sorry
	i'm sorry
	i am sorry
	my apologies
	apologies
	i apologize
	i apologise
	have a nice
	have a great
	have a good
	take care
	enjoy
	one moment
	hallo
	guten tag
	guten morgen
	guten abend
	willkommen
	danke
	vielen dank
	entschuldigung
	entschuldigen sie
	tut mir leid
	es tut mir leid
	das tut mir leid
	einen schonen tag
	auf wiedersehen
	bonjour
	bonsoir
	salut
	merci
	bienvenue
	desole
	je suis desole
	bonne journee
	au revoir
	hola
	buenos dias
	buenas tardes
	gracias
	muchas gracias
	bienvenido
	lo siento
	lo sentimos
	adios
	ciao
	buongiorno
	buonasera
	grazie
	benvenuto
	mi dispiace
	arrivederci
	ola
	bom dia
	boa tarde
	obrigado
	obrigada
	desculpe
	sinto muito
	goedemorgen
	goedemiddag
	dank u
	dank je
	bedankt
	welkom
	het spijt me
	здравствуйте
	привет
	спасибо
	извините
	hej
	tack
	tak
	takk
	hei
	czesc
	dzien dobry
	dziekuje
	przepraszam
	merhaba
	tesekkurler
	مرحبا
	شكرا
	नमस्ते
	धन्यवाद
`

const assents = `
	no problem
	of course
	sure
	certainly
	great question
	good question
	great
	i understand
	i see
	got it
	my pleasure
	gern
	gern geschehen
	gerne
	naturlich
	selbstverstandlich
	bien sur
	de rien
	por supuesto
	claro
	de nada
	prego
	certo
	claro que sim
	graag gedaan
	natuurlijk
	пожалуйста
`

const aboutMe = `
	let me know
	please let me know
	just let me know
	feel free
	please feel free
	i'm happy to help
	i am happy to help
	happy to help
	i'm glad
	i am glad
	glad to help
	i'd be happy to
	i would be happy to
	i'll be happy to
	how can i help
	how may i help
	you can ask it in other words
	you can ask in other words
	you can ask for a person
	you can ask me
	please ask again
	please try again
	try again
	please rephrase
	or ask for a person
	i'm a bot
	i can help you with
	i'm here to help
	i am here to help
	i hope this helps
	i hope that helps
	hope this helps
	is there anything else
	could you
	can you tell me
	please tell me
	tell me
	please ask
	if you have any other questions
	if you have any questions
	if you have more questions
	if you need anything else
	if you need more
	if you need further
	if there is anything else
	here is what
	here's what
	here are
	i can only
	i'm an assistant
	i am an assistant
	i'm a virtual assistant
	i am a virtual assistant
	wenn sie weitere fragen haben
	falls sie weitere fragen haben
	bei weiteren fragen
	melden sie sich
	sagen sie mir
	lassen sie es mich wissen
	ich helfe ihnen
	ich hoffe
	ich freue mich
	wie kann ich
	sie konnen die frage anders
	sie konnen jederzeit nach einem menschen
	bitte versuchen sie es
	bitte fragen sie
	n'hesitez pas
	j'espere
	dites moi
	si vous avez d'autres questions
	comment puis je
	avec plaisir
	vous pouvez reformuler
	vous pouvez demander a parler a une personne
	si tiene mas preguntas
	si tienes mas preguntas
	no dude en
	no dudes en
	espero que
	digame
	en que puedo
	puede preguntarlo con otras
	puede pedir hablar con una persona
	se ha altre domande
	non esitare
	non esiti
	spero che
	come posso
	puo riformulare
	puo chiedere di parlare con una persona
	se tiver mais
	nao hesite
	como posso
	pode perguntar de outra
	pode pedir para falar com uma pessoa
	als u nog vragen
	als je nog vragen
	laat het me weten
	hoe kan ik
	u kunt de vraag anders
	u kunt altijd om een medewerker
`

const notFound = `
	i could not find
	i couldn't find
	i can't find
	i cannot find
	i did not find
	i didn't find
	i was unable to find
	i wasn't able to find
	i was not able to find
	i don't have information
	i do not have information
	i don't have any information
	i do not have any information
	i don't have that information
	i do not have that information
	i don't have enough information
	i do not have enough information
	i don't know
	i do not know
	i'm not sure
	i am not sure
	i can't answer
	i cannot answer
	i'm unable to
	i am unable to
	i'm not able to
	i am not able to
	i can't help
	i cannot help
	documents do not mention
	documents do not say
	documents do not contain
	documents do not cover
	documents do not include
	documents do not answer
	documents don't mention
	documents don't say
	documents don't contain
	documents don't cover
	documents don't include
	documents don't answer
	not in the documents
	not in our documents
	nothing about this
	nothing about that
	no information about this
	no information about that
	nichts gefunden
	habe ich keine informationen
	konnte ich nichts finden
	konnte ich nicht finden
	ich konnte nichts
	ich konnte keine
	ich habe keine information
	ich habe keine informationen
	ich habe dazu
	ich weiss es nicht
	ich weiss das nicht
	ich kann diese frage nicht
	ich kann ihnen dabei nicht
	steht nicht in den unterlagen
	je n'ai pas trouve
	je n'ai trouve aucune
	je n'ai rien trouve
	je n'ai pas d'information
	je n'ai pas d'informations
	je ne sais pas
	je ne peux pas
	no he encontrado
	no encontre
	no pude encontrar
	no tengo informacion
	no lo se
	no puedo
	non ho trovato
	non ho informazioni
	non lo so
	non posso
	nao encontrei
	nao tenho informacoes
	nao sei
	nao posso
	ik heb geen informatie
	ik kon niets vinden
	ik kon geen
	ik heb hierover niets gevonden
	ik weet het niet
	ik kan deze vraag niet
`
