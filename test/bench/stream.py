#!/usr/bin/env python3
"""Times of streamed tokens against the truth: plimsoll-testbed stamps each token with the
nanosecond of its writing, on the first processor; on the second run in turn, in every round:

  floor       test/bench/floor_stream.c: one clock read for each read, no parsing beyond the stamp
  plimsoll    plimsoll run URL --driver openai --stream -u STREAMS --threads 1
  floor_sse   where ../shared/yardstick lies beside the repository: its reader of its own server's
              streams of the same pace (floor_sse PORT STREAMS SECONDS TOKENS itl), which knows the
              place of each byte beforehand; written by others than this program

Printed of each: how late tokens were seen (receipt - stamp), and the error of the gaps between
them (measured gap - gap of the stamps), and how late the first token of an answer was seen (ttft_error;
the floors tell no first tokens apart, so the lateness of all stands for theirs), in microseconds, with the median over the rounds of the
ratio to the floor of the same round. Tokens are due every --gap-ms; what the server itself is late
is in the stamps, and so no error of the client."""

import argparse
import contextlib
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

import ground

YARDSTICK = ground.ROOT.parent / "shared/yardstick"


def start_testbed(port, options):
    service_ms = options.gap_ms * options.tokens
    words = [ground.program("plimsoll-testbed"), "--port", port, "--law", "fixed", "--service-ms",
             service_ms, "--tokens", options.tokens, "--stamp-tokens"]
    return subprocess.Popen(**ground.pinned(ground.SERVER_CPU, [str(word) for word in words]),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def floor(port, options):
    words = [ground.program("bench_floor_stream"), port, options.streams, options.seconds,
             options.tokens]
    done = subprocess.run(**ground.pinned(ground.TOOL_CPU, [str(word) for word in words]),
                          capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(\w+)_us p50=([\d.]+) p99", done.stdout))
    far = dict(re.findall(r"(\w+)_us p50=[\d.]+ p99=([\d.]+)", done.stdout))
    return with_first({f"{name} {stat}": float(values[name]) for name in ("stamp_lag", "itl_error")
                       for stat, values in (("p50", found), ("p99", far))})


def with_first(figures):
    """A floor's figures, the lateness of all tokens standing for that of the first ones."""
    return figures | {f"ttft_error {stat}": figures[f"stamp_lag {stat}"] for stat in ("p50", "p99")}


class Yardstick:
    """The reader and the server of ../shared/yardstick, built from their sources."""

    def __init__(self, folder, options):
        self.options, self.port = options, ground.free_port()
        for name in ("floor_sse", "mock_llm"):
            subprocess.run(["gcc", "-O2", "-w", "-o", folder / name, YARDSTICK / f"{name}.c"], check=True)
        self.reader = folder / "floor_sse"
        words = [folder / "mock_llm", self.port, options.tokens, options.gap_ms * 1000]
        self.server = subprocess.Popen(**ground.pinned(ground.SERVER_CPU, [str(word) for word in words]))
        ground.await_port(self.port)

    def measure(self):
        options = self.options
        words = [self.reader, self.port, options.streams, options.seconds, options.tokens, "itl"]
        done = subprocess.run(**ground.pinned(ground.TOOL_CPU, [str(word) for word in words]),
                              capture_output=True, text=True, check=True)
        names = {"lag": "stamp_lag", "itl_err": "itl_error"}
        found = re.findall(r" (lag|itl_err)_us p50=([\d.]+) p99=([\d.]+)", done.stdout)
        return with_first({f"{names[name]} {stat}": float(value) for name, p50, p99 in found
                           for stat, value in (("p50", p50), ("p99", p99))})

    def stop(self):
        self.server.terminate()
        self.server.wait()


def yardstick(stack, options):
    """The yardstick, or None where it is not."""
    if not (YARDSTICK / "floor_sse.c").exists() or not shutil.which("gcc"):
        print(f"no {YARDSTICK}: without its floor\n")
        return None
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    one = Yardstick(folder, options)
    stack.callback(one.stop)
    return one


def plimsoll(port, options, folder):
    words = (f"{ground.program('plimsoll')} run http://127.0.0.1:{port} --driver openai --stream "
             f"--max-tokens {options.tokens} -u {options.streams} -t {options.seconds}s "
             f"--threads 1 --quiet")
    ran = ground.run(words, folder, options.seconds * 4 + 60)
    if ran.code not in (0, 120):
        raise SystemExit(f"{words}\nended with {ran.code}:\n{ran.err}")
    summary = ground.summary_of(folder)["summary"]
    if summary["failed"] or not summary["llm"]["streams"]:
        raise SystemExit(f"{summary['failed']} requests failed")
    return {f"{name} {stat}": 1000 * summary["parts"][name][f"{stat}_ms"]
            for name in ("stamp_lag", "itl_error", "ttft_error") for stat in ("p50", "p99")}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--gap-ms", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=128)
    options = parser.parse_args()
    port, rows = ground.free_port(), {"floor": [], "plimsoll": []}
    with contextlib.ExitStack() as stack:
        server = start_testbed(port, options)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        ground.await_port(port)
        other = yardstick(stack, options)
        if other:
            rows["floor_sse"] = []
        for _ in range(options.rounds):
            rows["floor"].append(floor(port, options))
            if other:
                rows["floor_sse"].append(other.measure())
            with tempfile.TemporaryDirectory() as folder:
                rows["plimsoll"].append(plimsoll(port, options, pathlib.Path(folder)))
    show(rows)


def show(rows):
    print(f"{'us':<16}" + "".join(f" {kind:>10}" for kind in rows) + "".join(
        f" {'to ' + kind:>12}" for kind in rows if kind != "plimsoll"))
    for name in rows["floor"][0]:
        line = f"{name:<16}"
        for kind in rows:
            line += f" {statistics.median(row[name] for row in rows[kind]):>10.1f}"
        for kind in rows:
            if kind != "plimsoll":
                ratio = statistics.median(ours[name] / base[name] if base[name] else 0
                                          for base, ours in zip(rows[kind], rows["plimsoll"]))
                line += f" {ratio:>12.2f}"
        print(line)


if __name__ == "__main__":
    main()
