/* To the pool and back; see task.h. */
#include "testbed/task.h"

#include "base/memory.h"
#include "testbed/reply.h"

#include <stdlib.h>

static void task_free(struct task *task)
{
    text_fini(&task->method);
    text_fini(&task->path);
    text_fini(&task->query);
    text_fini(&task->body);
    text_fini(&task->words);
    text_fini(&task->more);
    text_fini(&task->reply);
    free(task);
}

static void on_work(struct job *job)
{
    struct task *task = list_entry(job, struct task, job);
    task->work(task);
}

static void on_step(struct job *job, uint64_t step)
{
    struct task *task = list_entry(job, struct task, job);
    if (task->stepped)
        task->stepped(task, step);
}

static void on_done(struct job *job)
{
    struct task *task = list_entry(job, struct task, job);
    struct connection *connection = task->connection;
    task->in_pool = false;
    if (!connection) {
        if (task->gone)
            task->gone(task);
        task_free(task);
        return;
    }
    if (task->then)
        task->then(task);
    else
        task_reply(task);
    connection_go_on(connection);
}

struct task *task_new(struct connection *connection, const struct request *request,
                      void (*work)(struct task *task))
{
    struct task *task = memory_new(1, sizeof *task);
    task->testbed = connection->testbed;
    task->connection = connection;
    task->work = work;
    task->status = 200;
    task->type = TYPE_JSON;
    text_put(&task->method, request->method);
    text_put(&task->path, request->path);
    text_put(&task->query, request->query);
    text_put(&task->body, request->body);
    connection->task = task;
    return task;
}

void task_submit(struct task *task, struct pool *pool, nsec_t cost_ns)
{
    task->job.work = on_work;
    task->job.stepped = on_step;
    task->job.done = on_done;
    task->job.cost_ns = cost_ns;
    task->in_pool = true;
    if (pool_submit(pool, &task->job) == 0)
        return;
    task->in_pool = false;
    task_error(task, 503, "the testbed could not start a thread for this work");
    if (task->then)
        task->then(task);
    else
        task_reply(task);
}

void task_reply(struct task *task)
{
    struct connection *connection = task->connection;
    connection->task = NULL;
    reply_send(connection, task->status, task->type, text_span(&task->reply));
    task_free(task);
}

void task_drop(struct connection *connection)
{
    struct task *task = connection->task;
    if (!task)
        return;
    connection->task = NULL;
    task->connection = NULL;
    if (!task->in_pool)
        task_free(task);
}

void task_error(struct task *task, int status, const char *message)
{
    task->status = status;
    task->type = TYPE_JSON;
    text_clear(&task->reply);
    reply_error_body(&task->reply, status, message);
}
