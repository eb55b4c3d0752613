"""The openai driver: answers of a real server replayed byte for byte, and the testbed's.

The captures are of llama.cpp's server, taken by curl; they lie beside the repository where they are
at all. The replaying server does what that one did: it closes the connection after each streamed
answer although its head promises to keep it."""

import json
import socket
import subprocess
import threading
import time

import pytest

from conftest import PASSED, ROOT, TESTBED, free_port, tried, wait_port

CAPTURES = ROOT.parent / "shared/data/captures/openai_sse_llamacpp.txt"


class Replay:
    """Answers each request with the next of the bodies, cut where `cut` says, over raw sockets."""

    def __init__(self, replies, pieces=1):
        self.replies, self.pieces, self.requests = replies, pieces, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.answer(client)

    def answer(self, client):
        got = b""
        while b"\r\n\r\n" not in got:
            more = client.recv(65536)
            if not more:
                return
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        length = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length")]
        while length and len(body) < length[0]:
            body += client.recv(65536)
        self.requests.append((head.decode(), body.decode()))
        reply = self.replies[(len(self.requests) - 1) % len(self.replies)]
        step = max(1, len(reply) // self.pieces)
        for at in range(0, len(reply), step):
            client.sendall(reply[at:at + step])

    def close(self):
        self.listener.close()


def sections():
    """The captures by title, as bytes on the wire: curl's transcript has lost its CRs."""
    found, title = {}, None
    for line in CAPTURES.read_bytes().split(b"\n"):
        if line.startswith(b"######## "):
            title = line[9:].decode()
            found[title] = []
        elif title:
            found[title].append(line)
    return {title: b"\n".join(lines) for title, lines in found.items()}


def wire(section):
    """A captured reply as it was sent: head with CRLF, chunks framed anew."""
    head, _, body = section.partition(b"\n\n")
    raw = head.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    if b"chunked" not in head:
        return raw + body.rstrip(b"\n")
    if not body.startswith(b"data:"):
        body = unchunk(body)
    for event in body.strip(b"\n").split(b"\n\n"):
        event += b"\n\n"
        raw += b"%x\r\n" % len(event) + event + b"\r\n"
    return raw + b"0\r\n\r\n"


def unchunk(body):
    whole = b""
    while True:
        size, _, body = body.partition(b"\n")
        if not int(size, 16):
            return whole
        whole += body[:int(size, 16)]
        body = body[int(size, 16) + 1:]


@pytest.fixture
def captures():
    if not CAPTURES.exists():
        pytest.skip(f"{CAPTURES} is not here: answers of a real server are not replayed")
    return sections()


@pytest.fixture
def replay():
    servers = []

    def start(replies, pieces=1):
        servers.append(Replay(replies, pieces))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def ask(plimsoll, url, *more, count=4):
    return plimsoll("run", url, "--driver", "openai", "-u", 1, "-i", count, "--threads", 1, *more)


@pytest.mark.parametrize("pieces", [1, 7, 400])
def test_captured_stream(captures, replay, plimsoll, pieces):
    server = replay([wire(captures["stream:true, stream_options.include_usage"])], pieces)
    summary = ask(plimsoll, server.url, "--stream").check_passed().summary["summary"]
    llm = summary["llm"]
    assert summary["failed"] == 0 and summary["succeeded"] == 4
    assert (llm["streams"], llm["content_events"]) == (4, 24)
    assert (llm["output_tokens"], llm["prompt_tokens"]) == (24, 92)
    assert llm["token_source"] == "usage"
    assert llm["itl"]["count"] == 20 and llm["ttft"]["count"] == 4
    assert llm["server_prompt"]["count"] == 4
    body = json.loads(server.requests[0][1])
    assert body["stream"] is True and body["stream_options"] == {"include_usage": True}
    prompts = {json.loads(body)["messages"][0]["content"] for _, body in server.requests}
    assert len(prompts) == 4, "each prompt is a new one, or the server's cache answers"


def test_captured_whole_and_errors(captures, replay, plimsoll):
    titles = ["non-stream", "error: bad JSON"]
    server = replay([wire(captures[title]) for title in titles])
    ran = ask(plimsoll, server.url)
    summary = ran.summary["summary"]
    assert (summary["succeeded"], summary["failed"]) == (2, 2)
    assert summary["errors"]["by_kind"]["http_status"] == 2
    assert summary["llm"]["output_tokens"] == 12
    words = [example["words"] for example in ran.summary["examples"]]
    assert any("parse error at line 1" in example for example in words), words


def test_captured_truncated_prompt(captures, replay, plimsoll, tmp_path):
    server = replay([wire(captures["error: prompt longer than the context of a slot"])])
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"""
target: {server.url}
scenarios:
  main:
    vus: 1
    iterations: 3
    tasks: [{{ openai.chat: {{ stream: true, prompt_tokens: 6000 }} }}]
""")
    summary = plimsoll("run", plan).check_passed().summary["summary"]
    assert summary["llm"]["truncated_prompts"] == 3
    assert summary["llm"]["prompt_tokens"] == 3 * 1852


def test_one_connection_that_the_server_closes(captures, replay, plimsoll):
    """The head says keep-alive and the server closes: no failure, whatever the timing."""
    server = replay([wire(captures["stream:true, no stream_options"])])
    summary = ask(plimsoll, server.url, "--stream", count=50).check_passed().summary["summary"]
    assert (summary["succeeded"], summary["failed"]) == (50, 0)
    assert summary["llm"]["token_source"] == "usage"


@tried
def test_tokens_of_a_known_pace(testbed, plimsoll):
    """Under a fixed law token k of T is due at S * k / T: ttft 20 ms, gaps of 20 ms, S = 200 ms."""
    url = testbed("--law", "fixed", "--service-ms", 200, "--stamp-tokens").url
    ran = plimsoll("run", url, "--driver", "openai", "--stream", "--max-tokens", 10, "-u", 4,
                   "-i", 100, "--threads", 1)
    summary = ran.check_passed().summary["summary"]
    llm = summary["llm"]
    assert (summary["succeeded"], llm["output_tokens"], llm["content_events"]) == (100, 1000, 1000)
    assert llm["ttft"]["min_ms"] >= 19.9 and llm["itl"]["count"] == 900
    assert llm["ttft"]["p50_ms"] == pytest.approx(20, abs=5)
    assert llm["itl"]["p50_ms"] == pytest.approx(20, abs=2)
    assert llm["tpot"]["p50_ms"] == pytest.approx(20, abs=2)
    assert llm["e2e_content"]["p50_ms"] == pytest.approx(200, abs=10)
    assert llm["output_tokens_per_s_per_stream"] == pytest.approx(50, rel=0.1)
    assert summary["parts"]["itl_error"]["p50_ms"] < 1
    assert summary["parts"]["ttft_error"]["count"] == summary["llm"]["streams"]
    assert 0 <= summary["parts"]["ttft_error"]["p50_ms"] < 2
    assert "\nstreamed      ttft p50 2" in ran.out and "tokens from usage" in " ".join(ran.out.split())
    markdown = plimsoll("report", ran.file, "--format", "markdown").out
    assert "\n| time to first token | 100 | " in markdown
    assert "1,000 output tokens" in markdown and "counted from usage." in markdown
    definitions = ran.summary["definitions"]
    assert "first content event" in definitions["ttft"] and "usage" in definitions["output_tokens"]


@pytest.mark.parametrize("words, driver", [([], "openai"), (["--reasoning-content"], "openai"),
                                           ([], "ollama")])
@tried
def test_first_answer_token_of_a_known_pace(testbed, plimsoll, words, driver):
    """Six of ten tokens are reasoning, one each 20 ms: the first token comes after 20 ms, the answer's
    first after 140."""
    url = testbed("--law", "fixed", "--service-ms", 200, "--stamp-tokens", "--tokens", 10,
                  "--reasoning-tokens", 6, *words).url
    ran = plimsoll("run", url, "--driver", driver, *(["--stream"] if driver == "openai" else []), "-u", 4, "-i", 80, "--threads", 1)
    llm = ran.check_passed().summary["summary"]["llm"]
    assert (llm["output_tokens"], llm["content_events"]) == (800, 800)
    assert llm["ttft"]["min_ms"] >= 19.9 and llm["ttfat"]["min_ms"] >= 139.9
    assert llm["ttft"]["p50_ms"] == pytest.approx(20, abs=5)
    assert llm["ttfat"]["p50_ms"] == pytest.approx(140, abs=5)
    assert llm["ttft"]["count"] == llm["ttfat"]["count"] == 80
    if driver == "openai":
        assert llm["reasoning_tokens"] == 480


class Stamping(Replay):
    """Answers with a role, reasoning and an answer, and keeps the nanosecond of each writing since
    the request was read."""

    def answer(self, client):
        client.recv(65536)
        read_ns = time.monotonic_ns()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        stamps = {}
        for kind, delta in (("role", '{"role": "assistant", "content": ""}'),
                            ("first", '{"reasoning": "hm"}'), ("more", '{"reasoning_content": "hm"}'),
                            ("answer", '{"content": "yes"}'), ("last", '{"content": "."}')):
            time.sleep(0.004 + 0.003 * (len(self.requests) % 5))
            stamps[kind] = time.monotonic_ns() - read_ns
            client.sendall(f'data: {{"choices": [{{"index": 0, "delta": {delta}}}]}}\n\n'.encode())
        client.sendall(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
                       b"data: [DONE]\n\n")
        self.requests.append(stamps)


def test_first_answer_token_against_stamps(plimsoll, tmp_path):
    """Request by request: what the trace says came when, against when the server wrote it."""
    server = Stamping([])
    try:
        plimsoll("run", server.url, "--driver", "openai", "--stream", "-u", 1, "-i", 40, "--trace",
                 "requests").check_passed()
    finally:
        server.close()
    plimsoll("report", "@last", "--requests", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == len(server.requests) == 40
    for name, column in (("first", "first_ns"), ("answer", "answer_ns"), ("last", "last_ns")):
        late = sorted(row[column] - row["sent_ns"] - stamps[name]
                      for row, stamps in zip(rows, server.requests))
        assert -0.1e6 < late[0] and late[len(late) // 2] < 2e6, (name, late)


def test_faults_are_failures(testbed, plimsoll):
    url = testbed("--law", "fixed", "--service-ms", 5, "--truncate-rate", 1).url
    summary = ask(plimsoll, url, "--stream", count=10).summary["summary"]
    assert summary["succeeded"] == 0 and summary["failed"] == 10


@pytest.mark.parametrize("path, tokens", [("/v1/chat/completions", True), ("/v1/models", False)])
def test_verb_by_path(testbed, plimsoll, path, tokens):
    """The verb is the one whose own path the URL has."""
    summary = ask(plimsoll, testbed().url + path).check_passed().summary["summary"]
    assert (summary["succeeded"], summary["failed"]) == (4, 0)
    assert (summary["llm"] is not None) == tokens


def test_options_that_need_a_driver(plimsoll):
    ran = plimsoll("run", "http://127.0.0.1:9", "--stream")
    assert ran.code not in (PASSED,) and "--driver" in ran.err
    ran = plimsoll("run", "http://127.0.0.1:9", "--driver", "opnai")
    assert ran.code != PASSED and "opnai" in ran.err


def test_goodput_counts_failures_as_missed(testbed, plimsoll, tmp_path):
    """A token each 10 ms: 60 ms to the last of six, 110 ms to the last of eleven. The third task goes
    where nobody listens: it is missed too."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"""
target: {testbed("--law", "fixed", "--service-ms", 100).url}
scenarios:
  main:
    vus: 1
    iterations: 30
    tasks:
      - {{ name: kept, openai.chat: {{ stream: true, max_tokens: 10, goodput: {{ ttft: 60ms, tpot: 30ms, e2el: 400ms }} }} }}
      - {{ name: missed, openai.chat: {{ stream: true, max_tokens: 10, goodput: {{ e2el: 50ms }} }} }}
      - {{ name: lost, openai.chat: {{ url: "http://127.0.0.1:{free_port()}/v1/chat/completions", goodput: {{ e2el: 9s }} }} }}
      - {{ name: unasked, openai.chat: {{ stream: true, max_tokens: 10 }} }}
""")
    document = plimsoll("run", plan).summary
    by_name = {request["name"]: request["summary"]["llm"] for request in document["requests"]}
    counts = {name: (llm["good"], llm["goodput_judged"]) if llm else None for name, llm in by_name.items()}
    assert sum(judged for _, judged in counts.values()) == document["summary"]["llm"]["goodput_judged"]
    assert counts["kept"][0] == counts["kept"][1] > 0
    assert counts["missed"][0] == 0 < counts["missed"][1]
    assert counts["lost"][0] == 0 < counts["lost"][1]
    assert counts["unasked"] == (0, 0) and by_name["unasked"]["goodput_ratio"] is None


def test_goodput_on_the_command_line(testbed, plimsoll):
    url = testbed("--law", "fixed", "--service-ms", 100).url
    ran = plimsoll("run", url, "--driver", "openai", "--stream", "--max-tokens", 10, "-i", 5, "--goodput",
                   "ttft:500 tpot:50 e2el:2000")
    assert ran.check_passed().summary["summary"]["llm"]["goodput_ratio"] == 1
    ran = plimsoll("run", url, "--driver", "openai", "--goodput", "ttfb:500")
    assert ran.code != PASSED and "ttfb" in ran.err


def test_words_of_other_tools(testbed, plimsoll):
    """vLLM's names for what has other names here; both at once: an arrival rate over at most N at a
    time."""
    url = testbed("--law", "fixed", "--service-ms", 20).url
    ran = plimsoll("run", url, "--driver", "openai", "--stream", "--request-rate", 50, "--max-concurrency", 8,
                   "--num-prompts", 25, "--random-output-len", 4)
    summary = ran.check_passed().summary["summary"]
    assert (summary["succeeded"], summary["llm"]["output_tokens"]) == (25, 100)
