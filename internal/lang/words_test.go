package lang

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Lamp": "lamp", "ÉTÉ": "ete", "e\u0301te\u0301": "ete", "Größe": "grosse", "Ｌａｍｐ１２": "lamp12", "ŁÓDŹ": "lodz",
		"İSTANBUL ığdır": "istanbul igdir", "Новый Ёж": "новый еж", "don’t": "don't", "ガラス": "ガラス", "한국어": "한국어", "ｶﾞ": "ガ",
		"ﬁne": "fine", "Ὀδυσσεύς": "οδυσσευσ", "אָב": "אב", "أحمد": "احمد", "हिन्दी": "हिन्दी", "soft\u00adhyphen": "softhyphen", "\xff": "\ufffd",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTerms(t *testing.T) {
	for _, tt := range []struct{ language, in, want string }{
		{"", "The lamps are shining", "(the) lamp (are) shine"},
		{"en", "My order ORD-4521's late", "(my) order ord-4521 ord 4521 late"},
		{"en", "don't, can't; the customer's", "(don't) (can't) (the) custom"},
		{"en", "1,000 lamps at 19.99 by 2026-03-01", "1000 lamp (at) 19.99 19 99 (by) 2026-03-01 2026 03 01"},
		{"en", "1,00", "1,00 1 00"},
		{"en", "help@shop.example", "help@shop.example help shop exampl"},
		{"en", "well-known wi-fi/LAN", "well known wi fi lan"},
		{"en", "end. Next", "end next"},
		{"en", "'quoted' ''", "quot"},
		{"en", "a--b ---", "(a) b"},
		{"de", "Die Bestellungen werden verschickt", "(die) bestell (werden) verschickt"},
		{"fr", "L’article d'aujourd'hui n'est pas", "articl aujourd'hui (est) (pas)"},
		{"es", "devoluciones devolución devolucion", "devolu devolu devolu"},
		{"pt", "devoluções devolução devolucao", "devolu devolu devolu"},
		{"ru", "новые заказы", "нов заказ"},
		{"tr", "Allen'ın", "alle"},
		{"ja", "東京都へ", "東京 京都 都へ"},
		{"zh", "货", "货"},
		{"ko", "반품", "반품"},
		{"th", "ที่นี่", "ที่นี่"},
		{"zh", "我的iPhone 15坏了", "我的 iphon 15 坏了"},
		{"xx", "lamps", "lamp"},
		{"en", "\x00\xff 🎉", ""},
	} {
		var got []string
		for _, x := range Terms(tt.in, tt.language) {
			if x.Stop {
				x.Text = "(" + x.Text + ")"
			}
			got = append(got, x.Text)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: Terms(%q) = %q, want %q", tt.language, tt.in, s, tt.want)
		}
	}
}

func TestTermsAreBounded(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", 1<<20), strings.Repeat("x-1", 1<<16), strings.Repeat("é", 1<<16), "漢" + strings.Repeat("\u0301", 1<<16)} {
		for _, x := range Terms(s, "en")[:1] {
			if len(x.Text) > maxTerm {
				t.Errorf("a term of %d bytes, want at most %d", len(x.Text), maxTerm)
			}
		}
	}
}

// TestWordCacheIsTransparent meets so many words that slots are shared.
func TestWordCacheIsTransparent(t *testing.T) {
	r := rulesOf("en")
	for range 2 {
		for i := range 3 * cacheSize {
			word := "w" + strings.Repeat("ab", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + "ing"
			got, _ := r.term(word)
			if want, _ := r.compute(word); got != want {
				t.Fatalf("term(%q) = %q, want %q", word, got, want)
			}
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add("My order ORD-4521's late, l'article 東京都へ 1,000", "en")
	f.Add("İé\u0301\xff''--@", "tr")
	f.Fuzz(func(t *testing.T, text, language string) {
		last := 0
		for _, x := range Terms(text, language) {
			if x.Start < last || x.End <= x.Start || x.End > len(text) {
				t.Fatalf("%q is at %d to %d after %d", x.Text, x.Start, x.End, last)
			}
			if x.Text == "" || len(x.Text) > maxTerm || !utf8.ValidString(x.Text) {
				t.Fatalf("term %q of %q", x.Text, text[x.Start:x.End])
			}
			last = x.Start
		}
		Language(text)
		if n := Tokens(text); n < 0 || text != "" && n == 0 {
			t.Fatalf("%d tokens", n)
		}
	})
}

func BenchmarkTerms(b *testing.B) {
	text := strings.Repeat("When a parcel shows no movement for five working days, write to us with the order number ORD-4521. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Terms(text, "en")
	}
}
