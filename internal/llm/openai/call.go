package openai

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/answerable/answerable/internal/llm"
	"github.com/answerable/answerable/internal/llm/wire"
)

// calls puts calls of tools together from their pieces.
type calls struct {
	all   []call
	held  int    // bytes, with what a call costs at least
	reply []byte // the id of the reply
	turn  int
}

type call struct {
	index     int // as the server counts, from 0 or 1; noIndex if it does not
	id        string
	name      string
	arguments []byte
}

const (
	noIndex = -1
	perCall = 16 << 10 // so that maxHeld bounds their number, too
)

// add takes a piece of a call. An id and a name come once, arguments bit by bit. With
// most servers the index says whose a piece is, but some leave it out, and some give the
// same to all calls; then what a piece brings tells whether it begins a call.
func (cs *calls) add(piece wire.Value) {
	index, id, function := noIndex, "", wire.Value(nil)
	for key, m := range piece.Members() {
		switch string(key) {
		case "index":
			if !m.Missing() {
				index = m.Int()
			}
		case "id":
			id = m.Text()
		case "function":
			function = m
		}
	}
	name, arguments := function.Get("name").Text(), argumentsOf(function.Get("arguments"))
	c := cs.find(index, id, name, arguments)
	if c == nil {
		cs.all = append(cs.all, call{index: index})
		c = &cs.all[len(cs.all)-1]
		cs.held += perCall
	}
	if c.id == "" {
		c.id = id
	}
	if c.name == "" {
		c.name = name
	}
	c.arguments = append(c.arguments, arguments...)
	cs.held += len(id) + len(name) + len(arguments)
}

// argumentsOf returns a piece of arguments, which some send as an object.
func argumentsOf(v wire.Value) []byte {
	if v.IsObject() {
		return v
	}
	return []byte(v.Text())
}

// find returns the call that a piece goes on with, or nil if it begins one.
func (cs *calls) find(index int, id, name string, arguments []byte) *call {
	for i := range cs.all {
		c := &cs.all[i]
		if id != "" && id == c.id && (index == noIndex || index == c.index) {
			return c
		}
	}
	for i := len(cs.all) - 1; i >= 0 && index != noIndex; i-- { // the newest, where an index is used twice
		c := &cs.all[i]
		if index != c.index {
			continue
		}
		another := id != "" && c.id != "" || id == "" && name != "" && len(arguments) > 0 && isObject(c.arguments)
		if another {
			return nil
		}
		return c
	}
	if index != noIndex || id != "" || name != "" || len(cs.all) == 0 {
		return nil
	}
	return &cs.all[len(cs.all)-1]
}

func isObject(arguments []byte) bool {
	v, ok := wire.Parse(arguments)
	return ok && v.IsObject()
}

// whole returns the calls, each with an id of its own and arguments that are an object.
func (cs *calls) whole() ([]llm.Call, error) {
	made := make([]llm.Call, len(cs.all))
	for i, c := range cs.all {
		if c.name == "" {
			return nil, errors.New("the model called a tool without saying which")
		}
		arguments := bytes.TrimSpace(c.arguments)
		if len(arguments) == 0 || string(arguments) == "null" {
			arguments = []byte("{}")
		}
		if !isObject(arguments) {
			return nil, fmt.Errorf("the model called %.64q with arguments that are not a JSON object", c.name)
		}
		taken := func(other llm.Call) bool { return other.ID == c.id }
		if c.id == "" || slices.ContainsFunc(made[:i], taken) {
			c.id = cs.id(i, c)
		}
		made[i] = llm.Call{ID: c.id, Name: c.name, Arguments: json.RawMessage(arguments)}
	}
	return made, nil
}

// id makes an id for a call that came without one: the same when the same reply is read
// again, another for the next reply. It has the form that the strictest of servers
// (Mistral's) accepts: nine letters and digits.
func (cs *calls) id(position int, c call) string {
	h := fnv.New64a()
	h.Write(cs.reply)
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(cs.turn)))
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(position)))
	h.Write([]byte(c.name))
	h.Write(c.arguments)
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	var id [9]byte
	sum := h.Sum64()
	for i := range id {
		id[i] = digits[sum%36]
		sum /= 36
	}
	return string(id[:])
}
