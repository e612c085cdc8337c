#!/usr/bin/python3
"""Does a restored backup bring a retracted grant back (I29)? A home approves and grants, a backup is taken, some of it is
retracted and more approved, and the backup is put back in one of the ways people do that:  restore.py BUILD [WAY...]. Real
broker, relay with a directory, doorbell and programs; a bus of its own for each way. Before that, the nearest ALLOW: a restart
without a restore keeps every grant. Closing line: `restore: N retracted grants came back`, exit status 0 only for none and if
nothing else was wrong."""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
import raw
from full_disk import DEVICE, HOME, MEMBER, Street
from rig import INTEGRATOR, LAT, LON, Template, wait_until

LIVE = ("proposed", "approved", "durable", "active")


class Bus(Street):
    def __init__(self, template, build, folder):
        self.place = template.copy(folder, build)
        self.programs = {"broker": self.place.broker(), "relay": self.place.relay(), "doorbell": self.place.doorbell(DEVICE)}
        self.back = []  # retracted grants that came back
        for p in self.programs.values():
            p.start()
        self.is_up()

    def is_up(self):
        assert wait_until(self.place.answers, 30), "the broker does not start:\n" + self.log("broker")[-2000:]
        assert wait_until(lambda: self.status().get("link") == "online", 30), "the doorbell does not come online"

    def close(self):
        for p in self.programs.values():
            p.kill()

    def start(self):
        self.programs["broker"].start()
        self.is_up()

    def live(self):
        """What is granted now: {grant id: row}"""
        got = self.home("grants", "--json")
        assert got.code == 0, str(got)
        return {r["grant_id"]: r for r in got.rows() if r["state"] in LIVE}

    def ring_passes(self):
        """Does the integrator see a ring that the home sees? (The home's copy shows that it was routed.)"""
        with raw.connect(self.place, INTEGRATOR) as firm, raw.connect(self.place, MEMBER) as member:
            firm.subscribe(raw.TOP + "home/+/json/+/ring")
            member.subscribe(raw.TOP + "home/%s/json/+/ring" % HOME)
            assert self.ring().code == 0
            end = time.monotonic() + 20
            while not member.messages and time.monotonic() < end:
                member.pump(0.1)
            assert member.messages, "a ring does not reach its home"
            firm.pump(1)
            return bool(firm.messages)

    def may_fetch(self):
        """SHA-256 of every clip that an officer gets: each delivery ever announced is tried."""
        got = set()
        for sha, delivery in self.seen_deliveries.items():
            folder = tempfile.mkdtemp(dir=self.place.folder)
            if self.place.agency("eva", "fetch", delivery, "-d", folder).code == 0:
                got.add(sha)
        return got

    # --- before the backup, and between it and the restore ---

    def share_two_of_three(self):
        with open(self.place.path("rules"), "w") as f:
            f.write("ask police only burglary\n")
        assert self.home("rules", "set", self.place.path("rules")).code == 0
        shas = []
        for _ in range(3):
            got, sha = self.clip()
            assert got.code == 0 and wait_until(lambda: sha in self.catalogue(), 20), str(got)
            shas.append(sha)
        filed = self.place.agency("ines", "submit", "--type", "burglary", "--purpose", "investigation", "--case", "26-1", "--reason",
                                  "a window was forced while nobody was home", "--lat", LAT, "--lon", LON, "--radius", "300",
                                  "--from", "-1h", "--to", "-0s", "--json")
        assert filed.code == 0, str(filed)
        assert self.place.agency("sam", "approve", filed.rows()[0]["request_id"]).code == 0
        asks = wait_until(lambda: self.home("asks", "--json").rows(), 20)
        assert asks, "not asked"
        self.ask_id, self.retracted, self.kept, self.late = asks[0]["ask_id"], *shas
        self.say_yes(self.retracted, self.kept)
        assert self.home("grant", INTEGRATOR, "--kind", "ring", "--days", "31").code == 0

    def say_yes(self, *shas):
        clips, words = self.catalogue(), []
        for sha in shas:
            words += ["--yes", clips[sha]]
        got = self.home("answer", self.ask_id, *words)
        assert got.code == 0, str(got)
        assert wait_until(lambda: set(shas) <= set(self.deliveries()), 40), "not delivered"
        self.seen_deliveries = self.deliveries()

    def untouched_restart_keeps_all(self):
        self.start()
        assert self.live() == self.before, "a restart changed the grants: %s" % self.live()
        assert wait_until(lambda: self.may_fetch() == {self.retracted, self.kept}, 30), "a restart ended a fetch"

    def retract_and_approve(self):
        live = self.live()
        self.clip_grant = {r["clip_id"]: i for i, r in live.items() if not r["standing"]}[self.catalogue()[self.retracted]]
        self.ring_grant = [i for i, r in live.items() if r["standing"]][0]
        for grant in (self.clip_grant, self.ring_grant):
            assert self.home("retract", grant).code == 0
        assert self.home("grant", INTEGRATOR, "--kind", "motion", "--days", "32").code == 0
        self.say_yes(self.late)
        assert wait_until(lambda: self.retracted not in self.stored(), 30), "the retracted clip's object stays"

    # --- after the restore ---

    def look(self):
        live = self.live()
        self.back += [g for g in (self.clip_grant, self.ring_grant) if g in live]
        fetched = self.may_fetch()
        if self.ring_passes():
            self.back.append("a ring passed under " + self.ring_grant)
        if self.retracted in fetched:
            self.back.append("a fetch under " + self.clip_grant)
        assert not live, "live after a restore: %s" % live
        assert not fetched, "fetched after a restore"
        assert wait_until(lambda: self.stored() <= {self.late}, 60), "an object of an ended grant stays"
        told = [(r["kind"], r.get("grant_id")) for r in self.home("receipts", "--json").rows()]
        assert ("revoked", self.clip_grant) in told, told
        assert ("grant_retracted", self.ring_grant) in told or self.ring_grant_was_lost, told
        assert "event=restored" in self.log("broker") or self.is_by_hand, "the broker's log does not say so"
        status = self.place.ctl("status", "--json").rows()[0]
        assert status["restored_ms"] > 0, status

    def finish(self):
        """What the operations page asks for: of what was approved after the backup the store knows nothing and the relay does;
        without its state the relay deletes it. Then life goes on."""
        relay = self.programs["relay"]
        assert self.late in self.stored(), "the relay gave up a clip by itself: say so on the operations page"
        relay.stop()
        shutil.rmtree(self.place.path("relay-state"))
        relay.start()
        assert wait_until(lambda: not self.stored(), 30), "an object of an unknown grant stays"
        assert self.home("grant", INTEGRATOR, "--kind", "ring", "--days", "33").code == 0
        assert self.ring_passes(), "a grant after the restore does not work"
        self.programs["broker"].stop()
        self.start()
        assert len(self.live()) == 1, "a restart after the restore ended a new grant"


# --- ways of taking a backup and putting it back ------------------------------------------------------------------------

def sqlite(db, command):
    done = subprocess.run(["sqlite3", db, command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def files(bus):
    return [bus.place.db + end for end in ("", "-wal", "-shm", ".mark")]


def put_back(bus, *ends):
    """The operator removes what is there and copies the backup to its place; the mark stays unless it is one of ends."""
    for path in files(bus)[:3]:
        if os.path.exists(path):
            os.unlink(path)
    for end in ends:
        shutil.copy2(bus.place.path("backup" + end), bus.place.db + end)


def stopped(command):
    def take(bus):
        bus.programs["broker"].stop()
        command(bus)
    return take


def copy_file(bus):
    shutil.copy2(bus.place.db, bus.place.path("backup"))


def copy_folder(bus):
    copy_file(bus)
    shutil.copy2(bus.place.db + ".mark", bus.place.path("backup.mark"))


def copy_after_kill(bus):
    """Without the -wal that a crash left."""
    bus.programs["broker"].kill()
    copy_file(bus)


def copy_running(bus):
    """With the -wal, under a broker that runs: a copy of its own run, known by what it lacks."""
    bus.programs["broker"].stop()
    bus.untouched_restart_keeps_all()
    copy_file(bus)
    shutil.copy2(bus.place.db + "-wal", bus.place.path("backup-wal"))


def back_over(bus):
    """cp onto the file that is there."""
    shutil.copyfile(bus.place.path("backup"), bus.place.db)


def back_folder(bus):
    os.unlink(bus.place.db + ".mark")
    put_back(bus, "", ".mark")


def back_without_mark(bus):
    put_back(bus, "")
    os.unlink(bus.place.db + ".mark")


def say_restored(bus, path):
    return subprocess.run([bus.place.program("ctl"), "restored", "--store", path], capture_output=True, text=True)


def not_under_the_broker(bus):
    """The word needs the database for itself, and one that is there."""
    done = say_restored(bus, bus.place.db)
    assert done.returncode == 1 and "locked by another process" in done.stderr, done
    done = say_restored(bus, bus.place.path("absent"))
    assert done.returncode == 1 and "no such file" in done.stderr, done
    stopped(copy_file)(bus)


def by_hand(bus):
    put_back(bus, "")
    bus.is_by_hand = True
    done = say_restored(bus, bus.place.db)
    assert done.returncode == 0, done.stderr
    assert "ended 2 clip grants and 1 standing grants" in done.stdout, done.stdout


WAYS = {  # name: (take, put back)
    "cp": (stopped(copy_file), back_over),
    "sqlite-backup": (stopped(lambda b: sqlite(b.place.db, ".backup '%s'" % b.place.path("backup"))), lambda b: put_back(b, "")),
    "vacuum-into": (stopped(lambda b: sqlite(b.place.db, "VACUUM INTO '%s'" % b.place.path("backup"))), lambda b: put_back(b, "")),
    "without-wal": (copy_after_kill, lambda b: put_back(b, "")),
    "same-run": (copy_running, lambda b: put_back(b, "", "-wal")),
    "folder": (stopped(copy_folder), back_folder),
    "without-mark": (stopped(copy_file), back_without_mark),
    "by-hand": (not_under_the_broker, by_hand),
}


def play(template, build, base, name):
    """(retracted grants that came back, is all else well?)"""
    began, bus = time.monotonic(), None
    take, back = WAYS[name]
    try:
        bus = Bus(template, build, os.path.join(base, name))
        bus.is_by_hand = False
        bus.ring_grant_was_lost = name == "without-wal"  # its row was in the log: the backup never knew of it
        bus.share_two_of_three()
        assert bus.ring_passes(), "granted, and nothing passes"
        bus.before = bus.live()
        assert len(bus.before) == 3, bus.before
        take(bus)
        if name != "same-run":
            bus.untouched_restart_keeps_all()
        bus.retract_and_approve()
        bus.programs["broker"].stop()
        back(bus)
        bus.start()
        bus.look()
        bus.finish()
        print("ok %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
        return bus.back, not bus.back
    except Exception:
        logs = ["--- %s\n%s" % (p.name, p.log_text()[-2500:]) for p in (bus.programs.values() if bus else ())]
        print("\n".join(["FAIL %s" % name, traceback.format_exc()] + logs), flush=True)
        return bus.back if bus else [], False
    finally:
        if bus:
            bus.close()


def main():
    build, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(WAYS)
    base = tempfile.mkdtemp(prefix="vestibule-restore-")
    try:
        template = Template(os.path.join(base, "template")).make(build)
        with concurrent.futures.ThreadPoolExecutor(len(WAYS)) as pool:  # they wait most of the time
            done = list(pool.map(lambda name: play(template, build, base, name), wanted))
    finally:
        shutil.rmtree(base, ignore_errors=True)
    back = [g for grants, _ in done for g in grants]
    wrong = sum(not well for _, well in done)
    if wrong:
        print("restore: %d of %d ways went wrong" % (wrong, len(done)))
    print("restore: %d retracted grants came back" % len(back))
    return 1 if back or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
