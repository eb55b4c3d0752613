// Numbers as people read them: three significant digits, the unit beside them, and "–" for what
// was not observed. No zero stands for nothing.

import type { Maybe, Times } from "./run";

export const NONE = "–";

export function known(value: Maybe | undefined): value is number {
    return typeof value === "number" && Number.isFinite(value);
}

// Three significant digits without an exponent; whole numbers stay whole.
function digits(value: number): string {
    const size = Math.abs(value);
    if (size >= 999.5) return Math.round(value).toLocaleString("en-US");
    const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
    return String(Number(value.toFixed(decimals)));
}

export function count(value: Maybe | undefined): string {
    return known(value) ? Math.round(value).toLocaleString("en-US") : NONE;
}

export function number(value: Maybe | undefined): string {
    return known(value) ? digits(value) : NONE;
}

export function share(value: Maybe | undefined): string {
    if (!known(value)) return NONE;
    const percent = value * 100;
    return `${percent > 99 && percent < 100 ? Math.min(percent, 99.99).toFixed(2) : digits(percent)} %`;
}

// A duration in milliseconds, in the unit that fits it.
export function duration(ms: Maybe | undefined): string {
    if (!known(ms)) return NONE;
    if (ms === 0) return "0 s";
    if (ms < 0.0009995) return `${digits(ms * 1e6)} ns`;
    if (ms < 0.9995) return `${digits(ms * 1e3)} µs`;
    if (ms < 999.5) return `${digits(ms)} ms`;
    if (ms < 59995) return `${digits(ms / 1e3)} s`;
    const seconds = Math.round(ms / 1e3);
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
    return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
}

function pad(value: number): string {
    return String(value).padStart(2, "0");
}

// An instant of the run: 1:05, or 1:02:05 after an hour.
export function instant(seconds: number): string {
    const sign = seconds < 0 ? "-" : "";
    const tenths = Math.round(Math.abs(seconds) * 10) % 10;
    const whole = Math.floor(Math.round(Math.abs(seconds) * 10) / 10);
    const tail = tenths ? `.${tenths}` : "";
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    const start = hours ? `${hours}:${pad(minutes)}` : `${minutes}`;
    return `${sign}${start}:${pad(whole % 60)}${tail}`;
}

export function bytes(value: Maybe | undefined): string {
    if (!known(value)) return NONE;
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let size = value;
    let unit = 0;
    while (size >= 1023.5 && unit < units.length - 1) {
        size /= 1024;
        unit++;
    }
    return `${digits(size)} ${units[unit]}`;
}

export type TimeName = "min" | "avg" | "p50" | "p90" | "p95" | "p99" | "p999" | "max";

// One figure of a spread, with ≥ where unfinished requests reach it.
export function timeOf(times: Times, name: TimeName): string {
    const value = times[`${name}_ms`];
    if (!known(value)) return NONE;
    return `${times.at_least.includes(name) ? "≥ " : ""}${duration(value)}`;
}

// Why a figure is missing, in words; "" when it is there.
export function whyMissing(times: Times, name: TimeName): string {
    if (known(times[`${name}_ms`])) return "";
    const needs = times.too_few_needs[name];
    if (times.count > 0 && needs)
        return `n = ${count(times.count)}: too few for ${name} (needs ${count(needs)})`;
    return "not observed";
}

export function plural(many: number, one: string, others = `${one}s`): string {
    return `${count(many)} ${many === 1 ? one : others}`;
}
