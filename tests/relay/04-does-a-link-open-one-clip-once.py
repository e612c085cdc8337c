#!/usr/bin/python3
"""Does a link open exactly one stored clip, once, within its minute, and does every other request get the same 404?"""
import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

import wire
from rig import Clip, data_of, path_of, run, wait_until

ABSENT = (404, b"not found\n")


def link_serves_the_whole_clip_once(rig):
    rig.start()
    clip = rig.store(Clip(data_of(3 << 20)))
    r = rig.link(clip)
    assert r.url.startswith("http://127.0.0.1:%d/c/%s?exp=" % (rig.http_port, clip.object)), r.url
    assert 0 < r.expires_ms - time.time() * 1000 <= 60000
    status, body, headers = rig.http(path_of(r.url))
    assert (status, body) == (200, clip.data)
    assert headers["content-disposition"].startswith("attachment") and headers["cache-control"] == "no-store"
    assert headers["content-length"] == str(len(clip.data))
    assert rig.http(path_of(r.url))[:2] == ABSENT, "once"
    assert rig.http(path_of(rig.link(clip).url))[1] == clip.data, "another link is another turn"


def used_link_stays_used_after_a_restart(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    used, fresh = rig.link(clip), rig.link(clip)
    assert rig.http(path_of(used.url))[0] == 200
    rig.kill()
    rig.start()
    wait_until(lambda: rig.http(path_of(fresh.url))[1] == clip.data, 5, "in touch again")
    assert rig.http(path_of(used.url))[:2] == ABSENT


def download_that_was_cut_short_used_its_link_up(rig):
    rig.start()
    clip = rig.store(Clip(data_of(16 << 20)))
    r = rig.link(clip)
    with socket.create_connection(("127.0.0.1", rig.http_port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path_of(r.url).encode())
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    assert rig.http(path_of(r.url))[:2] == ABSENT


def of_two_at_the_same_time_one_wins(rig):
    rig.start()
    clip = rig.store(Clip(data_of(200000)))
    r, got = rig.link(clip), []
    threads = [threading.Thread(target=lambda: got.append(rig.http(path_of(r.url))[0])) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(got) == [200] + [404] * 11, got


def everything_wrong_gets_the_same_404(rig):
    rig.start()
    clip, other = rig.store(Clip(data_of(1000))), rig.store(Clip(data_of(1000, 2)))
    good = path_of(rig.link(clip).url)
    sig = re.search("sig=(.*)", good)[1]
    flipped = sig[:-1] + ("0" if sig[-1] != "0" else "1")
    exp = re.search("exp=([0-9]+)", good)[1]
    wrong = ["/", "/c/", "/c", "/c/" + clip.object, "/c/" + clip.object + "?exp=9999999999&n=" + "0" * 32 + "&sig=" + "0" * 64,
             good.replace(sig, flipped), good.replace(clip.object, other.object), good.replace(clip.object, "0" * 32),
             good.replace("exp=" + exp, "exp=%d" % (int(exp) + 1)), good.replace("exp=" + exp, "exp=0" + exp),
             good.replace("/c/", "/c/../c/"), good.replace("/c/", "//c/"), good.replace(sig, sig.upper()),
             good.replace("&n=", "&m="), good + "0", "/c/" + clip.object + ".part", "/link.key", "/%2e%2e/state/link.key"]
    whole = [rig.http(path) for path in wrong]
    assert all(w[:2] == ABSENT for w in whole), [(p, w[:2]) for p, w in zip(wrong, whole) if w[:2] != ABSENT]
    for w in whole:
        w[2].pop("date", None)
    assert all(w[2] == whole[0][2] for w in whole), "no header tells them apart"
    assert rig.http(good)[1] == clip.data, "none of them used it up"


def expired_link_is_absent(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    r = rig.link(clip, exp_ms=int(time.time() * 1000) + 2100)
    assert r.expires_ms - time.time() * 1000 <= 2100
    time.sleep(2.2)
    assert rig.http(path_of(r.url))[:2] == ABSENT
    rig.issue(clip.job(wire.LINK, exp_ms=int(time.time() * 1000) - 1))
    rig.no_report(0.7)


def link_never_outlives_the_grant(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000), life_s=10))
    assert rig.link(clip).expires_ms <= clip.exp_ms


def other_methods_are_refused_and_use_nothing_up(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    path = path_of(rig.link(clip).url)
    for method in ("POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
        status, _, headers = rig.http(path, method)
        assert (status, headers.get("allow")) == (405, "GET"), (method, status)
        assert rig.http("/c/" + "0" * 32, method)[0] == 405
    assert rig.http(path)[1] == clip.data


def ranges_are_not_served(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    status, body, headers = rig.http(path_of(rig.link(clip).url), headers={"Range": "bytes=10-20"})
    assert (status, body) == (200, clip.data) and "content-range" not in headers


def link_is_dead_while_the_broker_is_gone(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    held = path_of(rig.link(clip).url)
    rig.broker.kill()
    rig.broker.wait()
    wait_until(lambda: "connection_lost" in rig.log_text(), 5, "the relay notices")
    assert rig.http(held)[:2] == ABSENT


def link_is_dead_when_the_broker_falls_silent(rig):
    rig.start()
    clip = rig.store(Clip(data_of(16 << 20)))
    held, running = path_of(rig.link(clip).url), path_of(rig.link(clip).url)
    with socket.create_connection(("127.0.0.1", rig.http_port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % running.encode())
        got = len(s.recv(100))
        rig.broker.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: "connection_lost" in rig.log_text(), 13, "the relay notices")
            assert rig.http(held)[:2] == ABSENT
            with contextlib.suppress(ConnectionResetError):
                while part := s.recv(1 << 20):
                    got += len(part)
            assert got < len(clip.data), "the running download was cut off"
        finally:
            rig.broker.send_signal(signal.SIGCONT)


def link_waits_until_the_sync_is_answered(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    held = path_of(rig.link(clip).url)
    rig.kill()
    rig.answers_syncs = False
    rig.start()
    assert rig.http(held)[:2] == ABSENT, "connected, but what was missed is not known yet"
    rig.answers_syncs = True
    rig.wait_sync()
    assert wait_until(lambda: rig.http(held)[0] == 200, 5, "asked again, answered, open")


def state_directory_is_made_private(rig):
    os.rmdir(rig.path("state"))
    assert subprocess.run(rig.command(check=True), timeout=20).returncode == 0
    assert not os.path.exists(rig.path("state")), "--check only looks"
    rig.start()
    assert os.stat(rig.path("state")).st_mode & 0o777 == 0o700
    rig.kill()
    missing = subprocess.run(rig.command(state=rig.path("no", "state")), capture_output=True, timeout=20)
    assert missing.returncode == 64 and b"--state" in missing.stderr, missing


def no_link_without_a_stored_object(rig):
    clip = rig.device.has(Clip(data_of(1000)))
    rig.device.serve = lambda *_: iter(())
    rig.start()
    rig.issue(clip.job(wire.LINK))
    rig.issue(clip.job())
    rig.issue(clip.job(wire.LINK))
    rig.no_report(1.5)


def object_that_vanished_gets_no_link(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    r = rig.link(clip)
    os.unlink(rig.path("clips", clip.object))
    rig.issue(clip.job(wire.LINK))
    rig.no_report(1)
    assert rig.http(path_of(r.url))[:2] == ABSENT


def public_url_is_what_links_begin_with(rig):
    rig.start(public_url="https://clips.example.org/relay/")
    clip = rig.store(Clip(data_of(1000)))
    assert rig.link(clip).url.startswith("https://clips.example.org/relay/c/" + clip.object)


def key_file_is_made_private_and_checked(rig):
    rig.start()
    key = rig.path("state", "link.key")
    assert os.stat(key).st_mode & 0o777 == 0o600 and os.path.getsize(key) == 32
    rig.kill()
    os.chmod(key, 0o644)
    refused = subprocess.run(rig.command(), capture_output=True, timeout=20)
    assert refused.returncode != 0 and b"only its owner may read" in refused.stderr, refused


def idle_connections_are_bounded_and_do_not_stop_others(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    idle = [socket.create_connection(("127.0.0.1", rig.http_port)) for _ in range(40)]
    assert rig.http(path_of(rig.link(clip).url))[1] == clip.data
    more = [socket.create_connection(("127.0.0.1", rig.http_port)) for _ in range(60)]
    other = rig.store(Clip(data_of(500000, 2)))
    assert rig.stored(other) == other.data, "jobs go on"
    for s in idle + more:
        s.close()
    wait_until(lambda: rig.http("/")[0] == 404, 10, "places are free again")


def no_log_line_holds_a_link_or_an_address(rig):
    rig.start()
    clip = rig.store(Clip(data_of(1000)))
    r = rig.link(clip)
    rig.http(path_of(r.url))
    rig.http(path_of(r.url))
    wait_until(lambda: "event=download" in rig.log_text(), 10, "the line that is written after the last byte")
    relay_lines = [line for line in rig.log_text().splitlines() if line.startswith("event=")]
    assert not any(word in line for line in relay_lines for word in ("sig=", "127.0.0.1", r.url.split("sig=")[1], "x" * 43))


if __name__ == "__main__":
    run(link_serves_the_whole_clip_once, used_link_stays_used_after_a_restart, download_that_was_cut_short_used_its_link_up,
        of_two_at_the_same_time_one_wins, everything_wrong_gets_the_same_404, expired_link_is_absent,
        link_never_outlives_the_grant, other_methods_are_refused_and_use_nothing_up, ranges_are_not_served,
        link_is_dead_while_the_broker_is_gone, link_is_dead_when_the_broker_falls_silent,
        link_waits_until_the_sync_is_answered, state_directory_is_made_private,
        no_link_without_a_stored_object, object_that_vanished_gets_no_link, public_url_is_what_links_begin_with,
        key_file_is_made_private_and_checked, idle_connections_are_bounded_and_do_not_stop_others,
        no_log_line_holds_a_link_or_an_address)
