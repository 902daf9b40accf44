package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

func (f *fixture) upload(id chat.ConversationID, name, content string) chat.File {
	f.Helper()
	file, err := f.s.Upload(f.ctx, id, name, "text/plain", strings.NewReader(content))
	f.check(err)
	return file
}

func (f *fixture) content(id chat.ConversationID, file chat.File) []byte {
	f.Helper()
	var all []byte
	for part, err := range f.s.Content(f.ctx, f.conversation(id), file) {
		f.check(err)
		all = append(all, part...)
	}
	return all
}

// pattern is content in which no two parts are the same.
func pattern(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintln(&b, i)
	}
	return b.Bytes()[:n]
}

func (f *fixture) uploads() {
	id, other := f.create(), f.create()
	before := f.conversation(id)
	for _, size := range []int{1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 7} {
		want := pattern(size)
		up, err := f.s.Upload(f.ctx, id, "Größe.png", "image/png", bytes.NewReader(want))
		f.check(err)
		got, err := f.s.File(f.ctx, before, up.ID)
		f.check(err)
		if got != up || got.Name != "Größe.png" || got.Type != "image/png" || got.Bytes != int64(size) {
			f.Errorf("File = %+v, Upload = %+v", got, up)
		}
		if got := f.content(id, up); !bytes.Equal(got, want) {
			f.Errorf("%d bytes came back as %d others", size, len(got))
		}
		_, err = f.s.File(f.ctx, f.conversation(other), up.ID)
		f.wantKind(err, chat.NotFound)
	}
	if after := f.conversation(id); after != before {
		f.Errorf("an upload changed the conversation from %+v to %+v", before, after)
	}
	_, err := f.s.Upload(f.ctx, "c0", "a", "text/plain", strings.NewReader("x"))
	f.wantKind(err, chat.NotFound)
	_, err = f.s.Upload(f.ctx, id, "a", "text/plain", strings.NewReader(""))
	f.wantKind(err, chat.Invalid)
	_, err = f.s.End(f.ctx, id, "")
	f.check(err)
	_, err = f.s.Upload(f.ctx, id, "a", "text/plain", strings.NewReader("x"))
	f.wantKind(err, chat.Conflict)
}

func (f *fixture) uploadsWhole() {
	id := f.create()
	for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("the line is cut"), fmt.Errorf("the form: %w", io.EOF)} {
		_, err := f.s.Upload(f.ctx, id, "a", "text/plain", io.MultiReader(bytes.NewReader(pattern(1<<20+5)), failing{cause}))
		if !errors.Is(err, cause) {
			f.Errorf("Upload = %v, want %v", err, cause)
		}
	}
	if n, err := f.s.DropUnsent(f.ctx, time.Now().Add(time.Hour)); n != 0 || err != nil {
		f.Errorf("%d pieces were left, %v", n, err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

func (f *fixture) fileRoom() {
	id := f.create()
	var all sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range 24 { // at once
		all.Go(func() {
			if _, err := f.s.Upload(f.ctx, id, "a", "text/plain", strings.NewReader("x")); err != nil {
				if !errors.Is(err, chat.TooLarge) {
					f.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				refused++
			}
		})
	}
	all.Wait()
	if refused != 4 {
		f.Errorf("%d of 24 files were refused, want 4", refused)
	}
	large := f.create()
	_, err := f.s.Upload(f.ctx, large, "a", "text/plain", bytes.NewReader(make([]byte, 50<<20)))
	f.check(err)
	_, err = f.s.Upload(f.ctx, large, "a", "text/plain", strings.NewReader("x"))
	f.wantKind(err, chat.TooLarge)
	_, err = f.s.Upload(f.ctx, f.create(), "a", "text/plain", bytes.NewReader(make([]byte, 50<<20+1)))
	f.wantKind(err, chat.TooLarge)
}

func (f *fixture) sendsFiles() {
	id, other := f.create(), f.create()
	one, two := f.upload(id, "one.txt", "1"), f.upload(id, "two.txt", "2")
	send := func(id chat.ConversationID, clientID string, files ...chat.FileID) (chat.Accepted, error) {
		return f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "see", ClientID: clientID, Files: files, Node: f.node}, nil)
	}
	for _, bad := range [][]chat.FileID{{"f0"}, {one.ID, one.ID}, {two.ID, "f0"}} {
		_, err := send(id, "", bad...)
		f.wantKind(err, chat.Invalid)
	}
	_, err := send(other, "", one.ID)
	f.wantKind(err, chat.Invalid)
	a, err := send(id, "k", two.ID, one.ID) // what was refused took nothing along
	f.check(err)
	want := fmt.Sprint([]chat.File{two, one})
	ms, _, err := f.s.Messages(f.ctx, f.conversation(id), 0, 10)
	f.check(err)
	events, err := f.s.After(f.ctx, id, 0, 1)
	f.check(err)
	told, err := chat.Decode[chat.MessageAccepted](events[0])
	f.check(err)
	for _, got := range [][]chat.File{a.Message.Files, a.Open.Messages[0].Files, ms[0].Files, told.Message.Files} {
		if fmt.Sprint(got) != want {
			f.Errorf("files = %v, want %s", got, want)
		}
	}
	again, err := send(id, "k", two.ID, one.ID)
	f.check(err)
	if again.Effect != chat.Repeated || fmt.Sprint(again.Message.Files) != want {
		f.Errorf("again: %+v", again)
	}
	for _, others := range [][]chat.FileID{nil, {two.ID}, {one.ID, two.ID}} {
		_, err := send(id, "k", others...)
		f.wantKind(err, chat.Conflict)
	}
	_, err = send(id, "", one.ID)
	f.wantKind(err, chat.Invalid)

	_, err = f.s.Take(f.ctx, other, "Ann")
	f.check(err)
	form := f.upload(other, "form.txt", "1")
	said := chat.Incoming{Conversation: other, Text: "see", ClientID: "k", Files: []chat.FileID{form.ID}}
	for range 2 {
		m, _, err := f.s.Say(f.ctx, "Ann", said)
		f.check(err)
		if len(m.Files) != 1 || m.Files[0] != form {
			f.Errorf("the agent's files are %v", m.Files)
		}
	}
}

func (f *fixture) sendsNoWords() {
	id := f.create()
	send := func() chat.Accepted {
		f.Helper()
		file := f.upload(id, "a", "x")
		a, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: " ", Files: []chat.FileID{file.ID}, Node: f.node}, nil)
		f.check(err)
		if a.Effect != chat.Rests || a.Message.Turn != "" {
			f.Errorf("Accept = %+v", a)
		}
		return a
	}
	send()
	running := f.accept(id, "what is that?", "").Open
	send() // neither merges nor waits
	if c := f.conversation(id); c.Turn != running.ID || c.Term != running.Conversation.Term || c.Waiting != "" {
		f.Errorf("conversation = %+v", c)
	}
}

func (f *fixture) dropsUnsent() {
	id := f.create()
	sent, kept := f.upload(id, "sent", "1"), f.upload(id, "kept", "2")
	_, err := f.s.Accept(f.ctx, chat.Incoming{Conversation: id, Text: "see", Files: []chat.FileID{sent.ID}, Node: f.node}, nil)
	f.check(err)
	drop := func(before time.Time, want int) {
		f.Helper()
		if n, err := f.s.DropUnsent(f.ctx, before); n != want || err != nil {
			f.Errorf("DropUnsent = %d, %v, want %d", n, err, want)
		}
	}
	drop(time.Now().Add(-time.Hour), 0)
	if got := string(f.content(id, kept)); got != "2" {
		f.Errorf("a new file has %q", got)
	}
	drop(time.Now().Add(time.Hour), 1)
	drop(time.Now().Add(time.Hour), 0)
	_, err = f.s.File(f.ctx, f.conversation(id), kept.ID)
	f.wantKind(err, chat.NotFound)
	for _, err := range f.s.Content(f.ctx, f.conversation(id), kept) {
		if err == nil {
			f.Error("the contents of a dropped file are there")
		}
	}
	if got := string(f.content(id, sent)); got != "1" {
		f.Errorf("a file that was sent has %q", got)
	}
}
