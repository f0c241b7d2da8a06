package bench

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkColdStart starts the real binary on a data directory that exists and
// waits for its first answer. Median and memory at rest are the figures.
func BenchmarkColdStart(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "ezscale")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	dir := b.TempDir()
	launch(b, bin, dir) // makes the database
	times, memory := []time.Duration{}, []int{}
	b.ResetTimer()
	for range 9 { // whatever b.N says: each start takes a second
		took, kib := launch(b, bin, dir)
		times, memory = append(times, took), append(memory, kib)
	}
	slices.Sort(times)
	slices.Sort(memory)
	b.ReportMetric(float64(times[len(times)/2].Milliseconds()), "ms/median")
	b.ReportMetric(float64(times[0].Milliseconds()), "ms/best")
	b.ReportMetric(float64(memory[len(memory)/2])/1024, "MiB/idle")
}

// launch runs the binary until it has answered and rested, and returns how long
// the first answer took and the resident memory in KiB.
func launch(b *testing.B, bin, dir string) (time.Duration, int) {
	b.Helper()
	const addr = "127.0.0.1:38917"
	cmd := exec.CommandContext(b.Context(), bin, "serve", "--http", addr, "--dir", dir)
	began := time.Now()
	must(b, cmd.Start())
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	probe := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		resp, err := probe.Get("http://" + addr + "/api/health")
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Since(began) > 20*time.Second {
			b.Fatal("it does not answer")
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	time.Sleep(700 * time.Millisecond)
	return took, resident(b, cmd.Process.Pid)
}

func resident(b *testing.B, pid int) int {
	b.Helper()
	return status(b, strconv.Itoa(pid), "VmRSS:")
}

// status reads a figure in KiB that the system keeps of a process.
func status(b *testing.B, process, name string) int {
	b.Helper()
	raw, err := os.ReadFile(filepath.Join("/proc", process, "status"))
	if err != nil {
		b.Skip("memory is read from /proc, which is not here")
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			must(b, err)
			return kib
		}
	}
	b.Fatal("no " + name)
	return 0
}
