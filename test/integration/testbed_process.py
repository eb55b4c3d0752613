"""plimsoll-testbed as a process that tests start, and raw bytes to and from it.

Nothing of Plimsoll is used here but the program under test. PLIMSOLL_BIN names the directory of
the programs (build/release/bin)."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin"))
PROGRAM = BIN / "plimsoll-testbed"
SANITIZED = PROGRAM.exists() and b"__asan_init" in PROGRAM.read_bytes()


class Testbed:
    """A running testbed; `account` is what it said at its end."""

    __test__ = False

    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, "--port", "0", *map(str, options)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.where = line.removeprefix("listening on ").strip()
        assert line.startswith("listening on "), self.process.stderr.read()
        self.port = int(self.where.rpartition(":")[2]) if not self.where.startswith("unix:") else 0
        self.greeting = self.process.stderr.readline()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, self.account = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, self.account

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def raw(self, data):
        """All bytes until the server closes."""
        with self.connect() as sock:
            sock.sendall(data)
            return read_all(sock)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()

    def chat(self, **fields):
        body = {"model": "m", "messages": [{"role": "user", "content": "12345678"}], **fields}
        return self.ask("POST", "/v1/chat/completions", json.dumps(body))

    def metrics_by(self, sock):
        """The metrics, asked for on an open connection."""
        sock.sendall(get("/metrics"))
        return self.parse(read_reply(sock)[1])

    def metrics(self):
        return self.parse(self.ask("GET", "/metrics")[2])

    @staticmethod
    def parse(body):
        text = body.decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


@contextlib.contextmanager
def testbed(*options):
    it = Testbed(*options)
    try:
        yield it
    finally:
        if it.process.poll() is None:
            it.stop()


testbed.__test__ = False


def read_all(sock):
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return data + b"<RST>"
        if not piece:
            return data
        data += piece


def read_reply(sock):
    """One reply with a Content-Length: (head, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(1)
        assert piece, f"closed after {data!r}"
        data += piece
    length = int(re.search(rb"Content-Length: (\d+)", data)[1])
    body = b""
    while len(body) < length:
        piece = sock.recv(length - len(body))
        assert piece, f"closed after {data + body!r}"
        body += piece
    return data, body


def get(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: t\r\n{more}\r\n".encode()


def events_of(body):
    return [event.removeprefix("data: ") for event in body.decode().split("\n\n") if event]
