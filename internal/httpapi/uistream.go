package httpapi

import (
	"net/http"
	"strconv"

	"github.com/answerable/answerable/internal/chat"
)

// uiStream says a turn in the AI SDK's UI message stream, version 1. It uses what versions
// 6 and 7 of the SDK both know, and reset-step for clients that asked for it.
type uiStream struct {
	*stream
	conversation chat.ConversationID
	turn         chat.TurnID // "" where nothing answers
	base         string      // before addresses on this server
	held         bool        // text may be taken back, but not by this client: it gets the text at the end

	texts   int  // parts begun so far
	open    bool // the last of them is
	shown   bool // there is something to take back
	kept    []uiPart
	sources []chat.Citation
	end     chat.TurnEnded
	ended   bool
	wrong   error
}

// uiPart is one piece of the stream, of any type.
type uiPart struct {
	Type             string      `json:"type"`
	ID               string      `json:"id,omitempty"`
	Delta            string      `json:"delta,omitempty"`
	MessageID        string      `json:"messageId,omitempty"`
	MessageMetadata  *uiMetadata `json:"messageMetadata,omitempty"`
	SourceID         string      `json:"sourceId,omitempty"`
	URL              string      `json:"url,omitempty"`
	Title            string      `json:"title,omitempty"`
	ProviderMetadata *uiCitation `json:"providerMetadata,omitempty"`
	Data             *uiData     `json:"data,omitempty"`
	FinishReason     string      `json:"finishReason,omitempty"`
	ErrorText        string      `json:"errorText,omitempty"`
}

// uiMetadata is what the application's message keeps of ours.
type uiMetadata struct {
	Conversation chat.ConversationID `json:"conversation"`
	Turn         chat.TurnID         `json:"turn,omitempty"`
	Outcome      chat.Outcome        `json:"outcome,omitempty"`
}

// uiData is what the data parts say, each some of it.
type uiData struct {
	Level   chat.Level `json:"level,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Trigger string     `json:"trigger,omitempty"`
	Owner   chat.Owner `json:"owner,omitempty"`
	Name    string     `json:"name,omitempty"`
}

// uiCitation carries the words behind a source.
type uiCitation struct {
	Answerable chat.Citation `json:"answerable"`
}

// start begins the message. Its id is the turn's, so that a resumed stream is the same
// message.
func (u *uiStream) start() {
	u.data(uiPart{Type: "start", MessageID: string(u.turn), MessageMetadata: u.metadata()})
	u.data(uiPart{Type: "start-step"})
}

func (u *uiStream) metadata() *uiMetadata {
	return &uiMetadata{Conversation: u.conversation, Turn: u.turn, Outcome: u.end.Outcome}
}

// take writes what an event of the turn says.
func (u *uiStream) take(e chat.Event) {
	switch e.Kind {
	case chat.KindText:
		t, err := chat.Decode[chat.TextShown](e)
		u.wrong = err
		if !u.held {
			u.text(t.Text)
		}
	case chat.KindCitation:
		c, err := chat.Decode[chat.Cited](e)
		u.wrong = err
		if u.held {
			u.sources = append(u.sources, c.Citation)
		} else {
			u.source(c.Citation)
		}
	case chat.KindRetract:
		u.retract()
	case chat.KindLevel:
		l, err := chat.Decode[chat.LevelChanged](e)
		u.wrong = err
		u.keep("level", uiData{Level: l.Level, Reason: l.Reason})
	case chat.KindHandoff:
		h, err := chat.Decode[chat.HandedOff](e)
		u.wrong = err
		u.keep("handoff", uiData{Reason: h.Reason, Trigger: h.Trigger})
	case chat.KindTurnEnded:
		u.end, u.wrong = chat.Decode[chat.TurnEnded](e)
		u.ended = u.wrong == nil
		if u.held {
			for _, c := range u.sources {
				u.source(c)
			}
			u.text(string(u.end.Text))
		}
		u.close()
	}
}

func (u *uiStream) text(text string) {
	if text == "" {
		return
	}
	if !u.open {
		u.texts++
		u.data(uiPart{Type: "text-start", ID: u.textID()})
	}
	u.open, u.shown = true, true
	u.data(uiPart{Type: "text-delta", ID: u.textID(), Delta: text})
}

func (u *uiStream) textID() string { return "text-" + strconv.Itoa(u.texts) }

func (u *uiStream) close() {
	if u.open {
		u.data(uiPart{Type: "text-end", ID: u.textID()})
	}
	u.open = false
}

func (u *uiStream) source(c chat.Citation) {
	u.shown = true
	u.data(uiPart{Type: "source-url", SourceID: strconv.Itoa(c.Mark), URL: absolute(u.base, c.URL), Title: c.Title, ProviderMetadata: &uiCitation{c}})
}

// keep writes a data part that stays true when text is taken back.
func (u *uiStream) keep(name string, d uiData) {
	p := uiPart{Type: "data-" + name, ID: name, Data: &d}
	u.kept = append(u.kept, p)
	u.data(p)
}

// retract takes back what was shown. The client drops the whole step, open texts and all.
func (u *uiStream) retract() {
	u.sources = nil
	if !u.shown {
		return
	}
	u.data(uiPart{Type: "reset-step"})
	for _, p := range u.kept {
		u.data(p)
	}
	u.open, u.shown = false, false
}

// owner says that a person answers, or will.
func (u *uiStream) owner(c chat.Conversation) {
	u.keep("owner", uiData{Owner: c.Owner, Name: c.OwnerName})
}

func (u *uiStream) finish() {
	reason := "stop"
	switch u.end.Outcome {
	case chat.Interrupted:
		reason = "other"
	case chat.Failed:
		reason = "error"
	}
	u.data(uiPart{Type: "finish-step"})
	u.data(uiPart{Type: "finish", FinishReason: reason, MessageMetadata: u.metadata()})
}

// writePlainError answers with a text that the application shows as it is.
func writePlainError(w http.ResponseWriter, p problem) {
	text := p.Detail
	if p.Status == http.StatusInternalServerError {
		text = "The server failed. Its log has the cause under " + p.RequestID + "."
	}
	errorHeaders(w, p.Status, "text/plain; charset=utf-8")
	w.Write([]byte(text)) // the client may be gone
}
