package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// complete is the face that OpenAI's clients speak. It is stateless: each request makes a
// conversation of its own, and what was said before is in the request. So nobody can come
// back to an answer, and it ends when its client leaves.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) error {
	c, err := s.program(r, chat.ScopeChat)
	if err != nil {
		return err
	}
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	q, err := readCompletion(body)
	if err != nil {
		return err
	}
	assistant, err := s.assistantOf(c, q.model)
	if err != nil {
		return err
	}
	if err := s.Inbox.Check(chat.Incoming{Text: q.question}); err != nil {
		return err // before a conversation is made for nothing
	}
	st, err := s.openStream(w)
	if err != nil {
		return err
	}
	defer s.closeStream()
	created, _, err := s.start(w, r, c, store.NewConversation{Assistant: assistant})
	if err != nil {
		return err
	}
	a, err := s.Inbox.Accept(r.Context(), chat.Incoming{
		Conversation: created.ID, Text: q.question, Final: true, Stateless: true, History: q.history,
	})
	if err != nil {
		return err
	}
	if q.ignored != "" {
		w.Header().Set("X-Answerable-Ignored", q.ignored)
	}
	answer := s.newCompleted(r, q, assistant, a)
	if q.stream {
		err = s.streamCompletion(r, st, a, answer, q.usage)
	} else {
		err = s.wholeCompletion(w, r, a, answer)
	}
	if !answer.ended {
		s.abandon(r.Context(), created.ID)
	}
	return err
}

// errCut: the answer did not come to its end here.
var errCut = &chat.Error{Kind: chat.Unavailable, Message: "the answer was cut short: ask again in a moment"}

// abandon ends the turn of a conversation that nobody waits for.
func (s *Server) abandon(ctx context.Context, id chat.ConversationID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := s.Inbox.Stop(ctx, id); err != nil {
		s.Log.Warn("an abandoned turn could not be stopped: it goes on to its end", "conversation", id, "error", err)
	}
}

// wholeCompletion waits for the end and answers with everything.
func (s *Server) wholeCompletion(w http.ResponseWriter, r *http.Request, a chat.Accepted, answer *completed) error {
	for e, err := range s.Feed.Follow(r.Context(), a.Open.Conversation.ID, a.Seq) {
		if err == nil {
			_, err = answer.take(e)
		}
		if err != nil {
			return err
		}
		if answer.ended {
			break
		}
	}
	if !answer.ended {
		return errCut // the client left, or the server stops
	}
	setWriteDeadline(w, time.Now().Add(or(s.Limits.Transfer, usualTransfer)))
	return write(w, http.StatusOK, answer.whole())
}

// streamCompletion passes the answer on as it is shown.
func (s *Server) streamCompletion(r *http.Request, st *stream, a chat.Accepted, answer *completed, usage bool) error {
	st.begin()
	answer.usageWanted = usage
	st.data(answer.first())
	var wrong error
	err := s.follow(r.Context(), st, a.Open.Conversation.ID, a.Seq, a.Seq, func(e chat.Event) bool {
		var text string
		if text, wrong = answer.take(e); text != "" {
			st.data(answer.piece(text))
		}
		return answer.ended || wrong != nil
	})
	if err == nil {
		err = wrong
	}
	if err == nil && !answer.ended {
		err = errCut
	}
	if err != nil {
		p := s.failLate(st.w, r, resource{path: "/v1/chat/completions"}, err)
		st.data(newOpenAIError(p, err)) // clients raise it
		return st.flush()
	}
	if notes := answer.annotations(); len(notes) > 0 {
		st.data(answer.chunk(delta{Annotations: notes}, ""))
	}
	st.data(answer.last())
	if usage {
		st.data(answer.usageChunk())
	}
	st.done()
	return st.flush()
}

// completion is a request, as far as it is followed.
type completion struct {
	model    string
	stream   bool
	usage    bool // in the stream
	history  []chat.Message
	question chat.Text
	ignored  string // names of what was sent and is not followed
}

// readCompletion reads a request. What the assistant's own files decide (instructions,
// sampling, limits) is ignored and named; what would need another answer than ours is an
// error.
func readCompletion(body []byte) (completion, error) {
	var q completion
	o, err := readObject(body)
	if err != nil {
		return q, err
	}
	var options object
	choices := 1.0
	var all []object
	err = errors.Join(
		o.field(&q.model, "", "model"),
		o.field(&q.stream, "", "stream"),
		o.field(&options, "", "stream_options"),
		options.field(&q.usage, "stream_options.", "include_usage"),
		o.field(&choices, "", "n"),
		o.field(&all, "", "messages"),
		notTools(o, "", "tools"),
		notTools(o, "", "functions"),
	)
	switch {
	case err != nil:
		return q, err
	case choices != 1:
		return q, wrongField("n", "must be 1: there is one answer")
	case len(all) == 0:
		return q, wrongField("messages", "must have one message at least")
	}
	ignored := map[string]bool{}
	for i, m := range all {
		if err := q.message(m, fmt.Sprintf("messages[%d].", i), ignored); err != nil {
			return q, err
		}
	}
	last := len(q.history) - 1
	if last < 0 || q.history[last].Role != chat.Customer {
		return q, wrongField("messages", "must end with a message of role user, the question")
	}
	q.question, q.history = q.history[last].Text, q.history[:last]
	q.history = slices.DeleteFunc(q.history, func(m chat.Message) bool { return strings.TrimSpace(string(m.Text)) == "" })
	for name, raw := range o {
		if !slices.Contains(followed, name) && string(raw) != "null" {
			ignored[name] = true
		}
	}
	q.ignored = headerList(ignored)
	return q, nil
}

// followed are the fields of a request that matter.
var followed = []string{"model", "messages", "stream", "stream_options", "n", "tools", "functions"}

// notTools refuses tools that are the client's own.
func notTools(o object, within, name string) error {
	var list []json.RawMessage
	if err := o.field(&list, within, name); err != nil {
		return wrongField(within+name, "must be a list")
	}
	if len(list) > 0 {
		return wrongField(within+name, "cannot be used: an assistant has the tools of its own files")
	}
	return nil
}

// message adds one of the messages to the history.
func (q *completion) message(m object, within string, ignored map[string]bool) error {
	var role string
	if err := m.field(&role, within, "role"); err != nil {
		return err
	}
	said := chat.Message{Role: chat.Customer}
	switch role {
	case "system", "developer":
		ignored[role] = true
		return nil
	case "user":
	case "assistant":
		said.Role = chat.Assistant
		if raw, ok := m["function_call"]; ok && string(raw) != "null" {
			return wrongField(within+"function_call", "cannot be used: an assistant has the tools of its own files")
		}
		if err := notTools(m, within, "tool_calls"); err != nil {
			return err
		}
	case "tool", "function":
		return wrongField(within+"role", "must be user or assistant: an assistant has the tools of its own files")
	default:
		return wrongField(within+"role", "must be user or assistant (system and developer are ignored)")
	}
	var err error
	said.Text, err = contentText(m, within)
	q.history = append(q.history, said)
	return err
}

// contentText returns the content of a message, which is a text or a list of texts.
func contentText(m object, within string) (chat.Text, error) {
	var text string
	if m.field(&text, within, "content") == nil {
		return chat.Text(text), nil
	}
	var parts []object
	if m.field(&parts, within, "content") != nil {
		return "", wrongField(within+"content", "must be a string or a list of text parts")
	}
	var texts []string
	for i, part := range parts {
		at := fmt.Sprintf("%scontent[%d].", within, i)
		var kind string
		if err := part.field(&kind, at, "type"); err != nil {
			return "", err
		}
		if kind != "text" && kind != "refusal" {
			return "", wrongField(at+"type", "must be text: nothing else is read here")
		}
		if err := part.field(&text, at, kind); err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	return chat.Text(strings.Join(texts, "\n")), nil
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// headerList returns names as the value of a header, those that may stand there and not
// endlessly many.
func headerList(names map[string]bool) string {
	var list []string
	for name := range names {
		if headerName.MatchString(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return strings.Join(list[:min(len(list), 50)], ", ")
}
