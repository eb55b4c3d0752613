"""Many users on few connections, and many connections at once.

Users are state machines: what one costs is the growth of the program's peak memory between two runs
of different numbers of users, divided by their difference. The peak is VmHWM of /proc (what
wait4 tells would have the memory of the test itself in it, from before the exec). Users arrive over one think time, so that from then on they ask at a steady rate.

The short forms run in each check; 100,000 users for a minute and 15,000 connections with
PLIMSOLL_THOROUGH=1."""

import dataclasses
import os
import resource
import subprocess
import time
import urllib.request

import pytest

from conftest import PASSED, PLIMSOLL, SATURATED, Ran, write_plan

pytestmark = pytest.mark.alone

THOROUGH = bool(os.environ.get("PLIMSOLL_THOROUGH"))
SANITIZED = PLIMSOLL.exists() and b"__asan_init" in PLIMSOLL.read_bytes()
KIB = 1024

thorough = [pytest.mark.thorough,
            pytest.mark.skipif(not THOROUGH, reason="minutes; with PLIMSOLL_THOROUGH=1")]

CROWD = """
schema: 1
name: crowd
target: {url}
threads: 1
connections: {{ mode: shared, most: {connections} }}
scenarios:
  main:
    executor: constant-vus
    vus: {users}
    spawn_rate: {spawn_rate}/s
    warm_up: {think}s # all have come when it is over
    duration: {length}s
    think: {think}s
    tasks: [{{ name: root, get: / }}]
"""

OPENED = """
schema: 1
name: opened
target: {url}
threads: 1
connections: # two addresses: with one, the kernel searches long for the last of its ports
  mode: per-user
  handshake_rate: {rate}/s
  source: [127.0.0.1, 127.0.0.2]
scenarios:
  main:
    executor: constant-vus
    vus: {connections}
    duration: {length}s
    think: {think}s
    tasks: [{{ name: root, get: / }}]
"""


@dataclasses.dataclass(frozen=True)
class Crowd:
    users: int
    fewer: int
    think: int
    length: int
    connections: int
    rate: int  # of all users: users / think


@pytest.mark.skipif(SANITIZED, reason="a sanitized program's memory is the sanitizer's")
@pytest.mark.parametrize("crowd", [
    pytest.param(Crowd(20000, 2000, 4, 3, 2000, 5000), id="short"),
    pytest.param(Crowd(100000, 10000, 10, 60, 2000, 10000), id="full", marks=thorough),
])
def test_a_user_costs_less_than_a_kibibyte(testbed, tmp_path, crowd):
    server = testbed()
    small, few = run_crowd(tmp_path / "small", server, crowd, crowd.fewer)
    large, many = run_crowd(tmp_path / "large", server, crowd, crowd.users)
    each = (many - few) / (crowd.users - crowd.fewer)
    figures = large["summary"]
    print(f"{crowd.fewer:,} users: peak {few / KIB:,.0f} KiB; {crowd.users:,} users: "
          f"{many / KIB:,.0f} KiB; {each:.0f} bytes a user; {figures['rate_rps']:,.0f} requests/s, "
          f"response p50 {figures['response']['p50_ms']:.2f} ms, p99 "
          f"{figures['response']['p99_ms']:.2f} ms; generator {large['generator']['verdict']}")
    assert each <= KIB
    # N = X (R + Z), with R far below Z
    expected = crowd.users / (crowd.think + 1e-3 * figures["response"]["avg_ms"])
    assert expected == pytest.approx(crowd.rate, rel=0.1), "the machine is too busy for this test"
    assert figures["rate_rps"] == pytest.approx(expected, rel=0.03)
    assert figures["connections"] <= crowd.connections
    assert small["summary"]["rate_rps"] < figures["rate_rps"]


def run_crowd(folder, server, crowd, users):
    """The summary of a run, and its peak memory in bytes."""
    folder.mkdir()
    plan = write_plan(folder, CROWD.format(url=server.url, connections=crowd.connections,
                                           users=users, spawn_rate=users // crowd.think,
                                           length=crowd.length, think=crowd.think))
    ran, peak = finish_measured(start(folder, plan), folder, crowd.length + crowd.think + 60)
    assert ran.summary["accounts"]["close"]
    assert ran.summary["summary"]["failed"] == 0
    return ran.summary, peak


def start(folder, plan):
    with open(folder / "out.txt", "w") as out, open(folder / "err.txt", "w") as err:
        return subprocess.Popen([PLIMSOLL, "run", plan, "--no-report"], cwd=folder, stdout=out,
                                stderr=err, env={"PATH": os.environ["PATH"], "HOME": str(folder)})


def peak_memory(process):
    """In bytes; None when it has just ended."""
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * KIB
    return None


def finish_measured(process, folder, limit_s):
    """Waits for a run to end; returns it with its peak memory as last seen."""
    end = time.monotonic() + limit_s
    peak = 0
    while process.poll() is None:
        peak = peak_memory(process) or peak
        if time.monotonic() > end:
            process.kill()
            process.wait()
            raise AssertionError(f"not over after {limit_s} s")
        time.sleep(0.05)
    ran = Ran(process.returncode, (folder / "out.txt").read_text(),
              (folder / "err.txt").read_text(), folder)
    assert ran.code in (PASSED, SATURATED), (ran.code, ran.err)
    return ran, peak


def open_connections(server):
    """As the target counts them, without the one that asks."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as reply:
        for line in reply.read().decode().splitlines():
            if line.startswith("testbed_connections "):
                return int(line.split()[1]) - 1
    raise AssertionError("the testbed does not say how many connections it has")


@pytest.mark.parametrize("connections, rate, think", [
    pytest.param(1500, 500, 0.5, id="short"),
    pytest.param(15000, 2000, 4, id="full", marks=thorough),
])
def test_connections_open_at_the_rate_asked_for(testbed, tmp_path, connections, rate, think):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < connections + 200:
        pytest.skip(f"SKIPPED LOUDLY: {hard} descriptors allowed, {connections} wanted")
    server = testbed()
    opening = connections / rate
    length = round(opening) + 5
    plan = write_plan(tmp_path, OPENED.format(url=server.url, rate=rate, connections=connections,
                                              length=length, think=think))
    process = start(tmp_path, plan)
    seen = []
    while process.poll() is None and (not seen or seen[-1][0] < seen[0][0] + opening + 3):
        seen.append((time.monotonic(), open_connections(server)))
        time.sleep(0.1)
    ran, _ = finish_measured(process, tmp_path, 60)
    figures = ran.summary["summary"]
    most = max(count for _, count in seen)
    growing = [(at, count) for at, count in seen if 0.1 * connections < count < 0.9 * connections]
    (begin, first), (end, last) = growing[0], growing[-1]
    print(f"{most:,} open at once, opened at {(last - first) / (end - begin):,.0f}/s where "
          f"{rate:,}/s were asked for")
    assert most == connections == figures["connections"]
    assert (last - first) / (end - begin) == pytest.approx(rate, rel=0.1)
    assert figures["failed"] == 0 and ran.summary["accounts"]["close"]
    # A user waits for its turn to open, and that is in its response time; who has a connection
    # asks again after its think time, whether others still wait for theirs or not.
    waits = [number / rate for number in range(connections)]
    expected = sum(1 + int((length - wait) / think) for wait in waits)
    assert figures["requests"] == pytest.approx(expected, rel=0.03)
    assert figures["parts"]["connection_wait"]["max_ms"] == pytest.approx(1e3 * opening, rel=0.15)
