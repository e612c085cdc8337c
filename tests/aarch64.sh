#!/usr/bin/env bash
# The device library and the doorbell for 64-bit Arm: cross-compiled, the library's tests under qemu-user, and a ring through a
# real broker with the host's plugin: aarch64.sh BUILD TOOL-PACKAGE...   (BUILD: the host's folder)
# Needs nothing of the machine but the tools: arm64 packages are unpacked into build/aarch64/sysroot, with an apt state of their own.
# Closing line: `sdk-aarch64: N passed, N failed[, N skipped]`; what cannot be had is one skip, with the reason.
set -u
cd "$(dirname "$0")/.."
. tests/arm64.sh
host=$1; shift
out=$PWD/build/aarch64
root=$out/sysroot
lib=$root/usr/lib/aarch64-linux-gnu
libraries="libc6 libpaho-mqtt-dev libssl-dev libprotobuf-c-dev libsodium-dev libqrencode-dev libcmocka-dev libmosquitto-dev libcjson-dev"
passed=0; failed=0

close() { echo "sdk-aarch64: $passed passed, $failed failed${1:+, $1 skipped}"; [ "$failed" -eq 0 ]; exit; }
skip() { echo "skip: $*"; close 1; }
ok() { passed=$((passed + 1)); echo "ok  $*"; }
bad() { failed=$((failed + 1)); echo "FAIL $*"; }

arm() { qemu-aarch64 -L "$root" "$@"; }
is_arm() { readelf -h "$1" | grep -q 'Machine:.*AArch64'; }
stripped_bytes() { aarch64-linux-gnu-strip -o "$out/stripped" "$1" && stat -c %s "$out/stripped"; }

# A program of somebody who has the public header and the shared library, as the example says.
example_starts() {
	ln -sf libvestibule-device.so "$out/libvestibule-device.so.0"
	aarch64-linux-gnu-gcc -Iclients/sdk -o "$out/button" clients/sdk/example/button.c -L"$out" -lvestibule-device \
		-Wl,-rpath-link,"$lib:$root/lib/aarch64-linux-gnu" || return 1
	arm -E LD_LIBRARY_PATH="$out" "$out/button" 2>&1 | grep -q '^usage: '
}

unit_tests() {
	local run=$out/run test sum
	rm -rf "$run"; mkdir -p "$run"
	for test in tests/unit/sdk/*_test.c; do
		test=$(basename "$test" .c)
		printf '#!/bin/sh\nexec qemu-aarch64 -L %s %s/tests/unit/sdk/%s\n' "$root" "$out" "$test" >"$run/$test"
		chmod +x "$run/$test"
	done
	tests/unit.sh "$run" "$run"/*_test | tee "$out/unit.log"
	sum=$(tail -1 "$out/unit.log")
	passed=$((passed + $(sed -E 's/^unit: ([0-9]+) passed.*/\1/' <<<"$sum")))
	failed=$((failed + $(sed -E 's/.* ([0-9]+) failed$/\1/' <<<"$sum")))
}

# The doorbell as a device would run it; broker, plugin and the home's automation are the host's.
ring_arrives() (
	STORY=aarch64
	# shellcheck source=tests/story.sh
	. tests/story.sh "$host"
	trap - INT TERM
	arm_doorbell() { arm "$out/bin/vestibule-doorbell" --socket "$DIR/front-door.sock" "$@"; }
	is_online() { arm_doorbell status --json | grep -q '"link":"online"'; }
	start_broker
	ctl quickstart --home maple --device front-door --member alice --out "$DIR" >/dev/null || fail quickstart
	# not through the function: the story ends what it spawned, not that one's child
	spawn doorbell qemu-aarch64 -L "$root" "$out/bin/vestibule-doorbell" --socket "$DIR/front-door.sock" run --port "$PORT" --username front-door --token-file "$DIR/front-door.token" --clock synced \
		--spool "$DIR/spool" --clips "$DIR/clips"
	until_true 20 is_online || fail "the doorbell does not come online"
	spawn home stock maple-auto -i maple-auto -t 'vestibule/v1/home/maple/json/front-door/ring' -C 1 -W 20
	sleep 0.5
	arm_doorbell ring >/dev/null || fail "vestibule-doorbell ring"
	wait "$pid_home" || fail "no ring arrived"
	grep -q '"event_id"' "$DIR/home.out" || fail "what arrived is not a ring"
	cat "$DIR/home.out"
)

tests/deps.sh "$@" || skip "no cross compiler or no qemu-user: $*"
# shellcheck disable=SC2086
arm64_unpack "$root" $libraries || { tail -5 "$root.apt/log" 2>/dev/null; skip "Debian's arm64 packages cannot be had: $libraries"; }

tests=$(printf 'build/aarch64/%s ' $(ls tests/unit/sdk/*_test.c | sed 's/\.c$//'))
# shellcheck disable=SC2086
if arm64_make "$root" build/aarch64 UNIT_LIBS="-lcmocka -lprotobuf-c -lcrypto -lm -lmosquitto -lpaho-mqtt3as" sdk build/aarch64/bin/vestibule-doorbell $tests; then ok "built"; else bad "build"; close; fi
for file in libvestibule-device.so bin/vestibule-doorbell; do
	if is_arm "$out/$file"; then ok "$file: $(stripped_bytes "$out/$file") bytes stripped"; else bad "$file is not for aarch64"; fi
done
if example_starts; then ok "button.c, with the shared library"; else bad "button.c, with the shared library"; fi
unit_tests
if ring_arrives; then ok "ring -> broker -> the home"; else bad "ring -> broker -> the home"; fi
close
