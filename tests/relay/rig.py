"""The room for one relay test: a stock mosquitto without our plugin on a free loopback port, the real vestibule-relay, and two
players: the plugin's side (jobs out, reports in) and a device that answers pulls, well or badly as the test says."""
import contextlib
import hashlib
import http.client
import os
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

import wire
from ports import free_port

BUILD = os.environ.get("BUILD", "build")
TOP = "vestibule/v1/"
CHUNK = 65536


def wait_until(what, seconds, text):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("not within %s s: %s" % (seconds, text))


class Clip:
    """One clip and the names that its job uses."""

    def __init__(self, data, device="d1", life_s=3600):
        self.data, self.device = data, device
        self.id, self.object = wire.uuid7(), os.urandom(16).hex()
        self.sha256 = hashlib.sha256(data).digest()
        self.exp_ms = int((time.time() + life_s) * 1000)

    def job(self, kind=wire.COPY, **other):
        if kind in (wire.PURGE, wire.CANCEL):
            return wire.job(kind, self.object, **other)
        if kind == wire.LINK:
            return wire.job(kind, self.object, exp_ms=other.pop("exp_ms", int((time.time() + 60) * 1000)), **other)
        return wire.job(kind, self.object, self.device, self.id, len(self.data), self.sha256, self.exp_ms, **other)


class Device:
    """Answers pulls from `clips`. `serve` may be replaced: it gets (clip bytes, offset, length) and yields chunks."""

    def __init__(self, rig):
        self.rig, self.clips, self.pulls, self.served = rig, {}, [], 0
        self.serve = self.well
        self.client = rig.client("device")
        self.client.on_message = self.on_pull
        self.client.subscribe(TOP + "device/d1/pull/+/+", 0)
        self.client.subscribe(TOP + "device/d2/pull/+/+", 0)

    def has(self, clip):
        self.clips[wire.uuid_text(clip.id)] = clip
        return clip

    def well(self, data, offset, length):
        if offset >= len(data):
            yield wire.chunk(offset, b"", status=wire.STATUS_RANGE)
        for at in range(offset, min(offset + length, len(data)), CHUNK):
            part = data[at:min(at + CHUNK, offset + length, len(data))]
            yield wire.chunk(at, part, last=at + len(part) == len(data))

    def on_pull(self, client, _userdata, message):
        device, _, clip, user = message.topic.split("/")[3:]
        pull = wire.parse(message.payload)
        offset, length = pull.get(2, 0), pull.get(3, 0)
        self.pulls.append((clip, offset, length))
        topic = TOP + "device/%s/chunk/%s/%s" % (device, clip, user)
        if clip not in self.clips:
            client.publish(topic, wire.chunk(0, b"", status=wire.STATUS_GONE))
            return
        for chunk in self.serve(self.clips[clip].data, offset, length):
            self.served += len(chunk)
            client.publish(topic, chunk)


class Rig:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="vestibule-relay-")
        self.port, self.http_port = free_port(), free_port()
        self.reports, self.syncs, self.seen = queue.Queue(), queue.Queue(), []
        self.clients, self.relay, self.broker = [], None, None
        self.jobs_on_sync, self.answers_syncs = [], True
        for name in ("state", "clips"):
            os.mkdir(self.path(name), 0o700)
        with open(os.open(self.path("token"), os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write("x" * 43 + "\n")
        self.log = open(self.path("relay.log"), "ab")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def client(self, name):
        c = mqtt.Client("test-" + name, protocol=mqtt.MQTTv5)
        c.max_queued_messages_set(0)
        up = threading.Event()
        c.on_connect = lambda *_: up.set()
        c.connect("127.0.0.1", self.port)
        c.loop_start()
        assert up.wait(10), "the broker did not answer"
        self.clients.append(c)
        return c

    def start_broker(self):
        with open(self.path("broker.conf"), "w") as f:
            f.write("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n" % self.port)
        self.broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self.path("broker.conf")], stdout=self.log, stderr=self.log)
        wait_until(lambda: self.port_is_open(self.port), 10, "broker listens")

    @staticmethod
    def port_is_open(port):
        with contextlib.closing(socket.socket()) as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def __enter__(self):
        self.start_broker()
        self.plugin = self.client("plugin")
        self.plugin.on_message = self.on_message
        self.plugin.subscribe([(TOP + "relay/r1/report", 1), (TOP + "user/mover/sync", 1)])
        self.device = Device(self)
        return self

    def __exit__(self, kind, value, trace):
        if self.relay and self.relay.poll() is None:
            self.relay.kill()
            self.relay.wait()
        if self.relay:
            self.pump.join(10)
        for c in self.clients:
            c.loop_stop()
        if self.broker:
            self.broker.terminate()
            self.broker.wait()
        self.log.close()
        if kind:
            with open(self.path("relay.log"), errors="replace") as f:
                sys.stderr.write("".join(f.readlines()[-40:]))
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the relay ---------------------------------------------------------------------------------------------------

    def command(self, **other):
        options = {"host": "127.0.0.1", "port": self.port, "username": "mover", "token-file": self.path("token"), "relay": "r1",
                   "state": self.path("state"), "storage": "dir:" + self.path("clips"),
                   "listen": "127.0.0.1:%d" % self.http_port}
        options.update({k.replace("_", "-"): v for k, v in other.items()})
        words = [os.path.join(BUILD, "bin", "vestibule-relay")]
        for name, value in options.items():
            if value is not None:
                words += ["--%s=%s" % (name, value)] if value is not True else ["--" + name]
        return words

    def start(self, **other):
        # through a pipe, so that a limit on the relay's files leaves its log alone
        self.relay = subprocess.Popen(self.command(**other), stdout=self.log, stderr=subprocess.PIPE,
                                      env=dict(os.environ, HOME=self.dir, XDG_CONFIG_HOME=self.dir))
        self.pump = threading.Thread(target=self.pump_log, args=(self.relay.stderr,), daemon=True)
        self.pump.start()
        self.wait_sync()

    def pump_log(self, pipe):
        for line in pipe:
            self.log.write(line)
            self.log.flush()
        pipe.close()

    def wait_sync(self):
        try:
            return self.syncs.get(timeout=15)
        except queue.Empty:
            raise AssertionError("the relay did not sync")

    def kill(self, sig=signal.SIGKILL):
        self.relay.send_signal(sig)
        return self.relay.wait(10)

    def log_text(self):
        with open(self.path("relay.log"), errors="replace") as f:
            return f.read()

    def rss_kib(self, what="VmHWM"):
        with open("/proc/%d/status" % self.relay.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith(what))

    def sql(self, statement):
        """Changes the outbox of a relay that does not run."""
        with contextlib.closing(sqlite3.connect(self.path("state", "outbox.db"))) as db, db:
            db.execute(statement)

    # --- the plugin's side -------------------------------------------------------------------------------------------

    def on_message(self, client, _userdata, message):
        if message.topic.endswith("/sync"):
            sync = wire.parse(message.payload)
            if not self.answers_syncs:
                self.syncs.put(sync)
                return
            client.publish(TOP + "user/mover/reply", wire.reply(self.jobs_on_sync, sync[1]), 1)
            self.syncs.put(sync)
            return
        report = wire.Report(message.payload)
        self.seen.append(report)
        self.reports.put(report)

    def issue(self, job):
        self.plugin.publish(TOP + "relay/r1/job", job, 1).wait_for_publish()
        return wire.parse(job)[1]

    def report(self, kind, clip=None, seconds=20):
        """The next report, which must be of that kind."""
        try:
            r = self.reports.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("no report of kind %d within %s s" % (kind, seconds))
        assert r.kind == kind, "wanted kind %d, got %r" % (kind, r)
        assert clip is None or r.object == clip.object, "another object: %r" % r
        return r

    def no_report(self, seconds):
        with contextlib.suppress(queue.Empty):
            raise AssertionError("unexpected %r" % self.reports.get(timeout=seconds))

    def stored(self, clip):
        """The bytes of the stored object; None when there is none."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("clips", clip.object), "rb") as f:
                return f.read()
        return None

    def files(self):
        return sorted(os.listdir(self.path("clips")))

    def store(self, clip):
        """Copies a clip and waits until it is reported."""
        self.device.has(clip)
        self.issue(clip.job())
        self.report(wire.COPIED, clip)
        return clip

    def link(self, clip, **other):
        self.issue(clip.job(wire.LINK, **other))
        return self.report(wire.LINKED, clip)

    def http(self, path, method="GET", headers=None):
        """(status, body, headers) of one request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)) as c:
            c.request(method, path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read(), dict((k.lower(), v) for k, v in r.getheaders())


def path_of(url):
    return "/" + url.split("/", 3)[3]


def data_of(size, seed=1):
    return hashlib.shake_256(b"%d" % seed).digest(size)


def run(*tests):
    """Runs the tests of one file, each in a room of its own, and prints what tests/relay/run.sh adds up."""
    wanted = sys.argv[1:]
    failed = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        try:
            with Rig() as rig:
                test(rig)
            print("ok   %s" % test.__name__, flush=True)
        except Exception as e:  # a test may fail in any way, and the next one runs all the same
            failed += 1
            print("FAIL %s: %s: %s" % (test.__name__, type(e).__name__, e), flush=True)
    sys.exit(1 if failed else 0)
