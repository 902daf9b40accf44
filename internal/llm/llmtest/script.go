// Package llmtest gives the scripted provider: an [llm.Provider] that says what a text
// file tells it to, at the pace and with the failures that the file asks for. The real
// binary takes it with --fake-provider, tests take it in process.
//
// A [Script] is read by [Parse] from a file, or by [ParseSpec] from one line of
// settings; its Provider may then be asked by many goroutines. A script holds answers,
// separated by lines of three dashes:
//
//	when (?i)return
//	ttft 200ms
//	itl 20ms
//	{{passage 1}} [1]
//	Is there anything else?
//	---
//	The first words,
//	cut
//	---
//	error elsewhere "overloaded"
//
// # Which answer
//
// Each call of the provider takes one answer. The first answer whose "when REGEXP"
// matches the question is used, as often as it matches. A call that none of them matches
// takes the next answer without "when": the first such call the first of them, the
// second the second, and from then on the last. Calls are counted when Stream is called,
// and each provider has a count of its own, so concurrent calls get each answer exactly
// once, in the order in which they asked. If all answers have a "when" and none matches,
// the call fails with [llm.Nobody].
//
// # What an answer does
//
// Lines are carried out from top to bottom. A line that begins with one of these words,
// at the very start of the line, is a directive:
//
//	when REGEXP           the questions that this answer is for (Go syntax); first line only
//	ttft DURATION         wait before anything is sent; before the first text only
//	itl DURATION          from here on, wait between one chunk and the next
//	delay DURATION        wait here, in addition
//	text WORDS            a line of text, also where WORDS look like a directive
//	chunk "TEXT"          exactly one chunk, quoted as in Go
//	repeat N "TEXT"       N such chunks
//	usage IN OUT          the tokens to report; otherwise they are estimated
//	finish REASON         end with stop (the default), length, refusal or filtered
//	error FAULT "MESSAGE" end with an [llm.Error]; FAULT is elsewhere, later or nobody
//	cut                   end without a finish, as a broken connection does
//	stall                 send nothing more until the context ends
//
// finish, error, cut and stall end the answer, so nothing but usage may follow them.
//
// Any other line is text. Its words are sent one per chunk, each with the spaces that
// follow it, the first with those before it. Between two lines of text there is a newline,
// part of the chunk before it; blank lines between two lines of text are kept, all other
// blank lines are layout. So Markdown can be written as it is.
//
// In text, chunk and repeat, {{question}} stands for the question, {{passage N}} for the
// first sentence of the N-th passage from 1, and {{n}} for the number of the call, from 1.
package llmtest

import (
	"regexp"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// Script is what a scripted provider answers. It does not change once it was read.
type Script struct {
	name    string
	matched []answer // those with a when, in the order of the file
	inOrder []answer // those without
}

// answer is what one call does.
type answer struct {
	when  *regexp.Regexp // nil: for any question
	steps []step         // the last one is an end
	usage *chat.Usage    // nil: estimated
}

// A step is one thing that a call does, in order.
type step interface{ isStep() }

type (
	// say sends chunks. With fill set they are made from text when the call is made.
	say struct {
		chunks []string
		text   string
		words  bool // text is cut into words, otherwise it is one chunk
		fill   bool // text has placeholders
	}
	repeat struct {
		times int
		say   say
	}
	wait  time.Duration // here
	pace  time.Duration // from here on, between two chunks
	fail  struct{ err llm.Error }
	cut   struct{}
	stall struct{}
	end   struct{ finish llm.Finish }
)

func (say) isStep()    {}
func (repeat) isStep() {}
func (wait) isStep()   {}
func (pace) isStep()   {}
func (fail) isStep()   {}
func (cut) isStep()    {}
func (stall) isStep()  {}
func (end) isStep()    {}

// newSay returns the step that sends text, as one chunk or word by word.
func newSay(text string, words bool) say {
	s := say{text: text, words: words, fill: placeholder.MatchString(text)}
	if !s.fill {
		s.chunks = s.cut(text)
	}
	return s
}

func (s say) cut(text string) []string {
	if s.words {
		return words(text)
	}
	return []string{text}
}

// words cuts text after the white space that follows each word. Nothing is lost: the
// pieces joined are the text.
func words(text string) []string {
	var pieces []string
	start, seen, gap := 0, false, false
	for i, r := range text {
		space := r == ' ' || r == '\t' || r == '\n'
		if gap && !space {
			pieces = append(pieces, text[start:i])
			start, gap = i, false
		}
		seen = seen || !space
		gap = seen && space
	}
	if start < len(text) {
		pieces = append(pieces, text[start:])
	}
	return pieces
}
