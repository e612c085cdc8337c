#!/usr/bin/python3
"""Is every defence held by a test?  run.py BUILD [WORD...] takes each defence of *.mutants out of a copy of the sources, builds,
and runs the one test that must notice: it has to fail, by an assertion. WORD... : only defences with one of them in their number,
name, files or test.
run.py --check: do all definitions still fit the sources? (seconds; part of `make lint`)
Closing line: `mutants: N of N caught by their own test`; what survives is a missing test."""
import concurrent.futures
import os
import queue
import re
import shutil
import subprocess
import sys
import time

from definitions import HERE, mutated, read_all

ROOT = os.path.dirname(os.path.dirname(HERE))
SOURCES = ["Makefile", "lib", "proto", "plugin", "clients", "tests"]
AT_ONCE = 2          # as many copies of the sources
TEST_SECONDS = 120
HANGS_SECONDS = 10   # what hangs, ends in far less when nothing is taken out
BY_ASSERTION = ("AssertionError", "mqtt5.Closed", "mqtt5.Refused", "subprocess.TimeoutExpired")
NO_BROKER = ("the broker did not start", "broker ended with")


class Broken(Exception):
    """Neither caught nor survived: it does not build, or the test fails in another way."""


class Hung(Broken):
    pass


def files_under(root):
    yield from (p for p in SOURCES if os.path.isfile(os.path.join(root, p)))
    for top in SOURCES:
        for where, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            yield from (os.path.relpath(os.path.join(where, name), root) for name in names)


class Tree:
    """A copy of the sources with a build of its own."""

    def __init__(self, path):
        self.path, self.build = path, os.path.join(path, "build")

    def sync(self):
        """Only what differs is written, so that make builds only that; what an earlier run left goes."""
        wanted = set(files_under(ROOT))
        for path in wanted:
            with open(os.path.join(ROOT, path), "rb") as f:
                self.write(path, f.read())
            shutil.copymode(os.path.join(ROOT, path), os.path.join(self.path, path))
        for path in set(files_under(self.path)) - wanted:
            os.unlink(os.path.join(self.path, path))

    def write(self, path, data):
        to = os.path.join(self.path, path)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if os.path.exists(to):
            with open(to, "rb") as f:
                if f.read() == data:
                    return
        with open(to, "wb") as f:
            f.write(data)

    def make(self, targets):
        done = subprocess.run(["make", "-s", "BUILD=build", "SAN=", "CFLAGS=-O0 -g", *sorted(targets)], cwd=self.path,
                              capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0"})
        if done.returncode:
            raise Broken("does not build:\n" + done.stderr[-2000:])


def targets_of(test):
    path = test[0]
    if path.startswith("tests/broker/"):
        with open(os.path.join(ROOT, path)) as f:
            return {"plugin", "build/tests/broker/seed"} | ({"programs"} if "from programs import" in f.read() else set())
    if path.startswith("tests/relay/"):
        return {"build/bin/vestibule-relay"}
    return {"build/" + path[:-len(".c")]}


def run_python(tree, test, seconds):
    path, name = test
    done = subprocess.run(["/usr/bin/python3", path, name], cwd=tree.path, capture_output=True, text=True, errors="replace",
                          timeout=seconds, env={**os.environ, "BUILD": tree.build})
    out = done.stdout + done.stderr
    if done.returncode == 0 and re.search(r"^ok +%s\b" % name, out, re.M):
        return True, out
    if not re.search(r"^FAIL %s\b" % name, out, re.M) or any(text in out for text in NO_BROKER):
        raise Broken("%s did not come to its end:\n%s" % (name, out[-2000:]))
    if path.startswith("tests/relay/"):
        how = re.search(r"^FAIL %s: (\w+)" % name, out, re.M)[1]
    else:
        how = [line for line in out.split("\n") if re.match(r"[\w.]+(Error|Closed|Refused|Expired)\b", line)][-1].split(":")[0]
    if how not in BY_ASSERTION:
        raise Broken("%s failed by %s:\n%s" % (name, how, out[-2000:]))
    return False, out


def run_cmocka(tree, test, seconds):
    path, name = test
    program = os.path.join("build", path[:-len(".c")])
    done = subprocess.run([program], cwd=tree.path, capture_output=True, text=True, errors="replace", timeout=seconds,
                          env={**os.environ, "ONLY": name, "LD_PRELOAD": os.path.join(tree.build, "only.so")})
    out = done.stdout + done.stderr
    if done.returncode == 0 and "[       OK ] %s\n" % name in out:
        return True, out
    if done.returncode <= 0 or "[  FAILED  ] %s\n" % name not in out:
        raise Broken("%s did not come to its end, status %d:\n%s" % (name, done.returncode, out[-2000:]))
    return False, out


def passes(tree, test, seconds=TEST_SECONDS):
    try:
        return (run_python if test[0].endswith(".py") else run_cmocka)(tree, test, seconds)
    except subprocess.TimeoutExpired:
        raise Hung("%s took more than %d s" % (test[1], seconds)) from None


def try_mutant(tree, m):
    """Is it caught? The tree is as before afterwards."""
    originals = {}
    try:
        for path, text in mutated(tree.path, m).items():
            with open(os.path.join(tree.path, path), "rb") as f:
                originals[path] = f.read()
            tree.write(path, text.encode())
        tree.make(targets_of(m.test))
        return not passes(tree, m.test, HANGS_SECONDS if m.hangs else TEST_SECONDS)[0]
    except Hung:
        if m.hangs:
            return True
        raise
    finally:
        for path, data in originals.items():
            tree.write(path, data)


def in_turn(trees, work, items):
    """work(tree, item) for each, as many at once as there are trees."""
    free = queue.Queue()
    for tree in trees:
        free.put(tree)

    def one(item):
        tree = free.get()
        try:
            return work(tree, item)
        finally:
            free.put(tree)

    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        return list(pool.map(one, items))


def prepare(tree, targets):
    tree.sync()
    tree.make(targets)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", os.path.join(tree.build, "only.so"),
                    os.path.join(tree.path, "tests/mutants/only.c"), "-lcmocka"], check=True)


def unmutated(tree, test):
    try:
        ok, out = passes(tree, test)
    except Broken as e:
        ok, out = False, str(e)
    if not ok:
        print("FAIL %s %s fails with every defence in place:\n%s" % (*test, out[-3000:]), flush=True)
    return ok


def verdict(tree, m):
    began = time.monotonic()
    try:
        caught, why = try_mutant(tree, m), "%s of %s does not notice" % (m.test[1], m.test[0])
    except Broken as e:
        caught, why = False, "cannot tell: %s" % e
    if caught:
        print("ok %s (%.1f s)" % (m.line(), time.monotonic() - began), flush=True)
    else:
        print("SURVIVED %s\n  %s takes it out of %s\n  %s" % (m, m.where, m.files(), why), flush=True)
    return caught


def main(build, words):
    mutants, faults = read_all(ROOT)
    for fault in faults:
        print("FAIL " + fault)
    if faults:
        return 1
    mutants = [m for m in mutants if not words or any(re.search(r"\b%s\b" % re.escape(w), m.line()) for w in words)]
    mutants.sort(key=lambda m: sorted(h[0] for h in m.hunks))  # one file after the other: fewer objects to build again
    tests = sorted({m.test for m in mutants})
    trees = [Tree(os.path.join(build, "mutants", str(i))) for i in range(AT_ONCE)]
    print("%d defences, %d tests; building %d copies" % (len(mutants), len(tests), AT_ONCE), flush=True)
    targets = set().union(*(targets_of(t) for t in tests))
    try:
        in_turn(trees, lambda tree, _: prepare(tree, targets), trees)
    except Broken as e:
        print("FAIL with every defence in place it %s" % e)
        return 1
    if not all(in_turn(trees, unmutated, tests)):
        return 1
    caught = sum(in_turn(trees, verdict, mutants))
    print("mutants: %d of %d caught by their own test" % (caught, len(mutants)))
    return 0 if caught == len(mutants) and mutants else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        found, wrong = read_all(ROOT)
        print("\n".join(wrong + ["mutants: %d definitions, %d faults" % (len(found), len(wrong))]))
        sys.exit(1 if wrong else 0)
    if not sys.argv[1:]:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
