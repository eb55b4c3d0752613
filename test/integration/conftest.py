"""What the integration tests share: the programs, servers on free loopback ports, and runs.

PLIMSOLL_BIN names the directory of the programs (build/release/bin). Every server that a fixture
starts is ended by it."""

import contextlib
import fcntl
import functools
import inspect
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time
import warnings

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin")).resolve()
PLIMSOLL = BIN / "plimsoll"
TESTBED = BIN / "plimsoll-testbed"

PASSED, FAILED, THRESHOLDS, BAD_PLAN, INTERRUPTED = 0, 1, 99, 104, 105
SATURATED, DISK_FULL = 120, 121


def free_ports(count, host="127.0.0.1"):
    """The first of some ports in a row that nobody has, below those that the kernel gives to
    outgoing connections: a load on another test's target would take them before they are used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        first = random.randrange(10000, 30000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.socket(family)).bind((host, port))
            return first
    raise AssertionError(f"no {count} free ports in a row")


def free_port(host="127.0.0.1"):
    return free_ports(1, host)


def wait_port(port, host="127.0.0.1", process=None):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(200):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        with socket.socket(family) as s:
            if s.connect_ex((host, port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on {host}:{port}")


class Ran:
    """A finished run of the program."""

    def __init__(self, code, out, err, directory):
        self.code, self.out, self.err = code, out, err
        self.directory = pathlib.Path(directory)

    @property
    def files(self):
        return sorted((self.directory / "runs").glob("*.plim"))

    @property
    def file(self):
        assert len(self.files) == 1, (self.files, self.err)
        return self.files[0]

    @property
    def summary(self):
        shown = subprocess.run([PLIMSOLL, "report", self.file, "--format", "json"],
                               capture_output=True, text=True, timeout=60)
        assert shown.returncode == 0, shown.stderr
        return json.loads(shown.stdout)

    def check_passed(self):
        """Passed, as far as the target goes: on a crowded machine the generator may rightly say
        that it was saturated, which is no failure of what these tests look at."""
        assert self.code in (PASSED, SATURATED), (self.code, self.err)
        return self


def run_program(directory, *words, env=None, timeout=120, stdin=None):
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TZ": "UTC", **(env or {})}
    done = subprocess.run([PLIMSOLL, *map(str, words)], cwd=directory, env=environment, text=True,
                          capture_output=True, timeout=timeout, stdin=stdin)
    return Ran(done.returncode, done.stdout, done.stderr, directory)


def start_program(directory, *words, **how):
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TZ": "UTC"}
    return subprocess.Popen([PLIMSOLL, *map(str, words)], cwd=directory, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def finish(process, directory, timeout=60):
    out, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out, err, directory)


# Files that take longest. Workers take files in order, so that these first and the short ones last
# let all workers end together.
SLOWEST = ["test_scalers", "test_scenarios", "test_scale", "test_requirements",
           "test_control_planes", "test_analyze", "test_run", "test_mcp_stdio", "test_library",
           "test_safety", "test_cli", "test_oracles"]


def pytest_collection_modifyitems(items):
    rank = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(SLOWEST)))


@pytest.fixture(scope="session", autouse=True)
def programs():
    if not PLIMSOLL.exists() or not TESTBED.exists():
        pytest.skip(f"{PLIMSOLL} or {TESTBED} is not built")


MCP_INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize",
                             "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                                        "clientInfo": {"name": "probe", "version": "0"}}})


def install_npm_servers(folder):
    folder.mkdir(exist_ok=True)
    packages = [f"@modelcontextprotocol/server-{name}@2026.8.31"
                for name in ("everything", "filesystem")]
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
                           *packages], cwd=folder, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "HOME": str(folder)})
    if done.returncode:
        pytest.skip(f"NOT TESTED against real MCP servers: npm install failed: {done.stderr}")


@pytest.fixture(scope="session")
def npm_servers(tmp_path_factory):
    """The folder of MCP servers that others wrote, installed once for all tests (skipped, loudly,
    where npm or its registry cannot be reached)."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("NOT TESTED against real MCP servers: npm is not installed")
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # that of all processes
    folder = base / "npm"
    with open(base / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            install_npm_servers(folder)
            (folder / "installed").touch()
    return folder / "node_modules/@modelcontextprotocol"


@pytest.fixture
def plimsoll(tmp_path):
    """Runs the program in a directory of its own."""
    return lambda *words, **how: run_program(tmp_path, *words, **how)


@contextlib.contextmanager
def ended():
    """A list of processes, which are ended after it."""
    started = []
    yield started
    for process in started:
        if process.poll() is None:
            process.terminate()
    for process in started:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def processes():
    """Things started by a test, ended after it."""
    with ended() as started:
        yield started


class Server:
    def __init__(self, process, port, scheme="http", host="127.0.0.1"):
        self.process, self.port, self.host = process, port, host
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{shown}:{port}"


def start_testbed(processes, *options, listen="127.0.0.1"):
    process = subprocess.Popen([TESTBED, "--port", "0", "--listen", listen, *map(str, options)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    processes.append(process)
    line = process.stdout.readline()
    assert line.startswith("listening on "), line
    return Server(process, int(line.strip().rpartition(":")[2]), host=listen)


@pytest.fixture
def testbed(processes):
    """testbed("--law", "fixed", ...) starts one and returns where it is."""
    return lambda *options, **how: start_testbed(processes, *options, **how)


def need(program):
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"SKIPPED LOUDLY: {program} is not installed, this oracle was not asked")
    return path


@pytest.fixture
def nginx(processes, tmp_path):
    """nginx(server_lines, listen="PORT ssl") with an access log of one line a request."""

    def start(body, listen_more="", listen="127.0.0.1", scheme="http", main=""):
        program = need("nginx")
        port = free_port(listen)
        at = f"[{listen}]:{port}" if ":" in listen else f"{listen}:{port}"
        home = tmp_path / f"nginx-{port}"
        home.mkdir()
        paths = "".join(f"{kind}_temp_path {home}/{kind};"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (home / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 1000; }}
http {{
  log_format line '$request_method $request_uri $status "$http_authorization" "$http_cookie"';
  access_log {home}/access.log line; {paths} {main}
  keepalive_requests 1000000;
  server {{ listen {at} {listen_more}; {body} }}
}}""")
        process = subprocess.Popen([program, "-c", home / "nginx.conf", "-e", home / "error.log"],
                                   stderr=subprocess.PIPE)
        processes.append(process)
        wait_port(port, listen, process)
        server = Server(process, port, scheme, listen)
        server.home = home
        return server

    return start


def nginx_lines(server):
    """The access log after all is written: nginx writes a line when a request is done."""
    time.sleep(0.1)
    return (server.home / "access.log").read_text().splitlines()


def crowded():
    """Whether others want more of this machine's processors than there are."""
    return os.getloadavg()[0] > os.cpu_count()


def tried(test):
    """Marks a test that holds times against limits: it may be tried three times, since a crowded
    machine makes times only worse. That it was tried again stands in pytest's warnings."""

    @functools.wraps(test)
    def try_it(tmp_path, **given):
        if "tmp_path" in inspect.signature(test).parameters:
            given["tmp_path"] = tmp_path
        before = set(tmp_path.iterdir())
        for left in (2, 1, 0):
            try:
                return test(**given)
            except AssertionError as error:
                if not left:
                    raise
                warnings.warn(f"TRIED AGAIN: {test.__name__}: {str(error).splitlines()[0]}")
                for path in set(tmp_path.iterdir()) - before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        return None

    kind = inspect.Parameter.KEYWORD_ONLY
    names = dict.fromkeys([*inspect.signature(test).parameters, "tmp_path"])
    try_it.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return try_it


def write_plan(tmp_path, text, name="plan.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path
