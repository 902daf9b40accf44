package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"
)

// screen is stdout or stderr. What is written to a terminal loses its control characters,
// whoever wrote it, except for line breaks and our own styles: texts come from customers,
// documents and models, and a terminal obeys what it shows. A pipe gets every byte.
// It is safe for concurrent use.
type screen struct {
	out      io.Writer
	terminal *os.File // nil: a pipe or a file
	moves    bool     // the cursor can be moved, as for a bar
	colours  bool

	mu  sync.Mutex
	bar bool // a bar stands in the last line
}

// newScreen judges one stream by itself: the other may be a terminal where this is none.
func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.terminal = f
		s.moves = os.Getenv("TERM") != "dumb"
		s.colours = s.moves && os.Getenv("NO_COLOR") == "" // no-color.org
	}
	return s
}

const eraseLine = "\r\x1b[K"

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terminal == nil {
		return s.out.Write(b)
	}
	text := s.harmless(string(b))
	if s.bar {
		text, s.bar = eraseLine+text, false
	}
	_, err := io.WriteString(s.out, text)
	return len(b), err
}

// draw shows a bar in the last line in place of the one before; "" takes it away.
func (s *screen) draw(bar string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moves && (s.bar || bar != "") {
		io.WriteString(s.out, eraseLine+bar)
	}
	s.bar = s.moves && bar != ""
}

// unlimited is the width of what is not a terminal.
const unlimited = 0

// width is that of the terminal at the moment, in columns.
func (s *screen) width() int {
	if s.terminal == nil {
		return unlimited
	}
	if w, _, err := term.GetSize(int(s.terminal.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// style is how a word stands out, as a parameter of the escape sequence SGR. These are
// of the terminal's own 16 colours, and of them the ones that can be read on light and on
// dark; nothing is said by colour alone.
type style string

const (
	bold   style = "1"
	dim    style = "2"
	bad    style = "31"
	good   style = "32"
	accent style = "35"
)

// paint returns text in a style, where the screen has colours.
func (s *screen) paint(how style, text string) string {
	if !s.colours || how == "" || text == "" {
		return text
	}
	return "\x1b[" + string(how) + "m" + text + "\x1b[0m"
}

// clean returns a text of somebody else's as it may stand between our own: lines of
// printable characters, without escape sequences or what turns round its neighbours. The
// joiners stay, which Persian and emoji need.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

var ourStyles = regexp.MustCompile("\x1b\\[(0|1|2|31|32|35)m")

// harmless returns what a terminal may be sent: clean text, and our styles if it has
// colours.
func (s *screen) harmless(text string) string {
	if !s.colours {
		return clean(text)
	}
	var b strings.Builder
	end := 0
	for _, at := range ourStyles.FindAllStringIndex(text, -1) {
		b.WriteString(clean(text[end:at[0]]) + text[at[0]:at[1]])
		end = at[1]
	}
	return b.String() + clean(text[end:])
}

// cells counts the columns that a text takes: none for combining marks, two for wide
// letters and emoji. Styles take none.
func cells(s string) int { return displaywidth.Options{ControlSequences: true}.String(s) }

// fit shortens a text to a number of columns.
func fit(s string, columns int) string {
	return displaywidth.Options{ControlSequences: true}.TruncateString(s, columns, "…")
}

// pad fills a text up to a number of columns.
func pad(s string, columns int) string { return s + strings.Repeat(" ", max(columns-cells(s), 0)) }

// narrowest is how far a column of a table is shortened.
const narrowest = 8

// table prints rows in columns, the first row as their heads. On a terminal a row takes
// one line: the widest columns are shortened.
func (s *screen) table(rows [][]string) error {
	var wide []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], cells(cell))
		}
	}
	if room := s.width(); room != unlimited {
		for sum(wide)+2*(len(wide)-1) > room {
			widest := 0
			for i := range wide {
				if wide[i] > wide[widest] {
					widest = i
				}
			}
			if wide[widest] <= narrowest {
				break
			}
			wide[widest]--
		}
	}
	var b strings.Builder
	for n, row := range rows {
		line := ""
		for i, cell := range row {
			cell = strings.ReplaceAll(cell, "\n", " ")
			if s.terminal != nil {
				cell = fit(cell, wide[i])
			}
			if n == 0 && !strings.HasPrefix(cell, "\x1b") {
				cell = s.paint(bold, cell)
			}
			line += pad(cell, wide[i]) + "  "
		}
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
	}
	_, err := io.WriteString(s, b.String())
	return err
}

func sum(all []int) (n int) {
	for _, x := range all {
		n += x
	}
	return n
}
