package bench

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// watch is how long something took, and how long this process computed meanwhile.
type watch struct {
	began     time.Time
	wall, cpu time.Duration
}

func startWatch(b *testing.B) watch { return watch{began: time.Now(), cpu: -processorTime(b)} }

func (w *watch) stop(b *testing.B) {
	w.wall, w.cpu = time.Since(w.began), w.cpu+processorTime(b)
}

// processorTime is how long this process has computed so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	use := syscall.Rusage{}
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// resetPeak begins a new measurement of the most memory ever resident.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Logf("the peak of memory includes the preparation: %v", err)
	}
}

// peakMemory is the most memory that was resident, in KiB.
func peakMemory(b *testing.B) int {
	b.Helper()
	return status(b, "self", "VmHWM:")
}
