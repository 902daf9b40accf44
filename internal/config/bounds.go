package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What a value may be stands in the tags of its field, where the schema that editors use
// reads it too:
//
//	oneof:"a,b"      text is one of these words; so is each text of a list
//	between:"1,50"   a number or duration, both ends included
//	most:"80"        text has at most so many characters, a list so many items
//	need:"name it"   the key must be there and not be empty; says what to do

// checkTags returns what the tags of a field have against its value.
func checkTags(key string, v reflect.Value, tag reflect.StructTag) error {
	if advice := tag.Get("need"); advice != "" && empty(v) {
		return At(key, "is missing; %s", advice)
	}
	if words := tag.Get("oneof"); words != "" && v.Kind() == reflect.Slice {
		var errs []error
		for i := range v.Len() {
			errs = append(errs, checkTags(fmt.Sprintf("%s[%d]", key, i), v.Index(i), tag))
		}
		return errors.Join(errs...)
	} else if words != "" {
		return OneOf(key, v.String(), strings.Split(words, ",")...)
	}
	if ends := tag.Get("between"); ends != "" {
		low, high, _ := strings.Cut(ends, ",")
		if v.Type() == durationType {
			return Between(key, time.Duration(v.Int()), mustParse(time.ParseDuration, low), mustParse(time.ParseDuration, high))
		}
		return Between(key, v.Int(), mustParse(parseInt, low), mustParse(parseInt, high))
	}
	if most := tag.Get("most"); most != "" {
		return atMost(key, v, mustParse(strconv.Atoi, most))
	}
	return nil
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice:
		return v.Len() == 0
	case reflect.String:
		return strings.TrimSpace(v.String()) == ""
	}
	return v.IsZero()
}

// atMost returns an error if a text has more characters, or a list more items, than most.
func atMost(key string, v reflect.Value, most int) error {
	if v.Kind() == reflect.Slice {
		if v.Len() > most {
			return At(key, "there are %d; %d are allowed", v.Len(), most)
		}
		return nil
	}
	if n := utf8.RuneCountInString(v.String()); n > most {
		return At(key, "has %d characters; %d are allowed", n, most)
	}
	return nil
}

func parseInt(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// mustParse reads a tag, which a programmer wrote.
func mustParse[T any](parse func(string) (T, error), s string) T {
	v, err := parse(s)
	if err != nil {
		panic(fmt.Sprintf("config: a tag cannot be read: %v", err))
	}
	return v
}
