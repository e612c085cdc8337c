#!/usr/bin/env bash
# Runs the relay's suite against the programs in BUILD: run.sh [BUILD] [FILE...]
# Needs mosquitto and python3-paho-mqtt; the files about buckets need OpenStack Swift (swift.sh), one server for all of them,
# and are skipped, loudly, without it; the others run beside them. Closing line: `relay: N passed, N failed[, N skipped]`.
set -u
export BUILD="${1:-build}"
here=$(dirname "$0")
. "$here/../files.sh"
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
dir=$(mktemp -d "${TMPDIR:-/tmp}/vestibule-relay-suite.XXXXXX")
trap '[ -z "${SWIFT_DIR:-}" ] || "$here/swift.sh" stop "$SWIFT_DIR"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

buckets=(); plain=()
for t in "$@"; do
	if grep -q 's3rig import run$' "$t"; then buckets+=("$t"); else plain+=("$t"); fi
done
mkdir "$dir/plain" "$dir/buckets"
# lane NAME FILE...: their counts into a file. Those about buckets share one Swift, which some of them stop: one after another.
lane() { local name=$1; shift; JOBS=1 run_files "$dir/$name" "$@"; echo "$passed $failed $skipped" >"$dir/$name.sum"; }
[ ${#plain[@]} -eq 0 ] || lane plain "${plain[@]}" &
if [ ${#buckets[@]} -gt 0 ]; then
	if env=$("$here/swift.sh" start "$dir"); then
		export SWIFT_DIR=$dir
		# shellcheck disable=SC2046
		export $(printf '%s ' $env)
	elif [ $? -ne 77 ]; then
		echo "relay: swift did not start"; echo "0 1 0" >"$dir/swift.sum"
	fi
	(lane buckets "${buckets[@]}")
fi
wait
read -r passed failed skipped < <(awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}' "$dir"/*.sum)
echo "relay: $passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
