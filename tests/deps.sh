#!/bin/sh
# Installs the Debian packages named as arguments that are missing, and says which. Needs root (or sudo) only then.
set -eu
missing=
for p in "$@"; do
	dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
run=
[ "$(id -u)" = 0 ] || { command -v sudo >/dev/null || { echo "deps: not root and no sudo; please run as root: apt-get update && apt-get install$missing" >&2; exit 1; }; run=sudo; }
echo "installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $run apt-get update -q && $run env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "deps: apt-get install failed for:$missing" >&2
	exit 1
fi
