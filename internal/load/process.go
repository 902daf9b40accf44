package load

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	cpu time.Duration
	rss int64 // bytes of resident memory, now
}

// usageOf asks the system: /proc where there is one, or else ps, which every Unix has.
func usageOf(pid int) (usage, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		return parseStat(string(b), int64(os.Getpagesize()))
	}
	if _, none := os.Stat("/proc/self/stat"); none == nil {
		return usage{}, err // there is a /proc, and no such process
	}
	b, err = exec.Command("ps", "-o", "time=", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return usage{}, fmt.Errorf("ask ps: %w", err)
	}
	return parsePS(string(b))
}

var errUsage = errors.New("the system's answer cannot be read")

// parseStat reads /proc/PID/stat, proc(5). The second field, the program's name in
// parentheses, may hold anything.
func parseStat(line string, page int64) (usage, error) {
	const tick = time.Second / 100 // USER_HZ, the same on every Linux that is built today
	f := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	const state, user, system, rss = 3, 14, 15, 24 // fields, counted from 1
	if len(f) <= rss-state {
		return usage{}, errUsage
	}
	u, err1 := strconv.ParseInt(f[user-state], 10, 64)
	s, err2 := strconv.ParseInt(f[system-state], 10, 64)
	pages, err3 := strconv.ParseInt(f[rss-state], 10, 64)
	if errors.Join(err1, err2, err3) != nil {
		return usage{}, errUsage
	}
	return usage{time.Duration(u+s) * tick, pages * page}, nil
}

// parsePS reads "[[days-]hours:]minutes:seconds kilobytes".
func parsePS(line string) (usage, error) {
	f := strings.Fields(line)
	if len(f) != 2 {
		return usage{}, errUsage
	}
	clock, days := f[0], 0
	if before, after, ok := strings.Cut(clock, "-"); ok {
		var err error
		if days, err = strconv.Atoi(before); err != nil {
			return usage{}, errUsage
		}
		clock = after
	}
	seconds := float64(0)
	for part := range strings.SplitSeq(clock, ":") {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return usage{}, errUsage
		}
		seconds = 60*seconds + n
	}
	kb, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return usage{}, errUsage
	}
	return usage{time.Duration(days)*24*time.Hour + time.Duration(seconds*float64(time.Second)), kb << 10}, nil
}
