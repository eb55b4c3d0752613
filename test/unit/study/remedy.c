/* The table is whole, and users can change it; prices without a date are refused. */
#include "study/remedy.h"

#include "../stat/near.h"

#include <string.h>

static const struct remedy *named(const struct remedies *all, const char *id)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->rows[i].id, id) == 0)
            return &all->rows[i];
    return NULL;
}

static void the_table_is_whole(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "cpu",        "cpu-quota",    "memory", "gpu-compute",   "gpu-memory",      "gpu-bandwidth",
        "kv-cache",   "slots",        "pool",   "tools",         "network",         "disk",
        "balancer",   "database",     "queue",  "vector-search", "software",        "dependency",
        "rate-limit", "accept-queue", "decode", "prefill",       "memory-bandwidth"};
    struct remedies *all = remedies_default();
    for (size_t i = 0; i < all->count; i++) {
        const struct remedy *row = &all->rows[i];
        assert_true(*row->action && *row->impact && *row->tradeoff && *row->source && *row->date);
        /* A number that others measured has an address. */
        bool number = strpbrk(row->impact, "0123456789") != NULL;
        if (number && !*row->address && strcmp(row->id, "quantize") != 0)
            fail_msg("%s has a number and no address", row->id);
        assert_ptr_equal(named(all, row->id), row); /* ids are unique */
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t found = 0;
        for (size_t i = 0; i < all->count; i++)
            found += remedy_fits(&all->rows[i], kinds[k], "llm", "llm");
        if (found == 0)
            fail_msg("nothing relieves %s", kinds[k]);
    }
    assert_false(remedy_fits(named(all, "cores"), "cpu-quota", "x", "y"));
    remedies_free(all);
}

static void gpus_by_memory(void **state)
{
    (void)state;
    size_t count = 0;
    const struct remedy_gpu *all = remedy_gpus(&count);
    for (size_t i = 1; i < count; i++)
        assert_true(all[i].memory_gb >= all[i - 1].memory_gb);
    for (size_t i = 0; i < count; i++) /* a figure without a source is none */
        assert_true(strncmp(all[i].address, "https://", 8) == 0 && strlen(all[i].since) == 7);
    assert_string_equal(remedy_gpu_with(24, 1000)->name, "RTX 4090");
    assert_string_equal(remedy_gpu_with(40, 0)->name, "A100 40GB");
    assert_null(remedy_gpu_with(1000, 0));
    assert_near(remedy_gpu_named("NVIDIA GeForce RTX 3060")->memory_gb, 12, 0);
    assert_null(remedy_gpu_named("Voodoo 2"));
}

static void users_extend_it(void **state)
{
    (void)state;
    struct remedies *all = remedies_default();
    struct notes notes = {0};
    size_t before = all->count;
    struct span file = SPAN("remedies:\n"
                            "  - {id: our-cache, group: horizontal, kinds: database, role: rag,\n"
                            "     action: Cache answers}\n"
                            "  - {id: vllm, impact: ours was 3.1 times}\n"
                            "  - {id: slots, drop: true}\n");
    assert_int_equal(remedies_read(all, "r.yaml", file, &notes), 0);
    assert_int_equal(all->count, before);
    assert_null(named(all, "slots"));
    assert_string_equal(named(all, "vllm")->impact, "ours was 3.1 times");
    assert_true(*named(all, "vllm")->action);
    const struct remedy *cache = named(all, "our-cache");
    assert_int_equal(cache->group, REMEDY_HORIZONTAL);
    assert_true(remedy_fits(cache, "database", "rag", ""));
    assert_false(remedy_fits(cache, "database", "llm", "llm"));
    remedies_free(all);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "remedies: 3\n",
        "remedies:\n  - {id: x, group: sideways, kinds: any, action: a}\n",
        "remedies:\n  - {id: x}\n",
        "remedies:\n  - {id: x, acton: b}\n",
        "remedies:\n  - {id: none, drop: true}\n",
        "- [\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct remedies *all = remedies_default();
        struct notes notes = {0};
        assert_int_equal(remedies_read(all, "r.yaml", span_of(bad[i]), &notes), REMEDY_BAD);
        assert_true(notes.errors > 0);
        notes_fini(&notes);
        remedies_free(all);
    }
}

static void prices_have_a_date(void **state)
{
    (void)state;
    struct prices prices;
    struct notes notes = {0};
    struct span file =
        SPAN("date: 2026-11-01\ncurrency: EUR\nhour: {embedding: 0.42, \"*\": 1.1}\n");
    assert_int_equal(prices_read("p.yaml", file, &prices, &notes), 0);
    assert_near(prices_of(&prices, "embedding", ""), .42, 0);
    assert_near(prices_of(&prices, "a", "embedding"), .42, 0);
    assert_near(prices_of(&prices, "llm", "llm"), 1.1, 0);
    assert_string_equal(prices.date, "2026-11-01");
    prices_fini(&prices);
    assert_int_equal(prices_read("p.yaml", SPAN("hour: {a: 1}\n"), &prices, &notes), REMEDY_BAD);
    prices_fini(&prices);
    notes_fini(&notes);
    assert_int_equal(prices_read("p.yaml", SPAN("date: x\nhour: {a: -1}\n"), &prices, &notes),
                     REMEDY_BAD);
    assert_true(isnan(prices_of(&prices, "a", "")));
    prices_fini(&prices);
    notes_fini(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole), cmocka_unit_test(gpus_by_memory),
        cmocka_unit_test(users_extend_it),    cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(prices_have_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
