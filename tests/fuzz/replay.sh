#!/usr/bin/env bash
# Replays each fuzzer's corpus and the crashes it once found: replay.sh BUILD PROGRAM...   Closing line: `fuzz-replay: N passed, N failed`.
set -u
shift
passed=0 failed=0
cd "$(dirname "$0")/../.."
for program in "$@"; do
	name=$(basename "$program" _fuzz.replay)
	inputs=("tests/fuzz/corpus/$name"/*)
	if [ ! -e "${inputs[0]}" ]; then echo "$name: no corpus"; failed=$((failed + 1)); continue; fi
	if timeout 300 "$program" "${inputs[@]}"; then passed=$((passed + 1)); else echo "$name: FAILED"; failed=$((failed + 1)); fi
done
echo "fuzz-replay: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
