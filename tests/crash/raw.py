"""Those who speak MQTT themselves here: a member who repeats one command, byte for byte, through every crash until it is
recorded (so a second effect would show); a device that announces sealed clips; an integrator who notes all it gets."""
import base64
import hashlib
import os
import sys
import threading
import time

for folder in ("broker", "relay"):
    sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", folder))
import mqtt5
import wire
from rig import INTEGRATOR, RECORDED, REFUSED, UNKNOWN, RECIPIENT, Broken

TOP = "vestibule/v1/"
GONE = (OSError, mqtt5.Closed, mqtt5.Refused, AssertionError)  # the broker is away, or went away meanwhile
SAYS_RECORDED = 1


def now_ms():
    return int(time.time() * 1000)


def head(event_id):
    return wire.message(event_id, now_ms(), True, now_ms())


def raw_id(text):
    return bytes.fromhex(text.replace("-", ""))


def age_header(rng):
    """168 bytes of the right shape: one X25519 recipient, all values drawn."""
    values = [base64.b64encode(rng.randbytes(32)).decode().rstrip("=") for _ in range(3)]
    return ("age-encryption.org/v1\n-> X25519 %s\n%s\n--- %s\n" % tuple(values)).encode()


class Said:
    """How a repeated message ended; the same as of a program (rig.Answer)."""

    def __init__(self, words, began):
        self.words, self.began, self.ended, self.outcome, self.sent = words, began, began, UNKNOWN, 0

    def end(self, outcome):
        self.outcome, self.ended = outcome, time.time()
        return self

    def __str__(self):
        return "%s (sent %d times) -> %s" % (self.words, self.sent, self.outcome)


def connect(place, who):
    with open(place.token(who)) as f:
        return mqtt5.Client(place.port, mqtt5.unique(who), who, f.read().strip(), timeout=2)


def repeat(place, said, message, look, seconds):
    """Sends message = (who, topic, payload, filter, its QoS) until look(payload of what comes on filter) has an outcome."""
    who, topic, payload, answers, qos = message
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with connect(place, who) as c:
                if c.subscribe(answers, qos=qos) > 2:
                    raise Broken("%s may not subscribe to %s" % (who, answers))
                while time.monotonic() < end:
                    said.sent += 1
                    c.start_publish(topic, payload)
                    until = time.monotonic() + 0.7
                    while time.monotonic() < until:
                        c.pump(until - time.monotonic())
                        while c.messages:
                            outcome = look(c.messages.popleft().payload)
                            if outcome:
                                return said.end(outcome)
        except GONE:
            time.sleep(0.1)
    return said.end(UNKNOWN)


def command(place, home, who, words, body, seconds=25):
    """One HomeCommand of a member."""
    event = wire.uuid7()

    def look(payload):
        reply = wire.parse(payload)
        if reply.get(1) != event or 8 not in reply:
            return None
        return RECORDED if wire.parse(reply[8]).get(3) == SAYS_RECORDED else REFUSED

    said = Said("%s: %s" % (who, words), time.time())
    message = (who, TOP + "home/%s/command" % home, head(event) + body, TOP + "user/%s/reply" % who, 1)
    return repeat(place, said, message, look, seconds)


def grant(place, home, who, kind, exp_ms):
    number = {"ring": 1, "motion": 2, "clip": 3}[kind]
    body = wire.field(9, wire.message(INTEGRATOR, "", number, exp_ms))
    return command(place, home, who, "grant %s %s until %d" % (INTEGRATOR, kind, exp_ms), body)


def retract(place, home, who, grant_id):
    return command(place, home, who, "retract " + grant_id, wire.field(10, wire.field(1, raw_id(grant_id))))


def opt_in(place, home, who, text):
    return command(place, home, who, "rules " + text, wire.field(11, wire.field(1, text)))


def answer_sealed(place, home, who, ask, headers):
    """headers: {clip id: 168 bytes for the agency}; a clip without one is declined."""
    body = wire.field(1, raw_id(ask["ask_id"])) + wire.field(2, ask["revision"])
    for clip in ask["clips"]:
        header = headers.get(clip["clip_id"])
        decision = wire.field(1, raw_id(clip["clip_id"])) + wire.field(2, header is not None) + wire.field(3, header or b"")
        body += wire.field(3, decision)
    body += wire.field(5, hashlib.sha256(RECIPIENT.encode()).digest()[:8])
    return command(place, home, who, "answer %s yes to %d" % (ask["ask_id"], len(headers)), wire.field(8, body))


def sealed_clip(place, device, seq, digest, header):
    """A device's ClipReady with a header, until the DeviceAck covers it. Returns (Said, clip id)."""
    clip = wire.uuid7()
    payload = wire.message(wire.uuid7(), now_ms(), True, seq) + wire.field(6, clip) + wire.field(7, now_ms() - 7000)
    payload += wire.field(8, 5000) + wire.field(9, 1) + wire.field(10, "video/mp4") + wire.field(11, 5000)
    payload += wire.field(12, digest) + wire.field(13, header)
    said = Said("%s: clip %s" % (device, wire.uuid_text(clip)), time.time())
    message = (device, TOP + "device/%s/clip-ready" % device, payload, TOP + "device/%s/ack" % device, 0)
    repeat(place, said, message, lambda got: RECORDED if wire.parse(got).get(1, 0) >= seq else None, 25)
    return said, wire.uuid_text(clip)


class Integrator(threading.Thread):
    """Connected all the time, again and again; notes (received, home, device, kind, payload)."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.got, self.over = place, [], threading.Event()

    def note(self, message):
        words = message.topic.split("/")
        self.got.append((time.time(), words[3], words[5], words[6], message.payload))

    def listen(self):
        with connect(self.place, INTEGRATOR) as c:
            c.subscribe(*[TOP + "home/+/json/+/" + kind for kind in ("ring", "motion", "clip-ready")])
            while not self.over.is_set():
                c.pump(0.1)
                while c.messages:
                    self.note(c.messages.popleft())

    def run(self):
        while not self.over.wait(0.1):
            try:
                self.listen()
            except GONE:
                pass

    def stop(self):
        self.over.set()
        self.join()
