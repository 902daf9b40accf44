package llmtest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// Parse reads a script; name is what its errors begin with, usually the file's name. It
// reports all mistakes together, each with its line and what to write instead.
func Parse(name, text string) (*Script, error) {
	p := parser{script: &Script{name: name}}
	p.begin()
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		p.line = i + 1
		line = strings.TrimSuffix(line, "\r")
		switch {
		case !utf8.ValidString(line):
			p.errorf("this line is not UTF-8; save the file as UTF-8")
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
	case len(p.answer.steps) == 0:
		p.errorf("the answer is empty; write a line of text, or \"finish stop\" for a reply without text")
		return
	case p.ended == "":
		p.add(end{llm.Stop})
	}
	if p.answer.when != nil {
		p.script.matched = append(p.script.matched, p.answer)
	} else {
		p.script.inOrder = append(p.script.inOrder, p.answer)
	}
}

func (p *parser) add(s step) { p.answer.steps = append(p.answer.steps, s) }

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

// directives reads what follows each word that begins a directive.
var directives = map[string]func(p *parser, rest string) error{
	"when": func(p *parser, rest string) error {
		re, err := regexp.Compile(rest)
		if err != nil || rest == "" {
			return fmt.Errorf("%q is no regular expression; write one in Go syntax, such as \"when (?i)refund\"", rest)
		}
		p.answer.when = re
		return nil
	},
	"ttft": func(p *parser, rest string) error {
		if p.sends {
			return errors.New("\"ttft\" must stand before the first text; to wait in the middle write \"delay 1s\"")
		}
		d, err := duration("ttft", rest)
		p.add(wait(d))
		return err
	},
	"itl": func(p *parser, rest string) error {
		d, err := duration("itl", rest)
		p.add(pace(d))
		return err
	},
	"delay": func(p *parser, rest string) error {
		d, err := duration("delay", rest)
		p.add(wait(d))
		return err
	},
	"chunk": func(p *parser, rest string) error {
		s, err := quoted("chunk", rest)
		p.send(s)
		return err
	},
	"repeat": func(p *parser, rest string) error {
		number, rest, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of chunks; write \"repeat 10 \\\"word \\\"\"", number)
		}
		s, err := quoted("repeat "+number, strings.TrimSpace(rest))
		p.send(repeat{n, s})
		return err
	},
	"usage": func(p *parser, rest string) error {
		f := strings.Fields(rest)
		if len(f) == 2 {
			in, err1 := strconv.Atoi(f[0])
			out, err2 := strconv.Atoi(f[1])
			if err1 == nil && err2 == nil && in >= 0 && out >= 0 {
				p.answer.usage = &chat.Usage{Input: in, Output: out}
				return nil
			}
		}
		return fmt.Errorf("%q are no counts of tokens; write \"usage 120 40\" for 120 in and 40 out", rest)
	},
	"finish": func(p *parser, rest string) error {
		all := []llm.Finish{llm.Stop, llm.Length, llm.Refusal, llm.Filtered}
		if !slices.Contains(all, llm.Finish(rest)) {
			return fmt.Errorf("%q is no way to finish; write stop, length, refusal or filtered", rest)
		}
		return p.end("finish", end{llm.Finish(rest)})
	},
	"error": func(p *parser, rest string) error {
		fault, message, _ := strings.Cut(rest, " ")
		if !slices.Contains([]llm.Fault{llm.Elsewhere, llm.Later, llm.Nobody}, llm.Fault(fault)) {
			return fmt.Errorf("%q is no fault; write elsewhere, later or nobody", fault)
		}
		text, err := strconv.Unquote(strings.TrimSpace(message))
		if err != nil {
			return fmt.Errorf("the message must be quoted; write \"error %s \\\"overloaded\\\"\"", fault)
		}
		return p.end("error", fail{llm.Error{Provider: Name, Fault: llm.Fault(fault), Err: errors.New(text)}})
	},
	"cut":   func(p *parser, rest string) error { return p.alone("cut", rest, cut{}) },
	"stall": func(p *parser, rest string) error { return p.alone("stall", rest, stall{}) },
}

// alone takes a directive that nothing may follow on its line.
func (p *parser) alone(word, rest string, s step) error {
	if rest != "" {
		return fmt.Errorf("%q takes nothing after it", word)
	}
	return p.end(word, s)
}

// end takes a directive that ends the answer.
func (p *parser) end(word string, s step) error {
	p.add(s)
	p.ended = word
	return nil
}

func duration(word, s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration; write \"%s 200ms\"", s, word)
	}
	return d, nil
}

// quoted reads a Go string that is sent as one chunk.
func quoted(before, s string) (say, error) {
	text, err := strconv.Unquote(s)
	if err != nil || !utf8.ValidString(text) {
		return say{}, fmt.Errorf("%s is no quoted text of whole code points; write %s \"Hello, \"", s, before)
	}
	return newSay(text, false), checkPlaceholders(text)
}
