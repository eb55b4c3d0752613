"""What a plan promises, seen in what is sent: values of set-up, feeders and captures."""

from conftest import write_plan


def row_of(summary, name):
    """The figures of one request."""
    return next(row for row in summary["requests"] if row["name"] == name)["summary"]


SET_UP = """
target: {url}
setup:
  - {{ name: first, get: /v1/models, capture: {{ model: "body.data[0].id" }} }}
  - name: second
    post: {{ url: /echo, body: "<{{{{ model }}}}>" }}
    checks: [body contains <plimsoll-testbed>]
scenarios:
  main:
    vus: 4
    iterations: 40
    tasks:
      - name: task
        post: {{ url: /echo, body: "({{{{ model }}}})" }}
        checks: [body contains (plimsoll-testbed)]
"""


def test_what_set_up_captures_reaches_every_iteration(testbed, plimsoll, tmp_path):
    plan = write_plan(tmp_path, SET_UP.format(url=testbed().url))
    ran = plimsoll("run", plan, "--threads", 2).check_passed()
    task = row_of(ran.summary, "task")
    assert task["requests"] == 40, task
    assert task["passed_assertions"] == 40 and task["failed_assertions"] == 0, task


ROWS = """
target: {url}
data:
  people: {{ values: [Ada, Bob, Cyd, Dan, Eve], order: unique }}
scenarios:
  main:
    vus: 2
    duration: 20s
    tasks:
      - name: task
        steps:
          - name: tell
            post: {{ url: /echo, json: {{ name: "{{{{ people.next }}}}" }} }}
            capture: {{ said: body.name }}
          - name: again
            post: {{ url: /echo, body: "{{{{ said }}}} is {{{{ people.next }}}}" }}
            checks: ["body matches ^(Ada|Bob|Cyd|Dan|Eve) is (Ada|Bob|Cyd|Dan|Eve)$"]
"""


def test_unique_rows_end_the_scenario_and_captures_follow(testbed, plimsoll, tmp_path):
    plan = write_plan(tmp_path, ROWS.format(url=testbed().url))
    ran = plimsoll("run", plan, "--threads", 2).check_passed()
    assert row_of(ran.summary, "task/tell")["requests"] == 5
    again = row_of(ran.summary, "task/again")
    assert again["requests"] == 5, again
    assert again["passed_assertions"] == 5 and again["failed_assertions"] == 0, again
