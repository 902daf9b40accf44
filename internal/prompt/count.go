package prompt

import (
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer"

	"github.com/answerable/answerable/internal/lang"
)

// Counter counts tokens as a model does. Counting exactly takes 0.7 µs a token, and the
// vocabulary 20 ms once and 7 MB: too much for what nearly always fits. So everything is
// estimated by lang.Tokens, which takes a fiftieth of that, and counted exactly only
// where the error of the estimate decides. The vocabulary is loaded at the first exact
// count, so a server without such models never has it. The zero value estimates for a
// model that is not known. A Counter may be used by many goroutines.
type Counter struct {
	codec  func() tokenizer.Codec // nil: the model's vocabulary is not public
	factor int                    // what lang.Tokens is multiplied by, in percent; 0 is 110
	margin int                    // how far off an estimate may be, in percent; 0 is 30
}

// families are models that count alike, by how their names begin. Where the vocabulary is
// not public, the factor is the vendor's rule of thumb beside the 4 characters of English
// that OpenAI names per token, and the margin covers languages in which they differ more.
var families = []struct {
	prefixes string
	Counter
}{
	{"gpt-4o chatgpt-4o gpt-4.1 gpt-4.5 gpt-5 gpt-oss o1 o3 o4", Counter{o200k, 100, 35}},
	{"gpt-4 gpt-3.5 gpt-35", Counter{cl100k, 110, 120}}, // Greek and Thai cost it twice as much
	// Anthropic names 3.5 characters per token, and up to a third more for recent models.
	{"claude", Counter{nil, 130, 30}},
	// Google names 4 characters per token.
	{"gemini gemma", Counter{nil, 100, 25}},
}

var (
	o200k  = sync.OnceValue(func() tokenizer.Codec { return codec(tokenizer.O200kBase) })
	cl100k = sync.OnceValue(func() tokenizer.Codec { return codec(tokenizer.Cl100kBase) })
)

// codec returns a vocabulary that is compiled in.
func codec(e tokenizer.Encoding) tokenizer.Codec {
	c, err := tokenizer.Get(e)
	if err != nil {
		panic(err)
	}
	return c
}

// CounterOf returns the counter of a model, by its vendor's name for it. A path before
// the name, as resellers have it, does not count, nor that it was fine-tuned.
func CounterOf(model string) Counter {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	name = strings.TrimPrefix(name, "ft:")
	for _, f := range families {
		for p := range strings.FieldsSeq(f.prefixes) {
			if strings.HasPrefix(name, p) {
				return f.Counter
			}
		}
	}
	return Counter{}
}

// Estimate returns about how many tokens text has; the truth lies between Least and Most
// of it.
func (c Counter) Estimate(text string) int {
	return (lang.Tokens(text)*or(c.factor, 110) + 99) / 100
}

// Most returns how many tokens an estimate of n may turn out to be.
func (c Counter) Most(n int) int { return (n*(100+or(c.margin, 30)) + 99) / 100 }

// Least returns how few tokens an estimate of n may turn out to be.
func (c Counter) Least(n int) int { return n * (100 - or(c.margin, 30)) / 100 }

// Exact returns how many tokens text has. It is false where that cannot be known.
func (c Counter) Exact(text string) (int, bool) {
	if c.codec == nil {
		return 0, false
	}
	n, err := c.codec().Count(text)
	return n, err == nil
}

func or(n, usual int) int {
	if n > 0 {
		return n
	}
	return usual
}
