#!/usr/bin/python3
"""A random day of one firm with three connections (a desk whose session stays, a slow reader that acknowledges when it pleases, a phone that
asks for nothing to be kept) and three homes: two give, take back and give again, the third gives throughout. After a receipt of a
retraction nothing that was routed before it is read any more, by whomever; what rang in a gap is never read; of the third home every
ring reaches the two sessions, in its order. STEPS=600 SEED=random, printed."""
import os
import random

from broker import *

STEPS = int(os.environ.get("STEPS", "600"))
HOMES, DOORS = 3, 40   # a doorbell may ring six times a minute
AT_MOST_AHEAD = 95     # rings that a session has not read: the broker's queue holds 100
COMMANDS = 50          # of one adult at once
EVERY = TOP + "device/+/ring"


class Reader:
    """One client id of the firm, and what it may still read."""

    def __init__(self, day, name, **more):
        self.day, self.name, self.more = day, name, more
        self.client, self.keeps = None, more.get("expiry", 0) > 0
        self.behind = 0       # rings since it read all there was
        self.last = -1        # of the home that gives throughout: the highest ring read
        self.missing = set()  # of that home, routed to its session and not read

    def connect(self):
        try:
            self.client = self.day.b.client("alarm-1", "alarm-1." + self.name, timeout=10, **self.more)
            if not self.client.session_present:
                assert self.client.subscribe(EVERY) == 1
                self.day.subscribed(self)
        except (mqtt5.Closed, OSError):  # kicked at once, as after a purge
            self.gone()

    def gone(self):
        if self.client:
            self.check()
            self.client.close()
        self.client = None

    def check(self):
        while self.client.messages:
            self.day.read_by(self, self.client.messages.popleft())

    def read(self, packets):
        """Up to so many."""
        if not self.client:
            return False
        try:
            while packets > 0 and self.client.pump(0.05):
                packets -= 1
        except (mqtt5.Closed, OSError):
            self.gone()
            return False
        self.check()
        return packets > 0

    def read_all(self):
        """Back if it was away, as often as it is kicked, until it has read what waits for it."""
        for _ in range(6):
            if not self.client:
                self.connect()
            if self.client and self.read(1000):
                self.behind = 0
                return
        raise AssertionError("%s is kicked again and again" % self.name)


class Slow(Reader):
    """Acknowledges what it has read only now and then, so that copies are in flight and queue up behind."""

    def read(self, packets):
        if self.client:
            self.client.acks = self.day.rng.random() < 0.3
        return super().read(packets)

    def read_all(self):
        for _ in range(6):
            self.gone()  # what was in flight and never acknowledged comes again
            self.connect()
            if not self.client:
                continue
            self.client.acks = True
            if Reader.read(self, 1000):
                self.behind = 0
                return
        raise AssertionError("%s is kicked again and again" % self.name)


class Day:
    def __init__(self, b, rng, grants):
        self.b, self.rng = b, rng
        self.grants = dict(enumerate(grants))      # of each home, None: taken back
        self.times = [0] * HOMES                   # commands of each adult
        self.rung = {}                             # (door, seq): (home, grant or None, number)
        self.over = set()                          # grants that were taken back
        self.number = 0
        self.doors = [[b.client("door-%d-%d" % (h, d), timeout=10) for d in range(DOORS)] for h in range(HOMES)]
        self.seqs = [[0] * DOORS for _ in range(HOMES)]
        self.adults = [b.client("adult-%d" % h, timeout=10) for h in range(HOMES)]
        for h, adult in enumerate(self.adults):
            assert adult.subscribe(TOP + "user/adult-%d/reply" % h, TOP + "home/home-%d/receipt" % h) == [1, 1]
        small = {"clean": False, "expiry": 3600, "receive_maximum": 2, "receive_buffer": 4096, "acks": False}
        self.readers = [Reader(self, "desk", clean=False, expiry=3600), Slow(self, "slow", **small), Reader(self, "phone")]
        for r in self.readers:
            r.connect()

    # --- the model ---

    def subscribed(self, reader):
        assert not reader.missing, "%s lost its session" % reader.name

    def read_by(self, reader, m):
        key = m.topic.split("/")[3], wire.parse(m.payload)[4]
        h, grant_id, number = self.rung[key]
        assert grant_id, "%s read %s, which rang while home %d gave nothing" % (reader.name, key, h)
        assert grant_id not in self.over, "%s read %s after its grant was taken back" % (reader.name, key)
        if h == HOMES - 1 and reader.keeps:
            assert number in reader.missing or number <= reader.last, (reader.name, key)
            assert number not in reader.missing or number > reader.last, "%s read %s after a later one" % (reader.name, key)
            reader.missing.discard(number)
            reader.last = max(reader.last, number)

    # --- what happens ---

    def ring(self):
        h, d = self.rng.randrange(HOMES), self.rng.randrange(DOORS)
        if self.seqs[h][d] == 6:
            return
        self.seqs[h][d] += 1
        self.number += 1
        name, seq = "door-%d-%d" % (h, d), self.seqs[h][d]
        self.rung[name, seq] = h, self.grants[h], self.number
        for r in self.readers:
            if h == HOMES - 1 and (r.keeps):
                r.missing.add(self.number)
            r.behind += 1
        assert self.doors[h][d].publish(TOP + "device/%s/ring" % name, ring(seq=seq)) == 0
        for r in self.readers:
            if r.behind >= AT_MOST_AHEAD:
                r.read_all()

    def tell(self, h, payload):
        """The id of the grant that the home's receipt is about."""
        self.times[h] += 1
        self.adults[h].publish(TOP + "home/home-%d/command" % h, payload)
        reply = many(many(self.adults[h].expect(TOP + "user/adult-%d/reply" % h, 10).payload)[8][0])
        assert reply[3] == [1], reply
        return wire.uuid_text(many(self.adults[h].expect(TOP + "home/home-%d/receipt" % h, 10).payload)[9][0])

    def change(self):
        h = self.rng.randrange(HOMES - 1)
        if self.times[h] == COMMANDS:
            return
        if self.grants[h]:
            self.tell(h, retract(self.grants[h]))
            for r in self.readers:  # what its own machine had before the receipt
                r.read(1000)
            self.over.add(self.grants[h])
            self.grants[h] = None
        else:
            self.grants[h] = self.tell(h, grant("alarm", RING_GRANT))
            time.sleep(0.002)  # an event of the same millisecond may be older than the grant

    def come_and_go(self):
        r = self.rng.choice(self.readers)
        if r.client and self.rng.random() < 0.5:
            r.gone()
        else:
            r.connect()  # over the connection that is there, if any

    def step(self):
        what = self.rng.random()
        if what < 0.8:
            self.ring()
        elif what < 0.85:
            self.rng.choice(self.readers).read(self.rng.randrange(1, 20))
        elif what < 0.93:
            self.come_and_go()
        else:
            self.change()


def street_of(homes, doors):
    rows = [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm")
    grants = [wire.uuid_text(wire.uuid7()) for _ in range(homes)]
    for h in range(homes):
        rows += home("home-%d" % h) + credential("adult-%d" % h, MEMBER, "home-%d" % h, ADMIN)
        rows += standing("alarm", "home-%d" % h, RING_GRANT, grant=grants[h], actor="adult-%d" % h)
        for d in range(doors):
            rows += device("door-%d-%d" % (h, d), "home-%d" % h)
    return rows, grants


def i4_i5_random_day_leaks_nothing_and_loses_nothing_of_others():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 31)
    print("# SEED=%d" % seed)
    rows, grants = street_of(HOMES, DOORS)
    with Broker(rows) as b:
        day = Day(b, random.Random(seed), grants)
        for _ in range(STEPS):
            day.step()
        for r in day.readers:
            end = time.monotonic() + 20
            r.read_all()
            while r.missing and time.monotonic() < end:  # copies kept over a kick follow in pieces
                r.read_all() if not r.client else Reader.read(r, 1000)
            assert not r.missing, "%s never read %s of the home that gives throughout" % (r.name, sorted(r.missing))
        assert day.over and day.number > 100


if __name__ == "__main__":
    main(i4_i5_random_day_leaks_nothing_and_loses_nothing_of_others)
