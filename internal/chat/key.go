package chat

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Scope is what an API key may do.
type Scope string

const (
	ScopeChat  Scope = "chat"  // act for customers on /v1: name them, read and write in their conversations
	ScopeView  Scope = "view"  // read on /api, and every conversation
	ScopeAgent Scope = "agent" // take conversations, speak in them, release them; and view
	ScopeEdit  Scope = "edit"  // change what assistants say; and view
	ScopeAdmin Scope = "admin" // everything, other keys included
)

// Scopes are all of them, the least first.
var Scopes = []Scope{ScopeChat, ScopeView, ScopeAgent, ScopeEdit, ScopeAdmin}

// APIKey is what is known of a key of the company's software. The key itself is not kept.
type APIKey struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Scopes     []Scope  `json:"scopes"`
	Assistants []string `json:"assistants"` // those it is for; none: all
	CreatedAt  Time     `json:"created_at"`
	CreatedBy  string   `json:"created_by"` // the name of a key; "": before this was noted
	ExpiresAt  *Time    `json:"expires_at,omitempty"`
	LastUsedAt *Time    `json:"last_used_at,omitempty"` // not exact: it is noted at most once an hour
	RevokedAt  *Time    `json:"revoked_at,omitempty"`
	RevokedBy  string   `json:"revoked_by,omitempty"`
}

// KeyState is whether a key opens anything.
type KeyState string

const (
	KeyActive  KeyState = "active"
	KeyExpired KeyState = "expired"
	KeyRevoked KeyState = "revoked"
)

// State returns the state of the key at now.
func (k APIKey) State(now time.Time) KeyState {
	switch {
	case k.RevokedAt != nil:
		return KeyRevoked
	case k.ExpiresAt != nil && !now.Before(k.ExpiresAt.Time):
		return KeyExpired
	}
	return KeyActive
}

// May reports whether the key's scopes cover what one is needed for.
func (k APIKey) May(need Scope) bool {
	return slices.ContainsFunc(k.Scopes, func(s Scope) bool {
		return s == need || s == ScopeAdmin || need == ScopeView && (s == ScopeAgent || s == ScopeEdit)
	})
}

// Reaches reports whether the key is for an assistant.
func (k APIKey) Reaches(assistant string) bool {
	return len(k.Assistants) == 0 || slices.Contains(k.Assistants, assistant)
}

const mostKeyName = 64 // bytes

// Check returns an error unless a new key can be like this.
func (k APIKey) Check(now time.Time) error {
	wrong := func(format string, args ...any) error {
		return &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...)}
	}
	all := APIKey{Scopes: Scopes}.ScopeList()
	if k.Name == "" || len(k.Name) > mostKeyName || strings.ContainsFunc(k.Name, unicode.IsControl) || k.Name != strings.TrimSpace(k.Name) {
		return wrong("a key's name has 1 to %d bytes on one line, without spaces around it", mostKeyName)
	}
	if len(k.Scopes) == 0 {
		return wrong("a key needs a scope: %s", all)
	}
	for _, s := range k.Scopes {
		if !slices.Contains(Scopes, s) {
			return wrong("there is no scope %.40q; there are: %s", s, all)
		}
	}
	for _, name := range k.Assistants {
		if name == "" || len(name) > mostKeyName || strings.ContainsFunc(name, unicode.IsControl) {
			return wrong("an assistant's name has 1 to %d bytes on one line", mostKeyName)
		}
	}
	if len(k.Assistants) > 0 && k.May(ScopeAdmin) {
		return wrong("a key for some assistants cannot be admin, who makes keys for all: give it other scopes, such as chat,agent,edit")
	}
	if k.State(now) == KeyExpired {
		return wrong("the key would have expired already: choose a later time")
	}
	return nil
}

// ScopeList names the key's scopes for people.
func (k APIKey) ScopeList() string {
	names := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
