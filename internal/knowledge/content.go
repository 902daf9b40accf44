package knowledge

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Content returns the element that holds a page's own content: the root where the page
// declares none.
func Content(root *html.Node) *html.Node {
	if content := mainContent(root); content != nil {
		return content
	}
	return root
}

// Prune removes from an element what reading leaves out, such as navigation and scripts,
// and raises the digits of powers: what an importer keeps of a page is what would be read
// of it.
func Prune(n *html.Node) { prune(n, 0) }

// prune removes the descendants of n that are skipped; scoped is as in htmlWalk.
func prune(n *html.Node, scoped int) {
	if n.DataAtom == atom.Main || n.DataAtom == atom.Article || n.DataAtom == atom.Section {
		scoped++
	}
	w := htmlWalk{scoped: scoped}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.ElementNode && w.skipped(c):
			n.RemoveChild(c)
		case c.DataAtom == atom.Sup && digits(rawText(c)) != "":
			n.InsertBefore(&html.Node{Type: html.TextNode, Data: raised.Replace(digits(rawText(c)))}, c)
			n.RemoveChild(c)
		default:
			prune(c, scoped)
		}
		c = next
	}
}

// digits returns the trimmed text if it is digits alone, or else "".
func digits(text string) string {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return text
}

// Decode returns the text of a file, or the reason why it is none.
func Decode(b []byte) (string, error) { return decode(b) }

// Inline reports whether an element stands in a line of text, so that what is around it
// goes on behind it.
func Inline(n *html.Node) bool {
	return inlineElement(n) || n.DataAtom == atom.A || n.DataAtom == atom.Img || n.DataAtom == atom.Br
}
