"""Reads *.mutants. A file is one invariant, its first line `I4: what it says`. Then, for each defence:

    = what the defence is, in a few words
    in plugin/policy/state_find.c
     a line that stays
    -a line that goes
    +a line that comes instead
    test tests/unit/policy/policy_test.c i4_a_retracted_grant_denies_the_next_message

The lines under `in` are a hunk of a unified diff without numbers: the lines that stay or go must stand in the file exactly once,
in that order and next to each other. Several `in` make one mutant. The test's name holds the invariant's number. `hangs` behind it:
what notices is that the test never ends."""
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED = [1, *range(4, 9), *range(13, 21), *range(22, 30)]  # the invariants that need at least one defence here


class Mutant:
    def __init__(self, where, invariant, name):
        self.where, self.invariant, self.name = where, invariant, name
        self.hunks, self.test, self.hangs = [], None, False  # [file, old lines, new lines]; (file, name)

    def __str__(self):
        return "%s %s" % (self.invariant, self.name)

    def files(self):
        return ", ".join(sorted({h[0] for h in self.hunks}))

    def line(self):
        return "%s (%s): %s" % (self, self.files(), self.test[1])

    def fault(self, why):
        return "%s: %s: %s" % (self.where, self, why)


def read_file(path):
    """(mutants, faults)"""
    found, faults, invariant = [], [], None
    with open(path) as f:
        for number, line in enumerate(f.read().split("\n"), 1):
            where, m = "%s:%d" % (os.path.relpath(path), number), found[-1] if found else None
            if invariant is None:
                head = re.fullmatch(r"(I[0-9]+): .+", line)
                if not head:
                    return [], ["%s: must begin with `I4: what it says`" % where]
                invariant = head[1]
            elif line.startswith("= "):
                found.append(Mutant(where, invariant, line[2:]))
            elif m and line.startswith("in "):
                m.hunks.append([line[3:], [], []])
            elif m and re.fullmatch(r"test \S+ \w+( hangs)?", line):
                m.test, m.hangs = tuple(line.split()[1:3]), line.endswith(" hangs")
            elif m and m.hunks and not m.test and line[:1] in (" ", "-", "+"):
                for sign, to in (("+", m.hunks[-1][1]), ("-", m.hunks[-1][2])):
                    if line[0] != sign:
                        to.append(line[1:])
            elif line:
                faults.append("%s: not understood: %s" % (where, line))
    return found, faults


def block(lines):
    return "\n".join(lines) + "\n"


def apply(text, old, new):
    """The text with the hunk applied, or None when it does not fit exactly once."""
    text, old = "\n" + text, "\n" + block(old)
    return text.replace(old, "\n" + block(new))[1:] if text.count(old) == 1 else None


def mutated(root, m):
    """{file: its new text}; raises ValueError with the file that the mutant no longer fits."""
    texts = {}
    for path, old, new in m.hunks:
        if path not in texts:
            with open(os.path.join(root, path)) as f:
                texts[path] = f.read()
        text = apply(texts[path], old, new)
        if text is None or text == texts[path]:
            raise ValueError(path)
        texts[path] = text
    return texts


def check(root, m):
    """Why the mutant cannot be run: faults, mostly none."""
    if not m.hunks or not m.test:
        return [m.fault("`in` or `test` is missing")]
    faults = []
    try:
        mutated(root, m)
    except ValueError as e:
        faults.append(m.fault("no longer fits %s: the code moved, move the mutant along" % e))
    path, name = m.test
    if not re.search(r"(^|_)%s_" % m.invariant.lower(), name):
        faults.append(m.fault("%s does not hold the number of %s" % (name, m.invariant)))
    with open(os.path.join(root, path)) as f:
        if not re.search(r"\b%s\b" % name, f.read()):
            faults.append(m.fault("%s has no test %s" % (path, name)))
    return faults


def read_all(root):
    """(mutants, faults) of every definition, checked against the sources under root."""
    mutants, faults = [], []
    for path in sorted(glob.glob(os.path.join(HERE, "*.mutants"))):
        found, bad = read_file(path)
        mutants += found
        faults += bad
    for m in mutants:
        faults += check(root, m)
    names = [str(m) for m in mutants]
    faults += ["%s is there twice" % n for n in sorted(set(names)) if names.count(n) > 1]
    held = {m.invariant for m in mutants}
    faults += ["I%d has no defence in tests/mutants" % n for n in NEEDED if "I%d" % n not in held]
    return mutants, faults
