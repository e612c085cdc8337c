#!/usr/bin/python3
"""How long a retraction takes to be felt: from the adult's PUBLISH to the last byte of a copy at each affected subscriber, while
a device of that home publishes at full speed. A real broker on loopback, log as in Debian's package.

Affected are, in two ways: N connections, each with one subscription, to each of which a copy under the grant was routed; and N
literal subscriptions of one client with a session. A round is a home of its own. `copy` is the last byte of an event, `closed` the
end of the connection, `receipt` the adult's private receipt; `plain` is a ring from another home's doorbell to its member in the
same run and under the same load. A line is over all subscribers of all rounds; a subscriber whose last copy came before the
PUBLISH counts as 0.

    BUILD=build tests/bench/retraction.py [N...]        default: 1 100 10000; 10000 needs `ulimit -n` of 11000

Exit status 1 when the 99th percentile of `copy` at 100 connections is above RETRACTION_MS (default 150)."""
import collections
import os
import resource
import select
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "broker"))
from broker import *

LIMIT_MS = float(os.environ.get("RETRACTION_MS", "150"))
DEVICES, PUBLISHING, BURST = 16, 40, 240  # the limiter takes 240 events of a device at once, whatever their times
SLOT_MS = 10000
ROUNDS = {1: 20, 100: 10}
BYE = b"\xe0"  # the first byte of DISCONNECT


class QuietBroker(Broker):
    def _write_conf(self):
        path = super()._write_conf()
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            kinds = "\n".join("log_type " + kind for kind in ("error", "warning", "notice", "information"))
            f.write(text.replace("log_type all", kinds))
        return path


def homes(rounds, devices=DEVICES):
    rows = [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm")
    rows += home("plain") + device("plain-door", "plain") + credential("paula", MEMBER, "plain", ADMIN)
    grants = []
    for r in range(rounds):
        grants.append(wire.uuid_text(wire.uuid7()))
        rows += home("home-%d" % r) + credential("adult-%d" % r, MEMBER, "home-%d" % r, ADMIN)
        rows += standing("alarm", "home-%d" % r, RING_GRANT, grant=grants[r], actor="adult-%d" % r)
        for n in range(devices):
            rows += device("door-%d-%d" % (r, n), "home-%d" % r)
    return rows, grants


class Publisher:
    """A process that publishes rings of one home at full speed, QoS 0, one device after the other, until stopped."""

    def __init__(self, broker, r, devices):
        self.go, child_go = socket.socketpair()
        self.pid = os.fork()
        if self.pid:
            child_go.close()
            return
        try:
            self._run(broker, r, devices, child_go)
        finally:
            os._exit(0)

    def _run(self, broker, r, devices, go):
        doors = [broker.client("door-%d-%d" % (r, n), timeout=60) for n in range(devices)]
        packets = []
        for n in range(devices):
            topic, at = mqtt5.binary(TOP + "device/door-%d-%d/ring" % (r, n)), now_ms() - (BURST + 10) * SLOT_MS
            bodies = [topic + b"\0" + ring(seq=s + 1, at_ms=at + s * SLOT_MS) for s in range(BURST)]
            packets.append([bytes([mqtt5.PUBLISH << 4]) + mqtt5.varint(len(b)) + b for b in bodies])
        go.sendall(b"r")
        go.recv(1)
        for door, burst in zip(doors, packets):
            for at in range(0, BURST, 8):  # a few at a time: it must hear the stop
                door.sock.sendall(b"".join(burst[at:at + 8]))
                if select.select([go], [], [], 0)[0]:
                    return

    def ready(self):
        assert self.go.recv(1) == b"r"

    def start(self):
        self.go.sendall(b"g")

    def stop(self):
        self.go.close()
        os.waitpid(self.pid, 0)


class Crowd:
    """The affected connections: what arrives when. Bare sockets, so that 10,000 can be watched."""

    def __init__(self, clients):
        self.epoll, self.socks = select.epoll(), {}
        self.copy, self.closed, self.started = {}, {}, set()
        for c in clients:
            c.sock.setblocking(False)
            self.socks[c.sock.fileno()] = c.sock
            self.epoll.register(c.sock.fileno(), select.EPOLLIN)

    def pump(self, seconds):
        for fd, _ in self.epoll.poll(seconds, 4096):
            try:
                data = self.socks[fd].recv(262144)
            except BlockingIOError:
                continue
            except ConnectionError:
                data = b""
            now = time.monotonic()
            if not data:
                self.closed[fd] = now
                self.epoll.unregister(fd)
                self.socks[fd].close()
            elif data[:1] != BYE:
                self.copy[fd] = now
                self.started.add(fd)

    def until(self, done, seconds, what):
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "%s: not within %d s" % (what, seconds)
            self.pump(0.05)


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def line(name, values):
    return "%s p50 %7.1f p99 %7.1f max %7.1f ms" % (name, *(percentile(values, p) * 1000 for p in (50, 99, 100)))


def plain_trip(door, paula, seq):
    began = time.monotonic()
    door.start_publish(TOP + "device/plain-door/ring", ring(seq=seq, at_ms=now_ms() - (BURST + 10 - seq) * SLOT_MS), qos=0)
    paula.expect(TOP + "device/plain-door/ring", 60)
    return time.monotonic() - began


def one_round(b, r, grant_id, clients, plain, devices=DEVICES):
    crowd, adult = Crowd(clients), b.client("adult-%d" % r, timeout=60)
    adult.subscribe(TOP + "user/adult-%d/reply" % r)
    publisher = Publisher(b, r, min(devices, PUBLISHING))
    publisher.ready()
    publisher.start()
    crowd.until(lambda: len(crowd.started) == len(clients), 120, "a copy for each")
    plain()
    began = time.monotonic()
    adult.start_publish(TOP + "home/home-%d/command" % r, retract(grant_id))
    mine = adult.sock.fileno()
    adult.sock.setblocking(False)
    crowd.epoll.register(mine, select.EPOLLIN)
    crowd.socks[mine] = adult.sock
    crowd.until(lambda: len(crowd.closed) == len(clients) and mine in crowd.copy, 120, "the end of each")
    publisher.stop()
    receipt = crowd.copy.pop(mine) - began
    adult.close()
    return ([max(0.0, t - began) for t in crowd.copy.values()], [t - began for t in crowd.closed.values()], [receipt])


def measure(name, count, rounds, connect, devices=DEVICES):
    rows, grants = homes(rounds, devices)
    with QuietBroker(rows) as b:
        got, trips = collections.defaultdict(list), []
        door, paula = b.client("plain-door", timeout=60), b.client("paula", timeout=60)
        paula.subscribe(TOP + "device/plain-door/ring", qos=0)
        trip = lambda: trips.append(plain_trip(door, paula, len(trips) + 1))
        for r in range(rounds):
            clients = connect(b, r)
            door.ping(), paula.ping()
            for key, values in zip(("copy", "closed", "receipt"), one_round(b, r, grants[r], clients, trip, devices)):
                got[key] += values
        trips_p50 = percentile(trips, 50)
        print("%s: %d, %d rounds" % (name, count, rounds))
        for key in ("copy", "closed", "receipt"):
            print("  %s  p50 is %5.1f of plain" % (line("%-8s" % key, got[key]), percentile(got[key], 50) / trips_p50))
        print("  %s" % line("%-8s" % "plain", trips), flush=True)
        return got


def connections(count, **more):
    def connect(b, r):
        clients = [b.client("alarm-1", "alarm-1.%d.%d" % (r, n), timeout=60, **more) for n in range(count)]
        for c in clients:
            assert c.subscribe(TOP + "device/+/ring", qos=0) == 0
        return clients
    return connect


def subscriptions(count):
    def connect(b, r):
        c = b.client("alarm-1", "alarm-1.%d" % r, timeout=60, clean=False, expiry=60)
        for n in range(0, count, 100):
            c.subscribe(*[TOP + "device/door-%d-%d/ring" % (r, m) for m in range(n, min(n + 100, count))], qos=0)
        return [c]
    return connect


def run():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    worst = 0.0
    for count in [int(a) for a in sys.argv[1:]] or [1, 100, 10000]:
        if hard != resource.RLIM_INFINITY and hard < count + 1000:
            print("connections: %d needs ulimit -n %d, there are %d: left out" % (count, count + 1000, hard))
            continue
        rounds = ROUNDS.get(count, 3)
        got = measure("connections", count, rounds, connections(count))
        if count == 100:
            worst = percentile(got["copy"], 99) * 1000
        if count >= 10000:
            measure("connections with a session", count, 1, connections(count, clean=False, expiry=3600))
        if count > 1:  # one is the same
            measure("subscriptions of one client", count, min(rounds, 10), subscriptions(count), max(DEVICES, count))
    return 1 if worst > LIMIT_MS else 0


if __name__ == "__main__":
    sys.exit(run())
