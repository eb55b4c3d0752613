/* plug/driver/llm_body.h - a JSON object as the body of a request, put together from settings when
 * the plan is compiled and written for each sending. What has no holes is joined beforehand. */
#ifndef PLUG_DRIVER_LLM_BODY_H
#define PLUG_DRIVER_LLM_BODY_H

#include "base/text.h"
#include "plan/note.h"
#include "plan/setting.h"
#include "plan/template.h"

struct llm_body;

/* An object without members. Owner: caller, llm_body_free. */
struct llm_body *llm_body_new(void);
/* NULL is fine. Returns NULL. */
struct llm_body *llm_body_free(struct llm_body *body);

/* Adds a member with this value, which is JSON. */
void llm_body_words(struct llm_body *body, const char *name, struct span value);
/* The same from a template that renders as JSON (SETTING_JSON); NULL adds nothing. The template
 * must outlive the body. */
void llm_body_template(struct llm_body *body, const char *name, const struct template *value);
/* Adds a number, unless it is 0; a hole's value stands as it is rendered. */
void llm_body_count(struct llm_body *body, const char *name, const struct plan_count *count);
/* Adds a member whose value is begin, the template, end. */
void llm_body_around(struct llm_body *body, const char *name, const char *begin,
                     const struct template *value, const char *end);
/* Adds the members of an object; NULL adds nothing. Returns whether it is an object, after an error
 * in notes when it is not. */
bool llm_body_merge(struct llm_body *body, const char *setting, const struct template *object,
                    struct notes *notes);

/* Appends the object. */
void llm_body_write(const struct llm_body *body, const struct span *slots, struct text *out);

#endif
