"""Which conditions of the heart were never true, or never false: coverage.py EXPORT PATTERN, called by coverage.sh.

EXPORT is llvm-cov's JSON; PATTERN says which files, by their path from the root. Each operand of && and ||, each condition
of an if, a loop or a ?:, and each case of a switch counts twice: once true, once false. A condition that a macro writes
counts at each place where the macro stands. What one program never does another may: counts are summed over all of them.
"""

import glob
import json
import os
import re
import sys

REGION_FILE, REGION_EXPANDS, REGION_KIND = 5, 6, 7
BRANCH_TRUE, BRANCH_FALSE, BRANCH_FILE = 4, 5, 6
EXPANSION = 1


def conditions(function):
    """(line, column, n-th there), times true, times false: of one function, at places in the file it is in."""
    sites = {r[REGION_EXPANDS]: r for r in function["regions"] if r[REGION_KIND] == EXPANSION}
    seen = {}
    for branch in function["branches"]:
        line, column, file = branch[0], branch[1], branch[BRANCH_FILE]
        while file in sites:  # out of every macro that the condition stands in
            line, column, file = sites[file][0], sites[file][1], sites[file][REGION_FILE]
        n = seen[line, column] = seen.get((line, column), 0) + 1
        yield (line, column, n), branch[BRANCH_TRUE], branch[BRANCH_FALSE]


def collect(export, pattern):
    """file -> place -> [times true, times false]"""
    with open(export, encoding="utf-8") as f:
        functions = json.load(f)["data"][0]["functions"]
    files = {}
    for function in functions:
        name = os.path.relpath(function["filenames"][0])
        if not re.search(pattern, name):
            continue
        places = files.setdefault(name, {})
        for place, true, false in conditions(function):
            times = places.setdefault(place, [0, 0])
            times[0] += true
            times[1] += false
    return files


def sources(pattern):
    """What PATTERN names in the tree: a file that no program holds would otherwise be missed in silence."""
    found = glob.glob("*/*.c") + glob.glob("*/*/*.c")
    return [name for name in sorted(found) if re.search(pattern, name)]


def main():
    export, pattern = sys.argv[1:]
    files = collect(export, pattern)
    absent = [name for name in sources(pattern) if name not in files]
    for name in absent:
        print(f"{name}: in none of the programs")
    taken = total = 0
    for name in sorted(files):
        with open(name, encoding="utf-8") as f:
            lines = f.read().split("\n")
        places = files[name]
        missing = [(p, way) for p in sorted(places) for way in (0, 1) if not places[p][way]]
        all_of = 2 * len(places)
        taken, total = taken + all_of - len(missing), total + all_of
        print(f"{name}: {all_of - len(missing)} of {all_of}")
        for (line, column, _), way in missing:
            text = lines[line - 1]
            print(f"    {name}:{line}:{column}: never {('true', 'false')[way]}: {text.strip()}")
    print(f"coverage: {taken} of {total} branches")
    sys.exit(0 if taken == total > 0 and not absent else 1)


main()
