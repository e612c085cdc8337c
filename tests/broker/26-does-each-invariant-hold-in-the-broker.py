"""Does each invariant that a broker could break hold in one? A test for each, with its number; `make mutants` takes the defences
away one by one and wants these to notice. More ways to try are in the files before."""
from broker import *
from disk import Disk

G1, G2 = "01890a5d-0000-7000-8000-000000000001", "01890a5d-0000-7000-8000-000000000002"
RING, MOTION, STATUS = TOP + "device/front/ring", TOP + "device/front/motion", TOP + "device/front/status"
EVERY, COMMAND = TOP + "device/+/ring", TOP + "home/maple/command"
NO, KICKED = mqtt5.NOT_AUTHORIZED, mqtt5.ADMINISTRATIVE
LONG = 15  # seconds for what must come


def everybody(**more):
    return Broker(street() + police(), agencies="on", **more)


def receipt_of(client, username, payload):
    """(1, "") recorded; (2, word) refused."""
    while True:
        reply = many(client.expect(TOP + "user/%s/reply" % username, LONG).payload)
        if reply[1] == [wire.parse(payload)[1]] and 8 in reply:
            r = many(reply[8][0])
            return r[3][0], r.get(6, [b""])[0].decode()


def command(client, username, payload):
    assert client.publish(COMMAND, payload) == mqtt5.NO_SUBSCRIBERS
    return receipt_of(client, username, payload)


def lose(b, username, topic, payload, qos=0, retain=False, props=()):
    b.client(username, will=(topic, payload, qos, retain, props)).close()


def i3_grant_counts_when_the_disk_has_it():
    with Disk() as disk, Broker(street()) as b:
        alice, alarm, front, given = b.client("alice"), b.client("alarm-1"), b.client("front"), grant("alarm", RING_GRANT)
        alice.subscribe(TOP + "user/alice/reply")
        assert alarm.subscribe(EVERY) == 1
        disk.hold()
        alice.publish(COMMAND, given)
        assert not alice.drain(1), "told before it is durable"
        front.publish(RING, ring(seq=1))
        assert not alarm.drain(), "counts before it is durable"
        disk.release()
        assert receipt_of(alice, "alice", given) == (1, "")
        front.publish(RING, ring(seq=2))
        assert wire.parse(alarm.expect(RING, LONG).payload)[4] == 2


def i4_retraction_bites_while_the_disk_does_not_answer():
    with Disk() as disk, Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, amir, alarm, front = b.client("alice"), b.client("amir"), b.client("alarm-1"), b.client("front")
        assert alarm.subscribe(EVERY) == 1
        front.publish(RING, ring(seq=1))
        assert alarm.expect(RING, LONG)
        for _ in range(70):  # more than she may send
            alice.publish(TOP + "user/alice/sync", sync(1))
        disk.hold()
        amir.publish(COMMAND, grant("alarm", MOTION_GRANT))  # the store is at it, and does not come to an end
        alice.publish(COMMAND, retract(G1))
        front.publish(RING, ring(seq=2))
        assert alarm.closed(LONG) == KICKED and not alarm.messages
        with b.client("alarm-1") as again:
            assert again.subscribe(EVERY) == 1
            front.publish(RING, ring(seq=3))
            assert not again.drain()
        disk.release()


def i5_copies_queued_under_a_retracted_grant_are_never_delivered():
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, front = b.client("alice"), b.client("front")
        alice.subscribe(TOP + "user/alice/reply")

        def connect(**more):
            return b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600, receive_maximum=1, **more)
        slow = connect(acks=False)
        assert slow.subscribe(EVERY) == 1
        for seq in range(1, 5):
            assert front.publish(RING, ring(seq=seq)) == 0
        assert len(slow.drain()) == 1, "one in flight, the rest queued"
        assert command(alice, "alice", retract(G1)) == (1, "")
        assert slow.closed(LONG) == KICKED and not slow.messages
        assert command(alice, "alice", grant("alarm", RING_GRANT)) == (1, "")
        again = connect()
        assert again.closed(LONG) == KICKED and not again.messages, "the purge left its window full: once more"
        again = connect()
        assert again.subscribe(EVERY) == 1
        time.sleep(0.01)  # an event of the same ms as the grant would be as new
        front.publish(RING, ring(seq=9))
        assert [wire.parse(m.payload)[4] for m in again.drain(1)] == [9]


def i6_no_receipt_before_the_disk_has_it_and_no_copy_after_a_kill():
    with Disk() as disk, Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, back = b.client("alice"), retract(G1)
        alice.subscribe(TOP + "user/alice/reply", TOP + "home/maple/receipt")
        disk.hold()
        assert alice.publish(COMMAND, back) == mqtt5.NO_SUBSCRIBERS
        assert not alice.drain(1), "told before it is durable"
        disk.release()
        assert receipt_of(alice, "alice", back) == (1, "")
        b.stop(signal.SIGKILL)
        b.start()
        alarm, front = b.client("alarm-1"), b.client("front")
        assert alarm.subscribe(EVERY) == 1
        front.publish(RING, ring())
        assert not alarm.drain()


def i8_only_an_adult_of_the_home_grants():
    with Broker(street()) as b:
        alarm, front, amir = b.client("alarm-1"), b.client("front"), b.client("amir")
        assert alarm.subscribe(EVERY) == 1
        for name in ("abe", "bob", "front", "alarm-1", "operator"):
            with b.client(name) as c:
                assert c.publish(COMMAND, grant("alarm", RING_GRANT)) == NO, name
        front.publish(RING, ring(seq=1))
        assert not alarm.drain()
        amir.subscribe(TOP + "user/amir/reply")
        assert command(amir, "amir", grant("alarm", RING_GRANT)) == (1, "")
        front.publish(RING, ring(seq=2))
        assert alarm.expect(RING, LONG)


def i13_late_reader_gets_nothing_retained_but_status_and_the_register():
    with everybody() as b:
        front, alice = b.client("front"), b.client("alice")
        alice.subscribe(TOP + "user/alice/reply", TOP + "home/maple/receipt", TOP + "home/maple/json/#")
        front.publish(STATUS, "online", qos=0, retain=True)
        assert front.publish(RING, ring(seq=1), retain=True) == NO
        assert front.publish(RING, ring(seq=2)) != NO
        front.publish(MOTION, motion(seq=3), qos=0)
        assert command(alice, "alice", grant("alarm", RING_GRANT)) == (1, "")
        for topic in ("home/maple/receipt", "home/maple/json/front/ring", "home/maple/json/front/motion"):
            assert alice.expect(TOP + topic, LONG)
        own = ["home/maple/json/#", "home/maple/receipt", "home/maple/ask", "user/alice/reply", "device/front/ring", "device/front/motion"]
        kept = {"alice": ["device/front/status", "home/maple/json/front/status"], "ines": ["public/agency/pd"]}
        for name, filters in (("alice", own + ["device/front/status"]), ("ines", ["agency/pd/notice", "user/ines/reply", "public/#"]),
                              ("front", ["device/front/ack", "device/front/pull/#"]),
                              ("operator", ["operator/health", "operator/metrics"])):
            with b.client(name) as late:
                assert late.subscribe(*[TOP + f for f in filters], qos=0) == [0] * len(filters), name
                for topic in kept.get(name, []):
                    assert late.expect(TOP + topic, LONG).retain
                more = [m.topic for m in late.drain() if m.retain]
                assert not more, (name, more)


def i14_no_role_gets_a_filter_beyond_its_own():
    own = {
        "alice": ["home/maple/json/#", "home/maple/ask", "device/front/ring", "user/alice/reply"],
        "abe": ["home/maple/receipt", "device/garden/motion"],
        "alarm-1": ["device/+/ring", "home/+/json/+/clip-ready", "device/front/status"],
        "front": ["device/front/pull/#", "device/front/ack"],
        "ines": ["agency/pd/notice"], "eva": ["user/eva/link"], "mover-1": ["relay/mover/job"], "operator": ["operator/health"],
    }
    foreign = {
        "alice": ["home/oak/json/#", "home/oak/receipt", "device/back/ring", "device/+/ring", "device/+/status", "user/amir/reply",
                  "device/front/chunk/+/amir", "home/maple/#", "home/maple/command", "device/nobody/ring"],
        "abe": ["home/maple/ask", "area/u4pru/alert"],
        "alarm-1": ["device/+/status", "home/+/json/+/status", "device/+/clip-ready", "home/maple/json/#", "device/#"],
        "front": ["device/front/ring", "device/garden/ack", "device/garden/pull/#", "public/#"],
        "ines": ["agency/fd/notice", "agency/pd/command", "user/ines/link", "user/eva/link", "device/+/motion"],
        "eva": ["user/ines/link"], "mover-1": ["relay/other/job", "relay/mover/report", "device/+/chunk/+/mover-1"],
        "operator": ["home/maple/json/#", "device/front/ring"],
    }
    with everybody() as b:
        for name, filters in own.items():
            with b.client(name) as c:
                for f in filters:
                    assert c.subscribe(TOP + f, qos=0) == 0, (name, f)
                wide = ["#", "$share/g/" + TOP + filters[0], "$CONTROL/#"] + (["$SYS/#"] if name != "operator" else [])
                for f in wide + [TOP + f for f in foreign[name]]:
                    assert c.subscribe(f) == NO, (name, f)


def i15_nobody_gets_anothers_session_with_any_id():
    with everybody() as b:
        alice = b.client("alice", "alice.phone", clean=False, expiry=3600)
        stock = b.client("alice", "stock-7")
        assert alice.subscribe(RING) == 1
        for client_id in ("alice", "alice.phone", "alice.other", "front", "operator.x", "stock-7"):
            assert refused(lambda: b.client("bob", client_id)) == NO, client_id
        for who in ("ines", "mover-1"):
            for client_id in ("alice.phone", "nobody-here", "mosqsub-1"):
                assert refused(lambda: b.client(who, client_id)) == NO, (who, client_id)
        for c in (alice, stock):
            c.ping()
        alice.close()
        assert refused(lambda: b.client("bob", "alice.phone", clean=False)) == NO
        with b.client("alice", "alice.phone", clean=False, expiry=3600) as again, b.client("bob", "stock-8") as bob:
            assert again.session_present
            bob.ping()


def i15_nobody_gets_in_without_its_proof():
    with Broker(street() + credential("sly", MEMBER, "maple", ADULT, suspended=1)) as b:
        for name, secret in (("alice", "wrong"), ("alice", token("bob")), ("alice", None), ("nobody", token("nobody")), ("sly", token("sly"))):
            assert refused(lambda: b.client(name, name + ".x", password=secret)) == NO, name
        b.client("alice").disconnect()


def i15_login_after_a_reload_needs_its_proof():
    with Broker(street()) as b:
        b.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Reloading config" in b.read_log(), LONG, "reload")
        b.client("bob").disconnect()
        assert refused(lambda: b.client("alice", password="wrong")) == NO
        b.client("alice").disconnect()


def i15_removed_token_ends_its_sessions_and_proves_nothing():
    with Broker(street()) as b:
        alarm, operator = b.client("alarm-1"), b.client("operator")
        operator.publish("$CONTROL/vestibule/v1", '{"commands":[{"command":"remove","kind":"token","id":"alarm-1/0"}]}')
        assert alarm.closed(LONG) == KICKED
        assert refused(lambda: b.client("alarm-1")) == NO
        operator.ping()


def i16_missing_and_forbidden_things_answer_alike():
    with Broker(street() + standing("alarm", "oak", RING_GRANT, grant=G2)) as b:
        alice, answers = b.client("alice"), []
        alice.subscribe(TOP + "user/alice/reply")
        assert alice.subscribe(TOP + "user/alice/denied", qos=0) == 0
        for device, home_id, g in (("back", "oak", G2), ("nobody", "nowhere", G1)):
            told = [alice.subscribe(TOP + "device/%s/ring" % device), denial(alice)]
            told += [alice.subscribe(TOP + "home/%s/json/#" % home_id), denial(alice)]
            told += [alice.publish(TOP + "home/%s/command" % home_id, retract(g)), denial(alice)]
            alice.publish(TOP + "device/%s/pull/%s/alice" % (device, G1), wire.message(0, 0, 100), qos=0)
            told += [denial(alice), command(alice, "alice", retract(g))]
            answers.append([{k: v for k, v in t.items() if k != "topic"} if isinstance(t, dict) else t for t in told])
        assert answers[0] == answers[1], answers
        assert answers[0][0] == NO and answers[0][-1] == (2, "not_yours"), answers


def i17_commands_answer_alike_with_and_without_readers():
    consumed = ["home/maple/command", "agency/pd/command", "relay/mover/report", "user/alice/sync"]
    with everybody() as b:
        names = ("alice", "amir", "alarm-1", "ines", "sam", "eva", "mover-1", "operator", "front")
        people = {name: b.client(name) for name in names}

        def codes():
            resolve = head() + wire.field(11, wire.field(1, wire.uuid7()))
            report = head() + wire.message("", "", "", "", wire.uuid7(), 2)
            return [people[who].publish(TOP + topic, payload) for who, topic, payload in (
                ("alice", consumed[0], retract(G1)), ("alice", consumed[0], grant("alarm", RING_GRANT)), ("ines", consumed[1], resolve),
                ("mover-1", consumed[2], report), ("alice", consumed[3], sync(1)))]
        before = codes()
        for name in names:  # whatever is answered
            people[name].subscribe(*[TOP + t for t in consumed], TOP + "agency/pd/+", TOP + "home/maple/#", TOP + "#", "#")
        after = codes()
        flood = [people["alice"].publish(TOP + consumed[3], sync(1)) for _ in range(70)]
        at_ms = now_ms()
        rings = [people["front"].publish(RING, ring(seq=n, at_ms=at_ms)) for n in range(1, 9)]  # six are let through
        assert set(before + after + flood + rings) == {mqtt5.NO_SUBSCRIBERS}, (before, after, set(flood), rings)


def i18_no_will_but_the_own_status_is_heard():
    with Broker(street()) as b:
        alice = b.client("alice")
        alice.subscribe(TOP + "home/maple/receipt", TOP + "user/alice/reply")
        assert alice.subscribe(RING, STATUS, TOP + "device/garden/status", TOP + "home/maple/json/#", qos=0) == [0, 0, 0, 0]
        lose(b, "front", RING, ring(), 1)
        lose(b, "front", STATUS, "online")
        lose(b, "front", TOP + "device/garden/status", "offline")
        lose(b, "amir", COMMAND, grant("alarm", RING_GRANT), 1)
        lose(b, "alice", TOP + "user/alice/sync", sync(), 1)
        assert not alice.drain(1)
        lose(b, "front", STATUS, "offline")
        assert alice.expect(STATUS, LONG).payload == b"offline"


def i19_nothing_of_an_officer_reaches_a_device():
    with everybody() as b:
        front = b.client("front")
        for f in ("pull/#", "ack"):
            assert front.subscribe(TOP + "device/front/" + f, qos=0) == 0
        front.subscribe(TOP + "user/front/denied", TOP + "user/front/reply", qos=0)
        for f in ("public/#", "area/u4pru/alert", "agency/pd/notice", "agency/pd/command"):
            front.subscribe(TOP + f)  # whatever is answered
        for name in ("ines", "sam", "eva"):
            with b.client(name) as officer:
                for topic in ("pull/%s/%s" % (G1, name), "pull/%s/alice" % G1, "ack", "chunk/%s/%s" % (G1, name), "status", "ring"):
                    officer.publish(TOP + "device/front/" + topic, wire.message(0, 0, 100), qos=0)
                officer.publish(TOP + "home/maple/ask", b"x")
                assert officer.publish(TOP + "agency/pd/command", head() + wire.field(11, wire.field(1, wire.uuid7()))) != NO
        got = [m for m in front.drain(1) if not m.topic.endswith("/denied")]
        assert not got, got


def i20_no_officer_hears_of_motion():
    with everybody() as b:
        front, alice = b.client("front"), b.client("alice")
        assert alice.subscribe(MOTION, qos=0) == 0
        officers = [b.client(name) for name in ("ines", "sam", "eva")]
        for c in officers:  # whatever is answered
            c.subscribe(MOTION, TOP + "device/+/motion", TOP + "home/+/json/+/motion", TOP + "home/maple/json/front/motion", TOP + "#", "#", qos=0)
        front.publish(MOTION, motion(), qos=0)
        assert alice.expect(MOTION, LONG)
        assert not [m for c in officers for m in c.drain() if "/denied" not in m.topic and "/public/" not in m.topic]


def i25_end_date_ends_live_delivery_and_the_queue():
    end = (now_ms() + 2000) // 1000 * 1000 + 1100  # a tenth after a full second, when ends are looked for
    with Broker(street() + standing("alarm", "maple", RING_GRANT, end_ms=end)) as b:
        idle, front = b.client("alarm-1", "alarm-1.idle"), b.client("front")
        slow = b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600, receive_maximum=1, acks=False)
        assert idle.subscribe(EVERY) == slow.subscribe(EVERY) == 1
        for seq in (1, 2, 3):
            front.publish(RING, ring(seq=seq))
        assert len(idle.drain(0.2)) == 3 and len(slow.drain(0.2)) == 1, "one in flight, two queued"
        time.sleep(max(0, end - now_ms()) / 1000)
        front.publish(RING, ring(seq=4))
        for c in (idle, slow):
            assert c.closed(LONG) == KICKED and not c.messages
        again = b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600)
        try:
            assert not again.drain()
        except mqtt5.Closed:
            assert not again.messages  # the second kick


def i26_no_callback_waits_for_the_disk():
    with Disk() as disk, Broker(street()) as b:
        alice, front = b.client("alice", timeout=LONG), b.client("front", timeout=LONG)
        alice.subscribe(TOP + "user/alice/reply", RING, TOP + "device/front/clip-ready")
        disk.hold()
        first = grant("alarm", RING_GRANT)
        alice.publish(COMMAND, first)  # its commit hangs from here on
        assert front.publish(TOP + "device/front/clip-ready", clip_ready(seq=1)) == 0
        for seq in range(2, 8):
            assert front.publish(RING, ring(seq=seq)) == 0
            assert wire.parse(alice.expect(RING, LONG).payload)[4] == seq
        with b.client("bob", timeout=LONG) as bob:
            assert bob.subscribe(TOP + "device/back/ring") == 1
            assert bob.publish(RING, ring()) == NO
        alice.publish(COMMAND, retract(G1))
        alice.publish(TOP + "user/alice/sync", sync(1))
        assert 4 in many(alice.expect(TOP + "user/alice/reply", LONG).payload), "answered from memory"
        alice.ping()
        assert not [m for m in alice.messages if m.topic.endswith("/reply") and 8 in many(m.payload)], "but nothing is acknowledged"
        disk.release()
        assert receipt_of(alice, "alice", first) == (1, "")


def i28_only_validated_fields_are_routed():
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        assert alice.subscribe(RING, STATUS, qos=0) == [0, 0]
        good = ring(seq=1)
        for payload in (good + wire.field(99, b"rides along"), good + wire.field(5, now_ms()), good[:-1], b"", '{"face":"x"}'):
            assert front.publish(RING, payload) == NO, payload
        for prop in ((mqtt5.USER, ("a", "b")), (mqtt5.CONTENT_TYPE, "x"), (mqtt5.RESPONSE_TOPIC, "x")):
            assert front.publish(RING, good, props=[prop]) == NO, prop
        front.publish(STATUS, "dancing", qos=0)
        assert not alice.drain()
        event_id, at_ms = wire.uuid7(), now_ms()
        other_order = wire.field(4, 2) + wire.field(3, True) + wire.field(2, at_ms) + wire.field(1, event_id)
        assert front.publish(RING, other_order) == 0
        m = alice.expect(RING, LONG)
        arrived = wire.parse(m.payload)[5]
        assert m.payload == wire.message(event_id, at_ms, True, 2, arrived) and abs(arrived - at_ms) < 60000 and not m.props, m


def i28_ring_without_arrival_reaches_nobody():
    """Over its limit a ring passes through the broker as it came, without the plugin's stamp."""
    with Broker(street()) as b:
        alice, front, at_ms = b.client("alice"), b.client("front"), now_ms()
        assert alice.subscribe(RING) == 1
        for seq in range(1, 9):
            assert front.publish(RING, ring(seq=seq, at_ms=at_ms)) == 0
        assert [wire.parse(m.payload)[4] for m in alice.drain(1)] == [1, 2, 3, 4, 5, 6]


def i28_unclaimed_device_speaks_for_no_home():
    """The operator put it into the home; nobody who lives there has said so yet."""
    new = [row("device", id="new", home="maple", name="new", cell="u4pruydq", claimed_ms=0)] + credential("new", DEVICE, "new")
    with Broker(street() + new) as b:
        alice, sender = b.client("alice"), b.client("new")
        assert alice.subscribe(TOP + "home/maple/json/#") == 1
        assert sender.publish(TOP + "device/new/ring", ring()) == NO
        sender.publish(TOP + "device/new/motion", motion(), qos=0)
        assert not [m for m in alice.drain() if "/new/" in m.topic]
        assert b.client("front").publish(RING, ring()) != NO
        assert alice.expect(TOP + "home/maple/json/front/ring", LONG)


def i28_nothing_rides_along_with_a_will():
    with Broker(street()) as b:
        alice = b.client("alice")
        assert alice.subscribe(STATUS, qos=0) == 0
        lose(b, "front", STATUS, "offline", 0, True, [(mqtt5.USER, ("note", "x")), (mqtt5.CONTENT_TYPE, "x")])
        m = alice.expect(STATUS, LONG)
        assert m.payload == b"offline" and not m.props, m


main(i3_grant_counts_when_the_disk_has_it, i4_retraction_bites_while_the_disk_does_not_answer, i5_copies_queued_under_a_retracted_grant_are_never_delivered,
     i6_no_receipt_before_the_disk_has_it_and_no_copy_after_a_kill, i8_only_an_adult_of_the_home_grants,
     i13_late_reader_gets_nothing_retained_but_status_and_the_register, i14_no_role_gets_a_filter_beyond_its_own,
     i15_nobody_gets_anothers_session_with_any_id, i15_nobody_gets_in_without_its_proof, i15_login_after_a_reload_needs_its_proof,
     i15_removed_token_ends_its_sessions_and_proves_nothing, i16_missing_and_forbidden_things_answer_alike,
     i17_commands_answer_alike_with_and_without_readers, i18_no_will_but_the_own_status_is_heard,
     i19_nothing_of_an_officer_reaches_a_device, i20_no_officer_hears_of_motion, i25_end_date_ends_live_delivery_and_the_queue,
     i26_no_callback_waits_for_the_disk, i28_only_validated_fields_are_routed, i28_ring_without_arrival_reaches_nobody,
     i28_unclaimed_device_speaks_for_no_home, i28_nothing_rides_along_with_a_will)
