"""A small MQTT client on a bare socket, 3.1.1 and 5, so that tests see every packet and reason code as the broker sent
it. Nothing is sent, acknowledged or repeated behind the test's back but PUBACK of what arrives (acks=True)."""
import collections
import os
import select
import socket
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14
NOT_AUTHORIZED, NO_SUBSCRIBERS, ADMINISTRATIVE = 0x87, 0x10, 0x98

Message = collections.namedtuple("Message", "topic payload qos retain props")  # props: the raw bytes


class Closed(Exception):
    """The broker closed the connection; code is DISCONNECT's reason, or None."""

    def __init__(self, code=None):
        super().__init__("closed, reason %s" % (hex(code) if code is not None else "none"))
        self.code = code


class Refused(Exception):
    def __init__(self, code):
        super().__init__("CONNACK 0x%02x" % code)
        self.code = code


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def binary(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("!H", len(data)) + data


def properties(pairs):
    """Pairs of (identifier, value): int for a four-byte value, (key, value) for user properties, else binary."""
    out = b""
    for ident, value in pairs:
        if isinstance(value, int):
            out += bytes([ident]) + (struct.pack("!I", value) if ident != 0x21 else struct.pack("!H", value))
        elif isinstance(value, tuple):
            out += bytes([ident]) + binary(value[0]) + binary(value[1])
        else:
            out += bytes([ident]) + binary(value)
    return varint(len(out)) + out


SESSION_EXPIRY, RECEIVE_MAXIMUM, CONTENT_TYPE, EXPIRY, USER, RESPONSE_TOPIC = 0x11, 0x21, 0x03, 0x02, 0x26, 0x08


class Client:
    """Connects at once. will: (topic, payload, qos, retain[, properties]). Raises Refused or Closed."""

    def __init__(self, port, client_id, username=None, password=None, version=5, clean=True, expiry=0, will=None,
                 receive_maximum=None, context=None, acks=True, timeout=5, receive_buffer=None):
        self.v5, self.acks, self.timeout = version == 5, acks, timeout
        self.buffer, self.messages, self.others = b"", collections.deque(), collections.deque()
        self.mid, self.unacked, self.session_present = 0, [], None
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        if receive_buffer:  # bytes; the TCP window follows it, so it is set before connecting
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(("127.0.0.1", port))
        if context:
            self.sock = context.wrap_socket(self.sock)
        self._connect(client_id, username, password, clean, expiry, will, receive_maximum)

    def _connect(self, client_id, username, password, clean, expiry, will, receive_maximum):
        flags = (2 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
        pairs = [(SESSION_EXPIRY, expiry)] if expiry else []
        if receive_maximum:
            pairs.append((RECEIVE_MAXIMUM, receive_maximum))
        tail = binary(client_id)
        if will:
            topic, payload, qos, retain = will[:4]
            flags |= 4 | qos << 3 | (0x20 if retain else 0)
            tail += (properties(will[4] if will[4:] else []) if self.v5 else b"") + binary(topic) + binary(payload)
        if username is not None:
            tail += binary(username)
        if password is not None:
            tail += binary(password)
        body = binary("MQTT") + bytes([5 if self.v5 else 4, flags]) + struct.pack("!H", 60)
        self.send(CONNECT << 4, body + (properties(pairs) if self.v5 else b"") + tail)
        kind, _, body = self.wait_for(CONNACK)
        self.session_present = bool(body[0] & 1)
        if body[1]:
            self.close()
            raise Refused(body[1])

    # --- packets ---

    def send(self, head, body):
        self.sock.sendall(bytes([head]) + varint(len(body)) + body)

    def _take(self):
        """One whole packet out of the buffer, or None."""
        length = shift = 0
        for at in range(1, min(5, len(self.buffer))):
            length |= (self.buffer[at] & 127) << shift
            shift += 7
            if self.buffer[at] < 128:
                end = at + 1 + length
                if len(self.buffer) < end:
                    return None
                packet = self.buffer[0], self.buffer[at + 1:end]
                self.buffer = self.buffer[end:]
                return packet
        return None

    def _is_readable(self, seconds):
        poll = select.poll()  # select knows no descriptor above 1023
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def pump(self, seconds):
        """Reads one packet if it comes within seconds: True. Files it under messages or others."""
        end = time.monotonic() + seconds
        while True:
            packet = self._take()
            if packet:
                self._file(*packet)
                return True
            left = end - time.monotonic()
            pending = getattr(self.sock, "pending", lambda: 0)()
            if left <= 0 or not (pending or self._is_readable(left)):
                return False
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed()
            self.buffer += data

    def _file(self, head, body):
        kind = head >> 4
        if kind == DISCONNECT:
            raise Closed(body[0] if body else 0)
        if kind != PUBLISH:
            self.others.append((kind, head & 15, body))
            return
        size, qos = struct.unpack("!H", body[:2])[0], head >> 1 & 3
        topic, at = body[2:2 + size].decode(), 2 + size
        if qos:
            mid = struct.unpack("!H", body[at:at + 2])[0]
            at += 2
        props = b""
        if self.v5:
            length, at = body[at], at + 1  # the tests' messages carry fewer than 128 bytes of properties
            props, at = body[at:at + length], at + length
        self.messages.append(Message(topic, body[at:], qos, bool(head & 1), props))
        if qos == 1:
            if self.acks:
                self.send(PUBACK << 4, struct.pack("!H", mid))
            else:
                self.unacked.append(mid)

    def wait_for(self, kind, mid=None):
        end = time.monotonic() + self.timeout
        while True:
            for packet in self.others:
                if packet[0] == kind and (mid is None or packet[2][:2] == struct.pack("!H", mid)):
                    self.others.remove(packet)
                    return packet
            if not self.pump(end - time.monotonic()) and time.monotonic() >= end:
                raise AssertionError("no packet of kind %d within %s s" % (kind, self.timeout))

    # --- what tests say ---

    def subscribe(self, *filters, qos=1):
        """Reason code of the filter, or the list of codes."""
        self.mid += 1
        body = struct.pack("!H", self.mid) + (properties([]) if self.v5 else b"")
        self.send(SUBSCRIBE << 4 | 2, body + b"".join(binary(f) + bytes([qos]) for f in filters))
        codes = self.wait_for(SUBACK, self.mid)[2][3 if self.v5 else 2:]
        return codes[0] if len(filters) == 1 else list(codes)

    def start_publish(self, topic, payload=b"", qos=1, retain=False, props=()):
        self.mid += 1
        body = binary(topic) + (struct.pack("!H", self.mid) if qos else b"")
        if self.v5:
            body += properties(props)
        payload = payload.encode() if isinstance(payload, str) else payload
        self.send(PUBLISH << 4 | qos << 1 | (1 if retain else 0), body + payload)
        return self.mid

    def publish(self, topic, payload=b"", qos=1, retain=False, props=()):
        """PUBACK's (or PUBREC's) reason code; None for QoS 0, after a PING has come back."""
        mid = self.start_publish(topic, payload, qos, retain, props)
        if qos == 0:
            self.ping()
            return None
        body = self.wait_for(PUBACK if qos == 1 else PUBREC, mid)[2]
        code = body[2] if len(body) > 2 else 0
        if qos == 2 and code < 0x80:
            self.send(PUBREL << 4 | 2, struct.pack("!H", mid))
            self.wait_for(PUBCOMP, mid)
        return code

    def ping(self):
        self.send(PINGREQ << 4, b"")
        self.wait_for(PINGRESP)

    def expect(self, topic, seconds=5):
        """The next message on that topic; others stay for later."""
        end = time.monotonic() + seconds
        while True:
            for m in self.messages:
                if m.topic == topic:
                    self.messages.remove(m)
                    return m
            if not self.pump(end - time.monotonic()) and time.monotonic() >= end:
                raise AssertionError("nothing on %s within %s s; had %r" % (topic, seconds, list(self.messages)))

    def drain(self, seconds=0.4):
        """Everything that arrives until it is quiet for so long."""
        while self.pump(seconds):
            pass
        got, self.messages = list(self.messages), collections.deque()
        return got

    def closed(self, seconds=3):
        """The reason with which the broker closes within seconds; fails if it does not."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.pump(end - time.monotonic())
        except Closed as c:
            self.close()
            return c.code
        raise AssertionError("still connected after %s s" % seconds)

    def disconnect(self):
        self.send(DISCONNECT << 4, b"")
        self.close()

    def close(self):
        """Without DISCONNECT: the will fires."""
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.disconnect()
        except OSError:
            pass  # the broker was first


def unique(name):
    return "%s.%s" % (name, os.urandom(4).hex())
