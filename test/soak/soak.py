#!/usr/bin/env python3
"""A long run must stay as it began: memory flat, accounts closed, nothing lost on the way.

  soak.py [--minutes 10] [--users 200]

plimsoll runs against its testbed, which answers some requests with errors, resets and slow bytes,
and closes connections after a while without saying so: closed users with think time, templates,
captures and checks, an open scenario beside them, a connection age, and a threshold with a window.
Its memory (VmRSS of /proc) is read every second. It passes when

  - memory in the last quarter is at most 10 % above that of the third. The program keeps up to
    1,800 points of its run and then joins neighbours; with an interval of 0.1 s it gets there in
    3 minutes, so that 6 or more show whether the limit holds. What an hour of records would need
    at this rate is far above the 10 %;
  - descriptors do not grow: at most twice the third quarter's in the last, as thousands of
    connections are opened and closed, and a busy machine alone needs a few more at once;
  - the accounts close, and nothing is in flight or waiting at the end;
  - the testbed has counted as many requests as plimsoll says it sent.

PLIMSOLL_BIN names the programs. Ends with 0, or 1 and what was wrong."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin")).resolve()
MIB = 1 << 20

PLAN = """
schema: 1
name: soak
target: {url}
interval: 0.1s
connections: {{ max_age: 5s }}
http: {{ timeout: 5s }}
data:
  prompts: {{ order: random, values: [Why does a ship float?, How long is a queue?] }}
scenarios:
  visitors:
    vus: {users}
    spawn_rate: 50/s
    duration: {seconds}s
    think: 0.1s..0.3s
    tasks:
      - name: conversation
        steps:
          - name: choose
            get: "/v1/models?user={{{{ vu }}}}"
            checks: [status == 200]
            capture: {{ model: "body.data[0].id" }}
          - name: ask
            post:
              url: /v1/chat/completions
              json:
                model: "{{{{ model }}}}"
                max_tokens: 4
                messages: [{{ role: user, content: "{{{{ prompts.next }}}}" }}]
            checks: [status == 200, "body.choices[0].message.content exists"]
      - {{ name: health, get: /health }}
  machines:
    executor: constant-arrival-rate
    rate: 200
    gaps: poisson
    duration: {seconds}s
    max_backlog: 1000
    tasks: [{{ name: work, get: "/work?turn={{{{ iteration }}}}" }}]
thresholds:
  http_req_failed: [{{ expr: "rate<0.5", window: 30s, min_samples: 100 }}]
"""

FAULTS = ["--law", "exponential", "--service-ms", "2", "--error-rate", "1%", "--reset-rate", "0.5%",
          "--slow-rate", "1%", "--slow-bytes", "20", "--slow-gap-ms", "5", "--close-after", "100"]


def start_testbed():
    process = subprocess.Popen([BIN / "plimsoll-testbed", "--port", "0", *FAULTS],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        sys.exit(f"the testbed did not start: {process.stderr.read()}")
    return process, "http://" + line.removeprefix("listening on ").strip()


def memory_bytes(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def watch(process, limit_s):
    """Memory and descriptors, once a second, until the end."""
    samples, end = [], time.monotonic() + limit_s
    while process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            process.wait()
            sys.exit(f"plimsoll was not over after {limit_s:.0f} s")
        try:
            memory = memory_bytes(process.pid)
            descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
        except OSError:
            break
        if memory:
            samples.append((memory, descriptors))
        time.sleep(1)
    process.wait()
    return samples


def quarters(samples):
    """The third and the last quarter."""
    quarter = max(1, len(samples) // 4)
    return samples[-2 * quarter:-quarter], samples[-quarter:]


def faults_of(samples, summary, served):
    faults = []
    third, last = quarters(samples)
    before, after = (statistics.median(memory for memory, _ in part) for part in (third, last))
    opened, open_now = (max(count for _, count in part) for part in (third, last))
    print(f"memory {before / MIB:.2f} MiB in the third quarter, {after / MIB:.2f} MiB in the last; "
          f"most descriptors {opened}, then {open_now}")
    if after > 1.1 * before:
        faults.append("memory grows")
    if open_now > 2 * opened:
        faults.append("descriptors grow")
    accounts, figures = summary["accounts"], summary["summary"]
    print(f"{accounts['offered']:,} requests offered, {accounts['succeeded']:,} succeeded, "
          f"{accounts['failed']:,} failed, {figures['dropped']:,} dropped, "
          f"{figures['retried']:,} sent again; the testbed counted {served:,}")
    if not accounts["close"] or accounts["in_flight_end"] or accounts["waiting_end"]:
        faults.append(f"the accounts do not close: {accounts}")
    if not accounts["failed"]:
        faults.append("no fault of the testbed was seen")
    # On a connection that the testbed closes without a word, a request may be lost unread: it was
    # started and not served, and is sent again or has failed.
    lost = accounts["started"] + figures["retried"] - served
    if not 0 <= lost <= accounts["failed"] + figures["retried"]:
        faults.append(f"{accounts['started']:,} started, {served:,} served")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--users", type=int, default=200)
    options = parser.parse_args()
    testbed, url = start_testbed()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        plan = pathlib.Path(folder) / "soak.yaml"
        plan.write_text(PLAN.format(url=url, users=options.users,
                                    seconds=round(60 * options.minutes)))
        try:
            with open(pathlib.Path(folder) / "words.txt", "w") as words:
                process = subprocess.Popen([BIN / "plimsoll", "run", plan], cwd=folder,
                                           stdout=words, stderr=words)
            samples = watch(process, 60 * options.minutes + 90)
            said = (pathlib.Path(folder) / "words.txt").read_text()
            if process.returncode not in (0, 120):  # 120: the machine was busy, and it says so
                sys.exit(f"plimsoll ended with {process.returncode}\n{said}")
            summary = json.loads(next(pathlib.Path(folder).glob("runs/*/summary.json")).read_text())
        finally:
            testbed.terminate()
            _, account = testbed.communicate(timeout=10)
    served = int(account.split(" requests,")[0].split()[-1].replace(",", ""))
    print(said[said.find("\n\n"):] if "accounts" in said else said)
    faults = faults_of(samples, summary, served)
    for fault in faults:
        print(f"soak: {fault}", file=sys.stderr)
    print("soak: " + ("FAILED" if faults else f"passed in {options.minutes:g} min"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
