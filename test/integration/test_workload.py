"""Workloads of language models as a server sees them: prompts made to a length, conversations with
real answers, traces, and vLLM's words on the command line. The server here keeps every body; the
testbed counts tokens by its own law, 4 bytes each (1 word each for embeddings)."""

import json
import threading
import time

import pytest

from answering import Handler, serve
from conftest import BAD_PLAN, ROOT, write_plan

EXAMPLES = ROOT / "example"


class Keeper:
    """Answers OpenAI's and Ollama's chats, streamed or whole, and keeps what it was asked."""

    def __init__(self, delay=0.0):
        self.asked, self.times, self.now, self.most, self.lock = [], [], 0, 0, threading.Lock()
        keeper = self

        class Own(Handler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with keeper.lock:
                    keeper.asked.append(body)
                    keeper.times.append(time.monotonic())
                    keeper.now += 1
                    keeper.most = max(keeper.most, keeper.now)
                    number = len(keeper.asked)
                time.sleep(delay)
                with keeper.lock:  # before the answer: the client may act on it at once
                    keeper.now -= 1
                words = [f"answer {number}: ", "\"quoted\"\n", "é🙂"]
                reply = (keeper.ollama if self.path.startswith("/api/") else keeper.openai)(body, words)
                self.reply(200, reply)

        self.server = serve(Own)
        self.url = self.server.url

    @staticmethod
    def openai(body, words):
        if not body.get("stream"):
            return json.dumps({"choices": [{"message": {"role": "assistant", "content": "".join(words)},
                                            "finish_reason": "stop"}]}).encode()
        events = [{"choices": [{"delta": {"role": "assistant", "content": ""}}]}]
        events += [{"choices": [{"delta": {"content": word}}]} for word in words]
        events += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
        return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n"

    @staticmethod
    def ollama(_, words):
        lines = [{"message": {"role": "assistant", "content": word}, "done": False} for word in words]
        return "".join(json.dumps(line) + "\n" for line in lines + [{"done": True}]).encode()


@pytest.fixture
def keeper():
    keepers = []

    def start(**how):
        keepers.append(Keeper(**how))
        return keepers[-1]

    yield start
    for one in keepers:
        one.server.shutdown()


def prompts_of(keeper):
    return [body["messages"][-1]["content"] for body in keeper.asked]


# ---- the examples ----------------------------------------------------------------------------------


def run_example(plimsoll, testbed, name, *more):
    url = testbed("--law", "fixed", "--service-ms", 20).url
    return plimsoll("run", EXAMPLES / name, "--no-report", *more, env={"TARGET": url}).check_passed()


def test_lengths_are_as_asked(plimsoll, testbed):
    """The testbed counts 4 bytes a token, and synthetic words are 4 bytes: the counts must agree to
    the token, prompts and answers."""
    llm = run_example(plimsoll, testbed, "llm-synthetic.yaml", "--time-scale", 0.05,
                      "--set", "scenarios.chat.rate=60/s").summary["summary"]["llm"]
    assert llm["asked_prompt_tokens"] == llm["counted_prompt_tokens"] == llm["prompt_tokens"] > 10000
    assert llm["asked_output_tokens"] == llm["counted_output_tokens"] == llm["output_tokens"] > 1000


def test_the_trace_example(plimsoll, testbed):
    ran = run_example(plimsoll, testbed, "llm-trace.yaml", "--time-scale", 0.5)
    rows = [line.split(",") for line in (EXAMPLES / "llm-trace.csv").read_text().splitlines()[1:]]
    summary = ran.summary["summary"]
    assert summary["succeeded"] == len(rows) == 40 and summary["failed"] == 0
    assert summary["llm"]["prompt_tokens"] == sum(int(row[1]) for row in rows)
    assert summary["llm"]["output_tokens"] == sum(int(row[2]) for row in rows)


def test_the_conversation_example(plimsoll, testbed):
    ran = run_example(plimsoll, testbed, "llm-sharegpt.yaml", "-t", 4,
                      "--set", "scenarios.talk.think=100ms")
    llm = ran.summary["summary"]["llm"]
    assert llm["later_turns"] > 0 and llm["forgetful_turns"] == 0 and llm["answers_cut"] == 0
    assert ran.summary["summary"]["failed"] == 0
    assert "later turns" in ran.out


# ---- made prompts ----------------------------------------------------------------------------------

MADE = """
target: {url}
data:
  prompts: {{ synthetic: {{ tokens: 20..60, shared_prefix: 0.5, output_tokens: 5..9 }} }}
scenarios:
  main:
    rate: 300/s
    iterations: 90
    tasks:
      - openai.chat: {{ prompt: "{{{{ prompts.next }}}}", max_tokens: "{{{{ prompts.output }}}}",
                        ignore_eos: true }}
"""


def test_the_same_seed_is_the_same_prompts_for_any_number_of_threads(plimsoll, keeper, tmp_path):
    seen = []
    for threads, seed in ((1, 1), (3, 1), (1, 2)):
        server = keeper()
        plan = write_plan(tmp_path, MADE.format(url=server.url))
        plimsoll("run", plan, "--threads", threads, "--seed", seed, "--no-report").check_passed()
        assert len(set(prompts_of(server))) == 90, "each prompt is a new one"
        for body in server.asked:
            words = body["messages"][-1]["content"].split(" ")
            assert 20 <= len(words) <= 60 and 5 <= body["max_tokens"] <= 9
            assert body["ignore_eos"] is True
        beginnings = {" ".join(prompt.split(" ")[:10]) for prompt in prompts_of(server)}
        assert len(beginnings) == 1, "half of each is shared"
        seen.append(sorted(prompts_of(server)))
    assert seen[0] == seen[1] and seen[0] != seen[2]


def test_users_have_prompts_of_their_own(plimsoll, keeper, tmp_path):
    """In a closed model too: four users, each with the same prompts whoever runs them."""
    seen = []
    for threads in (1, 2, 4):
        server = keeper()
        plan = write_plan(tmp_path, f"""
target: {server.url}
data: {{ prompts: {{ synthetic: {{ tokens: 16..20 }} }} }}
scenarios:
  main: {{ executor: per-vu-iterations, vus: 4, iterations: 6,
          tasks: [{{ openai.chat: {{ prompt: "{{{{ prompts.next }}}}" }} }}] }}
""")
        plimsoll("run", plan, "--threads", threads, "--no-report").check_passed()
        assert len(set(prompts_of(server))) == 24
        seen.append(sorted(prompts_of(server)))
    assert seen[0] == seen[1] == seen[2]


def test_two_scenarios_never_send_the_same_prompt(plimsoll, keeper, tmp_path):
    server = keeper()
    task = '{{ rate: 200/s, iterations: 40, tasks: [{{ openai.chat: {{ prompt: "{{{{ p.next }}}}" }} }}] }}'
    plan = write_plan(tmp_path, (f"target: {{url}}\ndata: {{{{ p: {{{{ synthetic: {{{{ tokens: 16 }}}} }}}} }}}}\n"
                                 f"scenarios:\n  one: {task}\n  two: {task}\n").format(url=server.url))
    plimsoll("run", plan, "--no-report").check_passed()
    assert len(server.asked) == 80 == len(set(prompts_of(server)))


def test_embeddings_count_words(plimsoll, testbed):
    """Another way of counting: the testbed's embeddings count words."""
    ran = plimsoll("run", f"{testbed().url}/v1/embeddings", "--driver", "openai", "-i", 20, "--random-input-len", 50,
                   "--random-range-ratio", 0.5, "--no-report")
    llm = ran.check_passed().summary["summary"]["llm"]
    assert llm["asked_prompt_tokens"] == llm["counted_prompt_tokens"] > 0


# ---- conversations -----------------------------------------------------------------------------------

TALK = """
target: {url}
data:
  chats: {{ dataset: {{ file: chats.jsonl, turns: all }} }}
scenarios:
  main:
    vus: 1
    iterations: 2
    tasks:
      - name: turn
        think: {think}
        {verb}: {{ stream: {stream}, messages: "{{{{ chats.messages }}}}" }}
"""

CHATS = [{"messages": [{"role": "system", "content": "be \"brief\""}, {"role": "user", "content": "one"},
                       {"role": "assistant", "content": "never sent"}, {"role": "user", "content": "two"},
                       {"role": "user", "content": "three ü"}]},
         {"conversations": [{"from": "human", "value": "four"}]}]


@pytest.mark.parametrize("verb,stream", [("openai.chat", "true"), ("openai.chat", "false"),
                                         ("ollama.chat", "true")])
def test_turns_repeat_the_real_answers(plimsoll, keeper, tmp_path, verb, stream):
    server = keeper()
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in CHATS))
    plan = write_plan(tmp_path, TALK.format(url=server.url, verb=verb, stream=stream, think="150ms"))
    summary = plimsoll("run", plan, "--no-report").check_passed().summary["summary"]
    assert summary["succeeded"] == 4 and summary["llm"]["later_turns"] == 2
    said = [[message["content"] for message in body["messages"]] for body in server.asked]
    roles = [message["role"] for message in server.asked[2]["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert said[0] == ["be \"brief\"", "one"]
    assert said[1] == said[0] + ["answer 1: \"quoted\"\né🙂", "two"]
    assert said[2] == said[1] + ["answer 2: \"quoted\"\né🙂", "three ü"]
    assert said[3] == ["four"]
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:])]
    assert gaps[0] >= 0.149 and gaps[1] >= 0.149, "think time lies between the turns"


def test_made_conversations_grow_and_forget(plimsoll, keeper, tmp_path):
    server = keeper()
    plan = write_plan(tmp_path, f"""
target: {server.url}
data:
  talk: {{ synthetic: {{ tokens: 30, turns: 8, max_context: 200 }} }}
scenarios:
  main:
    vus: 1
    iterations: 2
    tasks: [{{ openai.chat: {{ stream: true, messages: "{{{{ talk.messages }}}}" }} }}]
""")
    llm = plimsoll("run", plan, "--no-report").check_passed().summary["summary"]["llm"]
    assert len(server.asked) == 16 and llm["later_turns"] == 14
    counts = [len(body["messages"]) for body in server.asked]
    assert counts[:3] == [1, 3, 5] and counts[8:] == counts[:8], "each conversation begins anew"
    assert max(len(json.dumps(body["messages"], ensure_ascii=False)) for body in server.asked) <= 900
    assert llm["forgetful_turns"] == 2 * sum(n < 2 * i + 1 for i, n in enumerate(counts[:8])) > 0
    texts = [message["content"] for body in server.asked for message in body["messages"]
             if message["role"] == "user"]
    assert all(len(text.split(" ")) == 30 for text in texts) and len(set(texts)) == 16


# ---- traces ----------------------------------------------------------------------------------------

REPLAY = """
target: {url}
data: {{ requests: {{ trace: {{ file: {file} }} }} }}
scenarios:
  main:
    executor: replay
    trace: {file}
    trace_scale: {scale}
    tasks:
      - openai.chat: {{ prompt: "{{{{ requests.next }}}}", max_tokens: "{{{{ requests.output }}}}" }}
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_trace_drives_instants_and_lengths(plimsoll, keeper, tmp_path, threads):
    server = keeper()
    rows = [(1000 * i * 0.2, 20 + i, 100 + i, [7, 8 + i]) for i in range(10)]
    shuffled = rows[5:] + rows[:5]
    (tmp_path / "trace.jsonl").write_text("".join(json.dumps(
        {"timestamp": at + 5000, "input_length": length, "output_length": output, "hash_ids": blocks}) + "\n"
        for at, length, output, blocks in shuffled))
    plan = write_plan(tmp_path, REPLAY.format(url=server.url, file="trace.jsonl", scale=0.5))
    ran = plimsoll("run", plan, "--no-report", "--threads", threads).check_passed()
    assert "sorted by time" in ran.err
    assert [body["max_tokens"] for body in server.asked] == [100 + i for i in range(10)]
    assert [len(prompt.split(" ")) for prompt in prompts_of(server)] == [20 + i for i in range(10)]
    assert len({" ".join(prompt.split(" ")[:20]) for prompt in prompts_of(server)}) == 1, "block 7"
    whole = server.times[-1] - server.times[0]
    assert 0.85 < whole < 2, "nine gaps of 200 ms at half their length"


def test_a_broken_trace_is_said_by_its_line(plimsoll, keeper, tmp_path):
    (tmp_path / "bad.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n0,5,5\n1,5,x\n")
    plan = write_plan(tmp_path, REPLAY.format(url="http://127.0.0.1:1", file="bad.csv", scale=1))
    ran = plimsoll("run", plan)
    assert ran.code == BAD_PLAN and "bad.csv:3:1: the answer's length must be a whole number" in ran.err


# ---- vLLM's words ------------------------------------------------------------------------------------


def vllm(plimsoll, url, *words):
    return plimsoll("run", url, "--driver", "openai", "--stream", "--no-report", *words).check_passed()


def test_a_rate_with_a_cap_on_concurrency(plimsoll, keeper):
    """Requests arrive by the rate whatever the server does; only so many are sent at a time, and
    the waiting is in the response time: 60 that arrive at about 600/s, 4 at a time of 50 ms each,
    take 60 / 4 * 50 ms."""
    server = keeper(delay=0.05)
    summary = vllm(plimsoll, server.url, "--request-rate", 600, "--max-concurrency", 4, "--num-prompts", 60,
                   "--random-input-len", 32, "--random-output-len", 8).summary["summary"]
    assert summary["succeeded"] == len(server.asked) == 60
    assert server.most <= 4
    assert 0.74 <= server.times[-1] - server.times[0] + 0.05
    assert summary["response"]["max_ms"] > 400, "the last ones waited"
    assert summary["service"]["avg_ms"] < summary["response"]["avg_ms"]


def test_an_infinite_rate(plimsoll, keeper):
    server = keeper(delay=0.3)
    vllm(plimsoll, server.url, "--request-rate", "inf", "--num-prompts", 20, "--random-input-len", 16)
    assert len(server.asked) == 20 and server.most > 10, "all at once"
    server = keeper(delay=0.01)
    vllm(plimsoll, server.url, "--request-rate", "inf", "--max-concurrency", 3, "--num-prompts", 20,
         "--random-input-len", 16)
    assert len(server.asked) == 20 and server.most <= 3


def test_random_lengths_mean_what_vllm_means(plimsoll, keeper):
    server = keeper()
    vllm(plimsoll, server.url, "--num-prompts", 200, "--max-concurrency", 4, "--random-input-len", 100,
         "--random-output-len", 40, "--random-range-ratio", 0.25, "--random-prefix-len", 30, "--ignore-eos")
    lengths = [len(prompt.split(" ")) for prompt in prompts_of(server)]
    assert 105 <= min(lengths) < 115 and 145 < max(lengths) <= 155, "the prefix comes on top"
    outputs = [body["max_tokens"] for body in server.asked]
    assert 30 <= min(outputs) < 33 and 47 < max(outputs) <= 50
    assert len({" ".join(prompt.split(" ")[:30]) for prompt in prompts_of(server)}) == 1
    assert all(body["ignore_eos"] is True for body in server.asked)


def test_ollama_takes_the_lengths_too(plimsoll, keeper):
    server = keeper()
    plimsoll("run", f"{server.url}/api/chat", "--driver", "ollama", "-i", 20, "--random-input-len", 40,
             "--random-output-len", 20, "--random-range-ratio", 0.5, "--no-report").check_passed()
    assert all(20 <= len(prompt.split(" ")) <= 60 for prompt in prompts_of(server))
    outputs = {body["options"]["num_predict"] for body in server.asked}
    assert len(outputs) > 3 and all(10 <= output <= 30 for output in outputs)


def test_datasets_by_name(plimsoll, keeper, tmp_path):
    server = keeper()
    path = EXAMPLES / "llm-sharegpt.json"
    vllm(plimsoll, server.url, "--num-prompts", 6, "--dataset-name", "sharegpt", "--dataset-path", path)
    first = [next(turn["value"] for turn in chat["conversations"] if turn["from"] == "human")
             for chat in json.loads(path.read_text())]
    assert sorted(prompts_of(server)) == sorted(first)
    (tmp_path / "own.jsonl").write_text('{"prompt": "mine"}\n')
    server = keeper()
    vllm(plimsoll, server.url, "--num-prompts", 2, "--dataset-path", tmp_path / "own.jsonl",
         "--max-tokens", 9)
    assert prompts_of(server) == ["mine", "mine"]
    assert [body["max_tokens"] for body in server.asked] == [9, 9]


@pytest.mark.parametrize("words,said", [
    (["--random-input-len", 5], "--driver"),
    (["--driver", "openai", "--dataset-name", "hf"], 'no dataset "hf"'),
    (["--driver", "openai", "--dataset-name", "azure"], "needs --dataset-path"),
    (["--driver", "openai", "--random-range-ratio", 2], "from 0 to 1"),
    (["--driver", "openai", "--burstiness", 2], "needs --request-rate"),
    (["--driver", "openai", "--request-rate", "inf"], "--num-prompts"),
    (["--driver", "openai", "--request-rate", "fast"], "a rate such as"),
    (["--driver", "openai", "--dataset-path", "nowhere.json"], "cannot read"),
    (["--driver", "openai", "--prompt", "x", "--random-input-len", 5], "both say"),
])
def test_mistakes_are_answered(plimsoll, words, said):
    ran = plimsoll("run", "http://127.0.0.1:1", *words)
    assert ran.code == BAD_PLAN and said in ran.err and ran.files == [], ran.err
