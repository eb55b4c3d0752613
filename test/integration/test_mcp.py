"""The MCP driver against a server that others wrote, server-everything of npm (skipped, loudly, where
npm or its registry cannot be reached), and against the testbed."""

import os
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import MCP_INITIALIZE, free_port, wait_port, write_plan


def skip_unless_it_answers(port):
    """The server wants a newer Node than Debian 12 has; on an older one it answers nothing but errors,
    whoever asks."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", MCP_INITIALIZE.encode(),
                                     {"Content-Type": "application/json",
                                      "Accept": "application/json, text/event-stream"})
    try:
        reply = urllib.request.urlopen(request, timeout=10).read().decode()
    except urllib.error.HTTPError as error:
        reply = error.read().decode()
    if '"result"' not in reply:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
        pytest.skip(f"NOT TESTED against a real MCP server: under Node {node} it says {reply[:200]}")


def start_server(servers, port, log):
    script = servers / "server-everything/dist/index.js"
    with open(log, "w") as out:
        return subprocess.Popen(["node", script, "streamableHttp"], cwd=servers, stdout=out,
                                stderr=out, env={**os.environ, "PORT": str(port)})


@pytest.fixture(scope="module")
def server_folder(npm_servers, tmp_path_factory):
    port = free_port()
    log = tmp_path_factory.mktemp("probe") / "log"
    process = start_server(npm_servers, port, log)  # one that is asked once, and ended
    try:
        wait_port(port, process=process)
        skip_unless_it_answers(port)
    finally:
        process.terminate()
        process.wait(10)
    return npm_servers


@pytest.fixture
def everything(server_folder, tmp_path):
    """The server; its log tells which sessions it opened and ended."""
    port = free_port()
    log = tmp_path / "server.log"
    process = start_server(server_folder, port, log)
    try:
        wait_port(port, process=process)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        process.wait(10)


def counters(ran):
    return ran.summary["summary"]["driver_counters"]


def of_task(ran, name):
    found = [r for r in ran.summary["requests"] if r["name"] == name]
    assert len(found) == 1, [r["name"] for r in ran.summary["requests"]]
    return found[0]["summary"]


FINE = """
schema: 1
target: {url}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 3
    iterations: 4
    tasks:
      - name: echo
        mcp.call: {{tool: echo, args: {{message: "number {{{{ iteration }}}}"}}}}
        checks: ["body contains Echo: number"]
      - name: tools
        mcp.tools_list: /mcp
      - name: long
        weight: 2
        mcp.call:
          tool: trigger-long-running-operation
          args: {{duration: 1, steps: 3}}
          progress: true
"""


def test_initialize_to_delete(everything, plimsoll, tmp_path):
    url, log = everything
    ran = plimsoll("run", write_plan(tmp_path, FINE.format(url=url)))
    ran.check_passed()
    told, summary = counters(ran), ran.summary
    assert summary["accounts"]["close"] is True
    assert summary["summary"]["failed"] == 0 and summary["summary"]["requests"] == 12
    assert told["mcp_calls"] == 12
    assert told["mcp_sessions"] == told["mcp_sessions_ended"] == 3
    of = {name: of_task(ran, name)["requests"] for name in ("long", "tools")}  # a deck may be one off
    assert of["long"] >= 4 and told["mcp_progress"] == 3 * of["long"], "three before each long answer"
    assert told["mcp_tools_listed"] >= of["tools"] * 10 > 0
    for kind in ("http_errors", "rpc_errors", "tool_errors", "broken_replies", "setup_failures",
                 "sandbox_violations", "sessions_lost", "server_requests"):
        assert told[f"mcp_{kind}"] == 0, kind
    # What the server saw: as many sessions ended as opened, by DELETE.
    lines = log.read_text()
    assert lines.count("Session initialized with ID") == 3, lines
    assert lines.count("Received session termination request") == 3, lines
    # Set-up is apart from the calls, which take the second that the tool works.
    setup = summary["summary"]["parts"]["mcp_session_setup"]
    assert setup["count"] == 3 and setup["min_ms"] > 0
    times = of_task(ran, "long")["parts"]["mcp_reply"]
    assert times["count"] == of["long"] and times["min_ms"] >= 1000


SESSIONS = """
schema: 1
target: {url}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 2
    iterations: 6
    tasks:
      - mcp.call: {{tool: echo, args: {{message: x}}, calls_per_session: 2}}
"""


def test_sessions_of_two_calls(everything, plimsoll, tmp_path):
    url, log = everything
    ran = plimsoll("run", write_plan(tmp_path, SESSIONS.format(url=url)))
    ran.check_passed()
    told = counters(ran)
    assert told["mcp_calls"] == 12 and told["mcp_sessions"] == told["mcp_sessions_ended"] == 6
    assert log.read_text().count("Received session termination request") == 6


FAILURES = """
schema: 1
target: {url}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 1
    iterations: 5
    tasks:
      - name: rpc
        mcp.call: {{tool: echo, args: [1]}}
      - name: http
        mcp.call: {{tool: echo, args: {{message: x}}, headers: {{Accept: application/json}}}}
      - name: tool
        mcp.call: {{tool: get-sum, args: {{a: x}}}}
      - name: refused
        mcp.call: {{tool: get-sum, args: {{a: x}}, outside: true}}
      - name: violation
        mcp.call: {{tool: echo, args: {{message: x}}, outside: true}}
thresholds:
  mcp_sandbox_violations: ["count==0"]
"""


def test_each_kind_of_failure_is_counted_once(everything, plimsoll, tmp_path):
    url, _ = everything
    ran = plimsoll("run", write_plan(tmp_path, FAILURES.format(url=url)))
    assert ran.code != 0
    told = counters(ran)
    assert of_task(ran, "rpc")["driver_counters"]["mcp_rpc_errors"] == told["mcp_rpc_errors"] == 1
    assert of_task(ran, "http")["driver_counters"]["mcp_http_errors"] == told["mcp_http_errors"] == 1
    assert of_task(ran, "tool")["driver_counters"]["mcp_tool_errors"] == told["mcp_tool_errors"] == 1
    assert of_task(ran, "refused")["failed"] == 0
    assert of_task(ran, "refused")["driver_counters"]["mcp_refused"] == told["mcp_refused"] == 1
    assert of_task(ran, "violation")["failed"] == 1
    assert told["mcp_sandbox_violations"] == 1
    assert told["mcp_calls"] == 0 and told["mcp_broken_replies"] == 0
    assert ran.summary["summary"]["failed"] == 4


# ---- against the testbed, whose faults can be asked for ----------------------------------------

TOOLS = """
schema: 1
target: {url}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 4
    iterations: 10
    tasks:
      - name: wait
        weight: 4
        mcp.call: {{tool: wait, args: {{steps: 2, step_ms: 20}}, progress: true}}
      - name: outside
        mcp.call: {{tool: read_file, args: {{path: /etc/passwd}}, outside: true}}
thresholds:
  mcp_sandbox_violations: ["count==0"]
"""


def test_streams_that_are_cut_are_resumed(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast", "--mcp-cut-every", 2)
    ran = plimsoll("run", write_plan(tmp_path, TOOLS.format(url=server.url)))
    ran.check_passed()
    told = counters(ran)
    assert ran.summary["summary"]["failed"] == 0 and ran.summary["accounts"]["close"] is True
    waits = of_task(ran, "wait")["requests"]
    assert told["mcp_calls"] == waits and told["mcp_refused"] == 40 - waits > 0
    assert told["mcp_resumed"] >= waits // 2, "every second stream of a call was cut"
    assert told["mcp_sandbox_violations"] == told["mcp_broken_replies"] == 0
    # A resumed call is one call, timed from its start: the tool alone takes 40 ms.
    assert of_task(ran, "wait")["parts"]["mcp_reply"]["min_ms"] >= 40
    assert told["mcp_sessions"] == told["mcp_sessions_ended"] == 4


@pytest.mark.parametrize("options", [(), ("--mcp-json",)])
def test_streams_and_plain_json(testbed, plimsoll, tmp_path, options):
    server = testbed("--preset", "fast", *options)
    ran = plimsoll("run", write_plan(tmp_path, TOOLS.format(url=server.url)))
    ran.check_passed()
    told = counters(ran)
    waits = of_task(ran, "wait")["requests"]
    assert told["mcp_calls"] == waits and told["mcp_refused"] == 40 - waits > 0
    assert told["mcp_progress"] >= 2 * waits and told["mcp_resumed"] == 0


STOPPED = """
schema: 1
target: {url}
scenarios:
  main:
    {model}
    duration: 2s
    graceful_stop: 0s
    tasks:
      - mcp.call: {{tool: wait, args: {{steps: 1, step_ms: 400}}}}
"""


@pytest.mark.parametrize("model", ["vus: 3", "executor: constant-arrival-rate\n    rate: 5/s"])
def test_calls_cut_off_at_the_end_leave_no_session(testbed, plimsoll, tmp_path, model):
    server = testbed("--preset", "fast")
    ran = plimsoll("run", write_plan(tmp_path, STOPPED.format(url=server.url, model=model)))
    told = counters(ran)
    assert ran.summary["accounts"]["close"] is True
    assert told["mcp_sessions"] == told["mcp_sessions_ended"] >= 2


REST = """
schema: 1
target: {url}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 2
    iterations: 10
    tasks:
      - name: echo
        weight: 2
        mcp.call: {{dialect: rest, url: /tools/execute, tool: echo, args: {{message: hi}},
                   rest: {{success: success}}}}
      - name: fails
        mcp.call: {{dialect: rest, url: /tools/execute, tool: read_file, args: {{path: none}}}}
      - name: unknown
        mcp.call: {{dialect: rest, url: /tools/execute, tool: none}}
      - name: outside
        mcp.call: {{dialect: rest, url: /tools/execute, tool: read_file, outside: true,
                   args: {{path: /etc/passwd}}}}
"""


def test_the_rest_dialect(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast")
    ran = plimsoll("run", write_plan(tmp_path, REST.format(url=server.url)))
    told = counters(ran)
    of = {name: of_task(ran, name)["requests"] for name in ("echo", "fails", "unknown", "outside")}
    assert min(of.values()) > 0 and sum(of.values()) == 20
    assert told["mcp_calls"] == of["echo"] and told["mcp_refused"] == of["outside"]
    assert told["mcp_tool_errors"] == of["fails"] and told["mcp_http_errors"] == of["unknown"]
    assert told["mcp_sandbox_violations"] == told["mcp_sessions"] == 0
