#!/usr/bin/python3
"""The relay dies as after a kill -9 at each named step of a job (lib/failpoint.h), with a real bucket: is the job done
all the same after the next start, once, and is nothing wrong ever in the bucket?"""
import os
import re
import subprocess
import time

import rig as rooms
import wire
from rig import Clip, data_of
from s3rig import run

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
COPY_POINTS = ["job-recorded", "copy-begun", "copy-marked", "copy-verified", "s3-put-sent", "s3-put-answered", "copy-committed",
               "copy-stored", "report-sent", "report-acked"]
PURGE_POINTS = ["purge-arrived", "purge-recorded", "s3-delete-sent", "s3-delete-answered", "purge-removed", "purge-done", "report-sent",
                "s3-settled"]


def build_with_failpoints():
    where = os.path.abspath(os.path.join(rooms.BUILD, "failpoints"))
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "SAN", "CFLAGS")}
    subprocess.run(["make", "-s", "-C", TOP, "BUILD=" + where, "CFLAGS=-O1 -DVESTIBULE_FAILPOINTS", where + "/bin/vestibule-relay"],
                   check=True, env=env, stdout=subprocess.DEVNULL)
    rooms.BUILD = where


def dies_at(rig, point, job):
    """Starts with that failpoint, hands it the job, and waits for the end that it brings."""
    rig.extra_env = {"VESTIBULE_FAIL": point}
    for left in (2, 1, 0):  # it may die at once of what an earlier clip left to do (its second DELETE, a report): then again
        try:
            rig.start(s3_second_delete="1s")
            break
        except AssertionError:
            if left == 0 or rig.relay.poll() != 137:
                raise
            rig.pump.join(10)
    rig.issue(job)
    assert rig.relay.wait(40) == 137, point
    rig.pump.join(10)


def revive(rig, job):
    """The next start; the plugin issues again what nobody answered."""
    rig.extra_env = {}
    rig.jobs_on_sync = [job]
    rig.start(s3_second_delete="1s")
    rig.jobs_on_sync = []


def let_settle(rig, seconds=0.5):
    """The acknowledgement of the last report is in the outbox: else the next start sends it again, and an armed one dies of that."""
    time.sleep(seconds)
    rig.kill()


def drain(rig, kind, clip):
    """A report of that kind about that clip; what was not acknowledged before the kill may come again before it."""
    while True:
        report = rig.reports.get(timeout=40)
        if (report.object, report.kind) == (clip.object, kind):
            return
        assert report.object in rig.known and report.kind in (wire.COPIED, wire.PURGED), report


def copy_survives_death_at_every_step(rig):
    rig.known = set()
    for n, point in enumerate(COPY_POINTS):
        clip = rig.device.has(Clip(data_of(5 << 20, n)))
        rig.known.add(clip.object)
        job = clip.job()
        dies_at(rig, point, job)
        assert rig.stored(clip) in (None, clip.data), point
        revive(rig, job)
        drain(rig, wire.COPIED, clip)
        assert rig.stored(clip) == clip.data and rig.staged() == [], point
        let_settle(rig)
    assert len(rig.files()) == len(COPY_POINTS)


def purge_survives_death_at_every_step(rig):
    rig.known = set()
    for n, point in enumerate(PURGE_POINTS):
        rig.extra_env = {}
        rig.start(s3_second_delete="1s")
        clip = rig.device.has(Clip(data_of(100000, n)))
        rig.known.add(clip.object)
        rig.issue(clip.job())
        drain(rig, wire.COPIED, clip)
        let_settle(rig, 2)  # and the second DELETE of the clip before
        job = clip.job(wire.PURGE)
        dies_at(rig, point, job)
        revive(rig, job)
        drain(rig, wire.PURGED, clip)
        assert rig.files() == [], point
        let_settle(rig)


def every_failpoint_of_the_source_is_tried(rig):
    found = set()
    folder = os.path.join(TOP, "clients", "relay")
    for name in os.listdir(folder):
        if name.endswith(".c"):
            with open(os.path.join(folder, name)) as f:
                found |= set(re.findall(r'failpoint_hit\("([a-z0-9-]+)"\)', f.read()))
    assert found == set(COPY_POINTS + PURGE_POINTS), found ^ set(COPY_POINTS + PURGE_POINTS)
    assert rig


if __name__ == "__main__":
    build_with_failpoints()
    run(copy_survives_death_at_every_step, purge_survives_death_at_every_step, every_failpoint_of_the_source_is_tried)
