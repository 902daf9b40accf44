package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// headroom is how much is allocated between two garbage collections at least, and plenty
// the heap from which on memory counts for more than CPU. Go's own rule, as much again as
// is in use, has a server that uses little collect ten times a second under load, for a
// tenth of its CPU, and one with many thousand streams take twice the memory that it needs.
const (
	headroom = 64 << 20
	plenty   = 128 << 20
)

// collectRarely keeps the garbage collector to headroom until ctx ends. Who sets GOGC
// knows better.
func collectRarely(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := percent(inUse()); now != before {
			debug.SetGCPercent(now)
			before = now
		}
	}
}

// percent returns what GOGC must be for headroom over a heap of which so much is in use.
func percent(inUse uint64) int {
	const least, most, step = 50, 800, 25
	p := headroom * 100 / max(inUse, 1) / step * step
	if inUse < plenty {
		p = max(p, 100)
	}
	return int(min(most, max(least, p)))
}

// inUse returns the bytes that the last collection found in use.
func inUse() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return headroom
	}
	return s[0].Value.Uint64()
}
