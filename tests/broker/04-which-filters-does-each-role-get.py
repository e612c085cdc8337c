"""Does each role get exactly its filters, and is every other one refused? (I14)"""
from broker import *

NO = mqtt5.NOT_AUTHORIZED
COMMON_REFUSED = ["#", "+/#", "$SYS/#", "$share/g/" + TOP + "#", "$share/g/#", "$CONTROL/#", "$CONTROL/vestibule/v1",
                  TOP + "#", TOP + "device/#", TOP + "device/+/status", TOP + "home/+/command", TOP + "user/#", TOP + "+/+/notice",
                  TOP + "device/+/chunk/+/+", TOP + "area/#", TOP + "nonsense", "elsewhere/#"]


def check(b, username, allowed, denied, qos=1):
    with b.client(username) as c:
        for f in allowed:
            assert c.subscribe(f, qos=qos) == qos, (username, f)
        for f in denied + COMMON_REFUSED:
            assert c.subscribe(f, qos=qos) == NO, (username, f)


def each_role_has_its_filters():
    rows = street() + police() + credential("hass", APP, "") + [
        row("app_topic", id="hass zigbee2mqtt/#", username="hass", filter="zigbee2mqtt/#", access=3)]
    with Broker(rows, agencies="on") as b:
        check(b, "alice", [TOP + "device/front/ring", TOP + "device/garden/status", TOP + "home/maple/json/#", TOP + "home/maple/ask",
                           TOP + "home/maple/receipt", TOP + "user/alice/reply", TOP + "user/alice/denied", TOP + "public/#"],
              [TOP + "device/back/ring", TOP + "device/+/ring", TOP + "home/oak/json/#", TOP + "home/oak/receipt",
               TOP + "home/+/json/+/ring", TOP + "user/bob/reply", TOP + "home/#", TOP + "home/maple/#", TOP + "operator/health"])
        check(b, "abe", [TOP + "device/front/ring", TOP + "home/maple/json/#", TOP + "home/maple/receipt"],
              [TOP + "home/maple/ask", TOP + "device/back/ring"])
        check(b, "front", [TOP + "device/front/ack", TOP + "user/front/denied"],
              [TOP + "device/front/ring", TOP + "public/#", TOP + "device/garden/ack", TOP + "home/maple/json/#"])
        check(b, "alarm-1", [TOP + "device/+/ring", TOP + "device/+/motion", TOP + "home/+/json/+/ring", TOP + "home/+/json/+/motion",
                             TOP + "home/+/json/+/clip-ready", TOP + "user/alarm-1/reply", TOP + "public/#"],
              [TOP + "device/+/clip-ready", TOP + "home/+/json/+/status", TOP + "home/+/json/#", TOP + "home/maple/ask"])
        check(b, "ines", [TOP + "agency/pd/notice", TOP + "user/ines/reply", TOP + "public/#"],
              [TOP + "agency/fd/notice", TOP + "device/front/ring", TOP + "device/+/motion", TOP + "user/ines/link",
               TOP + "home/maple/ask", TOP + "home/+/json/+/motion"])
        check(b, "eva", [TOP + "user/eva/link"], [TOP + "user/ines/link"])
        check(b, "mover-1", [TOP + "relay/mover/job", TOP + "user/mover-1/reply"], [TOP + "relay/other/job", TOP + "agency/pd/notice"])
        check(b, "hass", ["zigbee2mqtt/#", "zigbee2mqtt/kitchen/set"], ["zigbee2mqtt2/#", "frigate/#", TOP + "device/front/ring"])
        with b.client("operator") as c:
            assert c.subscribe(TOP + "operator/health", TOP + "operator/metrics", "$SYS/#") == [1, 1, 1]
            assert c.subscribe(TOP + "device/front/ring", TOP + "home/maple/json/#", TOP + "home/maple/ask") == [NO, NO, NO]


def officers_stay_out_while_agencies_are_off():
    with Broker(street() + police()) as b:
        assert refused(lambda: b.client("ines")) == NO
        b.client("alice").disconnect()


def same_answers_in_mqtt_3_1_1():
    with Broker(street()) as b, b.client("alice", version=4) as c:
        assert c.subscribe(TOP + "device/front/ring", TOP + "device/back/ring") == [1, 0x80]


main(each_role_has_its_filters, officers_stay_out_while_agencies_are_off, same_answers_in_mqtt_3_1_1)
