"""Does vestibule-conform pass a device that keeps the contract, and name the one rule that another breaks?

Every device here talks to the real broker through a vestibule-conform of its own. The devices with a defect are one and the same
client, which keeps the contract but for one thing."""
import concurrent.futures
import json
import re

from broker import *
from programs import *

CLIP = os.path.join(ROOT, "tests", "media", "doorstep.mp4")
PATIENCE = 30

CHATTY = "no defect: a ring is seen as motion, and recorded, too"

# what the device does wrong: the check that fails, and no other
DEFECTS = {
    "will says something else": "will", "will not retained": "will", "will at QoS 1": "will", "no will": "will",
    "keeps its session": "clean-start", "session expiry": "clean-start", "client id of another": "client-id",
    "no keep-alive": "keep-alive", "does not hear denials": "subscriptions", "hears other devices": "subscriptions",
    "no status": "status", "status with another word": "status-word", "status at QoS 1": "qos", "status not retained": "retain",
    "seq not rising": "seq", "event id twice": "event-id", "repeats with other bytes": "event-id", "event id of version 4": "payload",
    "field over its limit": "payload", "too large": "size", "property": "properties", "motion at QoS 1": "qos", "ring at QoS 2": "qos",
    "retained motion": "retain", "writes elsewhere": "topics", "ring without expiry": "ring-expiry", "ring lives too long": "ring-expiry",
    "does not wait for PUBACK": "order", "newest first": "order", "forgets a ring": "ring-again", "forgets clips": "clip-kept",
    "repeats a ring that arrived": "ring-done", "repeats too early": "clip-again", "does not repeat": "clip-again",
    "goes on after the ack": "clip-done", "repeats what was refused": "refused", "clip hash wrong": "pull-hash",
    "has every clip": "pull-gone", "gone instead of range": "pull-range", "sends more than was pulled": "pull", "no last": "pull",
    "chunks at QoS 1": "qos", "chunks for somebody else": "chunk-asked", "poster that was not announced": "poster",
    "leaves without a word": "goodbye", "half a packet": "packets",
    "another token": "admitted", "JSON with a member too many": "accepted",
}


# --- a device of our own making -------------------------------------------------------------------------------------

class Unwatched(mqtt5.Client):
    """Says keep-alive 0."""

    def send(self, head, body):
        super().send(head, body[:8] + b"\0\0" + body[10:] if head == mqtt5.CONNECT << 4 else body)


class Device:
    """A device on a bare socket: one thread, orders by file, the contract's manners. `defect` names what it does wrong."""

    def __init__(self, b, name, port, defect="", version=5):
        self.b, self.name, self.port, self.defect, self.v5 = b, name, port, defect, version == 5
        self.orders = os.path.join(b.dir, name + ".orders")
        open(self.orders, "w").close()
        self.taken, self.seq, self.ended, self.client = 0, int(time.time()), False, None
        self.payload, self.poster = os.urandom(150000), b"" if self.v5 else os.urandom(70000)
        self.clip, self.pending, self.pulls, self.waits = None, [], [], {}  # pending: dicts in order of seq; waits: of a PUBACK
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def topic(self, leaf):
        return TOP + "device/%s/%s" % (self.name, leaf)

    def live(self):
        while not self.ended:
            try:
                self.connect()
                while not self.ended:
                    self.turn()
            except (mqtt5.Closed, mqtt5.Refused, OSError, AssertionError):
                if self.client:
                    self.client.close()
                time.sleep(0.3)

    def connect(self):
        will = (self.topic("status"), "offline", 0, True)
        if self.defect == "will says something else":
            will = (self.topic("status"), "gone away", 0, True)
        if self.defect == "will not retained":
            will = (self.topic("status"), "offline", 0, False)
        if self.defect == "will at QoS 1":
            will = (self.topic("status"), "offline", 1, True)
        if self.defect == "no will":
            will = None
        kind = Unwatched if self.defect == "no keep-alive" else mqtt5.Client
        self.client = kind(self.port, "other" if self.defect == "client id of another" else self.name, self.name,
                           token("nobody" if self.defect == "another token" else self.name),
                           version=5 if self.v5 else 4, will=will, timeout=20,
                           clean=self.defect != "keeps its session", expiry=60 if self.defect == "session expiry" else 0)
        c, filters = self.client, [self.topic("ack"), self.topic("pull/#"), TOP + "user/%s/denied" % self.name]
        if self.defect == "does not hear denials":
            filters.pop()
        if self.defect == "hears other devices":
            filters.append(TOP + "device/other/ack")
        c.subscribe(*filters, qos=0)
        if self.defect == "no status":
            return self.resume()
        word = "awake" if self.defect == "status with another word" else "online"
        c.publish(self.topic("status"), word, qos=1 if self.defect == "status at QoS 1" else 0,
                  retain=self.defect != "status not retained")
        self.resume()

    def resume(self):
        self.waits = {}
        if self.defect == "forgets a ring":
            self.pending = [e for e in self.pending if e["leaf"] != "ring"]
        if self.defect == "forgets clips":
            self.pending = [e for e in self.pending if e["leaf"] != "clip-ready"]
        if self.defect == "newest first":
            self.pending.reverse()
        for event in self.pending:
            event["due"] = 0

    def order(self):
        with open(self.orders) as f:
            lines = f.read().split()
        if len(lines) > self.taken:
            self.taken += 1
            return lines[self.taken - 1]
        return None

    def turn(self):
        self.client.pump(0.05)
        word = self.order()
        if word == "stop":
            if self.defect != "leaves without a word":
                self.client.publish(self.topic("status"), "offline", qos=0, retain=True)
            self.client.disconnect()
            self.ended = True
            return
        if word:
            self.event(word)
        for m in list(self.client.messages):
            self.client.messages.remove(m)
            self.hear(m)
        for _, _, body in [p for p in self.client.others if p[0] == mqtt5.PUBACK]:
            self.settle(int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else 0)
        for _, _, body in [p for p in self.client.others if p[0] == mqtt5.PUBREC]:
            self.client.send(mqtt5.PUBREL << 4 | 2, body[:2])
            self.settle(int.from_bytes(body[:2], "big"), body[2] if len(body) > 2 else 0)
        self.client.others.clear()
        self.send()
        self.answer()

    def event(self, leaf):
        self.seq += 1
        seq, made = self.seq, dict(event_id=wire.uuid7())
        if self.defect == "seq not rising" and leaf == "motion":
            seq -= 5
        if self.defect == "event id twice" and leaf == "motion":
            made = dict(event_id=self.last_id)
        if self.defect == "event id of version 4" and leaf == "motion":
            made = dict(event_id=bytes.fromhex("0123456789ab4def8123456789abcdef"))
        self.last_id = made["event_id"]
        if leaf == "clip-ready":
            clip, digest = wire.uuid7(), hashlib.sha256(self.payload).digest()
            self.clip = wire.uuid_text(clip)
            if self.defect == "clip hash wrong":
                digest = hashlib.sha256(b"another").digest()
            payload = (head(seq, **made) + wire.field(6, clip) + wire.field(7, now_ms()) + wire.field(8, 5000) + wire.field(9, 1) +
                       wire.field(10, "video/mp4") + wire.field(11, len(self.payload)) + wire.field(12, digest) +
                       wire.field(15, len(self.poster)))
        elif leaf == "motion" and self.defect == "JSON with a member too many":
            payload = json.dumps({"event_id": wire.uuid_text(made["event_id"]), "at_ms": now_ms(), "synced": True, "seq": seq,
                                  "kind": "person", "confidence_permille": 900, "firmware": "1.2"})
        elif leaf == "motion" and self.defect == "too large":
            payload = json.dumps({"event_id": wire.uuid_text(made["event_id"]), "at_ms": now_ms(), "synced": True, "seq": seq,
                                  "kind": "person"}) + 9000 * " "
        elif leaf == "motion":
            payload = motion(seq, permille=5000 if self.defect == "field over its limit" else 900, **made)
        else:
            payload = ring(seq, **made)
        self.pending.append(dict(leaf=leaf, seq=seq, payload=payload, due=0, tries=0, id=made["event_id"]))
        if self.defect == "does not wait for PUBACK" and leaf == "ring":
            self.event("motion")
        if self.defect == CHATTY and leaf == "ring":
            self.event("motion")
            self.event("clip-ready")

    def send(self):
        for event in self.pending:
            hurried = self.defect == "does not wait for PUBACK" and event["tries"] == 0
            if (self.waits and not hurried) or event["due"] > time.monotonic():
                continue
            self.publish(event)
            if event["leaf"] == "motion":
                self.pending.remove(event)
            return

    def publish(self, event):
        leaf, qos, props = event["leaf"], 0 if event["leaf"] == "motion" else 1, []
        payload = event["payload"]
        if leaf == "ring" and self.v5 and self.defect != "ring without expiry":
            props = [(mqtt5.EXPIRY, 600 if self.defect == "ring lives too long" else 60)]
        if self.defect == "motion at QoS 1" and leaf == "motion":
            qos = 1
        if self.defect == "ring at QoS 2" and leaf == "ring":
            qos = 2
        if self.defect == "property" and leaf == "motion":
            props = [(mqtt5.USER, ("firmware", "1.2"))]
        if self.defect == "repeats with other bytes" and event["tries"]:
            payload = head(event["seq"], at_ms=now_ms() + 1, event_id=event["id"]) + payload[len(head(event["seq"], event_id=event["id"])):]
        event["tries"] += 1
        mid = self.client.start_publish(self.topic(leaf), payload, qos, self.defect == "retained motion" and leaf == "motion", props)
        if qos and leaf != "motion":
            self.waits[mid] = event
            event["due"] = time.monotonic() + 3600
        if self.defect == "half a packet" and leaf == "motion":
            self.client.send(0, b"")
        if self.defect == "writes elsewhere" and leaf == "motion":
            self.client.start_publish(TOP + "device/other/motion", payload, 0)

    def settle(self, mid, code):
        event = self.waits.pop(mid, None)
        if event not in self.pending:
            return
        wait = 3 if self.defect == "repeats too early" else 10
        if code >= 0x80 and self.defect != "repeats what was refused":
            self.pending.remove(event)
        elif event["leaf"] == "clip-ready":
            event["due"] = time.monotonic() + wait * 2 ** (event["tries"] - 1)
            if self.defect == "does not repeat":
                event["due"] = time.monotonic() + 3600
        elif self.defect != "repeats a ring that arrived" and not (code >= 0x80):
            self.pending.remove(event)
        else:
            event["due"] = time.monotonic() + 3600

    def hear(self, m):
        if m.topic.endswith("/ack") and self.defect != "goes on after the ack":
            seq = wire.parse(m.payload).get(1, 0)
            self.pending = [e for e in self.pending if e["leaf"] != "clip-ready" or e["seq"] > seq]
        if m.topic.endswith("/denied") and not self.v5 and self.defect != "repeats what was refused":
            self.pending = [e for e in self.pending if e["id"] != wire.parse(m.payload).get(6)]
        if "/pull/" in m.topic:
            self.pulls.append(m)

    def answer(self):
        if not self.pulls:
            return
        m = self.pulls.pop(0)
        pull, clip = wire.parse(m.payload), m.topic.split("/")[5]
        part, offset, length = pull.get(1, 0), pull.get(2, 0), pull[3]
        to = m.topic.replace("/pull/", "/chunk/")
        there = clip == self.clip or self.defect == "has every clip"
        if self.defect == "chunks for somebody else":
            self.client.start_publish(to.replace("vestibule-conform", "alice"), wire.message(0, 0, b"x"), 0)
        if there and part == 1 and self.defect == "poster that was not announced":
            return self.client.start_publish(to, wire.message(1, 0, b"jpeg", True), 0)
        data = self.poster if part else self.payload
        if not there or not data:
            return self.client.start_publish(to, wire.message(part, offset, b"", False, 1), 0)
        if offset >= len(data):
            status = 1 if self.defect == "gone instead of range" else 2
            return self.client.start_publish(to, wire.message(part, offset, b"", False, status), 0)
        end = min(offset + length, len(data))
        if self.defect == "sends more than was pulled" and end < len(data):
            end += 10
        while offset < end:
            piece = data[offset:min(offset + 65536, end)]
            last = offset + len(piece) == len(data) and self.defect != "no last"
            self.client.start_publish(to, wire.message(part, offset, piece, last), 1 if self.defect == "chunks at QoS 1" else 0)
            offset += len(piece)


# --- conform ----------------------------------------------------------------------------------------------------------

def conform(b, name, port, commands, *more):
    """(exit code, {check: row}, closing row, stderr)"""
    done = subprocess.run(command(b, "conform", name, "--listen-port", port, "--patience", PATIENCE, "--json", *more, *[
        x for want, text in commands.items() for x in ("--%s-cmd" % want, text)]), capture_output=True, text=True, timeout=240,
        env=environment(b), stdin=subprocess.DEVNULL)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {row["check"]: row for row in told if "check" in row}, told[-1] if told else None, done.stderr


def results(checks, result):
    return sorted(name for name, row in checks.items() if row["result"] == result)


def failures(checks):
    return [(name, row["saw"], row["limit"]) for name, row in checks.items() if row["result"] == "FAIL"]


def street_of(names):
    rows = home("maple") + credential("alice", MEMBER, "maple", ADMIN)
    for name in names:
        rows += device(name, "maple")
    return rows + credential("other", DEVICE, "other") + [row("device", id="other", home="maple", name="other", cell="u4pruydq")]


def orders(path):
    return {want: "echo %s >>%s" % (word, path) for want, word in
            (("ring", "ring"), ("motion", "motion"), ("clip", "clip-ready"), ("stop", "stop"))}


def try_device(b, name, defect, version=5):
    port = free_port()
    d = Device(b, name, port, defect, version)
    try:
        return conform(b, name, port, orders(d.orders), "--other", "other")
    finally:
        d.ended = True
        d.thread.join(timeout=30)


def try_by_hand(b, name):
    """The person does what conform says on standard error."""
    port, said = free_port(), []
    d = Device(b, name, port)
    words = {"press the button of the device": "ring", "move in front of the device": "motion",
             "make the device record a clip": "clip-ready", "switch the device off in good order": "stop"}
    process = subprocess.Popen(command(b, "conform", name, "--listen-port", port, "--patience", PATIENCE, "--json", "--other", "other"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(b))
    try:
        for line in process.stderr:
            said.append(line)
            wish = re.fullmatch("conform: (.*) now\n", line)
            if wish and wish.group(1) in words:
                with open(d.orders, "a") as f:
                    f.write(words[wish.group(1)] + "\n")
        told = [json.loads(line) for line in process.stdout]
        return process.wait(timeout=30), {row["check"]: row for row in told if "check" in row}, told[-1] if told else None, "".join(said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        d.ended = True
        d.thread.join(timeout=30)


def try_doorbell(b, name):
    """vestibule-doorbell, which is built on the library."""
    port, sock = free_port(), os.path.join(b.dir, "socket")
    binary = os.path.join(broker.BUILD, "bin", "vestibule-doorbell")
    doorbell = subprocess.Popen([binary, "--port", str(port), "--username", name, "--token-file", token_file(b, name), "--socket", sock,
                                 "--spool", os.path.join(b.dir, "spool"), "--clips", os.path.join(b.dir, "clips"), "run"],
                                env=environment(b), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    say = "%s --socket %s " % (binary, sock)
    try:
        return conform(b, name, port, {"ring": say + "ring", "motion": say + "motion --kind person", "clip": say + "clip " + CLIP,
                                       "stop": "kill %d" % doorbell.pid}, "--other", "other")
    finally:
        doorbell.kill()
        doorbell.wait()


def try_example(b, name):
    """docs/examples/doorbell.py, which is made from the contract page alone and says its events as JSON."""
    port, path = free_port(), os.path.join(b.dir, name + ".orders")
    open(path, "w").close()
    example = subprocess.Popen(["/bin/sh", "-c", "until \"$@\"; do sleep 1; done", "sh", sys.executable,
                                os.path.join(ROOT, "docs", "examples", "doorbell.py"), "127.0.0.1", str(port), name],
                               env=dict(os.environ, TOKEN=token(name)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, text=True, start_new_session=True)

    def pass_on():
        taken = 0
        while not example.stdin.closed:
            with open(path) as f:
                lines = f.readlines()
            for line in lines[taken:]:
                if line == "stop\n":
                    example.stdin.close()
                    return
                example.stdin.write(line)
                example.stdin.flush()
            taken = len(lines)
            time.sleep(0.1)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    try:
        return conform(b, name, port, {want: "echo '%s' >>%s" % (line, path) for want, line in
                                       (("ring", "ring"), ("motion", "motion person"), ("clip", "clip %s 2000" % CLIP), ("stop", "stop"))},
                       "--other", "other")
    finally:
        os.killpg(example.pid, signal.SIGKILL)
        example.wait()
        if not example.stdin.closed:
            example.stdin.close()
        thread.join(timeout=10)


# --- claims -----------------------------------------------------------------------------------------------------------

def good_devices_pass_and_each_defect_fails_its_own_check():
    good = {"front-door": try_doorbell, "good-json": try_example, "by-hand": try_by_hand, "good-5": lambda *a: try_device(*a, ""),
            "good-4": lambda *a: try_device(*a, "", 4), "chatty": lambda *a: try_device(*a, CHATTY)}
    defects = {"dev-%02d" % i: defect for i, defect in enumerate(DEFECTS)}
    everybody, wrong = [*good, *defects], []
    with Broker(street_of(everybody)) as b, concurrent.futures.ThreadPoolExecutor(len(everybody)) as pool:
        good = {name: pool.submit(attempt, b, name) for name, attempt in good.items()}
        bad = {name: pool.submit(try_device, b, name, defect) for name, defect in defects.items()}
        for name, run in good.items():
            code, checks, sums, err = run.result()
            unseen = ["ring-expiry"] if name == "good-4" else []  # MQTT 3.1.1 has no message expiry
            if code != (TIMEOUT if unseen else RECORDED) or sums["failed"] or results(checks, "not seen") != unseen:
                wrong.append((name, code, failures(checks), results(checks, "not seen"), err))
        for name, run in bad.items():
            code, checks, _, err = run.result()
            if code != REFUSED or results(checks, "FAIL") != [DEFECTS[defects[name]]]:
                wrong.append((defects[name], code, failures(checks), err))
    assert not wrong, "\n".join(map(str, wrong))


def every_check_quotes_the_contract():
    """Each paragraph that a check names stands below that heading of the page; every check has a device that fails it."""
    done = subprocess.run([os.path.join(broker.BUILD, "bin", "vestibule-conform"), "--list", "--json"], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == RECORDED, done
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    for is_ in listed:
        with open(os.path.join(ROOT, is_["page"])) as f:
            sections = re.split(r"^## ", f.read(), flags=re.M)
        found = [s for s in sections if s.startswith(is_["section"] + "\n")]
        assert len(found) == 1 and any(line.strip().startswith(is_["text"]) for line in found[0].splitlines()), is_
    elsewhere = {"login", "username", "reconnect"} | {"wrong-token", "foreign-id"}  # tests/unit/conform, and below
    assert {is_["check"] for is_ in listed} - set(DEFECTS.values()) == elsewhere


def what_cannot_start_says_why():
    with Broker(street_of(["front-door"])) as b:
        for code, text, more in ((NOT_AUTHORISED, "the broker refused username and token", dict(secret="not-the-token-of-anybody")),
                                 (UNAVAILABLE, "cannot connect", dict(port=free_port()))):
            got = run(b, "conform", "front-door", **more)
            assert got[0] == code and text in got[2] and not got[1], got
        for args in (["--other", "front-door"], ["--other", "A"], ["--listen-port", "0"], ["--cafile", "ca.crt"], ["--client-id-suffix", "x"]):
            got = run(b, "conform", "front-door", *args, secret=token("front-door"))
            assert got[0] == USAGE and args[0][2:] in got[2], got
        got = run(b, "conform", "front-door", "--listen-port", b.port)
        assert got[0] == UNAVAILABLE and "cannot listen" in got[2], got


def broker_that_lets_everybody_in_fails():
    port = free_port()
    with Broker(street_of(["front-door"])) as b:
        plain = subprocess.Popen([MOSQUITTO, "-p", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 20, "listen")
            code, out, _ = run(b, "conform", "front-door", "--listen-port", free_port(), "--patience", 1, "--other", "other", "--json", port=port)
        finally:
            plain.kill()
            plain.wait()
        told = {row["check"]: row for row in map(json.loads, out.splitlines()) if "check" in row}
        assert code == REFUSED and results(told, "FAIL") == ["foreign-id", "wrong-token"] and results(told, "ok") == ["login"], (code, out)


def nobody_there_is_not_seen():
    with Broker(street_of(["front-door"])) as b:
        code, out, err = run(b, "conform", "front-door", "--listen-port", free_port(), "--patience", 1)
        assert code == TIMEOUT and out.splitlines()[-1] == "conform: 2 checks ok, 0 failed, %d not seen" % (len(out.splitlines()) - 3), out
        assert out.startswith("ok        login: ") and "connect the device to 127.0.0.1 port" in err, (out, err)


main(good_devices_pass_and_each_defect_fails_its_own_check, every_check_quotes_the_contract, what_cannot_start_says_why,
     broker_that_lets_everybody_in_fails, nobody_there_is_not_seen)
