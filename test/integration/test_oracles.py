"""Servers of other people as witnesses: what they say they were asked equals what we say we asked;
and HTTP as users expect it, each rule against a server that is not ours."""

import gzip
import http.client
import http.server
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from conftest import (free_port, need, nginx_lines, run_program, write_plan)

GENTLE = ("-u", 4, "-t", "2s", "--think", "5ms", "--threads", "2")


def counted_equal(ran, count):
    accounts = ran.check_passed().summary["accounts"]
    assert accounts["close"] is True and accounts["succeeded"] == accounts["started"]
    assert count == accounts["succeeded"] > 100


# ---- requests counted by the server -------------------------------------------------------------

def test_nginx_counts_the_same(nginx, plimsoll):
    server = nginx("location / { return 200 ok; }")
    ran = plimsoll("run", server.url + "/", *GENTLE)
    counted_equal(ran, len(nginx_lines(server)))


def test_node_counts_the_same(processes, plimsoll):
    node = need("node")
    process = subprocess.Popen([node, "-e", '''
let count = 0;
const server = require("http").createServer((q, r) => {
  if (q.url == "/count") { r.end(String(count)); return; }
  count++; r.setHeader("Content-Type", "application/json"); r.end('{"ok":true}'); });
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
'''], stdout=subprocess.PIPE, text=True)
    processes.append(process)
    port = int(process.stdout.readline())
    ran = plimsoll("run", f"http://127.0.0.1:{port}/", *GENTLE)
    counted_equal(ran, int(ask(port, "/count")))


def ask(port, path, host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


class Witness(http.server.BaseHTTPRequestHandler):
    """Python's own server: counts, and answers by path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        self.server.answer(self)

    do_HEAD = do_POST = do_GET

    def reply(self, status=200, headers=(), body=b"ok"):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers) and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def log_message(self, *words):
        pass


class WitnessUnix(Witness):
    disable_nagle_algorithm = False  # there is none on a Unix socket


class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Threads6(Threads):
    address_family = socket.AF_INET6


class ThreadsUnix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)


@pytest.fixture
def witness():
    servers = []

    def start(answer=lambda handler: handler.reply(), kind=Threads, at=("127.0.0.1", 0)):
        server = kind(at, WitnessUnix if kind is ThreadsUnix else Witness)
        server.seen, server.answer = [], answer
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        if kind is not ThreadsUnix:
            host = f"[{at[0]}]" if ":" in at[0] else at[0]
            server.url = f"http://{host}:{server.server_address[1]}"
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_python_counts_the_same(witness, plimsoll):
    server = witness()
    ran = plimsoll("run", server.url + "/", *GENTLE)
    counted_equal(ran, len(server.seen))


def haproxy_requests(stats):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(stats))
        s.sendall(b"show stat front 1 -1\n")
        rows = s.makefile().read().splitlines()
    front = dict(zip(rows[0].lstrip("# ").split(","), rows[1].split(",")))
    assert front["pxname"] == "front"
    return int(front["req_tot"])


def test_haproxy_counts_the_same(processes, nginx, plimsoll, tmp_path):
    haproxy = need("haproxy")
    behind = nginx("location / { return 200 ok; }")
    port, stats = free_port(), tmp_path / "h.sock"
    (tmp_path / "h.cfg").write_text(f"""
global
  stats socket {stats} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one 127.0.0.1:{behind.port}
""")
    process = subprocess.Popen([haproxy, "-f", tmp_path / "h.cfg", "-db"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(process)
    for _ in range(200):  # not by connecting: HAProxy would count that as a request
        if stats.exists():
            break
        time.sleep(0.02)
    ran = plimsoll("run", f"http://127.0.0.1:{port}/", *GENTLE)
    counted = haproxy_requests(stats)
    counted_equal(ran, counted)
    assert len(nginx_lines(behind)) == counted


def test_lost_connections_are_counted_by_both(nginx, plimsoll):
    """nginx closes after 7 requests, saying so; nothing fails and nothing is counted twice."""
    server = nginx("keepalive_requests 7; location / { return 200 ok; }")
    ran = plimsoll("run", server.url + "/", *GENTLE)
    counted_equal(ran, len(nginx_lines(server)))


# ---- TLS ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate authority, and certificates of it: a good one, one that has expired, one for a
    client."""
    openssl = need("openssl")
    home = tmp_path_factory.mktemp("ca")

    def run(*words):
        done = subprocess.run([openssl, *map(str, words)], cwd=home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
        "30", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name, subject, days in (("good", "good.test", 10), ("old", "good.test", -2),
                                ("client", "client", 10)):
        (home / f"{name}.ext").write_text(
            "subjectAltName=DNS:good.test,IP:127.0.0.1\n" if name != "client" else
            "extendedKeyUsage=clientAuth\n")
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        sign = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem"]
        if days > 0:
            run(*sign, "-days", days)
        else:  # x509 of OpenSSL 3.0 takes no dates: let the authority's own tool write them
            (home / "index.txt").write_text("")
            (home / "serial").write_text("77\n")
            (home / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\n"
                                         "serial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
                                         "policy=p\n[p]\ncommonName=supplied\n")
            run("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-in",
                f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return home


def tls_server(nginx, home, name="good", more=""):
    return nginx(f"ssl_certificate {home}/{name}.pem; ssl_certificate_key {home}/{name}.key; {more}"
                 " location / { return 200 ok; }", listen_more="ssl", scheme="https")


def tls_run(tmp_path, url, *words):
    return run_program(tmp_path, "run", url + "/", "-u", 2, "-t", "1s", "--think", "5ms", *words)


def errors_of(ran):
    return " ".join(str(example["words"]) for example in ran.summary["examples"])


def test_tls_verified(nginx, authority, tmp_path):
    server = tls_server(nginx, authority)
    ran = tls_run(tmp_path, server.url, "--set", f"tls.ca_file={authority}/ca.pem")
    counted_equal(ran, len(nginx_lines(server)))
    assert ran.summary["summary"]["parts"]["tls"]["count"] >= 2


def test_tls_of_an_unknown_authority_is_refused(nginx, authority, tmp_path):
    ran = tls_run(tmp_path, tls_server(nginx, authority).url)
    assert ran.summary["summary"]["succeeded"] == 0
    assert "certificate" in errors_of(ran)


def test_tls_insecure_is_said_loudly(nginx, authority, tmp_path):
    ran = tls_run(tmp_path, tls_server(nginx, authority).url, "--insecure")
    assert ran.check_passed().summary["summary"]["failed"] == 0
    assert "not verified" in ran.err


def test_tls_name_must_fit(nginx, authority, tmp_path):
    server = tls_server(nginx, authority)
    wrong = f"https://wrong.test:{server.port}"
    ran = tls_run(tmp_path, wrong, "--resolve", f"wrong.test:{server.port}:127.0.0.1", "--set",
                  f"tls.ca_file={authority}/ca.pem")
    assert ran.summary["summary"]["succeeded"] == 0
    assert "wrong.test" in errors_of(ran) or "mismatch" in errors_of(ran).lower(), errors_of(ran)


def test_tls_name_resolved_by_hand_fits(nginx, authority, tmp_path):
    server = tls_server(nginx, authority)
    ran = tls_run(tmp_path, f"https://good.test:{server.port}", "--resolve",
                  f"good.test:{server.port}:127.0.0.1", "--set", f"tls.ca_file={authority}/ca.pem")
    assert ran.check_passed().summary["summary"]["failed"] == 0


def test_tls_expired_is_refused(nginx, authority, tmp_path):
    ran = tls_run(tmp_path, tls_server(nginx, authority, "old").url, "--set",
                  f"tls.ca_file={authority}/ca.pem")
    assert ran.summary["summary"]["succeeded"] == 0
    assert "expired" in errors_of(ran)


def test_mutual_tls(nginx, authority, tmp_path):
    more = f"ssl_client_certificate {authority}/ca.pem; ssl_verify_client on;"
    server = tls_server(nginx, authority, more=more)
    trust = ("--set", f"tls.ca_file={authority}/ca.pem")
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    ran = tls_run(tmp_path / "with", server.url, *trust,
                  "--set", f"tls.cert_file={authority}/client.pem",
                  "--set", f"tls.key_file={authority}/client.key")
    assert ran.check_passed().summary["summary"]["failed"] == 0
    ran = tls_run(tmp_path / "without", server.url, *trust)
    assert ran.summary["summary"]["succeeded"] == 0


# ---- where the target is ------------------------------------------------------------------------

def test_unix_socket(witness, tmp_path):
    path = tmp_path / "s.sock"
    server = witness(kind=ThreadsUnix, at=str(path))
    ran = run_program(tmp_path, "run", f"http+unix://{path}:/x", *GENTLE)
    counted_equal(ran, len(server.seen))
    assert server.seen[0][1] == "/x"


def test_ipv6(witness, plimsoll):
    try:
        server = witness(kind=Threads6, at=("::1", 0))
    except OSError as error:
        pytest.skip(f"SKIPPED LOUDLY: no IPv6 loopback here: {error}")
    ran = plimsoll("run", server.url + "/", *GENTLE)
    counted_equal(ran, len(server.seen))
    assert server.seen[0][2]["Host"] == f"[::1]:{server.server_address[1]}"


def test_proxies_of_the_environment_are_not_used(witness, tmp_path):
    server, proxy = witness(), witness()
    env = {"http_proxy": proxy.url, "HTTP_PROXY": proxy.url, "all_proxy": proxy.url}
    ran = run_program(tmp_path, "run", server.url + "/", *GENTLE, env=env)
    counted_equal(ran, len(server.seen))
    assert proxy.seen == []


# ---- HTTP as users expect it --------------------------------------------------------------------

PLAN = """
schema: 1
target: {url}
http: {{ {http} }}
scenarios:
  main:
    executor: per-vu-iterations
    vus: {vus}
    iterations: {iterations}
    max_duration: 20s
    tasks: {tasks}
"""


def once(tmp_path, url, tasks, http="timeout: 10s", vus=1, iterations=1, **how):
    return run_program(tmp_path, "run", write_plan(tmp_path, PLAN.format(
        url=url, http=http, tasks=tasks, vus=vus, iterations=iterations)), **how)


def by_path(table):
    return lambda handler: handler.reply(*table[handler.path.partition("?")[0]])


def test_redirects_are_counted_and_not_followed(witness, tmp_path):
    server = witness(by_path({"/a": (302, [("Location", "/b")], b""), "/b": (200,)}))
    ran = once(tmp_path, server.url, "[{ get: /a, checks: [status == 302] }]", iterations=3)
    summary = ran.check_passed().summary
    assert [path for _, path, _ in server.seen] == ["/a"] * 3
    assert summary["summary"]["failed_assertions"] == 0


def test_redirects_are_followed_by_choice(witness, tmp_path):
    server = witness(by_path({"/a": (302, [("Location", "/b")], b""), "/b": (200,)}))
    ran = once(tmp_path, server.url, "[{ get: /a, checks: [status == 200] }]",
               http="follow_redirects: true", iterations=3)
    summary = ran.check_passed().summary
    assert [path for _, path, _ in server.seen] == ["/a", "/b"] * 3
    assert summary["summary"]["failed_assertions"] == 0
    assert summary["summary"]["succeeded"] == 3


def test_cookies_are_kept_by_user(witness, tmp_path):
    lock, given = threading.Lock(), []

    def answer(handler):
        with lock:
            if "Cookie" not in handler.headers:
                given.append(f"user={len(given)}")
                handler.reply(200, [("Set-Cookie", given[-1] + "; Path=/")])
            else:
                handler.reply()

    server = witness(answer)
    once(tmp_path, server.url, "[{ get: / }]", http="cookies: true", vus=3,
         iterations=4).check_passed()
    cookies = [headers.get("Cookie") for _, _, headers in server.seen]
    assert cookies.count(None) == 3, "each user gets its own, once"
    assert {cookies.count(one) for one in given} == {3}


def test_no_cookies_without_being_asked(witness, tmp_path):
    server = witness(lambda handler: handler.reply(200, [("Set-Cookie", "a=b")]))
    once(tmp_path, server.url, "[{ get: / }]", iterations=3, http="cookies: false").check_passed()
    assert all("Cookie" not in headers for _, _, headers in server.seen)


def test_gzip_is_decoded_for_checks(witness, tmp_path):
    packed = gzip.compress(b'{"answer": "forty-two", "pad": "' + b"x" * 5000 + b'"}')

    def answer(handler):
        assert "gzip" in handler.headers.get("Accept-Encoding", "")
        handler.reply(200, [("Content-Encoding", "gzip")], packed)

    ran = once(tmp_path, witness(answer).url,
               '[{ get: /, checks: ["body contains forty-two"] }]', http="compress: true",
               iterations=5)
    summary = ran.check_passed().summary["summary"]
    assert (summary["passed_assertions"], summary["failed_assertions"]) == (5, 0)


@pytest.mark.parametrize("status, headers", [
    (204, []), (304, []), (304, [("Content-Length", "1234")]),
])
def test_replies_without_a_body_keep_the_connection(witness, tmp_path, status, headers):
    server = witness(lambda handler: handler.reply(status, headers))
    ran = once(tmp_path, server.url, f"[{{ get: /, checks: [status == {status}] }}]", iterations=20)
    summary = ran.check_passed().summary
    assert len(server.seen) == 20 and summary["summary"]["failed_assertions"] == 0
    assert summary["summary"]["parts"]["connect"]["count"] == 1


def test_head(witness, tmp_path):
    server = witness(lambda handler: handler.reply(200, [("Content-Length", "100000")], b""))
    ran = once(tmp_path, server.url, "[{ head: / }]", iterations=20)
    assert ran.check_passed().summary["summary"]["succeeded"] == 20
    assert {method for method, _, _ in server.seen} == {"HEAD"}
    assert ran.summary["summary"]["parts"]["connect"]["count"] == 1


def test_basic_and_bearer_from_the_environment(witness, tmp_path):
    server = witness()
    for http, env, expected in (
            ('basic: "${WHO}"', {"WHO": "ann:pa55word"}, "Basic YW5uOnBhNTV3b3Jk"),
            ('bearer: "${TOKEN}"', {"TOKEN": "t0ken-of-the-day"}, "Bearer t0ken-of-the-day")):
        server.seen.clear()
        directory = tmp_path / http.partition(":")[0]
        directory.mkdir()
        ran = once(directory, server.url, "[{ get: / }]", http=http, iterations=3, env=env)
        ran.check_passed()
        assert [headers["Authorization"] for _, _, headers in server.seen] == [expected] * 3
        for file in directory.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert b"pa55word" not in content and b"t0ken-of-the-day" not in content, file
                assert b"YW5uOnBhNTV3b3Jk" not in content, file


def test_interim_replies_are_passed_over(tmp_path):
    """Two 103s before each answer, from a server of bare sockets."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(15)

    def serve():
        sock, _ = listener.accept()
        with sock:
            kept = b""
            while data := sock.recv(65536):
                kept += data
                while b"\r\n\r\n" in kept:
                    kept = kept.partition(b"\r\n\r\n")[2]
                    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                    sock.sendall(hint + hint + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ran = once(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}",
               "[{ get: /, checks: [status == 200] }]", iterations=10)
    listener.close()
    summary = ran.check_passed().summary["summary"]
    assert (summary["succeeded"], summary["failed_assertions"]) == (10, 0)


def test_a_server_that_dies_between_requests_costs_no_error(tmp_path):
    """The stale keep-alive rule: the server closes each connection after one answer without saying
    so. One request, two attempts at most, no failure."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(15)
    answered = []

    def serve():
        try:
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.settimeout(10)
                    if sock.recv(65536):
                        answered.append(1)
                        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    ran = once(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", "[{ get: / }]",
               iterations=30)
    listener.close()
    summary = ran.check_passed().summary["summary"]
    assert summary["succeeded"] == 30 == len(answered) and summary["failed"] == 0
