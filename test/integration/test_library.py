"""libplimsoll as a user meets it: installed, found by pkg-config, its example compiled with nothing
but that, and run against the testbed."""

import json
import os
import re
import subprocess

import pytest

from conftest import BIN, ROOT, need

BUILD = BIN.parent
WARNINGS = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    if not (BUILD / "cmake_install.cmake").exists():
        pytest.skip(f"SKIPPED LOUDLY: {BUILD} is not a build folder, nothing was installed")
    prefix = tmp_path_factory.mktemp("prefix")
    done = subprocess.run([need("cmake"), "--install", BUILD, "--prefix", prefix],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return prefix


def flags(prefix):
    paths = [str(p.parent) for p in prefix.rglob("plimsoll.pc")]
    assert len(paths) == 1, paths
    done = subprocess.run([need("pkg-config"), "--cflags", "--libs", "plimsoll"], text=True,
                          capture_output=True, env={**os.environ, "PKG_CONFIG_PATH": paths[0]})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def library(prefix):
    return next(prefix.rglob("libplimsoll.so"))


def compile_c(prefix, source, program):
    done = subprocess.run(["cc", *WARNINGS, source, "-o", program, *flags(prefix), "-lpthread"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return program


def run_c(prefix, program, directory, *words):
    env = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(library(prefix).parent),
           "TARGET": "http://127.0.0.1:1"}  # which the library must not read
    return subprocess.run([program, *map(str, words)], cwd=directory, env=env, text=True,
                          capture_output=True, timeout=120)


def test_only_the_header_s_names_are_visible(installed):
    done = subprocess.run(["nm", "-D", "--defined-only", library(installed)], text=True,
                          capture_output=True)
    names = {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}
    header = (ROOT / "include/plimsoll/plimsoll.h").read_text()
    declared = set(re.findall(r"\b(plimsoll_\w+)\(", header))
    assert names == declared & names and len(names) > 20, names - declared
    missing = {name for name in declared - names if re.search(rf"PLIMSOLL_API[^;]*\b{name}\(", header)}
    assert not missing


def test_the_header_is_c_and_c_plus_plus(installed, tmp_path):
    for compiler, suffix in (("cc", "c"), ("c++", "cc")):
        source = tmp_path / f"all.{suffix}"
        source.write_text("#include <plimsoll/plimsoll.h>\n"
                          "int main(void) { return plimsoll_version()[0] == 0; }\n")
        done = subprocess.run([need(compiler), "-Wall", "-Wextra", "-Wpedantic", "-Werror", source,
                               "-o", tmp_path / suffix, *flags(installed)], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr


def test_the_example_does_what_the_requirements_example_does(installed, tmp_path, testbed):
    program = compile_c(installed, ROOT / "example/library/research_baseline.c", tmp_path / "example")
    ran = run_c(installed, program, tmp_path, testbed("--law", "none").url, "0.15")
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    count = int(re.search(r"^requests (\d+), failed 0,", ran.stdout, re.M)[1])
    assert 60 <= count <= 90, ran.stdout  # ten users, 18 s, 2 s of think time, a rise of 4.5 s
    assert "SLO availability: PASS" in ran.stdout
    assert "SLO p95 latency: PASS" in ran.stdout
    assert re.search(r"of 18 s +10 users", ran.stderr), ran.stderr
    saved = json.loads((tmp_path / "reports/summary.json").read_text())
    assert saved["summary"]["requests"] == count
    assert saved["run"]["name"] == "research_agent_baseline"
    assert (tmp_path / "reports/report.html").stat().st_size > 10000
    assert len(list((tmp_path / "runs").glob("*research_agent_baseline.plim"))) == 1


def test_the_standard_set(installed, tmp_path, testbed):
    program = compile_c(installed, ROOT / "example/library/research_baseline.c", tmp_path / "example")
    ran = run_c(installed, program, tmp_path, testbed("--law", "none").url, "0.004", "standard")
    assert re.findall(r"^-- (.*)$", ran.stdout, re.M) == [
        "agent-research-baseline", "agent-research-ramp", "agent-research-step",
        "agent-research-stress", "agent-synthesis-spike"], ran.stdout
    assert ran.stdout.count("failed 0,") == 5, ran.stdout


TWO = r"""#define _POSIX_C_SOURCE 200809L
#include <plimsoll/plimsoll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void *run(void *words)
{
    struct plimsoll_options options = PLIMSOLL_OPTIONS_INIT;
    struct plimsoll_report *report = NULL;
    struct plimsoll_plan *plan = plimsoll_plan_of_text(words);
    options.directory = "runs";
    if (plimsoll_run(plan, &options, &report) != 0)
        return NULL;
    plimsoll_plan_free(plan);
    return report;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    struct rlimit before, after;
    struct sigaction pipe_before, pipe_after;
    getrlimit(RLIMIT_NOFILE, &before);
    sigaction(SIGPIPE, NULL, &pipe_before);
    for (int i = 0; i < 2 && argc > 2; i++)
        pthread_create(&threads[i], NULL, run, argv[1 + i]);
    for (int i = 0; i < 2; i++) {
        struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
        void *report = NULL;
        pthread_join(threads[i], &report);
        plimsoll_report_values(report, NULL, 0, &values);
        printf("%d %llu %llu\n", (int)plimsoll_report_outcome(report),
               (unsigned long long)values.successful_requests,
               (unsigned long long)values.failed_requests);
        plimsoll_report_free(report);
    }
    getrlimit(RLIMIT_NOFILE, &after);
    sigaction(SIGPIPE, NULL, &pipe_after);
    return memcmp(&before, &after, sizeof before) != 0 ||
           pipe_before.sa_handler != pipe_after.sa_handler;
}
"""

PLAN = """
name: {name}
target: {url}
scenarios:
  main: {{ executor: per-vu-iterations, vus: {users}, iterations: {each},
           tasks: [{{ get: "{path}" }}] }}
"""


def test_two_runs_in_one_process_do_not_mix(installed, tmp_path, testbed):
    (tmp_path / "two.c").write_text(TWO)
    program = compile_c(installed, tmp_path / "two.c", tmp_path / "two")
    one, other = testbed("--law", "none"), testbed("--law", "none")
    ran = run_c(installed, program, tmp_path,
                PLAN.format(name="one", url=one.url, users=4, each=250, path="/delay/2"),
                PLAN.format(name="other", url=other.url, users=3, each=200, path="/status/503"))
    assert ran.returncode == 0 and ran.stderr == "", (ran.returncode, ran.stderr)
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0][1:] == ["1000", "0"], lines
    assert lines[1][1:] == ["0", "600"], lines
    assert len(list((tmp_path / "runs").glob("*.plim"))) == 2


COMPARE = r"""#include <plimsoll/plimsoll.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct plimsoll_report *reports[2][4] = {{NULL}};
    for (int i = 0; i < 8 && argc > 2; i++) {
        struct plimsoll_plan *plan = plimsoll_plan_of_text(argv[1 + i % 2]);
        if (plimsoll_run(plan, NULL, &reports[i % 2][i / 2]) != 0)
            return 1;
        plimsoll_plan_free(plan);
    }
    for (int count = 4; count >= 1; count -= 3) {
        struct plimsoll_sides sides = PLIMSOLL_SIDES_INIT;
        struct plimsoll_comparison found = PLIMSOLL_COMPARISON_INIT;
        char *words = NULL;
        sides.base = (const struct plimsoll_report *const *)reports[0];
        sides.now = (const struct plimsoll_report *const *)reports[1];
        sides.base_count = sides.now_count = (size_t)count;
        sides.metric = "p50";
        sides.margin = 0.05;
        if (plimsoll_compare(&sides, &found, &words) != 0)
            return 2;
        printf("%d %.3f %zu %s\n", (int)found.change, found.shift / found.base_median,
               found.runs_needed, words ? words : "");
        plimsoll_text_free(words);
    }
    for (int i = 0; i < 8; i++)
        plimsoll_report_free(reports[i % 2][i / 2]);
    return 0;
}
"""


def test_a_regression_is_told(installed, tmp_path, testbed):
    (tmp_path / "compare.c").write_text(COMPARE)
    program = compile_c(installed, tmp_path / "compare.c", tmp_path / "compare")
    plans = [PLAN.format(name="work", url=testbed("--law", "fixed", "--service-ms", ms).url, users=2,
                         each=15, path="/work") for ms in (20, 40)]
    ran = run_c(installed, program, tmp_path, *plans)
    assert ran.returncode == 0 and ran.stderr == "", (ran.returncode, ran.stderr)
    lines = ran.stdout.splitlines()
    several, single = [line for line in lines if re.match(r"\d \d", line)]
    if "generator as its limit" in ran.stdout:
        pytest.skip("SKIPPED LOUDLY: this machine is too crowded to compare runs")
    assert several.startswith("3 ") and .6 < float(several.split()[1]) < 1.4, lines  # worse
    assert several.split()[2] == "4" and "target: http://" in several, lines
    assert single.startswith("4 "), lines  # too few runs
