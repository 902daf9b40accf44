package llmtest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// maxTokens bounds what a spec may ask for: more than any model writes in a reply.
const maxTokens = 100_000

// ParseSpec reads a script from one line of settings, all of them optional, such as
//
//	ttft=200ms,itl=20ms,tokens=60
//
// ttft is the wait before the first chunk, itl the wait between two, tokens the number of
// chunks (60 if it is left out; 100,000 at most). Each chunk is a word with its space,
// about five characters, and the words make whole sentences that mean nothing. The same
// spec always gives the same words, for any question. over is the format that Script.Over
// returns: openai, anthropic or gemini.
func ParseSpec(spec string) (*Script, error) {
	var over string
	var ttft, itl time.Duration
	n := 60
	for field := range strings.SplitSeq(spec, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var err error
		switch key {
		case "ttft":
			ttft, err = setting(key, value)
		case "itl":
			itl, err = setting(key, value)
		case "tokens":
			if n, err = strconv.Atoi(value); err != nil || n < 1 || n > maxTokens {
				err = fmt.Errorf("%q is no number of tokens; write tokens=60 (1 to %d)", value, maxTokens)
			}
		case "over":
			over, err = value, checkFormat(value)
		default:
			err = fmt.Errorf("there is no setting %q; write ttft=200ms, itl=20ms or tokens=60, or over=openai, separated by commas", key)
		}
		if err != nil {
			return nil, fmt.Errorf("scripted provider %q: %w", spec, err)
		}
	}
	return &Script{name: spec, over: over, inOrder: []answer{{
		steps: []step{wait(ttft), pace(itl), say{chunks: lorem(n)}, end{finish: llm.Stop}},
	}}}, nil
}

func setting(key, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration; write %s=200ms", value, key)
	}
	return d, nil
}

// lorem returns n words, each with its space, as sentences of 6 to 14 words. The last
// word ends its sentence and has no space.
func lorem(n int) []string {
	vocabulary := strings.Fields("lorem ipsum dolor sit amet elit sed do magna ut labore et enim ad minim " +
		"quis nisi ex ea aute irure in velit esse eu fugiat nulla sint non sunt culpa qui id est vitae ac " +
		"felis donec nec orci porta leo urna arcu mauris")
	random := rand.New(rand.NewPCG(1, 2)) // the same words each time
	chunks := make([]string, n)
	left := 0 // words of this sentence that are still to come
	for i := range chunks {
		w := vocabulary[random.IntN(len(vocabulary))]
		if left == 0 {
			left = 6 + random.IntN(9)
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		left--
		switch {
		case i == n-1:
			w += "."
		case left == 0:
			w += ". "
		default:
			w += " "
		}
		chunks[i] = w
	}
	return chunks
}
