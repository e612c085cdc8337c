#!/usr/bin/env bash
# Every benchmark, one after the other: run.sh BUILD. Reports numbers and asserts none: machines are shared and noisy.
set -u
build=$1
cd "$(dirname "$0")/../.."
for b in "$build"/tests/bench/*_bench; do echo "--- $(basename "$b")"; "$b"; done
echo "--- retraction"; BUILD=$build /usr/bin/python3 tests/bench/retraction.py
echo "--- many homes, idle"; BUILD=$build /usr/bin/python3 tests/bench/homes.py
echo "--- floods and a slow store, seen by others"; BUILD=$build /usr/bin/python3 tests/bench/stall.py
echo "--- approval to verified copy"; tests/bench/approval.sh "$build"
echo "--- relay, peak RSS"; BUILD=$build /usr/bin/python3 tests/bench/relay_rss.py
