package llmtest

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/llm"
)

// transmission writes one answer to a client.
type transmission struct {
	w       http.ResponseWriter
	control *http.ResponseController
	format  format
	buf     []byte
	reply   reply // so far, of a whole one
	begun   bool  // a stream did
	gone    bool  // the client left
	abort   bool  // the connection is to be closed where it is
}

// stream writes a piece of a stream and reports whether it goes on.
func (t *transmission) stream(p piece) bool {
	b := t.buf[:0]
	switch p.kind {
	case begun:
		t.begun = true
		t.header(true)
		b = t.format.open(b, p.usage)
	case said:
		b = t.format.text(b, p.text, p.usage)
	case thought:
		b = t.format.think(b, p.text, p.usage)
	case called:
		b = t.format.call(b, p.call, p.usage)
	case ended:
		t.send(t.format.close(b, p.end, p.usage))
		return false
	case failed:
		t.fail(b, p)
		return false
	case left:
		t.gone = true
		return false
	}
	t.buf = b
	return t.send(b)
}

// send writes and flushes, and reports whether the client still listens.
func (t *transmission) send(b []byte) bool {
	_, err := t.w.Write(b)
	if err == nil {
		err = t.control.Flush()
	}
	t.gone = t.gone || err != nil
	return err == nil
}

func (t *transmission) header(stream bool) {
	for name, values := range t.format.header(stream) {
		t.w.Header()[name] = values
	}
}

// What faults send.
const (
	twoBytes   = "é" // a code point that can be cut in half
	noProtocol = "this line is not part of any protocol\n"
	noJSON     = `{"this is": no JSON`
	tooMuch    = 10 << 20 // bytes of text in one chunk
)

// fail has a stream go wrong.
func (t *transmission) fail(b []byte, p piece) {
	switch p.fault.kind {
	case refused, failing, html:
		if t.begun {
			t.send(t.format.fail(b, p.fault))
			return
		}
		t.instead(p.fault)
	case lateError:
		t.send(t.format.fail(b, p.fault))
	case half:
		b = t.format.text(b, twoBytes, p.usage)
		t.send(b[:bytes.Index(b, []byte(twoBytes))+1])
		t.abort = true
	case nonsense:
		b = t.format.line(append(b, noProtocol...), noJSON)
		t.send(t.format.close(b, end{finish: llm.Stop}, p.usage))
	case giant:
		b = t.format.text(b, strings.Repeat("x", tooMuch), p.usage)
		t.send(t.format.close(b, end{finish: llm.Stop}, p.usage))
	case reset:
		t.reset()
	}
}

// whole takes a piece of a reply that is not streamed; at its end, it writes it.
func (t *transmission) whole(p piece) bool {
	t.reply.usage = p.usage
	switch p.kind {
	case said:
		t.reply.text.WriteString(p.text)
	case thought:
		t.reply.thinking.WriteString(p.text)
	case called:
		t.reply.calls = append(t.reply.calls, p.call)
	case ended:
		t.reply.end = p.end
		body := t.format.whole(nil, &t.reply)
		t.body(body, len(body))
		return false
	case failed:
		t.failWhole(p.fault)
		return false
	case left:
		t.gone = true
		return false
	}
	return true
}

// failWhole has a reply go wrong that is not streamed. One that breaks off has promised
// more than comes.
func (t *transmission) failWhole(f *fault) {
	t.reply.end = end{finish: llm.Stop}
	switch f.kind {
	case cut, reset:
		body := t.format.whole(nil, &t.reply)
		t.body(body, len(body)/2)
	case half:
		t.reply.text.WriteString(twoBytes)
		body := t.format.whole(nil, &t.reply)
		t.body(body, bytes.Index(body, []byte(twoBytes))+1)
	case nonsense:
		t.body([]byte(noJSON), len(noJSON))
	case giant:
		t.reply.text.WriteString(strings.Repeat("x", tooMuch))
		body := t.format.whole(nil, &t.reply)
		t.body(body, len(body))
	default:
		t.instead(f)
		return
	}
	if f.kind == reset {
		t.reset()
		return
	}
	t.abort = f.kind == cut || f.kind == half
}

// body promises a body and sends its first n bytes. The last of them leave when the call
// has ended, so that who has read all of them finds it so in the stats.
func (t *transmission) body(body []byte, n int) {
	t.header(false)
	if n < len(body) {
		t.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		t.send(body[:n])
		return
	}
	if _, err := t.w.Write(body); err != nil {
		t.gone = true
	}
}

// page is what a proxy sends that wants a login.
const page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n"

// instead writes what comes in place of a reply.
func (t *transmission) instead(f *fault) {
	if f.kind != html {
		refuse(t.w, t.format, f)
		return
	}
	header(t.w, "text/html; charset=utf-8")
	t.send([]byte(page))
}

// reset resets the connection: who closes one without lingering does not say goodbye. A
// connection that cannot be had, as of HTTP/2, is closed.
func (t *transmission) reset() {
	conn, _, err := t.control.Hijack()
	if err != nil {
		t.abort = true
		return
	}
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // what cannot be reset is closed
	}
	conn.Close() // it is to break
}
