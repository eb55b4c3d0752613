"""The emergency stop: triggers on errors, response times, processors and memory each end the load
within a second of what they are about; reducing lowers it; stop works from another terminal."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from answering import Handler, serve
from conftest import PLIMSOLL, THRESHOLDS, INTERRUPTED, run_program, start_program, finish, tried

WITHIN = 1.0   # what is promised, from the moment at which the figure is beyond its limit
SEEN = 0.35    # a second's window and looks five times a second: when it can be seen at all


class Target:
    """A server that notes when requests come, and changes its manners when told to."""

    def __init__(self):
        self.reset()
        target = self

        class Own(Handler):
            def do_GET(self):
                target.times.append(time.monotonic())
                if target.delay:
                    time.sleep(target.delay)
                status = target.status
                self.reply(status, b"ok")

        self.server = serve(Own)
        self.url = self.server.url

    def reset(self):
        self.times, self.status, self.delay = [], 200, 0.0


@pytest.fixture
def target():
    one = Target()
    yield one
    one.server.shutdown()


def write(tmp_path, target, safety, watch="", more=""):
    target.reset()
    (tmp_path / "plan.yaml").write_text(f"""
target: {target.url}
scenarios:
  s:
    executor: constant-vus
    vus: 4
    duration: 20s
    graceful_stop: 10s
    think: 40ms
    tasks: [{{ name: t, get: / }}]
safety: [ {safety} ]
{watch}
{more}
""")


def last_request_after(target, began):
    return max(t for t in target.times) - began


@pytest.mark.parametrize("safety,harm", [
    ("{ metric: error_rate, above: 20% }", "errors"),
    ("{ metric: response_time, stat: p95, above: 300ms }", "slow"),
    ("{ metric: response_time, stat: mean, above: 300ms }", "silent"),
    ("{ metric: unhealthy }", "errors"),
])
@tried
def test_requests_gone_wrong_stop_the_load_within_a_second(tmp_path, target, safety, harm):
    write(tmp_path, target, safety, more="services: { web: /health }")
    process = start_program(tmp_path, "run", "plan.yaml", "--no-report")
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    assert len(target.times) > 30
    began = time.monotonic()
    if harm == "errors":
        target.status = 500
    else:
        target.delay = 0.35 if harm == "slow" else 30
    ran = finish(process, tmp_path, timeout=30)
    # The figure itself is beyond its limit once the first slow answers came, or failed to.
    allowed = WITHIN + {"errors": 0, "slow": 0.35, "silent": 0.3}[harm]
    assert ran.code == THRESHOLDS, (ran.out, ran.err)
    assert "emergency stop" in ran.err or "emergency stop" in ran.out, (ran.out, ran.err)
    assert last_request_after(target, began) < allowed + 0.25  # and what a busy machine may add


HELPER = """
import sys, time
kind = sys.argv[1]
sys.stdin.readline()
if kind == "cpu":
    end = time.time() + 15
    while time.time() < end:
        pass
else:
    held = b"x" * (400 << 20)
    time.sleep(15)
"""


@pytest.mark.parametrize("kind,safety", [
    ("cpu", "{ metric: process.cpu, of: helper, above: 0.2 }"),
    ("memory", "{ metric: process.rss, of: helper, above: 200000000 }"),
])
@tried
def test_resources_gone_wrong_stop_the_load_within_a_second(tmp_path, target, processes, kind,
                                                            safety):
    helper = subprocess.Popen([sys.executable, "-c", HELPER, kind], stdin=subprocess.PIPE, text=True)
    processes.append(helper)
    write(tmp_path, target, safety, watch=f"""
watch:
  local: false
  probes: [ {{ process: {{ pid: {helper.pid} }}, name: helper }} ]
""")
    process = start_program(tmp_path, "run", "plan.yaml", "--no-report")
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    began = time.monotonic()
    helper.stdin.write("now\n")
    helper.stdin.flush()
    ran = finish(process, tmp_path, timeout=30)
    assert ran.code == THRESHOLDS, (ran.out, ran.err)
    assert "helper: process" in ran.err, ran.err
    assert last_request_after(target, began) < WITHIN + 0.35  # to 400 MB or 20 % takes some itself


@tried
def test_the_load_is_reduced_to_what_was_asked(tmp_path, target):
    write(tmp_path, target, "{ metric: error_rate, above: 20%, action: reduce, to: 1 }")
    process = start_program(tmp_path, "run", "plan.yaml", "--no-report", "--set",
                            "scenarios.s.duration=8s")
    time.sleep(2.5)
    target.status = 500
    time.sleep(1)
    target.status = 200
    ran = finish(process, tmp_path, timeout=30)
    assert "reducing the load to 1 of 4" in ran.err, ran.err
    rate = lambda a, b: sum(a <= t - target.times[0] < b for t in target.times) / (b - a)
    assert 0.15 < rate(5, 7) / rate(0.5, 2) < 0.4  # a quarter


@pytest.mark.thorough
def test_an_open_load_is_reduced_too(tmp_path, target):
    (tmp_path / "plan.yaml").write_text(f"""
target: {target.url}
scenarios:
  s: {{ executor: constant-arrival-rate, rate: 60, duration: 7s, tasks: [{{ name: t, get: / }}] }}
safety: [ {{ metric: error_rate, above: 20%, action: reduce, to: 15 }} ]
""")
    process = start_program(tmp_path, "run", "plan.yaml", "--no-report")
    time.sleep(2.5)
    target.status = 500
    time.sleep(1)
    target.status = 200
    ran = finish(process, tmp_path, timeout=30)
    assert "reducing the load to 15 of 60" in ran.err, ran.err
    rate = lambda a, b: sum(a <= t - target.times[0] < b for t in target.times) / (b - a)
    assert 0.18 < rate(4.5, 6.5) / rate(0.3, 2) < 0.32


@pytest.mark.thorough
def test_a_good_run_is_left_alone(tmp_path, target):
    write(tmp_path, target, "{ metric: error_rate, above: 20% }, { metric: response_time, above: 5s }")
    ran = run_program(tmp_path, "run", "plan.yaml", "--no-report", "--set",
                      "scenarios.s.duration=2s")
    ran.check_passed()


def test_stop_from_another_terminal(tmp_path, target):
    write(tmp_path, target, "{ metric: error_rate, above: 90% }")
    process = start_program(tmp_path, "run", "plan.yaml", "--no-report")
    end = time.time() + 20
    while not list((tmp_path / "runs").glob("*.running")) and time.time() < end:
        time.sleep(0.05)
    [file] = (tmp_path / "runs").glob("*.running")
    assert file.stat().st_mode & 0o777 == 0o600
    time.sleep(0.5)
    stop = run_program(tmp_path, "stop")
    assert stop.code == 0, stop.err
    assert process.poll() is not None or process.wait(5) is not None
    ran = finish(process, tmp_path)
    assert ran.code == INTERRUPTED
    assert not list((tmp_path / "runs").glob("*.running"))
    again = run_program(tmp_path, "stop")
    assert again.code == 1 and "nothing runs " in again.err


def test_mistakes_are_said(tmp_path, target):
    write(tmp_path, target, "{ metric: error_rate }, { metric: response_time, above: much }")
    ran = run_program(tmp_path, "validate", "plan.yaml")
    assert "needs either above or below" in ran.err + ran.out
    assert '"much" is no limit' in ran.err + ran.out
