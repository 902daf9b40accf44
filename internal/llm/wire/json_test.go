package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

func TestValue(t *testing.T) {
	v, ok := Parse([]byte(` {"a": {"b":[1, "two", null,{}]} ,"n":-12.5e1, "s":"7", "t":true,"a\"":1, "same":1, "same":2} `))
	if !ok {
		t.Fatal("this is JSON")
	}
	var elements []string
	for e := range v.Get("a", "b").Elements() {
		elements = append(elements, string(e))
	}
	if want := []string{"1", `"two"`, "null", "{}"}; !slices.Equal(elements, want) {
		t.Errorf("elements %q, want %q", elements, want)
	}
	got := fmt.Sprint(v.Get("n").Int(), v.Get("s").Int(), v.Get("n").Float(), v.Get("t").True(), v.Get("same").Int(), v.Get("s").Is("7"),
		v.Get("a", "x").Missing(), v.Get("a", "b", "c").Missing(), v.Get("t").Missing())
	if want := "-125 7 -125 true 2 true true true false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range v.Get("n").Members() {
		t.Error("a number has members")
	}
	for range v.Elements() {
		t.Error("an object has elements")
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	for _, s := range []string{`"nan"`, `"inf"`, `1e999`, `1e300`, `-1e300`, `99999999999999999999999999`, `"x"`, `""`, `true`, `{}`} {
		if got := Value(s).Int(); got != 0 {
			t.Errorf("Value(%s).Int() = %d, want 0", s, got)
		}
	}
	for _, s := range []string{`"nan"`, `1e999`, `true`, ``} {
		if got := Value(s).Float(); got != 0 || math.IsNaN(got) {
			t.Errorf("Value(%s).Float() = %v, want 0", s, got)
		}
	}
}

func TestDepth(t *testing.T) {
	for _, tt := range []struct {
		depth int
		want  bool
	}{{maxDepth, true}, {maxDepth + 2, false}, {1 << 20, false}} {
		if _, ok := Parse([]byte(strings.Repeat("[", tt.depth) + strings.Repeat("]", tt.depth))); ok != tt.want {
			t.Errorf("Parse of depth %d = %v, want %v", tt.depth, ok, tt.want)
		}
	}
}

// FuzzParse: Parse accepts what encoding/json does, and what it says about a value is
// what encoding/json says.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,true,false,null,"x"]}`, ` [ ] `, `{}`, `"\ud83d\ude80\ud83d \u00e9\n\/"`, "\"\xff\x00\"", `-0`, `01`, `1.`, `[1,]`,
		`{"a":1,}`, `{"a" 1}`, `"\x"`, `nul`, `"\u12"`, `{"a":{"b":"c"},"a":[[]]}`, "\"\xed\xa0\xbd\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, ok := Parse(data)
		if valid := json.Valid(data); ok != valid && !(valid && deep(data)) {
			t.Fatalf("Parse = %v, json.Valid = %v", ok, valid)
		}
		if ok {
			agree(t, v)
		}
	})
}

// deep reports whether data may be nested deeper than Parse reads.
func deep(data []byte) bool {
	return strings.Count(string(data), "[")+strings.Count(string(data), "{") > maxDepth
}

// agree compares a value with what encoding/json reads.
func agree(t *testing.T, v Value) {
	t.Helper()
	switch {
	case v.IsString():
		var want string
		if err := json.Unmarshal(v, &want); err != nil || v.Text() != want {
			t.Fatalf("Text of %q = %q, want %q (%v)", v, v.Text(), want, err)
		}
	case v.IsArray():
		var want []json.RawMessage
		if err := json.Unmarshal(v, &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for e := range v.Elements() {
			if string(e) != string(want[i]) {
				t.Fatalf("element %d of %q = %q, want %q", i, v, e, want[i])
			}
			agree(t, e)
			i++
		}
		if i != len(want) {
			t.Fatalf("%q has %d elements, want %d", v, i, len(want))
		}
	case v.IsObject():
		var want map[string]json.RawMessage
		if err := json.Unmarshal(v, &want); err != nil {
			t.Fatal(err)
		}
		plainKeys := true
		for key, m := range v.Members() {
			plainKeys = plainKeys && utf8.Valid(key) && !strings.ContainsRune(string(key), '\\')
			agree(t, m)
		}
		for key, m := range want {
			if got := v.Get(key); plainKeys && string(got) != string(m) {
				t.Fatalf("Get(%q) of %q = %q, want %q", key, v, got, m)
			}
		}
	default:
		var want any
		if err := json.Unmarshal(v, &want); err == nil && want == nil != v.Missing() {
			t.Fatalf("Missing of %q = %v", v, v.Missing())
		}
	}
}

// FuzzText: what is written is read again as it was, apart from what is not
// Unicode.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "日本 👋🏽\u2028", "\xff\xed\xa0\xbd", strings.Repeat("\n", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := chat.AppendJSONString([]byte("x"), s)[1:]
		v, ok := Parse(b)
		var want string
		if err := json.Unmarshal(b, &want); err != nil || !ok {
			t.Fatalf("%q is no JSON string: %v", b, err)
		}
		if want != strings.ToValidUTF8(s, "\uFFFD") && want != string([]rune(s)) {
			t.Fatalf("%q became %q", s, want)
		}
		if v.Text() != want {
			t.Fatalf("Text = %q, want %q", v.Text(), want)
		}
	})
}
