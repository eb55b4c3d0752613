#!/usr/bin/env python3
"""python resource_monitor.py --duration=600 --interval=10 --output=resource_usage.json

Watches this machine; `plimsoll monitor --help` says what else can be watched."""
import sys

from plimsoll_command import become

become("monitor", *sys.argv[1:])
