/* plug/driver/driver_list.h - the drivers there are; plug/list.c puts them in order. */
#ifndef PLUG_DRIVER_LIST_H
#define PLUG_DRIVER_LIST_H

#include "load/driver.h"

extern const struct driver
    driver_http; /* verbs get, post, put, patch, delete, head, options, request */
extern const struct driver driver_openai; /* openai.chat, .completions, .embeddings, .models */
extern const struct driver driver_ollama; /* ollama.generate, .chat, .embed, .tags, .ps */
extern const struct driver driver_mcp;    /* mcp.call, .tools_list */
extern const struct driver driver_rag;    /* rag.query, .index */
extern const struct driver driver_null;   /* verb null: sends the least and accepts everything */

#endif
