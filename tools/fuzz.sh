#!/usr/bin/env bash
# Fuzzes every target of the repository for the given time each (5s unless told).
set -euo pipefail

for_each=${1:-5s}
go=${GO:-go}
count=0
while IFS=: read -r file target; do
	echo "fuzz $(dirname "$file") $target"
	output=$("$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$for_each" "$(dirname "$file")" 2>&1 </dev/null) || {
		echo "$output"
		exit 1
	}
	count=$((count + 1))
done < <(find . -name '*_test.go' -not -path '*/node_modules/*' \
	-exec grep -oE '^func Fuzz[A-Za-z0-9_]+' /dev/null {} + | sed 's/func //' | sort)

if [ "$count" = 0 ]; then
	echo "fuzz: no targets were found" >&2
	exit 1
fi
echo "fuzz: $count targets, $for_each each, passed"
