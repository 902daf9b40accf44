package storetest

import (
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerable/answerable/internal/chat"
)

// key stores a key whose hash is its id.
func (f *fixture) key(id, name string, scopes ...chat.Scope) chat.APIKey {
	f.Helper()
	k := chat.APIKey{ID: id, Name: name, Scopes: scopes, Assistants: []string{}, CreatedAt: chat.Now(), CreatedBy: "test"}
	f.check(f.s.AddKey(f.ctx, k, []byte(id)))
	return k
}

func (f *fixture) keyOf(hash string) chat.APIKey {
	f.Helper()
	k, err := f.s.Key(f.ctx, []byte(hash))
	f.check(err)
	return k
}

func (f *fixture) wantClosed(want bool) {
	f.Helper()
	got, err := f.s.Closed(f.ctx)
	f.check(err)
	if got != want {
		f.Errorf("Closed = %t", got)
	}
}

func (f *fixture) keys() {
	f.wantClosed(false)
	later := chat.Micro(chat.Now().Add(time.Hour).UnixMicro())
	k := chat.APIKey{ID: "k1", Name: "shop", Scopes: []chat.Scope{chat.ScopeChat, chat.ScopeView}, Assistants: []string{"demo", "ü"},
		CreatedAt: chat.Now(), CreatedBy: "boss", ExpiresAt: &later}
	f.check(f.s.AddKey(f.ctx, k, []byte("h1")))
	f.wantClosed(true)
	if got := f.keyOf("h1"); !reflect.DeepEqual(got, k) {
		f.Errorf("Key = %+v, want %+v", got, k)
	}
	_, err := f.s.Key(f.ctx, []byte("h2"))
	f.wantKind(err, chat.NotFound)
	f.wantKind(f.s.AddKey(f.ctx, chat.APIKey{ID: "k2", Name: "shop"}, []byte("h2")), chat.Conflict)
	f.key("k0", "desk", chat.ScopeAgent)
	all, err := f.s.Keys(f.ctx)
	f.check(err)
	if len(all) != 2 || all[0].Name != "desk" || !reflect.DeepEqual(all[1], k) {
		f.Errorf("Keys = %+v", all)
	}
}

func (f *fixture) revokesKeys() {
	f.key("k1", "shop", chat.ScopeChat)
	k, err := f.s.RevokeKey(f.ctx, "k1", "boss", false)
	f.check(err)
	now := time.Now()
	if k.State(now) != chat.KeyRevoked || k.RevokedBy != "boss" || f.keyOf("k1").State(now) != chat.KeyRevoked {
		f.Errorf("revoked: %+v, read: %+v", k, f.keyOf("k1"))
	}
	again, err := f.s.RevokeKey(f.ctx, "k1", "another", false)
	f.check(err)
	if !reflect.DeepEqual(again, f.keyOf("k1")) || again.RevokedBy != "boss" {
		f.Errorf("revoked again: %+v", again)
	}
	_, err = f.s.RevokeKey(f.ctx, "gone", "boss", true)
	f.wantKind(err, chat.NotFound)
	f.wantClosed(true) // there is no key that opens anything, and it was closed once
	f.key("k2", "shop", chat.ScopeChat)
	f.wantKind(f.s.AddKey(f.ctx, chat.APIKey{ID: "k3", Name: "shop"}, []byte("h3")), chat.Conflict)
}

func (f *fixture) lastAdminKey() {
	over := chat.Micro(chat.Now().Add(-time.Hour).UnixMicro())
	f.check(f.s.AddKey(f.ctx, chat.APIKey{ID: "k0", Name: "expired", Scopes: []chat.Scope{chat.ScopeAdmin}, ExpiresAt: &over}, []byte("h0")))
	f.key("k1", "chat", chat.ScopeChat)
	f.key("k2", "one", chat.ScopeAdmin)
	f.key("k3", "two", chat.ScopeAdmin)
	var all sync.WaitGroup
	var done, refused atomic.Int64
	for _, id := range []string{"k2", "k3"} {
		all.Go(func() {
			switch _, err := f.s.RevokeKey(f.ctx, id, "boss", false); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, chat.Conflict):
				refused.Add(1)
			default:
				f.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || refused.Load() != 1 {
		f.Errorf("%d of the last two were revoked, %d refused, want 1 and 1", done.Load(), refused.Load())
	}
	for _, id := range []string{"k0", "k1", "k2", "k3"} {
		_, err := f.s.RevokeKey(f.ctx, id, "boss", true)
		f.check(err)
	}
}

func (f *fixture) notesKeys() {
	f.key("k1", "shop", chat.ScopeChat)
	f.key("k2", "desk", chat.ScopeChat)
	f.check(f.s.NoteKeys(f.ctx))
	if got := f.keyOf("k1").LastUsedAt; got != nil {
		f.Errorf("used at %v before it was", got)
	}
	f.check(f.s.NoteKeys(f.ctx))
	first := f.keyOf("k1").LastUsedAt
	if first == nil || time.Since(first.Time) > time.Minute {
		f.Fatalf("used at %v, want now", first)
	}
	f.check(f.s.NoteKeys(f.ctx))
	if got := f.keyOf("k1").LastUsedAt; !reflect.DeepEqual(got, first) {
		f.Errorf("noted again at %v after %v", got, first)
	}
	all, err := f.s.Keys(f.ctx)
	f.check(err)
	if all[0].Name != "desk" || all[0].LastUsedAt != nil {
		f.Errorf("to list a key is to use it: %+v", all[0])
	}
}

func (f *fixture) listsAssistants() {
	a, b := f.createFor(chat.Person{}, "a", false), f.createFor(chat.Person{}, "b", false)
	for _, test := range []struct {
		assistants []string
		want       []chat.ConversationID
	}{
		{nil, []chat.ConversationID{a, b}}, {[]string{}, nil}, {[]string{"a"}, []chat.ConversationID{a}},
		{[]string{"b", "c"}, []chat.ConversationID{b}}, {[]string{"a", "b"}, []chat.ConversationID{a, b}},
	} {
		found, err := f.s.Conversations(f.ctx, chat.Bot, test.assistants, "", 10, nil)
		f.check(err)
		var ids []chat.ConversationID
		for _, c := range found {
			ids = append(ids, c.ID)
		}
		if !reflect.DeepEqual(ids, test.want) {
			f.Errorf("Conversations(%q) = %v, want %v", test.assistants, ids, test.want)
		}
	}
}
