#!/usr/bin/env bash
# Runs tests under the race detector, without those that testing.Short leaves out:
# make test has run them. It needs a C compiler. SQLite in Go is some ten times slower
# under it, so that a check runs the packages in which most happens at once, and of the
# other packages the tests that do things at once; tools/race.sh ./... runs all, for an
# hour.
set -euo pipefail

go=${GO:-go}
if ! command -v "$("$go" env CC)" >/dev/null; then
	echo "race detector: not run (no C compiler found; on Debian, apt-get install gcc libc6-dev)"
	exit 0
fi
race() { CGO_ENABLED=1 "$go" test -race -short -timeout 60m "$@"; }
if [ $# != 0 ]; then
	race "$@"
	exit
fi
race ./hooks ./hooks/billing ./hooks/books ./hooks/jobs ./hooks/schedule ./internal/sqlite
race -run 'Once|Twice|Parallel|Concurrent|AtATime|Everybody|Serialised|TestB8' ./hooks/account ./hooks/agreements ./hooks/dunning ./hooks/invoices ./hooks/payments ./hooks/provisioning ./hooks/renewals ./integrations/...
