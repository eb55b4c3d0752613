// Answers made of tokens: how soon they begin, how evenly they flow, how many tokens there are, and
// what makes these figures doubtful.

import type { Line } from "./chart";
import { makeChart } from "./chart";
import type { Cell, Figure } from "./dom";
import { figuresOf, make, section, table } from "./dom";
import { count, duration, known, number, plural, share, timeOf, whyMissing } from "./format";
import type { Maybe, Run, SumSeries, Times, Tokens } from "./run";
import { TIMES, timeCells } from "./tables";
import type { Axis } from "./timeline";
import { along, axisOf, timeAxis } from "./timeline";

// The highest percentile that the count can carry, else the mean.
function far(times: Times): { words: string; value: string } {
    for (const name of ["p99", "p95", "p50"] as const)
        if (!whyMissing(times, name)) return { words: name, value: timeOf(times, name) };
    return { words: "mean", value: timeOf(times, "avg") };
}

function middle(times: Times): string {
    return whyMissing(times, "p50") ? `mean ${timeOf(times, "avg")}` : `half within ${timeOf(times, "p50")}`;
}

function timeFigure(title: string, times: Times | null): Figure | null {
    if (!times) return null;
    const one = far(times);
    return { title: `${title}, ${one.words}`, value: one.value, under: middle(times) };
}

function rateFigure(tokens: Tokens): Figure {
    const stream = tokens.output_tokens_per_s_per_stream;
    return {
        title: "Output tokens",
        value: known(tokens.output_tokens_per_s) ? `${number(tokens.output_tokens_per_s)}/s` : "not observed",
        under: known(stream) ? `${number(stream)}/s in one stream` : `${count(tokens.output_tokens)} in all`,
    };
}

function lastFigure(tokens: Tokens): Figure | null {
    if (tokens.goodput_judged)
        return {
            title: "Goodput",
            value: share(tokens.goodput_ratio),
            under: `${count(tokens.good)} of ${count(tokens.goodput_judged)} kept what was asked; ${number(tokens.goodput_rps)}/s`,
            tone: tokens.good === tokens.goodput_judged ? "good" : "",
        };
    return tokens.tpot
        ? { title: "Time per output token", value: timeOf(tokens.tpot, "avg"), under: "mean over answers" }
        : { title: "Prompt tokens", value: count(tokens.prompt_tokens), under: "by the server's count" };
}

function figures(tokens: Tokens): HTMLElement {
    const all = [
        timeFigure("Time to first token", tokens.ttft),
        timeFigure("Between tokens", tokens.itl),
        rateFigure(tokens),
        lastFigure(tokens),
    ];
    return figuresOf(all.filter((one): one is Figure => one !== null));
}

function timeLines(axis: Axis, p50: Maybe[] | undefined, p95: Maybe[] | undefined, p99: Maybe[] | undefined): Line[] {
    const format = (value: Maybe) => duration(value);
    return [
        { name: "p99", colour: "p99", values: along(axis, p99), width: 1.25, dash: [4, 3], format },
        { name: "p95", colour: "p95", values: along(axis, p95), width: 2.25, format },
        { name: "p50", colour: "p50", values: along(axis, p50), width: 1.75, format },
    ];
}

function charts(run: Run): HTMLElement | null {
    const series: SumSeries = run.series;
    const seen = (values: Maybe[] | undefined) => values?.some(known) ?? false;
    const axis = axisOf(run);
    const common = { ...timeAxis(run, axis), height: 200 };
    const perSecond = (value: Maybe) => (known(value) ? `${number(value)}/s` : number(value));
    const drawn: (HTMLElement | null)[] = [
        seen(series.ttft_p50_ms)
            ? makeChart({
                  ...common,
                  title: "How soon did answers begin?",
                  note: "Time to first token, from the instant a request was due",
                  lines: timeLines(axis, series.ttft_p50_ms, series.ttft_p95_ms, series.ttft_p99_ms),
                  axis: duration,
                  label: "Time to first token over time",
              }).element
            : null,
        seen(series.itl_p50_ms)
            ? makeChart({
                  ...common,
                  title: "How evenly did they flow?",
                  note: "Time between two tokens of an answer",
                  lines: timeLines(axis, series.itl_p50_ms, series.itl_p95_ms, series.itl_p99_ms),
                  axis: duration,
                  label: "Inter-token latency over time",
              }).element
            : null,
        seen(series.output_tokens_per_s)
            ? makeChart({
                  ...common,
                  title: "How many tokens came?",
                  note: "Output tokens received, a second",
                  lines: [{ name: "output tokens", colour: "p95", values: along(axis, series.output_tokens_per_s), fill: true, format: perSecond }],
                  axis: number,
                  label: "Output tokens a second over time",
              }).element
            : null,
    ];
    return drawn.some(Boolean) ? make("div", {}, ...drawn) : null;
}

const ROWS: [keyof Tokens & string, string][] = [
    ["ttft", "time to first token"],
    ["ttft_service", "the same, from sent"],
    ["ttfat", "time to first answer token"],
    ["itl", "inter-token latency"],
    ["itl_token", "the same, a token each"],
    ["tpot", "time per output token"],
    ["e2e_content", "to the last token"],
    ["server_load", "the server: loading the model"],
    ["server_prompt", "the server: reading the prompt"],
    ["server_decode", "the server: making tokens"],
];

function timesTable(run: Run, tokens: Tokens): HTMLElement | null {
    const rows: (string | Cell)[][] = [];
    for (const [name, words] of ROWS) {
        const times = tokens[name] as Times | null;
        if (!times || (name === "ttfat" && !tokens.reasoning_tokens)) continue;
        rows.push([{ text: words, hint: run.definitions[name] ?? "" }, count(times.count), ...timeCells(times)]);
    }
    const columns = [{ title: "time" }, { title: "count", number: true }, ...TIMES.map((title) => ({ title, number: true }))];
    return rows.length ? table(columns, rows, "Times of tokens") : null;
}

function requestTable(run: Run): HTMLElement | null {
    const with_tokens = run.requests.filter((request) => request.summary.llm);
    if (with_tokens.length < 2) return null;
    const time = (times: Times | null, name: "p50" | "p95" | "avg"): Cell =>
        times ? { text: timeOf(times, name), hint: whyMissing(times, name) } : { text: "–" };
    const rows = with_tokens.map((request) => {
        const tokens = request.summary.llm as Tokens;
        return [
            request.name ?? "",
            time(tokens.ttft, "p50"),
            time(tokens.ttft, "p95"),
            time(tokens.itl, "p50"),
            time(tokens.tpot, "avg"),
            number(tokens.output_tokens_per_s),
            tokens.goodput_judged ? share(tokens.goodput_ratio) : "–",
        ];
    });
    const columns = [
        { title: "request" },
        { title: "first token p50", number: true },
        { title: "p95", number: true },
        { title: "between p50", number: true },
        { title: "per token", number: true },
        { title: "tokens/s", number: true },
        { title: "goodput", number: true },
    ];
    return table(columns, rows, "By request");
}

// What is counted, by whom, and what makes the figures mean something else than they seem to.
function notes(tokens: Tokens): HTMLElement {
    const counted = [`${count(tokens.output_tokens)} output tokens`];
    if (tokens.reasoning_tokens) counted.push(`${count(tokens.reasoning_tokens)} of them reasoning`);
    if (tokens.prompt_tokens) counted.push(`${count(tokens.prompt_tokens)} prompt tokens`);
    const list = make("ul", { class: "advice" }, make("li", {}, `${counted.join(", ")}; counted from ${tokens.token_source}.`));
    const say = (many: number, words: string) => {
        if (many) list.append(make("li", {}, words));
    };
    const streams = (many: number, words: string) => say(many, `${plural(many, "stream")} ${words}`);
    if (known(tokens.burst_ratio) && tokens.burst_streams)
        streams(tokens.burst_streams, `(${share(tokens.burst_ratio)}) came in one burst: something on the way collects them, and the time to first token is that of whole answers.`);
    say(tokens.cached_tokens, `${count(tokens.cached_tokens)} prompt tokens came from the server's prefix cache: answers look faster than they are for new prompts.`);
    say(tokens.truncated_prompts, `${plural(tokens.truncated_prompts, "prompt")} cut by the server.`);
    streams(tokens.truncated_streams, "cut off before the end.");
    streams(tokens.empty_streams, "without any content.");
    say(tokens.unstreamed, `${plural(tokens.unstreamed, "answer")} came whole though a stream was asked for.`);
    say(tokens.reply_errors, `${plural(tokens.reply_errors, "reply", "replies")} of status 200 said that they failed.`);
    return list;
}

export function tokens(run: Run): HTMLElement | null {
    const found = run.summary.llm;
    if (!found) return null;
    return section(
        "tokens",
        "How the answers flowed",
        figures(found),
        charts(run),
        timesTable(run, found),
        requestTable(run),
        notes(found),
    );
}
