"""The command line: options from tables, mistakes that are answered, help that fits, wrk's letters."""

import calendar
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from conftest import (BAD_PLAN, FAILED, PASSED, PLIMSOLL, SATURATED, nginx_lines, run_program,
                      write_plan)

HELP = subprocess.run([PLIMSOLL, "help"], capture_output=True, text=True).stdout
VERBS = re.findall(r"^  ([a-z-]+)  ", HELP, re.M)


@pytest.mark.parametrize("words, said", [
    (("run", "--usrs", "5", "http://127.0.0.1:1"), 'unknown option "--usrs"; did you mean "--users"?'),
    (("run", "--spawnrate=5", "http://127.0.0.1:1"), 'did you mean "--spawn-rate"?'),
    (("run", "-z", "http://127.0.0.1:1"), 'unknown option "-z"'),
    (("run", "-u", "five", "http://127.0.0.1:1"), '--users wants a whole number; it is "five"'),
    (("run", "-t", "5 parsecs", "http://127.0.0.1:1"), "--duration wants a duration such as 30s"),
    (("run", "http://127.0.0.1:1", "-u"), "-u needs a value (N)"),
    (("run", "--quiet=yes", "http://127.0.0.1:1"), "--quiet takes no value"),
    (("run", "--label", "commit", "http://127.0.0.1:1"), '--label wants NAME=VALUE; it is "commit"'),
    (("run",), "name a plan or a URL"),
    (("run", "http://127.0.0.1:1", "http://127.0.0.1:2"), "one plan or URL at a time"),
    (("run", "nofile.yaml"), 'there is no file "nofile.yaml"'),
    (("run", "localhost:8000"), "write http://localhost:8000"),
    (("run", "http://127.0.0.1:1", "--format", "pdf"), 'there is no format "pdf"'),
    (("run", "http://127.0.0.1:1", "--host", "http://x"), "the target is given twice"),
    (("rum", "x"), '"rum" is no verb; did you mean "run"?'),
    (("http://127.0.0.1:1",), 'did you mean "plimsoll run http://127.0.0.1:1"?'),
    (("wrk", "-s", "x.lua", "http://127.0.0.1:1"), "Lua scripts (-s) are not supported"),
    (("wrk", "foo"), '"foo" is no URL; if it is a host\'s name, write http://foo'),
    (("load-test", "--url", "foo/x"), "write http://foo/x"),
    (("run", "http://127.0.0.1:1/query", "--driver", "rag"), "rag.query needs a question: --prompt"),
    (("rollback", "gone"), 'there is no "gone"'),
    (("wrk", "-t4", "-c2", "http://127.0.0.1:1"), "-c 2 must be at least -t 4"),
    (("report",), "one run file is wanted"),
    (("report", "@last"), "there is no run file in runs"),
    (("list", "things"), 'no "things"'),
    (("help", "rnu"), 'there is no verb "rnu"'),
    (("help", "run", "wrk"), "one verb at most"),
    (("list", "drivers", "probes"), "one name at a time"),
    (("schema", "plan.yaml"), 'schema takes no "plan.yaml"'),
    (("self-test", "10s"), 'self-test takes no "10s"'),
    (("run", "http://127.0.0.1:1", "-u", "0"), '--users wants at least 1; it is "0"'),
    (("run", "http://127.0.0.1:1", "-t", "0s"), '--duration wants a time above 0; it is "0s"'),
    (("wrk", "-c", "0", "http://127.0.0.1:1"), 'wants at least 1; it is "0"'),
    (("monitor", "-d", "0"), "--duration wants a time above 0"),
])
def test_mistakes_are_answered(plimsoll, words, said):
    ran = plimsoll(*words)
    assert ran.code == BAD_PLAN
    assert said in ran.err, ran.err
    assert ran.out == "" and ran.files == []


@pytest.mark.parametrize("words, said, shown", [
    (("http://127.0.0.1:1/v1/chat/completions",), "--driver openai speaks what this path does", ""),
    (("http://127.0.0.1:1/mcp", "--driver", "mcp"), "and is it up?", "mcp.tools_list"),
    (("http://127.0.0.1:1/query", "--driver", "rag", "--prompt", "why"), "and is it up?", "rag.query"),
])
def test_what_a_path_speaks(plimsoll, words, said, shown):
    ran = plimsoll("run", *words, "-i", 1)
    assert ran.code == 1 and said in ran.err and shown in ran.out, ran


def test_names_are_of_utc_everywhere(plimsoll):
    """Runs and suites sort by name, wherever they were made."""
    before = time.time()
    ran = plimsoll("run", "http://127.0.0.1:1/", "-i", 1, env={"TZ": "XXX+7"})
    named = calendar.timegm(time.strptime(ran.file.name[:19], "%Y-%m-%dT%H-%M-%S"))
    assert -2 < named - before < 60, ran.file


def test_two_scale_tests_at_once_have_a_directory_each(tmp_path):
    plan = write_plan(tmp_path, "schema: 1\nname: at-once\ntarget: http://127.0.0.1:1\nscenarios: {a: {vus: 1, "
                                "duration: 1s, tasks: [{get: /}]}}\n")
    words = [PLIMSOLL, "scale", "progression", plan, "--levels", "1", "--step-duration", "0.2s", "-q"]
    both = [subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait(60) for process in both] == [1] * 4, "nobody listens there"
    assert len(list((tmp_path / "runs").glob("*/scalability_results.json"))) == 4


def test_a_password_in_a_url_is_kept_nowhere(plimsoll, tmp_path):
    secret = "http://user:hunter2@127.0.0.1:1"
    plan = write_plan(tmp_path, "schema: 1\nscenarios: {a: {vus: 1, iterations: 1, executor: shared-iterations, "
                                f"tasks: [{{get: {secret}/x}}]}}}}\n")
    plan.rename(tmp_path / "plan.txt")
    said = [plimsoll("run", secret, "-i", 1), plimsoll("run", tmp_path / "plan.txt"),
            plimsoll("scale", "progression", tmp_path / "plan.txt", "--host", secret, "--levels", 1,
                     "--step-duration", "0.2s")]
    assert all(ran.code == FAILED for ran in said), said
    assert not any("hunter2" in ran.out + ran.err for ran in said)
    holding = [path for path in (tmp_path / "runs").rglob("*")
               if path.is_file() and b"hunter2" in path.read_bytes()]
    assert holding == []


def test_nothing_to_undo_is_no_mistake(plimsoll):
    ran = plimsoll("rollback", "@last")
    assert ran.code == 0 and "nothing to undo" in ran.out and ran.err == "", ran


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_screen_and_ends_with_examples(plimsoll, verb):
    ran = plimsoll(verb, "--help")
    lines = ran.out.splitlines()
    assert ran.code == 0 and ran.err == ""
    assert len(lines) <= 50, len(lines)
    assert max(map(len, lines)) <= 80, [line for line in lines if len(line) > 80]
    examples = lines[lines.index("examples") + 1:]
    assert len(examples) == 2 and all("plimsoll" in line for line in examples)


def test_all_verbs_are_in_the_help():
    assert len(VERBS) > 15 and max(map(len, HELP.splitlines())) <= 80


def test_list_fits_a_terminal_and_lines_up(plimsoll):
    """Each sentence begins in the column of its table, and the settings of one plug-in too."""
    lines = plimsoll("list").out.splitlines()
    names = [line.split()[0] for line in lines if re.match(r"  \S", line)]
    assert len(names) > 40
    assert len({re.match(r" +\S+ +", line).end() for line in lines
                if re.match(r"    [a-z]+(\.| {4})", line)}) == 1, "a request's column"
    for name in ("process", "gpu", "kubernetes", "prometheus"):
        lines += plimsoll("list", name).out.splitlines()
    assert max(map(len, lines)) <= 80, [line for line in lines if len(line) > 80]


def in_terminal(directory, *words, term="xterm", columns=80):
    """What the program prints where it runs in a terminal of its own."""
    shell = f"stty cols {columns} rows 24; exec {shlex.join([str(PLIMSOLL), *map(str, words)])}"
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), "TERM": term}
    done = subprocess.run(["script", "-qec", shell, "/dev/null"], cwd=directory, env=env,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.stdout


def test_a_dumb_terminal_gets_lines_and_no_escapes(testbed, tmp_path):
    if not shutil.which("script"):
        pytest.skip("SKIPPED: script (Debian bsdutils) is not here")
    words = ("run", testbed().url + "/health", "-u", 1, "-t", "1s", "--think", "20ms")
    assert "\x1b[" in in_terminal(tmp_path, *words), "else this tests nothing"
    shown = in_terminal(tmp_path, *words, term="dumb")
    assert "\x1b" not in shown and "accounts" in shown, shown


def test_an_interrupt_ends_a_long_computation(tmp_path):
    """Thousands of values with random orders take minutes; nothing has to be kept of that."""
    (tmp_path / "long.csv").write_text("\n".join(map(str, range(4000))))
    process = subprocess.Popen([PLIMSOLL, "detect", "long.csv"], cwd=tmp_path)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT
    finally:
        process.kill()


def test_output_that_does_not_arrive_is_an_error(testbed, tmp_path):
    """A full disk behind ">" is said, a reader of a pipe that leaves early is not."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([PLIMSOLL, "list"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FAILED and "could not be written" in done.stderr
    early = f"{shlex.quote(str(PLIMSOLL))} schema | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", early], capture_output=True, text=True)
    assert done.stdout == "{0\n" and done.stderr == ""
    ran = run_program(tmp_path, "monitor", "-q", "-d", "0.2s", "-o", "nowhere/r.json")
    assert ran.code == FAILED and "nowhere/r.json could not be written" in ran.err
    ran = run_program(tmp_path, "load-test", "--url", testbed().url + "/work", "-u", 1, "-t", "0.3s",
                      "--viewer", "nowhere/v.html")
    assert ran.code == FAILED and "nowhere/v.html can not be written: No such file" in ran.err


def test_exit_codes_are_in_the_help(plimsoll):
    text = plimsoll("run", "--help").out
    for code in ("0", "1", "99", "104", "105", "120", "121"):
        assert re.search(rf"\b{code}\b", text), code


def example_words(verb):
    text = subprocess.run([PLIMSOLL, verb, "--help"], capture_output=True, text=True).stdout
    return [line.strip() for line in text[text.index("\nexamples\n") + 10:].splitlines()]


def test_examples_work_as_typed(testbed, tmp_path):
    """Each example of the verbs that send nothing, and of run, through a shell, with the address of
    the example made that of a testbed and its lengths cut."""
    server = testbed()
    write_plan(tmp_path, f"""
schema: 1
target: {server.url}
scenarios:
  chat: {{ executor: constant-vus, vus: 2, duration: 1s, think: 20ms, tasks: [{{ get: /health }}] }}
""")
    env = {"PATH": f"{PLIMSOLL.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    tried = 0
    for verb in ("run", "wrk", "validate", "schema", "report", "list", "version", "completion"):
        for line in example_words(verb):
            if "~/" in line:
                continue
            line = line.replace("http://127.0.0.1:8000", server.url)
            line = re.sub(r"-t 1m\b|-t 10m\b", "-t 1s", line)
            line = re.sub(r"-d\d+s", "-d1s", line)
            done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True,
                                  text=True, timeout=60)
            assert done.returncode in (PASSED, SATURATED), (line, done.stderr)
            tried += 1
    assert tried >= 14


def test_locusts_long_options(testbed, plimsoll):
    ran = plimsoll("run", "--host", testbed().url, "--users", "3", "--spawn-rate", "10",
                   "--run-time", "1s", "--headless", "--think", "20ms").check_passed()
    assert ran.summary["summary"]["requests"] > 20


def test_letters_of_wrk(testbed, plimsoll):
    ran = plimsoll("wrk", "-t1", "-c4", "-d2s", "-R200", "--latency", "-H", "X-One: 1",
                   testbed().url + "/health")
    ran.check_passed()
    summary = ran.summary
    # wrk2's -R is the rate of all connections together, and none is left out
    assert summary["accounts"]["offered"] == 400
    assert summary["accounts"]["dropped"] == 0
    assert summary["run"]["threads"] == 1


def test_request_options_reach_the_server(processes, plimsoll, tmp_path):
    """A server of Python's own says what it was sent."""
    server = subprocess.Popen(["python3", "-u", "-c", '''
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(self.path, self.headers["X-A"], self.headers["X-B"], self.headers["Content-Type"],
              body.decode(), flush=True)
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
print(s.server_port, flush=True); s.serve_forever()
'''], stdout=subprocess.PIPE, text=True)
    processes.append(server)
    port = int(server.stdout.readline())
    ran = plimsoll("run", f"http://127.0.0.1:{port}/p?q=1", "-u", 1, "-i", 1, "-X", "PUT",
                   "--header", "X-A: one", "--header", "X-B: two", "--json", '{"a": 1}')
    ran.check_passed()
    line = server.stdout.readline().split()
    assert line[:4] == ["/p?q=1", "one", "two", "application/json"]
    assert "".join(line[4:]) == '{"a":1}'


def test_labels_and_seed_are_kept(testbed, plimsoll):
    ran = plimsoll("run", testbed().url + "/health", "-t", "1s", "--think", "50ms", "--seed", 42,
                   "--label", "commit=1a2b", "--label", "branch=x=y").check_passed()
    run = ran.summary["run"]
    assert int(run["seed"]) == 42 and run["labels"] == {"commit": "1a2b", "branch": "x=y"}


def test_set_reaches_any_setting(testbed, tmp_path):
    path = write_plan(tmp_path, f"""
schema: 1
target: {testbed().url}
scenarios:
  main: {{ executor: constant-vus, vus: 1, duration: 60s, think: 20ms, tasks: [{{ get: /health }}] }}
""")
    ran = run_program(tmp_path, "run", path, "--set", "scenarios.main.vus=3", "-t", "1s")
    ran.check_passed()
    assert 60 < ran.summary["summary"]["requests"] <= 150
    wrong = run_program(tmp_path, "run", path, "--set", "scenarios.main.vsu=3")
    assert wrong.code == BAD_PLAN and "scenarios.main.vsu" in wrong.err


def test_report_through_a_pipe_has_no_escape_codes(testbed, plimsoll):
    ran = plimsoll("run", testbed().url + "/health", "-t", "1s", "--think", "10ms").check_passed()
    for form in ("text", "json", "csv", "markdown", "html", "junit", "prometheus"):
        shown = plimsoll("report", "@last", "--format", form)
        assert shown.code == 0 and shown.out, (form, shown.err)
        assert "\x1b" not in shown.out, form
        assert shown.err == ""
    assert plimsoll("report", ran.file).code == 0


def test_colour_on_a_terminal_only(testbed, tmp_path):
    if not shutil.which("script"):
        pytest.skip("SKIPPED LOUDLY: no `script` to make a terminal with")
    run_program(tmp_path, "run", testbed().url + "/health", "-t", "1s", "--think", "10ms")
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        done = subprocess.run(["script", "-qec", f"{PLIMSOLL} report @last", "/dev/null"],
                              cwd=tmp_path, capture_output=True, timeout=30,
                              env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **more})
        assert (b"\x1b[" in done.stdout) == coloured, more


def test_report_of_what_is_no_run(tmp_path, plimsoll):
    (tmp_path / "x.plim").write_text("this is no run file")
    for name, said in (("x.plim", "is not a run file"), ("y.plim", "No such file")):
        ran = plimsoll("report", name)
        assert ran.code == FAILED and said in ran.err


def test_a_closed_pipe_is_no_crash(testbed, tmp_path):
    run_program(tmp_path, "run", testbed().url + "/health", "-t", "1s", "--think", "10ms")
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {PLIMSOLL} report @last --format html "
                           "| head -c 10 > /dev/null; echo ${PIPESTATUS[0]}"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert int(done.stdout) in (0, 1), "no signal"


def test_validate_sends_nothing_and_explains(tmp_path, nginx):
    server = nginx("location / { return 200 ok; }")
    path = write_plan(tmp_path, f"""
schema: 1
target: {server.url}
scenarios:
  main: {{ executor: constant-vus, vus: 7, duration: 60s, think: 1s, tasks: [{{ get: /health }}] }}
""")
    ran = run_program(tmp_path, "validate", path, "-u", "9")
    assert ran.code == 0, ran.err
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if "scenarios." in line}
    assert rows["scenarios.main.vus"] == ["9", "command", "line", "-u"], rows
    assert rows["scenarios.main.think"] == ["1s", "plan.yaml:5"], rows
    # what nobody gave is counted, and shown where it is asked for
    more = int(re.search(r"and (\d+) more by default", ran.out)[1])
    every = run_program(tmp_path, "validate", path, "-u", "9", "--all")
    assert "by default" not in every.out and "http.timeout" not in ran.out
    assert len(every.out.splitlines()) == len(ran.out.splitlines()) + more - 1
    assert re.search(r"http\.timeout +60s +default", every.out)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert nginx_lines(server) == [] and ran.files == []


def test_schema_is_json_and_knows_the_plug_ins(plimsoll):
    schema = json.loads(plimsoll("schema").out)
    text = json.dumps(schema)
    assert "2020-12" in schema["$schema"]
    for word in ("ramping-arrival-rate", "stress", "post"):
        assert word in text, word


def test_completion_completes(tmp_path):
    script = f"""
eval "$({PLIMSOLL} completion bash)"
try() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plimsoll; echo "${{COMPREPLY[@]}}"; }}
try plimsoll repo
try plimsoll run --spa
try plimsoll wrk --lat
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["report", "--spawn-rate", "--latency"]


def test_man_page_is_clean_roff(plimsoll, tmp_path):
    page = plimsoll("help", "--man").out
    assert page.startswith(".TH PLIMSOLL 1")
    for verb in VERBS:
        assert f".SS plimsoll {verb}".replace("-", "\\-") in page
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, text=True,
                              capture_output=True, timeout=20)
        assert done.stderr == ""


def test_secrets_stay_out_of_every_file(testbed, tmp_path):
    """A token from the environment and one in a header of the plan: in no file, in no output."""
    path = write_plan(tmp_path, f"""
schema: 1
target: {testbed().url}
http: {{ bearer: "${{TOKEN}}" }}
scenarios:
  main: {{ executor: constant-vus, vus: 1, duration: 1s, think: 20ms, tasks: [{{ get: /headers }}] }}
""")
    ran = run_program(tmp_path, "run", path, env={"TOKEN": "s3cr3t-value-123"}).check_passed()
    assert "s3cr3t" not in ran.out + ran.err
    for file in (tmp_path / "runs").rglob("*"):
        if file.is_file():
            assert b"s3cr3t" not in file.read_bytes(), file


def test_self_test_is_carried_by_later_runs(testbed, tmp_path):
    tested = run_program(tmp_path, "self-test", "-t", "1s")
    assert tested.code == 0, tested.err
    rate = int(re.search(r"makes +([\d,]+) requests/s", tested.out)[1].replace(",", ""))
    assert rate > 1000
    ran = run_program(tmp_path, "run", testbed().url + "/health", "-t", "1s", "--think", "10ms")
    facts = ran.check_passed().summary["facts"]
    assert abs(int(facts["self_test.requests_per_s"]) - rate) <= 1
    assert int(facts["self_test.timer_p50_ns"]) >= 0
