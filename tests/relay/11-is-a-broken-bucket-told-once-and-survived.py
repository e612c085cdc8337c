#!/usr/bin/python3
"""Wrong secret, wrong bucket, a clock that is 20 minutes off, no server: does the relay say so in one clear line, keep every
job, and go on by itself when it is mended?"""
import os
import subprocess
import time

import wire
from rig import Clip, data_of, free_port, wait_until
from s3rig import run

HERE = os.path.dirname(os.path.abspath(__file__))


def alarms(rig):
    return rig.lines("storage_paused") + rig.lines("storage_failed")


def told_once_kept_and_recovered(rig, clip, mend, *words):
    """The job waits without a report while it is broken; one line says why; mending is enough."""
    rig.wait_line("storage_paused", *words)
    rig.issue(clip.job())
    rig.no_report(3)
    assert len(alarms(rig)) == 1, alarms(rig)
    mend()
    rig.report(wire.COPIED, clip, 40)
    assert rig.stored(clip) == clip.data
    assert len(alarms(rig)) == 1 and rig.lines("storage_ready"), alarms(rig)


def wrong_secret_is_told_and_mended_by_a_new_file(rig):
    rig.keys(secret="not-the-secret")
    rig.start()
    clip = rig.device.has(Clip(data_of(100000)))
    told_once_kept_and_recovered(rig, clip, rig.keys, "wrong key or secret", "SignatureDoesNotMatch")
    assert "not-the-secret" not in rig.log_text() and "testing" not in rig.log_text()


def unknown_access_key_is_told(rig):
    rig.keys(access="nobody:atall")
    rig.start()
    clip = rig.device.has(Clip(data_of(1000)))
    told_once_kept_and_recovered(rig, clip, rig.keys, "403")


def secret_that_is_changed_while_it_runs_is_told_and_mended(rig):
    rig.start()
    rig.store(Clip(data_of(1000)))
    rig.keys(secret="changed")
    clip = rig.device.has(Clip(data_of(100000, 2)))
    rig.issue(clip.job())
    rig.wait_line("storage_paused", "wrong key or secret")
    rig.no_report(2)
    rig.keys()
    rig.report(wire.COPIED, clip, 40)
    assert len(alarms(rig)) == 1 and len(rig.lines("storage_ready")) == 2


def wrong_bucket_is_told_and_mended_by_making_it(rig):
    missing = rig.swift.bucket("m" + os.urandom(6).hex())
    rig.bucket = missing
    rig.start()
    clip = rig.device.has(Clip(data_of(100000)))
    told_once_kept_and_recovered(rig, clip, missing.make, "no such bucket", "NoSuchBucket")


def bucket_that_vanishes_while_it_runs_is_told(rig):
    rig.start()
    assert rig.bucket.call("DELETE")[0] == 204
    clip = rig.device.has(Clip(data_of(100000)))
    rig.issue(clip.job())
    rig.wait_line("storage_paused", "no such bucket")
    rig.no_report(2)
    rig.bucket.make()
    rig.report(wire.COPIED, clip, 40)
    assert len(alarms(rig)) == 1 and rig.stored(clip) == clip.data


def server_that_is_down_at_start_is_told_and_met_when_it_comes(rig):
    rig.swift.pause()
    try:
        rig.start()
        clip = rig.device.has(Clip(data_of(100000)))
        told_once_kept_and_recovered(rig, clip, rig.swift.resume, "connect to server")
    finally:
        rig.swift.resume() if not server_is_up(rig) else None


def server_is_up(rig):
    return rig.port_is_open(int(rig.endpoint.rsplit(":", 1)[1]))


def server_that_goes_down_keeps_copies_and_deletions(rig):
    rig.start()
    old = rig.store(Clip(data_of(1000)))
    rig.swift.pause()
    try:
        clip = rig.device.has(Clip(data_of(100000, 2)))
        rig.issue(clip.job())
        rig.issue(old.job(wire.PURGE))
        rig.wait_line("storage_paused", "connect to server")
        rig.no_report(3)
        rig.issue(old.job(wire.LINK))
        rig.no_report(1)
    finally:
        rig.swift.resume()
    back = time.monotonic()
    reports = {rig.reports.get(timeout=60).kind, rig.reports.get(timeout=60).kind}
    assert reports == {wire.COPIED, wire.PURGED} and time.monotonic() - back < 60  # I23
    assert rig.files() == [rig.key(clip)] and rig.stored(clip) == clip.data
    assert len(rig.lines("storage_paused")) == 1


def clock_that_is_20_minutes_off_is_told_and_the_servers_taken(rig):
    shared = rig.path("clock_off.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shared, os.path.join(HERE, "clock_off.c")], check=True)
    off = rig.path("off")
    rig.extra_env = {"LD_PRELOAD": shared, "CLOCK_OFF_FILE": off}
    for seconds in (-1200, 1200):
        with open(off, "w") as f:
            f.write("%d" % seconds)
        told = len(rig.lines("storage_clock"))
        rig.start()
        clip = rig.store(Clip(data_of(100000, seconds)))
        lines = rig.lines("storage_clock")
        assert len(lines) == told + 1 and "differ" in lines[-1] and not alarms(rig), lines
        ahead = int(lines[-1].rsplit("ahead_s=", 1)[1])
        assert abs(ahead + seconds) < 30, lines
        link = rig.link(clip, exp_ms=int((time.time() + 60) * 1000) + 1200000)
        assert rig.get(link.url)[0] == 200
        rig.kill()
        rig.sql("UPDATE number SET value = 0 WHERE name = 'floor_ms'")
    with open(off, "w") as f:
        f.write("1200")
    rig.start()
    rig.store(Clip(data_of(1000, 5)))
    with open(off, "w") as f:  # somebody sets the clock right
        f.write("0")
    # the clock judge waits a minute before it trusts a clock that stepped back; deletions do not wait
    clip = Clip(data_of(10, 6))
    rig.issue(clip.job(wire.PURGE))
    rig.report(wire.PURGED, clip)


def what_is_no_s3_server_is_told(rig):
    rig.endpoint = "http://127.0.0.1:%d" % rig.port  # the broker
    rig.start()
    rig.wait_line("storage_paused")
    assert len(alarms(rig)) == 1


def wrong_options_and_files_are_refused_with_a_sentence(rig):
    cases = (({"s3_endpoint": "ftp://x"}, "s3-endpoint"), ({"s3_endpoint": "http://h/path"}, "s3-endpoint"),
             ({"s3_endpoint": None}, "s3-endpoint"), ({"storage": "s3:UPPER"}, "storage"), ({"storage": "s3:ok/../x"}, "storage"),
             ({"storage": "s3:ok//x"}, "storage"), ({"s3_style": "host"}, "s3-style"), ({"s3_region": "A B"}, "s3-region"),
             ({"s3_credentials": None}, "s3-credentials"), ({"s3_sse": "rot13"}, "s3-sse"),
             ({"s3_cafile": "/nonexistent"}, "s3-cafile"), ({"s3_second_delete": "1ms"}, "s3-second-delete"),
             ({"listen": "127.0.0.1:%d" % free_port()}, "listen"), ({"storage": "dir:" + rig.path("clips")}, "storage"))
    for change, word in cases:
        p = subprocess.run(rig.command(**change), capture_output=True, text=True, timeout=20)
        assert p.returncode == 64 and word in p.stderr, (change, p)
    os.chmod(rig.path("s3.keys"), 0o644)
    p = subprocess.run(rig.command(), capture_output=True, text=True, timeout=20)
    assert p.returncode == 64 and "others may read it" in p.stderr, p
    os.chmod(rig.path("s3.keys"), 0o600)
    with open(rig.path("s3.keys"), "w") as f:
        f.write("access_key = a\n")
    for more in ({}, {"check": True}):
        p = subprocess.run(rig.command(**more), capture_output=True, text=True, timeout=20)
        assert p.returncode == 64 and "secret_key" in p.stderr, p
    rig.keys()
    assert subprocess.run(rig.command(check=True), timeout=20).returncode == 0


def full_disk_of_the_state_directory_lies_about_nothing(rig):
    import resource
    rig.start()
    resource.prlimit(rig.relay.pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    clip = rig.device.has(Clip(data_of(3 << 20)))
    rig.issue(clip.job())
    rig.wait_line("storage_failed", "File too large")
    rig.no_report(2)
    assert rig.files() == []
    resource.prlimit(rig.relay.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    rig.report(wire.COPIED, clip, 40)
    assert rig.stored(clip) == clip.data and rig.staged() == []
    resource.prlimit(rig.relay.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    purge = clip.job(wire.PURGE)
    rig.issue(purge)
    wait_until(lambda: rig.files() == [], 10, "deleted all the same")
    rig.no_report(1)
    resource.prlimit(rig.relay.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    rig.issue(purge)
    rig.report(wire.PURGED, clip)


if __name__ == "__main__":
    run(wrong_secret_is_told_and_mended_by_a_new_file, unknown_access_key_is_told,
        secret_that_is_changed_while_it_runs_is_told_and_mended, wrong_bucket_is_told_and_mended_by_making_it,
        bucket_that_vanishes_while_it_runs_is_told, server_that_is_down_at_start_is_told_and_met_when_it_comes,
        server_that_goes_down_keeps_copies_and_deletions, clock_that_is_20_minutes_off_is_told_and_the_servers_taken,
        what_is_no_s3_server_is_told, wrong_options_and_files_are_refused_with_a_sentence,
        full_disk_of_the_state_directory_lies_about_nothing)
