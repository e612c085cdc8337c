"""Does a ring reach the members of its home, and nobody else?"""
from broker import *


def ring_reaches_members_not_the_neighbour():
    with Broker(street()) as b:
        alice, abe, bob, front = b.client("alice"), b.client("abe"), b.client("bob"), b.client("front")
        topic, json = TOP + "device/front/ring", TOP + "home/maple/json/front/ring"
        assert alice.subscribe(topic, TOP + "home/maple/json/#") == [1, 1]
        assert abe.subscribe(topic) == 1
        assert bob.subscribe(topic, TOP + "home/maple/json/#")[0] == mqtt5.NOT_AUTHORIZED
        event = ring(seq=7)
        assert front.publish(topic, event) == 0
        got = wire.parse(alice.expect(topic).payload)
        assert got[1] == wire.parse(event)[1] and abs(got[5] - now_ms()) < 5000, got
        assert abe.expect(topic)
        text = alice.expect(json).payload.decode()
        assert text.startswith('{"at_ms":') and wire.uuid_text(got[1]) in text, text
        assert not [m for m in bob.drain() if "ring" in m.topic]


def repeated_ring_is_not_routed_again():
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        topic = TOP + "device/front/ring"
        assert alice.subscribe(topic) == 1
        event = ring(seq=9)
        assert front.publish(topic, event) == 0 and front.publish(topic, event) == 0
        assert len(alice.drain()) == 1


def only_clips_are_acknowledged_to_the_device():
    """A ring may overtake a clip that is not recorded yet: an ack that counted it would cover that clip, too."""
    with Broker(street()) as b:
        front, ack = b.client("front"), TOP + "device/front/ack"
        assert front.subscribe(ack, qos=0) == 0
        assert front.publish(TOP + "device/front/ring", ring(seq=9)) in (0, mqtt5.NO_SUBSCRIBERS)
        assert not front.drain(0.6), "a ring is acknowledged"
        clip = clip_ready(seq=8)
        for _ in range(2):
            assert front.publish(TOP + "device/front/clip-ready", clip) in (0, mqtt5.NO_SUBSCRIBERS)
            assert wire.parse(front.expect(ack).payload) == {1: 8}


def json_event_is_made_canonical():
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        topic = TOP + "device/front/motion"
        assert alice.subscribe(topic, qos=0) == 0
        event_id = wire.uuid7()
        front.publish(topic, '{"event_id":"%s","at_ms":%d,"synced":true,"seq":3,"kind":"person","confidence_permille":900}'
                      % (wire.uuid_text(event_id), now_ms()), qos=0)
        got = wire.parse(alice.expect(topic).payload)
        assert got[1] == event_id and got[6] == 1 and got[5], got


def ring_waits_for_nobody_after_a_restart_of_the_broker():
    with Broker(street()) as b:
        b.client("front").disconnect()
        b.stop()
        b.start()
        alice, front = b.client("alice"), b.client("front")
        assert alice.subscribe(TOP + "device/front/ring") == 1
        assert front.publish(TOP + "device/front/ring", ring()) == 0
        assert alice.expect(TOP + "device/front/ring")


main(ring_reaches_members_not_the_neighbour, repeated_ring_is_not_routed_again, only_clips_are_acknowledged_to_the_device,
     json_event_is_made_canonical, ring_waits_for_nobody_after_a_restart_of_the_broker)
