#!/usr/bin/env bash
# Every suite; each closes with its own line, the last line is the sum: `N passed, N failed[, N skipped]`. Logs stay in
# build/logs. Exit status 0 only if nothing failed. Three lanes side by side: one mostly computes, the others mostly wait.
set -u
cd "$(dirname "$0")/.."
export MAKEFLAGS= MAKELEVEL=0
logs=build/logs
rm -rf "$logs"
mkdir -p "$logs"
started=$SECONDS

# suite NAME COMMAND...: counts by the suite's closing line; a suite without one is one check, by its exit status.
suite() {
	local name=$1 began=$SECONDS rc line p f s; shift
	timeout 1500 "$@" >"$logs/$name.log" 2>&1 </dev/null; rc=$?
	line=$(grep -aE '^[a-z0-9-]+: [0-9]+ (passed|checks passed)' "$logs/$name.log" | tail -1)
	p=$(sed -nE 's/^[a-z0-9-]+: ([0-9]+) (checks )?passed.*/\1/p' <<<"$line")
	f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
	s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
	: "${p:=0}" "${f:=0}" "${s:=0}"
	if [ "$rc" -ne 0 ]; then [ "$f" -gt 0 ] || f=1; elif [ -z "$line" ]; then p=1; fi
	echo "$p $f $s" >"$logs/$name.sum"
	printf '%-12s %s (%d s)\n' "$name" "$([ "$f" -eq 0 ] && echo "ok, $p passed" ||
		echo "FAILED: $f, see $logs/$name.log")$([ "$s" -gt 0 ] && echo ", $s skipped")" $((SECONDS - began))
	grep -aiE '^skip' "$logs/$name.log" | head -5
	[ "$f" -eq 0 ] || { echo "--- $name"; grep -aE -A 15 '^FAIL' "$logs/$name.log" | head -60; tail -40 "$logs/$name.log"; echo "---"; }
}
m() { make --no-print-directory -s "$@"; }
export -f m

suite build-gcc   bash -c 'm -j2 CC=gcc WERROR=1 all'
suite unit        bash -c 'm -j2 CC=gcc check'
suite sim         bash -c 'm sim STEPS=400000'
suite worlds      bash -c 'SCRIPTS=10 WIRE=0 LEAKS="unshuffled|pseudonym|declined" m worlds'

computing() {
	suite build-clang bash -c 'm CC=clang WERROR=1 BUILD=build/clang plugin programs sdk'
	suite gpio        bash -c 'm gpio'
	suite lint        bash -c 'm lint'
	suite docs-check  bash -c 'm docs-check'
	suite coverage    bash -c 'm coverage'
	suite unit-san    bash -c 'm SAN=1 unit'
	suite fuzz-replay bash -c 'm SAN=1 fuzz-replay'
	suite torture     bash -c 'm SAN=1 torture STRIDE=20'
	suite broker-san  bash -c 'm SAN=1 test-broker'
	suite store-tsan  bash -c 'm SAN=thread unit UNIT_SRC="$(echo tests/store/*_test.c tests/unit/store/*_test.c)"'
}
talking() {
	suite broker  bash -c 'm test-broker'
	suite crash   bash -c 'm crash ROUNDS=20'
	suite sdk-aarch64 bash -c 'm sdk-aarch64'
	suite durability bash -c 'm durability'
	suite restore bash -c 'm restore-check WAYS="cp folder"'
}
waiting() {
	suite hello   bash -c 'm hello'
	suite demo    bash -c 'm demo'
	suite demo-tls bash -c 'm demo TLS=1'
	suite demo-s3 bash -c 'm demo STORAGE=s3'
	suite relay   bash -c 'm test-relay'
}
computing &
talking &
waiting &
wait

echo "all suites: $((SECONDS - started)) s"
awk '{p += $1; f += $2; s += $3} END {printf "%d passed, %d failed", p, f; if (s) printf ", %d skipped", s; print ""; exit f > 0 || p == 0}' "$logs"/*.sum
