"""What must be true in the end, worked out slowly and obviously from what was said and how it was answered. The model knows
nothing of how Vestibule does it. A command whose fate is unknown (no answer, killed on the way) leaves two possible worlds;
one that was acknowledged leaves one; one that was refused changes nothing.

`lost`: something acknowledged is missing. `leaked`: somebody has, or had, what no grant covers. `wrong`: a second effect of
one command, or an end that no sequence of the commands explains."""
import collections

from rig import HOMES, RECORDED, SEALED, UNKNOWN

NONE, YES, NO, BACK = "no answer", "yes", "no", "taken back"
STORED = {"approved": 1, "active": 2, "refused": 3, "revoked": 4, "expired": 5}  # grant.state in the store
KINDS = {"ring": 1, "motion": 2, "clip": 3}
LATE_S = 2.0  # a message that was on its way when the grant ended may arrive for so long; one made later never
STEP = {
    "yes": {NONE: YES, YES: YES, NO: NO, BACK: BACK},   # another adult's no, and a retraction, stand
    "no": {NONE: NO, YES: NO, NO: NO, BACK: BACK},      # before the release; after it, it is refused
    "retract": {NONE: NONE, YES: BACK, NO: NO, BACK: BACK},
}


class Clip:
    def __init__(self, sha, home, device, outcome, sealed=False):
        self.sha, self.home, self.device, self.outcome, self.sealed = sha, home, device, outcome, sealed
        self.worlds = {NONE}
        self.is_in_window = False   # of the request, surely
        self.may_be_shared = False  # was there a moment at which a recorded yes is possible?
        self.taken_back_at = None   # when the retraction was acknowledged
        self.header = None          # of a sealed clip: what the agency gets
        self.times = {"yes": 0, "no": 0, "retract": 0}  # commands about it

    def said(self, what, outcome, ended):
        after = {STEP[what][w] for w in self.worlds}
        self.times[what] += 1
        if outcome == RECORDED:
            if what == "no" and BACK not in self.worlds:
                self.may_be_shared = False  # it was accepted: so it had not been released, and never will be
            self.worlds = after
        elif outcome == UNKNOWN:
            self.worlds |= after
        if what == "yes" and YES in self.worlds:
            self.may_be_shared = True
        if what == "retract" and outcome == RECORDED and self.taken_back_at is None:
            self.taken_back_at = ended


class Standing:
    """One `grant` command. exp_ms is its own: that is how its rows are told apart."""

    def __init__(self, home, kind, low_ms, high_ms, outcome):
        self.home, self.kind, self.low_ms, self.high_ms, self.outcome = home, kind, low_ms, high_ms, outcome
        self.id, self.taken_back_at, self.maybe_taken_back = None, None, False

    def is_row(self, row):
        return row["home"] == self.home and self.low_ms <= row["exp_ms"] <= self.high_ms

    def retracted(self, outcome, ended):
        if outcome == RECORDED and self.taken_back_at is None:
            self.taken_back_at = ended
        self.maybe_taken_back |= outcome == UNKNOWN


class Model:
    def __init__(self):
        self.clips = {}      # SHA-256: Clip
        self.standing = []
        self.rules = {}      # username: {texts that may be in force}
        self.requests = {}   # case number: outcome
        self.fetches = []    # (began, delivery id, code, SHA-256 of the file or None)

    def add_clip(self, clip):
        self.clips[clip.sha] = clip

    def set_rules(self, who, text, outcome):
        if outcome == RECORDED:
            self.rules[who] = {text}
        elif outcome == UNKNOWN:
            self.rules.setdefault(who, {None}).add(text)


class End:
    """What is there when everything has settled; filled by the round."""

    def __init__(self):
        self.storage = {}      # object name: SHA-256
        self.seen = {}         # SHA-256 of every object that ever lay there: first seen
        self.notices = []      # of the agency
        self.deliveries = []   # that an officer may fetch
        self.integrator = []   # (received, home, device, kind, event)
        self.tables = {}       # of the store: name: rows
        self.bytes = b""       # of the store's file
        self.spools = {}       # device: events that still wait


class Judge:
    def __init__(self, model, end):
        self.model, self.end = model, end
        self.lost, self.leaked, self.wrong = [], [], []
        self.clip_of = {r["id"]: r["payload_sha256"] for r in end.tables["clip"]}
        self.grant_of = {}  # SHA-256: row
        for r in end.tables["grant"]:
            if self.clip_of[r["clip"]] in self.grant_of:
                self.wrong.append("two grants for one clip: %s" % r["clip"])
            self.grant_of[self.clip_of[r["clip"]]] = r
        self.delivery_of = {}  # grant id: row
        for r in end.tables["delivery"]:
            if r["grant"] in self.delivery_of:
                self.wrong.append("two deliveries of one grant: %s" % r["grant"])
            self.delivery_of[r["grant"]] = r

    def all(self):
        self.catalogue()
        self.asked()
        for clip in self.model.clips.values():
            self.one_grant(clip)
        self.storage()
        self.agency()
        self.standing_rows()
        self.integrator()
        self.words()
        self.once()
        return self

    # --- clips ---

    def catalogue(self):
        have = list(self.clip_of.values())
        for clip in self.model.clips.values():
            if have.count(clip.sha) > 1:
                self.wrong.append("clip %s is in the catalogue twice" % clip.sha[:12])
            if clip.outcome == RECORDED and clip.sha not in have:
                self.lost.append("clip %s of %s was acknowledged and is not in the catalogue" % (clip.sha[:12], clip.device))
        for sha in have:
            if sha not in self.model.clips:
                self.wrong.append("clip %s in the catalogue was never made" % sha[:12])

    def asked(self):
        """A home that opted in and has a clip in the window is asked; clips that come after its answer are not asked for."""
        asked = {r["home"] for r in self.end.tables["ask"]}
        for home, _, who in HOMES + (SEALED,):
            clips = [c for c in self.model.clips.values() if c.home == home and c.outcome == RECORDED and c.is_in_window]
            if clips and None not in self.model.rules.get(who, {None}) and home not in asked:
                self.lost.append("the rules of %s and a clip were acknowledged, and %s was not asked" % (who, home))

    def world_in_store(self, clip):
        row = self.grant_of.get(clip.sha)
        if not row:
            return NONE
        return {STORED["approved"]: YES, STORED["active"]: YES, STORED["refused"]: NO, STORED["revoked"]: BACK}.get(row["state"])

    def one_grant(self, clip):
        world, row, short = self.world_in_store(clip), self.grant_of.get(clip.sha), clip.sha[:12]
        if world not in clip.worlds:
            text = "clip %s: the store says %s, possible is only %s" % (short, world, " or ".join(sorted(clip.worlds)))
            (self.leaked if world == YES else self.lost).append(text)
        if row and world in (NO, BACK) and row["header"] != b"":
            self.leaked.append("clip %s: %s, and its header is still in the store" % (short, world))
        if clip.header and world in (NO, BACK) and clip.header in self.end.bytes:
            self.leaked.append("clip %s: %s, and the bytes of its header are still in the file" % (short, world))
        if world == YES:
            self.shared(clip, row)

    def shared(self, clip, row):
        short = clip.sha[:12]
        if row["state"] != STORED["active"]:
            self.lost.append("clip %s was approved and never released" % short)
        if clip.sealed:
            if row["header"] != clip.header:
                self.lost.append("clip %s: the header that was acknowledged is not in the store" % short)
            return  # its device holds no bytes: nothing is copied
        if clip.sha not in self.end.storage.values():
            self.lost.append("clip %s was approved and is not in the storage" % short)
        if not any(n.get("payload_sha256") == clip.sha for n in self.end.deliveries):
            self.lost.append("clip %s was approved and cannot be fetched: not announced" % short)
        elif not any(sha == clip.sha for _, _, _, sha in self.model.fetches):
            self.lost.append("clip %s was approved and announced, and no fetch brought it" % short)

    # --- who has what ---

    def storage(self):
        for name, sha in self.end.storage.items():
            clip = self.model.clips.get(sha)
            if not clip or self.world_in_store(clip) != YES:
                self.leaked.append("object %s (clip %s) lies in the storage without a grant" % (name, sha[:12]))
        for sha in self.end.seen:
            clip = self.model.clips.get(sha)
            if not clip or not clip.may_be_shared:
                self.leaked.append("clip %s lay in the storage, and nobody ever said yes" % sha[:12])
        if len(set(self.end.storage.values())) != len(self.end.storage):
            self.wrong.append("a clip lies in the storage twice")

    def agency(self):
        sha_of = {d["id"]: None for d in self.end.tables["delivery"]}
        grants = {r["id"]: r for r in self.end.tables["grant"]}
        for d in self.end.tables["delivery"]:
            sha_of[d["id"]] = self.clip_of[grants[d["grant"]]["clip"]]
        for notice in self.end.notices:
            sha = notice.get("payload_sha256")
            if sha and not (sha in self.model.clips and self.model.clips[sha].may_be_shared):
                self.leaked.append("the agency was told of clip %s without a yes" % sha[:12])
        for notice in self.end.deliveries:
            clip = self.model.clips.get(notice["payload_sha256"])
            if not clip or self.world_in_store(clip) != YES:
                self.leaked.append("clip %s is offered to the agency without a grant" % notice["payload_sha256"][:12])
        for began, delivery, code, sha in self.model.fetches:
            clip = self.model.clips.get(sha_of.get(delivery))
            if code != 0:
                continue
            if not clip or sha != clip.sha:
                self.wrong.append("delivery %s brought other bytes than its clip's" % delivery)
            elif clip.taken_back_at is not None and began > clip.taken_back_at:
                self.leaked.append("clip %s was fetched %.1f s after its retraction was acknowledged" % (
                    clip.sha[:12], began - clip.taken_back_at))

    # --- integrators ---

    def standing_rows(self):
        rows = self.end.tables["standing"]
        for s in self.model.standing:
            mine = [r for r in rows if s.is_row(r)]
            if len(mine) > 1:
                self.wrong.append("one grant command of %s made %d standing grants" % (s.home, len(mine)))
            as_long = [r for r in rows if r["home"] == s.home and r["kind"] == KINDS[s.kind] and r["exp_ms"] >= s.low_ms]
            if s.outcome == RECORDED and not mine and not as_long:  # given already, for longer: no second row
                self.lost.append("a standing grant of %s was acknowledged and is not in the store" % s.home)
            for r in mine:
                self.one_standing(s, r)
        for r in rows:
            for other in rows:  # a retraction takes every like grant of its home along
                if self.are_alike(r, other) and r["state"] == STORED["active"] and other["state"] == STORED["revoked"] and \
                        r["nbf_ms"] < other["ended_ms"]:
                    self.lost.append("standing grant %s outlived the retraction of its like %s" % (r["id"], other["id"]))
            if not any(s.is_row(r) for s in self.model.standing):
                self.wrong.append("standing grant %s was never given" % r["id"])

    @staticmethod
    def are_alike(a, b):
        return a["id"] != b["id"] and all(a[k] == b[k] for k in ("home", "integrator", "device", "kind"))

    def went_with_another(self, row):
        """A like grant was taken back at that very moment, and may have been."""
        return any(self.are_alike(row, o) and o["ended_ms"] == row["ended_ms"] and
                   any(s.is_row(o) and (s.taken_back_at is not None or s.maybe_taken_back) for s in self.model.standing)
                   for o in self.end.tables["standing"])

    def one_standing(self, s, row):
        if s.taken_back_at is not None:
            if row["state"] != STORED["revoked"]:
                self.lost.append("standing grant %s: its retraction was acknowledged and is not in the store" % row["id"])
            elif row["ended_ms"] > s.taken_back_at * 1000 + 1:
                self.lost.append("standing grant %s ended only after its retraction was acknowledged" % row["id"])
        elif row["state"] == STORED["revoked"] and not s.maybe_taken_back and not self.went_with_another(row):
            self.lost.append("standing grant %s ended, and nobody took it back" % row["id"])

    def covers(self, row, received, home, device, kind, event):
        names = {1: "ring", 2: "motion", 3: "clip-ready"}
        if row["home"] != home or names[row["kind"]] != kind or row["device"] not in ("", device):
            return False
        if not row["nbf_ms"] <= event["at_ms"] < row["exp_ms"]:
            return False
        if row["ended_ms"] == 0:
            return True
        return event["at_ms"] <= row["ended_ms"] and received * 1000 <= row["ended_ms"] + LATE_S * 1000

    def integrator(self):
        for got in self.end.integrator:
            if not any(self.covers(r, *got) for r in self.end.tables["standing"]):
                self.leaked.append("%s of %s at %d reached the integrator outside every grant" % (got[3], got[2], got[4]["at_ms"]))

    # --- words and numbers ---

    def words(self):
        have = {r["username"]: r["text"] for r in self.end.tables["rules"]}
        for who, texts in self.model.rules.items():
            if have.get(who) not in texts:
                self.lost.append("the rules of %s are not what was acknowledged" % who)
        cases = [r["case_number"] for r in self.end.tables["request"]]
        for case, outcome in self.model.requests.items():
            if cases.count(case) > 1:
                self.wrong.append("request %s was filed twice" % case)
            if outcome == RECORDED and case not in cases:
                self.lost.append("request %s was acknowledged and is not in the store" % case)

    def once(self):
        """Receipts tell each change once; no job is left over; nothing waits in a spool."""
        names = {3: "approved", 4: "shared", 6: "revoked", 8: "purged", 9: "void", 11: "given", 12: "retracted"}
        clips = {r["id"]: self.model.clips[self.clip_of[r["clip"]]] for r in self.end.tables["grant"]}
        told = collections.Counter((r["grant"], r["kind"]) for r in self.end.tables["receipt"] if r["grant"] and r["kind"] in names)
        for (grant, kind), count in told.items():
            # a yes after a no that is not told yet is told again, and changes nothing (the silent veto)
            most = clips[grant].times[{3: "yes", 6: "retract"}[kind]] if kind in (3, 6) else 1
            if count > most:
                self.wrong.append("%d receipts '%s' for grant %s" % (count, names[kind], grant))
        sealed = {r["id"] for r in self.end.tables["grant"] if self.model.clips[self.clip_of[r["clip"]]].sealed}
        for job in self.end.tables["job"]:
            delivery = [d for d in self.end.tables["delivery"] if d["id"] == job["delivery"]]
            if not (delivery and delivery[0]["grant"] in sealed and job["kind"] == 1):
                self.lost.append("job %s (kind %d) was never done" % (job["id"], job["kind"]))
        for device, waiting in self.end.spools.items():
            if waiting:
                self.lost.append("%d events still wait in the spool of %s" % (waiting, device))
