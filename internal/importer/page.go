package importer

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/answerable/answerable/internal/knowledge"
)

// head is what a page says about itself.
type head struct {
	title, site string
	canonical   string // as written
	updated     string
	language    string
	h1          string
	base        string   // of relative links
	links       []string // in the order of the page, as written
}

// readHead looks through a parsed page, before anything of it is removed.
func readHead(root *html.Node) head {
	var h head
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.Html:
			h.language = attr(n, "lang")
		case atom.Title:
			if n.Namespace == "" && h.title == "" {
				h.title = oneLine(text(n))
			}
		case atom.Base:
			h.base = cmp.Or(h.base, attr(n, "href"))
		case atom.Link:
			if strings.EqualFold(attr(n, "rel"), "canonical") {
				h.canonical = cmp.Or(attr(n, "href"), h.canonical)
			}
		case atom.Meta:
			content := attr(n, "content")
			switch strings.ToLower(cmp.Or(attr(n, "property"), attr(n, "name"), attr(n, "itemprop"))) {
			case "og:url":
				h.canonical = cmp.Or(h.canonical, content)
			case "og:site_name":
				h.site = oneLine(content)
			case "article:modified_time", "og:updated_time", "datemodified":
				h.updated = cmp.Or(h.updated, day(content))
			}
		case atom.Script:
			if attr(n, "type") == "application/ld+json" && h.updated == "" {
				if m := modified.FindStringSubmatch(text(n)); m != nil {
					h.updated = day(m[1])
				}
			}
		case atom.H1:
			if h.h1 == "" {
				h.h1 = oneLine(text(n))
				if id := attr(n, "id"); id == "title-heading" || id == "title-text" { // Confluence: "Space : Page"
					if _, page, ok := strings.Cut(h.h1, " : "); ok {
						h.h1 = page
					}
				}
			}
		case atom.A:
			if href := attr(n, "href"); href != "" && !strings.Contains(attr(n, "rel"), "nofollow") {
				h.links = append(h.links, href)
			}
		}
	}
	return h
}

var modified = regexp.MustCompile(`"dateModified"\s*:\s*"([^"]{1,64})"`)

// name returns the title of a page: its heading, or what the browser shows without the
// site's name.
func (h head) name() string {
	if h.h1 != "" {
		return h.h1
	}
	for _, sep := range []string{" | ", " – ", " — ", " - ", " · "} {
		if i := strings.LastIndex(h.title, sep); i > 0 && h.site != "" && strings.EqualFold(strings.TrimSpace(h.title[i+len(sep):]), h.site) {
			return strings.TrimSpace(h.title[:i])
		}
	}
	return h.title
}

// bodies are what the templates of help centres call the element with an article's text.
// It is more than main or article say, which hold votes and links to other articles too.
var bodies = []string{"article-body", "article__body", "article_body", "articlebody", "wiki-content", "markdown-body", "page-body", "entry-content", "post-content"}

// articleBody returns the only element that is declared to be an article's text, or nil.
func articleBody(root *html.Node) *html.Node {
	var found *html.Node
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.DataAtom == atom.Body || n.DataAtom == atom.Html {
			continue
		}
		if attr(n, "itemprop") != "articleBody" && !slices.ContainsFunc(names(n), func(s string) bool { return slices.Contains(bodies, s) }) {
			continue
		}
		if found == nil {
			found = n
		} else if !inside(n, found) {
			return nil // a list of articles
		}
	}
	if found != nil && len(strings.Fields(text(found))) < 5 {
		return nil // filled in by a script
	}
	return found
}

func inside(n, outer *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == outer {
			return true
		}
	}
	return false
}

// frame are the classes and ids of what surrounds an article and is none of it: notices
// about cookies, votes, links to other articles. Only whole names count: an article may
// well have a section with the id "cookies".
var frame = []string{
	"cookie-banner", "cookie-bar", "cookiebar", "cookie-notice", "cookie-consent", "cookieconsent", "cookie-law-info-bar", "cookie-popup",
	"onetrust-consent-sdk", "onetrust-banner-sdk", "cybotcookiebotdialog", "usercentrics-root", "cc-window", "gdpr-banner", "consent-banner",
	"article-votes", "article-vote", "article-relatives", "article-more-questions", "article-comments", "article-author", "article-meta",
	"article-subscribe", "article-return-to-top", "recent-articles", "related-articles", "related-posts", "share-buttons", "social-share", "addtoany",
	"intercom-reaction-picker", "article__reactions", "articlefoot", "was-this-helpful", "article-feedback", "page-metadata", "breadcrumb-section",
	"sub-nav", "skip-navigation", "sr-only", "visually-hidden", "screen-reader-text", "newsletter", "newsletter-signup", "search-form",
}

func names(n *html.Node) []string {
	return strings.Fields(strings.ToLower(attr(n, "class") + " " + attr(n, "id")))
}

func unframe(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode && c.DataAtom != atom.Body && c.DataAtom != atom.Main && c.DataAtom != atom.Article &&
			slices.ContainsFunc(names(c), func(s string) bool { return slices.Contains(frame, s) }) {
			n.RemoveChild(c)
		} else {
			unframe(c)
		}
		c = next
	}
}

// parseHTML parses a page or a fragment. What is nested beyond reason is refused.
func parseHTML(source string) (*html.Node, error) {
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return nil, fmt.Errorf("not readable as HTML: %w", err)
	}
	return root, nil
}

// pageMarkdown returns a page's own content as Markdown; link says where a link leads,
// or "" where it leads nowhere. The page is changed.
func pageMarkdown(root *html.Node, link func(string) string) string {
	unframe(root)
	content := articleBody(root)
	if content == nil {
		content = knowledge.Content(root)
	}
	knowledge.Prune(content)
	return markdownOf(content, link)
}

// absolute returns a function that makes links absolute from an address. Links inside
// the page, and those that a browser would run, lead nowhere.
func absolute(from *url.URL) func(string) string {
	return func(href string) string {
		u, err := url.Parse(strings.TrimSpace(href))
		if err != nil || href == "" || strings.HasPrefix(href, "#") {
			return ""
		}
		if from != nil {
			u = from.ResolveReference(u)
		}
		switch {
		case u.Scheme == "mailto" || u.Scheme == "tel":
			return u.String()
		case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
			u.User = nil
			return u.String()
		}
		return ""
	}
}

// webAddress returns s as an absolute address that customers can open, or "".
func webAddress(s string) string {
	if to := absolute(nil)(s); !strings.HasPrefix(to, "mailto:") && !strings.HasPrefix(to, "tel:") {
		return to
	}
	return ""
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// oneLine makes a title of a text: one line, without control characters, of bounded
// length.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) && !unicode.Is(unicode.Join_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxTitle {
		s = strings.TrimSpace(string(r[:maxTitle-1])) + "…"
	}
	return s
}

// day returns the day of a date as sources write it, or "" where it is none.
func day(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 10 {
		if t, err := time.Parse(time.DateOnly, s[:10]); err == nil && t.Year() > 1990 {
			return s[:10]
		}
	}
	for _, layout := range []string{"2006-01-02", "2006/01/02", "02.01.2006", "2.1.2006", "2 January 2006", "January 2, 2006", "Jan 2, 2006", time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1990 {
			return t.Format(time.DateOnly)
		}
	}
	if len(s) == 10 || len(s) == 13 { // seconds or milliseconds since 1970, as Intercom writes
		var n int64
		if _, err := fmt.Sscanf(s, "%d", &n); err == nil && fmt.Sprint(n) == s {
			if len(s) == 13 {
				n /= 1000
			}
			return time.Unix(n, 0).UTC().Format(time.DateOnly)
		}
	}
	return ""
}
