"""Free loopback ports for servers of tests. They lie below the range from which the kernel takes the ports of outgoing
connections, so that no client of another test can take one between the look and the server's bind."""
import random
import socket

FIRST, LAST = 15000, 31999
_draw = random.SystemRandom()  # tests that run side by side must not draw alike, whatever seed they set


def free_port():
    for _ in range(1000):
        port = _draw.randint(FIRST, LAST)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise OSError("no free port between %d and %d" % (FIRST, LAST))
