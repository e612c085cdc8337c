"""Is a publish that a role, a topic or a field forbids refused with 0x87 and its reason, and does it change nothing?"""
from broker import *

RING = TOP + "device/front/ring"


def check(b, sender, watcher, topic, payload, reason, field="", **more):
    code = sender.publish(topic, payload, **more)
    assert code in (None, mqtt5.NOT_AUTHORIZED), code
    told = denial(sender)
    assert told["reason"] == reason and told["field"] == field, told
    assert told["topic"] == topic and told["access"] == "write", told
    return told


def wrong_sender_gets_0x87_and_a_denied_message():
    with Broker(street()) as b:
        alice, bob, back = b.client("alice"), b.client("bob"), b.client("back")
        assert alice.subscribe(RING) == 1
        for c, name in ((bob, "bob"), (back, "back")):
            assert c.subscribe(TOP + "user/%s/denied" % name, qos=0) == 0
        check(b, back, alice, RING, ring(), "not_yours")
        check(b, bob, alice, RING, ring(), "role")
        check(b, bob, alice, TOP + "home/maple/command", retract("01890a5d-0000-7000-8000-00000000002a"), "not_yours")
        check(b, bob, alice, TOP + "device/front/nonsense", b"", "no_such_topic")
        check(b, bob, alice, TOP + "public/agency/pd", b"x", "role", qos=0, retain=True)
        check(b, bob, alice, "$CONTROL/vestibule/v1", "{}", "dollar_topic")
        check(b, bob, alice, "$CONTROL/vestibule/v1/response", "{}", "dollar_topic")
        check(b, bob, alice, "elsewhere", b"x", "not_yours")
        assert not alice.drain()


def absent_and_foreign_answer_alike():
    """I16"""
    with Broker(street()) as b:
        bob = b.client("bob")
        assert bob.subscribe(TOP + "user/bob/denied", qos=0) == 0
        answers = []
        for who in ("front", "nobody-has-this"):
            assert bob.publish(TOP + "device/%s/pull/01890a5d-0000-7000-8000-00000000002a/bob" % who,
                               wire.message(0, 0, 100), qos=0) is None
            told = denial(bob)
            answers.append((told["reason"], told["field"], told["limit"]))
            assert bob.publish(TOP + "home/%s/command" % who.replace("front", "maple"), retract(
                "01890a5d-0000-7000-8000-00000000002a")) == mqtt5.NOT_AUTHORIZED
            told = denial(bob)
            answers.append((told["reason"], told["field"], told["limit"]))
        assert answers[:2] == answers[2:], answers


def malformed_events_are_refused_and_named():
    """I28"""
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        assert alice.subscribe(RING, TOP + "device/front/motion") == [1, 1]
        assert front.subscribe(TOP + "user/front/denied", qos=0) == 0
        good = ring()
        check(b, front, alice, RING, b"", "malformed", "RingEvent.event_id")
        check(b, front, alice, RING, b"\xff\xff", "malformed", "RingEvent")
        check(b, front, alice, RING, good[:-1], "malformed", "RingEvent")
        check(b, front, alice, RING, good + wire.field(5, now_ms()), "malformed", "RingEvent.arrived_ms")
        told = denial_after(front, RING, good + wire.field(99, b"rides along"), "malformed")
        assert "known field" in told["limit"], told
        check(b, front, alice, TOP + "device/front/motion", motion(permille=1001), "malformed",
              "MotionEvent.confidence_permille", qos=0)
        check(b, front, alice, RING, os.urandom(200), "too_large")
        check(b, front, alice, RING, '{"event_id":1}', "malformed", "RingEvent.event_id")
        check(b, front, alice, RING, '{"face":"x"}', "malformed", "RingEvent.face")
        check(b, front, alice, RING, '{"seq":1} x', "malformed", "RingEvent")
        check(b, front, alice, RING, good, "properties", props=[(mqtt5.USER, ("a", "b"))])
        check(b, front, alice, RING, good, "properties", props=[(mqtt5.CONTENT_TYPE, "application/x-protobuf")])
        check(b, front, alice, RING, good, "qos", qos=2)
        check(b, front, alice, RING, good, "retain", retain=True)
        check(b, front, alice, TOP + "device/front/status", "dancing", "malformed", qos=0)
        assert not alice.drain()
        assert front.publish(RING, good, props=[(mqtt5.EXPIRY, 60)]) == 0
        assert alice.expect(RING)


def denial_after(client, topic, payload, reason):
    assert client.publish(topic, payload) == mqtt5.NOT_AUTHORIZED
    told = denial(client)
    assert told["reason"] == reason, told
    return told


def refusals_are_logged_once_and_without_payload():
    with Broker(street()) as b:
        bob = b.client("bob")
        for _ in range(50):
            assert bob.publish(RING, b"canary-payload") == mqtt5.NOT_AUTHORIZED
        lines = [l for l in b.read_log().splitlines() if "event=deny" in l]
        assert 1 <= len(lines) <= 6, len(lines)
        assert "reason=role" in lines[0] and "who=bob" in lines[0], lines[0]
        assert "canary" not in b.read_log() and token("bob") not in b.read_log()


main(wrong_sender_gets_0x87_and_a_denied_message, absent_and_foreign_answer_alike, malformed_events_are_refused_and_named,
     refusals_are_logged_once_and_without_payload)
