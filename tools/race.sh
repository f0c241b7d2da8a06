#!/usr/bin/env bash
# Runs the tests under the race detector, without those that testing.Short
# leaves out: make test has run them. The detector needs a C compiler. The tests of
# hooks/agreements let months pass day by day, which takes too long under it.
set -euo pipefail

go=${GO:-go}
if ! command -v "$("$go" env CC)" >/dev/null; then
	echo "race detector: not run (no C compiler found; on Debian, apt-get install gcc libc6-dev)"
	exit 0
fi
CGO_ENABLED=1 "$go" test -race -short -timeout 25m $("$go" list ./... | grep -v '/hooks/agreements$')
