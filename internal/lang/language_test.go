package lang

import (
	"strings"
	"testing"
)

func TestLanguage(t *testing.T) {
	for in, want := range map[string]string{
		"Where is my order, and when will it be here?":          "en",
		"Wann kommt meine Bestellung und wo ist sie jetzt?":     "de",
		"Où est ma commande et quand est-ce qu'elle arrive ?":   "fr",
		"¿Dónde está mi pedido y cuándo llega?":                 "es",
		"Dov'è il mio ordine e quando arriva?":                  "it",
		"Onde está o meu pedido e quando ele chega?":            "pt",
		"Waar is mijn bestelling en wanneer komt die aan?":      "nl",
		"Var är min beställning och när kommer den?":            "sv",
		"Hvor er bestillingen min, og når kommer den frem?":     "", // Danish or Norwegian
		"Missä tilaukseni on ja milloin se saapuu?":             "fi",
		"Unde este comanda mea și când ajunge?":                 "ro",
		"Siparişim nerede ve ne zaman gelecek?":                 "tr",
		"Gdzie jest moje zamówienie i kiedy do mnie przyjdzie?": "pl",
		"Đơn hàng của tôi ở đâu và khi nào đến?":                "vi",
		"Где мой заказ?":                                        "ru",
		"Де моє замовлення?":                                    "uk",
		"Πού είναι η παραγγελία μου;":                           "el",
		"أين طلبي؟":                                             "ar",
		"איפה ההזמנה שלי?":                                      "he",
		"मेरा ऑर्डर कहाँ है?":                                   "hi",
		"คำสั่งซื้อของฉันอยู่ที่ไหน":                            "th",
		"注文した商品はどこですか":                                          "ja",
		"我的 iPhone 订单在哪里":                                       "zh",
		"내 주문은 어디에 있나요?":                                        "ko",
		"":                                                      "",
		"ORD-4521":                                              "",
		"ok":                                                    "",
		"12345 !!!":                                             "",
		"Lampshop Berlin Hamburg":                               "",
		"José Núñez, Señora Muñoz, Ibáñez, Ordóñez; " + strings.Repeat("Smith, Jones, Miller, Taylor; ", 12): "",
	} {
		if got := Language(in); got != want {
			t.Errorf("Language(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTokens compares with counts of a current model's vocabulary for texts of the
// kind; the estimate may be off by what Tokens says.
func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		least, most int
	}{
		{"nothing", "", 0, 0},
		{"a letter", "a", 1, 1},
		{"a sentence", "The quick brown fox jumps over the lazy dog.", 9, 12},
		{"a paragraph", strings.Repeat("We refund within seven days after the parcel has reached our warehouse. ", 10), 115, 160},
		{"German", "Wir erstatten den Betrag innerhalb von sieben Tagen, nachdem das Paket unser Lager erreicht hat.", 17, 30},
		{"numbers", "1234567890", 4, 4},
		{"Chinese", "我们在收到包裹后七天内退款。", 8, 16},
		{"Russian", "Мы вернём деньги в течение семи дней.", 8, 16},
		{"a rule", strings.Repeat("-", 80), 1, 25},
		{"emoji", "🎉🎉", 2, 6},
	} {
		if got := Tokens(tt.text); got < tt.least || got > tt.most {
			t.Errorf("%s: %d tokens, want %d to %d", tt.name, got, tt.least, tt.most)
		}
	}
}
