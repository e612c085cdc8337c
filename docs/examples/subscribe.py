"""Prints what the doorbells of a home say. TOKEN=... python3 subscribe.py HOST PORT HOME USERNAME [CA_FILE]"""
import os, sys
import paho.mqtt.client as mqtt
host, port, home, username, *ca = sys.argv[1:]
client = mqtt.Client(*([mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []), protocol=mqtt.MQTTv5)
client.username_pw_set(username, os.environ["TOKEN"])
if ca: client.tls_set(ca[0])
client.on_connect = lambda c, _, __, code, *___: sys.exit(f"{code}") if code != 0 else c.subscribe(f"vestibule/v1/home/{home}/json/#", 1)
client.on_message = lambda c, _, m: print(m.topic.split("/json/")[1], m.payload.decode(), flush=True)
client.connect(host, int(port)); client.loop_forever()
