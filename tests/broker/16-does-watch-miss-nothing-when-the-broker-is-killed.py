"""Does `watch` go on after the broker was killed, and tell each receipt, notice and clip of the time in between exactly once?

The watcher is stopped (SIGSTOP) over the gap, so that it cannot come back before everything has happened."""
from broker import *
from programs import *


def grant_of(*days):
    return ["grant", "alarm", "--kind", "ring", "--days", *map(str, days)]


def kinds(watch):
    return [r["kind"] for r in watch.events("receipt")]


def connected(b, username):
    """Its subscriptions are answered: the two private ones at CONNACK, and those of `watch`."""
    return lambda: b.read_log().count("Sending SUBACK to %s." % username) >= 4


def kill_and_come_back(b, watch, meanwhile):
    watch.signal(signal.SIGSTOP)
    b.stop(signal.SIGKILL)
    b.start()
    meanwhile()
    watch.signal(signal.SIGCONT)


def receipts_of_the_gap_are_told_once():
    with Broker(street()) as b, Background(b, "home", "alice", "watch", "--json") as watch:
        wait_until(connected(b, "alice"), 5, "watch")
        assert run(b, "home", "amir", *grant_of(10))[0] == RECORDED
        wait_until(lambda: kinds(watch) == ["grant_given"], 5, "the first receipt")
        first = watch.events("receipt")[0]

        def meanwhile():
            assert run(b, "home", "amir", *grant_of(20))[0] == RECORDED
            assert run(b, "home", "amir", "retract", first["grant_id"])[0] == RECORDED
        kill_and_come_back(b, watch, meanwhile)
        wait_until(lambda: "grant_retracted" in kinds(watch), 5, "the receipts of the gap")
        assert run(b, "home", "amir", *grant_of(30))[0] == RECORDED
        wait_until(lambda: kinds(watch).count("grant_given") == 3, 5, "a receipt that comes live again")
        time.sleep(0.5)
        ids = [r["receipt_id"] for r in watch.events("receipt")]
        assert len(ids) == len(set(ids)) == 5, watch.lines  # the retraction took both like grants
        assert any("connection" in line for line in watch.complaints), watch.complaints
        assert sorted(ids) == sorted(r["receipt_id"] for r in rows(b, "home", "alice", "receipts"))
        watch.signal(signal.SIGTERM)
        assert watch.process.wait(timeout=5) == 0


def clip_and_command_of_the_gap_come_once():
    with Broker(street()) as b:
        told = os.path.join(b.dir, "told")
        hook = 'printf "%%s %%s\\n" "$VESTIBULE_EVENT" "$VESTIBULE_CLIP" >>%s' % told
        with Background(b, "home", "alice", "watch", "--json", "--exec", hook) as watch:
            wait_until(connected(b, "alice"), 5, "watch")
            clips = [wire.uuid7(), wire.uuid7()]

            def announce(clip, seq):
                with b.client("front") as front:
                    assert front.subscribe(TOP + "device/front/ack", qos=0) == 0
                    front.publish(TOP + "device/front/clip-ready", clip_ready(seq=seq, clip=clip))
                    front.expect(TOP + "device/front/ack")
            announce(clips[0], 1)
            wait_until(lambda: len(watch.events("clip-ready")) == 1, 5, "the clip, live")
            kill_and_come_back(b, watch, lambda: announce(clips[1], 2))
            wait_until(lambda: len(watch.events("clip-ready")) >= 2, 5, "the clip of the gap")
            time.sleep(0.5)
            ids = [wire.uuid_text(c) for c in clips]
            assert [m["clip_id"] for m in watch.events("clip-ready")] == ids, watch.lines
            with open(told) as f:
                assert [line.split() for line in f if line.startswith("clip-ready")] == [["clip-ready", i] for i in ids]


def officer_gets_the_notices_of_the_gap_once():
    with Broker(street() + police(), agencies="on", demo="true", release_tick=1) as b:
        around = "04000000" + b"".join(int(x * 10000000).to_bytes(4, "little", signed=True) for x in
                                       (57.6, 10.3, 57.6, 10.5, 57.7, 10.5, 57.7, 10.3)).hex()
        b.stop()
        b.seed([row("agency", id="pd", name="Central Police", kind=1, rings=around)])
        b.start()
        submit = ["submit", "--type", "burglary", "--reason", "a window was forced while nobody was home", "--lat", "57.649",
                  "--lon", "10.407", "--radius", "300", "--from", "-2h", "--to", "-1h", "--case"]
        with Background(b, "agency", "ines", "watch", "--json") as watch:
            wait_until(lambda: b.read_log().count("Sending SUBACK to ines.") >= 3, 5, "watch")
            assert run(b, "agency", "ines", *submit, "1")[0] == RECORDED
            wait_until(lambda: len(watch.events("notice")) == 1, 5, "the first notice")
            kill_and_come_back(b, watch, lambda: run(b, "agency", "ines", *submit, "2"))
            wait_until(lambda: len(watch.events("notice")) >= 2, 5, "the notice of the gap")
            time.sleep(0.5)
            notices = watch.events("notice")
            assert [n["kind"] for n in notices] == ["accepted", "accepted"], notices
            assert len({n["request_id"] for n in notices}) == 2, notices


main(receipts_of_the_gap_are_told_once, clip_and_command_of_the_gap_come_once, officer_gets_the_notices_of_the_gap_once)
