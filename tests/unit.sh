#!/usr/bin/env bash
# Runs cmocka programs and sums them: unit.sh BUILD PROGRAM...   Closing line: `unit: N passed, N failed`.
# A program that dies without a result counts as one failure.
set -u
build=$1; shift
passed=0; failed=0
log=$(mktemp); trap 'rm -f "$log"' EXIT
for t in "$@"; do
	timeout 300 "$t" >"$log" 2>&1; rc=$?
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')
	if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ $rc -ne 0 ] || [ "$p" -eq 0 ]; then
		[ "$f" -eq 0 ] && f=1
		echo "--- ${t#"$build"/}: exit $rc"; grep -vE '^\[ (RUN|      OK) ' "$log" | tail -60
	fi
	passed=$((passed + p)); failed=$((failed + f))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
