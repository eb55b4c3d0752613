"""Little's law for a closed system: N = X (R + Z).

N users are as configured, and so is the mean Z of their think time; X is counted by the target
alone, between two instants well inside the run; only R is Plimsoll's word. A response time counted
from the wrong instant, a think time drawn wrongly or a request sent twice each break it. The window
is at least 120 (R + Z) long. Think times are uniform, so that the count of the window is within
0.2 % of its mean."""

import csv
import re
import time
import urllib.request

import pytest

from conftest import finish, start_program, tried, write_plan

pytestmark = pytest.mark.alone

USERS, BEGIN = 100, 2  # all have come BEGIN seconds into the run

PLAN = """
schema: 1
name: little
target: {url}
threads: {threads}
scenarios:
  main:
    vus: {users}
    spawn_rate: {spawn_rate}/s
    duration: {length}s
    think: {least}ms..{most}ms
    tasks: [{{ name: work, get: /work }}]
"""


def served(server):
    """Requests that the target's law has taken in, and when that was read."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as reply:
        text = reply.read().decode()
    return int(re.search(r"^testbed_arrivals_total (\d+)", text, re.M)[1]), time.monotonic()


def mean_response(ran, begin_s, end_s):
    """Of the replies of these seconds of the run, in ms: a busy machine answers now so, now so."""
    with open(ran.file.with_suffix("") / "intervals.csv") as lines:
        rows = [row for row in csv.DictReader(lines) if begin_s <= float(row["begin_s"]) < end_s]
    count = sum(int(row["requests"]) for row in rows)
    return sum(int(row["requests"]) * float(row["avg_ms"]) for row in rows) / count


@pytest.mark.parametrize("service_ms, think_ms, threads", [
    pytest.param(10, 20, 1, id="thinking-longer-than-waiting"),
    pytest.param(40, 10, 2, id="waiting-longer-than-thinking"),
])
@tried
def test_users_are_throughput_times_cycle(testbed, tmp_path, service_ms, think_ms, threads):
    server = testbed("--law", "fixed", "--service-ms", service_ms)
    window = round(120 * (service_ms + think_ms) / 1e3 + 0.5)
    plan = write_plan(tmp_path, PLAN.format(url=server.url, users=USERS, spawn_rate=2 * USERS,
                                            length=window + 3, least=think_ms // 2,
                                            most=think_ms + think_ms // 2, threads=threads))
    process = start_program(tmp_path, "run", plan)
    time.sleep(BEGIN + 0.05)
    first, begin = served(server)
    time.sleep(window)
    last, end = served(server)
    ran = finish(process, tmp_path).check_passed()
    summary = ran.summary
    figures = summary["summary"]
    assert summary["accounts"]["close"] and figures["failed"] == 0
    throughput = (last - first) / (end - begin)
    response_ms = mean_response(ran, BEGIN, BEGIN + window)
    cycle = (response_ms + think_ms) / 1e3
    print(f"N = {USERS}, X (R + Z) = {throughput:.1f}/s * {1e3 * cycle:.3f} ms = "
          f"{throughput * cycle:.2f}")
    assert throughput * cycle == pytest.approx(USERS, rel=0.01)
    assert figures["response"]["min_ms"] >= service_ms, "no reply can be faster than its law"
    # in all, the target saw what was sent
    assert served(server)[0] == summary["accounts"]["started"]
