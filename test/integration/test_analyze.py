"""plimsoll analyze on real runs of the testbed, whose limit is known: its capacity, its bottleneck,
and that a healthy system has none."""

import json

import pytest
from conftest import PASSED, ROOT, ended, run_program, start_testbed, write_plan

PLAN = """
schema: 1
name: planted
target: {url}
scenarios:
  work: {{ vus: 10, duration: 10s, tasks: [{{ get: /work }}] }}
scale: {{ cool_down: 100ms, critical_response_time: {critical} }}
watch: {{ local: false }}
"""
USAGE = 104


def scale(directory, server, *words, critical="200ms"):
    plan = write_plan(directory, PLAN.format(url=server.url, critical=critical))
    ran = run_program(directory, "scale", "progression", plan, *words, "--results",
                      "scalability_results.json")
    assert ran.code == PASSED, ran.err


def analyze(directory, *words):
    ran = run_program(directory, "analyze", *words)
    assert ran.code == 0, ran.err
    return ran, json.loads((directory / "bottleneck_analysis.json").read_text())


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """Where a test of four servers of 20 ms is: 200/s, and the asymptotes meet at 4 users."""
    directory = tmp_path_factory.mktemp("limited")
    with ended() as processes:
        server = start_testbed(processes, "--law", "md1", "--servers", 4, "--service-ms", 20)
        scale(directory, server, "--start-users", 1, "--max-users", 15, "--step-size", 2,
              "--step-duration", "1.5", critical="60ms")
    return directory


def test_a_limit_of_servers_is_found_where_the_asymptotes_meet(limited):
    ran, document = analyze(limited, "--test-results", "scalability_results.json")
    lines = ran.out.splitlines()
    assert lines[0] == "Load Progression Analysis:"
    for line, begin in zip([line for line in lines if line.startswith("- ")],
                           ["Linear scaling up to", "Performance degradation", "Bottleneck identified:",
                            "Critical threshold:", "System capacity:"]):
        assert line.startswith("- " + begin), line
    for heading in ("Bottleneck Analysis:", "Primary Bottlenecks:", "Secondary Bottlenecks:"):
        assert heading in lines
    assert all(len(line) <= 80 for line in lines if "written to" not in line)
    loaded = [level["throughput_rps"] for level in document["levels"] if level["load"] >= 7]
    if min(loaded) < 190:  # by the law each has 200, or a little less
        pytest.skip(f"SKIPPED LOUDLY: the machine is too busy: the target gave {loaded} a second")
    most = document["curve"]["most"]
    assert most["peak_observed"] and 170 < most["rps"] < 206, most
    critical = document["curve"]["critical"]
    assert critical["observed"] and critical["low"] < critical["high"] <= 15
    if document["primary"][0]["kind"] == "generator":
        pytest.skip("SKIPPED: the machine is too busy for a verdict about the target")
    assert document["verdict"] == "bottleneck"
    assert document["primary"][0]["kind"] == "software"  # nothing was watched, and no blame is made up
    assert 2.5 < document["primary"][0]["load"] < 6.5


def test_the_document_is_what_its_schema_says(limited):
    jsonschema = pytest.importorskip("jsonschema", reason="SKIPPED: jsonschema is not installed")
    schema = json.loads((ROOT / "doc/bottleneck-analysis.schema.json").read_text())
    _, document = analyze(limited, "--test-results", "scalability_results.json")
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema)
    assert [error.message for error in kind(schema).iter_errors(document)] == []
    last = run_program(limited, "analyze", "@last", "--json")
    assert last.code == 0 and json.loads(last.out)["levels"] == document["levels"]


def test_a_healthy_system_has_none(tmp_path, testbed):
    server = testbed("--law", "fixed", "--service-ms", "20")
    scale(tmp_path, server, "--start-users", 1, "--max-users", 6, "--step-size", 1,
          "--step-duration", "1")
    ran, document = analyze(tmp_path, "--test-results", "scalability_results.json")
    if document["verdict"] == "bottleneck" and document["primary"][0]["kind"] == "generator":
        pytest.skip("SKIPPED: the machine is too busy for a verdict about the target")
    assert document["verdict"] == "none observed" and document["primary"] == []
    assert "Bottleneck identified: none observed" in ran.out
    assert "PEAK_NOT_OBSERVED" in {warning["code"] for warning in document["warnings"]}


SLOTS = """
schema: 1
name: slots
target: {url}
scenarios:
  chat:
    vus: 10
    duration: 10s
    tasks:
      - post:
          url: /v1/chat/completions
          json: {{ model: m, messages: [ {{ role: user, content: hello }} ], max_tokens: 10 }}
scale: {{ cool_down: 100ms }}
watch:
  interval: 200ms
  probes: [ {{ prometheus: {{ url: /metrics, preset: vllm }}, name: llm, role: llm }} ]
"""


def test_slots_of_a_model_server_are_named(tmp_path, testbed, plimsoll):
    server = testbed("--law", "batching", "--slots", "4", "--step-base-ms", "5",
                     "--step-per-sequence-ms", "0.5", "--tokens", "10")
    plan = write_plan(tmp_path, SLOTS.format(url=server.url))
    ran = plimsoll("scale", "progression", plan, "--levels", "1,3,5,7,9,13", "--step-duration",
                   1.5, "--results", "scalability_results.json")
    assert ran.code == PASSED, ran.err
    _, document = analyze(tmp_path, "--test-results", "scalability_results.json")
    if document["primary"] and document["primary"][0]["kind"] == "generator":
        pytest.skip("SKIPPED: the machine is too busy for a verdict about the target")
    first = document["primary"][0]
    assert (first["kind"], first["thing"]) == ("slots", "llm")
    assert 3 <= first["load"] <= 7  # four slots, so that the fifth user waits
    assert {"engine", "queue"} <= {evidence["kind"] for evidence in first["evidence"]}
    pattern = next(one for one in first["evidence"] if one["kind"] == "engine")
    assert pattern["clears"] == "KV cache" and "llm.waiting" in pattern["metric"]
    assert all(evidence["metric"] for evidence in first["evidence"])
    assert "KV cache" in " ".join(row["name"] for row in document["exonerated"])


def test_what_is_wrong_is_said(tmp_path, plimsoll):
    assert plimsoll("analyze").code == USAGE
    missing = plimsoll("analyze", "--test-results", "nowhere.json")
    assert missing.code == 1 and "nowhere.json" in missing.err
    (tmp_path / "own.yaml").write_text("expected: [{id: mine, kidns: cpu}]\n")
    (tmp_path / "scalability_results.json").write_text('{"scalability_results": 1, "series": []}')
    bad = plimsoll("analyze", "--test-results", "scalability_results.json", "--catalogue", "own.yaml")
    assert bad.code == USAGE and "own.yaml:1:23" in bad.err and "kidns" in bad.err
    empty = plimsoll("analyze", "--test-results", "scalability_results.json", "--json")
    assert empty.code == 0 and json.loads(empty.out)["verdict"] == "inconclusive"
