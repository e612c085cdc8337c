#!/usr/bin/python3
"""With a full disk, or a storage that is away: is nothing reported that is not so, does a purge still bite, and does the relay
recover without a restart? A file size limit of the running process plays the full disk: writes fail just so."""
import os
import resource
import time

import wire
from rig import Clip, data_of, path_of, run, wait_until


def limit(rig, size):
    resource.prlimit(rig.relay.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def clip_that_does_not_fit_waits_and_is_stored_when_there_is_room(rig):
    clip = rig.device.has(Clip(data_of(3 << 20)))
    rig.start()
    limit(rig, 1 << 20)
    rig.issue(clip.job())
    wait_until(lambda: "event=storage_failed" in rig.log_text(), 20, "told")
    rig.no_report(1.5)
    assert rig.stored(clip) is None
    limit(rig, resource.RLIM_INFINITY)
    rig.report(wire.COPIED, clip, 40)
    assert rig.stored(clip) == clip.data


def purge_bites_while_nothing_can_be_recorded(rig):
    rig.start()
    clip = rig.store(Clip(data_of(100000)))
    link = rig.link(clip)
    limit(rig, 0)
    purge = clip.job(wire.PURGE)
    rig.issue(purge)
    wait_until(lambda: rig.files() == [], 5, "deleted all the same")
    assert rig.http(path_of(link.url))[0] == 404
    rig.no_report(1)
    assert "outbox_failed" in rig.log_text()
    limit(rig, resource.RLIM_INFINITY)
    rig.issue(purge)  # as the plugin does until it is told
    rig.report(wire.PURGED, clip)


def copy_is_not_reported_before_it_is_recorded(rig):
    clip = rig.device.has(Clip(data_of(60000)))
    rig.start()
    wal = rig.path("state", "outbox.db-wal")
    while os.path.getsize(wal) < 300000:
        rig.issue(Clip(b"x").job(wire.CANCEL))
        rig.report(wire.PURGED)
    limit(rig, 100000)  # room for the clip, none at the end of the outbox's journal
    job = clip.job()
    for n in range(2):
        rig.issue(job)  # not even the job can be recorded: nothing is begun
        time.sleep(1)
    assert rig.files() == [] and "event=outbox_failed" in rig.log_text()
    limit(rig, resource.RLIM_INFINITY)
    gate = []

    def when_open(data, offset, length):
        while not gate:
            time.sleep(0.02)
        yield from rig.device.well(data, offset, length)

    rig.device.serve = when_open
    rig.issue(job)
    wait_until(lambda: rig.files() == [clip.object + ".part"], 10, "under way")
    limit(rig, 100000)
    gate.append(True)
    wait_until(lambda: rig.stored(clip) == clip.data, 10, "stored")
    rig.no_report(2.5)
    limit(rig, resource.RLIM_INFINITY)
    rig.report(wire.COPIED, clip)


if __name__ == "__main__":
    run(clip_that_does_not_fit_waits_and_is_stored_when_there_is_room, purge_bites_while_nothing_can_be_recorded,
        copy_is_not_reported_before_it_is_recorded)
