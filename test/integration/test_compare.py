"""Runs compared with runs on a testbed whose law is fixed: the same service twice, one that is 30 %
slower, baselines, limits that are multiples of them, and the history of many runs."""

import json
import shutil
import subprocess

import pytest

from conftest import BAD_PLAN, PASSED, SATURATED, TESTBED, THRESHOLDS, run_program, tried

WORSE, REFUSED = 99, 98
PLAN = """target: ${TARGET:-http://127.0.0.1:1}
name: work
scenarios: { a: { vus: 2, duration: 1s, tasks: [{ name: work, get: /work }] } }
"""


class Runs:
    """Five runs of a service, five of it again in turn with five of a slower one."""

    def __init__(self, directory, urls):
        self.directory, self.urls = directory, urls
        (directory / "work.yaml").write_text(PLAN)
        self.codes = {self.make(side, side)
                      for side in ["old"] * 5 + ["same", "slow"] * 5}

    def make(self, side, folder, *words):
        """One run; made again where this machine was too crowded for it."""
        folder = self.directory / folder
        for _ in range(3):
            before = set(folder.glob("*"))
            ran = run_program(self.directory, "run", "work.yaml", "--host", self.urls[side], "-q",
                              "--no-report", "-o", folder, *words)
            assert ran.code in (PASSED, SATURATED), ran.err
            if ran.code == PASSED:
                return ran.code
            for path in set(folder.glob("*")) - before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        pytest.skip("SKIPPED LOUDLY: this machine is too crowded: the generator was saturated")

    def call(self, *words, code):
        # A crowded machine may saturate the generator, which then makes runs incomparable.
        forced = ["--force"] if words[0] == "compare" and SATURATED in self.codes else []
        ran = run_program(self.directory, *words, *forced)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return ran


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory):
    started, urls = [], {}
    for side, service in (("old", 20), ("slow", 26)):
        process = subprocess.Popen([TESTBED, "--port", "0", "--law", "fixed", "--service-ms",
                                    str(service)], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        urls[side] = f"http://127.0.0.1:{process.stdout.readline().strip().rpartition(':')[2]}"
    urls["same"] = urls["old"]
    yield Runs(tmp_path_factory.mktemp("compare"), urls)
    for process in started:
        process.terminate()
        process.wait(timeout=10)


def test_the_same_service_is_not_worse(runs):
    found = json.loads(runs.call("compare", "old", "same", "--metric", "p50", "--margin", "10%",
                                 "--json", code=0).out)
    assert found["verdict"] in ("equivalent", "inconclusive")
    assert found["base_runs"] == found["new_runs"] == 5 and found["runs_needed"] == 4
    assert found["primary"]["p"] >= 2 / 252 and found["primary"]["better"] == "lower"


def test_a_slower_service_is_worse(runs):
    found = json.loads(runs.call("compare", "old", "slow", "--metric", "p50", "--margin", "5%",
                                 "--json", code=WORSE).out)
    assert found["verdict"] == "worse" and found["primary"]["metric"] == "response p50"
    assert .2 < found["primary"]["shift_ratio"] < .4
    assert found["primary"]["p"] < .02  # 2 / 252, or more where medians share a bucket
    beside = {row["metric"]: row for row in found["secondary"]}
    assert {"response p95", "response avg", "throughput", "error_rate"} <= set(beside)
    assert all(row["p_holm"] >= row["p"] for row in beside.values())
    assert any("target" in row["words"] and not row["blocks"] for row in found["differences"])
    back = runs.call("compare", "--base", *sorted(runs.directory.glob("slow/*.plim")), "--new",
                     "old/*.plim", "--metric", "throughput", "--margin", "5%", code=0)
    assert back.out.startswith("BETTER    throughput, higher is better, margin 5 %")
    assert max(map(len, back.out.splitlines())) <= 80


def test_designs_that_can_not_tell_are_refused(runs):
    one, other = sorted(runs.directory.glob("old/*.plim"))[:2]
    ran = runs.call("compare", one, other, code=REFUSED)
    assert ran.out.startswith("REFUSED") and "need >= 4 runs" in ran.out
    assert "within the run" in ran.out and "not a test" in ran.out
    ran = runs.call("compare", "old", "old", "--metric", "p50", code=0 if SATURATED in runs.codes
                    else REFUSED)
    assert "5 runs are given twice" in ran.out


def test_other_loads_are_not_comparable(runs):
    for _ in range(4):
        runs.make("old", "more", "-u", "3", "-t", "300ms")
    ran = run_program(runs.directory, "compare", "old", "more", "--metric", "p50")
    assert ran.code == REFUSED and ran.out.startswith("NOT COMPARABLE"), ran.out
    assert "! load: 2 users" in ran.out and "3 users" in ran.out
    assert run_program(runs.directory, "compare", "old", "more", "--metric", "p50", "--margin",
                       "30%", "--force").code == 0


@pytest.mark.parametrize("words,said", [
    (("compare", "old"), "two sides are wanted"),
    (("compare", "old", "nowhere"), "nowhere can not be read"),
    (("compare", "old", "nowhere/*.plim"), "there is no run file nowhere/*.plim"),
    (("compare", "old", "@baseline:gone"), 'there is no baseline "gone"'),
    (("compare", "old", "slow", "same"), '"same" is of neither side'),
    (("compare", "old", "slow", "--metric", "ttft p95"), 'this run has no metric "ttft"'),
    (("compare", "old", "slow", "--metric", "p95 of it"), "is no metric; for example p95"),
    (("compare", "work.yaml", "slow"), "work.yaml can not be read: it is not a run file"),
    (("baseline", "set", "a/b", "old"), "is no name"),
    (("baseline", "set", "a"), "a name and runs are wanted"),
    (("baseline", "show", "gone"), 'there is no baseline "gone"'),
    (("baseline", "remove", "gone"), 'there is no baseline "gone"'),
    (("baseline", "clear"), "there are set, list, show and remove"),
])
def test_errors_say_what_to_do(runs, words, said):
    ran = run_program(runs.directory, *words)
    assert ran.code == BAD_PLAN and said in ran.err, (ran.code, ran.out, ran.err)


def test_a_baseline_outlives_its_runs(runs):
    shutil.copytree(runs.directory / "old", runs.directory / "gone-soon")
    ran = runs.call("baseline", "set", "before", "gone-soon", code=0)
    assert "baseline before: 5 runs kept, in .plimsoll/baselines/before" in ran.out
    shutil.rmtree(runs.directory / "gone-soon")
    assert runs.call("baseline", "list", code=0).out.split() == ["before", "5", "runs"]
    assert "before: 5 runs of work" in runs.call("baseline", "show", "before", code=0).out
    runs.call("compare", "@baseline:before", "slow", "--metric", "p50", code=WORSE)
    runs.call("baseline", "set", "before", "slow", "--add", code=0)
    assert "10 runs" in runs.call("baseline", "list", code=0).out
    runs.call("baseline", "set", "before", "slow", "--baselines", "elsewhere", code=0)
    runs.call("baseline", "remove", "before", code=0)
    assert "no baseline in" in runs.call("baseline", "list", code=0).out
    assert not list((runs.directory / ".plimsoll/baselines").iterdir())
    assert len(list((runs.directory / "elsewhere/before").glob("*.plim"))) == 5


@tried
def test_limits_by_a_baseline(runs):
    runs.call("baseline", "set", "lasting", "old", code=0)
    limits = 'thresholds: { response: ["p(50)<baseline*1.15", "avg < 5 * baseline"],' \
             ' throughput: ["rate > baseline - 90%"] }\n'
    (runs.directory / "limits.yaml").write_text(PLAN + limits)
    ran = run_program(runs.directory, "run", "limits.yaml", "--host", runs.urls["same"],
                      "--baseline", "lasting", "-o", "limited")
    assert ran.code in (PASSED, SATURATED) and ran.out.count(" met") == 3, (ran.out, ran.err)
    said = " ".join(ran.out.split())
    assert "in the baseline lasting (5 runs)" in said and "no baseline:" not in said
    ran = run_program(runs.directory, "run", "limits.yaml", "--host", runs.urls["slow"],
                      "--baseline", "lasting", "-o", "limited")
    assert ran.code in (THRESHOLDS, SATURATED), (ran.out, ran.err)
    assert " failed" in ran.out
    ran = run_program(runs.directory, "run", "limits.yaml", "--baseline", "missing")
    assert ran.code == BAD_PLAN and "nothing was sent" in ran.err
    assert 'no baseline "missing" in .plimsoll/baselines; there are' in ran.err
    (runs.directory / "named.yaml").write_text(PLAN + "baseline: missing\n")
    ran = run_program(runs.directory, "validate", "named.yaml")
    assert ran.code == BAD_PLAN and 'no baseline "missing"' in ran.err, (ran.out, ran.err)
    ran = run_program(runs.directory, "validate", "limits.yaml")
    assert ran.code == BAD_PLAN and "needs a baseline, and the plan names none" in ran.err


def test_a_run_is_kept_by_its_label(runs):
    words = ("run", "work.yaml", "--host", runs.urls["old"], "--label", "baseline=kept", "-o", "own")
    first = run_program(runs.directory, *words, "-t", "500ms")
    if first.code == SATURATED:
        pytest.skip("SKIPPED LOUDLY: this machine is too crowded for a run that passes")
    assert "this run is now kept (.plimsoll/baselines/kept)" in first.out
    assert "no baseline:" not in first.out
    again = run_program(runs.directory, *words, "--baseline", "kept", "-t", "500ms")
    if again.code == SATURATED:
        pytest.skip("SKIPPED LOUDLY: this machine is too crowded for a run that passes")
    assert "kept stays as it is: this run was compared with it" in again.out


def test_the_history_of_runs(runs):
    history = runs.directory / "history"
    shutil.copytree(runs.directory / "old", history)
    for path in runs.directory.glob("slow/*.plim"):
        shutil.copy(path, history / f"slow-{path.name}")
    found = json.loads(runs.call("detect", "--runs", "history", "--metric", "p50", "--json",
                                 code=0).out)
    assert [change["index"] for change in found["changes"]] == [5], found
    assert found["changes"][0]["run"].startswith("history/slow-")
    assert found["metric"] == "response p50" and len(found["runs"]) == 10
    shown = runs.call("detect", "--runs", "history", "--metric", "p50", code=0).out
    assert "1 change of response p50 in 10 runs" in shown and found["changes"][0]["run"] in shown
    same = json.loads(runs.call("detect", "--runs", "old", "same", "--metric", "p50", "--json",
                                code=0).out)
    assert len(same["runs"]) == 10
    shutil.rmtree(history)
    ran = run_program(runs.directory, "detect", "--runs", "old", "--metric", "p99.9")
    assert ran.code == BAD_PLAN and "no run has response p99.9" in ran.err
