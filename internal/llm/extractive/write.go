package extractive

import (
	"fmt"
	"strings"
)

// write returns the quotations as text, each unit that says something with the mark of its
// passage, to come after said. What said already has is left out.
func write(l *library, quotes []quote, said string) string {
	said = normal(said)
	var b strings.Builder
	last := -1 // the unit written last
	for _, q := range quotes {
		if l.wasSaid(q, said) {
			continue
		}
		for _, i := range q.units {
			u := l.units[i]
			if last >= 0 {
				b.WriteString(between(l.units[last], u))
			} else if said != "" {
				b.WriteString(afterSaid(u))
			}
			last = i
			writeUnit(&b, u, l.before+u.passage+1)
		}
	}
	return b.String()
}

// wasSaid reports whether the unit that matters in q was said already.
func (l *library) wasSaid(q quote, said string) bool {
	return said != "" && strings.Contains(said, normal(l.units[q.units[len(q.units)-1]].text))
}

func writeUnit(b *strings.Builder, u unit, mark int) {
	switch u.kind {
	case header:
		cells := strings.Trim(u.text, "| ")
		fmt.Fprintf(b, "| %s |\n|%s", cells, strings.Repeat("---|", strings.Count(cells, "|")+1))
	case code:
		b.WriteString(u.text)
	case heading: // no claim of its own, so no mark; bold says that it is no sentence
		if text := strings.TrimLeft(u.text, "# "); levelOf(u.text) == introLevel || strings.ContainsAny(text, "*_") || u.whole {
			b.WriteString(text)
		} else {
			fmt.Fprintf(b, "**%s**", text)
		}
	case row: // the mark is inside the last cell, because what is outside is not shown
		fmt.Fprintf(b, "| %s [%d] |", strings.Trim(u.text, "| "), mark)
	default:
		fmt.Fprintf(b, "%s [%d]", u.text, mark)
	}
}

// between returns the white space between two units.
func between(a, b unit) string {
	switch {
	case a.kind == sentence && b.kind == sentence && a.whole && a.passage == b.passage:
		return " "
	case a.passage == b.passage && a.top == b.top && a.kind != sentence, (a.kind == heading) && b.kind == item:
		return "\n"
	}
	return "\n\n"
}

// afterSaid returns the white space between what was said before and a unit.
func afterSaid(u unit) string {
	if u.kind == sentence {
		return " "
	}
	return "\n\n"
}
