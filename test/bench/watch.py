#!/usr/bin/env python3
"""What watching costs: processor time of `plimsoll monitor`, start and end included, on a machine
with 200 more processes than it had, as the kernel counts it.

  host       the probes of this machine, as every run has them
  service    and a service's process, found by its port, and the monitor's own
  crowd      and a service of all those 200 processes

The promise is at most 0.5 % of one processor at an interval of 1 s. What starting and ending cost
is told apart (a run of one look), since it is paid once. Judges nothing unless --most is given."""

import argparse
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", pathlib.Path(__file__).parents[2] /
                                  "build/release/bin"))


LONE = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
time.sleep(3600)
"""


def cost(seconds, interval, *words):
    """Processor seconds of one monitor, and of its looks."""
    with tempfile.TemporaryDirectory() as directory:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([BIN / "plimsoll", "monitor", "-q", "-d", str(seconds), "-i", str(interval),
                        "-o", "x.json", *words], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--interval", type=float, default=1)
    options.add_argument("--processes", type=int, default=200)
    options.add_argument("--most", type=float, help="exit with 1 above so many per cent")
    options = options.parse_args()
    server = socket.create_server(("127.0.0.1", 0))
    port = str(server.getsockname()[1])
    lone = subprocess.Popen([sys.executable, "-c", LONE], stdout=subprocess.PIPE, text=True)
    lone_port = lone.stdout.readline().strip()
    sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(options.processes)] + [lone]
    worst = 0
    try:
        count = sum(name.isdigit() for name in os.listdir("/proc"))
        print(f"{count} processes, a look each {options.interval:g} s, {options.seconds:g} s")
        for name, words in (("host", []), ("service", ["--port", lone_port, "--process", "self"]),
                            ("crowd", ["--port", port])):
            once = cost(0.2, 100, *words)
            whole = cost(options.seconds, options.interval, *words)
            share = 100 * max(0, whole - once) / options.seconds
            worst = max(worst, share)
            print(f"{name:10} {share:6.3f} % of one processor   "
                  f"{1e3 * share / 100 * options.interval:6.3f} ms a look   "
                  f"start and end {1e3 * once:5.1f} ms")
    finally:
        for sleeper in sleepers:
            sleeper.kill()
        for sleeper in sleepers:
            sleeper.wait()
    return int(options.most is not None and worst > options.most)


if __name__ == "__main__":
    sys.exit(main())
