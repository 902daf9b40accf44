package assistant

import (
	"bytes"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// Change is how a file or a document differs between two states.
type Change string

const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// FileChange says how one of an assistant's own files differs.
type FileChange struct {
	Path   string `json:"path"`
	Change Change `json:"change"`
	Diff   string `json:"diff"` // unified; "" for what is no text
}

// Diff says how two sets of own files differ, by path. Both are in that order.
func Diff(from, to []OwnFile) []FileChange {
	out := []FileChange{}
	for len(from) > 0 || len(to) > 0 {
		switch {
		case len(to) == 0 || len(from) > 0 && from[0].Path < to[0].Path:
			out = append(out, FileChange{from[0].Path, Removed, unified(from[0].Path, from[0].Data, nil)})
			from = from[1:]
		case len(from) == 0 || to[0].Path < from[0].Path:
			out = append(out, FileChange{to[0].Path, Added, unified(to[0].Path, nil, to[0].Data)})
			to = to[1:]
		default:
			if !bytes.Equal(from[0].Data, to[0].Data) {
				out = append(out, FileChange{to[0].Path, Changed, unified(to[0].Path, from[0].Data, to[0].Data)})
			}
			from, to = from[1:], to[1:]
		}
	}
	return out
}

func unified(path string, from, to []byte) string {
	if !utf8.Valid(from) || !utf8.Valid(to) {
		return ""
	}
	text := diff.Diff("a/"+path, from, "b/"+path, to)
	_, text, _ = bytes.Cut(text, []byte("\n")) // its first line names both files once more
	return string(text)
}
