"""The law of plimsoll-testbed, computed again from the papers and from the log of what it served.

Nothing of Plimsoll is used here but the program under test."""

import json
import math
import socket
import threading
import time

import pytest

from testbed_process import PROGRAM, events_of, get, read_reply, testbed

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


def philox_2x64(words, key):
    """Philox 2x64-10 (Salmon et al. 2011), written again from the paper."""
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
    key = philox_2x64((name, 0), seed)[0]
    bits = philox_2x64((number >> 1, 0), key)[number & 1]
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


def test_tokens_of_a_fixed_law_are_spread_over_the_service(tmp_path):
    log = tmp_path / "served.csv"
    with testbed("--law", "fixed", "--service-ms", 100, "--stamp-tokens", "--log", log) as it:
        body = it.chat(max_tokens=10, stream=True)[2]
    [(_, arrival, service, departure, _)] = read_log(log)
    assert departure == arrival + service == arrival + 100e6
    stamps = [json.loads(event)["stamp_ns"] for event in events_of(body)[1:11]]
    late = [(stamp - arrival) / 1e6 - 10 * k for k, stamp in enumerate(stamps, 1)]
    assert min(late) >= 0 and min(late) < 5  # a busy machine may make some late, none is early


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
