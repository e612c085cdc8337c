"""Is nothing retained but status words and the public register? (I13)"""
from broker import *


def status_is_retained_for_the_home_in_both_forms():
    with Broker(street()) as b:
        front = b.client("front", will=(TOP + "device/front/status", "offline", 0, True))
        front.publish(TOP + "device/front/status", "online", qos=0, retain=True)
        alice, bob = b.client("alice"), b.client("bob")
        assert alice.subscribe(TOP + "device/front/status", TOP + "home/maple/json/#", qos=0) == [0, 0]
        m = alice.expect(TOP + "device/front/status")
        assert m.payload == b"online" and m.retain
        m = alice.expect(TOP + "home/maple/json/front/status")
        assert b'"status":"online"' in m.payload, m
        assert bob.subscribe(TOP + "device/front/status") == mqtt5.NOT_AUTHORIZED
        front.close()
        assert alice.expect(TOP + "device/front/status").payload == b"offline"
        assert b'"offline"' in alice.expect(TOP + "home/maple/json/front/status").payload
        late = b.client("alice")
        assert late.subscribe(TOP + "home/maple/json/#", qos=0) == 0
        m = late.expect(TOP + "home/maple/json/front/status")
        assert m.retain and b'"offline"' in m.payload


def events_and_answers_are_not_retained():
    with Broker(street()) as b:
        alice, front, op = b.client("alice"), b.client("front"), b.client("operator")
        assert alice.subscribe(TOP + "device/front/ring", TOP + "home/maple/json/#", TOP + "user/alice/reply") == [1, 1, 1]
        assert op.subscribe(TOP + "operator/health", TOP + "operator/metrics", qos=0) == [0, 0]
        assert front.publish(TOP + "device/front/ring", ring()) == 0
        alice.publish(TOP + "user/alice/sync", sync())
        alice.publish(TOP + "home/maple/command", grant("alarm", RING_GRANT))
        for topic in ("device/front/ring", "home/maple/json/front/ring", "user/alice/reply"):
            assert alice.expect(TOP + topic)
        assert op.expect(TOP + "operator/health", 12) and op.expect(TOP + "operator/metrics")
        with b.client("alice") as late, b.client("operator") as op2:
            late.subscribe(TOP + "device/front/ring", TOP + "home/maple/json/#", TOP + "home/maple/receipt", TOP + "user/alice/reply",
                           TOP + "public/#")
            op2.subscribe(TOP + "operator/health", TOP + "operator/metrics")
            assert not [m for m in late.drain() + op2.drain() if m.retain]


def register_is_published_again_at_the_start():
    with Broker(street() + police(), agencies="on") as b:
        for _ in range(2):
            with b.client("bob") as c:
                assert c.subscribe(TOP + "public/#", qos=0) == 0
                m = c.expect(TOP + "public/agency/pd")
                f = wire.parse(m.payload)
                assert f[1] == b"pd" and f[2] == b"Central Police" and f[3] == 1, f
            b.stop()
            b.start()


def thousand_agencies_arrive_in_one_subscription():
    rows = street() + [row("agency", id="a%d" % i, name="A", kind=2) for i in range(1000)]
    with Broker(rows, agencies="on") as b, b.client("bob") as c:
        time.sleep(1.5)
        assert c.subscribe(TOP + "public/#", qos=0) == 0
        assert len([m for m in c.drain(1) if "/public/agency/" in m.topic]) == 1000


main(status_is_retained_for_the_home_in_both_forms, events_and_answers_are_not_retained,
     register_is_published_again_at_the_start, thousand_agencies_arrive_in_one_subscription)
