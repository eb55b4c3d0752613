"""plimsoll-testbed as a real process: other people's clients, raw sockets, faults.

Nothing of Plimsoll is used here but the program under test."""

import contextlib
import http.client
import json
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

from testbed_process import PROGRAM, SANITIZED, Testbed, events_of, get, read_all, read_reply, testbed

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")

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


def children_of(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def resident(pid):
    found = re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


@pytest.mark.parametrize("killed", [False, True], ids=["lives", "killed"])
def test_work_has_a_process_with_memory_of_its_own(killed):
    """Who ends it, the kernel for want of memory or we here, is all the same to its work."""
    with testbed("--law", "fixed", "--service-ms", 1500, "--work-memory", "8MiB") as it:
        with it.connect() as sock:
            sock.sendall(get("/work"))
            until = time.monotonic() + 1.3
            filled = []
            while time.monotonic() < until and not filled:
                time.sleep(0.01)
                filled = [child for child in children_of(it.process.pid) if resident(child) >= 8 << 20]
            if not filled:
                pytest.skip("SKIPPED: this machine is too busy to fill 8 MiB in a second")
            (child,) = filled
            if killed:
                os.kill(child, signal.SIGKILL)
            head, _ = read_reply(sock)
            assert head.startswith(b"HTTP/1.1 500" if killed else b"HTTP/1.1 200"), head
            assert children_of(it.process.pid) == []
