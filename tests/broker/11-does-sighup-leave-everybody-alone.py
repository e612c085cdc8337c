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


def reload_brings_nobody_online():
    """The broker asks for offline sessions, too: they stay offline, whatever the answer."""
    with Broker(street()) as b:
        away = b.client("front", "front", clean=False, expiry=3600)
        away.close()
        with b.client("alice") as alice:
            assert alice.subscribe(TOP + "user/alice/reply") == 1
            b.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "Reloading config" in b.read_log(), 5, "reload")
            alice.publish(TOP + "user/alice/sync", sync(1))
            devices = many(alice.expect(TOP + "user/alice/reply").payload)[4]
            assert not [d for d in devices if wire.parse(d).get(4)], "nobody is online"


def login_after_a_reload_needs_its_proof():
    with Broker(street()) as b:
        b.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Reloading config" in b.read_log(), 5, "reload")
        assert refused(lambda: b.client("alice", password="wrong")) == mqtt5.NOT_AUTHORIZED
        b.client("alice").disconnect()


def move_plugin_under_its_listener(path):
    with open(path) as f:
        lines = f.read().replace("per_listener_settings false", "per_listener_settings true").split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("listener "))
    moved = [line for line in lines if line.startswith(("plugin", "allow_anonymous"))]
    with open(path, "w") as f:
        f.write("\n".join([line for line in lines[:at] if line not in moved] + [lines[at]] + moved) + "\n")
    return path


def per_listener_settings_never_run_open():
    """2.0.11 sends no TICK then: nothing could be taken back, so nobody is let in. Later brokers do, and all rules hold."""
    with Broker(street(), start=False) as b:
        write = b._write_conf
        b._write_conf = lambda: move_plugin_under_its_listener(write())
        b.start()
        try:
            with b.client("bob", timeout=2) as bob:
                assert bob.subscribe(TOP + "device/front/ring") == mqtt5.NOT_AUTHORIZED
                assert bob.subscribe(TOP + "device/back/ring") == 1
                assert " 2.0.11 " not in b.read_log(), "was let in"
        except mqtt5.Refused as r:
            assert r.code == mqtt5.NOT_AUTHORIZED


main(online_and_offline_sessions_survive_reloads, reload_brings_nobody_online, login_after_a_reload_needs_its_proof, per_listener_settings_never_run_open)
