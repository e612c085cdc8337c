#!/usr/bin/env bash
# One node of OpenStack Swift with its S3 interface on free loopback ports, for tests and the demo:
#   swift.sh start DIR   everything below DIR; prints ENDPOINT= BUCKET= ACCESS_KEY= SECRET_KEY= REGION= lines to eval
#   swift.sh stop DIR    ends it and removes DIR/swift
#   swift.sh pause DIR, swift.sh resume DIR   the S3 port refuses connections, and answers again on the same port
# Exit status 77 from start: the Debian packages are not installed (swift-proxy swift-account swift-container swift-object).
# Rings are kept in BUILD/swift-rings, because making them takes seconds; ports differ, so they are patched by port number.
set -u
cmd=${1:-} dir=${2:-}
[ -n "$dir" ] || { echo "usage: swift.sh start|stop|pause|resume DIR" >&2; exit 64; }
servers='account container object proxy'
home=$dir/swift
rings=${SWIFT_RINGS:-$(cd "$(dirname "$0")/../.." && pwd)/build/swift-rings}
name=clips key=test:tester secret=testing

installed() {
	for s in $servers; do command -v "swift-$s-server" >/dev/null || return 1; done
	command -v swift-ring-builder >/dev/null
}

# Four neighbouring ports that nobody listens on.
free_ports() {
	/usr/bin/python3 - <<'PY'
import random, socket
for _ in range(200):
    base, held = random.randrange(20000, 32000), []
    try:
        for port in range(base, base + 4):
            s = socket.socket()
            held.append(s)
            s.bind(("127.0.0.1", port))
    except OSError:
        continue
    finally:
        for s in held:
            s.close()
    print(base)
    break
PY
}

make_rings() {
	local offset=1 s
	for s in account container object; do
		swift-ring-builder "$home/etc/$s.builder" create 4 1 0 &&
			swift-ring-builder "$home/etc/$s.builder" add --region 1 --zone 1 --ip 127.0.0.1 --port $((base + offset)) --device d1 --weight 1 &&
			swift-ring-builder "$home/etc/$s.builder" rebalance || return 1
		offset=$((offset + 1))
	done >"$home/rings.log" 2>&1
}

# A ring that was made for other ports is loaded, its one device moved, and saved again.
take_rings() {
	[ -e "$rings/object.ring.gz" ] || return 1
	/usr/bin/python3 - "$rings" "$home/etc" "$base" >"$home/rings.log" 2>&1 <<'PY'
import sys
from swift.common.ring import RingData
source, target, base = sys.argv[1], sys.argv[2], int(sys.argv[3])
for offset, name in enumerate(("account", "container", "object"), 1):
    ring = RingData.load("%s/%s.ring.gz" % (source, name))
    for device in ring.devs:
        device["port"] = device["replication_port"] = base + offset
    ring.save("%s/%s.ring.gz" % (target, name))
PY
}

keep_rings() {
	mkdir -p "$rings.$$" && cp "$home"/etc/*.ring.gz "$rings.$$/" && mkdir -p "${rings%/*}" && mv -T "$rings.$$" "$rings" 2>/dev/null
	rm -rf "$rings.$$"   # somebody else was faster
}

configure() {
	local offset=1 s
	cat >"$home/etc/swift.conf" <<-TXT
		[swift-hash]
		swift_hash_path_suffix = suffix
		swift_hash_path_prefix = prefix
		[storage-policy:0]
		name = one
		default = yes
	TXT
	for s in account container object; do
		cat >"$home/etc/$s-server.conf" <<-TXT
			[DEFAULT]
			bind_ip = 127.0.0.1
			bind_port = $((base + offset))
			workers = 0
			user = $(id -un)
			swift_dir = $home/etc
			devices = $home/node
			mount_check = false
			fallocate_reserve = 0
			disable_fallocate = true
			log_address = $home/no-syslog
			[pipeline:main]
			pipeline = $s-server
			[app:$s-server]
			use = egg:swift#$s
		TXT
		offset=$((offset + 1))
	done
	{
		cat <<-TXT
			[DEFAULT]
			bind_ip = 127.0.0.1
			bind_port = $base
			workers = 0
			user = $(id -un)
			swift_dir = $home/etc
			log_address = $home/no-syslog
			[pipeline:main]
			pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo versioned_writes symlink proxy-server
			[app:proxy-server]
			use = egg:swift#proxy
			account_autocreate = true
			[filter:cache]
			use = egg:swift#memcache
			memcache_servers = 127.0.0.1:1
			[filter:s3api]
			use = egg:swift#s3api
			location = us-east-1
			check_bucket_owner = false
			storage_domain = localhost
			[filter:tempauth]
			use = egg:swift#tempauth
			user_test_tester = $secret .admin
			[filter:versioned_writes]
			use = egg:swift#versioned_writes
			allow_versioned_writes = true
			allow_object_versioning = true
		TXT
		for s in catch_errors gatekeeper healthcheck listing_formats bulk slo symlink; do
			printf '[filter:%s]\nuse = egg:swift#%s\n' "$s" "$s"
		done
	} >"$home/etc/proxy-server.conf"
}

run_server() {
	setsid "swift-$1-server" "$home/etc/$1-server.conf" --verbose >"$home/$1.log" 2>&1 </dev/null &
	echo $! >"$home/$1.pid"
}

answers() { curl -sf -m 2 -o /dev/null "http://127.0.0.1:$base/healthcheck"; }

wait_for_proxy() {
	local end=$((SECONDS + 60))
	until answers; do
		[ $SECONDS -lt $end ] && kill -0 "$(cat "$home/proxy.pid")" 2>/dev/null || return 1
		sleep 0.2
	done
}

make_bucket() {
	ENDPOINT=http://127.0.0.1:$base BUCKET=$name ACCESS_KEY=$key SECRET_KEY=$secret /usr/bin/python3 "$(dirname "$0")/s3.py" make
}

end_server() {
	local pid
	pid=$(cat "$home/$1.pid" 2>/dev/null) || return 0
	# its own session: the whole group is ours
	kill -TERM -- "-$pid" 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
	kill -KILL -- "-$pid" 2>/dev/null
	rm -f "$home/$1.pid"
}

stop_all() { for s in proxy object container account; do end_server $s; done; }

case $cmd in
start)
	installed || { echo "swift.sh: OpenStack Swift is not installed: apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object" >&2; exit 77; }
	mkdir -p "$home/etc" "$home/node/d1" || exit 1
	base=$(free_ports)
	[ -n "$base" ] || { echo "swift.sh: no free ports" >&2; exit 1; }
	echo "$base" >"$home/port"
	configure
	if ! take_rings; then
		make_rings || { cat "$home/rings.log" >&2; exit 1; }
		keep_rings
	fi
	for s in $servers; do run_server $s; done
	if ! wait_for_proxy || ! make_bucket; then
		tail -n 20 "$home"/*.log >&2
		stop_all
		exit 1
	fi
	printf 'ENDPOINT=http://127.0.0.1:%s\nBUCKET=%s\nACCESS_KEY=%s\nSECRET_KEY=%s\nREGION=us-east-1\n' "$base" $name $key $secret
	;;
pause) end_server proxy ;;
resume)
	base=$(cat "$home/port") || exit 1
	run_server proxy
	wait_for_proxy || { tail -n 20 "$home/proxy.log" >&2; exit 1; }
	;;
stop)
	stop_all
	rm -rf "$home"
	;;
*) echo "swift.sh: unknown command $cmd" >&2; exit 64 ;;
esac
