"""What programs read of a run: summary.json against its published schema, and its figures against
each other. The page itself is opened in a browser by web/test.

PLIMSOLL_BIN names the directory of the programs (build/release/bin)."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PLIMSOLL_BIN", ROOT / "build/release/bin"))
MAKER = BIN / "report_pages"
KINDS = ["whole", "empty", "nothing", "single", "killed", "censored", "long", "hostile",
         "streamed"]

pytestmark = pytest.mark.skipif(not MAKER.exists(), reason=f"{MAKER} is not built")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages")
    subprocess.run([MAKER, path], check=True)
    return path


def document(folder, kind):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads((folder / f"{kind}.json").read_text("utf-8"), parse_constant=refuse)


@pytest.mark.parametrize("kind", KINDS)
def test_schema(folder, kind):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "doc/summary.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document(folder, kind))]
    assert not faults, "\n".join(faults[:10])


def test_schema_refuses(folder):
    """A schema that accepts anything would pass the test above."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "doc/summary.schema.json").read_text("utf-8"))
    run = document(folder, "whole")
    del run["summary"]["response"]["p95_ms"]
    run["verdict"]["word"] = "perhaps"
    assert len(list(jsonschema.Draft202012Validator(schema).iter_errors(run))) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_of_equal_length(folder, kind):
    run = document(folder, kind)
    lengths = {len(column) for column in run["series"].values()}
    for request in run["requests"]:
        lengths |= {len(column) for column in request["series"].values()}
    assert len(lengths) == 1


@pytest.mark.parametrize("kind", ["whole", "censored", "killed", "long"])
def test_figures_agree(folder, kind):
    run = document(folder, kind)
    total, accounts = run["summary"], run["accounts"]
    assert total["requests"] == sum(r["summary"]["requests"] for r in run["requests"])
    assert total["failed"] == sum(total["errors"]["by_kind"].values())
    assert total["requests"] == total["succeeded"] + total["failed"]
    assert total["rate_rps"] == pytest.approx(total["requests"] / total["measured_s"])
    assert total["rate_rpm"] == pytest.approx(60 * total["rate_rps"])
    assert sum(run["distribution"]["count"]) + run["distribution"]["above"] == total["succeeded"]
    assert accounts["close"]
    assert (accounts["waiting_begin"] + accounts["offered"]
            == accounts["started"] + accounts["dropped"] + accounts["waiting_end"])
    counted = [not run["phases"][phase]["excluded"] for phase in run["series"]["phase"]]
    assert total["requests"] == sum(
        many for many, yes in zip(run["series"]["requests"], counted) if yes)


def test_percentiles_against_the_distribution(folder):
    """The published buckets put each percentile where the figure says, to a bucket's width."""
    run = document(folder, "whole")
    bars, response = run["distribution"], run["summary"]["response"]
    for name, share in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95)):
        rank, below = share * response["count"], 0
        for low, high, many in zip(bars["low_ms"], bars["high_ms"], bars["count"]):
            below += many
            if below >= rank:
                assert low * 0.996 <= response[name] <= high * 1.004, name
                break


def test_tokens(folder):
    """Answers made of tokens: columns, sums over time, and the same over requests."""
    run = document(folder, "streamed")
    llm, series = run["summary"]["llm"], run["series"]
    counted = [not run["phases"][phase]["excluded"] for phase in series["phase"]]
    assert sum(one for one, yes in zip(series["good"], counted) if yes) == llm["good"]
    rates = [rate for rate, yes in zip(series["output_tokens_per_s"], counted) if yes]
    assert sum(rates) == pytest.approx(llm["output_tokens"], rel=1e-6)  # intervals of one second
    assert llm["output_tokens"] == sum(
        one["summary"]["llm"]["output_tokens"] for one in run["requests"] if one["summary"]["llm"])
    assert [bool(one["summary"]["llm"]) for one in run["requests"]] == [True, True, False]
    assert ["ttft_p95_ms" in one["series"] for one in run["requests"]] == [True, True, False]
    assert "ttft_p95_ms" not in document(folder, "whole")["series"]
    assert min(known for known in series["itl_p50_ms"] if known is not None) >= 18


def test_nothing_is_null(folder):
    run = document(folder, "nothing")
    assert run["summary"]["rate_rps"] is None
    assert run["summary"]["error_ratio"] is None
    assert run["summary"]["response"]["p50_ms"] is None
    assert run["slo_availability_passed"] is None
    assert run["verdict"]["word"] == "empty"


def test_page_carries_the_same_document(folder):
    page = (folder / "whole.html").read_text("utf-8")
    begin = '<script type="application/json" id="run">'
    carried = json.loads(page[page.index(begin) + len(begin):].split("</script>")[0])
    assert carried["summary"]["requests"] == document(folder, "whole")["summary"]["requests"]
    assert "http://" not in page.split(begin)[0].replace("http://www.w3.org", "")


def test_hostile_words_cannot_end_the_script(folder):
    page = (folder / "hostile.html").read_text("utf-8")
    assert page.count("</script>") == 2
    assert "<img" not in page
