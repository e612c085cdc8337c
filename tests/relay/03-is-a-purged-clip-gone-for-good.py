#!/usr/bin/python3
"""After a purge, a cancel or the end date: is the object gone, proven gone before it is reported, and does nothing bring
it back?"""
import os
import signal
import socket
import time

import wire
from rig import Clip, data_of, path_of, run, wait_until


def i23_purge_deletes_and_link_is_404(rig):
    rig.start()
    clip = rig.store(Clip(data_of(100000)))
    link = rig.link(clip)
    job_id = rig.issue(clip.job(wire.PURGE))
    assert rig.report(wire.PURGED, clip).job_id == job_id
    assert rig.files() == []
    assert rig.http(path_of(link.url))[0] == 404
    rig.issue(clip.job(wire.LINK))
    rig.no_report(1)


def late_copy_after_a_purge_is_refused_and_reported_purged(rig):
    rig.start()
    clip = rig.store(Clip(data_of(100000)))
    rig.issue(clip.job(wire.PURGE))
    rig.report(wire.PURGED, clip)
    for restart in (False, True):
        if restart:
            rig.kill()
            rig.start()
        rig.device.pulls = []
        job_id = rig.issue(clip.job())
        # an earlier report may come once more, if the relay died before it heard that it had arrived
        while rig.report(wire.PURGED, clip).job_id != job_id:
            pass
        assert rig.files() == [] and rig.device.pulls == []


def cancel_of_an_object_never_seen_bars_its_copy(rig):
    clip = rig.device.has(Clip(data_of(1000)))
    rig.start()
    rig.issue(clip.job(wire.CANCEL))
    rig.report(wire.PURGED, clip)
    rig.issue(clip.job())
    rig.report(wire.PURGED, clip)
    assert rig.files() == [] and rig.device.pulls == []


def purge_stops_a_running_copy(rig):
    clip = rig.device.has(Clip(data_of(8 << 20)))

    def slowly(data, offset, length):
        for c in rig.device.well(data, offset, length):
            time.sleep(0.05)
            yield c

    rig.device.serve = slowly
    rig.start()
    copy_id = rig.issue(clip.job())
    wait_until(lambda: rig.files() == [clip.object + ".part"], 10, "under way")
    purge_id = rig.issue(clip.job(wire.PURGE))
    assert {rig.report(wire.PURGED, clip).job_id, rig.report(wire.PURGED, clip).job_id} == {copy_id, purge_id}
    assert rig.files() == []
    asked = len(rig.device.pulls)
    time.sleep(1)
    assert rig.files() == [] and len(rig.device.pulls) <= asked + 4
    assert rig.stored(clip) is None


def purge_cuts_off_a_running_download(rig):
    rig.start()
    clip = rig.store(Clip(data_of(32 << 20)))
    link = rig.link(clip)
    with socket.create_connection(("127.0.0.1", rig.http_port)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path_of(link.url).encode())
        assert s.recv(16).startswith(b"HTTP/1.1 200")
        rig.issue(clip.job(wire.PURGE))
        rig.report(wire.PURGED, clip)
        s.settimeout(30)
        got = 0
        while True:
            try:
                block = s.recv(1 << 20)
            except ConnectionResetError:
                break
            if not block:
                break
            got += len(block)
    assert got < 16 << 20, "only what was in buffers came: %d" % got


def i23_purge_is_finished_after_a_crash(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    # a file that cannot be unlinked: the object's name is a directory that is not empty
    os.rename(rig.path("clips", clip.object), rig.path("moved"))
    os.makedirs(rig.path("clips", clip.object, "stone"))
    rig.issue(clip.job(wire.PURGE))
    rig.no_report(2)
    assert "event=storage_failed" in rig.log_text()
    rig.kill()
    rig.start()
    rig.no_report(1)
    os.rmdir(rig.path("clips", clip.object, "stone"))
    os.rmdir(rig.path("clips", clip.object))
    rig.report(wire.PURGED, clip, 60)


def i23_end_date_deletes_without_being_asked(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000), life_s=4))
    other = rig.store(Clip(data_of(1000, 2), life_s=3600))
    wait_until(lambda: rig.files() == [other.object], 10, "deleted")
    rig.no_report(0.5)
    rig.issue(clip.job())
    rig.report(wire.PURGED, clip)
    rig.issue(clip.job(wire.LINK))
    rig.no_report(1)


def end_date_stops_a_copy_that_waits(rig):
    clip = rig.device.has(Clip(data_of(1 << 20), life_s=2))
    rig.device.serve = lambda *_: iter(())
    rig.start()
    job_id = rig.issue(clip.job())
    assert rig.report(wire.PURGED, clip).job_id == job_id
    assert rig.files() == []
    asked = len(rig.device.pulls)
    assert asked
    rig.device.serve = rig.device.well
    time.sleep(4)
    assert len(rig.device.pulls) == asked and rig.files() == []


def start_sweeps_objects_without_a_row(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    time.sleep(0.5)  # until the relay has heard that its report arrived: else it would come again
    rig.kill(signal.SIGTERM)
    for name in ("a" * 32, "b" * 32 + ".part"):
        with open(rig.path("clips", name), "wb") as f:
            f.write(b"orphan")
    with open(rig.path("clips", "README"), "w") as f:
        f.write("not ours")
    rig.start()
    wait_until(lambda: rig.files() == sorted(["README", clip.object]), 10, "swept")
    rig.no_report(0.5)


if __name__ == "__main__":
    run(i23_purge_deletes_and_link_is_404, late_copy_after_a_purge_is_refused_and_reported_purged,
        cancel_of_an_object_never_seen_bars_its_copy, purge_stops_a_running_copy, purge_cuts_off_a_running_download,
        i23_purge_is_finished_after_a_crash, i23_end_date_deletes_without_being_asked, end_date_stops_a_copy_that_waits,
        start_sweeps_objects_without_a_row)
