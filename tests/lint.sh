#!/usr/bin/env bash
# Format, static analysis and shell syntax: lint.sh BUILD.   Closing line: `lint: N passed, N failed`.
set -u
build=$1
cd "$(dirname "$0")/.."
passed=0 failed=0
verdict() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else echo "lint: $1 FAILED"; failed=$((failed + 1)); fi; }

mapfile -t sources < <(git ls-files -co --exclude-standard '*.c' | sort)
mapfile -t headers < <(git ls-files -co --exclude-standard '*.h' | sort)
mapfile -t ours < <(printf '%s\n' "${sources[@]}" | grep -E '^(lib|proto|plugin|clients)/')
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)

clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"; verdict clang-format $?
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j 2 \
	--suppress=missingIncludeSystem -I. -I"$build/gen" --suppress='*:*/gen/*' "${ours[@]}"; verdict cppcheck $?
printf '%s\n' "${ours[@]}" | xargs -P 2 -n 4 clang-tidy --quiet -- 2>/dev/null -std=c11 -D_GNU_SOURCE -I. -I"$build/gen" \
	-DVESTIBULE_VERSION='"lint"' >"$build/clang-tidy.log"; verdict clang-tidy $?
grep -E '(warning|error):' "$build/clang-tidy.log" | sort | uniq -c | sort -rn | head -40
bad=0
for s in "${scripts[@]}"; do bash -n "$s" || bad=1; done
verdict 'shell syntax' $bad
# a function fits a screen: 60 lines
awk 'FNR == 1 { open = 0 } /^[a-zA-Z_].*\) \{$/ || /^\{/ { open = FNR } /^\}/ { if (open && FNR - open > 60) { printf "%s:%d: a function of %d lines\n", FILENAME, open, FNR - open; bad = 1 } open = 0 } END { exit bad }' \
	"${sources[@]}"; verdict 'function length' $?
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
