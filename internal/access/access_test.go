package access_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

func TestTokens(t *testing.T) {
	id := chat.NewConversationID()
	token, hash := access.NewToken(id)
	again, _ := access.NewToken(id)
	if token == again {
		t.Error("two tokens are the same")
	}
	got, gotHash, ok := access.ParseToken(token)
	if !ok || got != id || !access.Same(gotHash, hash) {
		t.Errorf("ParseToken(%q) = %s, %t", token, got, ok)
	}
	if bits := len(token) - len("cv_"+string(id)+"_"); bits*6 < 256 {
		t.Errorf("%q carries %d bits, want 256", token, bits*6)
	}
	if _, h, _ := access.ParseToken(again); access.Same(h, hash) {
		t.Error("another token has the same hash")
	}
	for _, bad := range []string{"", "cv_", "cv__", token[:len(token)-1], token + "A", "ak" + token[2:], strings.ToUpper(token),
		"cv_" + string(id), strings.Replace(token, string(id), "", 1), strings.Replace(token, string(id), "c/../x", 1), token + "\n", " " + token} {
		if _, _, ok := access.ParseToken(bad); ok {
			t.Errorf("ParseToken(%q) is fine", bad)
		}
	}
	for _, h := range [][]byte{nil, {}, hash[:31], make([]byte, 32)} {
		if access.Same(h, hash) || access.Same(hash, h) {
			t.Errorf("%x is the same as %x", h, hash)
		}
	}
	if access.Same(nil, nil) {
		t.Error("no hash is the same as no hash")
	}
}

func TestKeys(t *testing.T) {
	key, hash := access.NewKey()
	got, ok := access.ParseKey(key)
	if !ok || !access.Same(got, hash) || !strings.HasPrefix(key, "ak_") || len(key) < 43 {
		t.Errorf("ParseKey(%q) = %x, %t", key, got, ok)
	}
	for _, bad := range []string{"", "ak_", key[:len(key)-1], key + "A", "cv" + key[2:], key[:len(key)-1] + "!"} {
		if _, ok := access.ParseKey(bad); ok {
			t.Errorf("ParseKey(%q) is fine", bad)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	token, _ := access.NewToken("c1")
	f.Add(token)
	f.Add("cv_a_b")
	f.Fuzz(func(t *testing.T, s string) {
		if id, hash, ok := access.ParseToken(s); ok && (!access.IsID(string(id)) || len(hash) != 32 || !strings.HasPrefix(s, "cv_"+string(id)+"_")) {
			t.Errorf("ParseToken(%q) = %q", s, id)
		}
	})
}

func TestRate(t *testing.T) {
	now := time.Now()
	r := access.Rate{PerMinute: 6}
	for i := range 6 {
		if wait := r.Allow("a", now); wait != 0 {
			t.Fatalf("act %d waits %s", i+1, wait)
		}
	}
	if wait := r.Allow("a", now); wait != 10*time.Second {
		t.Errorf("one too many waits %s, want 10s", wait)
	}
	if wait := r.Allow("b", now); wait != 0 {
		t.Errorf("another waits %s", wait)
	}
	if wait := r.Allow("a", now.Add(4*time.Second)); wait != 6*time.Second {
		t.Errorf("4 s later: %s, want 6s", wait)
	}
	if wait := r.Allow("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("10 s later: %s, want none", wait)
	}
	if wait := r.Allow("a", now.Add(10*time.Second)); wait == 0 {
		t.Error("10 s later a second act is allowed")
	}
	later := now.Add(5 * time.Minute)
	for i := range 6 {
		if wait := r.Allow("a", later); wait != 0 {
			t.Fatalf("5 min later act %d waits %s", i+1, wait)
		}
	}
	var off access.Rate
	for range 1000 {
		if wait := off.Allow("a", now); wait != 0 {
			t.Fatalf("without a limit it waits %s", wait)
		}
	}
}

// However acts are spread, none of the minutes has more than twice the limit, and who
// keeps to the limit never waits.
func TestRateOverTime(t *testing.T) {
	start := time.Now()
	r := access.Rate{PerMinute: 30}
	allowed := 0
	for at := start; at.Before(start.Add(10 * time.Minute)); at = at.Add(100 * time.Millisecond) {
		if r.Allow("greedy", at) == 0 {
			allowed++
		}
		if at.Sub(start)%(2*time.Second) == 0 {
			if wait := r.Allow("steady", at); wait != 0 {
				t.Fatalf("after %s: one every 2 s waits %s", at.Sub(start), wait)
			}
		}
	}
	if allowed < 300 || allowed > 331 {
		t.Errorf("%d acts in ten minutes, want 300 and a first burst of 30", allowed)
	}
}

func TestRateForgetsFloods(t *testing.T) {
	r := access.Rate{PerMinute: 1}
	now := time.Now()
	for i := range 350_000 {
		if r.Allow(fmt.Sprint(i), now) != 0 {
			t.Fatal("a new key waits")
		}
	}
	if kept := r.Kept(); kept > 200_000 {
		t.Errorf("%d keys are kept", kept)
	}
	if r.Allow("349999", now) == 0 {
		t.Error("the newest key is forgotten")
	}
}

func TestAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.1:999", nil, "203.0.113.1"},
		{"203.0.113.1:999", []string{"1.1.1.1"}, "203.0.113.1"}, // a stranger's word
		{"10.0.0.1:999", nil, "10.0.0.1"},
		{"10.0.0.1:999", []string{"1.1.1.1"}, "1.1.1.1"},
		{"10.0.0.1:999", []string{"9.9.9.9, 1.1.1.1"}, "1.1.1.1"},
		{"10.0.0.1:999", []string{"9.9.9.9, 1.1.1.1, 10.2.3.4"}, "1.1.1.1"},
		{"10.0.0.1:999", []string{"9.9.9.9", "1.1.1.1,10.2.3.4"}, "1.1.1.1"},
		{"10.0.0.1:999", []string{"10.9.9.9,10.2.3.4"}, "10.9.9.9"},
		{"10.0.0.1:999", []string{"1.1.1.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1:999", []string{"1.1.1.1:4711"}, "1.1.1.1"},
		{"[fd00::1]:999", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		{"[::ffff:10.0.0.1]:999", []string{"::ffff:1.1.1.1"}, "1.1.1.1"},
		{"[fe80::1%eth0]:999", nil, "fe80::1"},
		{"@", nil, "invalid IP"},
		{"", []string{"1.1.1.1"}, "invalid IP"},
	} {
		if got := access.Address(test.peer, test.forwarded, proxies).String(); got != test.want {
			t.Errorf("Address(%s, %q) = %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
	if got := access.Household(netip.MustParseAddr("2001:db8:1:2:3:4:5:6")); got != "2001:db8:1:2::/64" {
		t.Errorf("Household = %s", got)
	}
	if got := access.Household(netip.MustParseAddr("1.2.3.4")); got != "1.2.3.4" {
		t.Errorf("Household = %s", got)
	}
}

func TestHosts(t *testing.T) {
	local := access.Site{Loopback: true, Origins: []string{"https://Shop.example"}}
	public := access.Site{}
	for host, known := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LocalHost:1": true, "localhost.": true, "a.localhost": true,
		"127.0.0.1": true, "127.9.9.9:8080": true, "[::1]": true, "[::1]:8080": true, "[::ffff:127.0.0.1]:1": true,
		"shop.example": true, "SHOP.example:8080": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false, "10.0.0.1": false,
		"0.0.0.0:8080": false, "[::2]:8080": false, "notshop.example": false, ":8080": false,
	} {
		if got := local.KnowsHost(host); got != known {
			t.Errorf("KnowsHost(%q) = %t", host, got)
		}
		if !public.KnowsHost(host) {
			t.Errorf("a public server does not know %q", host)
		}
	}
}

func TestOrigins(t *testing.T) {
	local, public := access.Site{Loopback: true}, access.Site{}
	for _, test := range []struct {
		origin, host  string
		local, public bool
	}{
		{"http://localhost:8080", "localhost:8080", true, true},
		{"http://LOCALHOST:8080", "localhost:8080", true, true},
		{"http://localhost:8080", "127.0.0.1:8080", true, false},
		{"http://[::1]:8080", "[::1]:8080", true, true},
		{"http://localhost:8081", "localhost:8080", false, false},
		{"https://chat.example", "chat.example", true, true},
		{"https://chat.example", "chat.example:443", true, true},
		{"https://chat.example:8443", "chat.example", false, false},
		{"https://chat.example.", "chat.example", true, true},
		{"http://evil.example:8080", "localhost:8080", false, false},
		{"null", "localhost:8080", false, false},
		{"", "", false, false},
		{"http://", "", false, false},
		{"localhost:8080", "localhost:8080", false, false},
		{"http://localhost:8080/", "localhost:8080", false, false},
		{"http://me@localhost:8080", "localhost:8080", false, false},
		{"file://localhost", "localhost", false, false},
	} {
		if got := local.Ours(test.origin, test.host); got != test.local {
			t.Errorf("on loopback, Ours(%q, %q) = %t", test.origin, test.host, got)
		}
		if got := public.Ours(test.origin, test.host); got != test.public {
			t.Errorf("in public, Ours(%q, %q) = %t", test.origin, test.host, got)
		}
	}
	list := []string{"https://shop.example", "http://[2001:db8::1]:3000"}
	for origin, listed := range map[string]bool{
		"https://shop.example": true, "HTTPS://SHOP.EXAMPLE:443": true, "http://[2001:DB8::1]:3000": true,
		"http://shop.example": false, "https://a.shop.example": false, "https://shop.example:8443": false, "null": false, "": false,
	} {
		if got := access.Listed(origin, list); got != listed {
			t.Errorf("Listed(%q) = %t", origin, got)
		}
	}
}
