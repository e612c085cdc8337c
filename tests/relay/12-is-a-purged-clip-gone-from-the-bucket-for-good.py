#!/usr/bin/python3
"""After a purge, a cancel or the end date: is the object gone from the bucket, in every version, and does not even an upload
that arrives late bring it back?"""
import os
import subprocess

import wire
from rig import Clip, data_of, wait_until
from s3rig import run


def purge_deletes_and_the_link_is_dead(rig):
    rig.start()
    clip = rig.store(Clip(data_of(100000)))
    link = rig.link(clip)
    job_id = rig.issue(clip.job(wire.PURGE))
    assert rig.report(wire.PURGED, clip).job_id == job_id
    assert rig.files() == [] and rig.get(link.url)[0] == 404
    rig.issue(clip.job(wire.LINK))
    rig.no_report(1)
    rig.issue(clip.job())
    rig.report(wire.PURGED, clip)
    assert rig.files() == []


def upload_that_takes_effect_late_is_deleted_again(rig):
    rig.start(s3_second_delete="3s")
    clip = rig.store(Clip(data_of(1000)))
    rig.issue(clip.job(wire.PURGE))
    rig.report(wire.PURGED, clip)
    assert rig.bucket.call("PUT", rig.key(clip), body=clip.data)[0] == 200  # as a server does with what it had in hand
    wait_until(lambda: rig.files() == [], 15, "deleted again")
    wait_until(lambda: rig.lines("settled"), 5, "told")
    rig.no_report(0.5)


def second_deletion_survives_kill_9(rig):
    rig.start(s3_second_delete="4s")
    clip = rig.store(Clip(data_of(1000)))
    rig.issue(clip.job(wire.PURGE))
    rig.report(wire.PURGED, clip)
    rig.kill()
    assert rig.bucket.call("PUT", rig.key(clip), body=clip.data)[0] == 200
    rig.start(s3_second_delete="4s")
    wait_until(lambda: rig.files() == [], 20, "deleted again")
    wait_until(lambda: rig.lines("settled"), 10, "told")


def purge_stops_a_running_upload(rig):
    rig.start(s3_second_delete="3s")
    clip = rig.device.has(Clip(data_of(64 << 20)))
    copy_id = rig.issue(clip.job())
    wait_until(lambda: rig.device.served >= len(clip.data), 60, "all pulled")
    purge_id = rig.issue(clip.job(wire.PURGE))
    assert {rig.report(wire.PURGED, clip).job_id, rig.report(wire.PURGED, clip).job_id} == {copy_id, purge_id}
    assert rig.files() == [] and rig.staged() == []
    wait_until(lambda: rig.lines("settled"), 15, "second deletion")
    assert rig.files() == []


def end_date_deletes(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000), life_s=4))
    wait_until(lambda: rig.files() == [], 15, "expired")
    rig.wait_line("expired")
    rig.no_report(0.5)
    assert clip


def sweep_takes_what_no_row_wants_and_nothing_else(rig):
    foreign = ["elsewhere/" + os.urandom(16).hex(), rig.prefix + "/readme.txt", rig.prefix + "/deeper/" + os.urandom(16).hex()]
    for key in foreign + [rig.prefix + "/" + os.urandom(16).hex() for _ in range(70)]:
        assert rig.bucket.call("PUT", key, body=b"x")[0] == 200
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    wait_until(lambda: len(rig.files()) == 4, 60, "swept")
    assert rig.files() == sorted(foreign + [rig.key(clip)])


def versioned_bucket_is_refused_unless_configured(rig):
    assert rig.bucket.set_versioning(True) == 200
    p = subprocess.run(rig.command(), capture_output=True, text=True, timeout=20)
    assert p.returncode == 69 and "is versioned" in p.stderr and "--s3-allow-versioned" in p.stderr, p
    rig.start(s3_allow_versioned=True)
    assert "versioned=yes" in rig.log_text()
    assert rig.bucket.set_versioning(False) == 200  # suspended: old versions are still there
    p = subprocess.run(rig.command(state=rig.path("clips")), capture_output=True, text=True, timeout=20)
    assert p.returncode == 69 and "is versioned" in p.stderr, p


def every_version_is_deleted(rig):
    assert rig.bucket.set_versioning(True) == 200
    clip = rig.device.has(Clip(data_of(100000)))
    for body in (b"an older version", b"another"):
        assert rig.bucket.call("PUT", rig.key(clip), body=body)[0] == 200
    rig.start(s3_allow_versioned=True)
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data and len(rig.bucket.versions()) == 3
    rig.issue(clip.job(wire.PURGE))
    rig.report(wire.PURGED, clip, 60)
    assert rig.bucket.versions() == []


def bucket_that_becomes_versioned_is_noticed_and_every_version_deleted(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    assert rig.bucket.set_versioning(True) == 200
    other = rig.store(Clip(data_of(1000, 2)))
    assert rig.lines("storage_versioned")
    for c in (clip, other):
        rig.issue(c.job(wire.PURGE))
        rig.report(wire.PURGED, c, 60)
    assert rig.bucket.versions() == [] and len(rig.lines("storage_versioned")) == 1


if __name__ == "__main__":
    run(purge_deletes_and_the_link_is_dead, upload_that_takes_effect_late_is_deleted_again, second_deletion_survives_kill_9,
        purge_stops_a_running_upload, end_date_deletes, sweep_takes_what_no_row_wants_and_nothing_else,
        versioned_bucket_is_refused_unless_configured, every_version_is_deleted,
        bucket_that_becomes_versioned_is_noticed_and_every_version_deleted)
