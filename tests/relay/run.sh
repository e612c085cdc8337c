#!/usr/bin/env bash
# Runs the relay's suite against the programs in BUILD: run.sh [BUILD] [FILE...]
# Needs mosquitto and python3-paho-mqtt; the files about buckets need OpenStack Swift (swift.sh), one server for all of them,
# and are skipped, loudly, without it. Closing line: `relay: N passed, N failed[, N skipped]`.
set -u
export BUILD="${1:-build}"
here=$(dirname "$0")
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
passed=0; failed=0; skipped=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/vestibule-relay-suite.XXXXXX")
log=$dir/log
trap '[ -z "${SWIFT_DIR:-}" ] || "$here/swift.sh" stop "$SWIFT_DIR"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

if grep -q 's3rig import run$' "$@"; then
	if env=$("$here/swift.sh" start "$dir"); then
		export SWIFT_DIR=$dir
		# shellcheck disable=SC2046
		export $(printf '%s ' $env)
	elif [ $? -ne 77 ]; then
		echo "relay: swift did not start"; failed=1
	fi
fi
for t in "$@"; do
	timeout 300 /usr/bin/python3 "$t" >"$log" 2>&1; rc=$?
	p=$(grep -c '^ok ' "$log"); f=$(grep -c '^FAIL ' "$log"); s=$(grep -c '^SKIP ' "$log")
	grep '^SKIP ' "$log"
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$f" -ne 0 ] || [ $((p + s)) -eq 0 ]; then
		[ "$f" -eq 0 ] && f=1
		echo "--- ${t##*/}: exit $rc"; tail -60 "$log"
	fi
	passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
done
echo "relay: $passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
