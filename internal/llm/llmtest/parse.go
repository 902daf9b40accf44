package llmtest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/llm"
)

// Parse reads a script; name is what its errors begin with, usually the file's name. It
// reports all mistakes together, each with its line and what to write instead.
func Parse(name, text string) (*Script, error) {
	p := parser{script: &Script{name: name}}
	p.begin()
	first := true // no line but blank ones was read
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		p.line = i + 1
		line = strings.TrimSuffix(line, "\r")
		isFirst := first
		first = first && strings.TrimSpace(line) == ""
		switch {
		case !utf8.ValidString(line):
			p.errorf("this line is not UTF-8; save the file as UTF-8")
		case isOver(line, isFirst):
			p.readOver(line, isFirst)
		case strings.TrimRight(line, " \t") == "---":
			p.close()
			p.begin()
		default:
			p.read(line)
		}
	}
	p.close()
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.script, nil
}

// parser reads a script line by line.
type parser struct {
	script *Script
	line   int // from 1
	errs   []error

	// The answer that is being read:
	answer answer
	lines  int    // of it, without blank ones
	sends  bool   // one of them sends something
	calls  bool   // one of them calls a tool
	ended  string // the directive that ended it, or ""
	bad    bool   // it has a mistake
	// The last line of text is the step text-1; a further one would come after blanks
	// blank lines. 0 if a chunk was sent since.
	text, blanks int
}

func (p *parser) errorf(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %w", p.script.name, p.line, fmt.Errorf(format, args...)))
	p.bad = true
}

func (p *parser) begin() {
	*p = parser{script: p.script, line: p.line, errs: p.errs}
}

// close ends the answer that is being read and adds it to the script.
func (p *parser) close() {
	switch {
	case p.bad:
		return
	case len(p.answer.steps) == 0 && p.answer.slow == 0:
		p.errorf("the answer is empty; write a line of text, or \"finish stop\" for a reply without text")
		return
	case p.ended == "" && p.calls:
		p.add(end{finish: llm.Calls})
	case p.ended == "":
		p.add(end{finish: llm.Stop})
	}
	if f, ok := p.answer.steps[len(p.answer.steps)-1].(*fault); ok && !p.sends {
		p.answer.refused = f.kind == refused || f.kind == html || f.kind == failing
	}
	if p.answer.when != nil {
		p.script.matched = append(p.script.matched, p.answer)
	} else {
		p.script.inOrder = append(p.script.inOrder, p.answer)
	}
}

func (p *parser) add(s step) { p.answer.steps = append(p.answer.steps, s) }

// isOver reports whether a line says which format is spoken. Further down, where it may be
// text, only one that could not be meant otherwise does.
func isOver(line string, first bool) bool {
	format, ok := strings.CutPrefix(line, "over ")
	return ok && (first || checkFormat(strings.TrimSpace(format)) == nil)
}

func (p *parser) readOver(line string, first bool) {
	if !first {
		p.errorf("\"over\" must be the first line of the script; if this is text, write \"text %s\"", line)
		return
	}
	p.script.over = strings.TrimSpace(strings.TrimPrefix(line, "over "))
	if err := checkFormat(p.script.over); err != nil {
		p.errorf("%w; if this is text, write \"text %s\"", err, line)
	}
}

// read takes one line of an answer.
func (p *parser) read(line string) {
	if strings.TrimSpace(line) == "" {
		p.blanks++
		return
	}
	p.lines++
	word, rest, _ := strings.Cut(line, " ")
	directive, ok := directives[word]
	switch {
	case p.ended != "" && word != "usage":
		p.errorf("nothing can follow %q; begin the next answer with ---", p.ended)
		return
	case word == "text":
		p.readText(rest)
		return
	case !ok:
		p.readText(line)
		return
	case word == "when" && p.lines > 1:
		p.errorf("\"when\" must be the first line of its answer; put --- before it, or write \"text %s\"", line)
		return
	}
	if err := directive(p, strings.TrimSpace(rest)); err != nil {
		p.errorf("%w; if this is text, write \"text %s\"", err, line)
	}
	p.blanks = 0
}

// readText takes a line of text. The line before it, if there is one, gets its newline.
func (p *parser) readText(line string) {
	if err := checkPlaceholders(line); err != nil {
		p.errorf("%w", err)
	}
	if p.text > 0 {
		before := p.answer.steps[p.text-1].(say)
		p.answer.steps[p.text-1] = newSay(before.text+strings.Repeat("\n", 1+p.blanks), true)
	}
	p.add(newSay(line, true))
	p.text, p.blanks, p.sends = len(p.answer.steps), 0, true
}

// send takes a step that sends chunks as they are written.
func (p *parser) send(s step) {
	p.add(s)
	p.text, p.sends = 0, true
}
