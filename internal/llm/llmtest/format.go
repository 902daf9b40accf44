package llmtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// The formats that Handler speaks.
const (
	openAIFormat    = "openai"
	anthropicFormat = "anthropic"
	geminiFormat    = "gemini"
)

func checkFormat(name string) error {
	switch name {
	case openAIFormat, anthropicFormat, geminiFormat:
		return nil
	}
	return fmt.Errorf("%q is no format; write openai, anthropic or gemini", name)
}

// A format writes one reply as its vendor does. Its methods append to b and return it;
// they are called in the order of the reply.
type format interface {
	// header returns what comes before the body of a stream, or of a whole reply.
	header(stream bool) http.Header

	// Of a stream: what it begins with, its pieces, and why it ended.
	open(b []byte, u chat.Usage) []byte
	text(b []byte, text string, u chat.Usage) []byte
	think(b []byte, text string, u chat.Usage) []byte
	call(b []byte, c toolCall, u chat.Usage) []byte
	close(b []byte, e end, u chat.Usage) []byte
	// line is a chunk with data that is none of the format's.
	line(b []byte, data string) []byte
	// fail is an error inside the stream.
	fail(b []byte, f *fault) []byte

	// whole is a reply that is not streamed.
	whole(b []byte, r *reply) []byte
	// refuse is the answer to a call that is refused. It may add to the headers.
	refuse(f *fault, h http.Header) (status int, body []byte)
}

// reply is what a whole reply says.
type reply struct {
	text, thinking strings.Builder
	calls          []toolCall
	end            end
	usage          chat.Usage
}

// declined is how a model refuses whose script does not say how.
const declined = "I cannot help with that."

func (e end) words() string {
	if e.declined == "" {
		return declined
	}
	return e.declined
}

// fragments cuts a tool's arguments as they are streamed, on borders of code points.
func fragments(arguments string) []string {
	const size = 8
	var all []string
	start := 0
	for i := range arguments {
		if i-start >= size {
			all = append(all, arguments[start:i])
			start = i
		}
	}
	if start < len(arguments) {
		all = append(all, arguments[start:])
	}
	return all
}

// jsonString returns s as a JSON string.
func jsonString(s string) string { return string(chat.AppendJSONString(nil, s)) }

// orNull returns s as a JSON string, or null if it is "".
func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return jsonString(s)
}

// orEmpty returns a JSON object, {} if there is none.
func orEmpty(object string) string {
	if object == "" {
		return "{}"
	}
	return object
}

// appendCount appends a member of a JSON object: before, which ends with its colon, and n.
func appendCount(b []byte, before string, n int) []byte {
	b = append(b, before...)
	return strconv.AppendInt(b, int64(n), 10)
}
