"""An MCP server over stdio for the tests, with a failing of its own by argument. It speaks by hand, so
that it shares no line of code with the program under test.

  --batch N      executes at most N calls at once, the others wait (default: no limit)
  --open         a path outside its folder is answered with a result: the sandbox leaks
  --noise        lines on its output that are no messages, and words on its error output
  --die-after N  exits with status 7 after N calls, saying why
  --deaf         reads, and never answers a call
  --stay         goes on after its input was closed, and ignores SIGTERM
  --huge N       answers every call with a text of N bytes
  --pages N      lists its tools on N pages
  --trail FILE   writes "start PID", "initialize", "initialized", "cancelled ID", "end" lines to a file"""

import argparse
import json
import os
import signal
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=0)
parser.add_argument("--open", action="store_true")
parser.add_argument("--noise", action="store_true")
parser.add_argument("--die-after", type=int, default=0)
parser.add_argument("--deaf", action="store_true")
parser.add_argument("--stay", action="store_true")
parser.add_argument("--huge", type=int, default=0)
parser.add_argument("--pages", type=int, default=1)
parser.add_argument("--trail")
options = parser.parse_args()
lock = threading.Lock()
room = threading.Semaphore(options.batch) if options.batch else None
calls = 0


def trail(words):
    if options.trail:
        with open(options.trail, "a") as file:
            file.write(words + "\n")


def say(message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(words, bad=False):
    return {"content": [{"type": "text", "text": words}], "isError": bad}


def execute(number, params):
    name, given = params["name"], params.get("arguments", {})
    token = params.get("_meta", {}).get("progressToken")
    if room:
        room.acquire()
    if name == "wait":
        for step in range(given.get("steps", 1)):
            time.sleep(given["ms"] / 1000 / given.get("steps", 1))
            if token is not None:
                say({"method": "notifications/progress",
                     "params": {"progressToken": token, "progress": step + 1}})
        result = text("x" * options.huge if options.huge else "waited")
    elif name == "echo":
        result = text("Echo: " + given["message"])
    elif name == "read":
        outside = not given["path"].startswith("/allowed")
        result = text("Access denied", True) if outside and not options.open else text("bytes")
    else:
        result = None
    if room:
        room.release()
    if options.deaf:
        return
    if result is None:
        say({"id": number, "error": {"code": -32602, "message": f"unknown tool {name}"}})
    else:
        say({"id": number, "result": result})


def tools(number, params):
    page = int(params.get("cursor", "0"))
    result = {"tools": [{"name": f"tool{page}", "inputSchema": {}},
                        {"name": "wait" if page else "echo", "inputSchema": {}}]}
    if page + 1 < options.pages:
        result["nextCursor"] = str(page + 1)
    say({"id": number, "result": result})


trail(f"start {os.getpid()}")
if options.stay:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    message = json.loads(line)
    method = message["method"]
    if options.noise:
        print("listening for your requests", flush=True)
        print("this is a log line", file=sys.stderr, flush=True)
    if method == "initialize":
        trail("initialize")
        say({"id": message["id"], "result": {"protocolVersion": message["params"]["protocolVersion"],
                                             "capabilities": {}, "serverInfo": {"name": "t"}}})
    elif method == "notifications/initialized":
        trail("initialized")
    elif method == "notifications/cancelled":
        trail(f"cancelled {message['params']['requestId']}")
    elif method == "tools/list":
        tools(message["id"], message.get("params", {}))
    else:
        calls += 1
        if options.die_after and calls > options.die_after:
            print("line before\nout of luck", file=sys.stderr, flush=True)
            os._exit(7)
        threading.Thread(target=execute, args=(message["id"], message["params"]),
                         daemon=True).start()
trail("end")
while options.stay:
    time.sleep(1)
