"""Are wills other than a device's own status dropped, however the connection ends? (I18)"""
from broker import *


def lose(b, username, topic, payload, qos=0, retain=False, props=(), **more):
    try:
        b.client(username, will=(topic, payload, qos, retain, props), **more).close()
    except (mqtt5.Refused, mqtt5.Closed):
        assert topic.startswith("$"), "newer brokers refuse such wills at CONNECT"


def device_will_of_status_passes_and_of_a_ring_does_not():
    with Broker(street()) as b:
        alice = b.client("alice")
        assert alice.subscribe(TOP + "device/front/ring", TOP + "device/front/status", TOP + "home/maple/json/#") == [1, 1, 1]
        lose(b, "front", TOP + "device/front/ring", ring(), qos=1)
        lose(b, "front", TOP + "device/garden/status", "offline")
        assert not alice.drain()
        assert "reason=will who=front" in b.read_log() and "reason=not_yours who=front" in b.read_log()
        lose(b, "front", TOP + "device/front/status", "offline")
        assert alice.expect(TOP + "device/front/status").payload == b"offline"
        assert alice.expect(TOP + "home/maple/json/front/status")


def nothing_rides_along_with_a_will():  # I28
    props = [(mqtt5.CONTENT_TYPE, "x-smuggled"), (mqtt5.RESPONSE_TOPIC, "back"), (mqtt5.USER, ("note", "clip at http://x"))]
    with Broker(street()) as b:
        alice = b.client("alice")
        assert alice.subscribe(TOP + "device/front/status", qos=0) == 0
        lose(b, "front", TOP + "device/front/status", "offline", 0, True, props)
        m = alice.expect(TOP + "device/front/status")
        assert m.payload == b"offline" and not m.props, m
        late = b.client("alice")
        assert late.subscribe(TOP + "device/front/status", qos=0) == 0
        m = late.expect(TOP + "device/front/status")
        assert m.payload == b"offline" and m.retain and not m.props, m
        lose(b, "front", TOP + "device/front/status", "online", 0, True, props)
        assert not alice.drain() and "reason=will who=front" in b.read_log()


def nothing_rides_along_when_the_broker_ends():  # no DISCONNECT goes before these wills: they look like a PUBLISH
    props = [(mqtt5.CONTENT_TYPE, "x-smuggled")]
    with Broker(street()) as b:
        alice = b.client("alice")
        assert alice.subscribe(TOP + "device/front/status", qos=0) == 0
        front = b.client("front", will=(TOP + "device/front/status", "offline", 0, True, props))
        b.stop()
        for c in (alice, front):
            c.closed()
        assert not [m for m in alice.messages if m.props], alice.messages


def wills_of_people_are_dropped():
    with Broker(street()) as b:
        alice, op = b.client("alice"), b.client("operator")
        alice.subscribe(TOP + "home/maple/receipt", TOP + "user/alice/reply")
        op.subscribe("$CONTROL/vestibule/v1/response")
        lose(b, "amir", TOP + "home/maple/command", grant("alarm", RING_GRANT), qos=1)
        lose(b, "alice", TOP + "user/alice/sync", sync(), qos=1)
        lose(b, "alice", TOP + "home/maple/receipt", b"x")
        lose(b, "bob", "$CONTROL/vestibule/v1/response", "{}")
        lose(b, "operator", "$CONTROL/vestibule/v1", '{"commands":[{"command":"listHomes"}]}')
        lose(b, "bob", TOP + "public/agency/pd", b"x", retain=True)
        assert not alice.drain() and not [m for m in op.drain() if "$CONTROL" in m.topic]
        for who in ("amir", "alice"):
            assert "reason=will who=%s" % who in b.read_log(), who


def will_at_a_takeover_is_a_will():
    with Broker(street()) as b:
        alice = b.client("alice")
        assert alice.subscribe(TOP + "device/front/ring", TOP + "device/front/status") == [1, 1]
        first = b.client("front", "front", will=(TOP + "device/front/ring", ring(), 1, False))
        second = b.client("front", "front", will=(TOP + "device/front/status", "offline", 0, True))
        first.closed()
        assert not alice.drain()
        assert "reason=will who=front" in b.read_log()
        with b.client("front", "front", will=(TOP + "device/front/status", "offline", 0, True)) as third:
            second.closed()
            third.publish(TOP + "device/front/status", "online", qos=0, retain=True)
            assert [m.payload for m in alice.drain()] == [b"online"], "it is back: nobody hears that it was gone"
            third.close()
            assert alice.expect(TOP + "device/front/status").payload == b"offline"


main(device_will_of_status_passes_and_of_a_ring_does_not, nothing_rides_along_with_a_will,
     nothing_rides_along_when_the_broker_ends, wills_of_people_are_dropped, will_at_a_takeover_is_a_will)
