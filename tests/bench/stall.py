#!/usr/bin/python3
"""What others feel of a flood, and of a store that takes five seconds a commit: the round trip from a doorbell's PUBLISH to a member
of its home, while one device, one officer or strangers at the door send as fast as they can. A real broker on loopback, log as in
Debian's package.

Each flood is aimed at the broker that is measured (`here`), at a second one (`elsewhere`) and at one without the plugin whose own others
are measured (`bare`), in turns: `elsewhere` is what the flood costs on this machine whoever serves it, and `here` divided by it is what
the flooded broker costs its others; `bare` is what Mosquitto alone makes of it. `quiet` is without any flood. A line is over all turns. `store` is no flood: a member gives grants while a commit takes five seconds (`here`), and
while it takes what it takes (`elsewhere`).

    BUILD=build tests/bench/stall.py [FLOOD...|store]       default: all; TURNS=5 SAMPLES=150

Exit status 1 when a 99th percentile of `here` is above STALL_RATIO (default: no limit) times that of `elsewhere`."""
import contextlib
import os
import select
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "broker"), HERE]
from broker import *
from disk import Disk
from retraction import BURST, SLOT_MS, QuietBroker, percentile

TURNS, SAMPLES = int(os.environ.get("TURNS", "5")), int(os.environ.get("SAMPLES", "150"))
DOORS = 16      # so many others, one after the other: each may send BURST events whatever their times
COMMIT_MS = 5000


def town():
    rows = street() + police() + home("plain") + credential("paula", MEMBER, "plain", ADMIN)
    for n in range(DOORS):
        rows += device("door-%d" % n, "plain")
    return rows


# --- floods: generators of work for a process of its own; each step yields how much was sent so far ----------------------------------------------------

def flood_device(b, packets, who="front"):
    """These packets of one doorbell again and again; what comes back is read and thrown away."""
    front = b.client(who, timeout=60)
    front.sock.setblocking(False)
    data, at = b"".join(packets), 0
    while True:
        yield at * len(packets) // len(data)
        with contextlib.suppress(BlockingIOError):
            at += front.sock.send(data[at % len(data):])
        with contextlib.suppress(BlockingIOError):
            front.sock.recv(65536)
        select.select([front.sock], [front.sock], [], 0.05)


def publish_packet(topic, payload, qos=0, mid=1):
    body = mqtt5.binary(topic) + (struct.pack("!H", mid) if qos else b"") + b"\0" + payload
    return bytes([mqtt5.PUBLISH << 4 | qos << 1]) + mqtt5.varint(len(body)) + body


def motions(b):
    return flood_device(b, [publish_packet(TOP + "device/front/motion", motion(seq=n + 1)) for n in range(64)])


def rings(b):
    return flood_device(b, [publish_packet(TOP + "device/front/ring", ring(seq=n + 1), 1, n + 1) for n in range(64)])


def clips(b):
    return flood_device(b, [publish_packet(TOP + "device/front/clip-ready", clip_ready(seq=n + 1), 1, n + 1) for n in range(64)])


def statuses(b):
    return flood_device(b, [publish_packet(TOP + "device/front/status", w) for w in (b"online", b"sleeping")] * 32)


def nonsense(b):
    return flood_device(b, [publish_packet(TOP + "device/front/ring", b"\xff" * 20, 1, n + 1) for n in range(64)])


def chunks(b):
    clip = wire.uuid_text(wire.uuid7())
    payload = wire.field(1, 0) + wire.field(2, 0) + wire.field(3, bytes(60000))
    return flood_device(b, [publish_packet(TOP + "device/front/chunk/%s/alice" % clip, payload)])


def submits(b):
    """A thousand different requests of one officer, again and again."""
    body = lambda n: wire.message(wire.uuid7(), 1, 1, False, "26-%d" % n, "a window was forced while nobody was home")
    circle = wire.field(7, wire.field(1, 576491100 * 2) + wire.field(2, 104074400 * 2) + wire.field(3, 300))
    window = wire.field(8, now_ms() - 3600000) + wire.field(9, now_ms() - 10)
    return flood_device(b, [publish_packet(TOP + "agency/pd/command", head() + wire.field(8, body(n) + circle + window), 1, n)
                            for n in range(1, 1001)], "ines")


def strangers(b):
    """Logins with a name that nobody has, twenty at a time."""
    done = 0
    while True:
        yield done
        socks = []
        for n in range(20):
            name = "stranger-%d" % ((done + n) % 2000)
            body = mqtt5.binary("MQTT") + b"\x05\xc2\0\x3c\0" + mqtt5.binary(name + ".x") + mqtt5.binary(name) + mqtt5.binary("x" * 40)
            socks.append(socket.create_connection(("127.0.0.1", b.port), 60))
            socks[-1].sendall(bytes([mqtt5.CONNECT << 4]) + mqtt5.varint(len(body)) + body)
        for sock in socks:
            with sock:
                assert sock.recv(64)[3] == mqtt5.NOT_AUTHORIZED
        done += len(socks)


FLOODS = {"motions": motions, "rings": rings, "clips": clips, "statuses": statuses, "nonsense": nonsense, "chunks": chunks, "submits": submits,
          "strangers": strangers}


class BareBroker(QuietBroker):
    """Mosquitto with a password file in the plugin's place: the same names and passwords, nothing limited."""

    def _write_conf(self):
        path, passwords = super()._write_conf(), os.path.join(self.dir, "passwords")
        with open(passwords, "w") as f:
            f.writelines("%s:%s\n" % (name, token(name)) for name in ["front", "ines", "paula"] + ["door-%d" % n for n in range(DOORS)])
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, timeout=60)
        with open(path) as f:
            lines = [line for line in f if not line.startswith("plugin")]
        with open(path, "w") as f:
            f.writelines(["password_file %s\n" % passwords] + lines)
        return path


class Flood:
    """A process that sends until stopped; done is then how many packets (or logins) it was rid of."""

    def __init__(self, broker, work):
        self.go, child = socket.socketpair()
        self.pid = os.fork()
        if self.pid:
            child.close()
            assert self.go.recv(1) == b"r"
            return
        self.go.close()
        try:
            steps = work(broker)
            next(steps)
            child.sendall(b"r")
            done = 0
            while not select.select([child], [], [], 0)[0]:
                done = next(steps)
            child.sendall(b"%d" % done)
        finally:
            os._exit(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go.sendall(b"s")
        self.done = int(self.go.recv(20))
        self.go.close()
        os.waitpid(self.pid, 0)


# --- measuring ---------------------------------------------------------------------------------------------------------------------------

class Others:
    """Doorbells of another home and the member who hears them."""

    def __init__(self, b):
        self.paula = b.client("paula", timeout=60)
        self.doors = [b.client("door-%d" % n, timeout=60) for n in range(DOORS)]
        for c in [self.paula] + self.doors:
            c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert self.paula.subscribe(*[TOP + "device/door-%d/ring" % n for n in range(DOORS)], qos=0) == [0] * DOORS
        self.sent = 0

    def trip(self):
        n, seq = self.sent % DOORS, self.sent // DOORS + 1
        self.sent += 1
        assert seq <= BURST, "fewer TURNS or SAMPLES: no more is taken of a doorbell at once"
        payload = ring(seq=seq, at_ms=now_ms() - (BURST + 10 - seq) * SLOT_MS)
        began = time.monotonic()
        self.doors[n].start_publish(TOP + "device/door-%d/ring" % n, payload, qos=0)
        self.paula.expect(TOP + "device/door-%d/ring" % n, 60)
        return time.monotonic() - began

    def trips(self, count=SAMPLES, pause=0.002):
        got = []
        for _ in range(count):
            got.append(self.trip())
            time.sleep(pause)
        return got


def measure(name, work):
    got = {"quiet": [], "elsewhere": [], "bare": [], "here": []}
    rate = dict.fromkeys(("elsewhere", "bare", "here"), 0)
    with QuietBroker(town(), agencies="on") as here, QuietBroker(town(), agencies="on") as elsewhere, BareBroker() as bare:
        others, others_of_bare = Others(here), Others(bare)
        for _ in range(TURNS):
            got["quiet"] += others.trips()
            for where, b in (("elsewhere", elsewhere), ("bare", bare), ("here", here)):
                with Flood(b, work) as flood:
                    began = time.monotonic()
                    time.sleep(0.3)
                    got[where] += (others_of_bare if b is bare else others).trips()
                rate[where] += flood.done / (time.monotonic() - began) / TURNS
    name += ": " + ", ".join("%.0f a second %s" % (rate[where], where) for where in rate)
    return tell(name, got, "elsewhere")


def measure_store():
    got = {"elsewhere": [], "here": []}
    with Disk() as disk, QuietBroker(town()) as b:
        others, alice = Others(b), b.client("alice", timeout=60)
        assert alice.subscribe(TOP + "user/alice/reply") == 1
        for _ in range(TURNS):
            for where in got:
                began = time.monotonic()
                if where == "here":
                    disk.hold()
                for _ in range(2):
                    alice.publish(TOP + "home/maple/command", grant("alarm", RING_GRANT))
                    got[where] += others.trips(SAMPLES // 2, COMMIT_MS / 1000 / SAMPLES)
                time.sleep(max(0.0, began + COMMIT_MS / 1000 - time.monotonic()))
                assert where != "here" or not alice.pump(0), "nothing is recorded before the commit"
                disk.release()
                for _ in range(2):
                    alice.expect(TOP + "user/alice/reply", 60)
    return tell("store: commits of %d ms here, as they come elsewhere" % COMMIT_MS, got, "elsewhere")


def tell(name, got, base):
    print(name)
    for key, values in got.items():
        ratio = percentile(values, 99) / percentile(got[base], 99)
        print("  %-9s p50 %7.2f p99 %7.2f max %7.2f ms   p99 is %4.2f of %s" %
              (key, *(percentile(values, p) * 1000 for p in (50, 99, 100)), ratio, base), flush=True)
    return percentile(got["here"], 99) / percentile(got[base], 99)


def main_():
    limit = float(os.environ.get("STALL_RATIO", "inf"))
    ratios = [measure_store() if name == "store" else measure(name, FLOODS[name]) for name in sys.argv[1:] or [*FLOODS, "store"]]
    return int(max(ratios) > limit)


if __name__ == "__main__":
    sys.exit(main_())
