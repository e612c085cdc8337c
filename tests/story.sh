# What hello.sh and demo.sh share: a folder that goes away, a broker on a free port, programs that end with the story, checks.
# Source it with BUILD as the first argument of the calling script.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=$(realpath "${1:-build}")
BIN=$BUILD/bin
PLUGIN=$BUILD/mosquitto_vestibule.so
MOSQUITTO=${MOSQUITTO:-/usr/sbin/mosquitto}
TLS=${TLS:-}   # 1: TLS everywhere, certificates for machines, tokens for people
DIR=$(mktemp -d "${TMPDIR:-/tmp}/vestibule-$STORY.XXXXXX")
export XDG_CONFIG_HOME=$DIR XDG_RUNTIME_DIR=$DIR   # no configuration of the user's has a say
chmod 700 "$DIR"
checks=0
pids=()
began=$(date +%s%N)

# Nothing is left running and nothing is left behind, however the story ends.
# shellcheck disable=SC2317
finish() {
	local rc=$?
	trap - EXIT INT TERM
	if [ "$rc" -ne 0 ] && [ -e "$DIR/broker.log" ]; then
		echo "--- last lines of the broker's log"; tail -15 "$DIR/broker.log"
		for log in "$DIR"/*.out; do [ -s "$log" ] && { echo "--- ${log##*/}"; tail -5 "$log"; }; done
	fi
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	[ "$(type -t story_end)" != function ] || story_end
	wait 2>/dev/null
	rm -rf "$DIR"
	exit "$rc"
}
trap finish EXIT
trap 'exit 130' INT TERM

# keep_up: the story's programs go on after it; DIR/stop ends them.
keep_up() {
	printf 'kill %s\n%srm -rf %s\n' "${pids[*]}" \
		"$([ "$(type -t story_end)" != function ] || printf '%s stop %s; ' "$PWD/tests/relay/swift.sh" "$DIR/swift")" "$DIR" >"$DIR/stop"
	disown -a
	trap - EXIT INT TERM
}

seconds() { printf '%d.%d' $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10)); }
say() { printf '%5ss  %s\n' "$(seconds)" "$*"; }
ok() { checks=$((checks + 1)); say "ok  $*"; }
fail() { say "FAILED  $*"; exit 1; }

# until SECONDS COMMAND...: tries again ten times a second.
until_true() {
	local end=$(($(date +%s) + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# spawn NAME COMMAND...: in the background, output to DIR/NAME.out; ends with the story.
spawn() {
	local name=$1; shift
	"$@" >"$DIR/$name.out" 2>&1 </dev/null &
	pids+=($!)
	eval "pid_${name//-/_}=$!"
}

free_port() {
	/usr/bin/perl -MIO::Socket::INET -e 'for (1 .. 1000) { my $p = 15000 + int rand 17000; # below the ports of outgoing connections
		if (IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $p, Listen => 1)) { print $p; exit } } exit 1'
}

# listener PORT: on the loopback, with TLS when the story is told with it
listener() {
	echo "listener $1 127.0.0.1"
	[ -z "$TLS" ] || printf '%s\n' "cafile $DIR/tls/ca.crt" "certfile $DIR/tls/server.crt" "keyfile $DIR/tls/server.key" "crlfile $DIR/tls/crl.pem"
}

# start_broker OPTION...: the minimal configuration and these further lines.
start_broker() {
	PORT=$(free_port)
	MACHINES=$PORT
	ca() { sh docs/examples/ca.sh "$1" "$DIR/tls" "${@:2}" || fail "ca.sh $*"; }
	if [ -n "$TLS" ]; then
		ca init
		MACHINES=$(free_port)
	fi
	"$BIN/vestibule-ctl" init --store "$DIR/vestibule.db" --token-out "$DIR/operator.token" >/dev/null || fail "vestibule-ctl init"
	{
		printf '%s\n' 'allow_anonymous false' 'persistence false' "plugin $PLUGIN" "plugin_opt_store $DIR/vestibule.db" "$@"
		# mosquitto started by root would become another user, who cannot read this folder
		[ "$(id -u)" -ne 0 ] || echo 'user root'
		listener "$PORT"
		[ -z "$TLS" ] || { listener "$MACHINES"; echo 'require_certificate true'; }
	} >"$DIR/mosquitto.conf"
	spawn broker-process "$MOSQUITTO" -c "$DIR/mosquitto.conf"
	ln -sf broker-process.out "$DIR/broker.log"
	until_true 10 broker_answers || fail "the broker does not start"
}
broker_answers() { ctl status; }

# person NAME, machine NAME: LOGIN is how a program of theirs gets in.
person() { LOGIN=(--port "$PORT" --username "$1" --token-file "$DIR/$1.token" ${TLS:+--cafile "$DIR/tls/ca.crt"}); }
machine() {
	[ -n "$TLS" ] || { person "$1"; return; }
	[ -e "$DIR/tls/$1.crt" ] || ca client "$1"
	LOGIN=(--port "$MACHINES" --username "$1" --cafile "$DIR/tls/ca.crt" --cert "$DIR/tls/$1.crt" --key "$DIR/tls/$1.key")
}
ctl() { person operator; "$BIN/vestibule-ctl" "${LOGIN[@]}" "$@"; }
# home NAME COMMAND..., agency NAME COMMAND...: as that person
home() { person "$1"; "$BIN/vestibule-home" "${LOGIN[@]}" "${@:2}"; }
agency() { person "$1"; "$BIN/vestibule-agency" "${LOGIN[@]}" "${@:2}"; }
# doorbell DEVICE COMMAND...: the running doorbell's socket
doorbell() { local d=$1; shift; "$BIN/vestibule-doorbell" --socket "$DIR/$d.sock" "$@"; }
start_doorbell() {
	machine "$1"
	spawn "doorbell-$1" "$BIN/vestibule-doorbell" run "${LOGIN[@]}" \
		--clock synced --spool "$DIR/$1-spool" --clips "$DIR/$1-clips" --socket "$DIR/$1.sock"
	until_true 10 doorbell_online "$1" || fail "doorbell $1 does not come online"
}
doorbell_online() { doorbell "$1" status --json | grep -q '"link":"online"'; }
# stock NAME ARGS...: Debian's mosquitto_sub with that credential
stock() {
	local who=$1; shift
	mosquitto_sub -V mqttv5 -h 127.0.0.1 -p "$PORT" ${TLS:+--cafile "$DIR/tls/ca.crt"} -u "$who" -P "$(cat "$DIR/$who.token")" "$@"
}
