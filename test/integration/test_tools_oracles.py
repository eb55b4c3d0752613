"""Random questions, put to the tools of analysis and to R, GNU Octave's `queueing`, and Python's
kneed and signal-processing-algorithms: programs that others wrote by other methods. Each oracle is asked once, for all its questions;
one that is not installed is skipped loudly."""

import json
import math
import random
import subprocess
import sys

import pytest

from conftest import PLIMSOLL, need

pytestmark = pytest.mark.thorough


@pytest.fixture(name="tool")
def _tool(tmp_path):
    def call(*words, **files):
        for name, content in files.items():
            (tmp_path / name.replace("_", ".")).write_text(content)
        done = subprocess.run([str(PLIMSOLL), *map(str, words), "--json"], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode in (0, 98, 99), done.stderr
        return json.loads(done.stdout)
    return call


def numbers(text):
    """A row of numbers for each line that an oracle printed."""
    return [[float(word) for word in line.split()] for line in text.splitlines() if line.strip()]


@pytest.fixture(name="r")
def _r(tmp_path):
    program = need("Rscript")

    def ask(script, *packages):
        for package in packages:
            has = subprocess.run([program, "-e", f"library({package})"], capture_output=True)
            if has.returncode:
                pytest.skip(f"SKIPPED LOUDLY: R has no package {package}")
        (tmp_path / "oracle.R").write_text(
            "options(warn=-1)\nsay <- function(x) cat(sprintf('%.15g', x), '\\n')\n" +
            "".join(f"suppressMessages(library({package}))\n" for package in packages) + script)
        done = subprocess.run([program, "oracle.R"], cwd=tmp_path, capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stderr
        return numbers(done.stdout)
    return ask


@pytest.fixture(name="octave")
def _octave(tmp_path):
    program = need("octave")
    done = subprocess.run([program, "-qf", "--eval", "pkg load queueing"], capture_output=True,
                          text=True)
    if "not found" in done.stderr or "not installed" in done.stderr:
        pytest.skip("SKIPPED LOUDLY: GNU Octave has no package queueing")

    def ask(script):
        (tmp_path / "oracle.m").write_text(
            "warning('off', 'all'); pkg load queueing\n"
            "function say(x) printf('%.15g ', x); printf('\\n'); end\n" + script)
        done = subprocess.run([program, "-qf", "oracle.m"], cwd=tmp_path, capture_output=True,
                              text=True, timeout=300)
        return numbers(done.stdout)
    return ask


def close(found, wanted, relative, what):
    assert len(found) == len(wanted), what
    for one, other in zip(found, wanted):
        assert one == pytest.approx(other, rel=relative, abs=1e-12), (what, found, wanted)


def vector(values):
    return "c(" + ",".join(map(repr, values)) + ")"


def rows_of(n, x):
    return "n,x\n" + "".join(f"{a!r},{b!r}\n" for a, b in zip(n, x))


# ---- R --------------------------------------------------------------------------------------------

def made_law(draw):
    n = sorted(draw.sample(range(1, 100), draw.randint(6, 20)))
    gamma, alpha, beta = draw.uniform(1, 1000), draw.uniform(.01, .2), 10 ** draw.uniform(-4, -2.5)
    return n, [gamma * k / (1 + alpha * (k - 1) + beta * k * (k - 1)) * draw.gauss(1, .02)
               for k in n]


def test_laws_as_nls_has_them(tool, r):
    draw = random.Random(1)
    cases = [made_law(draw) for _ in range(25)]
    script = "".join(f"""
n <- {vector(n)}; x <- {vector(x)}
m <- nlsLM(x ~ g*n/(1+a*(n-1)+b*n*(n-1)), start=list(g=max(x/n), a=.01, b=1e-4),
           control=nls.lm.control(ftol=1e-15, ptol=1e-15, maxiter=1000))
b <- coef(m)
for (i in 1:60) {{  # it stops when the squares do not change: half of the digits
  d <- 1+b[2]*(n-1)+b[3]*n*(n-1); f <- b[1]*n/d
  J <- cbind(n/d, -f*(n-1)/d, -f*n*(n-1)/d); b <- b + qr.solve(J, x-f) }}
say(c(b, sqrt(sum((x-f)^2)/(length(n)-3) * diag(solve(crossprod(J)))), sum((x-f)^2), AIC(m)))
""" for n, x in cases)
    for (n, x), answer in zip(cases, r(script, "minpack.lm")):
        found = tool("fit", "usl", "a.csv", a_csv=rows_of(n, x))
        rows = [found["parameters"][name] for name in ("gamma", "alpha", "beta")]
        close([row["unbounded_value"] for row in rows], answer[:3], 1e-9, (n, x))
        close([row["unbounded_standard_error"] for row in rows], answer[3:6], 1e-7, (n, x))
        if not any(row["pinned"] for row in rows):
            close([found["quality"]["residual_squares"]], answer[6:7], 1e-9, (n, x))
            close([found["quality"]["aic"]], answer[7:], 1e-9, (n, x))


def test_profiles_as_mass_has_them(tool, r):
    """Its ends are interpolated by splines: equal to a thousandth."""
    draw = random.Random(2)
    cases = [made_law(draw) for _ in range(6)]
    fits = [tool("fit", "usl", "a.csv", a_csv=rows_of(n, x)) for n, x in cases]
    script = "".join(f"""
n <- {vector(n)}; x <- {vector(x)}
m <- nls(x ~ g*n/(1+a*(n-1)+b*n*(n-1)), control=nls.control(warnOnly=TRUE),
         start=list(g={fit["gamma"]!r}, a={fit["alpha"]!r}, b={fit["beta"]!r}))
say(suppressMessages(t(confint(m))))
""" for (n, x), fit in zip(cases, fits))
    for fit, answer in zip(fits, r(script, "MASS")):
        ends = [fit["parameters"][name]["profile"][end] for name in ("gamma", "alpha", "beta")
                for end in ("low", "high")]
        scale = [abs(fit[name]) for name in ("gamma", "alpha", "beta") for _ in range(2)]
        for one, other, size in zip(ends, answer, scale):
            if other > 0:  # R's go below 0, where ours end
                assert abs(one - other) < 2e-3 * max(size, abs(other)), (ends, answer)


def test_ranks_as_wilcox_test_has_them(tool, r):
    draw, cases = random.Random(3), []
    for turn in range(40):
        ones, others = draw.choice((4, 5, 8, 15, 49)), draw.choice((4, 6, 10, 30, 49))
        ties = turn % 4 == 3
        pick = (lambda: draw.randint(1, 12)) if ties else (lambda: round(draw.gauss(100, 5), 6))
        cases.append(([pick() for _ in range(ones)], [pick() for _ in range(others)],
                      draw.choice((.05, .1))))
    script = "".join(f"""
x <- {vector(new)}; y <- {vector(base)}
w <- wilcox.test(x, y, conf.int=TRUE, conf.level={1 - alpha})
say(c(w$statistic, w$p.value, wilcox.test(x, y, alternative='greater')$p.value,
  wilcox.test(x, y, alternative='less')$p.value, wilcox.test(x, y, exact=FALSE)$p.value,
  wilcox.test(x, y, exact=FALSE, correct=FALSE)$p.value, median(outer(x, y, '-')), w$conf.int))
""" for base, new, alpha in cases)
    for (base, new, alpha), answer in zip(cases, r(script)):
        found = tool("compare", "--values", "a.txt", "b.txt", "--alpha", alpha,
                     a_txt="\n".join(map(str, base)), b_txt="\n".join(map(str, new)))
        close([found[key] for key in ("u_new", "p", "p_new_greater", "p_new_less", "p_normal",
                                      "p_normal_uncorrected", "shift")], answer[:7], 1e-9, (base, new))
        if not found["ties"]:  # with ties R's interval is that of a normal approximation
            close(list(found["shift_interval"].values()), answer[7:], 1e-9, (base, new))


def test_breaks_as_segmented_has_them(tool, r):
    draw, cases = random.Random(4), []
    for _ in range(20):
        n = sorted(draw.sample(range(1, 200), draw.randint(12, 40)))
        at, bend = draw.choice(n[4:-4]) + .5, draw.choice((-1, 1)) * draw.uniform(.5, 2)
        cases.append((n, [5 + .3 * k + bend * max(k - at, 0) + draw.gauss(0, 2) for k in n]))
    script = "".join(f"""
n <- {vector(n)}; x <- {vector(x)}; m <- lm(x ~ n); set.seed(1)
s <- try(segmented(m, seg.Z=~n), silent=TRUE)
p <- if (inherits(s, 'try-error') || is.null(s$psi)) rep(NA, 5) else
     c(s$psi[2:3], slope(s)$n[, 1], deviance(s))
say(c(davies.test(m, ~n, k=10)$p.value, p))
""" for n, x in cases)
    same = 0
    for (n, x), answer in zip(cases, r(script, "segmented")):
        found = tool("fit", "knee", "a.csv", a_csv=rows_of(n, x))["segmented"]
        close([found["davies_p"]], answer[:1], 1e-7, (n, x))
        if math.isnan(answer[1]):
            continue
        # It may stop beside the least squares; ours may not.
        assert found["residual_squares"] <= answer[5] * (1 + 1e-9), (n, x)
        if found["residual_squares"] >= answer[5] * (1 - 1e-9):
            keys = ("n", "standard_error", "slope_before", "slope_after")
            close([found[key] for key in keys], answer[1:5], 2e-4, (n, x))
            same += 1
    assert same >= len(cases) // 2


# ---- GNU Octave, queueing -----------------------------------------------------------------------

def octave_list(values):
    return "[" + " ".join(map(repr, values)) + "]"


def made_network(draw, servers):
    count = draw.randint(1, 6)
    kinds = [draw.choice(servers) for _ in range(count)]
    kinds[0] = abs(kinds[0])  # one queue at least
    return ([round(draw.uniform(.005, .5), 4) for _ in range(count)],
            [round(draw.uniform(.2, 8), 3) for _ in range(count)], kinds)


def stations_of(service, visits, servers):
    return "stations:\n" + "".join(
        f"  - {{service: {s!r}, visits: {v!r}, " +
        ("delay: true}\n" if m < 0 else f"servers: {m}}}\n")
        for s, v, m in zip(service, visits, servers))


def station_figures(load):
    return [row[key] for key in ("response_visit_s", "in_queue", "utilisation_ratio")
            for row in load["stations"]]


@pytest.mark.parametrize("servers, users", [((1, 1, -1), (1, 2, 17, 200)), ((1, 2, 3, -1), (1, 4, 9))])
def test_closed_networks_as_octave_has_them(tool, octave, servers, users):
    """Its recursion explodes with several servers and many users, so there it is asked about few."""
    draw = random.Random(5)
    cases = [(*made_network(draw, servers), draw.choice((0, 1.5, 30)), draw.choice(users))
             for _ in range(30)]
    script = "".join(f"S={octave_list(s)}; V={octave_list(v)}; m={octave_list(m)};\n"
                     f"[U R Q X]=qncsmva({n}, S, V, m, {z!r}); say([X(1)/V(1) R Q U]);\n"
                     for s, v, m, z, n in cases)
    for case, answer in zip(cases, octave(script)):
        s, v, m, z, n = case
        load = tool("model", "a.yaml", a_yaml=f"think: {z!r}\npopulation: {n}\n" +
                    stations_of(s, v, m))["loads"][0]
        close([load["throughput"], *station_figures(load)], answer, 1e-9, case)


def test_bounds_and_approximation_as_octave_has_them(tool, octave):
    draw = random.Random(6)
    cases = [(*made_network(draw, (1,)), draw.choice((0, 1.5, 30)), draw.choice((1, 2, 7, 50)))
             for _ in range(30)]
    script = "".join(f"S={octave_list(s)}; V={octave_list(v)}; m={octave_list(m)};\n"
                     f"[a b c d]=qncsaba({n}, S, V, m, {z!r}); [e f g h]=qncsbsb({n}, S, V, m, {z!r});\n"
                     f"[U R Q X]=qncsmvaap({n}, S, V, m, {z!r}, 1e-12, 100000);\n"
                     "say([a b c d e f g h X(1)/V(1) R*V']);\n" for s, v, m, z, n in cases)
    for case, answer in zip(cases, octave(script)):
        s, v, m, z, n = case
        load = tool("model", "a.yaml", a_yaml=f"think: {z!r}\npopulation: {n}\n" +
                    stations_of(s, v, m))["loads"][0]
        bounds, found = load["bounds"], []
        for part in (bounds, bounds["balanced_job"]):
            found += [*part["throughput"].values(), *part["response_s"].values()]
        close(found, answer[:8], 1e-9, case)
        close([load["approximate"]["throughput"], load["approximate"]["response_s"]], answer[8:],
              1e-6, case)


def test_open_networks_as_octave_has_them(tool, octave):
    draw, cases = random.Random(7), []
    for _ in range(30):
        s, v, m = made_network(draw, (1, 2, 5, -1))
        most = min((k if k > 0 else 1e9) / (a * b) for a, b, k in zip(s, v, m))
        cases.append((s, v, m, draw.uniform(.1, .999) * most))
    script = "".join(f"[U R Q X]=qnos({rate!r}, {octave_list(s)}, {octave_list(v)}, {octave_list(m)});"
                     " say([R Q U]);\n" for s, v, m, rate in cases)
    for case, answer in zip(cases, octave(script)):
        s, v, m, rate = case
        load = tool("model", "a.yaml", a_yaml=f"rate: {rate!r}\n" + stations_of(s, v, m))["loads"][0]
        close(station_figures(load), answer, 1e-8, case)


def test_stations_as_octave_has_them(tool, octave):
    draw, cases = random.Random(8), []
    for turn in range(30):
        servers = draw.choice((1, 2, 4, 16, 64))
        load = draw.uniform(.1, 1.5) if turn % 2 else draw.choice((.5, .9, .999))
        places = servers + draw.choice((0, 1, 5, 40)) if turn % 2 else 0
        cases.append((servers, load * servers * 5, places))
    script = "".join((f"[U R Q X p0 pm]=qsmmmk({rate!r}, 5, {m}, {k}); say([X R Q U pm]);\n" if k else
                      f"[U R Q X p0 pm]=qsmmm({rate!r}, 5, {m}); say([X R Q U pm]);\n")
                     for m, rate, k in cases)
    for case, answer in zip(cases, octave(script)):
        servers, rate, places = case
        load = tool("model", "a.yaml", a_yaml=f"{{rate: {rate!r}, stations: [{{mu: 5, servers: "
                    f"{servers}, capacity: {places}}}]}}")["loads"][0]
        at = load["stations"][0]
        close([load["throughput"], load["response_s"], load["in_system"], at["utilisation_ratio"],
               at["loss_ratio" if places else "wait_chance_ratio"]], answer, 1e-8, case)


# ---- Python ---------------------------------------------------------------------------------------

def importable(*names):
    for name in names:
        if subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode:
            pytest.skip(f"SKIPPED LOUDLY: this Python has no {name}")


def test_changes_as_mongodbs_program_has_them(tool):
    """The same statistic with other random orders: where p is near 5 % they may differ."""
    importable("numpy", "signal_processing_algorithms")
    import numpy
    from signal_processing_algorithms.energy_statistics.energy_statistics import e_divisive
    draw, same = numpy.random.RandomState(5), 0
    for _ in range(20):
        series, level = [], 0
        for _ in range(draw.randint(1, 5)):
            series += list(draw.normal(level, 1, draw.randint(8, 40)))
            level += draw.choice([-3, 3, 1.5, -1.5])
        numpy.random.seed(1)
        wanted = sorted(map(int, e_divisive(series, pvalue=.05, permutations=199)))
        found = tool("detect", "a.csv", a_csv="".join(f"{float(value)!r}\n" for value in series))
        same += found["indexes"] == wanted
    assert same >= 18


def test_knees_as_kneed_has_them(tool):
    """Steps of equal width: with others kneed turns y around, and not x. Its own test of sensitivity
    asserts nothing (trap T15): of the knees that it expects, 43 137 178 258 305 482 482, it finds the
    first one elsewhere."""
    importable("numpy", "kneed")
    import numpy
    from kneed import KneeLocator
    draw = numpy.random.RandomState(9)
    for turn in range(60):
        count, shape = int(draw.randint(4, 40)), ("concave", "convex")[turn % 2]
        rising, sensitivity = turn % 4 < 2, int(draw.randint(0, 3))
        at = numpy.linspace(0, 1, count)
        y = at ** (.4 if (shape == "concave") == rising else 3)
        y = (y if rising else 1 - y) + draw.normal(0, .03, count)
        wanted = KneeLocator(range(count), y, S=sensitivity, curve=shape,
                             direction="increasing" if rising else "decreasing").knee
        found = tool("fit", "knee", "a.csv", "--shape", shape, "--sensitivity", sensitivity,
                     "--direction", "rising" if rising else "falling",
                     a_csv="".join(f"{i},{float(value)!r}\n" for i, value in enumerate(y)))
        assert found["kneedle"]["n"] == wanted, (shape, rising, sensitivity, list(y))
    numpy.random.seed(23)
    y = sorted(numpy.random.gamma(.5, 1., 1000), reverse=True)
    for sensitivity in (1, 3, 5, 10, 100, 200, 400):
        wanted = KneeLocator(range(1, 1001), y, S=sensitivity, curve="convex",
                             direction="decreasing").knee
        found = tool("fit", "knee", "a.csv", "--shape", "convex", "--sensitivity", sensitivity,
                     a_csv="".join(f"{i},{float(value)!r}\n" for i, value in enumerate(y, 1)))
        assert found["kneedle"]["n"] == wanted
