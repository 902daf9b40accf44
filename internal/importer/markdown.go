package importer

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/answerable/answerable/internal/knowledge"
)

// Bounds within which the time of a conversion stays in proportion to the page.
const (
	maxNested  = 12   // lists and quotations in each other; what lies deeper is not indented more
	maxSpanned = 5000 // cells of a page that others stand for: two attributes can ask for sixty million
)

// markdownOf writes an element as Markdown that knowledge reads back: the same words,
// with headings, lists, tables, code, links and images. link says where a link leads, or
// "" where it leads nowhere: then its text is left, or its description.
func markdownOf(n *html.Node, link func(string) string) string {
	c := conversion{link: link, blocky: map[*html.Node]bool{}}
	c.look(n)
	return strings.TrimSpace(strings.Join(c.blocks(n), "\n\n"))
}

type conversion struct {
	link    func(string) string
	blocky  map[*html.Node]bool // elements with a block in them
	nested  int                 // lists and quotations around
	spanned int
	marked  bool // inside of bold or italic text, or a link: these are not nested
}

// look notes which elements have a block in them.
func (c *conversion) look(n *html.Node) bool {
	has := false
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		inner := c.look(child)
		has = has || inner || child.Type == html.ElementNode && !knowledge.Inline(child)
	}
	c.blocky[n] = has
	return has
}

// blocks returns the blocks in an element, each without a line break at its ends.
func (c *conversion) blocks(n *html.Node) []string {
	var out []string
	var line strings.Builder
	flush := func() {
		if p := paragraph(line.String()); p != "" {
			out = append(out, p)
		}
		line.Reset()
	}
	wasList := false
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == html.TextNode || child.Type == html.ElementNode && knowledge.Inline(child) && !c.blocky[child] {
			c.inline(&line, child)
			continue
		}
		if child.Type != html.ElementNode {
			continue
		}
		flush()
		blocks := c.block(child)
		isList := child.DataAtom == atom.Ul || child.DataAtom == atom.Ol
		if isList && wasList && len(blocks) > 0 && len(out) > 0 {
			out = append(out, "<!-- -->") // two lists, not one
		}
		wasList = isList && len(blocks) > 0
		out = append(out, blocks...)
	}
	flush()
	return out
}

func (c *conversion) block(n *html.Node) []string {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if t := c.oneLine(n); t != "" {
			return []string{strings.Repeat("#", int(n.Data[1]-'0')) + " " + t}
		}
		return nil
	case atom.Pre:
		return fence(rawText(n))
	case atom.Ul, atom.Ol:
		return c.list(n)
	case atom.Blockquote:
		return c.quotation(n)
	case atom.Table:
		return c.table(n)
	}
	return c.blocks(n)
}

// inline writes what stands in a line.
func (c *conversion) inline(b *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		writeSpaced(b, escape(n.Data))
		return
	}
	if n.Type != html.ElementNode {
		return
	}
	switch n.DataAtom {
	case atom.Br:
		b.WriteString("\\\n")
	case atom.Img:
		alt, to := escape(oneLine(attr(n, "alt"))), c.link(cmp.Or(attr(n, "src"), attr(n, "data-src")))
		if to != "" {
			alt = "![" + alt + "](" + destination(to) + ")"
		}
		writeSpaced(b, " "+alt+" ")
	case atom.A:
		to := c.link(attr(n, "href"))
		c.wrapped(b, n, func(t string) string {
			if to == "" {
				return t
			}
			return "[" + t + "](" + destination(to) + ")"
		})
	case atom.B, atom.Strong:
		c.wrapped(b, n, func(t string) string { return emphasis(t, "**") })
	case atom.I, atom.Em:
		c.wrapped(b, n, func(t string) string { return emphasis(t, "*") })
	case atom.Code, atom.Kbd, atom.Samp, atom.Tt:
		writeSpaced(b, codeSpan(text(n)))
	default:
		c.inlines(b, n)
	}
}

func (c *conversion) inlines(b *strings.Builder, n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.inline(b, child)
	}
}

// wrapped writes the content of an element as wrap has it, unless it is wrapped already.
// Space at its ends stays outside.
func (c *conversion) wrapped(b *strings.Builder, n *html.Node, wrap func(string) string) {
	if c.marked {
		c.inlines(b, n)
		return
	}
	var inner strings.Builder
	c.marked = true
	c.inlines(&inner, n)
	c.marked = false
	s := inner.String()
	t := strings.Trim(s, " \n")
	if strings.HasSuffix(t, `\`) || strings.HasPrefix(t, "\\\n") || t == "" { // line breaks at its ends
		writeSpaced(b, s)
		return
	}
	at := strings.Index(s, t)
	writeSpaced(b, s[:at]+wrap(t)+s[at+len(t):])
}

// emphasis marks a text. Where the marks would touch punctuation they may not be read as
// such, so it stays outside, or there are none.
func emphasis(t, mark string) string {
	word := strings.TrimRight(t, ".,:;!?")
	first, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	if !alphanumeric(first) || !alphanumeric(last) {
		return t
	}
	return mark + word + mark + t[len(word):]
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// oneLine returns the content of an element in one line.
func (c *conversion) oneLine(n *html.Node) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(c.cell(n), "<br>", " ")), " ")
}

// cell returns the content of an element as a table's cell has it: blocks and lines with
// <br> between them.
func (c *conversion) cell(n *html.Node) string {
	var parts []string
	for _, block := range c.blocks(n) {
		for l := range strings.SplitSeq(block, "\n") {
			if l = strings.TrimSuffix(strings.TrimSpace(l), `\`); l != "" && l != "<!-- -->" {
				parts = append(parts, l)
			}
		}
	}
	return strings.Join(parts, "<br>")
}

func (c *conversion) list(n *html.Node) []string {
	number := -1
	if n.DataAtom == atom.Ol {
		number = 1
		if s, err := strconv.Atoi(attr(n, "start")); err == nil && 0 <= s && s < 1e6 {
			number = s
		}
	}
	if c.nested >= maxNested {
		return c.blocks(n)
	}
	c.nested++
	defer func() { c.nested-- }()
	var items []string
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		var blocks []string
		switch {
		case child.DataAtom == atom.Li:
			blocks = c.blocks(child)
		case child.Type == html.ElementNode: // a list directly in a list
			blocks = c.block(child)
		}
		if len(blocks) == 0 {
			continue
		}
		between := "\n\n"
		if len(blocks) == 1 || len(blocks) == 2 && !strings.Contains(blocks[0], "\n") && isList(blocks[1]) {
			between = "\n"
		}
		marker := "- "
		if number >= 0 {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		items = append(items, marker+indent(strings.Join(blocks, between), strings.Repeat(" ", len(marker))))
	}
	if len(items) == 0 {
		return nil
	}
	return []string{strings.Join(items, "\n")}
}

var listStart = regexp.MustCompile(`^(- |\d+\. )`)

func isList(block string) bool { return listStart.MatchString(block) }

func (c *conversion) quotation(n *html.Node) []string {
	if c.nested >= maxNested {
		return c.blocks(n)
	}
	c.nested++
	defer func() { c.nested-- }()
	blocks := c.blocks(n)
	if len(blocks) == 0 {
		return nil
	}
	return []string{"> " + indent(strings.Join(blocks, "\n\n"), "> ")}
}

// indent puts something before each line but the first.
func indent(s, with string) string { return strings.ReplaceAll(s, "\n", "\n"+with) }

// table writes a table whose rows say it all: a cell that stands for several is repeated.
// A table that lays out a page, with headings, code or tables in its cells, becomes plain
// blocks.
func (c *conversion) table(n *html.Node) []string {
	for d := range n.Descendants() {
		switch d.DataAtom {
		case atom.Table, atom.H1, atom.H2, atom.H3, atom.H4, atom.Pre:
			return c.blocks(n)
		}
	}
	var trs []*html.Node
	var caption []string
	for d := range n.Descendants() {
		switch d.DataAtom {
		case atom.Tr:
			trs = append(trs, d)
		case atom.Caption:
			caption = c.blocks(d)
		}
	}
	rows := make([][]string, len(trs))
	width := 0
	type above struct {
		text string
		rows int
	}
	var spans []above // by column, what stands for the rows below
	for i, tr := range trs {
		var row []string
		put := func(text string, rowspan int) {
			at := len(row)
			for len(spans) <= at {
				spans = append(spans, above{})
			}
			spans[at] = above{text, rowspan - 1}
			row = append(row, text)
		}
		repeat := func() {
			for len(row) < len(spans) && spans[len(row)].rows > 0 {
				put(spans[len(row)].text, spans[len(row)].rows)
			}
		}
		for cell := tr.FirstChild; cell != nil; cell = cell.NextSibling {
			if cell.DataAtom != atom.Td && cell.DataAtom != atom.Th {
				continue
			}
			repeat()
			text := c.cell(cell)
			down, across := c.span(cell, len(trs)-i)
			for range across {
				put(text, down)
			}
		}
		repeat()
		rows[i] = row
		width = max(width, len(row))
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return strings.Join(row, "") == "" })
	if len(rows) == 0 {
		return caption
	}
	if more := min(width, 200) - len(rows[0]); more > 0 { // the first row decides how many columns there are
		rows[0] = append(rows[0], make([]string, more)...)
	}
	lines := []string{tableRow(rows[0]), strings.Repeat("|---", len(rows[0])) + "|"}
	for _, row := range rows[1:] {
		lines = append(lines, tableRow(row))
	}
	return append(caption, strings.Join(lines, "\n"))
}

func tableRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }

// span returns how many rows and columns a cell stands for.
func (c *conversion) span(cell *html.Node, rowsLeft int) (down, across int) {
	count := func(key string, most int) int {
		n, err := strconv.Atoi(attr(cell, key))
		if err != nil {
			return 1
		}
		return max(1, min(n, most))
	}
	down, across = count("rowspan", rowsLeft), count("colspan", 100)
	if c.spanned += down*across - 1; c.spanned > maxSpanned {
		return 1, 1
	}
	return down, across
}

// writeSpaced writes text after the line so far, with one space where both have some.
func writeSpaced(b *strings.Builder, s string) {
	if strings.HasPrefix(s, " ") {
		if so := b.String(); so == "" || strings.HasSuffix(so, " ") || strings.HasSuffix(so, "\n") {
			s = s[1:]
		}
	}
	b.WriteString(s)
}

// paragraph returns the lines of a paragraph, what would begin another block escaped.
func paragraph(s string) string {
	var lines []string
	for l := range strings.SplitSeq(s, "\\\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, escapeStart(l))
		}
	}
	return strings.Join(lines, "\\\n")
}

// plainMarkdown writes plain text so that Markdown shows the same words and lines.
func plainMarkdown(s string) string {
	var out, lines []string
	for l := range strings.SplitSeq(s+"\n", "\n") {
		if l = escape(strings.TrimSpace(l)); l != "" {
			lines = append(lines, l)
		} else if p := paragraph(strings.Join(lines, "\\\n")); p != "" {
			out, lines = append(out, p), nil
		}
	}
	return strings.Join(append(out, lines...), "\n\n")
}

var lineStart = regexp.MustCompile(`^(#{1,6}|[-+]|>)(\s|$)|^>|^\d{1,9}([.)])(\s|$)|^(=+|-+)$`)

// escapeStart escapes what makes a line something else than text.
func escapeStart(l string) string {
	m := lineStart.FindString(l)
	if m == "" {
		return l
	}
	at := len(m) - len(strings.TrimLeft(m, "0123456789")) // 1. becomes 1\.
	return l[:at] + `\` + l[at:]
}

var entity = regexp.MustCompile(`^&#?\w{1,32};`)

// escape writes a text so that Markdown shows it, with its white space as single spaces.
// What has a meaning in some places only is escaped in those.
func escape(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	var b strings.Builder
	before := ' '
	link := false // inside an address, which is a link as it stands
	for i, r := range s {
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		switch {
		case unicode.IsSpace(r) && r != '\u00a0':
			if before != ' ' || i == 0 {
				b.WriteByte(' ')
			}
			before, link = ' ', false
			continue
		case before == ' ' && startsAddress(s[i:]):
			link = true
		case strings.ContainsRune("\\`[]|", r),
			r == '*' && !link && (before != ' ' || !unicode.IsSpace(next)),
			r == '_' && !link && !(alphanumeric(before) && alphanumeric(next)),
			r == '~' && !link,
			r == '<' && (alphanumeric(next) || strings.ContainsRune("/!?", next)):
			b.WriteByte('\\')
		case r == '&' && entity.MatchString(s[i:min(len(s), i+40)]):
			b.WriteString("&amp;")
			before = r
			continue
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func startsAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "www.")
}

// ticks returns backticks that do not stand in s.
func ticks(s string, least int) string {
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	if longest < least {
		return strings.Repeat("`", least)
	}
	return strings.Repeat("`", longest+1)
}

func codeSpan(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return ""
	}
	if strings.ContainsRune(s, '|') { // in a table the bar would end the cell
		return escape(s)
	}
	t := ticks(s, 1)
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return t + s + t
}

func fence(code string) []string {
	code = strings.Trim(code, "\n")
	if strings.TrimSpace(code) == "" {
		return nil
	}
	t := ticks(code, 3)
	return []string{t + "\n" + code + "\n" + t}
}

// rawText returns the text of an element with its line breaks.
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

// destination writes an address so that it ends where the link does.
func destination(to string) string {
	to = strings.NewReplacer(" ", "%20", "<", "%3C", ">", "%3E", "\n", "", "|", "%7C").Replace(to)
	if strings.ContainsAny(to, "()\\") {
		return "<" + to + ">"
	}
	return to
}
