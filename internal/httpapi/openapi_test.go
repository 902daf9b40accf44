package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/httpapi"
)

// openAPI is the part of openapi.json that is checked.
type openAPI struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas   map[string]*schema
		Responses map[string]answer
	}
}

type operation struct {
	RequestBody struct{ Content map[string]content }
	Responses   map[string]answer
}

type answer struct {
	Ref     string `json:"$ref"`
	Content map[string]content
}

type content struct{ Schema *schema }

// schema is as much of JSON Schema as the description uses.
type schema struct {
	Ref         string `json:"$ref"`
	Description string
	Type        types
	Format      string
	Const       any
	Enum        []any
	Required    []string
	Properties  map[string]*schema
	Additional  *bool `json:"additionalProperties"`
	Items       *schema
	MaxLength   *int
	Minimum     *float64
}

// types are those that a value may have; none: all.
type types []string

func (t *types) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

func (t types) allow(name string) bool { return t == nil || slices.Contains(t, name) }

var description = sync.OnceValues(func() (d openAPI, err error) {
	b, err := os.ReadFile("openapi.json")
	if err != nil {
		return d, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(b)))
	return d, decoder.Decode(&d)
})

// inDescription is a path of the table as OpenAPI writes it.
func inDescription(path string) string {
	return strings.NewReplacer("...", "", "{$}", "").Replace(path)
}

func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	d, err := description()
	must(t, err)
	described := map[string]bool{}
	for path, methods := range d.Paths {
		for method := range methods {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	served := map[string]bool{}
	for _, r := range httpapi.Routes(&httpapi.Server{}) {
		served[r[0]+" "+inDescription(r[1])] = true
	}
	if !maps.Equal(described, served) {
		t.Errorf("described and served differ:\n%q\n%q", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(served)))
	}
	types := d.Components.Schemas["Problem"].Properties["type"].Enum
	for _, p := range httpapi.ProblemTypes() {
		if !slices.Contains(types, any(p)) {
			t.Errorf("the type %s is not described", p)
		}
	}
}

func TestTheDocumentNamesRoutesAndProblems(t *testing.T) {
	b, err := os.ReadFile("../../docs/api.md")
	must(t, err)
	for _, r := range httpapi.Routes(&httpapi.Server{}) {
		path := inDescription(r[1])
		if ours := strings.HasSuffix(path, ".css") || path == "/favicon.svg"; !ours && !strings.Contains(string(b), "`"+r[0]+" "+path+"`") {
			t.Errorf("docs/api.md does not name %s %s", r[0], path)
		}
	}
	for _, p := range httpapi.ProblemTypes() {
		if !strings.Contains(string(b), "`"+p+"`") {
			t.Errorf("docs/api.md does not name %s", p)
		}
	}
}

// checkAgainstOpenAPI compares what a test sent and got with the description.
func checkAgainstOpenAPI(t testing.TB, method, path, sent string, got *http.Response, body string) {
	t.Helper()
	d, err := description()
	must(t, err)
	op, ok := d.operation(method, path)
	if !ok || got.StatusCode == http.StatusNotModified || got.StatusCode == http.StatusForbidden && got.Request.Header.Get("Origin") != "" {
		return
	}
	a, ok := op.Responses[fmt.Sprint(got.StatusCode)]
	if !ok {
		t.Errorf("%s %s: the status %d is not described", method, path, got.StatusCode)
		return
	}
	if a.Ref != "" {
		a = d.Components.Responses[strings.TrimPrefix(a.Ref, "#/components/responses/")]
	}
	if got.StatusCode == http.StatusNoContent {
		return
	}
	media, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type"))
	c, ok := a.Content[media]
	if _, any := a.Content["*/*"]; any {
		return
	}
	if !ok {
		t.Errorf("%s %s: %d with %s is not described", method, path, got.StatusCode, media)
		return
	}
	answers := []string{body}
	if media == "text/event-stream" && c.Schema.Ref != "" {
		answers = nil
		for line := range strings.Lines(body) {
			if data, ok := strings.CutPrefix(line, "data: {"); ok {
				answers = append(answers, "{"+data)
			}
		}
	} else if !strings.HasSuffix(media, "json") || body == "" {
		answers = nil
	}
	for _, body := range answers {
		if err := d.check(c.Schema, body); err != nil {
			t.Errorf("%s %s answers %s: %v", method, path, body, err)
		}
	}
	if takes, ok := op.RequestBody.Content["application/json"]; ok && got.StatusCode < 300 && sent != "" {
		if err := d.check(takes.Schema, sent); err != nil {
			t.Errorf("%s %s takes %s: %v", method, path, sent, err)
		}
	}
}

func (d openAPI) operation(method, path string) (operation, bool) {
	path, _, _ = strings.Cut(path, "?")
	for described, methods := range d.Paths {
		pattern := regexp.MustCompile(`\\\{document\\\}`).ReplaceAllString(regexp.QuoteMeta(described), ".+")
		pattern = regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(pattern, "[^/]+")
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			op, ok := methods[strings.ToLower(method)]
			return op, ok
		}
	}
	return operation{}, false
}

func (d openAPI) check(s *schema, body string) error {
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return err
	}
	return d.value(s, "it", v)
}

// value checks a value against a schema; at is how to call it.
func (d openAPI) value(s *schema, at string, v any) error {
	if s == nil {
		return fmt.Errorf("%s has no schema", at)
	}
	if s.Ref != "" {
		return d.value(d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")], at, v)
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) || s.Const != nil && s.Const != v {
		return fmt.Errorf("%s is %v, which is not described", at, v)
	}
	ok := true
	switch v := v.(type) {
	case nil:
		ok = s.Type.allow("null")
	case bool:
		ok = s.Type.allow("boolean")
	case float64:
		ok = s.Type.allow("integer") && v == float64(int64(v)) && (s.Minimum == nil || v >= *s.Minimum)
	case string:
		ok = s.Type.allow("string") && (s.MaxLength == nil || len(v) <= *s.MaxLength)
		if s.Format == "date-time" {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", v); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
		}
	case []any:
		if s.Type == nil {
			return nil
		}
		for i, x := range v {
			if err := d.value(s.Items, fmt.Sprintf("%s[%d]", at, i), x); err != nil {
				return err
			}
		}
		ok = s.Type.allow("array")
	case map[string]any:
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				return fmt.Errorf("%s lacks %s", at, name)
			}
		}
		for name, x := range v {
			p := s.Properties[name]
			if p == nil && (s.Additional == nil || *s.Additional) {
				continue
			}
			if err := d.value(p, at+"."+name, x); err != nil {
				return err
			}
		}
		ok = s.Type.allow("object")
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("%s is %v, want %s", at, v, s.Type)
	}
	return nil
}
