#!/usr/bin/env bash
# Every suite, one after the other; each closes with its own line, the last line is the sum:
# `N passed, N failed[, N skipped]`. Logs stay in build/logs. Exit status 0 only if nothing failed.
set -u
cd "$(dirname "$0")/.."
export MAKEFLAGS=
logs=build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0 started=$SECONDS

# suite NAME COMMAND...: counts by the suite's closing line; a suite without one is one check, by its exit status.
suite() {
	local name=$1 began=$SECONDS rc line p f s; shift
	timeout 1500 "$@" >"$logs/$name.log" 2>&1 </dev/null; rc=$?
	line=$(grep -aE '^[a-z-]+: [0-9]+ (passed|checks passed)' "$logs/$name.log" | tail -1)
	p=$(sed -nE 's/^[a-z-]+: ([0-9]+) (checks )?passed.*/\1/p' <<<"$line"); f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
	s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
	: "${p:=0}" "${f:=0}" "${s:=0}"
	if [ "$rc" -ne 0 ]; then [ "$f" -gt 0 ] || f=1; elif [ -z "$line" ]; then p=1; fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-14s %s (%d s)\n' "$name" "$([ "$f" -eq 0 ] && echo "ok, $p passed" || echo "FAILED: $f, see $logs/$name.log")$([ "$s" -gt 0 ] && echo ", $s skipped")" $((SECONDS - began))
	grep -aE '^(skip|SKIP)' "$logs/$name.log" | head -5
	[ "$f" -eq 0 ] || tail -40 "$logs/$name.log"
}

suite build-gcc    make --no-print-directory -s -j2 CC=gcc WERROR=1 all
suite build-clang  make --no-print-directory -s -j2 CC=clang WERROR=1 BUILD=build/clang plugin programs sdk
suite unit         make --no-print-directory -s -j2 CC=gcc check
suite lint         make --no-print-directory -s lint
suite docs-check   make --no-print-directory -s docs-check
suite unit-san     make --no-print-directory -s -j2 SAN=1 unit
suite fuzz-replay  make --no-print-directory -s -j2 SAN=1 fuzz-replay
suite store-tsan   make --no-print-directory -s -j2 SAN=thread unit UNIT_SRC="$(echo tests/store/*_test.c tests/unit/store/*_test.c)"
suite broker       make --no-print-directory -s test-broker
suite broker-san   make --no-print-directory -s -j2 SAN=1 test-broker
suite relay        make --no-print-directory -s test-relay
suite hello        make --no-print-directory -s hello
suite demo         make --no-print-directory -s demo

echo "all suites: $((SECONDS - started)) s"
echo "$passed passed, $failed failed$([ "$skipped" -gt 0 ] && echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
