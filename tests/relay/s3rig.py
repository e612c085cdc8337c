"""The relay's room with a bucket in it: one real OpenStack Swift for all files of a run (tests/relay/run.sh hands it on in the
environment; a file that runs alone starts its own), and for each test a bucket of its own, made and looked at by a client
that shares no code with the relay."""
import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

import rig
from s3 import S3

HERE = os.path.dirname(os.path.abspath(__file__))
SWIFT = os.path.join(HERE, "swift.sh")
SKIP = 77


class Swift:
    """The server: ours, or the one of the environment."""

    def __init__(self):
        self.own = "ENDPOINT" not in os.environ
        self.dir = tempfile.mkdtemp(prefix="vestibule-swift-") if self.own else os.environ["SWIFT_DIR"]
        self.env = dict(os.environ)
        if self.own:
            p = subprocess.run([SWIFT, "start", self.dir], stdout=subprocess.PIPE, text=True)
            if p.returncode == SKIP:
                print("SKIP %s: OpenStack Swift is not installed" % os.path.basename(sys.argv[0]), flush=True)
                shutil.rmtree(self.dir)
                sys.exit(0)
            assert p.returncode == 0, "swift did not start"
            self.env.update(line.split("=", 1) for line in p.stdout.split())

    def bucket(self, name):
        env = dict(self.env, BUCKET=name)
        return S3.of_environment(env)

    def pause(self):
        subprocess.run([SWIFT, "pause", self.dir], check=True)

    def resume(self):
        subprocess.run([SWIFT, "resume", self.dir], check=True)

    def stop(self):
        if self.own:
            subprocess.run([SWIFT, "stop", self.dir], check=True)
            shutil.rmtree(self.dir, ignore_errors=True)


class NoSwift:
    """In its place where the test brings a server of its own."""

    env = {"ENDPOINT": "http://127.0.0.1:1", "ACCESS_KEY": "key", "SECRET_KEY": "the-secret"}

    class Bucket:
        bucket = "clips"

        @staticmethod
        def make():
            return None

    def bucket(self, _name):
        return self.Bucket()

    def stop(self):
        pass


class S3Rig(rig.Rig):
    prefix = "clips/one"

    def __init__(self, swift):
        super().__init__()
        self.swift = swift
        self.bucket = swift.bucket("b" + os.urandom(6).hex())
        assert self.bucket.make() in (None, 200)
        self.keys()
        self.endpoint, self.extra_env = swift.env["ENDPOINT"], {}

    def keys(self, access=None, secret=None, **more):
        """Writes the credentials file, as an operator does: a new file in its place."""
        new = self.path("s3.new")
        with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write("# bucket keys\naccess_key = %s\nsecret_key = %s\n" % (
                access or self.swift.env["ACCESS_KEY"], secret or self.swift.env["SECRET_KEY"]))
            for name, value in more.items():
                f.write("%s = %s\n" % (name, value))
        os.rename(new, self.path("s3.keys"))

    def command(self, **other):
        options = {"storage": "s3:%s/%s" % (self.bucket.bucket, self.prefix), "s3_endpoint": self.endpoint,
                   "s3_credentials": self.path("s3.keys"), "listen": None}
        options.update(other)
        return super().command(**options)

    def start(self, **other):
        before = dict(os.environ)
        os.environ.update(self.extra_env)
        try:
            super().start(**other)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def key(self, clip):
        return "%s/%s" % (self.prefix, clip.object)

    def stored(self, clip):
        status, body, _ = self.bucket.call("GET", self.key(clip))
        return body if status == 200 else None

    def files(self):
        return sorted(self.bucket.keys())

    def staged(self):
        return sorted(os.listdir(self.path("state", "staging")))

    def lines(self, event):
        return [line for line in self.log_text().splitlines() if "event=%s " % event in line]

    def wait_line(self, event, *words, seconds=20):
        """The one line of that event that holds all the words."""
        return rig.wait_until(lambda: [x for x in self.lines(event) if all(w in x for w in words)], seconds,
                              "event=%s %s" % (event, words))

    @staticmethod
    def get(url, method="GET", headers=None):
        """(status, body, headers) of a link."""
        u = urllib.parse.urlsplit(url)
        with contextlib.closing(http.client.HTTPConnection(u.netloc, timeout=20)) as c:
            c.request(method, u.path + "?" + u.query, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read(), {k.lower(): v for k, v in r.getheaders()}


def run(*tests):
    run_with(Swift, tests)


def run_without_swift(*tests):
    run_with(NoSwift, tests)


def run_with(make_server, tests):
    wanted = sys.argv[1:]
    failed = 0
    swift = make_server()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a time limit must not leave the server behind
    try:
        for test in tests:
            if wanted and test.__name__ not in wanted:
                continue
            began = time.monotonic()
            try:
                with S3Rig(swift) as room:
                    test(room)
                print("ok   %s (%.1f s)" % (test.__name__, time.monotonic() - began), flush=True)
            except Exception as e:  # a test may fail in any way, and the next one runs all the same
                failed += 1
                last = traceback.extract_tb(e.__traceback__)[-1]
                print("FAIL %s: %s: %s (%s:%d %s)" % (test.__name__, type(e).__name__, e, os.path.basename(last.filename),
                                                      last.lineno, last.line), flush=True)
    finally:
        swift.stop()
    sys.exit(1 if failed else 0)
