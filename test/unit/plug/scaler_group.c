/* Control groups of both versions as trees of files, settings as JSON and back, and what documents
 * of a cluster say. */
#include "plug/scaler/group.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/workload_json.h"

#include "base/memory.h"
#include "plan/setting_json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* A tree of files below a directory of its own. */
struct tree {
    char root[64];
};

static void plant(const struct tree *tree, const char *path, const char *words)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", tree->root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(words, file);
    fclose(file);
}

static char *content(const struct tree *tree, const char *path)
{
    char full[512], bytes[512];
    snprintf(full, sizeof full, "%s%s", tree->root, path);
    FILE *file = fopen(full, "r");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[length] = '\0';
    return memory_copy_text(bytes);
}

static void assert_content(const struct tree *tree, const char *path, const char *words)
{
    char *is = content(tree, path);
    assert_string_equal(is, words);
    free(is);
}

static struct tree new_tree(void)
{
    struct tree tree;
    snprintf(tree.root, sizeof tree.root, "/tmp/plimsoll-tree-XXXXXX");
    assert_non_null(mkdtemp(tree.root));
    return tree;
}

static void version_two_is_read_written_and_restored(void **state)
{
    (void)state;
    struct tree tree = new_tree();
    struct text why = TEXT_EMPTY, saved = TEXT_EMPTY;
    struct group *group = NULL;
    double value = 0;
    plant(&tree, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n");
    plant(&tree, "/sys/fs/cgroup/web.slice/cpu.max", "30000 50000\n");
    plant(&tree, "/sys/fs/cgroup/web.slice/memory.max", "max\n");
    assert_int_equal(group_open(tree.root, "/web.slice", 1u << GROUP_CORES | 1u << GROUP_MEMORY,
                                false, &group, &why),
                     0);
    assert_int_equal(group_read(group, GROUP_CORES, &value, &why), 0);
    assert_float_equal(value, 0.6, 1e-12);
    assert_int_equal(group_read(group, GROUP_MEMORY, &value, &why), 0);
    assert_true(isinf(value));
    assert_int_equal(group_save(group, GROUP_CORES, &saved, &why), 0);
    assert_string_equal(saved.at, "cpu.max=30000 50000");
    assert_int_equal(group_write(group, GROUP_CORES, 0.25, &why), 0);
    assert_content(&tree, "/sys/fs/cgroup/web.slice/cpu.max", "25000 100000");
    assert_int_equal(group_write(group, GROUP_MEMORY, 1048576, &why), 0);
    assert_content(&tree, "/sys/fs/cgroup/web.slice/memory.max", "1048576");
    assert_int_equal(group_restore(group, saved.at, &why), 0);
    assert_content(&tree, "/sys/fs/cgroup/web.slice/cpu.max", "30000 50000");
    assert_int_equal(group_restore(group, "../evil=1", &why), SCALER_FAILED);
    group_free(group);
    assert_int_equal(group_open(tree.root, "/other", 1, false, &group, &why), SCALER_ABSENT);
    text_fini(&why);
    text_fini(&saved);
}

static void version_one_is_read_written_and_restored(void **state)
{
    (void)state;
    struct tree tree = new_tree();
    struct text why = TEXT_EMPTY, saved = TEXT_EMPTY;
    struct group *group = NULL;
    double value = 0;
    plant(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_quota_us", "-1\n");
    plant(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_period_us", "50000\n");
    assert_int_equal(group_open(tree.root, "/web", 1u << GROUP_CORES, false, &group, &why), 0);
    assert_int_equal(group_read(group, GROUP_CORES, &value, &why), 0);
    assert_true(isinf(value));
    assert_int_equal(group_save(group, GROUP_CORES, &saved, &why), 0);
    assert_int_equal(group_write(group, GROUP_CORES, 1.5, &why), 0);
    assert_content(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_quota_us", "150000");
    assert_content(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_period_us", "100000");
    assert_int_equal(group_restore(group, saved.at, &why), 0);
    assert_content(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_quota_us", "-1");
    assert_content(&tree, "/sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_period_us", "50000");
    group_free(group);
    text_fini(&why);
    text_fini(&saved);
}

/* What the journal holds of each scaler is read back as the same. */
static void settings_survive_json(void **state)
{
    (void)state;
    static const struct scaler *const all[] = {&scaler_null,       &scaler_process, &scaler_command,
                                               &scaler_cgroup,     &scaler_haproxy, &scaler_docker,
                                               &scaler_kubernetes, &scaler_systemd, &scaler_env};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct text before = TEXT_EMPTY, after = TEXT_EMPTY, why = TEXT_EMPTY, with = TEXT_EMPTY;
        void *config = memory_new(1, all[i]->config_bytes);
        text_puts(&with, "{");
        for (const struct setting *row = all[i]->settings; row->name; row++)
            if (row->type == SETTING_TEXT)
                text_printf(&with, "%s\"%s\":\"a \\\"b\\\" $${c} {port} \\u00e4\"",
                            with.bytes > 1 ? "," : "", row->name);
        text_puts(&with, "}");
        assert_int_equal(setting_read_json(all[i]->settings, text_span(&with), config, &why), 0);
        setting_write_json(all[i]->settings, config, &before);
        void *again = memory_new(1, all[i]->config_bytes);
        assert_int_equal(setting_read_json(all[i]->settings, text_span(&before), again, &why), 0);
        setting_write_json(all[i]->settings, again, &after);
        assert_string_equal(before.at, after.at);
        setting_free(all[i]->settings, config);
        setting_free(all[i]->settings, again);
        free(config);
        free(again);
        text_fini(&before);
        text_fini(&after);
        text_fini(&why);
        text_fini(&with);
    }
}

static enum json_progress progress(const char *document)
{
    struct text words = TEXT_EMPTY;
    json_t *json = json_loads(document, 0, NULL);
    assert_non_null(json);
    enum json_progress is = json_progress_of(json, &words);
    json_decref(json);
    text_fini(&words);
    return is;
}

static void a_roll_out_is_ready_when_all_are_new_and_ready(void **state)
{
    (void)state;
    assert_int_equal(progress("{\"metadata\":{\"generation\":3},\"spec\":{\"replicas\":2},"
                              "\"status\":{\"observedGeneration\":3,\"replicas\":2,"
                              "\"updatedReplicas\":2,\"readyReplicas\":2}}"),
                     JSON_READY);
    assert_int_equal(progress("{\"metadata\":{\"generation\":4},\"spec\":{\"replicas\":2},"
                              "\"status\":{\"observedGeneration\":3,\"replicas\":2,"
                              "\"updatedReplicas\":2,\"readyReplicas\":2}}"),
                     JSON_WAITS); /* the controller has not seen the change yet */
    assert_int_equal(progress("{\"spec\":{\"replicas\":2},\"status\":{\"replicas\":3,"
                              "\"updatedReplicas\":2,\"readyReplicas\":2}}"),
                     JSON_WAITS); /* an old pod is still there */
    assert_int_equal(progress("{\"spec\":{\"replicas\":0},\"status\":{}}"), JSON_READY);
    assert_int_equal(progress("{\"spec\":{\"replicas\":2},\"status\":{\"replicas\":1,"
                              "\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
                              "\"message\":\"exceeded quota\"}]}}"),
                     JSON_STUCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_two_is_read_written_and_restored),
        cmocka_unit_test(version_one_is_read_written_and_restored),
        cmocka_unit_test(settings_survive_json),
        cmocka_unit_test(a_roll_out_is_ready_when_all_are_new_and_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
