"""The messages of the relay's suite as bytes: a small protobuf writer and reader, so that the tests speak the wire
format with code that is not the code under test. Field numbers are those of proto/vestibule/v1/relay.proto, event.proto
and user.proto."""
import os
import time

COPY, CANCEL, PURGE, LINK = 1, 2, 3, 4
COPIED, GONE, PURGED, LINKED = 1, 2, 3, 4
OK, STATUS_GONE, STATUS_RANGE = 0, 1, 2


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """Zero and empty values are left out, as proto3 does."""
    if isinstance(value, str):
        value = value.encode()
    if not value:
        return b""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(int(value))


def message(*values):
    """Values of the fields 1, 2, 3 and so on."""
    return b"".join(field(i + 1, v) for i, v in enumerate(values))


def parse(data):
    """{field number: value}; of a repeated field a list is made."""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 2:
            length = number()
            value = data[at:at + length]
            at += length
        else:
            value = number()
        out[key >> 3] = value
    return out


def uuid7():
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = raw[6] & 15 | 0x70
    raw[8] = raw[8] & 63 | 0x80
    return bytes(raw)


def uuid_text(raw):
    h = raw.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def job(kind, obj, device="", clip=b"", length=0, sha256=b"", exp_ms=0, job_id=None):
    return message(job_id or uuid7(), kind, obj, device, clip, length, sha256, exp_ms, "video/mp4" if clip else "")


def reply(jobs, to):
    return message(to) + field(3, 1) + b"".join(field(12, j) for j in jobs)


def chunk(offset, data, last=False, status=OK):
    return message(0, offset, data, last, status)


class Report:
    def __init__(self, data):
        f = parse(data)
        self.event_id, self.seq = f.get(1), f.get(4, 0)
        self.job_id, self.kind = f.get(5), f.get(6, 0)
        self.object = f.get(7, b"").decode()
        self.length, self.sha256 = f.get(8, 0), f.get(9, b"")
        self.url, self.expires_ms = f.get(10, b"").decode(), f.get(11, 0)

    def __repr__(self):
        return "Report(kind=%d object=%s seq=%d)" % (self.kind, self.object, self.seq)
