#!/usr/bin/env bash
# Proves at link level what DESIGN 6 says of the heart: pure.sh BUILD. The policy and the consent engine do no I/O,
# read no clock, keep no thread, and what decides does not even allocate. The includes say the same (layers.sh);
# this asks the objects, which cannot be talked round: their undefined symbols are the only way out of them.
set -euo pipefail
obj=${1:?usage: pure.sh BUILD}/obj
shopt -s nullglob

policy=("$obj"/plugin/policy/*.o)
consent=("$obj"/plugin/consent/*.o)
[ ${#policy[@]} -gt 0 ] || { echo "pure: no objects in $obj/plugin/policy" >&2; exit 1; }

# What the two rest on: grammar, geometry of cells, times of events, ids; tables, text, buffers.
below=()
for name in proto/topic proto/topic_filter proto/event proto/wire proto/geohash proto/uuid proto/age_shape \
		lib/hex lib/utf8 lib/table lib/buf; do
	below+=("$obj/$name.o")
done

# Memory and text only; what compilers add by themselves; the hook for broken assertions, which the plugin owns.
always='mem(chr|cmp|cpy|move|set)|str(len|nlen|chr|cmp)|err_broken'
always+='|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer)_[a-z0-9_]*|__(mem|str)[a-z]+_chk'
# Generated code that empties a message, and says what one is.
always+='|vestibule__v1__[a-z0-9_]+__(init|descriptor)'
# Circles and rings; rounding.
geometry='sincos|sin|cos|tan|asin|acos|atan2?|sqrt|fabs|fmax|fmin|fmod|floor|ceil|l?l?round|remainder|hypot'
# Rows are kept in memory of their own; buffers format into it; lists are sorted once, after a load.
keeping='malloc|calloc|realloc|free|qsort|v?snprintf|__v?snprintf_chk'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

undefined() { nm -u "$1" | sed 's/^ *[UwWvV] //; s/@.*//' | sort -u; }

# expect WHAT OBJECT ALLOWED: no undefined symbol but the allowed.
expect() {
	local bad
	bad=$(undefined "$2" | grep -vxE "$3" || true)
	[ -z "$bad" ] && return
	failed=1
	echo "pure: $1 reaches $(echo $bad)" >&2
}

# 1. All of it together reaches nothing else of this program and nothing of the system but the lists above.
ld -r -o "$scratch/heart.o" "${policy[@]}" "${consent[@]}" "${below[@]}"
expect "policy and consent together" "$scratch/heart.o" "$always|$geometry|$keeping"

# 2. What decides, one object at a time: no allocator either. What it calls inside the heart was looked at in 1.
inside=$(nm --defined-only "$scratch/heart.o" | awk '{print $NF}' | sort -u | paste -sd'|')
decides=0
for o in "${policy[@]}" "${consent[@]}" "${below[@]}"; do
	case ${o#"$obj"/} in
	plugin/policy/row.o | plugin/policy/state.o | plugin/policy/state_index.o | plugin/policy/state_due.o | lib/table.o | lib/buf.o) continue ;;
	esac
	decides=$((decides + 1))
	expect "${o#"$obj"/}" "$o" "$always|$geometry|$inside"
done

# 3. Of the buffer, which allocates, only topic_build and row_json make use; the policy itself never does.
for o in "$obj"/plugin/policy/policy*.o "$obj"/plugin/policy/state_find.o "$obj"/plugin/policy/reason.o; do
	if undefined "$o" | grep -qE '^(buf_|table_(put|reserve|init)|state_(new|apply|load|complete)$|row_clone)'; then
		failed=1
		echo "pure: ${o#"$obj"/} calls what allocates" >&2
	fi
done

# 4. Nothing in it can be written to: no globals keep state between two questions.
for o in "${policy[@]}" "${consent[@]}"; do
	bad=$(nm --defined-only "$o" | awk '$2 ~ /^[BbDdCc]$/ {print $3}' | grep -vE '^(\.L|__asan|__odr|_ZL)' || true)
	# .data.rel.ro is constant once linked: tables of pointers in position-independent code
	for symbol in $bad; do
		section=$(objdump -t "$o" | awk -v s="$symbol" '$NF == s {for (i = 1; i <= NF; i++) if ($i ~ /^\./) print $i}')
		case $section in .data.rel.ro*) continue ;; esac
		failed=1
		echo "pure: ${o#"$obj"/} keeps $symbol in $section" >&2
	done
done

[ $failed -eq 0 ] || exit 1
echo "pure: ${#policy[@]} policy and ${#consent[@]} consent objects: no I/O, no clock, no thread, no writable globals;" \
	"$decides objects that decide do not allocate"
