// How far to trust the numbers: the generator's own verdict, the accounts, gaps and doubts; then the
// plan and the machine.

import { make, section, table } from "./dom";
import { count, duration, known, plural, whyMissing } from "./format";
import type { Accounts, Run } from "./run";

function side(entries: [number, string][]): string {
    return entries
        .filter(([many], at) => at === 0 || many > 0)
        .map(([many, words]) => `${count(many)} ${words}`)
        .join(" + ");
}

function accountLines(accounts: Accounts): HTMLElement {
    const due = side([[accounts.offered, "offered"], [accounts.waiting_begin, "waiting before"]]);
    const became = side([[accounts.started, "started"], [accounts.waiting_end, "waiting"], [accounts.dropped, "dropped"]]);
    const begun = side([[accounts.started, "started"], [accounts.in_flight_begin, "in flight before"]]);
    const ended = side([
        [accounts.succeeded, "succeeded"],
        [accounts.failed, "failed"],
        [accounts.timed_out, "timed out"],
        [accounts.abandoned, "abandoned"],
        [accounts.in_flight_end, "in flight"],
    ]);
    return make(
        "div",
        { class: "accounts" },
        make("p", {}, `${due} ${accounts.offered_off ? "≠" : "="} ${became}`),
        make("p", {}, `${begun} ${accounts.started_off ? "≠" : "="} ${ended}`),
    );
}

function gaps(run: Run): number {
    const { begin_s, end_s } = run.series;
    let found = 0;
    for (let at = 1; at < begin_s.length; at++) {
        const length = (end_s[at] ?? 0) - (begin_s[at] ?? 0);
        if ((begin_s[at] ?? 0) - (end_s[at - 1] ?? 0) > 0.25 * Math.max(length, 0.001)) found++;
    }
    return found;
}

function doubts(run: Run): string[] {
    const words: string[] = [];
    const excluded = run.phases.filter((phase, at) => phase.excluded && run.series.phase.includes(at));
    if (!run.run.finished) words.push("The run was cut off before its end; at most its last second is missing from what it had recorded.");
    if (run.generator.saturated_intervals)
        words.push(`In ${plural(run.generator.saturated_intervals, "interval")} of ${count(run.series.begin_s.length)} the generator was the limit, not the target; they are hatched in the charts.`);
    const holes = gaps(run);
    if (holes) words.push(`The record has ${plural(holes, "gap")}: nothing was recorded there, and no line is drawn across.`);
    for (const name of ["p50", "p95", "p99"] as const) {
        const why = whyMissing(run.summary.response, name);
        if (why && run.summary.requests) words.push(`${name} is not given: ${why}.`);
    }
    if (run.summary.late) words.push(`${plural(run.summary.late, "request")} left more than 1 ms late by the generator's own doing.`);
    for (const phase of excluded) words.push(`${phase.name ?? "A phase"} is measured and drawn, but kept out of every figure.`);
    if (known(run.run.time_scale_ratio) && run.run.time_scale_ratio !== 1)
        words.push(`All durations of the plan were multiplied by ${run.run.time_scale_ratio}.`);
    return words;
}

export function trust(run: Run): HTMLElement {
    const verdict = run.generator.verdict;
    const tones: Record<string, string> = { ok: "good", suspect: "doubtful", saturated: "bad" };
    const list = make("ul");
    for (const words of doubts(run)) list.append(make("li", {}, words));
    const lag = run.summary.parts.late;
    return section(
        "trust",
        "How far to trust it",
        make(
            "div",
            { class: "pair" },
            make(
                "div",
                { class: "card" },
                make("h3", {}, "The generator"),
                make("p", { class: `state ${tones[verdict ?? ""] ?? "soft"}` }, verdict ?? "not judged"),
                run.generator.reason ? make("p", {}, run.generator.reason) : null,
                make("p", { class: "note" }, `${plural(run.run.threads, "thread")}${lag ? `, own lag p99 ${duration(lag.p99_ms)}` : ""}, ${count(run.summary.late)} late, ${count(run.summary.dropped)} dropped`),
            ),
            make(
                "div",
                { class: "card" },
                make("h3", {}, "The accounts"),
                make("p", { class: `state ${run.accounts.close ? "good" : "bad"}` }, run.accounts.close ? "close" : "do not close"),
                accountLines(run.accounts),
            ),
        ),
        list.childElementCount ? list : make("p", {}, "Nothing speaks against it."),
    );
}

function machineRows(run: Run): [string, string | null][] {
    const head = run.run;
    return [
        ["run", head.id],
        ["file", head.path],
        ["target", head.target],
        ["started", head.started_at],
        ["duration", duration(head.duration_s * 1000)],
        ["seed", head.seed],
        ["Plimsoll", head.version],
        ["host", head.host],
        ["kernel", head.kernel],
        ["processor", head.cpu ? `${head.cpu}, ${plural(head.cores, "core")}` : null],
        ...Object.entries(head.labels).map(([name, value]): [string, string | null] => [name, value]),
    ];
}

export function origin(run: Run): HTMLElement {
    const rows = machineRows(run)
        .filter(([, value]) => value)
        .map(([name, value]) => [name, value ?? ""]);
    return section(
        "origin",
        "Where it comes from",
        table([{ title: "" }, { title: "" }], rows, "The run and the machine"),
        run.plan.source
            ? make(
                  "details",
                  { open: "" },
                  make("summary", {}, run.plan.file ? `The plan, ${run.plan.file}` : "The plan"),
                  make("pre", {}, run.plan.source),
              )
            : null,
    );
}
