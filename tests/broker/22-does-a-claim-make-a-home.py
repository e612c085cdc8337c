"""Does a claim make a home: who stands at the doorbell becomes its people, and nobody else does?"""
import hashlib
import hmac
import os
import shutil
import stat
import subprocess

from broker import *
from programs import *
from residents import *


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def one_command_makes_the_first_person_of_an_empty_home():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        assert bell.state() == "unclaimed"
        before = bell.json("ring")  # refused by the broker: nothing from before the claim reaches anybody
        alice = first_home(b, bell)
        told = bell.json("claim")
        assert told["claim"] == "claimed" and told["recipients"] == 1 and "code" not in told, told
        assert [d["device"] for d in alice.rows("devices")] == ["front-door"]
        assert open(alice.path("devices", "front-door.key")).read().strip() == told["device_key"]
        for name in "home.identity", "vestibule-home.token", "vestibule-home.conf", "devices/front-door.key":
            assert mode(alice.path(name)) == 0o600, name
        for name in "device.key", "recipients":
            assert mode(bell.path("spool", "keys", name)) == 0o600, name
        assert sorted(os.listdir(bell.path("spool", "keys"))) == ["device.key", "recipients"]
        client = listen(alice.client(), "maple")
        event = rings_through(client, bell)
        assert before["event_id"] not in rings(client) and event in rings(client, 0)


def what_is_sealed_to_the_pinned_recipients_opens_with_age():
    if not shutil.which("age"):
        print("skip: no age")
        return
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        recovery = os.path.join(b.dir, "recovery")
        subprocess.run(["age-keygen", "-o", recovery], check=True, capture_output=True)
        other = subprocess.run(["age-keygen", "-y", recovery], check=True, capture_output=True, text=True).stdout.strip()
        bell.online()
        alice = Resident(b, "alice")
        code, _, err = alice.claim(bell.uri(), "--recipient", other)
        assert code == RECORDED, (code, err)
        recipients = bell.path("spool", "keys", "recipients")
        own = subprocess.run(["age-keygen", "-y", alice.path("home.identity")], check=True, capture_output=True, text=True).stdout
        assert open(recipients).read() == own + other + "\n"
        sealed = subprocess.run(["age", "-R", recipients], input=b"visitor", check=True, capture_output=True).stdout
        for identity in alice.path("home.identity"), recovery:
            opened = subprocess.run(["age", "-d", "-i", identity], input=sealed, check=True, capture_output=True).stdout
            assert opened == b"visitor"


def no_code_and_no_door_is_left_after_the_claim():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        uri = bell.uri()
        first_home(b, bell)
        code, _, err = Resident(b, "mallory").claim(uri)
        assert code == UNAVAILABLE, (code, err)
        assert "mallory" not in b.read_log(whole=True)
        wait_until(lambda: open(bell.path("log")).read().endswith("\nclaimed; the code is of no use any more\n"), 10, "it says so")
        bell.kill()
        bell.start()  # and none comes back
        assert bell.state() == "claimed" and "code" not in bell.json("claim")


def a_second_device_waits_for_the_admin():
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "garden-gate") as garden:
        alice = first_home(b, bell)
        garden.online()
        listed = {d["device"]: d.get("unclaimed", False) for d in alice.rows("devices")}
        assert listed == {"front-door": False, "garden-gate": True}, listed
        assert "waiting for your claim" in alice.run("devices")[1]
        client = listen(alice.client(), "maple")
        early = garden.json("ring")["event_id"]
        code, out, err = alice.run("claim", garden.uri())
        assert code == RECORDED and "garden-gate" in out, (code, err)
        assert garden.state() == "claimed"
        event = rings_through(client, garden)
        assert early not in rings(client) and event in rings(client, 0)
        assert os.path.exists(alice.path("devices", "garden-gate.key"))


def only_an_admin_claims_a_second_device():
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "garden-gate") as garden:
        alice = first_home(b, bell)
        token_of = os.path.join(b.dir, "amir.token")
        assert alice.run("invite", "amir", "--role", "adult", "--token-out", token_of)[0] == RECORDED
        amir = Resident(b, "amir")
        as_amir = ["--port", b.port, "--username", "amir", "--token-file", token_of]
        code, _, err = amir.run(*as_amir, "claim", garden.uri())
        assert code == NOT_AUTHORISED or code == REFUSED, (code, err)
        assert garden.state() == "unclaimed" and not os.path.exists(amir.path("devices"))
        code, _, err = amir.run(*as_amir, "claim", "--device", "garden-gate")
        assert code == NOT_AUTHORISED or code == REFUSED, (code, err)
        assert alice.run("claim", garden.uri())[0] == RECORDED


def a_claim_by_name_pins_nothing_and_says_so():
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "garden-gate") as garden:
        alice = first_home(b, bell)
        code, _, err = alice.run("claim", "--device", "garden-gate")
        assert code == RECORDED and "no key was exchanged" in err, (code, err)
        assert not os.path.exists(alice.path("devices", "garden-gate.key"))
        client = listen(alice.client(), "maple")
        garden.online()
        rings_through(client, garden)
        assert garden.state() == "unclaimed"  # its code still brings the keys
        assert alice.run("claim", garden.uri())[0] == RECORDED and garden.state() == "claimed"


def a_wrong_code_opens_nothing():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "none-door", "n.d") as other:
        bell.online()
        good, foreign = CODE.search(bell.uri()).group(), CODE.search(other.uri()).group()
        at = bell.uri().split("at=")[1]
        alice = Resident(b, "alice")
        typo = ("1" if good[0] != "1" else "2") + good[1:]
        code, _, err = alice.claim(typo, "--at", at)
        assert code == USAGE and "typing error" in err and good not in err and typo not in err, (code, err)
        code, _, err = alice.claim(foreign, "--at", at)
        assert code == REFUSED and "does not know this code" in err and foreign not in err, (code, err)
        assert bell.state() == "unclaimed" and bell.json("status")["claim_wrong_codes"] == 1
        code, _, err = alice.claim(good)
        assert code == USAGE and "--at" in err, (code, err)
        code, _, err = alice.claim(good.lower().replace("-", " "), "--at", at)
        assert code == RECORDED, (code, err)


def a_home_with_people_gets_no_first_admin():
    """A thief, or the operator, with the second device's code in hand."""
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell, Doorbell(b, "garden-gate") as garden:
        alice = first_home(b, bell)
        garden.online()
        mallory = Resident(b, "mallory")
        code, _, err = mallory.claim(garden.uri())
        assert code == REFUSED and "lived_in" in err, (code, err)
        assert garden.state() == "unclaimed" and garden.json("claim")["recipients"] == 0
        assert not os.path.exists(mallory.path("vestibule-home.conf")) and not os.path.exists(mallory.path("vestibule-home.token"))
        assert [m["username"] for m in alice.rows("members")] == ["alice"]
        assert alice.run("claim", garden.uri())[0] == RECORDED


def another_key_under_a_known_name_is_told_loudly():
    rows_ = town() + unclaimed("front-door", "maple") + unclaimed("garden-gate", "maple")
    with Broker(rows_) as b, Doorbell(b, "front-door") as bell:
        alice = first_home(b, bell)
        with Doorbell(b, "garden-gate") as garden:
            assert alice.run("claim", garden.uri())[0] == RECORDED
        with Doorbell(b, "garden-gate", "impostor.d") as impostor:
            code, _, err = alice.run("claim", impostor.uri())
            assert code == REFUSED and "WARNING" in err, (code, err)
            assert impostor.state() == "unclaimed"


def a_broker_beside_the_device_is_found():
    with Broker(town() + unclaimed("front-door", "maple") + unclaimed("late-door", "oak")) as b:
        with Doorbell(b, "front-door", None, "--claim-at", "127.0.0.2:0") as bell:  # where no broker listens
            assert "at=127.0.0.2:" in bell.uri()
            alice = first_home(b, bell)
            assert "host = 127.0.0.1\n" in open(alice.path("vestibule-home.conf")).read()
            assert alice.run("devices")[0] == RECORDED
        with Proxy(b) as p, Doorbell(b, "late-door", None, "--port", str(p.port)) as late:
            late.online()
            uri, bob = late.uri(), Resident(b, "bob")
            code, _, err = bob.claim(uri, "--host", "127.0.0.3")
            assert code == UNAVAILABLE and "run it again with --host" in err, (code, err)
            code, _, err = bob.claim(uri, "--port", b.port)
            assert code == UNAVAILABLE, (code, err)  # the first run's host is kept
            code, _, err = bob.claim(uri, "--port", b.port, "--host", "localhost")
            assert code == RECORDED, (code, err)
            assert bob.run("devices")[0] == RECORDED


def the_stock_openssl_meets_the_device_by_the_contract_page():
    """proto/README.md, "The local exchange", done here a second time."""
    symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door") as bell:
        told = bell.json("claim")
        code = [symbols.index(s) for s in told["code"].replace("-", "")]
        secret = (int("".join("{:05b}".format(v) for v in code[:26]), 2) >> 2).to_bytes(16, "big")
        prk = hmac.new(bytes(32), secret, hashlib.sha256).digest()
        psk = hmac.new(prk, b"vestibule/v1/claim-psk\x01", hashlib.sha256).hexdigest()

        def client(*more):
            argv = ["openssl", "s_client", "-brief", "-connect", told["uri"].split("at=")[1], *more]
            done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
            return done.returncode, (done.stdout + done.stderr).decode()

        named = ["-tls1_3", "-psk_identity", "vestibule claim v1"]
        code, said = client(*named, "-psk", psk)
        assert code == 0 and "TLSv1.3" in said and "No peer certificate" in said, said
        for more in (named + ["-psk", "00" * 32], ["-tls1_3", "-psk_identity", "another", "-psk", psk], ["-tls1_2"], []):
            assert client(*more)[0] != 0, more
        assert bell.json("status")["claim_wrong_codes"] == 4


def secrets_are_in_no_log():
    with Broker(town() + unclaimed("front-door", "maple")) as b, Doorbell(b, "front-door", None, "--verbose") as bell:
        alice = first_home(b, bell)
        logs = b.read_log(whole=True) + open(bell.path("log")).read()
        secret = open(alice.path("home.identity")).read().split("\n")[2]
        assert secret.startswith("AGE-SECRET-KEY-1") and secret not in logs
        assert open(alice.path("vestibule-home.token")).read().strip() not in logs
        assert open(bell.path("spool", "keys", "device.key")).read().split("\n")[1] not in logs
        assert CODE.search(open(bell.path("log")).read()), "the code is there, and is dead"


def a_broker_with_tls_is_handed_over_with_its_authority():
    with Broker(town() + unclaimed("front-door", "maple"), start=False) as b:
        make_ca(b.dir)
        make_certificate(b.dir, "server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1")
        authority = os.path.join(b.dir, "with-words.crt")  # as openssl x509 -text writes it
        pem = open(os.path.join(b.dir, "ca.crt")).read()
        with open(authority, "w") as f:
            f.write("Certificate:\n\tWörter\n" + pem)
        b.listener = "certfile %s/server.crt\nkeyfile %s/server.key" % (b.dir, b.dir)
        b.start()
        with Doorbell(b, "front-door", None, "--cafile", authority, "--host", "localhost") as bell:
            alice = first_home(b, bell)
            assert open(alice.path("vestibule-home.ca.pem")).read() == pem
            assert [d["device"] for d in alice.rows("devices")] == ["front-door"]


main(one_command_makes_the_first_person_of_an_empty_home, what_is_sealed_to_the_pinned_recipients_opens_with_age,
     no_code_and_no_door_is_left_after_the_claim, a_second_device_waits_for_the_admin, only_an_admin_claims_a_second_device,
     a_claim_by_name_pins_nothing_and_says_so, a_wrong_code_opens_nothing, a_home_with_people_gets_no_first_admin,
     another_key_under_a_known_name_is_told_loudly, a_broker_with_tls_is_handed_over_with_its_authority, a_broker_beside_the_device_is_found,
     the_stock_openssl_meets_the_device_by_the_contract_page, secrets_are_in_no_log)
