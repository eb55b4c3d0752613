/* control/answer.h - inside of control: asks by net/fetch.h and makes of the reply a document or an
 * outcome with its sentence. */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include "control/control.h"
#include "net/fetch.h"

struct asker {
    struct fetch *fetch;
    struct fetch_reply reply; /* its body is used again */
};

/* Makes ready, and undoes it. */
void asker_init(struct asker *asker);
void asker_fini(struct asker *asker);

/* Asks. Returns as kubernetes_ask and docker_ask do; `who` names the other side in sentences ("the
 * Kubernetes API"), and the reply's member "message" is added to them. */
int asker_ask(struct asker *asker, const struct fetch_request *request, const char *who,
              struct json_t **out, struct text *why);

#endif
