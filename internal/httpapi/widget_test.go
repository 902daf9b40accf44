package httpapi_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerable/answerable/internal/console"
	"github.com/answerable/answerable/internal/httpapi"
)

// widgetSettings is as much of the settings as the tests read.
type widgetSettings struct {
	Version                                    int
	Enabled                                    bool
	Assistant, Title, Locale, Accent, Greeting string
	Privacy                                    string
	Disclosure                                 struct{ Version, Text string }
	Consent                                    *struct{ Text string }
	Suggestions, Images                        []string
	Files                                      *struct {
		Types []string
		Bytes int64
	}
	Limits struct {
		MessageBytes int `json:"message_bytes"`
	}
}

func TestWidgetSettings(t *testing.T) {
	s := newServer(t, "")
	r := s.get("/v1/widget").want(200)
	got := decode[widgetSettings](r)
	if got.Version != 1 || !got.Enabled || got.Assistant != "demo" || got.Title != "Customer service" || got.Locale != "en" ||
		got.Accent != "#0b6e63" || got.Consent != nil || got.Files != nil || got.Limits.MessageBytes != 32<<10 ||
		len(got.Disclosure.Version) != 12 || !strings.Contains(got.Disclosure.Text, "AI assistant") {
		t.Errorf("settings are %s", r.body)
	}
	if !strings.Contains(r.body, `"suggestions":[]`) || !strings.Contains(r.body, `"images":[]`) {
		t.Errorf("empty lists are missing in %s", r.body)
	}
	if r.Header.Get("Cache-Control") != "public, max-age=60" || strings.Join(r.Header["Vary"], ", ") != "Origin, Accept-Language" {
		t.Errorf("headers are %v", r.Header)
	}
	again := s.get("/v1/widget", "If-None-Match: \"other\", W/"+r.Header.Get("ETag")).want(304)
	if again.body != "" {
		t.Errorf("304 with %q", again.body)
	}
	s.get("/v1/widget?locale=de", "If-None-Match: "+r.Header.Get("ETag")).want(200)

	other := decode[widgetSettings](s.get("/v1/widget?assistant=other&locale=de-AT").want(200))
	if other.Title != otherWidget.Title || other.Greeting != "Servus" || other.Disclosure.Version != "2026-11" || other.Disclosure.Text != "Da red't a Maschin." ||
		other.Consent == nil || !strings.Contains(other.Consent.Text, "KI") || other.Files == nil || other.Files.Bytes != 1000 || other.Images[0] != "https://cdn.example" {
		t.Errorf("settings are %+v", other)
	}
	if own := s.get("/v1/widget?accent=%23ffd400").want(200); !strings.Contains(own.body, `"accent":"#ffd400","accents":{"light":"#`) || strings.Contains(own.body, `"light":"#ffd400"`) {
		t.Errorf("a weak accent of the host page gives %s", own.body)
	}
	s.get("/v1/widget?accent=red").problem(422, "invalid", "#0b6e63")
}

func TestWidgetLocales(t *testing.T) {
	s := newServer(t, "")
	for _, test := range []struct{ query, header, locale, greeting string }{
		{"", "", "en", "How can we help?"},
		{"?locale=de", "", "de", "Wie können wir Ihnen helfen?"},
		{"?locale=de-CH", "", "de", "Wie können wir Ihnen helfen?"},
		{"?locale=iw", "", "he", "איך אפשר לעזור?"},
		{"?locale=sw", "fr-CA,fr;q=0.9,de;q=0.8", "fr", "Comment pouvons-nous vous aider\u00a0?"},
		{"", "sw, de;q=0.4, ja;q=0.6, *;q=0.1", "ja", "どのようなご用件でしょうか？"},
		{"?locale=%3Cscript%3E", "xx-%%%", "en", "How can we help?"},
		{"?assistant=other", "de-AT", "de-AT", "Servus"},
		{"?assistant=other", "de", "de", "Wie können wir Ihnen helfen?"},
		{"?assistant=other", "en-GB", "en", "Ask </script> us"},
	} {
		got := decode[widgetSettings](s.get("/v1/widget"+test.query, "Accept-Language: "+test.header).want(200))
		if got.Locale != test.locale || got.Greeting != test.greeting {
			t.Errorf("%s %q: %s %q, want %s %q", test.query, test.header, got.Locale, got.Greeting, test.locale, test.greeting)
		}
	}
}

func TestWidgetIsForItsSites(t *testing.T) {
	s := newServer(t, "")
	s.get("/v1/widget?assistant=nobody").problem(422, "invalid", `no assistant "nobody"`)
	s.get("/v1/widget", "Origin: https://strange.example").problem(403, "forbidden", "allowed_origins")
	s.get("/v1/widget?assistant=demo", "Origin: https://other.example").problem(403, "forbidden", "allowed_origins")
	r := s.get("/v1/widget?assistant=other", "Origin: https://other.example").want(200)
	if got := r.Header.Get("Access-Control-Allow-Origin"); got != "https://other.example" {
		t.Errorf("Access-Control-Allow-Origin = %q", got)
	}
}

// someFiles is a build of the web part.
func someFiles(t *testing.T) *console.Files {
	t.Helper()
	f, err := console.New(fstest.MapFS{
		"manifest.json":          {Data: []byte(`{"widget.js": "widget.js", "widget": "assets/widget-1a2b.js", "page": "assets/page-1.js", "page.css": "assets/page-2.css"}`)},
		"widget.js":              {Data: []byte("loader")},
		"assets/widget-1a2b.js":  {Data: []byte(strings.Repeat("widget ", 100))},
		"assets/page-1.js":       {Data: []byte("page")},
		"assets/page-2.css":      {Data: []byte("css")},
		"assets/page-2.css.br":   {Data: []byte("squeezed")},
		"assets/secret-1.tar.gz": {Data: []byte("secret")},
	})
	must(t, err)
	return f
}

func TestBuiltFiles(t *testing.T) {
	s := newServer(t, "", func(api *httpapi.Server) { api.Web = someFiles(t) })
	plain := "Accept-Encoding: identity" // Go's client would ask for gzip and hide it
	for path, want := range map[string]struct{ cache, media, body string }{
		"/widget.js":             {"public, max-age=300", "text/javascript; charset=utf-8", "loader"},
		"/assets/widget-1a2b.js": {"public, max-age=31536000, immutable", "text/javascript; charset=utf-8", strings.Repeat("widget ", 100)},
		"/assets/widget-old.js":  {"no-cache", "text/javascript; charset=utf-8", strings.Repeat("widget ", 100)},
		"/assets/page-2.css":     {"public, max-age=31536000, immutable", "text/css; charset=utf-8", "css"},
	} {
		for _, origin := range []string{"", "Origin: https://anywhere.example", "Origin: null"} {
			r := s.get(path, plain, origin).want(200)
			h := r.Header
			if r.body != want.body || h.Get("Cache-Control") != want.cache || h.Get("Content-Type") != want.media || h.Get("Access-Control-Allow-Origin") != "*" ||
				h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Vary") != "Accept-Encoding" || h.Get("Set-Cookie") != "" {
				t.Errorf("%s: %.20q, %v", path, r.body, h)
			}
			s.get(path, plain, "If-None-Match: "+h.Get("ETag")).want(304)
		}
	}
	for _, path := range []string{"/assets/other-1.js", "/assets/secret-1.tar.gz", "/assets/", "/assets/manifest.json", "/assets/page-2.css.br", "/manifest.json", "/widget-1.js"} {
		s.get(path).problem(404, "not-found", "")
	}

	// The wire counts, so gzip is asked for by hand.
	r := s.open(t.Context(), "GET", "/assets/widget-1a2b.js", "", "Accept-Encoding: br, gzip;q=0.5")
	defer r.Body.Close()
	z, err := gzip.NewReader(r.Body)
	must(t, err)
	body, err := io.ReadAll(z)
	must(t, err)
	if string(body) != strings.Repeat("widget ", 100) || r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength >= 700 {
		t.Errorf("gzip: %d bytes, %v", r.ContentLength, r.Header)
	}
	for _, encodings := range []string{"gzip;q=0, br", "identity"} {
		if r := s.get("/assets/widget-1a2b.js", "Accept-Encoding: "+encodings); r.Header.Get("Content-Encoding") != "" || r.ContentLength != 700 {
			t.Errorf("%s: %v", encodings, r.Header)
		}
	}
	for encodings, want := range map[string]string{"gzip, deflate, br": "br", "br;q=0, gzip": "", "identity": ""} {
		r := s.get("/assets/page-2.css", "Accept-Encoding: "+encodings).want(200)
		if r.Header.Get("Content-Encoding") != want || (want == "br") != (r.body == "squeezed") {
			t.Errorf("%s: %q, %v", encodings, r.body, r.Header)
		}
	}
	head := s.request("HEAD", "/assets/widget-1a2b.js", "", plain).want(200)
	if head.body != "" || head.ContentLength != 700 {
		t.Errorf("HEAD: %d, %q", head.ContentLength, head.body)
	}
}
