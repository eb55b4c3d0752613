"""Scalers of control planes against servers that keep state and check what they are sent, as the
Kubernetes API and a container engine do: scale, wait, patch, conflict, forbidden, timeout, undo."""

import copy
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

from answering import Handler, serve
from conftest import PLIMSOLL, run_program, start_program

QUANTITY = re.compile(r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")


def merge(to, patch):
    """RFC 7386."""
    for key, value in patch.items():
        if value is None:
            to.pop(key, None)
        elif isinstance(value, dict):
            to[key] = merge(dict(to.get(key) or {}), value)
        else:
            to[key] = value
    return to


def strategic(to, patch):
    """Strategic merge as far as containers need it: lists by name, $patch: replace."""
    if patch.get("$patch") == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    for key, value in patch.items():
        if key == "containers":
            for change in value:
                [own] = [c for c in to[key] if c["name"] == change["name"]]
                own.update(strategic(own, change))
        elif isinstance(value, dict):
            to[key] = strategic(dict(to.get(key) or {}), value)
        elif value is None:
            to.pop(key, None)
        else:
            to[key] = value
    return to


class Api:
    """Keeps documents by path; `trouble` maps (method, path) to statuses to answer first."""

    def __init__(self):
        self.trouble, self.asked, self.lock = {}, [], threading.Lock()
        api = self

        class Own(Handler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                url = urllib.parse.urlsplit(self.path)
                with api.lock:
                    api.asked.append((self.command, url.path, body))
                    status = (api.trouble.get((self.command, url.path)) or [0]).pop(0)
                    if not api.trouble.get((self.command, url.path)):
                        api.trouble.pop((self.command, url.path), None)
                    if not status:
                        status, out = api.act(self.command, url.path, dict(
                            urllib.parse.parse_qsl(url.query)), body, self.headers)
                    else:
                        out = {"kind": "Status", "status": "Failure", "message": f"made to {status}"}
                words = json.dumps(out).encode() if out is not None else b""
                self.reply(status, words, "application/json" if status != 204 else None)

            do_GET = do_PATCH = do_POST = answer

        self.server = serve(Own)
        self.url = self.server.url

    def patches(self):
        return [(path, body) for method, path, body in self.asked if method != "GET"]


class Cluster(Api):
    """A deployment whose pods become ready half a second after a change."""

    OWN = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    HPA = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/gateway"

    def __init__(self):
        super().__init__()
        self.version, self.changed, self.never_ready = 1, 0, False
        self.own = {
            "kind": "Deployment",
            "metadata": {"name": "gateway", "generation": 1},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "gateway"}}, "template": {
                "spec": {"containers": [
                    {"name": "web", "image": "web:1", "resources": {
                        "limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "250m"}}},
                    {"name": "side", "image": "side:1"}]}}}}
        self.hpa = {"metadata": {"name": "gateway"}, "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "gateway", "apiVersion": "apps/v1"},
            "minReplicas": 2, "maxReplicas": 10,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}}
        self.began = copy.deepcopy((self.own["spec"], self.hpa["spec"]))
        self.pods_resized = []

    def state(self):
        return self.own["spec"], self.hpa["spec"]

    def change(self):
        self.version += 1
        self.own["metadata"]["generation"] += 1
        self.changed = time.time()

    def seen(self):
        ready = not self.never_ready and time.time() > self.changed + 0.5
        wanted = self.own["spec"]["replicas"]
        count = wanted if ready else min(1, wanted)
        return {**self.own, "status": {
            "observedGeneration": self.own["metadata"]["generation"], "replicas": wanted,
            "readyReplicas": count, "updatedReplicas": count}}

    def act(self, method, path, query, body, headers):
        kind = headers.get("Content-Type")
        if method == "GET" and path == self.OWN:
            return 200, self.seen()
        if method == "GET" and path == self.OWN + "/scale":
            return 200, {"metadata": {"resourceVersion": str(self.version)},
                         "spec": {"replicas": self.own["spec"]["replicas"]}}
        if method == "GET" and path == "/api/v1/namespaces/shop/pods":
            assert query["labelSelector"] == "app=gateway"
            return 200, {"items": [{"metadata": {"name": f"gateway-{i}"}, "status": {
                "containerStatuses": [{"restartCount": i}]}}
                for i in range(self.own["spec"]["replicas"])]}
        if method == "GET" and path.endswith("/horizontalpodautoscalers"):
            return 200, {"items": [self.hpa]}
        if method == "GET" and path == "/api/v1/namespaces/shop/services/front":
            return 200, {"spec": {"ports": [{"port": 8080}], "clusterIP": "10.0.0.7"},
                         "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
        if method == "PATCH" and path == self.OWN + "/scale":
            assert kind == "application/merge-patch+json"
            if body.get("metadata", {}).get("resourceVersion") not in (None, str(self.version)):
                return 409, {"kind": "Status", "message": "the object has been modified"}
            if not isinstance(body["spec"]["replicas"], int) or body["spec"]["replicas"] < 0:
                return 422, {"kind": "Status", "message": "replicas"}
            self.own["spec"]["replicas"] = body["spec"]["replicas"]
            self.change()
            return 200, {}
        if method == "PATCH" and path == self.OWN:
            assert kind == "application/strategic-merge-patch+json"
            for container in body["spec"]["template"]["spec"]["containers"]:
                for part in ("limits", "requests"):
                    for word in container["resources"].get(part, {}).values():
                        if not QUANTITY.match(word):
                            return 422, {"kind": "Status", "message": f"quantity {word}"}
            self.own["spec"] = strategic(copy.deepcopy(self.own["spec"]), body["spec"])
            self.change()
            return 200, {}
        if method == "PATCH" and path == self.HPA:
            assert kind == "application/merge-patch+json"
            spec = merge(copy.deepcopy(self.hpa["spec"]), body["spec"])
            if spec["minReplicas"] > spec["maxReplicas"]:
                return 422, {"kind": "Status", "message": "minReplicas"}
            self.hpa["spec"] = spec
            return 200, {}
        if method == "PATCH" and path.endswith("/resize"):
            assert kind == "application/strategic-merge-patch+json"
            self.pods_resized.append((path.split("/")[-2], body["spec"]["containers"][0]))
            return 200, {}
        return 404, {"kind": "Status", "message": f"{path} is not found"}


def write(tmp_path, target, scaler):
    (tmp_path / "plan.yaml").write_text(f"""
target: {target}
scenarios:
  s: {{ executor: constant-vus, vus: 1, duration: 1s, think: 20ms, tasks: [{{ name: t, get: /health }}] }}
scale: {{ cool_down: 0s, prolong: 1, scaler: {json.dumps(scaler)} }}
""")


def scale(tmp_path, *words):
    return run_program(tmp_path, "scale", words[0], "plan.yaml", *words[1:], "--levels", "1",
                       "--step-duration", "1", "--debug")


@pytest.fixture
def cluster():
    one = Cluster()
    yield one
    one.server.shutdown()


def kubernetes(cluster, **more):
    return {"kubernetes": {"server": cluster.url, "namespace": "shop",
                           "workload": "deployment/gateway", "wait": "5s", **more}}


def test_kubernetes_scales_waits_and_is_put_back(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, kubernetes(cluster))
    ran = scale(tmp_path, "horizontal", "--instances", "3")
    assert ran.code in (0, 120), ran.err
    assert [b["spec"]["replicas"] for p, b in cluster.patches()] == [1, 2, 3, 2]
    assert cluster.state() == cluster.began
    journal = next(tmp_path.glob("runs/*/undo.journal")).read_text()
    assert '{"undone":1}' in journal and '{"closed":true}' in journal


def test_kubernetes_patches_resources_and_puts_exactly_them_back(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, kubernetes(cluster, container="web"))
    ran = scale(tmp_path, "vertical", "--sizes", "0.25,1.5")
    assert ran.code in (0, 120), ran.err
    sizes = [b["spec"]["template"]["spec"]["containers"][0]["resources"]
             for p, b in cluster.patches()]
    assert sizes[0] == {"limits": {"cpu": "250m"}, "requests": {"cpu": "250m"}}
    assert sizes[1]["limits"] == {"cpu": "1500m"}
    assert cluster.state() == cluster.began  # request and limit differed, and memory was there


@pytest.mark.thorough
def test_kubernetes_resizes_in_place(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, kubernetes(cluster, in_place=True))
    ran = scale(tmp_path, "vertical", "--sizes", "1")
    assert ran.code in (0, 120), ran.err
    assert cluster.own["metadata"]["generation"] == 1, "the template was not touched"
    assert [name for name, _ in cluster.pods_resized] == ["gateway-0", "gateway-1"] * 2
    assert cluster.pods_resized[0][1]["resources"]["limits"] == {"cpu": "1000m"}
    assert cluster.pods_resized[-1][1]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}


@pytest.mark.parametrize("hpa", ["pause", "pin"])
def test_kubernetes_holds_the_autoscaler_and_lets_it_go(tmp_path, testbed, cluster, hpa):
    write(tmp_path, testbed().url, kubernetes(cluster, hpa=hpa))
    ran = scale(tmp_path, "horizontal", "--instances", "2")
    assert ran.code in (0, 120), ran.err
    holds = [b["spec"] for p, b in cluster.patches() if p == cluster.HPA]
    if hpa == "pause":
        assert holds[0]["behavior"]["scaleUp"]["selectPolicy"] == "Disabled"
    else:
        assert [h["minReplicas"] for h in holds] == [1, 2, 2]
        assert holds[1]["maxReplicas"] == 2 and holds[2]["maxReplicas"] == 10
    assert cluster.state() == cluster.began


def test_kubernetes_tries_conflicts_again(tmp_path, testbed, cluster):
    cluster.trouble[("PATCH", cluster.OWN + "/scale")] = [409, 409]
    write(tmp_path, testbed().url, kubernetes(cluster))
    ran = scale(tmp_path, "horizontal", "--instances", "1")
    assert ran.code in (0, 120), ran.err
    assert "trying again" in ran.err and cluster.state() == cluster.began


def test_kubernetes_says_what_is_forbidden(tmp_path, testbed, cluster):
    cluster.trouble[("PATCH", cluster.OWN + "/scale")] = [403] * 50
    write(tmp_path, testbed().url, kubernetes(cluster))
    ran = scale(tmp_path, "horizontal", "--instances", "1")
    assert ran.code == 1 and "made to 403" in ran.err and "kubernetes" in ran.err, ran.err
    assert cluster.state() == cluster.began


def test_kubernetes_gives_up_in_time_and_puts_back(tmp_path, testbed, cluster):
    cluster.never_ready = True
    write(tmp_path, testbed().url, kubernetes(cluster, wait="1s"))
    threading.Timer(3.5, lambda: setattr(cluster, "never_ready", False)).start()
    ran = scale(tmp_path, "horizontal", "--instances", "3")
    assert ran.code == 1 and "not ready in time" in ran.err, ran.err
    assert cluster.state() == cluster.began


@pytest.mark.thorough
def test_kubernetes_lives_with_a_server_that_fails_now_and_then(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, kubernetes(cluster))
    threading.Timer(0.1, lambda: cluster.trouble.update({("GET", cluster.OWN): [500, 503]})).start()
    ran = scale(tmp_path, "horizontal", "--instances", "1")
    assert ran.code in (0, 120), ran.err
    assert cluster.state() == cluster.began


def test_kubernetes_names_what_is_not_there(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, {"kubernetes": {
        "server": cluster.url, "namespace": "shop", "workload": "deployment/other"}})
    ran = scale(tmp_path, "horizontal", "--instances", "1")
    assert ran.code == 1 and "is not found" in ran.err, ran.err


def test_kubernetes_is_rolled_back_after_kill(tmp_path, testbed, cluster):
    write(tmp_path, testbed().url, kubernetes(cluster, hpa="pin"))
    process = start_program(tmp_path, "scale", "horizontal", "plan.yaml", "--instances", "3",
                            "--levels", "1", "--step-duration", "5")
    end = time.time() + 20
    while cluster.own["spec"]["replicas"] != 1 and time.time() < end:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert cluster.state() != cluster.began
    undone = run_program(tmp_path, "rollback", "@last")
    assert undone.code == 0, (undone.out, undone.err)
    assert cluster.state() == cluster.began


class Engine(Api):
    """A container engine with one container, and as many of a Compose service as were made."""

    def __init__(self, count_file):
        super().__init__()
        self.count_file = count_file
        self.host = {"NanoCpus": 0, "CpuQuota": 0, "CpuPeriod": 0, "Memory": 268435456,
                     "MemorySwap": 536870912}

    def act(self, method, path, query, body, headers):
        if method == "GET" and path == "/containers/web/json":
            return 200, {"Id": "abc", "RestartCount": 0, "State": {"Running": True},
                         "HostConfig": self.host}
        if method == "GET" and path == "/containers/json":
            assert json.loads(query["filters"])["label"] == [
                "com.docker.compose.project=shop", "com.docker.compose.service=web"]
            return 200, [{"Id": str(i), "Status": "Up 1 second (healthy)"}
                         for i in range(int(self.count_file.read_text()))]
        if method == "POST" and path == "/containers/web/update":
            if {"NanoCpus", "CpuQuota"} <= set(body):
                return 400, {"message": "Conflicting options: Nano CPUs and CPU Quota"}
            if body.get("Memory", 0) > 0 and body["MemorySwap"] < body["Memory"]:
                return 400, {"message": "Minimum memoryswap limit should be larger than memory"}
            for key, value in body.items():
                if value:  # the engine takes 0 for "as it is"
                    self.host[key] = value
            return 200, {"Warnings": None}
        return 404, {"message": f"No such container: {path}"}


FAKE_DOCKER = """#!/bin/sh
# Stands for the docker program where only Compose is asked: the number of containers is a file.
echo "$@" >> {log}
for word; do case "$word" in web=*) echo "${{word#web=}}" > {count} ;; esac; done
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    count, program = tmp_path / "count", tmp_path / "bin" / "docker"
    count.write_text("1")
    program.parent.mkdir()
    program.write_text(FAKE_DOCKER.format(log=tmp_path / "docker.log", count=count))
    program.chmod(0o755)
    one = Engine(count)
    import os
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    yield one
    one.server.shutdown()


def test_docker_limits_processors_and_takes_the_limit_away(tmp_path, testbed, engine):
    write(tmp_path, testbed().url, {"docker": {"engine": engine.url, "containers": ["web"]}})
    ran = scale(tmp_path, "vertical", "--sizes", "0.5,1")
    assert ran.code in (0, 120), ran.err
    assert [b["CpuQuota"] for p, b in engine.patches()] == [50000, 100000, -1]
    assert engine.host["Memory"] == 268435456


@pytest.mark.thorough
def test_docker_limits_memory_and_puts_it_back(tmp_path, testbed, engine):
    write(tmp_path, testbed().url,
          {"docker": {"engine": engine.url, "containers": ["web"], "what": "memory"}})
    ran = scale(tmp_path, "vertical", "--sizes", "134217728")
    assert ran.code in (0, 120), ran.err
    assert engine.host["Memory"] == 268435456 and engine.host["MemorySwap"] == 536870912


def test_docker_scales_a_service_of_compose(tmp_path, testbed, engine):
    write(tmp_path, testbed().url,
          {"docker": {"engine": engine.url, "service": "web", "project": "shop"}})
    ran = scale(tmp_path, "horizontal", "--instances", "3")
    assert ran.code in (0, 120), ran.err
    assert re.findall(r"web=(\d)", (tmp_path / "docker.log").read_text()) == ["1", "2", "3", "1"]
    assert engine.count_file.read_text().strip() == "1"


def test_docker_says_what_the_engine_refuses(tmp_path, testbed, engine):
    engine.trouble[("POST", "/containers/web/update")] = [500] * 50
    write(tmp_path, testbed().url, {"docker": {"engine": engine.url, "containers": ["web"]}})
    ran = scale(tmp_path, "vertical", "--sizes", "1")
    assert ran.code == 1 and "docker" in ran.err and "500" in ran.err, ran.err


FAKE_SYSTEMCTL = r"""#!/usr/bin/env python3
# Stands for systemctl of a machine that runs systemd: keeps the properties of one unit in a file.
import json, pathlib, sys
home = pathlib.Path(__file__).parent
state = json.loads((home / "unit.json").read_text())
words = [w for w in sys.argv[1:] if not w.startswith("--")]
with open(home / "systemctl.log", "a") as log:
    print(" ".join(sys.argv[1:]), file=log)
if words[0] == "show":
    if words[1] != "gateway.service":
        print("LoadState=not-found\nActiveState=inactive\nNRestarts=0")
        sys.exit()
    quota = state["CPUQuota"]
    print("LoadState=loaded\nActiveState=active\nNRestarts=0")
    print("CPUQuotaPerSecUSec=" + (f"{float(quota[:-1]) * 10:g}ms" if quota else "infinity"))
    print("MemoryMax=" + (state["MemoryMax"] or "infinity"))
elif words[0] == "set-property":
    key, _, value = words[2].partition("=")
    state[key] = value
    (home / "unit.json").write_text(json.dumps(state))
"""


@pytest.fixture
def unit(tmp_path, monkeypatch):
    import os
    home = tmp_path / "bin"
    home.mkdir()
    (home / "systemctl").write_text(FAKE_SYSTEMCTL)
    (home / "systemctl").chmod(0o755)
    (home / "unit.json").write_text(json.dumps({"CPUQuota": "", "MemoryMax": "1073741824"}))
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    return home


def test_systemd_sets_a_quota_and_takes_it_away(tmp_path, testbed, unit):
    write(tmp_path, testbed().url, {"systemd": {"unit": "gateway.service", "restart": True}})
    ran = scale(tmp_path, "vertical", "--sizes", "0.5,1")
    assert ran.code in (0, 120), ran.err
    log = (unit / "systemctl.log").read_text()
    assert re.findall(r"CPUQuota=(\S*)$", log, re.M) == ["50%", "100%", ""]
    assert log.count("restart gateway.service") == 3
    assert "--runtime" in log


@pytest.mark.thorough
def test_systemd_puts_a_memory_limit_back(tmp_path, testbed, unit):
    write(tmp_path, testbed().url, {"systemd": {"unit": "gateway.service", "what": "memory"}})
    ran = scale(tmp_path, "vertical", "--sizes", "536870912")
    assert ran.code in (0, 120), ran.err
    assert json.loads((unit / "unit.json").read_text())["MemoryMax"] == "1073741824"


def test_systemd_names_a_unit_that_is_not_there(tmp_path, testbed, unit):
    write(tmp_path, testbed().url, {"systemd": {"unit": "other.service"}})
    ran = scale(tmp_path, "vertical", "--sizes", "1")
    assert ran.code == 1 and "knows no unit other.service" in ran.err


def test_a_servers_own_knob_is_turned_by_restarting_it(tmp_path):
    from conftest import TESTBED, free_port
    port = free_port()
    write(tmp_path, f"http://127.0.0.1:{port}", {"env": {
        "variable": "SLOTS", "port": port, "health": f"http://127.0.0.1:{port}/health",
        "command": f"sh -c 'echo $SLOTS {{size}} >> {tmp_path}/slots; "
                   f"exec {TESTBED} --port {{port}} --law mmc --servers $SLOTS --service-ms 5'"}})
    ran = scale(tmp_path, "vertical", "--sizes", "1,2,4")
    assert ran.code in (0, 120), ran.err
    assert (tmp_path / "slots").read_text().split() == ["1", "1", "2", "2", "4", "4"]
    import socket
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0, "it has ended"
