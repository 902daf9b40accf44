package access

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/answerable/answerable/internal/chat"
)

// Identities verifies signed identities: what a company's site says of the customer who
// is signed in there. docs/identity.md tells its engineers how to make one. The zero value
// accepts none. It is safe for concurrent use.
//
// An identity is a JWT, or the shorter form hmac.ID.MAC for sites without a library for
// JWTs. Which algorithms count is decided by the keys that are configured, never by what
// came.
type Identities struct {
	Secrets [][]byte           // shared with the site: HS256 and the shorter form
	Keys    []crypto.PublicKey // of the site: RS256, ES256 or EdDSA, as the key is
}

const (
	leastSecret      = 32 // bytes
	leastRSA         = 2048
	mostIdentity     = 8 << 10 // bytes
	longestIdentity  = 24 * time.Hour
	identityLeeway   = 30 * time.Second
	identityAudience = "answerable"
	shortForm        = "hmac."
	mostPersonName   = 256 // bytes; email addresses are shorter still
)

// ParseSecrets reads shared secrets, separated by commas. Two let a site change from one
// to the other.
func ParseSecrets(list string) ([][]byte, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var secrets [][]byte
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		if len(s) < leastSecret {
			return nil, fmt.Errorf("each secret needs at least %d bytes; make one with: openssl rand -hex 32", leastSecret)
		}
		secrets = append(secrets, []byte(s))
	}
	return secrets, nil
}

// ParsePublicKeys reads the public keys in a PEM file.
func ParsePublicKeys(file []byte) ([]crypto.PublicKey, error) {
	const how = "; write the public key with: openssl pkey -in PRIVATE.pem -pubout"
	var keys []crypto.PublicKey
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("it has a private key, which belongs to your site alone" + how)
		}
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("it has a %s where a PUBLIC KEY is needed%s", block.Type, how)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("it has a damaged key: %w", err)
		}
		if _, err := algorithm(key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no public key in PEM" + how)
	}
	return keys, nil
}

// algorithm returns the one algorithm that a public key may verify.
func algorithm(key crypto.PublicKey) (string, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < leastRSA {
			return "", fmt.Errorf("it has an RSA key of %d bits, at least %d are needed", k.N.BitLen(), leastRSA)
		}
		return jwt.SigningMethodRS256.Alg(), nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return jwt.SigningMethodES256.Alg(), nil
		}
	case ed25519.PublicKey:
		return jwt.SigningMethodEdDSA.Alg(), nil
	}
	return "", errors.New("it has a key of another kind than RSA, EC on the curve P-256, or Ed25519")
}

// Configured reports whether any identity can be verified.
func (i Identities) Configured() bool { return len(i.Secrets)+len(i.Keys) > 0 }

// LooksSigned reports whether a bearer's token has the shape of an identity, which no
// conversation's token and no API key has.
func LooksSigned(token string) bool { return strings.Count(token, ".") == 2 }

var errExpired = &chat.Error{Kind: chat.Unknown, Message: "this identity has expired: fetch a new one from your server and send that"}

// invalid says what is wrong with an identity, to the engineer who makes them.
func invalid(format string, args ...any) error {
	return &chat.Error{Kind: chat.Unknown, Message: "this identity is not valid: " + fmt.Sprintf(format, args...)}
}

// Verify returns whom an identity names at now, or the error chat.Unknown.
func (i Identities) Verify(identity string, now time.Time) (chat.Person, error) {
	switch {
	case !i.Configured():
		return chat.Person{}, &chat.Error{Kind: chat.Unknown,
			Message: "this server takes no signed identities: set identity.secret or identity.public_key in its configuration"}
	case len(identity) > mostIdentity:
		return chat.Person{}, invalid("it is longer than %d bytes", mostIdentity)
	case strings.ContainsFunc(identity, func(r rune) bool { return !isBase64URL(r) && r != '.' }): // decoders overlook line breaks
		return chat.Person{}, invalid("it has characters that do not belong there: send it as it was made")
	case strings.HasPrefix(identity, shortForm):
		return i.verifyShort(identity)
	}
	return i.verifyJWT(identity, now)
}

func isBase64URL(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

// verifyShort verifies hmac.ID.MAC. The MAC is over all that stands before it, as in a
// JWT, and not over the id alone: otherwise a customer who can choose their id could choose
// one that is the head and body of a JWT, and be given its signature.
func (i Identities) verifyShort(identity string) (chat.Person, error) {
	at := strings.LastIndexByte(identity, '.')
	if at < len(shortForm) {
		return chat.Person{}, invalid("it must be hmac.ID.MAC")
	}
	mac, err := hex.DecodeString(identity[at+1:])
	if err != nil || len(mac) != sha256.Size {
		return chat.Person{}, invalid("its last part must be an HMAC-SHA256 in hexadecimal")
	}
	if !slices.ContainsFunc(i.Secrets, func(secret []byte) bool {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(identity[:at]))
		return hmac.Equal(h.Sum(nil), mac)
	}) {
		return chat.Person{}, errSignature
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(identity[len(shortForm):at])
	if err != nil {
		return chat.Person{}, invalid("its second part must be the customer's id in base64url without padding")
	}
	return person(chat.Person{ID: string(id)})
}

var errSignature = invalid("its signature does not fit: sign it with the key that this server was given")

// verifyJWT verifies a JWT (RFC 7519) in the compact form.
func (i Identities) verifyJWT(identity string, now time.Time) (chat.Person, error) {
	keys := i.byAlgorithm()
	methods := slices.Sorted(maps.Keys(keys))
	var c claims
	token, err := jwt.NewParser(
		jwt.WithValidMethods(methods),
		jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), // not in the future
		jwt.WithLeeway(identityLeeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	).ParseWithClaims(identity, &c, func(t *jwt.Token) (any, error) {
		return jwt.VerificationKeySet{Keys: keys[t.Method.Alg()]}, nil
	})
	var mistake claimError
	switch {
	case err == nil:
	case errors.As(err, &mistake):
		return chat.Person{}, invalid("%s", string(mistake))
	case errors.Is(err, jwt.ErrTokenMalformed):
		return chat.Person{}, invalid("it is not a JWT in the compact form")
	case errors.Is(err, jwt.ErrTokenUnverifiable) || token != nil && token.Method != nil && keys[token.Method.Alg()] == nil:
		return chat.Person{}, invalid("its alg must be %s", strings.Join(methods, " or "))
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return chat.Person{}, errSignature
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return chat.Person{}, invalid("exp is missing: say when it expires, at most 24 hours ahead")
	case errors.Is(err, jwt.ErrTokenExpired):
		return chat.Person{}, errExpired
	default:
		return chat.Person{}, invalid("nbf or iat is in the future: set the clock of your server")
	}
	from := now.Add(identityLeeway)
	if c.issued != nil {
		from = c.issued.Time
	}
	switch {
	case token.Header["crit"] != nil: // RFC 7515: what must be understood and is not
		return chat.Person{}, invalid("leave crit out of its header")
	case c.expires.After(from.Add(longestIdentity)):
		return chat.Person{}, invalid("exp must be at most 24 hours ahead")
	case c.audience != nil && !slices.Contains(c.audience, identityAudience):
		return chat.Person{}, invalid("aud must be %q, or missing", identityAudience)
	}
	return person(chat.Person{ID: c.subject, Name: c.name, Email: c.email})
}

// byAlgorithm gives each algorithm its own keys, so that a public key is never taken for
// a secret.
func (i Identities) byAlgorithm() map[string][]jwt.VerificationKey {
	keys := map[string][]jwt.VerificationKey{}
	for _, s := range i.Secrets {
		keys[jwt.SigningMethodHS256.Alg()] = append(keys[jwt.SigningMethodHS256.Alg()], s)
	}
	for _, k := range i.Keys {
		alg, err := algorithm(k)
		if err != nil {
			continue // ParsePublicKeys gives none of these
		}
		keys[alg] = append(keys[alg], k)
	}
	return keys
}

// person checks and cleans what a signed identity says.
func person(p chat.Person) (chat.Person, error) {
	if err := chat.CheckPersonID(p.ID); err != nil {
		return chat.Person{}, invalid("%v", err)
	}
	p.Name, p.Email = short(p.Name), short(p.Email)
	return p, nil
}

// short returns a name as it may stand in a list. Customers often choose theirs, so what
// is odd is left out and not refused.
func short(s string) string {
	s = chat.Line(s)
	return strings.ToValidUTF8(s[:min(len(s), mostPersonName)], "")
}

// claims are what an identity may say, read strictly: package json alone would take names
// in any case, and the last of those that come twice.
type claims struct {
	subject, name, email       string
	audience                   jwt.ClaimStrings
	expires, notBefore, issued *jwt.NumericDate
}

// claimError says which claim cannot be read.
type claimError string

func (e claimError) Error() string { return string(e) }

func (c *claims) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return claimError("its body must be a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string) // in an object, it is one
		if seen[name] {
			return claimError(fmt.Sprintf("%.32q comes twice", name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := c.set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// set reads one claim. Others than these say nothing to us.
func (c *claims) set(name string, value []byte) error {
	texts := map[string]*string{"sub": &c.subject, "name": &c.name, "email": &c.email}
	times := map[string]**jwt.NumericDate{"exp": &c.expires, "nbf": &c.notBefore, "iat": &c.issued}
	switch {
	case texts[name] != nil:
		if string(value) == "null" && name != "sub" {
			return nil // many languages write what a customer has not got like this
		}
		if value[0] != '"' || json.Unmarshal(value, texts[name]) != nil {
			return claimError(name + " must be a text")
		}
	case times[name] != nil:
		const year9999 = 253_402_300_799
		var seconds float64
		if json.Unmarshal(value, &seconds) != nil || string(value) == "null" || !(0 < seconds && seconds < year9999) {
			return claimError(name + " must be a time in seconds since 1970")
		}
		whole, part := math.Modf(seconds)
		*times[name] = &jwt.NumericDate{Time: time.Unix(int64(whole), int64(part*1e9))}
	case name == "aud":
		if json.Unmarshal(value, &c.audience) != nil || len(c.audience) == 0 {
			return claimError("aud must be a text or a list of texts")
		}
	}
	return nil
}

// The methods of jwt.Claims.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.expires, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.notBefore, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.issued, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return c.audience, nil }
func (c *claims) GetIssuer() (string, error)                   { return "", nil }
func (c *claims) GetSubject() (string, error)                  { return c.subject, nil }
