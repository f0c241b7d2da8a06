#!/usr/bin/env bash
# Three years of sixty customers in bad weather, for each of ten seeds, two at a
# time: tools/simulate.sh [program [first seed [last seed]]]. Each prints its books;
# the first that fails prints what is wrong and ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-}
first=${2:-1} last=${3:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "$program" ]; then
	program=$work/ezscale
	"${GO:-go}" build -o "$program" .
fi
seq "$first" "$last" | xargs -P 2 -I {} bash -c '
	if ! "$1" simulate --seed "$2" --years 3 --customers 60 --faults >"$3/$2.log" 2>&1; then
		cat "$3/$2.log"
		echo "seed $2: failed; again: ezscale simulate --seed $2 --years 3 --customers 60 --faults --dir DIR"
		exit 255 # no further seed is started
	fi
	echo "seed $2: $(tail -n 1 "$3/$2.log")"' _ "$program" {} "$work"
