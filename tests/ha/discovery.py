"""Is a message to PREFIX/device/ID/config what Home Assistant takes?   discovery.py FILE...   (one message each; exit 0: all are)

The shape is discovery.schema.json's; what a schema cannot say is said here."""
import json
import os
import sys

import jsonschema

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "discovery.schema.json")) as f:
    SCHEMA = json.load(f)
jsonschema.Draft202012Validator.check_schema(SCHEMA)


def complaints(config):
    """Why the parsed message is wrong, one text each; [] when it is right."""
    found = ["%s: %s" % (e.json_path, e.message[:200]) for e in jsonschema.Draft202012Validator(SCHEMA).iter_errors(config)]
    if found:
        return found
    device = config["dev"]["ids"][0]
    home, name = device.split(":")[1:]
    if "battery" in config["cmps"] and name not in config["cmps"]["battery"]["state_topic"]:
        found.append("battery: a topic that is not of the device alone")
    for key, c in config["cmps"].items():
        if c["uniq_id"] != "%s:%s" % (device, key):
            found.append("%s: uniq_id is not the device's and the component's" % key)
        topics = [v for k, v in c.items() if k.endswith("topic") and v.startswith("vestibule/")] + [a["topic"] for a in c.get("availability", [])]
        if any(t.split("/")[3::2] != [home, name] for t in topics):
            found.append("%s: a topic of another device" % key)
    if not any(c.get("device_class") == "doorbell" for c in config["cmps"].values()):
        found.append("no component is a doorbell")
    ids = [c["default_entity_id"] for c in config["cmps"].values()]
    if len(ids) != len(set(ids)):
        found.append("two components want the same entity id")
    return found


def main(paths):
    bad = 0
    for path in paths:
        with open(path) as f:
            for text in complaints(json.load(f)):
                bad += 1
                print("%s: %s" % (path, text))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
