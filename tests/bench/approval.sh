#!/usr/bin/env bash
# From an adult's approval to a verified copy in storage, 2 s tick, 8 MB clips: approval.sh BUILD [ROUNDS].
# The clock runs from the exit of `vestibule-home answer` (recorded) until the object, whole and hash-checked, has its name.
STORY=bench
. "$(dirname "$0")/../story.sh"
ROUNDS=${2:-7} LAT=57.64911 LON=10.40744
start_broker 'plugin_opt_agencies on' 'plugin_opt_demo true' 'plugin_opt_release_tick 2'
ctl quickstart --home maple --device front-door --member alice --cell u4pruydq --unsealed-ok --out "$DIR" >/dev/null || fail quickstart
start_doorbell front-door
echo "[[[57.60,10.30],[57.60,10.50],[57.70,10.50],[57.70,10.30]]]" >"$DIR/jurisdiction.json"
ctl agency add central-pd --kind police --name 'Central Police' --jurisdiction "$DIR/jurisdiction.json" >/dev/null || fail agency
ctl officer add ines --agency central-pd --role investigator --token-out "$DIR/ines.token" >/dev/null || fail officer
ctl officer add sam --agency central-pd --role supervisor --token-out "$DIR/sam.token" >/dev/null || fail officer
ctl relay add relay-1 --token-out "$DIR/relay-1.token" >/dev/null || fail relay
mkdir -m 700 "$DIR/relay-state" "$DIR/storage"
spawn relay "$BIN/vestibule-relay" --port "$PORT" --username relay-1 --token-file "$DIR/relay-1.token" --relay relay-1 \
	--state "$DIR/relay-state" --storage "dir:$DIR/storage"
relay_pid=${pids[-1]}
echo 'ask police' >"$DIR/rules"
home alice rules set "$DIR/rules" >/dev/null || fail rules
clips=()
for i in $(seq "$ROUNDS"); do
	head -c 8000000 /dev/urandom >"$DIR/clip.mp4"
	clips+=("$(doorbell front-door clip "$DIR/clip.mp4" --trigger ring --duration-ms 30000 --json | jq -r .clip_id)")
	sleep 16 # four announcements a minute
done
id=$(agency ines submit --type burglary --purpose investigation --case 26-1 --reason 'a window was forced while nobody was home' \
	--lat $LAT --lon $LON --radius 300 --from -1h --to -0s --json | jq -r .request_id)
agency sam approve "$id" >/dev/null || fail approve
asked() { home alice asks --json >"$DIR/asks.json" && grep -q "${clips[-1]}" "$DIR/asks.json"; }
until_true 20 asked || fail "not asked"
ask=$(jq -r .ask_id "$DIR/asks.json" | tail -1)
objects() { find "$DIR/storage" -type f -size 8000000c ! -name '*.part' | wc -l; }
for i in $(seq "$ROUNDS"); do
	home alice answer "$ask" --yes "${clips[i - 1]}" >/dev/null || fail answer
	t0=$(date +%s%N)
	while [ "$(objects)" -lt "$i" ]; do sleep 0.02; [ $((($(date +%s%N) - t0) / 1000000000)) -lt 60 ] || fail "no copy"; done
	echo $((($(date +%s%N) - t0) / 1000000))
	sleep "0.$((RANDOM % 9))"
done | sort -n >"$DIR/ms"
awk '{v[NR] = $1} END {printf "approval to verified copy, 8 MB, tick 2 s: p50 %d ms, min %d, max %d (%d rounds)\n", v[int((NR + 1) / 2)], v[1], v[NR], NR}' "$DIR/ms"
awk '/VmHWM/ {printf "relay peak RSS after these: %d kB\n", $2}' "/proc/$relay_pid/status"
