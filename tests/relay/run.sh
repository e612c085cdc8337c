#!/usr/bin/env bash
# Runs the relay's suite against the programs in BUILD: run.sh [BUILD] [FILE...]
# Needs mosquitto and python3-paho-mqtt. Closing line: `relay: N passed, N failed`.
set -u
export BUILD="${1:-build}"
here=$(dirname "$0")
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
passed=0; failed=0
log=$(mktemp); trap 'rm -f "$log"' EXIT
for t in "$@"; do
	timeout 300 /usr/bin/python3 "$t" >"$log" 2>&1; rc=$?
	p=$(grep -c '^ok ' "$log"); f=$(grep -c '^FAIL ' "$log")
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$f" -ne 0 ] || [ "$p" -eq 0 ]; then
		[ "$f" -eq 0 ] && f=1
		echo "--- ${t##*/}: exit $rc"; tail -60 "$log"
	fi
	passed=$((passed + p)); failed=$((failed + f))
done
echo "relay: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
