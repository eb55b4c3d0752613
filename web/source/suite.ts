// The page of a scale test: its levels as curves. The verdict first, then response time and
// throughput against load, what each batch brought and what failed, resources, and the tables.

import { makeChart } from "./chart";
import type { Cell } from "./dom";
import { make, section, table } from "./dom";
import { count, duration, known, number, plural, share } from "./format";
import type { Maybe } from "./run";

interface Resource {
    thing: string;
    role: string;
    metric: string;
    part: string;
    unit: string;
    mean: Maybe;
}

interface Level {
    users: Maybe;
    rate_rps: Maybe;
    instances: Maybe;
    size: Maybe;
    size_name: string | null;
    replicate: number;
    state: string;
    generator: string;
    measured_s: Maybe;
    warmup_s: Maybe;
    concurrency: Maybe;
    throughput_rps: Maybe;
    requests: number;
    failed: number;
    error_share: Maybe;
    mean_s: Maybe;
    p50_s: Maybe;
    p95_s: Maybe;
    p99_s: Maybe;
    ttft_p95_s: Maybe;
    output_tokens_per_s: Maybe;
    little_ratio: Maybe;
    errors: { words: string; count: number }[];
    resources: Resource[];
    run: string;
}

interface Figure {
    mean: Maybe;
    low: Maybe;
    high: Maybe;
}

interface Replicates {
    users: Maybe;
    rate_rps: Maybe;
    instances: Maybe;
    size: Maybe;
    count: number;
    throughput_rps: Figure;
    p95_s: Figure;
}

interface Series {
    name: string;
    kind: string;
    size_unit: string | null;
    levels: Level[];
    replicates?: Replicates[];
}

export interface Suite {
    scalability_results: number;
    name: string | null;
    target: string | null;
    version: string | null;
    wall_start_ns: number;
    time_scale: number;
    slo_response_s: Maybe;
    slo_error_share: Maybe;
    series: Series[];
    events: { at_ns: number; kind: string; words: string }[];
}

const TITLES: Record<string, string> = {
    progression: "What load does to it",
    vertical: "What a larger size brings",
    horizontal: "What more instances bring",
    run: "What load does to it",
    soak: "What time does to it",
};

const ms = (seconds: Maybe): Maybe => (known(seconds) ? seconds * 1000 : null);
const load = (level: Level): number => level.users ?? level.rate_rps ?? 0;
const perSecond = (value: Maybe): string => (known(value) ? `${number(value)}/s` : number(value));

// Answers of 500 to 599, by the status that the errors are named by.
function share5xx(level: Level): Maybe {
    if (!level.requests) return null;
    const many = level.errors.filter((error) => /^5\d\d$/.test(error.words)).reduce((sum, error) => sum + error.count, 0);
    return many / level.requests;
}

function sorted(levels: Level[]): Level[] {
    return [...levels].sort((one, other) => load(one) - load(other));
}

// Levels of one size and number of instances belong on one curve.
function curves(series: Series): { name: string; levels: Level[] }[] {
    if (series.kind === "horizontal") return [{ name: "", levels: series.levels }];
    const groups = new Map<string, Level[]>();
    for (const level of series.levels) {
        const name = level.size_name || "";
        groups.set(name, [...(groups.get(name) ?? []), level]);
    }
    return [...groups].map(([name, levels]) => ({ name, levels: sorted(levels) }));
}

// One x axis for all of a chart's curves: the loads of any of them.
function aligned(x: number[], at: (level: Level) => number, value: (level: Level) => Maybe, levels: Level[]): Maybe[] {
    return x.map((load_) => {
        const found = levels.filter((level) => at(level) === load_).map(value).filter(known);
        return found.length ? found.reduce((sum, one) => sum + one, 0) / found.length : null;
    });
}

const COLOURS = ["p95", "p50", "p99", "other"];

function charts(suite: Suite, series: Series): HTMLElement {
    const horizontal = series.kind === "horizontal";
    const at = horizontal ? (level: Level): number => level.instances ?? 1 : load;
    const x = [...new Set(series.levels.map(at))].sort((one, other) => one - other);
    const open = series.levels.some((level) => known(level.rate_rps));
    const xTitle = horizontal ? "instances" : open ? "arrivals a second" : "users";
    const common = { x, xAxis: number, xFormat: (value: number) => `${number(value)} ${xTitle}`, xTitle, xZero: true, points: true, height: 260 };
    const groups = curves(series);
    const line = (value: (level: Level) => Maybe, format: (value: Maybe) => string) =>
        groups.map((group, index) => ({
            name: group.name || "measured",
            colour: COLOURS[index % COLOURS.length] as string,
            values: aligned(x, at, value, group.levels),
            width: 2.25,
            format,
        }));
    const limit = ms(suite.slo_response_s);
    const single = groups.length === 1 && groups[0] ? groups[0].levels : null;
    const response = makeChart({
        ...common,
        title: "How did response time grow?",
        axis: duration,
        yLines: known(limit) ? [{ at: limit, label: `too slow: ${duration(limit)}` }] : [],
        lines: single
            ? [
                  { name: "p95", colour: "p95", values: aligned(x, at, (level) => ms(level.p95_s), single), width: 2.25, format: duration },
                  { name: "average", colour: "p50", values: aligned(x, at, (level) => ms(level.mean_s), single), format: duration },
              ]
            : line((level) => ms(level.p95_s), duration),
        label: `Response time against ${xTitle}`,
    });
    const throughput = makeChart({
        ...common,
        title: "Did throughput follow?",
        axis: number,
        lines: line((level) => level.throughput_rps, perSecond),
        label: `Requests a second against ${xTitle}`,
    });
    const pairs = [make("div", { class: "pair" }, response.element, throughput.element)];
    if (series.kind === "run" || series.kind === "progression") {
        const succeeded = makeChart({
            ...common,
            title: "How many requests of each batch succeeded?",
            axis: count,
            lines: [{ name: "succeeded", colour: "p50", bars: true, values: aligned(x, at, (level) => level.requests - level.failed, series.levels), format: count }],
            label: `Successes against ${xTitle}`,
        });
        const failed = makeChart({
            ...common,
            title: "How many failed?",
            axis: share,
            lines: [
                { name: "failed", colour: "p99", values: aligned(x, at, (level) => level.error_share, series.levels), width: 2.25, format: share },
                { name: "HTTP 5xx", colour: "p95", values: aligned(x, at, share5xx, series.levels), format: share },
            ],
            label: `Failures against ${xTitle}`,
        });
        pairs.push(make("div", { class: "pair" }, succeeded.element, failed.element));
    }
    return make("div", {}, ...pairs);
}

function stateCell(level: Level): Cell {
    if (level.generator === "saturated") return { text: "generator saturated", tone: "bad" };
    if (level.requests > 0 && level.failed >= level.requests) return { text: "all failed", tone: "bad" };
    return { text: level.state, tone: level.state === "steady" ? "good" : "doubtful" };
}

function levelTable(series: Series): HTMLElement {
    const sizes = series.levels.some((level) => known(level.size));
    const columns = [
        { title: "load" },
        ...(sizes ? [{ title: "size" }] : []),
        ...(series.kind === "horizontal" ? [{ title: "instances", number: true }] : []),
        { title: "req/s", number: true },
        { title: "average", number: true },
        { title: "p95", number: true },
        { title: "p99", number: true },
        { title: "failed", number: true },
        { title: "in the system", number: true },
        { title: "kept", number: true },
        { title: "level" },
    ];
    const rows = series.levels.map((level) => [
        known(level.users) ? `${number(level.users)} ${level.users === 1 ? "user" : "users"}` : perSecond(level.rate_rps),
        ...(sizes ? [level.size_name ?? ""] : []),
        ...(series.kind === "horizontal" ? [number(level.instances)] : []),
        number(level.throughput_rps),
        duration(ms(level.mean_s)),
        duration(ms(level.p95_s)),
        duration(ms(level.p99_s)),
        share(level.error_share),
        number(level.concurrency),
        duration(ms(level.measured_s)),
        stateCell(level),
    ]);
    return table(columns, rows, "The levels");
}

// Loads that were measured more than once: means, with their 95 % intervals.
function replicateTable(series: Series): HTMLElement | null {
    const all = series.replicates ?? [];
    if (!all.length) return null;
    const sizes = all.some((one) => known(one.size));
    const between = (figure: Figure, words: (value: Maybe) => string): string => `${words(figure.low)} to ${words(figure.high)}`;
    const columns = [
        { title: "load" },
        ...(sizes ? [{ title: series.size_unit || "size", number: true }] : []),
        ...(series.kind === "horizontal" ? [{ title: "instances", number: true }] : []),
        { title: "times", number: true },
        { title: "req/s", number: true },
        { title: "95 % interval", number: true },
        { title: "p95", number: true },
        { title: "95 % interval", number: true },
    ];
    const rows = all.map((one) => [
        known(one.users) ? `${number(one.users)} users` : perSecond(one.rate_rps),
        ...(sizes ? [number(one.size)] : []),
        ...(series.kind === "horizontal" ? [number(one.instances)] : []),
        count(one.count),
        number(one.throughput_rps.mean),
        between(one.throughput_rps, number),
        duration(ms(one.p95_s.mean)),
        between(one.p95_s, (value) => duration(ms(value))),
    ]);
    return table(columns, rows, "Replicates together");
}

// What was watched and is a share of its limit, the nearest to its end first: a row each.
function resourceTable(series: Series): HTMLElement | null {
    const most = new Map<string, number>();
    const nameOf = (one: Resource): string => `${one.thing} ${one.metric}${one.part ? ` ${one.part}` : ""}`;
    for (const level of series.levels)
        for (const one of level.resources)
            if (one.unit === "1" && !/^cpu\d/.test(one.part) && known(one.mean)) most.set(nameOf(one), Math.max(most.get(nameOf(one)) ?? 0, one.mean));
    const names = [...most].filter(([, value]) => value >= 0.02).sort((one, other) => other[1] - one[1]).slice(0, 10);
    if (!names.length) return null;
    const levels = series.levels.slice(0, 12);
    const title = (level: Level): string => (series.kind === "horizontal" ? plural(level.instances ?? 1, "instance") : known(level.users) ? number(level.users) : perSecond(level.rate_rps));
    const columns = [{ title: "mean over the level" }, ...levels.map((level) => ({ title: title(level), number: true }))];
    const rows = names.map(([name]) => [name, ...levels.map((level) => share(level.resources.find((one) => nameOf(one) === name)?.mean))]);
    return table(columns, rows, "Resources, as shares of what there is");
}

function verdict(suite: Suite): HTMLElement {
    const levels = suite.series.flatMap((series) => series.levels);
    const best = Math.max(0, ...levels.map((level) => level.throughput_rps).filter(known));
    const steady = levels.filter((level) => level.state === "steady" && level.generator !== "saturated").length;
    const capacity = suite.events.filter((event) => event.kind === "capacity");
    const figure = (title: string, value: string, under: string): HTMLElement =>
        make("div", { class: "figure" }, make("p", { class: "what" }, title), make("p", { class: "value" }, value), make("p", { class: "under" }, under));
    const sentence = capacity.length
        ? `Capacity: ${capacity.map((event) => event.words).join("; ")}.`
        : `Up to ${perSecond(best)} were answered over ${plural(levels.length, "level")}.`;
    const most = Math.max(0, ...levels.map(load));
    const failed = levels.reduce((sum, level) => sum + level.failed, 0);
    const requests = levels.reduce((sum, level) => sum + level.requests, 0);
    return make(
        "section",
        { id: "verdict", class: "verdict" },
        make("p", { class: "word" }, "Scale test"),
        make("p", { class: "sentence" }, sentence),
        make(
            "div",
            { class: "figures" },
            figure("Most throughput", best ? perSecond(best) : "not observed", `at up to ${number(most)}`),
            figure("Levels", count(levels.length), `${count(steady)} of them steady`),
            figure("Failed requests", requests ? share(failed / requests) : "not observed", `${count(failed)} of ${count(requests)}`),
            figure("Too slow is", duration(ms(suite.slo_response_s)), "response time of the objective"),
        ),
    );
}

function eventTable(suite: Suite): HTMLElement | null {
    if (!suite.events.length) return null;
    const rows = suite.events.map((event) => [duration(event.at_ns / 1e6), event.kind, event.words]);
    return section("events", "What happened", table([{ title: "after" }, { title: "what" }, { title: "in words" }], rows, "Events in order"));
}

export function suitePage(suite: Suite): HTMLElement[] {
    const parts: (HTMLElement | null)[] = [verdict(suite)];
    for (const series of suite.series)
        if (series.levels.length)
            parts.push(section(series.name, TITLES[series.kind] ?? series.name, charts(suite, series), levelTable(series), replicateTable(series), resourceTable(series)));
    parts.push(eventTable(suite));
    return parts.filter((part): part is HTMLElement => part !== null);
}
