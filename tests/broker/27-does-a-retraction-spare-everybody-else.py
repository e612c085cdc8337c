"""After a retraction: is nothing of that home delivered, wherever its copies wait, and everything of all others? (I4, I5)"""
from broker import *

EVERY = TOP + "device/+/ring"
SLOT_MS = 10000  # a device may ring six times a minute of its own time


def street_of(homes, kind=RING_GRANT):
    """Homes home-0... with a doorbell door-0... and an adult adult-0..., who granted the firm all of that kind: rows, grants."""
    rows = [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm")
    grants = [wire.uuid_text(wire.uuid7()) for _ in range(homes)]
    for n in range(homes):
        rows += home("home-%d" % n) + device("door-%d" % n, "home-%d" % n)
        rows += credential("adult-%d" % n, MEMBER, "home-%d" % n, ADMIN)
        rows += standing("alarm", "home-%d" % n, kind, grant=grants[n], actor="adult-%d" % n)
    return rows, grants


def rings(broker, n, *seqs):
    """Rings of home n's doorbell with these seqs, every one accepted, the last of now and the others older."""
    with broker.client("door-%d" % n) as door:
        for seq in seqs:
            code = door.publish(TOP + "device/door-%d/ring" % n, ring(seq=seq, at_ms=now_ms() - (seqs[-1] - seq) * SLOT_MS))
            assert code == 0, code


def of(n, *seqs):
    return [("door-%d" % n, seq) for seq in seqs]


def tell(broker, n, payload):
    """A command of home n's adult; returns when the private receipt says that it is recorded."""
    with broker.client("adult-%d" % n) as adult:
        adult.subscribe(TOP + "user/adult-%d/reply" % n)
        adult.publish(TOP + "home/home-%d/command" % n, payload)
        reply = many(many(adult.expect(TOP + "user/adult-%d/reply" % n, 10).payload)[8][0])
        assert reply[3] == [1], reply


def take_back(broker, n, grant_id):
    tell(broker, n, retract(grant_id))


def firm(broker, **more):
    return broker.client("alarm-1", "alarm-1.desk", clean=False, expiry=3600, timeout=10, **more)


def seen(messages):
    """Which rings, (device, seq) each; QoS 1 may bring one twice."""
    return sorted({(m.topic.split("/")[3], wire.parse(m.payload)[4]) for m in messages})


def firm_gets(broker, expected, kicks=None):
    """Exactly these, however often it must come back; kicks: so often it is kicked on the way."""
    got, logins, end = [], 0, time.monotonic() + 20
    while True:
        desk, logins = firm(broker), logins + 1
        lacks = lambda: not set(expected) <= set(seen(got + list(desk.messages))) or logins <= (kicks or 0)
        try:
            while lacks() and time.monotonic() < end:
                desk.pump(0.2)
            while desk.pump(0.5):
                pass
            break
        except (mqtt5.Closed, OSError) as c:  # no reason is seen if an ack was on its way
            assert getattr(c, "code", None) in (None, mqtt5.ADMINISTRATIVE) and logins < 5, c
            got += desk.messages
            desk.close()
    desk.disconnect()
    assert seen(got + list(desk.messages)) == sorted(expected), seen(got + list(desk.messages))
    assert kicks is None or logins == kicks + 1, logins


def queued_offline_copies_of_others_arrive():
    rows, grants = street_of(4)
    with Broker(rows) as b:
        with firm(b) as desk:
            assert desk.subscribe(EVERY) == 1
        for seq in range(1, 6):
            for n in range(4):
                rings(b, n, seq)
        take_back(b, 2, grants[2])
        firm_gets(b, of(0, 1, 2, 3, 4, 5) + of(1, 1, 2, 3, 4, 5) + of(3, 1, 2, 3, 4, 5), kicks=1)


def unacknowledged_copies_of_others_come_again():
    """In flight and queued behind, at a reader that is online and acknowledges nothing."""
    rows, grants = street_of(3)
    with Broker(rows) as b:
        desk = firm(b, acks=False, receive_maximum=4)
        assert desk.subscribe(EVERY) == 1
        for seq in range(1, 5):
            for n in range(3):
                rings(b, n, seq)
        assert len(desk.drain()) == 4
        take_back(b, 1, grants[1])
        assert desk.closed(10) == mqtt5.ADMINISTRATIVE and not desk.messages
        rings(b, 1, 5)
        rings(b, 2, 5)
        firm_gets(b, of(0, 1, 2, 3, 4) + of(2, 1, 2, 3, 4, 5), kicks=1)


def full_queue_of_one_home_does_not_cost_others():
    """The broker counts what the purge dropped until the session is resumed once more."""
    rows, grants = street_of(2)
    with Broker(rows) as b:
        with firm(b) as desk:
            assert desk.subscribe(EVERY) == 1
        rings(b, 0, *range(1, 101))
        take_back(b, 0, grants[0])
        desk = firm(b)
        assert desk.closed(10) == mqtt5.ADMINISTRATIVE and not desk.messages
        rings(b, 1, 1, 2, 3)
        firm_gets(b, of(1, 1, 2, 3), kicks=0)


def retractions_in_a_row_leave_the_window_whole():
    """Each purge is followed by its kick, however soon after the last one."""
    rows, grants = street_of(3)
    with Broker(rows) as b:
        with firm(b) as desk:
            assert desk.subscribe(EVERY) == 1
        for n in range(2):
            rings(b, n, *range(1, 31))
            take_back(b, n, grants[n])
            firm_gets(b, [], kicks=1)
        with firm(b) as desk:
            rings(b, 2, 1)
            assert seen([desk.expect(TOP + "device/door-2/ring", 10)]) == of(2, 1)


def copies_for_who_was_kicked_follow_and_are_asked_about_again():
    """Motion, too, for which the broker keeps nothing; not of a home that retracts meanwhile."""
    rows, grants = street_of(3, MOTION_GRANT)
    with Broker(rows) as b:
        desk = firm(b)
        assert desk.subscribe(TOP + "device/+/motion") == 1
        doors = [b.client("door-%d" % n) for n in range(3)]
        move = lambda n, seq: doors[n].publish(TOP + "device/door-%d/motion" % n, motion(seq=seq), qos=0)
        move(0, 1)
        assert seen([desk.expect(TOP + "device/door-0/motion", 10)]) == of(0, 1)
        take_back(b, 0, grants[0])
        assert desk.closed(10) == mqtt5.ADMINISTRATIVE
        for n in range(3):
            move(n, 2)
        take_back(b, 1, grants[1])
        move(2, 3)
        with firm(b) as desk:
            for seq in (2, 3):
                assert seen([desk.expect(TOP + "device/door-2/motion", 10)]) == of(2, seq)
            move(2, 4)
            assert seen([desk.expect(TOP + "device/door-2/motion", 10)]) == of(2, 4)
            assert not desk.messages


def kicked_client_that_starts_clean_gets_nothing_of_before():
    rows, grants = street_of(2)
    with Broker(rows) as b:
        desk = firm(b)
        assert desk.subscribe(EVERY) == 1
        rings(b, 0, 1)
        assert desk.expect(TOP + "device/door-0/ring", 10)
        take_back(b, 0, grants[0])
        desk.closed(10)
        rings(b, 1, 1)
        with b.client("alarm-1", "alarm-1.desk") as clean:
            assert not clean.drain(1)
            assert clean.subscribe(EVERY) == 1
            rings(b, 1, 2)
            assert seen([clean.expect(TOP + "device/door-1/ring", 10)]) == of(1, 2)


def nothing_from_before_a_new_grant_is_delivered():
    """Not what was queued before the retraction, not what came in the gap; online and offline. What comes after it is."""
    rows, grants = street_of(2)
    with Broker(rows) as b:
        with firm(b) as desk:
            assert desk.subscribe(EVERY) == 1
        online = b.client("alarm-1", "alarm-1.board")
        assert online.subscribe(EVERY) == 1
        rings(b, 0, 1)
        assert seen([online.expect(TOP + "device/door-0/ring", 10)]) == of(0, 1)
        take_back(b, 0, grants[0])
        assert online.closed(10) == mqtt5.ADMINISTRATIVE and not online.messages
        online = b.client("alarm-1", "alarm-1.board")
        assert online.subscribe(EVERY) == 1
        rings(b, 0, 2)
        tell(b, 0, grant("alarm", RING_GRANT))
        assert not online.drain()
        rings(b, 0, 3)
        assert seen([online.expect(TOP + "device/door-0/ring", 10)]) == of(0, 3)
        firm_gets(b, of(0, 3), kicks=1)


def small_window_holds_nothing_back_for_later():
    """Copies that the kernel has not sent yet are dropped with the connection; what came after is never routed."""
    rows, grants = street_of(1, MOTION_GRANT)
    for n in range(1, 5):
        rows += device("door-%d" % n, "home-0")
    with Broker(rows) as b:
        desk = b.client("alarm-1", receive_buffer=2048)
        assert desk.subscribe(TOP + "device/+/motion", qos=0) == 0
        for n in range(5):
            with b.client("door-%d" % n) as door:
                for seq in range(1, 201):
                    door.start_publish(TOP + "device/door-%d/motion" % n, motion(seq=seq, at_ms=now_ms() - (200 - seq) * SLOT_MS), qos=0)
                door.ping()
        take_back(b, 0, grants[0])
        with b.client("door-0") as door:
            door.publish(TOP + "device/door-0/motion", motion(seq=999), qos=0)
        desk.closed(10)
        got = seen(desk.messages)
        assert got == of(0, *range(1, len(got) + 1)), "the oldest ones only, which its own kernel had"
        assert len(got) < 150, "of 1000: %d" % len(got)


def firm_of_ten_thousand_homes_loses_one():
    rows, grants = street_of(10000)
    with Broker(rows) as b:
        with firm(b) as desk:
            assert desk.subscribe(EVERY) == 1
        for n in range(0, 10000, 400):
            rings(b, n, 1, 2)
        take_back(b, 4000, grants[4000])
        rings(b, 4000, 3)
        rings(b, 9999, 1)
        firm_gets(b, [each for n in range(0, 10000, 400) if n != 4000 for each in of(n, 1, 2)] + of(9999, 1))


main(queued_offline_copies_of_others_arrive, unacknowledged_copies_of_others_come_again,
     full_queue_of_one_home_does_not_cost_others, retractions_in_a_row_leave_the_window_whole,
     copies_for_who_was_kicked_follow_and_are_asked_about_again, kicked_client_that_starts_clean_gets_nothing_of_before,
     nothing_from_before_a_new_grant_is_delivered, small_window_holds_nothing_back_for_later,
     firm_of_ten_thousand_homes_loses_one)
