"""Does Home Assistant, which connects with a credential of the home, find each doorbell by itself, and see rings, motion, pictures and
absence as they come; and nothing of the neighbour's?

Home Assistant is played by paho, which it uses itself, and Jinja, which renders its templates: discovery first, then the literal topics
that the message names, as homeassistant/components/mqtt does."""
import copy
import json
import subprocess
import threading

import jinja2
import jinja2.sandbox
import paho.mqtt.client as paho

from broker import *
from programs import *

sys.path.insert(1, os.path.join(ROOT, "tests", "ha"))
import discovery

READ, WRITE, BOTH = 1, 2, 3
CONFIG = "homeassistant/device/vestibule_%s/config"
JPEG = b"\xff\xd8\xff\xe0" + b"doorstep" * 9000 + b"\xff\xd9"


def listed(username, filter_, access=BOTH):
    return [row("app_topic", id=username + " " + filter_, username=username, filter=filter_, access=access)]


def people(*more):
    """Maple with its automation, which may use Home Assistant's topics; oak with its own, which has a prefix to itself."""
    rows = (street() + credential("maple-auto", MEMBER, "maple", LIMITED) + credential("oak-auto", MEMBER, "oak", LIMITED) +
            listed("maple-auto", "homeassistant/#") + listed("oak-auto", "ha-oak/#"))
    return rows + [r for more_rows in more for r in more_rows]


class Entity:
    def __init__(self, ha, config):
        self.ha, self.config, self.seen, self.available = ha, config, [], "availability" not in config
        self.state, self.attributes, self.on_at, self.subscribed = None, {}, 0, set()
        for key, topic in config.items():
            if key.endswith("topic"):
                self.listen(topic)
        for a in config.get("availability", []):
            self.listen(a["topic"])

    def listen(self, topic):
        self.subscribed.add(topic)
        self.ha.listen(topic, self.config.get("qos", 0))

    def take(self, m):
        c = self.config
        for a in c.get("availability", []):
            if m.topic == a["topic"]:
                self.available = render(a["value_template"], m) == "online"
        if m.topic == c.get("json_attributes_topic"):
            self.attributes = json.loads(render(c["json_attributes_template"], m))
        if m.topic == c.get("image_topic"):
            self.seen.append(m.payload)
        if m.topic == c.get("url_topic"):
            self.seen.append(render(c["url_template"], m))
        if m.topic != c.get("state_topic"):
            return
        value = render(c["value_template"], m)
        if c["p"] == "event":
            if m.retain:
                return  # Home Assistant fires no event from a replayed message
            event = json.loads(value)
            assert event["event_type"] in c["event_types"], event
            self.seen.append(event)
        elif c["p"] == "sensor":
            self.state = value or self.state  # Home Assistant ignores an empty number
        else:
            assert value in ("ON", "OFF"), value
            self.state, self.on_at = value, time.monotonic()

    @property
    def is_on(self):
        over = "off_delay" in self.config and time.monotonic() - self.on_at > self.config["off_delay"]
        return self.state == "ON" and not over


def render(template, m):
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    values = {"value": m.payload.decode()}
    try:
        values["value_json"] = json.loads(m.payload)
    except ValueError:
        pass  # the variable is then not there
    return env.from_string(template).render(values)


class HomeAssistant:
    def __init__(self, b, username="maple-auto", prefix="homeassistant"):
        self.prefix, self.entities, self.refused, self.configs = prefix, {}, [], {}
        self.errors, self.filters, self.lock = [], {}, threading.RLock()
        c = self.client = paho.Client(protocol=paho.MQTTv5)
        c.username_pw_set(username, token(username))
        c.will_set(prefix + "/status", "offline")
        c.on_connect, c.on_message, c.on_subscribe = self.on_connect, self.on_message, self.on_subscribe
        c.connect("127.0.0.1", b.port)
        c.loop_start()

    def on_connect(self, c, _, __, code, *___):
        assert code == 0, code
        for f in ("/+/+/config", "/+/+/+/config"):
            self.listen(self.prefix + f)
        c.publish(self.prefix + "/status", "online")

    def listen(self, topic, qos=0):
        with self.lock:
            _, mid = self.client.subscribe(topic, qos)
            self.filters[mid] = topic

    def on_subscribe(self, _, __, mid, codes, *___):
        with self.lock:  # it may answer before listen() has noted what was asked
            if codes[0].value >= 0x80:
                self.refused.append(self.filters[mid])

    def on_message(self, _, __, m):
        try:
            with self.lock:
                if m.topic.startswith(self.prefix + "/"):
                    self.discover(m)
                else:
                    for e in list(self.entities.values()):
                        if m.topic in e.subscribed:
                            e.take(m)
        except Exception as e:
            self.errors.append("%s %r: %r" % (m.topic, m.payload[:200], e))

    def discover(self, m):
        old = self.configs.pop(m.topic, None)
        if not m.payload:
            for c in (old or {"cmps": {}})["cmps"].values():
                del self.entities[c["default_entity_id"]]
            return
        config = self.configs[m.topic] = json.loads(m.payload)
        wrong = discovery.complaints(config)
        assert not wrong, wrong
        for c in config["cmps"].values():
            if not old or c not in old["cmps"].values():
                self.entities[c["default_entity_id"]] = Entity(self, c)

    def wait(self, entity, what=lambda e: True, text="to appear", seconds=5):
        return wait_until(lambda: entity in self.entities and what(self.entities[entity]), seconds,
                          "%s %s; errors %s, entities %s" % (entity, text, self.errors, sorted(self.entities)))

    def __getitem__(self, entity):
        return self.entities[entity]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.client.disconnect()
        self.client.loop_stop()
        assert kind or not self.errors, self.errors


def bridge(b, username="maple-auto", *args):
    return Background(b, "ha", username, "--json", *args)


def told(process, count, seconds=8):
    wait_until(lambda: len(process.lines) >= count, seconds, "%d lines of vestibule-ha; %s %s" % (count, process.lines, process.complaints))
    return [(e["event"], e["device"]) for e in map(json.loads, process.lines)]


def device_online(b, name="front"):
    d = b.client(name, will=(TOP + "device/%s/status" % name, "offline", 0, True))
    d.publish(TOP + "device/%s/status" % name, "online", qos=0, retain=True)
    return d


def say(device, leaf, payload, name="front"):
    """An event; whether somebody reads its protobuf form is another matter."""
    assert device.publish(TOP + "device/%s/%s" % (name, leaf), payload) in (0, mqtt5.NO_SUBSCRIBERS)


def json_ring(seq, event_id):
    return json.dumps({"event_id": event_id, "at_ms": now_ms(), "synced": True, "seq": seq})


# --- what is found ----------------------------------------------------------------------------------------------------

def doorbell_is_found_and_a_ring_is_one_event():
    with Broker(people()) as b, bridge(b) as ha_bridge:
        assert sorted(told(ha_bridge, 2)) == [("told", "front"), ("told", "garden")]
        with b.client("maple-auto") as c:
            assert c.subscribe("homeassistant/device/+/config") == 1
            m = c.expect(CONFIG % "front")
            assert m.retain and m.qos == 1, m
        front = device_online(b)
        with HomeAssistant(b) as ha:
            ha.wait("event.front_ring", lambda e: e.available, "to be available")
            assert {"event.front_ring", "event.front_clip", "binary_sensor.front_motion", "binary_sensor.front_connected"} < set(ha.entities)
            assert not ha.refused, ha.refused
            event_id = wire.uuid_text(wire.uuid7())
            say(front, "ring", json_ring(1, event_id))
            say(front, "ring", json_ring(1, event_id))  # as after a broken connection
            ha.wait("event.front_ring", lambda e: e.seen, "to ring")
            time.sleep(0.4)
            event, = ha["event.front_ring"].seen
            assert event["event_type"] == "ring" and event["event_id"] == event_id and abs(event["at_ms"] - now_ms()) < 5000
            assert not ha["event.garden_ring"].seen
            clip = wire.uuid7()
            say(front, "clip-ready", clip_ready(seq=2, clip=clip))
            ha.wait("event.front_clip", lambda e: e.seen, "to tell of a clip")
            assert ha["event.front_clip"].seen[0]["clip_id"] == wire.uuid_text(clip)
            assert ha["event.front_clip"].seen[0]["trigger"] == "ring"
        with b.client("maple-auto") as late:
            assert late.subscribe(TOP + "home/maple/json/#") == 1
            assert not [m for m in late.drain() if m.topic.endswith("/ring")], "nothing of a ring is retained"


def motion_goes_on_and_off_by_itself():
    with Broker(people()) as b, bridge(b, "maple-auto", "--motion-off", "1s") as ha_bridge, device_online(b) as front:
        told(ha_bridge, 2)
        with HomeAssistant(b) as ha:
            ha.wait("binary_sensor.front_motion", lambda e: e.available)
            assert not ha["binary_sensor.front_motion"].is_on
            front.publish(TOP + "device/front/motion", motion(kind=1, permille=870), qos=0)
            ha.wait("binary_sensor.front_motion", lambda e: e.is_on, "to be on", 1)
            ha.wait("binary_sensor.front_motion", lambda e: e.attributes, "to have attributes")
            assert ha["binary_sensor.front_motion"].attributes["kind"] == "person"
            assert ha["binary_sensor.front_motion"].attributes["confidence_permille"] == 870
            ha.wait("binary_sensor.front_motion", lambda e: not e.is_on, "to be off", 3)


def absence_is_seen_and_nothing_known_is_absent():
    with Broker(people()) as b, bridge(b), HomeAssistant(b) as ha:
        ha.wait("event.front_ring")
        time.sleep(0.4)
        assert not ha["event.front_ring"].available, "no status was ever said"
        assert ha["binary_sensor.front_connected"].available and not ha["binary_sensor.front_connected"].is_on
        front = device_online(b)
        ha.wait("event.front_ring", lambda e: e.available, "to be available")
        ha.wait("binary_sensor.front_connected", lambda e: e.is_on, "to be on")
        front.publish(TOP + "device/front/status", "sleeping", qos=0, retain=True)
        time.sleep(0.3)
        assert ha["event.front_ring"].available and ha["binary_sensor.front_connected"].is_on
        front.close()
        ha.wait("event.front_ring", lambda e: not e.available, "to be unavailable")
        ha.wait("binary_sensor.front_connected", lambda e: not e.is_on, "to be off")


def battery_is_known_where_somebody_says_it():
    rows = people(listed("maple-auto", "battery/#", READ), listed("front", "battery/front", WRITE), listed("oak-auto", "battery/#", WRITE))
    with Broker(rows) as b, bridge(b, "maple-auto", "--battery-topic", "battery/{device}") as ha_bridge, device_online(b) as front:
        told(ha_bridge, 2)
        assert front.publish("battery/front", "87", retain=True) in (0, mqtt5.NO_SUBSCRIBERS), "before Home Assistant is there"
        assert front.publish("battery/garden", "1", retain=True) == mqtt5.NOT_AUTHORIZED
        with HomeAssistant(b) as ha, HomeAssistant(b, "oak-auto", "ha-oak") as neighbour:
            ha.wait("sensor.front_battery", lambda e: e.available and e.state == "87", "to be 87 %")
            c = ha["sensor.front_battery"].config
            assert (c["device_class"], c["unit_of_measurement"]) == ("battery", "%"), c
            front.publish("battery/front", '{"linkquality":80}')
            front.publish("battery/front", '{"battery":12,"linkquality":80}')
            ha.wait("sensor.front_battery", lambda e: e.state == "12", "to be 12 %")
            front.publish("battery/front", '{"linkquality":80}')
            front.publish("battery/front", "11.5")
            ha.wait("sensor.front_battery", lambda e: e.state == "11.5", "to be 11.5 %")
            assert ha["sensor.garden_battery"].state is None, "nobody said it"
            neighbour.listen("battery/front")
            wait_until(lambda: "battery/front" in neighbour.refused, 10, "refusal; %s" % neighbour.refused)
            front.close()
            ha.wait("sensor.front_battery", lambda e: not e.available, "to be unavailable")


def battery_that_nobody_listed_is_not_read():
    with Broker(people()) as b, bridge(b, "maple-auto", "--battery-topic", "battery/{device}"), HomeAssistant(b) as ha:
        ha.wait("sensor.front_battery")
        wait_until(lambda: "battery/front" in ha.refused, 10, "refusal; %s" % ha.refused)


# --- coming and going ---------------------------------------------------------------------------------------------------

def device_that_comes_is_found_and_one_that_goes_is_gone():
    with Broker(people()) as b, bridge(b) as ha_bridge, HomeAssistant(b) as ha:
        ha.wait("event.front_ring")
        front = device_online(b)
        ha.wait("event.front_ring", lambda e: e.available)
        assert run(b, "ctl", "operator", "device", "add", "back--gate", "--home", "maple", "--name", "Back \"gate\" \u00e9",
                   "--token-out", os.path.join(b.dir, "new.token"))[0] == RECORDED
        time.sleep(0.5)
        assert "event.back_gate_ring" not in ha.entities, "nobody claimed it"
        with b.client("alice") as alice:
            assert alice.publish(TOP + "home/maple/command", claim("back--gate")) in (0, mqtt5.NO_SUBSCRIBERS)
        ha.wait("event.back_gate_ring")
        assert ha.configs[CONFIG % "back--gate"]["dev"]["name"] == "Back \"gate\" \u00e9"
        assert run(b, "ctl", "operator", "remove", "device", "front")[0] == RECORDED
        wait_until(lambda: "event.front_ring" not in ha.entities, 5, "front to go")
        assert "binary_sensor.front_motion" not in ha.entities and "event.garden_ring" in ha.entities
        assert told(ha_bridge, 4)[-1] == ("removed", "front")
        with b.client("maple-auto") as late:
            late.subscribe("homeassistant/#")
            assert sorted(m.topic for m in late.drain()) == [CONFIG % "back--gate", CONFIG % "garden"]


def device_that_went_meanwhile_is_taken_away():
    with Broker(people(listed("operator", "homeassistant/#"))) as b:
        with bridge(b) as first:
            told(first, 2)
            first.signal(signal.SIGTERM)
            assert first.process.wait(timeout=5) == 0
        foreign = json.dumps({"dev": {"ids": ["vestibule:oak:back"]}, "o": {"name": "vestibule-ha"}, "cmps": {}})
        with b.client("operator") as op:
            assert op.publish(CONFIG % "back", foreign, retain=True) in (0, mqtt5.NO_SUBSCRIBERS)
        assert run(b, "ctl", "operator", "remove", "device", "front")[0] == RECORDED
        with bridge(b) as second:
            assert sorted(told(second, 2)) == [("removed", "front"), ("told", "garden")]
        with b.client("maple-auto") as late:
            late.subscribe("homeassistant/#")
            assert sorted(m.topic for m in late.drain()) == [CONFIG % "back", CONFIG % "garden"], "another home's is not touched"


def everything_is_told_again_when_home_assistant_starts():
    with Broker(people()) as b, bridge(b) as ha_bridge:
        told(ha_bridge, 2)
        with b.client("maple-auto") as c:
            assert c.subscribe("homeassistant/#") == 1
            c.drain()
            c.publish("homeassistant/status", "offline")
            assert [m.topic for m in c.drain()] == ["homeassistant/status"]
            c.publish("homeassistant/status", "online")
            got = {c.expect(CONFIG % "front").topic, c.expect(CONFIG % "garden").topic}
            assert len(got) == 2
        assert sorted(told(ha_bridge, 4)[2:]) == [("told", "front"), ("told", "garden")]


def everything_is_told_again_when_the_broker_forgot():
    with Broker(people()) as b, bridge(b) as ha_bridge:
        told(ha_bridge, 2)
        b.stop(signal.SIGKILL)
        b.start()
        assert sorted(told(ha_bridge, 4)[2:]) == [("told", "front"), ("told", "garden")]
        with b.client("maple-auto") as late:
            late.subscribe("homeassistant/#")
            assert {m.topic for m in late.drain()} == {CONFIG % "front", CONFIG % "garden"}


def home_can_be_taken_out():
    with Broker(people()) as b:
        with bridge(b) as ha_bridge, HomeAssistant(b) as ha:
            told(ha_bridge, 2)
            ha.wait("event.front_ring")
            ha_bridge.signal(signal.SIGINT)
            assert ha_bridge.process.wait(timeout=5) == 0
            code, out, err = run(b, "ha", "maple-auto", "--remove")
            assert code == RECORDED and sorted(out.split()) == ["front", "garden", "removed", "removed"], (code, out, err)
            wait_until(lambda: not ha.entities, 3, "everything to go")
        with b.client("maple-auto") as late:
            late.subscribe("homeassistant/#")
            assert not late.drain()


# --- pictures -----------------------------------------------------------------------------------------------------------

def clip_with_poster(seq, length):
    return clip_ready(seq=seq, clip=wire.uuid7(), length=1000) + wire.field(15, length)


def hand_out(front, poster, lose=0):
    """Answers pulls of a poster like a device; the first `lose` answers get lost. Returns the pulls."""
    pulls = []
    while True:
        end = time.monotonic() + 6
        while not any("/pull/" in m.topic for m in front.messages):
            assert front.pump(end - time.monotonic()) or time.monotonic() < end, "no pull"
        m, = [m for m in front.messages if "/pull/" in m.topic]
        front.messages.remove(m)
        f = wire.parse(m.payload)
        pulls.append((f[1], f.get(2, 0), f[3]))
        if len(pulls) <= lose:
            continue
        for at in range(f.get(2, 0), len(poster), 65536):
            piece = poster[at:at + 65536]
            chunk = wire.message(1, at, piece, at + len(piece) == len(poster))
            front.publish(m.topic.replace("/pull/", "/chunk/"), chunk, qos=0)
        return pulls


def picture_of_a_clip_comes_from_the_device():
    with Broker(people(listed("maple-auto", "vestibule_ha/maple/#"))) as b, bridge(b, "maple-auto", "--posters") as ha_bridge:
        told(ha_bridge, 2)
        with device_online(b) as front, HomeAssistant(b) as ha:
            assert front.subscribe(TOP + "device/front/pull/#", qos=0) == 0
            ha.wait("image.front_picture", lambda e: e.available)
            say(front, "clip-ready", clip_with_poster(1, len(JPEG)))
            assert hand_out(front, JPEG, lose=1) == [(1, 0, len(JPEG))] * 2
            ha.wait("image.front_picture", lambda e: e.seen == [JPEG], "to show the picture")
            sealed = b"age-encryption.org/v1\n" + JPEG[30:]
            say(front, "clip-ready", clip_with_poster(2, len(sealed)))
            hand_out(front, sealed)
            say(front, "clip-ready", clip_ready(seq=3))
            time.sleep(0.5)
            assert ha["image.front_picture"].seen == [JPEG], "sealed, or without a poster"
            assert not [m for m in front.drain(0.1) if "/pull/" in m.topic]
            with b.client("maple-auto") as late:
                assert late.subscribe("vestibule_ha/maple/#") == 1
                assert not late.drain(), "no picture stays at the broker"


def picture_may_come_from_elsewhere():
    url = "http://hub.local:8080/{device}/{clip}.jpg?from={clip}"
    with Broker(people()) as b, bridge(b, "maple-auto", "--poster-url", url), device_online(b) as front, HomeAssistant(b) as ha:
        ha.wait("image.front_picture", lambda e: e.available)
        clip = wire.uuid7()
        say(front, "clip-ready", clip_ready(clip=clip))
        ha.wait("image.front_picture", lambda e: e.seen, "to get a URL")
        name = wire.uuid_text(clip)
        assert ha["image.front_picture"].seen == ["http://hub.local:8080/front/%s.jpg?from=%s" % (name, name)]


# --- nobody else --------------------------------------------------------------------------------------------------------

def neighbour_sees_none_of_it():
    rows = people(credential("frigate", APP, "") + listed("frigate", "homeassistant/#", READ))
    with Broker(rows) as b, bridge(b) as maple, bridge(b, "oak-auto", "--prefix", "ha-oak"), device_online(b) as front:
        told(maple, 2)
        with HomeAssistant(b) as ha, HomeAssistant(b, "oak-auto", "ha-oak") as neighbour:
            ha.wait("event.front_ring", lambda e: e.available)
            neighbour.wait("event.back_ring")
            assert {e.split(".")[1].split("_")[0] for e in neighbour.entities} == {"back"}
            neighbour.listen("homeassistant/+/+/config")
            neighbour.listen("homeassistant/status")
            # a message that lies about whose doorbell it is opens nothing
            for c in ha.configs[CONFIG % "front"]["cmps"].values():
                neighbour.listen(c["state_topic"], c.get("qos", 0))
            with b.client("frigate") as app:
                assert app.subscribe("homeassistant/#") == 1 and app.expect(CONFIG % "front").retain, "what the operator listed"
                assert app.subscribe(TOP + "home/maple/json/front/ring") == mqtt5.NOT_AUTHORIZED
                assert app.publish("homeassistant/device/x/config", "{}", retain=True) == mqtt5.NOT_AUTHORIZED
                say(front, "ring", ring())
                ha.wait("event.front_ring", lambda e: e.seen, "to ring")
                assert not [m for m in app.drain() if "/ring" in m.topic]
            wait_until(lambda: len(neighbour.refused) == 6, 3, "refusals; %s" % neighbour.refused)
            assert not neighbour.entities["event.back_ring"].seen
            assert set(neighbour.configs) == {"ha-oak/device/vestibule_back/config"}


def who_may_not_is_told_what_to_type():
    rows = street() + credential("maple-auto", MEMBER, "maple", LIMITED) + credential("other", MEMBER, "maple", LIMITED) + listed(
        "other", "homeassistant/#", READ)
    with Broker(rows) as b:
        hint = "vestibule-ctl app allow %s '%s' --access both"
        code, out, err = run(b, "ha", "maple-auto")
        assert code == NOT_AUTHORISED and not out and hint % ("maple-auto", "homeassistant/#") in err, (code, out, err)
        code, out, err = run(b, "ha", "other")
        assert code == NOT_AUTHORISED and "publish" in err and hint % ("other", "homeassistant/#") in err, (code, out, err)
        code, out, err = run(b, "ha", "alarm-1")
        assert code == NOT_AUTHORISED and "credential" in err, (code, out, err)
        assert run(b, "ctl", "operator", "app", "allow", "maple-auto", "homeassistant/#", "--access", "both")[0] == RECORDED
        with bridge(b, "maple-auto", "--posters") as ha_bridge:
            told(ha_bridge, 2)
            with device_online(b) as front:
                assert front.subscribe(TOP + "device/front/pull/#", qos=0) == 0
                say(front, "clip-ready", clip_with_poster(1, len(JPEG)))
                hand_out(front, JPEG)
                assert ha_bridge.process.wait(timeout=5) == NOT_AUTHORISED
        assert hint % ("maple-auto", "vestibule_ha/maple/#") in "".join(ha_bridge.complaints), ha_bridge.complaints
        for bad in (["--prefix", "vestibule/v1"], ["--prefix", "a/#"], ["--prefix", "x/"], ["--birth", "$SYS/a"], ["--motion-off", "0"],
                    ["--poster-url", "ftp://x/{clip}"], ["--poster-url", "http://x/{{ states }}"], ["--battery-topic", "battery/front"],
                    ["--battery-topic", "vestibule/v1/device/{device}/status"], ["--battery-topic", "b/{device}/{clip}"],
                    ["--posters", "--poster-url", "http://x/{clip}"], ["stray"]):
            assert run(b, "ha", "maple-auto", *bad)[0] == USAGE, bad


# --- the schema ---------------------------------------------------------------------------------------------------------

def broken(config):
    """(what is wrong, the message with just that wrong)"""
    def changed(change):
        c = copy.deepcopy(config)
        change(c, c["cmps"])
        return c

    def drop(*path):
        def change(c, _):
            for key in path[:-1]:
                c = c[key]
            del c[path[-1]]
        return changed(change)

    def put(value, *path):
        def change(c, _):
            for key in path[:-1]:
                c = c[key]
            c[path[-1]] = value
        return changed(change)

    for path in (("dev",), ("o",), ("cmps",), ("dev", "ids"), ("dev", "name"), ("o", "name"), ("cmps", "ring", "device_class"),
                 ("cmps", "ring", "event_types"), ("cmps", "ring", "availability"), ("cmps", "motion", "off_delay"), ("cmps", "ring")):
        yield "without %s" % "/".join(path), drop(*path)
    for key in config["cmps"]:
        for name in ("p", "uniq_id", "default_entity_id"):
            yield "%s without %s" % (key, name), drop("cmps", key, name)
    yield "no identifier", put([], "dev", "ids")
    yield "object_id", changed(lambda c, k: k["ring"].update(object_id=k["ring"].pop("default_entity_id")))
    yield "obj_id", put("front_ring", "cmps", "ring", "obj_id")
    yield "base topic", put("vestibule/v1/home/maple", "~")
    yield "base topic of a component", put("vestibule/v1/home/maple", "cmps", "ring", "~")
    yield "availability not literal", put("~/json/front/status", "cmps", "ring", "availability", 0, "topic")
    yield "availability with a wildcard", put("vestibule/v1/home/maple/json/+/status", "cmps", "ring", "availability", 0, "topic")
    yield "availability empty", put([], "cmps", "ring", "availability")
    yield "availability shared at the root", put(config["cmps"]["ring"]["availability"], "availability")
    yield "connectivity that becomes unavailable", put(config["cmps"]["ring"]["availability"], "cmps", "connected", "availability")
    yield "retained events", put(True, "cmps", "ring", "retain")
    yield "QoS at the root, which components do not get", changed(lambda c, k: c.update(qos=k["ring"].pop("qos")))
    yield "doorbell that never rings", put(["press"], "cmps", "ring", "event_types")
    yield "event types not a list", put("ring", "cmps", "ring", "event_types")
    yield "event without a type", put("{{ value_json.seq }}", "cmps", "ring", "value_template")
    yield "off delay as text", put("30", "cmps", "motion", "off_delay")
    yield "off at once", put(0, "cmps", "motion", "off_delay")
    yield "unknown platform", put("doorbell", "cmps", "ring", "p")
    yield "platform and entity id differ", put("sensor.front_ring", "cmps", "ring", "default_entity_id")
    yield "entity id that cannot be", put("event.front-ring", "cmps", "ring", "default_entity_id")
    yield "one entity id twice", put("binary_sensor.front_motion", "cmps", "connected", "default_entity_id")
    yield "one uniq_id twice", put(config["cmps"]["ring"]["uniq_id"], "cmps", "motion", "uniq_id")
    yield "another device's topic", put("vestibule/v1/home/maple/json/garden/ring", "cmps", "ring", "state_topic")
    yield "another home's topic", put("vestibule/v1/home/oak/json/front/ring", "cmps", "ring", "state_topic")
    yield "topic of the protobuf form", put("vestibule/v1/device/front/ring", "cmps", "ring", "state_topic")
    yield "picture from two places", put("vestibule/v1/home/maple/json/front/clip-ready", "cmps", "picture", "url_topic")
    yield "picture from nowhere", drop("cmps", "picture", "image_topic")
    yield "picture without a type", drop("cmps", "picture", "content_type")
    for key in ("device_class", "unit_of_measurement", "state_class", "entity_category", "state_topic", "value_template", "availability"):
        yield "battery without %s" % key, drop("cmps", "battery", key)
    yield "battery in volts", put("V", "cmps", "battery", "unit_of_measurement")
    yield "battery in a topic of ours", put("vestibule/v1/home/maple/json/front/battery", "cmps", "battery", "state_topic")
    yield "battery of every device", put("battery/+", "cmps", "battery", "state_topic")
    yield "battery of another device", put("battery/garden", "cmps", "battery", "state_topic")
    yield "a member that nobody knows", put(1, "cmps", "ring", "colour")


def schema_takes_ours_and_no_broken_one():
    with Broker(people()) as b, bridge(b, "maple-auto", "--posters", "--battery-topic", "battery/{device}"), b.client("maple-auto") as c:
        c.subscribe("homeassistant/#")
        config = json.loads(c.expect(CONFIG % "front").payload)
    assert discovery.complaints(config) == []
    count = 0
    for what, message in broken(config):
        count += 1
        assert discovery.complaints(message), "taken: " + what
    assert count > 50, count


main(doorbell_is_found_and_a_ring_is_one_event, motion_goes_on_and_off_by_itself, absence_is_seen_and_nothing_known_is_absent,
     battery_is_known_where_somebody_says_it, battery_that_nobody_listed_is_not_read,
     device_that_comes_is_found_and_one_that_goes_is_gone, device_that_went_meanwhile_is_taken_away,
     everything_is_told_again_when_home_assistant_starts, everything_is_told_again_when_the_broker_forgot, home_can_be_taken_out,
     picture_of_a_clip_comes_from_the_device, picture_may_come_from_elsewhere, neighbour_sees_none_of_it, who_may_not_is_told_what_to_type,
     schema_takes_ours_and_no_broken_one)
