#!/usr/bin/env python3
"""How true the times of an open test are: a constant rate against nginx, beside the floor.

nginx answers on the first processor; on the second run in turn, in every round and at each rate:

  floor       test/bench/floor_open.c: sends request n at n/RATE, counts from that instant
  plimsoll    plimsoll run URL --rate RATE -t SECONDS --threads 1 --quiet

Printed for each: the median response time, how late the sending was (p50, p99, and the share of
arrivals more than 1 ms late), and what plimsoll adds to the floor of the same round: medians over
the rounds, with the least and the most. On a machine whose processors are wanted by others the late
share of both is theirs, not the tool's."""

import argparse
import json
import shutil

import ground


def floor_round(folder, nginx, rate, options):
    ran = ground.run([ground.program("bench_floor_open"), nginx.port, options.connections,
                      options.seconds, rate], folder, options.seconds + 60)
    if ran.code:
        raise SystemExit(ran.err)
    figures = json.loads(ran.out)
    return {"p50": figures["p50_us"], "p99": figures["p99_us"], "late_p50": figures["late_p50_us"],
            "late_p99": figures["late_p99_us"], "late_share": 100 * figures["late_share"],
            "dropped": 0, "cpu": 1e6 * ran.cpu_s / figures["requests"]}


def plimsoll_round(folder, nginx, rate, options):
    ran = ground.run([ground.program("plimsoll"), "run", nginx.url, "--rate", rate, "-t",
                      f"{options.seconds}s", "--threads", 1, "--quiet"], folder,
                     options.seconds + 60)
    if ran.code not in (0, 120):  # 120: the machine was busy, and plimsoll says so
        raise SystemExit(f"plimsoll ended with {ran.code}: {ran.err}")
    summary = ground.summary_of(folder)
    figures, parts = summary["summary"], summary["summary"]["parts"]
    offered = summary["accounts"]["offered"]
    if offered != rate * options.seconds or figures["failed"]:
        raise SystemExit(f"{offered} offered, {figures['failed']} failed")
    return {"p50": 1e3 * figures["response"]["p50_ms"], "p99": 1e3 * figures["response"]["p99_ms"],
            "late_p50": 1e3 * parts["late"]["p50_ms"], "late_p99": 1e3 * parts["late"]["p99_ms"],
            "late_share": 100 * figures["late"] / offered, "dropped": figures["dropped"],
            "cpu": 1e6 * ran.cpu_s / offered}


COLUMNS = (("p50", "response p50 us"), ("p99", "p99 us"), ("late_p50", "late p50 us"),
           ("late_p99", "late p99 us"), ("late_share", "late over 1 ms, %"), ("dropped", "dropped"),
           ("cpu", "cpu us a request"))


def show(rate, floor, tool):
    print(f"\n{rate}/s")
    print(f"{'':20} {'floor':>28} {'plimsoll':>28} {'added':>26}")
    for key, title in COLUMNS:
        left, right = [row[key] for row in floor], [row[key] for row in tool]
        added = [b - a for a, b in zip(left, right)]
        print(f"{title:20} {ground.spread(left):>28} {ground.spread(right):>28} "
              f"{ground.spread(added):>26}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rates", type=int, nargs="+", default=[5000, 20000])
    options = parser.parse_args()
    print(ground.machine())
    print(f"{options.rounds} rounds of {options.seconds} s; median (least..most)")
    with ground.ground() as (folder, nginx):
        for rate in options.rates:
            floor, tool = [], []
            for _ in range(options.rounds):
                floor.append(floor_round(folder, nginx, rate, options))
                tool.append(plimsoll_round(folder, nginx, rate, options))
                shutil.rmtree(folder / "runs", ignore_errors=True)
            show(rate, floor, tool)


if __name__ == "__main__":
    main()
