# Sourced by suites of Python files: run_files DIR TEST... runs them, JOBS=2 at a time, each at most FILE_SECONDS=300, with a log in
# DIR. A file prints `ok NAME`, `FAIL NAME` or `SKIP NAME: why` a test. Sets passed, failed, skipped; shows the log of what failed.
# shellcheck shell=bash
run_files() {
	local dir=$1 t n=0 p f s rc; shift
	passed=0; failed=0; skipped=0
	for t in "$@"; do
		while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
		n=$((n + 1))
		{ timeout "${FILE_SECONDS:-300}" /usr/bin/python3 "$t" >"$dir/$n.log" 2>&1; echo $? >"$dir/$n.rc"; } &
	done
	wait
	n=0
	for t in "$@"; do
		n=$((n + 1))
		p=$(grep -c '^ok ' "$dir/$n.log"); f=$(grep -c '^FAIL ' "$dir/$n.log"); s=$(grep -c '^SKIP ' "$dir/$n.log")
		rc=$(cat "$dir/$n.rc")
		grep '^SKIP ' "$dir/$n.log"
		# a file that broke off, or that tested nothing, failed
		if [ "$f" -eq 0 ] && { [ "$rc" -ne 0 ] || [ $((p + s)) -eq 0 ]; }; then f=1; fi
		[ "$f" -eq 0 ] || { echo "--- ${t##*/}: exit $rc"; grep -aE '^FAIL ' "$dir/$n.log"; tail -120 "$dir/$n.log"; }
		passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
	done
}
