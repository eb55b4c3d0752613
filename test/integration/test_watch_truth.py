"""Figures of the probes against other tools that looked at the same machine at the same time:
getrusage, the quota of a control group, and node_exporter's counters.

A probe's figure is a mean over the time between two looks; so the sum of value times time is what a
counter grew by. Tolerances: ticks of 10 ms at each end for processes, and the instants of the two
tools' looks, which differ by some ten milliseconds."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pytest
from conftest import PASSED, finish, free_port, start_program, tried, wait_port

pytestmark = pytest.mark.alone

# Waits, then burns a changing amount of processor time, in children too, and says what getrusage
# says of it and of its children that are over.
BURNER = """
import os, resource, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
sys.stdin.readline()
for i in range(6):
    burn(0.1 + 0.1 * i)
    child = os.fork()
    if child == 0:
        burn(0.25)
        os._exit(0)
    time.sleep(0.15)
    os.waitpid(child, 0)
own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, flush=True)
sys.stdin.readline()
"""


def series(document, metric, part=""):
    found = [s for s in document["series"] if s["metric"] == metric and s["part"] == part]
    assert len(found) == 1, (metric, part, [s["metric"] for s in document["series"]])
    return found[0]


def integral(document, metric, part=""):
    """Of a rate over time: each value holds since the look before it."""
    rows = series(document, metric, part)
    looks = {at for s in document["series"] for at in s["at_s"] if s["probe"] == rows["probe"]}
    if min(looks) > 0.5:  # a probe of rates only has no value of its first look, which all share
        looks.add(min(at for s in document["series"] for at in s["at_s"]))
    looks = sorted(looks)
    before = {at: looks[i - 1] for i, at in enumerate(looks) if i}
    return sum(value * (at - before[at]) for at, value in zip(rows["at_s"], rows["values"]))


def stop(monitor, directory):
    monitor.send_signal(2)
    ran = finish(monitor, directory)
    assert ran.code == PASSED, ran.err
    return json.loads((directory / "x.json").read_text())


@tried
def test_process_time_is_that_of_getrusage(tmp_path, processes):
    burner = subprocess.Popen([sys.executable, "-c", BURNER], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    processes.append(burner)
    time.sleep(0.3)
    start_up = read_ticks(burner.pid)
    monitor = start_program(tmp_path, "monitor", "-i", "0.3", "-p", f"process: {burner.pid}", "-o",
                            "x.json")
    processes.append(monitor)
    time.sleep(1)
    burner.stdin.write("go\n")
    burner.stdin.flush()
    used = float(burner.stdout.readline()) - start_up
    time.sleep(1)
    document = stop(monitor, tmp_path)
    seen = integral(document, "process.cpu")
    lost = [e for e in document["events"] if e["kind"] == "gap"]
    print(f"getrusage {used:.3f} s, process.cpu {seen:.3f} s ({100 * (seen / used - 1):+.2f} %)")
    assert used > 3
    # 1 %, and the ticks of 10 ms in which the kernel counts, at either end
    assert abs(seen - used) <= 0.01 * used + 0.02, (seen, used, lost)


def read_ticks(pid):
    """Processor time that the process used before, in seconds."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def control_group(quota_us, period_us):
    """A group with a quota: its directories, in version 1 or 2. Skips where none can be made."""
    name = f"plimsoll-test-{os.getpid()}"
    root = pathlib.Path("/sys/fs/cgroup")
    two = (root / "cgroup.controllers").exists()
    mounts = [root] if two else sorted({(root / m).resolve() for m in ("cpu", "cpuacct")
                                        if (root / m).exists()})
    made = []
    try:
        for mount in mounts:
            (mount / name).mkdir()
            made.append(mount / name)
        if two:
            (made[0] / "cpu.max").write_text(f"{quota_us} {period_us}")
        else:
            cpu = next(d for d in made if (d / "cpu.cfs_quota_us").exists())
            (cpu / "cpu.cfs_period_us").write_text(str(period_us))
            (cpu / "cpu.cfs_quota_us").write_text(str(quota_us))
        yield name, made
    except (OSError, StopIteration, IndexError) as error:
        pytest.skip(f"SKIPPED: no control group with a quota can be made here: {error}")
    finally:
        for directory in made:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    directory.rmdir()
                    break
                time.sleep(0.1)


def test_a_group_at_its_quota(tmp_path, processes):
    with control_group(20000, 50000) as (name, directories):  # 0.4 of a processor
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        processes.append(burner)
        for directory in directories:
            (directory / "cgroup.procs").write_text(str(burner.pid))
        time.sleep(0.3)
        monitor = start_program(tmp_path, "monitor", "-i", "0.5", "-p", f"cgroup: /{name}", "-o",
                                "x.json")
        processes.append(monitor)
        time.sleep(4.3)
        document = stop(monitor, tmp_path)
        burner.kill()
        burner.wait()
    quota, cpu = series(document, "cgroup.cpu_quota"), series(document, "cgroup.cpu")
    share, throttled = series(document, "cgroup.cpu_of_quota"), series(document, "cgroup.throttled")
    print(f"quota {quota['mean']}, used {cpu['mean']:.4f}, throttled {throttled['mean']:.2f}")
    assert all(value == 0.4 for value in quota["values"])
    # A group that always wants more gets its quota: a period more or less at either end.
    assert cpu["mean"] <= 0.4 * 1.05
    if os.getloadavg()[0] < os.cpu_count():  # else others may take what it is allowed
        assert cpu["mean"] >= 0.4 * 0.9
        assert throttled["mean"] > 0.5
    assert abs(share["mean"] - cpu["mean"] / 0.4) < 1e-6


# ---- node_exporter -----------------------------------------------------------------------------

SECONDS = int(os.environ.get("PLIMSOLL_TRUTH_SECONDS", 60))


def scrape(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def grown(before, after, pattern):
    return sum(after[name] - before.get(name, 0) for name in after if re.fullmatch(pattern, name))


def changing_load(directory, seconds):
    """Processors, a disk and the loopback, more and less of each in turn."""
    end = time.monotonic() + seconds
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    there = server.accept()[0]
    threading.Thread(target=lambda: [None for _ in iter(lambda: there.recv(1 << 16), b"")],
                     daemon=True).start()
    turn = 0
    while time.monotonic() < end:
        until = min(end, time.monotonic() + 0.5 + turn % 3)
        with open(directory / "disk", "wb") as file:
            while time.monotonic() < until:
                sum(range(100000 * (turn % 4)))
                client.sendall(bytes(65536 * (1 + turn % 5)))
                file.write(os.urandom(1 << 16))
                if turn % 2:
                    os.fsync(file.fileno())
                time.sleep(0.02 * (turn % 3))
        turn += 1
    client.close()


@pytest.mark.thorough
def test_the_machine_is_as_node_exporter_has_it(tmp_path, processes):
    program = shutil.which("prometheus-node-exporter")
    if not program:
        pytest.skip("SKIPPED: prometheus-node-exporter is not installed")
    port = free_port()
    exporter = subprocess.Popen([program, f"--web.listen-address=127.0.0.1:{port}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(exporter)
    wait_port(port, process=exporter)
    scrape(port)
    monitor = start_program(tmp_path, "monitor", "-d", str(SECONDS), "-i", "1", "-o", "x.json", "-q")
    processes.append(monitor)
    before = scrape(port)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        changing_load(pathlib.Path(directory), SECONDS - 0.2)
        time.sleep(0.2)
        after = scrape(port)
        ran = finish(monitor, tmp_path)
    assert ran.code == PASSED, ran.err
    document = json.loads((tmp_path / "x.json").read_text())
    cores = series(document, "cpu.cores")["values"][0]
    wrong = []

    def compare(name, ours, theirs, least, slack=0.0):
        off = ours / theirs - 1 if theirs else 0
        print(f"{name:24} plimsoll {ours:16.3f}   node_exporter {theirs:16.3f}   {100 * off:+.2f} %")
        if theirs >= least and abs(ours - theirs) > 0.02 * theirs + slack:
            wrong.append(name)

    cpu = r'node_cpu_seconds_total\{cpu="\d+",mode="(%s)"\}'
    for metric, modes in (("cpu.user", "user|nice"), ("cpu.system", "system|irq|softirq"),
                          ("cpu.busy", "user|nice|system|irq|softirq"), ("cpu.iowait", "iowait")):
        # the two looks differ by up to 50 ms at either end
        compare(metric, integral(document, metric) * cores, grown(before, after, cpu % modes), 5,
                0.1 * cores)
    disk = max((s["part"] for s in document["series"] if s["metric"] == "disk.write_bytes"),
               key=lambda part: integral(document, "disk.write_bytes", part))
    for metric, name in (("disk.write_bytes", "node_disk_written_bytes_total"),
                         ("disk.writes", "node_disk_writes_completed_total"),
                         ("disk.busy", "node_disk_io_time_seconds_total")):
        compare(f"{metric} {disk}", integral(document, metric, disk),
                grown(before, after, rf'{name}\{{device="{disk}"\}}'), 5)
    # This exporter leaves the loopback out, so that the kernel's other books are asked: IP counts
    # the bytes of packets of all interfaces without their frames' heads of 14 bytes.
    parts = [s["part"] for s in document["series"] if s["metric"] == "network.in_bytes"]
    for way, octets in (("in", "In"), ("out", "Out")):
        carried = sum(integral(document, f"network.{way}_bytes", part) -
                      14 * integral(document, f"network.{way}_packets", part) for part in parts)
        compare(f"network.{way}_bytes", carried,
                grown(before, after, rf"node_netstat_IpExt_{octets}Octets"), 1e6)
    compare("network.tcp_segments", integral(document, "network.tcp_segments"),
            grown(before, after, "node_netstat_Tcp_OutSegs"), 100)
    used = after["node_memory_MemTotal_bytes"] - after["node_memory_MemAvailable_bytes"]
    compare("memory.used", series(document, "memory.used")["values"][-1], used, 1)
    compare("memory.available", series(document, "memory.available")["values"][-1],
            after["node_memory_MemAvailable_bytes"], 1)
    compare("context switches", integral(document, "cpu.context_switches"),
            grown(before, after, "node_context_switches_total"), 100)
    assert not wrong
