"""The commands of the operators' documents, run as they stand (with their times scaled down), and the
table that says which test runs which of them."""

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import PASSED, PLIMSOLL, ROOT
from tracing import trace_advice, trace_analysis

CITADEL = ROOT / "example/citadel"
DOCUMENTS = ROOT.parent / "shared/requirements"
TABLE = ROOT / "test/requirements.tsv"
# Levels end when their time is over: what becomes steady when is other tests' matter.
EXACT = ("--set", "scale.prolong=1")
# Thinking as long as the documents' users do, none would end a request in levels of half a second.
BRISK = ("--set", "scenarios.users.think=50ms..150ms")


def script(tmp_path, servers, line, *more, timeout=120):
    """Runs a line of the documents in a directory of its own."""
    words = [*line.split(), *map(str, more)]
    words = words[1:] if words[0].startswith("python") else words
    program = CITADEL / words[0]
    command = [sys.executable, program] if program.suffix == ".py" else [program]
    names = ("TARGET", "TARGET_2", "TARGET_3")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PLIMSOLL": str(PLIMSOLL),
           **{name: server.url for name, server in zip(names, servers)}}
    return subprocess.run([*command, *words[1:]], cwd=tmp_path, env=env, capture_output=True,
                          text=True, timeout=timeout)


def series_of(tmp_path, kind):
    document = json.loads((tmp_path / "scalability_results.json").read_text())
    return next(series["levels"] for series in document["series"] if series["kind"] == kind)


def test_vertical(tmp_path, testbed):
    done = script(tmp_path, [testbed()], "python scaling_scenarios.py --test=vertical --max-users=200 "
                  "--duration=300", "--time-scale", 0.006, *EXACT, *BRISK)
    assert done.returncode == PASSED, done.stderr
    assert "Vertical Scaling Test Results:" in done.stdout
    assert [level["users"] for level in series_of(tmp_path, "vertical")] == [50, 100, 150, 200]


def test_horizontal(tmp_path, testbed):
    done = script(tmp_path, [testbed(), testbed(), testbed()], "python scaling_scenarios.py "
                  "--test=horizontal --instances=3 --max-users=300 --duration=400", "--time-scale",
                  0.006, *EXACT, *BRISK)
    assert done.returncode == PASSED, done.stderr
    assert "Horizontal Scaling Test Results:" in done.stdout
    levels = series_of(tmp_path, "horizontal")
    assert [(level["instances"], level["users"]) for level in levels] == [(1, 100), (2, 200), (3, 300)]


def test_progression(tmp_path, testbed):
    done = script(tmp_path, [testbed()], "python scaling_scenarios.py --test=progression "
                  "--start-users=10 --max-users=500 --step-size=50 --step-duration=60",
                  "--time-scale", 0.008, *EXACT)
    assert done.returncode == PASSED, done.stderr
    levels = series_of(tmp_path, "progression")
    assert [level["users"] for level in levels] == [*range(10, 500, 50), 500]
    document = next(tmp_path.glob("runs/*/Scalability_Testing_Results.md")).read_text()
    assert document.startswith("# Scalability Testing Results")


def test_analysis_and_recommendation(tmp_path, testbed):
    """From the progression to what binds, and from that to what to change, in the documents' words."""
    server = testbed("--law", "mmc", "--servers", 2, "--service-ms", 20)
    done = script(tmp_path, [server], "python scaling_scenarios.py --test=progression "
                  "--start-users=10 --max-users=500 --step-size=50 --step-duration=60",
                  "--time-scale", 0.01, *EXACT)
    assert done.returncode == PASSED, done.stderr
    done = script(tmp_path, [], "python bottleneck_analyzer.py --test-results=scalability_results.json")
    assert done.returncode == PASSED, done.stderr
    analysis = [line.strip() for line in done.stdout.splitlines()]
    assert "Load Progression Analysis:" in analysis and "Bottleneck Analysis:" in analysis
    for begin in ("- Linear scaling up to", "- Performance degradation", "- Bottleneck identified:",
                  "- Critical threshold:", "- System capacity:", "Primary Bottlenecks:",
                  "Secondary Bottlenecks:"):
        assert any(line.startswith(begin) for line in analysis), (begin, done.stdout)
    document = json.loads((tmp_path / "bottleneck_analysis.json").read_text())
    trace_analysis(done.stdout, document)
    line = "python scaling_recommendations.py --analysis=bottleneck_analysis.json --target-load=1000"
    done = script(tmp_path, [], line)
    assert done.returncode == PASSED, done.stderr
    if "No recommendation" in done.stdout:
        pytest.skip("SKIPPED LOUDLY: this machine is too busy: the generator was the limit")
    trace_advice(done.stdout, json.loads(script(tmp_path, [], line, "--json").stdout), document)
    for heading in ("Scaling Recommendations for 1000 user target:", "1. Vertical Scaling:",
                    "2. Horizontal Scaling:", "3. Architecture Optimizations:"):
        assert heading in done.stdout


def test_debug(tmp_path, testbed):
    done = script(tmp_path, [testbed()], "python scaling_scenarios.py --test=vertical --max-users=50 "
                  "--duration=60 --debug", "--time-scale", 0.008)
    assert done.returncode == PASSED, done.stderr
    assert "of warm-up" in done.stderr and "planned" in done.stderr


def test_all_scenarios(tmp_path, testbed):
    done = script(tmp_path, [testbed(), testbed(), testbed()],
                  "./run_scalability_tests.sh --all-scenarios --duration=600", "--time-scale", 0.002,
                  *EXACT, *BRISK, "--max-users", 12, "--step-size", 8, "--instances", 3)
    assert done.returncode == PASSED, done.stderr
    for heading in ("Load Progression", "Vertical Scaling", "Horizontal Scaling"):
        assert f"{heading} Test Results:" in done.stdout


@pytest.mark.parametrize("line, users", [
    ("python3 load_test.py --max_users 50 --step_size 10", [10, 20, 30, 40, 50]),
    ("python3 load_test.py --users 50 --duration 600", [50]),
    ("python3 load_test.py --users 50 --duration 60 --url http://<LB_IP>:8000/api/generate", [50]),
])
def test_load_test(tmp_path, testbed, line, users):
    server = testbed("--law", "fixed", "--service-ms", 5)
    line = line.replace("http://<LB_IP>:8000", server.url)
    done = script(tmp_path, [server], line, "--time-scale", "0.0017" if "600" in line else 0.01,
                  "--results", "scalability_results.json")
    assert done.returncode == PASSED, done.stderr
    levels = series_of(tmp_path, "run")
    assert [level["users"] for level in levels] == users
    assert all(level["failed"] == 0 and level["requests"] > 59 for level in levels)
    page = (tmp_path / "results_viewer.html").read_text()
    assert "scalability_results" in page


def test_resource_monitor(tmp_path):
    """600 s and looks every 10 s of the document, each 200 times shorter and 0.1 s at least."""
    line = "python resource_monitor.py --duration=600 --interval=10 --output=resource_usage.json"
    done = script(tmp_path, [], line.replace("600", "3").replace("=10", "=0.5"))
    assert done.returncode == PASSED, done.stderr
    assert json.loads((tmp_path / "resource_usage.json").read_text())


def test_a_script_without_plimsoll_says_what_to_do(tmp_path):
    scripts = tmp_path / "citadel"
    scripts.mkdir()
    for name in ("plimsoll_command.py", "bottleneck_analyzer.py"):
        (scripts / name).write_text((CITADEL / name).read_text())
    done = subprocess.run([sys.executable, scripts / "bottleneck_analyzer.py", "--test-results=x"],
                          env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "plimsoll is not installed" in done.stderr and "PLIMSOLL=" in done.stderr


# ---- the table ----------------------------------------------------------------------------------


def rows():
    lines = TABLE.read_text().splitlines()
    assert lines[0] == "document\tline\tkind\ttext\twhere"
    return [line.split("\t") for line in lines[1:]]


def fenced(path):
    """The lines within code fences, with their numbers."""
    inside = False
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if line.strip().startswith("```"):
            inside = not inside
        elif inside and line.strip():
            yield number, line.strip()


def test_the_table_is_well_formed():
    known = set()
    for document, line, kind, text, where in rows():
        assert re.fullmatch(r"00[0-4]", document) and line.isdigit() and text
        assert kind in ("command", "output", "setting", "file", "sample", "advice"), kind
        assert (document, line) not in known
        known.add((document, line))
        assert re.match(r"(test/|issue \d+$|theirs: |sample of )", where), where


def test_each_test_that_the_table_names_is_there():
    for document, line, _, _, where in rows():
        if not where.startswith("test/"):
            continue
        path, _, name = where.partition("::")
        assert (ROOT / path).exists(), (document, line, where)
        if name:
            found = re.search(rf"\b{re.escape(name)}\b", (ROOT / path).read_text())
            assert found, (document, line, where)


def test_the_table_has_every_line_of_the_documents():
    if not DOCUMENTS.exists():
        pytest.skip("SKIPPED LOUDLY: the documents are not here; the table was not compared with them")
    paths = {path.name[:3]: path for path in DOCUMENTS.glob("00*.txt")}
    table = {(document, int(line)): text for document, line, _, text, _ in rows()}
    for name, path in paths.items():
        lines = path.read_text(errors="replace").splitlines()
        for number, line in fenced(path):
            assert (name, number) in table, f"{path.name}:{number}: {line}"
        for (document, number), text in table.items():
            if document == name:
                assert text in lines[number - 1], (path.name, number, text)
