/* plug/driver/openai_reply.h - what one JSON object of an OpenAI-like server says: an event of a
 * stream, a whole reply, or the body of an error. Read in one pass, in any order of members. */
#ifndef PLUG_DRIVER_OPENAI_REPLY_H
#define PLUG_DRIVER_OPENAI_REPLY_H

#include "base/text.h"
#include "plug/driver/llm.h"

struct openai_reply {
    bool broken;       /* not a JSON object */
    bool choice;       /* it has a choice, whatever that brings */
    bool content;      /* answer text, a refusal, or arguments of a tool call; not empty */
    struct span text;  /* the answer's text, the last where there are several; as in the bytes */
    bool reasoning;    /* text in `reasoning` or `reasoning_content`; not empty */
    bool finished;     /* a choice has a finish reason */
    bool failed;       /* it is an error */
    struct span words; /* of the error; as in the bytes, escapes not decoded */
    uint64_t stamp_ns; /* the testbed's: when it wrote this event; 0: none */
    struct llm_usage usage;
    struct llm_server_times server; /* llama.cpp's `timings` */
};

/* Reads it. */
void openai_reply_read(struct span bytes, struct openai_reply *reply);

/* Reads what the end of a long reply says of usage, its beginning being gone. */
void openai_reply_read_tail(struct span bytes, struct openai_reply *reply);

#endif
