package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"time"
)

// Lines say where the keys of a file are set, by key path such as "log.level" or
// "models[0].name".
type Lines map[string]int

// Of returns the line of a key, or else of the nearest key above it, or 0.
func (l Lines) Of(key string) int {
	for ; key != ""; key = above(key) {
		if line := l[key]; line > 0 {
			return line
		}
	}
	return 0
}

// Setting is a key with its value, as JSON writes it: text, a number, true or false, or a
// list of these. What is secret is masked.
type Setting struct {
	Key   string
	Value any
}

// Settings returns the keys of the struct that v is, in the order of its fields. A list of
// structs has a key for each field of each item.
func Settings(v any) []Setting {
	var all []Setting
	settings("", reflect.ValueOf(v), &all)
	return all
}

func settings(path string, v reflect.Value, all *[]Setting) {
	if value, ok := plainValue(v); ok {
		*all = append(*all, Setting{path, value})
		return
	}
	if v.Kind() == reflect.Struct {
		for _, f := range fields(v) {
			settings(join(path, f.name), f.value, all)
		}
		return
	}
	list := []any{}
	for i := range v.Len() {
		if value, ok := plainValue(v.Index(i)); ok {
			list = append(list, value)
			continue
		}
		settings(fmt.Sprintf("%s[%d]", path, i), v.Index(i), all)
	}
	if len(list) == v.Len() {
		*all = append(*all, Setting{path, list})
	}
}

// plainValue returns what has no keys of its own.
func plainValue(v reflect.Value) (any, bool) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return plain(x), true
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		if err != nil {
			return err.Error(), true
		}
		return string(b), true
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Slice:
		return nil, false
	case reflect.Map:
		b, err := json.Marshal(v.Interface())
		if err != nil || v.Len() == 0 {
			return "{}", true
		}
		return string(b), true
	case reflect.String:
		return withoutPassword(v.String()), true
	}
	return v.Interface(), true
}

// withoutPassword masks the password of an address.
func withoutPassword(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	return u.Redacted()
}

// Set reads text into a key of the struct that into points to, as if it stood in a file.
// Check says whether the value can be used.
func Set(into any, key, text string) error {
	v, ok := find("", reflect.ValueOf(into).Elem(), key)
	if !ok {
		panic("config: there is no key " + key)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return At(key, "%w", err)
		}
		return nil
	}
	if want := set(v, text); want != "" {
		return At(key, "want %s, not %s", want, quote(text))
	}
	return nil
}

func find(path string, v reflect.Value, key string) (reflect.Value, bool) {
	if path == key {
		return v, true
	}
	if v.Kind() == reflect.Struct {
		for _, f := range fields(v) {
			if found, ok := find(join(path, f.name), f.value, key); ok {
				return found, true
			}
		}
	}
	return v, false
}

// Check asks all of the struct that v points to whether its values can be used, as Decode
// does. Its [Errors] name in place of a file where the value of a key is from.
func Check(v any, from func(key string) string) error {
	d := decoder{from: from, bad: map[string]bool{}, holed: map[string]bool{}}
	d.validate("", reflect.ValueOf(v).Elem())
	return d.errs.sorted()
}
