#!/usr/bin/python3
"""With a full disk, is anything acknowledged that is not so, does a person get a clear error, and does everything recover
without a restart once there is room? Asked of the doorbell's spool and clips, the broker's store, the relay's outbox and the
storage:  full_disk.py BUILD [TEST...]. The disk is a small tmpfs where one may be mounted, else a file size limit of the
running process (FULL_DISK=limit forces it). Closing line: `full-disk: N passed, N failed`."""
import concurrent.futures
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import raw
from rig import HOMES, INTEGRATOR, LAT, LON, Template, make_clip, sha256_file, wait_until

(HOME, DEVICE, MEMBER), RNG = HOMES[0], random.Random(7)
NO_ROOM = ("no space left on device", "file too large", "disk is full", "disk full", "disk i/o error")


def may_mount():
    if os.environ.get("FULL_DISK") == "limit":
        return False
    folder = tempfile.mkdtemp(prefix="vestibule-disk-")
    try:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True
    except FileNotFoundError:
        return False
    finally:
        os.rmdir(folder)


class Disk:
    """A folder that can be full: of itself (tmpfs), or for one program (limit)."""

    def __init__(self, folder, mounted):
        self.folder, self.mounted, self.program = folder, mounted, None
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if mounted:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", folder], check=True)

    def fill(self):
        if not self.mounted:
            resource.prlimit(self.program.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        with open(os.path.join(self.folder, "filler"), "ab", buffering=0) as f:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        f.write(b"\0" * size)
                except OSError:
                    pass

    def free(self):
        if not self.mounted:
            resource.prlimit(self.program.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            os.unlink(os.path.join(self.folder, "filler"))

    def close(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)


class Street:
    """One running bus; the named folder of it is the disk in question, and belongs to the named program."""

    def __init__(self, template, build, folder, disk, program):
        self.place = template.copy(folder, build)
        self.disk = Disk(self.place.path(disk), MOUNT)
        if disk == "store":
            shutil.move(self.place.db, self.place.path("store", "vestibule.db"))
            self.place.db = self.place.path("store", "vestibule.db")
        self.programs = {"broker": self.place.broker(), "relay": self.place.relay(), "doorbell": self.place.doorbell(DEVICE)}
        self.disk.program = self.programs[program]
        self.disk.program.piped = not MOUNT
        for p in self.programs.values():
            p.start()
        assert wait_until(self.place.answers, 10), "the broker does not start"
        assert wait_until(lambda: self.status().get("link") == "online", 10), "the doorbell does not come online"

    def close(self):
        for p in self.programs.values():
            p.kill()
        self.disk.close()

    def log(self, program):
        return self.programs[program].log_text()

    def status(self):
        got = self.place.tell(DEVICE, "status", "--json")
        return json.loads(got.out) if got.code == 0 else {}

    def clip(self):
        """(answer, SHA-256) of a new clip that the doorbell is given."""
        sha = make_clip(RNG, self.place.path("new.mp4"))
        return self.place.tell(DEVICE, "clip", self.place.path("new.mp4"), "--trigger", "ring", "--json"), sha

    def ring(self):
        return self.place.tell(DEVICE, "ring")

    def home(self, *words):
        return self.place.home(MEMBER, *words)

    def catalogue(self):
        return {r["clip"]["payload_sha256"]: r["clip"]["clip_id"] for r in self.home("clips", "--json").rows()}

    def deliveries(self):
        return {r["payload_sha256"]: r["delivery_id"] for r in self.place.agency("eva", "deliveries", "--json").rows()}

    def stored(self):
        return {sha for name, sha in self.place.stored().items() if len(name) == 32}

    def grants(self, standing):
        return [r for r in self.home("grants", "--json").rows() if r["standing"] == standing]

    def ask(self):
        """A clip in the catalogue, a request, an ask: (ask id, clip id, SHA-256)."""
        with open(self.place.path("rules"), "w") as f:
            f.write("ask police only burglary\n")
        assert self.home("rules", "set", self.place.path("rules")).code == 0
        got, sha = self.clip()
        assert got.code == 0 and wait_until(lambda: sha in self.catalogue(), 10), str(got)
        filed = self.place.agency("ines", "submit", "--type", "burglary", "--purpose", "investigation", "--case", "26-1", "--reason",
                                  "a window was forced while nobody was home", "--lat", LAT, "--lon", LON, "--radius", "300",
                                  "--from", "-1h", "--to", "-0s", "--json")
        assert filed.code == 0, str(filed)
        assert self.place.agency("sam", "approve", filed.rows()[0]["request_id"]).code == 0
        asks = wait_until(lambda: self.home("asks", "--json").rows(), 10)
        assert asks, "not asked"
        return asks[0]["ask_id"], self.catalogue()[sha], sha

    def share(self):
        """A clip that is stored and announced: its SHA-256."""
        ask, clip, sha = self.ask()
        assert self.home("answer", ask, "--yes", clip).code == 0
        assert wait_until(lambda: sha in self.deliveries(), 15), "not delivered"
        return sha

    def fetch(self, sha):
        folder = tempfile.mkdtemp(dir=self.place.folder)
        got = self.place.agency("eva", "fetch", self.deliveries()[sha], "-d", folder)
        assert got.code == 0, str(got)
        return sha256_file(os.path.join(folder, os.listdir(folder)[0]))


def says_why(text):
    return any(words in text.lower() for words in NO_ROOM)


def refused(answer):
    """Not acknowledged, and a person can read why."""
    assert answer.code != 0, "acknowledged with a full disk: %s" % answer
    assert says_why(answer.err + answer.out), "no clear error: %r" % (answer.err + answer.out)


# --- doorbell -------------------------------------------------------------------------------------------------------

def spool_full_no_event_is_acknowledged(s):
    s.programs["broker"].kill()
    early, kept = s.clip()
    assert early.code == 0
    before = s.status()["waiting"]
    s.disk.fill()
    refused(s.ring())
    got, lost = s.clip()
    refused(got)
    assert s.status()["waiting"] == before and s.status()["disk_errors"] >= 1
    s.programs["broker"].start()  # what was kept before goes out with the disk still full
    assert wait_until(lambda: kept in s.catalogue(), 30), "an event from before is not delivered"
    assert lost not in s.catalogue()
    s.disk.free()
    got, sha = s.clip()
    assert got.code == 0 and wait_until(lambda: sha in s.catalogue(), 20), "no recovery: %s" % got
    assert lost not in s.catalogue() and s.status()["waiting"] == 0
    assert s.ring().code == 0


def clips_full_no_clip_is_acknowledged(s):
    s.disk.fill()
    got, lost = s.clip()
    refused(got)
    assert s.ring().code == 0 or not MOUNT, "a ring needs no room for clips"
    time.sleep(1)
    assert lost not in s.catalogue()
    assert not [n for n in os.listdir(s.disk.folder) if n.endswith(".part")], "a part is left"
    s.disk.free()
    got, sha = s.clip()
    assert got.code == 0 and wait_until(lambda: sha in s.catalogue(), 20), "no recovery: %s" % got


# --- broker ---------------------------------------------------------------------------------------------------------

def store_full_nothing_is_recorded_and_a_retraction_bites(s):
    assert s.home("grant", INTEGRATOR, "--kind", "ring", "--days", "31").code == 0
    listener = raw.Integrator(s.place)
    listener.start()
    assert wait_until(lambda: s.ring().code == 0 and wait_until(lambda: listener.got, 1), 10), "granted, and nothing seen"
    s.disk.fill()
    got, late = s.clip()
    assert got.code == 0, "the doorbell's own disk has room"
    answer = s.home("grant", INTEGRATOR, "--kind", "motion", "--days", "32")
    assert answer.code == 75, "acknowledged with a full disk: %s" % answer
    retracted = s.home("retract", s.grants(standing=True)[0]["grant_id"])
    assert retracted.code == 75, "acknowledged with a full disk: %s" % retracted
    time.sleep(0.5)
    seen = len(listener.got)
    s.ring()
    time.sleep(1)
    assert len(listener.got) == seen, "a ring after the retraction was seen (I4)"
    assert s.status()["waiting"] >= 1, "the clip was acknowledged to the doorbell"
    assert "event=store_failing" in s.log("broker") and says_why(s.log("broker")), "the log does not say why"
    told = s.place.ctl("status").out
    assert says_why(told) or "store" in told, "the operator is not told: %s" % told
    s.disk.free()
    assert wait_until(lambda: s.status()["waiting"] == 0 and late in s.catalogue(), 40), "no recovery: the clip is not recorded"
    assert "event=store_well" in s.log("broker")
    assert s.home("grant", INTEGRATOR, "--kind", "clip", "--days", "33").code == 0, "no recovery: a new grant is not recorded"
    listener.stop()
    s.programs["broker"].kill()
    rows = {r["kind"]: r["state"] for r in s.place.rows("SELECT * FROM standing")}
    assert rows[1] == 4, "the retraction is not in the store: %s" % rows
    assert rows[3] == 2


# --- relay ----------------------------------------------------------------------------------------------------------

def outbox_full_no_copy_is_reported(s):
    ask, clip, sha = s.ask()
    s.disk.fill()
    assert s.home("answer", ask, "--yes", clip).code == 0
    assert wait_until(lambda: "event=outbox_failed" in s.log("relay"), 15), "the relay does not say so"
    assert says_why(s.log("relay")), "the relay's log does not say why: %s" % s.log("relay")
    time.sleep(3)  # more than a tick
    assert not s.deliveries(), "announced, and not recorded by the relay"
    s.disk.free()
    assert wait_until(lambda: sha in s.deliveries(), 60), "no recovery"
    assert s.fetch(sha) == sha


def outbox_full_a_purge_bites(s):
    sha = s.share()
    s.disk.fill()
    grant = s.grants(standing=False)[0]["grant_id"]

    def told():
        return [r["kind"] for r in s.home("receipts", "--json").rows() if r.get("grant_id") == grant]
    assert s.home("retract", grant).code == 0
    assert wait_until(lambda: sha not in s.stored(), 15), "the object stays"
    time.sleep(1)
    receipts = told()
    assert "revoked" in receipts and "purged" not in receipts, "a deletion was told that is not recorded: %s" % receipts
    s.disk.free()
    assert wait_until(lambda: "purged" in told(), 60, every=0.5), "no recovery"


def storage_full_no_copy_is_reported(s):
    ask, clip, sha = s.ask()
    s.disk.fill()
    assert s.home("answer", ask, "--yes", clip).code == 0
    word = "event=storage_failed" if MOUNT else "_failed"  # a limit holds for the outbox as well
    assert wait_until(lambda: word in s.log("relay"), 15), "the relay does not say so"
    assert says_why(s.log("relay")), "the relay's log does not say why: %s" % s.log("relay")
    time.sleep(3)
    assert not s.deliveries() and sha not in s.stored(), "told of a copy that is not there"
    s.disk.free()
    assert wait_until(lambda: sha in s.deliveries(), 60), "no recovery"
    assert s.fetch(sha) == sha and s.stored() == {sha}


TESTS = (  # the longest first: after a failure the relay is asked again in 30 s
    (outbox_full_no_copy_is_reported, "relay-state", "relay"),
    (outbox_full_a_purge_bites, "relay-state", "relay"),
    (storage_full_no_copy_is_reported, "storage", "relay"),
    (store_full_nothing_is_recorded_and_a_retraction_bites, "store", "broker"),
    (spool_full_no_event_is_acknowledged, DEVICE + "-spool", "doorbell"),
    (clips_full_no_clip_is_acknowledged, DEVICE + "-clips", "doorbell"),
)


def run_one(template, build, base, test, disk, program):
    began, street = time.monotonic(), None
    try:
        street = Street(template, build, os.path.join(base, test.__name__), disk, program)
        test(street)
        print("ok %s (%.1f s)" % (test.__name__, time.monotonic() - began), flush=True)
        return True
    except Exception:
        logs = ["--- %s\n%s" % (p.name, p.log_text()[-2500:]) for p in (street.programs.values() if street else ())]
        print("\n".join(["FAIL %s" % test.__name__, traceback.format_exc()] + logs), flush=True)
        return False
    finally:
        if street:
            street.close()


def main():
    build, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    base = tempfile.mkdtemp(prefix="vestibule-full-disk-")
    try:
        template = Template(os.path.join(base, "template")).make(build)
        print("full-disk: on %s" % ("a small tmpfs" if MOUNT else "a file size limit"))
        with concurrent.futures.ThreadPoolExecutor(3) as pool:  # they wait most of the time
            tests = [pool.submit(run_one, template, build, base, *t) for t in TESTS if not wanted or t[0].__name__ in wanted]
        done = [t.result() for t in tests]
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print("full-disk: %d passed, %d failed" % (sum(done), len(done) - sum(done)))
    return 0 if all(done) and done else 1


if __name__ == "__main__":
    MOUNT = may_mount()
    sys.exit(main())
