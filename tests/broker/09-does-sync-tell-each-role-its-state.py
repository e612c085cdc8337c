"""Does a sync give each role the state it may know, in parts that fit, and nothing else?"""
from broker import *

DEVICES, CLIPS, ASKS, GRANTS, RECEIPTS, REQUESTS, DELIVERIES, NOTICES, JOBS, RULES, MEMBERS = range(4, 15)  # fields of Reply


def ask_for(client, username, what=0, since_ms=0):
    """All parts of the answer put together: {field: [entries]}."""
    question, out = sync(what, since_ms), {}
    if TOP + "user/%s/reply" % username not in client.subscribed:
        assert client.subscribe(TOP + "user/%s/reply" % username) == 1
        client.subscribed.add(TOP + "user/%s/reply" % username)
    assert client.publish(TOP + "user/%s/sync" % username, question) == mqtt5.NO_SUBSCRIBERS
    for part in range(1000):
        m = client.expect(TOP + "user/%s/reply" % username)
        assert len(m.payload) <= 49152
        f = many(m.payload)
        assert f[1] == [wire.parse(question)[1]] and f.get(2, [0]) == [part], f
        for field in range(4, 15):
            out.setdefault(field, []).extend(f.get(field, []))
        if f.get(3) == [1]:
            return {k: v for k, v in out.items() if v}
    raise AssertionError("no last part")


def names(entries, field=1):
    return sorted(wire.parse(e)[field].decode() for e in entries)


def connect(b, username):
    c = b.client(username)
    c.subscribed = set()
    return c


def member_gets_the_own_home():
    grant_id = "01890a5d-0000-7000-8000-000000000001"
    with Broker(street() + standing("alarm", "maple", RING_GRANT, grant=grant_id) +
                standing("alarm", "oak", RING_GRANT)) as b:
        alice, front = connect(b, "alice"), connect(b, "front")
        got = ask_for(alice, "alice")
        assert sorted(got) == [DEVICES, GRANTS, MEMBERS], got
        assert names(got[DEVICES]) == ["front", "garden"] and names(got[MEMBERS]) == ["abe", "alice", "amir"]
        assert [wire.parse(d).get(4, 0) for d in sorted(got[DEVICES])] == [1, 0], "front is online, garden is not"
        assert [wire.parse(g)[1] for g in got[GRANTS]] == [bytes.fromhex(grant_id.replace("-", ""))]
        assert ask_for(alice, "alice", 6) == {}, "requests are not a member's"


def neighbour_and_integrator_get_only_their_own():
    with Broker(street() + standing("alarm", "maple", RING_GRANT, "front") + standing("alarm", "maple", MOTION_GRANT, "front")) as b:
        got = ask_for(connect(b, "bob"), "bob")
        assert names(got[DEVICES]) == ["back"] and GRANTS not in got
        got = ask_for(connect(b, "alarm-1"), "alarm-1")
        assert sorted(got) == [DEVICES, GRANTS] and names(got[DEVICES]) == ["front"] and len(got[GRANTS]) == 2


def long_catalogue_comes_in_parts():
    with Broker(street()) as b:
        rows = []
        for i in range(700):  # more than one list of a part holds
            clip, at_ms = wire.uuid_text(wire.uuid7()), now_ms()
            rows.append(row("clip", id=clip, device="front", home="maple", event_id=clip, seq=i + 1, at_ms=at_ms, arrived_ms=at_ms,
                            synced=1, start_ms=at_ms, duration_ms=1000, trigger=1, media_type="video/mp4", payload_length=10,
                            payload_sha256="00" * 32))
        b.stop()
        b.seed(rows)
        b.start()
        alice = connect(b, "alice")
        got = ask_for(alice, "alice", 2)
        assert len({wire.parse(wire.parse(c)[2])[6] for c in got[CLIPS]}) == 700, len(got[CLIPS])


def clips_arrive_in_the_catalogue_and_are_acknowledged():
    with Broker(street()) as b:
        alice, front = connect(b, "alice"), connect(b, "front")
        assert alice.subscribe(TOP + "device/front/clip-ready", TOP + "home/maple/json/#") == [1, 1]
        assert front.subscribe(TOP + "device/front/ack", TOP + "user/front/denied", qos=0) == [0, 0]
        clip = wire.uuid7()
        event = clip_ready(seq=5, clip=clip)
        began = now_ms()
        assert front.publish(TOP + "device/front/clip-ready", event) == 0
        assert wire.parse(alice.expect(TOP + "device/front/clip-ready").payload)[6] == clip
        assert wire.parse(front.expect(TOP + "device/front/ack").payload) == {1: 5}
        assert wire.uuid_text(clip) in alice.expect(TOP + "home/maple/json/front/clip-ready").payload.decode()
        got = ask_for(alice, "alice", 2, began)
        info = wire.parse(got[CLIPS][0])
        assert info[1] == b"front" and wire.parse(info[2])[6] == clip
        assert ask_for(alice, "alice", 2, now_ms() + 1000) == {}
        assert front.publish(TOP + "device/front/clip-ready", event) == 0, "repeated"
        assert wire.parse(front.expect(TOP + "device/front/ack").payload) == {1: 5}
        assert not [m for m in alice.drain() if "clip-ready" in m.topic]
        other = clip_ready(seq=6, clip=clip)
        assert front.publish(TOP + "device/front/clip-ready", other) == mqtt5.NOT_AUTHORIZED, "the id is taken"
        assert denial(front)["reason"] == "reused_id"


def officer_and_relay_get_theirs():
    with Broker(street() + police(), agencies="on") as b:
        assert ask_for(connect(b, "ines"), "ines") == {}
        assert ask_for(connect(b, "mover-1"), "mover-1") == {}
        assert ask_for(connect(b, "front"), "front") == {}


main(member_gets_the_own_home, neighbour_and_integrator_get_only_their_own, long_catalogue_comes_in_parts,
     clips_arrive_in_the_catalogue_and_are_acknowledged, officer_and_relay_get_theirs)
