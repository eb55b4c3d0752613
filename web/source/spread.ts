// How response times are spread: the share answered within a time, and where answers gather.

import { makeChart } from "./chart";
import { make, section } from "./dom";
import { duration, known, share } from "./format";
import type { Distribution, Maybe, Run, Sums } from "./run";

// The document's buckets: this many equal parts of each octave of nanoseconds.
const PARTS = 16;

interface Curve {
    x: number[];
    within: Maybe[]; // share answered within x
    density: Maybe[]; // answers a doubling of time from x on, as a share of the highest
}

// The number of the bucket that begins at a time, and the time at which a bucket begins. Below 16 ns
// an octave has fewer buckets than parts: nothing that a network answers is that fast.
function bucketAt(ms: number): number {
    const ns = Math.max(ms * 1e6, 1);
    const octave = Math.floor(Math.log2(ns) + 1e-9);
    return octave * PARTS + Math.floor((ns / 2 ** octave - 1) * PARTS + 1e-6);
}

function beginOf(bucket: number): number {
    const octave = Math.floor(bucket / PARTS);
    return (2 ** octave * (1 + (bucket - octave * PARTS) / PARTS)) / 1e6;
}

// Few answers gather in wide bars, many in narrow ones: bars are for seeing a shape, not noise.
const COARSE = [0, 3, 7, 11]; // about equal in logarithm

function barOf(bucket: number, many: number): [number, number] {
    const octave = Math.floor(bucket / PARTS);
    const part = bucket - octave * PARTS;
    const base = octave * PARTS;
    if (many > 100000) return [bucket, bucket + 1];
    const at = COARSE.filter((from) => from <= part).length - 1;
    return [base + (COARSE[at] ?? 0), base + (COARSE[at + 1] ?? PARTS)];
}

// The curve rises to less than 1 where requests never finished: they count as not answered.
function curveOf(bars: Distribution, sums: Sums): Curve {
    const curve: Curve = { x: [], within: [], density: [] };
    const counts = new Map<number, number>();
    bars.low_ms.forEach((low, at) => {
        const bucket = bucketAt(low);
        counts.set(bucket, (counts.get(bucket) ?? 0) + (bars.count[at] ?? 0));
    });
    const buckets = [...counts.keys()];
    if (!buckets.length || !sums.response.count) return curve;
    const answered = bars.count.reduce((one, other) => one + other, 0);
    const first = barOf(Math.min(...buckets), answered)[0];
    const last = barOf(Math.max(...buckets), answered)[1];
    let below = 0;
    const density: number[] = [];
    for (let bucket = first; bucket <= last; bucket++) {
        const [from, to] = barOf(bucket, answered);
        let inBar = 0;
        for (let each = from; each < to; each++) inBar += counts.get(each) ?? 0;
        curve.x.push(beginOf(bucket));
        curve.within.push(below / sums.response.count);
        density.push(bucket === last ? 0 : inBar / Math.log2(beginOf(to) / beginOf(from)));
        below += counts.get(bucket) ?? 0;
    }
    const highest = density.reduce((one, other) => Math.max(one, other), 1e-12);
    curve.density = density.map((value) => value / highest);
    return curve;
}

function chartOf(bars: Distribution, sums: Sums) {
    const curve = curveOf(bars, sums);
    const response = sums.response;
    const marks = (["p50", "p95", "p99"] as const)
        .filter((name) => known(response[`${name}_ms`]) && !response.at_least.includes(name))
        .map((name) => ({ at: response[`${name}_ms`] as number, label: name.slice(1) }));
    return makeChart({
        title: "What share was answered within which time?",
        note: "The line: the share of requests that were answered within the time. The shape behind it: where answers gather. Marked: the percentiles.",
        x: curve.x,
        xLog: true,
        xAxis: duration,
        xFormat: duration,
        xTitle: "response time",
        axis: share,
        yMax: 0.93,
        height: 290,
        marks,
        lines: [
            { name: "where answers gather", colour: "p50", values: curve.density, fill: true, steps: true, width: 0.5, format: () => "" },
            { name: "answered within", colour: "p95", values: curve.within, width: 2.25, format: share },
        ],
        label: "Share of requests answered within a time",
    });
}

export function spread(run: Run): HTMLElement {
    const whole = chartOf(run.distribution, run.summary).element;
    if (run.requests.length < 2) return section("spread", "How answers are spread", whole);
    const holder = make("div", {}, whole);
    const choice = make("select", {}, make("option", { value: "" }, "all requests"));
    const made = new Map<string, { element: HTMLElement; draw(): void }>();
    run.requests.forEach((request, at) =>
        choice.append(make("option", { value: String(at) }, request.name ?? `request ${at + 1}`)),
    );
    choice.addEventListener("change", () => {
        const request = run.requests[Number(choice.value)];
        if (choice.value === "" || !request) {
            holder.replaceChildren(whole);
            return;
        }
        const chart = made.get(choice.value) ?? chartOf(request.distribution, request.summary);
        made.set(choice.value, chart);
        holder.replaceChildren(chart.element);
        chart.draw();
    });
    const controls = make("div", { class: "controls" }, make("label", {}, "Show ", choice));
    return section("spread", "How answers are spread", controls, holder);
}
