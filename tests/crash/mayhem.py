"""Kill -9 at random moments, and ends at failpoints: the weather in which a round's story is told."""
import threading
import time


class Mayhem(threading.Thread):
    """Kills programs at random moments and starts every one that is down, after a pause."""

    def __init__(self, rng, programs, points, featured):
        super().__init__(daemon=True)
        self.rng, self.programs, self.points, self.featured = rng, programs, points, dict(featured)
        self.down_until, self.over, self.failed = {}, threading.Event(), None
        self.kills = {p.name: 0 for p in programs}
        self.log = []

    def failpoint(self, program):
        """The round's own until it was hit; then now and then another."""
        names, own = self.points.get(program.name), self.featured.get(program.name)
        if not names:
            return None
        if own not in program.hits:
            return "%s:%d" % (own, self.rng.randint(1, 3) if program.name == "broker" else 1)
        if len(program.hits) >= 3 or self.rng.random() < 0.4:
            return None
        name, nth = self.rng.choice(names), self.rng.randint(1, 12 if program.name == "broker" else 3)
        fails = name in ("store-begin", "store-op", "store-commit") and self.rng.random() < 0.3
        return "%s:%d%s" % (name, nth, ":error" if fails else "")

    def start_one(self, program):
        point = self.failpoint(program)
        program.start(point)
        self.log.append("%.3f start %s %s" % (time.time(), program.name, point or ""))

    def begin(self):
        for program in self.programs:
            self.start_one(program)

    def look(self, program):
        if program.is_up():
            return
        until = self.down_until.setdefault(program.name, time.monotonic() + self.rng.choice((0, 0.1, 0.4, 1.0)))
        if time.monotonic() >= until:
            del self.down_until[program.name]
            self.start_one(program)

    def kill_one(self):
        weights = [3 if p.name in ("broker", "relay") else 1 for p in self.programs]
        program = self.rng.choices(self.programs, weights)[0]
        if program.is_up():
            program.kill()
            self.kills[program.name] += 1
            self.log.append("%.3f kill %s" % (time.time(), program.name))

    def run(self):
        next_kill = time.monotonic() + self.rng.uniform(0.3, 2)
        try:
            while not self.over.wait(0.02):
                for program in self.programs:
                    self.look(program)
                if time.monotonic() >= next_kill:
                    self.kill_one()
                    next_kill = time.monotonic() + min(self.rng.expovariate(1 / 1.6) + 0.05, 5)
        except Exception as e:
            self.failed = e

    def end(self):
        """The last crash takes some of them at once; then everything comes up and stays up."""
        self.over.set()
        self.join()
        if self.failed:
            raise self.failed
        for program in self.programs:
            if self.rng.random() < 0.6 and program.is_up():
                program.kill()
                self.kills[program.name] += 1
        for program in self.programs:
            program.is_up()  # takes note of how it ended
            program.kill()   # also those with a failpoint before them
            program.is_up()
            program.start()
