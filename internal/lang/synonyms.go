package lang

import (
	"slices"
	"strings"
	"sync"
)

// Synonyms returns the terms that customers and documents use for the same thing as term,
// without term itself. They are of the language that [Terms] was given; "" is English.
// The list is shared and must not be changed.
func Synonyms(term, language string) []string {
	if language == "" {
		language = "en"
	}
	return synonyms()[language][term]
}

// synonyms are the groups of sameWords by each of their terms.
var synonyms = sync.OnceValue(func() map[string]map[string][]string {
	m := map[string]map[string][]string{}
	for language, text := range sameWords {
		of := map[string][]string{}
		for line := range strings.Lines(text) {
			group := Terms(line, language)
			for _, t := range group {
				for _, other := range group {
					if other.Text != t.Text && !slices.Contains(of[t.Text], other.Text) {
						of[t.Text] = append(of[t.Text], other.Text)
					}
				}
			}
		}
		m[language] = of
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
waterproof rainproof
collect collection pickup
amount sum
maximum most highest limit
letter character
sms text
tax taxes vat
duty duties customs
parcel package box
parking park carpark
late delayed delay
instalment installment
student students
send write
combine together
arrive arrived arrival receive received get came come
cheap cheaper discount reduced
holiday holidays vacation
degree temperature
rent rental rented hire hired renting
deposit security
book booking reserve reservation appointment
staff employee employees
job jobs vacancy career
recall recalled
mould mold mouldy
smell odour
cover covered include included
fast faster quick express
overnight express
country countries
city town
picture photo image
birthday gift present
gift present
leak leaks leaking
broken broke break
colour color
centre center
1 one
2 two twice
3 three
4 four
5 five
6 six
7 seven
8 eight
9 nine
10 ten
12 twelve
14 fourteen fortnight
15 fifteen
20 twenty
30 thirty
50 fifty
100 hundred`,
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
rechnung beleg
abholen abholung
geschenk präsent
mieten miete verleih leihen
größe grössen größen
adresse anschrift
öffnungszeiten geöffnet
laden geschäft filiale
newsletter abmelden abbestellen
frist tage
kündigen kündigung
steuer mehrwertsteuer`,
}
