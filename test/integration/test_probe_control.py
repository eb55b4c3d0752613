"""Probes `docker` and `kubernetes` in a run, against a recorded engine on a Unix socket and a recorded
API behind TLS with a kubeconfig: replies in the shape of their documentation, whose counters grow by
the clock, so that the figures of the run file are known."""

import base64
import json
import os
import socketserver
import ssl
import subprocess
import threading
import time

import pytest

from answering import Handler, serve
from conftest import need, write_plan
from test_probe_exporters import events, values

PLAN = """
target: {target}
scenarios:
  s: {{ executor: constant-vus, vus: 1, duration: 3s, think: 100ms, tasks: [{{ get: /health }}] }}
watch:
  interval: 500ms
  probes:
    - {probe}
"""


class Recorded(Handler):
    """Answers by the first page whose path begins the request's; a page is made when asked for."""

    disable_nagle_algorithm = False  # there is none on a Unix socket
    pages, asked = {}, []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Authorization")))
        page = next((page for path, page in self.pages.items() if self.path.startswith(path)), None)
        body = json.dumps(page() if page else {"message": "page not found"}).encode()
        self.reply(200 if page else 404, body, "application/json")

    def address_string(self):
        return "socket"


def rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e9):09d}Z"


def stats():
    """A container that uses 1.25 processors and receives 1,000 bytes a second."""
    now = time.time()
    return {"read": rfc3339(now), "pids_stats": {"current": 3},
            "cpu_stats": {"cpu_usage": {"total_usage": int(1.25e9 * (now % 1e6))},
                          "throttling_data": {"periods": 0, "throttled_periods": 0}},
            "memory_stats": {"usage": 3 << 20, "limit": 8 << 20, "stats": {"inactive_file": 1 << 20}},
            "networks": {"eth0": {"rx_bytes": int(1000 * (now % 1e6)), "tx_bytes": 0}},
            "blkio_stats": {"io_service_bytes_recursive": None}}


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def test_docker(testbed, plimsoll, tmp_path):
    path = f"/tmp/plimsoll-engine-{os.getpid()}.sock"
    pages = {"/containers/json": lambda: [{"Id": "a", "Names": ["/web-1"]},
                                          {"Id": "b", "Names": ["/other"]}],
             "/containers/web-1/stats?stream=false": stats}
    handler = type("Engine", (Recorded,), {"pages": pages, "asked": []})
    server = UnixServer(path, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        ran = plimsoll("run", write_plan(tmp_path, PLAN.format(
            target=testbed().url,
            probe=f"{{ docker: {{ engine: {path}, containers: web* }}, name: web }}")))
    finally:
        server.shutdown()
        server.server_close()
        os.unlink(path)
    ran.check_passed()
    web = values(ran, "web")
    for got in web[("container.cpu", "web-1")]:
        assert got == pytest.approx(1.25, rel=1e-4)
    for got in web[("container.received_bytes", "web-1")]:
        assert got == pytest.approx(1000, rel=0.05)  # whole bytes
    assert set(web[("container.memory_share", "web-1")]) == {0.25}
    assert ("container.throttled_share", "web-1") not in web  # no periods: not a share of 0
    assert not any("other" in asked for asked, _ in handler.asked)


def pods():
    return {"kind": "PodList", "items": [
        {"metadata": {"name": "web-a"},
         "spec": {"containers": [{"name": "main", "resources": {
             "requests": {"cpu": "500m"}, "limits": {"memory": "128Mi"}}}]},
         "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"restartCount": 4}]}}]}


def use():
    return {"items": [{"metadata": {"name": "web-a"}, "timestamp": rfc3339(time.time()),
                       "containers": [{"usage": {"cpu": "250m", "memory": "32Mi"}}]}]}


@pytest.fixture
def recorded_api(tmp_path):
    """A recorded API behind TLS, and a kubeconfig for it."""
    need("openssl")
    cert, key = tmp_path / "api.crt", tmp_path / "api.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=api",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    pages = {"/api/v1/namespaces/shop/pods": pods, "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods":
             use, "/api/v1/namespaces/shop/events": lambda: {"items": []}}
    handler = type("Api", (Recorded,), {"pages": pages, "asked": []})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = serve(handler, context)
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "c", "cluster": {
            "server": server.url,
            "certificate-authority-data": base64.b64encode(cert.read_bytes()).decode()}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
                     {"name": "exec", "context": {"cluster": "c", "user": "e"}}],
        "users": [{"name": "u", "user": {"token": "t0ps3cret"}},
                  {"name": "e", "user": {"exec": {"command": "aws"}}}]}))
    yield handler, config
    server.shutdown()
    server.server_close()


def test_kubernetes(recorded_api, testbed, plimsoll, tmp_path):
    handler, config = recorded_api
    ran = plimsoll("run", write_plan(tmp_path, PLAN.format(
        target=testbed().url, probe=f"{{ kubernetes: {{ kubeconfig: {config} }}, name: shop }}")))
    ran.check_passed()
    shop = values(ran, "shop")
    assert set(shop[("pods.ready", "")]) == {1.0}
    assert set(shop[("pod.restarts", "web-a")]) == {0.0}  # since the look before
    assert set(shop[("pod.cpu_share", "web-a")]) == {0.5}
    assert set(shop[("pod.memory_share", "web-a")]) == {0.25}
    assert all(token == "Bearer t0ps3cret" for _, token in handler.asked)
    assert any("deployments are not watched" in words for words in events(ran, "absent"))
    assert b"t0ps3cret" not in ran.file.read_bytes() and "t0ps3cret" not in ran.out + ran.err


def test_a_kubeconfig_that_runs_programs_is_refused_in_words(recorded_api, testbed, plimsoll, tmp_path):
    _, config = recorded_api
    ran = plimsoll("run", write_plan(tmp_path, PLAN.format(
        target=testbed().url,
        probe=f"{{ kubernetes: {{ kubeconfig: {config}, context: exec }}, name: shop }}")))
    ran.check_passed()
    assert any("exec, which is not supported" in words for words in events(ran, "absent"))
