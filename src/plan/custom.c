/* The values that are more than a row: how each is read, and what the JSON schema says of it. */
#include "plan/part.h"

#include "base/check.h"

#include <string.h>

#define TEXT_OR_NUMBER "{\"type\":[\"string\",\"number\",\"boolean\"]}"
#define CHECKS                                                                                     \
    "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}"

const struct custom customs[] = {
    {.name = "schema_version", .read = schema_version_read, .schema = "{\"enum\":[1,\"1\"]}"},
    {.name = "services",
     .read = services_read,
     .shape = "map",
     .table = service_rows,
     .also = "text"},
    {.name = "scenarios", .read = scenarios_read, .shape = "map", .table = scenario_rows},
    {.name = "feeders", .read = feeders_read, .shape = "map", .table = feeder_rows},
    {.name = "variables",
     .read = variables_read,
     .schema = "{\"type\":\"object\",\"additionalProperties\":" TEXT_OR_NUMBER "}"},
    {.name = "labels",
     .read = labels_read,
     .schema = "{\"type\":\"object\",\"additionalProperties\":" TEXT_OR_NUMBER "}"},
    {.name = "rules", .read = rules_read, .shape = "list", .table = rule_rows},
    {.name = "objectives",
     .read = objectives_read,
     .shape = "list",
     .table = objective_rows,
     .also = "text"},
    {.name = "thresholds",
     .read = thresholds_read,
     .shape = "map of lists",
     .table = threshold_rows,
     .also = "text"},
    {.name = "setup", .read = setup_read, .shape = "list", .table = task_rows},
    {.name = "teardown", .read = teardown_read, .shape = "list", .table = task_rows},
    {.name = "tasks", .read = node_keep, .shape = "list", .table = task_rows},
    {.name = "steps", .read = node_keep, .shape = "list", .table = step_rows},
    {.name = "stages", .read = stages_read, .shape = "list", .table = stage_rows},
    {.name = "checks", .read = node_keep, .schema = CHECKS},
    {.name = "capture",
     .read = node_keep,
     .schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}"},
    {.name = "synthetic", .read = node_keep, .shape = "row", .table = synthetic_rows},
    {.name = "dataset", .read = node_keep, .shape = "row", .table = dataset_rows},
    {.name = "trace", .read = node_keep, .shape = "row", .table = trace_rows},
    {.name = "turns",
     .read = turns_read,
     .schema = "{\"anyOf\":[{\"enum\":[\"all\"]},{\"$ref\":\"#/$defs/spread\"}]}"},
    {.name = "values",
     .read = node_keep,
     .schema = "{\"type\":\"array\",\"minItems\":1,\"items\":{\"oneOf\":[" TEXT_OR_NUMBER
               ",{\"type\":\"object\",\"additionalProperties\":" TEXT_OR_NUMBER "}]}}"},
    {.name = "gaps",
     .read = gaps_read,
     .schema = "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"gamma\":{"
               "\"type\":[\"number\",\"string\"]},\"burstiness\":{\"type\":[\"number\","
               "\"string\"]}},\"additionalProperties\":false}]}"},
    {.name = "secret",
     .read = secret_read,
     .schema = "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"env\":{"
               "\"type\":\"string\"},\"file\":{\"type\":\"string\"}},\"additionalProperties\":"
               "false,\"minProperties\":1,\"maxProperties\":1}]}"},
    {.name = "watched",
     .read = watched_read,
     .shape = "list",
     .table = watched_rows,
     .also = "text"},
    {.name = "scalers",
     .read = scalers_read,
     .shape = "either",
     .table = scaler_rows,
     .also = "text"},
    {.name = "safety", .read = safety_read, .shape = "list", .table = trigger_rows},
    {.name = "watch_stops", .read = watch_stops_read, .shape = "list", .table = watch_stop_rows},
    {.name = "percent", .read = percent_read, .schema = "{\"$ref\":\"#/$defs/share\"}"},
    {.name = "request", .read = request_keep},
    {.name = "plugged", .read = node_keep},
    {.name = NULL},
};

void custom_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field)
{
    const struct custom *custom = customs;
    while (custom->name && strcmp(custom->name, row->custom) != 0)
        custom++;
    check(custom->name != NULL); /* the tables name those of this file only */
    custom->read(reader, row, path, node, field);
}
