"""One round: the story of a bus with agencies, told in random order by people whose programs are killed, on programs that
are killed. All draws come from the seed and the round's number; moments are real time, so a replay repeats the script and
not every microsecond. What is said, and how it was answered, goes to the model; the end goes to its judge."""
import json
import os
import random
import time

import raw
from mayhem import Mayhem
from model import Clip, End, Judge, Model, Standing
from rig import (HOMES, INTEGRATOR, LAT, LON, RECORDED, REFUSED, SEALED, UNKNOWN, Broken, StorageWatch, make_clip,
                 sha256_file, wait_until)

DAY_MS = 86400000
CLIPS_A_DEVICE = 4  # in a minute, more wait for the next one
RINGS_A_DEVICE = 6
SETTLE_S = 60
TABLES = ("clip", "ask", "grant", "delivery", "job", "standing", "rules", "request", "receipt")


class Round:
    def __init__(self, place, rng, points, featured):
        self.place, self.rng, self.model = place, rng, Model()
        self.programs = [place.broker(), place.relay()] + [place.doorbell(device) for _, device, _ in HOMES]
        self.mayhem = Mayhem(random.Random(rng.random()), self.programs, points, featured)
        self.big = featured.get("relay") == "copy-marked"
        self.storage, self.integrator = StorageWatch(place), raw.Integrator(place)
        self.script, self.sha_of, self.made, self.rang, self.fetches, self.days = [], {}, {}, {}, 0, 31
        self.sealed_clips, self.request, self.seq, self.filed = {}, None, int(time.time()), float("inf")

    # --- telling ---

    def note(self, what):
        self.script.append("%.3f %s" % (time.time(), what))
        if self.mayhem.failed:
            raise self.mayhem.failed
        return what

    def maybe_kill(self):
        """How long a person's program may run, or None: one in four is killed on its way."""
        return self.rng.uniform(0.005, 0.25) if self.rng.random() < 0.25 else None

    def until_recorded(self, what, seconds=25):
        """Says it again and again, as a person would, until it is recorded or refused."""
        end = time.monotonic() + seconds
        while True:
            got = what()
            if got.outcome != UNKNOWN or time.monotonic() > end:
                return got
            time.sleep(0.3)

    # --- doorbells ---

    def ring(self, device):
        if self.rang.get(device, 0) < RINGS_A_DEVICE:
            self.rang[device] = self.rang.get(device, 0) + 1
            self.note(self.place.tell(device, "ring", kill_after=self.maybe_kill()))

    def clip(self, home, device):
        if self.made.get(device, 0) >= CLIPS_A_DEVICE:
            return
        self.made[device] = self.made.get(device, 0) + 1
        path = self.place.path("new.mp4")
        sha = make_clip(self.rng, path, big=self.big)
        got = self.note(self.place.tell(device, "clip", path, "--trigger", "ring", "--json", kill_after=self.maybe_kill()))
        self.model.add_clip(Clip(sha, home, device, got.outcome))
        self.model.clips[sha].is_in_window = got.ended < self.filed + 20

    def sealed_clip(self):
        home, device, _ = SEALED
        self.seq += 1
        digest = self.rng.randbytes(32)
        said, clip = raw.sealed_clip(self.place, device, self.seq, digest, raw.age_header(self.rng))
        self.note(said)
        self.model.add_clip(Clip(digest.hex(), home, device, said.outcome, sealed=True))
        self.model.clips[digest.hex()].is_in_window = True
        self.sealed_clips[clip] = digest.hex()

    # --- people of the homes ---

    def opt_in(self, who):
        text = "ask police only burglary\n"
        with open(self.place.path(who + ".rules"), "w") as f:
            f.write(text)

        def say():
            got = self.note(self.place.home(who, "rules", "set", self.place.path(who + ".rules"), kill_after=self.maybe_kill()))
            self.model.set_rules(who, text, got.outcome)
            return got
        return self.until_recorded(say)

    def opt_in_sealed(self):
        home, _, who = SEALED
        said = self.note(raw.opt_in(self.place, home, who, "ask police only burglary"))
        self.model.set_rules(who, "ask police only burglary", said.outcome)

    def learn_ids(self, who):
        for row in self.place.home(who, "clips", "--json").rows():
            self.sha_of[row["clip"]["clip_id"]] = row["clip"]["payload_sha256"]

    def asks(self, who):
        rows = self.place.home(who, "asks", "--json").rows()
        if any(c["clip_id"] not in self.sha_of for ask in rows for c in ask["clips"]):
            self.learn_ids(who)
        return rows

    def answer(self, home, who, ask):
        """Yes, no or silence to each clip, drawn; what was answered before may be answered again."""
        said = {}
        for clip in ask["clips"]:
            word = self.rng.choice(("yes", "yes", "yes", "no", None))
            if word and clip["clip_id"] in self.sha_of:
                said[clip["clip_id"]] = word
        if not said:
            return
        words = [w for clip, word in said.items() for w in ("--" + word, clip)]

        def say():
            got = self.note(self.place.home(who, "answer", ask["ask_id"], *words, kill_after=self.maybe_kill()))
            for clip, word in said.items():
                self.model.clips[self.sha_of[clip]].said(word, got.outcome, got.ended)
            return got
        if self.rng.random() < 0.6:
            self.until_recorded(say)
        else:
            say()

    def answer_sealed(self):
        home, _, who = SEALED
        asks = self.place.home(who, "asks", "--json").rows()
        if not asks:
            return False
        headers = {}
        for clip in asks[0]["clips"]:
            if self.rng.random() < 0.8:
                headers[clip["clip_id"]] = raw.age_header(self.rng)
        said = self.note(raw.answer_sealed(self.place, home, who, asks[0], headers))
        for clip in asks[0]["clips"]:
            mine = self.model.clips[self.sealed_clips[clip["clip_id"]]]
            mine.header = headers.get(clip["clip_id"])
            mine.said("yes" if mine.header else "no", said.outcome, said.ended)
        return True

    def grant(self, home, who):
        kind, days, by_hand = self.rng.choice(("ring", "ring", "clip")), self.days, self.rng.random() < 0.5
        self.days += 1
        low = int(time.time() * 1000) + days * DAY_MS
        if by_hand:
            got, high = self.note(raw.grant(self.place, home, who, kind, low)), low
        else:
            got = self.note(self.place.home(who, "grant", INTEGRATOR, "--kind", kind, "--days", str(days), kill_after=self.maybe_kill()))
            high = int(time.time() * 1000) + days * DAY_MS
        self.model.standing.append(Standing(home, kind, low, high, got.outcome))

    def retract(self, home, who):
        """One of what is listed, of either sort."""
        rows = self.place.home(who, "grants", "--json").rows()
        if not rows:
            return
        row = self.rng.choice(rows)
        if row["standing"]:
            mine = [s for s in self.model.standing if s.low_ms <= row["exp_ms"] <= s.high_ms]
        else:
            sha = self.sha_of.get(row["clip_id"]) or self.sealed_clips.get(row["clip_id"])
            mine = [self.model.clips[sha]] if sha else []
        if not mine:
            return

        def say():
            if self.rng.random() < 0.4:
                got = self.note(raw.retract(self.place, home, who, row["grant_id"]))
            else:
                got = self.note(self.place.home(who, "retract", row["grant_id"], kill_after=self.maybe_kill()))
            if row["standing"]:
                mine[0].retracted(got.outcome, got.ended)
            else:
                mine[0].said("retract", got.outcome, got.ended)
            return got
        if self.rng.random() < 0.6:
            self.until_recorded(say)
        else:
            say()

    # --- the agency ---

    def submit(self):
        case, self.filed = "26-%d" % self.rng.randrange(1000, 9999), time.time()
        got = self.note(self.place.agency(
            "ines", "submit", "--type", "burglary", "--purpose", "investigation", "--case", case, "--reason",
            "a window was forced while nobody was home", "--lat", LAT, "--lon", LON, "--radius", "300", "--from", "-1h", "--to",
            "-0s", "--json", kill_after=self.maybe_kill()))
        self.model.requests[case] = got.outcome
        if got.outcome == REFUSED:
            raise Broken("a request was refused: %s" % got)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            listed = self.place.agency("ines", "list", "--json")
            if listed.code == 0:
                mine = [r for r in listed.rows() if r["submit"]["case_number"] == case]
                self.request = mine[0]["submit"]["request_id"] if mine else None
                return bool(mine)
            time.sleep(0.2)
        raise Broken("the broker does not answer an officer for 20 s: %s" % listed)

    def file_request(self):
        for _ in range(3):  # an officer's submits in a day
            if self.submit():
                break
        if not self.request:
            raise Broken("no request could be filed")

        end = time.monotonic() + 25
        while time.monotonic() < end:
            self.note(self.place.agency("sam", "approve", self.request, kill_after=self.maybe_kill()))
            listed = self.place.agency("sam", "list", "--json").rows()
            if [r for r in listed if r["submit"]["request_id"] == self.request and r["state"] in ("approved", "open")]:
                return
            time.sleep(0.3)
        raise Broken("the request could not be approved")

    def fetch(self, delivery):
        self.fetches += 1
        folder = self.place.path("fetched", str(self.fetches))
        os.makedirs(folder)
        got = self.note(self.place.agency("eva", "fetch", delivery, "-d", folder, "--wait", "3s"))
        files = [os.path.join(folder, n) for n in os.listdir(folder)]
        whole = [f for f in files if f.endswith(".mp4")]
        self.model.fetches.append((got.began, delivery, got.code, sha256_file(whole[0]) if whole else None))
        return got

    def fetch_some(self):
        rows = self.place.agency("eva", "deliveries", "--json").rows()
        if rows:
            self.fetch(self.rng.choice(rows)["delivery_id"])

    # --- the script ---

    def before(self):
        """Clips, rules and grants, in any order; at least one clip a home."""
        todo = [lambda h=h, d=d: self.clip(h, d) for h, d, _ in HOMES for _ in range(self.rng.choice((1, 2, 2, 3)))]
        todo += [lambda w=w: self.opt_in(w) for _, _, w in HOMES]
        todo += [lambda d=d: self.ring(d) for _, d, _ in HOMES]
        todo += [self.sealed_clip, self.opt_in_sealed, lambda: self.grant(HOMES[0][0], HOMES[0][2])]
        self.rng.shuffle(todo)
        for act in todo:
            act()

    def first_answer(self, home, who):
        """False: not asked yet."""
        if home == SEALED[0]:
            return self.answer_sealed()
        asks = self.asks(who)
        if asks and self.rng.random() < 0.85:
            self.answer(home, who, asks[0])
        return bool(asks)

    def wait_for_asks(self):
        """Some may be late, because a doorbell waits before it connects again: the judge looks at who was asked in the end."""
        waiting, end = [(home, who) for home, _, who in HOMES + (SEALED,)], time.monotonic() + 12
        while waiting and time.monotonic() < end:
            waiting = [(home, who) for home, who in waiting if not self.first_answer(home, who)]
            if self.rng.random() < 0.3:
                self.some_act(("ring", "clip"))
            time.sleep(0.25)

    def some_act(self, among):
        what, (home, device, who) = self.rng.choice(among), self.rng.choice(HOMES)
        if what == "ring":
            self.ring(device)
        elif what == "clip":
            self.clip(home, device)
        elif what == "retract":
            who_home, _, whose = self.rng.choice(HOMES + (SEALED,))
            self.retract(who_home, whose)
        elif what == "grant":
            self.grant(home, who)
        elif what == "fetch":
            self.fetch_some()
        elif what == "answer":
            for ask in self.asks(who):
                self.answer(home, who, ask)

    def tell(self):
        self.before()
        self.file_request()
        self.wait_for_asks()
        end = time.monotonic() + self.rng.uniform(3, 7)
        while time.monotonic() < end:
            self.some_act(("ring", "ring", "clip", "retract", "retract", "grant", "fetch", "fetch", "answer"))
            time.sleep(self.rng.uniform(0, 0.3))

    # --- the end ---

    def deliveries(self):
        return self.place.agency("eva", "deliveries", "--json").rows()

    def waiting(self, device):
        """Events in its spool; 1 also when it does not answer."""
        got = self.place.tell(device, "status", "--json")
        return json.loads(got.out)["waiting"] if got.code == 0 else 1

    def is_settled(self):
        """What homes say is shared, what the agency may fetch, what lies in the storage: all the same, and nothing waits."""
        shared = set()
        for home, device, who in HOMES:
            self.learn_ids(who)
            acknowledged = {c.sha for c in self.model.clips.values() if c.outcome == RECORDED and c.device == device}
            if acknowledged - set(self.sha_of.values()):
                return False
            got = self.place.home(who, "grants", "--json")
            rows = [r for r in got.rows() if not r["standing"]]
            if got.code != 0 or any(r["state"] != "active" for r in rows):
                return False
            shared |= {self.sha_of.get(r["clip_id"]) for r in rows}
        if any(self.waiting(device) for _, device, _ in HOMES):
            return False
        sealed = self.place.home(SEALED[2], "grants", "--json")
        if sealed.code != 0 or any(r["state"] != "active" for r in sealed.rows()):
            return False
        stored = set(self.place.stored().values())
        return stored == shared == {d["payload_sha256"] for d in self.deliveries()}

    def settle(self):
        self.mayhem.end()
        if not wait_until(self.place.answers, 15):
            raise Broken("the broker does not come back")
        began = time.monotonic()
        time.sleep(2.2)  # one tick, so that what is due has begun
        wait_until(self.is_settled, SETTLE_S, every=0.7)
        self.settled_s = time.monotonic() - began

    def last_fetches(self):
        """Everything on offer is brought once more; everything that ever was on offer is tried."""
        offered = {d["delivery_id"] for d in self.deliveries()}
        for delivery in sorted(offered | {f[1] for f in self.model.fetches}):
            brought = [f for f in self.model.fetches if f[1] == delivery and f[2] == 0]
            if delivery not in offered or not brought:
                for _ in range(3 if delivery in offered else 1):
                    if self.fetch(delivery).code == 0:
                        break

    def look(self):
        end = End()
        end.deliveries = self.deliveries()
        end.notices = self.place.agency("eva", "notices", "--json").rows()
        for _, device, _ in HOMES:
            end.spools[device] = self.waiting(device)
        self.integrator.stop()
        end.integrator = [(t, home, device, kind, json.loads(payload)) for t, home, device, kind, payload in self.integrator.got]
        for program in reversed(self.programs):
            program.stop()
        self.storage.stop()
        end.seen = self.storage.seen
        end.storage = self.place.stored()
        for table in TABLES:
            end.tables[table] = [dict(r) for r in self.place.rows('SELECT * FROM "%s"' % table)]
        if self.place.rows("PRAGMA integrity_check")[0][0] != "ok":
            raise Broken("the store is damaged")
        with open(self.place.db, "rb") as f:
            end.bytes = f.read()
        return end

    def play(self):
        """The judge, with the numbers of this round in `numbers`."""
        try:
            self.mayhem.begin()
            self.storage.start()
            self.integrator.start()
            self.mayhem.start()
            self.tell()
            self.settle()
            self.last_fetches()
            self.end = self.look()
        finally:
            self.mayhem.over.set()
            for program in self.programs:
                program.kill()
        judge = Judge(self.model, self.end).all()
        judge.numbers = self.numbers()
        return judge

    def numbers(self):
        clips = self.model.clips.values()
        taken_back = [x for x in list(clips) + self.model.standing if x.taken_back_at is not None]
        return {
            "kills": sum(self.mayhem.kills.values()),
            "killed commands": sum("killed after" in line for line in self.script),
            "clips": len(clips),
            "shared": len(self.end.seen),
            "taken back": len(taken_back),
            "fetched": sum(f[2] == 0 for f in self.model.fetches),
            "seen by the integrator": len(self.end.integrator),
            "settled in s": round(self.settled_s, 1),
        }
