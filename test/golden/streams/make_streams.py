#!/usr/bin/env python3
"""Writes the corpus of answers in this folder: NAME.stream holds the bytes of a body, NAME.json what a
correct client makes of them. Each event below is written together with what it means, so that no
reader is needed to know what is expected.

  status, stream, prompt_tokens   of the request and its reply
  driver                          "openai" or "ollama"
  outcome                         "ok", "protocol" (a failure of that kind) or "http"
  words                           what the failure's words begin with
  counters                        all that differ from 0
  content_at                      for each content event, the number of bytes after which it is known
  answer_at                       the same of the first that is not reasoning
  tokens                          output tokens, for the time per token
  token_gaps                      for each content event but the first, its tokens; where usage tells
  server_ms                       load, prompt, decode: what the server says of itself
"""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
CHAT = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}


class Stream:
    """The bytes of a body as they are written, and what they mean."""

    def __init__(self, end="\n", gap=" ", **expected):
        self.bytes, self.end, self.gap = b"", end, gap
        self.content, self.answer = [], None
        self.expected = {"driver": "openai", "status": 200, "stream": True, "outcome": "ok", **expected}

    def raw(self, words):
        self.bytes += words if isinstance(words, bytes) else words.encode()
        return self

    def event(self, data, kind=None, before=""):
        """One event; kind: "answer" or "reasoning" when it brings content."""
        words = data if isinstance(data, str) else json.dumps(data)
        self.raw(before + f"data:{self.gap}{words}{self.end}{self.end}")
        return self.means(kind, 1 if self.end == "\r\n" else 0)

    def means(self, kind, less=0):
        """What was written last brought content, known this many bytes before its end."""
        if kind:
            self.content.append(len(self.bytes) - less)
            if kind == "answer" and self.answer is None:
                self.answer = self.content[-1]
        return self

    def delta(self, delta, kind=None, finish=None, **more):
        return self.event({**CHAT, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}, kind)

    def text(self, *words):
        for word in words:
            self.delta({"content": word}, "answer")
        return self

    def stop(self, reason="stop", **more):
        return self.delta({}, None, reason, **more)

    def usage(self, prompt, completion, **more):
        return self.event({**CHAT, "choices": [],
                           "usage": {"prompt_tokens": prompt, "completion_tokens": completion,
                                     "total_tokens": prompt + completion, **more}})

    def done(self):
        return self.event("[DONE]")

    def write(self, name, **counters):
        for key, value in (("content_events", len(self.content)),):
            if value:
                counters.setdefault(key, value)
        known = {"counters": counters, "content_at": self.content, "answer_at": self.answer,
                 "tokens": counters.get("output_tokens", 0)}
        with open(os.path.join(HERE, name + ".stream"), "wb") as file:
            file.write(self.bytes)
        with open(os.path.join(HERE, name + ".json"), "w") as file:
            json.dump({**known, **self.expected}, file, indent=2)
            file.write("\n")


def usage_of(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def by_events(count, **more):
    return {"streams": 1, "tokens_from_events": 1, "output_tokens": count, **more}


def by_usage(prompt, count, **more):
    return {"streams": 1, "tokens_from_usage": 1, "prompt_tokens": prompt, "output_tokens": count, **more}


def plain():
    Stream().text(" a", " b", " c").stop("length", usage=usage_of(23, 3)).done().write(
        "no-role-usage-with-finish", **by_usage(23, 3))
    Stream().delta({"role": "assistant", "content": None}).text(" a", " b").stop().usage(5, 2).done().write(
        "role-null-content", **by_usage(5, 2))
    Stream().delta({"role": "assistant", "content": ""}).text(" a", " b").stop().usage(5, 2).done().write(
        "role-empty-content", **by_usage(5, 2))
    Stream().delta({"role": "assistant"}).text("x").stop().done().write("no-usage", **by_events(1))
    stream = Stream().text(" a")
    stream.delta({"content": ""})
    stream.delta({"content": None})
    stream.delta({})
    stream.text(" b").stop().done().write("empty-deltas-between", **by_events(2))
    Stream().delta({"content": " a"}, "answer", usage=None).delta({"content": " b"}, "answer", usage=None).stop(
        usage=None).usage(4, 2).done().write("usage-null-in-chunks", **by_usage(4, 2))
    Stream().text(" a").delta({"content": " b"}, "answer", "length").done().write(
        "finish-with-content", **by_events(2))


def counts():
    Stream().text(" one two three", " four five").stop().usage(4, 5).done().write(
        "several-tokens-an-event", **by_usage(4, 5))
    stream = Stream(token_gaps=[3, 2])
    for text, count in ((" a", 1), (" b c d", 4), (" e f", 6)):
        stream.delta({"content": text}, "answer", usage=usage_of(9, count))
    stream.stop(usage=usage_of(9, 6)).usage(9, 6).done().write(
        "continuous-usage", streams=1, tokens_from_continuous_usage=1, prompt_tokens=9, output_tokens=6)
    stream = Stream(token_gaps=[2])
    stream.delta({"role": "assistant", "content": ""}, usage=usage_of(9, 0))
    stream.delta({"content": " a"}, "answer", usage=usage_of(9, 1))
    stream.delta({"content": " b c"}, "answer", usage=usage_of(9, 3))
    stream.stop(usage=usage_of(9, 3)).done().write(
        "continuous-usage-role-first", streams=1, tokens_from_continuous_usage=1, prompt_tokens=9, output_tokens=3)
    Stream().text("a", "b", "c", "d").stop().usage(4, 3).done().write(
        "fewer-tokens-than-events", **by_usage(4, 3))
    Stream().text("a", "b").stop().usage(
        40, 9, prompt_tokens_details={"cached_tokens": 32}, completion_tokens_details={"reasoning_tokens": 7}
    ).done().write("usage-details", **by_usage(40, 9, cached_tokens=32, reasoning_tokens=7))
    Stream(prompt_tokens=1000).text("a").stop().usage(512, 1).done().write(
        "prompt-truncated", **by_usage(512, 1, truncated_prompts=1))
    Stream(prompt_tokens=512).text("a").stop().usage(512, 1).done().write("prompt-whole", **by_usage(512, 1))
    Stream(server_ms=[0, 12.5, 40]).text("a").stop(
        usage=usage_of(3, 1), timings={"prompt_n": 3, "prompt_ms": 12.5, "predicted_n": 1, "predicted_ms": 40}
    ).done().write("llamacpp-timings", **by_usage(3, 1))


def bytes_on_the_wire():
    Stream(end="\r\n").text(" a", " b").stop().usage(2, 2).done().write("crlf", **by_usage(2, 2))
    Stream(end="\r").text(" a", " b").stop().usage(2, 2).done().write("cr", **by_usage(2, 2))
    Stream(gap="").text(" a", " b").stop().usage(2, 2).done().write("no-blank-after-data", **by_usage(2, 2))
    stream = Stream().raw(": OPENROUTER PROCESSING\n\n").text("a").raw(":\n\n: ping\n\nevent: ping\n\n").text("b")
    stream.raw(": bye\n").stop().raw("\n\n\n").done().write("comments-and-pings", **by_events(2))
    Stream().raw(b"\xef\xbb\xbf").text("a", "b").stop().done().write("byte-order-mark", **by_events(2))
    stream = Stream()
    stream.raw('data: {"choices":[{"index":0,\ndata: "delta":{"content":\ndata: "a"},\n'
               'data: "finish_reason":null}]}\n\n').means("answer")
    stream.stop().done().write("data-over-several-lines", **by_events(1))
    stream = Stream().raw("retry: 3000\n")
    stream.raw("event: message\nid: 1\n").text("a").raw("id: 2\nevent: message\n").text("b").raw("id: 3\n").stop()
    stream.done().write("event-id-retry", **by_events(2))
    Stream().text("caf\u00e9 ", "\u4f60\u597d", "\U0001f6a2").stop().done().write("escaped-unicode", **by_events(3))
    stream = Stream()
    for word in ("caf\u00e9 ", "\u4f60\u597d", "\U0001f6a2"):
        stream.raw('data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % word).means("answer")
    stream.stop().done().write("raw-unicode", **by_events(3))
    stream = Stream().text('data: [DONE]\n\ndata: {"error": "no"}\n\n', '"\\', "[DONE]")
    stream.stop().done().write("text-that-looks-like-events", **by_events(3))
    stream = Stream()
    stream.event('{ "metadata" : { "choices" : [ { "delta" : { "content" : "no" } } ], "usage": {"completion_tokens": 99} },'
                 ' "usage" : null , "choices" : [ { "finish_reason" : null , "delta" : { "content" : "a" } , "index" : 0 } ],'
                 ' "error" : null }', "answer")
    stream.event('{"delta": {"content": "no"}, "choices": []}')
    stream.stop().done().write("members-in-any-order", **by_events(1))
    Stream().text("a").event("").stop().done().write("empty-data", **by_events(1))


def ends():
    Stream().text("a", "b").stop().raw("data:[DONE]\n\n").write("done-without-blank", **by_events(2))
    Stream().text("a", "b").stop().raw("data: [DONE] \n\n").write("done-with-blank-behind", **by_events(2))
    Stream().text("a", "b").stop().write("finish-reason-without-done", **by_events(2))
    Stream().text("a", "b").done().write("done-without-finish-reason", **by_events(2))
    Stream().text("a").stop().raw("data: [DONE]").write("done-cut-at-the-end", **by_events(1))
    Stream().text("a").raw("data: [DONE]\n").write("done-without-blank-line", **by_events(1))
    truncated = {"outcome": "protocol", "words": "the stream ended without a finish reason"}
    Stream(**truncated).text("a", "b").write("truncated", truncated_streams=1, output_tokens=2)
    Stream(**truncated).text("a").raw('data: {"choices":[{"delta":{"conte').write(
        "truncated-in-an-event", truncated_streams=1, output_tokens=1)
    Stream(**truncated).text("a").raw('data: {"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}\n').write(
        "truncated-before-the-blank-line", truncated_streams=1, output_tokens=1)
    Stream(**truncated).write("nothing-at-all", truncated_streams=1)
    Stream().done().write("done-only", streams=1, empty_streams=1)
    Stream().delta({"role": "assistant"}).stop().usage(4, 0).done().write(
        "no-content", streams=1, empty_streams=1, prompt_tokens=4)
    stream = Stream().text("a").stop().done()
    stream.delta({"content": "late"})
    stream.event({"error": {"message": "late"}})
    stream.write("events-after-done", **by_events(1))


def errors():
    failed = {"outcome": "protocol"}
    Stream(words="the KV cache is full", **failed).text("a", "b").event(
        {"error": {"message": "the KV cache is full", "type": "server_error", "code": 500}}).write(
        "error-in-the-stream", reply_errors=1, output_tokens=2)
    Stream(words="model not loaded", **failed).event({"error": {"message": "model not loaded"}}).done().write(
        "error-first", reply_errors=1)
    Stream(words="overloaded", **failed).text("a").event({"error": "overloaded"}).done().write(
        "error-as-text", reply_errors=1, output_tokens=1)
    Stream(words="too long \u2014 \"4097\"", **failed).event(
        {"object": "error", "message": "too long \u2014 \"4097\"", "type": "BadRequestError", "code": 400}).done().write(
        "error-as-object", reply_errors=1)
    Stream(words="gone", **failed).raw("event: error\n").event({"error": {"code": 1, "message": "gone"}}).write(
        "error-with-event-type", reply_errors=1)
    Stream(words="not a JSON object: {\"choices\":[{\"de", **failed).text("a").event('{"choices":[{"de').done().write(
        "broken-event", broken_events=1, output_tokens=1)
    Stream(words="not a JSON object: hello", **failed).event("hello").done().write("no-json", broken_events=1)
    Stream(words="{no slot}", **failed).raw('{"error":{"message":"{no slot}"}}').write("whole-error-in-200", reply_errors=1)
    http = {"outcome": "http"}
    Stream(status=400, words="'messages' is missing", **http).raw(
        '{"error":{"message":"\'messages\' is missing","type":"invalid_request_error"}}').write("status-400")
    Stream(status=503, words="<html>upstream is down</html>", **http).raw(
        "<html>upstream is down</html>\n").write("status-503-html")
    Stream(status=422, words="field required", **http).raw('{"detail":"field required"}').write("status-422-detail")
    Stream(status=500, words="", **http).write("status-500-empty")


def kinds_of_content():
    stream = Stream().delta({"role": "assistant", "content": None})
    stream.delta({"reasoning_content": "hm", "content": None}, "reasoning")
    stream.delta({"reasoning_content": "so"}, "reasoning")
    stream.text("yes").stop().usage(3, 3, completion_tokens_details={"reasoning_tokens": 2}).done().write(
        "reasoning-content", **by_usage(3, 3, reasoning_tokens=2))
    stream = Stream().delta({"role": "assistant", "reasoning": ""})
    stream.delta({"reasoning": "hm"}, "reasoning")
    stream.delta({"content": "", "reasoning": " so"}, "reasoning")
    stream.text("yes").stop().done().write("reasoning", **by_events(3))
    Stream().delta({"reasoning_content": "hm"}, "reasoning").stop("length").done().write(
        "reasoning-only", **by_events(1))
    stream = Stream().delta({"role": "assistant", "content": None})
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": ""}}
    stream.delta({"tool_calls": [call]}, "answer")
    for part in ('{"ci', 'ty":"', 'Rome"}'):
        stream.delta({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}, "answer")
    stream.delta({"tool_calls": [{"index": 0, "function": {"arguments": ""}}]})
    stream.stop("tool_calls").usage(30, 12).done().write("tool-calls", **by_usage(30, 12))
    stream = Stream()
    stream.delta({"function_call": {"name": "f", "arguments": ""}}, "answer")
    stream.delta({"function_call": {"arguments": "{}"}}, "answer")
    stream.stop("function_call").done().write("function-call", **by_events(2))
    Stream().delta({"refusal": "I can"}, "answer").delta({"refusal": "not."}, "answer").stop().done().write(
        "refusal", **by_events(2))
    stream = Stream().delta({"content": [{"type": "text", "text": "a"}]}, "answer")
    stream.delta({"content": [{"type": "text", "text": ""}]})
    stream.delta({"content": []}).text("b").stop().done().write("content-in-parts", **by_events(2))
    stream = Stream()
    for text in (" a", " b"):
        stream.event({"id": "cmpl-1", "object": "text_completion", "choices": [
            {"index": 0, "text": text, "logprobs": None, "finish_reason": None}]}, "answer")
    stream.event({"id": "cmpl-1", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}],
                  "usage": usage_of(2, 2)}).done().write("completions", **by_usage(2, 2))
    stream = Stream()
    for index in (0, 1, 0, 1):
        stream.event({**CHAT, "choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": None}]}, "answer")
    for index in (0, 1):
        stream.event({**CHAT, "choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]})
    stream.done().write("two-choices", **by_events(4))


def wholes():
    whole = {"id": "x", "object": "chat.completion", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": usage_of(9, 4)}
    counted = {"tokens_from_usage": 1, "prompt_tokens": 9, "output_tokens": 4}
    Stream(stream=False).raw(json.dumps(whole)).write("whole", **counted)
    Stream().raw("\n " + json.dumps(whole, indent=1)).write("whole-though-stream-was-asked", unstreamed=1, **counted)
    Stream(stream=False).text("a").stop().usage(9, 4).done().write(
        "stream-though-whole-was-asked", streams=1, **counted)
    vector = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.0123456789] * 6000}],
              "model": "e", "usage": {"prompt_tokens": 7, "total_tokens": 7}}
    Stream(stream=False, sparse=True).raw(json.dumps(vector)).write(
        "embeddings-longer-than-is-kept", tokens_from_usage=1, prompt_tokens=7)


class Lines(Stream):
    """An answer of Ollama: one JSON object a line."""

    def __init__(self, **expected):
        super().__init__(**{"driver": "ollama", **expected})

    def line(self, kind=None, end="\n", **members):
        self.raw(json.dumps({"model": "m", "created_at": "2026-01-01T00:00:00Z", **members}) + end)
        return self.means(kind)

    def words(self, *words):
        for word in words:
            self.line("answer", response=word, done=False)
        return self

    def last(self, end="\n", **more):
        return self.line(None, end, response="", done=True, done_reason="stop", total_duration=99000000,
                         load_duration=5000000, prompt_eval_duration=12000000, eval_duration=70000000, **more)


SERVER = [5, 12, 70]


def lines():
    counts = {"prompt_eval_count": 11, "eval_count": 3}
    Lines(server_ms=SERVER).words(" a", " b", " c").last(**counts).write("ollama-generate", **by_usage(11, 3))
    Lines(server_ms=SERVER).words(" a b c").last(**counts).write("ollama-several-tokens", **by_usage(11, 3))
    Lines(server_ms=SERVER).words(" a", " b").last("", **counts).write("ollama-no-last-feed", **by_usage(11, 3))
    stream = Lines(server_ms=SERVER)
    stream.line("reasoning", message={"role": "assistant", "content": "", "thinking": "hm"}, done=False)
    stream.line("answer", "\r\n", message={"role": "assistant", "content": "yes"}, done=False)
    stream.line("answer", message={"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]})
    stream.line(message={"role": "assistant", "content": ""}, done=False)
    stream.last(**counts).write("ollama-chat-thinking-tools", **by_usage(11, 3))
    Lines(server_ms=SERVER).words("a").last(eval_count=1).write("ollama-cached-prompt", **by_usage(0, 1, prompt_tokens=0))
    failed = {"outcome": "protocol"}
    Lines(words="the stream ended without a line that says done", **failed).words("a").write(
        "ollama-truncated", truncated_streams=1, output_tokens=1)
    Lines(words="the stream ended without a line that says done", **failed).words("a").raw('{"response":"b').write(
        "ollama-truncated-in-a-line", truncated_streams=1, output_tokens=1)
    Lines(words="model runner has stopped", **failed).words("a").raw('{"error":"model runner has stopped"}\n').write(
        "ollama-error-in-the-stream", reply_errors=1, output_tokens=1)
    Lines(words="not a JSON object: oops", **failed).words("a").raw("oops\n").last(**counts).write(
        "ollama-broken-line", broken_events=1, output_tokens=1)
    Lines(status=404, outcome="http", words="model 'm' not found").raw('{"error":"model \'m\' not found"}').write(
        "ollama-status-404")
    Lines(stream=False, server_ms=SERVER).raw(json.dumps(
        {"model": "m", "response": "Hello", "done": True, "load_duration": 5000000, "prompt_eval_duration": 12000000,
         "eval_duration": 70000000, **counts})).write(
        "ollama-whole", tokens_from_usage=1, prompt_tokens=11, output_tokens=3)
    Lines(stream=False, server_ms=[5, 0, 0]).raw(json.dumps(
        {"model": "m", "embeddings": [[0.0123456789] * 6000], "total_duration": 9000000, "load_duration": 5000000,
         "prompt_eval_count": 7})).write("ollama-embeddings-longer-than-is-kept", tokens_from_usage=1, prompt_tokens=7)


if __name__ == "__main__":
    lines()
    plain()
    counts()
    bytes_on_the_wire()
    ends()
    errors()
    kinds_of_content()
    wholes()
