// What the machines and services did while the load was on, on the time axis of the charts above:
// one panel a question, each with the things that answer it, and a table of all that was watched.

import type { Band, Line, Mark } from "./chart";
import { makeChart } from "./chart";
import { make, section, table } from "./dom";
import { bytes, count, instant, known, number, share } from "./format";
import type { Maybe, Resource, Run } from "./run";

const MOST_LINES = 6;
const MOST_CELLS = 600;
const COLOURS = ["p95", "p99", "users", "limit", "p50", "other"];
const DASHES: (number[] | undefined)[] = [undefined, undefined, undefined, [5, 3], [2, 3], [6, 2, 2, 2]];

interface Panel {
    title: string;
    note?: string;
    metrics: string[];
    parts?: boolean; // lines for parts where the whole is not there
    format: (value: Maybe | undefined) => string;
    most?: number; // the axis reaches at least this far
}

const perSecond = (write: (value: Maybe | undefined) => string) => (value: Maybe | undefined) => `${write(value)}/s`;

const PANELS: Panel[] = [
    { title: "How busy were the processors?", note: "Share of all processors of a machine", metrics: ["cpu.busy", "cpu.iowait", "cpu.steal", "cgroup.cpu_of_quota", "container.cpu_share"], format: share, most: 1 },
    { title: "How many processors did each service use?", metrics: ["process.cpu", "cgroup.cpu", "container.cpu", "pod.cpu"], format: number },
    { title: "How full was memory?", metrics: ["memory.used_share", "cgroup.memory_of_limit", "container.memory_share", "pod.memory_share"], format: share, most: 1 },
    { title: "How much memory did each service hold?", metrics: ["process.rss", "container.memory", "pod.memory"], format: bytes },
    { title: "How busy and how full were the GPUs?", metrics: ["gpu.utilization", "gpu.memory_share"], parts: true, format: share, most: 1 },
    { title: "How full were caches and pools?", metrics: ["llm.kv_cache_share", "pool.used_share", "database.pool_share", "cache.memory_share"], parts: true, format: share, most: 1 },
    { title: "What waited, and where?", note: "Requests, connections or jobs in a queue", metrics: ["llm.waiting", "llm.running", "queue.depth", "queue.pending", "pool.waiting", "pool.clients_waiting", "balancer.queue", "app.in_flight"], parts: true, format: number },
    { title: "How busy were the disks?", metrics: ["disk.busy"], parts: true, format: share, most: 1 },
    { title: "What went over the network?", metrics: ["network.in_bytes", "network.out_bytes"], parts: true, format: perSecond(bytes) },
];

function lineName(one: Resource): string {
    const metric = one.metric.slice(one.metric.indexOf(".") + 1).replace(/_/g, " ");
    return [one.watched, one.part, metric].filter(Boolean).join(" ");
}

// The series of a panel: the whole of a thing where it is known, else its parts; largest first.
function chosen(run: Run, panel: Panel): Resource[] {
    const fits = run.resources.series.filter((one) => panel.metrics.includes(one.metric) && one.values.length > 0);
    const hasWhole = new Set(fits.filter((one) => !one.part).map((one) => `${one.watched} ${one.metric}`));
    return fits
        .filter((one) => !one.part || (panel.parts && !hasWhole.has(`${one.watched} ${one.metric}`)))
        .filter((one) => (one.max ?? 0) > 0 || panel.metrics[0] === one.metric)
        .sort((one, other) => panel.metrics.indexOf(one.metric) - panel.metrics.indexOf(other.metric) || (other.max ?? 0) - (one.max ?? 0))
        .slice(0, MOST_LINES);
}

// Series are looked at at instants of their own: they are laid into common cells, as long as the
// longest time between two looks, so that a cell without a sample is a gap and nothing else is.
function cellsOf(all: Resource[], end: number): { x: number[]; step: number } {
    const gaps = all.flatMap((one) => {
        const between = one.at_s.slice(1).map((at, index) => at - (one.at_s[index] ?? at));
        return between.length ? [between.sort((a, b) => a - b)[Math.floor(between.length / 2)] ?? 0] : [];
    });
    const step = Math.max(0.1, ...gaps, end / MOST_CELLS);
    const x = Array.from({ length: Math.ceil(end / step) + 1 }, (_, at) => (at + 0.5) * step);
    return { x, step };
}

function laid(one: Resource, x: number[], step: number): Maybe[] {
    const sums = x.map(() => 0);
    const counts = x.map(() => 0);
    one.at_s.forEach((at, index) => {
        const cell = Math.min(x.length - 1, Math.max(0, Math.floor(at / step)));
        sums[cell] = (sums[cell] ?? 0) + (one.values[index] ?? 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
    });
    return x.map((_, cell) => (counts[cell] ? (sums[cell] ?? 0) / (counts[cell] ?? 1) : null));
}

function panelOf(run: Run, panel: Panel, bands: Band[], marks: Mark[]): HTMLElement | null {
    const all = chosen(run, panel);
    if (!all.length) return null;
    const { x, step } = cellsOf(all, run.run.duration_s);
    const lines: Line[] = all.map((one, at) => ({
        name: lineName(one),
        colour: COLOURS[at % COLOURS.length] as string,
        values: laid(one, x, step),
        dash: DASHES[at % DASHES.length],
        format: panel.format,
    }));
    return makeChart({
        title: panel.title,
        note: panel.note,
        x,
        xAxis: instant,
        xFormat: instant,
        xSteps: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400],
        bands,
        marks,
        sync: "time",
        lines,
        axis: panel.format,
        yMax: panel.most,
        height: 170,
        label: `${panel.title} ${all.map(lineName).join(", ")} over time`,
    }).element;
}

// A value in its metric's unit.
function inUnit(unit: string, value: Maybe): string {
    if (!known(value)) return "–";
    if (unit === "1") return share(value);
    if (unit === "bytes") return bytes(value);
    if (unit === "bytes/s") return `${bytes(value)}/s`;
    return unit === "s" ? `${number(value * 1000)} ms` : `${number(value)} ${unit === "1/s" ? "/s" : unit}`;
}

function everything(run: Run): HTMLElement {
    const rows = run.resources.series
        .filter((one) => one.count > 0)
        .map((one) => [
            one.watched,
            { text: [one.metric, one.part].filter(Boolean).join(" "), hint: one.sentence },
            inUnit(one.unit, one.mean),
            inUnit(one.unit, one.p95),
            inUnit(one.unit, one.max),
            count(one.count),
        ]);
    const columns = [
        { title: "what" },
        { title: "metric" },
        { title: "mean", number: true },
        { title: "p95", number: true },
        { title: "most", number: true },
        { title: "samples", number: true },
    ];
    return make(
        "details",
        {},
        make("summary", {}, `All that was watched: ${count(rows.length)} series`),
        table(columns, rows, "Every metric over the whole run"),
    );
}

export function resources(run: Run, bands: Band[], marks: Mark[]): HTMLElement | null {
    if (!run.resources.series.some((one) => one.count > 0)) return null;
    const panels = PANELS.map((panel) => panelOf(run, panel, bands, marks));
    return section("resources", "What the machines did meanwhile", ...panels, everything(run));
}
