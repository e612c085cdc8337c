"""The processes of one round of the crash test: a broker with the plugin, a relay, doorbells, and people's programs, each of
which may be killed at any moment. Started from a store that was filled once (Template), in a folder of its own. What a
round does is in story.py, what must come of it in model.py."""
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "relay"))
from ports import free_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MOSQUITTO = os.environ.get("MOSQUITTO") or shutil.which("mosquitto") or "/usr/sbin/mosquitto"
HOMES = (("maple", "front-door", "alice"), ("oak", "back-door", "bob"))
SEALED = ("elm", "gate", "carol")  # a third home, whose clips are sealed; raw.py speaks for its device and its member
OFFICERS = (("ines", "investigator"), ("sam", "supervisor"), ("eva", "evidence"))
AGENCY, RELAY, INTEGRATOR = "central-pd", "relay-1", "alarm-co"
RECIPIENT = "age1" + "q" * 58  # opaque to all that runs here
CELL = "u4pruydq"  # both homes' cell; its middle is the middle of every request
LAT, LON = "57.64911", "10.40744"
CUT_OFF = 137  # how a process ends at a failpoint
RECORDED, REFUSED, UNKNOWN = "recorded", "refused", "unknown"


class Broken(Exception):
    """The test itself cannot go on, or a program ended as nothing here made it end."""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_file(path):
    with open(path, "rb") as f:
        return sha256(f.read())


def wait_until(what, seconds, every=0.1):
    """What it returned as soon as that is true; False when it does not become so in time."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got or time.monotonic() >= end:
            return got or False
        time.sleep(every)


def failpoints():
    """Names in the source, by program: what there is is found, not listed. Those of a bucket are not passed here; those of an
    opening and of the mark are passed too seldom (tests/durability meets them)."""
    found = {"broker": set(), "relay": set()}
    for program, folder in (("broker", "plugin"), ("relay", "clients/relay")):
        for base, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith(".c"):
                    with open(os.path.join(base, name)) as f:
                        found[program] |= set(re.findall(r'failpoint_hit\("((?!s3-|run-|store-mark)[a-z-]+)"\)', f.read()))
    return {program: sorted(names) for program, names in found.items()}


# --- programs -------------------------------------------------------------------------------------------------------

class Answer:
    """How one command of a person's or a doorbell's program ended."""

    def __init__(self, argv, code, out, err, began, ended):
        self.argv, self.code, self.out, self.err, self.began, self.ended = argv, code, out, err, began, ended

    @property
    def outcome(self):
        if self.code == 0:
            return RECORDED
        return REFUSED if self.code in (1, 64, 77) else UNKNOWN

    def rows(self):
        """The JSON lines it printed."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def __str__(self):
        words, skip = [], 0
        for word in self.argv[1:]:  # without what every command has
            if skip or "/" in word:
                skip = 0
            elif word in ("--port", "--token-file", "--agency", "--timeout", "--socket", "--reason"):
                skip = word != "--socket"
            elif word not in ("--username", "--json"):
                words.append(word)
        why = (self.err.strip() or "").splitlines()
        return "%s %s -> %d %s%s" % (os.path.basename(self.argv[0])[10:], " ".join(words), self.code, self.outcome,
                                     " (%s)" % why[-1] if why else "")


def run(argv, kill_after=None, seconds=30):
    """Runs a program to its end, or ends it with kill -9 after so many seconds."""
    began = time.time()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=seconds if kill_after is None else kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        if kill_after is None:
            raise Broken("hung for %s s: %s" % (seconds, " ".join(argv)))
        err = (err or "") + "killed after %.0f ms" % (kill_after * 1000)
    return Answer(argv, process.returncode, out, err, began, time.time())


class Program:
    """A long-lived process that is killed and started again, or ends at its failpoint."""

    def __init__(self, name, argv, log):
        self.name, self.argv, self.log = name, argv, log
        self.piped = False  # its log goes through a pipe, and a write beyond its file size limit fails instead of killing it
        self.process, self.failpoint, self.killed = None, None, False
        self.hits = []  # failpoints at which it ended

    def start(self, failpoint=None):
        env = {k: v for k, v in os.environ.items() if k != "VESTIBULE_FAIL"}
        if failpoint:
            env["VESTIBULE_FAIL"] = failpoint
        self.failpoint, self.killed = failpoint, False
        with open(self.log, "ab") as log:
            sink = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log) if self.piped else None
            out = sink.stdin if sink else log
            self.process = subprocess.Popen(self.argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True, restore_signals=not self.piped)
            if sink:
                sink.stdin.close()  # it ends with the program

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def is_up(self):
        """False when it ended; raises when it ended by itself and no failpoint was set."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            return True
        self.process = None
        if code == CUT_OFF and self.failpoint:
            self.hits.append(self.failpoint.split(":")[0])
        elif not (self.killed and code == -signal.SIGKILL):
            raise Broken("%s ended by itself with %d; see %s" % (self.name, code, self.log))
        return False

    def kill(self):
        if self.process and self.process.poll() is None:
            self.killed = True
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=20):
        """An orderly end."""
        if self.is_up():
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(timeout=seconds)
            self.process = None
            if code == CUT_OFF and self.failpoint:
                self.hits.append(self.failpoint.split(":")[0])
            elif code not in (0, -signal.SIGTERM):
                raise Broken("%s: SIGTERM ended it with %d; see %s" % (self.name, code, self.log))


class Place:
    """One bus in one folder: how every program is called there."""

    def __init__(self, folder, build, secrets=None):
        self.folder, self.build, self.secrets = folder, build, secrets or folder
        self.port, self.links = free_port(), free_port()
        self.db, self.storage = self.path("vestibule.db"), self.path("storage")
        os.makedirs(self.storage, mode=0o700, exist_ok=True)
        os.makedirs(self.path("relay-state"), mode=0o700, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def program(self, name):
        return os.path.join(self.build, "bin", "vestibule-" + name)

    def token(self, who):
        return os.path.join(self.secrets, who + ".token")

    def broker(self):
        import pwd
        lines = ["listener %d 127.0.0.1" % self.port, "allow_anonymous false", "persistence false",
                 "user " + pwd.getpwuid(os.getuid()).pw_name, "log_type error", "log_type warning", "log_type notice",
                 "plugin " + os.path.join(self.build, "mosquitto_vestibule.so"), "plugin_opt_store " + self.db,
                 "plugin_opt_agencies on", "plugin_opt_demo true", "plugin_opt_release_tick 2"]
        with open(self.path("mosquitto.conf"), "w") as f:
            f.write("\n".join(lines) + "\n")
        return Program("broker", [MOSQUITTO, "-c", self.path("mosquitto.conf")], self.path("broker.log"))

    def connect(self, who):
        return ["--port", str(self.port), "--username", who, "--token-file", self.token(who)]

    def relay(self):
        argv = [self.program("relay")] + self.connect(RELAY) + [
            "--relay", RELAY, "--state", self.path("relay-state"), "--storage", "dir:" + self.storage,
            "--listen", "127.0.0.1:%d" % self.links, "--public-url", "http://127.0.0.1:%d" % self.links]
        return Program("relay", argv, self.path("relay.log"))

    def doorbell(self, device):
        argv = [self.program("doorbell"), "run"] + self.connect(device) + [
            "--clock", "synced", "--spool", self.path(device + "-spool"), "--clips", self.path(device + "-clips"),
            "--socket", self.path(device + ".sock")]
        return Program(device, argv, self.path(device + ".log"))

    def tell(self, device, *words, **how):
        """A command to a running doorbell."""
        return run([self.program("doorbell"), "--socket", self.path(device + ".sock"), *words], **how)

    def home(self, who, *words, **how):
        return run([self.program("home")] + self.connect(who) + ["--timeout", "5", *words], **how)

    def agency(self, who, *words, **how):
        return run([self.program("agency"), "--agency", AGENCY] + self.connect(who) + ["--timeout", "5", *words], **how)

    def ctl(self, *words):
        done = run([self.program("ctl")] + self.connect("operator") + list(words))
        if done.code != 0:
            raise Broken("set-up: %s" % done)
        return done

    def answers(self):
        return run([self.program("ctl")] + self.connect("operator") + ["status"]).code == 0

    def stored(self):
        """{name: SHA-256} of the whole objects; one that goes while it is read is not there."""
        found = {}
        for name in self.objects():
            try:
                found[name] = sha256_file(os.path.join(self.storage, name))
            except FileNotFoundError:
                pass
        return found

    def objects(self):
        """Names of what lies in the storage, parts included."""
        return sorted(n for n in os.listdir(self.storage) if re.match(r"[0-9a-f]{32}", n))

    def rows(self, sql, *values):
        """From the store; only while the broker is down."""
        db = sqlite3.connect("file:%s?mode=rw" % self.db, uri=True)
        try:
            db.row_factory = sqlite3.Row
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


class Template:
    """A store with three homes, an agency, a relay and an integrator, made once by our own programs and copied for each round."""

    def __init__(self, folder):
        self.folder = folder

    def make(self, build):
        os.makedirs(self.folder, mode=0o700)
        place = Place(self.folder, build)
        done = run([place.program("ctl"), "init", "--store", place.db, "--token-out", place.token("operator")])
        if done.code != 0:
            raise Broken("set-up: %s" % done)
        broker = place.broker()
        broker.start()
        try:
            if not wait_until(place.answers, 10):
                raise Broken("the broker does not start; see %s" % broker.log)
            self.fill(place)
        finally:
            broker.stop()
        return self

    def fill(self, place):
        for home, device, member in HOMES + (SEALED,):
            more = () if home == SEALED[0] else ("--unsealed-ok",)
            place.ctl("quickstart", "--home", home, "--device", device, "--member", member, "--cell", CELL, "--out", place.folder,
                      *more)
        with open(place.path("jurisdiction.json"), "w") as f:
            f.write("[[[57.60,10.30],[57.60,10.50],[57.70,10.50],[57.70,10.30]]]")
        place.ctl("agency", "add", AGENCY, "--kind", "police", "--name", "Central Police", "--recipient", RECIPIENT,
                  "--jurisdiction", place.path("jurisdiction.json"))
        for who, role in OFFICERS:
            place.ctl("officer", "add", who, "--agency", AGENCY, "--role", role, "--token-out", place.token(who))
        place.ctl("relay", "add", RELAY, "--token-out", place.token(RELAY))
        place.ctl("integrator", "add", INTEGRATOR, "--name", "Alarm Company", "--token-out", place.token(INTEGRATOR))

    def copy(self, folder, build):
        os.makedirs(folder, mode=0o700)
        place = Place(folder, build, secrets=self.folder)
        shutil.copy(os.path.join(self.folder, "vestibule.db"), place.db)
        return place


# --- clips ----------------------------------------------------------------------------------------------------------

def make_clip(rng, path, big=False):
    """A real MP4 that nobody else has: the doorstep and a `free` box of random bytes. Returns its SHA-256. big: the relay
    makes a mark on the way."""
    with open(os.path.join(ROOT, "tests", "media", "doorstep.mp4"), "rb") as f:
        film = f.read()
    size = (5 << 20 if big else rng.choice((200, 70000, 400000, 1500000))) + rng.randrange(1000)
    data = film + (size + 8).to_bytes(4, "big") + b"free" + rng.randbytes(size)
    with open(path, "wb") as f:
        f.write(data)
    return sha256(data)


# --- those who watch ------------------------------------------------------------------------------------------------

class StorageWatch(threading.Thread):
    """Looks at the storage all the time: every whole object that ever lay there, by SHA-256, and when it was first seen."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.seen, self.by_name, self.over = place, {}, {}, threading.Event()

    def look(self):
        for name in self.place.objects():
            if len(name) != 32 or name in self.by_name:
                continue  # a part is not visible to anybody
            began = time.time()
            try:
                digest = sha256_file(os.path.join(self.place.storage, name))
            except FileNotFoundError:
                continue
            self.by_name[name] = digest
            self.seen.setdefault(digest, began)

    def run(self):
        while not self.over.wait(0.03):
            self.look()

    def stop(self):
        self.over.set()
        self.join()
        self.look()
