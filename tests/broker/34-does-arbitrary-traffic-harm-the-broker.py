#!/usr/bin/python3
"""Everybody of a street sends what comes into a random mind: whole packets, and packets with bytes flipped, cut, repeated and of a wrong
length, on topics, with filters and payloads that mean something here. The broker lives, and a neighbour hears every ring of his own
door and nothing else. PACKETS=20000 SEED=1; with a sanitized plugin any fault ends the broker, and so the test."""
import os
import random
import select
import struct

from broker import *

PACKETS, SEED = int(os.environ.get("PACKETS", "20000")), int(os.environ.get("SEED", "1"))
WILD = ["front", "garden", "alice", "amir", "abe", "alarm-1", "operator", "ines", "sam", "eva", "mover-1", "nobody"]
BURST_PACKETS = 40  # of one connection
AUTH = 15
RINGS, SLOT_MS = 20, 10000  # within the limits of one doorbell


def topics():
    clip = wire.uuid_text(wire.uuid7())
    for device_id in ("front", "garden", "back", "new"):
        for last in ("ring", "motion", "clip-ready", "status", "command", "claim", "chunk/%s/alice" % clip, "pull/%s/alice" % clip):
            yield TOP + "device/%s/%s" % (device_id, last)
    for scope, names in (("user", ("alice", "bob", "ines")), ("home", ("maple", "oak")), ("agency", ("pd",)), ("relay", ("mover",)),
                         ("integrator", ("alarm",))):
        for name in names:
            for last in ("command", "reply", "denied", "sync", "ask", "grant", "receipt", "job", "devices", "register"):
                yield TOP + "%s/%s/%s" % (scope, name, last)
    yield from ("$CONTROL/vestibule/v1", "$CONTROL/dynamic-security/v1", "$SYS/broker/uptime", TOP + "register", TOP[:-1])
    yield from ("homeassistant/status", "a", "")


FILTERS = ["#", "+/#", "$SYS/#", "$CONTROL/#", "$share/g/" + TOP + "#", TOP + "#", TOP + "device/+/ring", TOP + "device/front/+", TOP + "home/+/#",
           TOP + "user/+/reply", "/", "//+", "$share//x", "+" * 3, TOP + "device/#/ring"]


def payloads(rng):
    any_id = wire.uuid_text(wire.uuid7())
    yield from (ring(), motion(), clip_ready(), b"online", b"offline", b"", retract(any_id), claim("new"), retire("new"), first_admin("mallory"), sync(rng.randrange(8)), b'{"kind":"ring"}',
                b'{"seq":1,"at_ms":%d,"kind":"motion","confidence":1e400}' % now_ms(), b'{"op":"explain","username":"bob"}', b"[" * 4000,
                b"\xff" * 300, wire.field(1, 0) + wire.field(2, 0) + wire.field(3, bytes(5000)))


def fitting(rng):
    """A topic and what belongs there: only the name of its sender can make it wrong."""
    which = rng.choice(("front", "garden", "back", "new"))
    last, body = rng.choice((("ring", ring), ("motion", motion), ("clip-ready", clip_ready)))
    return TOP + "device/%s/%s" % (which, last), body(seq=rng.randrange(1, 1 << 20), at_ms=now_ms() - rng.randrange(3600000))


class Mind:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.topics = list(topics())

    def fill(self):
        return bytes(self.rng.choice((0, 1, 127, 128, 255, self.rng.randrange(256))) for _ in range(self.rng.randrange(1, 9)))

    def mid(self):
        return struct.pack("!H", self.rng.choice((0, 1, 2, 3, 65535)))

    def props(self):
        r = self.rng
        return b"\0" if r.random() < 0.95 else mqtt5.properties([(r.choice((1, 2, 3, 8, 9, 11, 0x11, 0x15, 0x16, 0x21, 0x23, 0x26)), "ab")])

    def publish(self):
        r = self.rng
        qos = r.randrange(3)
        flags = qos << 1 | (r.random() < 0.2) | (r.random() < 0.1) << 3
        topic, payload = fitting(r) if r.random() < 0.5 else (r.choice(self.topics), r.choice(list(payloads(r))))
        body = mqtt5.binary(topic) + (self.mid() if qos else b"") + self.props() + payload
        return mqtt5.PUBLISH << 4 | flags, body

    def subscribe(self):
        r = self.rng
        filters = [r.choice(FILTERS + self.topics) for _ in range(r.randrange(1, 4))]
        return 0x82, self.mid() + self.props() + b"".join(mqtt5.binary(f) + bytes([r.randrange(64)]) for f in filters)

    def unsubscribe(self):
        return 0xa2, self.mid() + self.props() + mqtt5.binary(self.rng.choice(FILTERS + self.topics))

    def answer(self):
        kind = self.rng.choice((mqtt5.PUBACK, mqtt5.PUBREC, mqtt5.PUBREL, mqtt5.PUBCOMP, mqtt5.PINGREQ, mqtt5.DISCONNECT, AUTH))
        return kind << 4 | (2 if kind == mqtt5.PUBREL else 0), b"" if kind == mqtt5.PINGREQ else self.mid() + self.fill()

    def connect(self, name):
        r = self.rng
        flags = 0xc0 | r.choice((2, 0)) | (r.choice((0, 0, 4, 4 | 8, 4 | 32, 4 | 16)))
        will = self.props() + mqtt5.binary(r.choice(self.topics)) + mqtt5.binary(r.choice((b"online", b"offline", ring()))) if flags & 4 else b""
        client_id = r.choice((name + "." + str(r.randrange(4)), "bob.1", "", "auto-" + "x" * r.randrange(200), "\u00e9" * 20))
        secret = token(name) if r.random() < 0.95 else "x" * r.randrange(300)
        expiry = mqtt5.properties([(mqtt5.SESSION_EXPIRY, r.choice((1, 60, 0xffffffff)))]) if r.random() < 0.3 else b"\0"
        return 0x10, (mqtt5.binary("MQTT") + b"\x05" + bytes([flags]) + b"\0\x3c" + expiry + mqtt5.binary(client_id) + will +
                      mqtt5.binary(name) + mqtt5.binary(secret))

    def spoil(self, head, body):
        """Bytes of a packet in which something is wrong."""
        r, b = self.rng, bytearray(body)
        for _ in range(r.randrange(1, 4)):
            at = r.randrange(len(b) + 1)
            how = r.randrange(5)
            if how == 0 and b:
                b[at % len(b)] ^= 1 << r.randrange(8)
            elif how == 1:
                b[at:at] = self.fill()
            elif how == 2:
                del b[at:at + r.randrange(1, 9)]
            elif how == 3:
                b[at:at] = b[at:at + r.randrange(1, 50)]
            else:
                head ^= 1 << r.randrange(8)
        length = len(b) if r.random() < 0.8 else r.choice((0, len(b) + 1, max(0, len(b) - 1), 268435455))
        return bytes([head]) + mqtt5.varint(length) + bytes(b)

    def packet(self, wrong):
        head, body = self.rng.choice((self.publish, self.publish, self.publish, self.subscribe, self.unsubscribe, self.answer))()
        return self.spoil(head, body) if self.rng.random() < wrong else bytes([head]) + mqtt5.varint(len(body)) + body


def talk(b, mind):
    """One connection; how many packets it was rid of."""
    rng, name, sent = mind.rng, mind.rng.choice(WILD), 0
    wrong = rng.choice((0.0, 0.05, 0.5))
    with socket.create_connection(("127.0.0.1", b.port), 10) as sock:
        try:
            head, body = mind.connect(name)
            sock.sendall(mind.spoil(head, body) if rng.random() < 0.1 else bytes([head]) + mqtt5.varint(len(body)) + body)
            for sent in range(1, rng.randrange(2, BURST_PACKETS)):
                sock.sendall(mind.packet(wrong))
                if select.select([sock], [], [], 0)[0] and not sock.recv(65536):
                    break
            if rng.random() < 0.5:  # not all go without hearing the end of it
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
        except OSError:  # closed or reset, as it well may
            pass
    return sent + 1


def listen(bob, heard):
    """His own rings come in their order and nothing else; how many by now."""
    while bob.pump(0):
        pass
    while bob.messages:
        m, heard = bob.messages.popleft(), heard + 1
        assert m.topic == TOP + "device/back/ring" and wire.parse(m.payload)[4] == heard, (m, heard)
    return heard


def i1_i28_arbitrary_traffic_harms_nobody():
    rows = street() + police() + device("spare", "maple")
    with Broker(rows, agencies="on") as b:
        mind, sent, rings, heard = Mind(SEED), 0, 0, 0
        bob, back = b.client("bob"), b.client("back", version=4)
        assert bob.subscribe(TOP + "device/back/ring", TOP + "user/bob/reply", TOP + "user/bob/denied", qos=1) == [1, 1, 1]
        while sent < PACKETS:
            sent += talk(b, mind)
            assert b.process.poll() is None, "the broker ended after %d packets of seed %d" % (sent, SEED)
            if sent * RINGS >= PACKETS * rings:
                rings += 1
                back.publish(TOP + "device/back/ring", ring(seq=rings, at_ms=now_ms() - (2 * RINGS - rings) * SLOT_MS))
            heard = listen(bob, heard)
        while heard < rings:
            assert bob.pump(10), "ring %d of %d never came" % (heard + 1, rings)
            heard = listen(bob, heard)
        assert not bob.pump(0.5)
        assert "ERROR: AddressSanitizer" not in b.read_log() and "runtime error" not in b.read_log()


if __name__ == "__main__":
    main(i1_i28_arbitrary_traffic_harms_nobody)
