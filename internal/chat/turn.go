package chat

import "encoding/json"

// Outcome is how a turn ended.
type Outcome string

const (
	Answered    Outcome = "answered"
	AskedBack   Outcome = "asked_back"
	Refused     Outcome = "refused" // also: not in the documents
	HandedOver  Outcome = "handed_over"
	Stopped     Outcome = "stopped"
	Interrupted Outcome = "interrupted"
	Failed      Outcome = "failed"
)

// Turn is the record: everything that happened while the messages of one turn were
// answered. It is filled in by package turn, stored when the turn ends, and the only
// source of logs, metrics, replay and evaluation.
type Turn struct {
	ID           TurnID         `json:"id"`
	Conversation ConversationID `json:"conversation"`
	Customer     CustomerID     `json:"customer"`
	Assistant    string         `json:"assistant"`
	Test         bool           `json:"test,omitempty"`
	Build        string         `json:"build"`                // of the binary that ended the turn
	Release      string         `json:"release,omitempty"`    // hash of the assistant's files
	Generation   string         `json:"generation,omitempty"` // of the knowledge index
	RetryOf      TurnID         `json:"retry_of,omitempty"`   // whose messages it answers again
	Unit         Unit           `json:"unit"`                 // of the gate
	Final        bool           `json:"final,omitempty"`      // the face cannot retract

	Messages []Message `json:"messages"` // what is answered, oldest first
	Input    Text      `json:"input"`    // the messages as the steps see them
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Query    Text      `json:"query,omitempty"`
	Passages []Passage `json:"passages,omitempty"`
	Plan     Plan      `json:"plan"`
	Prompt   []Part    `json:"prompt,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"`

	Shown       Text       `json:"shown"`
	Withheld    []Withheld `json:"withheld,omitempty"`
	Citations   []Citation `json:"citations,omitempty"`
	Confidence  *float64   `json:"confidence"` // 0–1, nil until calibrated
	Level       Level      `json:"level"`
	LevelReason string     `json:"level_reason,omitempty"`
	Handoff     *Handoff   `json:"handoff,omitempty"`
	Outcome     Outcome    `json:"outcome"`
	Error       string     `json:"error,omitempty"` // for the operator
	Usage       Usage      `json:"usage"`
	Cost        Money      `json:"cost_microusd"`

	Lives        int   `json:"lives"` // 1 and one more for each time a process died in it
	Retracts     int   `json:"retracts,omitempty"`
	AcceptedAt   Time  `json:"accepted_at"` // of the first message
	StartedAt    Time  `json:"started_at"`
	FirstShownAt *Time `json:"first_shown_at,omitempty"` // when the first text was durable
	EndedAt      Time  `json:"ended_at"`
}

// Degrade lowers the level and keeps the reason of the lowest.
func (t *Turn) Degrade(l Level, reason string) {
	if low := t.Level.Lower(l); low != t.Level || t.LevelReason == "" {
		t.Level, t.LevelReason = low, reason
	}
}

// Unit is how much text the gate lets out at once.
type Unit string

const (
	Sentence Unit = "sentence" // the default: nothing unverified is shown
	Word     Unit = "word"     // word-safe pieces; claims are checked as sentences finish
)

// Action is what a check wants done with a text.
type Action string

const (
	Allow  Action = "allow"
	Flag   Action = "flag"   // let it pass, but put it on the record
	Redact Action = "redact" // replace the text by the verdict's
	Block  Action = "block"  // withhold the text
)

// Verdict is what one check says of one text.
type Verdict struct {
	Check  string   `json:"check"`
	Action Action   `json:"action"`
	Text   Text     `json:"text,omitempty"` // what to show instead, when Redact
	Reason string   `json:"reason,omitempty"`
	Score  *float64 `json:"score,omitempty"`
	Start  int      `json:"start,omitempty"` // of the finding, in code points of the checked text
	End    int      `json:"end,omitempty"`
}

// Withheld is text that the gate did not let out.
type Withheld struct {
	Text   Text   `json:"text"`
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

// Passage is a piece of a document that may ground an answer. Text is
// the document's extracted text from code point Start to End (exclusive).
type Passage struct {
	Document   string  `json:"document"` // its id in the generation: for a folder, the slash-separated path
	Generation string  `json:"generation"`
	Title      string  `json:"title"`
	Heading    string  `json:"heading,omitempty"` // the path of headings above it, "A > B"
	URL        string  `json:"url,omitempty"`     // the document's own address, or ""
	Updated    string  `json:"updated,omitempty"` // the day, such as 2026-05-01, on which the document was last brought up to date
	Text       Text    `json:"text"`
	Start      int     `json:"start"`
	End        int     `json:"end"`
	Tokens     int     `json:"tokens"`
	Score      float64 `json:"score"`
	// Scores are the parts of Score by name, for whoever wants to know why.
	Scores map[string]float64 `json:"scores,omitempty"`
}

// Citation ties a mark "[n]" in shown text to the words that support it.
// Quote is the document's extracted text from code point Start to End (exclusive).
type Citation struct {
	Mark       int    `json:"mark"`
	Title      string `json:"title"`
	URL        string `json:"url"`
	Quote      string `json:"quote"`
	Start      int    `json:"start"`
	End        int    `json:"end"`
	Document   string `json:"document"`
	Generation string `json:"generation"`
}

// Plan says which model answers, and why.
type Plan struct {
	Provider string   `json:"provider"`
	Model    string   `json:"model,omitempty"`
	Reason   string   `json:"reason"`
	Others   []string `json:"others,omitempty"` // who takes over, in order
}

// Part is a piece of what the model was told.
type Part struct {
	Name   string `json:"name"`
	Tokens int    `json:"tokens"`
	Cut    int    `json:"cut,omitempty"` // tokens left out for want of room
}

// Attempt is one call of a provider.
type Attempt struct {
	Provider     string `json:"provider"`
	Model        string `json:"model,omitempty"`
	StartedAt    Time   `json:"started_at"`
	FirstTokenMS *int64 `json:"first_token_ms,omitempty"`
	TotalMS      int64  `json:"total_ms"`
	Chunks       int    `json:"chunks"`
	Usage        Usage  `json:"usage"`
	Cost         Money  `json:"cost_microusd"`
	Finish       string `json:"finish,omitempty"`    // "" when it did not end by itself
	Discarded    string `json:"discarded,omitempty"` // why its text counts for nothing: merged, died, failed
	Error        string `json:"error,omitempty"`     // for the operator, with what to do about it
	Fault        string `json:"fault,omitempty"`     // what the error meant for the next attempt
	Reason       string `json:"reason,omitempty"`    // why it was asked in the place of the one before
	Thinking     Text   `json:"thinking,omitempty"`  // what the model thought; never shown
	Declined     Text   `json:"declined,omitempty"`  // the model's words when it refused, or what was filtered
}

// Handoff is a reason to bring in a person.
type Handoff struct {
	Reason  string `json:"reason"`
	Trigger string `json:"trigger"`
}

// Entry is one effect of a running turn in its journal. Step names what was done;
// Result is its value as JSON, Error the text of its error when it failed.
type Entry struct {
	Step   string          `json:"step"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// AppendEntries appends entries as a JSON array, as json.Marshal has them. Their Results
// are JSON already and are not read again.
func AppendEntries(b []byte, entries []Entry) []byte {
	b = append(b, '[')
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSONString(append(b, `{"step":`...), e.Step)
		if len(e.Result) > 0 {
			b = append(append(b, `,"result":`...), e.Result...)
		}
		if e.Error != "" {
			b = AppendJSONString(append(b, `,"error":`...), e.Error)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// Incoming is a customer's message on its way in.
type Incoming struct {
	Conversation ConversationID
	Text         Text
	Files        []FileID // of the conversation, not sent before
	ClientID     string   // unique in the conversation, or ""
	Final        bool     // the face that sent it cannot retract
	Node         NodeID   // the process that will answer
	// Stateless: the conversation was made for this one message, and nobody can come back
	// to its answer. History is what was said before, oldest first, as its sender tells it.
	Stateless bool
	History   []Message
}

// Effect says what an accepted message led to.
type Effect string

const (
	Starts   Effect = "starts"   // a turn of its own, which the caller must run
	Merges   Effect = "merges"   // it joined the running turn, which had shown nothing and must begin anew
	Waits    Effect = "waits"    // it is answered by the turn that comes next
	Rests    Effect = "rests"    // a person owns the conversation, or there are no words to answer: no turn
	Repeated Effect = "repeated" // it had been accepted before
)

// Accepted is a message that is durable, or the wish for another answer.
type Accepted struct {
	Message Message // of a wish only the turn that fulfils it
	Seq     int64   // of its message.accepted event, or of the turn.started that fulfils it
	Effect  Effect
	Open    OpenTurn // what to run, when it Starts
}

// OpenTurn is a turn that is being answered, as the store has it.
type OpenTurn struct {
	ID           TurnID
	Conversation Conversation
	Messages     []Message // what is answered, oldest first
	Journal      []Entry
	Lives        int  // processes that worked on it, this one included
	Stop         bool // the customer asked to stop
	Final        bool
	RetryOf      TurnID // the ended turn in whose place it answers, or ""
	Stateless    bool   // see Incoming
	History      []Message
	Off          *Off // the assistant was switched off when this was read
	AcceptedAt   Time
}

// Fence returns the right to write for the turn.
func (o OpenTurn) Fence() Fence {
	return Fence{o.Conversation.ID, o.Conversation.Customer, o.Conversation.Term, o.ID}
}

// Ending is how a turn ends.
type Ending struct {
	Record  Turn    // Shown, Citations, Outcome, Usage, Cost, Confidence and the rest
	Bodies  []Body  // what is still to be shown, in order
	Entries []Entry // of the journal
	State   State   // of the customer's task from now on
}

// PastTurn is an ended turn as it can be replayed.
type PastTurn struct {
	Record  Turn
	Journal []Entry
	Events  []Event // the turn's own
}

// Orphan is a running turn whose process died.
type Orphan struct {
	Conversation ConversationID
	Turn         TurnID
}
