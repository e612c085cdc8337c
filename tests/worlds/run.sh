#!/usr/bin/env bash
# Indistinguishable answers: run.sh BUILD. SCRIPTS=200 random scripts of two agencies in every world (worlds.c), then each leaky variant
# of leaks.txt, which must be told apart. SEED=1.   Closing line: `worlds: N worlds, B differing bytes; C of M leaky variants caught`.
set -u -o pipefail
cd "$(dirname "$0")/../.."
build=$1 scripts=${SCRIPTS:-200} seed=${SEED:-1}
rc=0
"$build/tests/worlds/worlds" "$scripts" "$seed" | tee "$build/worlds.out" | sed '$d' || rc=1
result=$(tail -1 "$build/worlds.out")

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r Makefile lib proto plugin tests clients docs "$tree/" 2>/dev/null
caught=0 all=0
while IFS=$'\t' read -r name file expression; do
	[[ $name == \#* || -z $name ]] && continue
	all=$((all + 1))
	cp "$tree/$file" "$tree/sound"
	perl -0pi -e "$expression" "$tree/$file"
	if cmp -s "$tree/sound" "$tree/$file"; then
		echo "$name: the expression changes nothing in $file"
	elif ! make -s -C "$tree" -j2 BUILD=b SAN= b/tests/worlds/worlds >"$tree/log" 2>&1; then
		echo "$name: does not build"; tail -5 "$tree/log"
	elif timeout 300 "$tree/b/tests/worlds/worlds" 20 "$seed" >"$tree/log" 2>&1; then
		echo "$name: NOT CAUGHT"
	elif grep -qE 'differs from|in the order of' "$tree/log"; then
		echo "$name: caught"; caught=$((caught + 1))
	else
		echo "$name: broke instead of differing"; tail -3 "$tree/log"
	fi
	cp "$tree/sound" "$tree/$file"; touch "$tree/$file"
done <tests/worlds/leaks.txt
[ "$caught" -eq "$all" ] && [ "$all" -gt 0 ] || rc=1
echo "$result; $caught of $all leaky variants caught"
exit $rc
