//go:build linux || darwin || freebsd

package app

import "syscall"

// freeBytes returns how much may still be written to the disk of a directory.
func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
