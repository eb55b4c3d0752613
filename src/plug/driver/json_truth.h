/* plug/driver/json_truth.h - whether a member of a reply says yes, for members such as "error" and
 * "success" of which every service has its own kind. */
#ifndef PLUG_DRIVER_JSON_TRUTH_H
#define PLUG_DRIVER_JSON_TRUTH_H

#include "wire/json.h"

/* Whether a value is there, and other than null, false, 0 and "". */
static inline bool json_says_yes(struct json_value value)
{
    double number = 1;
    if (value.kind == JSON_NUMBER && json_number(value, &number) == 0 && number == 0)
        return false;
    return value.kind != JSON_ABSENT && value.kind != JSON_NULL && value.kind != JSON_FALSE &&
           !(value.kind == JSON_STRING && value.raw.bytes == 0);
}

#endif
