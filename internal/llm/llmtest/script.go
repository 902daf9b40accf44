// Package llmtest gives the scripted provider: a model that says what a text file tells
// it to, at the pace and with the failures that the file asks for. The real binary takes
// it with --fake-provider.
//
// A [Script] is read by [Parse] from a file, or by [ParseSpec] from one line of
// settings. It is given in two forms, for many callers at once: [Script.Provider] is an
// [llm.Provider] in process, [Script.Handler] is a vendor's API over HTTP. A script holds
// answers, separated by lines of three dashes:
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
// Each call takes one answer. The first answer whose "when REGEXP" matches the question is
// used, as often as it matches. A call that none of them matches takes the next answer
// without "when": the first such call the first of them, the second the second, and from
// then on the last. Calls are counted when they are made, and each Provider and Handler has
// a count of its own, so concurrent calls get each answer exactly once, in the order in
// which they asked. If all answers have a "when" and none matches, the call fails with
// [llm.Nobody].
//
// # What an answer does
//
// Lines are carried out from top to bottom. A line that begins with one of these words,
// at the very start of the line, is a directive:
//
//	when REGEXP           the questions that this answer is for (Go syntax); first line only
//	slow DURATION         wait before the reply begins; before the first text only
//	ttft DURATION         wait before anything is sent; before the first text only
//	itl DURATION          from here on, wait between one chunk and the next
//	delay DURATION        wait here, in addition
//	text WORDS            a line of text, also where WORDS look like a directive
//	chunk "TEXT"          exactly one chunk, quoted as in Go
//	repeat N "TEXT"       N such chunks
//	think "TEXT"          thinking, word by word
//	call NAME {JSON}      a call of a tool
//	usage IN OUT [CACHED] the tokens to report; otherwise they are estimated
//	finish REASON         end with stop (the default), length, refusal, filtered or calls
//	refuse "TEXT"         end with a refusal in these words
//
// These end it badly. Over HTTP each does what a vendor or a network does, in process it
// is the [llm.Error] that comes nearest:
//
//	status CODE […]       the vendor's answer to a call that it refuses; before the first text
//	html                  a web page in place of an answer; before the first text
//	error FAULT "MESSAGE" a failure with this [llm.Fault]
//	late-error "MESSAGE"  a failure in the middle of a reply
//	cut                   the end without a finish; no error
//	reset                 the connection is reset
//	half                  the connection ends inside a code point
//	nonsense              lines that are no part of the format
//	giant                 a chunk of ten megabytes
//	stall                 nothing more until the caller leaves
//
// Nothing but usage may follow what ends an answer. The file docs/scripted-provider.md
// has all the details. If the first line of the script is "over openai", "over anthropic"
// or "over gemini", [Script.Over] says so.
//
// Any other line is text. Its words are sent one per chunk, each with the spaces that
// follow it, the first with those before it. Between two lines of text there is a newline,
// part of the chunk before it; blank lines between two lines of text are kept, all other
// blank lines are layout. So Markdown can be written as it is.
//
// In text, chunk, repeat and think, {{question}} stands for the question, {{passage N}} for
// the first sentence of the N-th passage from 1, and {{n}} for the number of the call, from
// 1.
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
	over    string   // "" or the name of a format
	matched []answer // those with a when, in the order of the file
	inOrder []answer // those without
}

// Over returns the format that the script asks to be spoken over HTTP, "openai",
// "anthropic" or "gemini", or "" if it does not say.
func (s *Script) Over() string { return s.over }

// answer is what one call does.
type answer struct {
	when    *regexp.Regexp // nil: for any question
	slow    time.Duration  // before the reply begins
	refused bool           // no reply begins: the fault comes in its place
	steps   []step         // the last one is an end or a fault
	usage   *chat.Usage    // nil: estimated
}

// A step is one thing that a call does, in order.
type step interface{ isStep() }

type (
	// say sends chunks. With fill set they are made from text when the call is made.
	say struct {
		chunks   []string
		text     string
		words    bool // text is cut into words, otherwise it is one chunk
		fill     bool // text has placeholders
		thinking bool // the chunks are not part of the reply
	}
	repeat struct {
		times int
		say   say
	}
	// ask calls a tool.
	ask struct {
		name      string
		arguments string // a JSON object, or ""
	}
	wait time.Duration // here
	pace time.Duration // from here on, between two chunks
	end  struct {
		finish   llm.Finish
		declined string // of a refusal
	}
	fault struct {
		kind    faultKind
		status  *status       // of refused
		after   time.Duration // of refused: when to come again; 0: it does not say
		message string        // in the vendor's answer; "": the usual one
		err     llm.Error     // in process
	}
)

// faultKind is what goes wrong over HTTP.
type faultKind string

const (
	refused   faultKind = "status"
	html      faultKind = "html"
	failing   faultKind = "error"
	lateError faultKind = "late-error"
	cut       faultKind = "cut"
	reset     faultKind = "reset"
	half      faultKind = "half"
	nonsense  faultKind = "nonsense"
	giant     faultKind = "giant"
	stall     faultKind = "stall"
)

func (say) isStep()    {}
func (repeat) isStep() {}
func (ask) isStep()    {}
func (wait) isStep()   {}
func (pace) isStep()   {}
func (end) isStep()    {}
func (*fault) isStep() {}

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
