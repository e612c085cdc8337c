#!/usr/bin/env bash
# Deaths of the engine over a real store: run.sh BUILD.   ROUNDS and SEED from the environment. Builds the variant with failpoints
# itself. Closing line: `durability: R rounds, L lost, K leaked`.
set -u -o pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
make --no-print-directory -s -j2 BUILD="$build/crash" SAN= CFLAGS="-O1 -g -DVESTIBULE_FAILPOINTS" \
	"$build/crash/tests/durability/durability" || exit 1
exec "$build/crash/tests/durability/durability" "${ROUNDS:-50}" "${SEED:-1}"
