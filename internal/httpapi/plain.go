package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// posted is the form of the page without script.
type posted struct {
	token, clientID, text, consent, act string
}

// What the buttons of the form ask for, beside sending a message.
const (
	actPerson = "person" // a person should answer
	actLook   = "look"   // is there anything new
	actFresh  = "fresh"  // a new conversation
)

var (
	errStaleForm = &chat.Error{Kind: malformed, Message: "the form is of another conversation or out of date: load the page again"}
	errNoConsent = &chat.Error{Kind: chat.Forbidden, Message: "the visitor has not agreed: send the field consent"}
	errNotOurs   = &chat.Error{Kind: chat.Forbidden, Message: "this form is for the page of this server alone: use the API under /v1"}
)

// post leads a conversation without script. The answer is the whole page: its head is sent
// when the message is durable, so that the browser shows that something happens, and the
// rest when the turn has ended. The same form sent again repeats nothing.
func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	if _, foreign := s.foreign(r); foreign || !slices.Contains([]string{"", "none", "same-origin"}, r.Header.Get("Sec-Fetch-Site")) {
		return errNotOurs
	}
	name, err := s.named(r.URL.Query().Get("assistant"))
	if err != nil {
		return err
	}
	form, err := s.readForm(w, r)
	if err == nil && form.act == actFresh {
		w.Header().Set("Location", s.pageAddress(r))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	st, full := s.openStream(w)
	if full == nil {
		defer s.closeStream()
	}
	p := s.newPage(r, name)
	var l led
	if err = errors.Join(err, full); err == nil {
		l, err = s.lead(w, r, p, form)
	}
	if err != nil {
		p.Text = form.text
		if form.clientID != "" {
			p.ClientID = form.clientID // what became of the message may not be known
		}
	}
	return s.answerForm(w, r, p, st, l, err)
}

// readForm reads the fields that are known.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (posted, error) {
	body, err := s.bodyOf(w, r, "application/x-www-form-urlencoded")
	if err != nil {
		return posted{}, err
	}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return posted{}, &chat.Error{Kind: malformed, Message: "the form cannot be read: send it as browsers do", Err: err}
	}
	form := posted{token: fields.Get("token"), clientID: fields.Get("client_id"), consent: fields.Get("consent"), act: fields.Get("act"),
		text: strings.ReplaceAll(fields.Get("text"), "\r\n", "\n")}
	if suggestion := fields.Get("suggestion"); suggestion != "" && form.act == "" {
		form.text = suggestion
	}
	return form, nil
}

// led is what a form led to.
type led struct {
	id    chat.ConversationID // "": the conversation has not begun
	turn  chat.TurnID         // that is being answered, or ""
	after int64               // its end has a higher number
}

var goodClientID = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// lead does what the form asks for.
func (s *Server) lead(w http.ResponseWriter, r *http.Request, p *page, form posted) (l led, err error) {
	id, hash, ok := access.ParseToken(form.token)
	if !ok || !goodClientID.MatchString(form.clientID) {
		return l, errStaleForm
	}
	c, err := s.Store.Conversation(r.Context(), id)
	begun := err == nil
	if err != nil && !errors.Is(err, chat.NotFound) {
		return l, err
	}
	if begun {
		err := s.checkToken(r.Context(), form.token, nil, id)
		if errors.Is(err, chat.Unknown) || errors.Is(err, chat.Forbidden) {
			return l, errStaleForm
		} else if err != nil {
			return l, err
		}
		l.id = id
		if c.Assistant != p.Settings.Assistant && s.Assistants.Has(c.Assistant) {
			*p = *s.newPage(r, c.Assistant)
		}
	}
	p.Token = form.token
	// The name of the message has its text in it: who goes back and writes something else
	// has written another message.
	sum := sha256.Sum256([]byte(form.text))
	in := chat.Incoming{Conversation: id, Text: chat.Text(form.text), ClientID: "page-" + form.clientID + "-" + hex.EncodeToString(sum[:8])}
	switch form.act {
	case actLook:
		return led{l.id, c.Turn, c.Seq}, nil
	case actPerson:
	default:
		if err := s.Inbox.Check(in); err != nil {
			return l, err
		}
	}
	if !begun {
		if err := s.begin(w, r, p, form, id, hash); err != nil {
			return l, err
		}
		l.id = id
	}
	if form.act == actPerson {
		_, err := s.Inbox.HandOff(r.Context(), id, chat.Handoff{Reason: "the customer asked for a person", Trigger: "asked"})
		return l, err
	}
	a, err := s.accept(w, r, caller{}, in)
	if err != nil {
		return l, err
	}
	return led{id, a.Message.Turn, a.Seq - 1}, nil
}

// begin starts the conversation whose token the page made up.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, p *page, form posted, id chat.ConversationID, hash []byte) error {
	told := p.Settings.Disclosure.Version
	if p.Settings.Consent != nil && form.consent != told {
		return errNoConsent
	}
	locale := p.Settings.Locale
	metadata, err := kept{Locale: locale, Disclosure: &disclosure{told, locale, p.Settings.Consent != nil, chat.Now()}}.encode()
	if err != nil {
		return err
	}
	_, _, err = s.start(w, r, caller{}, store.NewConversation{ID: id, TokenHash: hash, Assistant: p.Settings.Assistant, Metadata: metadata})
	if err != nil {
		if _, cannot := s.Store.Conversation(r.Context(), id); cannot == nil {
			return s.checkToken(r.Context(), form.token, nil, id) // the form was sent twice, and the other was faster
		}
	}
	return err
}

// answerForm sends the page, and waits in the middle of it for the answer of a turn.
func (s *Server) answerForm(w http.ResponseWriter, r *http.Request, p *page, st *stream, l led, failed error) error {
	status := http.StatusOK
	if failed != nil {
		status = s.failLate(w, r, resource{path: "/"}, failed).Status
		p.Problem = p.problem(failed, w.Header().Get("Retry-After"))
	}
	s.pageHeaders(w, p)
	w.Header().Set("Cache-Control", "no-store")
	if l.id == "" {
		return p.write(w, status)
	}
	c, shown, err := s.talk(r.Context(), l.id, 0)
	if err != nil {
		return err
	}
	p.show(c, shown)
	p.Cut = len(shown) == mostShown
	if l.turn == "" || status != http.StatusOK {
		p.close(c)
		return p.write(w, status)
	}
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the head back
	if st.buf, err = p.part("top"); err != nil {
		return err
	}
	if !answered(shown, l.turn) {
		note, err := p.part("writing")
		if err != nil {
			return err
		}
		st.buf = append(st.buf, note...)
	}
	outcome, err := s.waitFor(r.Context(), st, l)
	if err != nil {
		return err
	}
	// Also when the server stops: what is there is shown.
	c, said, err := s.talk(context.WithoutCancel(r.Context()), l.id, c.Seq)
	if err != nil {
		return err
	}
	p.show(c, slices.DeleteFunc(said, func(m chat.Message) bool {
		return slices.ContainsFunc(shown, func(before chat.Message) bool { return before.ID == m.ID })
	}))
	p.close(c)
	switch outcome {
	case chat.Failed, chat.Interrupted, chat.Stopped:
		p.Lines = append([]string{p.Word("plain." + string(outcome))}, p.Lines...)
	}
	bottom, err := p.part("bottom")
	if err != nil {
		return err
	}
	st.buf = append(st.buf, bottom...)
	return st.flush()
}

// waitFor follows a conversation to the end of a turn. Comments keep proxies from closing
// the connection. When the server stops, there is no outcome.
func (s *Server) waitFor(ctx context.Context, st *stream, l led) (outcome chat.Outcome, err error) {
	for {
		if err := st.flush(); err != nil {
			return "", err
		}
		outcome, err := s.ended(ctx, &l)
		if outcome != "" || err != nil || ctx.Err() != nil {
			return outcome, err
		}
		st.buf = append(st.buf, "<!-- -->\n"...)
	}
}

// ended waits for the end of a turn, but no longer than until the next sign of life is due.
func (s *Server) ended(ctx context.Context, l *led) (chat.Outcome, error) {
	beat, cancel := context.WithTimeout(ctx, or(s.Limits.Heartbeat, usualHeartbeat))
	defer cancel()
	for e, err := range s.Feed.Follow(beat, l.id, l.after) {
		if err != nil {
			return "", err
		}
		l.after = max(l.after, e.Seq)
		if e.Kind == chat.KindTurnEnded && e.Turn == l.turn {
			end, err := chat.Decode[chat.TurnEnded](e)
			return end.Outcome, err
		}
	}
	return "", nil
}

// mostShown is how many messages the page without script shows.
const mostShown = 200

// talk reads a conversation and the newest of what was said in it after event number after.
func (s *Server) talk(ctx context.Context, id chat.ConversationID, after int64) (chat.Conversation, []chat.Message, error) {
	c, err := s.Store.Conversation(ctx, id)
	if err != nil {
		return c, nil, err
	}
	var newest []chat.Message
	for {
		said, next, err := s.Store.Messages(ctx, c, after, mostShown)
		newest = append(newest, said...)
		newest = newest[max(0, len(newest)-mostShown):]
		if err != nil || next == 0 {
			return c, newest, err
		}
		after = next
	}
}

// answered reports whether the answer of a turn is among the messages.
func answered(said []chat.Message, turn chat.TurnID) bool {
	return slices.ContainsFunc(said, func(m chat.Message) bool { return m.Role == chat.Assistant && m.Turn == turn })
}

// entry is one message on the page.
type entry struct {
	Role    chat.Role
	Name    string
	Text    string
	Files   []string // their names
	Blocks  []block
	Sources []source
}

// source is a document that an answer rests on, with the words that it cites.
type source struct {
	Title  string
	URL    template.URL
	Quotes []quote
}

type quote struct {
	Mark int
	Text string
}

// sources are the documents of citations, in the order of their first ones. A notice is
// none, and called so.
func sources(cited []chat.Citation, notice string) (out []source) {
	places := map[[2]string]int{}
	for _, c := range cited {
		document := [2]string{c.Generation, c.Document}
		i, ok := places[document]
		if !ok {
			i = len(out)
			places[document] = i
			title := withoutBidi(c.Title)
			if strings.HasPrefix(c.Document, chat.NoticeDocument) {
				title = notice
			}
			out = append(out, source{Title: title, URL: sourceLink(c)})
		}
		out[i].Quotes = append(out[i].Quotes, quote{c.Mark, withoutBidi(c.Quote)})
	}
	return out
}

// show puts messages on the page.
func (p *page) show(c chat.Conversation, said []chat.Message) {
	p.Begun, p.Entries = true, nil
	for _, m := range said {
		e := entry{Role: m.Role, Name: withoutBidi(m.Name)}
		if m.Role == chat.Assistant {
			e.Blocks = markdown(string(m.Text), m.Citations)
		} else {
			e.Text = withoutBidi(string(m.Text))
		}
		e.Sources = sources(m.Citations, p.Word("thread.notice"))
		for _, f := range m.Files {
			e.Files = append(e.Files, withoutBidi(f.Name))
		}
		p.Entries = append(p.Entries, e)
	}
	p.State = p.state(c)
}

// state says who answers, if it is not the assistant.
func (p *page) state(c chat.Conversation) string {
	switch {
	case c.Status == chat.Ended:
		return p.Word("shell.state_ended")
	case c.Owner == chat.Queue:
		return p.Word("shell.state_queue")
	case c.Owner == chat.AgentOwner:
		return p.Word("shell.state_person")
	}
	return ""
}

// close says below the messages how the conversation stands.
func (p *page) close(c chat.Conversation) {
	if c.Level == chat.Extractive {
		p.Lines = append(p.Lines, p.Word("plain.extractive"))
	}
	switch {
	case c.Status == chat.Ended:
		p.Lines = append(p.Lines, p.state(c)+" · "+p.Word("plain.ended"))
		p.Token, _ = access.NewToken(chat.NewConversationID())
	case c.Owner != chat.Bot:
		p.Lines = append(p.Lines, p.state(c)+" · "+p.Word("plain.waiting"))
		if line := p.people(); c.Owner == chat.Queue && line != "" {
			p.Lines = append(p.Lines, line)
		}
	case c.Turn != "":
		p.Lines = append(p.Lines, p.Word("plain.running"))
	}
}

// people says whether people are there, and when they are back, or "" where the assistant
// does not say. The time is that of the company's zone: a page without script knows no other.
func (p *page) people() string {
	h := p.Settings.Hours
	switch {
	case h == nil:
		return ""
	case h.Open:
		return p.Word("thread.queue_open")
	case h.ChangesAt == nil:
		return p.Word("thread.queue_closed")
	}
	back := h.ChangesAt.Format("2006-01-02 15:04 MST")
	return p.Word("thread.queue_closed") + " " + strings.ReplaceAll(p.Word("thread.queue_back"), "{time}", back)
}

// problem says what went wrong, in words for the customer. wait is in seconds.
func (p *page) problem(err error, wait string) string {
	switch {
	case errors.Is(err, errStaleForm):
		return p.Word("plain.error_stale")
	case errors.Is(err, errNoConsent):
		return p.Word("plain.error_consent")
	case errors.Is(err, chat.Invalid) && strings.TrimSpace(p.Text) == "":
		return p.Word("plain.error_empty")
	case errors.Is(err, chat.TooLarge):
		return p.Word("plain.error_long")
	case errors.Is(err, chat.TooMany):
		return strings.ReplaceAll(p.Word("plain.error_many"), "{n}", wait)
	case errors.Is(err, chat.Unavailable), errors.Is(err, chat.StorageFull):
		return p.Word("plain.error_busy")
	case errors.Is(err, chat.Conflict):
		return p.Word("shell.state_ended")
	}
	return p.Word("plain.error_internal")
}
