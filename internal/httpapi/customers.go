package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/store"
)

// listed is a conversation as its customer's list shows it.
type listed struct {
	ID     chat.ConversationID `json:"id"`
	Title  string              `json:"title"`
	At     chat.Time           `json:"at"`
	Last   string              `json:"last"`
	Unread int                 `json:"unread"`
	Ended  bool                `json:"ended,omitempty"`
}

const (
	mostListed = 100
	titleRunes = 80
	lastRunes  = 120
)

// history lists the conversations of the customer who is signed in, the newest first.
func (s *Server) history(w http.ResponseWriter, r *http.Request) error {
	person, err := s.signedIn(r)
	if err != nil {
		return err
	}
	after, err := place(r)
	if err != nil {
		return err
	}
	limit, err := pageSize(r)
	if err != nil {
		return err
	}
	limit = min(limit, mostListed)
	found, err := s.Store.ConversationsOf(r.Context(), person, s.visited(r), after, limit+1)
	if err != nil {
		return err
	}
	page := struct {
		Conversations []listed `json:"conversations"`
		Next          string   `json:"next,omitempty"`
	}{Conversations: []listed{}}
	for _, c := range found[:min(len(found), limit)] {
		page.Conversations = append(page.Conversations, listed{c.ID, excerpt(c.First, titleRunes), c.At, excerpt(chat.Text(plainText(string(c.Last))), lastRunes), c.Unread, c.Status == chat.Ended})
	}
	if len(found) > limit {
		last := found[limit-1]
		page.Next = fmt.Sprintf("%d-%s", last.At.UnixMicro(), last.ID)
	}
	return write(w, http.StatusOK, page)
}

// visited returns the assistants that are at home where the page that asks is; nil is all.
func (s *Server) visited(r *http.Request) []string {
	if _, foreign := s.foreign(r); !foreign {
		return nil
	}
	names := []string{}
	for _, name := range s.Assistants.Names() {
		if s.visits(r, name) == nil {
			names = append(names, name)
		}
	}
	return names
}

// place reads where the page before ended.
func place(r *http.Request) (store.Place, error) {
	after := r.URL.Query().Get("after")
	if after == "" {
		return store.Place{}, nil
	}
	at, id, _ := strings.Cut(after, "-")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !access.IsID(id) {
		return store.Place{}, &chat.Error{Kind: malformed, Message: "after must be the next of the page before"}
	}
	return store.Place{At: chat.Micro(micro), ID: chat.ConversationID(id)}, nil
}

// excerpt returns the start of a text on one line, of at most n code points: whole words,
// unless there are none, and an ellipsis where more follows.
func excerpt(text chat.Text, n int) string {
	runes := []rune(chat.Line(string(text)))
	if len(runes) <= n {
		return string(runes)
	}
	cut := n - 1
	for cut > n/2 && runes[cut] != ' ' {
		cut--
	}
	if runes[cut] != ' ' { // a script without spaces, or an address
		for cut = n - 1; cut > n/2 && joined(runes[cut-1], runes[cut]); {
			cut--
		}
	}
	return strings.TrimRight(string(runes[:cut]), " ") + "…"
}

// joined reports whether two code points are shown as one.
func joined(a, b rune) bool {
	const joiner = '\u200d'
	return a == joiner || b == joiner || unicode.IsMark(b)
}

// identify makes the conversation of a visitor who has signed in theirs.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	var body struct {
		Identity string `json:"identity"`
	}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	person, err := s.Access.Identities.Verify(body.Identity, time.Now())
	if err != nil {
		return err
	}
	if err := s.admitMessage(w, c, id); err != nil {
		return err
	}
	known, err := s.Store.Link(r.Context(), id, person)
	if err != nil {
		return err
	}
	var answer struct {
		Customer struct {
			ID   string `json:"id"`
			Name string `json:"name,omitempty"`
		} `json:"customer"`
	}
	answer.Customer.ID, answer.Customer.Name = known.ID, known.Name
	return write(w, http.StatusOK, answer)
}
