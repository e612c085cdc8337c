"""Is what a client sees of a refusal, byte for byte and in its order, the same whether the thing is another's or nobody's, and
whoever is there to read? (I9, I16, I17) Raw packets, MQTT 3.1.1 and 5, QoS 0 to 2, a PINGREQ behind each."""
import json
import random

from broker import *

CLIP = "01890a5d-0000-7000-8000-00000000002a"
MID = 7  # of every packet, so that equal answers are equal bytes
LONG = 15


class Talk(mqtt5.Client):
    """A connection of which every packet that comes is kept as it came."""

    def __init__(self, *args, **more):
        self.heard = []
        super().__init__(*args, timeout=LONG, **more)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _file(self, head, body):
        self.heard.append((head, body))
        super()._file(head, body)

    def answer(self, say):
        """What is heard from the packet that say sends, in MID's name, up to the answer of the PINGREQ behind it."""
        self.heard, self.mid = [], MID - 1
        say()
        self.ping()
        return tuple(self.heard)

    def asks(self, *filters, qos=1):
        body = mid_bytes(MID) + (mqtt5.properties([]) if self.v5 else b"") + b"".join(mqtt5.binary(f) + bytes([qos]) for f in filters)
        return self.answer(lambda: self.send(mqtt5.SUBSCRIBE << 4 | 2, body))

    def says(self, topic, payload, qos, retain=False):
        heard = self.answer(lambda: self.start_publish(topic, payload, qos, retain))
        if qos == 2:  # the end of the handshake, refused or not
            heard += self.answer(lambda: self.send(mqtt5.PUBREL << 4 | 2, mid_bytes(MID)))
        return heard


def mid_bytes(mid):
    return mid.to_bytes(2, "big")


def talk(b, username, version=5, **more):
    return Talk(b.port, mqtt5.unique(username), username, token(username), version, **more)


def refusal(b, version, username, client_id, password):
    """All bytes of a login that fails, up to the end of the connection."""
    with socket.socket() as s:
        s.settimeout(LONG)
        s.connect(("127.0.0.1", b.port))
        body = mqtt5.binary("MQTT") + bytes([version, 0xc2]) + b"\0\x3c" + (b"\0" if version == 5 else b"")
        body += b"".join(mqtt5.binary(part) for part in (client_id, username, password))
        s.sendall(bytes([mqtt5.CONNECT << 4]) + mqtt5.varint(len(body)) + body + bytes([mqtt5.PINGREQ << 4, 0]))
        got = b""
        try:
            while data := s.recv(4096):
                got += data
        except ConnectionError:
            pass  # the PINGREQ was not read any more
        return got


AT_ONCE = "set_tcp_nodelay true"  # else each answer waits for the kernel's delayed acknowledgement


def everybody(**more):
    return Broker(street() + police() + credential("sly", MEMBER, "maple", ADULT, suspended=1), conf=AT_ONCE, **more)


READERS = {  # what each may stand on that the conversations below come near to
    "alice": ["device/front/ring", "home/maple/json/#", "home/maple/ask", "home/maple/receipt", "user/alice/reply", "public/#"],
    "bob": ["device/back/ring", "home/oak/json/#", "home/oak/receipt", "user/bob/reply"],
    "alarm-1": ["device/+/ring", "device/+/motion", "home/+/json/+/ring", "user/alarm-1/reply"],
    "sam": ["agency/pd/notice", "user/sam/reply"], "mover-1": ["relay/mover/job", "user/mover-1/reply"],
    "back": ["device/back/pull/#", "device/back/ack"], "operator": ["operator/health"],
}


def readers(b, **more):
    """Everybody, connected and subscribed to what is theirs, and trying the rest."""
    clients = [b.client(name, name + ".desk", timeout=LONG, **more) for name in READERS]
    for c, filters in zip(clients, READERS.values()):
        codes = c.subscribe(*[TOP + f for f in filters], "#", TOP + "#", TOP + "home/maple/command", TOP + "home/oak/command",
                            TOP + "agency/pd/command", TOP + "device/+/ring", qos=1)
        assert codes[0] < 0x80 and codes[-2] >= 0x80, codes
    return clients


SENDERS = {  # their own topics that are consumed
    "alice": ["home/maple/command", "user/alice/sync"], "abe": [], "front": [], "alarm-1": ["user/alarm-1/sync"],
    "ines": ["agency/pd/command", "user/ines/sync"], "mover-1": ["relay/mover/report"],
}
FOREIGN = ["device/back/ring", "device/back/motion", "device/back/status", "device/back/claim", "device/back/ack", "home/oak/command",
           "home/oak/receipt", "home/oak/ask", "agency/fd/command", "agency/fd/notice", "relay/other/report", "relay/other/job",
           "user/bob/sync", "user/bob/reply", "public/agency/pd", "home/oak/json/back/ring", "device/back/pull/%s/bob" % CLIP,
           "device/back/chunk/%s/bob" % CLIP]
WORDS = {"back": "absent", "oak": "nowhere", "fd": "nobody", "other": "nothing", "bob": "zacharias", "pd": "none"}


def of_nobody(topic):
    return "/".join(WORDS.get(level, level) for level in topic.split("/"))


def conversation(b, username, version):
    """{what was said: what was heard}"""
    heard = {}
    with talk(b, username, version) as c:
        for topic in SENDERS[username]:
            payload = sync(1) if topic.endswith("/sync") else b"\x0a\x01x"
            for qos in (0, 1, 2):
                heard["own", topic, qos] = c.says(TOP + topic, payload, qos)
        if username == "alice":
            heard["retract"] = c.says(TOP + "home/maple/command", retract(CLIP), 1)
            heard["grant"] = c.says(TOP + "home/maple/command", grant("no-such-firm", RING_GRANT), 1)
        for topic in FOREIGN:
            for qos in (0, 1, 2):
                heard["foreign", topic, qos] = c.says(TOP + topic, ring(), qos)
                heard["nobody's", topic, qos] = c.says(TOP + of_nobody(topic), ring(), qos)
            heard["foreign", topic, "retained"] = c.says(TOP + topic, ring(), 1, True)
            heard["nobody's", topic, "retained"] = c.says(TOP + of_nobody(topic), ring(), 1, True)
        for f in [t for t in FOREIGN if not t.startswith("public/")] + ["home/oak/json/#", "home/oak/#", "device/back/#", "user/bob/#"]:
            heard["foreign", f, "subscribe"] = c.asks(TOP + f)
            heard["nobody's", f, "subscribe"] = c.asks(TOP + of_nobody(f))
    return heard


def i16_i17_answers_are_the_same_whoever_reads_and_whatever_exists():
    with everybody(agencies="on") as b:
        worlds = {}
        worlds["nobody there"] = {(n, v): conversation(b, n, v) for n in SENDERS for v in (4, 5)}
        clients = readers(b, clean=False, expiry=3600)
        worlds["readers online"] = {(n, v): conversation(b, n, v) for n in SENDERS for v in (4, 5)}
        for c in clients:
            c.disconnect()
        worlds["readers offline"] = {(n, v): conversation(b, n, v) for n in SENDERS for v in (4, 5)}
        alone, said = worlds["nobody there"], 0
        for name, world in worlds.items():
            for who, heard in world.items():
                for what, answer in heard.items():
                    said += 1
                    assert answer == alone[who][what], (name, who, what, answer, alone[who][what])
                    if what[0] == "foreign":
                        assert answer == heard[("nobody's",) + what[1:]], (name, who, what)
        refusal_of = lambda who, what: alone[who, 5][what][0]
        assert refusal_of("alice", ("foreign", "home/oak/command", 1)) == (mqtt5.PUBACK << 4, mid_bytes(MID) + b"\x87")
        assert alone["alice", 5]["retract"] == alone["alice", 5]["grant"]
        assert alone["alice", 5]["retract"][0] == (mqtt5.PUBACK << 4, mid_bytes(MID) + b"\x10")
        assert said > 3000, said


def i16_two_hundred_random_ids_get_one_answer():
    draw = random.Random(5)
    name = lambda: "".join(draw.choice("abcdefghijklmnopqrstuvwxyz0123456789_-") for _ in range(draw.choice((3, 8, 20, 64))))
    theirs, nobodys = [name() for _ in range(100)], [name() for _ in range(100)]
    rows = street() + police()
    for id in theirs:
        rows += home(id) + [row("device", id=id, home=id, name="x"), row("agency", id=id, name="x", kind=1)]
        rows += credential(id, MEMBER, id, ADMIN)
    ids = theirs + nobodys
    draw.shuffle(ids)
    with Broker(rows, agencies="on", conf=AT_ONCE) as b:
        for who in ("alice", "alarm-1", "ines", "front"):
            for version in (5, 4):
                with talk(b, who, version) as c:
                    answers = {True: set(), False: set()}
                    for id in ids:
                        told = (c.asks(*[TOP + f % id for f in ("home/%s/json/#", "home/%s/receipt", "agency/%s/notice", "user/%s/reply")]),
                                c.asks(TOP + "device/%s/ring" % id) if who != "alarm-1" else (),
                                *[c.says(TOP + t % id, ring(), qos) for qos in (0, 1, 2)
                                  for t in ("device/%s/ring", "home/%s/command", "agency/%s/command", "user/%s/sync")])
                        answers[id in theirs].add(told)
                    assert len(answers[True]) == 1 and answers[True] == answers[False], (who, version, answers)


def i16_explanations_differ_in_nothing_but_the_name():
    """The message on user/{username}/denied: what is told of a thing of others is told of one that is not there."""
    with Broker(street()) as b:
        with talk(b, "alice") as c:
            assert c.subscribe(TOP + "user/alice/denied", qos=0) == 0
            for topic in ("device/back/ring", "home/oak/command", "user/bob/sync", "home/oak/json/#", "device/back/status"):
                told = []
                for name in (topic, of_nobody(topic)):
                    (c.asks if "#" in name or "status" in name else lambda n: c.says(n, retract(CLIP), 1))(TOP + name)
                    d = many(wait_denied(c, LONG).payload)
                    assert d.pop(5) == [(TOP + name).encode()]
                    told.append({k: v for k, v in d.items() if k not in (1, 6)})  # but when, and the event's own id
                assert told[0] == told[1], told


def i15_refused_logins_are_all_alike():
    """Unknown, wrong proof, suspended, another's client id: while the other is there, has gone, and never was."""
    def all_of(b, version):
        return {refusal(b, version, who, client_id, password) for who, client_id, password in (
            ("nobody", "nobody", "x" * 40), ("zacharias", "zacharias.1", "x" * 40), ("alice", "alice", "x" * 40), ("alice", "alice.desk", "x"),
            ("sly", "sly", token("sly")), ("bob", "alice.desk", token("bob")), ("bob", "alice", token("bob")), ("bob", "front.x", token("bob")),
            ("ines", "alice.desk", token("ines")), ("ines", "nobody-here", token("ines")), ("UPPER", "x", "x"), ("alice", "alice", "x" * 300))}

    with everybody(agencies="on") as b:
        for version, expected in ((5, b"\x87"), (4, b"\x05")):
            before = all_of(b, version)
            with b.client("alice", "alice.desk", clean=False, expiry=3600), b.client("sam", "sam.desk"):
                assert all_of(b, version) == before
            assert all_of(b, version) == before and len(before) == 1, before
            answer, = before
            assert answer[:4] == bytes([mqtt5.CONNACK << 4, len(answer) - 2, 0]) + expected and len(answer) in (4, 5), answer
    with everybody() as off:  # agencies are off: an officer is no officer
        assert refusal(off, 5, "ines", "ines", token("ines")) == refusal(off, 5, "nobody", "nobody", "x")


def i9_every_kick_says_the_same():
    granted = "01890a5d-0000-7000-8000-00000000002b"
    with Broker(street() + police() + standing("alarm", "maple", RING_GRANT, grant=granted)) as b:
        alarm, bob, mover, front, operator = [talk(b, n) for n in ("alarm-1", "bob", "mover-1", "front", "operator")]
        assert alarm.subscribe(TOP + "device/+/ring") == 1
        assert front.publish(TOP + "device/front/ring", ring()) == 0
        alarm.expect(TOP + "device/front/ring", LONG)
        control = lambda **c: operator.publish("$CONTROL/vestibule/v1", json.dumps({"commands": [c]}))
        with b.client("alice") as alice:
            alice.publish(TOP + "home/maple/command", retract(granted))
        control(command="suspend", kind="credential", id="bob")
        control(command="remove", kind="token", id="mover-1/0")
        for c in (alarm, bob, mover):
            c.heard = []
            c.closed(LONG)
        assert alarm.heard == bob.heard == mover.heard and alarm.heard[0][0] == mqtt5.DISCONNECT << 4, (alarm.heard, bob.heard, mover.heard)


main(i16_i17_answers_are_the_same_whoever_reads_and_whatever_exists, i16_two_hundred_random_ids_get_one_answer,
     i16_explanations_differ_in_nothing_but_the_name, i15_refused_logins_are_all_alike, i9_every_kick_says_the_same)
