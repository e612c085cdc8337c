"""Does a login end when its proof does: suspended, rotated out, revoked; and does a SIGHUP, whatever the clock says, let nobody
in or out? (I15)"""
import ssl
import threading

from broker import *
from disk import Disk
from programs import NOT_AUTHORISED, RECORDED, TIMEOUT, Proxy, run, token_file

NO = mqtt5.NOT_AUTHORIZED
TOKEN_ROTATED = 22
KICKED = 0x98


def ctl(b, *args):
    code, out, err = run(b, "ctl", "operator", *args)
    assert code == RECORDED, (args, code, err)
    return out


def ended(client):
    """Milliseconds until the broker ends it."""
    began = time.monotonic()
    assert client.closed(10) in (KICKED, None), "closed for another reason"
    return int((time.monotonic() - began) * 1000)


class Busy(threading.Thread):
    """A client that publishes a thousand times a second until it is closed."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.sent, self.end = client, 0, None
        self.start()

    def run(self):
        try:
            while True:
                self.client.start_publish(TOP + "device/front/status", "online", qos=0)
                self.sent += 1
                time.sleep(0.001)
        except OSError:
            self.end = time.monotonic()


# --- registry ---------------------------------------------------------------------------------------------------------

def suspension_ends_idle_and_busy_connections():
    with Broker(street()) as b:
        alice, bob, busy = b.client("alice"), b.client("bob"), Busy(b.client("front"))
        second = b.client("alice", "any-other-id")
        wait_until(lambda: busy.sent > 50, 10, "the busy one to be busy")
        ctl(b, "suspend", "credential", "alice")
        idle = max(ended(alice), ended(second))
        began = time.monotonic()
        assert busy.end is None
        ctl(b, "suspend", "credential", "front")
        wait_until(lambda: busy.end, 10, "the end of the busy connection")
        print("ended after suspension: idle %d ms after the answer, busy %d ms after the command" % (idle, (busy.end - began) * 1000))
        bob.ping()
        for who in ("alice", "front"):
            assert refused(lambda: b.client(who)) == NO, who
            ctl(b, "resume", "credential", who)
            b.client(who).disconnect()


def rotated_token_ends_with_what_it_let_in():
    with Broker(street()) as b:
        def rotate(slot):
            path = os.path.join(b.dir, "slot%d" % slot)
            ctl(b, "token", "rotate", "front", "--slot", slot, "--token-out", path)
            with open(path) as f:
                return f.read().strip()
        old, alice = b.client("front"), b.client("alice")
        new = rotate(1)
        with b.client("front", password=new) as program:  # both are good meanwhile, and nothing is cut
            old.ping(), program.ping()
            newest = rotate(0)
            ended(old)
            assert refused(lambda: b.client("front")) == NO
        with b.client("front", password=newest) as one, b.client("front", password=new) as two:
            ctl(b, "remove", "token", "front/1")
            ended(two), ended(one)
        assert refused(lambda: b.client("front", password=new)) == NO
        b.client("front", password=newest).disconnect()
        alice.ping()


def member_replaces_the_own_token():
    with Broker(street()) as b:
        path = token_file(b, "alice")
        old = b.client("alice", "alice.phone", clean=False, expiry=3600)
        amir = b.client("amir")
        amir.subscribe(TOP + "home/maple/receipt")
        code, out, err = run(b, "home", "alice", "rotate")
        assert (code, out) == (RECORDED, "recorded\n"), (code, out, err)
        ended(old)
        told = [wire.parse(m.payload) for m in amir.drain()]
        assert [(r[3], r[5], r[13]) for r in told] == [(TOKEN_ROTATED, b"alice", b"alice")], told
        assert refused(lambda: b.client("alice")) == NO
        with open(path) as f:
            new = f.read().strip()
        assert new != token("alice") and not os.path.exists(path + ".new") and os.stat(path).st_mode & 0o777 == 0o600
        with b.client("alice", "alice.phone", password=new, clean=False, expiry=3600):
            amir.ping()
        b.stop(), b.start()
        assert refused(lambda: b.client("alice")) == NO
        b.client("alice", password=new).disconnect()


def rotation_that_was_cut_off_goes_on_from_there():
    with Broker(street()) as b, Proxy(b) as wire_between:
        path = token_file(b, "alice")
        wire_between.hold("home/maple/command")  # the broker hears it, its answers never come
        code, _, err = run(b, "home", "alice", "--timeout", "2", "rotate", port=wire_between.port)
        assert code == TIMEOUT and path + ".new" in err, (code, err)
        assert refused(lambda: b.client("alice")) == NO, "the change took place"
        wire_between.release()
        code, _, err = run(b, "home", "alice", "rotate")
        assert code == RECORDED and not os.path.exists(path + ".new"), (code, err)
        with open(path) as f:
            b.client("alice", password=f.read().strip()).disconnect()


def rotation_waits_for_a_store_that_writes():
    with Disk() as disk, Broker(street()) as b:
        alice, amir = b.client("alice"), b.client("amir")
        disk.hold()
        amir.start_publish(TOP + "home/maple/command", grant("alarm", "ring"))
        wait_until(lambda: "store_silent" in b.read_log(), 30, "that the store is silent is noticed")
        code, _, err = run(b, "home", "alice", "--timeout", "1", "rotate")
        assert code == TIMEOUT and "run this again" in err, (code, err)
        alice.ping()
        b.client("alice").disconnect()  # who may still take something back
        disk.release()
        wait_until(lambda: "store_answers" in b.read_log(), 30, "that it writes again")
        code, _, err = run(b, "home", "alice", "rotate")
        assert code == RECORDED and refused(lambda: b.client("alice")) == NO, (code, err)


def rotation_that_is_refused_changes_nothing():
    with Broker(street()) as b:
        path = token_file(b, "abe")
        with b.client("abe") as abe:
            code, _, err = run(b, "home", "abe", "rotate")
            abe.ping()
            assert code == NOT_AUTHORISED and "role" in err and not os.path.exists(path + ".new"), (code, err)
        b.client("abe").disconnect()
        code, _, err = run(b, "home", "nobody", "rotate")
        assert code == NOT_AUTHORISED and not os.path.exists(token_file(b, "nobody") + ".new"), (code, err)


def id_of_another_is_refused_however_near():
    near = credential("ali", MEMBER, "oak", ADULT) + credential("alice-2", MEMBER, "oak", ADULT)
    with Broker(street() + near) as b:
        away = b.client("alice", "alice.phone", clean=False, expiry=3600)
        away.close()
        online, stock = b.client("alice", "alice"), b.client("alice", "mosq-1")
        for who in ("ali", "alice-2", "bob", "front", "alarm-1", "operator"):
            for client_id in ("alice", "alice.", "alice.phone", "alice.x.y", "mosq-1"):
                assert refused(lambda: b.client(who, client_id, clean=False)) == NO, (who, client_id)
            b.client(who, who + ".1").disconnect()
        for client_id in ("ali", "ali.x", "alice-2", "alice-2.phone"):
            assert refused(lambda: b.client("alice", client_id)) == NO, client_id
        online.ping(), stock.ping()
        with b.client("alice", "alice.phone", clean=False, expiry=3600) as back:
            assert back.session_present


# --- certificates -----------------------------------------------------------------------------------------------------

def ca(folder, *args, **env):
    done = subprocess.run([os.path.join(ROOT, "docs", "examples", "ca.sh"), args[0], folder, *args[1:]], capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, **env))
    assert done.returncode == 0, done.stderr


def tls_listener(d, *more):
    return "\n".join(["cafile %s/ca.crt" % d, "certfile %s/server.crt" % d, "keyfile %s/server.key" % d, "require_certificate true", *more])


def context(d, name, folder=None):
    c = ssl.create_default_context(cafile=os.path.join(d, "ca.crt"))
    if name:
        at = os.path.join(folder or d, name)
        c.load_cert_chain(at + ".crt", at + ".key")
    return c


def connect(b, d, cert, client_id=None, username=None, password=None, folder=None, **more):
    def named(sock):
        return context(d, cert, folder).wrap_socket(sock, server_hostname="localhost")
    shim = type("Named", (), {"wrap_socket": staticmethod(named)})
    return mqtt5.Client(more.pop("port", b.port), client_id or mqtt5.unique(cert or "x"), username, password, context=shim, **more)


def barred(call):
    """The TLS layer does not let it in: with TLS 1.3 that shows at the first read."""
    try:
        call()
    except (ssl.SSLError, mqtt5.Closed, OSError):
        return
    raise AssertionError("was let in")


def certificate_counts_while_registry_and_authority_say_so():
    with Broker(street(), start=False) as b:
        d, foreign = os.path.join(b.dir, "tls"), os.path.join(b.dir, "foreign")
        ca(d, "init"), ca(foreign, "init")
        for name in ("front", "alice", "nobody"):
            ca(d, "client", name)
        ca(foreign, "client", "alice")
        ca(d, "client", "amir", DAYS="-1")
        b.listener = tls_listener(d, "crlfile %s/crl.pem" % d)
        b.start()
        barred(lambda: connect(b, d, None, "alice", "alice", token("alice")))
        barred(lambda: connect(b, d, "alice", folder=foreign))
        barred(lambda: connect(b, d, "amir"))
        barred(lambda: connect(b, d, "amir", "amir", "amir", token("amir")))
        assert refused(lambda: connect(b, d, "nobody")) == NO
        assert refused(lambda: connect(b, d, "front", "alice")) == NO
        assert refused(lambda: connect(b, d, "front", "front", "alice", token("alice"))) == NO
        connect(b, d, "alice", "alice.1", "alice").disconnect()
        connect(b, d, "alice", "alice.1", "alice", "any password").disconnect()

        front = connect(b, d, "front")
        suspended_by_row(b, front)
        assert refused(lambda: connect(b, d, "front")) == NO
        assert refused(lambda: connect(b, d, "front", "front", "front", token("front"))) == NO


def suspended_by_row(b, client):
    """The operator, by certificate too, suspends front."""
    d = os.path.join(b.dir, "tls")
    ca(d, "client", "operator")
    with connect(b, d, "operator", "operator") as op:
        op.subscribe("$CONTROL/vestibule/v1/response")
        op.publish("$CONTROL/vestibule/v1", '{"commands":[{"command":"suspend","kind":"credential","id":"front"}]}')
        assert b"error" not in op.expect("$CONTROL/vestibule/v1/response").payload
    ended(client)


def revoked_certificate_is_out_after_a_reload():
    with Broker(street(), start=False) as b:
        d = os.path.join(b.dir, "tls")
        ca(d, "init"), ca(d, "client", "alice"), ca(d, "client", "front")
        kept = os.path.join(b.dir, "kept")
        os.mkdir(kept)
        for name in ("alice.crt", "alice.key"):
            shutil.copy(os.path.join(d, name), kept)
        b.listener = tls_listener(d, "crlfile %s/crl.pem" % d)
        b.start()
        connect(b, d, "alice", folder=kept).disconnect()
        ca(d, "revoke", "alice"), ca(d, "client", "alice")
        reload(b, 1)
        barred(lambda: connect(b, d, "alice", folder=kept))
        connect(b, d, "alice").disconnect()
        connect(b, d, "front").disconnect()


def identity_as_username_runs_closed():
    """The broker then never asks who connects, and whoever has a certificate is connected: all he does is refused."""
    with Broker(street(), start=False) as b:
        d = os.path.join(b.dir, "tls")
        ca(d, "init"), ca(d, "client", "alice")
        b.listener = tls_listener(d, "use_identity_as_username true")
        b.start()
        with connect(b, d, "alice") as alice:
            for name in ("device/front/ring", "user/alice/reply", "public/#"):
                assert alice.subscribe(TOP + name) == NO, name
            assert alice.publish(TOP + "user/alice/sync", sync()) == NO


# --- SIGHUP -----------------------------------------------------------------------------------------------------------

def reload(b, n):
    b.process.send_signal(signal.SIGHUP)
    wait_until(lambda: b.read_log().count("Reloading config") == n, 10, "reload")


def got(client, count, seconds=20):
    """How many messages come, when count should."""
    end = time.monotonic() + seconds
    while len(client.messages) < count and time.monotonic() < end:
        client.pump(end - time.monotonic())
    return len(client.drain())


def reloads_under_load_lose_nobody_and_nothing():
    """A device by certificate, its people by token and by certificate, one of them away; 120 rings, four reloads."""
    rings, reloads = 120, 4
    with Broker(street(), start=False) as b:
        d, machines = os.path.join(b.dir, "tls"), free_port()
        ca(d, "init"), ca(d, "client", "front"), ca(d, "client", "amir")
        b.conf = "listener %d 127.0.0.1\n%s\nmax_inflight_messages 0\n" % (machines, tls_listener(d))
        b.start()
        alice, amir = b.client("alice"), connect(b, d, "amir", port=machines)
        away = [b.client("abe", "abe.1", clean=False, expiry=3600), connect(b, d, "amir", "amir.2", port=machines, clean=False, expiry=3600)]
        front = connect(b, d, "front", "front", port=machines)
        for c in (alice, amir, *away):
            assert c.subscribe(TOP + "device/front/ring") == 1
        for c in away:
            c.close()
        for n in range(rings):
            if n % (rings // reloads) == 10:
                reload(b, n * reloads // rings + 1)
            assert front.publish(TOP + "device/front/ring", ring(seq=n + 1, at_ms=now_ms() - n * 11000)) == 0
        for c in (alice, amir):
            assert got(c, rings) == rings
        with b.client("abe", "abe.1", clean=False, expiry=3600) as back:
            assert back.session_present and got(back, 100) == 100  # max_queued_messages
        with connect(b, d, "amir", "amir.2", port=machines, clean=False, expiry=3600) as back:
            assert back.session_present and got(back, 100) == 100
        assert refused(lambda: b.client("alice", password="wrong")) == NO
        assert refused(lambda: b.client("bob", "alice.x")) == NO


SHIM = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* The broker's wall clock goes back as soon as the file is there. */
int clock_gettime(clockid_t id, struct timespec *ts) {
	long rc = syscall(SYS_clock_gettime, id, ts);
	if (id == CLOCK_REALTIME && access(getenv("BACK_FILE"), F_OK) == 0) ts->tv_sec -= 3600;
	return (int)rc;
}
"""


def clock_set_back(b):
    """Makes the broker run under a clock that can be set back; the way to do it."""
    source, library, back = (os.path.join(b.dir, name) for name in ("shim.c", "shim.so", "back"))
    with open(source, "w") as f:
        f.write(SHIM)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    before = os.environ.get("VESTIBULE_PRELOAD")
    os.environ.update(VESTIBULE_PRELOAD=" ".join(filter(None, (before, library))), BACK_FILE=back)
    try:
        b.start()
    finally:
        os.environ.pop("VESTIBULE_PRELOAD")
        if before:
            os.environ["VESTIBULE_PRELOAD"] = before
    return lambda: open(back, "w").close()


def clock_set_back_stops_no_suspension_and_opens_no_reload():
    """2.1 reckons by UTC when TICK is due. Between a reload and TICK a login must still prove itself."""
    with Broker(street(), start=False) as b:
        set_back = clock_set_back(b)
        alice = b.client("alice")
        away = b.client("amir", "amir.phone", clean=False, expiry=3600)
        assert away.subscribe(TOP + "device/front/ring") == 1
        away.close()
        set_back()
        wait_until(lambda: "clock_suspect" in b.read_log(), 10, "the plugin to see it")
        reload(b, 1)
        for client_id in ("amir", "amir.phone", mqtt5.unique("amir")):
            assert refused(lambda: b.client("amir", client_id, password="wrong", clean=False)) == NO, client_id
        ctl(b, "suspend", "credential", "alice")
        ended(alice)
        with b.client("amir", "amir.phone", clean=False, expiry=3600) as back:
            assert back.session_present


main(suspension_ends_idle_and_busy_connections, rotated_token_ends_with_what_it_let_in, member_replaces_the_own_token,
     rotation_that_was_cut_off_goes_on_from_there, rotation_waits_for_a_store_that_writes, rotation_that_is_refused_changes_nothing, id_of_another_is_refused_however_near,
     certificate_counts_while_registry_and_authority_say_so, revoked_certificate_is_out_after_a_reload, identity_as_username_runs_closed,
     reloads_under_load_lose_nobody_and_nothing, clock_set_back_stops_no_suspension_and_opens_no_reload)
