package guard

import (
	"context"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/chat"
)

func TestForbidden(t *testing.T) {
	for _, c := range []struct{ phrase, text, found string }{
		{"Money-back guarantee", "a money  back\n**guarantee**.", "money  back\n**guarantee"},
		{"Money-back guarantee", "MONEY BACK GUARANTEE", "MONEY BACK GUARANTEE"},
		{"Money-back guarantee", "money_back–guarantee!", "money_back–guarantee"},
		{"Money-back guarantee", "money back guarantees", ""},
		{"Money-back guarantee", "emoney back guarantee", ""},
		{"Money-back guarantee", "money, back guarantee", ""},
		{"the rapist", "a therapist", ""},
		{"café", "the CAFE\u0301 is", "CAFE\u0301"},
		{"cafe", "Cafés", ""},
		{"straße", "STRASSE", "STRASSE"},
		{"ﬁne", "ｆｉｎｅ", "ｆｉｎｅ"},
		{"no\u00adthing", "Noth ing? no\u00ad\u200b\u2060thing!", "no\u00ad\u200b\u2060thing"},
		{"100%", "It is 100% safe", "100%"},
		{"100%", "It is 2100% safe", ""},
		{"保証", "返金保証があります", "保証"},
		{"ガラス", "ｶﾞﾗｽ", "ｶﾞﾗｽ"},
		{"ガラス", "カ\u3099ラス", "カ\u3099ラス"},
		{"ガラス", "カラス", ""},
		{"보장", "저희는 보장합니다", "보장"},
		{"보장", "\u1107\u1169\u110c\u1161\u11bc", "\u1107\u1169\u110c\u1161\u11bc"},
		{"चोर", "वह चोर है", "चोर"},
		{"गारंटी", "कोई गारंटी नहीं", "गारंटी"},
		{"мой", "мои\u0306", "мои\u0306"},
		{"ضمان", "هذا ضَمان", "ضَمان"},
		{"a.b", "it is a.b!", "a.b"},
	} {
		f, err := NewForbidden([]string{"something else", c.phrase})
		if err != nil {
			t.Fatal(err)
		}
		v, err := f.Check(context.Background(), nil, chat.Text(c.text))
		if err != nil {
			t.Fatal(err)
		}
		found := string([]rune(c.text)[v.Start:v.End])
		if found != c.found || (v.Action == chat.Block) != (c.found != "") {
			t.Errorf("%q in %q: %s %q, want %q", c.phrase, c.text, v.Action, found, c.found)
		}
	}
}

func TestNewForbidden(t *testing.T) {
	for phrase, want := range map[string]string{
		"":                       "is empty",
		" \n":                    "is empty",
		"...":                    "no letter or digit",
		"\u200b":                 "no letter or digit",
		"a\xff":                  "not valid UTF-8",
		strings.Repeat("é", 201): "has 201 characters",
	} {
		if _, err := NewForbidden([]string{"fine", phrase}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "phrase 2") {
			t.Errorf("NewForbidden(%q) = %v, want %q", phrase, err, want)
		}
	}
	if f, err := NewForbidden(nil); err != nil || f.Hold() != 0 {
		t.Errorf("NewForbidden(nil) = %v, %v", f, err)
	}
	if f, err := NewForbidden([]string{strings.Repeat("é", 200), "ab"}); err != nil || f.Hold() != 200 {
		t.Errorf("Hold = %d, %v", f.Hold(), err)
	}
}

// TestForbiddenOverlap: of phrases that begin in one another all are found.
func TestForbiddenOverlap(t *testing.T) {
	f, err := NewForbidden([]string{"a b c d", "b c", "c x"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]chat.Action{"a b c": chat.Block, "b cc": chat.Allow, "a c x": chat.Block, "a b": chat.Allow, "a b a b c": chat.Block} {
		if v, _ := f.Check(context.Background(), nil, chat.Text(text)); v.Action != want {
			t.Errorf("Check(%q) = %s, want %s", text, v.Action, want)
		}
	}
}

func BenchmarkForbidden(b *testing.B) {
	var phrases []string
	for i := range 500 {
		phrases = append(phrases, "phrase "+strings.Repeat(string(rune('a'+i%26)), 1+i/26)+" of some length")
	}
	f, err := NewForbidden(phrases)
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"ascii":  strings.Repeat("You can return an item within 30 days of delivery. ", 40),
		"german": strings.Repeat("Sie können Artikel für 30 Tage zurückgeben – natürlich. ", 40),
		"cjk":    strings.Repeat("商品到着後三十日以内に返品できます。", 40),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var offsets []int32
			for b.Loop() {
				var p place
				offsets, _ = f.follow(&p, text, offsets[:0])
			}
		})
	}
}
