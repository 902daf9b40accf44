package assistant_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/guard"
	"go.yaml.in/yaml/v3"
)

var example = regexp.MustCompile("(?s)\n```yaml\n# ([^\n]+)\n(.*?)\n```\n")

// Every example of docs/assistant.md loads, and they have every key.
func TestDocumentedExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/assistant.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range example.FindAllStringSubmatch(string(doc), -1) {
		name, text := m[1], m[2]
		fsys := fstest.MapFS{assistant.File: {}, "knowledge/delivery.md": {Data: []byte("# Delivery")}}
		if strings.Contains(text, "legal]") {
			fsys["legal/terms.md"] = &fstest.MapFile{}
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
		a, err := assistant.Load(fsys, "shop")
		if err == nil {
			_, err = a.Golden()
		}
		if err != nil {
			t.Errorf("%s\n%v", text, err)
		}
		var tree any
		if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
		note(seen, strings.TrimSuffix(name, "care.yaml"), tree)
	}
	for _, key := range append(keysOf("assistant.yaml", reflect.TypeFor[assistant.Assistant]()), keysOf("policies/", reflect.TypeFor[guard.Policy]())...) {
		if !seen[key] {
			t.Errorf("docs/assistant.md has no example of %s", key)
		}
	}
}

// note notes the paths of the keys in a tree.
func note(seen map[string]bool, path string, tree any) {
	seen[path] = true
	switch v := tree.(type) {
	case map[string]any:
		for k, below := range v {
			note(seen, path+" "+k, below)
		}
	case []any:
		for _, below := range v {
			note(seen, path, below)
		}
	}
}

// keysOf returns the paths of the keys of a struct.
func keysOf(path string, kind reflect.Type) []string {
	for kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct {
		return []string{path}
	}
	var all []string
	for i := range kind.NumField() {
		if f := kind.Field(i); f.Tag.Get("yaml") != "" && f.Tag.Get("yaml") != "-" {
			all = append(all, keysOf(path+" "+f.Tag.Get("yaml"), f.Type)...)
		}
	}
	return all
}
