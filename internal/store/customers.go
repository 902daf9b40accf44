package store

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/answerable/answerable/internal/chat"
)

// A customer is anonymous or a person. An anonymous one is made with each conversation
// and has a key of their own. A person is found again by the HMAC of the id that the
// company gave them. When an anonymous customer turns out to be a person, their row points
// to the person's, and nothing is sealed again.

// anonymous makes a new anonymous customer.
func (t *tx) anonymous(now chat.Time) (chat.CustomerID, cipher.AEAD, error) {
	id := chat.NewCustomerID()
	key, wrapped := t.w.s.seal.newKey(id)
	if _, err := t.exec(`INSERT INTO customers (id, wrapped_key, created_at) VALUES ($1, $2, $3)`,
		string(id), wrapped, now.UnixMicro()); err != nil {
		return id, nil, fmt.Errorf("insert the customer: %w", err)
	}
	return id, key, nil
}

// outsideMAC is what a person is found by. It tells nobody without the installation key
// who they are.
func (s *Store) outsideMAC(p chat.Person) []byte {
	h := hmac.New(sha256.New, s.seal.mac)
	h.Write([]byte("outside id of a customer: " + p.ID))
	return h.Sum(nil)
}

func personCell(id chat.CustomerID) cell {
	return cell{table: "customers", column: "outside_sealed", row: string(id)}
}

// person finds or makes the customer who is a person, and returns what is known of them:
// p, and what p leaves out from before.
func (t *tx) person(p chat.Person, now chat.Time) (chat.CustomerID, cipher.AEAD, chat.Person, error) {
	mac := t.w.s.outsideMAC(p)
	id, sealed, err := t.findPerson(mac)
	if errors.Is(err, sql.ErrNoRows) {
		if err := t.makePerson(p, mac, now); err != nil {
			return "", nil, p, err
		}
		id, sealed, err = t.findPerson(mac)
	}
	if err != nil {
		return "", nil, p, fmt.Errorf("find the customer: %w", err)
	}
	key, err := t.w.s.seal.key(t.ctx, t, id)
	if err != nil {
		return "", nil, p, err
	}
	plain, err := open(key, personCell(id), sealed)
	if err != nil {
		return "", nil, p, err
	}
	var known chat.Person
	if err := json.Unmarshal(plain, &known); err != nil {
		return "", nil, p, fmt.Errorf("decode customer %s: %w", id, err)
	}
	p.Name, p.Email = cmp.Or(p.Name, known.Name), cmp.Or(p.Email, known.Email)
	if p != known {
		if sealed, err = sealPerson(key, id, p); err != nil {
			return "", nil, p, err
		}
		if _, err := t.exec(`UPDATE customers SET outside_sealed = $1 WHERE id = $2`, sealed, string(id)); err != nil {
			return "", nil, p, fmt.Errorf("note the customer's name: %w", err)
		}
	}
	return id, key, p, nil
}

func (t *tx) findPerson(mac []byte) (id chat.CustomerID, sealed []byte, err error) {
	err = t.row(`SELECT id, outside_sealed FROM customers WHERE outside_mac = $1`, mac).Scan(&id, &sealed)
	return id, sealed, err
}

// makePerson inserts a person, unless another node was faster.
func (t *tx) makePerson(p chat.Person, mac []byte, now chat.Time) error {
	id := chat.NewCustomerID()
	key, wrapped := t.w.s.seal.newKey(id)
	sealed, err := sealPerson(key, id, p)
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO customers (id, outside_mac, outside_sealed, wrapped_key, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (outside_mac) DO NOTHING`, string(id), mac, sealed, wrapped, now.UnixMicro()); err != nil {
		return fmt.Errorf("insert the customer: %w", err)
	}
	return nil
}

func sealPerson(key cipher.AEAD, id chat.CustomerID, p chat.Person) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode a customer: %w", err)
	}
	return seal(key, personCell(id), plain), nil
}

// Link makes an anonymous customer's conversation a person's too, and returns what is
// known of the person. Again with the same person is without effect; a conversation of
// somebody else is a chat.Conflict.
func (s *Store) Link(ctx context.Context, id chat.ConversationID, p chat.Person) (chat.Person, error) {
	var known chat.Person
	err := s.update(ctx, false, func(t *tx) error {
		var customer chat.CustomerID
		err := t.row(`SELECT customer FROM conversations WHERE id = $1`, string(id)).Scan(&customer)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoConversation
		}
		if err != nil {
			return fmt.Errorf("read conversation %s: %w", id, err)
		}
		var own chat.CustomerID
		if own, _, known, err = t.person(p, chat.Now()); err != nil || own == customer {
			return err
		}
		n, err := t.exec(`UPDATE customers SET person = $1 WHERE id = $2 AND outside_mac IS NULL AND (person IS NULL OR person = $1)`,
			string(own), string(customer))
		if err != nil {
			return fmt.Errorf("link the customer: %w", err)
		}
		if n == 0 {
			return &chat.Error{Kind: chat.Conflict, Message: "this conversation belongs to another customer: start a new one with POST /v1/conversations"}
		}
		return nil
	})
	return known, err
}

// Owns reports whether a conversation is a person's.
func (s *Store) Owns(ctx context.Context, p chat.Person, id chat.ConversationID) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM conversations WHERE id = $1 AND customer IN (`+customersOf(2)+`)`,
		string(id), s.outsideMAC(p)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("ask whose conversation %s is: %w", id, storageError(err))
	}
	return n > 0, nil
}

// customersOf selects the customers who are the person whose HMAC is parameter n.
func customersOf(n int) string {
	mac := "$" + strconv.Itoa(n)
	return `SELECT id FROM customers WHERE outside_mac = ` + mac + `
		UNION ALL SELECT id FROM customers WHERE person = (SELECT id FROM customers WHERE outside_mac = ` + mac + `)`
}

// Listed is a conversation in a person's list.
type Listed struct {
	ID          chat.ConversationID
	At          chat.Time // of its last event
	Status      chat.Status
	First, Last chat.Text // the customer's first message and the last of anybody
	Unread      int       // messages of the company that the customer has not read
}

// Place is where a page of a list ended. It stays where it is when conversations go on.
type Place struct {
	At chat.Time
	ID chat.ConversationID // "": before the first
}

// ConversationsOf returns up to limit conversations of a person behind a place, the newest
// first, without tests. Assistants, unless it is nil, are those that are asked for.
func (s *Store) ConversationsOf(ctx context.Context, p chat.Person, assistants []string, after Place, limit int) ([]Listed, error) {
	var at int64
	if after.ID != "" {
		at = after.At.UnixMicro()
	}
	only, args := ofAssistants(assistants, []any{s.outsideMAC(p), string(after.ID), at, limit})
	rows, err := s.read.QueryContext(ctx, `SELECT c.id, c.customer, c.status, c.last_at, f.seq, f.body_sealed, l.seq, l.body_sealed,
			(SELECT COUNT(*) FROM messages m WHERE m.conversation = c.id AND m.role IN ('assistant', 'agent') AND m.seq > c.read_customer)
		FROM (SELECT * FROM conversations WHERE customer IN (`+customersOf(1)+`) AND test = 0
				AND ($2 = '' OR (last_at, id) < ($3, $2))`+only+`
			ORDER BY last_at DESC, id DESC LIMIT $4) c
		LEFT JOIN messages f ON f.conversation = c.id
			AND f.seq = (SELECT MIN(seq) FROM messages WHERE conversation = c.id AND role = 'customer')
		LEFT JOIN messages l ON l.conversation = c.id AND l.seq = (SELECT MAX(seq) FROM messages WHERE conversation = c.id)
		ORDER BY c.last_at DESC, c.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("list a customer's conversations: %w", storageError(err))
	}
	sealed, err := scanListed(rows)
	if err != nil {
		return nil, fmt.Errorf("list a customer's conversations: %w", storageError(err))
	}
	out := make([]Listed, len(sealed))
	for i, c := range sealed {
		if out[i], err = s.openListed(ctx, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sealedListed is a row of the list before its words are opened, which may need another
// connection for the key.
type sealedListed struct {
	Listed
	customer          chat.CustomerID
	firstSeq, lastSeq sql.NullInt64
	first, last       []byte
}

func scanListed(rows *sql.Rows) (all []sealedListed, err error) {
	defer rows.Close()
	for rows.Next() {
		var c sealedListed
		var at int64
		if err := rows.Scan(&c.ID, &c.customer, &c.Status, &at, &c.firstSeq, &c.first, &c.lastSeq, &c.last, &c.Unread); err != nil {
			return nil, err
		}
		c.At = chat.Micro(at)
		all = append(all, c)
	}
	return all, rows.Err()
}

func (s *Store) openListed(ctx context.Context, c sealedListed) (Listed, error) {
	key, err := s.seal.key(ctx, s.read, c.customer)
	if err != nil {
		return c.Listed, err
	}
	for _, m := range []struct {
		seq    sql.NullInt64
		sealed []byte
		text   *chat.Text
	}{{c.firstSeq, c.first, &c.First}, {c.lastSeq, c.last, &c.Last}} {
		if !m.seq.Valid {
			continue // nothing was said yet
		}
		body, err := openMessage(key, c.ID, m.seq.Int64, m.sealed)
		if err != nil {
			return c.Listed, err
		}
		*m.text = body.Text
	}
	return c.Listed, nil
}
