package extractive

import (
	"slices"
	"strings"
	"sync"

	"github.com/answerable/answerable/internal/lang"
)

// synonyms returns the terms that customers and documents use for the same thing.
func synonyms(term, language string) []string {
	if language == "" {
		language = "en"
	}
	var like []string
	for _, group := range groups()[language] {
		if slices.Contains(group, term) {
			like = append(like, group...)
		}
	}
	return like
}

// groups are the words of sameWords as terms.
var groups = sync.OnceValue(func() map[string][][]string {
	m := map[string][][]string{}
	for language, text := range sameWords {
		for line := range strings.Lines(text) {
			var group []string
			for _, t := range lang.Terms(line, language) {
				group = append(group, t.Text)
			}
			m[language] = append(m[language], group)
		}
	}
	return m
})

// sameWords has a line for each thing that is called by several names in shops and
// services. A word in the wrong group finds wrong sentences, so the groups are narrow.
var sameWords = map[string]string{
	"en": `delivery deliver delivered shipping ship shipped shipment dispatch dispatched
parcel package
return returning returned
refund refunded refunds reimburse money-back
exchange swap
cost costs price prices fee fees charge charged expensive free
pay payment paying paid
cancel cancelled cancellation cancelling
change changing modify edit update
delete erase deletion remove close
warranty guarantee guaranteed
faulty broken defective damaged fault defect
phone telephone
email mail e-mail
voucher coupon
discount discounts promo promotion rebate
discount coupon voucher
repair fix mend repaired
wash washing clean cleaning laundry
shop store
open opening
contact reach
account profile
login sign signin log
password passcode
track tracking trace
lost missing
size sizes sizing
card cards
company companies business businesses corporate firm
buy purchase bought order
kids kid children child
invoice bill receipt
address addresses
expire expires expiry valid validity expiration
minimum least
newsletter unsubscribe
forgot forgotten forget
replace replacement replaced new
dryer dry drying
faulty wrong
money refund
item items product products anything something article articles thing goods
complaint complain complaints
embroider embroidered embroidery
keep store stored kept retain
data information
person human agent
abroad international overseas
jumper sweater pullover
waterproof rainproof`,
	"de": `lieferung liefern geliefert versand versenden zustellung lieferzeit versandkosten
paket sendung
rückgabe zurückgeben zurückschicken retoure zurücksenden umtausch rücksendung
erstattung erstatten rückerstattung
kosten kostet preis gebühr kostenlos gratis
zahlen bezahlen zahlung zahlungsart zahlungsarten
stornieren stornierung abbestellen
ändern änderung
löschen löschung
garantie gewährleistung
kaputt defekt beschädigt mangel
telefon anrufen telefonnummer
e-mail email mail
gutschein rabatt code
reparatur reparieren
waschen reinigen
konto kundenkonto
passwort kennwort
firma firmen unternehmen geschäftskunden
rechnung beleg`,
}
