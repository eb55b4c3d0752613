"""The rag driver against the testbed: a RAG service, and Qdrant's paths by configuration."""

from conftest import write_plan


def counters(ran):
    return ran.summary["summary"]["driver_counters"]


def requests_of(ran):
    return {r["name"]: r["summary"]["requests"] for r in ran.summary["requests"]}


SERVICE = """
schema: 1
target: {url}
setup:
  - name: fill
    rag.index:
      collection: known
      documents:
        - {{id: tea, text: "Green tea is brewed below the boiling point of water."}}
        - {{id: ships, text: "A line on the hull shows how deep a ship may lie."}}
        - {{id: bread, text: "Bread rises because of the gas that yeast makes."}}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 2
    iterations: 20
    tasks:
      - name: known
        weight: 3
        rag.query: {{query: "A line on the hull shows how deep a ship may lie.",
                    collection: known, top_k: 1, expect: [ships]}}
      - name: wrong
        rag.query: {{query: "Bread rises because of the gas that yeast makes.",
                    collection: known, top_k: 1, expect: [tea, bread]}}
      - name: index
        rag.index: {{collection: other, documents: ["one {{{{ uuid }}}}", "two {{{{ uuid }}}}"],
                    reply: {{indexed: indexed}}}}
"""


def test_a_rag_service(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast")
    ran = plimsoll("run", write_plan(tmp_path, SERVICE.format(url=server.url)))
    ran.check_passed()
    told = counters(ran)
    assert ran.summary["accounts"]["close"] is True and ran.summary["summary"]["failed"] == 0
    of = requests_of(ran)
    queries = of["known"] + of["wrong"]
    assert queries + of["index"] == 40 and min(of["wrong"], of["index"]) > 0
    assert told["rag_queries"] == queries and told["rag_indexings"] == of["index"]
    assert told["rag_indexed"] == 2 * of["index"] and told["rag_results"] == queries
    assert told["rag_expected"] == of["known"] + 2 * of["wrong"]
    assert told["rag_found"] == queries and told["rag_missed"] == of["wrong"]
    assert told["rag_empty"] == told["rag_query_failures"] == told["rag_index_failures"] == 0


TROUBLE = """
schema: 1
target: {url}
http: {{timeout: 500ms}}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 1
    iterations: 4
    tasks:
      - name: bad query
        weight: 2
        rag.query: {{query: "", collection: nothing}}
      - name: bad index
        rag.index: {{documents: []}}
      - name: no list
        rag.query: {{query: why, url: /v1/models}}
"""


def test_failures_of_each_operation(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast")
    ran = plimsoll("run", write_plan(tmp_path, TROUBLE.format(url=server.url)))
    told = counters(ran)
    assert told["rag_index_failures"] == 1 and told["rag_indexings"] == 0
    assert told["rag_query_failures"] + told["rag_queries"] == 3
    assert told["rag_query_failures"] >= 1
    assert ran.summary["summary"]["failed"] == (told["rag_query_failures"]
                                                + told["rag_index_failures"])


def test_time_outs_are_apart(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast", "--rag-answer-ms", 3000)
    plan = SERVICE.replace("setup:", "http: {{timeout: 200ms}}\nsetup:")
    plan = plan.replace("iterations: 20", "iterations: 5")
    ran = plimsoll("run", write_plan(tmp_path, plan.format(url=server.url)))
    told, summary = counters(ran), ran.summary["summary"]
    assert summary["timed_out"] > 0 and summary["failed"] == summary["timed_out"]
    of = requests_of(ran)
    assert told["rag_query_failures"] == 0 and told["rag_queries"] == 0
    assert summary["timed_out"] == of["known"] + of["wrong"]


QDRANT = """
schema: 1
target: {url}
setup:
  - put: {{url: /collections/made, json: {{vectors: {{size: 4, distance: Cosine}}}}}}
  - name: fill
    rag.index:
      url: /collections/made/points
      method: PUT
      documents:
        - {{id: 1, vector: [1, 0, 0, 0]}}
        - {{id: 2, vector: [0, 1, 0, 0]}}
        - {{id: 3, vector: [0.9, 0.1, 0, 0]}}
      request: {{documents: points}}
      reply: {{error: status.error}}
scenarios:
  main:
    executor: per-vu-iterations
    vus: 2
    iterations: 10
    tasks:
      - rag.query:
          url: /collections/made/points/search
          query: [1, 0, 0, 0]
          top_k: 2
          expect: "1,3"
          request: {{query: vector, top_k: limit}}
          reply: {{results: result, error: status.error}}
"""


def test_qdrant_by_configuration(testbed, plimsoll, tmp_path):
    server = testbed("--preset", "fast")
    ran = plimsoll("run", write_plan(tmp_path, QDRANT.format(url=server.url)))
    ran.check_passed()
    told = counters(ran)
    assert told["rag_queries"] == 20 and told["rag_results"] == 40
    assert told["rag_expected"] == told["rag_found"] == 40
