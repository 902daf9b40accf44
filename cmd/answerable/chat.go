package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/answerable/answerable/internal/app"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
)

func (c *cli) chat() *cobra.Command {
	var with talk
	cmd := &cobra.Command{
		Use:   "chat",
		Short: "Talk with an assistant in the terminal",
		Long: `Talk with an assistant in the terminal, as a customer does on the page. A line is a
message, and /help lists what else can be done. ^C stops an answer; twice leaves.

A server that runs on the data directory answers; without one, this command does it
itself, from what was ingested last or from the demo shop. On a pipe each line is a
message, which is answered before the next is read.`,
		Example: `  answerable chat
  answerable chat --conversation last
  printf 'How long does delivery take?\nAnd to Ireland?\n' | answerable chat`,
		Args: exactly(0, "no arguments: type the messages, or pipe them in"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// ^C is ours from here on: it stops an answer.
			ctx, leave := signal.NotifyContext(context.WithoutCancel(cmd.Context()), syscall.SIGTERM)
			defer leave()
			interrupts := make(chan os.Signal, 1)
			signal.Notify(interrupts, os.Interrupt)
			defer signal.Stop(interrupts)
			client, s, err := c.open(cmd.Context(), with)
			if err != nil {
				return err
			}
			d := &dialogue{c: c, with: with, client: client, lines: newLines(c.stdin, c.stdout), interrupts: interrupts, ended: map[chat.TurnID]*answer{}}
			err = d.run(ctx, s)
			if err = errors.Join(err, client.Close()); err != nil || !c.json {
				return err
			}
			return c.print(map[string]any{"conversation": d.id, "answers": d.answers})
		},
	}
	with.flags(cmd)
	return cmd
}

// dialogue is a conversation on the terminal. One goroutine reads what is typed and waits
// for the answer to it; another follows what happens and shows it.
type dialogue struct {
	c          *cli
	with       talk
	client     *app.Client
	lines      *lines
	interrupts chan os.Signal

	id      chat.ConversationID
	forget  context.CancelFunc // ends the following of the conversation
	follow  sync.WaitGroup
	last    *answer // that was shown last, or nil
	answers []*answer
	failed  int

	mu     sync.Mutex
	live   *answer                 // of the running turn, or nil
	wait   bool                    // somebody waits for it: its words are shown as they come
	ended  map[chat.TurnID]*answer // by turns that ended
	seen   int64                   // the number of the last event
	more   chan struct{}           // closed with the next event
	broken error                   // of events that could not be read
}

// errLeave: the person wants to go.
var errLeave = errors.New("leave")

// run reads lines until there are no more.
func (d *dialogue) run(ctx context.Context, s app.Standing) error {
	d.begin(ctx, s)
	defer func() { d.leave() }() // of the conversation that it is then
	defer context.AfterFunc(ctx, d.lines.abandon)()
	if d.lines.terminal() {
		d.say(fmt.Sprintf("You talk with %s. /help lists what you can do; ^C twice or ^D leaves.", s.Assistant))
	}
	for interrupted := false; ; {
		line, err := d.lines.next()
		switch {
		case errors.Is(err, errInterrupted):
			if interrupted {
				return nil
			}
			interrupted = true
			d.say("^C once more leaves.")
			continue
		case errors.Is(err, io.EOF):
			if d.failed > 0 && !d.lines.terminal() {
				return fmt.Errorf("%d of the lines failed", d.failed)
			}
			return nil
		case err != nil:
			return err
		}
		interrupted = false
		if strings.TrimSpace(line) == "" {
			continue
		}
		if strings.HasPrefix(line, "/") {
			err = d.command(ctx, line)
		} else {
			err = d.message(ctx, func() (app.Sent, error) { return d.client.Send(ctx, d.id, chat.Text(line)) })
		}
		if errors.Is(err, errLeave) {
			return nil
		}
		if err != nil {
			d.failed++
			d.c.complain(err)
		}
	}
}

// begin follows a conversation from now on.
func (d *dialogue) begin(ctx context.Context, s app.Standing) {
	ctx, d.forget = context.WithCancel(ctx)
	d.id, d.last, d.seen, d.more = s.ID, nil, s.Seq, make(chan struct{})
	d.standing(s)
	d.follow.Go(func() { d.watch(ctx, s.ID, s.Seq) })
}

func (d *dialogue) leave() {
	d.forget()
	d.follow.Wait()
}

// standing says who speaks for the company, if it is not the assistant.
func (d *dialogue) standing(s app.Standing) {
	switch {
	case s.Owner == chat.Queue && s.Queue != nil:
		d.say(fmt.Sprintf("You wait for a person: number %d in the queue.", s.Queue.Place))
	case s.Owner == chat.AgentOwner:
		d.say(cmp.Or(s.OwnerName, "A person") + " answers here.")
	}
}

// say tells something that is nobody's message.
func (d *dialogue) say(text string) {
	if d.c.json {
		return
	}
	fmt.Fprintln(d.lines, d.c.stdout.paint(dim, "("+chat.Line(text)+")"))
}

// comeBack is how long a lost connection is left alone.
const comeBack = time.Second

// watch shows what happens in a conversation until ctx ends. It comes back when the
// connection is lost.
func (d *dialogue) watch(ctx context.Context, id chat.ConversationID, after int64) {
	for lost := false; ctx.Err() == nil; {
		for e, err := range d.client.Events(ctx, id, after) {
			if err != nil {
				break
			}
			if lost {
				lost = false
				d.say("connected again")
			}
			after = max(after, e.Seq)
			d.event(e)
		}
		if ctx.Err() != nil {
			return
		}
		if !lost {
			lost = true
			d.say("the connection to the server is lost: trying again")
		}
		select {
		case <-ctx.Done():
		case <-time.After(comeBack):
		}
		if err := d.client.Reconnect(); err != nil {
			continue // it is not there yet
		}
	}
}

// event shows what happened.
func (d *dialogue) event(e chat.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.wake(e)
	switch e.Kind {
	case chat.KindAccepted:
		if b, err := chat.Decode[chat.MessageAccepted](e); err == nil && !d.wait && !d.c.json {
			fmt.Fprintln(d.lines, d.c.stdout.paint(accent, prompt)+clean(string(b.Message.Text))) // from another window
		}
	case chat.KindTurnStarted, chat.KindText, chat.KindCitation, chat.KindRetract, chat.KindLevel:
		if d.live == nil || d.live.Turn != e.Turn {
			d.live = d.c.newAnswer(d.id)
			d.live.Turn = e.Turn
			if !d.wait || e.Kind != chat.KindTurnStarted {
				d.live.text = nil // nobody waits, or the start was missed: it is shown whole
			}
		}
		d.broken = errors.Join(d.broken, d.live.take(e))
	case chat.KindTurnEnded:
		if d.live == nil || d.live.Turn != e.Turn {
			d.live = &answer{Conversation: d.id, Turn: e.Turn, Citations: []chat.Citation{}}
		}
		d.broken = errors.Join(d.broken, d.live.take(e))
		if d.live.text == nil && !d.c.json {
			fmt.Fprintln(d.lines, clean(string(d.live.Text)))
		}
		d.ended[e.Turn], d.live = d.live, nil
	case chat.KindAgent:
		if b, err := chat.Decode[chat.AgentSpoke](e); err == nil && !d.c.json {
			who := d.c.stdout.paint(bold, chat.Line(cmp.Or(b.Message.Name, "a person"))+":")
			fmt.Fprintln(d.lines, who+" "+clean(string(b.Message.Text)))
		}
	case chat.KindOwner:
		if b, err := chat.Decode[chat.OwnerChanged](e); err == nil {
			switch b.Owner {
			case chat.Queue:
				d.say("You wait for a person.")
			case chat.AgentOwner:
				d.say(cmp.Or(b.Name, "A person") + " answers from now on.")
			case chat.Bot:
				d.say("The assistant answers again.")
			}
		}
	case chat.KindQueue:
		if b, err := chat.Decode[chat.QueueMoved](e); err == nil && b.Place > 0 {
			d.say(fmt.Sprintf("You are number %d in the queue.", b.Place))
		}
	case chat.KindClosed:
		d.say("The conversation was closed: /new starts another.")
	}
}

// wake tells who waits what was seen. d.mu is held.
func (d *dialogue) wake(e chat.Event) {
	d.seen = max(d.seen, e.Seq)
	close(d.more)
	d.more = make(chan struct{})
}

// until waits for what happens to make something true. ^C stops the running answer; once
// more leaves.
func (d *dialogue) until(ctx context.Context, happened func() bool) error {
	for stopped := false; ; {
		d.mu.Lock()
		done, more, broken := happened(), d.more, d.broken
		d.broken = nil
		d.mu.Unlock()
		if broken != nil {
			return broken
		}
		if done {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return errLeave
		case <-d.interrupts:
			if stopped {
				return errLeave
			}
			stopped = true
			if _, err := d.client.Act(ctx, d.id, "stop", nil); err != nil {
				return err
			}
		}
	}
}

// act does one of the things that a customer may do, and waits until it has shown.
func (d *dialogue) act(ctx context.Context, what string, body map[string]any) error {
	sent, err := d.client.Act(ctx, d.id, what, body)
	if err != nil {
		return err
	}
	return d.until(ctx, func() bool { return d.seen >= sent.Seq })
}

// message sends something that is to be answered, and waits for the answer.
func (d *dialogue) message(ctx context.Context, send func() (app.Sent, error)) error {
	d.waiting(true)
	defer d.waiting(false)
	select {
	case <-d.interrupts: // it was meant for what is over
	default:
	}
	sent, err := send()
	if err != nil {
		return err
	}
	if sent.Turn == "" {
		d.answers = append(d.answers, &answer{Conversation: d.id, Citations: []chat.Citation{}})
		d.say("A person has this conversation: the message is with them.")
		return d.until(ctx, func() bool { return d.seen >= sent.Seq })
	}
	var a *answer
	if err := d.until(ctx, func() bool { a = d.ended[sent.Turn]; return a != nil }); err != nil {
		return err
	}
	d.done(a)
	return nil
}

func (d *dialogue) waiting(wait bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wait = wait
	if wait && d.lines.terminal() {
		d.c.stdout.draw(d.c.stdout.paint(dim, "…"))
	} else if d.lines.terminal() {
		d.c.stdout.draw("")
	}
}

// done shows what comes behind an answer's words: where they are from, and how it ended.
func (d *dialogue) done(a *answer) {
	d.last = a
	d.answers = append(d.answers, a)
	if a.Outcome == chat.Failed || a.Outcome == chat.Interrupted {
		d.failed++
	}
	if d.c.json {
		return
	}
	for _, x := range a.Citations {
		fmt.Fprintln(d.c.stdout, d.c.source(x))
	}
	d.c.remarks(a)
	if d.lines.terminal() {
		fmt.Fprintln(d.c.stdout)
	}
}

// chatCommand is what can be typed beside messages.
type chatCommand struct {
	name, argument, help string
	do                   func(d *dialogue, ctx context.Context, argument string) error
}

// chatCommands are in the order in which /help lists them.
func chatCommands() []chatCommand {
	return []chatCommand{
		{"sources", "[N]", "the words that support the last answer, or only mark N", (*dialogue).sources},
		{"trace", "", "how the last answer came about", (*dialogue).trace},
		{"retry", "", "have the last message answered again", (*dialogue).retry},
		{"stop", "", "stop a running answer, as ^C does", (*dialogue).stop},
		{"person", "[REASON]", "ask for a person", (*dialogue).person},
		{"good", "[WHY]", "rate the last answer as good", func(d *dialogue, ctx context.Context, why string) error { return d.rate(ctx, chat.Up, why) }},
		{"bad", "[WHY]", "rate the last answer as bad", func(d *dialogue, ctx context.Context, why string) error { return d.rate(ctx, chat.Down, why) }},
		{"new", "", "start a new conversation", (*dialogue).anew},
		{"help", "", "this list", (*dialogue).help},
		{"quit", "", "leave, as ^D does", func(*dialogue, context.Context, string) error { return errLeave }},
	}
}

// command does what a line with a slash says.
func (d *dialogue) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	var names []string
	for _, cmd := range chatCommands() {
		if cmd.name == name {
			return cmd.do(d, ctx, strings.TrimSpace(argument))
		}
		names = append(names, cmd.name)
	}
	return fmt.Errorf("there is no /%s%s; /help lists what there is, and a message that begins with a slash needs a space before it",
		name, strings.ReplaceAll(config.Meant(name, names), `mean "`, `mean "/`))
}

// shown returns the last answer.
func (d *dialogue) shown() (*answer, error) {
	if d.last == nil {
		return nil, errors.New("there is no answer yet: ask something first")
	}
	return d.last, nil
}

func (d *dialogue) sources(_ context.Context, number string) error {
	a, err := d.shown()
	if err != nil {
		return err
	}
	if len(a.Citations) == 0 {
		d.say("The last answer cites nothing.")
	}
	n, err := strconv.Atoi(number)
	if number != "" && err != nil {
		return fmt.Errorf("/sources takes the number of a mark, not %q", number)
	}
	found := false
	for _, x := range a.Citations {
		if number == "" || x.Mark == n {
			found = true
			d.c.footnote(x)
		}
	}
	if !found && number != "" {
		return fmt.Errorf("the last answer has no mark [%d]", n)
	}
	return nil
}

func (d *dialogue) trace(ctx context.Context, _ string) error {
	a, err := d.shown()
	if err != nil {
		return err
	}
	t, err := d.client.Record(ctx, a.Turn)
	if err != nil {
		return err
	}
	d.c.trace(d.c.stdout, t)
	return nil
}

func (d *dialogue) retry(ctx context.Context, _ string) error {
	a, err := d.shown()
	if err != nil {
		return err
	}
	return d.message(ctx, func() (app.Sent, error) {
		return d.client.Act(ctx, d.id, "retry", map[string]any{"turn": a.Turn})
	})
}

func (d *dialogue) stop(ctx context.Context, _ string) error {
	return d.act(ctx, "stop", nil)
}

func (d *dialogue) person(ctx context.Context, reason string) error {
	body := map[string]any{}
	if reason != "" {
		body["reason"] = reason
	}
	return d.act(ctx, "handoff", body)
}

func (d *dialogue) rate(ctx context.Context, rating chat.Rating, why string) error {
	a, err := d.shown()
	if err != nil {
		return err
	}
	body := map[string]any{"turn": a.Turn, "rating": rating}
	if why != "" {
		body["text"] = why
	}
	if err := d.act(ctx, "feedback", body); err != nil {
		return err
	}
	d.say("Noted.")
	return nil
}

// anew starts another conversation with the same assistant.
func (d *dialogue) anew(ctx context.Context, _ string) error {
	with := d.with
	if with.conversation != "" {
		s, err := d.client.Conversation(ctx, d.id)
		if err != nil {
			return err
		}
		with.assistant = s.Assistant
	}
	id, err := d.client.Start(ctx, with.assistant, with.test)
	if err != nil {
		return err
	}
	s, err := d.client.Conversation(ctx, id)
	if err != nil {
		return err
	}
	d.leave()
	d.begin(ctx, s)
	d.say("A new conversation begins.")
	return d.client.Remember(id)
}

func (d *dialogue) help(context.Context, string) error {
	if d.c.json {
		return nil
	}
	for _, cmd := range chatCommands() {
		usage := strings.TrimSpace("/" + cmd.name + " " + cmd.argument)
		fmt.Fprintln(d.c.stdout, "  "+d.c.stdout.paint(bold, pad(usage, 18))+cmd.help)
	}
	return nil
}
