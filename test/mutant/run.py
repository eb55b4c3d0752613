#!/usr/bin/env python3
"""Plants five mistakes, one at a time, in a copy of the tree, and demands that a test turns red for each.

A test suite that passes says little until one knows that it can fail. Each mutant is the kind of slip that would
silently corrupt a number: a wrong clock unit, a lost byte, an off-by-one quantile, an early stamp, a swallowed
error. Run it from the root of the tree: test/mutant/run.py [NAME ...]; it takes some minutes.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# name: (file, the right text, the wrong text, the program that must fail)
MUTANTS = {
    "clock-unit": (
        "src/base/clock.c",
        "t.tv_sec * NSEC_PER_SEC + t.tv_nsec",
        "t.tv_sec * NSEC_PER_SEC + t.tv_nsec / 1000",
        "test_base_small",
    ),
    "lost-byte": (
        "src/link/connection.c",
        "exchange->body_bytes += bytes.bytes;",
        "exchange->body_bytes += bytes.bytes; if (bytes.bytes > 1) bytes.bytes--;",
        "test_load_replies_sim",
    ),
    "quantile-off-by-one": (
        "src/stat/hist.c",
        None,  # found by the marker below, so that the wording of the code may change
        None,
        "test_stat_hist",
    ),
    "early-stamp": (
        "src/load/reply.c",
        "tally_time(tally, HIST_RESPONSE, end_ns - job->intended_ns);",
        "tally_time(tally, HIST_RESPONSE, times->first_ns - 1000000 - job->intended_ns);",
        "test_load_replies_sim",
    ),
    "swallowed-error": (
        "src/load/reply.c",
        "        error = outcome.error;\n",
        "        error = 0;\n",
        "test_load_replies_sim",
    ),
}
QUANTILE_RIGHT = "ceil("
QUANTILE_WRONG = "1 + ceil("


def plant(tree, name):
    file, right, wrong, _ = MUTANTS[name]
    path = tree / file
    text = path.read_text()
    right, wrong = (right, wrong) if right else (QUANTILE_RIGHT, QUANTILE_WRONG)
    if text.count(right) < 1:
        sys.exit(f"{name}: {file} no longer says {right!r}: bring the mutant up to date")
    path.write_text(text.replace(right, wrong))


def run(command, tree):
    return subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    names = sys.argv[1:] or list(MUTANTS)
    survivors = []
    with tempfile.TemporaryDirectory(prefix="plimsoll-mutant-") as work:
        tree = pathlib.Path(work) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", "node_modules", ".git", "runs"))
        done = run(["cmake", "--preset", "dev", "-B", "build/mutant", "-DPLIMSOLL_WERROR=OFF"], tree)
        if done.returncode:
            sys.exit(done.stdout)
        for name in names:
            file, _, _, program = MUTANTS[name]
            build = ["ninja", "-C", "build/mutant", program]
            right = run(build, tree)
            if right.returncode or run([f"build/mutant/bin/{program}"], tree).returncode:
                sys.exit(f"{program} does not pass without a mutant:\n{right.stdout[-2000:]}")
            kept = (tree / file).read_text()
            plant(tree, name)
            built = run(build, tree)
            red = built.returncode == 0 and run([f"build/mutant/bin/{program}"], tree).returncode != 0
            (tree / file).write_text(kept)
            print(f"{name:22} {'caught by ' + program if red else 'NOT CAUGHT'}", flush=True)
            if not red:
                survivors.append(name)
                if built.returncode:
                    print(built.stdout[-2000:])
    print(f"{len(names) - len(survivors)} passed, {len(survivors)} failed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
