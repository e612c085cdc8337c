#!/usr/bin/env bash
# The button with and without libgpiod, with both compilers: gpio.sh [FOLDER].   Closing line: `gpio: N passed, N failed`.
# Without GPIO here, what is shown ends at a chip that is not there; button_test.c has the presses, gpio-board.sh a line.
set -u
cd "$(dirname "$0")/.." || exit 1
folder=${1:-build/gpio}
passed=0 failed=0
check() { # check WHAT COMMAND...
	if "${@:2}"; then passed=$((passed + 1)); else echo "FAIL $1"; failed=$((failed + 1)); fi
}
build() { # build FOLDER CC GPIO
	make --no-print-directory -s -j2 BUILD="$1" CC="$2" GPIO="$3" WERROR=1 "$1/bin/vestibule-doorbell" "$1/tests/unit/doorbell/button_test"
}
# ends CODE SENTENCE COMMAND...: all that it prints
ends() {
	local told rc
	told=$("${@:3}" 2>&1 </dev/null); rc=$?
	[ "$rc $told" = "$1 vestibule-doorbell: $2" ] && return
	echo "exit $rc: $told"
	return 1
}
needs_gpiod() { ldd "$1" | grep -q libgpiod; }
needs_no_gpiod() { ! needs_gpiod "$1"; }
helps() { local text; text=$("$1" button --help) && grep -q 'CHIP:LINE' <<<"$text" && grep -q -e '--active-low' <<<"$text" && grep -q -e '--debounce-ms' <<<"$text"; }
quietly() { "$@" >/dev/null 2>&1; }

for cc in gcc clang; do
	there=$folder/$cc
	bell=$there/bin/vestibule-doorbell
	for gpio in 1 ''; do # into one folder: the switch itself is seen, too
		what="$cc GPIO=$gpio"
		check "$what: builds" build "$there" "$cc" "$gpio"
		check "$what: --help" helps "$bell"
		check "$what: button_test" quietly "$there/tests/unit/doorbell/button_test"
		check "$what: a line that is none" ends 64 'gpiochip0: CHIP:LINE is like gpiochip0:17; a line is 0-65535' "$bell" button gpiochip0
		if [ "$gpio" = 1 ]; then
			check "$what: libgpiod" needs_gpiod "$bell"
			check "$what: no chip" ends 64 'gpiochip-of-nobody:17: no such GPIO chip; gpiodetect lists them' "$bell" button gpiochip-of-nobody:17 --active-low
			check "$what: no GPIO device" ends 64 '/dev/null:17: the GPIO chip: Inappropriate ioctl for device' "$bell" button /dev/null:17
		else
			check "$what: no libgpiod" needs_no_gpiod "$bell"
			check "$what: told" ends 69 'gpiochip0:17: this program was built without GPIO; build it with GPIO=1' "$bell" button gpiochip0:17
		fi
	done
done
echo "gpio: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
