package llmtest

import (
	"encoding/json"
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
	"slow": func(p *parser, rest string) error {
		if p.sends {
			return errors.New("\"slow\" must stand before the first text; to wait in the middle write \"delay 1s\"")
		}
		var err error
		p.answer.slow, err = duration("slow", rest)
		return err
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
	"think": func(p *parser, rest string) error {
		s, err := quoted("think", rest)
		s = newSay(s.text, true)
		s.thinking = true
		p.send(s)
		return err
	},
	"call": func(p *parser, rest string) error {
		name, arguments := cutWord(rest)
		if !toolName.MatchString(name) {
			return fmt.Errorf("%q is no name of a tool; write \"call order {\\\"id\\\": 7}\"", name)
		}
		if arguments != "" && (arguments[0] != '{' || !json.Valid([]byte(arguments))) {
			return fmt.Errorf("%s is no JSON object; write call %s {\"id\": 7}, or nothing after the name", arguments, name)
		}
		p.send(ask{name, arguments})
		p.calls = true
		return nil
	},
	"usage": func(p *parser, rest string) error {
		var n []int
		for f := range strings.FieldsSeq(rest) {
			if i, err := strconv.Atoi(f); err == nil && i >= 0 {
				n = append(n, i)
			}
		}
		if fields := len(strings.Fields(rest)); len(n) != fields || fields != 2 && fields != 3 {
			return fmt.Errorf("%q are no counts of tokens; write \"usage 120 40\" for 120 in and 40 out", rest)
		}
		p.answer.usage = &chat.Usage{Input: n[0], Output: n[1]}
		if len(n) == 3 {
			if n[2] > n[0] {
				return fmt.Errorf("%d tokens of %d cannot be cached; write \"usage 120 40 100\" for 100 of 120", n[2], n[0])
			}
			p.answer.usage.Cached = n[2]
		}
		return nil
	},
	"finish": func(p *parser, rest string) error {
		all := []llm.Finish{llm.Stop, llm.Length, llm.Refusal, llm.Filtered, llm.Calls}
		if !slices.Contains(all, llm.Finish(rest)) {
			return fmt.Errorf("%q is no way to finish; write stop, length, refusal, filtered or calls", rest)
		}
		return p.end("finish", end{finish: llm.Finish(rest)})
	},
	"refuse": func(p *parser, rest string) error {
		text, err := message("refuse", rest)
		if err != nil {
			return err
		}
		return p.end("refuse", end{finish: llm.Refusal, declined: text})
	},
	"status": func(p *parser, rest string) error {
		if p.sends {
			return errors.New("\"status\" must stand before the first text; to fail in the middle write late-error \"overloaded\"")
		}
		f, err := readStatus(rest)
		if err != nil {
			return err
		}
		return p.end("status", f)
	},
	"error": func(p *parser, rest string) error {
		f, rest := cutWord(rest)
		all := []llm.Fault{llm.Elsewhere, llm.Later, llm.Broken, llm.TooLong, llm.Nobody}
		if !slices.Contains(all, llm.Fault(f)) {
			return fmt.Errorf("%q is no fault; write elsewhere, later, broken, too_long or nobody", f)
		}
		text, err := message("error "+f, rest)
		if err != nil {
			return err
		}
		return p.end("error", failure(failing, llm.Fault(f), text))
	},
	"late-error": func(p *parser, rest string) error {
		text, err := message("late-error", rest)
		if err != nil {
			return err
		}
		return p.end("late-error", failure(lateError, llm.Later, text))
	},
	"html": func(p *parser, rest string) error {
		if p.sends {
			return errors.New("\"html\" must stand before the first text")
		}
		return p.alone(html, rest)
	},
	"cut":      func(p *parser, rest string) error { return p.alone(cut, rest) },
	"reset":    func(p *parser, rest string) error { return p.alone(reset, rest) },
	"half":     func(p *parser, rest string) error { return p.alone(half, rest) },
	"nonsense": func(p *parser, rest string) error { return p.alone(nonsense, rest) },
	"giant":    func(p *parser, rest string) error { return p.alone(giant, rest) },
	"stall":    func(p *parser, rest string) error { return p.alone(stall, rest) },
}

// inProcess says what the faults that have no message are in process: what the providers
// make of them.
var inProcess = map[faultKind]llm.Error{
	html:     {Fault: llm.Elsewhere, Err: errors.New("a web page came in place of an answer")},
	reset:    {Fault: llm.Later, Err: errors.New("the connection was reset")},
	half:     {Fault: llm.Later, Err: fmt.Errorf("in the middle of a code point: %w", llm.ErrTruncated)},
	nonsense: {Fault: llm.Later, Err: errors.New("a line came that is no part of the format")},
	giant:    {Fault: llm.Elsewhere, Err: errors.New("a line of 10 MB came")},
}

// toolName matches what all vendors accept.
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// alone takes a fault that nothing may follow on its line.
func (p *parser) alone(k faultKind, rest string) error {
	if rest != "" {
		return fmt.Errorf("%q takes nothing after it", k)
	}
	f := &fault{kind: k, err: inProcess[k]}
	f.err.Provider = Name
	return p.end(string(k), f)
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

// message reads a quoted text that is not empty.
func message(before, s string) (string, error) {
	text, err := strconv.Unquote(s)
	if err != nil || text == "" || !utf8.ValidString(text) {
		return "", fmt.Errorf("the message must be quoted; write \"%s \\\"overloaded\\\"\"", before)
	}
	return text, nil
}
