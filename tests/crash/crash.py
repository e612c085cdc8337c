#!/usr/bin/python3
"""Plays the story with kill -9 of broker, relay, doorbells and people's programs at random points, and compares the end with
a model:  crash.py [--rounds N] [--seed S] [--build DIR] [--points DIR] [--jobs J] [--round K: that one alone] [--keep]
Even rounds run what --build holds; odd ones the build with failpoints (--points) and end it at named steps as well.
Closing line: `crash: R rounds, L lost, K leaked`; exit 0 only if both are 0 and nothing else was wrong."""
import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
from story import Round

HIT_EVERY = 20  # in so many rounds each step of the store's write path ends the broker at least once


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=50)
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--build", default=os.path.join(rig.ROOT, "build"))
    p.add_argument("--points", default=None)
    p.add_argument("--jobs", type=int, default=4)  # a round waits most of its time
    p.add_argument("--round", type=int, default=None)
    p.add_argument("--keep", action="store_true")
    p.add_argument("--template", default=None, help=argparse.SUPPRESS)
    p.add_argument("--folder", default=None, help=argparse.SUPPRESS)
    o = p.parse_args()
    o.build = os.path.abspath(o.build)
    o.points = os.path.abspath(o.points) if o.points else None
    if o.seed is None:
        o.seed = random.SystemRandom().randrange(1 << 32)
    return o


# --- one round, in a process of its own -----------------------------------------------------------------------------

def play_one(o):
    """Prints one JSON line: what came of it."""
    with_points = o.points and o.round % 2 == 1
    build = o.points if with_points else o.build
    points = rig.failpoints() if with_points else {}
    featured = {program: names[o.round // 2 % len(names)] for program, names in points.items() if names}
    folder = os.path.join(o.folder, "round-%d" % o.round)
    place = rig.Template(o.template).copy(folder, build)
    r = Round(place, random.Random("%d/%d" % (o.seed, o.round)), points, featured)
    result = {"round": o.round, "lost": [], "leaked": [], "wrong": [], "folder": folder}
    began = time.time()
    try:
        judge = r.play()
        result.update(lost=judge.lost, leaked=judge.leaked, wrong=judge.wrong, numbers=judge.numbers)
    except Exception as e:
        result["wrong"] = ["%s: %s" % (type(e).__name__, e)]
        if not isinstance(e, rig.Broken):
            result["wrong"].append(traceback.format_exc())
    result["seconds"] = round(time.time() - began, 1)
    result["hits"] = {p.name: p.hits for p in r.programs}
    with open(os.path.join(folder, "script"), "w") as f:
        f.write("\n".join(sorted(r.script + r.mayhem.log)) + "\n")
    print(json.dumps(result), flush=True)


# --- all of them ----------------------------------------------------------------------------------------------------

def start(o, folder, number):
    argv = [sys.executable, os.path.abspath(__file__), "--seed", str(o.seed), "--round", str(number), "--build", o.build,
            "--template", os.path.join(folder, "template"), "--folder", folder]
    argv += ["--points", o.points] if o.points else []
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def report(o, result):
    """One line for a good round; everything one needs to look into a bad one."""
    bad = result["lost"] + result["leaked"] + result["wrong"]
    numbers = result.get("numbers", {})
    hits = ["%s at %s" % (program, name) for program, names in result["hits"].items() for name in names]
    print("round %3d %s %5.1f s  %s%s" % (result["round"], "BAD" if bad else "ok ", result["seconds"], ", ".join(
        "%s %s" % (v, k) for k, v in numbers.items()), "; ended " + ", ".join(hits) if hits else ""), flush=True)
    for kind in ("lost", "leaked", "wrong"):
        for text in result[kind]:
            print("    %s: %s" % (kind, text))
    if bad:
        print("    replay: tests/crash/run.sh BUILD --seed %d --round %d   kept: %s" % (o.seed, result["round"], result["folder"]))
        with open(os.path.join(result["folder"], "script")) as f:
            print("".join("      " + line for line in f), flush=True)
    elif not o.keep:
        shutil.rmtree(result["folder"], ignore_errors=True)
    return not bad


def play_all(o, folder):
    waiting, running, results = list(range(o.rounds)) if o.round is None else [o.round], {}, []
    while waiting or running:
        while waiting and len(running) < o.jobs:
            number = waiting.pop(0)
            running[number] = start(o, folder, number)
        for number, process in list(running.items()):
            if process.poll() is None:
                continue
            out = process.stdout.read().strip().splitlines()
            del running[number]
            result = json.loads(out[-1]) if out else {
                "round": number, "lost": [], "leaked": [], "wrong": ["the round's own process died"], "hits": {}, "seconds": 0,
                "folder": os.path.join(folder, "round-%d" % number)}
            results.append(result)
            report(o, result)
        time.sleep(0.1)
    return results


def never_hit(o, results, program):
    """Failpoints that this program never ended at. A step of the relay needs its occasion, so chance has a say in these."""
    hit = {name for r in results for name in r["hits"].get(program, ())}
    return [name for name in rig.failpoints()[program] if name not in hit] if o.points else []


def summary(o, results):
    """The closing lines; 0 when all is well."""
    count = {kind: sum(len(r[kind]) for r in results) for kind in ("lost", "leaked", "wrong")}
    missed, totals = never_hit(o, results, "broker"), collections.Counter()
    for r in results:
        totals.update(r.get("numbers", {}))
    totals.pop("settled in s", None)
    print("in all: %s; %d ends at failpoints" % (", ".join("%d %s" % (v, k) for k, v in totals.items()),
                                              sum(len(n) for r in results for n in r["hits"].values())))
    print("no end at: %s" % (", ".join(missed + never_hit(o, results, "relay")) or "(every failpoint was passed)"))
    if count["wrong"]:
        print("crash: %d other faults" % count["wrong"])
    print("crash: %d rounds, %d lost, %d leaked" % (len(results), count["lost"], count["leaked"]))
    return 1 if any(count.values()) or (missed and len(results) >= HIT_EVERY) else 0


def main():
    o = options()
    if o.folder:
        play_one(o)
        return 0
    print("crash: seed %d, %s" % (o.seed, "round %d" % o.round if o.round is not None else "%d rounds" % o.rounds), flush=True)
    folder = tempfile.mkdtemp(prefix="vestibule-crash-")
    rig.Template(os.path.join(folder, "template")).make(o.build)
    results = play_all(o, folder)
    code = summary(o, results)
    if code == 0 and not o.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
