#!/usr/bin/env bash
# Runs the broker suite against the plugin in BUILD: run.sh [BUILD] [FILE...]   MOSQUITTO=/path for another binary, JOBS=2 files at a time.
# Closing line: `broker: N passed, N failed[, N skipped]`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../files.sh"
export BUILD; BUILD=$(cd "${1:-build}" && pwd)
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
if nm "$BUILD/mosquitto_vestibule.so" | grep -q __asan_init; then # the broker itself is not instrumented
	LD_PRELOAD="$(${CC:-cc} -print-file-name=libasan.so)"; export VESTIBULE_PRELOAD=$LD_PRELOAD; unset LD_PRELOAD
	export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
fi
logs=$(mktemp -d); trap 'rm -rf "$logs"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
run_files "$logs" "$@"
echo "broker: $passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
