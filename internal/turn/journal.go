package turn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/llm"
)

// Journal is the door by which the outside comes in. Each effect of a turn is done once
// and its result appended; whoever runs the turn again reads the result instead. Resume,
// replay and exactly-once are this one mechanism.
//
// The entries of one begin to the next are a life of the turn: it starts over when
// messages are merged into it. What a life that was followed by another has shown is
// void (nothing had been, by the rule of merging).
type Journal struct {
	entries []chat.Entry
	pos     int          // entries before it were read or written in this run
	unsaved []chat.Entry // appended and not yet handed to the store
	live    bool         // whether the last entry was written, not read
	// atEnd is why nothing more is to happen when the entries run out, or nil to go on.
	// In a replay the world is over there.
	atEnd  error
	sealed bool // a replay: nothing may be appended
}

const (
	stepBegin = "begin"
	stepChunk = "chunk"
	stepCut   = "cut"
)

// Why a life ends before its reply does. They are also the causes with which the
// context of a turn is cancelled.
var (
	ErrMerged      = errors.New("merged")       // a follow-up joined the turn
	ErrStopped     = errors.New("stopped")      // the customer asked to stop
	ErrInterrupted = errors.New("interrupted")  // the time is over, or the server died twice
	ErrHandedOver  = errors.New("handed over")  // somebody else owns the conversation
	errOff         = errors.New("switched off") // so is the assistant; see offError
)

var cuts = []error{ErrMerged, ErrStopped, ErrInterrupted, ErrHandedOver, errOff}

// errDiffers: the journal does not fit this binary's steps.
var errDiffers = errors.New("the journal was written by another way of answering")

// begin is the first entry of a life: what is answered, and by which rules.
type begin struct {
	Messages []chat.Message `json:"messages"`
	Rules    Rules          `json:"rules"`
	Build    string         `json:"build"`
	Release  string         `json:"release,omitempty"`
	Nonce    string         `json:"nonce,omitempty"` // marks where the documents begin and end for the model
	Final    bool           `json:"final,omitempty"`
	// Stateless: nobody can be handed over to, as nobody comes back.
	Stateless bool `json:"stateless,omitempty"`
	// Void: what earlier lives have shown is taken back first.
	Void bool `json:"void,omitempty"`
	// Notices are in force, and for this customer.
	Notices []chat.Notice `json:"notices,omitempty"`
}

// start opens a life for these messages: the last one, if it was for the same, or a new
// one. It returns the rules that the life goes by.
func (j *Journal) start(b begin) (begin, error) {
	for i := len(j.entries) - 1; i >= 0 && !j.sealed; i-- {
		if j.entries[i].Step != stepBegin {
			continue
		}
		var old begin
		if err := json.Unmarshal(j.entries[i].Result, &old); err != nil {
			return old, fmt.Errorf("read the journal: %w", err)
		}
		if i < j.pos || !reflect.DeepEqual(ids(old.Messages), ids(b.Messages)) {
			break
		}
		if old.Nonce == "" {
			old.Nonce = b.Nonce // by a build that knew none
		}
		if old.Release == "" {
			old.Release = b.Release // likewise
		}
		// What was shown on a final face cannot be taken back. It goes on by the old rules in
		// another build, and ends as it is in another release.
		if old.Build != b.Build && !b.Final || old.Release != b.Release && !(b.Final && b.Void) {
			break
		}
		j.pos = i + 1
		return old, nil
	}
	j.pos = len(j.entries)
	return b, j.write(stepBegin, b)
}

func ids(ms []chat.Message) []chat.MessageID {
	out := make([]chat.MessageID, len(ms))
	for i, m := range ms {
		out[i] = m.ID
	}
	return out
}

// read returns the next entry, if one is left.
func (j *Journal) read() (chat.Entry, bool) {
	if j.pos == len(j.entries) {
		return chat.Entry{}, false
	}
	e := j.entries[j.pos]
	j.pos++
	j.live = false
	return e, true
}

func (j *Journal) write(step string, result any) error {
	b, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("write %q into the journal: %w", step, err)
	}
	j.append(chat.Entry{Step: step, Result: b})
	return nil
}

// chunk writes a chunk.
func (j *Journal) chunk(c llm.Chunk) error {
	if !c.Plain() {
		return j.write(stepChunk, c)
	}
	b := make([]byte, 0, len(c.Text)+16)
	b = append(chat.AppendJSONString(append(b, `{"text":`...), c.Text), '}')
	j.append(chat.Entry{Step: stepChunk, Result: b})
	return nil
}

func (j *Journal) append(e chat.Entry) {
	j.live = true
	if j.sealed {
		return
	}
	j.unsaved = append(j.unsaved, e)
	if e.Step != stepBegin {
		e.Result = nil // nobody reads it here again, and answers are long
	}
	j.entries = append(j.entries, e)
	j.pos = len(j.entries)
}

// Take returns what was appended since the last Take.
func (j *Journal) Take() []chat.Entry {
	e := j.unsaved
	j.unsaved = nil
	return e
}

// untake gives back entries that did not become durable.
func (j *Journal) untake(e []chat.Entry) { j.unsaved = append(e, j.unsaved...) }

// cut notes why the life ends here.
func (j *Journal) cut(why error) {
	if n := len(j.entries); n > 0 && j.entries[n-1].Step == stepCut {
		return // it ended before
	}
	for _, c := range cuts {
		if errors.Is(why, c) {
			j.append(cutEntry(why, c))
		}
	}
}

// cutEntry returns the entry for an error that is the cut c.
func cutEntry(why, c error) chat.Entry {
	e := chat.Entry{Step: stepCut, Error: c.Error()}
	var off offError
	if errors.As(why, &off) {
		e.Result = off.encode()
	}
	return e
}

// asCut returns the reason of a cut entry.
func asCut(e chat.Entry) error {
	for _, c := range cuts {
		if c.Error() == e.Error {
			if c == errOff {
				return readOff(e.Result)
			}
			return c
		}
	}
	return fmt.Errorf("%w: it ends for %q", errDiffers, e.Error)
}

// do returns the result of a step: from the journal when it was done before, else by
// doing it. An error of the step is a result like another; one that comes from the end
// of ctx is not, and is returned as its cause.
func do[In, Out any](ctx context.Context, j *Journal, step string, f func(context.Context, In) (Out, error), in In) (Out, error) {
	var out Out
	if e, ok := j.read(); ok {
		switch {
		case e.Step == stepCut:
			return out, asCut(e)
		case e.Step != step:
			return out, fmt.Errorf("%w: %q where %q was due", errDiffers, e.Step, step)
		case e.Error != "":
			return out, errors.New(e.Error)
		}
		if err := json.Unmarshal(e.Result, &out); err != nil {
			return out, fmt.Errorf("read %q from the journal: %w", step, err)
		}
		return out, nil
	}
	if j.atEnd != nil {
		return out, j.end()
	}
	out, err := f(ctx, in)
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	if err != nil {
		j.append(chat.Entry{Step: step, Error: err.Error()})
		return out, err
	}
	return out, j.write(step, out)
}

// end ends a life whose entries ran out where nothing more is to happen.
func (j *Journal) end() error {
	j.cut(j.atEnd)
	return j.atEnd
}

// stream yields a model's reply, from the journal as far as it goes. Where it breaks off
// because the process died, the model is asked again: first comes a chunk with Restart.
func (j *Journal) stream(ctx context.Context, ask iter.Seq2[llm.Chunk, error]) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		begun := false
		for {
			e, ok := j.read()
			if !ok {
				break
			}
			begun = true
			if e.Step == stepCut {
				yield(llm.Chunk{}, asCut(e))
				return
			}
			if e.Step != stepChunk {
				yield(llm.Chunk{}, fmt.Errorf("%w: %q where a chunk was due", errDiffers, e.Step))
				return
			}
			if e.Error != "" {
				yield(llm.Chunk{}, errors.New(e.Error))
				return
			}
			var c llm.Chunk
			if err := json.Unmarshal(e.Result, &c); err != nil {
				yield(llm.Chunk{}, fmt.Errorf("read a chunk from the journal: %w", err))
				return
			}
			if !yield(c, nil) || c.Finish != "" {
				return
			}
		}
		if j.atEnd != nil {
			yield(llm.Chunk{}, j.end())
			return
		}
		for c, err := range ask {
			if ctx.Err() != nil {
				yield(llm.Chunk{}, context.Cause(ctx))
				return
			}
			if err != nil {
				j.append(chat.Entry{Step: stepChunk, Error: err.Error()})
				yield(llm.Chunk{}, err)
				return
			}
			if begun {
				c.Restart, c.Error, begun = true, "the server was restarted", false
			}
			if err := j.chunk(c); err != nil {
				yield(llm.Chunk{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(llm.Chunk{}, context.Cause(ctx))
		}
	}
}
