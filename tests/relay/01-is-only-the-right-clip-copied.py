#!/usr/bin/python3
"""Is a clip stored and reported copied only when its length and SHA-256 are what the job says, whatever the device does?"""
import os

import wire
from rig import CHUNK, Clip, TOP, data_of, run, wait_until


def whole_clip_is_stored_and_reported_once(rig):
    clip = rig.device.has(Clip(data_of(8 << 20)))
    rig.start()
    job_id = rig.issue(clip.job())
    r = rig.report(wire.COPIED, clip)
    assert (r.job_id, r.length, r.sha256) == (job_id, len(clip.data), clip.sha256)
    assert rig.stored(clip) == clip.data
    assert os.stat(rig.path("clips", clip.object)).st_mode & 0o777 == 0o600
    assert rig.files() == [clip.object]
    rig.no_report(1.5)


def sizes_around_chunk_and_window_are_exact(rig):
    rig.start()
    for size in (1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, (1 << 20) - 1, (1 << 20) + 1):
        clip = rig.store(Clip(data_of(size, size)))
        assert rig.stored(clip) == clip.data


def dropped_and_reordered_chunks_are_asked_again(rig):
    clip = rig.device.has(Clip(data_of(2 << 20)))
    dropped = set()

    def badly(data, offset, length):
        chunks = list(rig.device.well(data, offset, length))
        for n, c in enumerate(reversed(chunks)):
            if n == 1 and offset not in dropped:
                dropped.add(offset)
            else:
                yield c

    rig.device.serve = badly
    rig.start()
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip, 40)
    assert dropped and rig.stored(clip) == clip.data


def wrong_bytes_are_never_visible_and_right_ones_follow(rig):
    clip = rig.device.has(Clip(data_of(600000)))

    def lying(data, offset, length):
        yield from rig.device.well(data[:-1] + bytes([data[-1] ^ 1]), offset, length)

    rig.device.serve = lying
    rig.start()
    rig.issue(clip.job())
    wait_until(lambda: rig.log_text().count("event=copy_wrong") >= 2, 20, "told twice")
    assert rig.stored(clip) is None
    rig.no_report(0.5)
    rig.device.serve = rig.device.well
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data


def shorter_and_longer_clips_are_wrong(rig):
    short, long = Clip(data_of(300000)), Clip(data_of(300000, 2))
    for clip, data in ((short, short.data[:-1]), (long, long.data + b"x")):
        rig.device.has(clip)
        clip.job_bytes = clip.job()
        clip.data = data
    rig.start()
    rig.issue(short.job_bytes)
    wait_until(lambda: "event=copy_wrong" in rig.log_text(), 20, "told")
    assert rig.stored(short) is None
    # of the longer one exactly what the job names is asked for; that hashes right, and no more is stored
    rig.issue(long.job_bytes)
    rig.report(wire.COPIED, long)
    assert len(rig.stored(long)) == 300000 and rig.stored(short) is None


def gone_is_reported_and_nothing_is_kept(rig):
    clip = Clip(data_of(100000))
    rig.start()
    job_id = rig.issue(clip.job())
    assert rig.report(wire.GONE, clip).job_id == job_id
    assert rig.files() == []
    rig.issue(clip.job())
    rig.report(wire.GONE, clip)


def job_that_contradicts_the_row_is_refused(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    other = rig.device.has(Clip(data_of(1000, 2)))
    other.object = clip.object
    rig.issue(other.job())
    wait_until(lambda: "event=job_contradicts" in rig.log_text(), 10, "told")
    rig.no_report(1)
    assert rig.stored(clip) == clip.data


def two_grants_of_one_clip_become_two_objects(rig):
    first, second = Clip(data_of(700000)), Clip(data_of(700000))
    second.id = first.id
    rig.device.has(first)
    rig.start()
    rig.issue(first.job())
    rig.issue(second.job())
    assert {rig.report(wire.COPIED).object for _ in range(2)} == {first.object, second.object}
    assert rig.stored(first) == rig.stored(second) == first.data


def malformed_jobs_and_chunks_change_nothing(rig):
    clip = rig.device.has(Clip(data_of(1 << 20)))
    rig.start()
    chunk_topic = TOP + "device/d1/chunk/%s/mover" % wire.uuid_text(clip.id)
    for bad in (b"", b"\xff" * 40, wire.job(wire.COPY, "../../etc/passwd", "d1", clip.id, 5, clip.sha256, clip.exp_ms),
                wire.job(9, clip.object), wire.job(wire.COPY, clip.object), wire.job(wire.PURGE, clip.object[:-1])):
        rig.plugin.publish(TOP + "relay/r1/job", bad, 1)

    def with_noise(data, offset, length):
        for noise in (b"\xff\xff", wire.chunk(1 << 60, b"x" * 10), wire.chunk(offset, b"y" * 70000)):
            rig.device.client.publish(chunk_topic, noise)
        yield from rig.device.well(data, offset, length)

    rig.device.serve = with_noise
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data and rig.files() == [clip.object]


def silent_device_is_tried_until_it_answers(rig):
    clip = rig.device.has(Clip(data_of(200000)))
    rig.device.serve = lambda *_: iter(())
    rig.start()
    rig.issue(clip.job())
    wait_until(lambda: len(rig.device.pulls) >= 2, 20, "asked again")
    rig.device.serve = rig.device.well
    rig.report(wire.COPIED, clip, 30)


def many_clips_at_once_all_arrive(rig):
    clips = [rig.device.has(Clip(data_of(900000, n), device="d%d" % (1 + n % 2))) for n in range(12)]
    rig.start()
    for clip in clips:
        rig.issue(clip.job())
    assert {rig.report(wire.COPIED).object for _ in clips} == {c.object for c in clips}
    assert all(rig.stored(c) == c.data for c in clips)


if __name__ == "__main__":
    run(whole_clip_is_stored_and_reported_once, sizes_around_chunk_and_window_are_exact,
        dropped_and_reordered_chunks_are_asked_again, wrong_bytes_are_never_visible_and_right_ones_follow,
        shorter_and_longer_clips_are_wrong, gone_is_reported_and_nothing_is_kept, job_that_contradicts_the_row_is_refused,
        two_grants_of_one_clip_become_two_objects, malformed_jobs_and_chunks_change_nothing,
        silent_device_is_tried_until_it_answers, many_clips_at_once_all_arrive)
