#!/usr/bin/env bash
# Runs the broker suite against the plugin in BUILD: run.sh [BUILD] [FILE...]   MOSQUITTO=/path for another binary.
# Closing line: `broker: N passed, N failed`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BUILD; BUILD=$(cd "${1:-build}" && pwd)
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
if nm "$BUILD/mosquitto_vestibule.so" | grep -q __asan_init; then # the broker itself is not instrumented
	LD_PRELOAD="$(${CC:-cc} -print-file-name=libasan.so)"; export VESTIBULE_PRELOAD=$LD_PRELOAD; unset LD_PRELOAD
	export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
fi
passed=0; failed=0
log=$(mktemp); trap 'rm -f "$log"' EXIT
for t in "$@"; do
	timeout 300 /usr/bin/python3 "$t" >"$log" 2>&1; rc=$?
	p=$(grep -c '^ok ' "$log"); f=$(grep -c '^FAIL ' "$log")
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$f" -ne 0 ] || [ "$p" -eq 0 ]; then
		[ "$f" -eq 0 ] && f=1
		echo "--- ${t##*/}: exit $rc"; tail -80 "$log"
	fi
	passed=$((passed + p)); failed=$((failed + f))
done
echo "broker: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
