"""Does a SIGHUP (Debian's logrotate sends one) leave sessions, rights and the broker's memory alone?"""
from broker import *


def online_and_offline_sessions_survive_reloads():
    with Broker(street()) as b:
        alice, front = b.client("alice"), b.client("front")
        away = b.client("amir", "amir.phone", clean=False, expiry=3600)
        for c in (alice, away):
            assert c.subscribe(TOP + "device/front/ring") == 1
        away.close()
        for n in range(1, 4):
            b.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b.read_log().count("Reloading config") == n, 5, "reload")
            assert front.publish(TOP + "device/front/ring", ring(seq=n)) == 0
            assert alice.expect(TOP + "device/front/ring")
        with b.client("amir", "amir.phone", clean=False, expiry=3600) as back:
            assert back.session_present and len(back.drain()) == 3
        assert refused(lambda: b.client("bob", "alice.x")) == mqtt5.NOT_AUTHORIZED


def login_after_a_reload_needs_its_proof():
    with Broker(street()) as b:
        b.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Reloading config" in b.read_log(), 5, "reload")
        assert refused(lambda: b.client("alice", password="wrong")) == mqtt5.NOT_AUTHORIZED
        b.client("alice").disconnect()


def per_listener_settings_denies_everything():
    """No TICK comes then on 2.0: nothing is allowed, rather than nothing taken back."""
    with Broker(street(), start=False) as b:
        original = b._write_conf
        def write():
            path = original()
            with open(path) as f:
                text = f.read().replace("per_listener_settings false", "per_listener_settings true")
            lines = text.split("\n")
            at = next(i for i, l in enumerate(lines) if l.startswith("listener "))
            moved = [l for l in lines if l.startswith(("plugin", "allow_anonymous"))]
            lines = [l for l in lines[:at] if l not in moved] + [lines[at]] + moved
            with open(path, "w") as f:
                f.write("\n".join(lines) + "\n")
            return path
        b._write_conf = write
        b.start()
        for name in ("alice", "front", "operator"):
            try:
                b.client(name, timeout=2)
                raise AssertionError("%s was let in" % name)
            except (mqtt5.Refused, mqtt5.Closed, AssertionError) as e:
                assert not isinstance(e, AssertionError) or "let in" not in str(e), e


main(online_and_offline_sessions_survive_reloads, login_after_a_reload_needs_its_proof, per_listener_settings_denies_everything)
