"""What makes a target larger or many, and that everything is put back: HAProxy, control groups and
processes end as they began, whatever ends the scale test at whatever stage."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from conftest import BIN, PLIMSOLL, TESTBED, free_port, wait_port

GROUPS = pathlib.Path("/sys/fs/cgroup")
CPU_TREE = GROUPS if (GROUPS / "cgroup.controllers").exists() and "cpu" in (
    GROUPS / "cgroup.controllers").read_text().split() else GROUPS / "cpu"


def groups_writable():
    probe = CPU_TREE / f"plimsoll-test-{os.getpid()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    probe.rmdir()
    return True


needs_groups = pytest.mark.skipif(not groups_writable(),
                                  reason="no control group can be made here (not root?)")
needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")


def token_holders():
    """Processes that a scaler has started."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"PLIMSOLL_INSTANCE_OF=" in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return set(found)


def our_groups():
    return {p.name for tree in [CPU_TREE, GROUPS / "memory"] if tree.exists()
            for p in tree.glob("plimsoll-*") if not p.name.startswith("plimsoll-test-")}


def ask_haproxy(path, words):
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(words.encode() + b"\n")
        out = b""
        while more := s.recv(65536):
            out += more
    return out.decode()


def server_states(path, backend="app"):
    """Name to administrative state, as HAProxy itself tells."""
    lines = ask_haproxy(path, f"show servers state {backend}").splitlines()
    head = lines[1][2:].split(" ")
    rows = [line.split(" ") for line in lines[2:] if line]
    return {r[head.index("srv_name")]: int(r[head.index("srv_admin_state")]) for r in rows}


def free_ports(count):
    """So many in a row, below those that are handed out to clients."""
    import random
    import socket
    while True:
        first = random.randrange(20000, 30000)
        try:
            held = []
            for port in range(first, first + count):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for s in held:
                s.close()


class Balancer:
    def __init__(self, directory, ports):
        self.port, self.socket = free_port(), directory / "ha.sock"
        servers = "\n".join(f"    server s{i} 127.0.0.1:{p}" for i, p in enumerate(ports))
        (directory / "ha.cfg").write_text(f"""
global
    stats socket {self.socket} mode 600 level admin
defaults
    mode http
    timeout connect 2s
    timeout client 1m
    timeout server 1m
frontend app
    bind 127.0.0.1:{self.port}
    default_backend app
backend app
    balance roundrobin
{servers}
""")
        self.process = subprocess.Popen(["haproxy", "-db", "-f", directory / "ha.cfg"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_port(self.port, process=self.process)
        wait_until(self.socket.exists, self.process)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


GATE = """#!/bin/sh
# usage: gate NAME INSTANCES - waits, or fails, where the test wants it to
echo "$1 $2" >> passed
if [ "$(cat stop 2>/dev/null)" = "$1 $2" ]; then
    touch reached
    [ -e fail ] && { echo "the gate is shut"; exit 3; }
    exec sleep 60
fi
exit 0
"""


def write_plan(directory, balancer, port, cores):
    (directory / "gate").write_text(GATE)
    (directory / "gate").chmod(0o755)
    limit = f", cores: {cores}" if cores else ""
    (directory / "plan.yaml").write_text(f"""
target: http://127.0.0.1:{balancer.port}
scenarios:
  health: {{ executor: constant-vus, vus: 2, duration: 1s, tasks: [{{ name: h, get: /health, think: 20ms }}] }}
scale:
  cool_down: 0s
  prolong: 1
  scaler:
    - command: {{ up: "./gate before {{instances}}", restore: "true", directory: . }}
    - process: {{ command: "{TESTBED} --port {{port}}", port: {port}, health: /health, stop: 2s{limit} }}
    - haproxy: {{ socket: {balancer.socket}, backend: app, port: {port}, drain: 2s }}
    - command: {{ up: "./gate after {{instances}}", restore: "true", directory: . }}
""")


def scale(directory, *words, plan="plan.yaml"):
    return subprocess.Popen(
        [PLIMSOLL, "scale", *map(str, words[:1]), plan, *map(str, words[1:])],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(what, process, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.kill()
    raise AssertionError(process.communicate())


# Where the test is interrupted; the gate that is shut there, or the load of level 1 or 2.
STAGES = ["before 1", "after 1", "load 1", "before 2", "after 2", "load 2"]
HOWS = ["SIGINT", "SIGTERM", "SIGKILL", "failure"]
TABLE = [(s, h) for s in STAGES for h in HOWS if not (s.startswith("load") and h == "failure")]
# Some of each for every day; the whole table in ./check --thorough.
QUICK = {("before 1", "SIGINT"), ("after 1", "failure"), ("load 1", "SIGTERM"),
         ("after 1", "SIGKILL"), ("before 2", "SIGKILL"), ("load 2", "SIGKILL")}


@needs_haproxy
@pytest.mark.parametrize("stage,how", [
    pytest.param(s, h, marks=[] if (s, h) in QUICK else [pytest.mark.thorough]) for s, h in TABLE])
def test_everything_is_put_back(tmp_path, stage, how):
    port = free_ports(2)
    balancer = Balancer(tmp_path, [port, port + 1])
    try:
        ask_haproxy(balancer.socket, "set server app/s1 state maint")
        before = server_states(balancer.socket), our_groups(), token_holders()
        write_plan(tmp_path, balancer, port, 0.5 if groups_writable() else 0)
        if not stage.startswith("load"):
            (tmp_path / "stop").write_text(stage)
        if how == "failure":
            (tmp_path / "fail").touch()
        process = scale(tmp_path, "horizontal", "--instances", 2, "--levels", 2,
                        "--step-duration", 1)
        if stage.startswith("load"):
            wait_until(lambda: len(list(tmp_path.glob("runs/*/*.plim"))) >= int(stage[-1]) and
                       list(tmp_path.glob("runs/*/*.running")), process)
            time.sleep(0.3)
        elif how != "failure":
            wait_until((tmp_path / "reached").exists, process)
        if how != "failure":
            process.send_signal(getattr(signal, how))
        out, err = process.communicate(timeout=60)
        assert (tmp_path / "reached").exists() or stage.startswith("load"), (out, err)
        expected = {"SIGINT": 105, "SIGTERM": 105, "SIGKILL": -9, "failure": 1}[how]
        assert process.returncode == expected, (out, err)
        if how == "SIGKILL":
            undone = subprocess.run([PLIMSOLL, "rollback", "@last"], cwd=tmp_path, text=True,
                                    capture_output=True, timeout=60)
            assert undone.returncode == 0, (undone.stdout, undone.stderr)
        if how == "failure":
            assert "the gate is shut" in err, (out, err)
        assert (server_states(balancer.socket), our_groups(), token_holders()) == before, (out, err)
        journal = next(tmp_path.glob("runs/*/undo.journal"))
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        assert {e["entry"] for e in entries if "entry" in e} == {
            e["undone"] for e in entries if "undone" in e}
        again = subprocess.run([PLIMSOLL, "rollback", "@last"], cwd=tmp_path, text=True,
                               capture_output=True, timeout=60)
        assert again.returncode == 0 and "nothing is left to undo" in again.stdout, again
    finally:
        balancer.end()
