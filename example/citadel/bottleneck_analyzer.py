#!/usr/bin/env python3
"""python bottleneck_analyzer.py --test-results=scalability_results.json"""
import sys

from plimsoll_command import become

become("analyze", *sys.argv[1:])
