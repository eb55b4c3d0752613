// Response time and throughput against load, where the run had load levels.

import type { Mark } from "./chart";
import { makeChart } from "./chart";
import { make, section, table } from "./dom";
import type { TimeName } from "./format";
import { count, duration, known, number, share, timeOf } from "./format";
import type { Phase, Run, Times } from "./run";
import { phaseLabel } from "./timeline";

function observed(run: Run): Phase[] {
    return run.phases
        .filter((phase) => phase.level && known(phase.target) && phase.summary.requests > 0)
        .sort((one, other) => (one.target ?? 0) - (other.target ?? 0));
}

function columnOf(levels: Phase[], name: TimeName): (number | null)[] {
    return levels.map((level) => level.summary.response[`${name}_ms`]);
}

function levelTable(run: Run): HTMLElement {
    const columns = [
        { title: "level" },
        { title: "requests", number: true },
        { title: "failed", number: true },
        { title: "p50", number: true },
        { title: "p95", number: true },
        { title: "p99", number: true },
        { title: "req/s", number: true },
    ];
    const rows = run.phases
        .filter((phase) => phase.level)
        .map((phase) => {
            const sums = phase.summary;
            const times: Times = sums.response;
            const reached = known(sums.measured_s) && sums.measured_s > 0;
            return [
                phaseLabel(phase.name, phase.target),
                reached ? count(sums.requests) : "not reached",
                reached ? share(sums.error_ratio) : "–",
                timeOf(times, "p50"),
                timeOf(times, "p95"),
                timeOf(times, "p99"),
                number(sums.rate_rps),
            ];
        });
    return table(columns, rows, "The load levels");
}

// The objectives on response time, as lines to compare with.
function limitsOf(run: Run): Mark[] {
    const lines = run.verdicts.filter(
        (one) => one.kind === "objective" && one.unit === "s" && known(one.limit) && /^response/.test(one.words ?? ""),
    );
    return lines.map((one) => ({ at: (one.limit ?? 0) * 1000, label: `objective${one.scope ? ` for ${one.scope}` : ""}: ${one.limit_shown}` }));
}

// Load in the words of the plan: users, or arrivals a second.
function loadWords(levels: Phase[]): string {
    const says = (words: RegExp): boolean => levels.some((level) => words.test(level.name ?? ""));
    return says(/\busers?\b/) ? "users" : says(/\/s\b/) ? "arrivals a second" : "target load";
}

export function levels(run: Run): HTMLElement | null {
    const found = observed(run);
    if (new Set(found.map((level) => level.target)).size < 2) return null;
    const x = found.map((level) => level.target ?? 0);
    const load = loadWords(found);
    const common = { x, xAxis: number, xFormat: (at: number) => `${number(at)} ${load}`, xTitle: load, xZero: true, points: true, height: 260 };
    const limits = limitsOf(run);
    const highest = Math.max(0, ...columnOf(found, "p95").filter(known));
    const response = makeChart({
        ...common,
        yLines: limits,
        yMax: Math.max(0, ...limits.map((limit) => limit.at).filter((at) => at < 3 * highest)),
        title: "How did response time grow with load?",
        axis: duration,
        lines: [
            { name: "p99", colour: "p99", values: columnOf(found, "p99"), width: 1.25, dash: [4, 3], format: duration },
            { name: "p95", colour: "p95", values: columnOf(found, "p95"), width: 2.25, format: duration },
            { name: "p50", colour: "p50", values: columnOf(found, "p50"), format: duration },
        ],
        label: "Response-time percentiles against load",
    });
    const first = found[0];
    const perLoad = first && first.target ? (first.summary.rate_rps ?? NaN) / first.target : NaN;
    const throughput = makeChart({
        ...common,
        title: "Did throughput follow the load?",
        axis: number,
        lines: [
            { name: "in proportion to the first level", colour: "other", values: x.map((at) => (known(perLoad) ? at * perLoad : null)), width: 1.25, dash: [3, 4], format: (value) => (known(value) ? `${number(value)}/s` : number(value)) },
            { name: "measured", colour: "p95", values: found.map((level) => level.summary.rate_rps), width: 2.25, format: (value) => (known(value) ? `${number(value)}/s` : number(value)) },
        ],
        label: "Requests a second against load",
    });
    return section(
        "load",
        "What load does to it",
        make("div", { class: "pair" }, response.element, throughput.element),
        levelTable(run),
    );
}
