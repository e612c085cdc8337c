"""Does kill -9 at any moment of a claim or a reset, of the doorbell or of the resident's program, leave a device that can be claimed or
is claimed, and never one that is half of each? SEED and ROUNDS repeat or extend a run."""
import os
import random
import signal
import subprocess
import time

from broker import *
from programs import *
from residents import *

SEED = int(os.environ.get("SEED") or random.randrange(1 << 31))
ROUNDS = int(os.environ.get("ROUNDS") or 6)
WITHIN_S = 0.2  # a claim takes about that long


def begin(who, *args):
    argv = [os.path.join(BUILD, "bin", "vestibule-home"), *args]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                            env=dict(os.environ, XDG_CONFIG_HOME=who.dir))


def killed(process):
    process.kill()
    process.wait()


def until_claimed(bell, who):
    """The same command again and again, as the manual says, until it is recorded; the code may be dead by then."""
    uri = ""
    for _ in range(10):
        told = bell.json("claim")
        uri = told.get("uri", uri) or "vestibule:claim?code=0000-0000-0000-0000-0000-0000-0000&at=127.0.0.1:9"
        code, _, err = who.run("devices") if os.path.exists(who.path("vestibule-home.conf")) else who.claim(uri, "--timeout", 5)
        if code == RECORDED:
            return
        assert code in (UNAVAILABLE, TIMEOUT), (code, err)
        time.sleep(0.3)
    raise AssertionError((told, err))


def while_one_claim_waits_for_the_broker_no_other_goes_between():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        bell.online()
        uri, alice = bell.uri(), Resident(b, "alice")
        b.process.send_signal(signal.SIGSTOP)
        try:
            code, _, err = alice.claim(uri, "--timeout", 2)
            assert code in (TIMEOUT, UNAVAILABLE), (code, err)
            assert bell.state() == "pending"
        finally:
            b.process.send_signal(signal.SIGCONT)
        wait_until(lambda: bell.state() == "claimed", 40, "the broker's answer reaches the doorbell")
        code, _, err = alice.claim(uri)  # the same once more: hears what became of it
        assert code == RECORDED, (code, err)
        assert [d["device"] for d in alice.rows("devices")] == ["front-door"]


def a_doorbell_killed_before_the_broker_answers_loses_nothing():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        bell.online()
        uri, alice, mallory = bell.uri(), Resident(b, "alice"), Resident(b, "mallory")
        b.process.send_signal(signal.SIGSTOP)
        try:
            code, _, err = alice.claim(uri, "--timeout", 2)
            assert code in (TIMEOUT, UNAVAILABLE), (code, err)
            bell.kill()
            bell.start()
            assert bell.state() == "pending"
            code, _, err = mallory.claim(bell.uri(), "--timeout", 5)
            assert code == REFUSED and "another claim" in err, (code, err)
            bell.kill()
            bell.args = ("--claim-at", "off")  # nobody is waited for; the broker is asked all the same
            bell.start()
        finally:
            b.process.send_signal(signal.SIGCONT)
        wait_until(lambda: bell.state() == "claimed", 60, "the claim is asked for again")
        assert alice.claim(uri)[0] == RECORDED
        client = listen(alice.client(), "maple")
        rings_through(client, bell)


def claim_ends_well_whoever_is_killed():
    rng = random.Random(SEED)
    print("# SEED=%d" % SEED)
    rows_ = credential("operator", OPERATOR, "")
    for i in range(ROUNDS):
        rows_ += home("home-%d" % i) + unclaimed("front-door-%d" % i, "home-%d" % i)
    with Broker(rows_) as b:
        for i in range(ROUNDS):
            with Doorbell(b, "front-door-%d" % i) as bell:
                bell.online()
                who = Resident(b, "alice-%d" % i)
                claim = begin(who, "claim", bell.uri(), "--username", who.name)
                time.sleep(rng.uniform(0, WITHIN_S))
                if i % 2:
                    killed(claim)
                else:
                    bell.kill()
                    bell.start()
                    claim.wait(30)
                until_claimed(bell, who)
                assert [m["username"] for m in who.rows("members")] == [who.name]
                wait_until(lambda: bell.state() == "claimed", 40, "the doorbell knows of round %d" % i)
                assert sorted(os.listdir(bell.path("spool", "keys"))) == ["device.key", "recipients"]
                listener = listen(who.client(), "home-%d" % i)
                rings_through(listener, bell)
                listener.disconnect()


def reset_ends_well_when_the_doorbell_is_killed():
    rng = random.Random(SEED + 1)
    rows_ = credential("operator", OPERATOR, "")
    for i in range(ROUNDS // 2):
        rows_ += home("home-%d" % i) + unclaimed("front-door-%d" % i, "home-%d" % i)
    with Broker(rows_) as b:
        for i in range(ROUNDS // 2):
            with Doorbell(b, "front-door-%d" % i) as bell:
                who = first_home(b, bell, "alice-%d" % i)
                argv = [os.path.join(BUILD, "bin", "vestibule-doorbell"), "--socket", bell.path("sock"), "reset", "--yes"]
                reset = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(b))
                time.sleep(rng.uniform(0, WITHIN_S))
                bell.kill()
                reset.wait(30)
                files = os.listdir(bell.path("spool", "keys"))
                begun = "reset" in files or "recipients" not in files
                try:
                    bell.start()
                    state = bell.state()
                except (AssertionError, ValueError):
                    state = "ended"  # it heard from the broker at once
                if not begun:
                    assert state == "claimed", (state, files)
                    continue
                assert state in ("resetting", "unclaimed", "ended"), (state, files)
                wait_until(lambda: "claim.code" in os.listdir(bell.path("spool", "keys")), 40, "the reset ends")
                wait_until(lambda: who.rows("devices") == [], 40, "the home knows")
                assert "recipients" not in os.listdir(bell.path("spool", "keys"))


main(while_one_claim_waits_for_the_broker_no_other_goes_between, a_doorbell_killed_before_the_broker_answers_loses_nothing,
     claim_ends_well_whoever_is_killed, reset_ends_well_when_the_doorbell_is_killed)
