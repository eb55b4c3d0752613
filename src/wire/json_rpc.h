/* wire/json_rpc.h - what a JSON-RPC 2.0 message is: the members that tell it, taken in one pass. */
#ifndef WIRE_JSON_RPC_H
#define WIRE_JSON_RPC_H

#include "wire/json_pull.h"

/* A message. Kind JSON_ABSENT for what it does not have; of objects the raw bytes. */
struct json_rpc {
    struct json_value id, method, params, result, error;
};

/* Takes the value ahead. Returns 0, or -EBADMSG: it is no object, or it is broken. */
int json_rpc_read(struct json_pull *pull, struct json_rpc *out);

/* The number of an id or a progress token, given as a number or as a text of digits. Returns 0 or
 * -EINVAL. */
int json_rpc_number(struct json_value value, uint64_t *number);

#endif
