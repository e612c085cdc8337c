"""Is the PUBACK of a consumed topic the same, whoever reads, and whatever the command does? (I9, I16, I17)"""
from broker import *

CLIP = "01890a5d-0000-7000-8000-00000000002a"


def codes(b, client, payload, topic):
    return [client.publish(topic, payload(i), qos=1) for i in range(3)]


def consumed_topics_answer_0x10_with_and_without_readers():
    with Broker(street() + police(), agencies="on") as b:
        alice, ines, mover = b.client("alice"), b.client("ines"), b.client("mover-1")
        seen = set()
        for _ in range(2):
            seen.update(codes(b, alice, lambda i: grant("alarm", RING_GRANT), TOP + "home/maple/command"))
            seen.update(codes(b, alice, lambda i: grant("no-such-firm", RING_GRANT), TOP + "home/maple/command"))
            seen.update(codes(b, alice, lambda i: retract(CLIP), TOP + "home/maple/command"))
            seen.update(codes(b, alice, lambda i: sync(), TOP + "user/alice/sync"))
            seen.update(codes(b, ines, lambda i: head(i + 1) + wire.field(10, wire.field(1, wire.uuid7())), TOP + "agency/pd/command"))
            seen.update(codes(b, mover, lambda i: head(i + 1) + wire.message("", "", "", "", wire.uuid7(), 2), TOP + "relay/mover/report"))
            readers = [b.client(n, n + ".stays", clean=False, expiry=3600) for n in ("amir", "sam", "operator")]
            for c in readers:
                c.subscribe(TOP + "home/maple/receipt", TOP + "agency/pd/notice", TOP + "operator/health", TOP + "public/#")
        assert seen == {mqtt5.NO_SUBSCRIBERS}, seen


def unknown_and_foreign_commands_look_alike_to_an_officer():
    with Broker(street() + police(), agencies="on") as b:
        eva = b.client("eva")
        assert eva.subscribe(TOP + "user/eva/reply", TOP + "agency/pd/notice") == [1, 1]
        answers = []
        for _ in range(2):
            fetch = head() + wire.field(12, wire.field(1, wire.uuid7()))
            assert eva.publish(TOP + "agency/pd/command", fetch) == mqtt5.NO_SUBSCRIBERS
            reply = many(eva.expect(TOP + "user/eva/reply").payload)
            notice = wire.parse(reply[9 + 2][0])
            answers.append((notice[3], notice.get(7)))
        assert answers[0] == answers[1] and answers[0][0] == 2, answers


def over_the_limit_a_device_sees_0x00_but_no_acknowledgement():
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        topic = TOP + "device/front/clip-ready"
        assert alice.subscribe(topic) == 1 and front.subscribe(TOP + "device/front/ack", qos=0) == 0
        at_ms = now_ms()
        for seq in range(1, 6):
            assert front.publish(topic, clip_ready(seq=seq, at_ms=at_ms)) == 0
        assert [wire.parse(m.payload)[4] for m in alice.drain()] == [1, 2, 3, 4], "the fifth is not routed"
        assert [wire.parse(m.payload)[1] for m in front.drain()][-1] == 4, "nor acknowledged"
        assert front.publish(topic, clip_ready(seq=6, at_ms=at_ms - 120000)) == 0
        assert wire.parse(alice.expect(topic).payload)[4] == 6, "an older minute has its own four"
        assert wire.parse(front.expect(TOP + "device/front/ack").payload) == {1: 4}, "5 is still missing"
        assert front.publish(topic, clip_ready(seq=5, at_ms=at_ms - 120000)) == 0
        assert wire.parse(front.expect(TOP + "device/front/ack").payload) == {1: 6}


main(consumed_topics_answer_0x10_with_and_without_readers, unknown_and_foreign_commands_look_alike_to_an_officer,
     over_the_limit_a_device_sees_0x00_but_no_acknowledgement)
