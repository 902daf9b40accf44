package main

import (
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// readable is the most columns that lines of prose take: longer ones are hard to follow.
const readable = 100

// prose breaks text between words to fit the terminal, as the text comes. Call end.
type prose struct {
	s        *screen
	indent   string // of every line
	how      style  // or ""
	column   int    // where the next word begins; 0: at the start of a line
	space    int    // before it
	word     string
	anywhere bool // the word may begin a line though no space is before it
	begun    bool // somebody else wrote up to the indent
}

// write takes the next piece of the text, which is clean.
func (p *prose) write(text string) {
	g := displaywidth.StringGraphemes(text)
	for g.Next() {
		switch c := g.Value(); {
		case c == "\n":
			p.flush()
			io.WriteString(p.s, "\n")
			p.column, p.space = 0, 0
		case c == " ":
			p.flush()
			p.space++
		case g.Width() > 1 && !closes(c): // Chinese and Japanese break anywhere, but not before a full stop
			p.flush()
			p.word, p.anywhere = c, true
		default:
			p.word += c
		}
	}
}

// closes reports whether a line must not begin with c.
func closes(c string) bool {
	return strings.ContainsAny(c, "、。，．：；？！」』）】》〉〕ー々")
}

// follow is write for the rest of a line that has begun, as far as the indent.
func (p *prose) follow(text string) {
	p.begun = true
	p.write(text)
}

// flush writes what was held back. What follows without a space stays on the line.
func (p *prose) flush() {
	if p.word == "" {
		return
	}
	wide, room := cells(p.word), p.s.width()
	if room != unlimited {
		room = min(room-1, readable)
		if p.column > 0 && (p.space > 0 || p.anywhere) && len(p.indent)+p.column+p.space+wide > room {
			io.WriteString(p.s, "\n")
			p.column, p.space = 0, 0
		}
	}
	before := strings.Repeat(" ", p.space)
	if p.column == 0 && !p.begun {
		before = p.indent + before
	}
	p.begun = false
	io.WriteString(p.s, before+p.s.paint(p.how, p.word))
	p.column += p.space + wide
	p.space, p.word, p.anywhere = 0, "", false
}

// end writes what was held back, and ends the line.
func (p *prose) end() {
	p.flush()
	if p.column > 0 || p.begun {
		io.WriteString(p.s, "\n")
	}
	p.column, p.space, p.begun = 0, 0, false
}

// hang prints a label and beside it a text, broken under itself.
func (s *screen) hang(label string, columns int, text string) {
	p := &prose{s: s, indent: strings.Repeat(" ", columns)}
	io.WriteString(s, pad(label, columns))
	p.follow(clean(text))
	p.end()
}

// paragraphs prints a whole text of somebody else's, wrapped and indented.
func (s *screen) paragraphs(indent string, how style, text string) {
	p := &prose{s: s, indent: indent, how: how}
	p.write(clean(text))
	p.end()
}

// reply is the text of an answer as it comes: prose, and on a terminal tables in columns,
// each as soon as it is whole. On a pipe it is as it was written.
type reply struct {
	prose
	inside bool     // of a line
	row    string   // of a table, as far as it came
	rows   []string // of a table, before row
}

// write takes the next piece, which ends with a word.
func (r *reply) write(text string) {
	for text != "" {
		line, rest, ends := strings.Cut(text, "\n")
		if r.s.terminal != nil && (r.row != "" || !r.inside && strings.HasPrefix(line, "|")) {
			r.row += line
			if ends {
				r.rows, r.row = append(r.rows, r.row), ""
			}
		} else {
			r.draw()
			r.prose.write(line)
			if ends {
				r.prose.write("\n")
			}
		}
		r.inside = !ends
		text = rest
	}
	r.flush()
}

// end writes what was held back, and ends the line.
func (r *reply) end() {
	if r.row != "" {
		r.rows, r.row = append(r.rows, r.row), ""
	}
	r.draw()
	r.prose.end()
	r.inside = false
}

// draw prints the rows as a table, if they are one.
func (r *reply) draw() {
	rows := r.rows
	r.rows = nil
	if len(rows) < 2 || strings.Trim(rows[1], "|-: ") != "" {
		for _, row := range rows {
			r.prose.write(row + "\n")
		}
		return
	}
	var table [][]string
	for i, row := range rows {
		if i == 1 {
			continue // the line below the heads
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(row, "| "), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		table = append(table, cells)
	}
	r.s.table(table)
}
