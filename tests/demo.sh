#!/usr/bin/env bash
# The main job with agencies: demo.sh BUILD.   Closing line: `demo: N checks passed`. KEEP=1 leaves it up.
# Two homes, an agency with three officers, a relay; real programs, a real broker, a real MP4. Storage is a directory, or with
# STORAGE=s3 a bucket of a real OpenStack Swift with s3api on this machine. TLS=1: all over TLS, machines by certificate, people by token.
STORY=demo
. "$(dirname "$0")/story.sh"
CLIP=tests/media/doorstep.mp4
LAT=57.64911 LON=10.40744 CELL=u4pruydq   # both homes' cell, and the centre of the request

STORAGE=${STORAGE:-dir}
case $STORAGE in
dir)
	LINKS=$(free_port)
	mkdir -m 700 "$DIR/storage"
	storage_options=(--storage "dir:$DIR/storage" --listen "127.0.0.1:$LINKS" --public-url "http://127.0.0.1:$LINKS")
	objects() { find "$DIR/storage" -type f -size +1k -name '[0-9a-f]*' ! -name '*.part'; }
	object_sha() { sha "$1"; }
	;;
s3)
	say "starting OpenStack Swift with s3api (once: building its rings)"
	story_end() { tests/relay/swift.sh stop "$DIR/swift" >/dev/null 2>&1; }
	tests/relay/swift.sh start "$DIR/swift" >"$DIR/swift.env" || fail "OpenStack Swift does not start"
	set -a
	. "$DIR/swift.env"
	set +a
	(umask 077; printf 'access_key = %s\nsecret_key = %s\n' "$ACCESS_KEY" "$SECRET_KEY" >"$DIR/s3.credentials")
	storage_options=(--storage "s3:$BUCKET/demo" --s3-endpoint "$ENDPOINT" --s3-credentials "$DIR/s3.credentials")
	objects() { /usr/bin/python3 tests/relay/s3.py ls | cut -d' ' -f2; }
	object_sha() { /usr/bin/python3 tests/relay/s3.py get "$1" | sha256sum | cut -d' ' -f1; }
	;;
*) fail "STORAGE is dir or s3" ;;
esac

sha() { sha256sum "$1" | cut -d' ' -f1; }
field() { jq -r "$1" | head -1; }
# refused WHAT COMMAND...: it must be refused, and the sentence is shown
refused() {
	local what=$1; shift
	"$@" >"$DIR/refused.txt" 2>&1
	case $? in
	1 | 75 | 77) ;;
	*) cat "$DIR/refused.txt"; fail "not refused: $what" ;;
	esac
	ok "REFUSED  $what: $(head -1 "$DIR/refused.txt" | cut -c1-150)"
}

# --- a bus, two homes, an agency, a relay ------------------------------------------------------------------------
start_broker 'plugin_opt_agencies on' 'plugin_opt_demo true' 'plugin_opt_release_tick 2'
say "a broker with the plugin on 127.0.0.1:$PORT, agencies on, release tick 2 s"
for pair in 'maple front-door alice' 'oak back-door bob'; do
	read -r h d m <<<"$pair"
	ctl quickstart --home "$h" --device "$d" --member "$m" --cell $CELL --unsealed-ok --out "$DIR" >/dev/null || fail quickstart
	start_doorbell "$d"
done
ok "two homes: maple (front-door, alice) and oak (back-door, bob)"
echo "[[[57.60,10.30],[57.60,10.50],[57.70,10.50],[57.70,10.30]]]" >"$DIR/jurisdiction.json"
ctl agency add central-pd --kind police --name 'Central Police' --jurisdiction "$DIR/jurisdiction.json" >/dev/null || fail agency
for pair in 'ines investigator' 'sam supervisor' 'eva evidence'; do
	read -r who role <<<"$pair"
	ctl officer add "$who" --agency central-pd --role "$role" --token-out "$DIR/$who.token" >/dev/null || fail officer
done
ctl relay add relay-1 --token-out "$DIR/relay-1.token" >/dev/null || fail relay
mkdir -m 700 "$DIR/relay-state"
machine relay-1
spawn relay "$BIN/vestibule-relay" "${LOGIN[@]}" --relay relay-1 --state "$DIR/relay-state" "${storage_options[@]}"
ok "an agency with investigator ines, supervisor sam, evidence officer eva; a relay on $STORAGE storage"

# --- TLS=1: who gets in where -------------------------------------------------------------------------------------------
# barred WHAT COMMAND...: it must not get in, in whatever words
barred() {
	local what=$1; shift
	! "$@" >"$DIR/refused.txt" 2>&1 || fail "let in: $what"
	ok "REFUSED  $what: $(head -1 "$DIR/refused.txt" | cut -c1-150)"
}
offline() { doorbell "$1" status --json | grep -q '"link":"offline"'; }
if [ -n "$TLS" ]; then
	ok "devices and relay connect by certificate, people by token, all over TLS"
	machine front-door
	barred "front-door's certificate under the name back-door" "$BIN/vestibule-home" "${LOGIN[@]}" --username back-door devices
	person alice
	barred "alice without a certificate where the machines connect" "$BIN/vestibule-home" "${LOGIN[@]}" --port "$MACHINES" devices
	barred "alice without TLS" "$BIN/vestibule-home" --port "$PORT" --username alice --token-file "$DIR/alice.token" devices
	ctl suspend credential back-door >/dev/null || fail suspend
	until_true 10 offline back-door || fail "a suspended device is still connected"
	machine back-door
	barred "back-door while it is suspended, with a good certificate" "$BIN/vestibule-home" "${LOGIN[@]}" devices
	ctl resume credential back-door >/dev/null || fail resume
	until_true 60 doorbell_online back-door || fail "back-door does not come back"
	ok "the operator suspends back-door: its connection ends; resumed, it comes back"
fi

# --- rings, motion, clips for the people of the home -----------------------------------------------------------------
person alice
spawn watch "$BIN/vestibule-home" "${LOGIN[@]}" watch --json
sleep 1
doorbell front-door ring >/dev/null || fail ring
doorbell front-door motion --kind person --confidence 0.9 >/dev/null || fail motion
first=$(doorbell front-door clip $CLIP --trigger ring --json | field .clip_id) || fail clip
second=$(doorbell front-door clip $CLIP --trigger motion --json | field .clip_id) || fail clip
oaks=$(doorbell back-door clip $CLIP --trigger ring --json | field .clip_id) || fail clip
seen() { grep -q "ring" "$DIR/watch.out" && grep -q "person" "$DIR/watch.out" && grep -q "$first" "$DIR/watch.out"; }
until_true 5 seen || fail "alice does not see ring, motion and clip"
ok "front-door rings, moves, records: alice sees all three live"
catalogued() { home alice clips --json | grep -q "$second"; }
until_true 5 catalogued || fail "the catalogue lacks a clip"
home alice clip get "$first" -o "$DIR/alice.mp4" >/dev/null || fail "clip get"
DEVICE_SHA=$(sha $CLIP)
[ "$(sha "$DIR/alice.mp4")" = "$DEVICE_SHA" ] || fail "alice's clip is not the device's"
ok "alice watches her clip: sha256 ${DEVICE_SHA:0:16}... as on the device"
! home bob clips --json | grep -q "$first" || fail "bob sees a clip of maple"
refused "bob gets a clip of maple" home bob clip get "$first" -o "$DIR/bob.mp4"

# --- an agency asks ------------------------------------------------------------------------------------------------------
echo 'ask police only burglary' >"$DIR/rules"
home alice rules set "$DIR/rules" >/dev/null || fail rules
home bob rules set "$DIR/rules" >/dev/null || fail rules
ok "alice and bob opt in: ask police only burglary"
stock ines -i ines.probe -t 'vestibule/v1/device/front-door/ring' -C 1 -W 2 >"$DIR/probe.txt" 2>&1
grep -qi denied "$DIR/probe.txt" || fail "an officer may subscribe to a device"
ok "REFUSED  officer reads device/front-door/ring: $(ctl explain ines read vestibule/v1/device/front-door/ring | tail -1)"
request() {
	agency ines submit --type burglary --purpose investigation --case "$1" --reason 'a window was forced while nobody was home' \
		--lat $LAT --lon $LON --radius "$2" --from -1h --to -0s --json
}
refused "a request of 401 m" request 26-1001 401
id=$(request 26-1001 300 | field .request_id)
[ -n "$id" ] || fail submit
ok "ines submits a request of 300 m, one hour"
refused "approval by its author" agency ines approve "$id"
agency sam approve "$id" >/dev/null || fail approve
ok "sam approves; the public register has it before anybody is asked"
asked() { home "$1" asks --json >"$DIR/asks-$1.json" && grep -q "$2" "$DIR/asks-$1.json"; }
until_true 15 asked alice "$first" || fail "alice is not asked"
until_true 15 asked bob "$oaks" || fail "bob is not asked"
ask=$(field .ask_id <"$DIR/asks-alice.json")
ok "alice and bob are asked; bob does not answer, and silence is no"

# --- one clip yes, one clip no -----------------------------------------------------------------------------------------------
answered=$(date +%s%N)
home alice answer "$ask" --yes "$first" --no "$second" >/dev/null || fail answer
ok "alice approves one clip and declines the other"
stored() { [ -n "$(objects)" ]; }
until_true 20 stored || fail "nothing arrives in storage"
object=$(objects)
say "    in storage $((($(date +%s%N) - answered) / 1000000)) ms after the answer"
delivered() { agency eva deliveries --json >"$DIR/deliveries.json" && [ -s "$DIR/deliveries.json" ]; }
until_true 20 delivered || fail "no delivery is announced"
[ "$(objects | wc -l)" -eq 1 ] || fail "not exactly one object in storage"
[ "$(object_sha "$object")" = "$DEVICE_SHA" ] || fail "the stored object is not the device's clip"
ok "the approved clip, and nothing else, is in storage: sha256 ${DEVICE_SHA:0:16}..."
delivery=$(field .delivery_id <"$DIR/deliveries.json")
! grep -qE 'maple|oak|front-door|back-door|alice|bob' "$DIR/deliveries.json" || fail "a delivery names a home"
mkdir "$DIR/evidence"
agency eva fetch "$delivery" -d "$DIR/evidence" >/dev/null || fail fetch
fetched=$(find "$DIR/evidence" -type f | head -1)
[ -n "$fetched" ] && [ "$(sha "$fetched")" = "$DEVICE_SHA" ] || fail "what was fetched is not the device's clip"
ok "eva fetches it: sha256 ${DEVICE_SHA:0:16}... on device, in storage, as fetched"

# --- taken back -------------------------------------------------------------------------------------------------------------------
grant=$(home alice grants --json | field "select(.clip_id == \"$first\" and .state == \"active\") | .grant_id")
home alice retract "$grant" >/dev/null || fail retract
refused "a fetch after the retraction" agency eva fetch "$delivery" -d "$DIR/evidence" --wait 3s
gone() { [ -z "$(objects)" ]; }
until_true 20 gone || fail "the object is still in storage"
receipted() { home alice receipts --json | grep -q '"purged"'; }
until_true 20 receipted || fail "no receipt of the deletion"
ok "alice takes it back: the object is gone from storage, and she has the receipt"
told() { agency eva notices --json | grep -q '"revoked"'; }
until_true 20 told || fail "the agency is not told"
ok "the agency is told at the next tick: delete every copy"
refused "the operator draws a token in the name of alice" ctl token rotate alice --token-out "$DIR/mallory.token"

echo "demo: $checks checks passed"
if [ -n "${KEEP:-}" ]; then
	keep_up
	at="--port $PORT${TLS:+ --cafile tls/ca.crt}"
	cat <<TXT

It stays up. Try:
  cd $DIR
  $BIN/vestibule-home $at --username alice --token-file alice.token watch
  $BIN/vestibule-doorbell --socket front-door.sock ring
  $BIN/vestibule-ctl $at --username operator --token-file operator.token status
  mosquitto_sub -V mqttv5 -h 127.0.0.1 -p $PORT${TLS:+ --cafile tls/ca.crt} -u maple-auto -P "\$(cat maple-auto.token)" -t 'vestibule/v1/home/maple/json/#' -v
and when you have seen enough, this ends it and removes the folder:
  sh $DIR/stop
TXT
fi
