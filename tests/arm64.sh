# Sourced by what builds and runs for 64-bit Arm. Nothing of the machine changes: Debian's arm64 packages are unpacked into a folder,
# with an apt state of their own, so dpkg never hears of the architecture.
# shellcheck shell=bash

# arm64_unpack ROOT [with-kernel] PACKAGE...: the packages and what they need, as files under ROOT; once. The log stays in ROOT.apt/log
# when it fails. with-kernel: /boot of Debian's newest kernel, too.
arm64_unpack() {
	local root=$1 apt=$1.apt kernel="" deb; shift
	[ "$1" != with-kernel ] || { kernel=1; shift; }
	[ "$(cat "$root/.packages" 2>/dev/null)" != "$*" ] || return 0
	rm -rf "$apt" "$root"
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$root"
	: >"$apt/status"
	cat >"$apt/conf" <<-END
		Dir::State "$apt/state"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
		APT::Architecture "arm64"; #clear APT::Architectures; APT::Architectures { "arm64"; };
		APT::Install-Recommends "false"; APT::Sandbox::User ""; Debug::NoLocking "true";
	END
	export APT_CONFIG=$apt/conf
	{ apt-get -q update && apt-get -q -y -d install "$@"; } >"$apt/log" 2>&1 || return 1
	for deb in "$apt"/cache/archives/*.deb; do dpkg -x "$deb" "$root" || return 1; done
	if [ "$kernel" ]; then
		kernel=$(apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: //p' | head -1)
		(cd "$apt" && apt-get -q download "$kernel") >>"$apt/log" 2>&1 || return 1
		dpkg-deb --fsys-tarfile "$apt/$kernel"_*.deb | tar -x -C "$root" --wildcards './boot/vmlinuz-*' || return 1
	fi
	unset APT_CONFIG
	rm -rf "$apt"
	echo "$*" >"$root/.packages"
}

# arm64_make ROOT BUILD ARGUMENT...: the Makefile with the cross compiler, against the packages in ROOT.
arm64_make() {
	local root=$1 build=$2 lib=$1/usr/lib/aarch64-linux-gnu; shift 2
	make --no-print-directory -s -j2 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar BUILD="$build" WERROR=1 SAN= \
		CFLAGS="-O2 -g -isystem $root/usr/include -isystem $root/usr/include/aarch64-linux-gnu" \
		LDFLAGS="-L$lib -Wl,-rpath-link,$lib:$root/lib/aarch64-linux-gnu" "$@"
}
