"""The ollama driver against the testbed, whose tokens have a known pace and whose durations are known
too: under a fixed law token k of T is due at S * k / T."""

import json
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import TESTBED, free_port, tried, wait_port


def post(url, **body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return [json.loads(line) for line in reply.read().splitlines()]


@tried
def test_the_testbed_speaks_ollama(testbed):
    url = testbed("--law", "fixed", "--service-ms", 50).url
    lines = post(url + "/api/generate", model="m", prompt="12345678", options={"num_predict": 4})
    assert [line["done"] for line in lines] == [False] * 4 + [True]
    assert all(line["response"] for line in lines[:4]) and lines[4]["response"] == ""
    assert (lines[4]["prompt_eval_count"], lines[4]["eval_count"]) == (2, 4)
    assert lines[4]["prompt_eval_duration"] >= 12e6 and lines[4]["eval_duration"] >= 36e6
    lines = post(url + "/api/chat", model="m", stream=False, messages=[{"role": "user", "content": "hi"}])
    assert len(lines) == 1 and lines[0]["done"] and lines[0]["message"]["content"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(url + "/api/generate", model="m")
    assert refused.value.code == 400


@pytest.mark.parametrize("path", ["/api/generate", "/api/chat"])
@tried
def test_tokens_of_a_known_pace(testbed, plimsoll, path):
    url = testbed("--law", "fixed", "--service-ms", 200).url
    ran = plimsoll("run", url + path, "--driver", "ollama", "--max-tokens", 10, "-u", 4, "-i", 60, "--threads", 1)
    summary = ran.check_passed().summary["summary"]
    llm = summary["llm"]
    assert (summary["succeeded"], llm["output_tokens"], llm["content_events"]) == (60, 600, 600)
    assert llm["token_source"] == "usage" and llm["prompt_tokens"] > 60
    assert llm["ttft"]["p50_ms"] == pytest.approx(20, abs=5)
    assert llm["itl"]["count"] == 540 and llm["itl"]["p50_ms"] == pytest.approx(20, abs=2)
    assert llm["tpot"]["p50_ms"] == pytest.approx(20, abs=2)
    assert llm["server_prompt"]["p50_ms"] == pytest.approx(20, abs=5)
    assert llm["server_decode"]["p50_ms"] == pytest.approx(180, abs=10)
    assert llm["server_load"] is None, "no duration is no duration of 0"


def test_all_verbs_of_a_plan(testbed, plimsoll, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"""
target: {testbed().url}
scenarios:
  main:
    vus: 2
    iterations: 40
    tasks:
      - ollama.generate: {{ prompt: "a \\"quoted\\" {{{{ vu }}}}", options: {{ num_predict: 3, temperature: 0 }} }}
      - {{ name: whole, ollama.chat: {{ stream: false, max_tokens: 5, extra: {{ user: "u{{{{ vu }}}}" }} }} }}
      - ollama.tags: {{}}
      - {{ name: loaded, ollama.ps: {{}} }}
""")
    document = plimsoll("run", plan).check_passed().summary
    by_name = {request["name"]: request["summary"] for request in document["requests"]}
    # Two threads share the iterations: each task is within one of its exact share a thread.
    assert all(8 <= request["succeeded"] <= 12 and request["failed"] == 0
               for request in by_name.values()), by_name
    assert sum(request["succeeded"] for request in by_name.values()) == 40
    generated, whole = by_name["ollama.generate"], by_name["whole"]
    assert generated["llm"]["output_tokens"] == 3 * generated["succeeded"]
    assert whole["llm"]["output_tokens"] == 5 * whole["succeeded"] and by_name["whole"]["llm"]["ttft"] is None
    assert by_name["ollama.tags"]["llm"] is None


def test_words_of_a_failure(testbed, plimsoll, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"""
target: {testbed().url}
scenarios: {{ main: {{ vus: 1, iterations: 3, tasks: [ {{ ollama.chat: {{ messages: [] }} }} ] }} }}
""")
    document = plimsoll("run", plan).summary
    assert document["summary"]["failed"] == 3
    assert any("messages" in example["words"] for example in document["examples"])
