package app

import (
	"runtime"
	"testing"
)

func TestGarbageIsCollectedRarely(t *testing.T) {
	for _, test := range []struct {
		inUse uint64
		want  int
	}{
		{0, 800}, {8 << 20, 800}, {16 << 20, 400}, {32 << 20, 200}, {64 << 20, 100}, {127 << 20, 100}, {128 << 20, 50}, {1 << 30, 50},
	} {
		if got := percent(test.inUse); got != test.want {
			t.Errorf("percent(%d) = %d, want %d", test.inUse, got, test.want)
		}
	}
	runtime.GC() // there has been one
	if inUse() == 0 {
		t.Error("the runtime does not say how much is in use")
	}
}
