package app_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/config"
	"github.com/answerable/answerable/internal/guard"
)

var update = flag.Bool("update", false, "rewrite the schemas")

// described are the files that editors know: their title, and what holds where they say
// nothing.
var described = map[string]struct {
	title string
	usual any
}{
	"assistant": {"An assistant of Answerable: assistant.yaml", assistant.Default()},
	"server":    {"The server's settings of Answerable: answerable.yaml", app.DefaultConfig()},
	"policy":    {"A policy of an assistant: policies/NAME.yaml", guard.Policy{}},
	"golden":    {"Golden cases of an assistant: golden/NAME.yaml", []assistant.Case{}},
}

// TestSchemas compares the schemas with the structs; -update makes them anew.
func TestSchemas(t *testing.T) {
	for _, kind := range app.Schemas {
		d := described[kind]
		schema := schemaOf(t, reflect.ValueOf(d.usual), "", kind != "golden")
		schema["$schema"], schema["title"] = "https://json-schema.org/draft/2020-12/schema", d.title
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(schema); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile("schema/"+kind+".json", want.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := app.Schema(kind); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("schema/%s.json is not that of its struct (%v); go test ./internal/app -run TestSchemas -update makes it anew", kind, err)
		}
	}
	if len(described) != len(app.Schemas) {
		t.Errorf("%d kinds of files are described, there are %d schemas", len(described), len(app.Schemas))
	}
}

type object = map[string]any

// texts are the types that read themselves from text.
var texts = map[reflect.Type]object{
	reflect.TypeFor[assistant.Clock](): {"type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$"},
	reflect.TypeFor[app.Network]():     {"type": "string"},
	reflect.TypeFor[app.Header]():      {"type": "string", "pattern": ":"},
	reflect.TypeFor[app.Object]():      {"type": "string"},
	reflect.TypeFor[app.Dollars]():     {"type": []string{"number", "string"}},
	reflect.TypeFor[config.Secret]():   {"type": []string{"string", "number"}},
}

// schemaOf describes the type of v, with the values of v as defaults if it has any.
func schemaOf(t *testing.T, v reflect.Value, tag reflect.StructTag, defaults bool) object {
	t.Helper()
	kind := v.Type()
	if s, ok := texts[kind]; ok {
		return clone(s)
	}
	if reflect.PointerTo(kind).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		t.Fatalf("%v reads itself from text, of which the table texts knows nothing", kind)
	}
	switch {
	case kind == reflect.TypeFor[time.Duration]():
		s := object{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
		if defaults {
			s["default"] = time.Duration(v.Int()).String()
		}
		return s
	case kind.Kind() == reflect.Struct:
		return structSchema(t, v, defaults)
	case kind.Kind() == reflect.Slice:
		s := object{"type": "array", "items": schemaOf(t, reflect.New(kind.Elem()).Elem(), onlyWords(tag), false)}
		if n := tag.Get("most"); n != "" {
			s["maxItems"] = number(t, n)
		}
		if tag.Get("need") != "" {
			s["minItems"] = 1
		}
		if defaults && v.Len() > 0 {
			s["default"] = v.Interface()
		}
		return s
	case kind.Kind() == reflect.Bool:
		s := object{"type": "boolean"}
		if defaults {
			s["default"] = v.Bool()
		}
		return s
	case kind.Kind() == reflect.String:
		s := object{"type": []string{"string", "number"}} // what looks like a number is text too
		if words := tag.Get("oneof"); words != "" {
			s = object{"enum": strings.Split(words, ",")}
		}
		if n := tag.Get("most"); n != "" {
			s["maxLength"] = number(t, n)
		}
		if tag.Get("need") != "" {
			s["minLength"] = 1
		}
		if defaults && v.String() != "" {
			s["default"] = v.String()
		}
		return s
	case v.CanInt():
		s := object{"type": "integer"}
		if low, high, ok := strings.Cut(tag.Get("between"), ","); ok {
			s["minimum"], s["maximum"] = number(t, low), number(t, high)
		}
		if defaults {
			s["default"] = v.Int()
		}
		return s
	}
	t.Fatalf("there is no schema for a %v", kind)
	return nil
}

func structSchema(t *testing.T, v reflect.Value, defaults bool) object {
	t.Helper()
	kind := v.Type()
	keys, needed := object{}, []string{}
	for i := range kind.NumField() {
		f := kind.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		s := schemaOf(t, v.Field(i), f.Tag, defaults)
		comment := comments(t, kind)[f.Name]
		if comment == "" {
			t.Errorf("%v.%s has no comment above it, which editors would show", kind, f.Name)
		}
		s["description"] = comment
		keys[name] = s
		if f.Tag.Get("need") != "" && !defaults {
			needed = append(needed, name)
		}
	}
	s := object{"type": "object", "additionalProperties": false, "properties": keys}
	if len(needed) > 0 {
		s["required"] = needed
	}
	return s
}

// onlyWords is what of a list's tag is about its items.
func onlyWords(tag reflect.StructTag) reflect.StructTag {
	if words := tag.Get("oneof"); words != "" {
		return reflect.StructTag(fmt.Sprintf("oneof:%q", words))
	}
	return ""
}

func clone(o object) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	return c
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// comments returns the comments above the fields of a struct of ours.
func comments(t *testing.T, kind reflect.Type) map[string]string {
	t.Helper()
	dir := strings.TrimPrefix(kind.PkgPath(), module+"/")
	found := map[string]string{}
	for _, s := range parsed(t) {
		if path.Dir(s.path) != dir || s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != kind.Name() {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, f := range fields.Fields.List {
				for _, name := range f.Names {
					found[name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
			return false
		})
	}
	return found
}

// TestSchemasFitFiles validates files that load with the schemas that editors go by, and
// some that do not.
func TestSchemasFitFiles(t *testing.T) {
	compiled := map[string]*jsonschema.Schema{}
	for _, kind := range app.Schemas {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, "internal/app/schema/"+kind+".json")))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(kind, doc); err != nil {
			t.Fatal(err)
		}
		if compiled[kind], err = c.Compile(kind); err != nil {
			t.Fatal(err)
		}
	}
	fits := func(kind, data string) error {
		var tree any
		if err := yaml.Unmarshal([]byte(data), &tree); err != nil {
			t.Fatal(err)
		}
		if tree == nil {
			tree = object{} // nothing but comments
		}
		return compiled[kind].Validate(asText(tree))
	}
	n := 0
	check := func(name, data string) {
		t.Helper()
		kind := kindOf(filepath.ToSlash(name))
		if kind == "" {
			return
		}
		n++
		if err := fits(kind, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(example, read(t, filepath.Base(example)))
	for _, pattern := range []string{"assistants/*/assistant.yaml", "assistants/*/policies/*.yaml", "assistants/*/golden/*.yaml",
		"assistants/*/*/assistant.yaml", "assistants/*/*/policies/*.yaml", "assistants/*/*/golden/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			check(file, read(t, strings.TrimPrefix(file, root+"/")))
		}
	}
	archives, err := filepath.Glob("../assistant/testdata/good/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives (%v)", err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			check(f.Name, strings.NewReplacer("${BOM}", "", "${CR}", "").Replace(string(f.Data)))
		}
	}
	if n < 10 {
		t.Errorf("%d files were checked", n)
	}
	for _, bad := range []struct{ kind, data string }{
		{"assistant", "nam: shop"}, {"assistant", "gate: letter"}, {"assistant", "limits: {passages: 0}"}, {"assistant", "limits: {turn: 5 minutes}"},
		{"assistant", "lines: [{nothing: Sorry.}]"}, {"assistant", "hours: {week: [{days: [monday], to: \"17:00\"}]}"},
		{"server", "log: {levl: info}"}, {"server", "models: [{provider: opneai}]"}, {"server", "limits: {streams: many}"},
		{"policy", "rules: [{name: law}]"}, {"policy", "tell: Be nice."},
		{"golden", "- {id: a, question: Why?}"}, {"golden", "- {id: a, question: Why, expect: answers}"}, {"golden", "id: a"},
	} {
		if fits(bad.kind, strings.ReplaceAll(bad.data, "Why?", "'Why?'")) == nil {
			t.Errorf("the schema %s lets %q pass", bad.kind, bad.data)
		}
	}
}

// kindOf says which schema a file is for, or "".
func kindOf(name string) string {
	switch folder := path.Base(path.Dir(name)); {
	case path.Ext(name) != ".yaml" || strings.HasPrefix(path.Base(name), "."):
		return ""
	case path.Base(name) == assistant.File:
		return "assistant"
	case name == example:
		return "server"
	case folder == "policies":
		return "policy"
	case folder == "golden":
		return "golden"
	}
	return ""
}

// asText returns a YAML tree as editors see it: dates are text.
func asText(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for k := range v {
			v[k] = asText(v[k])
		}
	case []any:
		for i := range v {
			v[i] = asText(v[i])
		}
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return tree
}
