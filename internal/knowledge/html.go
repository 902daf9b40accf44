package knowledge

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// page reads the main content of an HTML page.
func page(source string) (draft, error) {
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return draft{}, fmt.Errorf("read HTML: %w", err)
	}
	var w htmlWalk
	w.head(root)
	content := root
	if m := mainContent(root); m != nil {
		content = m
	}
	w.walk(content)
	w.flush()
	if h := w.draft.firstHeading(); h != "" {
		w.draft.title = h // "Refunds" says more than "Refunds | Help | Shop"
	}
	return w.draft, nil
}

// htmlFragment reads HTML that stands in a Markdown text.
func htmlFragment(source string) draft {
	body := &html.Node{Type: html.ElementNode, DataAtom: atom.Body, Data: "body"}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil {
		return draft{} // nested beyond reason: nothing that a reader would see
	}
	var w htmlWalk
	for _, n := range nodes {
		w.walk(n)
	}
	w.flush()
	return w.draft
}

// mainContent returns the element that its page declares to be its content, the
// first of the best kind, or nil.
func mainContent(root *html.Node) *html.Node {
	var main, article *html.Node
	articles := 0
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case main == nil && (n.DataAtom == atom.Main || attr(n, "role") == "main"):
			main = n
		case n.DataAtom == atom.Article:
			article = n
			articles++
		}
	}
	if main == nil && articles == 1 {
		main = article
	}
	if main != nil && !hasText(main) {
		return nil // filled in by a script
	}
	return main
}

func hasText(n *html.Node) bool {
	for c := range n.Descendants() {
		if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" && c.Parent.DataAtom != atom.Script && c.Parent.DataAtom != atom.Style {
			return true
		}
	}
	return false
}

// htmlWalk gathers the blocks of a tree. Trees are at most 512 elements deep: the
// parser refuses others.
type htmlWalk struct {
	draft   draft
	inline  strings.Builder // text of the block that is being read
	kind    kind
	marker  string   // of the list item that is being read; its first block takes it
	lists   []string // markers of the lists around: "- ", or "" when numbered
	numbers []int
	scoped  int // inside so many of main, article and section
}

// head takes the title and the canonical address.
func (w *htmlWalk) head(root *html.Node) {
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.DataAtom == atom.Title && w.draft.title == "" && n.FirstChild != nil && n.Namespace == "":
			w.draft.title = clean(n.FirstChild.Data)
		case n.DataAtom == atom.Link && attr(n, "rel") == "canonical" && w.draft.url == "":
			w.draft.url = attr(n, "href")
		}
	}
}

// skipped reports whether an element holds nothing of the page's own content.
func (w *htmlWalk) skipped(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Nav, atom.Aside, atom.Footer,
		atom.Iframe, atom.Object, atom.Svg, atom.Math, atom.Canvas, atom.Audio, atom.Video, atom.Dialog, atom.Menu,
		atom.Button, atom.Select, atom.Input, atom.Textarea, atom.Datalist, atom.Progress, atom.Meter:
		return true
	case atom.Header:
		return w.scoped == 0 // an article's own header has its title
	case atom.Del, atom.S, atom.Strike:
		return true // says what no longer holds
	case atom.A, atom.Sup:
		if footnote(n) {
			return true
		}
	}
	switch attr(n, "role") {
	case "navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog", "menu", "menubar", "toolbar", "tablist":
		return true
	}
	if attr(n, "aria-hidden") == "true" || navigation(n) {
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" {
			return true
		}
		if a.Key == "style" && strings.Contains(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""), "display:none") {
			return true
		}
	}
	return false
}

// navigation reports whether the class or id of an element says that it leads around
// the site. Pages that were written before the nav element, or made by DocBook, Sphinx
// or AsciiDoc, say it so. A menu may be a restaurant's, and is none.
func navigation(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Html, atom.Body, atom.Main, atom.Article, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return false // names the kind of the page
	}
	for name := range strings.FieldsSeq(attr(n, "class") + " " + attr(n, "id")) {
		switch strings.ToLower(name) {
		case "nav", "navbar", "navigation", "navheader", "navfooter", "breadcrumb", "breadcrumbs", "pagination", "pager",
			"toc", "sidebar", "sphinxsidebar", "related", "headerlink", "footer", "footer-text", "skip-link":
			return true
		}
	}
	return false
}

// footnote reports whether n is the number of a footnote, with a link inside the page.
// In a quotation it would look like a mark of ours.
func footnote(n *html.Node) bool {
	link, sup := false, false
	for c := range n.Descendants() {
		link = link || c.DataAtom == atom.A && strings.Contains(attr(c, "href"), "#")
		sup = sup || c.DataAtom == atom.Sup
	}
	link = link || n.DataAtom == atom.A && strings.Contains(attr(n, "href"), "#")
	sup = sup || n.DataAtom == atom.Sup
	if !link || !sup {
		return false
	}
	digits := strings.Trim(rawText(n), "[]() \n")
	_, err := strconv.Atoi(digits)
	return err == nil && len(digits) <= 3
}

func (w *htmlWalk) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.inline.WriteString(strings.ReplaceAll(n.Data, "\n", " "))
		return
	case html.ElementNode:
	case html.DocumentNode:
		w.children(n)
		return
	default:
		return
	}
	if w.skipped(n) {
		return
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.flush()
		w.draft.add(heading, int(n.Data[1]-'0'), clean(w.text(n)))
	case atom.Pre:
		w.flush()
		w.draft.add(code, 0, fenced(strings.Trim(lines(rawText(n)), "\n")))
	case atom.Br:
		w.inline.WriteByte('\n')
	case atom.Img:
		w.inline.WriteString(" " + strings.ReplaceAll(attr(n, "alt"), "\n", " ") + " ")
	case atom.Sup:
		if t := digits(rawText(n)); t != "" {
			w.inline.WriteString(raised.Replace(t)) // 10² is not 102
			return
		}
		w.children(n)
	case atom.A:
		start := w.inline.Len()
		w.children(n)
		if to := contact(attr(n, "href")); to != "" && start <= w.inline.Len() && !strings.Contains(w.inline.String()[start:], to) {
			w.inline.WriteString(" (" + to + ")")
		}
	case atom.Ul, atom.Ol:
		w.flush()
		w.list(n)
	case atom.Li:
		w.flush()
		w.item(n)
	case atom.Tr:
		w.flush()
		w.row(n)
	case atom.Main, atom.Article, atom.Section:
		w.flush()
		w.scoped++
		w.children(n)
		w.scoped--
		w.flush()
	default:
		if !inlineElement(n) {
			w.flush()
			defer w.flush()
		}
		w.children(n)
	}
}

var raised = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

func (w *htmlWalk) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
}

// flush ends the block that is being read.
func (w *htmlWalk) flush() {
	t := cleanLines(w.inline.String())
	w.inline.Reset()
	if t == "" {
		return
	}
	if w.kind == item {
		t = w.marker + t
		w.marker = strings.Repeat(" ", len(w.marker))
	}
	w.draft.add(w.kind, 0, t)
}

func (w *htmlWalk) list(n *html.Node) {
	marker := "- "
	number := 1
	if n.DataAtom == atom.Ol {
		marker = ""
		if s, err := strconv.Atoi(attr(n, "start")); err == nil && 0 <= s && s < 1e6 {
			number = s
		}
	}
	w.lists, w.numbers = append(w.lists, marker), append(w.numbers, number)
	w.children(n)
	w.flush()
	w.lists, w.numbers = w.lists[:len(w.lists)-1], w.numbers[:len(w.numbers)-1]
}

func (w *htmlWalk) item(n *html.Node) {
	k, m := w.kind, w.marker
	w.kind, w.marker = item, "- "
	if at := len(w.lists) - 1; at >= 0 {
		if w.lists[at] == "" {
			w.marker = strconv.Itoa(w.numbers[at]) + ". "
			w.numbers[at]++
		}
		w.marker = strings.Repeat("  ", min(at, 8)) + w.marker
	}
	w.children(n)
	w.flush()
	w.kind, w.marker = k, m
}

// row adds a table row as one line, its cells parted by "|". A table that lays out
// a page, with headings, lists or tables in its cells, is read as plain blocks.
func (w *htmlWalk) row(n *html.Node) {
	for c := range n.Descendants() {
		switch c.DataAtom {
		case atom.Table, atom.H1, atom.H2, atom.H3, atom.H4, atom.Ul, atom.Ol, atom.Pre:
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				w.children(c)
				w.flush()
			}
			return
		}
	}
	var cells []string
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
			cells = append(cells, clean(w.text(c)))
		}
	}
	w.draft.add(row, 0, strings.Trim(strings.Join(cells, " | "), " |"))
}

// text returns the readable text of n without blocks.
func (w *htmlWalk) text(n *html.Node) string {
	inner := htmlWalk{scoped: w.scoped}
	inner.children(n)
	inner.flush()
	parts := make([]string, len(inner.draft.blocks))
	for i, b := range inner.draft.blocks {
		parts[i] = b.text
	}
	return strings.Join(parts, " ")
}

func rawText(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		} else if c.DataAtom == atom.Br {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func inlineElement(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Span, atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.Code, atom.Kbd, atom.Samp, atom.Var, atom.Small, atom.Big,
		atom.Sub, atom.Sup, atom.Mark, atom.Abbr, atom.Cite, atom.Q, atom.Time, atom.Data, atom.Label, atom.Font, atom.Ins,
		atom.Bdi, atom.Bdo, atom.Dfn, atom.Wbr, atom.Tt, atom.Acronym, atom.Ruby, atom.Rt, atom.Rp, atom.Output, atom.Picture:
		return true
	}
	return n.DataAtom == 0 && !strings.Contains(n.Data, "-") // an unknown tag, but not a custom element
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
