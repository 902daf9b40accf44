package importer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// web is a site on this machine that counts what it was asked for.
type web struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

// serveSite serves pages by path; HOST in a page is the site's own address.
func serveSite(t *testing.T, pages map[string]string, more map[string]http.HandlerFunc) *web {
	w := &web{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.URL.RequestURI())
		w.mu.Unlock()
		if h := more[r.URL.Path]; h != nil {
			h(rw, r)
			return
		}
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		switch {
		case strings.HasSuffix(r.URL.Path, ".xml"):
			rw.Header().Set("Content-Type", "application/xml")
		case strings.HasSuffix(r.URL.Path, ".txt"):
			rw.Header().Set("Content-Type", "text/plain")
		default:
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		io.WriteString(rw, strings.ReplaceAll(page, "HOST", w.URL))
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *web) wasAsked(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.asked, path)
}

// options let a test read from this machine, quickly.
func options() Options { return Options{Private: true, Rate: 1e6} }

func article(title, text string) string {
	return "<html><head><title>" + title + "</title></head><body><nav>Menu</nav><main><h1>" + title + "</h1><p>" + text + "</p></main></body></html>"
}

func sitemap(addresses ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, a := range addresses {
		b.WriteString("<url><loc>" + a + "</loc><lastmod>2026-02-01</lastmod></url>")
	}
	return b.String() + "</urlset>"
}

// found returns the titles of a batch, and its problems with HOST for the site.
func found(b Batch, host string) (titles, problems []string) {
	for _, a := range b.Articles {
		titles = append(titles, a.Title)
	}
	for _, p := range b.Problems {
		problems = append(problems, strings.ReplaceAll(p.String(), host, "HOST"))
	}
	return titles, problems
}

func expect(t *testing.T, b Batch, host string, wantTitles, wantProblems []string) {
	t.Helper()
	titles, problems := found(b, host)
	if d := cmp.Diff(wantTitles, titles); d != "" {
		t.Errorf("titles (-want +got)\n%s", d)
	}
	if d := cmp.Diff(wantProblems, problems); d != "" {
		t.Errorf("problems (-want +got)\n%s", d)
	}
}

// A site whose sitemaps name each other, and pages that nobody should wait for.
func TestSiteOfTraps(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	index := "<sitemapindex><sitemap><loc>HOST/sitemap.xml</loc></sitemap><sitemap><loc>HOST/a.xml.gz</loc></sitemap></sitemapindex>"
	w := serveSite(t, map[string]string{
		"/robots.txt":  "User-agent: *\nDisallow: /private\nSitemap: HOST/sitemap.xml\n",
		"/sitemap.xml": "<sitemapindex><sitemap><loc>HOST/b.xml</loc></sitemap><sitemap><loc>HOST/a.xml.gz</loc></sitemap><sitemap><loc>HOST/broken.xml</loc></sitemap><sitemap><loc>HOST/index.xml</loc></sitemap></sitemapindex>",
		"/index.xml":   index,
		"/broken.xml":  "<html>not found</html>",
		"/b.xml": sitemap("HOST/help/delivery", "HOST/help/delivery#again", "HOST/help/copy", "HOST/private/x", "https://elsewhere.example/x",
			"HOST/help/huge", "HOST/help/bomb", "HOST/help/metadata", "HOST/help/gone", "HOST/help/picture", "HOST/help/old", "HOST/help/sneaky", "HOST/help/empty"),
		"/help/delivery": strings.Replace(article("Delivery", "Two days. <a href='returns'>Returns</a>"), "<head>", "<head><link rel=canonical href='/help/delivery'>", 1),
		"/help/copy":     strings.Replace(article("Delivery", "Two days."), "<head>", "<head><link rel=canonical href='/help/delivery'>", 1),
		"/help/returns":  article("Returns", "Thirty days."),
		"/help/empty":    "<html><body><nav>Menu</nav></body></html>",
		"/private/x":     article("Private", "x"),
	}, map[string]http.HandlerFunc{
		"/a.xml.gz": func(rw http.ResponseWriter, r *http.Request) { rw.Write(zipped.Bytes()) },
		"/help/huge": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			rw.Write(bytes.Repeat([]byte("x"), 10<<20))
		},
		"/help/bomb": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			z.Write(bytes.Repeat([]byte("x"), 50<<20))
			z.Close()
		},
		"/help/metadata": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		},
		"/help/sneaky": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/private/x", http.StatusFound) },
		"/help/old": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/help/returns", http.StatusMovedPermanently)
		},
		"/help/picture": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "image/png")
			io.WriteString(rw, "png")
		},
	})
	io.WriteString(z, strings.ReplaceAll(sitemap("HOST/help/returns"), "HOST", w.URL))
	z.Close()
	b, err := Read(t.Context(), w.URL+"/help", options())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, b, w.URL, []string{"Delivery", "Returns"}, []string{
		`HOST/broken.xml: no sitemap: its first element is "html"`,
		`HOST/help/copy: "HOST/help/delivery" is in HOST/help/delivery already`,
		"HOST/help/huge: larger than 5 MiB",
		"HOST/help/bomb: larger than 5 MiB",
		"HOST/help/metadata: redirected: on another host, 169.254.169.254: --also-host 169.254.169.254 reads it too",
		"HOST/help/gone: the page is gone (404 or 410)",
		`HOST/help/picture: "image/png" is not read; HTML, Markdown and plain text are`,
		"HOST/help/sneaky: redirected to HOST/private/x: robots.txt forbids it",
		"HOST/help/empty: no text in it",
		`HOST/help/returns: "HOST/help/returns" is in HOST/help/old already`,
	})
	if len(b.Articles) > 0 && (b.Articles[0].Updated != "2026-02-01" || !strings.Contains(b.Articles[0].Body, "[Returns]("+w.URL+"/help/returns)")) {
		t.Errorf("article = %+v", b.Articles[0])
	}
}

// A page that comes in drops is waited for so long, and the others are read.
func TestSlowPage(t *testing.T) {
	w := serveSite(t, map[string]string{
		"/sitemap.xml":   sitemap("HOST/help/slow", "HOST/help/delivery"),
		"/help/delivery": article("Delivery", "Two days."),
	}, map[string]http.HandlerFunc{
		"/help/slow": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			io.WriteString(rw, "<html>")
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	})
	o := options()
	o.Timeout = 2 * time.Second
	b, err := Read(t.Context(), w.URL+"/sitemap.xml", o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, b, w.URL, []string{"Delivery"}, []string{"HOST/help/slow: no whole answer within 2s"})
}

// What robots.txt forbids is not asked for, nor are pages of other hosts.
func TestSitemapObeysRobots(t *testing.T) {
	w := serveSite(t, map[string]string{
		"/robots.txt":        "User-agent: answerable\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n",
		"/map.xml":           sitemap("HOST/private/x", "https://elsewhere.example/x", "HOST/a", "HOST/opening-hours.txt"),
		"/opening-hours.txt": "9 to 5.",
		"/a":                 article("A", "x"), "/private/x": article("Private", "x"),
	}, nil)
	b, err := Read(t.Context(), w.URL+"/map.xml", options())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, b, w.URL, []string{"A", "opening hours"}, []string{
		"HOST/private/x: robots.txt forbids it",
		"https://elsewhere.example/x: on another host, elsewhere.example: --also-host elsewhere.example reads it too",
	})
	if w.wasAsked("/private/x") {
		t.Error("a page was fetched that robots.txt forbids")
	}
}

// A host whose robots.txt cannot be read is left alone.
func TestRobotsThatFail(t *testing.T) {
	w := serveSite(t, map[string]string{"/a": article("A", "x")}, map[string]http.HandlerFunc{
		"/robots.txt": func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(http.StatusBadGateway) },
	})
	if _, err := Read(t.Context(), w.URL+"/a", options()); err == nil || !strings.Contains(err.Error(), "its robots.txt could not be read: the server answered 502") {
		t.Errorf("Read = %v", err)
	}
	if w.wasAsked("/a") {
		t.Error("a page was fetched all the same")
	}
}

// Without a sitemap links are followed, below the first page, and no trap is endless.
func TestLinksAreFollowed(t *testing.T) {
	handlers := map[string]http.HandlerFunc{}
	for path, i := "/help/calendar", 0; i < 50; path, i = path+"/x", i+1 {
		next := path + "/x"
		handlers[path] = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(rw, "<main><h1>%s</h1><p>%[1]s</p><a href='%s'>next</a><a href='?day=%d'>day</a></main>", r.URL.Path, next, i)
		}
	}
	w := serveSite(t, map[string]string{
		"/help/":  "<html><body><main><h1>Help</h1><a href='a'>A</a> <a href='./b.html?x=1'>B</a> <a href='b.html#top'>B</a> <a href='/shop'>Shop</a> <a href='logo.png'>L</a> <a href='calendar'>C</a><a href='mailto:x@y.example'>M</a></main></body></html>",
		"/help/a": article("A", "See <a href='/help/'>help</a> and <a href='a'>me</a>."), "/help/b.html": article("B", "Text."), "/shop": article("Shop", "x"),
	}, handlers)
	b, err := Read(t.Context(), w.URL+"/help/", options())
	if err != nil {
		t.Fatal(err)
	}
	titles, problems := found(b, w.URL)
	want := []string{"Help", "A", "B", "/help/calendar", "/help/calendar/x", "/help/calendar/x/x", "/help/calendar/x/x/x", "/help/calendar/x/x/x/x", "/help/calendar/x/x/x/x/x"}
	if d := cmp.Diff(want, titles); d != "" || problems != nil {
		t.Errorf("problems %v, titles (-want +got)\n%s", problems, d)
	}
}

func TestPagesAreLimited(t *testing.T) {
	pages := map[string]string{"/map.xml": sitemap("HOST/1", "HOST/2", "HOST/3", "HOST/4")}
	for _, p := range []string{"/1", "/2", "/3", "/4"} {
		pages[p] = article("Page "+p, "Text of "+p)
	}
	w := serveSite(t, pages, nil)
	o := options()
	o.Pages = 2
	b, err := Read(t.Context(), w.URL+"/map.xml", o)
	if err != nil || len(b.Articles) != 2 || !b.partial || len(b.Problems) != 1 {
		t.Errorf("Read = %+v, %v", b, err)
	}
}

// An address that is not on the Internet is not dialled, whatever its name is.
func TestPrivateAddressesAreRefused(t *testing.T) {
	w := serveSite(t, map[string]string{"/a": article("A", "x")}, nil)
	u, _ := url.Parse(w.URL)
	for _, from := range []string{w.URL + "/a", "http://localhost:" + u.Port() + "/a"} {
		_, err := Read(t.Context(), from, Options{Rate: 1e6})
		if err == nil || !strings.Contains(err.Error(), "is not an address on the public Internet: --allow-private reads it all the same") {
			t.Errorf("Read(%s) = %v", from, err)
		}
	}
	if len(w.asked) > 0 {
		t.Errorf("the server was asked for %v", w.asked)
	}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "127.0.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false, "::": false, "fe80::1": false, "fd00::1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "::ffff:10.0.0.1": false,
	} {
		if got := public(netip.MustParseAddr(address).Unmap()); got != want {
			t.Errorf("public(%s) = %t", address, got)
		}
	}
}

// A host is a name with its port: another port is another server.
func TestHosts(t *testing.T) {
	start, _ := url.Parse("https://Shop.example:443/help")
	f := newFetcher(start, Options{Hosts: []string{"Docs.example"}})
	for address, want := range map[string]bool{
		"https://shop.example/": true, "http://shop.example/": true, "http://shop.example:80/": true, "https://docs.example/": true,
		"https://shop.example:8443/": false, "https://www.shop.example/": false, "https://shop.example.evil.example/": false,
		"https://shop.example@evil.example/": false, "ftp://shop.example/": false, "file:///etc/passwd": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.host(u) == nil; got != want {
			t.Errorf("host(%s) = %v", address, f.host(u))
		}
	}
}

// Hosts are asked with pauses, and told who asks.
func TestPoliteness(t *testing.T) {
	var agents []string
	w := serveSite(t, nil, map[string]http.HandlerFunc{
		"/robots.txt": func(rw http.ResponseWriter, r *http.Request) {
			agents = append(agents, r.UserAgent())
			io.WriteString(rw, "User-agent: *\nCrawl-delay: 7\n")
		},
	})
	u, _ := url.Parse(w.URL)
	o := options()
	o.Version = "1.2"
	f := newFetcher(u, o.withDefaults())
	if _, err := f.rules(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if len(agents) != 1 || !strings.HasPrefix(agents[0], "answerable-import/1.2 ") {
		t.Errorf("User-Agent = %q", agents)
	}
	if got := f.delay(u.Host); got != 7*time.Second {
		t.Errorf("delay = %s, want what robots.txt asks for", got)
	}
	if got := f.delay("other.example"); got != time.Microsecond {
		t.Errorf("delay elsewhere = %s", got)
	}
}

// What a site puts around each of its articles is none of them.
func TestFrameIsDropped(t *testing.T) {
	pages := map[string]string{"/map.xml": sitemap("HOST/1", "HOST/2", "HOST/3", "HOST/4", "HOST/5")}
	for _, p := range []string{"/1", "/2", "/3", "/4", "/5"} {
		pages[p] = "<html><body><p>Free delivery from €50!</p><h2>Question " + p + "</h2><p>Answer to " + p + ".</p><p>Was this helpful?</p></body></html>"
	}
	w := serveSite(t, pages, nil)
	b, err := Read(t.Context(), w.URL+"/map.xml", options())
	if err != nil || len(b.Articles) != 5 {
		t.Fatalf("Read = %+v, %v", b, err)
	}
	if got, want := b.Articles[0].Body, "Free delivery from €50!\n\n## Question /1\n\nAnswer to /1.\n\nWas this helpful?"; got != want {
		t.Errorf("first = %q, want %q", got, want)
	}
	for i, a := range b.Articles[1:] {
		if want := fmt.Sprintf("## Question /%d\n\nAnswer to /%[1]d.", i+2); a.Body != want {
			t.Errorf("article = %q, want %q", a.Body, want)
		}
	}
}
