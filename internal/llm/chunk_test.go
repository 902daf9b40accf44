package llm_test

import (
	"reflect"
	"testing"

	"github.com/answerable/answerable/internal/llm"
)

// TestPlainKnowsEveryField sets each field of a chunk but Text: none of such chunks is plain.
func TestPlainKnowsEveryField(t *testing.T) {
	if c := (llm.Chunk{Text: "hello"}); !c.Plain() {
		t.Error("a chunk of text is not plain")
	}
	for i := range reflect.TypeFor[llm.Chunk]().NumField() {
		var c llm.Chunk
		f := reflect.ValueOf(&c).Elem().Field(i)
		name := reflect.TypeFor[llm.Chunk]().Field(i).Name
		switch f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		default:
			t.Fatalf("%s is a %s: teach this test about it", name, f.Kind())
		}
		if c.Plain() != (name == "Text") {
			t.Errorf("a chunk with %s: Plain = %v", name, c.Plain())
		}
	}
}
