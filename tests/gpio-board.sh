#!/usr/bin/env bash
# The button on a GPIO line of a board: gpio-board.sh FOLDER. The board is QEMU's `virt` for Arm, whose PL061 has a key on line 3
# that the monitor presses for 100 ms (hw/gpio/gpio_key.c); kernel and libraries are Debian's for arm64, the daemon and
# `vestibule-doorbell button` run in it. Closing line: `gpio-board: N passed, N failed[, N skipped]`.
# Needs nothing of the machine but the tools: arm64 packages are unpacked into FOLDER, with an apt state of their own.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/arm64.sh
mkdir -p "$1/board"
here=$(cd "$1/board" && pwd)
root=$here/root
lib=$root/usr/lib/aarch64-linux-gnu
packages="libc6 libpaho-mqtt-dev libssl-dev libprotobuf-c-dev libsodium-dev libqrencode-dev libgpiod-dev busybox-static"
passed=0 failed=0 qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null' EXIT

close() { echo "gpio-board: $passed passed, $failed failed${1:+, $1 skipped}"; [ "$failed" -eq 0 ]; exit; }
skip() { echo "skip: $*"; close 1; }
check() { if "${@:2}"; then passed=$((passed + 1)); echo "ok  $1"; else failed=$((failed + 1)); echo "FAIL $1"; fi; }

# Libraries that FILE needs, and those that they need.
needed() {
	local name file
	for name in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		[ ! -e "$here/disk/lib/$name" ] || continue
		file=$(find -L "$root/lib" "$lib" -name "$name" | head -1)
		cp -L "$file" "$here/disk/lib/" && needed "$file"
	done
}

disk() {
	rm -rf "$here/disk"
	mkdir -p "$here/disk/bin" "$here/disk/lib"
	cp "$root/bin/busybox" "$here/build/bin/vestibule-doorbell" "$here/disk/bin/"
	needed "$here/build/bin/vestibule-doorbell"
	cat >"$here/disk/init" <<'END'
#!/bin/busybox sh
for c in mkdir mount ifconfig chmod sleep ls grep poweroff uname; do eval "$c() { /bin/busybox $c \"\$@\"; }"; done
mkdir -p /dev /proc /sys /tmp
mount -t devtmpfs d /dev; mount -t proc p /proc; mount -t sysfs s /sys
exec </dev/null >/dev/console 2>&1
ifconfig lo 127.0.0.1 up
export XDG_RUNTIME_DIR=/tmp HOME=/tmp
v=vestibule-doorbell
echo 0123456789abcdef >/tmp/token; chmod 400 /tmp/token
$v --port 1 --username front-door --token-file /tmp/token --spool /tmp/spool --clips /tmp/clips run >/tmp/log 2>&1 &
until [ -S /tmp/vestibule-doorbell.sock ]; do sleep 1; done
rings() { ls /tmp/spool | grep -c -- -ring; }
until_rings() { n=0; until [ "$(rings)" -ge "$1" ] || [ $n -gt 60 ]; do sleep 1; n=$((n + 1)); done; echo "BOARD $2: rings $(rings)"; }
button() { $v button "$@" & pid=$!; sleep 2; }
echo "BOARD $(uname -r)"
$v button gpiochip0:8; echo "BOARD no line: exit $?"
$v button gpiochip7:0; echo "BOARD no chip: exit $?"
button gpiochip0:3
$v button gpiochip0:3; echo "BOARD in use: exit $?"
echo "PRESS 3"; until_rings 3 high; kill $pid; sleep 1
button gpiochip0:3 --active-low --debounce-ms 1000 # the key is up: active for more than a second
echo "PRESS 1"; until_rings 4 low; kill $pid; sleep 1
button gpiochip0:3 --debounce-ms 1000
echo "PRESS 1"; sleep 4; echo "BOARD too short: rings $(rings)"; kill $pid; sleep 1
button gpiochip0:3
echo "PRESS 1"; until_rings 5 again
echo "BOARD over"
poweroff -f
END
	chmod 755 "$here/disk/init" "$here/disk/bin/busybox"
	(cd "$here/disk" && find . | cpio -o -H newc --quiet | gzip -1) >"$here/disk.gz"
}

says() { grep -aq "$1" "$here/console"; }
# Presses as the lines PRESS of the console ask for them, 2 s apart.
board() {
	local asked=0 pressed=0 end=$((SECONDS + 300))
	rm -f "$here"/monitor.*
	: >"$here/console"
	mkfifo "$here/monitor.in" "$here/monitor.out"
	cat "$here/monitor.out" >/dev/null &
	qemu-system-aarch64 -M virt -cpu cortex-a53 -m 256 -display none -nic none -no-reboot -monitor "pipe:$here/monitor" \
		-serial "file:$here/console" -kernel "$root"/boot/vmlinuz-* -initrd "$here/disk.gz" \
		-append 'console=ttyAMA0 quiet panic=-1' </dev/null &
	qemu=$!
	exec 3>"$here/monitor.in"
	while [ $SECONDS -lt $end ] && kill -0 "$qemu" 2>/dev/null && ! says 'BOARD over'; do
		sleep 0.5
		asked=$(awk '/^PRESS / { n += $2 } END { print n + 0 }' "$here/console")
		while [ "$asked" -gt $pressed ]; do echo system_powerdown >&3; pressed=$((pressed + 1)); sleep 2; done
	done
	exec 3>&-
	kill "$qemu" 2>/dev/null; wait "$qemu" 2>/dev/null; qemu=
	says 'BOARD over'
}

tests/deps.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm cpio || skip "no cross compiler or no board"
# shellcheck disable=SC2086
arm64_unpack "$root" with-kernel $packages || { tail -5 "$root.apt/log" 2>/dev/null; skip "Debian's arm64 packages cannot be had: $packages linux-image-arm64"; }
check "built" arm64_make "$root" "$here/build" GPIO=1 "$here/build/bin/vestibule-doorbell"
[ "$failed" -eq 0 ] || close
disk
check "the board runs to its end" board
check "a line that is none is told" says 'gpiochip0:8: the chip gpiochip0 has the lines 0-7; gpioinfo lists them'
check "it ends 64" says 'BOARD no line: exit 64'
check "a chip that is none is told" says 'gpiochip7:0: no such GPIO chip; gpiodetect lists them'
check "a line in use is told" says 'gpiochip0:3: the line is in use; gpioinfo says by whom'
check "three presses, three rings" says 'BOARD high: rings 3'
check "active low: the key up is a press" says 'BOARD low: rings 4'
check "100 ms are no press of 1000" says 'BOARD too short: rings 4'
check "and the next press rings" says 'BOARD again: rings 5'
[ "$failed" -eq 0 ] || cat "$here/console"
close
