"""The room for one broker test: a mosquitto of its own with the plugin, on a free loopback port, in a folder of its own, over
a database that seed filled. Everything ends with the test. MOSQUITTO names another broker binary, BUILD the build folder."""
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "relay"))
import mqtt5
import wire
from ports import free_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
MOSQUITTO = os.environ.get("MOSQUITTO") or shutil.which("mosquitto") or "/usr/sbin/mosquitto"
SEED = os.path.join(BUILD, "tests", "broker", "seed")
PLUGIN = os.path.join(BUILD, "mosquitto_vestibule.so")
TOP = "vestibule/v1/"
DEVICE, MEMBER, INTEGRATOR, OFFICER, RELAY, APP, OPERATOR = 1, 2, 3, 4, 5, 6, 7
LIMITED, ADULT, ADMIN, INVESTIGATOR, SUPERVISOR, EVIDENCE, LIAISON, AUDITOR = 1, 2, 3, 4, 5, 6, 7, 8
RING_GRANT, MOTION_GRANT, CLIP_GRANT = 1, 2, 3
ACTIVE = 2


# --- rows -----------------------------------------------------------------------------------------------------------

def now_ms():
    return int(time.time() * 1000)


def token(username):
    return "secret-of-%s" % username


def row(_kind, **fields):
    return _kind + "".join(' %s="%s"' % (k, v) for k, v in fields.items())


def credential(username, kind, subject, role=0, **more):
    return [row("credential", username=username, kind=kind, subject=subject, role=role, **more),
            row("token", id=username + "/0", username=username, sha256=hashlib.sha256(token(username).encode()).hexdigest())]


def home(name):
    return [row("home", id=name, name=name)]


def device(name, of, cell="u4pruydq"):
    return [row("device", id=name, home=of, name=name, cell=cell)] + credential(name, DEVICE, name)


def standing(integrator, of, kind, which="", grant=None, start_ms=None, end_ms=None, actor="alice"):
    return [row("standing", id=grant or wire.uuid_text(wire.uuid7()), home=of, integrator=integrator, device=which, kind=kind,
                state=ACTIVE, nbf_ms=start_ms or now_ms() - 20 * 86400000, exp_ms=end_ms or now_ms() + 86400000, actor=actor)]


def street():
    """Two homes, each with a doorbell and people; an alarm firm that nobody granted anything; an operator."""
    return (home("maple") + home("oak") + device("front", "maple") + device("garden", "maple") + device("back", "oak") +
            credential("alice", MEMBER, "maple", ADMIN) + credential("amir", MEMBER, "maple", ADULT) +
            credential("abe", MEMBER, "maple", LIMITED) + credential("bob", MEMBER, "oak", ADMIN) +
            [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm") +
            credential("operator", OPERATOR, ""))


def police():
    return ([row("agency", id="pd", name="Central Police", kind=1)] + credential("ines", OFFICER, "pd", INVESTIGATOR) +
            credential("sam", OFFICER, "pd", SUPERVISOR) + credential("eva", OFFICER, "pd", EVIDENCE) +
            [row("relay", id="mover", name="Mover")] + credential("mover-1", RELAY, "mover"))


# --- messages -------------------------------------------------------------------------------------------------------

def many(data):
    """{field number: [values]}"""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at, n, shift = at + 1, n | (byte & 127) << shift, shift + 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        out.setdefault(key >> 3, []).append(value)
    return out


def head(seq=1, at_ms=None, event_id=None):
    return wire.message(event_id or wire.uuid7(), at_ms or now_ms(), True, seq)


def ring(seq=1, **more):
    return head(seq, **more)


def motion(seq=1, kind=1, permille=900, **more):
    return head(seq, **more) + wire.field(6, kind) + wire.field(7, permille)


def clip_ready(seq=1, clip=None, length=1000, sealed=b"", start_ms=None, **more):
    return (head(seq, **more) + wire.field(6, clip or wire.uuid7()) + wire.field(7, start_ms or now_ms()) + wire.field(8, 5000) +
            wire.field(9, 1) + wire.field(10, "video/mp4") + wire.field(11, length) +
            wire.field(12, hashlib.sha256(b"clip").digest()) + wire.field(13, sealed))


def retract(grant, seq=1, **more):
    return head(seq, **more) + wire.field(10, wire.field(1, bytes.fromhex(grant.replace("-", ""))))


def grant(integrator, kind, which="", seq=1, end_ms=None, **more):
    body = wire.message(integrator, which, kind, end_ms or now_ms() + 86400000)
    return head(seq, **more) + wire.field(9, body)


def claim(device, seq=1, **more):
    return head(seq, **more) + wire.field(15, wire.field(1, device))


def retire(device, seq=1, **more):
    return head(seq, **more) + wire.field(16, wire.field(1, device))


def rotate(secret, seq=1, **more):
    return head(seq, **more) + wire.field(17, wire.field(1, hashlib.sha256(secret.encode()).digest()))


def first_admin(username, seq=1, secret=None, **more):
    """DeviceClaim: that person becomes the home's first admin, with token(username) unless secret says otherwise."""
    digest = hashlib.sha256((secret or token(username)).encode()).digest()
    return head(seq, **more) + wire.field(8, wire.message(username, digest))


def reset(seq=1, **more):
    return head(seq, **more) + b"\x4a\x00"  # field 9, an empty message


def sync(what=0, since_ms=0, **more):
    return head(**more) + wire.field(5, what) + wire.field(6, since_ms)


# --- the broker -----------------------------------------------------------------------------------------------------

class Broker:
    """with Broker(rows, agencies="on") as b: b.client("alice") ...   Keyword arguments are plugin options."""

    def __init__(self, rows=None, conf="", listener="", start=True, **options):
        self.dir = tempfile.mkdtemp(prefix="vestibule-broker-")
        self.port, self.process, self.log_from = free_port(), None, 0
        self.db, self.log = os.path.join(self.dir, "store.db"), os.path.join(self.dir, "log")
        self.options = {"store": self.db, **options}
        self.conf, self.listener = conf, listener
        try:
            if rows is not None:
                self.seed(rows)
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    def seed(self, rows):
        done = subprocess.run([SEED, self.db], input="\n".join(rows) + "\n", text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def _write_conf(self):
        import pwd
        lines = ["per_listener_settings false", "user %s" % pwd.getpwuid(os.getuid()).pw_name, "allow_anonymous false",
                 "check_retain_source true", "max_packet_size 270000", "max_queued_messages 100",
                 "persistent_client_expiration 14d", "persistence false", "sys_interval 0", "log_type all",
                 "log_dest stderr", "plugin " + PLUGIN]
        lines += ["plugin_opt_%s %s" % (k, v) for k, v in self.options.items() if v is not None]
        lines += ["listener %d 127.0.0.1" % self.port, self.listener, self.conf]
        path = os.path.join(self.dir, "conf")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def run(self):
        """Starts it without waiting."""
        self.log_from = len(self.read_log(whole=True))
        env = dict(os.environ)
        if env.get("VESTIBULE_PRELOAD"):  # a sanitized plugin in a broker that is not
            env["LD_PRELOAD"] = env["VESTIBULE_PRELOAD"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", self._write_conf()], stdout=log, stderr=subprocess.STDOUT, env=env,
                                            start_new_session=True)

    def start(self):
        self.run()
        wait_until(lambda: self.process.poll() is not None or "running" in self.read_log(), 10, "start")
        wait_until(lambda: self.process.poll() is not None or self._answers(), 10, "listen")
        if self.process.poll() is not None:
            raise AssertionError("the broker did not start:\n" + self.read_log()[-3000:])

    def _answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def exit_code(self, seconds=10):
        return self.process.wait(timeout=seconds)

    def stop(self, how=signal.SIGTERM, seconds=10):
        self.process.send_signal(how)
        code = self.process.wait(timeout=seconds)
        assert how != signal.SIGTERM or code == 0, "broker ended with %d:\n%s" % (code, self.read_log()[-3000:])

    def read_log(self, whole=False):
        """What it logged since its start; whole: since the first."""
        try:
            with open(self.log, errors="replace") as f:
                return f.read()[0 if whole else self.log_from:]
        except FileNotFoundError:
            return ""

    def client(self, username, client_id=None, **more):
        more.setdefault("password", token(username))
        return mqtt5.Client(self.port, client_id or mqtt5.unique(username), username, **more)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        try:
            if kind:
                sys.stdout.write("--- broker log\n" + self.read_log()[-6000:])
            elif self.process and self.process.poll() is None:
                self.stop()
        finally:
            self.close()


def wait_until(what, seconds, text):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("not within %s s: %s" % (seconds, text))


def refused(call):
    """The CONNACK code with which a login is refused."""
    try:
        call()
    except mqtt5.Refused as r:
        return r.code
    raise AssertionError("was let in")


def denial(client):
    """The next message on the client's denied topic: {reason, field, limit, access, topic}."""
    m = wait_denied(client)
    f = wire.parse(m.payload)
    names = {2: "reason", 4: "access", 5: "topic", 7: "field", 8: "limit"}
    return {name: f.get(n, b"").decode() for n, name in names.items()}


def wait_denied(client, seconds=5):
    end = time.monotonic() + seconds
    while True:
        for m in client.messages:
            if m.topic.endswith("/denied"):
                client.messages.remove(m)
                return m
        if not client.pump(end - time.monotonic()) and time.monotonic() >= end:
            raise AssertionError("no denied message")


def main(*tests):
    """Runs the functions, or those that the command line names, and prints `ok NAME` or `FAIL NAME` for each."""
    failed, wanted = 0, set(sys.argv[1:])
    unknown = wanted - {test.__name__ for test in tests}
    if unknown:
        sys.exit("no such test: " + ", ".join(sorted(unknown)))
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            test()
            print("ok %s (%.1f s)" % (test.__name__, time.monotonic() - began), flush=True)
        except Exception:
            failed += 1
            print("FAIL %s" % test.__name__)
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
    sys.exit(1 if failed else 0)
