"""Systems with a bottleneck planted in them, in real time: how one is started, put under load and
analyzed. What is planted stands in test_planted.py.

Only what needs no help from the program under test is here: processes, control groups, a network
namespace, HAProxy; and the asymptotic bound that says where each bottleneck must bind."""

import contextlib
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import time
import urllib.request

import pytest
from conftest import PLIMSOLL, SATURATED, TESTBED, free_port, need, wait_port

TOKEN = "planted"


def knee(service_s, think_s, servers=1, rest_s=0.0):
    """Users at which the asymptotes of a closed system meet: as many as keep `servers` servers of
    `service_s` just busy, who also spend `rest_s` elsewhere and think for `think_s`.
    Source: Lazowska et al., Quantitative System Performance (1984), chapter 5."""
    return servers * (service_s + rest_s + think_s) / service_s


def first_refusing(service_s, think_s, servers, share=0.01):
    """Users from whom on more than `share` of the requests find all servers busy, where those are
    refused at once and not queued: by the loss formula for few sources.
    Source: Engset, "Die Wahrscheinlichkeitsrechnung zur Bestimmung der Wähleranzahl in automatischen
    Fernsprechämtern" (1918)."""
    offered = service_s / think_s
    for users in range(1, 1000):
        terms = [math.comb(users - 1, k) * offered ** k for k in range(servers + 1)]
        if users > servers and terms[servers] / sum(terms) > share:
            return users
    raise AssertionError("nobody is refused")


class World:
    """What a case may start; all of it is ended with the case, the last first."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.stack = contextlib.ExitStack()
        self.first = []  # folders of the group of all that is in none of its own
        self.generator = None  # of that of the program under test, where it has one of its own
        self.known = {}  # what a case measured for itself, for its truth

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.stack.close()

    def joins(self, group=None):
        """What a process does before it begins, to be in its group."""
        folders = group or self.first

        def join():
            for folder in folders:
                (folder / "cgroup.procs").write_text(str(os.getpid()))
        return join if folders else None

    # ---- processes

    def start(self, words, group=None, **how):
        process = subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL,
                                   text=True, preexec_fn=self.joins(group), **how)
        self.stack.callback(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def testbed(self, *options, group=None, before=(), host="127.0.0.1"):
        """Starts one; returns its base URL."""
        more = [] if host == "127.0.0.1" else ["--token", TOKEN]
        process = self.start([*before, TESTBED, "--port", 0, "--listen", host, *more, *options],
                             group=group, stdout=subprocess.PIPE)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        self.known["pid"] = process.pid
        return f"http://{host}:{int(line.strip().rpartition(':')[2])}"

    def haproxy(self, behind, maxconn=0):
        """One before a server; returns its base URL, and that of its metrics."""
        program, port, page = need("haproxy"), free_port(), free_port()
        limit = f"maxconn {maxconn}" if maxconn else ""
        (self.directory / "haproxy.cfg").write_text(f"""
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one {behind.removeprefix('http://')} {limit}
frontend page
  bind 127.0.0.1:{page}
  http-request use-service prometheus-exporter
""")
        process = self.start([program, "-f", self.directory / "haproxy.cfg", "-db"],
                             stdout=subprocess.DEVNULL)
        wait_port(page, process=process)
        return f"http://127.0.0.1:{port}", f"http://127.0.0.1:{page}/metrics"

    # ---- control groups

    def group(self, name, cores=0.0, memory=0):
        """A control group of our own with these limits; returns its folders, and its path for the
        probe. Version 1 or 2, whichever this machine has."""
        name = f"plimsoll-planted-{os.getpid()}-{name}"
        root = pathlib.Path("/sys/fs/cgroup")
        if os.geteuid() != 0:
            pytest.skip("SKIPPED LOUDLY: control groups need root, this bottleneck was not planted")
        two = (root / "cgroup.controllers").exists()
        kinds, period = [""] if two else ["cpu", "cpuacct", "memory"], 100000
        folders, written = [], set()
        try:
            if two:
                (root / "cgroup.subtree_control").write_text("+cpu +memory")
            for kind in kinds:
                folder = root / kind / name
                if folder.resolve() in [known.resolve() for known in folders]:
                    continue  # cpu and cpuacct are one hierarchy here
                folder.mkdir()
                self.stack.callback(self._remove, folder)
                folders.append(folder)
            quota = int(cores * period)
            limits = [("cpu.cfs_period_us", period if cores else 0), ("cpu.cfs_quota_us", quota),
                      ("cpu.max", f"{quota} {period}" if cores else 0),
                      ("memory.max", memory), ("memory.limit_in_bytes", memory),
                      ("memory.memsw.limit_in_bytes", memory),  # what is out is not swapped out
                      ("memory.swap.max", "0" if memory else ""),
                      # a greater part than others', so that the quota limits and not they
                      ("cpu.weight", 5000), ("cpu.shares", 50000)]
            for folder in folders:
                for file, value in limits:
                    if value and (folder / file).exists():
                        (folder / file).write_text(str(value))
                        written.add(file)
            if (cores and not written & {"cpu.max", "cpu.cfs_quota_us"}) or (
                    memory and not written & {"memory.max", "memory.limit_in_bytes"}):
                raise OSError("groups here take no such limit")
        except OSError as error:
            pytest.skip(f"SKIPPED LOUDLY: no control group could be made here: {error}")
        return folders, "/" + name

    def go_before_others(self):
        """What is started from now on, the program under test too, has its processor before what
        else runs on this machine: its neighbours are no part of what is planted. Without root it
        has not, and a crowded machine shows as a saturated generator."""
        if os.geteuid() == 0:
            with contextlib.suppress(pytest.skip.Exception):
                self.first, _ = self.group("first")

    @staticmethod
    def _remove(folder):
        for _ in range(100):
            try:
                folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)

    # ---- a network namespace

    def narrow_link(self, rate_bits):
        """A namespace behind a link that sends this many bits a second to us; returns words that
        start a program there, its address, and the name of our end."""
        if os.geteuid() != 0:
            pytest.skip("SKIPPED LOUDLY: a link needs root, this bottleneck was not planted")
        ip, tc, tag = need("ip"), need("tc"), os.getpid() % 100000
        name, ours, theirs = f"plimsoll-{tag}", f"plim{tag}a", f"plim{tag}b"
        # one of the run before may still be on its way out
        subprocess.run([ip, "link", "del", ours], capture_output=True, check=False)
        inside = [ip, "netns", "exec", name]
        net = f"10.{200 + tag % 50}.{tag // 50 % 250}"
        steps = [
            [ip, "netns", "add", name],
            [ip, "link", "add", ours, "type", "veth", "peer", "name", theirs],
            [ip, "link", "set", theirs, "netns", name],
            [ip, "addr", "add", f"{net}.1/24", "dev", ours],
            [ip, "link", "set", ours, "up"],
            [*inside, ip, "addr", "add", f"{net}.2/24", "dev", theirs],
            [*inside, ip, "link", "set", theirs, "up"],
            [*inside, ip, "link", "set", "lo", "up"],
            [*inside, tc, "qdisc", "add", "dev", theirs, "root", "tbf", "rate",
             f"{rate_bits}bit", "burst", "10kb", "latency", "800ms"],
        ]
        for number, step in enumerate(steps):
            done = subprocess.run(step, capture_output=True, text=True)
            if number == 0 and done.returncode == 0:
                self.stack.callback(subprocess.run, [ip, "netns", "del", name], check=False)
            if done.returncode:
                pytest.skip("SKIPPED LOUDLY: no link of limited rate here: "
                            f"{' '.join(step)}: {done.stderr.strip()}")
        return inside, f"{net}.2", ours

    # ---- what only this machine can tell

    def processors_of(self, plan):
        """Processors that the program under test uses for a plan of 3 s, by its control group."""
        folders, _ = self.group(f"account-{len(list(self.directory.glob('account-*')))}")
        path = self.directory / f"account-{len(list(self.directory.glob('account-*')))}.yaml"
        path.write_text(plan)
        ran = program(self, "run", path.name, group=folders)
        assert ran.returncode in (0, SATURATED), ran.stderr
        return used_s(folders) / 3

    def time_of(self, url, body, count=15):
        """Median seconds of requests one at a time, as another program sees them."""
        taken = []
        for _ in range(count):
            begun = time.monotonic()
            request = urllib.request.Request(url, json.dumps(body).encode(),
                                             {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as reply:
                reply.read()
            taken.append(time.monotonic() - begun)
        return statistics.median(taken)


def used_s(folders):
    """Processor seconds that a control group has used."""
    for folder in folders:
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        if (folder / "cpu.stat").exists() and "usage_usec" in (folder / "cpu.stat").read_text():
            return int((folder / "cpu.stat").read_text().split("usage_usec")[1].split()[0]) / 1e6
    raise AssertionError("no account of processor time")


def program(world, *words, group=None, timeout=300):
    environment = {"PATH": os.environ["PATH"], "HOME": str(world.directory), "TZ": "UTC"}
    return subprocess.run([str(PLIMSOLL), *map(str, words)], cwd=world.directory, env=environment,
                          capture_output=True, text=True, timeout=timeout,
                          preexec_fn=world.joins(group))


def analyze(world, plan, levels, step_s):
    """Puts the plan under its levels, analyzes, and returns the document and what was printed."""
    (world.directory / "plan.yaml").write_text(plan)
    shutil.rmtree(world.directory / "runs", ignore_errors=True)
    for name in ("scalability_results.json", "bottleneck_analysis.json"):
        (world.directory / name).unlink(missing_ok=True)
    ran = program(world, "scale", "progression", "plan.yaml", "--levels",
                  ",".join(map(str, levels)), "--step-duration", step_s, "--results",
                  "scalability_results.json", group=world.generator)
    assert ran.returncode == 0, (ran.returncode, ran.stdout, ran.stderr)
    done = program(world, "analyze", "--test-results", "scalability_results.json")
    assert done.returncode == 0, done.stderr
    return json.loads((world.directory / "bottleneck_analysis.json").read_text()), done.stdout
