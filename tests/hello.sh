#!/usr/bin/env bash
# The first minute, without agencies: hello.sh BUILD.   Closing line: `hello: N checks passed`.
# One home by quickstart, its neighbour, an integrator; real programs, a real broker, stock mosquitto_sub.
STORY=hello
. "$(dirname "$0")/story.sh"

start_broker
say "a broker with the plugin on 127.0.0.1:$PORT, agencies off"

ctl quickstart --home maple --device front-door --member alice --out "$DIR" >"$DIR/quickstart.txt" || fail quickstart
ctl quickstart --home oak --device back-door --member bob --out "$DIR" >/dev/null || fail quickstart
ok "vestibule-ctl quickstart: home maple (doorbell front-door, admin alice, automation maple-auto)"
start_doorbell front-door

# 1. a ring arrives at a stock mosquitto_sub as JSON
spawn stock-auto stock maple-auto -i maple-auto -t 'vestibule/v1/home/maple/json/+/ring' -C 1 -W 10
sleep 0.5
doorbell front-door ring >/dev/null || fail "vestibule-doorbell ring"
wait "$pid_stock_auto" || fail "no ring at mosquitto_sub"
grep -q '"event_id"' "$DIR/stock-auto.out" || fail "what arrived is not a ring"
ok "ring -> mosquitto_sub -t vestibule/v1/home/maple/json/+/ring"
sed 's/^/          /' "$DIR/stock-auto.out"

# 2. the neighbour is refused, and can be told why
stock bob -i bob -t 'vestibule/v1/home/maple/json/#' -C 1 -W 2 >"$DIR/neighbour.out" 2>&1
grep -qi 'denied' "$DIR/neighbour.out" || fail "the neighbour was not refused"
ctl denials bob | grep -q not_yours || fail "the refusal is not explained"
ok "neighbour bob -> vestibule/v1/home/maple/json/#   refused: $(ctl explain bob subscribe 'vestibule/v1/home/maple/json/#' | tail -1)"

# 3. an integrator sees nothing, is granted ring, sees one, is retracted, sees none
ctl integrator add alarm-co --name 'Alarm Company' --token-out "$DIR/alarm-co.token" >/dev/null || fail "integrator add"
listen() { spawn "$1" stock alarm-co -i alarm-co -t 'vestibule/v1/home/+/json/+/ring' -W 3; sleep 0.5; }
# ring_once: the home's own automation must see this ring, so that silence elsewhere means something.
ring_once() {
	spawn home-sees stock maple-auto -i maple-auto -t 'vestibule/v1/home/maple/json/+/ring' -C 1 -W 10
	sleep 0.5
	doorbell front-door ring >/dev/null || fail "vestibule-doorbell ring"
	wait "$pid_home_sees" || fail "the home itself does not see its ring"
}
# heard NAME N: it saw N rings, and it ended by its own time-out (27), not by an error or a dead broker.
heard() {
	local pid="pid_$1" rc=0
	wait "${!pid}" || rc=$?
	[ "$rc" -eq 27 ] || fail "mosquitto_sub ended with $rc"
	[ "$(grep -c event_id "$DIR/$1.out")" -eq "$2" ]
}
listen before
ring_once
heard before 0 || fail "seen without a grant"
ok "integrator alarm-co, no grant: a ring, nothing seen"
home alice grant alarm-co --kind ring --days 30 >"$DIR/grant.txt" || fail "grant"
listen granted
ring_once
heard granted 1 || fail "granted, and not exactly one ring seen"
ok "alice grants 'ring' for 30 days: a ring, one seen"
grant=$(home alice grants --json | jq -r 'select(.standing and .state == "active") | .grant_id' | head -1)
[ -n "$grant" ] || fail "the grant is not listed"
listen retracted
home alice retract "$grant" >/dev/null || fail "retract"
ring_once
wait "$pid_retracted"
[ "$(grep -c event_id "$DIR/retracted.out")" = 0 ] || fail "seen after the retraction"
ctl status >/dev/null || fail "the broker is gone"
ok "alice retracts it: a ring, none seen"

echo "hello: $checks checks passed"
