"""kill -9 at random moments: the run file opens, accounts for all but the last second, renders."""

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

from conftest import PLIMSOLL, nginx_lines, start_program, tried

RANDOM = random.Random(20261121)
MOMENTS = sorted(round(RANDOM.uniform(1.2, 3.2), 3) for _ in range(8))


def show(path, cwd, form="json", user=None):
    return subprocess.run([PLIMSOLL, "report", path, "--format", form], cwd=cwd, text=True,
                          capture_output=True, timeout=60, user=user)


@pytest.mark.parametrize("moment", MOMENTS)
@tried
def test_killed(nginx, tmp_path, moment):
    """nginx counts what it answered; the file may lack the last second of it, and no more."""
    server = nginx("location / { return 200 ok; }")
    process = start_program(tmp_path, "run", server.url + "/", "--rate", "200", "-t", "60s")
    time.sleep(moment)
    process.kill()
    process.communicate()
    answered = len(nginx_lines(server))
    files = list((tmp_path / "runs").glob("*.plim"))
    assert len(files) == 1, "the file is there from the first moment of load"
    shown = show(files[0], tmp_path)
    assert shown.returncode == 0, shown.stderr
    summary = json.loads(shown.stdout)
    assert summary["run"]["finished"] is False
    # one second by promise, and what the interval under way adds: intervals are written whole
    assert answered - 2 * 200 - 20 <= summary["summary"]["succeeded"] <= answered
    for form in ("text", "html", "csv"):
        assert show(files[0], tmp_path, form).returncode == 0


def test_killed_and_read_from_a_directory_that_can_only_be_read(nginx, tmp_path):
    server = nginx("location / { return 200 ok; }")
    process = start_program(tmp_path, "run", server.url + "/", "--rate", "100", "-t", "60s")
    time.sleep(2.7)
    process.kill()
    process.communicate()
    runs = tmp_path / "runs"
    before = {path.name: path.read_bytes() for path in runs.iterdir() if path.is_file()}
    for path in [*runs.iterdir(), runs]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    user = None
    if os.geteuid() == 0:  # root may write anywhere: be somebody else
        for path in (tmp_path, *tmp_path.parents):
            if path != path.parent and str(path) != "/tmp":
                path.chmod(path.stat().st_mode | 0o055)
        user = 65534
    try:
        if user is not None and subprocess.run(["test", "-x", PLIMSOLL], user=user).returncode:
            pytest.skip(f"SKIPPED LOUDLY: {PLIMSOLL} can not be run by another user")
        file = next(runs.glob("*.plim"))
        shown = show(file, "/", user=user)
        assert shown.returncode == 0, shown.stderr
        assert json.loads(shown.stdout)["summary"]["succeeded"] > 50
        after = {path.name: path.read_bytes() for path in runs.iterdir() if path.is_file()}
        assert {name: before[name] for name in before if name.endswith(".plim")} == \
               {name: after[name] for name in after if name.endswith(".plim")}
    finally:
        runs.chmod(0o755)


def test_a_killed_file_is_plain_sqlite(nginx, tmp_path):
    server = nginx("location / { return 200 ok; }")
    process = start_program(tmp_path, "run", server.url + "/", "--rate", "100", "-t", "60s")
    time.sleep(2.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    file = next((tmp_path / "runs").glob("*.plim"))
    with sqlite3.connect(file) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute("select count(*) from run").fetchone() == (1,)
