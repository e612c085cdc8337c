"""Do the examples of docs/integrations work as they stand, and is what those pages say of wills and refusals so?

A block ```sh runs to its end; ```sh listen runs beside the others until the test ends; ```yaml, ```console and ```berry are the tools' own
configuration: parsed, and played against the plugin. The tools themselves take no part."""
import contextlib
import json
import re
import stat
import threading

import paho.mqtt.client as paho
import yaml

from broker import *

PAGES = os.path.join(ROOT, "docs", "integrations")
PATIENCE = 20
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Loader(yaml.SafeLoader):
    """!secret and !lambda are texts."""


for tag in ("!secret", "!lambda"):
    Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))


class Page:
    """The blocks of a page in their order, in a folder where quickstart has left its tokens. step() takes the next one."""

    def __init__(self, b, name):
        self.b, self.dir, self.behind, self.shared = b, os.path.join(b.dir, "project"), [], ""
        with open(os.path.join(PAGES, name)) as f:
            self.blocks = re.findall(r"^```([^\n]+)\n(.*?)^```", f.read(), re.M | re.S)
        os.mkdir(self.dir)
        os.symlink(os.path.join(ROOT, "proto"), os.path.join(self.dir, "proto"))
        self.env = dict(os.environ, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            self.env[name] = os.path.join(self.dir, "." + name[4:].lower())
            os.mkdir(self.env[name], 0o700)
        os.mkdir(os.path.join(self.env["XDG_CONFIG_HOME"], "vestibule"))
        self.write("operator.token", token("operator") + "\n")
        self.write(os.path.join(self.env["XDG_CONFIG_HOME"], "vestibule", "vestibule-ctl.conf"),
                   "port = %d\nusername = operator\ntoken-file = %s/operator.token\n" % (b.port, self.dir))
        self.shell("vestibule-ctl quickstart --home maple --device front-door --member anna --out . >quickstart.txt\n")
        self.anna = self.client("anna")
        assert self.anna.subscribe(TOP + "home/maple/json/#") == 1

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in self.behind:
            self.end(process)
        assert kind or not self.blocks, "not tried: %s" % self.blocks

    def write(self, name, text):
        with open(os.open(os.path.join(self.dir, name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text)

    def token(self, username):
        path = os.path.join(self.dir, username + ".token")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path) as f:
            return f.read().strip()

    def client(self, username, client_id=None, **more):
        return self.b.client(username, client_id, password=self.token(username), **more)

    def tool(self, username, client_id, will):
        """A tool that speaks MQTT 3.1.1 and is killed in the end."""
        c = paho.Client(client_id=client_id, protocol=paho.MQTTv311, clean_session=True)
        c.username_pw_set(username, self.token(username))
        c.will_set(*will)
        c.granted, up = {}, threading.Event()
        c.on_subscribe = lambda _, __, mid, codes: c.granted.update({mid: codes[0]})
        c.on_connect = lambda _, __, ___, code: code == 0 and up.set()
        c.connect("127.0.0.1", self.b.port)
        c.loop_start()
        assert up.wait(10), "not let in"
        return c

    def spawn(self, script, **more):
        script = re.sub(r"(-h|--host) broker\.local", lambda m: "%s 127.0.0.1 %s %d" % (
            m[1], "-p" if m[1] == "-h" else "--port", self.b.port), script)
        return subprocess.Popen(["bash", "-euo", "pipefail", "-c", self.shared + script], cwd=self.dir, stdout=subprocess.PIPE, text=True, env=self.env,
                                stdin=subprocess.DEVNULL, start_new_session=True, **more)

    def shell(self, script, remark=None):
        """What it prints. On standard error: nothing, or a remark."""
        process = self.spawn(script, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and (remark in err if remark else not err), (script, process.returncode, out, err)
        if re.search(r"^\w+\(\) \{", script, re.M):
            self.shared += script
        return out

    def end(self, process, how=signal.SIGTERM):
        self.behind = [p for p in self.behind if p is not process]
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            pass  # it has ended by itself
        process.wait()
        process.stdout.close()

    def step(self, kind="sh", remark=None):
        """Takes the next block, of that kind. sh: what it prints; sh listen: the process, subscribed; else its text."""
        (info, text), self.blocks = self.blocks[0], self.blocks[1:]
        assert info == kind, (info, text)
        if kind == "sh":
            return self.shell(text, remark)
        if kind != "sh listen":
            return text
        before = self.subscribed()
        process = self.spawn(text)
        self.behind.append(process)
        wait_until(lambda: self.subscribed() > before or process.poll() is not None, PATIENCE, "subscription of " + text)
        assert process.poll() is None, "%s ended with %s" % (text, process.returncode)
        return process

    def subscribed(self):
        return self.b.read_log().count("Sending SUBACK to")

    def told(self, leaf):
        """The next such event of the doorbell that the home hears, as JSON."""
        return json.loads(self.anna.expect(TOP + "home/maple/json/front-door/" + leaf, PATIENCE).payload)

    def becomes(self, word):
        """The home hears that status of the doorbell."""
        while self.told("status")["status"] != word:
            pass

    def denials(self, username):
        return self.shell("vestibule-ctl denials %s\n" % username)


@contextlib.contextmanager
def opened(name):
    with Broker(credential("operator", OPERATOR, "")) as b, Page(b, name) as page:
        yield page


def two_rings(page):
    page.told("ring")
    page.told("ring")
    assert not [m for m in page.anna.drain() if m.topic.endswith("/ring")], "a ring too many"


def shape(text):
    return re.sub(r"\d{13}", "T", text)


# --- the index ----------------------------------------------------------------------------------------------------------

def refusal_is_told_with_field_and_limit():
    with opened("README.md") as page:
        page.step(remark="no key was exchanged")
        with page.client("side-gate") as c:
            assert c.publish(TOP + "device/side-gate/ring", ring()) in (0, mqtt5.NO_SUBSCRIBERS), "claimed"
        listener = page.step("sh listen")
        page.step()
        out, _ = listener.communicate(timeout=PATIENCE)
        sample = page.step("text")
        page.behind.remove(listener)
        assert shape(out) == shape(sample) and "RingEvent.seq" in out, out
        assert "malformed" in page.denials("front-door")


# --- mosquitto_pub ------------------------------------------------------------------------------------------------------

def script_rings_and_is_there():
    with opened("mosquitto_pub.md") as page:
        ids = {page.step().strip()}
        page.step()
        ids |= {page.shell("new_id\n").strip() for _ in range(3)}
        assert len(ids) == 4 and all(re.fullmatch(UUID7, i) for i in ids), ids
        assert all(abs(int(i.replace("-", "")[:12], 16) - now_ms()) < 60000 for i in ids), ids
        page.step()
        ring = page.told("ring")
        assert re.fullmatch(UUID7, ring["event_id"]) and ring["synced"] is True, ring
        page.step()
        assert page.told("motion")["kind"] == "person"
        listener = page.step("sh listen")
        page.step()
        page.becomes("online")
        page.end(listener, signal.SIGKILL)
        page.becomes("offline")


# --- ESPHome ------------------------------------------------------------------------------------------------------------

STUBS = r"""
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
struct Time { time_t timestamp; bool is_valid() const { return timestamp > 1577836800; } };
struct Clock { time_t at; Time utcnow() const { return {at}; } };
static Clock wall_clock;
static uint32_t ring_seq;
static uint32_t random_uint32() { return ((uint32_t) rand() << 16) ^ (uint32_t) rand(); }
#define id(x) (x)
static std::string payload() {
%s}
int main(int argc, char **argv) { // the clock at the presses of the button; their payloads
    srand((unsigned) time(nullptr));
    for (int i = 1; i < argc; i++) {
        wall_clock.at = atol(argv[i]);
        puts(payload().c_str());
    }
}
"""


def pressed(page, config, *clocks):
    """What the lambda of the button publishes, as compiled by g++."""
    action, = config["binary_sensor"][0]["on_press"]
    source = os.path.join(page.dir, "lambda.cpp")
    page.write("lambda.cpp", STUBS % action["mqtt.publish"]["payload"])
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-sign-compare", "-o", source[:-4], source], check=True, timeout=120)
    done = subprocess.run([source[:-4], *map(str, clocks)], check=True, capture_output=True, text=True, timeout=PATIENCE)
    return action["mqtt.publish"], done.stdout.splitlines()


def esphome_rings_and_is_there():
    with opened("esphome.md") as page:
        config = yaml.load(page.step("yaml"), Loader)
        m, now = config["mqtt"], int(time.time())
        assert not (m["discovery"] or m["discover_ip"] or m["log_topic"] or m["topic_prefix"]) and m["password"] == "vestibule_token", m
        assert m["shutdown_message"] == m["will_message"]
        publish, payloads = pressed(page, config, now, now, now - 5, 12)
        will, birth = m["will_message"], m["birth_message"]
        c = page.tool(m["username"], m["client_id"], [will[k] for k in ("topic", "payload", "qos", "retain")])
        c.publish(birth["topic"], birth["payload"], birth["qos"], birth["retain"])
        page.becomes("online")
        seqs, ids = [], set()
        for payload in payloads:
            c.publish(publish["topic"], payload, publish["qos"], publish["retain"])
            ring = page.told("ring")
            seqs.append(ring["seq"])
            ids.add(ring["event_id"])
            assert ring["synced"] == (ring["at_ms"] >= (now - 5) * 1000), ring
        assert seqs == [now, now + 1, now + 2, now + 3] and len(ids) == 4, (seqs, ids)
        assert int(json.loads(payloads[0])["event_id"].replace("-", "")[:12], 16) == now * 1000
        page.step()
        for topic in ("battery/front-door", "battery/side-gate", "front-door/debug"):
            c.publish(topic, "87", 0)
        wait_until(lambda: "front-door/debug" in page.denials("front-door"), PATIENCE, "refusal")
        told = page.denials("front-door")
        assert "battery/side-gate" in told and "battery/front-door" not in told and "ring" not in told, told
        c.loop_stop()
        c.socket().close()
        page.becomes("offline")


# --- Tasmota --------------------------------------------------------------------------------------------------------------

def tasmota_rings_through_a_machine_in_the_house():
    with opened("tasmota.md") as page:
        page.step()
        said = dict(re.findall(r"(\w+) ([\w.-]+)", page.step("console").replace("Backlog ", "")))
        topic, user = said["Topic"], said["MqttUser"]
        page.step("sh listen")
        page.step("sh listen")
        page.becomes("online")
        c = page.tool(user, said["MqttClient"], ("tele/%s/LWT" % topic, "Offline", 1, True))
        _, own = c.subscribe("cmnd/%s/#" % topic)
        _, group = c.subscribe("cmnd/tasmotas/#")
        wait_until(lambda: len(c.granted) == 2, PATIENCE, "SUBACKs")
        assert (c.granted[own], c.granted[group]) == (0, 0x80), c.granted
        c.publish("tele/%s/LWT" % topic, "Online", 0, True)
        for action in ("SINGLE", "DOUBLE", "SINGLE"):
            c.publish("stat/%s/RESULT" % topic, '{"Button1":{"Action":"%s"}}' % action)
        two_rings(page)
        with page.client("anna") as other:
            assert other.publish("stat/%s/RESULT" % topic, '{"Button1":{"Action":"SINGLE"}}') == mqtt5.NOT_AUTHORIZED
        page.shell("vestibule-ctl app allow maple-auto 'tele/#' --access read\n")
        reader = page.client("maple-auto")
        assert reader.subscribe("tele/#") == 1 and reader.expect("tele/%s/LWT" % topic).payload == b"Online"
        c.loop_stop()
        c.socket().close()
        wait_until(lambda: "reason=will who=%s" % user in page.b.read_log(), PATIENCE, "end of the will")
        assert not reader.drain(), "the will is dropped, as the page says"
        berry(page)


def berry(page):
    """The event of autoexec.be with its arithmetic, in Python: each value fits in 32 bits."""
    code, values, now = page.step("berry"), {"now": int(time.time()), "r": os.urandom(9).hex()}, 2 ** 31 - 1
    for check in (now, values["now"]):
        numbers = {"now": check}
        for name, what in re.findall(r"^  var (lo|hi) = (.*)$", code, re.M):
            numbers[name] = eval(what, {}, dict(numbers))
        assert numbers["hi"] << 16 | numbers["lo"] & 0xffff == check * 1000 and max(numbers.values()) < 2 ** 31, numbers
    r, seq = values["r"], 4
    form, args = re.search(r"string\.format\(\n\s*'(.*)',\n\s*(.*)\)\)", code).groups()
    args = re.sub(r"\[(\d+)\.\.(\d+)\]", lambda m: "[%s:%d]" % (m[1], int(m[2]) + 1), args)
    args = re.sub(r"now > (\d+) \? 'true' : 'false'", r"'true' if now > \1 else 'false'", args)
    payload = form % eval(args, {}, dict(numbers, r=r, seq=seq))
    topic = re.search(r"mqtt\.publish\('([^']+)'", code).group(1)
    page.end(page.behind[0])  # the doorbell's place
    with page.client("front-door", "front-door") as c:
        assert c.publish(topic, payload) in (0, mqtt5.NO_SUBSCRIBERS), payload
        ring = page.told("ring")
        assert ring["at_ms"] == numbers["now"] * 1000 and ring["synced"] is True and re.fullmatch(UUID7, ring["event_id"]), ring
        assert c.publish(topic, payload.upper()) == mqtt5.NOT_AUTHORIZED


# --- apps -----------------------------------------------------------------------------------------------------------------

def app_stays_out(page, c, state_topic, state):
    """It cannot write to a home, and its will is not sent."""
    assert c.publish(TOP + "device/front-door/ring", ring()) == mqtt5.NOT_AUTHORIZED
    assert c.publish(state_topic, state, retain=True) in (0, mqtt5.NO_SUBSCRIBERS)
    reader = page.client("maple-auto")
    assert reader.subscribe(state_topic) == 1 and reader.expect(state_topic).payload == state.encode()
    c.close()
    wait_until(lambda: "reason=will who=" in page.b.read_log(), PATIENCE, "end of the will")
    assert not reader.drain(), "the will is dropped, as the page says"


def zigbee_button_rings():
    with opened("zigbee2mqtt.md") as page:
        page.step()
        config = yaml.load(page.step("yaml"), Loader)
        m, state = config["mqtt"], "zigbee2mqtt/bridge/state"
        assert m["version"] == 5 and m["base_topic"] == "zigbee2mqtt"
        c = page.client(m["user"], m["client_id"], will=(state, '{"state":"offline"}', 1, True))
        press = '{"action":"single","battery":87,"linkquality":120}'
        c.publish("zigbee2mqtt/front-door", press, retain=True)
        page.step("sh listen")
        page.step("sh listen")
        c.publish("zigbee2mqtt/front-door", '{"battery":87,"linkquality":120}')
        c.publish("zigbee2mqtt/front-door", '{"action":"double","battery":87}')
        page.becomes("online")
        c.publish("zigbee2mqtt/front-door", press)
        c.publish("zigbee2mqtt/front-door", press)
        two_rings(page)
        page.step("sh listen")
        reader = page.client("maple-auto")
        assert reader.subscribe("homeassistant/device/+/config") == 1
        told = json.loads(reader.expect("homeassistant/device/vestibule_front-door/config", PATIENCE).payload)
        topic = told["cmps"]["battery"]["state_topic"]
        assert reader.subscribe(topic) == 1 and json.loads(reader.expect(topic).payload)["battery"] == 87
        assert c.publish("homeassistant/device/x/config", "{}", retain=True) == 0
        app_stays_out(page, c, state, '{"state":"online"}')


def frigate_sees_motion():
    with opened("frigate.md") as page:
        page.step()
        m = yaml.load(page.step("yaml"), Loader)["mqtt"]
        assert m["enabled"] is True and m["port"] == 1883 and m["topic_prefix"] == "frigate"
        page.step("sh listen")
        page.step("sh listen")
        c = page.client(m["user"], m["client_id"], will=("frigate/available", "offline", 1, True))

        def event(kind, camera, label):
            c.publish("frigate/events", json.dumps({"type": kind, "before": {"camera": camera, "label": label}, "after": {"camera": camera, "label": label}}))

        event("new", "garage", "car")
        event("update", "front_door", "cat")
        for label, kind in (("person", "person"), ("dog", "animal"), ("car", "vehicle"), ("umbrella", "other")):
            event("new", "front_door", label)
            assert page.told("motion")["kind"] == kind, label
        app_stays_out(page, c, "frigate/available", "online")


main(refusal_is_told_with_field_and_limit, script_rings_and_is_there, esphome_rings_and_is_there, tasmota_rings_through_a_machine_in_the_house,
     zigbee_button_rings, frigate_sees_motion)
