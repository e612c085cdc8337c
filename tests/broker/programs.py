"""The real programs beside a test's broker: running them, a wire between them that misbehaves when told to, certificates.
What a program must print and how it must end is the tests' own business."""
import json
import os
import select
import signal
import socket
import subprocess
import threading

import broker

RECORDED, REFUSED, USAGE, UNAVAILABLE, TIMEOUT, NOT_AUTHORISED = 0, 1, 64, 69, 75, 77  # EXIT STATUS of the man pages


def token_file(b, username, secret=None):
    path = os.path.join(b.dir, username + ".token")
    if secret is not None or not os.path.exists(path):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write((secret or broker.token(username)) + "\n")
    return path


def command(b, program, username, *args, port=None, secret=None):
    return [os.path.join(broker.BUILD, "bin", "vestibule-" + program), "--port", str(port or b.port), "--username", username,
            "--token-file", token_file(b, username, secret), *map(str, args)]


def environment(b):
    """Nobody's own configuration file."""
    return dict(os.environ, XDG_CONFIG_HOME=os.path.join(b.dir, "no-config"))


def run(b, program, username, *args, seconds=15, **more):
    """(exit code, stdout, stderr)"""
    done = subprocess.run(command(b, program, username, *args, **more), capture_output=True, text=True, timeout=seconds,
                          env=environment(b), stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def rows(b, program, username, *args):
    """What a listing command prints as JSON."""
    code, out, err = run(b, program, username, *args, "--json")
    assert code == RECORDED, (code, err)
    return [json.loads(line) for line in out.splitlines()]


class Background:
    """A program that goes on, `watch`; its lines are collected as they come."""

    def __init__(self, b, program, username, *args, **more):
        self.lines, self.complaints = [], []
        self.process = subprocess.Popen(command(b, program, username, *args, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=environment(b), stdin=subprocess.DEVNULL)
        for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.complaints)):
            threading.Thread(target=lambda s=stream, i=into: i.extend(iter(s.readline, "")) or s.close(), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def events(self, name):
        """The messages of the events of that name, of `--json`."""
        told = [json.loads(line) for line in list(self.lines)]
        return [e["message"] for e in told if e["event"] == name]


class Proxy:
    """A port in front of the broker's. hold(text): from the moment when a client's bytes hold text, nothing that the broker
    says is passed on until release(); cut(): every connection breaks off without a word."""

    def __init__(self, b):
        self.to, self.needle, self.held, self.seen = b.port, None, False, 0
        self.pairs, self.lock = [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def hold(self, text):
        self.needle, self.seen, self.held = text.encode(), 0, False

    def release(self):
        self.needle, self.held = None, False

    def cut(self):
        with self.lock:
            for pair in self.pairs:
                for s in pair:
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass  # it has ended by itself
            self.pairs = []

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            with self.lock:
                self.pairs.append((client, server))
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client, server):
        with client, server:
            while True:
                readable = select.select([client] if self.held else [client, server], [], [], 0.02)[0]
                try:
                    for s in readable:
                        data = s.recv(65536)
                        if not data:
                            return
                        if s is client and self.needle and self.needle in data:
                            self.seen, self.held = self.seen + data.count(self.needle), True
                        (server if s is client else client).sendall(data)
                except OSError:
                    return


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=60)


def make_ca(folder):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key",
            "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca")


def make_certificate(folder, name, subject, names=""):
    """NAME.crt and NAME.key, signed by the folder's authority."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + ".key",
            "-out", name + ".csr", "-subj", subject)
    with open(os.path.join(folder, name + ".ext"), "w") as f:
        f.write("subjectAltName=%s\n" % names if names else "basicConstraints=CA:FALSE\n")
    openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".crt",
            "-days", "2", "-extfile", name + ".ext")
