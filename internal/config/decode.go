package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxBytes  = 1 << 20 // of a file
	maxErrors = 100     // told of one file
)

// Decode reads the YAML in data, the content of file, into the struct that into points
// to. The names of keys are the fields' yaml tags. A key that is not in the file, or
// has no value, leaves its field as it is, so that defaults are set before; a list
// replaces the default list.
//
// Bounds of values stand in tags of their fields (bounds.go). Every struct of the tree
// that has a method
//
//	Validate() error
//
// is asked after all of the file was read; what it joins with errors.Join is told
// apart. The error of Decode is of type [Errors]. Fields may be structs, lists, text,
// true or false, numbers, durations ("30s") and what reads itself with UnmarshalText.
//
// Anchors, aliases and tags are refused: a file says what it means where it stands.
func Decode(file string, data []byte, into any) error {
	_, err := DecodeLines(file, data, into)
	return err
}

// DecodeLines is Decode, and says where the keys were that it read.
func DecodeLines(file string, data []byte, into any) (Lines, error) {
	d, err := decode(file, data, reflect.ValueOf(into).Elem())
	if err != nil {
		return nil, err
	}
	return d.lines, d.errs.sorted()
}

// DecodeList is Decode for a file that is a list. check, which may be nil, sees each
// item after that was validated; it is for what an item alone does not say, and its
// errors are as those of Validate.
func DecodeList[T any](file string, data []byte, check func(T) error) ([]T, error) {
	var list []T
	d, err := decode(file, data, reflect.ValueOf(&list).Elem())
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		if path := fmt.Sprintf("[%d]", i); check != nil && !d.bad[path] {
			d.told(path, check(item))
		}
	}
	return list, d.errs.sorted()
}

// decode reads data into v and validates it. Mistakes are in the decoder; the error is
// for a file that could not be read at all.
func decode(file string, data []byte, v reflect.Value) (*decoder, error) {
	root, err := parse(data)
	if e, ok := errors.AsType[Error](err); ok {
		e.File = file
		return nil, Errors{e}
	}
	d := &decoder{file: file, lines: Lines{}, bad: map[string]bool{}, holed: map[string]bool{}}
	if root != nil {
		d.value("", root, v)
	}
	d.validate("", v)
	return d, nil
}

// parse returns the root of the only document, nil where there is none, or an [Error].
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > maxBytes {
		return nil, Error{Message: fmt.Sprintf("the file has %d bytes; %d are allowed", len(data), maxBytes)}
	}
	if err := checkText(data); err != nil {
		return nil, err
	}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := in.Decode(&doc); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(data, err)
	}
	if err := in.Decode(&next); err == nil {
		return nil, Error{Line: next.Line, Message: "a second document begins here; a file holds one"}
	} else if err != io.EOF {
		return nil, syntaxError(data, err)
	}
	return doc.Content[0], nil
}

// CheckText returns an error of type [Errors] unless data, the content of file, is text.
func CheckText(file string, data []byte) error {
	if e, ok := errors.AsType[Error](checkText(data)); ok {
		e.File = file
		return Errors{e}
	}
	return nil
}

// checkText refuses what is not text.
func checkText(data []byte) error {
	line := 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return Error{Line: line, Message: "this is not UTF-8 text; save the file as UTF-8"}
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			return Error{Line: line, Message: fmt.Sprintf("the control character %U is not allowed", r)}
		case r == '\n':
			line++
		}
		i += n
	}
	return nil
}

var (
	yamlMessage = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	tabIndent   = regexp.MustCompile(`(?m)^ *\t`)
)

// syntaxError says where err, of the YAML parser, is. That comes as text only, and with
// the line of what was begun, not of what went wrong.
func syntaxError(data []byte, err error) error {
	if at := tabIndent.FindIndex(data); at != nil {
		line := 1 + bytes.Count(data[:at[0]], []byte("\n"))
		return Error{Line: line, Message: "this line is indented with a tab; use spaces"}
	}
	line, message := 1, err.Error()
	if m := yamlMessage.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	for part, hint := range map[string]string{
		"mapping values are not allowed": "; indent keys that belong together alike, and put a text with a colon in quotes",
		"did not find expected ',' or":   "; a bracket is not closed, a comma is missing, or a text needs quotes",
		"unexpected end of stream":       "; a quote is not closed",
	} {
		if strings.Contains(message, part) {
			message += hint
		}
	}
	return Error{Line: line, Message: "not valid YAML, here or shortly after: " + message}
}

// A decoder reads a node tree into a struct and remembers where each key was.
type decoder struct {
	file  string
	from  func(key string) string // names the file of a key; nil: it is file
	errs  Errors
	lines Lines
	bad   map[string]bool // key paths whose values were not read
	holed map[string]bool // key paths above those, and above unknown keys
}

// fail reports that the value of a key cannot be read, or, without a path, the line.
func (d *decoder) fail(line int, path, format string, args ...any) {
	d.bad[path] = true
	d.hole(path)
	d.report(line, path, fmt.Sprintf(format, args...))
}

// hole notes that something below path was not read, so that as a whole it cannot be judged.
func (d *decoder) hole(path string) {
	for ; path != ""; path = above(path) {
		d.holed[path] = true
	}
	d.holed[""] = true
}

func (d *decoder) report(line int, path, message string) {
	file := d.file
	if d.from != nil {
		file = d.from(path)
	}
	if path != "" {
		message = path + ": " + message
	}
	switch len(d.errs) {
	case maxErrors:
	case maxErrors - 1:
		d.errs = append(d.errs, Error{file, line, "… and more mistakes"})
	default:
		d.errs = append(d.errs, Error{file, line, message})
	}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// value reads n into v.
func (d *decoder) value(path string, n *yaml.Node, v reflect.Value) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fail(n.Line, path, "anchors and aliases are not allowed; write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(n.Line, path, "tags such as %s are not allowed", quote(n.Tag))
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		// A key without a value says nothing.
	case reflect.PointerTo(v.Type()).Implements(textType):
		d.scalar(path, n, v)
	case v.Kind() == reflect.Struct:
		d.object(path, n, v)
	case v.Kind() == reflect.Slice:
		d.list(path, n, v)
	default:
		d.scalar(path, n, v)
	}
}

func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n.Line, path, "want one value, not %s", kind(n))
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			d.fail(n.Line, path, "%v", err)
		}
		return
	}
	if want := set(v, n.Value); want != "" {
		d.fail(n.Line, path, "want %s, not %s", want, quote(n.Value))
	}
}

// set reads text into v, or leaves v alone and returns what it wanted.
func set(v reflect.Value, text string) (want string) {
	switch {
	case v.Type() == durationType:
		t, err := time.ParseDuration(text)
		if err != nil {
			return "a duration such as 30s or 5m"
		}
		v.SetInt(int64(t))
	case v.Kind() == reflect.String:
		v.SetString(text) // as written: 1.10 stays 1.10
	case v.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return "true or false"
		}
		v.SetBool(text == "true")
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if errors.Is(err, strconv.ErrRange) {
			return "a number nearer to 0"
		} else if err != nil {
			return "a whole number"
		}
		v.SetInt(i)
	default:
		panic("config: a field cannot be of type " + v.Type().String())
	}
	return ""
}

// kind says what a node is.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return quote(n.Value)
}

func (d *decoder) list(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n.Line, path, "want a list, as in [a, b], not %s", kind(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		p := fmt.Sprintf("%s[%d]", path, i)
		d.lines[p] = item.Line
		if item.Tag == "!!null" {
			d.fail(item.Line, p, "an item of a list needs a value")
			continue
		}
		d.value(p, item, list.Index(i))
	}
	v.Set(list)
}

func (d *decoder) object(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, path, "want keys and values, as in key: value, not %s", kind(n))
		return
	}
	fields, first := fields(v), map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Tag == "!!merge" || key.Style&yaml.TaggedStyle != 0 {
			d.fail(key.Line, path, "a key must be a plain word")
			continue
		}
		p := join(path, key.Value)
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		if at < 0 {
			d.unknown(path, key, fields)
			continue
		}
		if first[key.Value] > 0 {
			d.fail(key.Line, p, "this key is set in line %d already", first[key.Value])
			continue
		}
		first[key.Value], d.lines[p] = key.Line, item.Line
		d.value(p, item, fields[at].value)
	}
}

// unknown reports a key that no field has.
func (d *decoder) unknown(path string, key *yaml.Node, fields []field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	d.hole(path)
	if meant := nearest(key.Value, names); meant != "" {
		d.bad[join(path, meant)] = true // it is not missing as well
	}
	in, hint := "", Meant(key.Value, names)
	if path != "" {
		in = " in " + path
	}
	if hint == "" {
		hint = "; the keys here are " + strings.Join(names, ", ")
	}
	d.report(key.Line, "", "unknown key "+quote(key.Value)+in+hint)
}

type field struct {
	name  string
	value reflect.Value
	tag   reflect.StructTag
}

// fields returns the fields of a struct that have a yaml tag, by its name.
func fields(v reflect.Value) []field {
	var all []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if name := tag.Get("yaml"); name != "" && name != "-" {
			all = append(all, field{name, v.Field(i), tag})
		}
	}
	return all
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// validate asks what is in v, then v itself, whether the values can be used.
func (d *decoder) validate(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			d.validate(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Struct:
		for _, f := range fields(v) {
			d.told(path, checkTags(f.name, f.value, f.tag))
			d.validate(join(path, f.name), f.value)
		}
		check, ok := v.Addr().Interface().(interface{ Validate() error })
		if !ok || d.bad[path] && path != "" { // nothing was read
			return
		}
		d.told(path, check.Validate())
	}
}

// told reports what the check of the value at path found.
func (d *decoder) told(path string, err error) {
	for _, err := range flatten(err) {
		at := path
		k, ok := errors.AsType[*keyError](err)
		if ok {
			at, err = join(path, k.key), k.err
		}
		if !d.unread(at) && (ok || !d.holed[path]) { // a default stands there
			d.report(d.lines.Of(at), at, err.Error())
		}
	}
}

// unread reports whether the value of a key, or one above it, could not be read.
func (d *decoder) unread(path string) bool {
	for ; path != ""; path = above(path) {
		if d.bad[path] {
			return true
		}
	}
	return false
}

// above returns the path of what a key is in.
func above(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }
