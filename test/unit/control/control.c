/* The clients of control planes: kubeconfigs and service accounts, quantities and instants by the
 * API's documentation, and the outcomes of what servers answer. */
#include "control/docker.h"
#include "control/haproxy.h"
#include "control/kubernetes.h"

#include "../../support/odd_server.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

/* A file of this process under /tmp, with these words; its path. */
static char *plant(const char *name, const char *words)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, 128, "/tmp/plimsoll-control-%d-%s", (int)getpid(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(words, file);
    fclose(file);
    return path;
}

static void test_quantities(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        double value;
    } cases[] = {{"500m", 0.5},
                 {"2", 2},
                 {"1.5", 1.5},
                 {"128Mi", 134217728},
                 {"1G", 1e9},
                 {"1e3", 1000},
                 {"250000000n", 0.25},
                 {"12345678u", 12.345678},
                 {"1Ki", 1024},
                 {"0", 0},
                 {"3E", 3e18},
                 {"2E3", 2000},
                 {"0.1Gi", 107374182.4},
                 {"100k", 100000}};
    double value = -1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kubernetes_quantity(span_of(cases[i].words), &value), 0);
        if (fabs(value - cases[i].value) > 1e-9 * cases[i].value)
            fail_msg("%s is not %g", cases[i].words, value);
    }
    assert_int_equal(kubernetes_quantity(SPAN("x"), &value), -EINVAL);
    assert_int_equal(kubernetes_quantity(SPAN("Mi"), &value), -EINVAL);
    assert_int_equal(kubernetes_quantity(SPAN("1mm"), &value), -EINVAL);
    assert_int_equal(kubernetes_quantity(SPAN(""), &value), -EINVAL);
}

/* Figures by `date -u -d ... +%s`. */
static void test_instants(void **state)
{
    (void)state;
    double seconds = 0;
    assert_int_equal(kubernetes_instant(SPAN("1970-01-01T00:00:00Z"), &seconds), 0);
    assert_true(seconds == 0);
    assert_int_equal(kubernetes_instant(SPAN("2024-02-29T23:59:59Z"), &seconds), 0);
    assert_true(seconds == 1709251199);
    assert_int_equal(kubernetes_instant(SPAN("2026-11-20T14:02:11.250000Z"), &seconds), 0);
    assert_true(fabs(seconds - 1795183331.25) < 1e-6);
    assert_int_equal(kubernetes_instant(SPAN("2000-03-01T01:00:00+01:00"), &seconds), 0);
    assert_true(seconds == 951868800);
    assert_int_equal(kubernetes_instant(SPAN("2026-11-20"), &seconds), -EINVAL);
    assert_int_equal(kubernetes_instant(SPAN("2026-13-20T14:02:11Z"), &seconds), -EINVAL);
    assert_int_equal(kubernetes_instant(SPAN("2026-11-20T14:02:11"), &seconds), -EINVAL);
}

static const char config_words[] = "apiVersion: v1\n"
                                   "kind: Config\n"
                                   "current-context: one\n"
                                   "clusters:\n"
                                   "- name: c1\n"
                                   "  cluster: {server: \"%s/\"}\n"
                                   "contexts:\n"
                                   "- name: one\n"
                                   "  context: {cluster: c1, user: u1, namespace: shop}\n"
                                   "- name: two\n"
                                   "  context: {cluster: c1, user: u2}\n"
                                   "- name: three\n"
                                   "  context: {cluster: none, user: u1}\n"
                                   "- name: four\n"
                                   "  context: {cluster: c1, user: u3}\n"
                                   "users:\n"
                                   "- name: u1\n"
                                   "  user: {token: t0ken}\n"
                                   "- name: u2\n"
                                   "  user:\n"
                                   "    exec: {command: aws, args: [eks, get-token]}\n"
                                   "- name: u3\n"
                                   "  user: {client-key-data: \"a*b\"}\n";

static void answer(struct odd_server *server, int status, const char *body, char *room,
                   size_t bytes)
{
    snprintf(room, bytes,
             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    odd_start(server, odd_reply, room);
}

static int ask_kubernetes(const char *file, const char *context, struct json_t **out,
                          struct text *why)
{
    struct kubernetes *client = NULL;
    struct kubernetes_options options = {.kubeconfig = file, .context = context};
    struct control_request request = {.path = "/api/v1/namespaces/shop/pods?limit=1"};
    int rc = kubernetes_new(&options, &client, why);
    if (rc)
        return rc;
    rc = kubernetes_ask(client, &request, out, why);
    kubernetes_free(client);
    return rc;
}

static void test_kubeconfig(void **state)
{
    (void)state;
    struct odd_server server;
    char reply[512], words[2048];
    struct text why = TEXT_EMPTY;
    json_t *document = NULL;
    answer(&server, 200, "{\"items\": [1, 2]}", reply, sizeof reply);
    *strrchr(server.url, '/') = '\0';
    snprintf(words, sizeof words, config_words, server.url);
    const char *file = plant("kubeconfig", words);
    assert_int_equal(ask_kubernetes(file, NULL, &document, &why), CONTROL_DONE);
    assert_int_equal(json_array_size(json_object_get(document, "items")), 2);
    json_decref(document);
    assert_non_null(strstr(server.asked, "GET /api/v1/namespaces/shop/pods?limit=1 HTTP/1.1"));
    assert_non_null(strstr(server.asked, "Authorization: Bearer t0ken\r\n"));
    assert_int_equal(ask_kubernetes(file, "two", NULL, &why), CONTROL_FAILED);
    assert_non_null(strstr(why.at, "exec, which is not supported"));
    assert_null(strstr(why.at, "t0ken"));
    text_clear(&why);
    assert_int_equal(ask_kubernetes(file, "three", NULL, &why), CONTROL_FAILED);
    assert_non_null(strstr(why.at, "no cluster \"none\""));
    assert_int_equal(ask_kubernetes(file, "four", NULL, &why), CONTROL_FAILED);
    assert_non_null(strstr(why.at, "client-key-data is not base64"));
    assert_int_equal(ask_kubernetes(file, "five", NULL, &why), CONTROL_FAILED);
    assert_int_equal(ask_kubernetes("/no/such", NULL, NULL, &why), CONTROL_ABSENT);
    odd_stop(&server);
    text_clear(&why);
    assert_int_equal(ask_kubernetes(file, NULL, NULL, &why), CONTROL_ABSENT);
    assert_non_null(strstr(why.at, "refused"));
    text_clear(&why);
    const char *broken = plant("broken", "a: [1");
    assert_int_equal(ask_kubernetes(broken, NULL, NULL, &why), CONTROL_FAILED);
    unlink(broken);
    assert_non_null(strstr(why.at, "line "));
    text_fini(&why);
    unlink(file);
}

/* Statuses become outcomes, and the API's own message is in the sentence. */
static void test_statuses(void **state)
{
    (void)state;
    static const int cases[][2] = {
        {200, CONTROL_DONE},   {201, CONTROL_DONE},      {401, CONTROL_FORBIDDEN},
        {404, CONTROL_ABSENT}, {403, CONTROL_FORBIDDEN}, {409, CONTROL_CONFLICT},
        {422, CONTROL_FAILED}, {500, CONTROL_FAILED},    {302, CONTROL_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct odd_server server;
        char reply[512];
        struct text why = TEXT_EMPTY;
        struct kubernetes *client = NULL;
        answer(&server, cases[i][0], "{\"message\": \"pods \\\"x\\\" told\"}", reply, sizeof reply);
        *strrchr(server.url, '/') = '\0';
        struct kubernetes_options options = {.server = server.url};
        assert_int_equal(kubernetes_new(&options, &client, &why), 0);
        assert_string_equal(kubernetes_space(client), "default");
        struct control_request request = {.path = "/x?secret=1",
                                          .method = "PATCH",
                                          .body = SPAN("{}"),
                                          .content_type = "application/merge-patch+json"};
        assert_int_equal(kubernetes_ask(client, &request, NULL, &why), cases[i][1]);
        if (cases[i][1] != CONTROL_DONE) {
            assert_non_null(strstr(why.at, "pods \"x\" told"));
            assert_null(strstr(why.at, "secret"));
        }
        assert_non_null(strstr(server.asked, "Content-Type: application/merge-patch+json\r\n"));
        kubernetes_free(client);
        odd_stop(&server);
        text_fini(&why);
    }
}

static void test_pod(void **state)
{
    (void)state;
    char root[64], path[256];
    struct text why = TEXT_EMPTY;
    struct kubernetes *client = NULL;
    snprintf(root, sizeof root, "/tmp/plimsoll-control-%d-pod", (int)getpid());
    struct kubernetes_options options = {.root = root};
    assert_int_equal(kubernetes_new(&options, &client, &why), CONTROL_ABSENT);
    assert_non_null(strstr(why.at, "name a kubeconfig"));
    static const char *const steps[] = {"",
                                        "/var",
                                        "/var/run",
                                        "/var/run/secrets",
                                        "/var/run/secrets/kubernetes.io",
                                        "/var/run/secrets/kubernetes.io/serviceaccount"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        snprintf(path, sizeof path, "%s%s", root, steps[i]);
        mkdir(path, 0700);
    }
    static const char *const files[][2] = {{"token", "abc\n"}, {"namespace", "llm\n"}};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s/%s", root, steps[5], files[i][0]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(files[i][1], file);
        fclose(file);
    }
    assert_int_equal(kubernetes_new(&options, &client, &why), 0);
    assert_string_equal(kubernetes_space(client), "llm");
    assert_string_equal(kubernetes_server(client), "https://kubernetes.default.svc");
    kubernetes_free(client);
    text_fini(&why);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s/%s", root, steps[5], files[i][0]);
        unlink(path);
    }
    for (size_t i = 6; i > 0; i--) {
        snprintf(path, sizeof path, "%s%s", root, steps[i - 1]);
        rmdir(path);
    }
}

static void test_docker(void **state)
{
    (void)state;
    struct odd_server server;
    char path[64], engine[80];
    struct text why = TEXT_EMPTY;
    struct docker *client = NULL;
    json_t *document = NULL;
    snprintf(path, sizeof path, "/tmp/plimsoll-control-%d.sock", (int)getpid());
    snprintf(engine, sizeof engine, "unix://%s", path);
    odd_start_unix(&server, path, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
    struct docker_options options = {.engine = engine};
    assert_int_equal(docker_new(&options, &client, &why), 0);
    struct control_request request = {.path = "/containers/json"};
    assert_int_equal(docker_ask(client, &request, &document, &why), CONTROL_DONE);
    assert_true(json_is_array(document));
    json_decref(document);
    odd_stop(&server);
    odd_start_unix(&server, path, "HTTP/1.1 304 Not Modified\r\n\r\n");
    request = (struct control_request){.path = "/containers/x/start", .method = "POST"};
    assert_int_equal(docker_ask(client, &request, NULL, &why), CONTROL_DONE);
    odd_stop(&server);
    unlink(path);
    assert_int_equal(docker_ask(client, &request, NULL, &why), CONTROL_ABSENT);
    docker_free(client);
    options.engine = "nowhere";
    assert_int_equal(docker_new(&options, &client, &why), CONTROL_FAILED);
    text_fini(&why);
}

static void refuse_permission(struct odd_server *server, int fd)
{
    recv(fd, server->asked, sizeof server->asked, 0);
    odd_send(fd, server->reply, strlen(server->reply));
}

static void test_haproxy(void **state)
{
    (void)state;
    struct odd_server server;
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    char place[64];
    odd_start(&server, refuse_permission, "# pxname,svname\nweb,s1\n\n");
    snprintf(place, sizeof place, "127.0.0.1:%u", server.port);
    struct haproxy_place where = {.socket = place};
    assert_int_equal(haproxy_ask(&where, "show stat", &out, &why), CONTROL_DONE);
    assert_string_equal(out.at, "# pxname,svname\nweb,s1");
    assert_int_equal(strncmp(server.asked, "show stat\n", 10), 0);
    server.reply = "Permission denied\n\n";
    assert_int_equal(haproxy_ask(&where, "set weight a/b 1", &out, &why), CONTROL_FORBIDDEN);
    odd_stop(&server);
    assert_int_equal(haproxy_ask(&where, "show stat", &out, &why), CONTROL_ABSENT);
    where.socket = "x";
    assert_int_equal(haproxy_ask(&where, "show stat", &out, &why), CONTROL_FAILED);
    text_fini(&out);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities), cmocka_unit_test(test_instants),
        cmocka_unit_test(test_kubeconfig), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_pod),        cmocka_unit_test(test_docker),
        cmocka_unit_test(test_haproxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
