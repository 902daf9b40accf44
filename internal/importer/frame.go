package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// minRepeats is how many pages at least must share a block before it is their frame's.
const minRepeats = 4

// dropFrame removes the blocks that at least a fifth of the pages share: what a site
// without a main element puts around its articles. Headings stay. One article keeps its
// copy, so that what is content after all can be found. It is the rule by which
// knowledge reads HTML, but here it must also hold when an import brings a few changed
// pages only: then what was found before decides.
func (b *Batch) dropFrame(before map[string]string) {
	b.frame = map[string]string{}
	for h, key := range before {
		b.frame[h] = key
	}
	count := map[string]int{}
	blocks := make([][]string, len(b.Articles))
	for i, a := range b.Articles {
		blocks[i] = strings.Split(a.Body, "\n\n")
		once := map[string]bool{}
		for _, block := range blocks[i] {
			if h := blockHash(block); h != "" && !once[h] {
				once[h] = true
				count[h]++
			}
		}
	}
	limit := max(minRepeats, (len(b.Articles)+4)/5)
	for i := range b.Articles {
		kept := blocks[i][:0]
		for _, block := range blocks[i] {
			h := blockHash(block)
			if h != "" && count[h] >= limit && b.frame[h] == "" {
				b.frame[h] = b.Articles[i].Key
			}
			if owner := b.frame[h]; h == "" || owner == "" || owner == b.Articles[i].Key {
				kept = append(kept, block)
			}
		}
		b.Articles[i].Body = strings.Join(kept, "\n\n")
	}
}

// blockHash returns what a block is compared by, or "" where it is never dropped: a
// heading, or a part of a code block.
func blockHash(block string) string {
	block = strings.TrimSpace(block)
	if block == "" || block[0] == '#' || strings.Contains(block, "```") {
		return ""
	}
	h := sha256.Sum256([]byte(block))
	return hex.EncodeToString(h[:8])
}
