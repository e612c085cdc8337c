"""Does a clip go from request over ask, answer, copy, fetch to link only while somebody's yes stands? (I2, I3, I22)"""
import struct

from broker import *
from disk import Disk

CLIP_SHA = hashlib.sha256(b"clip").digest()
OPEN, DELIVERY, REVOKED, UNAVAILABLE = 4, 8, 9, 11
COPY, PURGE, LINK = 1, 3, 4


def zigzag(n):
    return (n << 1) ^ (n >> 63)


def rings(*points):
    return (struct.pack("<I", len(points)) + b"".join(struct.pack("<ii", *p) for p in points)).hex()


def people():
    around = rings((576000000, 103000000), (576000000, 105000000), (577000000, 105000000), (577000000, 103000000))
    rows = [r.replace('kind="1"', 'kind="1" rings="%s"' % around) if r.startswith("agency") else r for r in police()]
    return [r + ' unsealed_ok="1"' if r.startswith("home") else r for r in street()] + rows


def circle():
    return wire.field(1, zigzag(576491100)) + wire.field(2, zigzag(104074400)) + wire.field(3, 300)


def submit(request):
    body = wire.message(request, 1, 1, False, "26-1001", "a window was forced while nobody was home")
    body += wire.field(7, circle()) + wire.field(8, now_ms() - 3600000) + wire.field(9, now_ms() - 10)
    return head() + wire.field(8, body)


class Case:
    """Everybody connected, a clip in the catalogue, alice opted in, a request open, an ask at hand."""

    def __init__(self, b):
        self.b = b
        self.alice, self.front, self.mover = b.client("alice"), b.client("front"), b.client("mover-1")
        self.ines, self.sam, self.eva = b.client("ines"), b.client("sam"), b.client("eva")
        self.alice.subscribe(TOP + "home/maple/ask", TOP + "home/maple/receipt", TOP + "user/alice/reply")
        self.mover.subscribe(TOP + "relay/mover/job", TOP + "device/front/chunk/+/mover-1")
        self.front.subscribe(TOP + "device/front/pull/+/+", TOP + "device/front/ack", qos=0)
        for name in ("ines", "sam", "eva"):
            getattr(self, name).subscribe(TOP + "agency/pd/notice", TOP + "user/%s/reply" % name)
        assert self.eva.subscribe(TOP + "user/eva/link", qos=0) == 0
        self.clip, self.request = wire.uuid7(), wire.uuid7()
        assert self.front.publish(TOP + "device/front/clip-ready",
                                  clip_ready(clip=self.clip, start_ms=now_ms() - 60000)) in (0, mqtt5.NO_SUBSCRIBERS)
        self.front.expect(TOP + "device/front/ack")
        self.home_command(wire.field(11, wire.field(1, "ask police")))

    def home_command(self, body):
        payload = head() + body
        self.alice.publish(TOP + "home/maple/command", payload)
        reply = many(self.alice.expect(TOP + "user/alice/reply").payload)
        receipt = wire.parse(reply[8][0])
        assert receipt[3] == 1, receipt
        return payload

    def notice(self, kind, who=None, seconds=8):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            m = (who or self.ines).expect(TOP + "agency/pd/notice", end - time.monotonic())
            assert len(m.payload) == 512, "every notice has one size"
            if wire.parse(m.payload)[3] == kind:
                return wire.parse(m.payload)
        raise AssertionError("no notice of kind %d" % kind)

    def open(self):
        assert self.ines.publish(TOP + "agency/pd/command", submit(self.request)) == mqtt5.NO_SUBSCRIBERS
        self.notice(1)
        self.sam.publish(TOP + "agency/pd/command", head() + wire.field(9, wire.field(1, self.request)))
        self.notice(OPEN)

    def answer(self, yes):
        m = self.alice.expect(TOP + "home/maple/ask", 8)
        ask = many(m.payload)
        assert b"window was forced" not in str(ask).encode(), "the officer's free text stays out"
        assert wire.parse(ask[15][0])[1] == self.clip
        self.alice.publish(TOP + "user/alice/sync", sync(3))
        assert many(self.alice.expect(TOP + "user/alice/reply").payload)[6] == [m.payload], "sync tells the same ask"
        decision = wire.field(1, self.clip) + wire.field(2, yes)
        self.home_command(wire.field(8, wire.message(ask[1][0], ask[2][0]) + wire.field(3, decision)))

    def job(self, kind, seconds=8):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            j = wire.parse(self.mover.expect(TOP + "relay/mover/job", end - time.monotonic()).payload)
            if j[2] == kind:
                return j
        raise AssertionError("no job of kind %d" % kind)

    def report(self, job, kind, *more):
        body = wire.field(5, job[1]) + wire.field(6, kind) + wire.field(7, job[3])
        assert self.mover.publish(TOP + "relay/mover/report", head() + body + b"".join(more)) == mqtt5.NO_SUBSCRIBERS

    def copied(self):
        job = self.job(COPY)
        assert job[4] == b"front" and job[5] == self.clip and job[7] == CLIP_SHA
        pull = TOP + "device/front/pull/%s/mover-1" % wire.uuid_text(self.clip)
        self.mover.publish(pull, wire.message(0, 0, 1000), qos=0)
        assert self.front.expect(pull)
        chunk = TOP + "device/front/chunk/%s/mover-1" % wire.uuid_text(self.clip)
        self.front.publish(chunk, wire.message(0, 0, b"x" * 1000, True), qos=0)
        assert self.mover.expect(chunk)
        self.report(job, 1, wire.field(8, 1000), wire.field(9, CLIP_SHA))

    def fetch(self, delivery):
        payload = head() + wire.field(12, wire.field(1, delivery))
        assert self.eva.publish(TOP + "agency/pd/command", payload) == mqtt5.NO_SUBSCRIBERS
        return wire.parse(payload)[1]

    def link(self, job):
        self.report(job, 4, wire.field(10, "https://storage.example/x"), wire.field(11, now_ms() + 60000))


def demo(**more):
    return Broker(people(), agencies="on", demo="true", release_tick=1, **more)


def whole_way_with_a_yes_and_back():
    with demo() as b:
        c = Case(b)
        c.open()
        public = b.client("bob")
        public.subscribe(TOP + "public/#", qos=0)
        entry = wire.parse(public.expect(TOP + "public/request/" + wire.uuid_text(c.request)).payload)
        assert entry[2] == b"pd" and entry[4] == b"u4pru" and b"26-1001" not in str(entry).encode()
        c.answer(True)
        c.copied()
        told = c.notice(DELIVERY)
        assert told[5] == c.request and told[14] == CLIP_SHA and told[10] and c.clip not in told.values()
        event_id = c.fetch(told[8])
        job = c.job(LINK)
        c.link(job)
        link = wire.parse(c.eva.expect(TOP + "user/eva/link").payload)
        assert link[1] == told[8] and link[2] == event_id and link[3] == b"https://storage.example/x"
        c.link(job)
        assert not [m for m in c.eva.drain() if m.topic.endswith("/link")], "a link goes out once"
        c.alice.drain(0.2)
        c.alice.publish(TOP + "user/alice/sync", sync(4))
        grants = many(c.alice.expect(TOP + "user/alice/reply").payload)[7]
        c.home_command(wire.field(10, wire.field(1, wire.parse(grants[0])[1])))
        purge = c.job(PURGE)
        c.notice(REVOKED)
        c.report(purge, 3)
        wait_until(lambda: 8 in [wire.parse(m.payload)[3] for m in c.alice.drain(0.1) if m.topic.endswith("receipt")], 5, "purged")
        c.fetch(told[8])
        assert not [m for m in c.mover.drain(1) if wire.parse(m.payload).get(2) == LINK], "no link after the retraction"


def no_yes_no_job_and_no_sign_of_it():
    with demo() as b:
        c = Case(b)
        c.open()
        c.answer(False)
        heard = [m for who in (c.ines, c.sam, c.eva, c.mover) for m in who.drain(3)]
        assert not [m for m in heard if wire.parse(m.payload).get(3) == DELIVERY or "relay" in m.topic], heard
        assert not [m for m in c.front.drain() if "agency" in m.topic or c.request in m.payload], "I19"


def i2_retraction_beats_the_link_that_is_under_way():
    """I2: the grant is checked again when the relay reports; the officer sees a relay that does not answer."""
    with demo() as b:
        c = Case(b)
        c.open()
        c.answer(True)
        c.copied()
        told = c.notice(DELIVERY)
        event_id = c.fetch(told[8])
        job = c.job(LINK)
        c.alice.drain(0.2)
        c.alice.publish(TOP + "user/alice/sync", sync(4))
        grants = many(c.alice.expect(TOP + "user/alice/reply").payload)[7]
        c.home_command(wire.field(10, wire.field(1, wire.parse(grants[0])[1])))
        c.link(job)
        end = time.monotonic() + 14
        while True:
            m = c.eva.expect(TOP + "user/eva/reply", end - time.monotonic())
            reply = many(m.payload)
            if reply[1] == [event_id] and 11 in reply and wire.parse(reply[11][0])[3] == UNAVAILABLE:
                break
        assert not [m for m in c.eva.drain() if m.topic.endswith("/link")]


def jobs_come_again_until_reported():
    with demo() as b:
        c = Case(b)
        c.open()
        c.answer(True)
        job = c.job(COPY)
        b.stop(signal.SIGKILL)
        b.start()
        mover, front = b.client("mover-1"), b.client("front")
        mover.subscribe(TOP + "relay/mover/job", TOP + "user/mover-1/reply")
        mover.publish(TOP + "user/mover-1/sync", sync())
        jobs = many(mover.expect(TOP + "user/mover-1/reply").payload).get(12, [])
        again = [wire.parse(j) for j in jobs] or [wire.parse(mover.expect(TOP + "relay/mover/job").payload)]
        assert again[0][1] == job[1] and again[0][3] == job[3], (job, again)
        front.ping()


def copy_waits_for_its_device():
    with demo() as b:
        c = Case(b)
        c.open()
        c.front.disconnect()
        c.answer(True)
        assert not [m for m in c.mover.drain(3) if "job" in m.topic]
        c.front = b.client("front")
        assert c.job(COPY)


def alert_reaches_the_adults_of_its_cell():
    with Broker(people() + home("far") + device("away", "far", cell="u4xsudv2") + credential("fay", MEMBER, "far", ADULT),
                agencies="on") as b:
        alice, abe, fay, front, sam = (b.client(n) for n in ("alice", "abe", "fay", "front", "sam"))
        topic = TOP + "area/u4pru/alert"
        for c in (alice, fay):
            assert c.subscribe(topic, qos=0) == 0
        assert abe.subscribe(topic) == front.subscribe(topic) == mqtt5.NOT_AUTHORIZED
        sam.subscribe(TOP + "agency/pd/notice")
        body = wire.message("u4pru", 3, "A child is missing near the harbour.", now_ms() + 3600000)
        assert sam.publish(TOP + "agency/pd/command", head() + wire.field(13, body)) == mqtt5.NO_SUBSCRIBERS
        got = wire.parse(alice.expect(topic).payload)
        assert got[3] == b"pd" and got[5] == b"A child is missing near the harbour.", got
        assert wire.parse(sam.expect(TOP + "agency/pd/notice").payload)[3] == 10
        assert not fay.drain(), "her home is elsewhere"


def i2_retraction_beats_the_fetch_that_waits_for_its_record():
    """Fetched, then taken back, and only then is either durable: the relay is asked for no link."""
    with Disk() as disk, demo() as b:
        c = Case(b)
        c.open()
        c.answer(True)
        c.copied()
        told = c.notice(DELIVERY)
        c.alice.drain(0.2)
        c.alice.publish(TOP + "user/alice/sync", sync(4))
        granted = many(c.alice.expect(TOP + "user/alice/reply").payload)[7]
        disk.hold()
        c.fetch(told[8])
        c.alice.publish(TOP + "home/maple/command", head() + wire.field(10, wire.field(1, wire.parse(granted[0])[1])))
        disk.release()
        kinds = []
        while PURGE not in kinds:
            kinds.append(wire.parse(c.mover.expect(TOP + "relay/mover/job", 15).payload)[2])
        kinds += [wire.parse(m.payload)[2] for m in c.mover.drain(1) if m.topic.endswith("/job")]
        assert LINK not in kinds, kinds


def i22_link_waits_for_the_record():
    """While the disk does not answer, nobody is asked for a link; once the record is durable, the relay is."""
    with Disk() as disk, demo() as b:
        c = Case(b)
        c.open()
        c.answer(True)
        c.copied()
        told = c.notice(DELIVERY)
        c.mover.drain(0.2)
        disk.hold()
        event_id = c.fetch(told[8])
        assert not [m for m in c.mover.drain(1.5) if "/job" in m.topic], "asked before the fetch is recorded"
        disk.release()
        c.link(c.job(LINK, 15))
        assert wire.parse(c.eva.expect(TOP + "user/eva/link", 15).payload)[2] == event_id


main(alert_reaches_the_adults_of_its_cell, whole_way_with_a_yes_and_back, no_yes_no_job_and_no_sign_of_it, i2_retraction_beats_the_link_that_is_under_way,
     jobs_come_again_until_reported, copy_waits_for_its_device, i2_retraction_beats_the_fetch_that_waits_for_its_record,
     i22_link_waits_for_the_record)
