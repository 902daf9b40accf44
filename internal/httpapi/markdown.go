package httpapi

import (
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// What a model writes is Markdown. The page without script shows the part of it that
// answers use: paragraphs, lists, tables, quotes, headings, code, emphasis and links. There
// is no HTML in it: everything is text until the template escapes it.

// block is a paragraph, or what stands in a paragraph's place.
type block struct {
	Kind  string // "", ul, ol, quote, heading, table, pre
	Items [][]span
	Start int        // of an ol
	Head  [][]span   // the cells of a table's first row
	Rows  [][][]span // the cells of the others
	Text  string     // of a pre
}

// span is a run of text in one style.
type span struct {
	Text                   string
	Strong, Emphasis, Code bool
	URL                    template.URL // of a link, or of the source behind a mark; from linked alone
	Mark                   int          // of a citation, or 0
	Title                  string       // of its source
}

var (
	bulletLine  = regexp.MustCompile(`^\s{0,8}[-*+]\s+(.*)$`)
	orderedLine = regexp.MustCompile(`^\s{0,8}([0-9]{1,6})[.)]\s+(.*)$`)
	ruleLine    = regexp.MustCompile(`^\|(\s*:?-+:?\s*\|)+$`) // below a table's head
	headingLine = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
)

// markdown reads an answer. Marks of citations that it has become links to their sources.
func markdown(text string, citations []chat.Citation) []block {
	m := markdownReader{citations: citations}
	for line := range strings.SplitSeq(withoutBidi(text), "\n") {
		m.line(strings.TrimRight(line, " \t\r"))
	}
	m.end()
	return m.blocks
}

// plainText is what is left of an answer where there is room for a line of it: its words,
// without marks.
func plainText(text string) string {
	var out []string
	add := func(items [][]span) {
		for _, item := range items {
			for _, s := range item {
				out = append(out, s.Text)
			}
			out = append(out, " ")
		}
	}
	for _, b := range markdown(markSigns.ReplaceAllString(text, ""), nil) {
		add(b.Items)
		add(b.Head)
		for _, row := range b.Rows {
			add(row)
		}
		out = append(out, b.Text, " ")
	}
	return strings.Join(out, "")
}

// markSigns are the marks of citations, with the blank before them.
var markSigns = regexp.MustCompile(` ?\[[0-9]{1,4}\]`)

// markdownReader reads line by line.
type markdownReader struct {
	citations []chat.Citation
	blocks    []block
	open      block    // the one that the lines belong to
	lines     []string // of its last item
	fenced    bool
}

func (m *markdownReader) line(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(trimmed, "```"):
		m.end()
		m.fenced = !m.fenced
		return
	case m.fenced:
		m.begin("pre")
		m.lines = append(m.lines, line)
		return
	case strings.HasPrefix(trimmed, "|"):
		m.begin("table")
		m.lines = append(m.lines, trimmed)
		return
	case trimmed == "":
		if m.open.Kind != "ul" && m.open.Kind != "ol" { // items may stand apart
			m.end()
		}
		return
	}
	if h := headingLine.FindStringSubmatch(trimmed); h != nil {
		m.end()
		m.begin("heading")
		m.lines = append(m.lines, h[1])
		m.end()
		return
	}
	if item := bulletLine.FindStringSubmatch(line); item != nil {
		m.begin("ul")
		m.item(item[1])
		return
	}
	if item := orderedLine.FindStringSubmatch(line); item != nil {
		m.begin("ol")
		if m.open.Start == 0 {
			m.open.Start, _ = strconv.Atoi(item[1]) // six digits always are a number
		}
		m.item(item[2])
		return
	}
	if quoted, ok := strings.CutPrefix(trimmed, ">"); ok {
		m.begin("quote")
		m.lines = append(m.lines, strings.TrimSpace(quoted))
		return
	}
	if inList := m.open.Kind == "ul" || m.open.Kind == "ol"; !inList || line == trimmed { // an indented line goes on with its item
		m.begin("")
	}
	m.lines = append(m.lines, trimmed)
}

// begin ends the open block unless it is of this kind.
func (m *markdownReader) begin(kind string) {
	if m.open.Kind != kind {
		m.end()
		m.open.Kind = kind
	}
}

// item ends the last item of a list and begins the next.
func (m *markdownReader) item(text string) {
	m.flush()
	m.lines = append(m.lines, text)
}

func (m *markdownReader) flush() {
	if len(m.lines) > 0 {
		m.open.Items = append(m.open.Items, spans(strings.Join(m.lines, "\n"), m.citations, span{}))
		m.lines = nil
	}
}

func (m *markdownReader) end() {
	switch m.open.Kind {
	case "pre":
		m.open.Text, m.lines = strings.Join(m.lines, "\n"), nil
	case "table":
		m.table()
	}
	m.flush()
	if len(m.open.Items) > 0 || m.open.Head != nil || m.open.Text != "" {
		m.blocks = append(m.blocks, m.open)
	}
	m.open = block{}
}

// table reads the lines of a table; without a rule below its head it is shown as written.
func (m *markdownReader) table() {
	lines := m.lines
	m.lines = nil
	if len(lines) < 2 || !ruleLine.MatchString(lines[1]) {
		m.open.Kind, m.open.Text = "pre", strings.Join(lines, "\n")
		return
	}
	m.open.Head = m.cells(lines[0])
	for _, line := range lines[2:] {
		m.open.Rows = append(m.open.Rows, m.cells(line))
	}
}

func (m *markdownReader) cells(line string) (out [][]span) {
	const bar = "\x00" // in the place of a bar that is text; no message has one
	line = strings.ReplaceAll(strings.TrimPrefix(line, "|"), `\|`, bar)
	for cell := range strings.SplitSeq(strings.TrimSuffix(line, "|"), "|") {
		out = append(out, spans(strings.ReplaceAll(strings.TrimSpace(cell), bar, "|"), m.citations, span{}))
	}
	return out
}

// Each alternative gives up at the next of its own signs, so that the time is linear.
var inline = regexp.MustCompile("`([^`\n]+)`" + // 1 code
	`|\*\*((?:[^*\n]|\*[^*\n]+\*)+)\*\*` + // 2 strong
	`|\*([^*\s][^*]*)\*` + // 3 emphasis
	`|\[([^\[\]\n]+)\]\(([^()\s]+)\)` + // 4, 5 link
	`|\[([0-9]{1,4})\]` + // 6 mark
	"|(https?://[^\\s<>\"'`]+)") // 7 address

// spans cuts text into runs, in a style that they inherit.
func spans(text string, citations []chat.Citation, style span) []span {
	var out []span
	add := func(s span) {
		if s.Text != "" {
			out = append(out, s)
		}
	}
	plain := func(text string) span { s := style; s.Text = text; return s }
	from := 0
	for _, at := range inline.FindAllStringSubmatchIndex(text, -1) {
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return text[at[2*n]:at[2*n+1]]
		}
		add(plain(text[from:at[0]]))
		from = at[1]
		whole := group(0)
		switch {
		case group(1) != "":
			add(span{Text: group(1), Code: true})
		case group(2) != "":
			out = append(out, spans(group(2), citations, span{Strong: true})...)
		case group(3) != "":
			out = append(out, spans(group(3), citations, span{Emphasis: true})...)
		case group(4) != "":
			s := plain(group(4))
			if s.URL = linked(group(5)); s.URL == "" {
				s.Text = whole
			}
			add(s)
		case group(6) != "":
			add(marked(plain(whole), group(6), citations))
		default:
			address := strings.TrimRight(whole, ".,;:!?*)]}")
			s := plain(address)
			s.URL = linked(address)
			add(s)
			add(plain(whole[len(address):]))
		}
	}
	add(plain(text[from:]))
	return out
}

// marked makes a link of a mark whose citation is there.
func marked(s span, digits string, citations []chat.Citation) span {
	n, err := strconv.Atoi(digits)
	i := slices.IndexFunc(citations, func(c chat.Citation) bool { return c.Mark == n })
	if err != nil || i < 0 {
		return s
	}
	return span{Text: digits, Mark: n, URL: sourceLink(citations[i]), Title: withoutBidi(citations[i].Title)}
}

// linked returns an address that people may be led to, or "". It is what decides: the
// template would refuse tel.
func linked(address string) template.URL {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host != "" {
			return template.URL(u.String())
		}
	case "mailto", "tel":
		return template.URL(u.String())
	}
	return ""
}

// sourceLink is the address of a citation's source: the document's own, or ours.
func sourceLink(c chat.Citation) template.URL {
	if strings.HasPrefix(c.URL, "/sources/") {
		return template.URL(c.URL)
	}
	return linked(c.URL)
}

// withoutBidi leaves out the characters that change the direction of what stands around
// them: each piece of text has a direction of its own here.
func withoutBidi(s string) string {
	return strings.Map(func(r rune) rune {
		if 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 || r == 0x061c || r == 0x200e || r == 0x200f {
			return -1
		}
		return r
	}, s)
}
