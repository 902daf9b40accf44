package importer

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/config"
)

// Mapping says where the articles of an export are. A place is the name of a column, or
// in JSON a path of keys and numbers, such as post_stream.posts.0.cooked. Keys with dots
// in them are found as they are written.
type Mapping struct {
	Records  string  `yaml:"records"`  // the list of articles; lists on the way are gone through. Default: the only list
	ID       string  `yaml:"id"`       // names an article from one import to the next. Default: its address, or its title
	Title    string  `yaml:"title"`    // a place
	Body     string  `yaml:"body"`     // a place
	Format   string  `yaml:"format"`   // of the body: html, markdown or text. Default: as it looks
	URL      string  `yaml:"url"`      // a place, or an address with places in braces: /t/{slug}/{id}
	Updated  string  `yaml:"updated"`  // a place
	Language string  `yaml:"language"` // a place
	Skip     []Skips `yaml:"skip"`     // what is not for customers

	guessed bool // there is none: places are found by their usual names
}

// Skips leaves out the articles that have one of the values in a place, or another than
// one of them.
type Skips struct {
	Field  string   `yaml:"field"`
	Is     []string `yaml:"is"`
	Unless []string `yaml:"unless"` // "" is that there is nothing
}

// Validate checks what a type alone does not say.
func (m *Mapping) Validate() error {
	var errs []error
	if m.Title == "" {
		errs = append(errs, config.At("title", "say in which column or key the title is"))
	}
	if m.Body == "" {
		errs = append(errs, config.At("body", "say in which column or key the text is"))
	}
	if m.Format != "" {
		errs = append(errs, config.OneOf("format", m.Format, "html", "markdown", "text"))
	}
	for i, s := range m.Skip {
		if s.Field == "" || (len(s.Is) == 0) == (len(s.Unless) == 0) {
			errs = append(errs, config.At(fmt.Sprintf("skip[%d]", i), `want a field and the values to skip, as in {field: status, is: [draft]}, or to keep, as in {field: status, unless: [published]}`))
		}
	}
	return errors.Join(errs...)
}

// usual are the names by which places are found without a mapping, the best first.
var usual = struct{ id, title, body, url, updated, language []string }{
	id:       []string{"id", "article_id", "articleid", "key"},
	title:    []string{"title", "question", "name", "subject", "heading", "headline"},
	body:     []string{"body", "body_html", "answer", "content", "html", "text", "description", "solution", "article", "markdown"},
	url:      []string{"url", "html_url", "public_url", "publicurl", "canonical_url", "permalink", "link", "address"},
	updated:  []string{"updated", "updated_at", "updatedat", "last_updated", "modified", "modified_at", "last_modified", "edited_at"},
	language: []string{"language", "locale", "lang"},
}

// drafts are what a source without a mapping says of what is not for customers.
var drafts = []Skips{
	{Field: "draft", Is: []string{"true", "1", "yes"}},
	{Field: "published", Is: []string{"false", "0", "no"}},
	{Field: "status", Is: []string{"draft", "unpublished", "notpublished", "archived", "private"}},
	{Field: "state", Is: []string{"draft", "unpublished", "archived", "private"}},
	{Field: "visibility", Is: []string{"private", "internal"}},
	{Field: "audience", Is: []string{"private", "internal"}},
	{Field: "user_segment_id", Unless: []string{""}}, // Zendesk's way to say who may read it
}

//go:embed maps/*.yaml
var ready embed.FS

// Mappings are the names of the ready ones.
func Mappings() []string {
	entries, err := ready.ReadDir("maps")
	if err != nil {
		panic(err) // embedded
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// mapping returns a ready mapping, or the one in a file.
func mapping(name string) (Mapping, error) {
	if name == "" {
		return Mapping{guessed: true, Skip: drafts}, nil
	}
	file, data, err := name, []byte(nil), error(nil)
	if slices.Contains(Mappings(), name) {
		file = path.Join("maps", name+".yaml")
		data, err = ready.ReadFile(file)
	} else {
		data, err = os.ReadFile(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Mapping{}, fmt.Errorf("there is no mapping %q: name a file, or one of %s", name, strings.Join(Mappings(), ", "))
	}
	if err != nil {
		return Mapping{}, fmt.Errorf("read the mapping: %w", err)
	}
	var m Mapping
	return m, config.Decode(file, data, &m)
}

// record is a row of a table or an object of JSON, with where it stands.
type record struct {
	where string
	value any // map[string]any, as encoding/json makes it
}

// get returns what is in a place as text, "" where there is nothing.
func (r record) get(place string) string { return plainValue(at(r.value, place)) }

// at follows a path. A key that is there as it is written goes before its parts.
func at(v any, place string) any {
	if place == "" {
		return nil
	}
	switch x := v.(type) {
	case map[string]any:
		if y, ok := x[place]; ok {
			return y
		}
		key, rest, ok := strings.Cut(place, ".")
		if !ok {
			for k, y := range x {
				if strings.EqualFold(k, place) {
					return y
				}
			}
			return nil
		}
		return at(x[key], rest)
	case []any:
		key, rest, more := strings.Cut(place, ".")
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(x) {
			return nil
		}
		if !more {
			return x[i]
		}
		return at(x[i], rest)
	}
	return nil
}

func plainValue(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	case []any:
		var all []string
		for _, y := range x {
			all = append(all, plainValue(y))
		}
		return strings.Join(all, ", ")
	}
	return ""
}

// first returns what is in the first of the usual places that has something.
func (r record) first(places []string) string {
	for _, p := range places {
		if v := strings.TrimSpace(r.get(p)); v != "" {
			return v
		}
	}
	return ""
}

// take returns what a place or, without a mapping, the usual places have.
func (m Mapping) take(r record, place string, usually []string) string {
	if m.guessed {
		return r.first(usually)
	}
	return strings.TrimSpace(r.get(place))
}

// hides reports whether a record is not for customers.
func (m Mapping) hides(r record) bool {
	return slices.ContainsFunc(m.Skip, func(s Skips) bool {
		got := strings.TrimSpace(r.get(s.Field))
		same := func(v string) bool { return strings.EqualFold(got, v) }
		return slices.ContainsFunc(s.Is, same) || len(s.Unless) > 0 && !slices.ContainsFunc(s.Unless, same)
	})
}

// article makes an article of a record, or says why not.
func (m Mapping) article(r record, base *url.URL) (Article, error) {
	a := Article{
		Where:    r.where,
		Title:    oneLine(m.take(r, m.Title, usual.title)),
		Updated:  day(m.take(r, m.Updated, usual.updated)),
		Language: oneLine(m.take(r, m.Language, usual.language)),
	}
	body := m.take(r, m.Body, usual.body)
	switch {
	case body == "":
		return a, errors.New("the body is empty")
	case len(body) > maxArticle:
		return a, fmt.Errorf("the body is larger than %d MiB", maxArticle>>20)
	case formula(body) || formula(a.Title):
		return a, errors.New("a formula, not its value: export the values")
	}
	address := m.take(r, m.URL, usual.url)
	if strings.Contains(m.URL, "{") {
		var err error
		if address, err = expand(m.URL, r); err != nil {
			return a, err
		}
	}
	if a.URL = webAddress(resolve(base, address)); a.URL == "" && address != "" && (base != nil || !strings.HasPrefix(address, "/")) {
		return a, fmt.Errorf("%q is no address of a page: it must begin with https:// or http://", oneLine(address))
	}
	a.Key = cmp.Or(oneLine(m.take(r, m.ID, usual.id)), a.URL, a.Title)
	from := base
	if u, err := url.Parse(a.URL); err == nil && a.URL != "" {
		from = u
	}
	f, err := splitFront(body)
	if err != nil {
		return a, err
	}
	a.Extra = f.extra
	if a.Body, err = toBody(f.body, m.Format, from); err != nil {
		return a, err
	}
	a.Title = cmp.Or(a.Title, firstHeading(a.Body))
	if a.Title == "" {
		return a, errors.New("the title is empty")
	}
	a.Key = cmp.Or(a.Key, a.Title)
	return a, nil
}

// resolve makes an address absolute where the base is known.
func resolve(base *url.URL, address string) string {
	u, err := url.Parse(address)
	if err != nil || base == nil || address == "" {
		return address
	}
	return base.ResolveReference(u).String()
}

// expand puts the values of places into an address.
func expand(template string, r record) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		place, after, ok := strings.Cut(rest, "}")
		value := strings.TrimSpace(r.get(place))
		if !ok || value == "" {
			return "", fmt.Errorf("the address needs %q, which is empty", place)
		}
		b.WriteString(url.PathEscape(value))
		template = after
	}
}

// formula reports whether a cell is a spreadsheet's formula, as in =CONCAT(A1;B1).
func formula(cell string) bool {
	name, _, ok := strings.Cut(strings.TrimPrefix(cell, "="), "(")
	return ok && strings.HasPrefix(cell, "=") && name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_'
	})
}

// records finds the objects of a JSON value.
func (m Mapping) records(v any, where func(i int) string) ([]record, error) {
	list := []any{v}
	if m.Records != "" {
		for key := range strings.SplitSeq(m.Records, ".") {
			list = below(list, key)
		}
	} else if object, ok := v.(map[string]any); ok && m.guessed {
		if inner, ok := onlyList(object); ok {
			list = inner
		}
	}
	list = flatten(list)
	if len(list) > maxRecords {
		return nil, fmt.Errorf("more than %d records", maxRecords)
	}
	var out []record
	for i, x := range list {
		if _, ok := x.(map[string]any); ok {
			out = append(out, record{where(i), x})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no articles in it: want a list of objects%s", in(m.Records))
	}
	return out, nil
}

func in(records string) string {
	if records == "" {
		return ""
	}
	return fmt.Sprintf(" in %q", records)
}

// below returns what each of the values has under a key, going through lists.
func below(values []any, key string) (out []any) {
	for _, v := range flatten(values) {
		if x := at(v, key); x != nil {
			out = append(out, x)
		}
	}
	return out
}

// flatten replaces lists by what is in them.
func flatten(values []any) (out []any) {
	for _, v := range values {
		if list, ok := v.([]any); ok {
			out = append(out, list...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// onlyList returns the only list of objects that an object has.
func onlyList(object map[string]any) (found []any, ok bool) {
	for _, v := range object {
		list, isList := v.([]any)
		if !isList || len(list) == 0 {
			continue
		}
		if _, isObject := list[0].(map[string]any); !isObject {
			continue
		}
		if ok {
			return nil, false
		}
		found, ok = list, true
	}
	return found, ok
}

// decodeJSON reads one value, numbers as they are written.
func decodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return v, nil
}
