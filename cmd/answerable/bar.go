package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// bar tells on stderr how far long work is: on a terminal as a line that changes, else as
// a line now and then. Work that is over at once tells nothing. One goroutine may use it.
type bar struct {
	s     *screen
	what  string
	began time.Time
	told  time.Time // the last time, or when the work began where that tells nothing
	spoke bool
}

const (
	redraw     = 100 * time.Millisecond // on a terminal
	betweenTwo = 5 * time.Second        // lines elsewhere
)

// bar begins to tell how far what is; total is not above 0 where nobody knows it yet.
func (c *cli) bar(what string, total int64) *bar {
	b := &bar{s: c.stderr, what: what, began: time.Now(), told: time.Now()}
	if b.s.moves && total <= 0 {
		b.told = time.Time{} // at once: nothing may follow
	}
	b.set(0, total)
	return b
}

// set says how much is done, of the total if it is known by now.
func (b *bar) set(done, total int64) {
	now := time.Now()
	pause := betweenTwo
	if b.s.moves {
		pause = redraw
	}
	if now.Sub(b.told) < pause {
		return
	}
	b.told, b.spoke = now, true
	if b.s.moves {
		b.s.draw(barLine(b.what, done, total, now.Sub(b.began), b.s.width()-1))
		return
	}
	fmt.Fprintln(b.s, barLine(b.what, done, total, now.Sub(b.began), unlimited))
}

// end says that the work is over, well or not.
func (b *bar) end() {
	switch {
	case !b.spoke:
	case b.s.moves:
		b.s.draw("")
	default:
		fmt.Fprintf(b.s, "%s: took %s\n", b.what, span(time.Since(b.began)))
	}
}

// mostCells is how long the drawn part of a bar gets on a wide terminal.
const mostCells = 40

// barLine writes how far work is that began some time ago, for so many columns.
func barLine(what string, done, total int64, took time.Duration, columns int) string {
	what = clean(what)
	rate := float64(done) / took.Seconds()
	if done == 0 && total <= 0 {
		return fit(what+" …", cmp.Or(columns, cells(what)+2))
	}
	parts := []string{}
	if total > 0 {
		parts = append(parts, fmt.Sprintf("%3d %%", done*100/total), grouped(done)+" of "+grouped(total))
	} else if done > 0 {
		parts = append(parts, grouped(done))
	}
	if rate >= 1 {
		parts = append(parts, grouped(int64(rate))+"/s")
	}
	if rate > 0 && 0 < done && done < total {
		parts = append(parts, span(time.Duration(float64(total-done)/rate*1e9))+" left")
	}
	if columns == unlimited {
		return what + ": " + strings.TrimLeft(strings.Join(parts, " "), " ")
	}
	text := strings.Join(parts, "  ")
	for cells(what)+2+cells(text) > columns && len(parts) > 1 {
		parts = parts[:len(parts)-1]
		text = strings.Join(parts, "  ")
	}
	room := min(columns-cells(what)-cells(text)-4, mostCells)
	if total <= 0 || room < 8 {
		return fit(what+"  "+text, columns)
	}
	full := int(int64(room) * min(done, total) / total)
	return what + "  " + strings.Repeat("█", full) + strings.Repeat("░", room-full) + "  " + text
}

// grouped writes a count with commas: 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes a number of things.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return grouped(int64(n)) + " " + of + "s"
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
}

// progress tells a person what takes long. Without numbers it is a line of its own.
func (c *cli) progress(what string, done, total int64) {
	if done == 0 && total == 0 {
		fmt.Fprintln(c.stderr, what)
		return
	}
	if done >= total && total >= 0 && c.doing == nil {
		return // it was over at once
	}
	if c.doing == nil || c.doing.what != what {
		c.doing = c.bar(what, total)
	}
	c.doing.set(done, total)
	if total >= 0 && done >= total {
		c.doing.end()
		c.doing = nil
	}
}
