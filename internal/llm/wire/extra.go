package wire

import (
	"bytes"
	"encoding/json"
)

// Fields returns the Extra fields of a Config as JSON.
func Fields(extra map[string]any) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(extra))
	for k, v := range extra {
		data, err := Marshal(v)
		if err != nil {
			return nil, err
		}
		out[k] = data
	}
	return out, nil
}

// Over returns v as JSON with extra over its fields. Where both are objects, it is the
// fields in them that are put over ours; null takes a field away.
func Over(v any, extra map[string]json.RawMessage) ([]byte, error) {
	data, err := Marshal(v)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	all, _ := members(data)
	for k, x := range extra {
		if theirs, both := members(x); both {
			if ours, both := members(all[k]); both {
				put(ours, theirs)
				if x, err = Marshal(ours); err != nil {
					return nil, err
				}
			}
		}
		put(all, map[string]json.RawMessage{k: x})
	}
	return Marshal(all)
}

func put(to, from map[string]json.RawMessage) {
	for k, v := range from {
		if to[k] = v; string(v) == "null" {
			delete(to, k)
		}
	}
}

// members returns the fields of an object, or false if it is not one.
func members(data []byte) (all map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal(data, &all)
	return all, err == nil && all != nil
}

// Marshal is json.Marshal that leaves <, > and & as they are.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
