#!/usr/bin/env bash
# Runs tests under the race detector, without those that testing.Short leaves out:
# make test has run them. It needs a C compiler. Each test opens a database of its own
# and migrates it, which takes seconds under the detector, so that a check runs the
# packages in which most happens at once; tools/race.sh ./... runs all, for an hour.
set -euo pipefail

go=${GO:-go}
if ! command -v "$("$go" env CC)" >/dev/null; then
	echo "race detector: not run (no C compiler found; on Debian, apt-get install gcc libc6-dev)"
	exit 0
fi
if [ $# = 0 ]; then
	set -- ./hooks ./hooks/billing ./hooks/books ./hooks/jobs ./hooks/schedule
fi
CGO_ENABLED=1 "$go" test -race -short -timeout 60m "$@"
