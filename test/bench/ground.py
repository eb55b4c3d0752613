"""What the benchmarks share: nginx on the first processor, a command on the second, and figures.

A benchmark prints figures and judges nothing: another machine, or a busy one, has others. Where a
ratio is printed, it is the median over rounds of ratios within a round, in which all commands ran
in turn: what slows the machine for a while slows all of a round.

PLIMSOLL_BIN names the programs. PLIMSOLL_BENCH_NICE=-15 puts server and commands before whatever
else runs on the machine (as root); all of them alike."""

import contextlib
import json
import os
import pathlib
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin")).resolve()
SERVER_CPU, TOOL_CPU = 0, 1
NICE = int(os.environ.get("PLIMSOLL_BENCH_NICE", 0))
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

BODY = json.dumps({
    "id": "chatcmpl-bench-000000000001", "object": "chat.completion", "model": "bench",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "The ship floats."},
                 "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 4}}, separators=(",", ":"))


def program(name):
    path = BIN / name
    if not path.exists():
        sys.exit(f"{path} is not built; PLIMSOLL_BIN names the directory of the programs")
    return path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def await_port(port):
    for _ in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port}")


def pinned(cpu, command):
    """What keeps the command on one processor: the scheduler's mask, set in the child."""

    def settle():
        os.sched_setaffinity(0, {cpu})
        if NICE:
            os.nice(NICE)

    return {"args": command, "preexec_fn": settle}


class Nginx:
    """One worker that answers every request with BODY, and counts the requests by itself."""

    def __init__(self, folder):
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if not found:
            sys.exit("nginx is not installed")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        temporary = "".join(f"{kind}_temp_path {folder}/{kind}; "
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration = folder / "nginx.conf"
        configuration.write_text(f"""
daemon off; worker_processes 1; worker_rlimit_nofile {DESCRIPTORS};
pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections {DESCRIPTORS - 50}; multi_accept on; }}
http {{
  access_log off; {temporary}
  keepalive_requests 4000000000; keepalive_timeout 1h;
  server {{
    listen 127.0.0.1:{self.port} backlog=65535;
    location = /count {{ stub_status; }}
    location / {{ default_type application/json; return 200 '{BODY}'; }}
  }}
}}""")
        self.process = subprocess.Popen(**pinned(SERVER_CPU, [
            found, "-c", configuration, "-e", folder / "nginx.log"]))
        await_port(self.port)

    def served(self):
        with urllib.request.urlopen(self.url + "count", timeout=10) as reply:
            return int(reply.read().splitlines()[2].split()[2])

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@contextlib.contextmanager
def ground():
    """A folder to work in, and nginx."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        nginx = Nginx(pathlib.Path(folder))
        try:
            yield pathlib.Path(folder), nginx
        finally:
            nginx.stop()


class Ran:
    def __init__(self, code, out, err, usage, wall_s):
        self.code, self.out, self.err = code, out, err
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.wall_s = wall_s


def run(command, folder, limit_s):
    """Runs a command on the tool's processor. Its processor time is the kernel's count of it and of
    all that it has waited for. Output goes to files, so that nothing of ours runs meanwhile."""
    words = [str(word) for word in (shlex.split(command) if isinstance(command, str) else command)]
    out, err = folder / "out.txt", folder / "err.txt"
    begin = time.monotonic()
    with open(out, "wb") as to_out, open(err, "wb") as to_err:
        child = subprocess.Popen(**pinned(TOOL_CPU, words), stdin=subprocess.DEVNULL, stdout=to_out,
                                 stderr=to_err, cwd=folder, start_new_session=True)
        pid, status, usage = 0, 0, None
        while pid == 0:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid == 0 and time.monotonic() - begin > limit_s:
                os.killpg(child.pid, signal.SIGKILL)
                os.wait4(child.pid, 0)
                sys.exit(f"{words[0]} did not end within {limit_s} s")
            time.sleep(0.05)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Ran(child.returncode, out.read_text(errors="replace"), err.read_text(errors="replace"),
               usage, time.monotonic() - begin)


def summary_of(folder):
    """The newest summary.json below a folder that plimsoll has written its runs to."""
    newest = max(folder.glob("runs/*/summary.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(newest.read_text())


def median(values):
    return statistics.median(values)


def spread(values):
    """Least, median and most: how quiet the machine was."""
    return f"{median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def machine():
    """One line for those who keep the figures."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown processor")
    steal = open("/proc/stat").readline().split()
    load = os.getloadavg()
    return (f"{model}, {os.cpu_count()} processors, Linux {os.uname().release}; load average "
            f"{load[0]:.1f} {load[1]:.1f} {load[2]:.1f}, steal {steal[8]} ticks since boot; "
            f"{time.strftime('%Y-%m-%d %H:%M')}")
