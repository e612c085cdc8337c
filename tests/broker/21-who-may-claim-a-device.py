"""Who brings a device into a home and who takes it out: what does the bus do before the claim, and after the end?"""
import json
import signal

from broker import *

RECORDED, REFUSED, REVOKED, GRANT_RETRACTED, MEMBER_ADDED, DEVICE_ADDED, DEVICE_REMOVED, DEVICE_CLAIMED = 1, 2, 6, 12, 16, 18, 19, 21
DEVICES, CLIPS, RECEIPTS = 4, 5, 8  # fields of Reply
ARRIVED = (0, mqtt5.NO_SUBSCRIBERS)


def unclaimed(name, of):
    return [row("device", id=name, home=of, name=name, cell="u4pruydq", claimed_ms=0)] + credential(name, DEVICE, name)


def device_client(b, name):
    c = b.client(name, name)
    assert set(c.subscribe(TOP + "user/%s/denied" % name, TOP + "user/%s/reply" % name, TOP + "device/%s/ack" % name,
                           TOP + "device/%s/pull/#" % name)) <= {0, 1}
    return c


def member(b, username, *filters):
    c = b.client(username)
    c.username = username
    for f in (TOP + "user/%s/reply" % username, *filters):
        assert c.subscribe(f) in (0, 1), f
    return c


def answer(client, username, payload):
    """(kind, reason) of the private receipt that answers payload."""
    while True:
        reply = many(client.expect(TOP + "user/%s/reply" % username, 10).payload)
        if reply[1] == [wire.parse(payload)[1]]:
            receipt = wire.parse(reply[RECEIPTS][0])
            return receipt[3], receipt.get(6, b"").decode()


def order(client, home, payload):
    """A command of a member, and its answer."""
    assert client.publish(TOP + "home/%s/command" % home, payload) in ARRIVED
    return answer(client, client.username, payload)


def listed(client, what=0):
    """What a sync says: {field: [entries]}."""
    question, out = sync(what), {}
    client.messages.clear()
    assert client.publish(TOP + "user/%s/sync" % client.username, question) in ARRIVED
    while True:
        f = many(client.expect(TOP + "user/%s/reply" % client.username, 10).payload)
        if f[1] != [wire.parse(question)[1]]:
            continue
        for field in (DEVICES, CLIPS, RECEIPTS):
            out.setdefault(field, []).extend(wire.parse(e) for e in f.get(field, []))
        if f.get(3) == [1]:
            return out


def receipts(client, home, *kinds):
    """Waits for these kinds on the home's topic, in any order; their fields by kind."""
    got = {}
    while not set(kinds) <= set(got):
        f = wire.parse(client.expect(TOP + "home/%s/receipt" % home, 10).payload)
        got[f[3]] = f
    return got


def refused_with(client, topic, payload, reason, qos=1):
    code = client.publish(topic, payload, qos=qos)
    assert code == (mqtt5.NOT_AUTHORIZED if qos else None), code
    assert denial(client)["reason"] == reason


def quiet(client, *but):
    left = [m for m in client.drain(0.5) if not m.topic.endswith(but or ("/receipt",))]
    assert not left, left


# --- an empty home ------------------------------------------------------------------------------------------------------

def device_of_an_empty_home_names_the_first_admin_and_nobody_after():
    with Broker(home("elm") + unclaimed("door", "elm") + unclaimed("yard", "elm") + credential("operator", OPERATOR, "") +
                home("oak") + credential("bob", MEMBER, "oak", ADMIN)) as b:
        assert refused(lambda: b.client("ann")) == 0x87
        door, yard = device_client(b, "door"), device_client(b, "yard")
        refused_with(door, TOP + "device/door/ring", ring(), "unclaimed")
        refused_with(door, TOP + "device/door/claim", first_admin("bob"), "name_taken")
        refused_with(door, TOP + "device/door/claim", head() + wire.field(8, wire.field(1, "ann")), "malformed")
        first = first_admin("ann")
        assert door.publish(TOP + "device/door/claim", first) in ARRIVED
        assert answer(door, "door", first) == (RECORDED, "")
        ann = member(b, "ann", TOP + "home/elm/receipt", TOP + "device/door/ring", TOP + "home/elm/json/#")
        assert ann.expect(TOP + "home/elm/json/door/status").retain, "the plugin said it after the claim"
        got = listed(ann)
        assert [(d[1], d.get(5, 0)) for d in got[DEVICES]] in ([(b"door", 0), (b"yard", 1)], [(b"yard", 1), (b"door", 0)]), got
        assert sorted(r[3] for r in got[RECEIPTS]) == [MEMBER_ADDED, DEVICE_CLAIMED]
        assert door.publish(TOP + "device/door/ring", ring()) == 0
        ann.expect(TOP + "device/door/ring")
        # the same bytes, and the same words with a new id: recorded, and nothing more
        for again in (first, first_admin("ann")):
            assert door.publish(TOP + "device/door/claim", again) in ARRIVED
            assert answer(door, "door", again) == (RECORDED, "")
        for who, words in ((door, first_admin("eve")), (door, first_admin("ann", secret="another-secret")), (yard, first_admin("eve"))):
            name = "door" if who is door else "yard"
            refused_with(who, TOP + "device/%s/claim" % name, words, "lived_in")
        refused_with(door, TOP + "device/door/claim", first[:18] + first_admin("eve")[18:], "reused_id")
        assert refused(lambda: b.client("eve")) == 0x87
        assert len(listed(ann)[RECEIPTS]) == 2
        quiet(ann, "/json/door/ring")


def i27_operator_adds_no_member_even_to_an_empty_home():
    with Broker(home("elm") + home("oak") + credential("bob", MEMBER, "oak", ADMIN) + credential("operator", OPERATOR, "")) as b:
        op = b.client("operator")
        assert op.subscribe("$CONTROL/vestibule/v1/response") == 1

        def control(command):
            op.publish("$CONTROL/vestibule/v1", json.dumps({"commands": [command]}))
            return json.loads(op.expect("$CONTROL/vestibule/v1/response", 10).payload)["responses"][0].get("reason")

        for of in ("elm", "oak"):
            for role in ("admin", "adult", "limited"):
                row_ = {"username": "spy", "kind": "member", "subject": of, "role": role}
                assert control({"command": "put", "kind": "credential", "row": row_}) == "enrolment"
        assert control({"command": "put", "kind": "device", "row": {"id": "door", "home": "oak", "claimed_ms": 1}}) == "enrolment"
        assert control({"command": "put", "kind": "device", "row": {"id": "door", "home": "oak"}}) is None
        token_row = {"username": "bob", "slot": 1, "sha256": "a" * 64}
        assert control({"command": "put", "kind": "token", "row": token_row}) == "populated"
        assert refused(lambda: b.client("spy")) == 0x87


# --- a home with people -------------------------------------------------------------------------------------------------

def new_device_says_nothing_to_anybody_before_an_admin_claims_it():
    rows = street() + unclaimed("new", "maple") + standing("alarm", "maple", RING_GRANT)
    with Broker(rows) as b:
        new = device_client(b, "new")
        watch = (TOP + "home/maple/json/#", TOP + "device/new/ring", TOP + "device/new/status", TOP + "home/maple/receipt")
        alice, amir, abe = (member(b, who, *watch) for who in ("alice", "amir", "abe"))
        alarm = b.client("alarm-1")
        alarm.username = "alarm-1"
        assert alarm.subscribe(TOP + "device/+/ring", TOP + "device/new/status", TOP + "home/maple/json/new/status",
                               TOP + "user/alarm-1/reply") == [1, 1, 1, 1]
        refused_with(new, TOP + "device/new/claim", first_admin("eve"), "lived_in")
        new.publish(TOP + "device/new/status", "online", qos=0, retain=True)
        refused_with(new, TOP + "device/new/ring", ring(1), "unclaimed")
        refused_with(new, TOP + "device/new/motion", motion(2), "unclaimed", qos=0)
        refused_with(new, TOP + "device/new/clip-ready", clip_ready(3), "unclaimed")
        for c in (alice, amir, abe, alarm):
            quiet(c)
        late = member(b, "alice", *watch)
        quiet(late)
        seen = {c: [d[1].decode() for d in listed(c, 1)[DEVICES]] for c in (alice, amir, abe, alarm)}
        assert sorted(seen[alice]) == ["front", "garden", "new"] and "new" not in seen[amir] + seen[abe] + seen[alarm], seen
        pulls = b.client("alice")
        assert pulls.subscribe(TOP + "user/alice/denied") == 1
        refused_with(pulls, TOP + "device/new/pull/%s/alice" % wire.uuid_text(wire.uuid7()), wire.message(0, 0, 100), "not_yours", qos=0)
        # who may not claim it, and what may not be claimed
        assert order(amir, "maple", claim("new")) == (REFUSED, "role")
        assert order(amir, "maple", claim("no-such-one")) == (REFUSED, "role")
        bob = member(b, "bob")
        assert order(bob, "oak", claim("new")) == order(bob, "oak", claim("no-such-one")) == (REFUSED, "not_yours")
        assert order(alice, "maple", claim("back")) == (REFUSED, "not_yours")
        refused_with(new, TOP + "device/new/ring", ring(4), "unclaimed")
        # the claim
        assert order(alice, "maple", claim("new")) == (RECORDED, "")
        for c in (alice, amir, abe):
            got = receipts(c, "maple", DEVICE_CLAIMED)[DEVICE_CLAIMED]
            assert (got[10], got[5]) == (b"new", b"alice"), got
            assert c.expect(TOP + "device/new/status").payload == b"online"
        assert alarm.expect(TOP + "device/new/status").payload == b"online"
        assert order(alice, "maple", claim("new")) == (RECORDED, ""), "once more: nothing new"
        assert new.publish(TOP + "device/new/ring", ring(5)) == 0
        for c in (alice, amir, abe, alarm, late):
            event = c.expect(TOP + "device/new/ring")
            assert wire.parse(event.payload)[4] == 5, "nothing from before the claim"
        assert [d.get(5, 0) for d in listed(alice, 1)[DEVICES]] == [0, 0, 0]
        assert sorted(d[1] for d in listed(abe, 1)[DEVICES]) == [b"front", b"garden", b"new"]
        assert not listed(alice, 2)[CLIPS]


def claims_go_from_the_device_alone_to_nobody():
    with Broker(street() + unclaimed("new", "maple")) as b:
        front, alice, op = device_client(b, "front"), member(b, "alice", TOP + "user/alice/denied"), b.client("operator")
        assert op.subscribe(TOP + "user/operator/denied") == 1
        refused_with(front, TOP + "device/new/claim", reset(), "not_yours")
        refused_with(front, TOP + "device/no-such-one/claim", reset(), "not_yours")
        refused_with(alice, TOP + "device/new/claim", reset(), "role")
        refused_with(op, TOP + "device/new/claim", reset(), "role")
        for f in ("device/new/claim", "device/+/claim", "device/new/+", "device/new/#"):
            for c in (front, alice, op):
                assert c.subscribe(TOP + f) == 0x87, f
                assert denial(c)["reason"] == "consumed_topic"


def i3_i6_claim_that_was_recorded_survives_kill_9():
    with Broker(home("elm") + unclaimed("door", "elm") + unclaimed("yard", "elm")) as b:
        door, first = device_client(b, "door"), first_admin("ann")
        assert door.publish(TOP + "device/door/claim", first) in ARRIVED
        assert answer(door, "door", first) == (RECORDED, "")
        b.stop(signal.SIGKILL)
        b.start()
        ann = member(b, "ann", TOP + "device/yard/ring")
        assert order(ann, "elm", claim("yard")) == (RECORDED, "")
        b.stop(signal.SIGKILL)
        b.start()
        ann, yard = member(b, "ann", TOP + "device/yard/ring"), device_client(b, "yard")
        assert yard.publish(TOP + "device/yard/ring", ring()) == 0
        ann.expect(TOP + "device/yard/ring")


# --- the end ------------------------------------------------------------------------------------------------------------

def ends(how):
    rows = street() + standing("alarm", "maple", RING_GRANT, "front") + [row("integrator", id="cloud", name="Cloud")]
    rows += credential("cloud-1", INTEGRATOR, "cloud") + standing("cloud", "maple", RING_GRANT, "garden")
    with Broker(rows) as b:
        front, garden = device_client(b, "front"), device_client(b, "garden")
        watch = (TOP + "home/maple/receipt", TOP + "device/front/status", TOP + "home/maple/json/#")
        alice, amir = member(b, "alice", *watch), member(b, "amir", *watch)
        alarm, cloud = b.client("alarm-1"), b.client("cloud-1")
        assert alarm.subscribe(TOP + "device/+/ring") == cloud.subscribe(TOP + "device/+/ring") == 1
        front.publish(TOP + "device/front/status", "online", qos=0, retain=True)
        alice.expect(TOP + "device/front/status")
        assert front.publish(TOP + "device/front/ring", ring(1)) == 0
        assert garden.publish(TOP + "device/garden/ring", ring(1)) == 0
        alarm.expect(TOP + "device/front/ring"), cloud.expect(TOP + "device/garden/ring")
        assert front.publish(TOP + "device/front/clip-ready", clip_ready(2)) in ARRIVED
        front.expect(TOP + "device/front/ack", 10)
        assert len(listed(alice, 2)[CLIPS]) == 1
        how(b, front, alice)
        for c in (alice, amir):
            got = receipts(c, "maple", DEVICE_REMOVED, GRANT_RETRACTED)
            assert got[DEVICE_REMOVED][10] == got[GRANT_RETRACTED][10] == b"front"
        assert front.closed(10) == mqtt5.ADMINISTRATIVE
        assert alarm.closed(10) == mqtt5.ADMINISTRATIVE, "its copies rested on the grant that named it"
        cloud.ping()
        assert refused(lambda: b.client("front", "front")) == 0x87
        assert sorted(d[1] for d in listed(alice, 1)[DEVICES]) == [b"garden"]
        wait_until(lambda: not listed(alice, 2)[CLIPS], 10, "the catalogue without its clips")
        fresh = b.client("bob")
        assert fresh.subscribe(TOP + "device/front/status") == 0x87
        retained = member(b, "alice", TOP + "home/maple/json/#").drain()
        assert not [m for m in retained if "front" in m.topic], retained
        assert order(alice, "maple", claim("front")) == order(alice, "maple", retire("front")) == (REFUSED, "not_yours")
        op = b.client("operator")
        assert op.subscribe("$CONTROL/vestibule/v1/response") == 1
        for of in ("maple", "oak"):
            put = {"command": "put", "kind": "device", "row": {"id": "front", "home": of}}
            op.publish("$CONTROL/vestibule/v1", json.dumps({"commands": [put]}))
            said = json.loads(op.expect("$CONTROL/vestibule/v1/response", 10).payload)["responses"][0]
            assert said.get("reason") == "name_taken", said


def reset_ends_everything_of_the_device():
    ends(lambda b, front, alice: front.publish(TOP + "device/front/claim", reset()))


def admin_who_lost_a_device_ends_everything_of_it():
    def by_admin(b, front, alice):
        amir, bob = member(b, "amir"), member(b, "bob")
        assert order(amir, "maple", retire("front")) == order(amir, "maple", retire("no-such-one")) == (REFUSED, "role")
        assert order(bob, "oak", retire("front")) == order(bob, "oak", retire("no-such-one")) == (REFUSED, "not_yours")
        front.ping()
        assert order(alice, "maple", retire("front")) == (RECORDED, "")
    ends(by_admin)


def operator_who_removes_a_device_ends_everything_of_it():
    def by_operator(b, front, alice):
        op = b.client("operator")
        op.publish("$CONTROL/vestibule/v1", json.dumps({"commands": [{"command": "remove", "kind": "device", "id": "front"}]}))
    ends(by_operator)


def shared_clip():
    """Clip of front that pd was told of and has fetched; nothing more is due before the next release tick."""
    u = [wire.uuid_text(wire.uuid7()) for _ in range(8)]
    ago, ahead = now_ms() - 3600000, now_ms() + 86400000
    return police() + [
        row("clip", id=u[0], device="front", home="maple", event_id=u[7], seq=1, at_ms=ago, arrived_ms=ago, synced=1, start_ms=ago,
            duration_ms=5000, trigger=1, media_type="video/mp4", payload_length=1000, payload_sha256="ab" * 32),
        row("request", id=u[1], agency="pd", state=3, author="ines", approver="sam", incident=1, purpose=1, case_number="26-1001",
            reason="a window was forced while nobody was home", lat_e7=576491100, lon_e7=104074400, radius_m=300, from_ms=ago - 3600000,
            to_ms=ago + 10000, life_ms=86400000, submitted_ms=ago, opened_ms=ago + 1, exp_ms=ahead),
        row("ask", id=u[2], request=u[1], home="maple", state=2, revision=1, made_ms=ago, exp_ms=ahead),
        row("grant", id=u[3], request=u[1], home="maple", ask=u[2], clip=u[0], agency="pd", device="front", state=ACTIVE, decided_ms=ago,
            nbf_ms=ago, exp_ms=ahead, actor="alice"),
        row("delivery", id=u[4], grant=u[3], request=u[1], source=u[5], relay="mover", object="0f" * 16, state=3, announced=1,
            staged_ms=ago),
        row("notice", id=u[6], agency="pd", kind=8, at_ms=ago, request=u[1], delivery=u[4], state=3)]


def i9_agency_sees_nothing_of_a_reset_before_the_next_tick():
    left_s = 900 - time.time() % 900
    if left_s < 45:
        time.sleep(left_s + 2)
    with Broker(street() + shared_clip(), agencies="on", demo="true", release_tick=900) as b:
        front, alice = device_client(b, "front"), member(b, "alice", TOP + "home/maple/receipt")
        eva, mover = member(b, "eva", TOP + "agency/pd/notice"), member(b, "mover-1", TOP + "relay/mover/job")
        assert len(listed(alice, 2)[CLIPS]) == 1
        question = sync()

        def agency_sees():
            assert eva.publish(TOP + "user/eva/sync", question) in ARRIVED
            return eva.expect(TOP + "user/eva/reply", 10).payload

        before = agency_sees()
        assert front.publish(TOP + "device/front/claim", reset()) in ARRIVED
        got = receipts(alice, "maple", DEVICE_REMOVED, REVOKED)
        assert got[REVOKED][10] == b"front", "the home is told"
        assert wire.parse(mover.expect(TOP + "relay/mover/job", 10).payload)[2] == 3, "PURGE"
        assert not listed(alice, 2)[CLIPS], "the home is not shown it any more"
        time.sleep(2.5)  # the catalogue is swept within a second
        assert agency_sees() == before
        assert not [m for m in eva.drain() if m.topic.endswith("/notice")]


main(device_of_an_empty_home_names_the_first_admin_and_nobody_after, i27_operator_adds_no_member_even_to_an_empty_home,
     new_device_says_nothing_to_anybody_before_an_admin_claims_it, claims_go_from_the_device_alone_to_nobody,
     i3_i6_claim_that_was_recorded_survives_kill_9, reset_ends_everything_of_the_device,
     i9_agency_sees_nothing_of_a_reset_before_the_next_tick, admin_who_lost_a_device_ends_everything_of_it,
     operator_who_removes_a_device_ends_everything_of_it)
