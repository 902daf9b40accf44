package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// headroom is how much is allocated between two garbage collections at least. Go's own
// rule, as much again as is in use, has a server that uses little collect ten times a
// second under load, for a tenth of its CPU; from headroom on Go's rule holds.
const headroom = 64 << 20

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
	const least, most, step = 100, 800, 25
	p := headroom * 100 / max(inUse, 1)
	return int(min(most, max(least, p/step*step)))
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
