package console_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerable/answerable/internal/console"
)

func files(t *testing.T, manifest string) *console.Files {
	t.Helper()
	f, err := console.New(fstest.MapFS{
		"manifest.json":               {Data: []byte(manifest)},
		"widget.js":                   {Data: []byte("loader")},
		"assets/widget-1a2b.js":       {Data: []byte(strings.Repeat("widget ", 100))},
		"assets/widget-de-3c.js":      {Data: []byte("words")},
		"assets/widget-later-4d.js":   {Data: []byte("more")},
		"assets/page-9f.css":          {Data: []byte("css")},
		"assets/page-9f.js":           {Data: []byte("page")},
		"assets/page-9f.js.map":       {Data: []byte("map")},
		"assets/shared-0d.js":         {Data: []byte("shared")},
		"assets/widget-1a2b.js/x.exe": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const manifest = `{"widget.js": "widget.js", "widget": "assets/widget-1a2b.js", "widget-de": "assets/widget-de-3c.js",
	"widget-later": "assets/widget-later-4d.js",
	"page": "assets/page-9f.js", "page.css": "assets/page-9f.css"}`

func TestOpen(t *testing.T) {
	f := files(t, manifest)
	for path, want := range map[string]string{
		"widget.js":                                        "widget.js",
		"assets/widget-1a2b.js":                            "assets/widget-1a2b.js",
		"assets/shared-0d.js":                              "assets/shared-0d.js", // the manifest need not name all
		"assets/widget-0.js":                               "assets/widget-1a2b.js",
		"assets/widget-B-_9.js":                            "assets/widget-1a2b.js",
		"assets/widget-de-0.js":                            "assets/widget-de-3c.js",
		"assets/widget-later-4d.js":                        "assets/widget-later-4d.js",
		"assets/widget-later-0.js":                         "", // it belongs to another widget
		"assets/page-0.js":                                 "assets/page-9f.js",
		"assets/page-0.css":                                "assets/page-9f.css",
		"assets/widget-0.css":                              "",
		"assets/widget.js":                                 "",
		"assets/widget-.js":                                "",
		"assets/widget-0.js.map":                           "",
		"assets/shared-0.js":                               "",
		"assets/page-9f.js.map":                            "", // not of a type that is served
		"assets/other-0.js":                                "",
		"assets/../widget.js":                              "",
		"assets/widget-a/b.js":                             "",
		"assets/widget-" + strings.Repeat("a", 33) + ".js": "",
		"widget-0.js":                                      "",
		"manifest.json":                                    "",
		"":                                                 "",
		"assets/":                                          "",
	} {
		file, ok := f.Open(path)
		got := ""
		if ok {
			got = file.Path
		}
		if got != want {
			t.Errorf("Open(%q) = %q, want %q", path, got, want)
		}
	}
	if got := f.Path("page.css"); got != "assets/page-9f.css" {
		t.Errorf("Path(page.css) = %q", got)
	}
	loader, _ := f.Open("widget.js")
	page, _ := f.Open("assets/page-0.css")
	if loader.Lasts() || !page.Lasts() || page.Type != "text/css; charset=utf-8" || page.Tag == loader.Tag {
		t.Errorf("loader %+v, page %+v", loader, page)
	}
}

func TestZipped(t *testing.T) {
	f := files(t, manifest)
	large, _ := f.Open("assets/widget-1a2b.js")
	r, err := gzip.NewReader(bytes.NewReader(large.Zipped()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, large.Data) {
		t.Errorf("unzipped %q, %v", got, err)
	}
	if small, _ := f.Open("widget.js"); small.Zipped() != nil {
		t.Error("a file that grows by gzip is zipped")
	}
}

func TestTheManifestNamesWhatIsThere(t *testing.T) {
	_, err := console.New(fstest.MapFS{"manifest.json": {Data: []byte(`{"page": "assets/page-1.js"}`)}})
	want := `manifest.json names assets/page-1.js for "page", which is not there; build the web part again`
	if err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}

// imported finds the files that a script loads before it runs.
var imported = regexp.MustCompile(`(?:from|import)\s*"\./([\w.-]+\.js)"`)

// What a visitor loads before something rare is needed has a budget, in bytes as they are
// sent: scripts and all that they import, styles, and the words of the longest language.
func TestWhatWeSendIsSmall(t *testing.T) {
	f := console.Built()
	words := heaviest(t, f)
	for _, budget := range []struct {
		what  string
		names []string
		most  int
	}{
		{"the loader", []string{"widget.js"}, 3 << 10},
		{"the widget", []string{"widget.js", "widget", words}, 45 << 10},
		{"the page", []string{"page", "page.css", words}, 45 << 10},
	} {
		parts := map[string]int{}
		var add func(path string)
		add = func(path string) {
			file, ok := f.Open(path)
			if !ok {
				t.Fatalf("%s: %s is not there", budget.what, path)
			}
			if _, done := parts[path]; done {
				return
			}
			parts[path] = sent(file)
			for _, m := range imported.FindAllSubmatch(file.Data, -1) {
				add("assets/" + string(m[1]))
			}
		}
		for _, name := range budget.names {
			add(f.Path(name))
		}
		sum := 0
		for _, n := range parts {
			sum += n
		}
		t.Logf("%s: %d bytes in %s", budget.what, sum, slices.Sorted(maps.Keys(parts)))
		if sum == 0 || sum > budget.most {
			t.Errorf("%s has %d bytes, want at most %d: %v", budget.what, sum, budget.most, parts)
		}
	}
}

// heaviest names the catalogue that has the most bytes.
func heaviest(t *testing.T, f *console.Files) (name string) {
	t.Helper()
	most := 0
	for _, language := range []string{"ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt", "tr", "zh"} {
		file, ok := f.Open(f.Path("strings-" + language + ".json"))
		if !ok {
			t.Fatalf("there are no words for %s", language)
		}
		if n := sent(file); n > most {
			name, most = "strings-"+language+".json", n
		}
	}
	return name
}

// sent is how many bytes of a file go to browsers.
func sent(file *console.File) int {
	if file.Brotli == nil {
		return len(file.Data)
	}
	return len(file.Brotli)
}
