#!/usr/bin/env python3
"""Times of streamed tokens against the truth: plimsoll-testbed stamps each token with the
nanosecond of its writing, on the first processor; on the second run in turn, in every round:

  floor       test/bench/floor_stream.c: one clock read for each read, no parsing beyond the stamp
  plimsoll    plimsoll run URL --driver openai --stream -u STREAMS --threads 1

Printed of each: how late tokens were seen (receipt - stamp), and the error of the gaps between
them (measured gap - gap of the stamps), in microseconds, with the median over the rounds of the
ratio to the floor of the same round. Tokens are due every --gap-ms; what the server itself is late
is in the stamps, and so no error of the client."""

import argparse
import re
import statistics
import subprocess
import tempfile
import pathlib

import ground


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
    return {f"{name} {stat}": float(values[name]) for name in ("stamp_lag", "itl_error")
            for stat, values in (("p50", found), ("p99", far))}


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
            for name in ("stamp_lag", "itl_error") for stat in ("p50", "p99")}


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
    server = start_testbed(port, options)
    try:
        ground.await_port(port)
        for _ in range(options.rounds):
            rows["floor"].append(floor(port, options))
            with tempfile.TemporaryDirectory() as folder:
                rows["plimsoll"].append(plimsoll(port, options, pathlib.Path(folder)))
    finally:
        server.terminate()
        server.wait()
    print(f"{'us':<16} {'floor':>10} {'plimsoll':>10} {'ratio':>7}")
    for name in rows["floor"][0]:
        base, ours = ([row[name] for row in rows[kind]] for kind in ("floor", "plimsoll"))
        ratio = statistics.median(b / a if a else 0 for a, b in zip(base, ours))
        print(f"{name:<16} {statistics.median(base):>10.1f} {statistics.median(ours):>10.1f} "
              f"{ratio:>7.2f}")


if __name__ == "__main__":
    main()
