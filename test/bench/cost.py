#!/usr/bin/env python3
"""What a request costs: processor time of the whole tool, start to end, beside the floor and wrk.

nginx answers on the first processor; on the second run in turn, in every round:

  floor       test/bench/floor_closed.c: one write and one read a request
  wrk         where it is installed
  plimsoll    plimsoll run URL -u CONNECTIONS -t SECONDS --threads 1 --quiet: everything recorded,
              run file and reports written
  three tasks the plan three_tasks.yaml: templates, a capture, checks, three tasks
  (NAME=COMMAND adds another; {url} {connections} {seconds} are filled in)

Requests are counted by nginx and processor time (user and system, all children) by the kernel, so
that no tool is taken at its word. Printed: microseconds for each request, and the medians of the
ratios to the floor and to wrk of the same round, with the least and the most."""

import argparse
import os
import shutil

import ground


def commands(options, url):
    fields = dict(url=url, connections=options.connections, seconds=options.seconds)
    quick = "{plimsoll} run {what} -u {connections} -t {seconds}s --threads 1 --quiet"
    plimsoll = ground.program("plimsoll")
    rows = {"floor": "{} {} {} {}".format(ground.program("bench_floor_closed"),
                                          url.rsplit(":", 1)[1].strip("/"), options.connections,
                                          options.seconds)}
    if shutil.which("wrk"):
        rows["wrk"] = ("wrk -t1 -c{connections} -d{seconds}s --timeout 10s --latency {url}"
                       .format(**fields))
    rows["plimsoll"] = quick.format(plimsoll=plimsoll, what=url, **fields)
    rows["three tasks"] = quick.format(plimsoll=plimsoll, what=ground.HERE / "three_tasks.yaml",
                                       **fields)
    for extra in options.extra:
        name, _, command = extra.partition("=")
        rows[name] = command.format(**fields)
    return rows


def one(command, folder, nginx, options):
    """Microseconds of processor time for each request."""
    before = nginx.served()
    ran = ground.run(command, folder, options.seconds * 4 + 60)
    done = nginx.served() - before - 1  # asking for the count is counted
    if ran.code not in (0, 120) or done < 100:  # 120: the machine was busy, and plimsoll says so
        raise SystemExit(f"{command}\nended with {ran.code} after {done} requests:\n{ran.err}")
    return 1e6 * ran.cpu_s / done


def check_summary(folder):
    """What plimsoll says of itself must fit, or its cost is that of something else."""
    figures = ground.summary_of(folder)["summary"]
    if figures["failed"] or figures["failed_assertions"] or not figures["succeeded"]:
        raise SystemExit(f"plimsoll: {figures['failed']} failed, "
                         f"{figures['failed_assertions']} assertions failed")


def ratio(row, base):
    return ground.spread([a / b for a, b in zip(row, base)]) if base else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", "--conns", type=int, default=64)
    parser.add_argument("extra", nargs="*", metavar="NAME=COMMAND")
    options = parser.parse_args()
    print(ground.machine())
    with ground.ground() as (folder, nginx):
        os.environ["TARGET"] = nginx.url.rstrip("/")
        rows = commands(options, nginx.url)
        costs = {name: [] for name in rows}
        for _ in range(options.rounds):
            for name, command in rows.items():
                costs[name].append(one(command, folder, nginx, options))
                if name in ("plimsoll", "three tasks"):
                    check_summary(folder)
            shutil.rmtree(folder / "runs", ignore_errors=True)
    print(f"{options.connections} connections, {options.rounds} rounds of {options.seconds} s; "
          "median (least..most)")
    print(f"{'':12} {'us a request':>20} {'of the floor':>20} {'of wrk':>20}")
    for name, row in costs.items():
        print(f"{name:12} {ground.spread(row):>20} {ratio(row, costs['floor']):>20} "
              f"{ratio(row, costs.get('wrk')):>20}")


if __name__ == "__main__":
    main()
