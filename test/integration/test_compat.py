"""The trace of single requests, what other tools' definitions make of it, and vLLM's result file.

Everything is recomputed here from the exported trace, by formulas written down anew, or from the
arrays of the result file, with numpy's definitions of percentile and standard deviation."""

import csv
import io
import json
import math
import re
import sqlite3
import time

import pytest

from conftest import BAD_PLAN, FAILED, free_port, start_program

TOKENS, SERVICE_MS = 10, 100


def percentile(values, share):
    """numpy.percentile's default: linear between the two nearest."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def rank(values, share):
    """numpy's inverted_cdf, which guidellm uses."""
    values = sorted(values)
    return values[max(1, math.ceil(share * len(values))) - 1]


def mean(values):
    return math.fsum(values) / len(values)


def deviation(values):
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def rows_of(plimsoll):
    shown = plimsoll("report", "@last", "--requests", "-")
    assert shown.code == 0, shown.err
    return list(csv.DictReader(io.StringIO(shown.out)))


def objects_of(plimsoll, directory):
    file = directory / "requests.jsonl"
    assert plimsoll("report", "@last", "--requests", file).code == 0
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def streamed(testbed, plimsoll, tmp_path):
    """60 streams of a known pace, one in five of them failing."""
    server = testbed("--law", "fixed", "--service-ms", SERVICE_MS, "--tokens", TOKENS,
                     "--error-rate", "20%", "--seed", 3)
    ran = plimsoll("run", server.url, "--driver", "openai", "--stream", "-u", 6, "-i", 60,
                   "--model", "org/tiny", "--label", "commit=1a2b", "--goodput", "ttft:500 e2el:2000",
                   "--metrics-compat", "vllm,aiperf,guidellm",
                   "--save-result", "--result-dir", "kept", "--result-filename", "result.json")
    ran.check_passed()
    return ran


def test_trace_is_what_the_counts_say(streamed, plimsoll, tmp_path):
    summary = streamed.summary["summary"]
    rows, objects = rows_of(plimsoll), objects_of(plimsoll, tmp_path)
    assert len(rows) == len(objects) == 60
    assert streamed.summary["facts"]["trace.requests"] == "60"
    assert streamed.summary["facts"]["trace.lost"] == "0"
    for name in ("succeeded", "failed"):
        assert sum(row["outcome"] == name for row in rows) == summary[name] > 0
    good = [one for one in objects if one["outcome"] == "succeeded"]
    assert sum(one["output_tokens"] for one in good) == summary["llm"]["output_tokens"]
    assert sum(one["events"] for one in good) == summary["llm"]["content_events"] == TOKENS * len(good)
    ttft = [(one["first_ns"] - one["intended_ns"]) / 1e6 for one in good]
    assert min(ttft) == pytest.approx(summary["llm"]["ttft"]["min_ms"], rel=1e-6)
    assert mean(ttft) == pytest.approx(summary["llm"]["ttft"]["avg_ms"], rel=1e-6)
    assert max(one["end_ns"] - one["intended_ns"] for one in good) / 1e6 == \
        pytest.approx(summary["response"]["max_ms"], rel=1e-6)
    for row, one in zip(rows, objects):
        assert int(row["asked_ns"]) == one["asked_ns"] and row["outcome"] == one["outcome"]
        content = [at for at, kind, _ in one["chunks"] if kind != "empty"]
        gaps = [later - before for before, later in zip(content, content[1:])]
        assert [int(gap) for gap in row["gaps_ns"].split()] == gaps
        assert one["intended_ns"] <= one["asked_ns"] <= one["end_ns"]
        if one["outcome"] == "failed":
            assert (one["status"], one["error"], one["chunks"]) == (500, "error_http_status", [])
        else:
            assert content[0] == one["first_ns"] and content[-1] == one["last_ns"]
            assert one["chunks"][0][1] == "empty", "the chunk with the role is in the trace"


def told(out, tool):
    """The figures printed for a tool, in ms: {metric: (n, mean, p50, p99)}."""
    unit = {"ns": 1e-6, "µs": 1e-3, "ms": 1, "s": 1e3, "": 1}
    part = out.split(f"as told by    {tool}")[1].split("\nwhere ")[0]
    found = {}
    for line in part.splitlines():
        words = re.findall(r"([\d.,]+)(?: (ns|µs|ms|s))?(?=\s|$)", line)
        name = re.match(r"([A-Za-z_][A-Za-z0-9_ ]*?)  ", line)
        if name and words:
            found[name[1]] = [float(number.replace(",", "")) * unit[of] for number, of in words]
    return found


def assert_told(figures, name, values, quantile):
    """Printed figures have three digits."""
    count, middle, median, far = figures[name]
    assert count == len(values), name
    for printed, truth in ((middle, mean(values)), (median, quantile(values, 0.5)),
                           (far, quantile(values, 0.99))):
        assert printed == pytest.approx(truth, rel=6e-3), (name, printed, truth)


def good_requests(plimsoll, tmp_path):
    return [one for one in objects_of(plimsoll, tmp_path) if one["outcome"] == "succeeded"]


def test_vllm_by_its_definitions(streamed, plimsoll, tmp_path):
    figures, good = told(streamed.out, "vllm bench serve"), good_requests(plimsoll, tmp_path)
    chunks = [[at for at, _, _ in one["chunks"]] for one in good]
    asked = [one["asked_ns"] for one in good]
    assert_told(figures, "TTFT", [(c[0] - a) / 1e6 for c, a in zip(chunks, asked)], percentile)
    assert_told(figures, "E2EL", [(c[-1] - a) / 1e6 for c, a in zip(chunks, asked)], percentile)
    assert_told(figures, "ITL", [(b - a) / 1e6 for c in chunks for a, b in zip(c, c[1:])], percentile)
    assert_told(figures, "TPOT", [(c[-1] - c[0]) / 1e6 / (TOKENS - 1) for c in chunks], percentile)
    assert figures["ITL"][0] > streamed.summary["summary"]["llm"]["itl"]["count"], \
        "the gaps after the role and before the finish reason are counted there"


def test_aiperf_and_guidellm_by_their_definitions(streamed, plimsoll, tmp_path):
    good = good_requests(plimsoll, tmp_path)
    first = [(one["first_ns"] - one["asked_ns"]) / 1e6 for one in good]
    decode = [(one["last_ns"] - one["first_ns"]) / 1e6 / (TOKENS - 1) for one in good]
    content = [[at for at, kind, _ in one["chunks"] if kind != "empty"] for one in good]
    figures = told(streamed.out, "AIPerf")
    assert_told(figures, "time_to_first_token", first, percentile)
    assert_told(figures, "time_to_second_token", [(c[1] - c[0]) / 1e6 for c in content], percentile)
    assert_told(figures, "inter_token_latency", decode, percentile)
    assert_told(figures, "inter_chunk_latency",
                [(b - a) / 1e6 for c in content for a, b in zip(c, c[1:])], percentile)
    assert_told(figures, "request_latency",
                [(one["last_ns"] - one["asked_ns"]) / 1e6 for one in good], percentile)
    assert_told(figures, "output_token_throughput_per_user", [1000 / gap for gap in decode], percentile)
    figures = told(streamed.out, "guidellm")
    assert_told(figures, "time_to_first_token_ms", first, rank)
    assert_told(figures, "inter_token_latency_ms", decode, rank)
    assert_told(figures, "time_per_output_token_ms",
                [(one["last_ns"] - one["asked_ns"]) / 1e6 / TOKENS for one in good], rank)
    assert_told(figures, "request_latency",
                [(one["end_ns"] - one["asked_ns"]) / 1e6 for one in good], rank)
    assert_told(figures, "output_tokens_per_iteration", [1] * len(good), rank)


KEYS = """date backend model_id tokenizer_id num_prompts request_rate burstiness max_concurrency duration
completed failed total_input_tokens total_output_tokens request_throughput request_goodput output_throughput
total_token_throughput input_lens output_lens ttfts itls generated_texts errors start_times latencies
queue_times max_output_tokens_per_s max_concurrent_requests""".split()


def test_vllm_result_file(streamed, plimsoll, tmp_path):
    """vLLM's key names; every aggregate is what numpy would make of the arrays, to the digits."""
    file = json.loads((tmp_path / "kept/result.json").read_text())
    assert not [key for key in KEYS if key not in file]
    assert re.fullmatch(r"\d{8}-\d{6}", file["date"])
    assert (file["backend"], file["model_id"], file["commit"]) == ("openai-chat", "org/tiny", "1a2b")
    assert (file["num_prompts"], file["request_rate"], file["max_concurrency"]) == (60, "inf", 6)
    fine = [not error for error in file["errors"]]
    assert sum(fine) == file["completed"] and 60 - sum(fine) == file["failed"] > 0
    lists = ("input_lens", "output_lens", "ttfts", "itls", "generated_texts", "errors", "latencies")
    assert {len(file[name]) for name in lists} == {60}
    of = lambda name: [value for value, succeeded in zip(file[name], fine) if succeeded]
    tpots = [(latency - ttft) / (tokens - 1)
             for latency, ttft, tokens in zip(of("latencies"), of("ttfts"), of("output_lens"))]
    e2els = [ttft + math.fsum(gaps) for ttft, gaps in zip(of("ttfts"), of("itls"))]
    assert e2els == pytest.approx(of("latencies"), rel=1e-9)
    figures = {"ttft": of("ttfts"), "tpot": tpots, "e2el": of("latencies"),
               "itl": [gap for gaps in of("itls") for gap in gaps]}
    for name, values in figures.items():
        exact = lambda truth: pytest.approx(1000 * truth, rel=1e-12)
        assert file[f"mean_{name}_ms"] == exact(mean(values))
        assert file[f"std_{name}_ms"] == pytest.approx(1000 * deviation(values), rel=1e-9)
        assert file[f"median_{name}_ms"] == exact(percentile(values, 0.5))
        for share in (50, 90, 95, 99):
            assert file[f"p{share}_{name}_ms"] == exact(percentile(values, share / 100)), (name, share)
    assert file["total_output_tokens"] == sum(of("output_lens")) == TOKENS * sum(fine)
    assert file["total_input_tokens"] == sum(of("input_lens"))
    whole = lambda count: pytest.approx(count / file["duration"], rel=1e-12)
    assert file["request_throughput"] == whole(sum(fine))
    assert file["output_throughput"] == whole(file["total_output_tokens"])
    assert file["total_token_throughput"] == whole(file["total_output_tokens"] + file["total_input_tokens"])
    good = sum(ttft <= 0.5 and latency <= 2 for ttft, latency in zip(of("ttfts"), of("latencies")))
    assert file["request_goodput"] == whole(good)
    assert file["max_concurrent_requests"] == 6


def test_vllm_block(streamed, plimsoll, tmp_path):
    """Line by line as vllm bench serve prints it, 50 columns wide."""
    file = json.loads((tmp_path / "kept/result.json").read_text())
    lines = plimsoll("report", "@last", "--format", "vllm-text").out.splitlines()
    assert lines[0] == "============ Serving Benchmark Result ============" and lines[-1] == "=" * 50
    assert "---------------Time to First Token----------------" in lines
    assert "-----Time per Output Token (excl. 1st token)------" in lines
    found = {line[:40].strip(): line[41:].strip() for line in lines if line[:1].isalpha()}
    assert found["Successful requests:"] == str(file["completed"])
    assert found["Total generated tokens:"] == str(file["total_output_tokens"])
    for words, key in (("Benchmark duration (s):", "duration"), ("Mean TTFT (ms):", "mean_ttft_ms"),
                       ("Request throughput (req/s):", "request_throughput"),
                       ("Request goodput (req/s):", "request_goodput"),
                       ("Median TPOT (ms):", "median_tpot_ms"), ("P99 ITL (ms):", "p99_itl_ms"),
                       ("P99 E2EL (ms):", "p99_e2el_ms")):
        assert found[words] == f"{file[key]:.2f}", words


def test_open_load_is_told(testbed, plimsoll, tmp_path):
    server = testbed("--law", "fixed", "--service-ms", 20)
    plimsoll("run", server.url, "--driver", "openai", "--stream", "--request-rate", 40, "--num-prompts", 40,
             "--max-concurrency", 30, "--max-tokens", 4, "--save-result").check_passed()
    names = [path.name for path in tmp_path.glob("openai-chat-40qps-concurrency30-default-*.json")]
    assert len(names) == 1, list(tmp_path.iterdir())
    file = json.loads((tmp_path / names[0]).read_text())
    assert (file["request_rate"], file["max_concurrency"], file["completed"]) == (40, 30, 40)
    assert file["request_goodput"] is None


def test_continuous_usage_and_reasoning(testbed, plimsoll, tmp_path):
    """A trace says which chunk brought how many tokens where the server says so."""
    server = testbed("--law", "fixed", "--service-ms", 40)
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"""
target: {server.url}
trace: requests
trace_most: 7
scenarios:
  main:
    vus: 1
    iterations: 10
    tasks: [{{ openai.chat: {{ stream: true, max_tokens: 6, continuous_usage_stats: true }} }}]
""")
    facts = plimsoll("run", plan).check_passed().summary["facts"]
    assert (facts["trace.requests"], facts["trace.lost"]) == ("7", "3")
    objects = objects_of(plimsoll, tmp_path)
    assert len(objects) == 7
    for one in objects:
        tokens = [count for _, kind, count in one["chunks"] if kind == "content"]
        assert one["token_source"] in ("continuous usage", "usage")
        if one["token_source"] == "continuous usage":
            assert sum(tokens) == one["output_tokens"] == 6


def test_trace_survives_a_kill(testbed, tmp_path, plimsoll):
    """Of a run that is killed, requests are there up to the last second, and all of them whole."""
    server = testbed("--law", "fixed", "--service-ms", 50)
    process = start_program(tmp_path, "run", server.url, "--driver", "openai", "--stream", "--rate", 50,
                            "-t", "60s", "--trace", "requests")
    time.sleep(3)
    process.kill()
    process.communicate()
    rows = rows_of(plimsoll)
    assert len(rows) > 50
    assert all(int(row["events"]) == len(row["gaps_ns"].split()) + 1 for row in rows)
    with sqlite3.connect(f"file:{next((tmp_path / 'runs').glob('*.plim'))}?mode=ro", uri=True) as file:
        assert file.execute("SELECT count(*) FROM traces WHERE outcome = 'succeeded'").fetchone()[0] > 50


def test_the_last_of_one_second(testbed, plimsoll):
    """Runs that begin in the same second: @last is the last of them."""
    server = testbed()
    for number in range(4):
        plimsoll("run", server.url + "/health", "-i", 1, "--no-report", "-q", "--label", f"run={number}")
        shown = plimsoll("report", "@last", "--format", "json")
        assert json.loads(shown.out)["run"]["labels"] == {"run": str(number)}


def test_without_a_trace(testbed, plimsoll):
    server = testbed()
    plimsoll("run", server.url + "/health", "-i", 3).check_passed()
    for words in (["--metrics-compat", "vllm"], ["--requests", "-"], ["--format", "vllm"],
                  ["--format", "vllm-text"]):
        shown = plimsoll("report", "@last", *words)
        assert shown.code == FAILED and "no trace of single requests" in shown.err, (words, shown.err)
        assert "--trace requests" in shown.err and not shown.out
    for verb in (["run", server.url], ["report", "@last"]):
        shown = plimsoll(*verb, "--metrics-compat", "vlm")
        assert shown.code == BAD_PLAN and "vllm, aiperf and guidellm" in shown.err
