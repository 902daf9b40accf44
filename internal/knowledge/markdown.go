package knowledge

import (
	stdhtml "html"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

var markdownParser = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()

// Bounds beyond which the parser's time grows with the square of the text. What lies
// beyond them was not written to be read, and is taken as plain text.
const (
	maxNesting  = 50   // quotations and lists in each other
	maxBrackets = 1000 // "[" in one paragraph
	maxMarks    = 2e4  // "*" and "_" in one paragraph
)

// markdown reads GitHub Flavored Markdown.
func markdown(source string) draft {
	if hostile(source) {
		return plain(source)
	}
	w := markdownWalk{source: []byte(source)}
	w.blocks(markdownParser.Parse(text.NewReader(w.source)), "", 0)
	return w.draft
}

// hostile reports whether s goes beyond the bounds.
func hostile(s string) bool {
	brackets, marks := 0, 0
	for l := range strings.SplitSeq(s, "\n") {
		depth, rest := nesting(l)
		if depth > 0 || rest == "" || rest[0] == '|' {
			brackets, marks = 0, 0 // another block
		}
		brackets += strings.Count(rest, "[")
		marks += strings.Count(rest, "*") + strings.Count(rest, "_")
		if depth > maxNesting || brackets > maxBrackets || marks > maxMarks {
			return true
		}
	}
	return false
}

// nesting counts the quotations and list items that a line opens, and returns what
// stands in the innermost.
func nesting(line string) (depth int, rest string) {
	for {
		line = strings.TrimLeft(line, " \t")
		digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
		case len(line) > 1 && strings.IndexByte("-*+", line[0]) >= 0 && (line[1] == ' ' || line[1] == '\t'):
			line = line[2:]
		case 0 < digits && digits < 10 && len(line) > digits && strings.IndexByte(".)", line[digits]) >= 0:
			line = line[digits+1:]
		default:
			return depth, line
		}
		depth++
	}
}

type markdownWalk struct {
	source []byte
	draft  draft
}

// blocks adds the children of n. Inside a list, prefix is the marker of the item,
// which its first block takes.
func (w *markdownWalk) blocks(n ast.Node, prefix string, depth int) {
	if depth > maxNesting {
		return
	}
	inItem := n.Kind() == ast.KindListItem
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Heading:
			w.draft.add(heading, c.Level, clean(w.inline(c)))
		case *ast.List:
			w.list(c, depth)
		case *ast.Blockquote:
			w.blocks(c, prefix, depth+1)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			w.draft.add(code, 0, fenced(strings.TrimRight(w.raw(c), "\n")))
		case *ast.HTMLBlock:
			w.draft.blocks = append(w.draft.blocks, htmlFragment(w.raw(c)).blocks...)
		case *extast.Table:
			w.table(c)
		case *ast.ThematicBreak, *ast.LinkReferenceDefinition:
		default:
			k, t := paragraph, cleanLines(w.inline(c))
			if inItem && t != "" {
				k, t, prefix = item, prefix+t, strings.Repeat(" ", len(prefix))
			}
			w.draft.add(k, 0, t)
		}
	}
}

func (w *markdownWalk) list(l *ast.List, depth int) {
	number := l.Start
	indent := strings.Repeat("  ", min(listDepth(l), 8))
	for c := l.FirstChild(); c != nil; c = c.NextSibling() {
		marker := "- "
		if l.IsOrdered() {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		w.blocks(c, indent+marker, depth+1)
	}
}

func listDepth(n ast.Node) (depth int) {
	for n = n.Parent(); n != nil && depth < 8; n = n.Parent() {
		if n.Kind() == ast.KindList {
			depth++
		}
	}
	return depth
}

func (w *markdownWalk) table(t ast.Node) {
	for r := t.FirstChild(); r != nil; r = r.NextSibling() {
		var cells []string
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, clean(w.inline(c)))
		}
		w.draft.add(row, 0, strings.Trim(strings.Join(cells, " | "), " |"))
	}
}

func (w *markdownWalk) raw(n ast.Node) string {
	return string(n.Lines().Value(w.source))
}

// inline returns the readable text of n. Struck-out text is left out: it says what
// no longer holds.
func (w *markdownWalk) inline(n ast.Node) string {
	var b strings.Builder
	w.appendInline(&b, n, 0)
	return b.String()
}

func (w *markdownWalk) appendInline(b *strings.Builder, n ast.Node, depth int) {
	if depth > maxNesting {
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			s := string(c.Value(w.source))
			if !c.IsRaw() && n.Kind() != ast.KindCodeSpan {
				s = unescape(s)
			}
			b.WriteString(s)
			switch {
			case c.HardLineBreak():
				b.WriteByte('\n')
			case c.SoftLineBreak():
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(w.source))
		case *ast.RawHTML:
			if s := strings.ToLower(string(c.Segments.Value(w.source))); strings.HasPrefix(s, "<br") {
				b.WriteByte('\n')
			}
		case *extast.Strikethrough:
		case *extast.TaskCheckBox:
			if c.IsChecked {
				b.WriteString("[x] ")
			} else {
				b.WriteString("[ ] ")
			}
		case *ast.Link:
			start := b.Len()
			w.appendInline(b, c, depth+1)
			if to := contact(string(c.Destination)); to != "" && !strings.Contains(b.String()[start:], to) {
				b.WriteString(" (" + to + ")")
			}
		default:
			w.appendInline(b, c, depth+1)
		}
	}
}

// contact returns the mail address or telephone number that a link leads to, which
// readers of the bare text would miss, or "".
func contact(link string) string {
	for _, scheme := range []string{"mailto:", "tel:"} {
		if to, ok := strings.CutPrefix(link, scheme); ok {
			to, _, _ = strings.Cut(to, "?")
			return to
		}
	}
	return ""
}

// unescape resolves backslash escapes and entities.
func unescape(s string) string {
	if strings.Contains(s, `\`) {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
				i++
			}
			b.WriteByte(s[i])
		}
		s = b.String()
	}
	return stdhtml.UnescapeString(s)
}
