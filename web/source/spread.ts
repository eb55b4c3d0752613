// How response times are spread: the share answered within a time, and where they gather.

import uPlot from "uplot";

import { colour } from "./chart";
import { makeChart } from "./chart";
import { make, section } from "./dom";
import { duration, known, share } from "./format";
import type { Distribution, Maybe, Run, Sums } from "./run";

void uPlot;
void colour;

interface Curve {
    x: number[];
    within: Maybe[]; // share answered within x
    density: Maybe[]; // share of answers a doubling of time, scaled to the highest
}

const SMALLEST_MS = 1e-4; // a log axis has no zero

// The curve rises to less than 1 where requests never finished: they count as not answered.
function curveOf(bars: Distribution, sums: Sums): Curve {
    const all = sums.response.count;
    const curve: Curve = { x: [], within: [], density: [] };
    let sum = 0;
    let last = NaN;
    const push = (x: number, within: number, density: number): void => {
        curve.x.push(Math.max(x, SMALLEST_MS) * (curve.x.length && x <= (curve.x[curve.x.length - 1] ?? 0) ? 1 + 1e-9 : 1));
        curve.within.push(within);
        curve.density.push(density);
    };
    bars.count.forEach((many, at) => {
        const low = Math.max(bars.low_ms[at] ?? 0, SMALLEST_MS);
        const high = Math.max(bars.high_ms[at] ?? 0, low * 1.0001);
        if (low > last * 1.0001 && known(last)) push(last * 1.00001, sum / all, 0);
        push(low * (1 + 1e-6), sum / all, low > last * 1.0001 ? 0 : many / Math.log2(high / low));
        sum += many;
        push(Math.sqrt(low * high), (sum - many / 2) / all, many / Math.log2(high / low));
        last = high;
    });
    if (known(last)) push(last, sum / all, 0);
    const highest = Math.max(...(curve.density as number[]), 1e-12);
    curve.density = curve.density.map((value) => (value ?? 0) / highest);
    return curve;
}

function figure(run: Run, bars: Distribution, sums: Sums, label: string): HTMLElement {
    const curve = curveOf(bars, sums);
    const response = sums.response;
    const marks = (["p50", "p95", "p99"] as const)
        .filter((name) => known(response[`${name}_ms`]) && !response.at_least.includes(name))
        .map((name) => ({ at: response[`${name}_ms`] as number, label: name.slice(1) }));
    void run;
    const chart = makeChart({
        title: "What share was answered within which time?",
        note: "The line: share of requests answered within the time. The shape behind it: where answers gather. Marks: p50, p95, p99.",
        x: curve.x,
        xLog: true,
        xAxis: duration,
        xFormat: (at) => `within ${duration(at)}`,
        axis: share,
        yMax: 0.93,
        height: 280,
        marks,
        lines: [
            { name: "where they gather", colour: "p50", values: curve.density, fill: true, width: 0.5, format: () => "" },
            { name: "answered", colour: "p95", values: curve.within, width: 2.25, format: share },
        ],
        label,
    });
    return chart.element;
}

export function spread(run: Run): HTMLElement {
    const holder = make("div", {}, figure(run, run.distribution, run.summary, "Distribution of response times"));
    return section("spread", "How answers are spread", holder);
}
