package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxEvent is how many bytes one event may have. Who sends more is not answering.
const MaxEvent = 4 << 20

// Events reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
// Lines end with LF or CRLF; comments, fields other than event and data, and a byte
// order mark in front of it all are skipped; the blank behind a colon may be missing.
type Events struct {
	r     *bufio.Reader
	began bool   // the first line was read
	line  []byte // a line that does not fit into r
	data  []byte // of the event
	name  []byte
}

// NewEvents reads events from a body.
func NewEvents(body io.Reader) *Events { return &Events{r: bufio.NewReaderSize(body, 1<<10)} }

// Next returns the next event that has data, and its name, or "". The data is valid until
// the call after. At the end of the body it returns what is left as an event, if there
// is something, and then io.EOF.
func (e *Events) Next() (name string, data []byte, err error) {
	e.name, e.data = e.name[:0], e.data[:0]
	lines := 0
	for {
		line, err := e.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return "", nil, err
		}
		if len(line) == 0 {
			switch {
			case lines > 0:
				return nameOf(e.name), e.data, nil
			case err != nil:
				return "", nil, err
			}
			e.name = e.name[:0]
			continue
		}
		if value, ok := field(line, "data"); ok {
			if lines++; lines > 1 {
				e.data = append(e.data, '\n')
			}
			if len(e.data)+len(value) > MaxEvent {
				return "", nil, errLong
			}
			e.data = append(e.data, value...)
		} else if value, ok := field(line, "event"); ok {
			e.name = append(e.name[:0], value...)
		}
	}
}

// nameOf returns a name without allocating for those that are usual.
func nameOf(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "content_block_delta":
		return "content_block_delta"
	}
	return string(b)
}

func field(line []byte, name string) (value []byte, ok bool) {
	if len(line) < len(name) || string(line[:len(name)]) != name {
		return nil, false
	}
	switch rest := line[len(name):]; {
	case len(rest) == 0:
		return rest, true
	case rest[0] != ':':
		return nil, false
	case len(rest) > 1 && rest[1] == ' ':
		return rest[2:], true
	default:
		return rest[1:], true
	}
}

var errLong = fmt.Errorf("an event has more than %d bytes", MaxEvent)

var byteOrderMark = []byte("\uFEFF")

// next returns the next line without its end. With io.EOF it returns what stands behind
// the last one.
func (e *Events) next() ([]byte, error) {
	line, err := e.rawLine()
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if !e.began {
		e.began = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return line, err
}

// rawLine copies only lines that do not fit into the reader.
func (e *Events) rawLine() ([]byte, error) {
	part, err := e.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return part, err
	}
	e.line = e.line[:0]
	for {
		if e.line = append(e.line, part...); len(e.line) > MaxEvent {
			return nil, errLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return e.line, err
		}
		part, err = e.r.ReadSlice('\n')
	}
}
