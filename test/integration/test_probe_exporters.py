"""Probes that ask others, in runs: presets against the real exporters that Debian has, and endpoints
that hang, dribble, flood or answer nonsense, which must cost the load nothing and leave a gap.

What is compared is what a second source says: /proc, redis-cli, PostgreSQL, or the run's own counts."""

import os
import pathlib
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import free_port, need, tried, wait_port, write_plan

SCENARIO = """
scenarios:
  s: {{ executor: constant-arrival-rate, rate: {rate}/s, duration: {seconds}s, vus: 200,
       tasks: [{{ get: {path} }}] }}
"""


def watched_run(plimsoll, tmp_path, target, probes, seconds=3, rate=50, path="/health"):
    plan = f"target: {target}\n" + SCENARIO.format(rate=rate, seconds=seconds, path=path)
    plan += "watch:\n  interval: 500ms\n  probes:\n" + "".join(f"    - {p}\n" for p in probes)
    ran = plimsoll("run", write_plan(tmp_path, plan), timeout=90)
    ran.check_passed()
    return ran


def values(ran, name):
    """{(metric, part): [values]} of one watched thing."""
    with sqlite3.connect(f"file:{ran.file}?mode=ro", uri=True) as file:
        rows = file.execute("""
            SELECT metric, part, value FROM sample JOIN series ON series.id = sample.series
            JOIN watched ON watched.number = series.watched WHERE watched.name = ?
            ORDER BY at_ns""", (name,)).fetchall()
    found = {}
    for metric, part, value in rows:
        found.setdefault((metric, part), []).append(value)
    return found


def events(ran, kind):
    with sqlite3.connect(f"file:{ran.file}?mode=ro", uri=True) as file:
        return [words for (words,) in
                file.execute("SELECT words FROM event WHERE kind = ?", (kind,))]


def start(processes, words, port, **how):
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, **how)
    processes.append(process)
    wait_port(port, process=process)
    return process


@pytest.fixture
def node_exporter(processes):
    port = free_port()
    start(processes, [need("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"],
          port)
    return f"http://127.0.0.1:{port}"


def meminfo_total():
    return int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024


def test_node_exporter(node_exporter, testbed, plimsoll, tmp_path):
    """The exporter's figures, taken by us over another way than our own probes' of this machine."""
    ran = watched_run(plimsoll, tmp_path, testbed().url,
                      [f"{{ prometheus: {{ url: {node_exporter}/metrics, preset: node_exporter }},"
                       " name: exporter, role: host }"])
    exporter = values(ran, "exporter")
    assert set(exporter[("memory.total", "")]) == {float(meminfo_total())}
    assert exporter[("prometheus.bad_lines", "")] == [0] * len(exporter[("prometheus.bad_lines", "")])
    for metric in ("cpu.busy", "cpu.user", "cpu.system", "memory.used_share", "host.load"):
        assert len(exporter[(metric, "")]) >= 3, metric
    assert any(metric == "network.in_bytes" and part for metric, part in exporter)
    local = values(ran, "generator")
    ours, theirs = (statistics.mean(v[("cpu.busy", "")]) for v in (local, exporter))
    # Both look each half second, but not in the same instants.
    assert abs(ours - theirs) < 0.15, (ours, theirs)
    assert statistics.mean(exporter[("memory.used_share", "")]) == pytest.approx(
        statistics.mean(local[("memory.used_share", "")]), abs=0.05)


@tried
def test_haproxy_exporter(processes, testbed, plimsoll, tmp_path):
    haproxy, behind, port, page = need("haproxy"), testbed(), free_port(), free_port()
    (tmp_path / "h.cfg").write_text(f"""
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one 127.0.0.1:{behind.port} check inter 1s
  server two 127.0.0.1:{free_port()} check inter 1s
frontend page
  bind 127.0.0.1:{page}
  http-request use-service prometheus-exporter
""")
    start(processes, [haproxy, "-f", tmp_path / "h.cfg", "-db"], page)
    time.sleep(2.5)  # until HAProxy knows that the second server is down
    ran = watched_run(plimsoll, tmp_path, f"http://127.0.0.1:{port}",
                      [f"{{ prometheus: {{ url: http://127.0.0.1:{page}/metrics, preset: haproxy }},"
                       " name: balancer, role: load-balancer }"], rate=100)
    balancer = values(ran, "balancer")
    assert statistics.mean(balancer[("balancer.requests", "back")]) == pytest.approx(100, rel=0.15)
    assert statistics.mean(balancer[("balancer.server_requests", "back/one")]) == pytest.approx(
        100, rel=0.15)
    assert set(balancer[("balancer.active_servers", "back")]) == {1.0}
    assert set(balancer[("balancer.queue", "back")]) == {0.0}
    for metric in ("balancer.response_time", "balancer.sessions", "balancer.idle"):
        assert any(m == metric for m, _ in balancer), metric
    assert balancer[("balancer.idle", "")][-1] <= 1


def test_prometheus_server(processes, node_exporter, testbed, plimsoll, tmp_path):
    """By PromQL; and the server's own page, which no preset knows but for the process."""
    prometheus, port = need("prometheus"), free_port()
    (tmp_path / "p.yml").write_text(f"""
global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: node
    static_configs: [{{ targets: ["{node_exporter.removeprefix('http://')}"] }}]
""")
    start(processes, [prometheus, f"--config.file={tmp_path}/p.yml",
                      f"--storage.tsdb.path={tmp_path}/data",
                      f"--web.listen-address=127.0.0.1:{port}"], port)
    base = f"http://127.0.0.1:{port}"
    ask = base + "/api/v1/query?query=node_memory_MemTotal_bytes"
    for _ in range(300):  # until it is ready (503 before) and has scraped once
        try:
            if b"MemTotal" in urllib.request.urlopen(ask, timeout=5).read():
                break
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    else:
        raise AssertionError("Prometheus has not scraped within 30 s")
    ran = watched_run(plimsoll, tmp_path, testbed().url, [
        f"{{ prometheus: {{ url: {base}, query: 'sum(node_memory_MemTotal_bytes)', name: memory.all,"
        " unit: bytes }, name: query }",
        f"{{ prometheus: {{ url: {base}, query: 'sum(', name: wrong }}, name: wrong }}",
        f"{{ prometheus: {{ url: {base}/metrics, series: ['prometheus_tsdb_head_*'] }}, name: own }}",
        f"{{ http: {{ url: {base}/-/healthy }}, name: health }}",
    ])
    assert set(values(ran, "query")[("memory.all", "")]) == {float(meminfo_total())}
    assert values(ran, "wrong") == {}
    assert any("wrong" in words and "parse error" in words for words in events(ran, "gap"))
    own = values(ran, "own")
    assert own[("prometheus_tsdb_head_series", "")][-1] > 100
    assert own[("process.rss", "")][-1] > 1e6
    assert set(own[("prometheus.bad_lines", "")]) == {0.0}
    health = values(ran, "health")
    assert set(health[("http.healthy", "")]) == {1.0} and set(health[("http.status", "")]) == {200.0}
    assert all(0 < took < 1 for took in health[("http.latency", "")])


@pytest.mark.thorough
def test_redis_exporter(processes, testbed, plimsoll, tmp_path):
    server, exporter = need("redis-server"), need("prometheus-redis-exporter")
    port, page = free_port(), free_port()
    start(processes, [server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--maxmemory",
                      "100mb"], port, cwd=tmp_path)
    start(processes, [exporter, f"--redis.addr=redis://127.0.0.1:{port}",
                      f"--web.listen-address=127.0.0.1:{page}"], page)
    over = threading.Event()

    def look_up():  # three hits for a miss, until the run is over
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"SET a 1\r\n")
            while not over.wait(0.01):
                s.sendall(b"GET a\r\nGET a\r\nGET a\r\nGET b\r\n")
                s.recv(4096)

    thread = threading.Thread(target=look_up)
    thread.start()
    try:
        ran = watched_run(plimsoll, tmp_path, testbed().url, [
            f"{{ prometheus: {{ url: http://127.0.0.1:{page}/metrics, preset: redis_exporter }},"
            " name: cache, role: cache }"])
    finally:
        over.set()
        thread.join()
    cache = values(ran, "cache")
    # A scrape may fall between the hits and the miss of one round, of some 50 in each interval.
    assert statistics.mean(cache[("cache.hit_share", "")]) == pytest.approx(0.75, abs=0.02)
    assert cache[("cache.connections", "")][-1] >= 1
    assert 0 < cache[("cache.memory_share", "")][-1] < 1
    assert len(cache[("cache.commands", "")]) >= 3 and len(cache[("cache.evictions", "")]) >= 3


def postgres_program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1] if found else need(name)


@pytest.mark.thorough
def test_postgres_exporter(processes, testbed, plimsoll, tmp_path):
    exporter, initdb, server = (need("prometheus-postgres-exporter"), postgres_program("initdb"),
                                postgres_program("postgres"))
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("SKIPPED LOUDLY: PostgreSQL does not run as root, and there is no runuser")
    as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    port, page = free_port(), free_port()
    home = pathlib.Path(f"/tmp/plimsoll-postgres-{os.getpid()}")
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    try:
        made = subprocess.run([*as_other, initdb, "-D", home / "data", "-U", "postgres", "-A", "trust",
                               "--no-sync"], capture_output=True, text=True, cwd="/tmp")
        assert made.returncode == 0, made.stderr
        start(processes, [*as_other, server, "-D", home / "data", "-p", port, "-k", home, "-c",
                          "listen_addresses=127.0.0.1", "-c", "max_connections=40"], port, cwd="/tmp")
        start(processes, [exporter, f"--web.listen-address=127.0.0.1:{page}"], page, env={
            **os.environ, "DATA_SOURCE_NAME":
            f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"})
        ran = watched_run(plimsoll, tmp_path, testbed().url, [
            f"{{ prometheus: {{ url: http://127.0.0.1:{page}/metrics, preset: postgres_exporter }},"
            " name: database, role: database }"])
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=20)
        shutil.rmtree(home, ignore_errors=True)
    database = values(ran, "database")
    # max_connections is 40, and the exporter's own are the only ones.
    connections = database[("database.connections", "")][-1]
    assert connections >= 1
    assert database[("database.pool_share", "")][-1] == pytest.approx(connections / 40)
    assert sum(database[("database.commits", "")]) > 0
    assert 0 < database[("database.cache_hit_share", "")][-1] <= 1
    for metric in ("database.active", "database.rollbacks", "database.deadlocks",
                   "database.temporary_bytes", "database.locks"):
        assert database[(metric, "")], metric


# ---- endpoints that misbehave -------------------------------------------------------------------


def hang(connection, over):
    over.wait(60)


def dribble(connection, over):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"#")


def flood(connection, over):
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    block = b"x" * 1_000_000
    for _ in range(100):
        connection.sendall(block)


def garbage(connection, over):
    connection.sendall(b"\x00\xff no protocol at all \n\n")


def page_of_nonsense(connection, over):
    body = b"<html>not metrics</html>\n"
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Odd:
    """A server whose every connection is given to one of the above."""

    def __init__(self, behave):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.over, self.behave = threading.Event(), behave
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            with connection:
                connection.recv(65536)
                self.behave(connection, self.over)
        except OSError:
            pass

    def stop(self):
        self.over.set()
        self.listener.close()


ODD = {"hang": (hang, "did not answer whole"), "dribble": (dribble, "did not answer whole"),
       "flood": (flood, "sent more than"), "garbage": (garbage, "does not answer in HTTP"),
       "nonsense": (page_of_nonsense, "no exposition of metrics")}


def test_odd_endpoints_cost_the_load_nothing(testbed, plimsoll, tmp_path):
    """All of them at once beside 200 arrivals a second: each arrival is sent and answered, none
    late or dropped for their sake; the gaps are told with their reasons; a good endpoint beside
    them is looked at as ever; and the run ends when it should."""
    servers = {name: Odd(behave) for name, (behave, _) in ODD.items()}
    bed = testbed("--law", "fixed")
    probes = [f"{{ prometheus: http://127.0.0.1:{server.port}/metrics, name: {name} }}"
              for name, server in servers.items()]
    probes.append("{ http: /health, name: good }")
    began = time.monotonic()
    try:
        ran = watched_run(plimsoll, tmp_path, bed.url, probes, seconds=4, rate=200)
    finally:
        for server in servers.values():
            server.stop()
    assert time.monotonic() - began < 20  # not the 60 s that one of them would hang
    accounts = ran.summary["accounts"]
    assert accounts["close"] is True
    assert accounts["offered"] == accounts["succeeded"] == 800, accounts
    gaps = events(ran, "gap")
    for name, (_, words) in ODD.items():
        assert any(name in gap and words in gap for gap in gaps), (name, gaps)
        assert values(ran, name) == {}, name
    good = values(ran, "good")
    assert len(good[("http.healthy", "")]) >= 3 and set(good[("http.healthy", "")]) == {1.0}


def test_the_reference_is_what_the_program_says(plimsoll):
    page = plimsoll("list", "probes", "--markdown").out
    kept = pathlib.Path(__file__).resolve().parents[2] / "doc/probes.md"
    assert page == kept.read_text(), (
        "doc/probes.md is old: build/dev/bin/plimsoll list probes --markdown > doc/probes.md")
