#!/usr/bin/python3
"""Overload, cut connections, missing rights, odd configurations, TLS, session tokens: does each lead to a retry, a pause or a
refusal as it should, and never to a wrong word? The server is scripted; that signatures are right is shown with a real one."""
import subprocess
import time

import wire
from odd_s3 import OddS3
from rig import Clip, data_of, wait_until
from s3rig import run_without_swift


def object_keys(server):
    return sorted(server.objects)


def start(rig, server, **other):
    rig.endpoint = server.endpoint
    rig.start(**other)


def overload_is_waited_out(rig):
    server = OddS3()
    server.next["PUT"] = [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests")]
    server.next["HEAD"] = [(503, "")]
    start(rig, server)
    clip = rig.device.has(Clip(data_of(1000)))
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip, 60)
    assert server.count("PUT") == 4 and list(server.objects.values()) == [clip.data]
    assert not rig.lines("storage_paused") and rig.lines("storage_failed")
    assert server.count("HEAD") >= 5  # a look before each


def upload_whose_answer_was_lost_is_not_sent_twice(rig):
    server = OddS3()
    server.next["PUT"] = ["stored-but-cut"]
    start(rig, server)
    clip = rig.device.has(Clip(data_of(200000)))
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip, 60)
    assert server.count("PUT") == 1 and list(server.objects.values()) == [clip.data]


def upload_that_was_cut_is_sent_again(rig):
    server = OddS3()
    server.next["PUT"] = ["cut", "huge"]
    start(rig, server)
    clip = rig.device.has(Clip(data_of(200000)))
    rig.issue(clip.job())
    rig.report(wire.COPIED, clip, 60)
    assert list(server.objects.values()) == [clip.data]


def stray_bytes_on_a_kept_connection_are_survived(rig):
    server = OddS3()
    server.always["HEAD"] = "stray"
    start(rig, server)
    for n in range(3):
        clip = rig.device.has(Clip(data_of(1000, n)))
        rig.issue(clip.job())
        rig.report(wire.COPIED, clip, 60)
        server.objects.clear()
        rig.issue(clip.job(wire.PURGE))
        rig.report(wire.PURGED, clip, 60)
    assert not rig.lines("storage_paused") and not rig.lines("storage_failed")


def right_that_lacks_for_uploads_alone_is_told_once(rig):
    server = OddS3()
    server.always["PUT"] = (403, "AccessDenied")
    start(rig, server)
    clip = rig.device.has(Clip(data_of(1000)))
    rig.issue(clip.job())
    rig.wait_line("storage_paused", "access denied", "docs/storage.md")
    rig.no_report(6)
    assert len(rig.lines("storage_paused")) == 1 and len(rig.lines("storage_ready")) == 1
    assert server.count("PUT") < 8
    del server.always["PUT"]
    rig.report(wire.COPIED, clip, 60)
    assert len(rig.lines("storage_paused")) == 1 and len(rig.lines("storage_ready")) == 2


def redirect_is_told_and_not_followed(rig):
    server = OddS3()
    server.always["PUT"] = "redirect"
    start(rig, server)
    clip = rig.device.has(Clip(data_of(1000)))
    rig.issue(clip.job())
    rig.wait_line("storage_paused", "307")
    rig.no_report(1)
    del server.always["PUT"]
    rig.report(wire.COPIED, clip, 60)


def deletion_that_does_nothing_is_not_reported(rig):
    server = OddS3()
    start(rig, server)
    clip = rig.store(Clip(data_of(1000)))
    server.always["DELETE"] = (204, "")
    rig.issue(clip.job(wire.PURGE))
    rig.no_report(3)
    assert object_keys(server) and any("still there" in x for x in rig.lines("storage_failed"))
    del server.always["DELETE"]
    rig.report(wire.PURGED, clip, 60)
    assert object_keys(server) == []


def encryption_that_is_ignored_is_undone_and_told(rig):
    server = OddS3()
    start(rig, server, s3_sse="AES256")
    clip = rig.device.has(Clip(data_of(1000)))
    rig.issue(clip.job())
    wait_until(lambda: any("did not encrypt" in x for x in rig.lines("storage_failed")), 20, "told")
    rig.no_report(0.5)
    server.echo_sse = True
    rig.report(wire.COPIED, clip, 60)
    puts = [h for m, _, h in server.seen if m == "PUT"]
    assert all(h["x-amz-server-side-encryption"] == "AES256" for h in puts) and server.count("DELETE") >= 1


def server_without_versioning_is_fine(rig):
    server = OddS3()
    server.versioning = None
    start(rig, server)
    rig.store(Clip(data_of(1000)))
    assert "versioned=no" in rig.log_text()


def locked_bucket_is_refused_always(rig):
    server = OddS3()
    server.versioning = b"<Status>Enabled</Status>"
    rig.endpoint = server.endpoint
    for mode, words in ((b"COMPLIANCE", "COMPLIANCE"), (b"GOVERNANCE", "locks objects by default")):
        server.lock = mode
        p = subprocess.run(rig.command(s3_allow_versioned=True), capture_output=True, text=True, timeout=20)
        assert p.returncode == 69 and words in p.stderr, p
    server.lock = None
    rig.start(s3_allow_versioned=True)
    assert "versioned=yes" in rig.log_text()


def session_token_is_sent_and_signed(rig):
    server = OddS3()
    rig.keys(session_token="tok/en+1==")
    start(rig, server)
    clip = rig.store(Clip(data_of(1000)))
    for _, path, headers in server.seen:
        assert headers["x-amz-security-token"] == "tok/en+1==", path
        assert "x-amz-security-token" in headers["authorization"]
    link = rig.link(clip)
    assert "&X-Amz-Security-Token=tok%2Fen%2B1%3D%3D&" in link.url
    assert "tok/en" not in rig.log_text()


def https_needs_the_right_authority(rig):
    ca, key = rig.path("ca.pem"), rig.path("ca.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = OddS3(tls=(ca, key))
    start(rig, server)
    rig.wait_line("storage_paused", "certificate")
    rig.kill()
    start(rig, server, s3_cafile=ca)
    clip = rig.store(Clip(data_of(100000)))
    assert list(server.objects.values()) == [clip.data]
    assert rig.link(clip).url.startswith("https://")
    assert not rig.log_text().split("event=started")[-1].count("storage_plain")


def what_is_sent_is_what_was_promised(rig):
    server = OddS3()
    start(rig, server)
    clip = rig.store(Clip(data_of(5000)))
    put = [h for m, _, h in server.seen if m == "PUT"][0]
    assert put["content-length"] == "5000" and put["x-amz-content-sha256"] == clip.sha256.hex() == put["x-amz-meta-sha256"]
    assert put["expect"] == "100-continue" and "transfer-encoding" not in put
    signed = put["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert signed == sorted(signed) and "expect" not in signed and "user-agent" not in signed
    assert {"host", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-meta-sha256"} == set(signed)


def server_that_hangs_at_start_does_not_hold_the_relay_up(rig):
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        rig.endpoint = "http://127.0.0.1:%d" % s.getsockname()[1]
        began = time.monotonic()
        rig.start()
        assert time.monotonic() - began < 10
        clip = Clip(data_of(10))
        rig.issue(clip.job(wire.PURGE))
        rig.no_report(1)


if __name__ == "__main__":
    run_without_swift(overload_is_waited_out, upload_whose_answer_was_lost_is_not_sent_twice, upload_that_was_cut_is_sent_again,
                      stray_bytes_on_a_kept_connection_are_survived, right_that_lacks_for_uploads_alone_is_told_once,
                      redirect_is_told_and_not_followed, deletion_that_does_nothing_is_not_reported,
                      encryption_that_is_ignored_is_undone_and_told, server_without_versioning_is_fine,
                      locked_bucket_is_refused_always, session_token_is_sent_and_signed, https_needs_the_right_authority,
                      what_is_sent_is_what_was_promised, server_that_hangs_at_start_does_not_hold_the_relay_up)
