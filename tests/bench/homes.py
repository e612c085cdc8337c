#!/usr/bin/python3
"""What a big bus costs while it idles: the broker with N homes of two devices, each device with three standing grants (ring, motion,
clip), of one adult to one integrator. Start (until it listens), memory, and the longest gap between two answers to a client that
pings without a pause: consent looks through what time has ended once a second, and nobody else is served meanwhile.

    BUILD=build tests/bench/homes.py [HOMES...]         default: 0 10000"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "broker"))
from broker import *

SECONDS = 6


def rows_of(homes):
    rows = [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm")
    for n in range(homes):
        rows += home("home-%d" % n) + credential("adult-%d" % n, MEMBER, "home-%d" % n, ADMIN)
        for d in range(2):
            rows += device("door-%d-%d" % (n, d), "home-%d" % n)
            for kind in (RING_GRANT, MOTION_GRANT, CLIP_GRANT):
                rows += standing("alarm", "home-%d" % n, kind, "door-%d-%d" % (n, d), actor="adult-%d" % n)
    return rows


def rss_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(homes):
    with Broker(rows_of(homes), start=False) as b:
        began = time.monotonic()
        b.start()
        took = time.monotonic() - began
        with b.client("alarm-1", timeout=60) as c:
            time.sleep(2)
            cpu = cpu_seconds(b.process.pid)
            time.sleep(SECONDS)
            cpu = (cpu_seconds(b.process.pid) - cpu) / SECONDS
            gaps, end = [], time.monotonic() + SECONDS
            while time.monotonic() < end:
                at = time.monotonic()
                c.ping()
                gaps.append(time.monotonic() - at)
        gaps.sort()
        print("homes %6d: start %6.0f ms, %8d KiB, idle %4.1f %% of a core, ping p50 %6.3f ms, longest %6.1f %6.1f %6.1f ms" %
              (homes, took * 1000, rss_kib(b.process.pid), cpu * 100, gaps[len(gaps) // 2] * 1000,
               *(g * 1000 for g in gaps[-1:-4:-1])), flush=True)


for each in [int(a) for a in sys.argv[1:]] or [0, 10000]:
    measure(each)
