package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// lines reads what a person types, while others may print. On a terminal they edit their
// lines, with a history that ends with the program; a pipe just has lines.
type lines struct {
	out  *screen
	pipe *bufio.Scanner // or nil
	in   *os.File       // the terminal, or nil
	edit *term.Terminal

	mu     sync.Mutex
	typing bool // the prompt is there
	before *term.State
}

const prompt = "you> "

// errInterrupted: ^C was typed at the prompt.
var errInterrupted = errors.New("interrupted")

// mostLine is in bytes. The server has a limit of its own.
const mostLine = 1 << 20

// newLines edits lines if both ends are a terminal.
func newLines(in io.Reader, out *screen) *lines {
	l := &lines{out: out}
	if f, ok := in.(*os.File); ok && out.moves && typed(in) {
		l.in = f
		l.renew(nil)
		return l
	}
	l.pipe = bufio.NewScanner(in)
	l.pipe.Buffer(nil, mostLine)
	return l
}

// terminal reports whether a person edits lines.
func (l *lines) terminal() bool { return l.in != nil }

// renew makes an editor with an empty line and the history of another.
func (l *lines) renew(before *term.Terminal) {
	l.edit = term.NewTerminal(keys{l}, l.out.paint(accent, prompt))
	if before != nil {
		l.edit.History = before.History
	}
}

// next returns the next line. At the end it is io.EOF. Several lines that are pasted at
// once are one.
func (l *lines) next() (string, error) {
	if l.in == nil {
		if !l.pipe.Scan() {
			if err := l.pipe.Err(); err != nil {
				return "", fmt.Errorf("read what is typed: %w", err)
			}
			return "", io.EOF
		}
		return l.pipe.Text(), nil
	}
	l.mu.Lock()
	var err error
	if l.before, err = term.MakeRaw(int(l.in.Fd())); err != nil {
		l.mu.Unlock()
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	l.typing = true
	l.edit.SetBracketedPasteMode(true)
	l.mu.Unlock()
	var all []string
	for {
		var line string
		line, err = l.edit.ReadLine()
		all = append(all, line)
		if !errors.Is(err, term.ErrPasteIndicator) {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.edit.SetBracketedPasteMode(false)
	l.typing = false
	if back := term.Restore(int(l.in.Fd()), l.before); back != nil && err == nil {
		err = back
	}
	if errors.Is(err, errInterrupted) {
		l.renew(l.edit)
		io.WriteString(l.out, "\n")
	}
	return strings.Join(all, "\n"), err
}

// abandon ends the program where a line is being typed: reading from a terminal cannot be
// called off.
func (l *lines) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.typing {
		term.Restore(int(l.in.Fd()), l.before)
		os.Exit(exitFailed)
	}
}

// Write prints whole lines above the prompt, if it is there.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.typing {
		return l.edit.Write([]byte(l.out.harmless(string(b))))
	}
	return l.out.Write(b)
}

// keys is the terminal for the editor, which takes ^C and the end to be the same.
type keys struct{ *lines }

func (k keys) Read(b []byte) (int, error) {
	if w, h, err := term.GetSize(int(k.in.Fd())); err == nil {
		k.edit.SetSize(w, h) // it may have been changed since the last key
	}
	n, err := k.in.Read(b)
	if i := strings.IndexByte(string(b[:n]), 3); i >= 0 {
		return i, errInterrupted
	}
	return n, err
}

func (k keys) Write(b []byte) (int, error) { return k.out.out.Write(b) }

// typed reports whether somebody types what is read.
func typed(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
