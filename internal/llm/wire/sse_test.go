package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll returns all events of a body, in one string.
func readAll(r io.Reader) string {
	var b strings.Builder
	e := NewEvents(r)
	for {
		name, data, err := e.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintf(&b, "(%v)", err)
			}
			return b.String()
		}
		fmt.Fprintf(&b, "[%s|%s]", name, data)
	}
}

func TestEvents(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	tests := []struct{ name, body, want string }{
		{"nothing", "", ""},
		{"one", "data: a\n\n", "[|a]"},
		{"no blank, CRLF", "data:a\r\n\r\ndata:  b\r\n\r\n", "[|a][| b]"},
		{"several lines", "data: a\ndata\ndata: b\n\n", "[|a\n\nb]"},
		{"empty data", "data:\n\n", "[|]"},
		{"names", "event: e\ndata: a\n\ndata: b\n\nevent: content_block_delta\ndata: c\n\n", "[e|a][|b][content_block_delta|c]"},
		{"a name without data", "event: e\n\ndata: a\n\n", "[|a]"},
		{"comments and other fields", ": hi\n\nid: 7\nretry: 9\ndatas: x\ndata: a\n:\n\n", "[|a]"},
		{"no end", "data: a\n\ndata: b", "[|a][|b]"},
		{"half an end", "data: a\r\n\r", "[|a]"},
		{"a byte order mark", "\uFEFFdata: a\n\ndata: \uFEFF\n\n", "[|a][|\uFEFF]"},
		{"a long line", "data: " + long + "\ndata: b\n\n", "[|" + long + "\nb]"},
		{"a long line without end", "data: " + long, "[|" + long + "]"},
		{"too long", "data: " + strings.Repeat(long, 500), "(" + errLong.Error() + ")"},
		{"too many lines", strings.Repeat("data: "+long+"\n", 500), "(" + errLong.Error() + ")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readAll(strings.NewReader(tt.body)); got != tt.want {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
	broken := errors.New("broken")
	if got := readAll(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(broken))); got != "[|a](broken)" {
		t.Errorf("got %q, want the first event and the error", got)
	}
}

// FuzzEvents: the pieces in which a body comes make no difference, an event written in
// the plainest form is read as it was, and nothing has more than MaxEvent bytes.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{"data: a\n\n", "event: e\r\ndata: a\r\ndata:b\r\n\r\n", "\uFEFF:\n\ndata\n", "data: \xf0\x9f"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := readAll(bytes.NewReader(body))
		if pieces := readAll(iotest.OneByteReader(bytes.NewReader(body))); pieces != whole {
			t.Fatalf("byte by byte %q, at once %q", pieces, whole)
		}
		line := strings.NewReplacer("\n", "", "\r", "").Replace(string(body))
		if got, want := readAll(strings.NewReader("data: "+line+"\n\n")), "[|"+line+"]"; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
