// One chart: a question as its title, values under the pointer in its legend, colours from the
// page's style, and bands that mark levels, warm-up and saturated intervals. uPlot draws.

import uPlot from "uplot";

import { make } from "./dom";
import { NONE, known } from "./format";
import type { Maybe } from "./run";

export interface Line {
    name: string;
    colour: string; // name of a colour of the style: "p95" for --p95
    values: Maybe[];
    width?: number;
    dash?: number[];
    fill?: boolean;
    steps?: boolean;
    bars?: boolean;
    format: (value: Maybe) => string;
}

// A stretch of the x axis that is shaded.
export interface Band {
    from: number;
    to: number;
    kind: "level" | "excluded" | "saturated";
    label: string;
}

export interface Mark {
    at: number;
    label: string;
}

export interface ChartOptions {
    title: string;
    note?: string;
    x: number[];
    lines: Line[];
    axis: (value: number) => string; // a tick of the y axis
    xAxis: (value: number) => string; // a tick of the x axis
    xTitle?: string;
    xSteps?: number[]; // distances that ticks may have
    xFormat: (value: number) => string; // the x under the pointer
    height?: number;
    bands?: Band[];
    marks?: Mark[];
    sync?: string; // charts of the same name share pointer and zoom
    xLog?: boolean;
    xZero?: boolean; // the axis begins at 0
    yLog?: boolean;
    yMax?: number; // the axis reaches at least this far
    yLines?: Mark[]; // horizontal lines, at = y
    points?: boolean;
    label: string; // for screen readers: what is to be seen
}

export interface Chart {
    element: HTMLElement;
    draw(): void; // draws anew, at the size and in the colours of now
    setLog(log: boolean): void;
    setLines(lines: Line[]): void;
}

const charts: Chart[] = [];

export function drawAll(): void {
    for (const chart of charts) chart.draw();
}

export function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function font(size: number): string {
    return `${size}px ${getComputedStyle(document.body).fontFamily}`;
}

// A colour with its opacity, for fills.
function faint(name: string, opacity: number): string {
    const hex = colour(name);
    const alpha = Math.round(opacity * 255).toString(16).padStart(2, "0");
    return /^#[0-9a-f]{6}$/i.test(hex) ? hex + alpha : hex;
}

function barsPath(): uPlot.Series.PathBuilder | undefined {
    return uPlot.paths.bars?.({ size: [0.85, 24], align: 0 });
}

function seriesOf(line: Line, points: boolean): uPlot.Series {
    const single = line.values.filter(known).length <= 2;
    const series: uPlot.Series = {
        label: line.name,
        stroke: () => colour(line.colour),
        width: line.width ?? 1.75,
        spanGaps: false,
        value: (_chart, value) => line.format(value),
        points: { show: points || single ? true : isolated, size: points || single ? 7 : 4 },
    };
    if (line.dash) series.dash = line.dash;
    if (line.fill) series.fill = () => faint(line.colour, 0.14);
    if (line.bars) {
        series.fill = () => faint(line.colour, 0.75);
        series.points = { show: false };
        series.width = 0;
        const path = barsPath();
        if (path) series.paths = path;
    }
    if (line.steps && uPlot.paths.stepped) series.paths = uPlot.paths.stepped({ align: 1 });
    return series;
}

// Shows a point only where a line has none: a value with nothing observed on either side.
const isolated: uPlot.Series.Points.Show = (chart, at, from, to, gaps) => {
    void gaps;
    const values = chart.data[at] ?? [];
    for (let i = from; i <= to; i++)
        if (known(values[i]) && !known(values[i - 1]) && !known(values[i + 1])) return true;
    return false;
};

const isolatedOnly: uPlot.Series.Points.Filter = (chart, at) => {
    const values = chart.data[at] ?? [];
    const found: number[] = [];
    for (let i = 0; i < values.length; i++)
        if (known(values[i]) && !known(values[i - 1]) && !known(values[i + 1])) found.push(i);
    return found;
};

function shadeBands(chart: uPlot, bands: Band[]): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    let level = 0;
    for (const band of bands) {
        const left = chart.valToPos(band.from, "x", true);
        const right = chart.valToPos(band.to, "x", true);
        if (band.kind === "level" && level++ % 2 === 0) continue;
        ctx.fillStyle = colour(`band-${band.kind}`);
        ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
        if (band.kind !== "level") hatch(ctx, left, right, bbox, colour(`hatch-${band.kind}`));
    }
    ctx.restore();
}

function hatch(
    ctx: CanvasRenderingContext2D,
    left: number,
    right: number,
    box: uPlot.BBox,
    stroke: string,
): void {
    const gap = 8 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, box.top, Math.max(right - left, 1), box.height);
    ctx.clip();
    ctx.strokeStyle = stroke;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let x = left - box.height; x < right; x += gap) {
        ctx.moveTo(x, box.top + box.height);
        ctx.lineTo(x + box.height, box.top);
    }
    ctx.stroke();
    ctx.restore();
}

// Labels of levels above the plot, each only where its band has room for it.
function labelBands(chart: uPlot, bands: Band[]): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.font = font(11 * devicePixelRatio);
    ctx.textBaseline = "bottom";
    ctx.textAlign = "center";
    ctx.fillStyle = colour("soft");
    for (const band of bands) {
        if (band.kind === "saturated") continue;
        const left = Math.max(chart.valToPos(band.from, "x", true), bbox.left);
        const right = Math.min(chart.valToPos(band.to, "x", true), bbox.left + bbox.width);
        if (right - left < ctx.measureText(band.label).width + 8 * devicePixelRatio) continue;
        ctx.fillText(band.label, (left + right) / 2, bbox.top - 3 * devicePixelRatio);
    }
    ctx.restore();
}

function drawMarks(chart: uPlot, marks: Mark[]): void {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    let last = -Infinity;
    ctx.save();
    ctx.font = font(10 * ratio);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const mark of marks) {
        const x = Math.round(chart.valToPos(mark.at, "x", true));
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = colour("mark");
        ctx.lineWidth = ratio;
        ctx.setLineDash([3 * ratio, 3 * ratio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        if (x - last < 15 * ratio) continue;
        last = x;
        ctx.fillStyle = colour("mark");
        ctx.beginPath();
        ctx.arc(x, bbox.top + 8 * ratio, 7 * ratio, 0, 2 * Math.PI);
        ctx.fill();
        ctx.fillStyle = colour("page");
        ctx.fillText(mark.label, x, bbox.top + 8.5 * ratio);
    }
    ctx.restore();
}

function drawLines(chart: uPlot, lines: Mark[]): void {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.font = font(11 * devicePixelRatio);
    ctx.strokeStyle = ctx.fillStyle = colour("limit");
    ctx.textAlign = "left";
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const line of lines) {
        const y = chart.valToPos(line.at, "y", true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        const above = y - bbox.top > 20 * devicePixelRatio;
        ctx.textBaseline = above ? "bottom" : "top";
        ctx.fillText(line.label, bbox.left + 6 * devicePixelRatio, y + (above ? -4 : 5) * devicePixelRatio);
    }
    ctx.restore();
}

// Exactly what was observed; a single instant gets some room on both sides.
function rangeX(from: number | null, to: number | null): [number, number] {
    if (!known(from) || !known(to)) return [0, 1];
    return from === to ? [from - 0.5, to + 0.5] : [from, to];
}

function rangeY(options: ChartOptions, log: boolean): uPlot.Range.Function {
    return (_chart, least, most) => {
        if (!known(least) || !known(most)) return log ? [1, 10] : [0, 1];
        const top = Math.max(most, options.yMax ?? 0);
        if (!log) return [0, top > 0 ? top * 1.08 : 1];
        const low = least > 0 ? least : top / 1000 || 1;
        return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(Math.max(top, low) * 1.001))];
    };
}

function axes(options: ChartOptions): uPlot.Axis[] {
    const common = {
        stroke: () => colour("soft"),
        grid: { stroke: () => colour("grid"), width: 1 },
        ticks: { show: false },
        font: font(12),
    };
    const x: uPlot.Axis = {
        ...common,
        grid: { show: false },
        space: 64,
        size: options.xTitle ? 30 : 28,
        gap: 6,
        values: (_chart, ticks) => ticks.map((tick) => (known(tick) ? options.xAxis(tick) : "")),
    };
    if (options.xSteps) x.incrs = options.xSteps;
    if (options.xTitle) {
        x.label = options.xTitle;
        x.labelSize = 20;
        x.labelFont = font(12);
    }
    const y: uPlot.Axis = {
        ...common,
        space: 28,
        gap: 8,
        size: 62,
        values: (_chart, ticks) => ticks.map((tick) => (known(tick) ? options.axis(tick) : "")),
    };
    return [x, y];
}

// Log scales of uPlot break at zero: what is not above it is left out there.
function columns(options: ChartOptions, log: boolean): uPlot.AlignedData {
    const lines = options.lines.map((line) =>
        line.values.map((value) => (known(value) && (!log || value > 0) ? value : null)),
    );
    return [options.x, ...lines] as uPlot.AlignedData;
}

function build(options: ChartOptions, log: boolean, width: number, box: HTMLElement): uPlot {
    const bands = options.bands ?? [];
    const barred = options.lines.some((line) => line.bars); // the last bar needs its other half
    const series = options.lines.map((line) => {
        const one = seriesOf(line, options.points ?? false);
        if (one.points && one.points.show === isolated) one.points.filter = isolatedOnly;
        return one;
    });
    const drawn: uPlot.Options = {
        width,
        height: options.height ?? 220,
        padding: [bands.length ? 20 : 10, 14, 0, 0],
        series: [{ label: options.xTitle || "at", value: (_chart, at) => (known(at) ? options.xFormat(at) : NONE) }, ...series],
        axes: axes(options),
        scales: {
            x: { time: false, distr: options.xLog ? 3 : 1, range: (_chart, from, to) => (options.xZero ? rangeX(0, barred ? to * 1.06 : to) : rangeX(from, to)) },
            y: { distr: log ? 3 : 1, range: rangeY(options, log) },
        },
        legend: { live: true, markers: { width: 0, fill: (_chart, at) => colour(options.lines[at - 1]?.colour ?? "soft") } },
        cursor: {
            y: false,
            points: { size: 7 },
            drag: { x: true, y: false, setScale: true },
            ...(options.sync ? { sync: { key: options.sync, setSeries: false, scales: ["x", null] as [string, null] } } : {}),
        },
        hooks: {
            setCursor: [(chart) => chart.root.classList.toggle("pointed", known(chart.cursor.idx))],
            drawClear: [(chart) => shadeBands(chart, bands)],
            draw: [
                (chart) => labelBands(chart, bands),
                (chart) => drawMarks(chart, options.marks ?? []),
                (chart) => drawLines(chart, options.yLines ?? []),
            ],
            setScale: [(chart, key) => key === "x" && followZoom(chart, options.sync)],
        },
    };
    return new uPlot(drawn, columns(options, log), box);
}

let following = false;

// Zooming one chart of a group zooms all: they tell one story on one axis.
function followZoom(from: uPlot, group: string | undefined): void {
    if (!group || following) return;
    const { min, max } = from.scales.x ?? {};
    if (!known(min) || !known(max)) return;
    following = true;
    for (const other of uPlot.sync(group).plots)
        if (other !== from) other.setScale("x", { min, max });
    following = false;
}

function hasValues(lines: Line[]): boolean {
    return lines.some((line) => line.values.some(known));
}

export function makeChart(first: ChartOptions): Chart {
    const options = { ...first };
    const box = make("div", { class: "plot", role: "img", "aria-label": first.label });
    const element = make(
        "figure",
        {},
        make("figcaption", {}, make("h3", {}, first.title), first.note ? make("p", {}, first.note) : null),
        box,
    );
    let plot: uPlot | null = null;
    let log = first.yLog ?? false;
    const draw = (): void => {
        const zoom = plot ? { min: plot.scales.x?.min, max: plot.scales.x?.max } : null;
        plot?.destroy();
        plot = null;
        box.replaceChildren();
        if (!hasValues(options.lines)) {
            box.append(make("p", { class: "nothing" }, "not observed"));
            return;
        }
        const width = Math.floor(box.getBoundingClientRect().width);
        if (width < 40) return;
        following = true;
        plot = build(options, log, width, box);
        if (zoom && known(zoom.min) && known(zoom.max)) plot.setScale("x", zoom as { min: number; max: number });
        following = false;
    };
    const chart: Chart = {
        element,
        draw,
        setLog(wanted) {
            log = wanted;
            draw();
        },
        setLines(lines) {
            options.lines = lines;
            draw();
        },
    };
    charts.push(chart);
    return chart;
}
