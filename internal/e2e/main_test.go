// Package e2e tests the product as its owners run it: the real binary on a data
// directory of its own, vendors behind HTTP and SMTP, and a real browser. What
// is asked here is whether the whole holds when a process dies at the worst
// moment, and whether a person gets from the catalog to a running server.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// builds is where the binary of this test run lies.
var builds string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ezscale-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "directory of the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	builds = dir
	code := m.Run()
	if err := stopDemo(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the demo:", err)
		code = max(code, 1)
	}
	return code
}

// build compiles the product once per test run.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builds, "ezscale")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return path, nil
})

// binary is the path of the product.
func binary(tb testing.TB) string {
	tb.Helper()
	path, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
