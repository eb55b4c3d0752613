// The run as the program writes it (doc/summary.schema.json). What was not observed is null.

export type Maybe = number | null;

export interface Times {
    count: number;
    censored: number;
    min_ms: Maybe;
    avg_ms: Maybe;
    p50_ms: Maybe;
    p90_ms: Maybe;
    p95_ms: Maybe;
    p99_ms: Maybe;
    p999_ms: Maybe;
    max_ms: Maybe;
    deviation_ms: Maybe;
    at_least: string[];
    too_few_needs: Record<string, number>;
}

// Answers made of tokens.
export interface Tokens {
    ttft: Times | null;
    ttft_service: Times | null;
    ttfat: Times | null;
    itl: Times | null;
    itl_token: Times | null;
    tpot: Times | null;
    e2e_content: Times | null;
    server_load: Times | null;
    server_prompt: Times | null;
    server_decode: Times | null;
    streams: number;
    content_events: number;
    output_tokens: number;
    prompt_tokens: number;
    cached_tokens: number;
    reasoning_tokens: number;
    empty_streams: number;
    unstreamed: number;
    burst_streams: number;
    truncated_streams: number;
    truncated_prompts: number;
    reply_errors: number;
    good: number;
    goodput_judged: number;
    goodput_rps: Maybe;
    goodput_ratio: Maybe;
    output_tokens_per_s: Maybe;
    prompt_tokens_per_s: Maybe;
    output_tokens_per_s_per_stream: Maybe;
    burst_ratio: Maybe;
    token_source: string;
}

export interface Sums {
    requests: number;
    succeeded: number;
    failed: number;
    timed_out: number;
    abandoned: number;
    dropped: number;
    error_ratio: Maybe;
    failed_assertions: number;
    passed_assertions: number;
    measured_s: Maybe;
    rate_rps: Maybe;
    rate_rpm: Maybe;
    response: Times;
    service: Times;
    parts: Record<string, Times>;
    errors: { by_kind: Record<string, number>; rolled_up: Record<string, number> };
    status_codes: Record<string, number>;
    received_bytes: number;
    sent_bytes: number;
    received_bytes_per_s: Maybe;
    sent_bytes_per_s: Maybe;
    connections: number;
    late: number;
    llm: Tokens | null;
}

export interface Distribution {
    low_ms: number[];
    high_ms: number[];
    count: number[];
    above: number;
}

export interface SumSeries {
    requests: Maybe[];
    failed: Maybe[];
    rate_rps: Maybe[];
    error_ratio: Maybe[];
    avg_ms: Maybe[];
    p50_ms: Maybe[];
    p95_ms: Maybe[];
    p99_ms: Maybe[];
    max_ms: Maybe[];
    service_p50_ms: Maybe[];
    service_p95_ms: Maybe[];
    censored: Maybe[];
    ttft_p50_ms?: Maybe[];
    ttft_p95_ms?: Maybe[];
    ttft_p99_ms?: Maybe[];
    itl_p50_ms?: Maybe[];
    itl_p95_ms?: Maybe[];
    itl_p99_ms?: Maybe[];
    tpot_avg_ms?: Maybe[];
    output_tokens_per_s?: Maybe[];
    prompt_tokens_per_s?: Maybe[];
    good?: Maybe[];
    missed?: Maybe[];
}

export interface Series extends SumSeries {
    begin_s: number[];
    end_s: number[];
    phase: number[];
    saturated: boolean[];
    users: Maybe[];
    users_asked: Maybe[];
    in_flight: Maybe[];
    waiting: Maybe[];
    connections: Maybe[];
    generator_busy_ratio: Maybe[];
    generator_loop_lag_ms: Maybe[];
    dropped: Maybe[];
    late: Maybe[];
}

export interface Request {
    name: string | null;
    task: string | null;
    scenario: string | null;
    summary: Sums;
    distribution: Distribution;
    series: SumSeries;
}

export interface Phase {
    name: string | null;
    scenario: string | null;
    begin_s: number;
    end_s: number;
    target: Maybe;
    excluded: boolean;
    level: boolean;
    users: Maybe;
    summary: Sums;
}

export interface Judged {
    kind: "objective" | "threshold";
    words: string | null;
    scope: string | null;
    verdict: "met" | "accepted" | "failed" | "not_judged";
    value: Maybe;
    at_least: boolean;
    limit: Maybe;
    accept: Maybe;
    unit: string | null;
    count: number;
    why: string | null;
    value_shown: string;
    limit_shown: string;
    accept_shown: string;
}

export interface Accounts {
    close: boolean;
    waiting_begin: number;
    offered: number;
    started: number;
    dropped: number;
    waiting_end: number;
    in_flight_begin: number;
    succeeded: number;
    failed: number;
    timed_out: number;
    abandoned: number;
    in_flight_end: number;
    offered_off: number;
    started_off: number;
}

// One metric of one part of a watched thing.
export interface Resource {
    watched: string;
    role: string;
    probe: string;
    metric: string;
    part: string;
    unit: string;
    sentence: string;
    count: number;
    mean: Maybe;
    min: Maybe;
    p95: Maybe;
    max: Maybe;
    slope_per_s: Maybe;
    at_s: number[];
    took_s: number[];
    values: Maybe[];
}

export interface Run {
    schema_version: number;
    run: {
        id: string | null;
        name: string | null;
        target: string | null;
        started_at: string | null;
        duration_s: number;
        finished: boolean;
        seed: string;
        interval_s: number;
        time_scale_ratio: Maybe;
        threads: number;
        version: string | null;
        host: string | null;
        kernel: string | null;
        cpu: string | null;
        cores: number;
        path: string | null;
        labels: Record<string, string | null>;
    };
    verdict: {
        word: "pass" | "fail" | "invalid" | "incomplete" | "measured" | "not_judged" | "empty";
        title: string;
        sentence: string;
        thresholds: number;
        thresholds_failed: number;
        thresholds_not_judged: number;
        objectives: number;
        objectives_met: number;
        objectives_judged: number;
    };
    generator: { verdict: string | null; reason: string | null; saturated_intervals: number };
    summary: Sums;
    distribution: Distribution;
    accounts: Accounts;
    verdicts: Judged[];
    requests: Request[];
    phases: Phase[];
    series: Series;
    resources: { watched: { name: string; role: string; probe: string }[]; series: Resource[] };
    services: { service: string; outcome: string; failure: boolean; hits: number }[];
    events: { at_s: number; kind: string | null; words: string | null }[];
    examples: {
        at_s: number;
        request: string | null;
        kind: string;
        status: number | null;
        words: string | null;
        times: number;
    }[];
    advice: string[];
    facts: Record<string, string | null>;
    definitions: Record<string, string | null>;
    plan: { file: string | null; source: string | null };
}

// Reads the run that the page carries.
export function readRun(): Run {
    const holder = document.getElementById("run");
    return JSON.parse(holder?.textContent ?? "") as Run;
}
