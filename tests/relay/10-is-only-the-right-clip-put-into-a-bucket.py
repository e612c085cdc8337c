#!/usr/bin/python3
"""On a real S3 server: does exactly the clip of the job arrive, under its name, once, readable through a short link alone?"""
import hashlib
import signal
import time
import urllib.parse

import wire
from rig import Clip, data_of, wait_until
from s3rig import run


def clip_arrives_whole_with_its_hash(rig):
    rig.start()
    clip = rig.device.has(Clip(data_of(3 << 20)))
    rig.issue(clip.job())
    report = rig.report(wire.COPIED, clip)
    assert (report.length, report.sha256) == (len(clip.data), clip.sha256)
    assert rig.stored(clip) == clip.data and rig.files() == [rig.key(clip)]
    status, _, headers = rig.bucket.call("HEAD", rig.key(clip))
    assert status == 200 and headers["x-amz-meta-sha256"] == clip.sha256.hex()
    assert headers["content-type"] == "application/octet-stream"
    assert rig.staged() == []


def wrong_bytes_are_never_in_the_bucket(rig):
    clip = rig.device.has(Clip(data_of(300000)))
    good = clip.data
    rig.device.clips[wire.uuid_text(clip.id)].data = b"x" + good[1:]
    rig.start()
    rig.issue(clip.job())
    wait_until(lambda: "event=copy_wrong" in rig.log_text(), 20, "found")
    assert rig.files() == []
    rig.device.clips[wire.uuid_text(clip.id)].data = good
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == good


def second_copy_of_the_same_object_is_not_sent_again(rig):
    rig.start()
    clip = rig.store(Clip(data_of(200000)))
    before = rig.bucket.call("HEAD", rig.key(clip))[2]["last-modified"]
    rig.kill()
    rig.sql("UPDATE object SET state = 1, received = 0 WHERE name = '%s'" % clip.object)
    rig.sql("UPDATE job SET report = 0, acked = 0")
    time.sleep(1.1)  # the server's times have whole seconds
    pulls = len(rig.device.pulls)
    rig.start()
    rig.report(wire.COPIED, clip)
    assert len(rig.device.pulls) == pulls
    assert rig.bucket.call("HEAD", rig.key(clip))[2]["last-modified"] == before


def object_that_differs_is_replaced(rig):
    clip = rig.device.has(Clip(data_of(200000)))
    assert rig.bucket.call("PUT", rig.key(clip), body=b"something else")[0] == 200
    rig.start()
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data and rig.lines("object_differs")


def copy_resumes_after_kill_9(rig):
    clip = rig.device.has(Clip(data_of(12 << 20)))

    def slowly(data, offset, length):
        for c in rig.device.well(data, offset, length):
            time.sleep(0.01)
            yield c

    rig.device.serve = slowly
    rig.start()
    rig.issue(clip.job())
    wait_until(lambda: rig.device.served > 6 << 20, 20, "half way")
    rig.kill()
    assert rig.staged() == [clip.object + ".part"] and rig.files() == []
    rig.device.serve, rig.device.pulls = rig.device.well, []
    rig.start()
    rig.report(wire.COPIED, clip)
    assert min(offset for _, offset, _ in rig.device.pulls) >= 4 << 20
    assert rig.stored(clip) == clip.data and rig.staged() == []


def link_opens_one_object_for_a_minute_as_attachment(rig):
    rig.start()
    clip = rig.store(Clip(data_of(100000)))
    link = rig.link(clip)
    assert link.expires_ms <= (time.time() + 60) * 1000 and len(link.url) <= 2048
    status, body, headers = rig.get(link.url)
    assert status == 200 and body == clip.data and headers["content-disposition"] == "attachment"
    status, body, headers = rig.get(link.url, headers={"Range": "bytes=10-19"})
    assert status == 206 and body == clip.data[10:20]
    assert rig.get(link.url, "HEAD")[0] == 403  # good for GET alone
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link.url).query)
    assert 1 <= int(query["X-Amz-Expires"][0]) <= 60 and query["X-Amz-SignedHeaders"] == ["host"]
    other = rig.store(Clip(data_of(1000, 2)))
    assert rig.get(link.url.replace(clip.object, other.object))[0] == 403
    assert rig.get(link.url.replace("X-Amz-Expires=", "X-Amz-Expires=9"))[0] == 403
    assert rig.get(link.url.split("?")[0])[0] >= 400
    assert link.url not in rig.log_text() and "X-Amz-Signature" not in rig.log_text()


def link_ends_at_its_second(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    link = rig.link(clip, exp_ms=int((time.time() + 3) * 1000))
    assert rig.get(link.url)[0] == 200
    time.sleep(max(0, link.expires_ms / 1000 - time.time()) + 1.1)
    assert rig.get(link.url)[0] == 403


def virtual_host_style_works(rig):  # libcurl takes *.localhost for this machine
    port = rig.endpoint.rsplit(":", 1)[1]
    rig.start(s3_style="virtual", s3_endpoint="http://localhost:" + port)
    clip = rig.store(Clip(data_of(100000)))
    assert rig.stored(clip) == clip.data
    link = rig.link(clip)
    assert "//%s.localhost:%s/%s?" % (rig.bucket.bucket, port, rig.key(clip)) in link.url


def memory_stays_flat(rig):
    rig.start()
    rig.store(Clip(data_of(1000)))
    before = rig.rss_kib("VmRSS")
    clip = rig.store(Clip(data_of(64 << 20)))
    assert rig.rss_kib("VmHWM") - before < 8192, (before, rig.rss_kib("VmHWM"))
    assert hashlib.sha256(rig.stored(clip)).digest() == clip.sha256


def clean_stop_in_the_middle_is_quick_and_keeps_the_bytes(rig):
    clip = rig.device.has(Clip(data_of(4 << 20)))
    rig.device.serve = lambda data, offset, length: rig.device.well(data, offset, length) if offset < 1 << 20 else ()
    rig.start()
    rig.issue(clip.job())
    wait_until(lambda: rig.staged() == [clip.object + ".part"] and rig.device.served >= 1 << 20, 10, "under way")
    began = time.monotonic()
    assert rig.kill(signal.SIGTERM) == 0 and time.monotonic() - began < 3
    rig.device.serve = rig.device.well
    rig.start()
    rig.report(wire.COPIED, clip)
    assert rig.stored(clip) == clip.data


if __name__ == "__main__":
    run(clip_arrives_whole_with_its_hash, wrong_bytes_are_never_in_the_bucket, second_copy_of_the_same_object_is_not_sent_again,
        object_that_differs_is_replaced, copy_resumes_after_kill_9, link_opens_one_object_for_a_minute_as_attachment,
        link_ends_at_its_second, virtual_host_style_works, memory_stays_flat,
        clean_stop_in_the_middle_is_quick_and_keeps_the_bytes)
