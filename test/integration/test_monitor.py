"""`plimsoll monitor`: what it prints and saves, what it says of services that are killed, started
again, renamed and stopped, and that Ctrl-C loses nothing. Figures are compared with other tools in
test_watch_truth.py."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import BAD_PLAN, PASSED, ROOT, SATURATED, THRESHOLDS, finish, free_port, start_program

SCHEMA = json.loads((ROOT / "doc/resource-usage.schema.json").read_text())


def check(value, schema, where="document"):
    """The part of JSON Schema that our schema uses, for machines without jsonschema."""
    kinds = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
             "null": type(None)}
    wanted = schema.get("type")
    if wanted:
        wanted = [wanted] if isinstance(wanted, str) else wanted
        assert any(isinstance(value, kinds[kind]) for kind in wanted), (where, value)
    if "const" in schema:
        assert value == schema["const"], where
    if "minimum" in schema and value is not None:
        assert value >= schema["minimum"], (where, value)
    for key in schema.get("required", []):
        assert key in value, f"{where} lacks {key}"
    for key, below in schema.get("properties", {}).items():
        if isinstance(value, dict) and key in value:
            check(value[key], below, f"{where}.{key}")
    for i, item in enumerate(value if "items" in schema else []):
        check(item, schema["items"], f"{where}[{i}]")


def validate(document):
    check(document, SCHEMA)
    try:
        import jsonschema
    except ImportError:
        return
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def series(document, metric, part="", watched=None):
    found = [s for s in document["series"] if s["metric"] == metric and s["part"] == part
             and watched in (None, s["watched"])]
    return found[0] if found else None


def test_the_document_is_what_the_schema_says(plimsoll, tmp_path):
    ran = plimsoll("monitor", "--duration", "1.5", "--interval", "0.2", "--output",
                   "resource_usage.json")
    assert ran.code == PASSED, ran.err
    document = json.loads((tmp_path / "resource_usage.json").read_text())
    validate(document)
    assert "saved         resource_usage.json" in ran.out
    assert {w["probe"] for w in document["watched"]} >= {"host", "cpu", "memory", "disk", "network"}
    busy = series(document, "cpu.busy")
    assert 1 <= busy["count"] <= 8 and all(0 <= v <= 1 for v in busy["values"])
    used = series(document, "memory.used_share")
    assert used["count"] <= 9 and 0 < used["mean"] < 1
    for s in document["series"]:
        assert len(s["values"]) == len(s["at_s"]) == len(s["took_s"]) == s["count"]
        assert s["at_s"] == sorted(set(s["at_s"])), s["metric"]
        assert s["at_s"][-1] < 1.5 + 1
    gaps = [e for e in document["events"] if e["kind"] == "gap"]
    assert used["count"] >= 7 or gaps, "what was left out must be told"


def test_the_check_can_fail():
    with pytest.raises(AssertionError):
        check({"schema_version": 2}, SCHEMA)
    with pytest.raises(AssertionError):
        check([1, "x"], {"type": "array", "items": {"type": "number"}})


def test_lines_csv_and_json(plimsoll):
    lines = plimsoll("monitor", "-d", "2.5", "-i", "0.5").out.splitlines()
    assert any(line.startswith("1 s  cpu.busy ") or line.startswith("2 s  cpu.busy ")
               for line in lines), lines
    assert all(len(line) <= 80 for line in lines if not line.startswith("!")
               and "cpu.busy" not in line[:16]), lines
    text = plimsoll("monitor", "-d", "0.5", "-i", "0.1", "--probe", "cpu", "--csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["metric"] for row in rows} >= {"cpu.busy", "cpu.cores"}
    assert {row["watched"] for row in rows} == {"cpu"}
    assert [float(row["at_s"]) for row in rows] == sorted(float(row["at_s"]) for row in rows)
    document = json.loads(plimsoll("monitor", "-d", "0.3", "-i", "0.1", "-p", "null", "--json").out)
    validate(document)
    looks = series(document, "null.looks")["values"]
    assert looks == list(range(1, len(looks) + 1)) and len(looks) <= 4


def test_mistakes_are_said(plimsoll):
    ran = plimsoll("monitor", "--probe", "procs", "-d", "1")
    assert ran.code == BAD_PLAN and 'did you mean "process"?' in ran.err
    ran = plimsoll("monitor", "--probe", "process: {prot: 1}", "-d", "1")
    assert ran.code == BAD_PLAN and 'did you mean "port"?' in ran.err
    ran = plimsoll("monitor", "-i", "0.01", "-d", "1")
    assert ran.code == BAD_PLAN and "at least 100 ms" in ran.err
    ran = plimsoll("monitor", "--process", 'a"b: {x}', "-d", "0.2")
    assert ran.code == PASSED and 'there is no process with name a"b: {x}' in ran.out
    ran = plimsoll("monitor", "-d", "0.2", env={"SCALABILITY_MONITORING_INTERVAL": "x"})
    assert ran.code == BAD_PLAN and "interval" in ran.err


def test_a_limit_that_is_held_ends_it(plimsoll, tmp_path):
    begin = time.monotonic()
    plan = "memory.used_share"
    ran = plimsoll("monitor", "-d", "60", "-i", "0.1", "--probe", "null", "--probe", "memory",
                   "--set", f"watch.stop=[{{metric: {plan}, above: 0, for: 0.5s}}]", "-o", "x.json")
    assert ran.code == THRESHOLDS, ran.err
    assert time.monotonic() - begin < 30
    document = json.loads((tmp_path / "x.json").read_text())
    limits = [e for e in document["events"] if e["kind"] == "limit"]
    assert len(limits) == 1 and "above 0 % for" in limits[0]["words"]


def test_an_interrupt_keeps_what_was_measured(tmp_path):
    process = start_program(tmp_path, "monitor", "-i", "0.1", "-p", "null", "-o", "kept.json")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    ran = finish(process, tmp_path)
    assert ran.code == PASSED, ran.err
    document = json.loads((tmp_path / "kept.json").read_text())
    validate(document)
    assert series(document, "null.looks")["count"] >= 3


# ---- services that do not hold still ----------------------------------------------------------

SERVICE = """
import socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("up", flush=True)
for line in sys.stdin:
    with open("/proc/self/comm", "w") as name:
        name.write(line.strip())
"""


def start_service(processes, port):
    process = subprocess.Popen([sys.executable, "-c", SERVICE, str(port)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    processes.append(process)
    assert process.stdout.readline() == "up\n"
    return process


def wait_words(monitor, words):
    """Reads what the monitor tells, as it tells it, up to the line with these words."""
    told = []
    for line in monitor.stdout:
        told.append(line)
        if words in line:
            return
    raise AssertionError((words, told))


def test_a_service_killed_started_again_renamed_and_stopped(tmp_path, processes):
    port = free_port()
    first = start_service(processes, port)
    monitor = start_program(tmp_path, "monitor", "-i", "0.1", "--probe",
                            f"process: {{port: {port}}}, name: api, role: gateway", "-o", "x.json")
    processes.append(monitor)
    wait_words(monitor, "1 s")
    first.kill()
    first.wait()
    wait_words(monitor, "there is no process with port")
    time.sleep(0.8)  # the hole in its series that is asked for below
    second = start_service(processes, port)
    wait_words(monitor, f"process {second.pid}")
    time.sleep(0.5)  # some looks more
    second.stdin.write("another\n")
    second.stdin.flush()
    wait_words(monitor, "another")
    os.kill(second.pid, signal.SIGSTOP)
    wait_words(monitor, "stopped by a signal")
    os.kill(second.pid, signal.SIGCONT)
    wait_words(monitor, "continues")
    monitor.send_signal(signal.SIGINT)
    ran = finish(monitor, tmp_path)
    document = json.loads((tmp_path / "x.json").read_text())
    told = [(e["kind"], e["words"]) for e in document["events"] if "left out" not in e["words"]]
    kinds = [kind for kind, _ in told if kind != "warning"]
    assert kinds == ["gone", "gap", "restart", "back", "renamed", "stopped", "continued"], told
    words = dict(told)
    assert str(first.pid) in words["gone"]
    assert str(second.pid) in words["restart"] and str(first.pid) in words["restart"]
    assert "another" in words["renamed"]
    count = series(document, "process.count")
    apart = [b - a for a, b in zip(count["at_s"], count["at_s"][1:])]
    assert max(apart) > 0.7, "while it was gone there was no value"
    assert all(value == 1 for value in count["values"])
    cpu = series(document, "process.cpu")
    assert cpu["count"] < count["count"], "neither the first look nor that after the restart has one"
    assert ran.code == PASSED


# ---- inside a run -----------------------------------------------------------------------------

PLAN = """
target: {url}
watch:
  interval: 200ms
  thresholds: {{ memory: {memory} }}
  probes:
    - {{ process: {{ port: {port} }}, name: api, role: gateway }}
    - {{ process: there-is-no-such-process, role: database }}
  stop: [{{ metric: process.count, of: gateway, above: {above}, for: 600ms }}]
scenarios:
  s: {{ rate: 20, duration: {seconds}s, tasks: [{{ name: root, get: / }}] }}
"""


def query(path, sql):
    import sqlite3
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchall()


def test_every_run_watches(plimsoll, testbed, tmp_path):
    server = testbed()
    (tmp_path / "plan.yaml").write_text(PLAN.format(url=server.url, port=server.port, seconds=3,
                                                    memory="0.001%", above=99))
    ran = plimsoll("run", "plan.yaml").check_passed()
    rows = query(ran.file, "SELECT watched, role, probe, metric, count(*), min(at_ns), max(at_ns)"
                           " FROM samples WHERE part = '' GROUP BY 1, 2, 3, 4")
    seen = {row[:4]: row[4:] for row in rows}
    for key in (("generator", "generator", "cpu", "cpu.busy"),
                ("generator", "generator", "memory", "memory.used_share"),
                ("generator", "generator", "process", "process.cpu"),
                ("api", "gateway", "process", "process.cpu")):
        count, first, last = seen[key]
        assert 3 <= count <= 17, (key, count)
        assert 0 <= first < last < 4e9, "on the run's clock"
    assert not any(row[1] == "database" for row in rows), "no value is made up"
    events = dict(query(ran.file, "SELECT kind, words FROM event WHERE kind IN ('gap', 'warning')"
                                  " AND words NOT LIKE '%left out%' AND words NOT LIKE '%cpu%'"))
    assert "there-is-no-such-process" in events["gap"]
    assert "memory.used_share" in events["warning"] and "above" in events["warning"]


def test_a_held_limit_stops_a_run(plimsoll, testbed, tmp_path):
    server = testbed()
    (tmp_path / "plan.yaml").write_text(PLAN.format(url=server.url, port=server.port, seconds=60,
                                                    memory="85%", above=0))
    begin = time.monotonic()
    ran = plimsoll("run", "plan.yaml")
    assert time.monotonic() - begin < 30
    held = "api: process.count is 1, above 0 for "
    assert ran.code in (THRESHOLDS, SATURATED), ran.err
    if ran.code == THRESHOLDS:  # on a crowded machine the last word is the generator's own trouble
        assert f"stopped by a limit of watch.stop: {held}600 ms" in ran.err
    [(words,)] = query(ran.file, "SELECT words FROM event WHERE kind = 'limit'")
    assert words.startswith(held), words
