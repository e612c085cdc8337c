"""Does a standing grant open what it names, and a retraction stop every copy from the callback that receives it? (I4, I5, I6)"""
from broker import *

G1, G2 = "01890a5d-0000-7000-8000-000000000001", "01890a5d-0000-7000-8000-000000000002"
RING, MOTION = TOP + "device/front/ring", TOP + "device/front/motion"
EVERY = TOP + "device/+/ring"


def second_firm():
    return [row("integrator", id="hosted", name="Hosted")] + credential("hosted-1", INTEGRATOR, "hosted")


def receipt_of(client, username, event_id):
    """The private receipt that answers a command: (kind, reason)."""
    reply = many(client.expect(TOP + "user/%s/reply" % username).payload)
    assert reply[1] == [event_id], reply
    r = many(reply[8][0])
    assert r[4] == [event_id]
    return r[3][0], r.get(6, [b""])[0].decode()


def command(client, username, payload):
    """1: recorded; 2 and a word: refused."""
    code = client.publish(TOP + "home/maple/command", payload)
    assert code == mqtt5.NO_SUBSCRIBERS, code
    return receipt_of(client, username, wire.parse(payload)[1])


def grant_opens_its_kind_device_and_time_only():
    with Broker(street()) as b:
        alice, alarm, front, garden = b.client("alice"), b.client("alarm-1"), b.client("front"), b.client("garden")
        alice.subscribe(TOP + "user/alice/reply")
        assert alarm.subscribe(EVERY, TOP + "device/+/motion", TOP + "home/+/json/+/ring") == [1, 1, 1]
        front.publish(RING, ring(seq=1))
        assert not alarm.drain()
        old = ring(seq=2, at_ms=now_ms() - 5000)
        assert command(alice, "alice", grant("alarm", RING_GRANT, "front")) == (1, "")
        front.publish(RING, old)
        assert not alarm.drain(), "an event older than the grant"
        front.publish(RING, ring(seq=3))
        assert alarm.expect(RING) and alarm.expect(TOP + "home/maple/json/front/ring")
        garden.publish(TOP + "device/garden/ring", ring())
        front.publish(MOTION, motion(seq=4), qos=0)
        assert not alarm.drain()


def retraction_stops_the_next_message():
    """I4: numbered stream; nothing after the retraction's PUBACK arrives."""
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, alarm, front = b.client("alice"), b.client("alarm-1"), b.client("front")
        alice.subscribe(TOP + "user/alice/reply", TOP + "home/maple/receipt")
        assert alarm.subscribe(EVERY) == 1
        front.publish(RING, ring(seq=1))
        assert wire.parse(alarm.expect(RING).payload)[4] == 1
        alice.publish(TOP + "home/maple/command", retract(G1))
        for seq in range(2, 6):
            front.publish(RING, ring(seq=seq))
        assert alarm.closed() == mqtt5.ADMINISTRATIVE, "the reader to whom copies were routed is kicked"
        assert not alarm.messages
        assert alice.expect(TOP + "home/maple/receipt")
        with b.client("alarm-1") as again:
            assert again.subscribe(EVERY) == 1
            front.publish(RING, ring(seq=6))
            assert not again.drain()


def queued_copies_of_a_slow_reader_are_never_delivered():
    """I5: receive-maximum 1, nothing acknowledged, offline queue, and a new grant before the reconnect."""
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, front = b.client("alice"), b.client("front")
        alice.subscribe(TOP + "user/alice/reply")
        slow = b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600, receive_maximum=1, acks=False)
        assert slow.subscribe(EVERY) == 1
        for seq in range(1, 5):
            assert front.publish(RING, ring(seq=seq)) == 0
        assert len(slow.drain()) == 1, "one in flight, the rest queued"
        assert command(alice, "alice", retract(G1)) == (1, "")
        slow.closed()
        assert not slow.messages
        assert command(alice, "alice", grant("alarm", RING_GRANT)) == (1, "")
        time.sleep(0.01)
        again = b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600, receive_maximum=1)
        assert again.closed() == mqtt5.ADMINISTRATIVE, "the purge left its window full: once more"
        assert not again.messages
        again = b.client("alarm-1", "alarm-1.slow", clean=False, expiry=3600, receive_maximum=1)
        assert again.subscribe(EVERY) == 1
        front.publish(RING, ring(seq=9))
        assert wire.parse(again.expect(RING).payload)[4] == 9
        time.sleep(0.3)
        again.ping()


def only_readers_of_that_grant_are_kicked():
    rows = (street() + second_firm() + standing("alarm", "maple", RING_GRANT, grant=G1) +
            standing("hosted", "maple", RING_GRANT, grant=G2))
    with Broker(rows) as b:
        alice, front = b.client("alice"), b.client("front")
        alice.subscribe(TOP + "user/alice/reply", RING)
        routed, idle, hosted = b.client("alarm-1", "alarm-1.a"), b.client("alarm-1", "alarm-1.b"), b.client("hosted-1")
        assert routed.subscribe(EVERY) == 1 and hosted.subscribe(EVERY) == 1
        assert idle.subscribe(TOP + "device/+/motion") == 1
        front.publish(RING, ring(seq=1))
        assert routed.expect(RING) and hosted.expect(RING)
        assert command(alice, "alice", retract(G1)) == (1, "")
        assert routed.closed() == mqtt5.ADMINISTRATIVE
        front.publish(RING, ring(seq=2))
        assert hosted.expect(RING) and alice.expect(RING)
        idle.ping()


def grant_that_routed_nothing_kicks_nobody():
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice, alarm = b.client("alice"), b.client("alarm-1")
        alice.subscribe(TOP + "user/alice/reply")
        assert alarm.subscribe(EVERY) == 1
        assert command(alice, "alice", retract(G1)) == (1, "")
        time.sleep(0.5)
        alarm.ping()


def acknowledged_retraction_survives_kill_9():
    """I6"""
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1)) as b:
        alice = b.client("alice")
        alice.subscribe(TOP + "user/alice/reply")
        assert command(alice, "alice", retract(G1)) == (1, "")
        b.stop(signal.SIGKILL)
        b.start()
        alarm, front = b.client("alarm-1"), b.client("front")
        assert alarm.subscribe(EVERY) == 1
        front.publish(RING, ring())
        assert not alarm.drain()


def i4_what_somebody_gave_goes_with_them():
    """More than one change can end: the rest opens nothing, either, from the receipt on."""
    rows, firms = street(), ["firm-%d" % n for n in range(60)]
    for n, firm in enumerate(firms):
        rows += [row("integrator", id=firm, name="Firm")] + credential(firm + "-1", INTEGRATOR, firm)
        rows += standing(firm, "maple", RING_GRANT, grant="01890a5d-0000-7000-8000-0000000001%02x" % n, actor="amir")
    with Broker(rows) as b:
        alice, front = b.client("alice"), b.client("front")
        alice.subscribe(TOP + "user/alice/reply", RING)
        readers = [b.client(firm + "-1") for firm in firms]
        for reader in readers:
            assert reader.subscribe(EVERY) == 1
        front.publish(RING, ring(seq=1))
        for reader in readers:
            assert wire.parse(reader.expect(RING).payload)[4] == 1
        removal = head() + wire.field(13, wire.field(1, "amir"))
        assert alice.publish(TOP + "home/maple/command", removal) == mqtt5.NO_SUBSCRIBERS
        front.publish(RING, ring(seq=2))
        assert receipt_of(alice, "alice", wire.parse(removal)[1]) == (1, "")
        ended = [(reader.closed(10), len(reader.messages)) for reader in readers]
        assert ended == [(mqtt5.ADMINISTRATIVE, 0)] * 60, ended


def repeated_command_gets_the_same_answer_and_no_second_effect():
    with Broker(street()) as b:
        alice = b.client("alice")
        alice.subscribe(TOP + "user/alice/reply", TOP + "home/maple/receipt")
        once = grant("alarm", RING_GRANT)
        assert command(alice, "alice", once) == (1, "")
        assert command(alice, "alice", once) == (1, "")
        assert len([m for m in alice.drain() if m.topic.endswith("/receipt")]) == 1
        other = grant("alarm", MOTION_GRANT, event_id=wire.parse(once)[1])
        assert command(alice, "alice", other) == (2, "reused_id")


def limited_member_and_neighbour_cannot_grant():
    """I8"""
    with Broker(street()) as b:
        for name, reason in (("abe", "role"), ("bob", "not_yours")):
            with b.client(name) as c:
                c.subscribe(TOP + "user/%s/denied" % name, qos=0)
                assert c.publish(TOP + "home/maple/command", grant("alarm", RING_GRANT)) == mqtt5.NOT_AUTHORIZED
                assert denial(c)["reason"] == reason


def expired_grant_stops_within_a_second():
    """I25"""
    end = now_ms() + 2500
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=G1, end_ms=end)) as b:
        alarm, front = b.client("alarm-1"), b.client("front")
        assert alarm.subscribe(EVERY) == 1
        front.publish(RING, ring(seq=1))
        assert alarm.expect(RING)
        time.sleep(max(0, end - now_ms()) / 1000)
        front.publish(RING, ring(seq=2))
        assert alarm.closed() == mqtt5.ADMINISTRATIVE and not alarm.messages


main(grant_opens_its_kind_device_and_time_only, retraction_stops_the_next_message,
     queued_copies_of_a_slow_reader_are_never_delivered, only_readers_of_that_grant_are_kicked,
     grant_that_routed_nothing_kicks_nobody, acknowledged_retraction_survives_kill_9, i4_what_somebody_gave_goes_with_them,
     repeated_command_gets_the_same_answer_and_no_second_effect, limited_member_and_neighbour_cannot_grant,
     expired_grant_stops_within_a_second)
