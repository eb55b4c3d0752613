"""The tools of analysis as a user calls them: fit, model, compare, detect. Figures are published
ones (doc/methods.md has the sources); errors say file and line."""

import json
import re
import subprocess

import pytest

from conftest import PLIMSOLL

CISCO = """955.16 1878.91 2688.01 3548.68 4315.54 5130.43 5931.37 6531.08 7219.8 7867.61 8278.71
8646.7 9047.84 9426.55 9645.37 9897.24 10097.6 10240.5 10532.39 10798.52 11151.43 11518.63 11806
12089.37 12075.41 12177.29 12211.41 12158.93 12155.27 12118.04 12140.4 12074.39""".split()
X = [.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46]
Y = [1.15, .88, .90, .74, 1.21]


def near(value, wanted, relative=1e-6):
    return value == pytest.approx(wanted, rel=relative)


@pytest.fixture(name="tool")
def _tool(tmp_path):
    def call(*words, code=0, text=False, **files):
        for name, content in files.items():
            (tmp_path / name.replace("_", ".")).write_text(content)
        done = subprocess.run([str(PLIMSOLL), *words, *([] if text else ["--json"])],
                              cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        if code not in (0, 98, 99):
            return done.stderr
        return done.stdout if text else json.loads(done.stdout)
    return call


def cisco(count=32, head="n,x\n"):
    return head + "".join(f"{n},{x}\n" for n, x in enumerate(CISCO[:count], 1))


def test_usl(tool):
    found = tool("fit", "usl", "a.csv", "--throughput", "12201", a_csv=cisco())
    assert near(found["alpha"], .026715947) and near(found["beta"], 7.6909388e-4)
    assert near(found["gamma"], 995.64880) and near(found["peak"]["n"], 35.5738, 1e-5)
    assert near(found["n_for_throughput"]["n"], 29.5690359)
    codes = [warning["code"] for warning in found["warnings"]]
    assert "STRUCTURED_RESIDUALS" in codes and "PEAK_NOT_OBSERVED" in codes
    assert near(found["quality"]["durbin_watson"], .2774, 1e-3)
    bare = tool("fit", "usl", "a.csv", a_csv=cisco(head="# no head\n\n"))
    assert bare["alpha"] == found["alpha"]


def test_usl_range_keeps_what_was_measured(tool):
    found = tool("fit", "usl", "a.csv", "--at", "32", a_csv=cisco(16))["prediction"]
    assert near(found["range"]["low"], 9625, 1e-4) and near(found["range"]["high"], 15131, 1e-4)
    assert found["range"]["low"] < 12074.39 < found["range"]["high"]
    far = tool("fit", "usl", "a.csv", "--at", "33", a_csv=cisco(16))["prediction"]
    assert far["throughput"] is None and far["extrapolation_ratio"] > 2


def test_usl_pins_a_parameter(tool):
    data = "1 20\n4 78\n8 130\n12 170\n16 190\n20 200\n24 210\n28 230\n32 260\n48 280\n64 310\n"
    found = tool("fit", "usl", "a.csv", a_csv=data)
    beta = found["parameters"]["beta"]
    assert found["beta"] == 0 and beta["pinned"] and near(beta["unbounded_value"], -2.01122e-4, 1e-4)
    assert near(found["parameters"]["alpha"]["standard_error"], .0052579777)
    assert found["peak"]["n"] is None and found["law"] == "amdahl"


def test_knee(tool):
    found = tool("fit", "knee", "a.csv", a_csv=cisco())
    assert near(found["segmented"]["n"], 11.67, 1e-3) and found["kneedle"]["n"] == 14
    assert found["linear_to"]["n"] == 5 and found["power_peak"]["n"] == 14
    assert tool("fit", "knee", "a.csv", a_csv=cisco(8))["kneedle"]["n"] is None


def test_model_closed(tool):
    jain = """{type: closed, think_time: 4, users: "20", stations: [
      {name: cpu, visits: 16, service: .125}, {name: a, visits: 10, service: .3},
      {name: b, visits: 5, service: .2}]}"""
    found = tool("model", "a.yaml", a_yaml=jain)
    load = found["loads"][0]
    assert near(load["throughput"], .333246512) and near(load["response_s"], 56.0156319)
    assert near(load["stations"][1]["in_queue"], 16.1766511)
    assert near(load["bounds"]["balanced_job"]["response_s"]["high"], 61.1612903)
    assert near(found["knee_population"], 10 / 3)
    many = "{Z: 10, N: [20, 30, 40, 80], stations: [{name: a, demand: 4, servers: 8}]}"
    rows = tool("model", "a.yaml", a_yaml=many)["loads"]
    assert [round(row["response_s"], 5) for row in rows] == [4.1551, 5.76644, 10.01598, 30.0]
    assert len(tool("model", "a.yaml", a_yaml=many.replace("[20, 30, 40, 80]", "1..50"))["loads"]) == 50


def test_model_open(tool):
    found = tool("model", "a.yaml", a_yaml="{type: open, rate: 9, stations: [{service: 200ms, servers: 2}]}")
    assert near(found["loads"][0]["response_s"], 1.05263158)
    assert near(found["loads"][0]["stations"][0]["waiting"], 7.67368421)
    for variation, wait in ((0, 2), (.5, 3), (1, 4), (4, 10)):
        station = f"{{service: 1, service_cv2: {variation}}}"
        found = tool("model", "a.yaml", a_yaml=f"{{type: open, rate: .8, stations: [{station}]}}")
        assert near(found["loads"][0]["response_s"], 1 + wait)
    found = tool("model", "a.yaml", a_yaml="{type: open, rate: 1.2, stations: [{service: 1, capacity: 10}]}")
    assert near(found["loads"][0]["throughput"], .968896206)
    assert near(found["loads"][0]["stations"][0]["loss_ratio"], .192586495)
    assert tool("model", "a.yaml", a_yaml="{rate: 6, stations: [{demand: .2}]}")["loads"][0]["response_s"] is None


def lines(values):
    return "\n".join(map(str, values))


def test_compare(tool):
    found = tool("compare", "--values", "y.txt", "x.txt", x_txt=lines(X), y_txt=lines(Y))
    assert near(found["p"], .2544, 1e-3) and near(found["shift"], .305)
    assert near(found["shift_interval"]["low"], -.15) and near(found["shift_interval"]["high"], .76)
    assert found["u_new"] == 35 and found["verdict"] == "inconclusive"
    base, slow = [100, 101, 99, 100.5, 98.5], [110, 111, 109, 112, 110.5]
    files = {"a_txt": lines(base), "b_txt": lines(slow)}
    assert tool("compare", "--values", "a.txt", "b.txt", code=99, **files)["verdict"] == "worse"
    assert tool("compare", "--values", "a.txt", "b.txt", "--better", "higher")["verdict"] == "better"
    assert tool("compare", "--values", "a.txt", "b.txt", "--margin", "20%")["verdict"] == "equivalent"
    assert tool("compare", "--values", "a.txt", "b.txt", "--margin", "10%")["verdict"] == "inconclusive"
    refused = tool("compare", "--values", "c.txt", "c.txt", code=98, c_txt="1 2 3")
    assert refused["verdict"] == "refused" and refused["runs_needed"] == 4
    words = tool("compare", "--values", "c.txt", "c.txt", text=True, code=98)
    assert "need >= 4" in words


def test_detect(tool):
    series = """1.02 .95 .99 1.00 1.12 1.00 1.01 .98 1.01 .96
    .50 .51 .48 .48 .55 .50 .49 .51 .50 .49""".split()
    found = tool("detect", "a.csv", a_csv="value\n" + lines(series))
    assert [change["index"] for change in found["changes"]] == [10]
    assert near(found["changes"][0]["q"], 4.717, 1e-4)
    assert near(found["changes"][0]["q_unbiased"], 4.682222222)
    assert tool("detect", "a.csv", a_csv=lines([3] * 30))["changes"] == []


@pytest.mark.parametrize("words, content, wanted", [
    (("fit", "usl", "a.csv"), "n,x\n1,20\n2,abc\n", 'a.csv:3: cell 2 is "abc"'),
    (("fit", "usl", "a.csv"), "1,20\n2,30,4\n", "a.csv:2: 3 cells, where 2 are wanted"),
    (("fit", "usl", "a.csv"), "1,20\n2,30\n", "three different n"),
    (("fit", "usl", "a.csv"), "", "no numbers"),
    (("model", "a.csv"), "population: 5\nstations: [{demnd: 3}]\n", "a.csv:2:13: unknown key"),
    (("model", "a.csv"), "population: 1.5\nstations: [{demand: 3}]\n", "whole number of users"),
    (("model", "a.csv"), "stations: [{demand: 3}]\n", "there is no population"),
    (("detect", "missing.csv"), "", "missing.csv could not be read"),
])
def test_errors_say_where(tool, words, content, wanted):
    assert wanted in tool(*words, code=104, a_csv=content)


def test_text_fits_80_columns(tool):
    for words in (("fit", "usl", "a.csv", "--at", "40"), ("fit", "knee", "a.csv")):
        out = tool(*words, text=True, a_csv=cisco())
        assert max(map(len, out.splitlines())) <= 80
        numbers = re.findall(r"\d[\d,]*\.?\d*", re.sub(r"R² \S+", "", out))
        assert all(len(n.replace(",", "").replace(".", "").lstrip("0")) <= 4
                   for n in numbers if "." in n), "at most four digits"
        assert all(line == line.rstrip() for line in out.splitlines())
