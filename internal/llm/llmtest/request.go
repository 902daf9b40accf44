package llmtest

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// request is what a client asked for over HTTP, in whichever format.
type request struct {
	model        string
	stream       bool
	includeUsage bool // OpenAI: the stream ends with its usage
	sse          bool // Gemini: the stream is server-sent events
	question     string
	rest         []string // what else was said, oldest first
	points       int      // code points of all that was said
}

// entry is what messages of OpenAI and Anthropic have in common.
type entry struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// add takes what was said next. The question is what the user said last, in text.
func (r *request) add(user bool, content json.RawMessage) {
	text := textOf(content)
	if text == "" {
		return
	}
	r.points += utf8.RuneCountInString(text)
	if user {
		text, r.question = r.question, text
	}
	r.rest = append(r.rest, text)
}

// textOf returns the text of content: a string, or a list of parts of which some have text.
func textOf(content json.RawMessage) string {
	if len(content) == 0 {
		return ""
	}
	if content[0] == '"' {
		var s string
		if json.Unmarshal(content, &s) != nil {
			return ""
		}
		return s
	}
	var list []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &list) != nil {
		return ""
	}
	var b strings.Builder
	for _, p := range list {
		if b.Len() > 0 && p.Text != "" {
			b.WriteByte('\n')
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// asked returns what an answer is made from. Passages are looked for in the question and
// then in what was said before, last first.
func (r *request) asked() asked {
	return asked{
		question: customers(r.question),
		passage: func(n int) (string, bool) {
			for _, text := range slices.Backward(append(r.rest, r.question)) {
				if s, ok := passageOf(text, n); ok {
					return s, true
				}
			}
			return "", false
		},
		tokens: tokens(r.points),
	}
}

// customers returns what stands between the last <customer …> and </customer …>, or all
// of a text that has none.
func customers(text string) string {
	_, inside, ok := cutLast(text, "<customer")
	if !ok {
		return text
	}
	_, inside, ok = strings.Cut(inside, ">")
	inside, _, closed := cutLast(inside, "</customer")
	if !ok || !closed {
		return text
	}
	return strings.TrimSpace(inside)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
