package gemini

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/llm/wire"
)

// pending is a call whose arguments may still be coming: each piece is a value, or more
// of a string, and says with a JSON path such as $.items[0].name where it belongs.
type pending struct {
	id, name, signature string
	args                json.RawMessage // where they came whole
	root                map[string]any  // where they come in pieces: of map[string]any, []any, string and json.RawMessage
	path                string          // of the string that is being written
	text                []byte          // so far
	held                int             // bytes in all
}

var (
	errPath = errors.New("a piece says with a path that makes no sense where it belongs")
	errMuch = fmt.Errorf("they have more than %d bytes", wire.MaxEvent)
)

// maxPath bounds how deep a path may lead.
const maxPath = 64

// add takes a piece.
func (p *pending) add(piece wire.Value) error {
	if p.held += len(piece); p.held > wire.MaxEvent {
		return errMuch
	}
	path := piece.Get("jsonPath").Text()
	if path == "" {
		return errPath
	}
	if path != p.path {
		if err := p.flush(); err != nil {
			return err
		}
	}
	var value any
	for key, v := range piece.Members() {
		switch string(key) {
		case "stringValue":
			p.path = path
			p.text = append(p.text, v.Text()...)
		case "numberValue", "boolValue":
			value = v.Raw()
		case "nullValue":
			value = json.RawMessage("null")
		}
	}
	switch {
	case value != nil:
		return p.set(path, value)
	case piece.Get("willContinue").True():
		return nil
	}
	return p.flush()
}

// flush sets the string that was being written.
func (p *pending) flush() error {
	if p.path == "" {
		return nil
	}
	path, text := p.path, string(p.text)
	p.path, p.text = "", p.text[:0]
	return p.set(path, text)
}

// set puts a value where a path leads.
func (p *pending) set(path string, value any) error {
	steps, err := parsePath(path)
	if err != nil {
		return err
	}
	if p.root == nil {
		p.root = map[string]any{}
	}
	_, err = place(p.root, steps, value)
	return err
}

// arguments returns all of them.
func (p *pending) arguments() (json.RawMessage, error) {
	if err := p.flush(); err != nil {
		return nil, err
	}
	if p.root == nil {
		return object(p.args)
	}
	return wire.Marshal(p.root)
}

// step is a key, or where index is not negative, an index.
type step struct {
	key   string
	index int
}

// place returns node with value in it, where the steps lead. Elements of an array come in
// order.
func place(node any, steps []step, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	to := steps[0]
	if to.index < 0 {
		object, ok := node.(map[string]any)
		if node == nil {
			object, ok = map[string]any{}, true
		}
		if !ok {
			return nil, errPath
		}
		below, err := place(object[to.key], steps[1:], value)
		object[to.key] = below
		return object, err
	}
	array, ok := node.([]any)
	if node != nil && !ok || to.index > len(array) {
		return nil, errPath
	}
	if to.index == len(array) {
		array = append(array, nil)
	}
	below, err := place(array[to.index], steps[1:], value)
	array[to.index] = below
	return array, err
}

// parsePath reads paths such as $.a[0].b and $['a b'] (RFC 9535, without queries).
func parsePath(path string) (steps []step, err error) {
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" && len(steps) < maxPath {
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			steps, rest = append(steps, step{rest[1:end], -1}), rest[end:]
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			end := strings.Index(rest[2:], rest[1:2]+"]") + 2
			if end < 2 {
				return nil, errPath
			}
			steps, rest = append(steps, step{rest[2:end], -1}), rest[end+2:]
		default:
			inner, after, found := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(inner)
			if rest[0] != '[' || !found || err != nil || n < 0 {
				return nil, errPath
			}
			steps, rest = append(steps, step{index: n}), after
		}
	}
	if len(steps) == 0 || rest != "" {
		return nil, errPath
	}
	return steps, nil
}
