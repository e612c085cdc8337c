#!/usr/bin/env bash
# Every branch of the heart, taken and not taken: coverage.sh BUILD PROGRAM... runs the programs, which were built by clang with
# -fprofile-instr-generate -fcoverage-mapping, and asks llvm-cov which conditions were ever true and ever false. Conditions of the
# source are what is counted (coverage.py), not what a compiler makes of them; there is no way to leave one out.
# Closing line: `coverage: N of N branches`; what is missing stands above it, with its line. Exit status 0 only if nothing is.
set -u -o pipefail
cd "$(dirname "$0")/.."
build=$1; shift
heart='^(plugin/policy/[a-z_]+|plugin/consent/[a-z_]+|proto/topic(_filter)?)\.c$'

# clang's own llvm-cov reads what clang wrote; packages put the version behind the name.
version=$(clang -dumpversion | cut -d. -f1)
tool() { command -v "$1-$version" || command -v "$1"; }
cov=$(tool llvm-cov) && merge=$(tool llvm-profdata) || { echo "coverage: no llvm-cov; install llvm" >&2; exit 1; }

raw=$build/profiles
rm -rf "$raw"; mkdir -p "$raw"
# run NAME COMMAND...: %m tells programs apart whose instrumentation differs.
run() {
	local name=$1; shift
	LLVM_PROFILE_FILE="$PWD/$raw/$name-%m.profraw" timeout 300 "$@" >"$raw/$name.log" 2>&1 ||
		{ echo "--- $*: exit $?"; tail -30 "$raw/$name.log"; exit 1; }
}
n=0 objects=()
for program in "$@"; do
	n=$((n + 1)) objects+=(-object "$program")
	case $program in
	*_fuzz.replay) run $n "$program" tests/fuzz/corpus/"$(basename "$program" _fuzz.replay)"/* ;;
	*/sim) run $n "$program" 5000 1 ;;
	*) run $n "$program" ;;
	esac
done
"$merge" merge -sparse -o "$raw/all.profdata" "$raw"/*.profraw || exit 1
# Each program has a main of its own, of which llvm-cov keeps one: it says so, and means no function of the heart.
"$cov" export "${objects[@]}" -instr-profile "$raw/all.profdata" >"$raw/all.json" 2>"$raw/export.log" || { cat "$raw/export.log"; exit 1; }
python3 tests/coverage.py "$raw/all.json" "$heart"
