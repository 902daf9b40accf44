package knowledge

import (
	"slices"
	"sort"
	"strings"
)

// outline is the tree that a document's headings make.
type outline struct {
	title    string
	headings []Heading
	parent   []int // of each heading, the place of the one above it, or -1
}

func outlineOf(d Document) outline {
	o := outline{title: d.Title, headings: d.Headings, parent: make([]int, len(d.Headings))}
	for i, h := range d.Headings {
		p := i - 1
		for p >= 0 && d.Headings[p].Level >= h.Level {
			p = o.parent[p]
		}
		o.parent[i] = p
	}
	return o
}

// sections returns the headings that the text from start to end stands under: first
// those of all of it, common in number, from the highest down, then those of parts
// of it. Offsets are code points.
func (o outline) sections(start, end int) (headings []Heading, common int) {
	next := sort.Search(len(o.headings), func(i int) bool { return o.headings[i].Start > start })
	// Headings that begin the range, one directly below the other, are above all of it.
	if next > 0 && o.headings[next-1].Start == start {
		for next < len(o.headings) && o.headings[next].Start <= o.headings[next-1].End+2 && o.parent[next] == next-1 {
			next++
		}
	}
	last := next - 1
	var chain []int
	for i := last; i >= 0; i = o.parent[i] {
		chain = append(chain, i)
	}
	slices.Reverse(chain)
	for _, i := range chain {
		headings = append(headings, o.headings[i])
	}
	common = len(chain)
	for i := next; i < len(o.headings) && o.headings[i].Start < end; i++ {
		above := o.parent[i]
		for above > last {
			above = o.parent[above]
		}
		for common > 0 && chain[common-1] > above {
			common--
		}
		headings = append(headings, o.headings[i])
	}
	return headings, common
}

// path returns the headings that all of the text from start to end stands under,
// "A > B". The title is not repeated.
func (o outline) path(start, end int) string {
	above, common := o.sections(start, end)
	parts := make([]string, 0, common)
	for i, h := range above[:common] {
		if i > 0 || h.Text != o.title {
			parts = append(parts, h.Text)
		}
	}
	return strings.Join(parts, " > ")
}
