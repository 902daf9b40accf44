package extractive

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/answerable/answerable/internal/lang"
)

// span matches a range of numbers in a table, such as "96–103".
var span = regexp.MustCompile(`(\d{1,6})\s?[–—-]\s?(\d{1,6})`)

// withRanges adds to have, what a table row has of each need, the numbers that lie in one
// of its ranges: who asks about 30 pieces is meant by "25–99". If the headers of columns
// with ranges speak of what is asked for, only those columns count.
func withRanges(l *library, i int, needs []need, have []float64) []float64 {
	h := l.headerOf(i)
	if h < 0 || !span.MatchString(l.units[i].text) {
		return have
	}
	heads, cells := cellsOf(l.units[h].text), cellsOf(l.units[i].text)
	about := make([]bool, len(cells))
	some := false
	for c := range min(len(heads), len(cells)) {
		about[c] = span.MatchString(cells[c]) && speaksOf(lang.Terms(heads[c], l.language), needs)
		some = some || about[c]
	}
	for n, need := range needs {
		number, err := strconv.Atoi(need.term)
		if err != nil {
			continue
		}
		for c, cell := range cells {
			if (!some || about[c]) && inRange(cell, number) {
				if have == nil {
					have = make([]float64, len(needs))
				}
				have[n] = inUnit
			}
		}
	}
	return have
}

func cellsOf(row string) []string { return strings.Split(strings.Trim(row, "| "), "|") }

func inRange(cell string, number int) bool {
	for _, m := range span.FindAllStringSubmatch(cell, -1) {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		if from <= number && number <= to {
			return true
		}
	}
	return false
}

// speaksOf reports whether terms hold one of the needs other than a unit of measure.
func speaksOf(terms []lang.Term, needs []need) bool {
	for _, t := range terms {
		for _, n := range needs {
			if !t.Stop && len(t.Text) > 2 && n.term == t.Text {
				return true
			}
		}
	}
	return false
}
