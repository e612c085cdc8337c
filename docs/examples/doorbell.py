"""A doorbell made from proto/README.md alone. TOKEN=... python3 doorbell.py HOST PORT DEVICE [CA_FILE]
Reads lines: `ring`, `motion KIND`, `clip FILE MILLISECONDS`; says offline at their end. Events wait in memory here; a real device keeps them, and seq, on disk.
Needs paho-mqtt and nothing else: events go as JSON, and of the two protobuf messages that a clip takes one is read, one written by hand."""
import hashlib, json, os, queue, sys, threading, time, uuid
import paho.mqtt.client as mqtt
import paho.mqtt.packettypes as packettypes

host, port, device, *ca = sys.argv[1:]
mine = f"vestibule/v1/device/{device}/"
now_ms = lambda: int(time.time() * 1000)
waiting, clips, flight, last, seq = [], {}, None, None, int(time.time())


def new_id():
    random = int.from_bytes(os.urandom(10), "big")
    return str(uuid.UUID(int=now_ms() << 80 | 7 << 76 | (random >> 68) << 64 | 2 << 62 | random & (1 << 62) - 1))


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def numbers(data):
    """{field: value} of a message that holds nothing but numbers: DeviceAck, ClipPull."""
    out, n, shift, key = {}, 0, 0, None
    for byte in data:
        n, shift = n | (byte & 127) << shift, shift + 7
        if byte < 128:
            out, key = (out, n >> 3) if key is None else ({**out, key: n}, None)
            n = shift = 0
    return out


def event(leaf, **members):
    global seq
    seq += 1
    body = dict(event_id=new_id(), at_ms=now_ms(), synced=True, seq=seq, **members)
    waiting.append({"leaf": leaf, "seq": seq, "body": json.dumps(body), "born": time.monotonic(), "due": 0.0, "pause": 10.0})


def send_next():
    """One at a time, in order of seq: what is not done yet first."""
    global flight, last
    waiting[:] = [e for e in waiting if e["leaf"] != "ring" or e is flight or time.monotonic() - e["born"] < 60]
    for e in waiting if online and not flight else []:
        if e["due"] > time.monotonic():
            continue
        expiry = mqtt.Properties(packettypes.PacketTypes.PUBLISH)
        expiry.MessageExpiryInterval = 60
        if e["leaf"] == "motion":
            waiting.remove(e)
            client.publish(mine + "motion", e["body"], 0)
        else:
            info = client.publish(mine + e["leaf"], e["body"], 1, properties=expiry if e["leaf"] == "ring" else None)
            e["mid"], flight = info.mid, e
            last = e
        return


def on_connect(c, _, __, code, *___):
    global online, flight
    if code != 0:
        sys.exit(f"{code}")
    online, flight = True, None
    for e in waiting:
        e["due"] = 0.0
    c.subscribe([(mine + "ack", 0), (mine + "pull/#", 0), (f"vestibule/v1/user/{device}/denied", 0)])
    c.publish(mine + "status", "online", 0, retain=True)


def on_disconnect(*_):
    global online
    online = False


def on_publish(_, __, mid, *___):
    """PUBACK: a clip goes on waiting for its DeviceAck, the rest is done. A refusal comes as a Denial."""
    global flight
    if not flight or flight["mid"] != mid:
        return
    e, flight = flight, None
    e["due"], e["pause"] = time.monotonic() + e["pause"], min(e["pause"] * 2, 300)
    if e["leaf"] != "clip-ready":
        waiting.remove(e)


def on_message(_, __, m):
    global flight
    what = m.topic.split("/")
    if what[4] == "ack":
        waiting[:] = [e for e in waiting if "mid" not in e or e["seq"] > numbers(m.payload).get(1, 0)]
    elif what[4] == "denied":
        print("refused:", m.payload, file=sys.stderr, flush=True)
        if last in waiting and (mine + last["leaf"]).encode() in m.payload:  # about JSON it names the topic alone
            waiting.remove(last)
            flight = None if flight is last else flight
    elif what[4] == "pull":
        answer_pull(what[5], what[6], numbers(m.payload))


def answer_pull(clip, username, pull):
    part, offset, left = pull.get(1, 0), pull.get(2, 0), pull.get(3, 0)
    data = clips.get(clip, b"") if part == 0 else b""
    while left:
        piece = data[offset:offset + min(left, 65536)]
        last = offset + len(piece) == len(data)
        chunk = (b"\x08" + varint(part) if part else b"") + (b"\x10" + varint(offset) if offset else b"")
        chunk += b"\x1a" + varint(len(piece)) + piece if piece else b"\x28\x02" if data else b"\x28\x01"  # range, gone
        client.publish(f"{mine}chunk/{clip}/{username}", chunk + (b"\x20\x01" if piece and last else b""))
        offset, left = offset + len(piece), 0 if last or not piece else left - len(piece)


def command(word, *args):
    if word == "ring":
        event("ring")
    elif word == "motion":
        event("motion", kind=args[0], confidence_permille=900)
    elif word == "clip":
        with open(args[0], "rb") as f:
            data = f.read()
        clip = new_id()
        clips[clip] = data
        event("clip-ready", clip_id=clip, start_ms=now_ms() - int(args[1]), duration_ms=int(args[1]), trigger="ring", media_type="video/mp4",
              payload_length=len(data), payload_sha256=hashlib.sha256(data).hexdigest())


def read_lines():
    line = "\n"
    while line:
        line = sys.stdin.readline()
        lines.put(line)


def connect():
    """A new client each time: an old one would send again by itself, and in its own order."""
    global client
    client = mqtt.Client(*([mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []), client_id=device,
                         protocol=mqtt.MQTTv5)
    client.username_pw_set(device, os.environ["TOKEN"])
    if ca:
        client.tls_set(ca[0])
    client.will_set(mine + "status", "offline", 0, retain=True)
    client.on_connect, client.on_disconnect, client.on_publish, client.on_message = on_connect, on_disconnect, on_publish, on_message
    client.connect(host, int(port), keepalive=30, clean_start=True)


online, lines, client = False, queue.SimpleQueue(), None
connect()
threading.Thread(target=read_lines, daemon=True).start()
while True:
    if client.loop(0.05) != mqtt.MQTT_ERR_SUCCESS and not online:
        time.sleep(1)
        try:
            connect()
        except OSError:
            pass  # again in a second
    send_next()
    if not lines.empty():
        line = lines.get()
        if not line:
            break
        try:
            command(*(line.split() or [""]))
        except (IndexError, ValueError, OSError) as e:
            print(f"{line.strip()}: {e}; a line is ring, motion KIND or clip FILE MILLISECONDS", file=sys.stderr)
client.publish(mine + "status", "offline", 0, retain=True)
client.disconnect()
