package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

const (
	tokenPrefix = "cv_"
	keyPrefix   = "ak_"
	secretBytes = 32
)

var secretLength = base64.RawURLEncoding.EncodedLen(secretBytes)

// NewToken returns a token that opens one conversation, and the hash to store. The token
// names its conversation, so that another conversation's is told from a wrong one.
func NewToken(id chat.ConversationID) (token string, hash []byte) {
	token = tokenPrefix + string(id) + "_" + newSecret()
	return token, hashOf(token)
}

// ParseToken returns the conversation that a token names, and the token's hash. Whether
// the token opens the conversation is for [Same] to say.
func ParseToken(token string) (id chat.ConversationID, hash []byte, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", nil, false
	}
	name, secret, ok := strings.Cut(rest, "_")
	if !ok || !isSecret(secret) || !IsID(name) {
		return "", nil, false
	}
	return chat.ConversationID(name), hashOf(token), true
}

// NewKeyID returns an identifier of an API key, which is no secret.
func NewKeyID() string { return "k" + strings.ToLower(rand.Text()[:12]) }

// NewKey returns an API key and the hash to store.
func NewKey() (key string, hash []byte) {
	key = keyPrefix + newSecret()
	return key, hashOf(key)
}

// ParseKey returns the hash of what looks like an API key.
func ParseKey(key string) (hash []byte, ok bool) {
	secret, ok := strings.CutPrefix(key, keyPrefix)
	if !ok || !isSecret(secret) {
		return nil, false
	}
	return hashOf(key), true
}

// Same compares two hashes in constant time.
func Same(a, b []byte) bool {
	return len(a) == sha256.Size && subtle.ConstantTimeCompare(a, b) == 1
}

// IsID reports whether s has the shape of an identifier: what does not was never given
// out, and need not be looked for.
func IsID(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}

func newSecret() string {
	var b [secretBytes]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func isSecret(s string) bool {
	if len(s) != secretLength {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}

func hashOf(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
