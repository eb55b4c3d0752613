"""plimsoll recommend on analyses whose truth is written down, and on one of a real test; plimsoll
experiment on runs of a server that was really made faster."""

import copy
import json
import re

import pytest
from conftest import PASSED, ROOT, write_plan
from tracing import trace_advice

USAGE = 104


def bound(kind, name, thing, load, ceiling, predicted, words):
    return {"kind": kind, "name": name, "thing": thing, "role": thing, "metric": "m", "part": "",
            "unit": "share", "load": load, "load_low": load, "load_high": load,
            "predicted": predicted, "ceiling_rps": ceiling, "ceiling_low_rps": ceiling * .97,
            "ceiling_high_rps": ceiling * 1.03, "value": .97, "limit": .95, "score": 3,
            "standing": "predicted" if predicted else "corroborated",
            "confidence": "medium" if predicted else "high",
            "evidence": [{"kind": "onset", "words": words, "metric": "m of " + thing, "value": .97,
                          "limit": .95, "load": load, "against": False}], "expected": None}


def level(users):
    rate = min(users * .3, 61.3)
    return {"load": users, "concurrency": users - 3 * rate, "think_s": 3, "throughput_rps": rate,
            "usable": True, "good": users < 250}


ANALYSIS = {
    "bottleneck_analysis": 1, "name": "progression", "target": "gateway", "version": "1",
    "source": "scalability_results.json", "series": "progression", "kind": "progression",
    "load_unit": "users", "instances": 1, "slo_response_s": .2, "verdict": "bottleneck",
    "levels": [level(users) for users in (50, 100, 150, 200, 250, 300)],
    "curve": {"capacity": {"observed": True, "load": 240, "rps": 61.3, "low_rps": 58.9,
                           "high_rps": 63.0},
              "most": {"rps": 61.3, "load": 300, "peak_observed": False, "retrograde": False}},
    "primary": [bound("kv-cache", "GPU memory", "llm", 200, 62, False, "cache 97 % from 190 on")],
    "secondary": [bound("cpu", "Embedding CPU", "embedding", 330, 84, True, "11.4 ms a request"),
                  bound("database", "Database", "postgres", 380, 100, True, "3 ms a request"),
                  bound("network", "Network", "gateway", None, 900, True, "1 MB a request")],
    "sizes": [], "warnings": [{"code": "NOT_STEADY", "words": "at 300"}], "next": []}

# 1,000 users of 0.3 req/s: 300 req/s; 300 / (62 x 0.7) = 6.9, and 24 GB of it 166 GB.
BRIEF = """\
Scaling Recommendations for 1000 user target:
Configuration first:
   - Load the models of llm that are rarely used on demand only
   - Limit the context length that llm reserves to what requests use
   - Give the KV cache of llm more of the memory (gpu_memory_utilization), or
     admit fewer sequences (max_num_seqs)
   - Serve llm with quantized weights
   - Increase the connection pool of postgres to 4.3 times
   - Check pooled connections before use (pool_pre_ping)

1. Vertical Scaling:
   - Upgrade to several GPUs for each model: 166 GB are needed, more than one
     has
   - Give embedding 5.2 times the cores

2. Horizontal Scaling:
   - At least 8 replicas of all that was tested, one of them for a failure: a
     lower bound, since two were never measured side by side
   - Implement GPU cluster with at least 7 GPUs
   - Deploy at least 6 embedding instances
   - Add Redis cluster for caching
   - Implement database read replicas

3. Architecture Optimizations:
   - Implement model sharding across GPUs
   - Serve the model with continuous batching and paged KV cache (vLLM), unless
     it is served so already
   - Implement async processing queues
   - Add connection pooling optimization (a pooler before the database)

"""


@pytest.fixture(name="recommend")
def _recommend(tmp_path, plimsoll):
    def call(*words, analysis=None, code=0):
        path = tmp_path / "bottleneck_analysis.json"
        if analysis is not None:
            path.write_text(json.dumps(analysis))
        ran = plimsoll("recommend", "--analysis", path, *words)
        assert ran.code == code, ran.err
        if code:
            return ran.err
        return json.loads(ran.out) if "--json" in words else ran.out
    return call


def horizontal(alpha, beta, most):
    analysis = copy.deepcopy(ANALYSIS)
    # Other sizes of one instance are no part of the law of instances.
    analysis["sizes"] = [{"kind": "vertical", "instances": 1, "size": 8, "size_name": "slots 8",
                          "capacity_rps": 300, "low_rps": 290, "high_rps": 310, "load": 9}]
    for n in range(1, most + 1):
        x = 61 * n / (1 + alpha * (n - 1) + beta * n * (n - 1))
        analysis["sizes"].append({"instances": n, "size": None,
                                  "size_name": "", "kind": "horizontal", "capacity_rps": x, "low_rps": x * .98,
                                  "high_rps": x * 1.02, "most_rps": x, "load": 100 * n})
    return analysis


def test_the_lines_of_the_report(recommend):
    words = ("--target-load", 1000, "--gpu", "24GB")
    assert recommend(*words, "--brief", analysis=ANALYSIS) == BRIEF
    text = recommend(*words)
    assert all(len(line) <= 80 for line in text.splitlines())
    lines = text.splitlines()
    for at, line in enumerate(lines):  # each remedy stands on something
        if line.startswith("   - ") and "replicas of all" not in line:
            assert any("because" in next_ for next_ in lines[at + 1:at + 3]), line
    assert "  ! EXTRAPOLATION_RATIO 3.33" in text and "! NOT_STEADY" in text
    assert re.search(r"1\. GPU memory at 200 users.*then Embedding CPU", text, re.S)


def test_the_figures(recommend):
    found = recommend("--target-load", 1000, "--json", analysis=ANALYSIS)
    assert found["target_rps"] == pytest.approx(300)
    assert found["expected_rps"] is None and found["expected_range_rps"]["low"] <= 61.3
    steps = found["steps"]
    assert [step["bottleneck"]["name"] for step in steps] == ["GPU memory", "Embedding CPU", "Database"]
    assert steps[0]["factor"] == pytest.approx(300 / (62 * .7))
    assert steps[0]["next"]["load"] == 330 and steps[2]["next_beyond_target"]
    assert found["replicas"]["answer"] == "at least" and found["replicas"]["count"] is None
    near = recommend("--target-load", 350, "--json")
    assert near["expected_rps"] is not None and near["extrapolation_ratio"] < 1.25
    small = recommend("--target-load", 100, "--json")
    assert small["verdict"] == "enough" and small["vertical"] == []
    rate = recommend("--target-load", "300/s", "--json")
    assert rate["target_unit"] == "req/s" and rate["target_rps"] == pytest.approx(300)


def test_each_line_stands_on_evidence(recommend, tmp_path):
    """Of analyses that were written down; the same is asked of a real suite in test_requirements."""
    cases = [ANALYSIS, horizontal(.02, .0005, 3), horizontal(.02, .0005, 8), horizontal(.05, .03, 5)]
    for analysis in cases:
        text = recommend("--target-load", 1000, "--gpu", "24GB", analysis=analysis)
        found = recommend("--target-load", 1000, "--gpu", "24GB", "--json")
        trace_advice(text, found, analysis)


def test_beyond_the_peak_no_number_is_given(recommend):
    text = recommend("--target-load", 1000, analysis=horizontal(.05, .03, 5))
    assert "Not reachable by adding replicas; peak at n≈5.63" in text and "BEYOND_PEAK" in text
    assert "embedding instances" not in text and "GPU cluster" not in text
    found = recommend("--target-load", 1000, "--json")
    assert found["replicas"]["answer"] == "unreachable" and found["replicas"]["count"] is None


def test_beyond_twice_what_was_measured_a_range(recommend):
    found = recommend("--target-load", 1000, "--json", analysis=horizontal(.02, .0005, 3))
    replicas = found["replicas"]
    assert replicas["answer"] == "sized" and replicas["count"] is None
    assert replicas["range"]["low"] < replicas["range"]["high"]
    assert {"EXTRAPOLATION_RATIO", "SHARED_DEPENDENCY_NOT_SCALED"} <= {
        warning["code"] for warning in found["warnings"]}
    assert any(warning["code"] == "REGION_CHANGE" for warning in found["warnings"])
    near = recommend("--target-load", 1000, "--json", analysis=horizontal(.02, .0005, 8))["replicas"]
    # 300 / 0.7 = 428.6: 8 carry 427.8, and 9 do.
    assert near["count"] == 9 and near["range"]["low"] <= 9 <= near["range"]["high"]


def test_own_remedies_and_prices(recommend, tmp_path):
    (tmp_path / "r.yaml").write_text(
        "remedies:\n  - {id: vllm, drop: true}\n"
        "  - {id: ours, group: vertical, kinds: cpu, action: Pin {thing}}\n".replace(
            "Pin {thing}", "'Pin {thing}'"))
    (tmp_path / "p.yaml").write_text("date: 2026-11-01\ncurrency: EUR\nhour: {gateway: 2}\n")
    found = recommend("--target-load", 1000, "--json", "--remedies", "r.yaml", "--prices", "p.yaml",
                      analysis=ANALYSIS)
    assert "Pin embedding" in [item["action"] for item in found["vertical"]]
    assert "vllm" not in [item["id"] for item in found["architecture"]]
    assert found["cost"]["hour"] == 2 * found["replicas"]["at_least"]
    assert found["cost"]["date"] == "2026-11-01"
    (tmp_path / "p.yaml").write_text("hour: {gateway: 2}\n")
    assert "date" in recommend("--target-load", 1000, "--prices", "p.yaml", code=USAGE)
    (tmp_path / "r.yaml").write_text("remedies:\n  - {id: x, acton: y}\n")
    assert "r.yaml:2" in recommend("--target-load", 1000, "--remedies", "r.yaml", code=USAGE)


def test_an_analysis_of_another_name_is_read_itself(recommend, plimsoll, tmp_path):
    recommend("--target-load", 1000, analysis=ANALYSIS)  # leaves its own beside it
    other = copy.deepcopy(ANALYSIS)
    other["primary"][0]["name"] = "Another thing"
    (tmp_path / "other.json").write_text(json.dumps(other))
    said = plimsoll("recommend", "--analysis", tmp_path / "other.json", "--target-load", 1000).out
    assert "Another thing" in said


def test_what_is_wrong_is_said(recommend, plimsoll):
    assert "--target-load" in recommend(code=USAGE, analysis=ANALYSIS)
    assert "many" in recommend("--target-load", "many", code=USAGE)
    assert "24GB" in recommend("--target-load", 10, "--gpu", "Voodoo", code=USAGE)
    assert "analyze" in recommend("--target-load", 10, analysis={"name": 1}, code=USAGE)
    assert "newer" in recommend("--target-load", 10, analysis={"bottleneck_analysis": 9}, code=USAGE)
    assert "analysis" in plimsoll("recommend", "--target-load", 10).err


def test_the_document_is_what_its_schema_says(recommend):
    jsonschema = pytest.importorskip("jsonschema", reason="SKIPPED: jsonschema is not installed")
    schema = json.loads((ROOT / "doc/recommendations.schema.json").read_text())
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema)
    for analysis in (ANALYSIS, horizontal(.05, .03, 5), horizontal(.02, .001, 8)):
        for target in (100, 350, 1000):
            found = recommend("--target-load", target, "--json", analysis=analysis)
            assert [error.message for error in kind(schema).iter_errors(found)] == []


def test_the_tables_are_as_the_page_says(plimsoll):
    page = plimsoll("list", "remedies", "--markdown").out
    assert page == (ROOT / "doc/remedies.md").read_text(), (
        "doc/remedies.md is old: build/dev/bin/plimsoll list remedies --markdown > doc/remedies.md")
    assert "H200 SXM" in plimsoll("list", "gpus").out
    assert "pool-size" in plimsoll("list", "remedies").out


def test_from_a_real_test(tmp_path, testbed, plimsoll):
    """Four servers of 20 ms: 200/s. 40 users would ask for 2,000/s."""
    server = testbed("--law", "md1", "--servers", "4", "--service-ms", "20")
    plan = write_plan(tmp_path, f"""
schema: 1
name: planted
target: {server.url}
scenarios:
  work: {{ vus: 10, duration: 10s, tasks: [{{ get: /work }}] }}
scale: {{ cool_down: 100ms, critical_response_time: 60ms }}
watch: {{ local: false }}
""")
    ran = plimsoll("scale", "progression", plan, "--start-users", 1, "--max-users", 13,
                   "--step-size", 3, "--step-duration", "1", "--results", "scalability_results.json")
    assert ran.code == PASSED, ran.err
    ran = plimsoll("analyze", "--test-results", "scalability_results.json")
    assert ran.code == 0, ran.err
    ran = plimsoll("recommend", "--analysis", "bottleneck_analysis.json", "--target-load", 40,
                   "--output", "advice.json")
    assert ran.code == 0, ran.err
    found = json.loads((tmp_path / "advice.json").read_text())
    if found["verdict"] == "generator limited":
        pytest.skip("SKIPPED: the machine is too busy for a verdict about the target")
    lowest = json.loads((tmp_path / "bottleneck_analysis.json").read_text())["levels"][0]
    each = lowest["throughput_rps"] / lowest["load"]
    if each < 40:  # by the law 50 a second for each user
        pytest.skip(f"SKIPPED LOUDLY: the machine is too busy: one user got {each:.0f} a second")
    assert 1500 < found["target_rps"] < 2400
    assert found["verdict"] == "steps" and found["replicas"]["at_least"] >= 10
    assert "EXTRAPOLATION_RATIO" in [warning["code"] for warning in found["warnings"]]


def runs_of(tmp_path, testbed, plimsoll, name, count, service_ms):
    server = testbed("--law", "md1", "--servers", "2", "--service-ms", service_ms)
    for _ in range(count):
        ran = plimsoll("run", server.url + "/work", "-u", 4, "-t", "1s", "-o", tmp_path / name)
        assert ran.code == PASSED, ran.err


@pytest.fixture(name="faster")
def _faster(tmp_path, testbed, plimsoll):
    """Before 20 ms of service, after 10: twice the throughput."""
    runs_of(tmp_path, testbed, plimsoll, "before", 4, 20)
    runs_of(tmp_path, testbed, plimsoll, "after", 4, 10)


def test_whether_the_effect_came(faster, plimsoll):
    sides = ("--before", "before", "--after", "after", "--force")
    ran = plimsoll("experiment", "--change", "disk", "--expect", "+90 % throughput", *sides, "--json")
    found = json.loads(ran.out)
    assert 0.7 < found["effect_share"] < 1.2 and found["low_share"] > .5, found
    ran = plimsoll("experiment", "--change", "disk", "--expect", "+400 % throughput", *sides)
    assert ran.code == 99 and "fell short" in ran.out
    assert plimsoll("experiment", "--expect", "+10 % throughput", *sides).code == 0
    assert plimsoll("experiment", "--expect", "+20 % p95", *sides).code == 99
    assert plimsoll("experiment", "--expect", "better", *sides).code == USAGE
    assert plimsoll("experiment", "--expect", "+5 % throughput", "--before", "before").code == USAGE
