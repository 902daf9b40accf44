package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

const (
	oldSecret = "an old secret of thirty-two bytes"
	newSecret = "a new secret of thirty-two bytes."
)

var now = time.Unix(1_800_000_000, 0)

// in returns the NumericDate that is some seconds ahead.
func in(seconds int64) int64 { return now.Unix() + seconds }

// raw signs any header and body with HS256, also those that no library would make.
func raw(secret, header, body string) string {
	signed := b64(header) + "." + b64(body)
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac(secret, signed))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func mac(secret, s string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(s))
	return h.Sum(nil)
}

func shortIdentity(secret, id string) string {
	signed := "hmac." + b64(id)
	return signed + "." + hex.EncodeToString(mac(secret, signed))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func body(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func signed(t testing.TB, method jwt.SigningMethod, key any) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "42", "exp": in(600)}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publicPEM(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestIdentities(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPEM := publicPEM(t, rsaKey.Public())
	keys, err := access.ParsePublicKeys(append(append(rsaPEM, publicPEM(t, ecKey.Public())...), publicPEM(t, edPublic)...))
	if err != nil || len(keys) != 3 {
		t.Fatal(keys, err)
	}
	secrets, err := access.ParseSecrets(newSecret + ", " + oldSecret)
	if err != nil || len(secrets) != 2 {
		t.Fatal(secrets, err)
	}
	all := access.Identities{Secrets: secrets, Keys: keys}
	good := body(`{"sub":"42","exp":%d}`, in(600))
	goodJWT := raw(newSecret, hs256, good)
	parts := strings.Split(goodJWT, ".")

	for name, test := range map[string]struct {
		identity string
		want     chat.Person
		wrong    string // part of the message, when it is refused
	}{
		"HS256":               {identity: goodJWT, want: chat.Person{ID: "42"}},
		"the old secret":      {identity: raw(oldSecret, hs256, good), want: chat.Person{ID: "42"}},
		"RS256":               {identity: signed(t, jwt.SigningMethodRS256, rsaKey), want: chat.Person{ID: "42"}},
		"ES256":               {identity: signed(t, jwt.SigningMethodES256, ecKey), want: chat.Person{ID: "42"}},
		"EdDSA":               {identity: signed(t, jwt.SigningMethodEdDSA, edKey), want: chat.Person{ID: "42"}},
		"name and email":      {identity: raw(newSecret, hs256, body(`{"sub":"ü/1","exp":%d,"name":"Ada  L.","email":"a@b.example","role":"x"}`, in(60))), want: chat.Person{ID: "ü/1", Name: "Ada L.", Email: "a@b.example"}},
		"a name that tricks":  {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d,"name":"\u202eA\u0000d\na\ufeff"}`, in(60))), want: chat.Person{ID: "42", Name: "A d a"}},
		"a long name":         {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d,"name":"x%s"}`, in(60), strings.Repeat("ä", 200))), want: chat.Person{ID: "42", Name: "x" + strings.Repeat("ä", 127)}},
		"our audience":        {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d,"aud":["shop","answerable"]}`, in(60))), want: chat.Person{ID: "42"}},
		"a day ahead":         {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d}`, in(86_400))), want: chat.Person{ID: "42"}},
		"a day after iat":     {identity: raw(newSecret, hs256, body(`{"sub":"42","iat":%d,"exp":%d}`, in(-100), in(86_300))), want: chat.Person{ID: "42"}},
		"clocks differ":       {identity: raw(newSecret, hs256, body(`{"sub":"42","iat":%d,"nbf":%[1]d,"exp":%[1]d.5}`, in(29))), want: chat.Person{ID: "42"}},
		"just expired":        {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d}`, in(-29))), want: chat.Person{ID: "42"}},
		"a claim in capitals": {identity: raw(newSecret, hs256, body(`{"sub":"42","SUB":"1","exp":%d}`, in(60))), want: chat.Person{ID: "42"}},
		"no name":             {identity: raw(newSecret, hs256, body(`{"sub":"42","name":null,"email":null,"exp":%d}`, in(60))), want: chat.Person{ID: "42"}},
		"256 bytes":           {identity: raw(newSecret, hs256, body(`{"sub":%q,"exp":%d}`, strings.Repeat("x", 256), in(60))), want: chat.Person{ID: strings.Repeat("x", 256)}},
		"short":               {identity: shortIdentity(newSecret, "42"), want: chat.Person{ID: "42"}},
		"short, old secret":   {identity: shortIdentity(oldSecret, "ü 1"), want: chat.Person{ID: "ü 1"}},
		"short, capitals":     {identity: "hmac." + b64("42") + "." + strings.ToUpper(hex.EncodeToString(mac(newSecret, "hmac."+b64("42")))), want: chat.Person{ID: "42"}},

		"nothing":                 {identity: "", wrong: "not a JWT"},
		"a token":                 {identity: "cv_c1_x", wrong: "not a JWT"},
		"two parts":               {identity: parts[0] + "." + parts[1], wrong: "not a JWT"},
		"four parts":              {identity: goodJWT + ".", wrong: "not a JWT"},
		"padding":                 {identity: goodJWT + "=", wrong: "characters"},
		"loose last bits":         {identity: goodJWT[:len(goodJWT)-1] + "_", wrong: "not a JWT"},
		"line break":              {identity: goodJWT + "\n", wrong: "characters"},
		"huge":                    {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d,"x":%q}`, in(60), strings.Repeat("x", 8<<10))), wrong: "longer than 8192"},
		"none":                    {identity: raw(newSecret, `{"alg":"none"}`, good), wrong: "alg must be ES256 or EdDSA or HS256 or RS256"},
		"none, unsigned":          {identity: b64(`{"alg":"none"}`) + "." + b64(good) + ".", wrong: "alg must be"},
		"nOnE, unsigned":          {identity: b64(`{"alg":"nOnE"}`) + "." + b64(good) + ".", wrong: "alg must be"},
		"no alg":                  {identity: raw(newSecret, `{}`, good), wrong: "alg must be"},
		"null header":             {identity: raw(newSecret, `null`, good), wrong: "alg must be"},
		"unsigned":                {identity: parts[0] + "." + parts[1] + ".", wrong: "signature"},
		"HS512":                   {identity: signed(t, jwt.SigningMethodHS512, []byte(newSecret)), wrong: "alg must be"},
		"RS512":                   {identity: signed(t, jwt.SigningMethodRS512, rsaKey), wrong: "alg must be"},
		"PS256":                   {identity: signed(t, jwt.SigningMethodPS256, rsaKey), wrong: "alg must be"},
		"public key as a secret":  {identity: raw(string(rsaPEM), hs256, good), wrong: "signature"},
		"wrong secret":            {identity: raw(newSecret+"x", hs256, good), wrong: "signature"},
		"empty secret":            {identity: raw("", hs256, good), wrong: "signature"},
		"other body":              {identity: parts[0] + "." + b64(body(`{"sub":"43","exp":%d}`, in(60))) + "." + parts[2], wrong: "signature"},
		"RS256 by another":        {identity: signedByAnother(t), wrong: "signature"},
		"crit":                    {identity: raw(newSecret, `{"alg":"HS256","crit":["exp"]}`, good), wrong: "crit"},
		"expired":                 {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d}`, in(-31))), wrong: "fetch a new one"},
		"no exp":                  {identity: raw(newSecret, hs256, `{"sub":"42"}`), wrong: "exp is missing"},
		"exp null":                {identity: raw(newSecret, hs256, `{"sub":"42","exp":null}`), wrong: "exp must be a time"},
		"exp text":                {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":"%d"}`, in(60))), wrong: "exp must be a time"},
		"exp never":               {identity: raw(newSecret, hs256, `{"sub":"42","exp":1e300}`), wrong: "exp must be a time"},
		"exp beyond numbers":      {identity: raw(newSecret, hs256, `{"sub":"42","exp":1e999}`), wrong: "exp must be a time"},
		"exp negative":            {identity: raw(newSecret, hs256, `{"sub":"42","exp":-1}`), wrong: "exp must be a time"},
		"exp in milliseconds":     {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d000}`, in(60))), wrong: "exp must be a time"},
		"exp too far":             {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":%d}`, in(86_431))), wrong: "24 hours"},
		"exp too far after iat":   {identity: raw(newSecret, hs256, body(`{"sub":"42","iat":%d,"exp":%d}`, in(-100), in(86_301))), wrong: "24 hours"},
		"iat in the future":       {identity: raw(newSecret, hs256, body(`{"sub":"42","iat":%d,"exp":%d}`, in(31), in(600))), wrong: "clock"},
		"not yet":                 {identity: raw(newSecret, hs256, body(`{"sub":"42","nbf":%d,"exp":%d}`, in(31), in(600))), wrong: "clock"},
		"for others":              {identity: raw(newSecret, hs256, body(`{"sub":"42","aud":"shop","exp":%d}`, in(600))), wrong: "aud must be"},
		"for nobody":              {identity: raw(newSecret, hs256, body(`{"sub":"42","aud":[],"exp":%d}`, in(600))), wrong: "aud must be"},
		"for a number":            {identity: raw(newSecret, hs256, body(`{"sub":"42","aud":[1],"exp":%d}`, in(600))), wrong: "aud must be"},
		"no sub":                  {identity: raw(newSecret, hs256, body(`{"exp":%d}`, in(600))), wrong: "customer's id"},
		"empty sub":               {identity: raw(newSecret, hs256, body(`{"sub":"","exp":%d}`, in(600))), wrong: "customer's id"},
		"sub a number":            {identity: raw(newSecret, hs256, body(`{"sub":42,"exp":%d}`, in(600))), wrong: "sub must be a text"},
		"sub null":                {identity: raw(newSecret, hs256, body(`{"sub":null,"exp":%d}`, in(600))), wrong: "sub must be a text"},
		"sub with NUL":            {identity: raw(newSecret, hs256, body(`{"sub":"42\u0000","exp":%d}`, in(600))), wrong: "customer's id"},
		"sub of two lines":        {identity: raw(newSecret, hs256, body(`{"sub":"42\u2028","exp":%d}`, in(600))), wrong: "customer's id"},
		"sub with half a pair":    {identity: raw(newSecret, hs256, body(`{"sub":"4\ud800","exp":%d}`, in(600))), wrong: "customer's id"},
		"sub not UTF-8":           {identity: raw(newSecret, hs256, body("{\"sub\":\"4\xff\",\"exp\":%d}", in(600))), wrong: "customer's id"},
		"sub too long":            {identity: raw(newSecret, hs256, body(`{"sub":%q,"exp":%d}`, strings.Repeat("x", 257), in(600))), wrong: "customer's id"},
		"sub twice":               {identity: raw(newSecret, hs256, body(`{"sub":"42","sub":"43","exp":%d}`, in(600))), wrong: "twice"},
		"sub twice, escaped":      {identity: raw(newSecret, hs256, body(`{"sub":"42","su\u0062":"43","exp":%d}`, in(600))), wrong: "twice"},
		"exp twice":               {identity: raw(newSecret, hs256, body(`{"sub":"42","exp":1,"exp":%d}`, in(600))), wrong: "twice"},
		"name a list":             {identity: raw(newSecret, hs256, body(`{"sub":"42","name":["x"],"exp":%d}`, in(600))), wrong: "name must be a text"},
		"a list":                  {identity: raw(newSecret, hs256, `["42"]`), wrong: "JSON object"},
		"null":                    {identity: raw(newSecret, hs256, `null`), wrong: "exp is missing"},
		"a text":                  {identity: raw(newSecret, hs256, `"42"`), wrong: "JSON object"},
		"two objects":             {identity: raw(newSecret, hs256, good+good), wrong: "not a JWT"},
		"short, wrong secret":     {identity: shortIdentity(newSecret+"x", "42"), wrong: "signature"},
		"short, over the id":      {identity: "hmac." + b64("42") + "." + hex.EncodeToString(mac(newSecret, "42")), wrong: "signature"},
		"short, MAC cut":          {identity: shortIdentity(newSecret, "42")[:60], wrong: "HMAC-SHA256"},
		"short, no MAC":           {identity: "hmac." + b64("42") + ".", wrong: "HMAC-SHA256"},
		"short, one part":         {identity: "hmac.", wrong: "hmac.ID.MAC"},
		"short, empty id":         {identity: shortIdentity(newSecret, ""), wrong: "customer's id"},
		"short, id with NUL":      {identity: shortIdentity(newSecret, "4\x002"), wrong: "customer's id"},
		"short, id not UTF-8":     {identity: shortIdentity(newSecret, "4\xff"), wrong: "customer's id"},
		"short, id not base64url": {identity: "hmac.4." + hex.EncodeToString(mac(newSecret, "hmac.4")), wrong: "base64url"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all.Verify(test.identity, now)
			if test.wrong == "" {
				if err != nil || got != test.want {
					t.Errorf("Verify = %+v, %v, want %+v", got, err, test.want)
				}
				return
			}
			if !errors.Is(err, chat.Unknown) || !strings.Contains(err.Error(), test.wrong) || got != (chat.Person{}) {
				t.Errorf("Verify = %+v, %v, want an error with %q", got, err, test.wrong)
			}
		})
	}

	if _, err := (access.Identities{}).Verify(raw("", hs256, good), now); !errors.Is(err, chat.Unknown) || !strings.Contains(err.Error(), "identity.secret") {
		t.Errorf("without any key: %v", err)
	}
	public := access.Identities{Keys: keys}
	for name, identity := range map[string]string{"HS256": goodJWT, "empty secret": raw("", hs256, good), "public key": raw(string(rsaPEM), hs256, good),
		"short": shortIdentity("", "42"), "short with the public key": shortIdentity(string(rsaPEM), "42")} {
		if p, err := public.Verify(identity, now); err == nil {
			t.Errorf("%s without a secret names %+v", name, p)
		}
	}
	shared := access.Identities{Secrets: secrets}
	if p, err := shared.Verify(signed(t, jwt.SigningMethodRS256, rsaKey), now); err == nil {
		t.Errorf("RS256 without a public key names %+v", p)
	}
}

func signedByAnother(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, jwt.SigningMethodRS256, key)
}

// A customer who may choose their id must not be able to choose one that, signed in the
// short form, is a JWT of somebody else.
func TestAShortIdentityIsNoJWT(t *testing.T) {
	ids := access.Identities{Secrets: [][]byte{[]byte(newSecret)}}
	chosen := b64(`{"alg":"HS256"}`) + "." + b64(body(`{"sub":"victim","exp":%d}`, in(600)))
	short := shortIdentity(newSecret, chosen)
	if p, err := ids.Verify(short, now); err != nil || p.ID != chosen {
		t.Fatalf("Verify = %+v, %v", p, err)
	}
	given, err := hex.DecodeString(short[strings.LastIndexByte(short, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ids.Verify(chosen+"."+base64.RawURLEncoding.EncodeToString(given), now); err == nil {
		t.Errorf("the MAC of a chosen id makes a JWT of %+v", p)
	}
}

func TestLooksSigned(t *testing.T) {
	token, _ := access.NewToken(chat.NewConversationID())
	key, _ := access.NewKey()
	for s, want := range map[string]bool{token: false, key: false, "": false, "x": false, "a.b": false, "a.b.c": true, "a.b.c.d": false, shortIdentity(newSecret, "42"): true} {
		if got := access.LooksSigned(s); got != want {
			t.Errorf("LooksSigned(%q) = %t", s, got)
		}
	}
}

func TestBadIdentityKeys(t *testing.T) {
	for _, list := range []string{"short", newSecret + ",", "," + newSecret, newSecret + ",short", strings.Repeat(" ", 40) + "x"} {
		if _, err := access.ParseSecrets(list); err == nil || !strings.Contains(err.Error(), "openssl rand") || strings.Contains(err.Error(), newSecret) {
			t.Errorf("ParseSecrets(%q): %v", list, err)
		}
	}
	if secrets, err := access.ParseSecrets(" "); secrets != nil || err != nil {
		t.Errorf("no secret: %v, %v", secrets, err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, file := range map[string][]byte{
		"no public key":  []byte("hello"),
		"private key":    pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("x")}),
		"a CERTIFICATE":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
		"damaged":        pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
		"1024 bits":      publicPEM(t, weak.Public()),
		"of another kin": publicPEM(t, other.Public()),
	} {
		if _, err := access.ParsePublicKeys(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q: %v", want, err)
		}
	}
}

// docs/identity.md shows what a site makes, for its engineers to compare with.
func TestTheDocumentsExamplesAreTrue(t *testing.T) {
	b, err := os.ReadFile("../../docs/identity.md")
	if err != nil {
		t.Fatal(err)
	}
	line := func(name string) string {
		m := regexp.MustCompile(`(?m)^ +` + name + ` += (\S+)$`).FindSubmatch(b)
		if m == nil {
			t.Fatalf("docs/identity.md has no %s", name)
		}
		return string(m[1])
	}
	secrets, err := access.ParseSecrets(line("secret"))
	if err != nil {
		t.Fatal(err)
	}
	ids := access.Identities{Secrets: secrets}
	for name, at := range map[string]time.Time{"short": now, "jwt": time.Unix(1_790_000_000, 0)} {
		if p, err := ids.Verify(line(name), at); err != nil || p.ID != line("id") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add(raw(newSecret, hs256, body(`{"sub":"42","exp":%d}`, in(60))))
	f.Add(shortIdentity(newSecret, "42"))
	f.Add(`{"sub":"42","exp":1800000060,"aud":"answerable","name":"x"}`)
	f.Add(`{"sub":"42","sub":"43","exp":1.8e9}`)
	ids := access.Identities{Secrets: [][]byte{[]byte(newSecret)}}
	f.Fuzz(func(t *testing.T, s string) {
		// As it is, nothing that is made up is believed; as the body of a JWT that is rightly
		// signed, only what is sound.
		if p, err := ids.Verify(s, now); err != nil && (p != (chat.Person{}) || !errors.Is(err, chat.Unknown)) {
			t.Errorf("Verify(%q) = %+v, %v", s, p, err)
		}
		p, err := ids.Verify(raw(newSecret, hs256, s), now)
		if err != nil {
			if !errors.Is(err, chat.Unknown) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(s), &said); err != nil || said["sub"] != p.ID || said["exp"] == nil || chat.CheckPersonID(p.ID) != nil {
			t.Errorf("%q names %+v", s, p)
		}
	})
}
