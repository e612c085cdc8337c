#!/usr/bin/env bash
# Indistinguishable answers: run.sh BUILD. SCRIPTS=200 random scripts of two agencies in every world of the core (worlds.c); one script in
# every world of a real broker (observe.py; WIRE=0 leaves it out); then the leaky variants of leaks.txt (LEAKS, a pattern, picks some),
# each of which the core's worlds must tell apart, and one of them on the wire. SEED=1.
# Closing line: `worlds: N worlds, B differing bytes; C of M leaky variants caught`.
set -u -o pipefail
cd "$(dirname "$0")/../.."
build=$1 scripts=${SCRIPTS:-200} seed=${SEED:-1} wire=${WIRE:-1}
rc=0
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

"$build/tests/worlds/worlds" "$scripts" "$seed" >"$tree/core" || rc=1
cat "$tree/core"
if [ "$wire" = 1 ]; then
	/usr/bin/python3 tests/worlds/observe.py "$build" >"$tree/wire" 2>&1 || rc=1
	cat "$tree/wire"
fi
result=$(cat "$tree"/core "$tree"/wire 2>/dev/null | sed -nE 's/^(worlds|wire): ([0-9]+) worlds, ([0-9]+) differing bytes.*/\2 \3/p' |
	awk '{n += $1; b += $2} END {printf "worlds: %d worlds, %d differing bytes", n, b}')

# leaky NAME TARGET: builds it in the copied tree
leaky() { make -s -C "$tree/src" -j2 BUILD=b SAN= "$2" >"$tree/log" 2>&1 || { echo "$1: does not build"; tail -5 "$tree/log"; return 1; }; }
mkdir "$tree/src"
cp -r Makefile lib proto plugin tests clients docs "$tree/src/"
caught=0 all=0
# tried NAME COMMAND...: it must fail because something differs
tried() {
	local name=$1; shift
	all=$((all + 1))
	if timeout 600 "$@" >"$tree/log" 2>&1; then
		echo "$name: NOT CAUGHT"
	elif grep -qE 'differs from|in the order of' "$tree/log"; then
		echo "$name: caught"; caught=$((caught + 1))
	else
		echo "$name: broke instead of differing"; tail -5 "$tree/log"
	fi
}
while IFS=$'\t' read -r name file expression; do
	[[ $name == \#* || -z $name || ! $name =~ ${LEAKS:-.} ]] && continue
	cp "$tree/src/$file" "$tree/sound"
	perl -0pi -e "$expression" "$tree/src/$file"
	if cmp -s "$tree/sound" "$tree/src/$file"; then
		echo "$name: the expression changes nothing in $file"; all=$((all + 1))
	elif ! leaky "$name" b/tests/worlds/worlds; then
		all=$((all + 1))
	else
		tried "$name" "$tree/src/b/tests/worlds/worlds" 20 "$seed"
		if [ "$wire" = 1 ] && [ "$name" = decline-is-told ] && leaky "$name" plugin; then
			tried "$name, on the wire" /usr/bin/python3 tests/worlds/observe.py "$build" "$tree/src/b/mosquitto_vestibule.so" \
				"never opted in" "declined"
		fi
	fi
	cp "$tree/sound" "$tree/src/$file"; touch "$tree/src/$file"
done <tests/worlds/leaks.txt
[ "$caught" -eq "$all" ] && [ "$all" -gt 0 ] || rc=1
echo "$result; $caught of $all leaky variants caught"
exit $rc
