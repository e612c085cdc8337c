"""Does each program end with the code of its manual and a sentence that says why, and with 0 only when it is recorded?"""
import re

from broker import *
from programs import *

NOBODY = "01890a5d-0000-7000-8000-00000000002a"
WORD = "There is nothing there that this credential may use. (not_yours)"
GRANT = ("grant", "alarm", "--kind", "ring", "--days", "30")


def submit(radius=300, **more):
    given = {"type": "burglary", "case": "26-1001", "reason": "a window was forced while nobody was home", "lat": "57.649",
             "lon": "10.407", "radius": radius, "from": "-2h", "to": "-1h", **more}
    return ["submit"] + [x for k, v in given.items() for x in ("--" + k, v)]


def neighbours():
    """Officers with a jurisdiction of one square around the homes."""
    square = "04000000" + "".join(struct_e7(lat, lon) for lat, lon in ((57.6, 10.3), (57.6, 10.5), (57.7, 10.5), (57.7, 10.3)))
    return street() + [r.replace('kind="1"', 'kind="1" rings="%s"' % square) if r.startswith("agency") else r for r in police()]


def struct_e7(*degrees):
    return b"".join(int(round(d * 10000000)).to_bytes(4, "little", signed=True) for d in degrees).hex()


def check(got, code, *texts):
    assert got[0] == code, got
    told = got[1] if code == RECORDED else got[2]
    assert code == RECORDED or not got[1], "a failure prints sentences, on stderr: %r" % (got,)
    assert all(re.match("vestibule-[a-z]+: ", line) for line in got[2].splitlines()), got
    for text in texts:
        assert text in told, (text, got)


def wrong_credential_ends_77():
    with Broker(neighbours(), agencies="on") as b:
        for program, username, args in (("home", "alice", ["devices"]), ("agency", "ines", ["list"]), ("ctl", "operator", ["status"])):
            for who, secret in ((username, "not-the-token-of-anybody"), ("nobody-1", None)):
                check(run(b, program, who, *args, secret=secret), NOT_AUTHORISED, "vestibule-%s: 127.0.0.1:" % program,
                      "the broker refused the connection: not authorised")
            assert run(b, program, username, *args, secret=token(username))[0] == RECORDED


def nobody_listening_ends_69():
    with Broker(street()) as b:
        for program, username, args in (("home", "alice", ["devices"]), ("agency", "ines", ["list"]), ("ctl", "operator", ["status"])):
            check(run(b, program, username, *args, port=free_port()), UNAVAILABLE, "cannot connect: Connection refused")


def silent_broker_ends_75():
    with Broker(street()) as b:
        b.process.send_signal(signal.SIGSTOP)
        try:
            check(run(b, "home", "alice", "devices", "--timeout", 1), TIMEOUT, "no answer in time")
        finally:
            b.process.send_signal(signal.SIGCONT)
        check(run(b, "home", "alice", "devices", "--timeout", 1), RECORDED, "front")


def command_without_an_answer_ends_75_recorded_or_not():
    with Broker(street()) as b, Proxy(b) as wire_between:
        wire_between.hold("home/maple/command")
        check(run(b, "home", "alice", *GRANT, "--timeout", 1, port=wire_between.port), TIMEOUT, "no answer in time; run it again")
        assert len(rows(b, "home", "alice", "grants")) == 1, "it was recorded, and the program could not know"


def lost_answer_makes_the_same_command_come_again_and_count_once():
    with Broker(street()) as b, Proxy(b) as wire_between, \
            Background(b, "home", "alice", *GRANT, "--timeout", 10, port=wire_between.port) as granting:
        wire_between.hold("home/maple/command")
        wait_until(lambda: wire_between.seen >= 2, 8, "the command again")
        assert granting.process.poll() is None
        wire_between.release()
        assert granting.process.wait(timeout=5) == RECORDED
        assert granting.lines == ["recorded\n"]
        assert len(rows(b, "home", "alice", "grants")) == 1
        assert [r["kind"] for r in rows(b, "home", "alice", "receipts")].count("grant_given") == 1


def connection_that_breaks_before_the_answer_ends_69():
    with Broker(street()) as b, Proxy(b) as wire_between:
        wire_between.hold("home/maple/command")
        with Background(b, "home", "alice", *GRANT, port=wire_between.port) as granting:
            wait_until(lambda: wire_between.seen, 5, "the command")
            wire_between.cut()
            assert granting.process.wait(timeout=5) == UNAVAILABLE
            wait_until(lambda: granting.complaints, 5, "a sentence")
            assert "no connection" in granting.complaints[0] and not granting.lines, granting.complaints


def refused_command_ends_1_with_its_sentence():
    with Broker(neighbours(), agencies="on") as b:
        home = lambda *args: run(b, "home", "alice", *args)
        check(home("grant", "nobody", "--kind", "ring", "--days", "30"), REFUSED, "vestibule-home: refused: " + WORD)
        check(home(*GRANT), RECORDED, "recorded")
        check(home("retract", NOBODY), REFUSED, WORD)
        grant = rows(b, "home", "alice", "grants")[0]["grant_id"]
        check(home("retract", grant), RECORDED, "recorded")
        with open(os.path.join(b.dir, "rules"), "w") as f:
            f.write("ask nobody in particular\n")
        check(home("rules", "set", f.name), REFUSED, "A line of the rules cannot be read. (rules_syntax)")
        check(home("remove", "alice"), REFUSED, "A home with members keeps at least one admin. (last_admin)")
        check(run(b, "ctl", "operator", "token", "rotate", "alice", "--token-out", os.path.join(b.dir, "mallory")),
              REFUSED, "Only the admins of a home with members add to it.")


def officer_reads_why():
    with Broker(neighbours(), agencies="on") as b:
        ines = lambda *args: run(b, "agency", "ines", *args)
        check(ines(*submit(401)), REFUSED, "vestibule-agency: refused: The radius must be 150-400 m", "(radius)")
        check(ines(*submit(lat="52.5")), REFUSED, "not wholly inside the agency's jurisdiction. (jurisdiction)")
        check(ines(*submit()), RECORDED)
        request, = rows(b, "agency", "ines", "list")
        request = request["submit"]["request_id"]
        check(ines("approve", request), REFUSED, "Who wrote a request may not approve it. (same_person)")
        check(run(b, "agency", "eva", "approve", request), NOT_AUTHORISED, "not authorised: The role of this credential", "(role)")
        check(run(b, "agency", "sam", "approve", NOBODY), REFUSED, WORD)
        check(run(b, "agency", "sam", "approve", request), RECORDED)
        check(run(b, "agency", "sam", "approve", request), REFUSED, "(state)")


def role_that_may_not_ends_77():
    with Broker(street()) as b:
        check(run(b, "home", "abe", *GRANT), NOT_AUTHORISED, "vestibule-home: not authorised: The role of this credential may not do that. (role)")
        check(run(b, "home", "bob", *GRANT, "--home", "maple"), NOT_AUTHORISED, WORD)
        check(run(b, "home", "amir", "remove", "abe"), NOT_AUTHORISED, "(role)")
        check(run(b, "ctl", "alice", "status"), NOT_AUTHORISED, "this credential is not an operator's")
        assert rows(b, "home", "alice", "grants") == []


def usage_ends_64_and_nothing_is_sent():
    with Broker(street()) as b:
        for args in (["grant", "alarm", "--kind", "dog", "--days", "3"], ["retract", "42"], ["answer", "42", "--none"]):
            assert run(b, "home", "alice", *args)[0] == USAGE, args
        os.chmod(token_file(b, "alice"), 0o644)
        check(run(b, "home", "alice", "devices"), USAGE, "alice.token")
        assert "command" not in b.read_log()


def certificate_is_as_good_as_a_token():
    with Broker(street(), start=False) as b:
        d = b.dir
        make_ca(d)
        make_certificate(d, "server", "/CN=broker", "IP:127.0.0.1")
        for name in ("alice", "nobody-1"):
            make_certificate(d, name, "/CN=" + name)
        os.mkdir(os.path.join(d, "other"))
        make_ca(os.path.join(d, "other"))
        b.listener = "cafile %s/ca.crt\ncertfile %s/server.crt\nkeyfile %s/server.key\nrequire_certificate true" % (d, d, d)
        b.start()

        def connect(cert, username, ca="ca.crt", host="127.0.0.1"):
            done = subprocess.run([os.path.join(BUILD, "bin", "vestibule-home"), "--host", host, "--port", str(b.port), "--username", username,
                                   "--cafile", os.path.join(d, ca), "--cert", "%s/%s.crt" % (d, cert), "--key", "%s/%s.key" % (d, cert),
                                   "devices"], capture_output=True, text=True, timeout=15, env=environment(b))
            return done.returncode, done.stdout, done.stderr
        check(connect("alice", "alice"), RECORDED, "front")
        check(connect("nobody-1", "nobody-1"), NOT_AUTHORISED, "not authorised")
        check(connect("alice", "amir"), NOT_AUTHORISED, "not authorised")
        check(connect("alice", "alice", ca="other/ca.crt"), UNAVAILABLE, "cannot connect: TLS: certificate verify failed")
        check(connect("alice", "alice", host="127.1"), UNAVAILABLE, "cannot connect: TLS: certificate verify failed")
        b.stop()
        check(connect("alice", "alice"), UNAVAILABLE, "cannot connect: Connection refused")


def wrong_file_ends_64_without_waiting():
    with Broker(street()) as b:
        pipe = os.path.join(b.dir, "pipe")
        os.mkfifo(pipe)
        check(run(b, "home", "alice", "rules", "set", pipe), USAGE, "is not a regular file")
        check(run(b, "home", "alice", "clip", "get", NOBODY, "--out", ""), USAGE, "needs --out FILE")
        assert ".part" not in set(os.listdir(b.dir)) | set(os.listdir("."))


def manuals_list_these_codes_and_no_others():
    for program in ("home", "agency", "ctl"):
        page = open(os.path.join(ROOT, "docs", "man", "vestibule-%s.1.scd" % program)).read().split("# EXIT STATUS")[1].split("\n# ")[0]
        assert re.findall(r"^\*(\d+)\*$", page, re.M) == ["0", "1", "64", "69", "70", "75", "77"], program


main(wrong_credential_ends_77, nobody_listening_ends_69, silent_broker_ends_75, command_without_an_answer_ends_75_recorded_or_not,
     lost_answer_makes_the_same_command_come_again_and_count_once, connection_that_breaks_before_the_answer_ends_69,
     refused_command_ends_1_with_its_sentence, officer_reads_why, role_that_may_not_ends_77, usage_ends_64_and_nothing_is_sent,
     certificate_is_as_good_as_a_token, wrong_file_ends_64_without_waiting, manuals_list_these_codes_and_no_others)
