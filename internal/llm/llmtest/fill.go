package llmtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// placeholder matches what stands for something else in a script's text.
var placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}`)

var passageName = regexp.MustCompile(`^passage ([1-9][0-9]{0,3})$`)

// checkPlaceholders reports the first placeholder of text that means nothing.
func checkPlaceholders(text string) error {
	for _, p := range placeholder.FindAllString(text, -1) {
		name := strings.Trim(p, "{}")
		if name != "question" && name != "n" && !passageName.MatchString(name) {
			return fmt.Errorf("%s stands for nothing; write {{question}}, {{passage 1}} or {{n}}", p)
		}
	}
	return nil
}

// fill puts into text what its placeholders stand for in the n-th call.
func fill(text string, q asked, n int64) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := strings.Trim(p, "{}")
		switch m := passageName.FindStringSubmatch(name); {
		case name == "question":
			return q.question
		case name == "n":
			return strconv.FormatInt(n, 10)
		case m != nil:
			i, _ := strconv.Atoi(m[1]) // the pattern lets only digits through
			if text, ok := q.passage(i); ok {
				return text
			}
		}
		return "(no " + name + ")"
	})
}

// firstSentence returns the first line that has a sentence's end, up to that end, or the
// first line with text if none has.
func firstSentence(text string) string {
	var first string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if end := sentenceEnd.FindStringIndex(line); end != nil {
			return line[:end[0]+1]
		}
		if first == "" {
			first = line
		}
	}
	return first
}

var sentenceEnd = regexp.MustCompile(`[.!?](\s|$)`)

// passageOf finds the first sentence of the n-th passage in a prompt: what stands behind
// a line that begins with [n], or with "n." if there is none. Marks of Markdown before
// the number are skipped.
func passageOf(prompt string, n int) (string, bool) {
	for _, number := range []func(line string) (int, string){bracketed, dotted} {
		var block strings.Builder
		inside := false
		for line := range strings.Lines(prompt) {
			if i, rest := number(strings.TrimLeft(line, "#>*- \t")); i > 0 {
				if inside {
					break
				}
				inside, line = i == n, rest
			}
			if inside {
				block.WriteString(line)
			}
		}
		if s := firstSentence(block.String()); s != "" {
			return s, true
		}
	}
	return "", false
}

// bracketed reads the number of a line that begins with [n]; 0: it does not.
func bracketed(line string) (n int, rest string) {
	line, ok := strings.CutPrefix(line, "[")
	if !ok {
		return 0, ""
	}
	number, rest, ok := strings.Cut(line, "]")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return 0, ""
	}
	return n, strings.TrimLeft(rest, "*: ")
}

// dotted reads the number of a line that begins with "n. "; 0: it does not.
func dotted(line string) (n int, rest string) {
	number, rest, ok := strings.Cut(line, ".")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || rest != "" && strings.TrimLeft(rest, " \t\r\n") == rest {
		return 0, ""
	}
	return n, rest
}
