"""Do the examples of the contract page work, word for word, with stock tools and the plugin as it is?"""
import json
import re
import select

from broker import *
from programs import RECORDED, rows, run

PAGE = open(os.path.join(ROOT, "proto", "README.md")).read()
EXAMPLES = open(os.path.join(ROOT, "docs", "examples", "README.md")).read()
CLIP = os.path.join(ROOT, "tests", "media", "doorstep.mp4")


def blocks(page, language):
    return re.findall(r"^```%s\n(.*?)^```" % language, page, re.M | re.S)


def is_listener(block):
    return "mosquitto_sub" in block


def user_of(block):
    users = set(re.findall(r" -u ([a-z-]+)", block))
    assert len(users) <= 1, "one user a block, so that $TOKEN is clear: %s" % block
    return users.pop() if users else ""


def people():
    return (home("maple") + device("front-door", "maple") + credential("anna", MEMBER, "maple", ADMIN) +
            credential("maple-auto", MEMBER, "maple", LIMITED))


class Terminals:
    """A shell for each listener, as the page has it; all commands run in a folder that looks like the project's."""

    def __init__(self, b):
        self.b, self.all = b, {}
        self.dir = os.path.join(b.dir, "project")
        os.mkdir(self.dir)
        for name in ("proto", "tests", "docs"):
            os.symlink(os.path.join(ROOT, name), os.path.join(self.dir, name))
        self.env = dict(os.environ, HOST="127.0.0.1", PORT=str(b.port))

    def spawn(self, script, user, **more):
        return subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=dict(self.env, TOKEN=token(user), **more), start_new_session=True)

    def listen(self, block):
        before = self.subscribed()
        self.all[block] = self.spawn(block, user_of(block))
        wait_until(lambda: self.subscribed() > before, 5, "subscription of " + block)

    def subscribed(self):
        return self.b.read_log().count("Sending SUBACK to")

    def heard(self, part, seconds=5):
        """What the one listener whose command holds part printed until it ended."""
        block, = [x for x in self.all if part in x]
        out, err = self.all.pop(block).communicate(timeout=seconds)
        assert not err, err.decode()
        return out.decode()

    def lines(self, part, count, seconds=5):
        """The next lines of a listener that does not end by itself."""
        block, = [x for x in self.all if part in x]
        stream, text = self.all[block].stdout, b""
        end = time.monotonic() + seconds
        while text.count(b"\n") < count and select.select([stream], [], [], max(0, end - time.monotonic()))[0]:
            data = os.read(stream.fileno(), 65536)
            if not data:
                break
            text += data
        assert text.count(b"\n") == count, text
        return text.decode().splitlines(keepends=True)

    def close(self):
        for process in self.all.values():
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            process.stdout.close()
            process.stderr.close()


def publish_all(t, publishers):
    """The publishing blocks in the order of the page, in one shell, as somebody pastes them."""
    script = "".join("TOKEN=%s\n%s" % (token(user_of(x)), x) for x in publishers)
    done = t.spawn(script, "")
    out, err = done.communicate(timeout=10)
    assert done.returncode == 0 and not out and not err, (out, err)


def check_what_was_heard(t):
    mirror = t.lines("json/#", 4)
    told = {line.split(" ", 1)[0].split("/json/")[1]: json.loads(line.split(" ", 1)[1]) for line in mirror}
    assert sorted(told) == ["front-door/clip-ready", "front-door/motion", "front-door/ring"], mirror
    for line in mirror:
        assert re.fullmatch(r'\S+ \{"at_ms":\d+,"arrived_ms":\d+,"synced":true,.*\}\n', line), line
    with open(CLIP, "rb") as f:
        bytes_of_clip = f.read()
    clip = told["front-door/clip-ready"]
    assert clip["payload_length"] == len(bytes_of_clip) and clip["payload_sha256"] == hashlib.sha256(bytes_of_clip).hexdigest()
    assert clip["trigger"] == "ring" and "sealed" not in clip and "manifest" not in clip, clip
    assert told["front-door/motion"]["kind"] == "person" and told["front-door/motion"]["confidence_permille"] == 870
    assert told["front-door/ring"]["seq"] == 4, "the second ring, the one of protoc"
    assert t.heard("front-door/ack") == "seq: 3\n"
    ring = t.heard("decode=vestibule.v1.RingEvent")
    assert re.search(r"^seq: 1$", ring, re.M) and re.search(r"^arrived_ms: \d+$", ring, re.M), ring
    denied = t.heard("decode=vestibule.v1.Denial")
    sample, = [x for x in blocks(PAGE, "text") if "reason:" in x]
    assert re.sub(r"\d{13}", "T", denied) == re.sub(r"\d{13}", "T", sample), denied
    assert t.heard("decode=vestibule.v1.ClipPull") == "length: 65536\n"
    chunk = t.heard("decode=vestibule.v1.ClipChunk")
    data = re.search(r'^data: "(.*)"$', chunk, re.M).group(1)
    assert data.encode().decode("unicode_escape").encode("latin-1") == bytes_of_clip and "last: true" in chunk


def every_command_of_the_page_does_what_it_says():
    with Broker(people()) as b:
        t = Terminals(b)
        try:
            listeners = [x for x in blocks(PAGE, "sh") if is_listener(x)]
            publishers = [x for x in blocks(PAGE, "sh") if not is_listener(x)]
            assert len(listeners) == 6 and len(publishers) == 7, (len(listeners), len(publishers))
            for block in listeners:
                t.listen(block)
            publish_all(t, publishers)
            check_what_was_heard(t)
        finally:
            t.close()


def stock_publisher_warns_of_a_refusal_and_still_exits_0():
    with Broker(people()) as b:
        done = subprocess.run(["mosquitto_pub", "-p", str(b.port), "-V", "5", "-u", "front-door", "-P", token("front-door"), "-q", "1",
                               "-t", TOP + "device/front-door/ring", "-m", "{}"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 0 and "Not authorized" in done.stderr, done


def wrong_member_of_json_is_named():
    """Each beside the nearest right one, which is taken."""
    good = dict(event_id="ID", at_ms=1795650544412, synced=True, seq=1, clip_id="ID", start_ms=1795650544412, duration_ms=2000,
                trigger="ring", media_type="video/mp4", payload_length=6460, payload_sha256="00" * 32)
    wrong = [("event_id", "01A2151C-E315-7C04-836B-7C931750239A", "UUID text, lower case"), ("event_id", None, "text"),
             ("at_ms", "1795650544412", "a whole number"), ("at_ms", 1.5, "a whole number"), ("at_ms", 2 ** 53, "0 to 9007199254740991"),
             ("duration_ms", 2 ** 32, "a smaller number"), ("synced", 1, "true or false"), ("trigger", "doorbell", "one of its words"),
             ("payload_sha256", "0", "hex digits"), ("payload_sha256", "00", "32 bytes"), ("media_type", 4, "text"),
             ("owner", "anna", "not a known field"), ("arrived_ms", 1795650544412, "set by the plugin alone")]
    topic = TOP + "device/front-door/clip-ready"
    with Broker(people()) as b:
        front = b.client("front-door")
        assert front.subscribe(TOP + "device/front-door/ack", TOP + "user/front-door/denied", qos=0) == [0, 0]

        def publish(**change):
            members = {**good, "event_id": wire.uuid_text(wire.uuid7()), "clip_id": wire.uuid_text(wire.uuid7()), **change}
            return front.publish(topic, json.dumps({k: v for k, v in members.items() if v != "absent"}))

        for member, value, limit in wrong:
            assert publish(**{member: value}) == mqtt5.NOT_AUTHORIZED, member
            m = wire.parse(wait_denied(front).payload)
            assert (m[2], m[7], m[8]) == (b"malformed", b"ClipReady." + member.encode(), limit.encode()), (member, value, m)
            assert 6 not in m and m[5] == topic.encode(), "of JSON the topic tells, not an event_id"
        assert front.publish(topic, '{"seq":1,"seq":1}') == mqtt5.NOT_AUTHORIZED
        assert denial(front)["limit"] == "given once"
        assert publish(media_type="absent") == mqtt5.NOT_AUTHORIZED
        assert denial(front)["field"] == "ClipReady.media_type"
        assert publish() in (0, mqtt5.NO_SUBSCRIBERS)
        assert wire.parse(front.expect(TOP + "device/front-door/ack").payload) == {1: 1}


def example_in_python_sees_a_ring():
    with Broker(people()) as b:
        t = Terminals(b)
        command, = blocks(EXAMPLES, "sh")
        sample = blocks(EXAMPLES, "text")[0].splitlines()
        path = os.path.join(t.dir, "maple-auto.token")
        with open(path, "w") as f:
            f.write(token("maple-auto") + "\n")
        command = command.replace("1883", str(b.port)).replace("python3", sys.executable)
        try:
            t.listen(command)
            front = b.client("front-door")
            front.publish(TOP + "device/front-door/status", "online", qos=0, retain=True)
            assert front.publish(TOP + "device/front-door/ring", ring()) == mqtt5.NO_SUBSCRIBERS, "nobody reads the protobuf"
            lines = t.lines("subscribe.py", 2)
            shape = lambda s: re.sub("[0-9a-f]{8}-[-0-9a-f]{27}", "ID", re.sub(r"\d{13}", "T", s.strip()))
            assert list(map(shape, lines)) == list(map(shape, sample)), lines
        finally:
            t.close()
        with open(path, "w") as f:
            f.write("another-secret\n")
        out, err = t.spawn(command, "").communicate(timeout=10)
        assert not out and err == b"Not authorized\n", (out, err)


class Doorbell:
    """docs/examples/doorbell.py"""

    def __init__(self, b):
        self.process = subprocess.Popen([sys.executable, os.path.join(ROOT, "docs", "examples", "doorbell.py"), "127.0.0.1", str(b.port),
                                         "front-door"], env=dict(os.environ, TOKEN=token("front-door")), stdin=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def told(client, leaf):
    return json.loads(client.expect(TOP + "home/maple/json/front-door/" + leaf).payload)


def device_made_from_the_page_alone_rings_and_hands_out_its_clip():
    with Broker(people()) as b, Doorbell(b) as door:
        anna = b.client("anna")
        assert anna.subscribe(TOP + "home/maple/json/#") == 1
        assert told(anna, "status")["status"] == "online"
        door.say("ring")
        ring_seq = told(anna, "ring")["seq"]
        door.say("motion package")
        assert told(anna, "motion")["kind"] == "package"
        door.say("clip %s 2000" % CLIP)
        clip = told(anna, "clip-ready")
        assert clip["seq"] == ring_seq + 2
        out = os.path.join(b.dir, "out.mp4")
        assert run(b, "home", "anna", "clip", "get", clip["clip_id"], "--out", out)[0] == RECORDED
        assert open(out, "rb").read() == open(CLIP, "rb").read()
        topic = "device/front-door/%s/" + clip["clip_id"] + "/anna"
        assert anna.subscribe(TOP + topic % "chunk", qos=0) == 0
        for pull, status in ((wire.message(1, 0, 10), 1), (wire.message(0, 6460, 10), 2)):
            anna.publish(TOP + topic % "pull", pull, qos=0)
            assert wire.parse(anna.expect(TOP + topic % "chunk").payload)[5] == status
        door.say("clip %s 0" % CLIP)  # a duration of 0 is malformed; what follows goes on
        door.say("clip %s 1000" % CLIP)
        assert told(anna, "clip-ready")["duration_ms"] == 1000
        door.process.stdin.close()
        assert door.process.wait(timeout=5) == 0
        assert told(anna, "status")["status"] == "offline"


def device_made_from_the_page_alone_survives_a_broker_that_is_killed():
    with Broker(people()) as b, Doorbell(b) as door:
        wait_until(lambda: rows(b, "home", "anna", "devices")[0].get("online"), 5, "the doorbell is there")
        b.stop(signal.SIGKILL)
        door.say("ring")
        door.say("clip %s 2000" % CLIP)
        time.sleep(0.3)
        b.start()
        anna = b.client("anna")
        assert anna.subscribe(TOP + "home/maple/json/#") == 1
        clip, = wait_until(lambda: rows(b, "home", "anna", "clips"), 8, "the clip, announced again")
        out = os.path.join(b.dir, "out.mp4")
        assert run(b, "home", "anna", "clip", "get", clip["clip"]["clip_id"], "--out", out)[0] == RECORDED
        door.process.kill()
        wait_until(lambda: told(anna, "status")["status"] == "offline", 5, "the will")


def clip_over_its_limit_holds_the_acks_back_until_it_came_again_or_was_given_up():
    with Broker(people()) as b:
        front, anna = b.client("front-door"), b.client("anna")
        topic, ack = TOP + "device/front-door/clip-ready", TOP + "device/front-door/ack"
        assert front.subscribe(ack, qos=0) == 0 and anna.subscribe(topic) == 1
        for seq in range(1, 5):
            assert front.publish(topic, clip_ready(seq)) == 0
            assert wire.parse(front.expect(ack).payload) == {1: seq} and anna.expect(topic)
        assert front.publish(topic, clip_ready(5)) == 0, "arrived, and no more than that"
        assert not front.drain(0.3) and not anna.drain()
        newer = clip_ready(6, at_ms=now_ms() - 100000)  # it counts by its own time
        assert front.publish(topic, newer) == 0
        assert anna.expect(topic) and wire.parse(front.expect(ack).payload) == {1: 4}
        assert front.publish(topic, newer) == 0
        assert wire.parse(front.expect(ack).payload) == {1: 6} and not anna.drain(), "clip 5 was given up"


main(clip_over_its_limit_holds_the_acks_back_until_it_came_again_or_was_given_up, device_made_from_the_page_alone_rings_and_hands_out_its_clip, device_made_from_the_page_alone_survives_a_broker_that_is_killed,
     stock_publisher_warns_of_a_refusal_and_still_exits_0, wrong_member_of_json_is_named, example_in_python_sees_a_ring,
     every_command_of_the_page_does_what_it_says)
