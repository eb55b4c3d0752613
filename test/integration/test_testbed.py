"""plimsoll-testbed as a real process: other people's clients, raw sockets, and its law.

Nothing of Plimsoll is used here but the program under test. PLIMSOLL_BIN names the directory of
the programs (build/release/bin)."""

import contextlib
import http.client
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin"))
PROGRAM = BIN / "plimsoll-testbed"
SANITIZED = PROGRAM.exists() and b"__asan_init" in PROGRAM.read_bytes()

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


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


CLOSE = "Connection: close\r\n"


# ---- paths ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    it = Testbed()
    yield it
    it.stop()
    assert "0 in flight" in it.account


@pytest.mark.parametrize("path, status, body", [
    ("/", 200, b'"ok":true'),
    ("/health", 200, b'"status":"ok"'),
    ("/v1/models", 200, b'"object":"list"'),
    ("/work", 200, b'"service_ns":0'),
    ("/status/418", 418, b"as asked"),
    ("/delay/5", 200, b'"delayed":true'),
    ("/redirect/0", 200, b"arrived"),
    ("/nothing", 404, b"nothing at this path"),
    ("/status/999", 400, b"out of range"),
    ("/bytes/x", 400, b"out of range"),
    ("/work?service_us=x", 400, b"service_us"),
])
def test_paths_by_curl(plain, path, status, body):
    out = subprocess.run(["curl", "-s", "-m", "10", "-w", "%{http_code}", f"http://127.0.0.1:{plain.port}{path}"],
                         capture_output=True, check=True).stdout
    assert out.endswith(str(status).encode()) and body in out


def test_curl_follows_redirects_keeps_cookies_and_undoes_gzip(plain, tmp_path):
    def curl(*arguments):
        return subprocess.run(["curl", "-sS", "-m", "10", *arguments], capture_output=True, check=True).stdout
    base = f"http://127.0.0.1:{plain.port}"
    assert curl("-L", "-w", "%{num_redirects}", f"{base}/redirect/3") == b"arrived\n3"
    jar = str(tmp_path / "jar")
    curl("-c", jar, f"{base}/set-cookie?a=b")
    assert curl("-b", jar, f"{base}/cookies") == b"a=b"
    assert json.loads(curl("--compressed", f"{base}/gzip")) == {"gzipped": True}
    assert json.loads(curl("-H", 'X-Odd: a"\\b', f"{base}/headers"))["X-Odd"] == 'a"\\b'
    big = tmp_path / "big"
    big.write_bytes(os.urandom(3_000_000))
    for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-0"], ["-H", "Expect: 100-continue"]):
        assert curl("--data-binary", f"@{big}", *more, f"{base}/echo") == big.read_bytes()
    assert len(curl(f"{base}/bytes/1000000")) == 1_000_000
    assert b"Content-Length: 1000000" in curl("-I", f"{base}/bytes/1000000")


def test_wrong_method_names_the_right_ones(plain):
    status, headers, _ = plain.ask("GET", "/v1/chat/completions")
    assert (status, headers["Allow"]) == (405, "POST")
    assert plain.ask("DELETE", "/health")[1]["Allow"] == "GET, HEAD"


def test_metrics_count_by_path_and_code_and_are_wellformed():
    with testbed() as it:
        for path in ["/", "/", "/health", "/nothing", "/work"]:
            it.ask("GET", path)
        metrics = it.metrics()
        text = it.ask("GET", "/metrics")[2]
    assert metrics['testbed_requests_total{path="/",code="200"}'] == 2
    assert metrics['testbed_requests_total{path="other",code="404"}'] == 1
    assert metrics["testbed_arrivals_total"] == metrics["testbed_departures_total"] == 1
    assert metrics["testbed_service_seconds_count"] == 1
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "metrics"], input=text, check=True)


# ---- HTTP at its edges ---------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_order(plain):
    data = plain.raw(get("/status/201") + get("/delay/30") + get("/status/202") +
                     get("/status/203", CLOSE))
    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"201", b"200", b"202", b"203"]


def test_a_request_in_single_bytes(plain):
    with plain.connect() as sock:
        request = (b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: x\r\n\r\n")
        for at in range(len(request)):
            sock.sendall(request[at:at + 1])
        assert read_reply(sock)[1] == b"abcde"
        sock.sendall(get("/health"))
        assert b"ok" in read_reply(sock)[1]


@pytest.mark.parametrize("request_bytes, status", [
    (b"\x16\x03\x01\x00\xa5\x01\n\n", 400),  # the start of TLS
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: t\r\nHost : t\r\n\r\n", 400),
    (b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
     400),
    (b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: t\r\n\r\n", 431),
])
def test_bad_requests_are_refused_and_closed(plain, request_bytes, status):
    data = plain.raw(request_bytes + b"")
    assert data.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close\r\n" in data


def test_too_large_a_body_gets_its_413_although_it_is_still_being_sent(plain):
    with plain.connect() as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(90):
                sock.sendall(b"x" * 100_000)
        data = read_all(sock)
    assert data.startswith(b"HTTP/1.1 413 ")


def test_http_1_0_closes_unless_asked(plain):
    assert plain.raw(b"GET /health HTTP/1.0\r\n\r\n").endswith(b'{"status":"ok"}\n')
    with plain.connect() as sock:
        for _ in range(2):
            sock.sendall(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"Connection: keep-alive\r\n" in read_reply(sock)[0]


def test_http_1_0_stream_ends_with_the_connection(plain):
    body = json.dumps({"messages": [{"content": "x"}], "stream": True, "max_tokens": 2}).encode()
    data = plain.raw(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(body), body))
    assert b"Transfer-Encoding" not in data and data.endswith(b"data: [DONE]\n\n")


def test_half_closed_client_still_gets_its_reply(plain):
    with plain.connect() as sock:
        sock.sendall(get("/delay/50"))
        sock.shutdown(socket.SHUT_WR)
        assert b"delayed" in read_all(sock)


def test_a_client_that_does_not_read_harms_nobody(plain):
    with plain.connect() as slow:
        slow.sendall(get("/bytes/20000000", CLOSE))  # more than any socket buffer
        time.sleep(0.1)
        start = time.monotonic()
        assert plain.ask("GET", "/health")[0] == 200
        assert time.monotonic() - start < 1
        assert len(read_all(slow)) > 20_000_000


def test_fifteen_hundred_connections_at_once(plain):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip(f"this process may open only {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    socks = [plain.connect() for _ in range(1500)]
    for sock in socks:
        sock.sendall(get("/delay/200"))
    assert all(b"delayed" in read_reply(sock)[1] for sock in socks)
    for sock in socks:
        sock.close()


def test_wrk_and_h2load_find_no_fault(plain):
    out = subprocess.run(["wrk", "-t1", "-c50", "-d1s", f"http://127.0.0.1:{plain.port}/"],
                         capture_output=True, text=True, check=True).stdout
    assert "Socket errors" not in out and "Non-2xx" not in out
    rate = float(re.search(r"Requests/sec: +([\d.]+)", out)[1])
    if not SANITIZED:
        assert rate > 5_000  # far below what it does on a core of its own: others may be at work
    out = subprocess.run(["h2load", "--h1", "-n3000", "-c30", "-m4",
                          f"http://127.0.0.1:{plain.port}/health"],
                         capture_output=True, text=True, check=True).stdout
    assert "3000 succeeded, 0 failed, 0 errored" in out


# ---- chat ----------------------------------------------------------------------------------------


def test_chat_whole(plain):
    status, headers, body = plain.chat(max_tokens=5)
    answer = json.loads(body)
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert answer["object"] == "chat.completion" and answer["model"] == "m"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["message"]["content"].split()) == 5
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}


def events_of(body):
    return [event.removeprefix("data: ") for event in body.decode().split("\n\n") if event]


def test_chat_streamed(plain):
    status, headers, body = plain.chat(max_tokens=5, stream=True,
                                       stream_options={"include_usage": True})
    assert status == 200 and headers["Content-Type"].startswith("text/event-stream")
    *events, done = events_of(body)
    chunks = [json.loads(event) for event in events]
    assert done == "[DONE]" and len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert all(chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:6])
    assert chunks[6]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "length"}
    assert chunks[7]["choices"] == [] and chunks[7]["usage"]["completion_tokens"] == 5
    assert len(chunks) == 8 and all(chunk["usage"] is None for chunk in chunks[:7])
    assert b"usage" not in plain.chat(stream=True)[2]


@pytest.mark.parametrize("body", ['{"messages":', '{"messages":[]}', "[]",
                                  '{"messages":[{"content":"x"}],"max_tokens":0}',
                                  '{"messages":[{"content":"x"}],"max_tokens":1.5}'])
def test_bad_chat_requests_get_openai_errors(plain, body):
    status, _, reply = plain.ask("POST", "/v1/chat/completions", body)
    assert status == 400 and json.loads(reply)["error"]["type"] == "invalid_request_error"


def test_tokens_of_a_fixed_law_are_spread_over_the_service(tmp_path):
    log = tmp_path / "served.csv"
    with testbed("--law", "fixed", "--service-ms", 100, "--stamp-tokens", "--log", log) as it:
        body = it.chat(max_tokens=10, stream=True)[2]
    [(_, arrival, service, departure, _)] = read_log(log)
    assert departure == arrival + service == arrival + 100e6
    stamps = [json.loads(event)["stamp_ns"] for event in events_of(body)[1:11]]
    late = [(stamp - arrival) / 1e6 - 10 * k for k, stamp in enumerate(stamps, 1)]
    assert min(late) >= 0 and min(late) < 5  # a busy machine may make some late, none is early


# ---- the law -------------------------------------------------------------------------------------


def philox_2x64(counter, key):
    """Philox 2x64-10 (Salmon et al. 2011), written again from the paper."""
    left, right = counter, 0
    for _ in range(10):
        product = 0xD2B74407B1CE6E93 * left
        left, right = (product >> 64) ^ key ^ right, product & (2**64 - 1)
        key = (key + 0x9E3779B97F4A7C15) & (2**64 - 1)
    return left, right


def philox_pair(words, key):
    left, right = words
    for _ in range(10):
        product = 0xD2B74407B1CE6E93 * left
        left, right = (product >> 64) ^ key ^ right, product & (2**64 - 1)
        key = (key + 0x9E3779B97F4A7C15) & (2**64 - 1)
    return left, right


def service_ns(seed, number, mean_ns):
    """S_n as the testbed documents it: exponential by inversion of a uniform number."""
    name = 0xCBF29CE484222325
    for byte in b"testbed service":
        name = ((name ^ byte) * 0x100000001B3) & (2**64 - 1)
    key = philox_pair((name, 0), seed)[0]
    bits = philox_2x64(number >> 1, key)[number & 1]
    return -mean_ns * math.log(((bits >> 11) + 0.5) * 2.0**-53)


def read_log(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "n,arrival_ns,service_ns,departure_ns,written_ns"
    return sorted(tuple(map(int, line.split(","))) for line in lines[1:])


def check_departures(rows, servers):
    """Kiefer and Wolfowitz over the recorded arrivals and service times; lateness in ns."""
    free, late = [0] * servers, []
    for number, (n, arrival, service, departure, written) in enumerate(rows):
        assert n == number
        first = min(range(servers), key=free.__getitem__)
        free[first] = max(arrival, free[first]) + service
        assert departure == free[first]
        if written:
            assert written >= departure
            late.append(written - departure)
    return sorted(late)


def open_load(it, count, rate, seed=1):
    """Requests at seeded Poisson instants, each on its own thread: the server's log is the truth, so
    the client's punctuality does not matter."""
    import random
    gaps = random.Random(seed)
    due, threads = time.monotonic(), []
    for _ in range(count):
        due += gaps.expovariate(rate)
        time.sleep(max(0, due - time.monotonic()))
        threads.append(threading.Thread(target=it.ask, args=("GET", "/work")))
        threads[-1].start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("servers", [1, 2])
def test_departures_are_the_recursion_over_arrivals(tmp_path, servers):
    log = tmp_path / "served.csv"
    with testbed("--law", "mmc", "--servers", servers, "--service-ms", 4 * servers, "--seed", 42,
                 "--log", log) as it:
        open_load(it, 400, 200)
    rows = read_log(log)
    assert len(rows) == 400
    for n, _, service, _, _ in rows:
        assert abs(service - service_ns(42, n, 4e6 * servers)) <= 1
    late = check_departures(rows, servers)
    assert late[len(late) // 2] < 5_000_000  # others may be at work on this machine


def test_a_full_queue_refuses_with_retry_after():
    with testbed("--law", "md1", "--service-ms", 200, "--queue-limit", 1, "--queue-full", 429) as it:
        with it.connect() as one, it.connect() as two, it.connect() as three:
            for sock in (one, two, three):
                sock.sendall(get("/work"))
                time.sleep(0.02)
            head, _ = read_reply(three)
            assert head.startswith(b"HTTP/1.1 429 ") and b"Retry-After: 1\r\n" in head
            metrics = it.metrics()
            assert read_reply(one)[0].startswith(b"HTTP/1.1 200 ")
            assert read_reply(two)[0].startswith(b"HTTP/1.1 200 ")
            after = it.metrics()
    assert after["testbed_service_seconds_sum"] == pytest.approx(0.4)
    assert 0.4 < after["testbed_response_seconds_sum"] <= 0.6
    assert metrics["testbed_busy_servers"] == metrics["testbed_queue_length"] == 1
    assert metrics["testbed_in_flight"] == 2 and metrics["testbed_refused_total"] == 1


def test_a_client_that_leaves_keeps_its_place_in_the_law(tmp_path):
    log = tmp_path / "served.csv"
    with testbed("--law", "md1", "--service-ms", 100, "--log", log) as it:
        with it.connect() as gone:
            gone.sendall(get("/work"))
            time.sleep(0.02)
        start = time.monotonic()
        it.ask("GET", "/work")
        assert 0.15 < time.monotonic() - start < 2
    rows = read_log(log)
    check_departures(rows, 1)
    # The server cannot tell a client that is gone from one that only ended its sending until it
    # has written; the log says at least that both departed.
    assert len(rows) == 2


def test_service_time_by_request():
    with testbed("--law", "md1") as it:
        for path, headers in [("/work?service_us=30000", {}), ("/work", {"X-Service-Us": "30000"})]:
            assert json.loads(it.ask("GET", path, headers=headers)[2])["service_ns"] == 30_000_000


def two_streams(options):
    """The bodies of a stream of 6 tokens and, 10 ms later, one of 2."""
    bodies = {}
    with testbed(*options) as it:
        def stream(name, tokens):
            bodies[name] = it.chat(max_tokens=tokens, stream=True)[2]
        threads = [threading.Thread(target=stream, args=arguments)
                   for arguments in (("one", 6), ("two", 2))]
        for thread in threads:
            thread.start()
            time.sleep(0.01)
        for thread in threads:
            thread.join()
    return bodies


def test_batching_steps_are_as_computed(tmp_path):
    """The first stream is alone in step 1 (p / rate + a + c = 45 ms); the second comes in at its
    end, so that step 2 has a prompt and two sequences (50 ms), step 3 both (30), the rest one (25).
    The log is exact; a stamp may be late where the machine is busy, and never early."""
    log = tmp_path / "served.csv"
    options = ("--law", "batching", "--step-base-ms", 20, "--step-per-sequence-ms", 5,
               "--prefill-rate", 100, "--stamp-tokens", "--log", log)  # a prompt of 2 tokens: 20 ms
    for _ in range(5):
        bodies = two_streams(options)
        one, two = read_log(log)
        start = one[1]
        if two[1] < start + 45e6:
            break  # else this machine was too busy to send the second in time
    assert one[3] == start + 200e6 and one[2] == 200e6
    assert two[3] == start + 125e6 and two[2] == 80e6
    late = []
    for name, due in (("one", [45, 95, 125, 150, 175, 200]), ("two", [95, 125])):
        stamps = [json.loads(event)["stamp_ns"] for event in events_of(bodies[name])[1:-2]]
        late += [(stamp - start) / 1e6 - ms for stamp, ms in zip(stamps, due, strict=True)]
    assert min(late) >= 0 and min(late) < 5


def test_batching_gives_up_streams_whose_client_has_gone():
    with testbed("--law", "batching", "--kv-tokens", 2000) as it:
        with it.connect() as sock:
            body = json.dumps({"messages": [{"content": "x"}], "stream": True, "max_tokens": 1000})
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n"
                         % len(body) + body.encode())
            sock.recv(4096)
            running = it.metrics()
        deadline = time.monotonic() + 5
        while it.metrics()["testbed_batch_size"] and time.monotonic() < deadline:
            time.sleep(0.01)
        left = it.metrics()
        assert it.chat(max_tokens=3000)[0] == 400  # longer than the whole cache
    assert running["testbed_batch_size"] == 1 and running["testbed_kv_tokens"] >= 2
    assert left["testbed_kv_tokens"] == 0 and left["testbed_in_flight"] == 0
    assert "1 given up + 0 in flight" in it.account


# ---- faults --------------------------------------------------------------------------------------


def test_errors():
    with testbed("--error-rate", 0.3, "--seed", 3) as it:
        statuses = [it.ask("GET", "/")[0] for _ in range(200)]
        assert all(it.ask("GET", "/health")[0] == 200 for _ in range(20))
    with testbed("--error-rate", 0.3, "--seed", 3) as it:
        assert statuses == [it.ask("GET", "/")[0] for _ in range(200)]
    assert 35 < statuses.count(500) < 85 and statuses.count(200) + statuses.count(500) == 200


def test_reset():
    with testbed("--reset-rate", 1) as it:
        data = it.raw(get("/bytes/10"))
        assert data.endswith(b"<RST>") and b"89" not in data
        assert it.metrics()["testbed_faults_total"] == 1


def test_truncated():
    with testbed("--truncate-rate", 1) as it:
        head, _, body = it.raw(get("/bytes/1000")).partition(b"\r\n\r\n")
        assert b"Content-Length: 1000" in head and len(body) == 500
        with pytest.raises(http.client.IncompleteRead):
            it.chat(stream=True)


def test_malformed():
    with testbed("--malformed-rate", 1) as it:
        with pytest.raises(http.client.BadStatusLine):
            it.ask("GET", "/")
        with pytest.raises(http.client.BadStatusLine):
            it.chat(stream=True)


def test_stalled():
    with testbed("--stall-rate", "100%", "--stall-ms", 150) as it:
        for ask in (lambda: it.ask("GET", "/"), lambda: it.chat(stream=True)):
            start = time.monotonic()
            assert ask()[0] == 200
            assert 0.15 <= time.monotonic() - start < 1


def test_slow_bytes():
    with testbed("--slow-bytes", 20, "--slow-gap-ms", 5) as it:
        with it.connect() as sock:
            start = time.monotonic()
            sock.sendall(get("/bytes/400"))
            first = sock.recv(1000)
            assert len(first) <= 20
            rest = b""
            while len(first + rest) < 400 or (first + rest)[-400:] != b"0123456789abcdef" * 25:
                rest += sock.recv(1000)
            assert time.monotonic() - start > 0.09
            sock.sendall(get("/health"))
            assert b"ok" in read_reply(sock)[1]


def test_close_after_lies_about_keep_alive():
    with testbed("--close-after", 2) as it:
        data = it.raw(get("/") + get("/") + get("/"))
    assert data.count(b"HTTP/1.1 200") == 2
    assert data.count(b"Connection: keep-alive") == 2 and b"close" not in data


def test_too_many_connections_are_reset():
    with testbed("--max-connections", 2) as it:
        with it.connect() as one, it.connect() as two:
            for sock in (one, two):
                sock.sendall(get("/health"))
                read_reply(sock)
            with contextlib.suppress(ConnectionResetError):  # it may come while connecting
                assert it.raw(b"") == b"<RST>"
            assert it.metrics_by(one)["testbed_connections_total"] == 3
        time.sleep(0.05)
        assert it.ask("GET", "/health")[0] == 200


# ---- the program ---------------------------------------------------------------------------------


def test_greeting_names_address_and_timer_error(plain):
    assert re.fullmatch(r"plimsoll-testbed on 127\.0\.0\.1:\d+; timers fire late by p50 [\d.,]+ \S+, "
                        r"p99 [\d.,]+ \S+ \(n = 200\)\n", plain.greeting)


def test_token():
    with testbed("--token", "secret", "--listen", "0.0.0.0") as it:
        assert it.ask("GET", "/health")[0] == 401
        assert it.ask("GET", "/health", headers={"Authorization": "Bearer wrong!"})[0] == 401
        assert it.ask("GET", "/health", headers={"Authorization": "bearer secret"})[0] == 200
    out = subprocess.run([PROGRAM, "--listen", "0.0.0.0", "--port", "0"], capture_output=True,
                         text=True)
    assert out.returncode == 2 and "give --token" in out.stderr and not out.stdout


def test_health_comes_when_asked():
    with testbed("--ready-after-ms", 400) as it:
        assert it.ask("GET", "/health")[0] == 503
        time.sleep(0.5)
        assert it.ask("GET", "/health")[0] == 200


def test_unix_socket(tmp_path):
    path = tmp_path / "s"
    with testbed("--unix", path) as it:
        assert it.where == f"unix:{path}"
        out = subprocess.run(["curl", "-s", "-m", "10", "--unix-socket", path, "http://t/health"],
                             capture_output=True, check=True).stdout
        assert b"ok" in out
    assert not path.exists()


def test_ipv6():
    if not pathlib.Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    with testbed("--listen", "::1") as it:
        assert it.where.startswith("[::1]:")


def test_ports_in_use_and_bad_options_are_explained(plain):
    out = subprocess.run([PROGRAM, "--port", str(plain.port)], capture_output=True, text=True)
    assert out.returncode == 1 and "in use" in out.stderr
    out = subprocess.run([PROGRAM, "--servces", "2"], capture_output=True, text=True)
    assert out.returncode == 2 and "did you mean --servers?" in out.stderr


def test_account_at_the_end_counts_what_is_in_flight():
    with testbed("--law", "md1", "--service-ms", 10000) as it:
        with it.connect() as sock:
            sock.sendall(get("/work"))
            time.sleep(0.05)
            it.stop()
    assert "1 requests, 0 replies on 1 connections; law: 1 arrivals = 0 departures + 0 given up + " \
           "1 in flight" in it.account
