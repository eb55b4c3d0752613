/* testbed/task.h - a request that a pool answers: what it needs goes along, and its reply comes
 * back.
 *
 * The thread that works on a task sees the task alone (and what is made for threads, such as the
 * vectors): the connection may end meanwhile, and the task is then thrown away when it comes back.
 */
#ifndef TESTBED_TASK_H
#define TESTBED_TASK_H

#include "testbed/connection.h"
#include "testbed/pool.h"

struct task {
    struct job job;
    struct testbed *testbed;       /* from the loop; `work` may use what is said to be for it */
    struct connection *connection; /* NULL: the client has gone. From the loop only */
    bool in_pool;
    void (*work)(struct task *task);
    void (*stepped)(struct task *task, uint64_t step); /* on the loop; or NULL */
    void (*gone)(struct task *task);       /* on the loop, in place of `then`: no client; or NULL */
    void (*then)(struct task *task);       /* on the loop, with a connection; NULL: task_reply */
    struct text method, path, query, body; /* of the request */
    struct text words, more;               /* as the service likes */
    uint64_t number;                       /* as the service likes */
    void *thing;                           /* likewise; not owned */
    int status;
    const char *type; /* of the reply */
    struct text reply;
};

/* Takes over the request in hand. Owner: the connection, until task_reply or task_drop. */
struct task *task_new(struct connection *connection, const struct request *request,
                      void (*work)(struct task *task));
/* Hands it to a pool; when no thread can be started, the reply is an error and `then` is told of it
 * at once. cost_ns: by its law, for virtual time. */
void task_submit(struct task *task, struct pool *pool, nsec_t cost_ns);
/* Sends status, type and reply to the client, and ends the task. */
void task_reply(struct task *task);
/* The connection has its answer from elsewhere, or has gone. */
void task_drop(struct connection *connection);
/* The reply becomes an error in OpenAI's form; may be called from work. */
void task_error(struct task *task, int status, const char *message);

#endif
