#!/usr/bin/python3
"""After kill -9, a restart or a lost connection: does the relay go on where it was, owe no answer, and send no bytes twice
that it had made durable?"""
import os
import signal
import subprocess
import time

import wire
from rig import CHUNK, Clip, TOP, data_of, run, wait_until

MARK = 4 << 20


def copy_resumes_from_the_last_mark_after_kill_9(rig):
    clip = rig.device.has(Clip(data_of(10 << 20)))
    limit = 6 << 20

    def until_limit(data, offset, length):
        for c in rig.device.well(data, offset, length):
            if wire.parse(c).get(2, 0) + CHUNK <= limit:
                yield c

    rig.device.serve = until_limit
    rig.start()
    rig.issue(clip.job())
    part = rig.path("clips", clip.object + ".part")
    wait_until(lambda: os.path.exists(part) and os.path.getsize(part) == limit, 20, "everything up to the limit is written")
    rig.kill()
    assert rig.stored(clip) is None
    rig.device.serve, rig.device.pulls, rig.device.served = rig.device.well, [], 0
    rig.start()
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data
    assert min(offset for _, offset, _ in rig.device.pulls) == MARK, "resumes at the mark"
    assert rig.device.served < (7 << 20), "does not pull again what was durable"


def spoilt_partial_file_is_found_by_the_hash(rig):
    clip = rig.device.has(Clip(data_of(6 << 20)))

    def first_five(data, offset, length):
        return rig.device.well(data, offset, length) if offset < (5 << 20) else iter(())

    rig.device.serve = first_five
    rig.start()
    rig.issue(clip.job())
    part = rig.path("clips", clip.object + ".part")
    wait_until(lambda: os.path.exists(part) and os.path.getsize(part) >= (5 << 20), 20, "five megabytes")
    rig.kill()
    with open(part, "r+b") as f:
        f.seek(1000)
        f.write(b"spoilt")
    rig.device.serve = rig.device.well
    rig.start()
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data and "event=copy_wrong" in rig.log_text()


def clean_stop_keeps_every_byte(rig):
    clip = rig.device.has(Clip(data_of(3 << 20)))
    rig.device.serve = lambda data, offset, length: rig.device.well(data, offset, length) if offset < (2 << 20) else iter(())
    rig.start()
    rig.issue(clip.job())
    part = rig.path("clips", clip.object + ".part")
    wait_until(lambda: os.path.exists(part) and os.path.getsize(part) == (2 << 20), 20, "two megabytes")
    assert rig.kill(signal.SIGTERM) == 0
    rig.device.serve, rig.device.pulls = rig.device.well, []
    rig.start()
    rig.report(wire.COPIED, clip)
    assert min(offset for _, offset, _ in rig.device.pulls) == 2 << 20


def unacknowledged_report_is_sent_again_after_restart(rig):
    clip = rig.device.has(Clip(data_of(100000)))
    rig.start()
    rig.issue(clip.job())
    first = rig.report(wire.COPIED, clip)
    rig.kill()
    # as if the PUBACK had not come: the row says so
    rig.sql("UPDATE job SET acked = 0")
    rig.start()
    again = rig.report(wire.COPIED, clip)
    assert (again.event_id, again.seq, again.job_id) == (first.event_id, first.seq, first.job_id)


def acknowledged_report_is_quiet_until_the_job_comes_again(rig):
    clip = rig.device.has(Clip(data_of(100000)))
    job = clip.job()
    rig.start()
    rig.issue(job)
    first = rig.report(wire.COPIED, clip)
    time.sleep(0.5)
    rig.kill()
    rig.start()
    rig.no_report(1.5)
    rig.device.pulls = []
    rig.issue(job)
    again = rig.report(wire.COPIED, clip)
    assert again.job_id == first.job_id and again.event_id != first.event_id and again.seq > first.seq
    assert rig.device.pulls == [], "answered from the row"


def every_point_of_death_ends_in_the_right_clip(rig):
    clip = rig.device.has(Clip(data_of(5 << 20)))
    job = clip.job()
    rig.jobs_on_sync = [job]
    rig.start()
    for n in range(8):
        time.sleep(0.005 * (n + 1))
        rig.kill()
        assert rig.stored(clip) in (None, clip.data)
        rig.start()
    wait_until(lambda: rig.stored(clip) == clip.data, 30, "stored in the end")
    rig.report(wire.COPIED, clip)


def jobs_of_the_sync_are_done(rig):
    clip = rig.device.has(Clip(data_of(50000)))
    rig.jobs_on_sync = [clip.job()]
    rig.start()
    rig.report(wire.COPIED, clip)


def broker_restart_in_the_middle_is_survived(rig):
    clip = rig.device.has(Clip(data_of(4 << 20)))
    gate = []
    rig.device.serve = lambda data, offset, length: rig.device.well(data, offset, length) if gate or offset < (1 << 20) else iter(())
    rig.start()
    rig.issue(clip.job())
    part = rig.path("clips", clip.object + ".part")
    wait_until(lambda: os.path.exists(part) and os.path.getsize(part) >= (1 << 20), 20, "a megabyte")
    rig.broker.terminate()
    rig.broker.wait()
    wait_until(lambda: "event=connection_lost" in rig.log_text(), 10, "noticed")
    gate.append(True)
    rig.device.pulls = []
    rig.plugin.on_connect = lambda c, *_: c.subscribe([(TOP + "relay/r1/report", 1), (TOP + "user/mover/sync", 1)])
    rig.device.client.on_connect = lambda c, *_: c.subscribe(TOP + "device/d1/pull/+/+", 0)
    rig.start_broker()
    rig.report(wire.COPIED, clip, 60)
    assert rig.stored(clip) == clip.data
    assert min(offset for _, offset, _ in rig.device.pulls) >= 1 << 20


def second_relay_on_the_same_state_is_refused(rig):
    rig.start()
    second = subprocess.run(rig.command(listen=None), capture_output=True, timeout=20)
    assert second.returncode == 69 and b"another process uses this state directory" in second.stderr, second


def damaged_outbox_is_refused_and_no_clip_is_swept(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    rig.kill(signal.SIGTERM)
    with open(rig.path("state", "outbox.db"), "r+b") as f:
        f.write(b"not a database at all")
    refused = subprocess.run(rig.command(), capture_output=True, timeout=20)
    assert refused.returncode == 69 and b"damaged" in refused.stderr, refused
    assert rig.stored(clip) == clip.data


if __name__ == "__main__":
    run(copy_resumes_from_the_last_mark_after_kill_9, spoilt_partial_file_is_found_by_the_hash, clean_stop_keeps_every_byte,
        unacknowledged_report_is_sent_again_after_restart, acknowledged_report_is_quiet_until_the_job_comes_again,
        every_point_of_death_ends_in_the_right_clip, jobs_of_the_sync_are_done, broker_restart_in_the_middle_is_survived,
        second_relay_on_the_same_state_is_refused, damaged_outbox_is_refused_and_no_clip_is_swept)
