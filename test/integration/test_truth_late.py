"""A generator that was itself held up owes its arrivals: none may be lost without being counted.

The program is stopped with SIGSTOP over the end of its own load. What was due before that end is
then begun late, and said to be late; the sum is the rate times the length, whatever happened."""

import re
import signal
import time
import urllib.request

import pytest

from conftest import finish, start_program

pytestmark = pytest.mark.alone

RATE, LENGTH = 1000, 2


def served(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as reply:
        return int(re.search(rb"^testbed_arrivals_total (\d+)", reply.read(), re.M)[1])


def test_arrivals_due_before_the_end_are_offered(testbed, tmp_path):
    server = testbed("--law", "fixed", "--service-ms", 1)
    process = start_program(tmp_path, "run", server.url + "/work", "--rate", RATE, "-t",
                            f"{LENGTH}s", "--threads", 1)
    while served(server) == 0:
        time.sleep(0.01)
    time.sleep(LENGTH - 0.5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    process.send_signal(signal.SIGCONT)
    summary = finish(process, tmp_path).check_passed().summary
    accounts, figures = summary["accounts"], summary["summary"]
    assert accounts["close"]
    assert accounts["offered"] == accounts["started"] == RATE * LENGTH
    assert figures["dropped"] == figures["failed"] == 0
    # Held up for 1 s, of which about half a second of arrivals were due: those at least count as
    # late, and their lateness is in their response times.
    assert figures["late"] > 0.3 * RATE
    assert figures["response"]["max_ms"] > 500
    assert figures["response"]["p99_ms"] > 300
