"""Does a reset, or a loss, end all that rests on a device, and does its next owner see nothing of the last?"""
import os

from broker import *
from programs import *
from residents import *


def reset_ends_everything_and_the_next_owner_sees_nothing():
    rows_ = (town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple") + unclaimed("later-door", "oak") +
             [row("integrator", id="alarm", name="Alarm")] + credential("alarm-1", INTEGRATOR, "alarm"))
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell:
        alice = first_home(b, bell)
        assert alice.run("grant", "alarm", "--kind", "ring", "--days", 5, "--device", "front-door")[0] == RECORDED
        client = listen(alice.client(), "maple")
        old = rings_through(client, bell)
        code, _, err = bell.ask("clip", os.path.join(ROOT, "tests", "media", "doorstep.mp4"))
        assert code == 0, err
        wait_until(lambda: alice.rows("clips"), 15, "the clip is known")
        key = bell.json("claim")["device_key"]
        code, _, err = bell.ask("reset")
        assert code == USAGE and bell.state() == "claimed", (code, err)
        code, out, err = bell.ask("reset", "--yes")
        assert code == RECORDED and "told" in out, (code, out, err)
        assert bell.process.wait(15) == 0
        assert not [f for f in os.listdir(bell.path("clips")) if f.endswith(".mp4")]
        assert not [f for f in os.listdir(bell.path("spool")) if f[0].isdigit()]
        assert refused(lambda: b.client("front-door")) != 0  # the credential ended
        assert alice.rows("clips") == [] and [d["device"] for d in alice.rows("devices")] == ["garden-gate"]
        assert "device_removed" in {r["kind"] for r in alice.rows("receipts")}
        states = [g["state"] for g in alice.rows("grants") if g["standing"]]
        assert "active" not in states, states
        with Doorbell(b, "later-door", "front-door.d") as again:  # the same box under a new name, in another home
            told = again.json("claim")
            assert told["claim"] == "unclaimed" and told["recipients"] == 0 and told["device_key"] != key
            bob = first_home(b, again, "bob")
            theirs = listen(bob.client(), "oak")
            new = rings_through(theirs, again)
            assert rings(theirs) == [new] and old != new and bob.rows("clips") == []
            assert new not in rings(client), "the old home hears nothing of it"


def reset_without_a_broker_is_finished_later():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        alice = first_home(b, bell)
        b.stop()
        code, _, err = bell.ask("reset", "--yes", "--timeout", "2")
        assert code == TIMEOUT and "does not know yet" in err, (code, err)
        assert not os.path.exists(bell.path("spool", "keys", "recipients"))
        assert bell.ask("ring")[0] == REFUSED
        bell.kill()
        b.start()
        bell.start()
        assert bell.process.wait(40) == 0, "told the broker, and ended"
        assert alice.rows("devices") == []
        assert os.path.exists(bell.path("spool", "keys", "claim.code"))


def a_lost_device_is_retired_by_the_admin():
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "garden-gate") as garden:
        alice = first_home(b, bell)
        assert alice.run("claim", garden.uri())[0] == RECORDED
        client = listen(alice.client(), "maple")
        garden.online()
        rings_through(client, garden)
        code, _, err = alice.run("retire", "garden-gate")
        assert code == USAGE and "--yes" in err, (code, err)
        code, _, err = alice.run("retire", "garden-gate", "--yes")
        assert code == RECORDED, (code, err)
        assert [d["device"] for d in alice.rows("devices")] == ["front-door"]
        assert refused(lambda: b.client("garden-gate")) != 0
        assert not os.path.exists(alice.path("devices", "garden-gate.key"))
        code, _, err = alice.run("claim", "--device", "garden-gate")
        assert code != RECORDED, "an id is never given again"


main(reset_ends_everything_and_the_next_owner_sees_nothing, reset_without_a_broker_is_finished_later,
     a_lost_device_is_retired_by_the_admin)
