"""Does adding to the registry ever take something away: a running doorbell's token, the way into a home, a name's secrets?"""
import os
import signal

from broker import *
from programs import *


def quickstart(b, out, *args, **more):
    return run(b, "ctl", "operator", "quickstart", "--out", os.path.join(b.dir, out), *args, **more)


def second_quickstart_changes_nothing():
    with Broker(credential("operator", OPERATOR, "")) as b:
        assert quickstart(b, "a")[0] == RECORDED
        code, _, err = quickstart(b, "b")
        assert code == REFUSED and "exists already" in err, (code, err)
        assert not [f for f in os.listdir(os.path.join(b.dir, "b"))], "no token of a refused command is left"
        secret = open(os.path.join(b.dir, "a", "front-door.token")).read().strip()
        b.client("front-door", password=secret).disconnect()  # the first token still opens


def home_without_its_doorbell_is_not_made():
    with Broker(credential("operator", OPERATOR, "")) as b:
        assert quickstart(b, "a")[0] == RECORDED
        code, _, err = quickstart(b, "c", "--home", "second", "--device", "front-door", "--member", "zoe")
        assert code == REFUSED, (code, err)
        assert quickstart(b, "d", "--home", "second", "--device", "other-door", "--member", "zoe")[0] == RECORDED


def tokens_of_an_unanswered_command_are_kept():
    with Broker(credential("operator", OPERATOR, "")) as b:
        integrator = ["integrator", "add", "late", "--token-out", os.path.join(b.dir, "late.token"), "--timeout", "1"]
        p = Background(b, "ctl", "operator", "status")
        p.process.wait(5)
        b.process.send_signal(signal.SIGSTOP)
        try:
            code, _, err = run(b, "ctl", "operator", *integrator)
        finally:
            b.process.send_signal(signal.SIGCONT)
        assert code in (UNAVAILABLE, TIMEOUT), (code, err)
        sent = os.path.exists(os.path.join(b.dir, "late.token"))
        assert sent == ("is kept" in err), err


def refused_add_says_what_is_not_there():
    with Broker(street()) as b:
        def add(*args):
            code, _, err = run(b, "ctl", "operator", *args)
            return code, err

        token = ["--token-out", os.path.join(b.dir, "x.token")]
        code, err = add("device", "add", "gate", "--home", "nowhere", *token)
        assert code == REFUSED and "device.home: no such home" in err, (code, err)
        code, err = add("app", "allow", "nobody", "x/#")
        assert code == REFUSED and "app_topic.username: no such credential" in err, (code, err)
        assert add("device", "add", "gate", "--home", "maple", *token)[0] == RECORDED
        code, err = add("device", "add", "gate", "--home", "maple", "--token-out", os.path.join(b.dir, "z.token"))
        assert code == REFUSED and "device gate exists already" in err, (code, err)
        assert add("remove", "device", "gate")[0] == RECORDED
        code, err = add("device", "add", "gate", "--home", "maple", "--token-out", os.path.join(b.dir, "y.token"))
        assert code == REFUSED and "device gate was there once" in err, (code, err)


def operator_is_not_told_what_homes_grant():
    with Broker(street() + standing("alarm", "maple", 1)) as b:
        told = [run(b, "ctl", "operator", "explain", "alarm-1", "read", TOP + "device/%s/ring" % d)[1] for d in ("front", "back")]
        assert told[0] == told[1] and "homes decide" in told[0], told


main(second_quickstart_changes_nothing, home_without_its_doorbell_is_not_made, tokens_of_an_unanswered_command_are_kept,
     refused_add_says_what_is_not_there, operator_is_not_told_what_homes_grant)
