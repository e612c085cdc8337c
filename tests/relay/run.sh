#!/usr/bin/env bash
# Runs the relay's suite against the programs in BUILD: run.sh [BUILD] [FILE...]
# Needs mosquitto and python3-paho-mqtt; the files about buckets need OpenStack Swift (swift.sh), one server for all of them,
# and are skipped, loudly, without it. Closing line: `relay: N passed, N failed[, N skipped]`.
set -u
export BUILD="${1:-build}"
here=$(dirname "$0")
. "$here/../files.sh"
shift $(( $# > 0 ? 1 : 0 ))
[ $# -gt 0 ] || set -- "$here"/[0-9][0-9]-*.py
broken=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/vestibule-relay-suite.XXXXXX")
trap '[ -z "${SWIFT_DIR:-}" ] || "$here/swift.sh" stop "$SWIFT_DIR"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

if grep -q 's3rig import run$' "$@"; then
	if env=$("$here/swift.sh" start "$dir"); then
		export SWIFT_DIR=$dir
		# shellcheck disable=SC2046
		export $(printf '%s ' $env)
	elif [ $? -ne 77 ]; then
		echo "relay: swift did not start"; broken=1
	fi
fi
run_files "$dir" "$@"
failed=$((failed + broken))
echo "relay: $passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
