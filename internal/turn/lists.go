package turn

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/guard"
	"github.com/answerable/answerable/internal/lang"
	"github.com/answerable/answerable/internal/prompt"
)

// The names of checks that look for phrases.
const (
	checkLeak   = "prompt leak" // the model tells its instructions
	checkUnsure = "unsure"      // the model asks for a person to take over
)

// lists has the phrases that the gate looks for. They are made of the rules, which rarely
// change, and making them takes longer than an answer.
type lists struct {
	mu        sync.Mutex
	forbidden []string
	lines     []Line
	canary    string
	made      guard.Forbidden
}

// of returns the phrases for a turn's rules.
func (l *lists) of(r Rules) (guard.Forbidden, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != (guard.Forbidden{}) && l.canary == r.Canary && slices.Equal(l.forbidden, r.Forbidden) && slices.Equal(l.lines, r.Lines) {
		return l.made, nil
	}
	all := []guard.List{{Check: guard.Forbidden{}.Name(), Phrases: r.Forbidden}, {Check: checkUnsure, Phrases: promises(r.Lines), Ends: true}}
	if r.Canary != "" {
		all = append(all, guard.List{Check: checkLeak, Phrases: append(prompt.LeakPhrases(), prompt.CanaryPhrases(r.Canary)...)})
	}
	f, err := guard.NewLists(all...)
	if err != nil {
		return f, fmt.Errorf("read the forbidden phrases: %w", err)
	}
	l.forbidden, l.lines, l.canary, l.made = r.Forbidden, r.Lines, r.Canary, f
	return f, nil
}

// promises are the ways in which a model says that a person will take over: of our lines
// the last sentence, as the first promises nothing; of the assistant's own ones each
// sentence that is more than a turn of phrase, as nobody knows which of them does, or the
// whole line where none is.
func promises(own []Line) []string {
	var all []string
	for _, line := range prompt.UnsureLines() {
		for _, s := range lang.Sentences(line)[1:] {
			all = append(all, strings.TrimRight(line[s.Start:s.End], ".。 "))
		}
	}
	for _, l := range own {
		long := 0
		for _, s := range lang.Sentences(l.Handover) {
			if sentence := l.Handover[s.Start:s.End]; len(strings.Fields(sentence)) >= shortPromise {
				all = append(all, strings.TrimRight(sentence, ".! "))
				long++
			}
		}
		if long == 0 && l.Handover != "" {
			all = append(all, l.Handover)
		}
	}
	return all
}

// shortPromise is the number of words from which a sentence of a line is taken for its
// promise: "Thank you!" is said in many answers.
const shortPromise = 4

// promise returns the line that tells that a person takes over, or only its end where the
// beginning was shown: alone it promises nothing.
func (r Rules) promise(language string, shown chat.Text) string {
	text := strings.TrimSpace(string(shown))
	lines := prompt.UnsureLines()
	for _, l := range r.Lines {
		lines = append(lines, l.Handover)
	}
	for _, line := range lines {
		sentences := lang.Sentences(line)
		if len(sentences) < 2 {
			continue
		}
		if first := line[:sentences[0].End]; strings.HasSuffix(text, strings.TrimSpace(first)) {
			return line[len(first):]
		}
	}
	return r.say(language, ownHandover, lineUnsure)
}
