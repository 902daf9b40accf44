//go:build unix

package app

import (
	"io/fs"
	"syscall"
)

// inode says which file a name leads to: another one may have the same size and time.
func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
