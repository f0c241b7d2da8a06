#!/usr/bin/env bash
# Checks the types that the portal's JSDoc comments state. Only maintainers have
# Node; the product and its tests do without.
set -euo pipefail

tsc=tools/vendor/node_modules/.bin/tsc
if ! command -v node >/dev/null || [ ! -e "$tsc" ]; then
	echo "types of the portal: not checked (needs Node and, in tools/vendor, npm ci)"
	exit 0
fi
node tools/vendor/check.mjs
echo "types of the portal: passed"
