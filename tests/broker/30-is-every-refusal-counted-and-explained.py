"""Is a refusal counted by its reason, remembered by the username it met, and explained as it was made; and is the operator told
nothing by that which is a home's own?"""
import json
import re

from broker import *
from programs import RECORDED, REFUSED, rows, run

NO = mqtt5.NOT_AUTHORIZED
RING = TOP + "device/front/ring"


def sentences():
    """{word: sentence} of plugin/policy/reason.c"""
    with open(os.path.join(ROOT, "plugin", "policy", "reason.c")) as f:
        text = re.sub(r'"\s+"', "", f.read())
    return dict(re.findall(r'\[REASON_\w+\] =\s*\{"(\w+)",\s*"([^"]+)"\}', text))


def ours():
    """The words that tests/unit/reasons.h leaves to this file."""
    with open(os.path.join(ROOT, "tests", "unit", "reasons.h")) as f:
        names = re.findall(r"\[REASON_(\w+)\] = BY_BROKER", f.read())
    assert len(names) > 3
    return {name.lower() for name in names}


def denials(b, username):
    return rows(b, "ctl", "operator", "denials", username)


def explained(b, *question):
    told, = rows(b, "ctl", "operator", "explain", *question)
    return told


def connect_refused(b, username, client_id, password):
    assert refused(lambda: b.client(username, client_id, password=password)) == NO


def each_reason_has_its_counter_and_its_line():
    said = sentences()
    with Broker(street()) as b:
        operator, front = b.client("operator"), b.client("front", "front.1")
        assert operator.subscribe(TOP + "operator/metrics", qos=0) == 0
        big = ring() + b"\x7a" + b"\xff" * 5000
        provoke = {
            "unknown_credential": ("nobody-here", "connect", lambda: connect_refused(b, "nobody-here", "nobody-here", "x" * 20)),
            "bad_proof": ("alice", "connect", lambda: connect_refused(b, "alice", "alice", "wrong")),
            "foreign_client_id": ("bob", "connect", lambda: connect_refused(b, "bob", "alice.phone", token("bob"))),
            "properties": ("front", "write", lambda: front.publish(RING, ring(), props=[(mqtt5.USER, ("a", "b"))])),
            "malformed": ("front", "write", lambda: front.publish(RING, b"\xff\xff")),
            "too_large": ("front", "write", lambda: front.publish(RING, big)),
        }
        assert set(provoke) == ours(), "tests/unit/reasons.h says otherwise"
        for reason, (username, access, act) in provoke.items():
            assert act() in (None, NO), reason
            last = denials(b, username)[0]
            assert (last["reason"], last["access"], last["sentence"]) == (reason, access, said[reason]), last
            assert last["topic"] == (RING if access == "write" else "")
            assert abs(last["at_ms"] - now_ms()) < 60000
        end = time.monotonic() + 30
        while True:  # what was published before the last refusal does not count it
            text = operator.expect(TOP + "operator/metrics", max(1, end - time.monotonic())).payload.decode()
            lines = ['vestibule_denials_total{access="%s",reason="%s"}' % (access, reason) for reason, (_, access, _) in provoke.items()]
            if all(line in text for line in lines):
                break
        assert not re.search("alice|front|maple|bob", text), "a name in a label"
        status, = rows(b, "ctl", "operator", "status")
        assert status["connect"]["bad_proof"] == 1 and status["write"]["too_large"] == 1, status


def explain_says_what_happens():
    said = sentences()
    cases = [  # who, access, topic, what the broker then does
        ("alice", "subscribe", RING, None), ("bob", "subscribe", RING, "not_yours"),
        ("bob", "subscribe", TOP + "device/no-such-one/ring", "not_yours"),
        ("abe", "write", TOP + "home/maple/command", "role"), ("bob", "write", TOP + "home/maple/command", "not_yours"),
        ("alice", "subscribe", "$share/g/" + RING, "shared_subscription"), ("alice", "subscribe", "$SYS/#", "dollar_topic"),
        ("alice", "subscribe", TOP + "home/maple/command", "consumed_topic"), ("back", "write", RING, "not_yours"),
        ("alice", "write", TOP + "device/front/nonsense", "no_such_topic"), ("operator", "subscribe", RING, "not_yours"),
        ("alice", "subscribe", TOP + "device/+/ring", "wide_filter"), ("ines", "subscribe", RING, "agencies_off"),
        ("alarm-1", "subscribe", TOP + "device/+/ring", None), ("alarm-1", "subscribe", TOP + "device/+/clip-ready", "wide_filter")]
    with Broker(street() + police()) as b:
        clients = {who: b.client(who, who + ".1") for who in {c[0] for c in cases} if who != "ines"}
        for who, access, topic, reason in cases:
            told = explained(b, who, access, topic)
            assert told["verdict"] == ("allow" if reason is None else "deny"), (who, access, topic, told)
            assert told["reason"] == (reason or "ok") and told["sentence"] == said[told["reason"]], (who, access, topic, told)
            if who not in clients:
                continue
            done = clients[who].subscribe(topic) if access == "subscribe" else clients[who].publish(topic, b"")
            assert (done < 0x80) == (reason is None), (who, access, topic, done)
            if reason:
                last = denials(b, who)[0]
                assert (last["reason"], last["access"], last["topic"]) == (reason, access, topic), last
        assert explained(b, "nobody-here", "read", RING)["reason"] == "unknown_credential"
        code, _, err = run(b, "ctl", "operator", "explain", "alice", "look", RING)
        assert code == REFUSED and "read, write or subscribe" in err, (code, err)
        assert run(b, "ctl", "alice", "denials", "bob")[0] != RECORDED, "not the operator"


def operator_learns_no_grant_and_no_traffic():
    """What homes grant, who mutes alerts, and which copies were not delivered, is not to be had by explain or denials."""
    muted = [row("rules", username="amir", home="maple", text="mute alerts")]
    with Broker(street() + standing("alarm", "maple", RING_GRANT) + muted) as b:
        area = [explained(b, who, "read", TOP + "area/u4pru/alert") for who in ("alice", "amir", "bob")]
        assert area[0] == area[1] == area[2] and area[0]["verdict"] == "homes decide", area
        assert explained(b, "abe", "read", TOP + "area/u4pru/alert")["reason"] == "role"
        assert explained(b, "alice", "subscribe", TOP + "area/u4pru/alert")["verdict"] == "allow"
        answers = [explained(b, "alarm-1", "read", TOP + "device/%s/ring" % d) for d in ("front", "back", "no-such-one")]
        assert answers[0] == answers[1] == answers[2] and answers[0]["verdict"] == "homes decide", answers
        alarm, front, back = b.client("alarm-1"), b.client("front"), b.client("back")
        assert alarm.subscribe(TOP + "device/+/ring") == 1
        assert front.publish(RING, ring()) == 0 and back.publish(TOP + "device/back/ring", ring()) == 0
        alarm.expect(RING)
        assert denials(b, "alarm-1") == []
        status, = rows(b, "ctl", "operator", "status")
        assert status["read"] == {"no_grant": 1}, status


def memory_of_refusals_is_bounded():
    with Broker(street()) as b:
        bob = b.client("bob")
        for n in range(40):
            assert bob.subscribe(TOP + "device/front/x%d" % n) == NO
        last = denials(b, "bob")
        assert [d["topic"][-3:] for d in last] == ["x%d" % n for n in range(39, 23, -1)], last
        assert bob.subscribe(TOP + "a" * 4000) == NO and len(denials(b, "bob")[0]["topic"]) == 256
        assert bob.subscribe(TOP + "device/\u202e/ring") == NO and "?" in denials(b, "bob")[0]["topic"]


main(each_reason_has_its_counter_and_its_line, explain_says_what_happens, operator_learns_no_grant_and_no_traffic,
     memory_of_refusals_is_bounded)
