#!/usr/bin/env bash
# Explores with libFuzzer: explore.sh BUILD SECONDS PROGRAM...   New inputs go to BUILD, crashes into the corpus.
set -u
build=$1 seconds=$2; shift 2
cd "$(dirname "$0")/../.."
bad=0
for program in "$@"; do
	name=$(basename "$program" _fuzz)
	mkdir -p "$build/fuzzing/found/$name" "tests/fuzz/corpus/$name"
	"$program" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="tests/fuzz/corpus/$name/crash-" \
		"$build/fuzzing/found/$name" "tests/fuzz/corpus/$name" 2>&1 | grep -E 'stat::number|ERROR|SUMMARY|Test unit written' || true
	[ "${PIPESTATUS[0]}" -eq 0 ] || { echo "$name: a finding, kept in tests/fuzz/corpus/$name"; bad=1; }
done
exit $bad
