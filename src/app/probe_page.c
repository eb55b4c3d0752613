/* One section a probe: what it watches, its settings, its metrics with unit and source, and what it
 * says of itself. A test holds doc/probes.md against this. */
#include "app/probe_page.h"

static const char introduction[] =
    "# Probes\n"
    "\n"
    "What `watch.probes` of a plan may name. Made by `plimsoll list probes --markdown`.\n"
    "\n"
    "```yaml\n"
    "watch:\n"
    "  interval: 1s\n"
    "  probes:\n"
    "    - { host: local, role: generator }\n"
    "    - { process: { port: 8000 }, name: gateway, role: gateway }\n"
    "    - { prometheus: http://10.0.0.7:9100/metrics, name: gpu-host, role: gpu }\n"
    "    - { prometheus: { url: /metrics, preset: vllm }, name: llm, role: llm }\n"
    "    - { prometheus: { url: http://prom:9090, query: sum(queue_depth), name: app.queue } }\n"
    "    - { http: /health, name: health }\n"
    "    - { kubernetes: { namespace: shop, selector: app=gateway }, role: gateway }\n"
    "```\n"
    "\n"
    "A value that could not be had is left out: a gap, never a value repeated or made up. Rates\n"
    "are from two looks; a counter that shrank gives none. Probes that ask somebody else have a\n"
    "thread each, so that an endpoint that hangs holds up neither the load nor other probes. Unit\n"
    "1 is a share: 0.8 is 80 %.\n";

static void put_probe(const struct probe *probe, struct text *out)
{
    text_printf(out, "\n## `%s`: %s\n\nRole where the plan names none: `%s`.", probe->name,
                probe->sentence, probe->role ? probe->role : "");
    if (probe->unasked)
        text_puts(out, " Every run has it.");
    if (probe->shorthand)
        text_printf(out, " A bare text stands for `%s`.", probe->shorthand);
    text_puts(out, "\n");
    if (probe->settings && probe->settings->name) {
        text_puts(out, "\n");
        setting_page(probe->settings, SETTING_MARKDOWN, out);
    }
    if (probe->metrics && probe->metrics->name)
        text_puts(out, "\n| metric | unit | meaning | source |\n|---|---|---|---|\n");
    for (const struct metric *metric = probe->metrics; metric && metric->name; metric++)
        text_printf(out, "| `%s` | %s | %s | %s |\n", metric->name, metric->unit, metric->sentence,
                    metric->source);
    if (probe->describe) {
        text_puts(out, "\n");
        probe->describe(out);
    }
}

void probe_page(const struct plug_list *plugs, struct text *out)
{
    text_puts(out, introduction);
    for (size_t i = 0; i < plugs->probe_count; i++)
        put_probe(plugs->probes[i], out);
}
