package wire

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"unicode/utf8"
)

// Value is a JSON value as it came, checked. It is read in place: a stream has thousands,
// of each of which a few bytes matter. The zero Value stands for one that is missing.
type Value []byte

// maxDepth bounds how deep values may be nested.
const maxDepth = 64

// Parse checks that data is one JSON value (RFC 8259) and returns it. Nothing is copied.
func Parse(data []byte) (Value, bool) {
	start := space(data, 0)
	end := skip(data, start, 0)
	if end < 0 || space(data, end) != len(data) {
		return nil, false
	}
	return Value(data[start:end]), true
}

// Missing reports whether there is no value, or null.
func (v Value) Missing() bool { return len(v) == 0 || v[0] == 'n' }

// IsObject, IsArray and IsString report what a value is.
func (v Value) IsObject() bool { return len(v) > 0 && v[0] == '{' }
func (v Value) IsArray() bool  { return len(v) > 0 && v[0] == '[' }
func (v Value) IsString() bool { return len(v) > 0 && v[0] == '"' }

// Members yields the members of an object, of another value none. A key is as it stands
// between its quotes: those of vendors have no escapes.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if !v.IsObject() {
			return
		}
		for i := space(v, 1); v[i] != '}'; {
			end := pastString(v, i)
			key := v[i+1 : end-1]
			i = space(v, space(v, end)+1) // past the colon
			end = past(v, i)
			if !yield(key, v[i:end]) {
				return
			}
			if i = space(v, end); v[i] == ',' {
				i = space(v, i+1)
			}
		}
	}
}

// Elements yields the elements of an array, of another value none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.IsArray() {
			return
		}
		for i := space(v, 1); v[i] != ']'; {
			end := past(v, i)
			if !yield(v[i:end]) {
				return
			}
			if i = space(v, end); v[i] == ',' {
				i = space(v, i+1)
			}
		}
	}
}

// Get returns the value at a path of keys, or a missing one.
func (v Value) Get(path ...string) Value {
	for _, want := range path {
		var found Value
		for key, member := range v.Members() {
			if string(key) == want {
				found = member
			}
		}
		v = found
	}
	return v
}

// Text returns a string, or "" for another value. What is not Unicode in it becomes
// U+FFFD.
func (v Value) Text() string {
	if !v.IsString() {
		return ""
	}
	raw := v[1 : len(v)-1]
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw)
	}
	return unquote(raw)
}

// Is reports whether the value is the string s, which has no character that needs an escape.
func (v Value) Is(s string) bool {
	return len(v) == len(s)+2 && v[0] == '"' && string(v[1:len(v)-1]) == s
}

// Int returns a number, also one written as a string, or 0.
func (v Value) Int() int {
	s := v
	if v.IsString() {
		s = v[1 : len(v)-1]
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<50 {
			f, err := strconv.ParseFloat(string(s), 64)
			if err != nil || !(-(1<<53) <= f && f <= 1<<53) {
				return 0
			}
			return int(f)
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// Float returns a number, or 0.
func (v Value) Float() float64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return 0
	}
	return f
}

// True reports whether the value is true.
func (v Value) True() bool { return string(v) == "true" }

// Raw returns a copy of the value.
func (v Value) Raw() json.RawMessage { return append(json.RawMessage(nil), v...) }

// past returns where the value that begins at i ends. It was checked, so that it is
// enough to count brackets.
func past(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = pastString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			for i++; i < len(b) && inside[b[i]]; i++ {
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// inside are the bytes that numbers, true, false and null have.
var inside = func() (in [256]bool) {
	for _, c := range []byte("+-.0123456789Eaeflnrstu") {
		in[c] = true
	}
	return in
}()

func pastString(b []byte, i int) int {
	for i++; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skip returns where the value that begins at i ends, or -1 if there is none.
func skip(b []byte, i, depth int) int {
	if i >= len(b) || depth > maxDepth {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipAll(b, i, depth)
	case 't':
		return literal(b, i, "true")
	case 'f':
		return literal(b, i, "false")
	case 'n':
		return literal(b, i, "null")
	}
	return skipNumber(b, i)
}

func literal(b []byte, i int, w string) int {
	if len(b)-i < len(w) || string(b[i:i+len(w)]) != w {
		return -1
	}
	return i + len(w)
}

// skipAll skips an object or an array.
func skipAll(b []byte, i, depth int) int {
	object := b[i] == '{'
	closing := b[i] + 2 // in ASCII
	i = space(b, i+1)
	if i < len(b) && b[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i >= len(b) || b[i] != '"' {
				return -1
			}
			if i = skipString(b, i); i < 0 {
				return -1
			}
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return -1
			}
			i = space(b, i+1)
		}
		if i = skip(b, i, depth+1); i < 0 {
			return -1
		}
		i = space(b, i)
		switch {
		case i >= len(b):
			return -1
		case b[i] == closing:
			return i + 1
		case b[i] != ',':
			return -1
		}
		i = space(b, i+1)
	}
}

func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		c := b[i]
		if plain[c] || c >= utf8.RuneSelf {
			continue
		}
		if c == '"' {
			return i + 1
		}
		if c != '\\' {
			return -1 // a control character
		}
		if i = skipEscape(b, i); i < 0 {
			return -1
		}
	}
	return -1
}

// skipEscape returns where the last byte of the escape at i is.
func skipEscape(b []byte, i int) int {
	if i++; i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for range 4 {
			if i++; i >= len(b) || !hex(b[i]) {
				return -1
			}
		}
		return i
	}
	return -1
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func skipNumber(b []byte, i int) int {
	digits := func() bool {
		start := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	zero := i < len(b) && b[i] == '0'
	start := i
	if !digits() || zero && i > start+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}
