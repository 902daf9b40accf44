package lang

import (
	"slices"
	"strings"
	"sync"
)

// Synonyms returns other terms for the thing that term names: same are those that mean it
// nearly always, near those that may mean it where the rest of a sentence fits. They are
// of the language that [Terms] was given; "" is English. The lists are shared and must not
// be changed.
func Synonyms(term, language string) (same, near []string) {
	if language == "" {
		language = "en"
	}
	like := synonyms()[language][term]
	return like.same, like.near
}

type likeness struct{ same, near []string }

// synonyms are the groups of sameWords by each of their terms.
var synonyms = sync.OnceValue(func() map[string]map[string]likeness {
	m := map[string]map[string]likeness{}
	for language, text := range sameWords {
		of := map[string]likeness{}
		for line := range strings.Lines(text) {
			words, near := strings.CutPrefix(line, "~")
			group := Terms(words, language)
			for _, t := range group {
				for _, other := range group {
					like := of[t.Text]
					switch {
					case other.Text == t.Text, slices.Contains(like.same, other.Text), slices.Contains(like.near, other.Text):
						continue
					case near:
						like.near = append(like.near, other.Text)
					default:
						like.same = append(like.same, other.Text)
					}
					of[t.Text] = like
				}
			}
		}
		addPlaces(of, language)
		m[language] = of
	}
	return m
})

// sameWords has a line for each thing that is called by several names in shops and
// services. A word in the wrong group finds wrong sentences, so the groups are narrow;
// behind "~" are words that are near each other, and not the same.
var sameWords = map[string]string{
	"en": `delivery deliver delivered shipping ship shipped shipment dispatch dispatched
parcel package
return returning returned
refund refunded refunds reimburse money-back
exchange swap
~ cost costs price prices fee fees charge charged expensive free
pay payment paying paid
cancel cancelled cancellation cancelling
~ change changing modify edit update
~ delete erase deletion remove close
warranty guarantee guaranteed
faulty broken defective damaged fault defect
phone telephone
email mail e-mail
voucher coupon
discount discounts promo promotion rebate
discount coupon voucher
repair fix mend repaired
wash washing clean cleaning laundry
~ shop store
~ open opening
contact reach
account profile
login sign signin log
password passcode
track tracking trace
~ lost missing
size sizes sizing
~ card cards
~ company companies business businesses corporate firm
~ buy purchase bought order
kids kid children child
invoice bill receipt
~ address addresses
expire expires expiry valid validity expiration
~ minimum least
newsletter unsubscribe
forgot forgotten forget
~ replace replacement replaced new
dryer dry drying
~ faulty wrong
~ money refund
~ item items product products anything something article articles thing goods
complaint complain complaints
embroider embroidered embroidery
~ keep store stored kept retain
~ data information
~ person human agent
abroad international overseas
jumper sweater pullover
waterproof rainproof
collect collection pickup
amount sum
maximum most highest limit
~ letter character
sms text
tax taxes vat
duty duties customs
~ parcel package box
parking park carpark
late delayed delay
instalment installment
student students
~ send write
combine together
arrive arrived arrival receive received get came come
cheap cheaper discount reduced
holiday holidays vacation
degree temperature
rent rental rented hire hired renting
~ deposit security
~ book booking reserve reservation appointment
staff employee employees
job jobs vacancy career
recall recalled
mould mold mouldy
smell odour
~ cover covered include included
~ fast faster quick express
overnight express
country countries
city town
picture photo image
~ birthday gift present
~ error errors code codes
add added adding
leak leaks leaking
broken broke break
colour color
centre center
~ postage shipping delivery
~ freight delivery shipping
~ stolen theft nicked robbed gone lost
~ deduct subtract fee charge
toilet loo restroom bathroom wc
xmas christmas
biggest largest greatest maximum
smallest lowest minimum
~ branch shop store location
~ toddler baby child infant
pupil student schoolchild
~ teacher school class
~ damp wet moist
lease leasing
~ lease leasing rent rental hire
~ damaged broken snapped torn ripped cracked hole
~ unused new unworn
courier carrier
~ courier carrier driver postman
~ locked blocked
wellies wellington
~ wellies boot
~ raincoat jacket
~ headlamp torch flashlight lamp
~ inflatable blow-up
basket cart trolley
~ hotline phone number line
~ saturday sunday weekend
~ lesson course class training
~ discontinued sold
id identity
~ id identity passport card
~ blind accessible accessibility disabled wheelchair reader
~ complain complaint unhappy dissatisfied angry
~ apply register registration sign
~ fridge freezer refrigerator
~ battery rechargeable charge charger charging
~ mobile phone smartphone cell
~ doctor medical
~ petrol gas fuel
~ rubbish waste disposal recycle recycling bin
~ quote offer estimate
~ logo print printed printing
~ trainer shoe sneaker boot footwear
~ ruin ruined destroyed damaged
~ burn burnt fire flames
~ spare replacement part
~ wait delay
~ speak talk call phone
~ proof evidence receipt
~ lend rent borrow
~ owe outstanding rest balance remaining
~ last late latest deadline
~ under below
~ above over
~ old age year
~ weigh weight kg kilos kilograms heavy
~ tall height
~ mould mildew
~ swim swimming water
~ stitch stitched stitching embroider embroidered embroidery sewn
~ blanket throw
~ misspelt typo spelling mistake
~ reply answer respond response
~ sleeve sleeveless sleeves
~ 1 one
~ 2 two twice
~ 3 three
~ 4 four
~ 5 five
~ 6 six
~ 7 seven
~ 8 eight
~ 9 nine
~ 10 ten
~ 12 twelve
~ 14 fourteen fortnight
~ 15 fifteen
~ 20 twenty
~ 30 thirty
~ 50 fifty
~ 100 hundred`,
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
