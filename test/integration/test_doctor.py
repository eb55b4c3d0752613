"""plimsoll doctor on the real machine: every line says something, problems make the exit code, and a
tunnel is told from a server."""

import json
import os
import subprocess
import sys

from conftest import FAILED, PASSED, free_port, wait_port, write_plan


def findings(ran):
    return {(one["area"], one["name"]): one for one in json.loads(ran.out)["findings"]}


def test_a_machine_without_a_plan(plimsoll):
    ran = plimsoll("doctor", "--json")
    found = findings(ran)
    assert ran.code == PASSED, ran.out
    for key in [("generator", "processors"), ("generator", "clock"), ("generator", "timers"),
                ("kernel", "descriptors"), ("kernel", "ports"), ("network", "listening"),
                ("storage", "space"), ("storage", "writing")]:
        assert key in found and found[key]["words"]
    assert not any(area == "target" for area, _ in found)
    for one in found.values():
        assert one["grade"] in ("ok", "unknown", "warning", "problem")
        assert (one["remedy"] is not None) == (one["grade"] in ("warning", "problem"))


def test_text_fits_eighty_columns_and_quiet_says_only_what_is_wrong(plimsoll):
    ran = plimsoll("doctor")
    assert all(len(line) <= 80 for line in ran.out.splitlines()), ran.out
    assert "generator\n" in ran.out and "\x1b" not in ran.out
    quiet = plimsoll("doctor", "--quiet")
    assert "  ok  " not in quiet.out and len(quiet.out) < len(ran.out)


def test_a_listening_port_is_shown(plimsoll, testbed):
    server = testbed()
    found = findings(plimsoll("doctor", server.url, "--json"))
    assert found["target", "reachable"]["grade"] == "ok"
    assert str(server.port) in found["network", "listening"]["words"] or \
        "more" in found["network", "listening"]["words"]


def test_a_target_that_is_not_there_is_a_problem(plimsoll):
    ran = plimsoll("doctor", f"http://127.0.0.1:{free_port()}", "--json")
    assert ran.code == FAILED
    one = findings(ran)["target", "reachable"]
    assert one["grade"] == "problem" and "refused" in one["words"]


def test_services_of_a_plan_are_asked(plimsoll, testbed, tmp_path):
    server = testbed()
    plan = write_plan(tmp_path, f"""
schema: 1
name: doctored
target: {server.url}
services:
  gateway: {{ health: /health }}
  search: {{ health: "http://127.0.0.1:{free_port()}/health" }}
scenarios:
  only: {{ vus: 2, duration: 1s, tasks: [ {{ get: /health }} ] }}
""")
    ran = plimsoll("doctor", plan, "--json")
    found = findings(ran)
    assert ran.code == FAILED
    assert found["target", "gateway"]["grade"] == "ok"
    assert found["target", "search"]["grade"] == "problem"
    assert found["target", "need"]["grade"] == "ok"


def test_a_port_forward_is_a_warning_beyond_ten_users(plimsoll, tmp_path):
    port = free_port()
    tunnel = tmp_path / "kubectl"
    os.symlink(sys.executable, tunnel)
    serve = ("import http.server, sys\n"
             "http.server.HTTPServer(('127.0.0.1', int(sys.argv[3].split(':')[0])),"
             " http.server.SimpleHTTPRequestHandler).serve_forever()")
    process = subprocess.Popen([str(tunnel), "-c", serve, "port-forward", "svc/ai", f"{port}:80"],
                               stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_port(port, process=process)
        few = findings(plimsoll("doctor", f"http://127.0.0.1:{port}", "-u", "10", "--json"))
        many = findings(plimsoll("doctor", f"http://127.0.0.1:{port}", "-u", "11", "--json"))
        assert few["target", "tunnel"]["grade"] == "ok"
        assert many["target", "tunnel"]["grade"] == "warning"
        assert "external address" in many["target", "tunnel"]["remedy"]
    finally:
        process.kill()
        process.wait()


def test_a_bad_plan_is_said_as_ever(plimsoll, tmp_path):
    plan = write_plan(tmp_path, "schema: 1\nnmae: x\n")
    ran = plimsoll("doctor", plan)
    assert ran.code == 104 and "nmae" in ran.err
