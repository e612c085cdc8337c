#!/usr/bin/env bash
# Crash and full-disk tests of the programs in BUILD: run.sh BUILD [crash.py's options].   ROUNDS and SEED from the environment.
# Builds the variant with failpoints itself. Closing lines: `full-disk: N passed, N failed`, `crash: R rounds, L lost, K leaked`.
set -u -o pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
shift $(( $# > 0 ? 1 : 0 ))
make --no-print-directory -s -j2 BUILD="$build/crash" SAN= CFLAGS="-O1 -g -DVESTIBULE_FAILPOINTS" plugin programs || exit 1
crash() { /usr/bin/python3 tests/crash/crash.py --build "$build" --points "$build/crash" --rounds "${ROUNDS:-50}" ${SEED:+--seed "$SEED"} "$@"; }
if [ $# -gt 0 ]; then # with options it is about certain rounds
	crash "$@"
	exit
fi
rc=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
/usr/bin/python3 tests/crash/full_disk.py "$build" >"$logs/full-disk" 2>&1 & # both wait most of their time
crash | tee "$logs/crash" | sed '$d' || rc=1
wait $! || rc=1
cat "$logs/full-disk"
tail -1 "$logs/crash"
exit $rc
