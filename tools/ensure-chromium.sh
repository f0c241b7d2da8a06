#!/usr/bin/env bash
# Makes sure that the browser tests find a Chromium: one that is there, or
# Debian's package where this may install it. Without one the tests skip with a
# line that says so; under CI=true that is a failure.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
	if command -v "$name" >/dev/null; then
		exit 0
	fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "Installing Debian's chromium for the browser tests."
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	if { apt-get update && apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1 </dev/null &&
		command -v chromium >/dev/null; then
		rm -f "$log"
		exit 0
	fi
	tail -n 5 "$log" >&2
	rm -f "$log"
fi

echo "Browser tests cannot run: no chromium, chromium-browser or google-chrome was found, and none could be installed." >&2
if [ "${CI:-}" = true ]; then
	exit 1
fi
