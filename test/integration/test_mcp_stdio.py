"""MCP servers as child processes: the real ones of npm (skipped, loudly, where npm or a Node that runs
them is missing) and stdio_server.py, whose failings can be asked for."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from conftest import MCP_INITIALIZE, PLIMSOLL, ROOT, THRESHOLDS, write_plan

SERVER = pathlib.Path(__file__).with_name("stdio_server.py")


def counters(ran):
    return ran.summary["summary"]["driver_counters"]


def of_task(ran, name):
    found = [r for r in ran.summary["requests"] if r["name"] == name]
    assert len(found) == 1, [r["name"] for r in ran.summary["requests"]]
    return found[0]["summary"]


def child(*words):
    return json.dumps({"command": sys.executable, "args": [str(SERVER), *map(str, words)]})


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def plan(tasks, users=3, iterations=4, more=""):
    return f"""
schema: 1
threads: 1
{more}
scenarios:
  main:
    executor: per-vu-iterations
    vus: {users}
    iterations: {iterations}
    graceful_stop: 1s
    tasks:
{tasks}"""


def call(stdio, tool="echo", args='{message: hi}', name="call", more=""):
    return f"      - name: {name}\n        mcp.call: {{stdio: {stdio}, tool: {tool}, args: {args}{more}}}\n"


# ---- the servers of npm ------------------------------------------------------------------------

@pytest.fixture(scope="module")
def npm(npm_servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("allowed")
    said = subprocess.run(["node", npm_servers / "server-filesystem/dist/index.js", str(folder)],
                          input=MCP_INITIALIZE + "\n", capture_output=True, text=True, timeout=30)
    if '"result"' not in said.stdout:
        pytest.skip(f"NOT TESTED against real MCP servers: they do not run here: {said.stderr[:200]}")
    return npm_servers


def test_server_filesystem(npm, plimsoll, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "a.txt").write_text("the first file")
    stdio = json.dumps({"command": "node",
                        "args": [str(npm / "server-filesystem/dist/index.js"), str(allowed)]})
    tasks = (call(stdio, "read_text_file", f"{{path: {allowed}/a.txt}}", "read")
             + '        checks: ["body contains the first file"]\n'
             + call(stdio, "read_text_file", f"{{path: {allowed}/none.txt}}", "missing")
             + call(stdio, "no_such_tool", "{}", "unknown")
             + call(stdio, "read_text_file", "{path: /etc/passwd}", "outside", ", outside: true")
             + call(stdio, "read_text_file", "{path: /etc/passwd}", "unmarked")
             + f"      - name: tools\n        mcp.tools_list: {{stdio: {stdio}}}\n")
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=2, iterations=6)))
    told = counters(ran)
    of = {r["name"]: r["summary"]["requests"] for r in ran.summary["requests"]}
    assert ran.summary["accounts"]["close"] is True and sum(of.values()) == 12
    assert min(of.values()) >= 1, of
    assert told["mcp_calls"] == of["read"] + of["tools"]
    # Its SDK answers a tool that is unknown with a failed tool, or, in other versions, by JSON-RPC.
    assert told["mcp_tool_errors"] + told["mcp_rpc_errors"] == of["missing"] + of["unknown"] + of["unmarked"]
    assert told["mcp_refused"] == of["outside"] and told["mcp_sandbox_violations"] == 0
    assert told["mcp_sessions"] == told["mcp_sessions_ended"] == 2
    assert told["mcp_noise"] == told["mcp_http_errors"] == told["mcp_broken_replies"] == 0
    assert told["mcp_tools_listed"] >= 10 * of["tools"]
    assert of_task(ran, "read")["failed"] == 0


@pytest.mark.parametrize("mode", ["per-user", "shared"])
def test_server_everything(npm, plimsoll, tmp_path, mode):
    stdio = json.dumps({"command": "node",
                        "args": [str(npm / "server-everything/dist/index.js"), "stdio"]})
    tasks = (call(stdio, "echo", '{message: "number {{ iteration }}"}', "echo")
             + '        checks: ["body contains Echo: number"]\n'
             + call(stdio, "trigger-long-running-operation", "{duration: 1, steps: 3}", "long",
                    ", progress: true"))
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=4, iterations=2,
                                                    more=f"connections: {{mode: {mode}}}")))
    ran.check_passed()
    told = counters(ran)
    longs = of_task(ran, "long")["requests"]
    assert ran.summary["summary"]["failed"] == 0 and told["mcp_calls"] == 8 and longs > 0
    assert told["mcp_progress"] == 3 * longs, "three notifications before each long answer"
    assert told["mcp_sessions"] == told["mcp_sessions_ended"] == (4 if mode == "per-user" else 1)
    assert of_task(ran, "long")["parts"]["mcp_reply"]["min_ms"] >= 1000
    # Set-up, a second of Node, is in no call's time.
    assert of_task(ran, "echo")["parts"]["mcp_reply"]["max_ms"] < 900


# ---- one that can be asked to fail -------------------------------------------------------------

def test_sessions_begin_and_end(plimsoll, tmp_path):
    trail = tmp_path / "trail"
    ran = plimsoll("run", write_plan(tmp_path, plan(call(child("--trail", trail)))))
    ran.check_passed()
    told, lines = counters(ran), trail.read_text().split("\n")
    assert told["mcp_calls"] == 12 and told["mcp_sessions"] == told["mcp_sessions_ended"] == 3
    for word in ("initialize", "initialized", "end"):
        assert lines.count(word) == 3, "each child was told, and left when its input was closed"


def test_sessions_of_two_calls_have_a_child_each(plimsoll, tmp_path):
    trail = tmp_path / "trail"
    ran = plimsoll("run", write_plan(tmp_path, plan(
        call(child("--trail", trail), more=", calls_per_session: 2"), users=2)))
    ran.check_passed()
    told = counters(ran)
    assert told["mcp_calls"] == 8 and told["mcp_sessions"] == told["mcp_sessions_ended"] == 4
    assert trail.read_text().split("\n").count("end") == 4


def test_users_share_a_child_whose_replies_overtake(plimsoll, tmp_path):
    trail = tmp_path / "trail"
    stdio = child("--trail", trail, "--noise")
    tasks = (call(stdio, "wait", '{ms: 300, steps: 3}', "slow", ", progress: true")
             + call(stdio, "wait", "{ms: 10}", "quick"))
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=20, iterations=4,
                                                    more="connections: {mode: shared}")))
    ran.check_passed()
    told = counters(ran)
    slow, quick = of_task(ran, "slow"), of_task(ran, "quick")
    assert trail.read_text().split("\n").count("initialize") == 1
    assert told["mcp_calls"] == 80 and ran.summary["summary"]["failed"] == 0
    assert told["mcp_progress"] == 3 * slow["requests"] + 0
    assert slow["parts"]["mcp_reply"]["min_ms"] >= 300
    assert quick["parts"]["mcp_reply"]["min_ms"] < 290, "a quick call overtakes the slow ones"
    assert told["mcp_noise"] > 0 and told["mcp_broken_replies"] == 0


def test_a_child_that_dies_fails_its_call_and_is_started_again(plimsoll, tmp_path):
    trail = tmp_path / "trail"
    ran = plimsoll("run", write_plan(tmp_path, plan(call(child("--trail", trail, "--die-after", 2)),
                                                    users=2, iterations=6)))
    summary = ran.summary
    assert summary["accounts"]["close"] is True and summary["summary"]["failed"] == 4
    assert counters(ran)["mcp_calls"] == 8 and counters(ran)["mcp_sessions"] >= 4
    words = [e["words"] for e in summary["examples"]]
    assert any("exited with status 7, saying: line before … out of luck" in w
               for w in words), words
    assert not any(alive(line.split()[1]) for line in trail.read_text().split("\n")
                   if line.startswith("start"))


def test_a_program_that_is_not_there(plimsoll, tmp_path):
    stdio = json.dumps({"command": "/none/server"})
    ran = plimsoll("run", write_plan(tmp_path, plan(call(stdio), users=1, iterations=2)))
    assert ran.summary["summary"]["failed"] == 2
    words = [e["words"] for e in ran.summary["examples"]]
    assert any("cannot start the program /none/server: No such file" in w for w in words), words


def test_a_child_that_never_answers(plimsoll, tmp_path):
    trail = tmp_path / "trail"
    ran = plimsoll("run", write_plan(tmp_path, plan(call(child("--deaf", "--trail", trail)), users=2,
                                                    iterations=2, more="http: {timeout: 300ms}")))
    assert ran.summary["summary"]["timed_out"] == 4 and ran.summary["accounts"]["close"] is True
    cancelled = [line for line in trail.read_text().split("\n") if line.startswith("cancelled")]
    assert sorted(cancelled) == ["cancelled 2", "cancelled 2", "cancelled 3", "cancelled 3"], \
        "message 1 of each child opened its session"


@pytest.mark.parametrize("bytes_, failed", [(100_000, 0), (5_000_000, 2)])
def test_huge_lines(plimsoll, tmp_path, bytes_, failed):
    ran = plimsoll("run", write_plan(tmp_path, plan(
        call(child("--huge", bytes_), "wait", "{ms: 1}"), users=1, iterations=2)))
    assert ran.summary["summary"]["failed"] == failed
    if failed:
        assert any("longer than 4194304 bytes" in e["words"] for e in ran.summary["examples"])


def test_all_pages_are_one_request(plimsoll, tmp_path):
    stdio = child("--pages", 5)
    tasks = f"      - name: tools\n        mcp.tools_list: {{stdio: {stdio}}}\n"
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=1, iterations=3)))
    ran.check_passed()
    told = counters(ran)
    assert told["mcp_calls"] == 3 and told["mcp_pages"] == 12 and told["mcp_tools_listed"] == 30


def test_a_list_without_end_is_given_up(plimsoll, tmp_path):
    tasks = f"      - name: tools\n        mcp.tools_list: {{stdio: {child('--pages', 1000)}}}\n"
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=1, iterations=1)))
    assert counters(ran)["mcp_broken_replies"] == 1 and ran.summary["summary"]["failed"] == 1


@pytest.mark.parametrize("pages, unlisted", [(1, 1), (2, 0)])
def test_tools_that_the_server_does_not_list(plimsoll, tmp_path, pages, unlisted):
    """echo is on the first page and wait on the second: no page may be forgotten."""
    stdio = child("--pages", pages)
    tasks = (call(stdio) + call(stdio, "wait", "{ms: 1}", "wait")
             + call(stdio, "elsewhere", "{}", "out", ", outside: true")
             + f"      - name: tools\n        mcp.tools_list: {{stdio: {stdio}}}\n")
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=1, iterations=4)))
    ran.check_passed()
    assert counters(ran)["mcp_unlisted_tools"] == unlisted
    warned = [words for words in ran.summary["advice"] if "does not name" in words]
    assert len(warned) == unlisted, ran.summary["advice"]


@pytest.mark.parametrize("leaks", [False, True])
def test_a_sandbox_is_guarded_by_default(plimsoll, tmp_path, leaks):
    tasks = call(child(*(["--open"] if leaks else [])), "read", "{path: /etc/passwd}",
                 more=", outside: true")
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=1, iterations=1)))
    assert counters(ran)["mcp_sandbox_violations"] == (1 if leaks else 0)
    assert counters(ran)["mcp_refused"] == (0 if leaks else 1)
    verdicts = [v for v in ran.summary["verdicts"] if "mcp_sandbox_violations" in v["words"]]
    assert len(verdicts) == 1, "a threshold of the run, though the plan gives none"
    if leaks:
        assert ran.code == THRESHOLDS
    else:
        ran.check_passed()


def test_the_guard_can_be_overridden(plimsoll, tmp_path):
    tasks = (call(child("--open"), "read", "{path: /etc/passwd}", "out", ", outside: true")
             + call(child("--open")))
    ran = plimsoll("run", write_plan(tmp_path, plan(
        tasks, users=1, iterations=4, more='thresholds: {mcp_sandbox_violations: ["count<5"]}')))
    ran.check_passed()


@pytest.mark.parametrize("batch, users, declared, verdict", [
    (4, 12, 4, "respected"), (8, 12, 4, "exceeded"), (0, 3, 8, "not reached")])
def test_the_declared_limit_of_calls_at_once(plimsoll, tmp_path, batch, users, declared, verdict):
    tasks = call(child("--batch", batch), "wait", "{ms: 100}",
                 more=f", concurrency_limit: {declared}")
    ran = plimsoll("run", write_plan(tmp_path, plan(tasks, users=users, iterations=12,
                                                    more="connections: {mode: shared}")))
    ran.check_passed()
    seen = ran.summary["concurrency"]
    assert len(seen) == 1 and seen[0]["declared"] == declared
    assert seen[0]["verdict"] == verdict, seen
    assert seen[0]["executing_at_least"] <= (batch or users) * 1.05, "never more than there was"
    text = subprocess.run([PLIMSOLL, "report", ran.file], capture_output=True, text=True)
    assert f"declared {declared} at once: {verdict}" in text.stdout, text.stdout


# ---- children never outlive the run ------------------------------------------------------------

def started(trail, count):
    for _ in range(200):
        pids = [line.split()[1] for line in trail.read_text().split("\n")
                if line.startswith("start")] if trail.exists() else []
        if len(pids) == count:
            return pids
        time.sleep(0.05)
    raise AssertionError(f"{len(pids)} of {count} children")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_children_end_with_the_program(tmp_path, how):
    trail = tmp_path / "trail"
    path = write_plan(tmp_path, plan(call(child("--trail", trail, "--stay"), "wait", "{ms: 50}"),
                                     users=3, iterations=10000))
    process = subprocess.Popen([PLIMSOLL, "run", path], cwd=tmp_path, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        pids = started(trail, 3)
        assert all(alive(pid) for pid in pids)
        process.send_signal(how)
        process.wait(30)
        for _ in range(60):
            if not any(alive(pid) for pid in pids):
                return
            time.sleep(0.05)
        raise AssertionError("a child outlived the program")
    finally:
        process.kill()


def test_the_example(npm, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    done = subprocess.run(
        [PLIMSOLL, "run", ROOT / "example/mcp-stdio.yaml"], cwd=tmp_path, text=True,
        capture_output=True, timeout=60,
        env={**os.environ, "USERS": "2", "DURATION": "3s", "MCP_FOLDER": str(allowed),
             "MCP_SERVER": str(npm / "server-filesystem/dist/index.js")})
    assert done.returncode in (0, 120), done.stdout + done.stderr
    assert "mcp_sandbox_violations" in done.stdout and "declared 5 at once" in done.stdout, done.stdout
