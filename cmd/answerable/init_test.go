package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestInitAsks answers the questions as a person does: with what is no answer, with
// nothing, and with what people take for an address.
func TestInitAsks(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		name, answers, given string
		want                 starting
		err                  string
	}{
		{"all", "Harbour\nnowhere\n.\nftp://x\nHarbour.example\n", "", starting{company: "Harbour", from: ".", site: "https://harbour.example", language: "en"}, ""},
		{"defaults", "\n\n\n", "", starting{company: "My Shop", language: "en"}, ""},
		{"the rest", "\n\n", "company", starting{company: "Given", language: "en"}, ""},
		{"without a last line break", "Harbour\n\nharbour.example", "", starting{company: "Harbour", site: "https://harbour.example", language: "en"}, ""},
		{"gone", "Harbour\n", "", starting{}, "there was no answer: give --company, --from and --site, or take all defaults with --yes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			c := &cli{stdin: strings.NewReader(test.answers), stderr: newScreen(&stderr)}
			got := starting{language: "en"}
			if test.given == "company" {
				got.company = "Given"
			}
			err := c.questions("my-shop", &got, func(flag string) bool { return flag == test.given }, true)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error = %v, want %s", err, test.err)
				}
				return
			}
			if err != nil || got.company != test.want.company || got.from != test.want.from || got.site != test.want.site || got.language != test.want.language {
				t.Errorf("answers = %+v, %v\n%s", got, err, stderr.String())
			}
			if test.name == "all" && (!strings.Contains(stderr.String(), "there is no folder or file nowhere") || !strings.Contains(stderr.String(), `"ftp://x" is no site`)) {
				t.Errorf("what is no answer is not told:\n%s", stderr.String())
			}
		})
	}
}

// TestInitStopped interrupts init in the middle of an import: nothing is left.
func TestInitStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		cancel()
		<-r.Context().Done()
	}))
	defer site.Close()
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	code := run(ctx, []string{"init", "shop", "--company", "Harbour", "--allow-private", "--rate", "100", "--from", site.URL + "/sitemap.xml"}, nil, &out, &errs)
	if code != exitFailed || !strings.Contains(errs.String(), "stopped; nothing was written") {
		t.Errorf("init = %d, %s", code, errs.String())
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
