#!/usr/bin/env python3
"""python3 load_test.py --max_users 50 --step_size 10
python3 load_test.py --users 50 --duration 600 --url http://HOST:8000/api/generate

The first raises the users batch by batch, the second holds them; --model (or MODEL) names the
model. Writes results_viewer.html here. `plimsoll load-test --help` says what else there is."""
import os
import sys

from plimsoll_command import become, take

arguments = sys.argv[1:]
if "-h" in arguments or "--help" in arguments:
    print(__doc__)
    become("load-test", "--help")
url = take(arguments, "url", os.environ.get("TARGET", "http://127.0.0.1:8000") + "/api/generate")
model = take(arguments, "model", os.environ.get("MODEL", "gemma3:4b"))
speaks = ["--model", model] if "/api/" in url or "/v1/" in url else []  # else the URL is plain HTTP
become("load-test", "--url", url, *speaks, "--viewer", "results_viewer.html", *arguments)
