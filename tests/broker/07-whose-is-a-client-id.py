"""Can anybody get in without proof, or take another user's session with any client id? (I15)"""
from broker import *

NO = mqtt5.NOT_AUTHORIZED


def only_the_right_token_gets_in():
    with Broker(street()) as b:
        b.client("alice").disconnect()
        for name, password in (("alice", "wrong"), ("alice", ""), ("alice", None), ("alice", token("bob")), ("nobody", token("nobody")),
                               ("evil+#", "x"), ("", "x"), ("al\u00efce", "x")):
            assert refused(lambda: b.client(name, "x", password=password)) == NO, name
        assert refused(lambda: mqtt5.Client(b.port, "x")) == NO
        assert refused(lambda: mqtt5.Client(b.port, "x", version=4)) == 5


def foreign_namespace_is_refused_and_the_victim_stays():
    with Broker(street()) as b:
        alice = b.client("alice", "alice.phone", clean=False, expiry=3600)
        assert alice.subscribe(TOP + "device/front/ring") == 1
        for client_id in ("alice", "alice.phone", "alice.other", "front", "operator.x"):
            assert refused(lambda: b.client("bob", client_id)) == NO, client_id
        alice.ping()
        alice.close()
        assert refused(lambda: b.client("bob", "alice.phone", clean=False)) == NO
        with b.client("alice", "alice.phone", clean=False, expiry=3600) as again:
            assert again.session_present


def stock_ids_belong_to_their_last_user():
    with Broker(street()) as b:
        with b.client("bob", "mosqsub-123") as bob:
            assert refused(lambda: b.client("alice", "mosqsub-123")) == NO
            bob.ping()
        assert refused(lambda: b.client("alice", "mosqsub-123")) == NO
        b.client("bob", "mosqsub-123").disconnect()
        b.client("alice", "", version=4).disconnect()
        assert refused(lambda: b.client("alice", "x" * 300)) == NO


def officers_and_relays_learn_no_username_by_trying_ids():  # an id tells by its refusal whose it is
    with Broker(street() + police(), agencies="on") as b:
        for who in ("ines", "mover-1"):
            for client_id in ("alice", "alice.phone", "nobody-here", "nobody-here.phone", "mosqsub-123", "auto-alice", "auto-"):
                assert refused(lambda: b.client(who, client_id)) == NO, client_id
            assert b.read_log().count("reason=foreign_client_id who=%s" % who) >= 5
            for client_id in (who, who + ".desk"):
                b.client(who, client_id).disconnect()
            mqtt5.Client(b.port, "", who, token(who)).disconnect()
            mqtt5.Client(b.port, "", who, token(who), version=4).disconnect()


def forgotten_ids_are_the_oldest():
    with Broker(street()) as b:
        b.client("bob", "first").disconnect()
        for i in range(64):
            b.client("bob", "run-%d" % i).disconnect()
        assert refused(lambda: b.client("alice", "run-63")) == NO
        b.client("alice", "first").disconnect()


def own_takeover_closes_the_older_connection():
    with Broker(street()) as b:
        first = b.client("alice", "alice.phone")
        with b.client("alice", "alice.phone") as second:
            first.closed()
            assert second.subscribe(TOP + "device/front/ring") == 1


main(only_the_right_token_gets_in, foreign_namespace_is_refused_and_the_victim_stays, stock_ids_belong_to_their_last_user,
     officers_and_relays_learn_no_username_by_trying_ids,
     forgotten_ids_are_the_oldest, own_takeover_closes_the_older_connection)
