package chat

import (
	"encoding/json"
	"testing"
)

func TestEntriesAreEncodedAsJSON(t *testing.T) {
	entries := []Entry{{Step: "find", Result: json.RawMessage(`{"a":[1,"b"]}`)}, {Step: "chunk \"x\"", Error: "no\nway"}, {Step: "cut"}}
	want, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	if got := AppendEntries(nil, entries); string(got) != string(want) {
		t.Errorf("AppendEntries = %s, want %s", got, want)
	}
	if got := AppendEntries(nil, nil); string(got) != "[]" {
		t.Errorf("AppendEntries of none = %s", got)
	}
}
