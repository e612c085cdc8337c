#!/usr/bin/env bash
# Format, static analysis and shell syntax: lint.sh BUILD.   Closing line: `lint: N passed, N failed`.
set -u
build=$1
cd "$(dirname "$0")/.."
passed=0 failed=0
verdict() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else echo "lint: $1 FAILED"; failed=$((failed + 1)); fi; }

mapfile -t sources < <(git ls-files -co --exclude-standard '*.c' | sort)
mapfile -t headers < <(git ls-files -co --exclude-standard '*.h' | sort)
mapfile -t ours < <(printf '%s\n' "${sources[@]}" | grep -E '^(lib|proto|plugin|clients)/' | grep -v /example/)
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)

clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"; verdict clang-format $?
# varFuncNullUB: log_line ends with a typed NULL (void *) on every platform we build for
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j 2 \
	--library=bsd --suppress=missingIncludeSystem --suppress=varFuncNullUB -I. -I"$build/gen" --suppress='*:*/gen/*' "${ours[@]}"; verdict cppcheck $?
flags="-std=c11 -D_GNU_SOURCE -I. -I$build/gen -DVESTIBULE_VERSION=\"lint\""
tidy() { # tidy CHECKS FILES_PER_CALL FILE...
	local checks=$1 n=$2; shift 2
	# shellcheck disable=SC2016
	printf '%s\n' "$@" | FLAGS=$flags CHECKS=$checks xargs -P 2 -n "$n" sh -c 'clang-tidy --quiet --checks="$CHECKS" "$@" -- $FLAGS' tidy \
		>>"$build/clang-tidy.log" 2>/dev/null
}
: >"$build/clang-tidy.log"
tidy '-clang-analyzer-*' 8 "${ours[@]}"; verdict clang-tidy $?
# the path-sensitive analyzer takes seconds a file: what runs inside the broker, or everything with ANALYZE=all
mapfile -t deep < <(printf '%s\n' "${ours[@]}" | if [ "${ANALYZE:-}" = all ]; then cat; else grep -E '^(lib|proto|plugin)/'; fi)
tidy '' 1 "${deep[@]}"; verdict 'clang analyzer' $?
grep -E '(warning|error):' "$build/clang-tidy.log" | sort | uniq -c | sort -rn | head -40
bad=0
for s in "${scripts[@]}"; do bash -n "$s" || bad=1; done
verdict 'shell syntax' $bad
# a function fits a screen: 60 lines
awk 'FNR == 1 { open = 0 } /^[a-zA-Z_].*\) \{$/ || /^\{/ { open = FNR } /^\}/ { if (open && FNR - open > 60) { printf "%s:%d: a function of %d lines\n", FILENAME, open, FNR - open; bad = 1 } open = 0 } END { exit bad }' \
	"${sources[@]}"; verdict 'function length' $?
tests/mutants/run.py --check; verdict 'mutants fit' $?
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
