// The report page: one column of story, the verdict first.

import { drawAll } from "./chart";
import type { Figure } from "./dom";
import { figuresOf, make } from "./dom";
import { count, duration, known, number, plural, share, timeOf, whyMissing } from "./format";
import { levels } from "./levels";
import type { Run } from "./run";
import { readRun } from "./run";
import { resources } from "./resources";
import { spread } from "./spread";
import type { Suite } from "./suite";
import { suitePage } from "./suite";
import { errors, judgements, requests } from "./tables";
import { tokens } from "./tokens";
import { followSize, themeSwitch } from "./theme";
import { bandsOf, marksOf, timeline } from "./timeline";
import { origin, trust } from "./trust";

const SVG = "http://www.w3.org/2000/svg";

// The load line on a ship's hull: a ring with a line through it.
function mark(): SVGElement {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 32 32");
    drawing.setAttribute("class", "mark");
    drawing.setAttribute("aria-hidden", "true");
    const ring = document.createElementNS(SVG, "circle");
    for (const [name, value] of [["cx", "16"], ["cy", "16"], ["r", "9"]]) ring.setAttribute(name as string, value as string);
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", "M2 16H30");
    drawing.append(ring, line);
    return drawing;
}

function startedAt(run: Run): string {
    const at = run.run.started_at ? new Date(run.run.started_at) : null;
    if (!at || Number.isNaN(at.getTime())) return "";
    return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function header(run: Run): HTMLElement {
    const about = [run.run.target, startedAt(run), duration(run.run.duration_s * 1000)].filter(Boolean);
    return make(
        "header",
        {},
        make("div", { class: "brand" }, mark(), "Plimsoll", themeSwitch()),
        make("h1", {}, run.run.name || "Load test"),
        make("p", { class: "about" }, about.join("  ·  ")),
    );
}

function judgedFigure(run: Run): Figure {
    const verdict = run.verdict;
    if (verdict.objectives)
        return {
            title: "Objectives",
            value: `${verdict.objectives_met} of ${verdict.objectives}`,
            under: "met or accepted",
        };
    if (verdict.thresholds) {
        const held = verdict.thresholds - verdict.thresholds_failed - verdict.thresholds_not_judged;
        return { title: "Thresholds", value: `${held} of ${verdict.thresholds}`, under: "held" };
    }
    const users = run.series.users.filter(known);
    return {
        title: "Users",
        value: users.length ? count(Math.max(...users)) : "not observed",
        under: "most at once",
    };
}

function figures(run: Run): HTMLElement {
    const sums = run.summary;
    const response = sums.response;
    const observed = sums.requests > 0;
    const missing = whyMissing(response, "p95");
    const all: Figure[] = [
        {
            title: "Response time, p95",
            value: missing ? (response.count ? "too few" : "not observed") : timeOf(response, "p95"),
            under: missing ? (response.count ? missing : "no request ended") : `half within ${timeOf(response, "p50")}`,
        },
        {
            title: "Throughput",
            value: known(sums.rate_rps) && observed ? `${number(sums.rate_rps)}/s` : "not observed",
            under: known(sums.rate_rpm) && observed ? `${number(sums.rate_rpm)} a minute` : "no request ended",
        },
        {
            title: "Failed requests",
            value: known(sums.error_ratio) ? share(sums.error_ratio) : "not observed",
            under: observed ? `${count(sums.failed)} of ${count(sums.requests)}` : "no request ended",
            tone: sums.failed ? "bad" : "",
        },
        judgedFigure(run),
    ];
    return figuresOf(all);
}

function verdict(run: Run): HTMLElement {
    const notes = make("ul", { class: "advice" });
    for (const words of run.advice) notes.append(make("li", {}, words));
    return make(
        "section",
        { id: "verdict", class: `verdict ${run.verdict.word}` },
        make("p", { class: "word" }, run.verdict.title),
        make("p", { class: "sentence" }, `${run.verdict.sentence}.`),
        figures(run),
        notes.childElementCount ? notes : null,
    );
}

function footer(run: Run): HTMLElement {
    const seconds = run.summary.measured_s;
    const words = `${plural(run.summary.requests, "request")} in ${known(seconds) ? duration(seconds * 1000) : "no"} measured time. Made by Plimsoll ${run.run.version ?? ""}; the data of this page is in it as JSON.`;
    return make("footer", {}, words);
}

// The page of a scale test carries its results in place of a run.
function startSuite(page: HTMLElement, suite: Suite): void {
    const at = new Date(suite.wall_start_ns / 1e6).toISOString().slice(0, 16).replace("T", " ");
    const about = [suite.target, `${at} UTC`].filter(Boolean);
    document.title = `${suite.name || "scale test"} – Plimsoll`;
    page.replaceChildren(
        make(
            "header",
            {},
            make("div", { class: "brand" }, mark(), "Plimsoll", themeSwitch()),
            make("h1", {}, suite.name || "Scale test"),
            make("p", { class: "about" }, about.join("  ·  ")),
        ),
        make("main", {}, ...suitePage(suite)),
        make("footer", {}, `Made by Plimsoll ${suite.version ?? ""}; the data of this page is in it as JSON.`),
    );
    drawAll();
    followSize();
    document.documentElement.dataset.drawn = "yes";
}

function start(): void {
    const page = document.getElementById("page");
    if (!page) return;
    const run = readRun();
    if ("scalability_results" in run) {
        startSuite(page, run as unknown as Suite);
        return;
    }
    document.title = `${run.verdict.title}: ${run.run.name || "load test"} – Plimsoll`;
    page.replaceChildren(
        header(run),
        make(
            "main",
            {},
            verdict(run),
            ...[levels(run), timeline(run), resources(run, bandsOf(run), marksOf(run)), spread(run), tokens(run), requests(run), judgements(run), errors(run), trust(run), origin(run)].filter(
                (part): part is HTMLElement => part !== null,
            ),
        ),
        footer(run),
    );
    drawAll();
    followSize();
    document.documentElement.dataset.drawn = "yes";
}

start();
