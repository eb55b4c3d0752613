#!/usr/bin/env python3
"""python scaling_scenarios.py --test=vertical --max-users=200 --duration=300

--test=vertical | horizontal | progression | all; everything else goes to `plimsoll scale`, whose
--help says what there is. Results: scalability_results.json here, and a directory below runs/."""
import sys

from plimsoll_command import become, config, take

arguments = sys.argv[1:]
if "-h" in arguments or "--help" in arguments:
    print(__doc__)
    become("scale", "--help")
test = take(arguments, "test")
if not test:
    sys.exit("scaling_scenarios.py: --test=vertical, horizontal, progression or all is wanted")
plan = take(arguments, "config", config())
become("scale", test, plan, "--results", "scalability_results.json", *arguments)
