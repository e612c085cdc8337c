"""What pages say is held against what is there: links, paths, make targets, programs, commands, options, man pages, field tables.

Closing line: `docs-check: N passed, N failed`."""
import glob, os, re, subprocess, sys

build = sys.argv[1]
os.chdir(os.path.join(os.path.dirname(__file__), ".."))
passed, failed = 0, []


def claim(ok, what):
    global passed
    if ok:
        passed += 1
    else:
        failed.append(what)


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=30)


pages = sorted(set(subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True).stdout.split()))
makefile = open("Makefile").read()
targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.M))
programs = {os.path.basename(p): p for p in glob.glob(f"{build}/bin/vestibule-*")}
help_of = {name: run(path, "--help").stdout for name, path in programs.items()}


def helps(name):
    """--help of the program and of each of its commands."""
    if name not in helps.cache:
        text = help_of[name]
        commands = re.findall(r"^  ([a-z][a-z-]*)\s{2,}", text, re.M)
        helps.cache[name] = (set(commands), {c: run(programs[name], c, "--help").stdout or text for c in commands})
    return helps.cache[name]


helps.cache = {}
options = lambda text: set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text))

for page in pages:
    text = open(page).read()
    here = os.path.dirname(page)
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in link:
            claim(os.path.exists(os.path.join(here, link)), f"{page}: link {link} leads nowhere")
    for path in re.findall(r"`((?:lib|proto|plugin|clients|tests|docker|docs)/[\w./-]+)`", text):
        claim(os.path.exists(path.rstrip("/")) or glob.glob(path), f"{page}: {path} does not exist")
    for target in re.findall(r"(?<![\w-])make ([a-z][a-z0-9-]*)", "\n".join(re.findall(r"`[^`\n]+`|^ {4}.*$", text, re.M))):
        claim(target in targets, f"{page}: make {target} is not a target")
    joined = re.sub(r"\\\n\s*", " ", text)
    for name, rest in re.findall(r"(vestibule-(?:ctl|home|agency|relay|doorbell|ha|conform))\b([^`\n|]*)", joined):
        if name not in programs:
            claim(False, f"{page}: {name} is not built")
            continue
        commands, by_command = helps(name)
        words = [w for w in rest.split() if re.fullmatch(r"[a-z][a-z-]*", w)]
        first = rest.split()[:1]
        command = first[0] if first and first[0] in commands else next((w for w in words if w in commands), None)
        known = options(help_of[name]) | (options(by_command.get(command, "")) if command else set().union(*map(options, by_command.values()), set()))
        for option in options(rest):
            claim(option in known, f"{page}: {name} {command or ''} has no option --{option}")

for name in sorted(programs):
    page = f"docs/man/{name}.1.scd"
    claim(os.path.exists(page), f"{page} is missing")
    if not os.path.exists(page):
        continue
    man = open(page).read().replace("\\", "")
    commands, by_command = helps(name)
    told = options(help_of[name]) | set().union(*map(options, by_command.values()), set())
    claim(told, f"{name} --help shows no option")
    for option in sorted(told):
        claim(f"--{option}" in man, f"{page}: --{option} of --help is not described")
    for option in sorted(options(man)):
        claim(option in told, f"{page}: --{option} is not in --help")
    for command in sorted(commands):
        claim(re.search(rf"\b{re.escape(command)}\b", man), f"{page}: command {command} is not described")
    claim("EXIT STATUS" in man, f"{page}: no EXIT STATUS")

for page in sorted(glob.glob(f"{build}/man/*")):
    shown = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page)
    claim(shown.returncode == 0 and not shown.stderr.strip(), f"{page}: {shown.stderr.strip()[:200]}")

contract = open("proto/README.md").read()
table = re.search(r"<!-- fields:begin -->\n(.*?)<!-- fields:end -->", contract, re.S)
told = run(f"{build}/tests/fields").stdout
claim(table and table.group(1).strip() == told.strip(), "proto/README.md: the field tables differ from `build/tests/fields`")

words = set(re.findall(r'^\s*\[REASON_\w+\] =\s*\{"(\w+)"', open("plugin/policy/reason.c").read(), re.M))
table = re.search(r"^\| reason \| about \|\n\|[-|]+\n((?:\|.*\n)+)", contract, re.M)
told = re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.group(1).splitlines())) if table else []
claim(len(words) > 50, "plugin/policy/reason.c: the words of the reasons cannot be read")
for word in sorted(words | set(told)):
    claim(word in words, f"proto/README.md: {word} is no reason of plugin/policy/reason.c")
    claim(told.count(word) == 1, f"proto/README.md: the reason {word} of plugin/policy/reason.c is listed {told.count(word)} times")

limits = dict(re.findall(r"^\t(\w+) =\s+(\d+)", open("plugin/limiter.h").read() + open("plugin/denial.h").read(), re.M))
per_s = lambda name: str(1000 // int(limits[name]))
for what, numbers in {
    "rings; motions; clips announced": [limits["LIMIT_RING_MIN"], limits["LIMIT_MOTION_MIN"], limits["LIMIT_CLIP_READY_MIN"]],
    "all events together": [limits["LIMIT_INGRESS_BURST"], per_s("LIMIT_INGRESS_MS")],
    "commands, syncs, status words": [limits["LIMIT_COMMAND_BURST"], per_s("LIMIT_COMMAND_MS")],
    "pulls, relay reports": [limits["LIMIT_PULL_BURST"], per_s("LIMIT_PULL_MS")],
    "Denials told": [limits["DENIAL_TOLD_BURST"], per_s("DENIAL_TOLD_EVERY_MS")],
}.items():
    line = re.search(rf"^\| [^|]+ \| {what} \| (.*) \|$", contract, re.M)
    claim(line and re.findall(r"\d+", line.group(1)) == numbers, f"proto/README.md: the limit of {what} is not {numbers}")

claim(run("docker-compose", "-f", "docker/compose.yml", "config", "-q").returncode == 0, "docker/compose.yml does not validate")

for line in failed:
    print("docs-check:", line)
print(f"docs-check: {passed} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
