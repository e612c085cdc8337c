#!/usr/bin/python3
"""Indistinguishable answers (I9-I12) on the wire: observe.py BUILD [PLUGIN.so [WORLD...]]. One script of two agencies is played on a real
broker, in worlds that differ in what one home is, has or says. The broker's clock stands still but for the script, and its random
bytes follow from a seed (still.c), so every byte that reaches the sockets of the observers must be the same in every world:
officers of each role, one of another agency, an integrator without a grant, and one who has no credential at all; each also tries
what it may not. Nothing is normalised. Closing line: `wire: N worlds, B differing bytes, S seen`."""
import concurrent.futures
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path[1:1] = [os.path.join(HERE, "..", "broker"), os.path.join(HERE, "..", "relay")]
import broker as rig
from broker import *

T0, TICK = 1795000020000, 60000
WORLDS = ("never opted in", "declined", "ignored", "opted out", "objects", "quiet hours", "offline", "no camera", "no clip",
          "unsealed", "outside the area", "unclaimed camera", "vetoed", "revoked before the tick")
WHO = {"ines": INVESTIGATOR, "sam": SUPERVISOR, "eva": EVIDENCE, "lia": LIAISON, "aud": AUDITOR}
COPY, PURGE, LINK = 1, 3, 4
CLIP_SHA = hashlib.sha256(b"clip").digest()


def zigzag(n):
    return (n << 1) ^ (n >> 63)


def area(south, west, north, east):
    points = ((south, west), (south, east), (north, east), (north, west))
    return (struct.pack("<I", 4) + b"".join(struct.pack("<ii", *p) for p in points)).hex()


def sealed():
    """The shape of an age header with one recipient."""
    return (b"age-encryption.org/v1\n-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n--- " + b"A" * 43 + b"\n")


class Tap:
    """Stands where a TLS context does, and keeps every byte that arrives."""

    def __init__(self):
        self.bytes = b""

    def wrap_socket(self, sock):
        self.sock = sock
        return self

    def recv(self, n):
        data = self.sock.recv(n)
        self.bytes += data
        return data

    def fileno(self):
        return self.sock.fileno()

    def pending(self):
        return 0

    def __getattr__(self, name):
        return getattr(self.sock, name)


class World:
    def __init__(self, kind, plugin=None):
        self.kind, self.lines, self.taps, self.ids = kind, [], {}, 0
        self.folder = tempfile.mkdtemp(prefix="vestibule-world-")
        self.clock = os.path.join(self.folder, "clock")
        self.now = T0
        self.set_clock()
        rows = (home("h1") + home("h2") + device("door2", "h2") + credential("carol", MEMBER, "h2", ADMIN) +
                credential("alice", MEMBER, "h1", ADMIN) + credential("bob", MEMBER, "h1", ADULT) +
                credential("operator", OPERATOR, "") + [row("integrator", id="alarm", name="Alarm")] +
                credential("alarm-1", INTEGRATOR, "alarm") + [row("relay", id="mover", name="Mover")] +
                credential("mover-1", RELAY, "mover"))
        for agency in ("pd", "fd"):
            rows += [row("agency", id=agency, name=agency.upper(), kind=1 if agency == "pd" else 2,
                         rings=area(576000000, 103000000, 577000000, 105000000), recipient="age1" + "q" * 58,
                         key_id=hashlib.sha256(("age1" + "q" * 58).encode()).hexdigest()[:16], key_exp_ms=T0 + 10**10)]
        for name, role in WHO.items():
            rows += credential(name, OFFICER, "pd", role)
        rows += credential("fsup", OFFICER, "fd", SUPERVISOR)
        if kind != "no camera":
            d1 = device("door1", "h1")
            if kind == "outside the area":
                d1 = device("door1", "h1", cell="u33dpruy")
            if kind == "unclaimed camera":
                d1 = [d1[0] + ' claimed_ms="0"'] + d1[1:]
            rows += d1
        if plugin:
            rig.PLUGIN = plugin
        os.environ.update(STILL_CLOCK=self.clock, STILL_SEED="7", VESTIBULE_PRELOAD=os.path.join(rig.BUILD, "tests/worlds/still.so"))
        self.b = Broker(rows, agencies="on", demo="true", release_tick=TICK // 1000)
        self.people = {}

    def set_clock(self):
        with open(self.clock, "r+b" if os.path.exists(self.clock) else "wb") as f:
            f.write(struct.pack("<q", self.now))

    # --- who is there ---

    def observer(self, name, version=5):
        tap = self.taps.setdefault(name, Tap())
        self.people[name] = self.b.client(name, name + ".1", context=tap, version=version, timeout=20)
        return self.people[name]

    def person(self, name):
        if name not in self.people:
            self.people[name] = self.b.client(name, name + ".1", timeout=20)
        return self.people[name]

    def settle(self):
        """Until nothing waits for the store, and the queue of messages is out."""
        op = self.person("operator")
        quiet = 0
        while quiet < 8:  # each question wakes the broker, which then sends TICK
            time.sleep(0.01)
            op.publish("$CONTROL/vestibule/v1", json.dumps({"commands": [{"command": "status"}]}))
            data = json.loads(op.expect("$CONTROL/vestibule/v1/response", 20).payload)["responses"][0]["data"]
            quiet = quiet + 1 if data["waiting"] == 0 and data["held"] == 0 else 0
        for c in self.people.values():
            c.ping()

    def step(self, ms=0):
        """Time passes; then what each observer got is written down."""
        self.now += ms
        self.set_clock()
        self.settle()
        for name, tap in self.taps.items():
            self.lines.append("%d %s %s" % (self.now, name, tap.bytes.hex()))
            tap.bytes = b""

    # --- what they say ---

    def id(self, who):
        """An event id that depends on the speaker's own history alone."""
        n = self.said[who] = self.said.get(who, 0) + 1
        raw = bytearray(self.now.to_bytes(6, "big") + hashlib.sha256(("%s %d" % (who, n)).encode()).digest()[:10])
        raw[6], raw[8] = raw[6] & 15 | 0x70, raw[8] & 63 | 0x80
        return bytes(raw)

    said = None

    def send(self, who, topic, body, qos=1):
        payload = head(self.said.get(who, 0) + 1, at_ms=self.now, event_id=self.id(who)) + body
        code = self.people[who].publish(TOP + topic, payload, qos=qos)
        if who in self.taps:
            self.settle()  # its answer comes before anything else does
        return code

    def submit(self, who, request, agency):
        circle = wire.field(1, zigzag(576491100)) + wire.field(2, zigzag(104074400)) + wire.field(3, 300)
        body = wire.message(request, 1, 1, False, "26-%d" % self.now, "a window was forced while nobody was home")
        body += wire.field(7, circle) + wire.field(8, self.now - 3600000) + wire.field(9, self.now - 10)
        self.send(who, "agency/%s/command" % agency, wire.field(8, body))

    def clip(self, dev):
        raw = self.id(dev)
        body = (wire.field(6, raw) + wire.field(7, self.now - 60000) + wire.field(8, 5000) + wire.field(9, 1) +
                wire.field(10, "video/mp4") + wire.field(11, 1000) + wire.field(12, CLIP_SHA))
        if not (dev == "door1" and self.kind == "unsealed"):
            body += wire.field(13, sealed())
        self.send(dev, "device/%s/clip-ready" % dev, body)

    def answer(self, who, yes):
        """Decides every clip of every ask that came."""
        c = self.people[who]
        c.pump(0)
        asks = [many(m.payload) for m in c.messages if m.topic.endswith("/ask")]
        c.messages.clear()
        for ask in asks:
            decisions = b""
            for offer in ask.get(15, []):
                clip = wire.parse(offer)[1]
                d = wire.field(1, clip) + wire.field(2, yes) + (wire.field(3, sealed()) if yes else b"")
                decisions += wire.field(3, d)
            key = bytes.fromhex(hashlib.sha256(("age1" + "q" * 58).encode()).hexdigest()[:16])
            self.send(who, "home/%s/command" % ("h2" if who == "carol" else "h1"),
                      wire.field(8, wire.message(ask[1][0], ask[2][0]) + decisions + (wire.field(5, key) if yes else b"")))

    def grants(self, who):
        self.send(who, "user/%s/sync" % who, b"")
        m = self.people[who].expect(TOP + "user/%s/reply" % who, 20)
        return [wire.parse(g) for g in many(m.payload).get(7, [])]

    def take_back(self, who, owner):
        self.people[who].drain(0.1)
        for g in self.grants(who):
            if g.get(3) in (b"proposed", b"durable", b"active"):
                self.send(who, "home/%s/command" % owner, wire.field(10, wire.field(1, g[1])))

    def relay(self):
        mover = self.people["mover-1"]
        mover.ping()
        jobs = [wire.parse(m.payload) for m in mover.messages if m.topic.endswith("/job")]
        mover.messages.clear()
        for j in jobs:
            head_of = wire.field(5, j[1])
            if j[2] == COPY:
                self.send("mover-1", "relay/mover/report", head_of + wire.field(6, 1) + wire.field(7, j[3]) + wire.field(8, 1000) +
                          wire.field(9, CLIP_SHA))
            elif j[2] == PURGE:
                self.send("mover-1", "relay/mover/report", head_of + wire.field(6, 3) + wire.field(7, j[3]))
            else:
                self.send("mover-1", "relay/mover/report", head_of + wire.field(6, 4) + wire.field(7, j[3]) +
                          wire.field(10, "https://storage.example/x") + wire.field(11, self.now + 30000))

    def fetch(self, who, delivery):
        self.send(who, "agency/pd/command", wire.field(12, wire.field(1, delivery)))

    def try_everything(self, c, name):
        """What nobody may: filters, topics of the home, guessed ids, retained publishes."""
        for f in ("#", "+/#", "$SYS/#", "$share/g/" + TOP + "public/#", TOP + "device/door1/ring", TOP + "device/+/motion",
                  TOP + "device/nowhere/ring", TOP + "home/h1/ask", TOP + "home/h1/json/#", TOP + "user/alice/reply",
                  TOP + "relay/mover/job", TOP + "agency/fd/notice", TOP + "operator/health", TOP + "area/u4pru/alert"):
            c.subscribe(f)
        for t in ("device/door1/ring", "device/door1/status", "home/h1/command", "home/nowhere/command", "user/alice/sync",
                  "public/agency/pd", "device/door1/pull/%s/%s" % (wire.uuid_text(bytes(16)), name)):
            c.publish(TOP + t, head(at_ms=self.now, event_id=self.id(name)), retain=t.startswith("public"))

    def wants_in(self, client_id, username, version=5):
        tap = self.taps.setdefault("nobody", Tap())
        try:
            mqtt5.Client(self.b.port, client_id, username, "x" * 40, context=tap, version=version).close()
        except (mqtt5.Refused, mqtt5.Closed):
            pass

    # --- the script ---

    def play(self):
        self.said = {}
        for name in list(WHO) + ["fsup", "alarm-1"]:
            c = self.observer(name, version=4 if name == "aud" else 5)
            agency = "fd" if name == "fsup" else "pd"
            c.subscribe(TOP + "agency/%s/notice" % agency, TOP + "user/%s/reply" % name, TOP + "user/%s/denied" % name)
            c.subscribe(TOP + "public/#", qos=0)
            if name == "eva":
                c.subscribe(TOP + "user/eva/link", qos=0)
            self.try_everything(c, name)
        for who in ("alice", "door1.x", "ines", "nobody-at-all"):
            self.wants_in(who, who.split(".")[0])
        for who in ("alice", "bob", "carol"):
            c, own = self.person(who), "h2" if who == "carol" else "h1"
            c.subscribe(TOP + "home/%s/ask" % own, TOP + "user/%s/reply" % who)
        self.person("mover-1").subscribe(TOP + "relay/mover/job")
        self.person("door2")
        if self.kind not in ("no camera", "offline"):
            self.person("door1")
        rules = {"never opted in": "", "opted out": "", "objects": "ask police\nnever pd",
                 "quiet hours": "ask police\nquiet 00:00-23:59"}.get(self.kind, "ask police")
        self.send("carol", "home/h2/command", wire.field(11, wire.field(1, "ask police")))
        if self.kind == "opted out":
            self.send("alice", "home/h1/command", wire.field(11, wire.field(1, "ask police")))
        self.send("alice", "home/h1/command", wire.field(11, wire.field(1, rules)))
        self.step(1000)
        for n in range(2):
            self.clip("door2")
            if self.kind not in ("no camera", "offline", "no clip"):
                self.clip("door1")
            request = self.id("requests")
            self.submit("ines", request, "pd")
            self.step(500)
            self.send("sam", "agency/pd/command", wire.field(9, wire.field(1, request)))
            for _ in range(3):
                self.step(700)
            self.answer("carol", True)
            if self.kind in ("vetoed", "revoked before the tick"):
                self.answer("alice", True)
            if self.kind == "declined":
                self.answer("alice", False)
            self.step(10000)
            if self.kind in ("vetoed", "revoked before the tick"):
                self.take_back("bob" if self.kind == "vetoed" else "alice", "h1")
            for _ in range(4):
                self.step(TICK - self.now % TICK)
                self.relay()
                self.settle()
            seen = [wire.parse(m.payload) for m in self.people["eva"].messages if m.topic.endswith("/notice")]
            deliveries = [m[8] for m in seen if m.get(3) == 8]
            self.offered = len(deliveries)
            for d in deliveries + [self.id("guess")]:
                for who in ("eva", "ines"):
                    self.fetch(who, d)
            self.step(200)
            self.relay()
            self.step(200)
            self.send("eva", "user/eva/sync", b"")
            self.send("ines", "user/ines/sync", b"")
            self.step(200)
        self.take_back("carol", "h2")
        self.send("lia", "agency/pd/command", wire.field(11, wire.field(1, request)))
        for _ in range(2):
            self.step(TICK - self.now % TICK)
            self.relay()
        for d in deliveries:
            self.fetch("eva", d)
        self.step(11000)
        self.observer("sam").subscribe(TOP + "agency/pd/notice", TOP + "user/sam/reply")
        self.send("sam", "user/sam/sync", b"")
        self.step(100)
        assert self.offered > 0, "nothing was to be seen at all"
        return "\n".join(self.lines)


def transcript(kind, plugin):
    w = World(kind, plugin)
    try:
        return w.play()
    except Exception:
        sys.stderr.write("--- world '%s'\n%s\n" % (kind, w.b.read_log()[-2500:]))
        raise
    finally:
        w.b.close()
        shutil.rmtree(w.folder, ignore_errors=True)


def differing(a, b):
    return sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))


def explain(first, other, kind):
    for x, y in zip(first.split("\n"), other.split("\n")):
        if x != y:
            at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
            print("world '%s' differs from the first (%s):\n  %s\n  %s" % (kind, x[:24], x[max(0, at - 60):at + 100],
                                                                          y[max(0, at - 60):at + 100]))
            return


def main():
    plugin = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", os.path.join(rig.BUILD, "tests/worlds/still.so"),
                    os.path.join(HERE, "still.c")], check=True)
    worlds = [w for w in WORLDS if w in sys.argv[3:] or not sys.argv[3:]]
    with concurrent.futures.ProcessPoolExecutor(3) as pool:  # they wait most of the time
        seen = list(pool.map(transcript, worlds, [plugin] * len(worlds)))
    total = 0
    for kind, t in zip(worlds, seen):
        bad = differing(seen[0], t)
        total += bad
        if bad:
            explain(seen[0], t, kind)
    print("wire: %d worlds, %d differing bytes, %d seen" % (len(worlds), total, sum(map(len, seen)) // 2))
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
