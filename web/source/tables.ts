// The tables: requests, judgements, errors, where the time went.

import type { Cell } from "./dom";
import { make, section, table } from "./dom";
import type { TimeName } from "./format";
import { bytes, count, known, number, plural, share, timeOf, whyMissing } from "./format";
import type { Judged, Maybe, Run, Sums, Times } from "./run";

export const TIMES: TimeName[] = ["min", "avg", "p50", "p95", "p99", "max"];

export function timeCells(times: Times): Cell[] {
    return TIMES.map((name) => ({ text: timeOf(times, name), hint: whyMissing(times, name) }));
}

function requestRow(name: string, sums: Sums): (string | Cell)[] {
    return [
        name,
        count(sums.requests),
        { text: count(sums.failed), tone: sums.failed ? "bad" : "" },
        ...timeCells(sums.response),
        number(sums.rate_rps),
        number(sums.rate_rpm),
    ];
}

function missingNotes(run: Run): HTMLElement | null {
    const times = run.summary.response;
    const notes = TIMES.map((name) => whyMissing(times, name)).filter((why) => why && why !== "not observed");
    if (times.censored)
        notes.push(
            `≥: ${plural(times.censored, "request")} never finished or ${times.censored === 1 ? "was" : "were"} dropped; a figure that they reach is a lower bound.`,
        );
    return notes.length ? make("p", { class: "note" }, notes.join(" · ")) : null;
}

export function requests(run: Run): HTMLElement {
    const columns = [
        { title: "request" },
        { title: "requests", number: true },
        { title: "failed", number: true },
        ...TIMES.map((title) => ({ title, number: true })),
        { title: "req/s", number: true },
        { title: "req/min", number: true },
    ];
    const rows = run.requests
        .filter((request) => request.summary.requests + request.summary.dropped + request.summary.abandoned > 0)
        .map((request) => requestRow(request.name ?? "", request.summary));
    if (rows.length !== 1) rows.push(requestRow("all", run.summary));
    return section(
        "requests",
        "Which requests were fast, which were slow",
        table(columns, rows, "Response time, from the instant a request was due to its last byte"),
        missingNotes(run),
        parts(run),
    );
}

const PART_WORDS: Record<string, string> = {
    lag: "schedule lag",
    late: "of it, the generator's own",
    conn_wait: "waiting for a connection",
    dns: "name look-up",
    connect: "connect",
    tls: "TLS",
    send: "send",
    wait: "waiting for the first byte",
    receive: "receive",
    iteration: "whole task",
    stamp_lag: "token, from the server's stamp to its receipt",
    itl_error: "gap between tokens, off that of their stamps",
    ttft_error: "first token, from the server's stamp to its receipt",
};

function parts(run: Run): HTMLElement | null {
    const hidden = ["failed", "censored", "response", "service"];
    const tokens = run.summary.llm ?? {}; // have a table of their own
    const names = Object.keys(run.summary.parts).filter((name) => !hidden.includes(name) && !(name in tokens));
    if (!run.summary.service.count) return null;
    const columns = [{ title: "part" }, { title: "count", number: true }, ...TIMES.map((title) => ({ title, number: true }))];
    const rows: (string | Cell)[][] = [
        ["service time, from sent to last byte", count(run.summary.service.count), ...timeCells(run.summary.service)],
    ];
    for (const name of names) {
        const times = run.summary.parts[name];
        if (times) rows.push([PART_WORDS[name] ?? name, count(times.count), ...timeCells(times)]);
    }
    return table(columns, rows, "Where the time went");
}

function judgedRow(judged: Judged): (string | Cell)[] {
    const tones = { met: "good", accepted: "doubtful", failed: "bad", not_judged: "soft" };
    const words = { met: "✓ met", accepted: "≈ accepted", failed: "✗ failed", not_judged: "not judged" };
    const accepted = judged.kind === "objective" && judged.accept !== judged.limit;
    return [
        judged.words ?? "",
        judged.scope || "everything",
        judged.limit_shown,
        accepted ? judged.accept_shown : "–",
        judged.verdict === "not_judged" ? (judged.why ?? "not observed") : judged.value_shown,
        count(judged.count),
        { text: words[judged.verdict], tone: tones[judged.verdict] },
    ];
}

export function judgements(run: Run): HTMLElement | null {
    if (!run.verdicts.length)
        return section(
            "judged",
            "Was it good enough?",
            make("p", {}, "The plan names no threshold and no objective, so nothing was judged."),
        );
    const columns = [
        { title: "what was asked" },
        { title: "of" },
        { title: "limit", number: true },
        { title: "accepted", number: true },
        { title: "measured", number: true },
        { title: "count", number: true },
        { title: "verdict" },
    ];
    return section(
        "judged",
        "Was it good enough?",
        table(columns, run.verdicts.map(judgedRow), "Objectives and thresholds of the plan"),
    );
}

const KIND_WORDS: Record<string, string> = {
    dns: "name look-up",
    refused: "connection refused",
    unreachable: "unreachable",
    connect_timeout: "connect timeout",
    tls: "TLS",
    reset: "connection reset",
    response_timeout: "response timeout",
    protocol: "protocol",
    http_status: "HTTP status",
    too_large: "response too large",
    generator: "generator out of resources",
    check: "failed check",
};

function kindTable(run: Run): HTMLElement | null {
    const kinds = Object.entries(run.summary.errors.by_kind).filter(([, many]) => many > 0);
    if (run.summary.failed_assertions) kinds.push(["check", run.summary.failed_assertions]);
    if (!kinds.length) return null;
    const rows = kinds
        .sort((one, other) => other[1] - one[1])
        .map(([kind, many]) => [
            KIND_WORDS[kind] ?? kind,
            count(many),
            run.summary.requests ? share(many / run.summary.requests) : "–",
        ]);
    const columns = [{ title: "kind" }, { title: "count", number: true }, { title: "of all requests", number: true }];
    return table(columns, rows, "Errors by kind");
}

function statusTable(run: Run): HTMLElement | null {
    const codes = Object.entries(run.summary.status_codes);
    if (!codes.length) return null;
    const rows = codes.map(([code, many]) => [code, count(many)]);
    return table([{ title: "status" }, { title: "replies", number: true }], rows, "Status codes");
}

function exampleTable(run: Run): HTMLElement | null {
    if (!run.examples.length) return null;
    const rows = [...run.examples]
        .sort((one, other) => other.times - one.times)
        .slice(0, 40)
        .map((example) => [
            example.request ?? "",
            KIND_WORDS[example.kind] ?? example.kind,
            known(example.status) ? String(example.status) : "–",
            count(example.times),
            example.words ?? "",
        ]);
    const columns = [
        { title: "request" },
        { title: "kind" },
        { title: "status", number: true },
        { title: "seen", number: true },
        { title: "message" },
    ];
    return table(columns, rows, "Examples, the commonest first");
}

function serviceTable(run: Run): HTMLElement | null {
    if (!run.services.length) return null;
    const rows = run.services.map((one) => [
        one.service,
        one.outcome,
        { text: one.failure ? "failure" : "success", tone: one.failure ? "bad" : "good" },
        count(one.hits),
    ]);
    const columns = [{ title: "service" }, { title: "outcome" }, { title: "counts as" }, { title: "replies", number: true }];
    return table(columns, rows, "Services behind the target, by the plan's reply rules");
}

function traffic(sums: Sums): string {
    const rate = (value: Maybe): string => (known(value) ? ` (${bytes(value)}/s)` : "");
    return `${bytes(sums.received_bytes)} received${rate(sums.received_bytes_per_s)}, ${bytes(sums.sent_bytes)} sent${rate(sums.sent_bytes_per_s)}, ${plural(sums.connections, "connection")} opened.`;
}

export function errors(run: Run): HTMLElement {
    const kinds = kindTable(run);
    const none = run.summary.requests ? "No request failed." : "Not observed: no request came to an end.";
    return section(
        "errors",
        "What went wrong",
        kinds ? null : make("p", {}, none),
        make("div", { class: "pair" }, kinds, statusTable(run)),
        exampleTable(run),
        serviceTable(run),
        make("p", { class: "note" }, traffic(run.summary)),
    );
}
