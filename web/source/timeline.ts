// The run on one time axis: response time, throughput, users, failures and the generator itself,
// with levels, events and saturated intervals marked. Zooming one chart zooms all.

import type { Band, Chart, Line, Mark } from "./chart";
import { makeChart } from "./chart";
import { make, section, table } from "./dom";
import { count, duration, instant, known, number, share } from "./format";
import type { Maybe, Run, SumSeries } from "./run";

// Where each interval lies on the axis (its middle), with an empty place at each gap of the record,
// so that no line is drawn across what was not observed.
export interface Axis {
    x: number[];
    from: (number | null)[]; // index in the series, null for an empty place
}

export function axisOf(run: Run): Axis {
    const { begin_s, end_s } = run.series;
    const axis: Axis = { x: [], from: [] };
    begin_s.forEach((begin, at) => {
        const end = end_s[at] ?? begin;
        const before = at > 0 ? (end_s[at - 1] ?? begin) : begin;
        if (begin - before > 0.25 * Math.max(end - begin, 0.001)) {
            axis.x.push((before + begin) / 2);
            axis.from.push(null);
        }
        axis.x.push((begin + end) / 2);
        axis.from.push(at);
    });
    return axis;
}

export function along(axis: Axis, values: Maybe[] | undefined, scale = 1): Maybe[] {
    return axis.from.map((at) => {
        const value = at === null ? null : values?.[at];
        return known(value) ? value * scale : null;
    });
}

// A count of an interval as a rate: intervals may differ in length.
function rateOf(run: Run, axis: Axis, values: Maybe[] | undefined): Maybe[] {
    return axis.from.map((at) => {
        if (at === null) return null;
        const value = values?.[at];
        const length = (run.series.end_s[at] ?? 0) - (run.series.begin_s[at] ?? 0);
        return known(value) && length > 0 ? value / length : null;
    });
}

export function phaseLabel(name: string | null, target: Maybe): string {
    const words = name ?? (known(target) ? number(target) : "");
    const load = words.indexOf(": ");
    return load >= 0 ? words.slice(load + 2) : words;
}

export function bandsOf(run: Run): Band[] {
    const bands: Band[] = run.phases
        .filter((phase) => phase.end_s > phase.begin_s && (phase.level || phase.excluded))
        .map((phase) => ({
            from: phase.begin_s,
            to: phase.end_s,
            kind: phase.excluded ? "excluded" : "level",
            label: phaseLabel(phase.name, phase.target),
        }));
    const { begin_s, end_s, saturated } = run.series;
    saturated.forEach((bad, at) => {
        if (!bad) return;
        const from = begin_s[at] ?? 0;
        const to = end_s[at] ?? from;
        const last = bands[bands.length - 1];
        if (last?.kind === "saturated" && Math.abs(last.to - from) < 1e-6) last.to = to;
        else bands.push({ from, to, kind: "saturated", label: "" });
    });
    return bands;
}

const MOST_MARKS = 20;

// What happened, in order of time. Changes of phase are the bands already.
function eventsOf(run: Run): Run["events"] {
    return run.events.filter((event) => event.kind !== "phase").sort((one, other) => one.at_s - other.at_s);
}

export function marksOf(run: Run): Mark[] {
    return eventsOf(run)
        .slice(0, MOST_MARKS)
        .map((event, at) => ({ at: event.at_s, label: String(at + 1) }));
}

function eventTable(run: Run): HTMLElement | null {
    const events = eventsOf(run);
    if (!events.length) return null;
    const rows = events.map((event, at) => [
        at < MOST_MARKS ? String(at + 1) : "",
        instant(event.at_s),
        event.kind ?? "",
        event.words ?? "",
    ]);
    const columns = [{ title: "mark" }, { title: "at" }, { title: "kind" }, { title: "what happened" }];
    return table(columns, rows, "Events, numbered as in the charts");
}

function responseLines(axis: Axis, series: SumSeries): Line[] {
    const format = (value: Maybe) => duration(value);
    return [
        { name: "p99", colour: "p99", values: along(axis, series.p99_ms), width: 1.25, dash: [4, 3], format },
        { name: "p95", colour: "p95", values: along(axis, series.p95_ms), width: 2.25, format },
        { name: "p50", colour: "p50", values: along(axis, series.p50_ms), width: 1.75, format },
        { name: "service p50", colour: "other", values: along(axis, series.service_p50_ms), width: 1.25, dash: [2, 3], format },
    ];
}

function throughputLines(axis: Axis, series: SumSeries): Line[] {
    const format = (value: Maybe) => (known(value) ? `${number(value)}/s` : number(value));
    return [{ name: "requests", colour: "p95", values: along(axis, series.rate_rps), fill: true, format }];
}

function userLines(run: Run, axis: Axis): Line[] {
    const lines: Line[] = [
        { name: "users", colour: "users", values: along(axis, run.series.users), fill: true, steps: true, format: count },
        { name: "in flight", colour: "p99", values: along(axis, run.series.in_flight), width: 1.5, format: count },
    ];
    if (run.series.waiting.some((value) => known(value) && value > 0))
        lines.push({ name: "waiting", colour: "bad", values: along(axis, run.series.waiting), dash: [4, 3], format: count });
    return lines;
}

function errorLines(run: Run, axis: Axis, series: SumSeries, whole: boolean): Line[] {
    const format = (value: Maybe) => (known(value) ? `${number(value)}/s` : number(value));
    const lines: Line[] = [
        { name: "failed", colour: "bad", values: rateOf(run, axis, series.failed), bars: true, format },
    ];
    if (whole && run.series.dropped.some((value) => known(value) && value > 0))
        lines.push({ name: "dropped", colour: "users", values: rateOf(run, axis, run.series.dropped), steps: true, format });
    return lines;
}

function generatorLines(run: Run, axis: Axis): Line[] {
    return [
        { name: "busiest thread", colour: "other", values: along(axis, run.series.generator_busy_ratio), fill: true, format: share },
    ];
}

interface TimeCharts {
    response: Chart;
    throughput: Chart;
    users: Chart;
    errors: Chart;
    generator: Chart;
}

// What all charts over the run's time share.
export function timeAxis(run: Run, axis: Axis) {
    return {
        x: axis.x,
        xAxis: instant,
        xFormat: instant,
        xSteps: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400],
        bands: bandsOf(run),
        marks: marksOf(run),
        sync: "time",
    };
}

function makeCharts(run: Run, axis: Axis): TimeCharts {
    const common = timeAxis(run, axis);
    const failing = run.series.failed.some((value) => known(value) && value > 0);
    return {
        response: makeChart({
            ...common,
            title: "How long did an answer take?",
            note: `Response time of each interval, from the instant a request was due${
                run.summary.response.censored
                    ? "; where requests never finished, percentiles are lower bounds"
                    : ""
            }`,
            lines: responseLines(axis, run.series),
            axis: duration,
            height: 300,
            label: "Response-time percentiles over time",
        }),
        throughput: makeChart({
            ...common,
            title: "How many requests were answered?",
            note: "Requests that ended, a second",
            lines: throughputLines(axis, run.series),
            axis: number,
            height: 190,
            label: "Requests a second over time",
        }),
        users: makeChart({
            ...common,
            title: "How many users were there?",
            lines: userLines(run, axis),
            axis: number,
            height: 170,
            label: "Virtual users and requests in flight over time",
        }),
        errors: makeChart({
            ...common,
            title: failing ? "When did requests fail?" : "Did requests fail?",
            note: failing ? "Failures a second" : run.summary.requests ? "No request failed." : "",
            lines: errorLines(run, axis, run.series, true),
            axis: number,
            height: 150,
            yMax: failing ? 0 : 1,
            label: "Failed requests a second over time",
        }),
        generator: makeChart({
            ...common,
            title: "Did the generator keep up?",
            note: "Share of the time that its busiest thread was at work; above 95 % it measures itself",
            lines: generatorLines(run, axis),
            axis: share,
            height: 150,
            yMax: 1,
            label: "Load of the generator's busiest thread over time",
        }),
    };
}

function picker(run: Run, axis: Axis, charts: TimeCharts): HTMLElement | null {
    if (run.requests.length < 2) return null;
    const choice = make("select", {}, make("option", { value: "" }, "all requests"));
    run.requests.forEach((request, at) =>
        choice.append(make("option", { value: String(at) }, request.name ?? `request ${at + 1}`)),
    );
    choice.addEventListener("change", () => {
        const whole = choice.value === "";
        const series = whole ? run.series : (run.requests[Number(choice.value)]?.series ?? run.series);
        charts.response.setLines(responseLines(axis, series));
        charts.throughput.setLines(throughputLines(axis, series));
        charts.errors.setLines(errorLines(run, axis, series, whole));
    });
    return make("label", {}, "Show ", choice);
}

function logSwitch(chart: Chart): HTMLElement {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => chart.setLog(box.checked));
    return make("label", {}, box, " log scale");
}

function key(run: Run): HTMLElement {
    const entries: (HTMLElement | null)[] = [
        run.phases.some((phase) => phase.excluded && phase.end_s > phase.begin_s)
            ? make("span", { class: "key excluded" }, "not counted")
            : null,
        run.series.saturated.some(Boolean)
            ? make("span", { class: "key saturated" }, "generator saturated")
            : null,
    ];
    return make("span", { class: "keys" }, ...entries);
}

export function timeline(run: Run): HTMLElement {
    const axis = axisOf(run);
    const charts = makeCharts(run, axis);
    const controls = make(
        "div",
        { class: "controls" },
        picker(run, axis, charts),
        logSwitch(charts.response),
        key(run),
        make("span", { class: "hint" }, "Drag to zoom, double-click to see all"),
    );
    return section(
        "time",
        "What happened, and when",
        controls,
        charts.response.element,
        charts.throughput.element,
        charts.users.element,
        charts.errors.element,
        charts.generator.element,
        eventTable(run),
    );
}
