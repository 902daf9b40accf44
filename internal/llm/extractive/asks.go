package extractive

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/answerable/answerable/internal/lang"
)

// asks says what form an answer will have.
type asks struct {
	money   bool // how much
	time    bool // when, how long
	lasts   bool // how long, which no "when" answers
	number  bool // how many
	reach   bool // an address, a telephone number
	contact bool // one of these to write to or to call
	steps   bool // how to
	list    bool // which, what … things
	allowed bool // whether something can be done
	meaning bool // what something is
}

// readAsks reads the form of the answer off the question.
func readAsks(question string) asks {
	q := lang.Fold(question)
	return asks{
		money:   askMoney.MatchString(q),
		time:    askTime.MatchString(q),
		lasts:   askLasts.MatchString(q),
		number:  askNumber.MatchString(q),
		reach:   askReach.MatchString(q),
		contact: askContact.MatchString(q),
		steps:   askSteps.MatchString(q),
		list:    askList.MatchString(q),
		allowed: askAllowed.MatchString(q),
		meaning: askMeaning.MatchString(q),
	}
}

// The patterns match folded text: lower case, without accents.
var (
	askMoney   = regexp.MustCompile(`\b(how much( is| are| does| do| will| would| for|\W*$)|cost|costs|price|prices|fee|fees|charge|charges|free|expensive|pay for|wie ?viel|kostet|kosten|preis|gebuhr|kostenlos|gratis|combien|prix|coute|couter|frais|gratuit|cuanto|cuesta|precio|quanto|costa|costo|prezzo|custa|preco|hoeveel kost|prijs)\b`)
	askTime    = regexp.MustCompile(`\b(when|how long|how soon|how fast|how quickly|how late|what time|how many (days|weeks|hours|months)|deadline|hours|open|wann|wie lange|ab wann|bis wann|offnungszeiten|quand|combien de temps|delai|cuando|cuanto tiempo|cuanto tarda|quando|quanto tempo|wanneer|hoe lang|hoelang|openingstijden)\b`)
	askLasts   = regexp.MustCompile(`\b(how (long|many (days|weeks|hours|months|years))|wie lange|wie viele (tage|wochen|stunden|monate|jahre)|combien de temps|cuanto tiempo|quanto tempo|hoe ?lang)\b`)
	askNumber  = regexp.MustCompile(`\b(how long (must|should|can|may)|how many|how much \w+ (do|does|can|is|are|will|should|must)|how often|how (high|low|big|large|small|heavy|thick|deep|wide|far|tall|old|warm|hot|cold)|at (what|which) \w+|(what|which) (size|temperature|weight|percentage|age)|maximum|minimum|wie viele|wie oft|combien de|cuantos|cuantas|quanti|quante|quantos|quantas|hoeveel)\b`)
	askReach   = regexp.MustCompile(`\b(phone|telephone|call|e-?mail|mail|address|contact|reach|where|telefon\w*|anrufen|adresse|kontakt|erreichen|wo|telephone|courriel|contacter|ou|telefono|correo|direccion|contactar|donde|indirizzo|contattare|dove|telefone|endereco|onde|telefoon\w*|adres|waar)\b`)
	askContact = regexp.MustCompile(`\b((how|where) (can|do|could|may) i (call|contact|reach|write)|(contact|call|reach|write|phone|e-?mail) (you|someone|somebody)|(phone|telephone) number|e-?mail address|telefonnummer|e-?mail-?adresse|(sie|euch) (erreichen|anrufen|kontaktieren))\b`)
	askAllowed = regexp.MustCompile(`\b(can|could|may|am i|is it|are we) (i|we|you|allowed|possible|able)\b|\b(kann|darf|konnen) (ich|man|wir|sie)\b|\b(puedo|puis-je|peut-on|posso|kan ik|mag ik)\b`)
	askMeaning = regexp.MustCompile(`^\W*(so )?((what|who)( is|'s| are| was) (an? |the )?[\w./+-]+( [\w./+-]+){0,2}( for| about)?|what (does|do) [\w./+ -]+ (do|mean|stand for)|was (ist|sind|bedeutet) (ein |eine |der |die |das )?[\w./-]+( [\w./-]+)?|qu'?est.ce que .{1,30}|que (es|son|significa) .{1,30}|cos'?e .{1,30}|o que (e|sao) .{1,30}|wat (is|zijn|betekent) .{1,30})\W*$`)
	askSteps   = regexp.MustCompile(`\b(how (do|can|to|should|would|must|does one)|steps?|instructions|what (do|should|must) i do|wie (kann|mache|muss|soll|geht|funktioniert|andere|storniere)|was muss ich|schritte|comment|etapes|como|pasos|come|passi|passos|hoe (kan|moet|doe)|stappen)\b`)
	askList    = regexp.MustCompile(`\b(which|list|what (are|kinds?|types?|methods?|options|items|things|documents|can|can't|cannot|is not|isn't|does|\w+ methods|\w+ options|do you store|do you keep)|welche|quels?|quelles?|que|cuales|quali|quais|welke)\b`)
)

// What an answer of each form contains: one of the words, folded, or the pattern.
var (
	moneyWords = set(`eur usd gbp chf euro euros dollar dollars pounds free kostenlos gratis gratuit gratuito gratuita`)
	timeWords  = set(`minute minutes hour hours day days week weeks month months year years today tomorrow immediately
		monday tuesday wednesday thursday friday saturday sunday january february april june july august september october
		november december minuten stunde stunden tag tage tagen werktage werktagen woche wochen monat monate monaten jahr jahre
		jahren montag dienstag mittwoch donnerstag freitag samstag sonntag sofort jour jours heure heures semaine semaines mois an
		ans annee annees hora horas dia dias semana semanas mes meses ano anos giorno giorni ore settimana settimane mese mesi anno
		anni dag dagen werkdagen uur week weken maand maanden jaar immediately forever`)
	whenWords   = set(`when after before once until wann sobald`)
	numberWords = set(`one two three four five six seven eight nine ten once twice zwei drei vier funf deux trois quatre cinq dos tres
		cuatro cinco due tre quattro cinque dois duas quatro twee drie vier vijf`)
	clock      = regexp.MustCompile(`\d[:h]\d\d`)
	phoneWords = set(`phone telephone extension call telefon durchwahl`)
	extension  = regexp.MustCompile(`\b\d{3,5}\b`)
	number     = regexp.MustCompile(`\+?\d[\d ()/-]{6,}\d`) // of a telephone
)

// fit returns how well text has the form that is asked for, from -1 to 1; to -2 where
// somebody wants to write or call, whom nothing else helps.
func (a asks) fit(text string) float64 {
	digit := strings.ContainsAny(text, "0123456789")
	score, forms := 0.0, 0
	for _, f := range []struct {
		asked bool
		has   func() bool
	}{
		{a.money, func() bool { return strings.ContainsAny(text, "€$£¥%") || hasWord(text, moneyWords) }},
		{a.time, func() bool {
			return hasWord(text, timeWords) || digit && clock.MatchString(text) || !a.lasts && hasWord(text, whenWords)
		}},
		{a.number, func() bool { return digit || hasWord(text, numberWords) }},
		{a.reach, func() bool {
			return strings.Contains(text, "@") || strings.Contains(text, "://") || digit && (number.MatchString(text) || extension.MatchString(text) && hasWord(text, phoneWords))
		}},
	} {
		switch {
		case !f.asked:
			continue
		case f.has():
			score++
		default:
			score--
		}
		if a.contact && f.asked && score < 0 {
			score *= 2 // nothing to write to or to call
		}
		forms++
	}
	return score / float64(max(forms, 1))
}

// hasWord reports whether one of the words of text, folded, is in words.
func hasWord(text string, words map[string]bool) bool {
	for w := range strings.FieldsFuncSeq(lang.Fold(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if words[w] {
			return true
		}
	}
	return false
}

// exact reports whether one piece of information is asked for.
func (a asks) exact() bool { return a.money || a.time || a.number || a.reach }

// announced reports whether a heading announces the form that is asked for.
func (a asks) announced(heading string) bool {
	return a.money && saysMoney.MatchString(heading) || a.time && saysTime.MatchString(heading) || a.list && saysList.MatchString(heading)
}

// What headings say above such answers.
var (
	saysMoney = regexp.MustCompile(`(?i)\b(prices?|costs?|fees?|charges?|rates?|preise?|kosten|gebühren|prix|frais|precios?|prezzi|preços?|prijzen)\b`)
	saysTime  = regexp.MustCompile(`(?i)\b(times?|hours|when|how long|deadlines?|lieferzeit\w*|\w*zeiten|fristen|délais?|horaires|horarios?|plazos?|orari|tempi|prazos?|tijden)\b`)
	saysList  = regexp.MustCompile(`(?i)\b(methods|kinds|types|options|what|which)\b`)
)
