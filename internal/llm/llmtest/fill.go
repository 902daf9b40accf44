package llmtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
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
func fill(text string, req llm.Request, n int64) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := strings.Trim(p, "{}")
		switch m := passageName.FindStringSubmatch(name); {
		case name == "question":
			return string(req.Question)
		case name == "n":
			return strconv.FormatInt(n, 10)
		case m != nil:
			i, _ := strconv.Atoi(m[1]) // the pattern lets only digits through
			if i <= len(req.Passages) {
				return firstSentence(req.Passages[i-1].Text)
			}
		}
		return "(no " + name + ")"
	})
}

// firstSentence returns the first line that has a sentence's end, up to that end, or the
// first line with text if none has.
func firstSentence(text chat.Text) string {
	var first string
	for line := range strings.Lines(string(text)) {
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
