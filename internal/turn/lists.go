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
	canary    string
	made      guard.Forbidden
}

// of returns the phrases for a turn's rules.
func (l *lists) of(r Rules) (guard.Forbidden, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != (guard.Forbidden{}) && l.canary == r.Canary && slices.Equal(l.forbidden, r.Forbidden) {
		return l.made, nil
	}
	all := []guard.List{{Check: guard.Forbidden{}.Name(), Phrases: r.Forbidden}, {Check: checkUnsure, Phrases: promises(), Ends: true}}
	if r.Canary != "" {
		all = append(all, guard.List{Check: checkLeak, Phrases: append(prompt.LeakPhrases(), prompt.CanaryPhrases(r.Canary)...)})
	}
	f, err := guard.NewLists(all...)
	if err != nil {
		return f, fmt.Errorf("read the forbidden phrases: %w", err)
	}
	l.forbidden, l.canary, l.made = r.Forbidden, r.Canary, f
	return f, nil
}

// promises are the ways in which a model says that a person will take over: the last
// sentence of the line that it is told to say. The first promises nothing.
func promises() []string {
	var all []string
	for _, line := range prompt.UnsureLines() {
		for _, s := range lang.Sentences(line)[1:] {
			all = append(all, strings.TrimRight(line[s.Start:s.End], ".。 "))
		}
	}
	return all
}

// promise returns the line that tells that a person takes over, or only its end where the
// beginning was shown: alone it promises nothing.
func promise(language string, shown chat.Text) string {
	text := strings.TrimSpace(string(shown))
	for _, line := range prompt.UnsureLines() {
		first := line[:lang.Sentences(line)[0].End]
		if strings.HasSuffix(text, strings.TrimSpace(first)) {
			return line[len(first):]
		}
	}
	return prompt.Unsure(language)
}
