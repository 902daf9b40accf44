// Package extractive answers without a model: it picks the sentences, list items and
// table rows of the given passages that answer the question, and quotes them word for
// word, each with the mark of its passage; headings above them, the headers of tables and
// code have none. When nothing answers, it says so. It needs no
// key and no network, so it is what remains when every model is out of reach. Who asks for
// a person gets the line with which models ask for one.
//
// Its one idea is coverage: which share of what the question asks for, weighted by how
// rare each word is in the passages, is found in a unit of text and in the headings above
// it. A word that stands nowhere in the passages still counts in full, which is how an
// unanswerable question is told from an answerable one. How much coverage counts beside what
// the search found, and the form that is asked for, is learned. Start with Provider.Stream;
// unit.go cuts passages, question.go reads the question, rate.go compares the two, score.go
// says how likely a quotation answers, pick.go decides.
package extractive

import (
	"context"
	"iter"
	"strings"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
	"github.com/answerable/answerable/internal/llm"
)

// Name is the provider's name in plans and records.
const Name = "extractive"

// Provider quotes passages. The zero value is ready; it may be used by many goroutines.
type Provider struct{}

// New returns the extractive provider.
func New() llm.Provider { return Provider{} }

func (Provider) Name() string { return Name }

// wordsPerChunk is how many words are sent at once: enough to be cheap, few enough that
// the answer is seen to come.
const wordsPerChunk = 4

// Stream yields the answer without delay. It ends with Stop after quotations or a
// pleasantry, and with Refusal after the line that says that nothing was found, which it
// leaves out for who is Quiet. The
// usage counts what was read and written; it costs nothing. The only error is the
// context's.
func (Provider) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		text, finish := answer(req)
		usage := chat.Usage{Input: lang.Tokens(string(req.Question)), Output: lang.Tokens(text)}
		for _, p := range req.Passages {
			usage.Input += p.Tokens
		}
		for text != "" {
			if err := ctx.Err(); err != nil {
				yield(llm.Chunk{}, err)
				return
			}
			n := wordsEnd(text, wordsPerChunk)
			if !yield(llm.Chunk{Text: text[:n]}, nil) {
				return
			}
			text = text[n:]
		}
		if err := ctx.Err(); err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		yield(llm.Chunk{Finish: finish, Usage: &usage}, nil)
	}
}

// answer returns the whole reply to req.
func answer(req llm.Request) (string, llm.Finish) {
	if req.Language == "" {
		req.Language = lang.Language(string(req.Question))
	}
	lines := linesOf(req.Language)
	if line, ok := pleasantry(string(req.Question), lines); ok && req.Said == "" {
		return line, llm.Stop
	}
	wish := readWish(string(req.Question))
	if wish == person && req.Handover != "" && req.Said == "" {
		return req.Handover, llm.Stop
	}
	// What customers are told for a time stands first, where it answers the question; what
	// the documents answer is what they would without it.
	n := notices(req.Passages)
	documents := cutPassages(req.Passages[n:], req.Language)
	documents.before = n
	text := chosen(cutPassages(req.Passages[:n], req.Language), req)
	if more := chosen(documents, req); text == "" {
		text = more
	} else if more != "" {
		text += "\n\n" + strings.TrimLeft(more, " \n")
	}
	switch {
	case text != "":
		return text, llm.Stop
	case req.Said != "":
		return "", llm.Stop // all there is to say was said
	case wish == somebody && req.Handover != "":
		return req.Handover, llm.Stop
	case req.Quiet:
		return "", llm.Refusal
	}
	return lines.nothing, llm.Refusal
}

// notices returns how many of the passages, which begin with them, are notices.
func notices(passages []chat.Passage) int {
	n := 0
	for n < len(passages) && strings.HasPrefix(passages[n].Document, chat.NoticeDocument) {
		n++
	}
	return n
}

// chosen returns what of a library answers the questions of req, or "".
func chosen(library *library, req llm.Request) string {
	var quotes []quote
	for _, readings := range readQuestion(req) {
		for _, q := range readings {
			if found := pick(library, q, quotes); len(found) > 0 {
				quotes = append(quotes, found...)
				break
			}
		}
	}
	return write(library, quotes, string(req.Said))
}

// wordsEnd returns where the n-th word of text and the white space after it end.
func wordsEnd(text string, n int) int {
	i := 0
	for ; n > 0 && i < len(text); n-- {
		for i < len(text) && !space(text[i]) {
			i++
		}
		for i < len(text) && space(text[i]) {
			i++
		}
	}
	return i
}

func space(b byte) bool { return b == ' ' || b == '\n' }

// normal returns s with every run of white space as one space.
func normal(s string) string { return strings.Join(strings.Fields(s), " ") }
