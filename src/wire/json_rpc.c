/* JSON-RPC 2.0 messages. */
#include "wire/json_rpc.h"

#include <errno.h>

int json_rpc_read(struct json_pull *pull, struct json_rpc *out)
{
    struct json_rpc message = {.id = {.kind = JSON_ABSENT}};
    struct span key;
    if (!json_pull_object(pull))
        return -EBADMSG;
    while (json_pull_member(pull, &key)) {
        struct json_value value = json_pull_value(pull);
        if (span_equal(key, SPAN("id")))
            message.id = value;
        else if (span_equal(key, SPAN("method")))
            message.method = value;
        else if (span_equal(key, SPAN("params")))
            message.params = value;
        else if (span_equal(key, SPAN("result")))
            message.result = value;
        else if (span_equal(key, SPAN("error")))
            message.error = value;
    }
    if (pull->broken)
        return -EBADMSG;
    *out = message;
    return 0;
}

int json_rpc_number(struct json_value value, uint64_t *number)
{
    bool fits = value.kind == JSON_NUMBER || value.kind == JSON_STRING;
    return fits ? span_uint(value.raw, number) : -EINVAL;
}
