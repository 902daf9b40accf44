package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

// maxDepth bounds how deep objects and arrays of a body may be nested.
const maxDepth = 32

// read decodes the JSON object that a request must have into v, a pointer to a struct,
// strictly: nothing unknown, nothing twice, nothing behind it.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return errEmpty
	}
	return decode(body, v)
}

// readOptional is read for an object all of whose fields may be missing: it may be
// missing itself.
func (s *Server) readOptional(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := s.body(w, r)
	if err != nil || len(body) == 0 {
		return err
	}
	return decode(body, v)
}

// body reads the whole body of a request that has JSON in it.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return s.bodyOf(w, r, "application/json")
}

// bodyOf reads the whole body. Without one, its type does not matter.
func (s *Server) bodyOf(w http.ResponseWriter, r *http.Request, want string) ([]byte, error) {
	limit := or(s.Limits.Body, usualBody)
	tooLarge := &chat.Error{Kind: chat.TooLarge, Message: fmt.Sprintf("the body is larger than %d bytes: send less", limit)}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // do not wait for what nobody reads
		return nil, tooLarge
	}
	var typed error
	if r.ContentLength != 0 {
		typed = checkType(r.Header, want)
	}
	if typed != nil && r.ContentLength > 0 {
		return nil, typed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, &chat.Error{Kind: malformed, Message: "the body did not arrive whole: send it again", Err: err}
	}
	setReadDeadline(w, time.Time{})
	if len(body) == 0 {
		return nil, nil
	}
	return body, typed
}

func checkType(h http.Header, want string) error {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != want || len(h["Content-Type"]) > 1 {
		return &chat.Error{Kind: unsupported, Message: "send the body with Content-Type: " + want}
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &chat.Error{Kind: unsupported, Message: "send the body as UTF-8, not " + charset}
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &chat.Error{Kind: unsupported, Message: "send the body without Content-Encoding"}
	}
	return nil
}

// decode reads a JSON object. Package json alone is not strict: it takes fields in any
// case and twice, and replaces what is not Unicode.
func decode(body []byte, v any) error {
	names, err := sound(body)
	if err != nil {
		return err
	}
	known := fields(v)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return &chat.Error{Kind: malformed, Message: fmt.Sprintf("unknown field %.64q: known are %s", name, strings.Join(known, ", "))}
		}
	}
	err = json.Unmarshal(body, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &chat.Error{Kind: malformed, Message: fmt.Sprintf("%s must be a %s, not a %s", wrong.Field, typeName(wrong.Type), wrong.Value)}
	}
	if err != nil {
		return notJSON(err)
	}
	return nil
}

// sound refuses what is no JSON object, and what package json would let pass. It returns
// the names of the object's fields.
func sound(body []byte) (names []string, err error) {
	if !utf8.Valid(body) {
		return nil, &chat.Error{Kind: chat.Invalid, Message: "the body is not valid UTF-8: send it as UTF-8"}
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return nil, errNUL
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, notJSON(err)
	}
	if body = bytes.TrimSpace(body); body[0] != '{' {
		return nil, &chat.Error{Kind: malformed, Message: "the body must be a JSON object"}
	}
	scan := scanner{data: body}
	err = scan.value(0)
	return scan.names, err
}

// object is a JSON object of which only some fields are read: on the faces that other
// people's clients speak, those clients send fields that are newer than we are.
type object map[string]json.RawMessage

// readObject reads a body without knowing all its fields. Everything else is as strict
// as in decode.
func readObject(body []byte) (object, error) {
	if len(body) == 0 {
		return nil, errEmpty
	}
	if _, err := sound(body); err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, notJSON(err)
	}
	return o, nil
}

// field decodes the field name into v, a pointer. Without the field, or with null, v
// stays as it is. within is where the object is, as in "messages[2].", for the error.
func (o object) field(v any, within, name string) error {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return wrongField(within+name, "must be a "+typeName(reflect.TypeOf(v).Elem()))
	}
	return nil
}

// misfit is the error of a body that has one field at fault.
type misfit struct {
	error
	field string
}

func (m misfit) Unwrap() error { return m.error }

func wrongField(field, what string) error {
	return misfit{&chat.Error{Kind: malformed, Message: field + " " + what}, field}
}

func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return &chat.Error{Kind: malformed, Message: fmt.Sprintf("the body is not valid JSON, at byte %d: %v", syntax.Offset, syntax)}
	}
	return &chat.Error{Kind: malformed, Message: "the body is not valid JSON", Err: err}
}

// fields returns the names of a struct's fields in JSON.
func fields(v any) []string {
	t := reflect.TypeOf(v).Elem()
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Map, reflect.Struct:
		return "JSON object"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list of " + typeName(t.Elem()) + "s"
	default:
		return t.String()
	}
}

var (
	errEmpty   = &chat.Error{Kind: malformed, Message: "the body is empty: send a JSON object"}
	errNUL     = &chat.Error{Kind: chat.Invalid, Message: "the body contains a NUL character: leave it out"}
	errUnicode = &chat.Error{Kind: chat.Invalid, Message: `the body has half of a surrogate pair (\ud800 to \udfff): send whole characters`}
)

// scanner walks over valid JSON and looks for what package json lets pass.
type scanner struct {
	data  []byte
	at    int
	names []string // of the outermost object
}

func (s *scanner) space() {
	for s.at < len(s.data) && strings.IndexByte(" \t\r\n", s.data[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return &chat.Error{Kind: malformed, Message: fmt.Sprintf("the body is nested deeper than %d", maxDepth)}
	}
	s.space()
	switch s.data[s.at] {
	case '"':
		_, err := s.text()
		return err
	case '{', '[':
		return s.members(depth, s.data[s.at] == '{')
	}
	for s.at < len(s.data) && strings.IndexByte(",]} \t\r\n", s.data[s.at]) < 0 {
		s.at++
	}
	return nil
}

// members walks over what is in an object or array.
func (s *scanner) members(depth int, object bool) error {
	var seen map[string]bool
	for s.at++; ; s.at++ { // past the opening bracket, then past each comma
		s.space()
		if c := s.data[s.at]; c == '}' || c == ']' { // it is empty
			s.at++
			return nil
		}
		if object {
			raw, err := s.text()
			if err != nil {
				return err
			}
			var name string
			if err := json.Unmarshal(raw, &name); err != nil {
				return notJSON(err)
			}
			if seen[name] {
				return &chat.Error{Kind: malformed, Message: fmt.Sprintf("the field %.64q comes twice", name)}
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[name] = true
			if depth == 0 {
				s.names = append(s.names, name)
			}
			s.space()
			s.at++ // past the colon
		}
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.data[s.at] != ',' {
			s.at++ // past the closing bracket
			return nil
		}
	}
}

// text walks over a string and returns it with its quotes.
func (s *scanner) text() ([]byte, error) {
	start := s.at
	for s.at++; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] != '\\' {
			continue
		}
		s.at++
		if s.data[s.at] != 'u' {
			continue
		}
		r := s.unit(s.at)
		s.at += 4
		switch {
		case r == 0:
			return nil, errNUL
		case 0xdc00 <= r && r <= 0xdfff:
			return nil, errUnicode
		case 0xd800 <= r && r <= 0xdbff:
			if s.data[s.at+1] != '\\' || s.data[s.at+2] != 'u' {
				return nil, errUnicode
			}
			if low := s.unit(s.at + 2); low < 0xdc00 || low > 0xdfff {
				return nil, errUnicode
			}
			s.at += 6
		}
	}
	s.at++
	return s.data[start:s.at], nil
}

// unit returns the UTF-16 code unit of an escape whose u is at i.
func (s *scanner) unit(i int) (n rune) {
	for _, c := range s.data[i+1 : i+5] {
		n <<= 4
		switch {
		case c <= '9':
			n += rune(c - '0')
		default:
			n += rune(c|0x20-'a') + 10
		}
	}
	return n
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// encode returns JSON and the end of its line, with text as it is.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
