"""The scenarios that come with the program: each is a plan without notes, each one of the
requirements' metrics is in the result, and the shares of the tasks are exact."""

import re
import subprocess

import pytest

from conftest import BAD_PLAN, PASSED, PLIMSOLL, ROOT, SATURATED, THRESHOLDS

NAMES = sorted(path.stem for path in (ROOT / "example/scenario").glob("*.yaml"))

# What the requirements ask of each: tasks with their weights, levels of users, seconds a level.
ASKED = {
    "api-gateway": ({"chat": 70, "models": 20, "health": 10}, [10, 50, 100], 300),
    "api-gateway-baseline": ({"chat": 70, "models": 20, "health": 10}, [1], 120),
    "rag-service": ({"query": 70, "index": 30}, [5, 25, 50], 300),
    "mcp-server": ({"read-file": 18, "write-file": 18, "read-outside": 4, "git-status": 20,
                    "git-log": 20, "fetch-page": 20}, [5, 20], 300),
    "stress": ({"chat": 70, "models": 20, "health": 10}, [100], 900),
    "inference-scale": ({"generate": 100}, [10, 20, 30, 40, 50], 60),
    "inference-sustained": ({"generate": 100}, [50], 600),
}


def explain(name, *words, env=None):
    done = subprocess.run([PLIMSOLL, "validate", f"scenario:{name}", *words], capture_output=True,
                          text=True, timeout=30, cwd="/", env=env or {})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def test_the_list_names_them_all_with_a_sentence(plimsoll):
    listed = plimsoll("list", "scenarios").out.splitlines()[1:]
    rows = dict(line.split(maxsplit=1) for line in listed if re.match(r"  \S", line))
    assert sorted(rows) == NAMES and len(NAMES) >= 14
    assert all(len(sentence) > 20 for sentence in rows.values()), rows


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_plan_without_notes(name):
    words = explain(name)
    assert words.startswith(f"{name} against http://127.0.0.1:"), words
    assert "TARGET" not in words.splitlines()[0]


@pytest.mark.parametrize("name", ASKED)
def test_each_is_what_the_requirements_ask(name):
    tasks, levels, seconds = ASKED[name]
    words = explain(name)
    shares = {task: float(share) for share, task in re.findall(r"([\d.]+) % ([\w-]+)$", words, re.M)}
    assert shares == {task: float(share) for task, share in tasks.items()}
    minutes = seconds // 60
    found = [int(users) for users, held in re.findall(r"(\d+) users?, (\d+)m$", words, re.M)
             if int(held) == minutes]
    assert found == levels, words


def test_the_target_and_other_words_of_the_command_line_win():
    words = explain("stress", "--target", "http://127.0.0.9:99", "-u", "7", "-t", "3m",
                    env={"TARGET": "http://127.0.0.8:88"})
    assert "http://127.0.0.9:99" in words.splitlines()[0] and "3m" in words.splitlines()[0]
    assert re.search(r"7 users, 3m", words), words
    assert "127.0.0.8:88" in explain("stress", env={"TARGET": "http://127.0.0.8:88"}).splitlines()[0]


def test_an_unknown_one_is_an_error_that_names_those_there_are(plimsoll):
    for verb in ("run", "validate"):
        ran = plimsoll(verb, "scenario:api-gatway")
        assert ran.code == BAD_PLAN
        assert 'no scenario "api-gatway"' in ran.err and "api-gateway-baseline" in ran.err


def check_shares(summary, tasks, threads):
    """Every count within one request a thread of its exact share."""
    rows = {row["name"]: row["summary"] for row in summary["requests"]}
    assert set(rows) == set(tasks)
    counts = {name: row["requests"] + row["abandoned"] for name, row in rows.items()}
    whole, weight = sum(counts.values()), sum(tasks.values())
    for name, share in tasks.items():
        exact = whole * share / weight
        assert abs(counts[name] - exact) <= threads, (name, counts, exact)
    return whole


def check_metrics(figures):
    """The metrics that the requirements want captured in each run."""
    times = figures["response"]
    assert times["count"] > 0
    for key in ("min_ms", "avg_ms", "p50_ms", "p95_ms", "max_ms"):
        assert times[key] > 0, (key, times)
    assert times["p99_ms"] is not None or times["too_few_needs"]["p99"] > figures["requests"]
    assert times["min_ms"] <= times["p50_ms"] <= times["p95_ms"] <= times["max_ms"]
    assert figures["rate_rps"] > 0
    assert figures["rate_rpm"] == pytest.approx(60 * figures["rate_rps"])
    assert figures["requests"] == figures["succeeded"] + figures["failed"]
    assert figures["error_ratio"] == figures["failed"] / figures["requests"]
    assert set(figures["errors"]["rolled_up"]) >= {"timeout", "connection", "validation"}
    assert figures["failed_assertions"] == 0 and figures["passed_assertions"] > 0


def test_the_api_gateway(testbed, plimsoll):
    server = testbed("--law", "fixed", "--service-ms", 20)
    ran = plimsoll("run", "scenario:api-gateway", "--target", server.url, "--time-scale", 0.01,
                   "--threads", 2).check_passed()
    summary = ran.summary
    assert check_shares(summary, ASKED["api-gateway"][0], 2) > 60
    check_metrics(summary["summary"])
    assert summary["run"]["name"] == "api-gateway" and summary["run"]["time_scale_ratio"] == 0.01
    assert any("multiplied by 0.01" in words for words in summary["advice"]), summary["advice"]
    assert any("think times were not" in words for words in summary["advice"])
    verdict = summary["verdict"]
    assert (verdict["objectives"], verdict["objectives_met"]) == (4, 4), summary["verdicts"]
    assert verdict["objectives_needed_ratio"] == 0.8
    levels = [phase["target"] for phase in summary["phases"] if phase["level"]]
    assert levels == [10, 50, 100]
    if ran.code == SATURATED:  # the verdict's sentence is then about the generator
        pytest.skip("this machine is too busy: its own lateness is all that the run could say")
    assert re.search(r"4 of 4 objectives met \(80 % needed\)", ran.out), ran.out
    assert "multiplied by 0.01" in ran.out


def test_the_baseline_is_found_by_its_label(testbed, plimsoll):
    """One request a second by one user; the label is kept beside those of the command line."""
    server = testbed("--law", "fixed", "--service-ms", 20)
    ran = plimsoll("run", "scenario:api-gateway-baseline", "--target", server.url, "--time-scale", 0.05,
                   "--label", "commit=1a2b3c").check_passed()
    assert ran.summary["run"]["labels"] == {"baseline": "api-gateway", "commit": "1a2b3c"}
    assert 5 <= ran.summary["summary"]["requests"] <= 7
    assert ran.summary["verdict"]["objectives_met"] == 2
    if ran.code == PASSED:  # and it is then the baseline of that name
        assert "this run is now api-gateway (.plimsoll/baselines/api-gateway)" in ran.out
        kept = list((ran.directory / ".plimsoll/baselines/api-gateway").iterdir())
        assert [path.name for path in kept] == [ran.file.name]


@pytest.mark.thorough
@pytest.mark.parametrize("name, least", [("api-gateway", 1000), ("rag-service", 400), ("mcp-server", 150)])
def test_shares_at_a_tenth_of_the_time(name, least, testbed, plimsoll):
    server = testbed("--law", "fixed", "--service-ms", 20)
    ran = plimsoll("run", f"scenario:{name}", "--target", server.url, "--time-scale", 0.1, "--threads", 2).check_passed()
    assert check_shares(ran.summary, ASKED[name][0], 2) > least
    assert ran.summary["summary"]["failed"] == 0
    assert ran.summary["verdict"]["objectives_met"] == ran.summary["verdict"]["objectives"]


def test_what_misses_a_target_is_accepted_and_what_misses_more_fails(testbed, plimsoll):
    # p95 of 2.2 s: above the target of 2 s, within the 2.5 s accepted; the mean fails.
    server = testbed("--law", "fixed", "--service-ms", 2200)
    ran = plimsoll("run", "scenario:stress", "--target", server.url, "-u", 60, "-t", "6s")
    judged = {(row["words"], row["scope"]): row["verdict"] for row in ran.summary["verdicts"]}
    by_words = {words.split(" ", 2)[0] + " " + words.split(" ", 2)[1]: verdict
                for (words, _), verdict in judged.items()}
    assert by_words["response_time p95"] == "accepted", judged
    assert by_words["response_time avg"] == "failed", judged
    # 3 of 4 are 75 %: below the 80 % that are needed; exit code as for a threshold.
    assert ran.code == THRESHOLDS, ran.err
    assert "of 4 objectives met" in ran.out


def test_the_rag_service(testbed, plimsoll):
    server = testbed("--law", "none", "--vectors", 2000)  # a query costs little on a busy machine too
    ran = plimsoll("run", "scenario:rag-service", "--target", server.url, "--time-scale", 0.01,
                   "--scale-think", "--threads", 2).check_passed()
    summary = ran.summary
    assert check_shares(summary, ASKED["rag-service"][0], 2) > 100
    check_metrics(summary["summary"])
    assert any("think times too" in words for words in summary["advice"])
    assert summary["verdict"]["objectives_met"] == 4, summary["verdicts"]
    services = {(row["service"], row["outcome"]): row["hits"] for row in summary["services"]}
    assert services[("qdrant", "answered")] == summary["summary"]["requests"]


def test_the_mcp_server_in_the_plain_dialect(testbed, plimsoll):
    server = testbed("--law", "none")
    ran = plimsoll("run", "scenario:mcp-server", "--target", server.url, "--time-scale", 0.01,
                   "--set", "scenarios.agents.think=0.5s..1s", "--threads", 2).check_passed()
    summary = ran.summary
    assert check_shares(summary, ASKED["mcp-server"][0], 2) >= 60
    assert summary["summary"]["failed"] == 0, summary["examples"]
    assert summary["summary"]["driver_counters"]["mcp_sandbox_violations"] == 0
    outside = next(row for row in summary["requests"] if row["name"] == "read-outside")
    assert outside["summary"]["succeeded"] == outside["summary"]["requests"]
    verdicts = {row["words"]: row["verdict"] for row in summary["verdicts"]}
    assert next(v for k, v in verdicts.items() if "violations" in k) == "met", verdicts


@pytest.mark.parametrize("name,levels", [("inference-scale", 5), ("inference-sustained", 1)])
def test_inference(name, levels, testbed, plimsoll):
    server = testbed("--law", "fixed", "--service-ms", 50)
    ran = plimsoll("run", f"scenario:{name}", "--target", server.url, "--time-scale", 0.01,
                   "--threads", 2)
    summary = ran.check_passed().summary
    assert summary["summary"]["failed"] == 0 and summary["summary"]["requests"] > 200
    assert summary["summary"]["response"]["min_ms"] >= 50
    assert len([phase for phase in summary["phases"] if phase["level"]]) == levels


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("agent-")])
def test_the_agents(name, testbed, plimsoll):
    server = testbed("--law", "none")
    ran = plimsoll("run", f"scenario:{name}", "--target", server.url, "--time-scale", 0.01,
                   "--scale-think", "--threads", 1)
    assert ran.code in (PASSED, THRESHOLDS, SATURATED), ran.err  # hurried so, agents may be late
    summary = ran.summary
    assert summary["summary"]["failed"] == 0 and summary["summary"]["requests"] > 20
    assert summary["slo_availability_passed"] is True
    if "spike" in name:
        targets = {phase["target"] for phase in summary["phases"]}
        assert targets == {12, 48}, targets


def test_embeddings(testbed, plimsoll):
    server = testbed("--law", "none")
    ran = plimsoll("run", "scenario:embedding", "--target", server.url, "--time-scale", 0.03,
                   "--set", "objectives_needed=0%")
    figures = ran.check_passed().summary["summary"]
    assert figures["failed"] == 0 and figures["requests"] > 20


def test_vector_search(testbed, plimsoll):
    server = testbed("--law", "none")  # a collection of 100,000 vectors, searched exactly
    ran = plimsoll("run", "scenario:vector", "--target", server.url, "--time-scale", 0.03,
                   "-u", 4, "--set", "scenarios.users.levels=[1, 2]",
                   "--set", "objectives_needed=0%")
    figures = ran.check_passed().summary["summary"]
    assert figures["failed"] == 0 and figures["requests"] >= 1  # a search may take a second here
    assert figures["failed_assertions"] == 0 and figures["passed_assertions"] > 0


def test_nothing_of_one_deployment_is_in_the_program():
    """Hosts, models and products of the requirements' deployments are a user's, and live in
    example/citadel, ai-suite, gke-l4 and amas."""
    foreign = re.compile(r"citadel|\bamas|192\.168\.|gemma|qwen|RTX ?\d{4}|g2-standard|us-east1|"
                         r":6333/|ai-suite", re.I)
    places = [p for place in ("src", "include", "example/scenario") for p in (ROOT / place).rglob("*")
              if p.is_file()]
    assert len(places) > 200
    places.remove(ROOT / "src/study/remedy_table.c")  # lists the GPUs on the market, with their memory
    found = [f"{p.relative_to(ROOT)}: {m[0]}" for p in places
             for m in [foreign.search(p.read_text(errors="replace"))] if m]
    assert not found, found
    for deployment in ("citadel", "ai-suite", "gke-l4", "amas"):
        folder = ROOT / "example" / deployment
        assert (folder / "README.md").exists(), folder
        plans = sorted(folder.glob("*.yaml"))
        assert plans, folder
        for plan in plans:
            done = subprocess.run([PLIMSOLL, "validate", plan, "--quiet"], capture_output=True,
                                  text=True, timeout=30, env={})
            assert done.returncode == 0 and done.stderr == "", done.stderr
