package llm

import (
	"context"
	"fmt"
	"sync"

	"github.com/answerable/answerable/internal/chat"
)

// TurnLimit is the Budget of one turn: so many calls, and so many tokens that they take and
// give together. A call counts when it is reserved, in tokens as its worst case until it is
// settled.
type TurnLimit struct {
	calls, tokens int // 0: no limit

	mu       sync.Mutex
	made     int
	taken    int
	reserved map[string]int // tokens by the ID of the Spend, part of taken
}

// NewTurnLimit returns a limit of calls and tokens, 0 for none. Used are the attempts that
// the turn has paid for already, in earlier lives.
func NewTurnLimit(calls, tokens int, used ...chat.Attempt) *TurnLimit {
	l := &TurnLimit{calls: calls, tokens: tokens, made: len(used), reserved: map[string]int{}}
	for _, a := range used {
		l.taken += a.Usage.Input + a.Usage.Output
	}
	return l
}

func (l *TurnLimit) Reserve(_ context.Context, s Spend) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	need := s.Input + s.Output
	switch {
	case l.calls > 0 && l.made >= l.calls:
		return fmt.Errorf("the turn has made the %d calls that it may make", l.calls)
	case l.tokens > 0 && l.taken+need > l.tokens:
		return fmt.Errorf("the turn may take %d tokens and has %d left, but the call may need %d", l.tokens, max(0, l.tokens-l.taken), need)
	}
	l.made++
	l.taken += need
	l.reserved[s.ID] = need
	return nil
}

func (l *TurnLimit) Settle(_ context.Context, s Spend, used chat.Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	need, ok := l.reserved[s.ID]
	if !ok {
		return // settled before, or not reserved here
	}
	delete(l.reserved, s.ID)
	l.taken += used.Input + used.Output - need
}
