package knowledge

import "hash/maphash"

// A block is a part of a site's frame, not of its content, when at least a fifth of
// the pages have it, and no fewer than minRepeats.
const minRepeats = 4

// dropRepeated removes from HTML pages the blocks that repeat across them: cookie
// notices, feedback forms, "related articles". Headings stay, because a site may use
// the same ones everywhere, and the first page keeps its copy: what is really
// content, such as an address on every page, can still be found once.
func dropRepeated(docs []named) {
	seed := maphash.MakeSeed()
	pages := 0
	count := map[uint64]int{}
	last := map[uint64]int{} // the page that was counted last
	for i, d := range docs {
		if !d.html {
			continue
		}
		pages++
		for _, b := range d.blocks {
			h := maphash.String(seed, b.text)
			if at, ok := last[h]; b.kind != heading && (!ok || at != i) {
				count[h]++
				last[h] = i
			}
		}
	}
	limit := max(minRepeats, (pages+4)/5)
	kept := map[uint64]bool{}
	for i, d := range docs {
		if !d.html {
			continue
		}
		blocks := d.blocks[:0]
		for _, b := range d.blocks {
			h := maphash.String(seed, b.text)
			if b.kind != heading && count[h] >= limit {
				if kept[h] {
					continue
				}
				kept[h] = true
			}
			blocks = append(blocks, b)
		}
		docs[i].blocks = blocks
	}
}
