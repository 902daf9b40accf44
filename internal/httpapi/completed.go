package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/lang"
)

// completed collects an answer and says it in OpenAI's shapes.
type completed struct {
	completionHead
	base        string // before addresses on this server
	asked       int    // tokens, estimated
	usageWanted bool
	aside       aside
	text        string
	citations   []chat.Citation
	end         chat.TurnEnded
	ended       bool
}

type completionHead struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	Model       string `json:"model"`
	Fingerprint string `json:"system_fingerprint"`
}

// aside is what OpenAI's shapes have no place for. Official clients keep keys that they
// do not know.
type aside struct {
	Conversation chat.ConversationID `json:"conversation"`
	Turn         chat.TurnID         `json:"turn"`
	Outcome      chat.Outcome        `json:"outcome,omitempty"`
	Level        chat.Level          `json:"level,omitempty"`
	Handoff      *chat.Handoff       `json:"handoff,omitempty"`
}

func (s *Server) newCompleted(r *http.Request, q completion, assistant string, a chat.Accepted) *completed {
	sum := sha256.Sum256([]byte(s.Version))
	c := &completed{
		completionHead: completionHead{ID: "chatcmpl-" + string(a.Message.Turn), Object: "chat.completion", Created: a.Message.At.Unix(),
			Model: assistant, Fingerprint: "fp_" + hex.EncodeToString(sum[:5])},
		base:  s.base(r),
		asked: lang.Tokens(string(q.question)),
		aside: aside{Conversation: a.Open.Conversation.ID, Turn: a.Message.Turn},
	}
	for _, m := range q.history {
		c.asked += lang.Tokens(string(m.Text))
	}
	return c
}

// take notes an event of the turn and returns the text that it shows.
func (c *completed) take(e chat.Event) (text string, err error) {
	switch e.Kind {
	case chat.KindText:
		var shown chat.TextShown
		shown, err = chat.Decode[chat.TextShown](e)
		c.text += shown.Text
		return shown.Text, err
	case chat.KindCitation:
		var cited chat.Cited
		cited, err = chat.Decode[chat.Cited](e)
		c.citations = append(c.citations, cited.Citation)
	case chat.KindHandoff:
		var h chat.HandedOff
		h, err = chat.Decode[chat.HandedOff](e)
		c.aside.Handoff = &chat.Handoff{Reason: h.Reason, Trigger: h.Trigger}
	case chat.KindLevel:
		var l chat.LevelChanged
		l, err = chat.Decode[chat.LevelChanged](e)
		c.aside.Level = l.Level
	case chat.KindTurnEnded:
		c.end, err = chat.Decode[chat.TurnEnded](e)
		c.ended = err == nil
		c.aside.Outcome = c.end.Outcome
		if c.aside.Level == "" {
			c.aside.Level = chat.Full // what a conversation begins with
		}
	}
	return "", err
}

// finish is why the answer ended, in OpenAI's words.
func (c *completed) finish() string {
	if c.end.Outcome == chat.Interrupted {
		return "length"
	}
	return "stop"
}

type completionUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// usage is never zero: where no model counted, the tokens are estimated.
func (c *completed) usage() completionUsage {
	u := completionUsage{Prompt: c.end.Usage.Input, Completion: c.end.Usage.Output}
	if u.Prompt <= 0 {
		u.Prompt = max(c.asked, 1)
	}
	if u.Completion <= 0 {
		u.Completion = max(lang.Tokens(c.text), 1)
	}
	u.Total = u.Prompt + u.Completion
	u.Details.Cached = c.end.Usage.Cached
	return u
}

// annotation ties a mark in the text to its source. The indexes count code points.
type annotation struct {
	Type     string `json:"type"`
	Citation struct {
		Start int    `json:"start_index"`
		End   int    `json:"end_index"`
		URL   string `json:"url"`
		Title string `json:"title"`
	} `json:"url_citation"`
}

var citationMark = regexp.MustCompile(`\[[0-9]{1,4}\]`)

// annotations finds the marks of the citations in the text.
func (c *completed) annotations() []annotation {
	out := []annotation{}
	for _, at := range citationMark.FindAllStringIndex(c.text, -1) {
		mark, _ := strconv.Atoi(c.text[at[0]+1 : at[1]-1]) // it is a number
		i := slices.IndexFunc(c.citations, func(cited chat.Citation) bool { return cited.Mark == mark })
		if i < 0 {
			continue
		}
		a := annotation{Type: "url_citation"}
		a.Citation.Start = utf8.RuneCountInString(c.text[:at[0]])
		a.Citation.End = a.Citation.Start + at[1] - at[0]
		a.Citation.URL, a.Citation.Title = absolute(c.base, c.citations[i].URL), c.citations[i].Title
		out = append(out, a)
	}
	return out
}

// completionAnswer is an answer in one piece.
type completionAnswer struct {
	completionHead
	Choices [1]struct {
		Index   int `json:"index"`
		Message struct {
			Role        string       `json:"role"`
			Content     string       `json:"content"`
			Refusal     *string      `json:"refusal"`
			Annotations []annotation `json:"annotations"`
		} `json:"message"`
		LogProbs *struct{} `json:"logprobs"`
		Finish   string    `json:"finish_reason"`
	} `json:"choices"`
	Usage completionUsage `json:"usage"`
	Aside aside           `json:"answerable"`
}

func (c *completed) whole() completionAnswer {
	whole := completionAnswer{completionHead: c.completionHead, Usage: c.usage(), Aside: c.aside}
	choice := &whole.Choices[0]
	choice.Message.Role, choice.Message.Content, choice.Message.Annotations = "assistant", c.text, c.annotations()
	choice.Finish = c.finish()
	return whole
}

// completionChunk is a piece of a streamed answer.
type completionChunk struct {
	completionHead
	Choices []chunkChoice   `json:"choices"`
	Usage   json.RawMessage `json:"usage,omitempty"`
	Aside   *aside          `json:"answerable,omitempty"`
}

type chunkChoice struct {
	Index    int       `json:"index"`
	Delta    delta     `json:"delta"`
	LogProbs *struct{} `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

type delta struct {
	Role        string       `json:"role,omitempty"`
	Content     *string      `json:"content,omitempty"`
	Annotations []annotation `json:"annotations,omitempty"`
}

func (c *completed) chunk(d delta, finish string) completionChunk {
	chunk := completionChunk{completionHead: c.completionHead, Choices: []chunkChoice{{Delta: d}}}
	chunk.Object = "chat.completion.chunk"
	if finish != "" {
		chunk.Choices[0].Finish = &finish
	}
	if c.usageWanted {
		chunk.Usage = json.RawMessage("null") // but in the chunk that has it
	}
	return chunk
}

// first says who speaks, and where the answer can be found.
func (c *completed) first() completionChunk {
	chunk := c.chunk(delta{Role: "assistant", Content: new(string)}, "")
	chunk.Aside = &c.aside
	return chunk
}

func (c *completed) piece(text string) completionChunk { return c.chunk(delta{Content: &text}, "") }

func (c *completed) last() completionChunk {
	chunk := c.chunk(delta{}, c.finish())
	chunk.Aside = &c.aside
	return chunk
}

func (c *completed) usageChunk() completionChunk {
	chunk := c.chunk(delta{}, "")
	chunk.Choices = []chunkChoice{}
	u, err := json.Marshal(c.usage())
	if err != nil {
		panic("httpapi: numbers cannot be encoded: " + err.Error())
	}
	chunk.Usage = u
	return chunk
}
