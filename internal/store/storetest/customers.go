package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

func (f *fixture) createFor(p chat.Person, assistant string, test bool) chat.ConversationID {
	f.Helper()
	c, err := f.s.Create(f.ctx, store.NewConversation{ID: chat.NewConversationID(), Assistant: assistant, TokenHash: []byte("hash"), Test: test, Person: p})
	f.check(err)
	return c.ID
}

func (f *fixture) wantOwns(p chat.Person, id chat.ConversationID, want bool) {
	f.Helper()
	got, err := f.s.Owns(f.ctx, p, id)
	f.check(err)
	if got != want {
		f.Errorf("Owns(%s, %s) = %t", p.ID, id, got)
	}
}

// list reads all of a person's list in pages, as ids.
func (f *fixture) list(p chat.Person, size int) (ids []chat.ConversationID) {
	f.Helper()
	var after store.Place
	for {
		page, err := f.s.ConversationsOf(f.ctx, p, nil, after, size)
		f.check(err)
		for _, c := range page {
			ids = append(ids, c.ID)
		}
		if len(page) < size {
			return ids
		}
		after = store.Place{At: page[size-1].At, ID: page[size-1].ID}
	}
}

func (f *fixture) wantList(p chat.Person, want ...chat.ConversationID) {
	f.Helper()
	if got := f.list(p, 100); !reflect.DeepEqual(got, want) {
		f.Errorf("the list of %s is %v, want %v", p.ID, got, want)
	}
}

var (
	ada      = chat.Person{ID: "ada ü", Name: "Ada", Email: "ada@shop.example"}
	bob      = chat.Person{ID: "bob"}
	shouting = chat.Person{ID: "ADA ü"}
)

func (f *fixture) persons() {
	first := f.createFor(ada, "demo", false)
	second := f.createFor(chat.Person{ID: ada.ID}, "demo", false)
	his := f.createFor(bob, "demo", false)
	nobodys := f.create()
	a, err := f.s.Conversation(f.ctx, first)
	f.check(err)
	b, err := f.s.Conversation(f.ctx, second)
	f.check(err)
	if a.Customer == "" || a.Customer != b.Customer {
		f.Errorf("one person is the customers %q and %q", a.Customer, b.Customer)
	}
	for id, owner := range map[chat.ConversationID]chat.Person{first: ada, second: ada, his: bob, nobodys: {}, "c0": {}} {
		for _, p := range []chat.Person{ada, bob, shouting, {}} {
			f.wantOwns(p, id, p.ID != "" && p.ID == owner.ID)
		}
	}
	f.accept(first, "hello", "")
	f.wantList(ada, first, second)
	f.wantList(bob, his)
	f.wantList(shouting)
	f.wantList(chat.Person{})
}

func (f *fixture) personRaced() {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { f.createFor(ada, "demo", false) })
	}
	wg.Wait()
	if n := len(f.list(ada, 100)); n != 16 {
		f.Errorf("%d conversations, want 16", n)
	}
}

func (f *fixture) links() {
	id, other := f.create(), f.create()
	f.accept(id, "before", "")
	for _, p := range []chat.Person{ada, {ID: ada.ID}} { // again is without effect, and forgets nothing
		known, err := f.s.Link(f.ctx, id, p)
		f.check(err)
		if known != ada {
			f.Errorf("Link = %+v, want %+v", known, ada)
		}
	}
	known, err := f.s.Link(f.ctx, id, chat.Person{ID: ada.ID, Name: "Ada L."})
	f.check(err)
	if want := (chat.Person{ID: ada.ID, Name: "Ada L.", Email: ada.Email}); known != want {
		f.Errorf("Link = %+v, want %+v", known, want)
	}
	f.wantOwns(ada, id, true)
	f.wantOwns(ada, other, false)
	f.accept(id, "after", "")
	f.wantLog(id, "message.accepted before", "turn.started", "message.accepted after")

	own := f.createFor(ada, "demo", false)
	_, err = f.s.Link(f.ctx, own, ada)
	f.check(err)
	for _, taken := range []chat.ConversationID{id, own} {
		_, err := f.s.Link(f.ctx, taken, bob)
		f.wantKind(err, chat.Conflict)
		f.wantOwns(bob, taken, false)
		f.wantOwns(ada, taken, true)
	}
	_, err = f.s.Link(f.ctx, "c0", ada)
	f.wantKind(err, chat.NotFound)
	if got := f.list(ada, 100); len(got) != 2 {
		f.Errorf("the list is %v, want two", got)
	}
	f.wantList(bob)
}

func (f *fixture) linkRaced() {
	id := f.create()
	var wg sync.WaitGroup
	var linked atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			_, err := f.s.Link(f.ctx, id, chat.Person{ID: fmt.Sprint(i)})
			if err == nil {
				linked.Add(1)
			} else if !errors.Is(err, chat.Conflict) {
				f.Error(err)
			}
		})
	}
	wg.Wait()
	owners := 0
	for i := range 8 {
		owns, err := f.s.Owns(f.ctx, chat.Person{ID: fmt.Sprint(i)}, id)
		f.check(err)
		if owns {
			owners++
		}
	}
	if linked.Load() != 1 || owners != 1 {
		f.Errorf("%d were told that it is theirs, and it is of %d", linked.Load(), owners)
	}
}

func (f *fixture) listed() {
	var want []chat.ConversationID // the newest first
	for i := range 6 {
		var id chat.ConversationID
		if i%2 == 0 {
			id = f.createFor(ada, "demo", false)
		} else {
			id = f.create()
			_, err := f.s.Link(f.ctx, id, ada)
			f.check(err)
		}
		f.createFor(bob, "demo", false)
		f.createFor(ada, "demo", true) // a test
		want = append([]chat.ConversationID{id}, want...)
	}
	for _, size := range []int{1, 2, 3, 4, 100} {
		if got := f.list(ada, size); !reflect.DeepEqual(got, want) {
			f.Errorf("pages of %d: %v, want %v", size, got, want)
		}
	}

	// What goes on between two pages is on neither of the later ones, and moves nothing.
	page, err := f.s.ConversationsOf(f.ctx, ada, nil, store.Place{}, 2)
	f.check(err)
	newest := want[4]
	a := f.accept(newest, "Where is my order?", "")
	st := f.show(a.Open, "On its way.")
	_, err = f.settle(a.Open, st, "On its way.")
	f.check(err)
	page, err = f.s.ConversationsOf(f.ctx, ada, nil, store.Place{At: page[1].At, ID: page[1].ID}, 10)
	f.check(err)
	var rest []chat.ConversationID
	for _, c := range page {
		rest = append(rest, c.ID)
	}
	if !reflect.DeepEqual(rest, []chat.ConversationID{want[2], want[3], want[5]}) {
		f.Errorf("the second page is %v, want %v without %s", rest, want[2:], newest)
	}

	// Its first and last words, and what is new in it.
	b := f.accept(newest, "Thanks", "")
	now, err := f.s.End(f.ctx, newest, "")
	f.check(err)
	page, err = f.s.ConversationsOf(f.ctx, ada, nil, store.Place{}, 2)
	f.check(err)
	if want := (store.Listed{ID: newest, At: now.LastAt, Status: chat.Ended, First: "Where is my order?", Last: "Thanks", Unread: 1}); page[0] != want {
		f.Errorf("listed as %+v, want %+v (after %+v)", page[0], want, b)
	}
	if page[1].First != "" || page[1].Last != "" || page[1].Unread != 0 || page[1].Status != chat.Open {
		f.Errorf("where nothing was said: %+v", page[1])
	}

	other := f.createFor(ada, "other", false)
	for _, c := range []struct{ assistants, want []string }{
		{[]string{"other"}, []string{string(other)}},
		{[]string{"gone", "other"}, []string{string(other)}},
		{[]string{}, nil},
	} {
		var got []string
		page, err := f.s.ConversationsOf(f.ctx, ada, c.assistants, store.Place{}, 10)
		f.check(err)
		for _, l := range page {
			got = append(got, string(l.ID))
		}
		if !reflect.DeepEqual(got, c.want) {
			f.Errorf("of the assistants %q: %v, want %v", c.assistants, got, c.want)
		}
	}
}
