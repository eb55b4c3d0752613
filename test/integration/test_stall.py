"""The target stands still for a while, and the report must say what its users went through.

A tool that counts a response from when it got round to sending ("coordinated omission") reports the
median of such a test as if nothing had happened. Here arrivals come at a constant rate, the target
is stopped with SIGSTOP and continued, and the medians are held against closed forms.

    lambda  arrivals a second          T  length of the run          D  length of the stall
    mu      replies a second that the target gives on its 4 connections, when all are busy,
            counted by the target itself
    rho     lambda / mu

No limit on what may wait. The arrival x seconds into the stall is number lambda x in the line. The
line begins to move D - x later, and moves at mu:

    R(x) = (D - x) + lambda x / mu = D - x (1 - rho)

An arrival after the stall's end (x > D) finds lambda x - mu (x - D) before it, which divided by mu is
the same line, down to R = 0 at x = D / (1 - rho). So the number of responses above r is
lambda (D - r) / (1 - rho), and half of all lambda T are above

    p50 = D - (T / 2) (1 - rho)        while it is above 0, and the run lasts until the line is gone

It does not depend on when the stall begins.

At most B may wait. B / lambda seconds into the stall the line is full, and all further arrivals of
the stall are dropped: lambda D - B, less the up to 4 that are on the connections. Those that wait
have R(x) as above, x = 0 .. B / lambda. After the stall the line drains in B / (mu - lambda), and the
lambda B / (mu - lambda) that arrive meanwhile wait less than B / mu. A dropped arrival has no answer
at all, so it stands above all others. With U = lambda T - dropped - B - lambda B / (mu - lambda) that
are not touched by the stall, the median is the j-th of those that waited, from below:

    j = lambda T / 2 - U - lambda B / (mu - lambda)
    p50 >= D - (1 - rho) (B - j) / lambda

The short form runs in each check; the one of 500/s and 15 s with PLIMSOLL_THOROUGH=1."""

import dataclasses
import os
import signal
import subprocess
import time

import pytest

from conftest import TESTBED, Server, finish, start_program, tried, write_plan

pytestmark = pytest.mark.alone

CONNECTIONS = 4
THOROUGH = bool(os.environ.get("PLIMSOLL_THOROUGH"))

PLAN = """
schema: 1
name: stall
target: {url}
threads: 1
connections: {{ mode: shared, most: {connections} }}
http: {{ timeout: 60s }}
scenarios:
  main:
    executor: constant-arrival-rate
    rate: {rate}
    duration: {length}s
    max_backlog: {backlog}
    graceful_stop: 60s
    tasks: [{{ name: work, get: /work }}]
"""


@dataclasses.dataclass(frozen=True)
class Stall:
    rate: int
    service_ms: float  # the capacity of 4 connections is twice the rate
    begin: float
    end: float
    length: int  # of the run without a limit
    backlog: int
    length_backlog: int  # of the run with one


SHORT = Stall(rate=100, service_ms=20, begin=1, end=4, length=8, backlog=100, length_backlog=5)
FULL = Stall(rate=500, service_ms=4, begin=5, end=20, length=40, backlog=2000, length_backlog=25)

cases = pytest.mark.parametrize("stall", [
    pytest.param(SHORT, id="short"),
    pytest.param(FULL, id="full", marks=[
        pytest.mark.thorough,
        pytest.mark.skipif(not THOROUGH, reason="a minute each; with PLIMSOLL_THOROUGH=1")]),
])


class Target:
    """A testbed whose replies take a fixed time each, however many are under way, and its log."""

    def __init__(self, processes, folder, service_ms):
        self.log = folder / "served.csv"
        self.process = subprocess.Popen(
            [TESTBED, "--port", "0", "--law", "fixed", "--service-ms", str(service_ms),
             "--log", self.log], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        processes.append(self.process)
        line = self.process.stdout.readline()
        self.server = Server(self.process, int(line.strip().rpartition(":")[2]))

    def stand_still(self, begin, end):
        """From begin to end seconds from now; returns the two instants."""
        time.sleep(begin)
        self.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            time.sleep(end - begin)
        finally:
            self.process.send_signal(signal.SIGCONT)
        return stopped, time.monotonic()

    def capacity(self, begin, end):
        """Replies a second between two instants, by the target's own log."""
        self.process.terminate()
        self.process.wait(timeout=10)
        lines = self.log.read_text().splitlines()
        written = lines[0].split(",").index("written_ns")
        times = [int(line.split(",")[written]) / 1e9 for line in lines[1:]]
        return sum(begin <= at < end for at in times) / (end - begin)


def run_plan(folder, target, stall, length, backlog=0, still=True):
    folder.mkdir()
    plan = write_plan(folder, PLAN.format(url=target.server.url, connections=CONNECTIONS,
                                          rate=stall.rate, length=length, backlog=backlog))
    process = start_program(folder, "run", plan)
    when = target.stand_still(stall.begin, stall.end) if still else None
    return finish(process, folder, timeout=length + 70).check_passed(), when


def check_accounts(summary):
    accounts = summary["accounts"]
    assert accounts["close"] and accounts["in_flight_end"] == accounts["waiting_end"] == 0
    assert accounts["offered"] == accounts["started"] + accounts["dropped"]


@cases
@tried
def test_waiting_is_in_the_response_time(processes, tmp_path, stall):
    target = Target(processes, tmp_path, stall.service_ms)
    calm, _ = run_plan(tmp_path / "calm", target, stall, 2, still=False)
    calm_service = calm.summary["summary"]["service"]["p50_ms"]
    assert calm_service >= stall.service_ms, "no reply can be faster than its law"

    ran, (stopped, continued) = run_plan(tmp_path / "stalled", target, stall, stall.length)
    summary = ran.summary
    check_accounts(summary)
    figures = summary["summary"]
    assert figures["requests"] == figures["succeeded"] == stall.rate * stall.length
    assert figures["dropped"] == 0
    assert figures["service"]["p50_ms"] <= 4 * calm_service

    still = continued - stopped
    capacity = target.capacity(continued + 0.1 * still, continued + 0.6 * still)
    expected = still - stall.length / 2 * (1 - stall.rate / capacity)
    print(f"response p50 {figures['response']['p50_ms']:.0f} ms, closed form "
          f"{1e3 * expected:.0f} ms at {capacity:.0f} replies/s; service p50 "
          f"{figures['service']['p50_ms']:.2f} ms, unstalled {calm_service:.2f} ms")
    assert 1.5 * stall.rate < capacity < 2.05 * stall.rate, "the machine is too busy for this test"
    assert figures["response"]["p50_ms"] == pytest.approx(1e3 * expected, rel=0.05)
    assert figures["response"]["max_ms"] == pytest.approx(1e3 * still, rel=0.05)
    assert figures["response"]["at_least"] == [] and "≥" not in ran.out


@cases
@tried
def test_dropped_arrivals_make_the_median_a_lower_bound(processes, tmp_path, stall):
    target = Target(processes, tmp_path, stall.service_ms)
    ran, (stopped, continued) = run_plan(tmp_path / "stalled", target, stall,
                                         stall.length_backlog, stall.backlog)
    summary = ran.summary
    check_accounts(summary)
    figures = summary["summary"]
    still = continued - stopped
    offered = stall.rate * stall.length_backlog
    dropped = stall.rate * still - stall.backlog - CONNECTIONS
    assert figures["dropped"] == pytest.approx(dropped, abs=0.03 * offered)
    assert summary["accounts"]["offered"] == offered
    assert figures["response"]["count"] == offered
    assert figures["response"]["censored"] == figures["dropped"]

    drained = stall.backlog / stall.rate  # as the capacity is twice the rate
    capacity = target.capacity(continued + 0.1 * drained, continued + 0.8 * drained)
    meanwhile = stall.rate * stall.backlog / (capacity - stall.rate)
    untouched = offered - dropped - stall.backlog - meanwhile
    place = offered / 2 - untouched - meanwhile
    expected = still - (1 - stall.rate / capacity) * (stall.backlog - place) / stall.rate
    print(f"response p50 at least {figures['response']['p50_ms']:.0f} ms, closed form "
          f"{1e3 * expected:.0f} ms; {figures['dropped']} dropped, closed form {dropped:.0f}")
    assert 0 < place < stall.backlog, "the machine is too busy for this test"
    assert figures["response"]["p50_ms"] == pytest.approx(1e3 * expected, rel=0.05)
    assert "p50" in figures["response"]["at_least"]
    assert figures["service"]["at_least"] == [], "what was never sent has no service time"
    check_printed(ran.out)


def check_printed(out):
    """The summary's row of the request has the sign at its p50."""
    lines = out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("request"))
    p50 = lines[head].split().index("p50")
    assert lines[head + 1].split()[p50].startswith("≥"), "\n".join(lines[head:head + 3])
