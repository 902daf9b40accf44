package main

import "fmt"

// bar tells on stderr how far long work is. One goroutine may use it.
type bar struct {
	c     *cli
	what  string
	total int64
	tenth int64 // of the total, that was told last
}

// bar begins to tell how far what is; total is 0 where nobody knows it yet.
func (c *cli) bar(what string, total int64) *bar { return &bar{c: c, what: what, total: total} }

// set says how much is done, of the total if it is known by now.
func (b *bar) set(done, total int64) {
	b.total = total
	if total <= 0 {
		return
	}
	if tenth := done * 10 / total; tenth > b.tenth {
		b.tenth = tenth
		fmt.Fprintf(b.c.stderr, "%s: %d of %d\n", b.what, done, total)
	}
}

// end says that the work is over, well or not.
func (b *bar) end() {}
