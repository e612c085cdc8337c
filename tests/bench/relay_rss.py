#!/usr/bin/python3
"""Peak memory of vestibule-relay (VmHWM) by the length of a clip, and of four clips at once: it must not depend on the length.
A stock broker on loopback, a device in Python that answers every pull at once; each line is a fresh relay.

    BUILD=build tests/bench/relay_rss.py [MEGABYTES...]     default: 8 500; needs twice the sum free in the temporary folder

Exit status 1 when a peak is above RELAY_RSS_MIB (default 32)."""
import mmap
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "relay"))
import wire
from rig import Clip, Rig

LIMIT_KIB = int(os.environ.get("RELAY_RSS_MIB", "32")) * 1024


def file_clip(rig, megabytes):
    """A clip that lies in a file, so that the device needs no memory for it either."""
    path = rig.path("source-%s" % os.urandom(4).hex())
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for n in range(megabytes):
            f.write(n.to_bytes(8, "big") + block[8:])
    with open(path, "rb") as f:
        return Clip(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ))


def measure(megabytes, count):
    with Rig() as rig:
        clips = [rig.device.has(file_clip(rig, megabytes)) for _ in range(count)]
        rig.start()
        idle, began = rig.rss_kib(), time.monotonic()
        for clip in clips:
            rig.issue(clip.job())
        for _ in clips:
            rig.report(wire.COPIED, seconds=600)
        took, peak = time.monotonic() - began, rig.rss_kib()
        print("relay rss: %d x %4d MB  peak %6d KiB  idle %6d KiB  %6.1f MB/s" %
              (count, megabytes, peak, idle, count * megabytes / took), flush=True)
        return peak


peaks = [measure(int(size), 1) for size in sys.argv[1:] or ("8", "500")] + [measure(64, 4)]
sys.exit(1 if max(peaks) > LIMIT_KIB else 0)
