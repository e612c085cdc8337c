"""Doorbells that wait for a claim, and people with nothing yet: the real programs, each with folders of its own."""
import json
import os
import re
import subprocess
import time

from broker import *
from programs import *

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}")


def unclaimed(name, of):
    return [row("device", id=name, home=of, name=name, cell="u4pruydq", claimed_ms=0)] + credential(name, DEVICE, name)


class Doorbell:
    """vestibule-doorbell run, with folders of its own that outlive it."""

    def __init__(self, b, name, folder=None, *args):
        self.b, self.name, self.dir = b, name, os.path.join(b.dir, folder or name + ".d")
        self.args, self.process = args, None
        os.makedirs(self.dir, exist_ok=True)
        self.start()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self):
        argv = command(self.b, "doorbell", self.name, "run", "--socket", self.path("sock"), "--spool", self.path("spool"), "--clips",
                       self.path("clips"), "--clock", "synced", *self.args)
        self.log = open(self.path("log"), "ab")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment(self.b))
        wait_until(lambda: self.process.poll() is not None or self.ask("status")[0] == 0, 15, "the doorbell answers")
        assert self.process.poll() is None, open(self.path("log")).read()

    def ask(self, *words):
        argv = [os.path.join(BUILD, "bin", "vestibule-doorbell"), "--socket", self.path("sock"), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, env=environment(self.b), stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        return json.loads(self.ask(*words, "--json")[1])

    def uri(self):
        return self.json("claim")["uri"]

    def state(self):
        return self.json("claim")["claim"]

    def online(self):
        wait_until(lambda: self.json("status")["link"] == "online", 15, self.name + " is online")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class Resident:
    """A person with a configuration folder of their own, and nothing in it."""

    def __init__(self, b, name):
        self.b, self.name, self.dir = b, name, os.path.join(b.dir, name + ".xdg")

    def path(self, *names):
        return os.path.join(self.dir, "vestibule", *names)

    def run(self, *args):
        argv = [os.path.join(BUILD, "bin", "vestibule-home"), *map(str, args)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, XDG_CONFIG_HOME=self.dir))
        return done.returncode, done.stdout, done.stderr

    def claim(self, uri, *args):
        return self.run("claim", uri, "--username", self.name, *args)

    def rows(self, *args):
        code, out, err = self.run(*args, "--json")
        assert code == RECORDED, (code, err)
        return [json.loads(line) for line in out.splitlines()]

    def client(self, **more):
        return self.b.client(self.name, password=open(self.path("vestibule-home.token")).read().strip(), **more)


def listen(client, home_id):
    client.subscribe(TOP + "home/%s/json/#" % home_id)
    return client


def rings(client, seconds=2):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.pump(end - time.monotonic())
    return [json.loads(m.payload)["event_id"] for m in client.messages if m.topic.endswith("/ring")]


def rings_through(client, bell):
    event = bell.json("ring")["event_id"]
    wait_until(lambda: client.pump(0.2) or event in rings(client, 0), 15, "the ring of %s arrives" % bell.name)
    return event


def first_home(b, bell, name="alice"):
    """One command, and that person lives there."""
    bell.online()
    who = Resident(b, name)
    code, out, err = who.claim(bell.uri())
    assert code == RECORDED, (code, out, err, open(bell.path("log")).read())
    return who


def town():
    return home("maple") + home("oak") + credential("operator", OPERATOR, "")
